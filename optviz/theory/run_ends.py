"""Where one run on a surface ended and how it moved there: distances and kinds, before any sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..runs.trajectory import Trajectory
from .stability import eigen, hessian_at

ROUNDING = 1e-10  # of the domain's diagonal: nearer to a minimum than that a run has arrived
LONGEST = 12  # steps of a cycle that is looked for


def gradient_at(objective: Any, point: Any) -> np.ndarray:
    """The gradient of an objective at a point, shape (dim,)."""
    return np.asarray(objective.gradient(*point), dtype=float)


def end_of(objective: Any, run: Trajectory, local: Mapping[str, Any]) -> dict[str, Any]:
    """The end of a run's first lane, among the minima `local` (see `maps.basins.local_minima`).

    `kind` is the first of these that holds:
    "diverged"; "arrived" at a minimum (`rounded`: to the last digits); "cycle" of `period` steps;
    "saddle": a stationary point that is no minimum, `saddle`, is within reach and nearer, at
    `saddle_distance` (`top`: a maximum; `leaving` it, or there to the last digits: `rounded`);
    "unmoved"; "resting": its last steps are 0; "slow": all its steps together are a thousandth of the
    way; "near": within reach of a minimum, or on its bowl; "away".

    `step`: the last one that is finite, or that of the divergence; `point`; `minimum`: the number of the
    nearest one, -1 for none, `distance` to it (NaN), `nearest` and `farthest` of it over the last
    quarter or the last cycle; `factor`: what a step makes of that distance, over the last quarter before
    it arrived, NaN where that is too short; `tangent`: whether the surface is the bowl of that minimum's
    curvatures at the last four points; `travelled`: the length of all steps.
    """
    x = run.x[:, 0]
    last = int(np.flatnonzero(np.isfinite(x).all(axis=1))[-1])
    x, point = x[: last + 1], x[last]
    diagonal = _diagonal(objective)
    points = np.asarray(local["points"], dtype=float).reshape(-1, 2)
    with np.errstate(over="ignore"):  # of a run that leaves float64
        moves = np.hypot(x[1:, 0] - x[:-1, 0], x[1:, 1] - x[:-1, 1])
        k = int(np.argmin(np.hypot(points[:, 0] - point[0], points[:, 1] - point[1]))) if len(points) else -1
        far = np.hypot(x[:, 0] - points[k][0], x[:, 1] - points[k][1]) if k >= 0 else np.full(last + 1, math.nan)
    end = {"step": last, "point": point, "minimum": k, "distance": float(far[last]), "period": 0, "rounded": False,
           "saddle": None, "saddle_distance": math.nan, "leaving": False, "top": False, "tangent": False,
           "travelled": float(np.sum(moves)), "factor": _factor(far, ROUNDING * diagonal),
           **_range(far[last - last // 4 :])}  # fmt: skip
    if run.diverged[0]:
        return {**end, "kind": "diverged", "step": int(run.diverged[0])}
    if k >= 0 and far[last] <= ROUNDING * diagonal:
        return {**end, "kind": "arrived", "tangent": True, "rounded": bool(far[last] <= 1e-15 * diagonal)}
    period = _period(x, ROUNDING * diagonal)
    if period:
        return {**end, "kind": "cycle", "period": period, **_range(far[last + 1 - period :])}
    with np.errstate(all="ignore"):
        return _moving(objective, x, moves, end, None if k < 0 else points[k], float(local["reach"]), diagonal)


def _moving(objective: Any, x: np.ndarray, moves: np.ndarray, end: Any, minimum: Any, reach: float, diagonal: float):
    """The end of a run that stays finite, has not arrived and does not go round."""
    still = end["travelled"] <= 1e-15 * diagonal
    saddle = _saddle(objective, end["point"], reach)
    if saddle is not None:
        to = np.hypot(x[:, 0] - saddle[0], x[:, 1] - saddle[1])
        there = bool(to[-1] <= 1e-12 * diagonal)
        if there or (not still and (minimum is None or to[-1] < end["distance"])):
            (a, b), (_, d) = hessian_at(objective, saddle)
            about = {
                "saddle": saddle,
                "top": bool(a < 0 and (objective.is_curve or a * d > b * b)),
                "saddle_distance": float(to[-1]),
                "leaving": bool(to[-1] > to[-2]),
            }
            return {**end, **about, "kind": "saddle", "rounded": there}
    if still:
        return {**end, "kind": "unmoved"}
    late = moves[len(moves) - 1 - len(moves) // 4 :]
    # a run that jumps about may come by there
    tangent = minimum is not None and _is_tangent(objective, x[-4:], minimum)
    end = {**end, "tangent": tangent}
    if np.max(late) <= 1e-14 * diagonal:
        return {**end, "kind": "resting"}
    if end["travelled"] <= 1e-3 * end["distance"]:
        return {**end, "kind": "slow"}
    return {**end, "kind": "near" if tangent or end["distance"] <= reach else "away"}


def _diagonal(objective: Any) -> float:
    (x0, x1), (y0, y1) = objective.domain
    return math.hypot(x1 - x0, y1 - y0)


def _range(values: np.ndarray) -> dict[str, float]:
    return {"nearest": float(np.min(values)), "farthest": float(np.max(values))}


def _factor(far: np.ndarray, rounding: float) -> float:
    """What a step makes of the distance: from the peak of one half of the last quarter to that of the other."""
    above = np.flatnonzero(far > rounding)
    last = int(above[-1]) if len(above) else 0
    half = max(last // 4, 8) // 2
    if last + 1 < 2 * half:
        return math.nan
    before, after = far[last + 1 - 2 * half : last + 1 - half], far[last + 1 - half : last + 1]
    first, second = int(np.argmax(before)), int(np.argmax(after))
    if not before[first] > 0:
        return math.nan
    return math.exp((math.log(after[second]) - math.log(before[first])) / (half + second - first))


def _period(x: np.ndarray, rounding: float) -> int:
    """After how many steps, two or more, the last steps repeat themselves to a millionth; 0 if they do not."""
    last = len(x) - 1
    for period in range(2, min(LONGEST, last // 3) + 1):
        late, before = x[last + 1 - 2 * period :], x[last + 1 - 3 * period : last + 1 - period]
        spread = np.max(np.hypot(late[:, 0] - x[last, 0], late[:, 1] - x[last, 1]))
        gap = np.max(np.hypot(late[:, 0] - before[:, 0], late[:, 1] - before[:, 1]))
        if spread > rounding and gap <= 1e-6 * spread:
            return period
    return 0


def _saddle(objective: Any, point: np.ndarray, reach: float) -> Any:
    """The stationary point within reach that Newton's method finds, unless it is a minimum; else None."""
    at = [float(point[0]), float(point[1])]
    for _ in range(60):
        (a, b), (_, d) = hessian_at(objective, at)
        g = gradient_at(objective, at)
        det = float(a * d - b * b)
        if not math.isfinite(det) or det == 0 or (det > 0 and a > 0):
            return None
        step = (float(d * g[0] - b * g[1]) / det, float(a * g[1] - b * g[0]) / det)
        at = [at[0] - step[0], at[1] - step[1]]
        if not math.hypot(at[0] - point[0], at[1] - point[1]) <= reach:
            return None
        if math.hypot(step[0], step[1]) <= 1e-13 * reach:
            return [0.0 if abs(v) <= 1e-12 * reach else v for v in at]
    return None


