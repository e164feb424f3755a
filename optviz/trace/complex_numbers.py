"""Complex numbers of variables, as pairs of real expressions: what a function makes of x + 1j*y on its way to a real.

Each of numpy's functions that is read here is written in real ones; powers, roots and logarithms have
numpy's branch, cut along the negative axis.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import sympy
from numpy.lib.mixins import NDArrayOperatorsMixin

from .expressions import NotFollowed, as_expression, as_number, as_truth
from .functions import ROWS, symbol_where
from .tape import not_followed
from .traceable import COMPLEX, FUNCTIONS, Traceable, called, each_entry

SMALL = 8  # a whole power up to this is a product


class ComplexTraceable(NDArrayOperatorsMixin):
    """A complex number of variables."""

    _op_priority = 101.0

    def __init__(self, real: Any, imag: Any = 0):
        self.real_part, self.imag_part = as_number(real), as_number(imag)

    @property
    def real(self) -> Traceable:
        """The real part."""
        return Traceable(self.real_part)

    @property
    def imag(self) -> Traceable:
        """The imaginary part."""
        return Traceable(self.imag_part)

    def conjugate(self) -> ComplexTraceable:
        """The same with its imaginary part negated."""
        return ComplexTraceable(self.real_part, -self.imag_part)

    conj = conjugate

    def _sympy_(self):
        if self.imag_part == 0:
            return self.real_part
        raise NotFollowed("it gives a complex number: return its abs(), .real or .imag")

    def __repr__(self):
        return f"{self.real_part} + ({self.imag_part})j"

    def __hash__(self):
        return id(self)

    def __getattr__(self, name):
        if name not in COMPLEX:
            raise AttributeError(f"a complex number has no attribute {name}")
        return lambda *others: called(name, [self, *others])

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__" or options:
            raise NotFollowed(not_followed(ufunc.__name__))
        return called(ufunc.__name__, inputs)

    def __array_function__(self, function, types, arguments, options):
        if function not in FUNCTIONS:
            raise NotFollowed(f"{not_followed(function.__name__)} that is complex")
        return FUNCTIONS[function](*arguments, **options)

    def __bool__(self):
        return bool(called("not_equal", [self, 0]))

    def __float__(self):
        raise TypeError("a complex number is no real one: take its abs(), .real or .imag")

    __complex__ = __float__


def _pair(value: Any) -> tuple[Any, Any]:
    """The real and the imaginary part of any number."""
    if isinstance(value, ComplexTraceable):
        return value.real_part, value.imag_part
    if isinstance(value, complex | np.complexfloating):
        return as_expression(float(value.real)), as_expression(float(value.imag))
    return as_number(value), sympy.Integer(0)


def _number(part: Any) -> Any:
    """A whole float as an integer, so that 1j * y is y and not 1.0 * y."""
    return sympy.Integer(int(part)) if part.is_Float and part == int(part) else part


def _reads(function: Any) -> Any:
    """Have a function of pairs stand for numpy's of its name."""

    def call(*values: Any) -> Any:
        found = function(*(tuple(map(_number, _pair(value))) for value in values))
        return ComplexTraceable(*found) if isinstance(found, tuple) else Traceable(found)

    COMPLEX[function.__name__.strip("_")] = call
    return function


def _size(z: Any) -> Any:
    return abs(z[0]) if z[1] == 0 else ROWS["hypot"].symbol(*z)


@_reads
def _absolute(z):
    return _size(z)


@_reads
def _add(z, w):
    return z[0] + w[0], z[1] + w[1]


@_reads
def _subtract(z, w):
    return z[0] - w[0], z[1] - w[1]


@_reads
def _multiply(z, w):
    return z[0] * w[0] - z[1] * w[1], z[0] * w[1] + z[1] * w[0]


@_reads
def _divide(z, w):
    size = w[0] ** 2 + w[1] ** 2
    return (z[0] * w[0] + z[1] * w[1]) / size, (z[1] * w[0] - z[0] * w[1]) / size


@_reads
def _negative(z):
    return -z[0], -z[1]


@_reads
def _equal(z, w):
    return sympy.And(sympy.Eq(z[0], w[0]), sympy.Eq(z[1], w[1]))


@_reads
def _not_equal(z, w):
    return sympy.Or(sympy.Ne(z[0], w[0]), sympy.Ne(z[1], w[1]))


def _angle(z: Any) -> Any:
    return sympy.atan2(z[1], z[0])


@_reads
def _exp(z):
    return sympy.exp(z[0]) * sympy.cos(z[1]), sympy.exp(z[0]) * sympy.sin(z[1])


@_reads
def _log(z):
    return sympy.log(_size(z)), _angle(z)


@_reads
def _power(z, w):
    exponent = w[0]
    if w[1] == 0 and exponent.is_Integer and abs(exponent) <= SMALL:
        found = reduce(_multiply, [z] * abs(int(exponent)), (sympy.Integer(1), sympy.Integer(0)))
        return found if exponent >= 0 else _divide((sympy.Integer(1), sympy.Integer(0)), found)
    if w[1] == 0:
        size, angle = _size(z) ** exponent, exponent * _angle(z)
        return size * sympy.cos(angle), size * sympy.sin(angle)
    return _exp(_multiply(w, _log(z)))


@_reads
def _sqrt(z):
    size, half = sympy.sqrt(_size(z)), _angle(z) / 2
    return size * sympy.cos(half), size * sympy.sin(half)


@_reads
def _sin(z):
    return sympy.sin(z[0]) * sympy.cosh(z[1]), sympy.cos(z[0]) * sympy.sinh(z[1])


@_reads
def _cos(z):
    return sympy.cos(z[0]) * sympy.cosh(z[1]), -sympy.sin(z[0]) * sympy.sinh(z[1])


@_reads
def _tan(z):
    return _divide(_sin(z), _cos(z))


@_reads
def _sinh(z):
    return sympy.sinh(z[0]) * sympy.cos(z[1]), sympy.cosh(z[0]) * sympy.sin(z[1])


@_reads
def _cosh(z):
    return sympy.cosh(z[0]) * sympy.cos(z[1]), sympy.sinh(z[0]) * sympy.sin(z[1])


@_reads
def _tanh(z):
    return _divide(_sinh(z), _cosh(z))


def _where(condition: Any, a: Any, b: Any) -> ComplexTraceable:
    condition = as_truth(condition)
    return ComplexTraceable(*(symbol_where(condition, *parts) for parts in zip(_pair(a), _pair(b), strict=True)))


def _angle_of(z: Any, deg: bool = False) -> Any:
    found = each_entry(lambda v: Traceable(_angle(_pair(v))), [z])
    return found * (180 / np.pi) if deg else found


COMPLEX["where"] = _where
FUNCTIONS[np.angle] = _angle_of
