"""The functions that a traced definition may use: a row each, with all of its readings.

Of floats, of arrays and in JavaScript a function is a function that others wrote; in symbols it is
one of sympy's, or one of those made here, which know their slopes. The names are numpy's.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from .sums import is_sum


@dataclass(frozen=True)
class Row:
    """One function: of floats, of arrays (with `out`), as a template of JavaScript, of sympy's expressions."""

    floats: Callable
    arrays: Callable
    script: str
    symbol: Callable


def _number(function: Callable) -> Callable:
    """Of floats as of arrays: a lane then has the same bits alone and among others."""
    return lambda *values: float(function(*values))


def _filling(function: Callable) -> Callable:
    """A function of arrays that takes `out`, made from one that does not."""

    def call(*values, out=None):
        found = function(*values)
        if out is None:
            return found
        out[...] = found
        return out

    return call


def _scipy(name: str) -> Callable:
    """One of scipy's special functions, which take a while to import."""

    def call(*values, **options):
        from scipy import special

        return getattr(special, name)(*values, **options)

    return call


def _float_sign(x):
    return x if x != x else 1.0 * (x > 0) - (x < 0)  # numpy's truth values do not subtract


def _float_maximum(a, b):
    return a if a >= b or a != a else b


def _float_minimum(a, b):
    return a if a <= b or a != a else b


def symbol_where(condition, a, b):
    """A choice as a Piecewise: one list of cases, not a nest."""
    condition, a, b = map(sympy.sympify, (condition, a, b))  # a Traceable gives up its expression
    if condition in (True, False):
        return a if condition else b
    rest = b.args if isinstance(b, sympy.Piecewise) else [(b, True)]
    return sympy.Piecewise((a, condition), *rest)


# In symbols


def _real(self) -> bool:
    return True


def _even_power(self, exponent):
    """Of a length: no root, and so a slope where it is zero."""
    a, b = self.args
    return (a**2 + b**2) ** (exponent / 2) if exponent.is_even else None


def _defined(name: str, *slopes: Callable, shown: Callable | None = None, **more: Callable) -> Any:
    """A function in symbols: its partial derivatives, each of (the call, its arguments), and how it is written."""

    def fdiff(self, argindex=1):
        return slopes[argindex - 1](self, *self.args)

    own = {"nargs": len(slopes), "fdiff": fdiff, "_eval_is_extended_real": _real, "shown": staticmethod(shown)}
    return type(name, (sympy.Function,), own | more)


def _flat(call, *arguments):
    return sympy.Integer(0)


def _sinc_slope(call, x):
    """Of sin(pi x) / (pi x): near 0 by its series, which has every derivative."""
    u = sympy.Symbol("u", real=True)
    near = sum(((-1) ** k * u ** (2 * k) / sympy.factorial(2 * k + 1) for k in range(1, 9)), sympy.Integer(0))
    slope = sympy.Piecewise((sympy.diff(sympy.sin(u) / u, u), u**2 > 0.25), (sympy.diff(near, u), True))
    return sympy.pi * slope.subs(u, sympy.pi * x)


def _second_chosen(call, a, b):
    """The second slope of fmax and fmin, which look past a nan; all of it at a tie, as of maximum(x, 0) at 0."""
    return sympy.Piecewise((1, sympy.Eq(call, b)), (0, True))


def _first_chosen(call, a, b):
    return 1 - _second_chosen(call, a, b)


def _larger_or_smaller(name: str, compare: Callable, shown: Callable) -> Any:
    """maximum or minimum: as sympy's, but with one-sided slopes at a kink, PyTorch's relu'(0) = 0, not 1/2."""

    def evaluate(cls, a, b):
        decided = compare(a, b)
        return a if decided == True else b if decided == False else None  # noqa: E712  sympy's truth is not Python's

    def slope(self, symbol):
        a, b = self.args
        return sympy.Piecewise((a.diff(symbol), compare(a, b)), (b.diff(symbol), True))

    own = {"nargs": 2, "eval": classmethod(evaluate), "_eval_derivative": slope, "_eval_is_extended_real": _real}
    return type(name, (sympy.Function,), own | {"shown": staticmethod(shown)})


