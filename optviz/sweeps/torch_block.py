"""Blocks of lanes as torch tensors, on a GPU or the CPU, through the same lines as numpy's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from .lanes import fresh
from .rows import Block, Drawn, Numpy

_NAMES = {"power": "pow", "negative": "neg", "absolute": "abs", "less": "lt", "less_equal": "le", "greater": "gt",
          "greater_equal": "ge", "equal": "eq", "not_equal": "ne", "rint": "round", "gammaln": "lgamma"}  # fmt: skip
_OWN = {"polygamma", "sinc", "heaviside"}  # which torch has with other arguments, or without `out`


def _function(name: str) -> Callable:
    """A torch function of tensors and numbers; what torch has not is computed by numpy."""
    function = _torch_function(name)
    if function is None:
        return partial(_through_numpy, Numpy.functions[name])
    return lambda *given, out: function(*map(_tensor, given), out=out)


def _torch_function(name: str) -> Callable | None:
    return getattr(torch, _NAMES.get(name, name), None) if name not in _OWN else None


def _through_numpy(function: Callable, *given, out) -> Any:
    arrays = (v.cpu().numpy() if isinstance(v, torch.Tensor) else v for v in given)
    return out.copy_(torch.as_tensor(np.array(function(*arrays))))


def _tensor(value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value
    truth = isinstance(value, bool | np.bool_)
    return torch.tensor(bool(value) if truth else float(value), dtype=torch.bool if truth else torch.float64)


def _choose(condition: torch.Tensor, a: torch.Tensor, b: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    return torch.where(condition.bool(), a, b, out=out)


class Torch:
    """torch's functions by the names that a line uses; numbers alone stay numpy's."""

    kind = "torch"
    number = staticmethod(_tensor)

    def __init__(self, device: str):
        self.device = device

    functions: dict[str, Any] = {n: _function(n) for n in Numpy.functions if not n.startswith("plain_")}

    def rows(self, count, lanes, spare):
        return None, torch.empty((count, lanes), dtype=torch.float64, device=self.device)

    def truths(self, lanes):
        return torch.empty(lanes, dtype=torch.bool, device=self.device)

    def asarray(self, value):
        return torch.as_tensor(np.array(value), device=self.device)

    @staticmethod
    def kinds(row):
        return row

    @staticmethod
    def take(table, where, out):
        return torch.index_select(table, 0, where, out=out)

    @staticmethod
    def fresh(op, args):
        if op == "where":
            return torch.where(*map(_tensor, args))
        function = _torch_function(op)
        if function is not None:
            return function(*map(_tensor, args))
        arrays = [v.cpu().numpy() if isinstance(v, torch.Tensor) else v for v in args]
        return torch.as_tensor(fresh(op, arrays), device=next((v.device for v in args if hasattr(v, "device")), None))


Torch.functions |= {n: f for n, f in Numpy.functions.items() if n.startswith("plain_")}
Torch.functions |= {
    "where": lambda c, a, b, out: _choose(*(_tensor(v).to(out.device) for v in (c, a, b)), out),
    "power_of_kinds": lambda row, exponent, out: torch.pow(row, _tensor(exponent), out=out),
    "copyto": lambda out, value: out.copy_(_tensor(value)),
}


class TorchBlock(Block):
    """A block whose arrays are torch tensors."""

    def __init__(self, program, values, start, lanes, draws, rates, losses, radius, spare, device: str):
        xp = Torch(device)
        moved = {n: xp.asarray(v) for n, v in values.items()}
        draws, rates = (self._moved(d, xp) for d in (draws, rates))
        super().__init__(program, moved, start, lanes, draws, rates, losses, radius, spare, xp)

    @staticmethod
    def _moved(drawn: Any, xp: Torch) -> Any:
        if not isinstance(drawn, Drawn):
            return drawn
        return Drawn(xp.asarray(drawn.table), None if drawn.where is None else xp.asarray(drawn.where))

    def inside(self) -> bool:
        return bool((self.X * self.X).sum() < self._far)

    def numbers(self, array):
        return array.cpu().numpy()

    def close(self):
        """torch keeps freed memory for the next block by itself."""

    def fill(self, lost, alive):
        super().fill(self.xp.asarray(lost), alive)

    _equal, _copy = staticmethod(torch.equal), staticmethod(torch.clone)
