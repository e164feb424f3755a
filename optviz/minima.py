"""An objective's minima, found rather than listed, and which of them a run has reached."""

from __future__ import annotations

import itertools
import math
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

from .messages import refuse

LATTICE = 64  # starts along each side
COARSE = 40  # where torch works out one point after the other
REACH = 0.01  # of the box's diagonal


def minima_of(objective: Any, box: Any = None, lattice: int = LATTICE) -> np.ndarray:
    """The local minima within a box, shape (n, 2), the lowest first.

    Newton's method from every point of a lattice finds those with a gradient (a Hessian with
    no negative eigenvalue tells them from saddles); a direct search from the lattice's lowest
    points finds those at kinks. Raises ValueError for an objective of other than two variables.
    """
    if objective.dim != 2:
        refuse("minima_of", "needs an objective of two variables", objective.dim, "pass the minima yourself")
    (x0, x1), (y0, y1) = objective.domain if box is None else box
    sides = np.array([[x0, x1], [y0, y1]], dtype=float)
    traced = hasattr(objective, "traced")
    grid = _lattice(sides, lattice if traced else min(lattice, COARSE))
    cell = (sides[:, 1] - sides[:, 0]) / (grid.shape[1] - 1)
    with np.errstate(all="ignore"):
        low = _lowest_points(objective, grid)
        smooth = _newton(objective, grid.reshape(2, -1) if traced else _rolled(objective, low), sides)
        kinks = _search(objective, low, cell)
    near = 1e-4 * np.hypot(*(sides[:, 1] - sides[:, 0]))
    return _apart(objective, [smooth, kinks], near, sides)


def _lattice(sides: np.ndarray, size: int) -> np.ndarray:
    return np.stack(np.meshgrid(*(np.linspace(*side, size) for side in sides), indexing="ij"))


def _rolled(objective: Any, x: np.ndarray) -> np.ndarray:
    """Where quasi-Newton runs from these points (2, n) end: close to minima, where few of Newton's steps are left."""
    from scipy.optimize import minimize

    ends = [minimize(lambda p: float(objective.value(*p)), x0, jac=lambda p: objective.gradient(*p)).x for x0 in x.T]
    return np.reshape(ends, (-1, 2)).T


