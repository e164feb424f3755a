"""An objective's minima, found rather than listed, and which of them a run has reached."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from ..messages import refuse
from .minima_search import LATTICE, Finding, closest

REACH = 0.01  # of the box's diagonal


def minima_of(objective: Any, box: Any = None, lattice: int = LATTICE) -> np.ndarray:
    """The local minima within a box, shape (n, 2), the lowest first; of a flat valley one point in its middle.

    Newton's method from every point of a lattice finds those with a gradient (a Hessian with
    no negative eigenvalue tells them from saddles); a search by ranks of values from the lowest
    points of a finer lattice finds those at kinks. Raises ValueError for an objective of other
    than two variables.
    """
    return finding(objective, box, lattice).points


def finding(objective: Any, box: Any = None, lattice: int = LATTICE) -> Finding:
    """The minima within a box, by default the objective's domain, and the valleys among them."""
    if objective.dim != 2:
        refuse("minima_of", "needs an objective of two variables", objective.dim, "pass the minima yourself")
    return _remembered(objective, objective.domain if box is None else box, lattice)


_KNOWN: weakref.WeakKeyDictionary[Any, dict[tuple, Finding]] = weakref.WeakKeyDictionary()


def _remembered(objective: Any, box: Any, lattice: int) -> Finding:
    """The finding, made once for an objective as long as it lives with this shape."""
    sides = np.array(box, dtype=float)
    shape = tuple(objective.shape_values()) if hasattr(objective, "shape_values") else ()
    kept = _KNOWN.setdefault(objective, {})
    key = (shape, *sides.ravel().tolist(), lattice)
    if key not in kept:
        kept.clear()  # a slider that moves the surface leaves nothing behind
        kept[key] = Finding(objective, sides, lattice)
    return kept[key]


def lowest_loss(objective: Any) -> float | None:
    """The lowest value that an objective of two variables takes, None where it has none.

    It is the declared one, else that of the lowest minimum declared or found in the domain,
    unless the domain holds something lower: then the surface falls on beyond its edge.
    """
    declared = getattr(objective, "lowest", None)
    if declared is not None:
        return float(declared)
    found = finding(objective)
    points = np.asarray(getattr(objective, "minima", ()), dtype=float)
    points = points if points.size else found.points
    if not points.size:
        return None
    lowest = float(np.min(objective.value(*points.T)))
    rounding = 1e-12 * abs(lowest) + found.rounding
    return None if (found.values < lowest - rounding).any() else lowest


def lowest_of(objective: Any) -> float:
    """`lowest_loss`, refused where there is none."""
    lowest = lowest_loss(objective)
    if lowest is None:
        return refuse("sweep", "needs an objective with a lowest value in its domain",
                      getattr(objective, "label", objective), "pass lowest=")  # fmt: skip
    return lowest


@dataclass(frozen=True)
class Basin:
    """Minima (n, dim) with their values, and how near to one counts as having reached it.

    Rows (number, x, y) of `valleys` are points that lie as low as the minimum of that number,
    side by side with it: who is near one of them has reached it, too.
    """

    points: np.ndarray
    values: np.ndarray
    reach: float
    valleys: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))

    @staticmethod
    def of(objective: Any, minima: Any = None, box: Any = None) -> Basin:
        """The minima given, or those found in a box."""
        if isinstance(minima, Basin):
            return minima
        domain = objective.domain if box is None else box
        if minima is None:
            found = finding(objective, domain)
            points, valleys = found.points, found.valley_rows()
        else:
            points, valleys = np.asarray(minima, dtype=float).reshape(-1, objective.dim), np.zeros((0, 3))
        reach = REACH * math.hypot(*(high - low for low, high in domain))
        numbers = np.concatenate([np.arange(len(points)), valleys[:, 0]])
        places = np.vstack([points, valleys[:, 1:]]) if len(valleys) else points
        return Basin(points, objective.value(*points.T), min(reach, closest(numbers, places) / 3), valleys)

    def level(self, numbers: Any) -> np.ndarray:
        """The values of the minima with these numbers, NaN for -1."""
        return np.append(self.values, math.nan)[numbers]

    def reached(self, x: np.ndarray) -> np.ndarray:
        """The number of the minimum within reach of each point of (dim, lanes), -1 for none."""
        found = np.full(x.shape[1], -1, dtype=np.int32)
        for k, point in enumerate(self.points):
            square = sum((row - p) ** 2 for row, p in zip(x, point, strict=True))
            found[square <= self.reach**2] = k
        if len(self.valleys):
            finite = np.flatnonzero(np.isfinite(x).all(axis=0))
            away, near = cKDTree(self.valleys[:, 1:]).query(x[:, finite].T)
            there = away <= self.reach
            found[finite[there]] = self.valleys[near[there], 0]
        return found
