"""Surfaces of one class as one objective: a condition number or an angle that differs by lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy

from ..messages import refuse
from ..trace.tracing import Compiled, symbols
from .objective import Objective, Traced


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
        self.shape = list(np.array([o.shape_values() for o in self.objectives]).T)  # each parameter over lanes

    def value(self, *coordinates: Any) -> np.ndarray:
        """Each lane's own value; the last axis of the coordinates runs over lanes."""
        with np.errstate(all="ignore"):  # overflow is a result, as in a surface
            (value,) = self.objectives[0].traced.value.arrays(*coordinates, *self.shape)
        return np.array(np.broadcast_to(value, np.shape(coordinates[0])))

    def array_gradient(self, batch=None) -> Callable[..., Any]:
        """Each lane's own gradient, an array over lanes a coordinate."""
        traced = self.objectives[0].traced
        if _is_quadratic(traced):
            return self._linear_gradient(traced)
        fixed, gradient = _prepared(traced)
        given = fixed.arrays(*self.shape)  # the sine of an angle, say, once a run and not once a step
        return lambda *x: gradient.arrays(*x, *given)

    def _linear_gradient(self, traced: Traced) -> Callable[..., np.ndarray]:
        """The gradient of quadratics, by their curvatures: a third of the operations a step."""
        origin, lanes = [0.0] * self.dim, len(self.objectives)
        read = (function.arrays(*origin, *self.shape) for function in (traced.gradient, traced.hessian))
        offset, flat = (np.stack([np.broadcast_to(entry, (lanes,)) for entry in entries]) for entries in read)
        columns = flat.reshape(self.dim, self.dim, lanes).swapaxes(0, 1)

        def gradient(*x):
            total = columns[0] * x[0] + offset
            for column, along in zip(columns[1:], x[1:], strict=True):
                total = total + column * along
            return total

        return gradient

    def array_hessian(self) -> Callable[..., list]:
        """The entries of each lane's own Hessian, row by row."""
        shape, function = self.shape, self.objectives[0].traced.hessian.arrays
        return lambda *x: function(*x, *shape)


@cache
def _is_quadratic(traced: Traced) -> bool:
    variables = set(traced.variables)
    return not any(entry.free_symbols & variables for entry in traced.hessian.expressions)


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
