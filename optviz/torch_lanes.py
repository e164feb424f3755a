"""Blocks of lanes as torch tensors, on a GPU or the CPU, through the same lines as numpy's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from .lanes import Block, Numpy

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

    def __init__(self, device: str):
        self.device = device

    functions: dict[str, Any] = {
        name: _tensors(getattr(torch, _NAMES.get(name, name)))
        for name in Numpy.functions
        if hasattr(torch, _NAMES.get(name, name)) and not name.startswith("plain_")
    }

    def empty(self, shape, truth):
        return torch.empty(tuple(shape), dtype=torch.bool if truth else torch.float64, device=self.device)

    @staticmethod
    def fresh(op, args):
        if op == "where":
            return torch.where(*(a if isinstance(a, torch.Tensor) else _tensor(a) for a in args))
        return getattr(torch, _NAMES.get(op, op))(*map(_tensor, args))


Torch.functions |= {n: f for n, f in Numpy.functions.items() if n.startswith("plain_")}
Torch.functions |= {
    "where": lambda c, a, b, out: torch.where(c, _tensor(a).to(out.device), _tensor(b).to(out.device), out=out),
    "copyto": lambda out, value: out.copy_(_tensor(value)),
}


class TorchBlock(Block):
    """A block whose arrays are torch tensors."""

    xp: Any

    def __init__(self, program, values: Mapping[str, np.ndarray], x0, draws, rates, losses, device: str):
        self.xp = Torch(device)
        moved = {n: self._moved(v) for n, v in values.items()}
        super().__init__(program, moved, self._moved(x0), self._moved(draws), self._rated(rates), losses, self.xp)

    def _moved(self, array: Any) -> Any:
        return None if array is None else torch.tensor(np.ascontiguousarray(array), device=self.xp.device)

    def _rated(self, rates: Any) -> Any:
        return self._moved(rates) if rates is not None and np.ndim(rates) > 1 else rates

    def inside(self) -> bool:
        radius = self.program.radius
        return radius > 0 and bool((self.X * self.X).sum() < radius * radius)

    def numbers(self, array):
        return array.cpu().numpy()

    def fill(self, lost, alive):
        where = torch.as_tensor(lost, device=self.xp.device)
        for array in self.lane_arrays:
            array[..., where] = array[..., alive, None].clone()

    _equal, _copy = staticmethod(torch.equal), staticmethod(torch.clone)

    def measure(self):
        if self.program.traced:
            self.look(0)
        else:
            self.F.copy_(torch.as_tensor(self.program.objective.value(*self.numbers(self.X))))

    def _outside(self):
        objective, x = self.program.objective, self.numbers(self.X)
        for row, entry in zip(self.e["G"], objective.array_gradient()(*x), strict=True):
            row.copy_(torch.as_tensor(np.broadcast_to(entry, x[0].shape).copy()))
        if self.program.coupled:
            for k, entry in enumerate(objective.array_hessian()(*x)):
                self.e[f"H{k}"].copy_(torch.as_tensor(np.broadcast_to(entry, x[0].shape).copy()))