maximum = _larger_or_smaller("maximum", sympy.Gt, sympy.Max)
minimum = _larger_or_smaller("minimum", sympy.Lt, sympy.Min)
# sympy's own of what may be complex to it, as log(x), have slopes in real and imaginary parts
absolute = _defined("absolute", lambda _, x: direction(x), shown=sympy.Abs)
direction = _defined("direction", _flat, shown=sympy.sign)


def _size(x):
    x = sympy.sympify(x)
    return sympy.Abs(x) if x.is_extended_real else absolute(x)


def _direction(x):
    x = sympy.sympify(x)
    return sympy.sign(x) if x.is_extended_real else direction(x)


_LN2, _LN10 = sympy.log(2), sympy.log(10)
expm1 = _defined("expm1", lambda _, x: sympy.exp(x), shown=lambda x: sympy.exp(x) - 1)
log1p = _defined("log1p", lambda _, x: 1 / (1 + x), shown=lambda x: sympy.log(1 + x))
exp2 = _defined("exp2", lambda call, x: _LN2 * call, shown=lambda x: 2**x)
log2 = _defined("log2", lambda _, x: 1 / (_LN2 * x))
log10 = _defined("log10", lambda _, x: 1 / (_LN10 * x))
cbrt = _defined("cbrt", lambda call, x: 1 / (3 * call**2), shown=lambda x: sympy.root(x, 3))
sinc = _defined("sinc", _sinc_slope)
hypot = _defined("hypot", lambda call, a, _: a / call, lambda call, _, b: b / call,
                 shown=lambda a, b: sympy.sqrt(a**2 + b**2), _eval_power=_even_power)  # fmt: skip
logaddexp = _defined("logaddexp", lambda call, a, _: sympy.exp(a - call), lambda call, _, b: sympy.exp(b - call),
                     shown=lambda a, b: sympy.log(sympy.exp(a) + sympy.exp(b)))  # fmt: skip
logaddexp2 = _defined("logaddexp2", lambda call, a, _: exp2(a - call), lambda call, _, b: exp2(b - call))
fmax = _defined("fmax", _first_chosen, _second_chosen, shown=sympy.Max)
fmin = _defined("fmin", _first_chosen, _second_chosen, shown=sympy.Min)
heaviside = _defined("heaviside", _flat, lambda _, x, half: sympy.Piecewise((1, sympy.Eq(x, 0)), (0, True)),
                     shown=sympy.Heaviside)  # fmt: skip
floor = _defined("floor", _flat, shown=sympy.floor)  # sympy's own have no derivative
ceil = _defined("ceil", _flat, shown=sympy.ceiling)
trunc = _defined("trunc", _flat)
rint = _defined("rint", _flat)
floor_divide = _defined("floor_divide", _flat, _flat, shown=lambda a, b: sympy.floor(a / b))
remainder = _defined("remainder", lambda *_: sympy.Integer(1), lambda _, a, b: -floor_divide(a, b),
                     shown=lambda a, b: sympy.Mod(a, b, evaluate=False))  # fmt: skip
fmod = _defined("fmod", lambda *_: sympy.Integer(1), lambda _, a, b: -trunc(a / b))


def _row(name: str, symbol: Callable, script: str = "", floats: Callable | None = None) -> Row:
    arrays = getattr(np, name)
    return Row(floats or _number(arrays), arrays, script or f"Math.{name}({{}})", symbol)


def _special(name: str, symbol: Callable) -> Row:
    arrays = _scipy(name)
    return Row(_number(arrays), arrays, f"$special.{name}({{}})", symbol)


