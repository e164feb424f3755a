"""What theory expects of one run on a surface, beside what the run did."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..menus import with_setting
from ..objectives.objective import variables_shown
from ..readings.linear import is_frozen, linear_of
from ..runs.trajectory import Trajectory
from .changing_rates import under_rates
from .run_ends import end_of
from .stability import eigen, frozen_terms, hessian_at, hessian_shown, max_lr, preconditioned, prediction


def outlook(
    rule: Any, objective: Any, run: Trajectory, local: Mapping[str, Any], lowest: float | None, clip: float = 0.0,
    moves: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Prediction and measurement for the first lane of a run, among the minima `local` of `maps.basins.local_minima`.

    `lowest` is the surface's lowest loss, None where it falls without end.

    `rows`: for the start, three steps of the path, the end and each of the lowest minima (and that
    nearest to the end) the name, the point, the `spectrum` (of P^-1 H where the rule divides by running
    squares, as they are at that step, for a minimum at the end) and the largest stable lr (None where
    unknown). `end`: where the run ended, as `run_ends.end_of` has it. `sentence`: what to expect at
    `target`, the minimum nearest to the end, else the end; `bottom`: its loss, `lowest`: whether it is one
    of the lowest minima, `beyond`: else that of these which is nearest to it. `rate`: the factor a step in
    the long run there, None where unknown; `measured`: that of the run; `stable`: what is predicted;
    `limit`: the largest stable lr at the target. `clip`: at what gradients are cut, 0 for nothing; near a
    minimum they are small, so it moves no limit, but keeps an unstable run from growing. Where the learning rate
    `moves`, nothing is said that holds of a constant one: see `changing_rates`.
    """
    moved = [float(values[_last_taken(run) - 1]) for values in run.momenta.values()]  # in the last step
    for name in run.momenta:
        rule = with_setting(rule, name, moved[0])
    rule, end = linear_of(rule), end_of(objective, run, local)
    points, deep = np.asarray(local["points"], dtype=float).reshape(-1, 2), lowest_among(local, lowest)
    x, k = run.x[:, 0], end["minimum"]
    last = int(np.flatnonzero(np.isfinite(x).all(axis=1))[-1])
    target = x[last] if k < 0 else points[k]
    t = max(1, min(last, run.steps))
    terms = frozen_terms(rule, run, t)[: variables_shown(objective)] if is_frozen(rule) else None
    rows = [_step_row(step, last, rule, objective, run) for step in sorted({last * part // 4 for part in range(5)})]
    listed = [(points[i], "minimum") for i in range(len(points)) if deep[i]]
    listed += [(target, "local minimum")] if k >= 0 and not deep[k] else []
    rows += [_row(name, point, rule, objective, terms, t) for point, name in listed]
    found = _expected(rule, objective, target, terms, t)
    if clip > 0 and found["stable"] is False:
        held = f"Gradients are cut at {clip:g}: its steps grow no further than that allows."
        found = {**found, "sentence": f"{found['sentence']} {held}"}
    best = _nearest(points[deep], target) if deep.any() else target
    end = end if end["saddle"] is None else {**end, "saddle": point_shown(objective, end["saddle"])}
    found = {**found, "frozen": terms is not None}
    if moves:
        found = under_rates(found, run.rates[: _last_taken(run), 0], moved[0] if moved else None)
    return {
        **found,
        "rows": rows,
        "target": point_shown(objective, target),
        "bottom": math.nan if k < 0 else float(local["values"][k]),
        "lowest": k < 0 or bool(deep[k]),
        "beyond": None if k < 0 or deep[k] or not deep.any() else point_shown(objective, best),
        "away": _distance(best, target),
        "end": end,
        "measured": end["factor"],
    }


def _last_taken(run: Trajectory) -> int:
    """How many steps the first lane took."""
    gone = int(run.diverged[0])
    return gone if gone > 0 else run.steps


def lowest_among(local: Mapping[str, Any], lowest: float | None) -> np.ndarray:
    """Which of the minima of `maps.basins.local_minima` are the lowest, up to rounding: booleans (n,).

    None of them where the surface has no `lowest` loss.
    """
    values = np.asarray(local["values"], dtype=float).reshape(-1)
    if lowest is None or not len(values):
        return values != values
    low = float(np.min(values))
    return values <= low + 1e-7 * max(1.0, abs(low))


def point_shown(objective: Any, point: Any) -> Any:
    """A point without the idle coordinate of a curve."""
    return point[: variables_shown(objective)]


def _distance(a: Any, b: Any) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))


def _nearest(points: np.ndarray, point: Any) -> np.ndarray:
    return points[int(np.argmin(np.hypot(points[:, 0] - point[0], points[:, 1] - point[1])))]


def _expected(rule: Any, objective: Any, point: Any, terms: Any, t: int) -> dict[str, Any]:
    nothing = {"limit": None, "rate": None, "stable": None}
    if not np.isfinite(hessian_at(objective, point)).all():
        return {**nothing, "sentence": "The surface has no curvature there, so theory says nothing."}
    found = prediction(rule, objective, point, terms, t)
    return {name: found[name] for name in ("limit", "rate", "stable", "sentence")}


def _step_row(step: int, last: int, rule: Any, objective: Any, run: Trajectory) -> dict[str, Any]:
    """The row of where a run is after a step."""
    t = max(1, step)
    terms = frozen_terms(rule, run, t)[: variables_shown(objective)] if is_frozen(rule) else None
    name = "start" if step == 0 else "end" if step == last else f"step {step}"
    return _row(name, run.x[step, 0], rule, objective, terms, t)


def _row(name: str, point: Any, rule: Any, objective: Any, terms: Any, t: int) -> dict[str, Any]:
    hessian = hessian_shown(objective, point)
    row = {"name": name, "point": point_shown(objective, point), "values": [math.nan for _ in range(len(hessian))],
           "condition": math.nan, "limit": None}  # fmt: skip
    if not np.isfinite(hessian).all():
        return row
    known = eigen(hessian) if terms is None else preconditioned(rule, objective, point, terms, t)
    most = max_lr(rule, known["values"][-1], terms, t)
    return {**row, "values": known["values"], "condition": known["condition"], "limit": most}
