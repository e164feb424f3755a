"""Hyperparameter maps: two axes of a run, and how each cell of their grid ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..menus import names_of, with_setting
from ..objectives.objective import variables_shown
from ..readings.linear import is_frozen, linear_of
from ..sweeps import cluster
from ..sweeps.sweep import sweep
from ..theory.stability import max_lr, min_lr, spectrum
from .axes import CLIP, COORDINATES, labels, momenta


def axes_for(optimizer: Any, objective: Any) -> list[str]:
    """What may change along an axis of a map of this rule on this surface."""
    places = COORDINATES[: variables_shown(objective)]
    return [n for n in labels() if n in (*places, CLIP, *names_of(optimizer), *names_of(objective))]


def pair_of(optimizer: Any, objective: Any, across: str, up: str) -> tuple[str, str]:
    """These two axes, or others where they are one, or where neither the rule nor the objective has one."""
    known = axes_for(optimizer, objective)
    first = across if across in known else known[0]
    others = [n for n in (*momenta(), *known) if n in known and n != first]
    return first, up if up in others else others[0]


def lane_map(
    objective: Any, rule: Any, start: Any, steps: int, names: Sequence[str], across: Any, up: Any,
    tolerance: float, lowest: float, clip: float = 0.0, schedule: Any = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """First and final loss, step of arrival and of divergence of each cell, shape (len(up), len(across)).

    `names` are the axes across and up; `arrived` is NaN for a run that never comes within the
    tolerance of the lowest loss, `diverged` 0 for one that stays finite. Gradients are cut at a
    clip above 0, or at the value of an axis of that name.
    """
    places = dict(zip(COORDINATES, objective.names, strict=True))
    first, second = (places.get(n, n) for n in names)
    found: Any = sweep(objective, rule, start, steps, {second: up, first: across}, tolerance=tolerance,
                       lowest=lowest, measure=["loss", "first", "steps_to", "diverged"],
                       clip=None if CLIP in names else clip or None, scheduler=cluster.shared,
                       schedule=schedule)  # fmt: skip
    names_found = {"loss": "loss", "first": "first", "arrived": "steps_to", "diverged": "diverged"}
    return {name: found[theirs].values for name, theirs in names_found.items()}


def stable_rates(rule: Any, objective: Any, name: str, values: Sequence[float]) -> list[Any] | None:
    """The learning rates from and up to which a rule is stable at the deepest minimum, by values of another number.

    From 0 on but for a Nesterov momentum above 1. NaN for what PyTorch refuses and where no rate is stable, infinite
    for no limit; None where theory has nothing to say: what a rule with running squares divides by is each run's own,
    so that no line parts its runs.
    """
    minima = [list(point) for point in objective.minima]
    if not minima or limit_moves(rule):
        return None
    rates = [_stable_rate(rule, objective, name, value, minima[0]) for value in values]
    return None if any(most is None for least, most in rates) else rates


def limit_moves(rule: Any) -> bool:
    """Whether a rule's limit moves with the gradients that a run has seen."""
    try:
        return is_frozen(rule)
    except ValueError:  # refused as it stands: the axis may bring what is not
        return False


def _stable_rate(rule: Any, objective: Any, name: str, value: float, minimum: Any) -> Any:
    try:
        if name in names_of(rule):
            rule = with_setting(rule, name, value)
        elif name in names_of(objective):
            objective = with_setting(objective, name, value)
        rule, curvatures = linear_of(rule), spectrum(objective, minimum)["values"]
        least, most = min_lr(rule, curvatures[0]), max_lr(rule, curvatures[-1])
        return (math.nan, math.nan) if most is not None and least >= most else (least, most)
    except ValueError:
        return math.nan, math.nan


def growth(first: np.ndarray, loss: np.ndarray, diverged: np.ndarray, lowest: float, steps: int) -> np.ndarray:
    """How many decades a step the loss of a run that ends above its start has grown by; NaN for the others.

    A run that is no longer finite has grown to 1e308 by the step at which it was lost.
    """
    begun = np.log10(np.maximum(first - lowest, 1e-300))
    ended = np.where(diverged > 0, 308.0, np.log10(np.maximum(loss - lowest, 1e-300)))
    taken = np.where(diverged > 0, diverged, steps)
    return np.where((diverged > 0) | (loss > first), (ended - begun) / taken, math.nan)


def told(found: Mapping[str, Any], lowest: float, steps: int) -> dict[str, np.ndarray]:
    """What a picture shows of each cell of `lane_map`: `grown`, and log10 of the loss above the lowest, `above`."""
    with np.errstate(all="ignore"):
        grown = growth(found["first"], found["loss"], found["diverged"], lowest, steps)
        return {"grown": grown, "above": np.log10(np.maximum(found["loss"] - lowest, 1e-300))}


def ranks(loss: np.ndarray, diverged: np.ndarray) -> np.ndarray:
    """Each cell's place by its loss, 0 for the best and 1 for the last that stays finite; NaN for the others."""
    flat = np.where((diverged > 0) | np.isnan(loss), math.inf, loss).ravel()
    finite = np.sort(flat[np.isfinite(flat)])
    places = np.searchsorted(finite, flat) / max(finite.size - 1, 1)
    return np.where(np.isfinite(flat), places, math.nan).reshape(loss.shape)
