"""Two factors that learn a matrix: min 1/2 |P^T Q - M|^2, walked by a rule for matrices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..rules.matrices import Matrix, plus, product, times, transposed
from ..rules.matrix_rules import MATRIX_RULES, singular_values

BEGIN = ([[1.0, 0.3], [-0.5, 0.8]], [[0.4, -0.9], [0.7, 0.6]])  # P and Q, times the size of the start


def turn(angle: float) -> Matrix:
    """The rotation by an angle, in radians."""
    return [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]


def target_of(spectrum: tuple[float, float], left: float, right: float) -> Matrix:
    """M = U S V^T, U and V^T turns by `left` and `right`."""
    return product(product(turn(left), [[spectrum[0], 0.0], [0.0, spectrum[1]]]), turn(right))


def factorized(
    rule: str, knobs: Mapping[str, float], target: Matrix, left: float, right: float, size: float, steps: int
) -> dict[str, Any]:
    """Walk both factors from a small start of this size.

    Gives by step, from the start on: `loss` (steps + 1,), `modes` and `singular` (steps + 1, 2), the entries of
    U^T P^T Q V on its diagonal and the singular values of P^T Q, and `entries` (steps + 1, 8), P's and Q's; of each
    step `updates` (steps, 4), the singular values of P's and Q's. `diverged` is the step at which the loss stopped
    being finite, 0 if it never did: NaN from there on. Source: `optviz.rules.matrix_rules`.
    """
    step_of, across, down = MATRIX_RULES[rule], transposed(turn(left)), transposed(turn(right))
    P, Q = [times(size, factor) for factor in BEGIN]
    for_P: dict[str, Any] = {}
    for_Q: dict[str, Any] = {}
    losses, modes, singular, entries, updates = [], [], [], [], []
    diverged = 0
    for t in range(steps + 1):
        made = product(transposed(P), Q)
        E = plus(made, times(-1.0, target))
        loss = sum([e * e for row in E for e in row]) / 2
        if not math.isfinite(loss):
            diverged = t
            break
        seen = product(product(across, made), down)
        losses.append(loss)
        modes.append([seen[0][0], seen[1][1]])
        singular.append([*singular_values(made)])
        entries.append([entry for factor in (P, Q) for row in factor for entry in row])
        if t < steps:
            moves = step_of(product(Q, transposed(E)), for_P, t + 1, knobs), step_of(product(P, E), for_Q, t + 1, knobs)
            updates.append([*singular_values(moves[0]), *singular_values(moves[1])])
            P, Q = plus(P, moves[0]), plus(Q, moves[1])
    return {
        "loss": _padded([[loss] for loss in losses], steps + 1)[:, 0], "modes": _padded(modes, steps + 1),
        "singular": _padded(singular, steps + 1), "entries": _padded(entries, steps + 1),
        "updates": _padded(updates, steps), "diverged": diverged,
    }  # fmt: skip


def _padded(rows: list[list[float]], count: int) -> np.ndarray:
    """The rows, and NaN up to so many."""
    gone = [[math.nan] * len(rows[0])] * (count - len(rows))
    return np.array([*rows, *gone], dtype=float)


def arrival(modes: np.ndarray, full: float, share: float = 0.9) -> float:
    """The first step at which a mode (steps + 1,) has so much of its full size; NaN if it never has."""
    there = modes >= share * full
    return float(np.argmax(there)) if there.any() else math.nan
