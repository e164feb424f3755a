"""What a single step of a run is made of: what stands for each letter of its rule's formula, and the parts by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..rules.rule import Rule, varies
from .descent import first_memory
from .trajectory import Trajectory

UP = -1  # along the axis up: the loss, where a picture is the curve of a function of one variable


@dataclass(frozen=True)
class Played:
    """A run whose steps can be walked through: the first `steps` of a trajectory's lane, what walked and where.

    `figure` is the picture that shows its path, "" for none; `across` and `up` are the coordinates along its axes,
    `up` of a curve `UP`: the loss.
    """

    label: str
    run: Trajectory
    lane: int
    steps: int
    rule: Any
    objective: Any
    figure: str
    across: int
    up: int


def last_step(played: Played) -> int:
    """The last step that can be walked to: of all, or the one at which the run stopped being finite."""
    gone = int(played.run.diverged[played.lane])
    return min(gone, played.steps) if gone > 0 else played.steps


def walk_of(
    x: np.ndarray, updates: np.ndarray, gradients: np.ndarray, applied: np.ndarray, rates: np.ndarray,
    terms: dict[str, np.ndarray],
) -> Trajectory:  # fmt: skip
    """A run of one parameter as a trajectory: each array has one number a step, `x` one more."""
    each = [values[:, None, None] for values in (updates, gradients, applied)]
    clipped = (applied != gradients)[:, None]
    kept = {name: values[:, None, None] for name, values in terms.items()}
    return Trajectory(x[:, None, None], np.zeros((len(x), 1)), each[0], each[1], rates[:, None], clipped,
                      np.zeros(1, dtype=int), kept, None, each[2])  # fmt: skip


def measured(rates: np.ndarray, measures: dict[str, np.ndarray], diverged: int) -> Trajectory:
    """A run whose coordinates say nothing, as a trajectory that has none: numbers of each step are its terms."""
    none, kept = np.zeros((len(rates), 1, 0)), {name: values[:, None, None] for name, values in measures.items()}
    return Trajectory(np.zeros((len(rates) + 1, 1, 0)), np.zeros((len(rates) + 1, 1)), none, none, rates[:, None],
                      np.zeros((len(rates), 1), dtype=bool), np.array([diverged]), kept, None, None)  # fmt: skip


def settings_at(rule: Any, lane: int) -> dict[str, Any]:
    """The hyperparameters of one lane."""
    return {name: float(v[lane if v.size > 1 else 0]) if varies(v) else v for name, v in rule.settings().items()}


def letters_at(played: Played, t: int) -> list[dict[str, float]]:
    """What the letters of the rule's formula stand for in step t = 1, 2, ..., by their names in `readings.letters`.

    One dict a coordinate; of a coupled rule, whose formula has all coordinates, one. None for a rule without formula.
    """
    rule, run, lane = played.rule, played.run, played.lane
    if not isinstance(rule, Rule):
        return []
    settings = settings_at(rule, lane)
    settings_first, start = {**settings, "lr": float(run.rates[0, lane])}, [float(v) for v in run.x[0, lane]]
    shared = {f"h.{name}": float(value) for name, value in settings.items()}
    shared = {**shared, "h.lr": float(run.rates[t - 1, lane]), "t": float(t)}
    shared = {**shared, **{f"h.{name}": float(values[t - 1]) for name, values in run.momenta.items()}}
    points = run.x[t - 1 : t + 1, lane]
    g = gradients_given(run)[t - 1, lane]
    bends = [float(v) for row in bend_at(played.objective, points[0]) for v in row] if rule.curvature else []
    firsts = [first_memory(rule, settings_first, start, own) for own in start]
    if rule.coupled:
        return [{**shared, **_carried(run, lane, t, 0, firsts[0]), **_coupled(bends, points, g)}]
    return [
        {**shared, **_carried(run, lane, t, i, firsts[i]), **({"H": bends[i * len(g) + i]} if rule.curvature else {}),
         "x": float(points[0, i]), "g": float(g[i]), "x_next": float(points[1, i])}
        for i in range(len(g))
    ]  # fmt: skip


def _carried(run: Trajectory, lane: int, t: int, i: int, first: dict[str, float]) -> dict[str, float]:
    """The named terms of a step, and those that it found."""
    now = {name: float(values[t - 1, lane, i]) for name, values in run.terms.items()}
    before = {
        f"{name}_before": float(run.terms[name][t - 2, lane, i]) if t > 1 and name in run.terms else float(value)
        for name, value in first.items()
    }
    return {**now, **before}


def _coupled(bends: Sequence[float], points: np.ndarray, g: np.ndarray) -> dict[str, float]:
    """The coordinates of a point, of its gradient, its Hessian where there is one, and the next point."""
    names = ("H_11", "H_12", "H_21", "H_22")
    curvature = {names[k]: bend for k, bend in enumerate(bends)}
    both = {f"{name}_{i + 1}": float(row[i]) for name, row in (("x", points[0]), ("g", g)) for i in range(2)}
    return {**curvature, **both, **{f"x_{i + 1}_next": float(points[1, i]) for i in range(2)}}


def bend_at(objective: Any, point: Any) -> Any:
    """The rows of the Hessian."""
    return objective.hessian(*point)


def _terms(run: Trajectory, lane: int, coupled: bool) -> dict[str, np.ndarray]:
    """The named terms of a lane; those that a coupled rule has for each variable, m_1 and m_2, as one, m."""
    found: dict[str, np.ndarray] = {}
    for name, values in run.terms.items():
        stem, number = name[:-2], name[-2:]
        pair = coupled and f"{stem}_1" in run.terms and f"{stem}_2" in run.terms
        if pair and number == "_1":
            found = {**found, stem: np.stack([values[:, lane, 0], run.terms[f"{stem}_2"][:, lane, 1]], axis=1)}
        elif not (pair and number == "_2"):
            found = {**found, name: values[:, lane]}
    return found


def gradients_given(run: Trajectory) -> np.ndarray:
    """The gradient that the rule was given at each step, after noise and clipping."""
    return run.gradients if run.applied is None else run.applied


def parts_of(played: Played, corrections: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """What each step of a run consists of, by name: arrays (steps, dim).

    "gradient" is the surface's, where noise ("noise") or clipping ("clip factor") make another one of it, which
    is "g"; then the rule's named terms (of a pair m_1, m_2 for the variables, m), "decay" (the pull of weight decay),
    "1 - beta1^t" for each of the `corrections` (`readings.letters` has a rule's), "step", what is added to the point.
    Of a `measured` run its numbers.
    """
    run, lane, rule = played.run, played.lane, played.rule
    if run.x.shape[2] == 0:
        return {name: values[:, lane] for name, values in run.terms.items()}
    raw, g = run.gradients[:, lane], gradients_given(run)[:, lane]
    found: dict[str, np.ndarray] = {}
    if isinstance(rule, Rule) and rule.probe is not None:
        found = {"gradient": raw}
    elif run.applied is not None and (g != raw)[: last_step(played)].any():
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {
                "gradient": raw,
                **({"clip factor": g / raw} if run.clipped[:, lane].any() else {"noise": g - raw}),
            }
    found = {**found, "g": g}
    for name, own in _terms(run, lane, isinstance(rule, Rule) and rule.coupled).items():
        if "step" not in name and (own != g)[: last_step(played)].any():  # d is g where no weight decays
            found = {**found, name: own}
    if isinstance(rule, Rule):
        settings = settings_at(rule, lane)
        if "weight_decay" in settings and settings["weight_decay"] != 0:
            found = {**found, "decay": settings["weight_decay"] * run.x[:-1, lane]}
        settings = {**settings, **{name: values[:, None] for name, values in run.momenta.items()}}
        even, steps = np.ones(g.shape), np.arange(1, len(g) + 1)[:, None]
        found = {**found, **{f"1 - {name}^t": (1 - settings[name] ** steps) * even for name in corrections}}
    found = {**found, "step": run.updates[:, lane]}
    return {name: values for name, values in found.items() if np.isfinite(values).any()}
