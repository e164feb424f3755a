"""Basins of attraction as a picture takes them: which minimum the run from each cell of a box reaches."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from . import cluster
from .minima import Basin
from .sweep import REACHED, sweep


def local_minima(objective: Any) -> dict[str, Any]:
    """Every local minimum found in an objective's domain, the lowest first.

    `points` (n, 2), their `values` (n,), and `reach`: how near to one counts as having reached it.
    """
    found = Basin.of(objective)
    return {"points": found.points, "values": np.asarray(found.values), "reach": float(found.reach)}


@lru_cache(maxsize=64)
def minima_of_kind(cls: type) -> dict[str, Any]:
    """`local_minima` of a class of surfaces as it starts, for a page to carry; found once a process."""
    return local_minima(cls())


def basin_map(
    objective: Any, rule: Any, local: Mapping[str, Any], xs: Any, ys: Any, steps: int, tolerance: float,
    clip: float = 0.0,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Where the run from each start (x, y) ends, shape (len(ys), len(xs)); gradients are cut at a clip above 0.

    `minimum` is the number of the minimum within reach of its end, -1 for none; `arrived` the first
    step with a loss within the tolerance of that minimum's, NaN if there is none; `diverged` the
    step at which it stopped being finite, 0 if it never did.
    """
    basin = Basin(np.asarray(local["points"]).reshape(-1, 2), np.asarray(local["values"]), local["reach"])
    across, up = objective.names
    found: Any = sweep(
        objective, rule, (float(xs[0]), float(ys[0])), steps, {up: ys, across: xs}, minima=basin, lowest=REACHED,
        measure=["minimum", "steps_to", "diverged"], tolerance=tolerance, scheduler=cluster.shared, clip=clip or None,
    )  # fmt: skip
    return {"minimum": found["minimum"].values, "arrived": found["steps_to"].values,
            "diverged": found["diverged"].values}  # fmt: skip
