"""Objectives that only torch can read: a function that calls torch, a module with data.

Derivatives come from autograd in float64. They run in the same loop and the same plots;
they have no formula.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.func import functional_call

from .messages import refuse


class _Probe(torch.Tensor):
    """A tensor that refuses to become a number: autograd would lose its track there in silence."""

    def __bool__(self):
        if sys._getframe(1).f_globals.get("__name__", "").startswith("torch.distributions"):
            return bool(self.detach().as_subclass(torch.Tensor))  # a check of arguments: it raises or changes nothing
        raise TypeError("a branch on a variable cannot be followed, use torch.where or optviz.xp.where")

    def __float__(self):
        raise TypeError("math's functions take numbers only, use torch's or those of optviz.xp")

    item = tolist = __int__ = __float__


def probe(function: Callable, point: Any) -> None:
    """Call a function once, raising where it leaves torch."""
    function(*torch.tensor(point, dtype=torch.float64, requires_grad=True).as_subclass(_Probe))


def stacked(function: Callable) -> Callable:
    """A function of both variables in one tensor, as one of x and y."""
    return lambda *point: function(torch.stack(point))


class TorchFunction:
    """A function of two variables that calls torch, with derivatives by autograd."""

    names = ("x", "y")
    lowest = None

    def __init__(self, function: Callable, domain, minima=(), starts=((0.0, 0.0),), label=""):
        self.function, self.domain, self.minima, self.starts = function, domain, minima, starts
        self.label = label or getattr(function, "__name__", "torch function")

    @property
    def dim(self) -> int:
        """How many variables there are."""
        return len(self.names)

    def _call(self, point: torch.Tensor) -> torch.Tensor:
        try:
            out = torch.as_tensor(self.function(*point))
        except Exception as trouble:
            at = ", ".join(f"{float(v):.6g}" for v in point.detach())
            reason = (str(trouble).splitlines() or [type(trouble).__name__])[0].rstrip(".")
            raise ValueError(f"objective '{self.label}' failed at ({at}): {reason}.") from trouble
        if out.ndim:
            refuse(f"objective '{self.label}'", "must return one number for a point",
                   f"a tensor of shape {tuple(out.shape)}", "reduce it to a scalar")  # fmt: skip
        return out

    def value(self, *coordinates: Any) -> np.ndarray:
        """The value, of the coordinates' common shape."""
        points, shape = _points(coordinates)
        with torch.no_grad():
            values = [float(self._call(p)) for p in points]
        return np.reshape(values, shape)

    def value_of(self, batch: Any, *coordinates: Any) -> np.ndarray:
        """The value; a plain function has no samples, so `batch` is ignored."""
        return self.value(*coordinates)

    def gradient(self, *coordinates: Any) -> np.ndarray:
        """The gradient by autograd, shape (dim, *coordinates)."""
        points, shape = _points(coordinates)
        rows = [self._slope(p).numpy() for p in points]
        return np.reshape(np.transpose(rows), (self.dim, *shape))

    def _slope(self, point: torch.Tensor) -> torch.Tensor:
        point = point.detach().requires_grad_()
        out = self._call(point)
        if not out.requires_grad:
            return torch.zeros_like(point)
        return torch.autograd.grad(out, point, materialize_grads=True)[0]

    def hessian(self, *coordinates: Any) -> np.ndarray:
        """The Hessian by autograd, shape (dim, dim, *coordinates)."""
        points, shape = _points(coordinates)
        rows = [torch.autograd.functional.hessian(self._call, p).numpy() for p in points]
        return np.reshape(np.moveaxis(np.array(rows), 0, -1), (self.dim, self.dim, *shape))

    def float_gradient(self, batch=None) -> Callable[..., list[float]]:
        """The gradient as a function of plain floats."""
        return lambda *x: self._slope(torch.tensor(x, dtype=torch.float64)).tolist()

    def array_gradient(self, batch=None) -> Callable[..., list]:
        """The gradient as a function of arrays, one point after the other."""
        return lambda *x: list(self.gradient(*x))

    def float_hessian(self) -> Callable[..., list[float]]:
        """The Hessian's entries, row by row."""
        return lambda *x: self.hessian(*x).ravel().tolist()

    def array_hessian(self) -> Callable[..., list]:
        """The Hessian's entries, row by row, as arrays."""
        return lambda *x: list(self.hessian(*x).reshape(self.dim**2, -1))


class TorchLoss(TorchFunction):
    """A torch module's loss on data, as an objective of all its parameters in one vector.

    `criterion(module(inputs), targets)` must be a scalar. The module is copied and made
    float64; `starts` holds its current parameters. Batches index the samples.
    """

    def __init__(self, module: torch.nn.Module, criterion: Callable, inputs: Any, targets: Any):
        self.module = copy.deepcopy(module).double()
        self.criterion = criterion
        self.inputs, self.targets = (_double(value) for value in (inputs, targets))
        self.shapes = {name: p.shape for name, p in self.module.named_parameters()}
        flat = torch.cat([p.detach().reshape(-1) for p in self.module.parameters()])
        self.names = tuple(f"p{i}" for i in range(flat.numel()))
        self._batch = None
        start = (tuple(flat.tolist()),)
        super().__init__(self._loss, None, (), start, type(module).__name__)

    def _call(self, point: torch.Tensor) -> torch.Tensor:
        return self._loss_of(point, None)

    def _loss(self, *coordinates):
        return self._loss_of(torch.stack(list(coordinates)), None)

    def _loss_of(self, point: torch.Tensor, batch: Any) -> torch.Tensor:
        pieces = torch.split(point, [shape.numel() for shape in self.shapes.values()])
        named = {n: v.reshape(s) for v, (n, s) in zip(pieces, self.shapes.items(), strict=True)}
        at = slice(None) if batch is None else torch.as_tensor(np.asarray(batch))
        out = functional_call(self.module, named, (self.inputs[at],))
        loss = self.criterion(out, self.targets[at])
        if loss.ndim:
            refuse(f"objective '{self.label}'", "needs a criterion that returns one number",
                   f"a tensor of shape {tuple(loss.shape)}", "take its mean")  # fmt: skip
        return loss

    def value_of(self, batch: Any, *coordinates: Any) -> np.ndarray:
        """The loss on the samples with these indices (None: all)."""
        points, shape = _points(coordinates)
        with torch.no_grad():
            return np.reshape([float(self._loss_of(p, batch)) for p in points], shape)

    def float_gradient(self, batch=None) -> Callable[..., list[float]]:
        def gradient(*x):
            point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
            return torch.autograd.grad(self._loss_of(point, batch), point)[0].tolist()

        return gradient

    def array_gradient(self, batch=None) -> Callable[..., list]:
        one = self.float_gradient(batch)
        return lambda *x: list(np.transpose([one(*p) for p in np.transpose(x)]))


def _double(value: Any) -> torch.Tensor:
    tensor = torch.as_tensor(value)
    return tensor.double() if tensor.is_floating_point() else tensor


def _points(coordinates) -> tuple[list[torch.Tensor], tuple[int, ...]]:
    arrays = np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in coordinates))
    stacked = torch.tensor(np.stack([a.ravel() for a in arrays], axis=-1))
    return list(stacked), arrays[0].shape