def _is_tangent(objective: Any, points: np.ndarray, minimum: np.ndarray) -> bool:
    """Whether slopes, heights and Newton's steps at points are nearly those of the minimum's bowl."""
    hessian = hessian_at(objective, minimum)
    if not np.isfinite(hessian).all() or not eigen(hessian)["values"][0] > 0:
        return False
    bottom = float(objective.value(minimum[0], minimum[1]))
    return all([_is_on_bowl(objective, point, minimum, hessian, bottom) for point in points])


def _is_on_bowl(objective: Any, point: np.ndarray, minimum: np.ndarray, hessian: np.ndarray, bottom: float) -> bool:
    away = np.asarray(point) - np.asarray(minimum)
    wanted = np.array([hessian[0][0] * away[0] + hessian[0][1] * away[1],
                       hessian[1][0] * away[0] + hessian[1][1] * away[1]])  # fmt: skip
    slope = gradient_at(objective, point)
    off = math.hypot(slope[0] - wanted[0], slope[1] - wanted[1])
    # the steep direction's slope may hide that the flat one leads elsewhere: Newton's step weighs both alike
    det = hessian[0][0] * hessian[1][1] - hessian[0][1] * hessian[1][0]
    first = (hessian[1][1] * slope[0] - hessian[0][1] * slope[1]) / det - away[0]
    second = (hessian[0][0] * slope[1] - hessian[1][0] * slope[0]) / det - away[1]
    if math.hypot(first, second) > 0.3 * math.hypot(away[0], away[1]):
        return False
    height = float(objective.value(point[0], point[1])) - bottom
    bowl = float(wanted[0] * away[0] + wanted[1] * away[1]) / 2
    return off <= 0.3 * math.hypot(wanted[0], wanted[1]) and abs(height - bowl) <= 0.3 * bowl + 1e-14 * abs(height)
