"""Read one plain function several ways: as numbers, as derivatives, as a formula.

An update rule or an objective is written once, with Python's operators and the
functions of a namespace `xp`. Called with floats it gives one run, with numpy arrays
many runs at once, with sympy symbols its derivatives and its typeset formula, with
recorded values the JavaScript that an exported page runs.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
from numpy.lib.mixins import NDArrayOperatorsMixin
from sympy.printing.pycode import PythonCodePrinter


def _float_sign(x):
    return x if x != x else 1.0 * (x > 0) - (x < 0)  # numpy's truth values do not subtract


def _float_maximum(a, b):
    return a if a >= b or a != a else b


def _float_minimum(a, b):
    return a if a <= b or a != a else b


def _array_where(condition, a, b):
    """Skip the arrays when the condition is one plain truth value, as `t == 1` is."""
    if condition is True or condition is False or isinstance(condition, np.bool_):
        return a if condition else b
    return np.where(condition, a, b)


def _symbol_where(condition, a, b):
    condition, a, b = map(sympy.sympify, (condition, a, b))  # a Traceable gives up its expression
    if condition in (True, False):
        return a if condition else b
    rest = b.args if isinstance(b, sympy.Piecewise) else [(b, True)]  # one list of cases, not a nest
    return sympy.Piecewise((a, condition), *rest)


# The functions a traced definition may use, once for each kind of value. `Piecewise`
# stands for where, maximum and minimum, so that derivatives at a kink are one-sided
# (PyTorch's relu'(0) = 0) instead of sympy's Heaviside(0) = 1/2.
FLOATS = SimpleNamespace(
    sqrt=math.sqrt, exp=math.exp, log=math.log, sin=math.sin, cos=math.cos, tan=math.tan,
    tanh=math.tanh, abs=abs, sign=_float_sign, maximum=_float_maximum, minimum=_float_minimum,
    equal=lambda a, b: a == b, where=lambda condition, a, b: a if condition else b, pi=math.pi,
)  # fmt: skip
ARRAYS = SimpleNamespace(
    sqrt=np.sqrt, exp=np.exp, log=np.log, sin=np.sin, cos=np.cos, tan=np.tan,
    tanh=np.tanh, abs=np.abs, sign=np.sign, maximum=np.maximum, minimum=np.minimum,
    equal=lambda a, b: a == b, where=_array_where, pi=math.pi,
)  # fmt: skip
SYMBOLS = SimpleNamespace(
    sqrt=sympy.sqrt, exp=sympy.exp, log=sympy.log, sin=sympy.sin, cos=sympy.cos, tan=sympy.tan,
    tanh=sympy.tanh, abs=sympy.Abs, sign=sympy.sign,
    maximum=lambda a, b: _symbol_where(a > b, a, b),
    minimum=lambda a, b: _symbol_where(a < b, a, b),
    equal=sympy.Eq, where=_symbol_where, pi=sympy.pi,
)  # fmt: skip


# What a user's numpy or sympy function may bring in besides, under sympy's names.
_MORE = {"atan": "arctan", "asin": "arcsin", "acos": "arccos", "sinh": "sinh", "cosh": "cosh",
         "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "floor": "floor", "ceil": "ceil"}  # fmt: skip
MORE_FLOATS = {name: getattr(math, name) for name in _MORE}
MORE_ARRAYS = {name: getattr(np, numpy_name) for name, numpy_name in _MORE.items()}


def _powers() -> dict[str, Callable]:
    """`power2` to `power8`: products, since C's pow rounds unlike numpy's."""
    return {
        f"power{n}": eval(f"lambda base: {'*'.join(['base'] * n)}")  # no input reaches it
        for n in range(2, 9)
    }


class _Printer(PythonCodePrinter):
    """Print sympy expressions with the bare names of a namespace, powers multiplied out.

    Floats and arrays then do the same operations in the same order: one lane of a batch
    equals the same run alone, bit for bit.
    """

    def _print_Pow(self, expr, rational=False):
        base, exponent = expr.as_base_exp()
        if exponent.is_Integer and 1 < abs(exponent) <= 8:
            count = abs(int(exponent))
            text = self._print(base)
            product = f"({'*'.join([text] * count)})" if base.is_Symbol else f"power{count}({text})"
            return product if exponent > 0 else f"(1/{product})"
        if exponent == sympy.Rational(1, 2):
            return f"sqrt({self._print(base)})"
        if exponent == sympy.Rational(-1, 2):
            return f"(1/sqrt({self._print(base)}))"
        return super()._print_Pow(expr, rational=rational)

    def _print_Piecewise(self, expr):
        *cases, (last, condition) = expr.args
        if condition == True and len(cases) == 1:  # noqa: E712
            name = {sympy.Gt: "maximum", sympy.Lt: "minimum"}.get(cases[0][1].func)
            if name and cases[0][1].args == (cases[0][0], last):
                return f"{name}({self._print(cases[0][0])}, {self._print(last)})"
        text = self._print(last)
        if condition != True:  # noqa: E712  sympy's truth is not Python's
            text = f"where({self._print(condition)}, {text}, nan)"
        for value, condition in reversed(cases):
            text = f"where({self._print(condition)}, {self._print(value)}, {text})"
        return text

    def _print_Function(self, e):
        return f"{e.func.__name__.lower()}({', '.join(map(self._print, e.args))})"

    _print_exp = _print_log = _print_sin = _print_cos = _print_tan = _print_Function
    _print_Abs = _print_sign = _print_tanh = _print_Function

    def _print_And(self, expr):
        return "(" + " & ".join(f"({self._print(a)})" for a in expr.args) + ")"

    def _print_Or(self, expr):
        return "(" + " | ".join(f"({self._print(a)})" for a in expr.args) + ")"

    def _print_NaN(self, expr):
        return "nan"

    def _print_Infinity(self, expr):
        return "inf"

    def _print_Exp1(self, expr):
        return repr(math.e)

    def _print_Pi(self, expr):
        return repr(math.pi)

    def _print_Rational(self, expr):
        return f"({expr.p}/{expr.q})"


class Compiled:
    """Sympy expressions made callable: `floats(...)` for numbers, `arrays(...)` for arrays.

    Both return a list, one entry an expression; an entry that does not depend on the
    arguments comes back as a plain number. Shared terms are computed once.
    """

    def __init__(self, arguments: Sequence[sympy.Symbol], expressions: Sequence[Any]):
        self.names = tuple(map(str, arguments))  # sympy takes 20 us to print one
        self.expressions = tuple(map(sympy.sympify, expressions))
        self.source = self._print()
        self.floats = self._bind(vars(FLOATS) | MORE_FLOATS)
        self.arrays = self._bind(vars(ARRAYS) | MORE_ARRAYS)

    def _print(self) -> str:
        printer = _Printer({"fully_qualified_modules": False})
        names = sympy.numbered_symbols("_", real=True)
        shared, results = sympy.cse(self.expressions, symbols=names)
        lines = [f"def function({', '.join(self.names)}):"]
        lines += [f"    {name} = {printer.doprint(value)}" for name, value in shared]
        lines += [f"    return [{', '.join(printer.doprint(value) for value in results)}]"]
        return "\n".join(lines)

    def _bind(self, namespace: dict[str, Any]) -> Callable[..., list]:
        scope = {**namespace, **_powers(), "nan": math.nan, "inf": math.inf}
        exec(self.source, scope)  # the text was printed above, from sympy expressions alone
        return scope["function"]

    def called(self, namespace: dict[str, Any], *arguments: Any) -> list:
        """The entries computed with another namespace, in the order of operations of `floats`."""
        return self._bind(namespace)(*arguments)

    def recorded(self, *arguments: Recorded) -> list:
        """The entries as recorded JavaScript, in the order of operations of `floats`."""
        return self._bind(vars(SCRIPT))(*arguments)


_UFUNCS = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul,
    np.divide: operator.truediv, np.power: operator.pow, np.float_power: operator.pow,
    np.negative: operator.neg, np.positive: operator.pos, np.square: lambda a: a**2,
    np.less: sympy.Lt, np.less_equal: sympy.Le, np.greater: sympy.Gt,
    np.greater_equal: sympy.Ge, np.equal: sympy.Eq, np.arctan: sympy.atan, np.cosh: sympy.cosh,
    np.sinh: sympy.sinh, np.absolute: sympy.Abs, np.remainder: sympy.Mod,
    **{getattr(np, name): getattr(SYMBOLS, name) for name in (
        "sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "sign", "maximum", "minimum")},
}  # fmt: skip


class Traceable(NDArrayOperatorsMixin):
    """A symbol that plain operators, numpy's functions and sympy's all accept."""

    def __init__(self, expression: Any):
        self.expression = expression

    def _sympy_(self):
        return self.expression

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__" or ufunc not in _UFUNCS or options:
            return NotImplemented
        return Traceable(_UFUNCS[ufunc](*(sympy.sympify(value) for value in inputs)))

    def __bool__(self):
        raise TypeError("a branch on a variable cannot be traced, use optviz.xp.where")

    def __float__(self):
        raise TypeError("math's functions take numbers only, use numpy's or those of optviz.xp")


class Tape:
    """Straight-line JavaScript: one constant an operation, in the order of the calls, none twice."""

    def __init__(self):
        self.constants: dict[str, str] = {}  # by the operation whose result they hold

    def named(self, text: str) -> Recorded:
        """A value that JavaScript finds under this name."""
        return Recorded(self, text)

    def keep(self, operation: str) -> Recorded:
        """The result of an operation, in a constant t1, t2, ..."""
        return Recorded(self, self.constants.setdefault(operation, f"t{len(self.constants) + 1}"))


class Noted(NDArrayOperatorsMixin):
    """A value of which a tape notes what is done with it: it stands for no number yet."""

    def __hash__(self):
        return id(self)

    def __bool__(self):
        raise TypeError("a branch on a variable cannot be traced, use xp.where")

    def __float__(self):
        raise TypeError("math's functions take numbers only, use those of xp")


class Recorded(Noted):
    """A value that writes down what is done with it, as JavaScript on a `Tape`."""

    def __init__(self, tape: Tape, text: str):
        self.tape, self.text = tape, text

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__" or ufunc not in _SCRIPTS or options:
            return NotImplemented
        if ufunc is np.power and not isinstance(inputs[1], Recorded) and inputs[1] == 2:
            ufunc = np.square  # as numpy does; C's pow, and so a float's x**2, may round otherwise
        return self.tape.keep(_SCRIPTS[ufunc].format(*map(script, inputs)))


# Comparisons instead of Math.sign, Math.max and Math.min: as the floats do, down to a zero's sign.
_SCRIPTS = {
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.divide: "{} / {}",
    np.floor_divide: "floorDivide({}, {})", np.remainder: "modulo({}, {})", np.power: "Math.pow({}, {})",
    np.square: "{0} * {0}", np.negative: "-{}", np.positive: "{}", np.bitwise_and: "{} & {}", np.bitwise_or: "{} | {}",
    np.less: "{} < {}", np.less_equal: "{} <= {}", np.greater: "{} > {}", np.greater_equal: "{} >= {}",
    np.equal: "{} == {}", np.not_equal: "{} != {}",
    np.sign: "{0} > 0 ? 1 : {0} < 0 ? -1 : {0} == 0 ? 0 : NaN",
    np.maximum: "{0} >= {1} || {0} != {0} ? {0} : {1}", np.minimum: "{0} <= {1} || {0} != {0} ? {0} : {1}",
    **{function: f"Math.{name}({{}})" for name, function in MORE_ARRAYS.items()},
    **{getattr(ARRAYS, name): f"Math.{name}({{}})" for name in (
        "sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "abs")},
}  # fmt: skip


def script(value: Any) -> str:
    """A recorded value or a number as JavaScript; a float reads back as the same float."""
    if isinstance(value, Recorded):
        return value.text
    if isinstance(value, int | np.integer | np.bool_):
        return str(int(value))
    return repr(float(value)).replace("inf", "Infinity").replace("nan", "NaN")


def _recorder(name: str, plain: Callable) -> Callable:
    """A function that records what it does with recorded values; of numbers alone it gives a number."""
    ufunc = (vars(ARRAYS) | MORE_ARRAYS)[name]
    return lambda *values: (ufunc if any(isinstance(v, Recorded) for v in values) else plain)(*values)


def _script_where(condition, a, b):
    if not isinstance(condition, Recorded):
        return a if condition else b
    return condition.tape.keep(f"{condition.text} ? {script(a)} : {script(b)}")


_floats = {**vars(FLOATS), **MORE_FLOATS}
SCRIPT = SimpleNamespace(**{
    **{name: _recorder(name, value) for name, value in _floats.items() if callable(value)},
    "where": _script_where, "equal": FLOATS.equal, "pi": FLOATS.pi,
})  # fmt: skip


def symbols(*names: str) -> list[sympy.Symbol]:
    """Real sympy symbols of these names."""
    return [sympy.Symbol(name, real=True) for name in names]


def derivatives(expression: Any, variables: Sequence[sympy.Symbol]) -> tuple[list, list]:
    """The gradient, and the rows of the Hessian one after the other, as sympy expressions."""
    expression = sympy.sympify(expression)
    gradient = [_derivative(expression, v) for v in variables]
    hessian = [_derivative(g, v) for g in gradient for v in variables]
    return gradient, hessian


def _derivative(expression: Any, variable: sympy.Symbol) -> Any:
    """Common factors taken out; the derivative of sign is zero almost everywhere, as in PyTorch."""
    slope = sympy.diff(expression, variable)
    slope = slope.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
    return sympy.factor_terms(slope.replace(sympy.Piecewise, _factored))


def _factored(*cases: Any) -> Any:
    """Cases with what all of them are multiplied by in front: a shared choice is made once."""
    factors = [set(sympy.Mul.make_args(sympy.factor_terms(value))) for value, _ in cases]
    common = sympy.Mul(*(f for f in set.intersection(*factors) if f.is_Symbol))
    return common * sympy.Piecewise(*((value / common, condition) for value, condition in cases))
