"""Surfaces of two variables, and curves of one, to walk on: each is a formula, a domain, its minima, its starts.

Gradients and Hessians are derived from the formula by sympy, never written by hand.
The catalogue is in `optviz.objectives.surfaces`; `objective` makes one from a function of yours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import param
import sympy

from ..messages import refuse
from ..trace.branches import every_way
from ..trace.functions import followed, readable
from ..trace.sums import with_sums
from ..trace.traceable import Traceable, as_expression, xp
from ..trace.tracing import SYMBOLS, Compiled, derivatives, symbols
from .brought import (
    checked_arguments,
    checked_numbers,
    expression_of,
    finite_start,
    places,
    stopped,
    takes_array,
    variable_names,
)

IDLE = (-1.0, 1.0)  # where the idle coordinate of a curve may be


class Objective(param.Parameterized):
    """A function of two variables to minimise, with its derivatives.

    A subclass declares `domain` ((x0, x1), (y0, y1)), `minima`, `starts` and the method
    `formula(h, x, y, xp)`; its parameters, if any, are live shape parameters, `h` holds
    them. All methods take coordinates of any one shape and return arrays of that shape.
    """

    __abstract = True
    domain: ClassVar[Any] = ((-3.0, 3.0), (-3.0, 3.0))
    minima: ClassVar[Any] = ()
    lowest: ClassVar[float | None] = None
    starts: ClassVar[Any] = ((2.0, 2.0),)
    names: ClassVar[tuple[str, ...]] = ("x", "y")
    label: ClassVar[str] = ""
    source: ClassVar[str] = ""
    is_curve: ClassVar[bool] = False  # whether it is a function of x alone: see `Curve`
    usual_steps: ClassVar[int | None] = None  # a run takes, where what is to see takes its time
    at_edge: ClassVar[bool] = False  # whether its curvature grows until steps are too long for it
    listed: ClassVar[bool] = False  # see `optviz.listed`

    @staticmethod
    def formula(h, x, y, xp):
        """The value at (x, y), with operators and the functions of `xp`."""
        raise NotImplementedError

    @property
    def dim(self) -> int:
        """How many variables there are."""
        return len(self.names)

    @classmethod
    def shape_names(cls) -> list[str]:
        """The names of the parameters that change the surface."""
        return [name for name in cls.param if name != "name"]

    def shape_values(self) -> list[float]:
        """The values of the shape parameters, in the order of `shape_names`."""
        return [float(getattr(self, name)) for name in self.shape_names()]

    @cached_property
    def traced(self) -> Traced:
        """The formula as symbols, with its compiled readings."""
        return _traced(type(self))

    def value(self, *coordinates: Any) -> np.ndarray:
        """The objective's value, of the coordinates' common shape."""
        return self._arrays(self.traced.value, coordinates, ())

    def values(self, *coordinates: Any) -> np.ndarray:
        """The same: what is not traced may have a faster way to many points."""
        return self.value(*coordinates)

    def gradient(self, *coordinates: Any) -> np.ndarray:
        """The gradient, shape (2, *coordinates)."""
        return self._arrays(self.traced.gradient, coordinates, (self.dim,))

    def hessian(self, *coordinates: Any) -> np.ndarray:
        """The Hessian, shape (2, 2, *coordinates)."""
        return self._arrays(self.traced.hessian, coordinates, (self.dim, self.dim))

    def float_gradient(self, batch=None) -> Callable[..., list[float]]:
        """The gradient as a function of plain floats, for one lane; `batch` is ignored here."""
        shape, function = self.shape_values(), self.traced.gradient.floats
        return lambda *x: function(*x, *shape)

    def array_gradient(self, batch=None) -> Callable[..., list]:
        """The gradient as a function of arrays, for many lanes; `batch` is ignored here."""
        shape, function = self.shape_values(), self.traced.gradient.arrays
        return lambda *x: function(*x, *shape)

    def float_hessian(self) -> Callable[..., list[float]]:
        """The Hessian's entries, row by row, as a function of plain floats."""
        shape, function = self.shape_values(), self.traced.hessian.floats
        return lambda *x: function(*x, *shape)

    def array_hessian(self) -> Callable[..., list]:
        """The Hessian's entries, row by row, as a function of arrays."""
        shape, function = self.shape_values(), self.traced.hessian.arrays
        return lambda *x: function(*x, *shape)

    def latex(self) -> str:
        """The formula with the current shape parameters, as LaTeX."""
        expression = readable(self.expression())
        return sympy.latex(expression.xreplace({f: sympy.Float(f, 6) for f in expression.atoms(sympy.Float)}))

    def expression(self) -> Any:
        """The formula with the current shape parameters, as a sympy expression."""
        names = symbols(*self.shape_names())
        values = [int(v) if v.is_integer() else v for v in self.shape_values()]
        return self.shown.subs(dict(zip(names, values, strict=True)))

    @property
    def shown(self) -> Any:
        """The formula in symbols, as a person reads it: a curve's without its idle coordinate."""
        expression = self.traced.expression
        return expression.subs(self.traced.variables[1], 0) if self.is_curve else expression

    def _arrays(self, compiled: Compiled, coordinates, lead: tuple[int, ...]) -> np.ndarray:
        arrays = [np.asarray(c, dtype=float) for c in coordinates]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        out = np.empty((math.prod(lead), *shape))
        with np.errstate(all="ignore"):  # overflow is a result: it comes back as inf or nan
            for i, entry in enumerate(compiled.arrays(*arrays, *self.shape_values())):
                out[i] = entry  # broadcasts an entry that does not depend on the point
        return out.reshape((*lead, *shape))


