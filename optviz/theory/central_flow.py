"""Gradient descent at the edge of stability, averaged over its zigzag: the central flow (arXiv 2410.24206).

While the largest curvature S is at 2 / lr, a run swings along its direction with the variance at which S neither grows
nor falls; between the swings it follows dw/dt = -lr (grad L + variance / 2 grad S), a unit of time a step. Its mean
loss is L + variance S / 2. Where two curvatures are at the edge nothing is claimed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..readings.linear import coefficients, is_frozen, linear_of
from .run_ends import gradient_at
from .stability import eigen, frozen_terms, hessian_at, preconditioned
from .stability import limit as limit_of

PARTS = 2  # of a step, from one point of the flow to the next
NEAR = 0.97  # of the limit: a second curvature above it is at the edge, too
FAR = 1e3  # diagonals of the domain: a flow that goes further has left


def variance(slope: Sequence[float], rise: Sequence[float]) -> float:
    """The variance of the swings that hold a curvature, of gradient `rise`, where the loss has this gradient."""
    size = sum([float(r) * float(r) for r in rise])
    along = -sum([float(g) * float(r) for g, r in zip(slope, rise, strict=True)])
    return 2 * along / size if size > 0 and along > 0 else 0.0


def moved(point: Sequence[float], slope: Sequence[float], rise: Sequence[float], swings: float, time: float) -> list:
    """Where the flow comes from a point in a while, given there the gradients of loss and curvature."""
    return [float(x) - time * (float(g) + swings / 2 * float(r)) for x, g, r in zip(point, slope, rise, strict=True)]


def held(point: Sequence[float], rise: Sequence[float], excess: float) -> list:
    """A point brought back to where its curvature is at the limit that it exceeds."""
    size = sum([float(r) * float(r) for r in rise])
    return [float(x) - (excess * float(r) / size if size > 0 else 0.0) for x, r in zip(point, rise, strict=True)]


def is_plain(rule: Any) -> bool:
    """Whether a rule's steps are -lr times the gradient, nothing carried along: the flow is that of such a rule."""
    form = coefficients(rule)
    if form is None or form["frozen"] or form["lr"] <= 0:
        return False
    first = form["rows"][0]
    return abs(first[0] + form["lr"]) <= 1e-12 * form["lr"] and all([v == 0 for v in first[1:]])


# on a surface


def surface_flow(objective: Any, lr: float, start: Sequence[float], steps: int) -> dict[str, Any]:
    """The central flow of gradient descent on a surface, a row a step, as far as something is claimed.

    `x` (n, 2), the largest curvature `sharpness` (n,), the swings' `variance` (n,) and direction `along` (n, 2), and
    the mean `loss` (n,) that follows; `why` says what it stops at, if not at the last step.
    """
    limit, size = 2 / lr, _diagonal(objective)
    rows: list[Any] = []
    at, why = [float(start[0]), float(start[1])], ""
    for step in range(steps + 1):
        found = eigen(hessian_at(objective, at))
        if not math.isfinite(found["values"][-1]) or abs(at[0]) + abs(at[1]) > FAR * size:
            why = "left"
        elif found["values"][0] > NEAR * limit:
            why = "two"
        elif step == 0 and found["values"][-1] > limit:
            why = "above"
        if why:
            break
        swings = _swings(objective, at, found["values"][-1], limit, size)
        loss = float(objective.value(at[0], at[1])) + swings * found["values"][-1] / 2
        rows.append([at[0], at[1], found["values"][-1], swings, found["vectors"][-1][0], found["vectors"][-1][1], loss])
        for _ in range(PARTS):
            at = _part(objective, at, lr / PARTS, limit, size)
    table = np.array(rows, dtype=float).reshape(-1, 7)
    return {"x": table[:, 0:2], "sharpness": table[:, 2], "variance": table[:, 3], "along": table[:, 4:6],
            "loss": table[:, 6], "why": why}  # fmt: skip


def _part(objective: Any, at: list, time: float, limit: float, size: float) -> list:
    slope = gradient_at(objective, at)
    if _steepest(objective, at) < limit * (1 - 1e-9):
        there = moved(at, slope, [0.0, 0.0], 0.0, time)
    else:
        rise = _rise(objective, at, size)
        there = moved(at, slope, rise, variance(slope, rise), time)
    excess = _steepest(objective, there) - limit
    return held(there, _rise(objective, there, size), excess) if excess > 0 else there


def _swings(objective: Any, at: list, steepest: float, limit: float, size: float) -> float:
    if steepest < limit * (1 - 1e-9):
        return 0.0
    return variance(gradient_at(objective, at), _rise(objective, at, size))


def _rise(objective: Any, at: list, size: float) -> list:
    """The gradient of the largest curvature."""
    h = 1e-5 * size
    across = _steepest(objective, [at[0] + h, at[1]]) - _steepest(objective, [at[0] - h, at[1]])
    up = _steepest(objective, [at[0], at[1] + h]) - _steepest(objective, [at[0], at[1] - h])
    return [across / (2 * h), up / (2 * h)]


def _steepest(objective: Any, at: list) -> float:
    return eigen(hessian_at(objective, at))["values"][-1]


def _diagonal(objective: Any) -> float:
    (x0, x1), (y0, y1) = objective.domain
    return math.hypot(x1 - x0, y1 - y0)


# of any rule


def sharpness_of(rule: Any, objective: Any, run: Any) -> np.ndarray:
    """lr times the largest curvature before each step of a run's first lane, (steps + 1,); NaN where there is none.

    Of P^-1 H where the rule divides by running squares, as they are after the step before.
    """
    rule, frozen = linear_of(rule), is_frozen(rule)
    return np.array([_sharpness_at(rule, frozen, objective, run, t) for t in range(run.steps + 1)], dtype=float)


def _sharpness_at(rule: Any, frozen: bool, objective: Any, run: Any, t: int) -> float:
    if not (math.isfinite(run.x[t, 0, 0]) and math.isfinite(run.x[t, 0, 1])):
        return math.nan
    rate = float(run.rates[min(t, run.steps - 1), 0])
    if not frozen:
        return rate * eigen(hessian_at(objective, run.x[t, 0]))["values"][-1]
    found = preconditioned(rule, objective, run.x[t, 0], frozen_terms(rule, run, max(1, t)), max(1, t))
    return math.nan if found is None else rate * found["values"][-1]


def edge_of(rule: Any) -> float:
    """What lr times the largest curvature must stay below; NaN where nothing is known."""
    most = limit_of(rule)
    return math.nan if most is None else float(most)
