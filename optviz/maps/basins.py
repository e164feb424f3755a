"""Basins of attraction as a picture takes them: which minimum the run from each cell of a box reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..menus import surfaces
from ..objectives.minima import REACH, Basin, finding
from ..objectives.minima_search import closest
from ..sweeps import cluster
from ..sweeps.sweep import REACHED, sweep

APART = 1e-4  # of the domain's diagonal: two points nearer than that are one minimum


def local_minima(objective: Any) -> dict[str, Any]:
    """Every local minimum found in an objective's domain, and those declared, the lowest first.

    `points` (n, 2), their `values` (n,), and `reach`: how near to one counts as having reached it, or to a
    point of its flat valley, of which `valleys` has rows (number, x, y); `complete` is false where a search
    ended before it had looked everywhere. Where a surface of the catalogue has another shape than at first,
    Newton's method brings its minima along.
    """
    cls = type(objective)
    if cls in surfaces().values():
        first = minima_of_kind(cls)
        return first if list(objective.shape_values()) == first["shape"] else _brought(objective, first["points"])
    return _found_in(objective)


def known_minima(objective: Any) -> dict[str, Any]:
    """`local_minima` of an objective with a formula; of any other those declared, taken to be equally low."""
    if hasattr(objective, "traced"):
        return local_minima(objective)
    points = np.asarray(objective.minima, dtype=float).reshape(-1, 2)
    return {"points": points, "values": np.zeros(len(points)), "reach": 0.0, "valleys": np.zeros((0, 3)),
            "complete": True}  # fmt: skip


@lru_cache(maxsize=64)
def minima_of_kind(cls: type) -> dict[str, Any]:
    """`local_minima` of a class of surfaces as it starts, for a page to carry; found once a process."""
    made = cls()
    return {**_found_in(made), "shape": list(made.shape_values())}


def _found_in(objective: Any) -> dict[str, Any]:
    """The minima that a search finds."""
    found = finding(objective)
    return _found(objective, found.points, found.valley_rows(), found.complete)


def _found(objective: Any, points: np.ndarray, valleys: Any = (), complete: bool = True) -> dict[str, Any]:
    """The minima declared, and those of these points that are apart from them and from each other.

    Rows (number, x, y) of `valleys` belong to the point of that number.
    """
    diagonal = _diagonal(objective)
    kept = np.asarray(objective.minima, dtype=float).reshape(-1, 2)
    for point in points:
        if not (_gaps(kept, point) <= APART * diagonal).any():
            kept = np.vstack([kept, np.where(np.abs(point) < 1e-13 * diagonal, 0.0, point)])
    heights = objective.value(*kept.T)
    low = np.min(heights, initial=np.inf)
    # those that are equally low but for rounding stay as they were declared, and as they were found
    kept = kept[np.argsort(np.round((heights - low) / (1e-9 * max(1.0, abs(low)))), kind="stable")]
    rows = np.array(valleys, dtype=float).reshape(-1, 3)
    for row in rows:
        row[0] = np.argmin(_gaps(kept, points[int(row[0])]))
    numbers, places = np.concatenate([np.arange(len(kept)), rows[:, 0]]), np.vstack([kept, rows[:, 1:]])
    return {"points": kept, "values": np.asarray(objective.value(*kept.T)),
            "reach": min(REACH * diagonal, closest(numbers, places) / 3), "valleys": rows,
            "complete": complete}  # fmt: skip


def _gaps(points: np.ndarray, point: Any) -> np.ndarray:
    return np.hypot(points[:, 0] - point[0], points[:, 1] - point[1])


def _brought(objective: Any, points: np.ndarray) -> dict[str, Any]:
    """The minima to which Newton's method comes from those of another shape. As localMinima in basins.js."""
    diagonal, x = _diagonal(objective), np.array(points, dtype=float).reshape(-1, 2).T
    with np.errstate(all="ignore"):
        for _ in range(60):
            (a, b), (_, d) = objective.hessian(*x)
            g = objective.gradient(*x)
            step = np.stack([d * g[0] - b * g[1], a * g[1] - b * g[0]]) / (a * d - b * b)
            size = np.hypot(*step)
            x = x - step * np.minimum(1, 0.1 * diagonal / size)
            if not (size > 1e-12 * diagonal).any():
                break
        (a, b), (_, d) = objective.hessian(*x)
        lowest = (a + d) / 2 - np.hypot((a - d) / 2, b)
    (x0, x1), (y0, y1) = objective.domain
    inside = (x[0] >= x0) & (x[0] <= x1) & (x[1] >= y0) & (x[1] <= y1)
    return _found(objective, x.T[inside & (size <= 1e-8 * diagonal) & (lowest > 0)])


def _diagonal(objective: Any) -> float:
    return math.hypot(*(high - low for low, high in objective.domain))


def basin_map(
    objective: Any, rule: Any, local: Mapping[str, Any], xs: Any, ys: Any, steps: int, tolerance: float,
    clip: float = 0.0, schedule: Any = None,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Where the run from each start (x, y) ends, shape (len(ys), len(xs)); gradients are cut at a clip above 0.

    `minimum` is the number of the minimum within reach of its end, -1 for none; `arrived` the first
    step with a loss within the tolerance of that minimum's, NaN if there is none; `diverged` the
    step at which it stopped being finite, 0 if it never did.
    """
    basin = Basin(
        np.asarray(local["points"]).reshape(-1, 2),
        np.asarray(local["values"]),
        local["reach"],
        np.asarray(local["valleys"]).reshape(-1, 3),
    )
    across, up = objective.names
    found: Any = sweep(
        objective, rule, (float(xs[0]), float(ys[0])), steps, {up: ys, across: xs}, minima=basin, lowest=REACHED,
        measure=["minimum", "steps_to", "diverged"], tolerance=tolerance, scheduler=cluster.shared, clip=clip or None,
        schedule=schedule,
    )  # fmt: skip
    return {"minimum": found["minimum"].values, "arrived": found["steps_to"].values,
            "diverged": found["diverged"].values}  # fmt: skip