class Traced:
    """A formula in symbols and what is derived from it, each compiled when first used."""

    def __init__(self, variables: Sequence[Any], shape: Sequence[Any], expression: Any):
        self.variables, self.shape = list(variables), list(shape)
        self.expression = followed(sympy.sympify(expression))

    @cached_property
    def _derivatives(self) -> tuple[list, list]:
        return derivatives(self.expression, self.variables)

    @cached_property
    def value(self) -> Compiled:
        return self._compile([self.expression])

    @cached_property
    def gradient(self) -> Compiled:
        return self._compile(self._derivatives[0])

    @cached_property
    def hessian(self) -> Compiled:
        return self._compile(self._derivatives[1])

    def _compile(self, expressions: Sequence[Any]) -> Compiled:
        return Compiled([*self.variables, *self.shape], expressions)


@cache
def _traced(cls: type[Objective]) -> Traced:
    """One trace a class: shape parameters stay symbols, so moving one derives nothing anew."""
    variables, shape = symbols(*cls.names), symbols(*cls.shape_names())
    values = dict(zip(cls.shape_names(), shape, strict=True))
    try:
        expression = cls.formula(SimpleNamespace(**values), *variables, SYMBOLS)
    except (TypeError, AttributeError):  # one that calls numpy's functions, which sympy's symbols do not know
        h = SimpleNamespace(**{name: Traceable(symbol) for name, symbol in values.items()})
        expression = every_way(lambda: as_expression(cls.formula(h, *map(Traceable, variables), xp)))
    return Traced(variables, shape, expression)


class Curve(Objective):
    """A function of one variable: `height(h, x, xp)` of `span`, the ends along x.

    It is walked as a surface whose second coordinate is idle: height + y^2 / 2, from y = 0, where that stays. So
    whatever walks a surface walks a curve, Newton's method too; pictures and words leave y out (`is_curve`).
    """

    __abstract = True
    span: ClassVar[tuple[float, float]] = (-3.0, 3.0)
    is_curve = True

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls.domain = (cls.span, IDLE)

    @staticmethod
    def height(h, x, xp):
        """The value at x, with operators and the functions of `xp`."""
        raise NotImplementedError

    @classmethod
    def formula(cls, h, x, y, xp):  # type: ignore[override]
        return cls.height(h, x, xp) + y**2 / 2


def as_curve(objective: Objective) -> Objective:
    """A function of one variable as a curve."""
    (x,), (y,) = objective.traced.variables, symbols("y")
    traced = Traced([x, y], [], objective.traced.expression + y**2 / 2)
    points = [tuple((float(at[0]), 0.0) for at in each) for each in (objective.minima, objective.starts)]
    made = Function(getattr(objective, "function", None), traced, (objective.domain[0], IDLE), *points, objective.label)
    made.is_curve = True
    return made


def variables_shown(objective: Any) -> int:
    """How many coordinates a person sees of an objective's points."""
    return 1 if objective.is_curve else 2


