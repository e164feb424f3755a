"""Objectives that only torch can read: a function that calls torch, a module with data.

Derivatives come from autograd in float64. They run in the same loop and the same plots;
they have no formula.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.func import functional_call

from ..messages import refuse
from .gradient_check import check_gradient
from .torch_data import in_double, samples_of

VECTOR = 4096  # points that torch vectorises over at once


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


def calls_torch(function: Callable) -> bool:
    """Whether a function names torch, or a module, a tensor or a function of it."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    cells = (cell.cell_contents for cell in function.__closure__ or () if cell != type(cell)())
    named = (function.__globals__.get(name) for name in code.co_names)
    return "torch" in code.co_names or any(map(_is_torchs, (*named, *cells)))


def _is_torchs(value: Any) -> bool:
    if isinstance(value, torch.nn.Module | torch.Tensor):
        return True
    return str(getattr(value, "__module__", None) or getattr(value, "__name__", "")).startswith("torch")


def told(trouble: Exception) -> str:
    """The first line of what torch says, with what to do where it is about precision."""
    reason = (str(trouble).splitlines() or [type(trouble).__name__])[0].rstrip(".")
    if any(word in reason for word in ("dtype", "scalar type", "Double", "double")):
        reason += "; variables are float64: make modules, data and constants so with .double()"
    return reason


