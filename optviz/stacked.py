"""Surfaces of one class as one objective: a condition number or an angle that differs by lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy

from .messages import refuse
from .objectives import Objective, Traced
from .tracing import Compiled, symbols


class Stacked:
    """Surfaces of one class, each with its own shape parameters: lane k walks the k-th of them.

    Raises ValueError for surfaces of several classes, and for objectives without a formula.
    """

    def __init__(self, objectives: Sequence[Objective]):
        self.objectives = list(objectives)
        formulas = [getattr(o, "traced", None) for o in self.objectives]
        if len(set(map(id, formulas))) != 1 or None in formulas:
            kinds = [type(o).__name__ for o in self.objectives]
            refuse("Stacked", "needs surfaces of one class", kinds, "run others one by one")
        self.names, self.dim = self.objectives[0].names, self.objectives[0].dim

    def _shape(self) -> list[np.ndarray]:
        """Each shape parameter as an array over lanes."""
        return list(np.array([o.shape_values() for o in self.objectives]).T)

    def value(self, *coordinates: Any) -> np.ndarray:
        """Each lane's own value; the last axis of the coordinates runs over lanes."""
        with np.errstate(all="ignore"):  # overflow is a result, as in a surface
            (value,) = self.objectives[0].traced.value.arrays(*coordinates, *self._shape())
        return np.array(np.broadcast_to(value, np.shape(coordinates[0])))

    def array_gradient(self, batch=None) -> Callable[..., list]:
        """Each lane's own gradient, an array over lanes a coordinate."""
        fixed, gradient = _prepared(self.objectives[0].traced)
        given = fixed.arrays(*self._shape())  # the sine of an angle, say, once a run and not once a step
        return lambda *x: gradient.arrays(*x, *given)

    def array_hessian(self) -> Callable[..., list]:
        """The entries of each lane's own Hessian, row by row."""
        shape, function = self._shape(), self.objectives[0].traced.hessian.arrays
        return lambda *x: function(*x, *shape)


@cache
def _prepared(traced: Traced) -> tuple[Compiled, Compiled]:
    """What depends on the shape parameters alone, and the gradient as a function of the coordinates and of that."""
    entries, variables = traced.gradient.expressions, set(traced.variables)
    calls = {e for entry in entries for e in entry.atoms(sympy.Function) if not e.free_symbols & variables}
    found = sorted(calls, key=str)
    names = symbols(*(f"fixed_{k}" for k in range(len(found))))
    known = dict(zip(found, names, strict=True))
    return (
        Compiled(traced.shape, [*traced.shape, *found]),
        Compiled([*traced.variables, *traced.shape, *names], [entry.xreplace(known) for entry in entries]),
    )
