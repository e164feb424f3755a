"""Read one plain function several ways: as numbers, as derivatives, as a formula.

An update rule or an objective is written once, with Python's operators and the
functions of a namespace `xp`. Called with floats it gives one run, with numpy arrays
many runs at once, with sympy symbols its derivatives and its typeset formula, with values
of a tape (`tape.py`) the kernels of sweeps and the JavaScript that an exported page runs.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
from sympy.printing.pycode import PythonCodePrinter

from .functions import PRINTED, ROWS, symbol_where
from .sums import added, is_sum

LONG = 800  # nodes of an expression: twice those of the longest in the catalogue


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


def symbols(*names: str) -> list[sympy.Symbol]:
    """Real sympy symbols of these names."""
    return [sympy.Symbol(name, real=True) for name in names]


def derivatives(expression: Any, variables: Sequence[sympy.Symbol]) -> tuple[list, list]:
    """The gradient, and the rows of the Hessian one after the other, as sympy expressions."""
    expression = sympy.sympify(expression)
    gradient = [_derivative(expression, v) for v in variables]
    above = {(i, k): _derivative(gradient[i], v) for k, v in enumerate(variables) for i in range(k + 1)}
    places = range(len(variables))
    return gradient, [above[min(i, k), max(i, k)] for i in places for k in places]


def _derivative(expression: Any, variable: sympy.Symbol) -> Any:
    """Common factors taken out; the derivative of sign is zero almost everywhere, as in PyTorch."""
    slope = sympy.diff(expression, variable)
    slope = slope.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
    return _gathered(slope.replace(sympy.Piecewise, _factored))


def _factored(*cases: Any) -> Any:
    """Cases with what all of them are multiplied by in front: a shared choice is made once."""
    factors = [set(sympy.Mul.make_args(_gathered(value))) for value, _ in cases]
    common = sympy.Mul(*(f for f in set.intersection(*factors) if f.is_Symbol))
    return common * sympy.Piecewise(*((value / common, condition) for value, condition in cases))


def _gathered(expression: Any) -> Any:
    """Common factors taken out, of what is not so long that this takes seconds."""
    nodes = sum(1 for _ in islice(sympy.preorder_traversal(expression), LONG + 1))
    return sympy.factor_terms(expression) if nodes <= LONG else expression