# Comparisons instead of Math.sign, Math.max and Math.min: as the floats do, down to a zero's sign.
ROWS: dict[str, Row] = {
    **{name: _row(name, getattr(sympy, name), "", getattr(math, name))
       for name in ("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh")},
    **{name: _row(name, getattr(sympy, brief), f"Math.{brief}({{}})", getattr(math, brief))
       for name, brief in {"arctan": "atan", "arcsin": "asin", "arccos": "acos", "arcsinh": "asinh",
                           "arccosh": "acosh", "arctanh": "atanh"}.items()},
    **{name: _row(name, symbol) for name, symbol in {
        "expm1": expm1, "log1p": log1p, "log2": log2, "log10": log10, "cbrt": cbrt, "floor": floor, "ceil": ceil,
        "trunc": trunc}.items()},
    **{name: _row(name, symbol, f"$special.{name}({{}})") for name, symbol in {
        "exp2": exp2, "logaddexp": logaddexp, "logaddexp2": logaddexp2, "fmax": fmax, "fmin": fmin,
        "rint": rint, "heaviside": heaviside}.items()},
    "absolute": _row("absolute", _size, "Math.abs({})", math.fabs),
    "sign": _row("sign", _direction, "{0} > 0 ? 1 : {0} < 0 ? -1 : {0} == 0 ? 0 : NaN", _float_sign),
    "maximum": _row("maximum", maximum, "{0} >= {1} || {0} != {0} ? {0} : {1}", _float_maximum),
    "minimum": _row("minimum", minimum, "{0} <= {1} || {0} != {0} ? {0} : {1}", _float_minimum),
    "hypot": _row("hypot", hypot),
    "arctan2": _row("arctan2", sympy.atan2, "Math.atan2({})"),
    "power": _row("power", operator.pow, "Math.pow({})", math.pow),  # of floats a ValueError, not a complex number
    "remainder": _row("remainder", remainder, "modulo({})", operator.mod),
    "floor_divide": _row("floor_divide", floor_divide, "floorDivide({})", operator.floordiv),
    "fmod": _row("fmod", fmod, "{0} % {1}"),
    "logical_not": _row("logical_not", sympy.Not, "!({})", operator.not_),
    "sinc": Row(_number(np.sinc), _filling(np.sinc), "$special.sinc({})", sinc),
    **{name: _special(name, symbol) for name, symbol in {
        "erf": sympy.erf, "erfc": sympy.erfc, "gamma": sympy.gamma, "gammaln": sympy.loggamma,
        "polygamma": sympy.polygamma}.items()},
}  # fmt: skip
ROWS["polygamma"] = Row(_number(_scipy("polygamma")), _filling(_scipy("polygamma")), "$special.polygamma({})",
                        sympy.polygamma)  # fmt: skip

ROWS["psi"] = Row(_number(_scipy("psi")), _scipy("psi"), "$special.polygamma(0, {})", lambda x: sympy.polygamma(0, x))


def _unless_zero(a, product):
    return np.where(a == 0, 0.0, product)