def _newton(objective: Any, x: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """The points (2, n) where Newton's method came to rest in a minimum."""
    diagonal = np.hypot(*(sides[:, 1] - sides[:, 0]))
    for _ in range(60):
        (a, b), (_, d) = objective.hessian(*x)
        g = objective.gradient(*x)
        det = a * d - b * b
        step = np.stack([d * g[0] - b * g[1], a * g[1] - b * g[0]]) / det
        step *= np.minimum(1, 0.1 * diagonal / np.hypot(*step))  # no leap out of the box
        x = x - step
    (a, b), (_, d) = objective.hessian(*x)
    flattest = (a + d) / 2 - np.hypot((a - d) / 2, b)
    at_rest = np.hypot(*step) <= 1e-8 * diagonal
    return x[:, at_rest & (flattest > 0)]


def _lowest_points(objective: Any, grid: np.ndarray) -> np.ndarray:
    """The lattice's points (2, n) that lie no higher than their eight neighbours."""
    values = objective.value(*grid)
    wide = np.pad(values, 1, constant_values=np.inf)
    n, m = values.shape
    around = [wide[1 + i : 1 + i + n, 1 + j : 1 + j + m] for i, j in itertools.product((-1, 0, 1), repeat=2)]
    return grid[:, (values <= np.min(around, axis=0)) & np.isfinite(values)]


def _search(objective: Any, x: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Direct search: go to the best of eight neighbours, halve the step where none is better."""
    turns = np.array([t for t in itertools.product((-1, 0, 1), repeat=2) if any(t)], dtype=float).T  # (2, 8)
    size = np.ones(x.shape[1])
    values = objective.value(*x)
    for _ in range(120):
        tried = x[:, :, None] + turns[:, None, :] * step[:, None, None] * size[:, None]
        found = objective.value(*tried)
        best = np.argmin(np.where(np.isnan(found), np.inf, found), axis=1)
        lower = np.take_along_axis(found, best[:, None], axis=1)[:, 0]
        better = lower < values
        x = np.where(better, np.take_along_axis(tried, best[None, :, None], axis=2)[..., 0], x)
        values = np.where(better, lower, values)
        size = np.where(better, size, size / 2)
    return x[:, size < 1e-9]


def _apart(objective: Any, groups: list[np.ndarray], near: float, sides: np.ndarray) -> np.ndarray:
    """Points within the box and apart from each other; an earlier group's stand for a later's."""
    kept: list[np.ndarray] = []
    for group in groups:
        margin = near
        inside = ((group >= sides[:, :1] - margin) & (group <= sides[:, 1:] + margin)).all(axis=0)
        edge = ((group <= sides[:, :1]) | (group >= sides[:, 1:])).any(axis=0)
        for point in group[:, inside & ~edge].T:
            if all(np.hypot(*(point - other)) > near for other in kept):
                kept.append(point)
    if not kept:
        return np.zeros((0, 2))
    points = np.array(kept)
    return points[np.argsort(objective.value(*points.T), kind="stable")]


_LOWEST: weakref.WeakKeyDictionary[Any, dict[tuple, float | None]] = weakref.WeakKeyDictionary()


def lowest_loss(objective: Any) -> float | None:
    """The lowest value that an objective of two variables takes, None where it has none.

    It is the declared one, else that of the lowest minimum declared or found in the domain,
    unless the domain holds something lower: then the surface falls on beyond its edge. Worked
    out once for each objective and its shape parameters.
    """
    declared = getattr(objective, "lowest", None)
    if declared is not None:
        return float(declared)
    shape = tuple(objective.shape_values()) if hasattr(objective, "shape_values") else ()
    key = (shape, *map(tuple, objective.domain))
    known = _LOWEST.setdefault(objective, {})
    if key not in known:
        known[key] = _lowest_in_domain(objective)
    return known[key]


def _lowest_in_domain(objective: Any) -> float | None:
    points = np.asarray(getattr(objective, "minima", ()), dtype=float)
    if not points.size:
        points = minima_of(objective)
    if not points.size:
        return None
    lowest = float(np.min(objective.value(*points.T)))
    values = objective.value(*_lattice(np.array(objective.domain, dtype=float), COARSE))
    rounding = 1e-12 * (abs(lowest) + np.nanmedian(np.abs(values)))
    return lowest if not (values < lowest - rounding).any() else None


def lowest_of(objective: Any) -> float:
    """`lowest_loss`, refused where there is none."""
    lowest = lowest_loss(objective)
    if lowest is None:
        refuse("sweep", "needs an objective with a lowest value in its domain", getattr(objective, "label", objective),
               "pass lowest=")  # fmt: skip
    return lowest


@dataclass(frozen=True)
class Basin:
    """Minima (n, dim) with their values, and how near to one counts as having reached it."""

    points: np.ndarray
    values: np.ndarray
    reach: float

    @staticmethod
    def of(objective: Any, minima: Any = None, box: Any = None) -> Basin:
        """The minima given, or those found in a box."""
        if isinstance(minima, Basin):
            return minima
        domain = objective.domain if box is None else box
        points = minima_of(objective, domain) if minima is None else np.asarray(minima, dtype=float)
        points = points.reshape(-1, objective.dim)
        apart = [math.dist(p, q) for p, q in itertools.combinations(points, 2)]
        reach = min([REACH * math.hypot(*(high - low for low, high in domain)), *(d / 3 for d in apart)])
        return Basin(points, objective.value(*points.T), reach)

    def level(self, numbers: Any) -> np.ndarray:
        """The values of the minima with these numbers, NaN for -1."""
        return np.append(self.values, math.nan)[numbers]

    def reached(self, x: np.ndarray) -> np.ndarray:
        """The number of the minimum within reach of each point of (dim, lanes), -1 for none."""
        found = np.full(x.shape[1], -1, dtype=np.int32)
        for k, point in enumerate(self.points):
            square = sum((row - p) ** 2 for row, p in zip(x, point, strict=True))
            found[square <= self.reach**2] = k
        return found