class TorchFunction:
    """A function of two variables that calls torch, with derivatives by autograd.

    The gradient is compared with differences of the value, and refused where it is another:
    a variable that is put into a module by load_state_dict, or made a number, is lost to
    autograd without a word. `own_gradient=True` keeps a gradient that is meant to be another.
    """

    names = ("x", "y")
    is_curve = at_edge = False
    usual_steps = None
    lowest = None

    def __init__(self, function: Callable, domain, minima=(), starts=((0.0, 0.0),), label="", own_gradient=False):
        self.function, self.domain, self.minima, self.starts = function, domain, minima, starts
        self.label = label or getattr(function, "__name__", "torch function")
        if not own_gradient:
            check_gradient(self.value, self.gradient, domain, starts, self.label)

    @property
    def dim(self) -> int:
        """How many variables there are."""
        return len(self.names)

    def _call(self, point: torch.Tensor) -> torch.Tensor:
        try:
            out = torch.as_tensor(self.function(*point))
        except Exception as trouble:
            at = ", ".join(f"{float(v):.6g}" for v in point.detach())
            raise ValueError(f"objective '{self.label}' failed at ({at}): {told(trouble)}.") from trouble
        if out.ndim:
            refuse(f"objective '{self.label}'", "must return one number for a point",
                   f"a tensor of shape {tuple(out.shape)}", "reduce it to a scalar")  # fmt: skip
        return out

    def value(self, *coordinates: Any) -> np.ndarray:
        """The value, of the coordinates' common shape."""
        return self.value_of(None, *coordinates)

    def values(self, *coordinates: Any) -> np.ndarray:
        """The value at many points at once, where torch can vectorise the function: its last digits may differ.

        A branch, a draw or a number taken out of a tensor has it ask for one point after the other.
        """
        points, shape = _points(coordinates)
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch says of some functions that it only loops over the points
                found = torch.vmap(self._call, chunk_size=VECTOR)(torch.stack(points))
        except Exception:  # torch has a kind for each of these reasons, and so has each module
            return self.value(*coordinates)
        return np.reshape(found.double().numpy(), shape)

    def value_of(self, batch: Any, *coordinates: Any) -> np.ndarray:
        """The value; a plain function has no samples, so `batch` is ignored."""
        points, shape = _points(coordinates)
        return np.reshape([self._number(p, batch) for p in points], shape)

    def _number(self, point: torch.Tensor, batch: Any) -> float:
        try:
            with torch.no_grad():
                return float(self._value(point, batch))
        except ValueError:  # it may take derivatives itself
            return float(self._value(point.requires_grad_(), batch).detach())

    def _value(self, point: torch.Tensor, batch: Any) -> torch.Tensor:
        return self._call(point)

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

    def tensors(self, point: Any) -> list[torch.Tensor]:
        """A point as the tensors that an optimizer moves: all variables in one."""
        return [torch.tensor(point, dtype=torch.float64, requires_grad=True)]

    def loss_at(self, tensors: list[torch.Tensor], batch: Any) -> torch.Tensor:
        """The value at these tensors, for autograd; `batch` as in `value_of`."""
        return self._call(tensors[0])

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
    """A torch module's loss on data, as an objective of all its parameters that train, in one vector.

    `criterion(module(inputs), targets)` must be a scalar. `inputs` and `targets` are tensors or
    arrays, several inputs a tuple of them, called as `module(*inputs)`; or `inputs` is a
    torch.utils.data.Dataset or DataLoader, whose samples end with the target. The module is
    copied to the CPU and made float64; `starts` holds its current parameters, those with
    `requires_grad` off stay as they are. Batches index the samples. A TorchOptimizer moves the
    parameters in their own shapes. ValueError for a module without parameters that train.
    """

    def __init__(self, module: torch.nn.Module, criterion: Callable, inputs: Any, targets: Any = None):
        if not isinstance(module, torch.nn.Module):
            refuse("TorchLoss", "needs a torch.nn.Module", module)
        self.label = type(module).__name__
        if any(isinstance(p, torch.nn.parameter.UninitializedParameter) for p in module.parameters()):
            refuse("TorchLoss", "needs a module whose shapes are known", f"{self.label} with lazy parameters",
                   "call it once on its data")  # fmt: skip
        self.module, self.criterion = _in_double(copy.deepcopy(module)), criterion
        self.inputs, self.targets = samples_of(inputs, targets)
        training = {name: p for name, p in self.module.named_parameters() if p.requires_grad}
        if not training:
            refuse("TorchLoss", "needs a module with parameters that train", module, "see their requires_grad")
        self.shapes = {name: p.shape for name, p in training.items()}
        flat = torch.cat([p.detach().reshape(-1) for p in training.values()])
        self.names = tuple(f"p{i}" for i in range(flat.numel()))
        start = (tuple(flat.tolist()),)
        super().__init__(self._loss, None, (), start, self.label, own_gradient=True)

    def _call(self, point: torch.Tensor) -> torch.Tensor:
        return self._value(point, None)

    def _loss(self, *coordinates):
        return self._value(torch.stack(list(coordinates)), None)

    def _value(self, point: torch.Tensor, batch: Any) -> torch.Tensor:
        return self.loss_at(self._pieces(point), batch)

    def _pieces(self, point: torch.Tensor) -> list[torch.Tensor]:
        pieces = torch.split(point, [shape.numel() for shape in self.shapes.values()])
        return [piece.reshape(shape) for piece, shape in zip(pieces, self.shapes.values(), strict=True)]

    def tensors(self, point: Any) -> list[torch.Tensor]:
        """A point as the module's own parameters, each in its shape."""
        pieces = self._pieces(torch.tensor(point, dtype=torch.float64))
        return [piece.clone().requires_grad_() for piece in pieces]

    def loss_at(self, tensors: list[torch.Tensor], batch: Any) -> torch.Tensor:
        """The loss of the module with these parameters on the samples with these indices (None: all)."""
        at = slice(None) if batch is None else torch.as_tensor(np.asarray(batch))
        named, given = dict(zip(self.shapes, tensors, strict=True)), tuple(each[at] for each in self.inputs)
        try:
            loss = torch.as_tensor(self.criterion(functional_call(self.module, named, given), self.targets[at]))
        except Exception as trouble:
            raise ValueError(f"objective '{self.label}' failed: {told(trouble)}.") from trouble
        if loss.ndim:
            refuse(f"objective '{self.label}'", "needs a criterion that returns one number",
                   f"a tensor of shape {tuple(loss.shape)}", "take its mean")  # fmt: skip
        if torch.is_grad_enabled() and tensors[0].requires_grad and not loss.requires_grad:
            refuse(f"objective '{self.label}'", "needs a loss that autograd can follow", "one that is cut off",
                   "leave .data, .detach(), .item() and no_grad out of the module and the criterion")  # fmt: skip
        return loss

    def float_gradient(self, batch=None) -> Callable[..., list[float]]:
        def gradient(*x):
            point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
            return torch.autograd.grad(self._value(point, batch), point)[0].tolist()

        return gradient

    def array_gradient(self, batch=None) -> Callable[..., list]:
        one = self.float_gradient(batch)
        return lambda *x: list(np.transpose([one(*p) for p in np.transpose(x)]))


def _in_double(module: torch.nn.Module) -> torch.nn.Module:
    """The module on the CPU in float64, tensors that are no parameters or buffers included."""
    module.to("cpu", torch.float64)
    for part in module.modules():
        for name, value in vars(part).items():
            if isinstance(value, torch.Tensor):
                vars(part)[name] = in_double(value)
    return module


def _points(coordinates) -> tuple[list[torch.Tensor], tuple[int, ...]]:
    arrays = np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in coordinates))
    stacked = torch.tensor(np.stack([a.ravel() for a in arrays], axis=-1))
    return list(stacked), arrays[0].shape
