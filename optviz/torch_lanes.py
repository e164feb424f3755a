"""Blocks of lanes as torch tensors, on a GPU or the CPU, through the same lines as numpy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .rows import Block, Drawn, Numpy

_NAMES = {"power": "pow", "negative": "neg", "absolute": "abs", "less": "lt", "less_equal": "le", "greater": "gt",
          "greater_equal": "ge", "equal": "eq", "not_equal": "ne"}  # fmt: skip


def _tensors(function: Callable) -> Callable:
    """A torch function of tensors and numbers."""

    def call(*given, out):
        return function(*map(_tensor, given), out=out)

    return call


def _tensor(value: Any) -> torch.Tensor:
    return value if isinstance(value, torch.Tensor) else torch.tensor(float(value), dtype=torch.float64)


class Torch:
    """torch's functions by the names that a line uses; numbers alone stay numpy's."""

    kind = "torch"
    number = staticmethod(_tensor)

    def __init__(self, device: str):
        self.device = device

    functions: dict[str, Any] = {
        name: _tensors(getattr(torch, _NAMES.get(name, name)))
        for name in Numpy.functions
        if hasattr(torch, _NAMES.get(name, name)) and not name.startswith("plain_")
    }

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
            return torch.where(*(a if isinstance(a, torch.Tensor) else _tensor(a) for a in args))
        return getattr(torch, _NAMES.get(op, op))(*map(_tensor, args))


Torch.functions |= {n: f for n, f in Numpy.functions.items() if n.startswith("plain_")}
Torch.functions |= {
    "where": lambda c, a, b, out: torch.where(c, _tensor(a).to(out.device), _tensor(b).to(out.device), out=out),
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
