"""What a function of numpy's does with sympy's expressions, by its name; with variables, by the expressions in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy
from sympy.logic.boolalg import Boolean

from .alike import added_alike
from .functions import ROWS


class NotFollowed(TypeError):
    """The reason in words why a function has no formula."""


class TooLong(NotFollowed):
    """Too many numbers for a formula."""


def as_expression(value: Any) -> Any:
    """A number, a truth or a variable as sympy's, a number at its full precision."""
    if hasattr(type(value), "_sympy_"):  # a variable
        return value._sympy_()
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return as_expression(value[()])
    if isinstance(value, np.generic):  # a float32 would be printed with the digits of a float32
        value = float(value) if isinstance(value, np.floating) else value.item()
    return sympy.sympify(value)


def as_number(value: Any) -> Any:
    """An expression, a condition counting as 1 or 0."""
    value = as_expression(value)
    if value in (sympy.true, sympy.false):
        return sympy.Integer(int(value == sympy.true))
    return sympy.Piecewise((1, value), (0, True)) if is_truth(value) else value


def is_truth(value: Any) -> bool:
    """Whether an expression is a condition."""
    return isinstance(value, Boolean) and not isinstance(value, sympy.Symbol)  # which sympy has as both


def as_truth(value: Any) -> Any:
    """A condition: of a number, that it is not 0."""
    value = as_expression(value)
    return value if is_truth(value) else sympy.Ne(value, 0)


def _raised(base: Any, exponent: Any) -> Any:
    """A power; a whole exponent is an integer, so that x**2.0 is x**2."""
    if exponent.is_Float and exponent == int(exponent):
        exponent = sympy.Integer(int(exponent))
    return base**exponent


def _of_numbers(function: Callable) -> Callable:
    return lambda *values: function(*map(as_number, values))


def _of_truths(function: Callable) -> Callable:
    return lambda *values: function(*map(as_truth, values))


CALLS: dict[str, Callable] = {
    **{name: _of_numbers(row.symbol) for name, row in ROWS.items()},
    **{name: _of_numbers(function) for name, function in {
        "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b, "negative": lambda a: -a, "power": _raised, "less": sympy.Lt,
        "less_equal": sympy.Le, "greater": sympy.Gt, "greater_equal": sympy.Ge, "equal": sympy.Eq,
        "not_equal": sympy.Ne}.items()},
    **{name: _of_truths(function) for name, function in {
        "bitwise_and": sympy.And, "bitwise_or": sympy.Or, "bitwise_xor": sympy.Xor,
        "logical_not": sympy.Not}.items()},
}  # fmt: skip


def part_of(value: Any, whole: bool = False) -> tuple[Any, Any]:
    """A variable as a pattern and its numbers, see `alike.py`; anything else as it is."""
    if not hasattr(value, "pattern"):
        return value, None
    return (value.expression, None) if whole else (value.pattern, value.row)


REDUCED: dict[str, Callable] = {
    "add": lambda entries: _total(entries),
    "multiply": lambda entries: sympy.Mul(*map(as_number, entries)),
    "maximum": lambda entries: _in_pairs(ROWS["maximum"].symbol, [*map(as_number, entries)]),
    "minimum": lambda entries: _in_pairs(ROWS["minimum"].symbol, [*map(as_number, entries)]),
    "logical_and": lambda entries: sympy.And(*map(as_truth, entries)),
    "logical_or": lambda entries: sympy.Or(*map(as_truth, entries)),
}


def _total(entries: Sequence[Any]) -> Any:
    totals, rest = added_alike([part_of(entry) for entry in entries])
    return sympy.Add(*totals, *(as_number(entries[place]) for place in rest))


def _in_pairs(choose: Callable, entries: list) -> Any:
    """The largest or smallest as a tree: a chain of a hundred would be too deep for sympy."""
    if len(entries) == 1:
        return entries[0]
    half = len(entries) // 2
    return choose(_in_pairs(choose, entries[:half]), _in_pairs(choose, entries[half:]))
