"""Where local minima are: from lattices of values, by Newton's method, by a search that needs no gradient.

Points are arrays (2, n) throughout, one column a point.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from scipy.ndimage import label, maximum_filter, minimum_filter
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial import cKDTree

LATTICE = 64  # starts of Newton's method along each side
FINE = 241  # values along each side: wells narrower than the lattice's cells show in some of them
COARSE = 40  # of either, where torch works out one point after the other
FAR = 16  # cells between parts of a valley that may be joined
MOST_WORK = 15e6  # values that are looked at: a search that needs more is not complete
MOST_LOW = 1500  # low points that are searched from, the lowest
MANY = 40  # parts of valleys: more are left as they are
FLAT = 1e-6  # of the steepest curvature: a flattest one below it does not hold a minimum in its place
SPREADS = (0.25, 0.05, 1.0, 0.05, 1.0, 0.05)  # of searches one after the other, in cells
CLOUD = 49  # points tried at once around each point of a search


def lattice_of(sides: np.ndarray, size: int) -> np.ndarray:
    """Points (2, size, size) of a box [[x0, x1], [y0, y1]], its edges among them."""
    return np.stack(np.meshgrid(*(np.linspace(*side, size) for side in sides), indexing="ij"))


def rounding_of(values: np.ndarray) -> float:
    """What the last digits of values of this size may hide."""
    finite = np.abs(values[np.isfinite(values)])
    return 1e-12 * float(np.median(finite)) if finite.size else 0.0


class Finding:
    """The minima of an objective in a box: `points`, and `valleys` whose points lie equally low side by side.

    `complete` is false where the search ended before it had looked into all that may be one.
    """

    def __init__(self, objective: Any, sides: np.ndarray, lattice: int = LATTICE):
        self.objective, self.sides = objective, sides
        self.work, self.complete = 0, True
        traced = hasattr(objective, "traced")
        self.fine = lattice_of(sides, FINE if traced else COARSE)
        starts = lattice_of(sides, lattice).reshape(2, -1) if traced else np.zeros((2, 0))
        self.cell = (sides[:, 1:] - sides[:, :1]) / (lattice - 1 if traced else COARSE // 2)
        with np.errstate(all="ignore"):  # overflow is a result: no minimum is there
            self.values = objective.values(*self.fine)
            self.rounding = rounding_of(self.values)
            low = self._low()
            begun = np.hstack([starts, low]) if traced else rolled(objective, low)
            held, flat = newton(objective, begun, sides)
            flat = self._settled(self._thinned(flat, self.cell / 2))
            left = self._unexplained(low, np.hstack([held, flat]))
            kinks = self._settled(self._searched(left))
            self._sort(held, np.hstack([flat, kinks]))
        del self.objective  # which may be a key of a weak dictionary of findings

    def value(self, x: np.ndarray) -> np.ndarray:
        """The values at points, infinite where there is none."""
        self.work += x[0].size
        values = self.objective.values(*x)
        return np.where(np.isnan(values), np.inf, values)

    def _ends(self) -> bool:
        """Whether it has done its work; what is left then is not looked into."""
        self.complete = self.complete and self.work <= MOST_WORK
        return not self.complete

    def _low(self) -> np.ndarray:
        """The fine lattice's points that lie no higher than their neighbours, a plateau's thinned out."""
        values = np.where(np.isnan(self.values), np.inf, self.values)
        least = minimum_filter(values, 3, mode="constant", cval=np.inf)
        low = (values <= least) & np.isfinite(values)
        plateau = low & (values == maximum_filter(values, 3, mode="nearest"))
        return np.hstack([self.fine[:, low & ~plateau], self._thinned(self.fine[:, plateau], self.cell)])

    def _thinned(self, x: np.ndarray, cell: Any) -> np.ndarray:
        """One point of those that share such a cell, the lowest."""
        x = x[:, np.isfinite(x).all(axis=0)]
        x = x[:, np.argsort(self.value(x), kind="stable")]
        _, first = np.unique(np.round(x / cell), axis=1, return_index=True)
        return x[:, np.sort(first)]

    def _unexplained(self, low: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The low points without a minimum that is no higher right beside them."""
        if not ends.size:
            return low
        values, near = self.value(ends) - self.rounding, 2 * (self.sides[:, 1:] - self.sides[:, :1]) / FINE
        tree = cKDTree((ends / near).T)
        beside = tree.query_ball_point((low / near).T, 1.0)
        here = self.value(low)
        alone = [not any(values[k] <= v for k in found) for v, found in zip(here, beside, strict=True)]
        return low[:, np.array(alone, dtype=bool)]

    def _searched(self, x: np.ndarray) -> np.ndarray:
        """Where searches from these points come to an end: the next one, near or far, finds nothing lower."""
        ends = [np.zeros((2, 0))]
        if x.shape[1] > MOST_LOW:
            x, self.complete = x[:, np.argsort(self.value(x), kind="stable")[:MOST_LOW]], False
        for spread in SPREADS:
            if not x.shape[1] or self.work > MOST_WORK:
                break
            there = ranked_search(self.value, x, spread * self.cell)
            lower = self.value(there) < self.value(x) - 1e-2 * self.rounding
            ends.append(x[:, ~lower])
            x = there[:, lower]
        self._ends()
        return np.hstack(ends)

    def _settled(self, x: np.ndarray) -> np.ndarray:
        """The points with none lower beside them."""
        return x[:, self._lower_beside(x)[1]] if x.shape[1] else x

    def _lower_beside(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lowest point on small rings around each, and whether that is no lower than the point itself."""
        turn = 2 * math.pi * np.arange(96) / 96
        rings = np.hstack([np.array([np.cos(turn), np.sin(turn)]) * size for size in (1e-2, 1e-4)])
        tried = x[:, :, None] + rings[:, None, :] * self.cell[:, :, None]
        values, here = self.value(tried), self.value(x)
        best = np.argmin(values, axis=1)
        lowest = np.take_along_axis(values, best[:, None], axis=1)[:, 0]
        point = np.take_along_axis(tried, best[None, :, None], axis=2)[..., 0]
        return point, ~(lowest < here - 1e-3 * self.rounding - 1e-14 * np.abs(here))

    def _sort(self, held: np.ndarray, loose: np.ndarray) -> None:
        """Put together which points are one minimum, and which a valley."""
        near = 1e-4 * math.hypot(*(self.sides[:, 1] - self.sides[:, 0]))
        held = self._thinned(self._inside(held, near), near / 4)
        groups = [*self._groups(held, near), *self._loose_groups(self._inside(loose, near), held, near)]
        points = [np.where(np.abs(group[:, 0]) < 1e-9 * near, 0.0, group[:, 0]) for group in groups]
        order = np.argsort([float(self.value(point)) for point in points], kind="stable")
        self.points = np.array([points[k] for k in order]).reshape(-1, 2)
        wide = [groups[k] if np.ptp(groups[k], axis=1).max() > near else np.zeros((2, 0)) for k in order]
        self.valleys = {k: group.T for k, group in enumerate(wide) if group.size}

    def valley_rows(self) -> np.ndarray:
        """The points of valleys, a row each: the number of the minimum that it belongs to, x and y."""
        rows = [np.column_stack([np.full(len(points), k), points]) for k, points in self.valleys.items()]
        return np.vstack([np.zeros((0, 3)), *rows])

    def _inside(self, x: np.ndarray, near: float) -> np.ndarray:
        low, high = self.sides[:, :1], self.sides[:, 1:]
        edge = ((x <= low) | (x >= high)).any(axis=0) & ((x >= low - near) & (x <= high + near)).all(axis=0)
        return x[:, ((x > low) & (x < high)).all(axis=0) & ~edge]

    def _groups(self, x: np.ndarray, near: float) -> list[np.ndarray]:
        """Points that are linked by steps shorter than `near`, as one minimum each: the lowest of them."""
        return [group[:, :1] for group in linked(x, self.value(x), near, math.inf)]

    def _loose_groups(self, x: np.ndarray, held: np.ndarray, near: float) -> list[np.ndarray]:
        """Minima without a curvature that holds them: alone, or many of them in a valley, its middle first."""
        if held.size and x.size:
            away, _ = cKDTree(held.T).query(x.T)
            x = x[:, away > near]
        x = np.hstack([x[:, :0], *self._groups(x, near)])
        for _ in range(2):
            x = self._thinned(x, self.cell / 2)
            x = np.hstack([x, self._bridges(linked(x / self.cell, self.value(x), *self._alike()))])
        x, groups = np.hstack([x, self._fillings(linked(x / self.cell, self.value(x), *self._alike()))]), []
        for group in linked(x / self.cell, self.value(x), *self._alike()):
            points = group * self.cell
            if self._way_down(points[:, 0]):
                continue
            if np.ptp(group, axis=1).max() < 0.5:  # they came to one minimum from several sides
                groups.append(points[:, :1])
                continue
            middle = np.argsort(np.hypot(*(group - group.mean(axis=1, keepdims=True))), kind="stable")
            groups.append(points[:, middle])
        return groups

    def _alike(self) -> tuple[float, float]:
        """How near in cells, and in value, points of one valley are to the next."""
        return 2.5, 10 * self.rounding

    def _bridges(self, parts: list[np.ndarray]) -> np.ndarray:
        """Points as low as two parts of a valley, in cells, found by searches from between them."""
        between = [np.zeros((2, 0))]
        if len(parts) > MANY:
            return between[0]
        levels = [float(self.value(part[:, 0] * self.cell[:, 0])) for part in parts]
        for (a, low), (b, high) in itertools.combinations(zip(parts, levels, strict=True), 2):
            if self._ends():
                break
            away, near = cKDTree(a.T).query(b.T)
            k = int(np.argmin(away))
            if away[k] > FAR or abs(high - low) > self._alike()[1]:
                continue
            share = np.linspace(0, 1, 2 * FAR)
            line = (1 - share) * a[:, [near[k]]] + share * b[:, [k]]
            ends = self._settled(ranked_search(self.value, line * self.cell, 0.1 * self.cell))
            between.append(ends[:, np.abs(self.value(ends) - low) <= self._alike()[1]])
        return np.hstack(between)

    def _fillings(self, parts: list[np.ndarray]) -> np.ndarray:
        """Points of valleys between those that are further apart than who has reached them could tell."""
        between = [np.zeros((2, 0))]
        for part in parts:
            if self._ends():
                break
            tree = cKDTree(part.T)
            tied = minimum_spanning_tree(tree.sparse_distance_matrix(tree, self._alike()[0], output_type="coo_matrix"))
            a, b = tied.nonzero()
            wide = np.hypot(*(part[:, a] - part[:, b])) > 1.2
            ends = [(1 - share) * part[:, a[wide]] + share * part[:, b[wide]] for share in (0.25, 0.5, 0.75)]
            line = np.hstack(ends) * self.cell
            if line.size:
                filled = self._settled(ranked_search(self.value, line, 0.02 * self.cell))
                level = self.value(part[:, :1] * self.cell)
                between.append(filled[:, np.abs(self.value(filled) - level) <= self._alike()[1]])
        return np.hstack(between)

    def _way_down(self, point: np.ndarray) -> bool:
        """Whether a plateau that the point lies on leads to something lower."""
        level = float(self.value(point)) + 10 * self.rounding
        marked: Any = label(self.values <= level, structure=np.ones((3, 3)))
        regions = marked[0]
        steps = (self.sides[:, 1] - self.sides[:, 0]) / (self.values.shape[0] - 1)
        i, j = np.clip(np.round((point - self.sides[:, 0]) / steps), 0, self.values.shape[0] - 1).astype(int)
        region = regions[i, j]
        return bool(region and self.values[regions == region].min() < level - 20 * self.rounding)


def closest(numbers: np.ndarray, points: np.ndarray) -> float:
    """The least distance between points (n, dim) of different numbers, infinite where there are none."""
    least = math.inf
    for k in set(numbers.tolist()):
        own, others = points[numbers == k], points[numbers != k]
        if len(others):
            least = min(least, float(cKDTree(others).query(own)[0].min()))
    return least


def linked(x: np.ndarray, values: np.ndarray, near: float, alike: float) -> list[np.ndarray]:
    """Points in groups: steps within one are shorter than `near`, and values differ by no more than `alike`."""
    if not x.shape[1]:
        return []
    order = np.argsort(values, kind="stable")
    x, values = x[:, order], values[order]
    graph = cKDTree(x.T).sparse_distance_matrix(cKDTree(x.T), near, output_type="coo_matrix")
    graph.data = (np.abs(values[graph.row] - values[graph.col]) <= alike).astype(float)
    graph.eliminate_zeros()
    _, group = connected_components(graph, directed=False)
    return [x[:, group == k] for k in dict.fromkeys(group)]


def rolled(objective: Any, x: np.ndarray) -> np.ndarray:
    """Where quasi-Newton runs end: close to minima, where few of Newton's steps are left."""
    ends = [minimize(lambda p: float(objective.value(*p)), x0, jac=lambda p: objective.gradient(*p)).x for x0 in x.T]
    return np.reshape(ends, (-1, 2)).T


def newton(objective: Any, x: np.ndarray, sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where Newton's method came to rest: in minima that curvature holds, and where a direction is flat."""
    diagonal = math.hypot(*(sides[:, 1] - sides[:, 0]))
    x, size = x.copy(), np.zeros(x.shape[1])
    moving = np.arange(x.shape[1])
    for _ in range(60):
        if not moving.size:
            break
        here = x[:, moving]
        (a, b), (_, d) = objective.hessian(*here)
        g = objective.gradient(*here)
        little = 1e-10 * (np.abs(a) + np.abs(b) + np.abs(d)) + 1e-300  # along a flat direction there is no step
        a, d = a + little, d + little
        step = np.stack([d * g[0] - b * g[1], a * g[1] - b * g[0]]) / (a * d - b * b)
        step = np.where(g == 0, np.where(np.isfinite(step), step, 0), step)
        step *= np.minimum(1, 0.1 * diagonal / np.maximum(np.hypot(*step), 1e-300))  # no leap out of the box
        x[:, moving], size[moving] = here - step, np.hypot(*step)
        moving = moving[(size[moving] > 1e-15 * diagonal) & (np.abs(x[:, moving]) < 1e6 * diagonal).all(axis=0)]
    (a, b), (_, d) = objective.hessian(*x)
    middle, half = (a + d) / 2, np.hypot((a - d) / 2, b)
    at_rest = size <= 1e-8 * diagonal
    held = at_rest & (middle - half > FLAT * (middle + half))
    flat = at_rest & ~held & (middle - half >= -FLAT * np.abs(middle + half))
    return x[:, held], x[:, flat]


def ranked_search(value: Any, x: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Lower and lower points, from ranks of values alone, so that it follows kinks as well as bends.

    Around each point a cloud is tried, and the best quarter of it says where the next one goes and
    how it is shaped (the rank-mu update of Hansen's CMA-ES, arXiv 1604.00772).
    """
    turn = 2.399963 * np.arange(CLOUD)  # the golden angle: no two in one direction
    cloud = np.sqrt(3.6 * np.arange(CLOUD) / CLOUD) * np.array([np.cos(turn), np.sin(turn)])  # (2, cloud)
    few = CLOUD // 4
    shape = np.zeros((x.shape[1], 2, 2)) + np.diag(np.ravel(spread))  # from a round cloud to the one that is tried
    for _ in range(90):
        tried = x.T[:, :, None] + shape @ cloud  # (n, 2, cloud)
        best = np.argpartition(value(np.moveaxis(tried, 1, 0)), few, axis=1)[:, :few]
        x = np.take_along_axis(tried, best[:, None, :], axis=2).mean(axis=2).T
        round_best = cloud.T[best]  # (n, few, 2)
        shape = shape @ np.linalg.cholesky(0.3 * np.eye(2) + 0.7 * np.swapaxes(round_best, 1, 2) @ round_best / few)
        cloud = np.array([[math.cos(1), -math.sin(1)], [math.sin(1), math.cos(1)]]) @ cloud
    return x