class Function(Objective):
    """An objective made by `optviz.objective` from a function of plain operators."""

    def __init__(self, function: Callable | None, traced: Traced, domain, minima, starts, label, **params):
        super().__init__(**params)
        self.function, self.domain, self.minima, self.starts = function, domain, minima, starts
        self.names = tuple(map(str, traced.variables))
        self.__dict__["traced"] = traced
        self.label = label

    @classmethod
    def shape_names(cls) -> list[str]:
        return []


def objective(
    function: Callable[..., Any],
    domain: Any = ((-3.0, 3.0), (-3.0, 3.0)),
    *,
    minima: Sequence[Sequence[float]] = (),
    starts: Sequence[Sequence[float]] | None = None,
    label: str = "",
) -> Objective:
    """Make an objective from a function of two variables, `objective(lambda x, y: x**2 + y**2)`.

    A function of one argument gets all variables as an array, as scipy does it. Operators, `abs`,
    `max` and `if`, numpy's functions, scipy's special ones, sympy's and those of `optviz.xp` are followed,
    on arrays of data and on complex numbers on their way to a real one too: exact derivatives, formula and
    all. A function that calls torch is differentiated by autograd. Value, gradient and Hessian are tried at
    once. A `domain` of one pair makes it a function of one variable, which `SurfaceDescent` shows as a curve, of more
    rows one of more; `descend` takes these. `starts` is left out for a place where there is a number.
    Raises ValueError in one sentence, which says what to use instead, where a function cannot be followed.
    """
    box = _checked_domain(domain)
    who = f"objective '{label or getattr(function, '__name__', type(function).__name__)}'"
    checked_arguments(who, function, len(box))
    variables = symbols(*variable_names(len(box)))
    given = None if starts is None else tuple(map(tuple, starts))
    try:
        expression = every_way(lambda: expression_of(function, variables))
    except Exception as trouble:
        return _through_torch(function, who, box, minima, given, label, trouble)
    if not isinstance(expression, sympy.Expr) or expression.free_symbols - set(variables):
        refuse(who, f"must return one number for ({', '.join(map(str, variables))})", expression,
               _to_return(function, len(box)))  # fmt: skip
    try:
        traced = Traced(variables, [], with_sums(expression))
        made = Function(function, traced, box, tuple(map(tuple, minima)), given or (next(places(box)),), label)
        for reading in (made.value, made.gradient, made.hessian):
            reading(*made.starts[0])
    except Exception as trouble:  # sympy knows the function, but no number or derivative of it
        return _through_torch(function, who, box, minima, given, label, trouble)
    if given is None:
        made.starts = (finite_start(who, made, box),)
    checked_numbers(who, function, made.value, made.starts[0])
    return made


def _to_return(function: Callable, count: int) -> str:
    if takes_array(function, count):
        return "write p[0] and p[1] of a lambda p, or lambda x, y; of one number x, give domain=(-3, 3)"
    return f"return a single expression of {' and '.join(variable_names(count))}"


def _through_torch(function, who, box, minima, starts, label, trouble) -> Any:
    from .gradient_check import GradientLost
    from .torch_objectives import TorchFunction, calls_torch, probe, stacked, told

    if len(box) != 2:
        raise ValueError(stopped(who, trouble)) from None
    first = starts or (next(places(box)),)
    read = stacked(function) if takes_array(function, 2) else function
    try:
        with np.errstate(all="ignore"):
            probe(read, first[0])
        made = TorchFunction(read, box, minima, first, label or getattr(function, "__name__", "function"))
        for reading in (made.value, made.gradient):  # floor_divide has a value alone
            reading(*first[0])
    except GradientLost:
        raise
    except Exception as second:
        own = calls_torch(function)
        cause = second.__cause__ if own and second.__cause__ else second  # one that names the point
        raise ValueError(stopped(who, cause, told(cause)) if own else stopped(who, trouble)) from None
    if starts is None:
        made.starts = (finite_start(who, made, box),)
    return made


def _checked_domain(domain: Any) -> tuple[tuple[float, float], ...]:
    try:
        box: Any = np.asarray(domain, dtype=float)
    except (TypeError, ValueError):
        box = np.zeros(0)
    box = box[None] if box.shape == (2,) else box
    if box.ndim != 2 or box.shape[1:] != (2,) or not np.isfinite(box).all() or not (box[:, 0] < box[:, 1]).all():
        refuse("objective", "needs a domain ((x0, x1), (y0, y1)) with x0 < x1 and y0 < y1", domain)
    return tuple((float(low), float(high)) for low, high in box.tolist())
