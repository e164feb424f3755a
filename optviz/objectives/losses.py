"""Objectives made from data: the mean over samples of a per-sample loss.

A subclass writes the loss of one sample as a formula; its gradient is derived. The mean
runs over all samples, or over a batch where the loop passes one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import param

from ..messages import refuse
from ..trace.tracing import SYMBOLS, symbols
from .criteria import CRITERIA
from .objective import Objective, Traced


class LossName(param.Selector):
    """The name of a loss, those that were defined after this parameter among them."""

    def _validate(self, val):
        if val in CRITERIA and val not in self.objects:
            self.objects = list(CRITERIA)
        super()._validate(val)


class DataLoss(Objective):
    """A mean over data (x, y) of `sample(h, *parameters, x, y, xp)`, one sample's loss.

    `x` and `y` are one-dimensional and of one length, at least two samples, all finite. A subclass may have further
    columns: it names all of them in `columns`, the attributes that hold them.
    """

    __abstract = True

    columns: tuple[str, ...] = ("x", "y")

    def __init__(self, x: Any, y: Any, **settings):
        super().__init__(**settings)
        self.x, self.y = checked_data(type(self).__name__, x, y)

    def given(self) -> list[np.ndarray]:
        """The columns that it is made with."""
        return [self.x, self.y]

    @staticmethod
    def sample(h, *arguments):
        """The loss of one sample."""
        raise NotImplementedError

    def criterion(self) -> str:
        """What distinguishes the formulas of one class, part of the cache's key."""
        return ""

    @cached_property
    def traced(self) -> Traced:
        return traced_sample(type(self), self.criterion())

    def expression(self) -> Any:
        return self.traced.expression

    def value(self, *coordinates: Any) -> np.ndarray:
        """The mean loss over all samples, of the coordinates' common shape."""
        return self.value_of(None, *coordinates)

    def value_of(self, batch: Any, *coordinates: Any) -> np.ndarray:
        """The mean loss over the samples with these indices (None: all)."""
        return self._mean(self.traced.value, batch, coordinates, 1)[0]

    def gradient(self, *coordinates: Any) -> np.ndarray:
        """The gradient of the mean loss, shape (dim, *coordinates)."""
        return self._mean(self.traced.gradient, None, coordinates, self.dim)

    def hessian(self, *coordinates: Any) -> np.ndarray:
        """The Hessian of the mean loss, shape (dim, dim, *coordinates)."""
        return self.hessian_of(None, *coordinates)

    def hessian_of(self, batch: Any, *coordinates: Any) -> np.ndarray:
        """The Hessian of the mean loss over the samples with these indices (None: all)."""
        flat = self._mean(self.traced.hessian, batch, coordinates, self.dim**2)
        return flat.reshape((self.dim, self.dim, *flat.shape[1:]))

    def landscape(self, *axes: Any, samples: Any = None) -> np.ndarray:
        """The mean loss on the grid of these axes; with `samples`, each sample's own loss.

        Shape (len(axis), ...), preceded by len(samples) where samples are given. The first
        parameter goes down the rows.
        """
        grid = np.ix_(*(np.asarray(a, dtype=float) for a in axes))
        if samples is not None:
            return np.stack([self._on_grid(int(k), grid) for k in np.atleast_1d(samples)])
        return self.value(*grid)

    def _on_grid(self, k: int, grid) -> np.ndarray:
        arguments = (*grid, *(column[k] for column in self._samples(None)), *self.shape_values())
        with np.errstate(all="ignore"):
            return self.traced.value.arrays(*arguments)[0]

    def float_gradient(self, batch=None) -> Callable[..., list[float]]:
        data = self._samples(batch)
        shape, function, size = self.shape_values(), self.traced.gradient.arrays, data[0].size

        def gradient(*parameters):
            entries = function(*parameters, *data, *shape)
            return [_sum(entry, size) / size for entry in entries]

        return gradient

    def sample_slopes(self, batch=None) -> tuple[Callable[..., list], int]:
        """The gradient's entries sample by sample, as a function, and how many samples."""
        data = self._samples(batch)
        shape, function = self.shape_values(), self.traced.gradient.arrays
        return lambda *parameters: function(*parameters, *data, *shape), data[0].size

    def array_gradient(self, batch=None) -> Callable[..., list]:
        return lambda *p: list(self._mean(self.traced.gradient, batch, p, self.dim))

    def float_hessian(self) -> Callable[..., list[float]]:
        return lambda *p: self.hessian(*p).ravel().tolist()

    def array_hessian(self) -> Callable[..., list]:
        return lambda *p: list(self.hessian(*p).reshape(self.dim**2, -1))

    def _samples(self, batch: Any) -> list[np.ndarray]:
        held = [getattr(self, name) for name in self.columns]
        return held if batch is None else [column[batch] for column in held]

    def _mean(self, compiled, batch, coordinates, rows: int) -> np.ndarray:
        """Means over samples, shape (rows, *coordinates), in blocks that stay in the cache."""
        data = self._samples(batch)
        samples = data[0].size
        shape = np.broadcast_shapes(*(np.shape(c) for c in coordinates))
        flat = [_column(c, shape) for c in coordinates]
        size = math.prod(shape)
        out = np.empty((rows, size))
        block = max(1, 16384 // samples)
        shape_values = self.shape_values()
        with np.errstate(all="ignore"):  # overflow is a result
            for at in range(0, size, block):
                part = [c if np.ndim(c) == 0 else c[at : at + block] for c in flat]
                entries = compiled.arrays(*part, *data, *shape_values)
                for row, entry in zip(out, entries, strict=True):
                    here = row[at : at + block]
                    here[...] = _row_sums(entry, here.size, samples) / samples
        return out.reshape((rows, *shape))


def _column(coordinate: Any, shape: tuple[int, ...]) -> Any:
    """A coordinate as a column, one row a point; a single number stays a number."""
    if np.ndim(coordinate) == 0:
        return float(coordinate)
    return np.broadcast_to(np.asarray(coordinate, dtype=float), shape).reshape(-1, 1)


def _sum(entry: Any, size: int) -> float:
    return float(np.add.reduce(entry)) if isinstance(entry, np.ndarray) else float(entry * size)


def _row_sums(entry: Any, rows: int, size: int) -> Any:
    """Sums over samples; each row is added up as a single run would, bit for bit."""
    if isinstance(entry, np.ndarray) and entry.shape == (rows, size):
        return np.add.reduce(entry, axis=1)
    return np.add.reduce(np.ascontiguousarray(np.broadcast_to(entry, (rows, size))), axis=1)


@cache
def traced_sample(cls: type[DataLoss], criterion: str) -> Traced:
    """One sample's loss of a class and a criterion, traced once."""
    parameters, data = symbols(*cls.names), symbols(*(f"sample_{name}" for name in cls.columns))
    shape = symbols(*cls.shape_names())
    h = SimpleNamespace(**dict(zip(cls.shape_names(), shape, strict=True)), criterion=criterion)
    return Traced(parameters, [*data, *shape], cls.sample(h, *parameters, *data, SYMBOLS))


def checked_data(who: str, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """The samples as two float64 arrays of one length, or one sentence saying why not."""
    try:
        x, y = np.array(x, dtype=float), np.array(y, dtype=float)  # copies: the caller's may change
    except (TypeError, ValueError):
        refuse(who, "needs data (x, y) of numbers", (x, y))
    if x.ndim != 1 or x.shape != y.shape:
        refuse(who, "needs x and y of one length, one-dimensional", (x.shape, y.shape))
    if x.size < 2:
        refuse(who, "needs at least two samples", int(x.size))
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        bad = int(np.count_nonzero(~(np.isfinite(x) & np.isfinite(y))))
        raise ValueError(f"{who} needs finite data, not {bad} samples with NaN or infinity; remove them first.")
    return x, y


class LinearRegression(DataLoss):
    """A line weight * x + bias fitted by one of the losses, which are PyTorch's where that has them."""

    loss = LossName(default="mse", objects=list(CRITERIA), doc="The per-sample loss.")
    delta = param.Number(1.0, bounds=(0, None), inclusive_bounds=(False, True), softbounds=(0.1, 5),
                         step=0.1, doc="Where Huber's loss turns linear.")  # fmt: skip
    beta = param.Number(1.0, bounds=(0, None), inclusive_bounds=(False, True), softbounds=(0.1, 5),
                        step=0.1, doc="Where the smooth L1 loss turns linear.")  # fmt: skip
    tau = param.Number(0.9, bounds=(0, 1), inclusive_bounds=(False, False), step=0.01,
                       doc="Share of the points that the quantile loss wants below the line.")  # fmt: skip

    domain = ((-5.0, 8.0), (-5.0, 8.0))
    starts = ((6.0, -3.0),)
    names = ("weight", "bias")

    @classmethod
    def shape_names(cls) -> list[str]:
        return ["delta", "beta", "tau"]

    def criterion(self) -> str:
        return self.loss

    @property
    def traced(self) -> Traced:  # type: ignore[override]  # the loss may change
        return traced_sample(type(self), self.loss)

    @staticmethod
    def sample(h, weight, bias, x, y, xp):
        return CRITERIA[h.criterion].formula(weight * x + bias - y, h, xp)


class ReLUNet(DataLoss):
    """The smallest ReLU net, w1 relu(w2 x), fitted by squared error."""

    domain = ((-3.0, 3.0), (-3.0, 3.0))
    starts = ((1.2, -2.3),)
    names = ("w1", "w2")

    @classmethod
    def shape_names(cls) -> list[str]:
        return []

    @staticmethod
    def sample(h, w1, w2, x, y, xp):
        return (w1 * xp.maximum(w2 * x, 0) - y) ** 2


class Lanes:
    """Several objectives of the same variables as one: lane k walks the k-th of them."""

    def __init__(self, objectives: Sequence[Any]):
        self.objectives = list(objectives)
        if not self.objectives:
            refuse("Lanes", "needs at least one objective", self.objectives)
        if not all(isinstance(o, DataLoss) for o in self.objectives):
            kinds = [type(o).__name__ for o in self.objectives]
            refuse("Lanes", "needs losses over data", kinds, "run other objectives one by one")
        if len({o.names for o in self.objectives}) != 1:
            refuse("Lanes", "needs objectives of the same variables",
                   [getattr(o, "names", None) for o in self.objectives])  # fmt: skip
        self.names = self.objectives[0].names
        self.dim = len(self.names)

    def value(self, *coordinates: Any) -> np.ndarray:
        """Each lane's own loss; the last axis of the coordinates runs over lanes."""
        return self.value_of(None, *coordinates)

    def value_of(self, batch: Any, *coordinates: Any) -> np.ndarray:
        """Each lane's own loss on the samples with these indices (None: all)."""
        columns = [np.asarray(c, dtype=float) for c in coordinates]
        each = [o.value_of(batch, *(c[..., k] for c in columns)) for k, o in enumerate(self.objectives)]
        return np.stack(each, axis=-1)

    def float_gradient(self, batch=None) -> Callable[..., list[float]]:
        """The gradient of the one objective where there is one."""
        return self.objectives[0].float_gradient(batch)

    def array_gradient(self, batch=None) -> Callable[..., np.ndarray]:
        """Each lane's own gradient, shape (dim, lanes)."""
        slopes = [o.sample_slopes(batch) for o in self.objectives]
        functions, sizes = [f for f, _ in slopes], {size for _, size in slopes}
        if len(sizes) > 1:
            refuse("Lanes", "needs objectives with data of one length", sorted(sizes))
        size = sizes.pop()
        samples = np.empty((len(functions) * self.dim, size))  # each lane's entries, sample by sample

        def gradient(*coordinates):
            points = zip(*(c.tolist() for c in coordinates), strict=True)
            row = 0
            for function, point in zip(functions, points, strict=True):
                for entry in function(*point):
                    samples[row] = entry
                    row += 1
            return (np.add.reduce(samples, axis=1) / size).reshape(-1, self.dim).T

        return gradient


def batch_indices(n: int, batch_size: int, seed: int | None = None, replacement: bool = False) -> Sequence[np.ndarray]:
    """One epoch's batches: indices 0..n-1 in order, or shuffled by `seed`; the last may be short.

    With `replacement` each of the epoch's n draws is from all indices, whatever was drawn before.
    """
    if not (isinstance(batch_size, int | np.integer) and 1 <= batch_size <= n):
        refuse("batch_indices", f"needs a whole batch size from 1 to {n}", batch_size)
    if replacement:
        if seed is None:
            refuse("batch_indices", "needs a seed to draw with replacement", seed)
        order = np.random.default_rng(seed).integers(0, n, n)
    else:
        order = np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)
    return [order[at : at + batch_size] for at in range(0, n, batch_size)]