# What numpy calls by another name, and what is a few operators
ALIASES = {"fabs": "absolute", "float_power": "power"}
COMPOSED: dict[str, Callable] = {
    "square": lambda a: a * a, "reciprocal": lambda a: 1 / a, "positive": lambda a: a,
    "conjugate": lambda a: a.conjugate(), "signbit": lambda a: a < 0,
    "copysign": lambda a, b: np.absolute(a) * np.where(b < 0, -1.0, 1.0),
    "deg2rad": lambda a: a * (math.pi / 180), "radians": lambda a: a * (math.pi / 180),
    "rad2deg": lambda a: a * (180 / math.pi), "degrees": lambda a: a * (180 / math.pi),
    "logical_and": lambda a, b: a & b, "logical_or": lambda a, b: a | b, "logical_xor": lambda a, b: a ^ b,
    "expit": lambda a: 1 / (1 + np.exp(-a)), "logit": lambda a: np.log(a / (1 - a)),
    "log_expit": lambda a: -np.logaddexp(0, -a), "softplus": lambda a: np.logaddexp(0, a),
    "exp10": lambda a: 10.0**a, "exprel": lambda a: np.where(a == 0, 1.0, np.expm1(a) / a),
    "cosm1": lambda a: -2 * np.sin(a / 2) ** 2, "ndtr": lambda a: _scipy("erfc")(a * -(0.5**0.5)) / 2,
    "xlogy": lambda a, b: _unless_zero(a, a * np.log(b)), "xlog1py": lambda a, b: _unless_zero(a, a * np.log1p(b)),
    "entr": lambda a: -_unless_zero(a, a * np.log(a)), "rel_entr": lambda a, b: _unless_zero(a, a * np.log(a / b)),
    "kl_div": lambda a, b: _unless_zero(a, a * np.log(a / b)) - a + b,
    "huber": lambda d, r: np.where(np.absolute(r) <= d, r * r / 2, d * (np.absolute(r) - d / 2)),
    "pseudo_huber": lambda d, r: d * d * (np.sqrt(1 + (r / d) ** 2) - 1),
    "betaln": lambda a, b: _scipy("gammaln")(a) + _scipy("gammaln")(b) - _scipy("gammaln")(a + b),
    "beta": lambda a, b: np.exp(COMPOSED["betaln"](a, b)), "divmod": lambda a, b: (a // b, a % b),
    "invert": np.logical_not, "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
}  # fmt: skip

# What the printer calls sympy's functions; those made here are called as they are
PRINTED = {
    "Abs": "abs", "absolute": "abs", "direction": "sign", "sign": "sign", "ceiling": "ceil",
    "atan": "arctan", "asin": "arcsin", "acos": "arccos", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "atan2": "arctan2", "loggamma": "gammaln",
} | {name: name for name in ROWS if name != "absolute"}  # fmt: skip


def _folded(choose: Callable) -> Callable:
    """Max and Min of sympy as choices, a number last: the slope of Max(x, 0) at 0 is then 0."""

    def fold(*arguments):
        first, *others = sorted(arguments, key=lambda a: (a.is_number, sympy.default_sort_key(a)))
        for other in others:
            first = choose(first, other)
        return first

    return fold


_REWRITTEN: dict[Any, Callable] = {
    sympy.Max: _folded(ROWS["maximum"].symbol), sympy.Min: _folded(ROWS["minimum"].symbol),
    sympy.Heaviside: heaviside, sympy.floor: floor, sympy.ceiling: ceil, sympy.Mod: remainder,
    sympy.frac: lambda x: x - floor(x),
    sympy.sinc: lambda x: sinc(x / sympy.pi), sympy.factorial: lambda x: sympy.gamma(x + 1),
    sympy.sec: lambda x: 1 / sympy.cos(x), sympy.csc: lambda x: 1 / sympy.sin(x), sympy.cot: lambda x: 1 / sympy.tan(x),
    sympy.sech: lambda x: 1 / sympy.cosh(x), sympy.csch: lambda x: 1 / sympy.sinh(x),
    sympy.coth: lambda x: 1 / sympy.tanh(x), sympy.acot: lambda x: sympy.atan(1 / x),
    sympy.acoth: lambda x: sympy.atanh(1 / x), sympy.asech: lambda x: sympy.acosh(1 / x),
    sympy.acsch: lambda x: sympy.asinh(1 / x), sympy.erf2: lambda a, b: sympy.erf(b) - sympy.erf(a),
    sympy.beta: lambda a, b: sympy.gamma(a) * sympy.gamma(b) / sympy.gamma(a + b),
    sympy.asec: lambda x: sympy.acos(1 / x), sympy.acsc: lambda x: sympy.asin(1 / x),
}  # fmt: skip


def _modulus(z: Any) -> Any:
    return hypot(*z.as_real_imag()) if z.has(sympy.I) else sympy.Abs(z)


def followed(expression: Any) -> Any:
    """An expression in functions that have all readings; TypeError names one that has not."""
    if expression.has(sympy.I):
        expression = expression.replace(sympy.Abs, _modulus)
    if expression.has(sympy.I):
        raise TypeError("it gives a complex number: return its sympy.Abs, re or im")
    kinds = {type(part) for part in sympy.preorder_traversal(expression)}
    for kind in kinds & _REWRITTEN.keys():
        expression = expression.replace(kind, _REWRITTEN[kind])
    known = {*_REWRITTEN, sympy.Piecewise, sympy.exp}
    odd = [k for k in kinds - known if issubclass(k, _ODD) and k.__name__ not in PRINTED and not is_sum(k)]
    if odd:
        raise TypeError(f"sympy.{odd[0].__name__} of a variable cannot be followed")
    return expression


_ODD = (sympy.Function, sympy.Derivative, sympy.Subs, sympy.Integral, sympy.Sum, sympy.Product)


def readable(expression: Any) -> Any:
    """An expression as it is written on paper: log(1 + x) for log1p(x)."""
    kinds = {type(part) for part in sympy.preorder_traversal(expression)}
    sums = {kind for kind in kinds if is_sum(kind)}
    for kind in sums or kinds:
        if getattr(kind, "shown", None):
            expression = expression.replace(kind, kind.shown)
    return readable(expression) if sums else expression  # the terms of the sums too
