"""Read one plain function several ways: as numbers, as derivatives, as a formula.

An update rule or an objective is written once, with Python's operators and the
functions of a namespace `xp`. Called with floats it gives one run, with numpy arrays
many runs at once, with sympy symbols its derivatives and its typeset formula, with
recorded values the JavaScript that an exported page runs.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
from numpy.lib.mixins import NDArrayOperatorsMixin
from sympy.printing.pycode import PythonCodePrinter

from .functions import ALIASES, COMPOSED, PRINTED, ROWS, symbol_where
from .sums import added, is_sum


def _array_where(condition, a, b):
    """Skip the arrays when the condition is one plain truth value, as `t == 1` is."""
    if condition is True or condition is False or isinstance(condition, np.bool_):
        return a if condition else b
    return np.where(condition, a, b)


def namespace(functions: Mapping[str, Callable], where: Callable, equal: Callable, pi: Any = math.pi) -> Any:
    """The functions of one kind of value, and what is the same of every kind."""
    least, most = functions["minimum"], functions["maximum"]
    own = {"abs": functions["absolute"], "where": where, "equal": equal, "pi": pi}
    return SimpleNamespace(**functions, **own, clip=lambda x, low, high: least(most(x, low), high))


# The functions that a traced definition may use, once for each kind of value.
FLOATS = namespace({n: r.floats for n, r in ROWS.items()}, lambda c, a, b: a if c else b, operator.eq)
ARRAYS = namespace({n: r.arrays for n, r in ROWS.items()}, _array_where, operator.eq)
SYMBOLS = namespace({n: r.symbol for n, r in ROWS.items()}, symbol_where, sympy.Eq, sympy.pi)


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

    def __init__(self, names: Mapping[Any, str]):
        super().__init__({"fully_qualified_modules": False})
        self._names = names
        self.sums: dict[Any, str] = {}  # over data, by the names they are called by

    def _print_Symbol(self, expr):
        return self._names.get(expr) or super()._print_Symbol(expr)

    _print_Dummy = _print_Symbol

    def _print_Pow(self, expr, rational=False):
        base, exponent = expr.as_base_exp()
        if exponent.is_Integer and 1 < abs(exponent) <= 8:
            count = abs(int(exponent))
            text = self._print(base)
            product = f"({'*'.join([text] * count)})" if base.is_Symbol else f"power{count}({text})"
            return product if exponent > 0 else f"(1/{product})"
        if exponent.is_Number and abs(float(exponent)) == 0.5:
            root = f"sqrt({self._print(base)})"
            return root if exponent > 0 else f"(1/{root})"
        if exponent.is_Integer or base.is_positive:
            return super()._print_Pow(expr, rational=rational)
        return f"power({self._print(base)}, {self._print(exponent)})"  # of floats no complex number

    def _print_Piecewise(self, expr):
        *cases, (last, condition) = expr.args
        text = self._print(last)
        if condition != True:  # noqa: E712  sympy's truth is not Python's
            text = f"where({self._print(condition)}, {text}, nan)"
        for value, condition in reversed(cases):
            text = f"where({self._print(condition)}, {self._print(value)}, {text})"
        return text

    def _print_Function(self, e):
        name = PRINTED.get(type(e).__name__)
        if is_sum(type(e)):
            name = self.sums.setdefault(type(e), f"sum{len(self.sums)}")
        if name is None:
            raise TypeError(f"sympy.{type(e).__name__} of a variable cannot be followed")
        return f"{name}({', '.join(map(self._print, e.args))})"

    def _print_Not(self, expr):
        return f"logical_not({self._print(expr.args[0])})"

    def _print_Xor(self, expr):
        return reduce(lambda a, b: f"({a} != {b})", (f"({self._print(a)})" for a in expr.args))

    def _print_ITE(self, expr):
        """A choice between truths as the operators on them."""
        condition, a, b = expr.args
        return self._print(sympy.Or(sympy.And(condition, a), sympy.And(sympy.Not(condition), b)))

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


for _name in PRINTED:  # where sympy would print its own name for it
    setattr(_Printer, f"_print_{_name}", _Printer._print_Function)


class Compiled:
    """Sympy expressions made callable: `floats(...)` for numbers, `arrays(...)` for arrays.

    Both return a list, one entry an expression; an entry that does not depend on the
    arguments comes back as a plain number. Shared terms are computed once.
    """

    def __init__(self, arguments: Sequence[sympy.Symbol], expressions: Sequence[Any]):
        self.names = tuple(map(str, arguments))  # sympy takes 20 us to print one
        self.expressions = tuple(map(sympy.sympify, expressions))
        self.source = self._print(arguments)
        self.floats = self._bind(vars(FLOATS))
        self.arrays = self._bind(vars(ARRAYS))

    def _print(self, arguments: Sequence[sympy.Symbol]) -> str:
        numbered = {symbol: f"a{k}" for k, symbol in enumerate(arguments)}  # a name may be any text
        printer = _Printer(numbered)
        names = sympy.numbered_symbols("_", real=True)
        shared, results = sympy.cse(self.expressions, symbols=names)
        lines = [f"def function({', '.join(numbered.values())}):"]
        lines += [f"    {name} = {printer.doprint(value)}" for name, value in shared]
        lines += [f"    return [{', '.join(printer.doprint(value) for value in results)}]"]
        self._sums = {name: (kind, Compiled([*kind.inputs, *kind.columns], [kind.term]))
                      for kind, name in printer.sums.items()}  # fmt: skip
        return "\n".join(lines)

    def _bind(self, namespace: dict[str, Any]) -> Callable[..., list]:
        scope = {**namespace, **_powers(), "nan": math.nan, "inf": math.inf}
        scope |= {name: added(kind, term._bind(namespace)) for name, (kind, term) in self._sums.items()}
        exec(self.source, scope)  # the text was printed above, from sympy expressions alone
        return scope["function"]

    def called(self, namespace: dict[str, Any], *arguments: Any) -> list:
        """The entries computed with another namespace, in the order of operations of `floats`."""
        return self._bind(namespace)(*arguments)

    def recorded(self, *arguments: Recorded) -> list:
        """The entries as recorded JavaScript, in the order of operations of `floats`."""
        return self._bind(vars(SCRIPT))(*arguments)


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

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        name = ufunc.__name__
        if method == "__call__" and not options and name in COMPOSED:
            return COMPOSED[name](*inputs)
        noted = self.noted(ALIASES.get(name, name), inputs) if method == "__call__" and not options else None
        if noted is None:
            raise TypeError(not_followed(name))
        return noted

    def __array_function__(self, function, types, arguments, options):
        if function is np.where and len(arguments) == 3:
            return self.choice(*arguments)
        if function is np.clip or function is np.sinc:
            return self.clip(*arguments[1:], **options) if function is np.clip else self.noted("sinc", arguments)
        raise TypeError(not_followed(function.__name__))

    def clip(self, a_min=None, a_max=None):
        """The value within bounds."""
        above = self if a_min is None else np.maximum(self, a_min)
        return above if a_max is None else np.minimum(above, a_max)

    def noted(self, name: str, inputs: Sequence[Any]) -> Any:
        """The result of a function of numpy's or scipy's of this name; None if it has no other readings."""
        raise NotImplementedError

    def choice(self, condition: Any, a: Any, b: Any) -> Any:
        """a where the condition holds, else b."""
        raise NotImplementedError


def not_followed(name: str) -> str:
    """The sentence on a function that has no other readings."""
    owner = "numpy" if hasattr(np, name.partition(".")[0]) else "scipy.special"
    return f"{owner}.{name} of a variable cannot be followed"


class Recorded(Noted):
    """A value that writes down what is done with it, as JavaScript on a `Tape`."""

    def __init__(self, tape: Tape, text: str):
        self.tape, self.text = tape, text

    def noted(self, name, inputs):
        if name == "power" and not isinstance(inputs[1], Recorded) and inputs[1] == 2:
            # as numpy does; C's pow, and so a float's x**2, may round otherwise
            return self.tape.keep(f"{script(inputs[0])} * {script(inputs[0])}")
        texts = [*map(script, inputs)]
        if name in _OPERATORS:
            return self.tape.keep(_OPERATORS[name].format(*texts))
        return self.tape.keep(ROWS[name].text(*texts)) if name in ROWS else None

    def choice(self, condition, a, b):
        return _script_where(condition, a, b)


_OPERATORS = {
    "add": "{} + {}", "subtract": "{} - {}", "multiply": "{} * {}", "divide": "{} / {}", "negative": "-{}",
    "bitwise_and": "{} & {}", "bitwise_or": "{} | {}", "bitwise_xor": "{} ^ {}", "less": "{} < {}",
    "less_equal": "{} <= {}", "greater": "{} > {}", "greater_equal": "{} >= {}", "equal": "{} == {}",
    "not_equal": "{} != {}",
}  # fmt: skip


def script(value: Any) -> str:
    """A recorded value or a number as JavaScript; a float reads back as the same float."""
    if isinstance(value, Recorded):
        return value.text
    if isinstance(value, int | np.integer | np.bool_):
        return str(int(value))
    return repr(float(value)).replace("inf", "Infinity").replace("nan", "NaN")


def noting(name: str) -> Callable:
    """A function that notes what is done with noted values; of numbers alone it gives a number."""
    plain = ROWS[name].floats

    def call(*values):
        noted = next((v for v in values if isinstance(v, Noted)), None)
        return plain(*values) if noted is None else noted.noted(name, values)

    return call


def _script_where(condition, a, b):
    if not isinstance(condition, Recorded):
        return a if condition else b
    return condition.tape.keep(f"{condition.text} ? {script(a)} : {script(b)}")


SCRIPT = namespace({name: noting(name) for name in ROWS}, _script_where, operator.eq)


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
