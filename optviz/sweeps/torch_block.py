"""Rows of lanes as torch tensors, on a GPU or the CPU: the same operations as numpy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .step_inputs import function_of

_NAMES = {"power": "pow", "negative": "neg", "absolute": "abs", "less": "lt", "less_equal": "le", "greater": "gt",
          "greater_equal": "ge", "equal": "eq", "not_equal": "ne", "rint": "round", "gammaln": "lgamma"}  # fmt: skip
_OWN = {"polygamma", "heaviside"}  # which torch has with other arguments


def _tensor(value: Any) -> torch.Tensor:
    """A tensor as it is; a number as one that is on no device of its own."""
    if isinstance(value, torch.Tensor):
        return value
    truth = isinstance(value, bool | np.bool_)
    return torch.tensor(bool(value) if truth else float(value), dtype=torch.bool if truth else torch.float64)


class Torch:
    """Rows as tensors on a device."""

    def __init__(self, device: str):
        self.device = device

    number = staticmethod(_tensor)

    def asarray(self, value: Any) -> torch.Tensor:
        """A row on the device."""
        return torch.as_tensor(np.array(value), device=self.device)

    def function(self, op: str) -> Callable:
        """What does an operation of this name; what torch has not is computed by numpy."""
        if op == "where":
            return lambda condition, a, b: torch.where(*self._together(_tensor(condition).bool(), a, b))
        function = getattr(torch, _NAMES.get(op, op), None) if op not in _OWN else None
        if function is not None:
            return lambda *given: function(*map(_tensor, given))
        return lambda *given: self.asarray(function_of(op)(*(self.numbers(_tensor(v)) for v in given)))

    def _together(self, *given: Any) -> list[torch.Tensor]:
        return [_tensor(v).to(self.device) for v in given]

    @staticmethod
    def numbers(row: torch.Tensor) -> np.ndarray:
        """A row as numpy's array."""
        return row.cpu().numpy()

    @staticmethod
    def take(numbers: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
        return torch.index_select(numbers, 0, where)

    @staticmethod
    def square(row: torch.Tensor) -> torch.Tensor:
        """The sum of squares."""
        return (row * row).sum()

    same = staticmethod(torch.equal)
