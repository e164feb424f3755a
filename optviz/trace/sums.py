"""Sums over data in a formula, kept as one: a hundred terms that differ in their numbers alone.

sympy takes a second to derive and to sort such a hundred, and minutes for a thousand. Here it sees
one term, and a function that stands for the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import sympy

FEWEST = 12  # terms alike that make a sum
_NUMBERS = count(1)  # sympy tells functions apart, and sorts them, by their names


class _SumOver(sympy.Function):
    """A sum of `term` over `rows`: each has a number for each of `columns`. A subclass for each sum."""

    term: Any
    inputs: tuple[sympy.Symbol, ...]  # which the arguments stand for in the term
    columns: tuple[sympy.Symbol, ...]
    rows: tuple[tuple[float, ...], ...]

    def fdiff(self, argindex=1):
        slope = sympy.diff(self.term, self.inputs[argindex - 1])
        slope = slope.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))  # of a sign, as in PyTorch
        return _sum_over(slope, self.inputs, self.columns, self.rows)(*self.args)

    _eval_is_extended_real = lambda self: True  # noqa: E731

    @classmethod
    def shown(cls, *arguments):
        """As on paper; `u` and those after it are the data."""
        i = sympy.Symbol("i", integer=True)
        data = {c: sympy.Symbol(f"{letter}_i") for c, letter in zip(cls.columns, "uvwabcdefgh", strict=False)}
        term = cls.term.xreplace({**data, **dict(zip(cls.inputs, arguments, strict=True))})
        return sympy.Sum(term, (i, 1, len(cls.rows)))


def _sum_over(term: Any, inputs: Sequence[Any], columns: Sequence[Any], rows: Sequence[Any]) -> Callable:
    """What makes a sum of arguments; a term without data is only multiplied."""
    if not term.free_symbols & set(columns):
        return lambda *arguments: len(rows) * term.xreplace(dict(zip(inputs, arguments, strict=True)))
    own = {"term": term, "inputs": tuple(inputs), "columns": tuple(columns), "rows": rows, "nargs": len(inputs)}
    return type(f"sum_over_{next(_NUMBERS)}", (_SumOver,), own)


def sum_of_rows(pattern: Any, rows: Sequence[dict]) -> Any:
    """The sum of a pattern over rows of numbers for some of its symbols."""
    kept: dict[tuple, Any] = {}
    for symbol in [symbol for symbol in rows[0] if symbol in pattern.free_symbols]:
        numbers = tuple(float(row[symbol]) for row in rows)
        same = kept.get(numbers) if len(set(numbers)) > 1 else sympy.sympify(rows[0][symbol])
        if same is None:
            kept[numbers] = symbol
        else:
            pattern = pattern.xreplace({symbol: same})
    columns, data = list(kept.values()), tuple(zip(*kept, strict=True))
    if not columns:
        return len(rows) * pattern
    inner = {part: sympy.Dummy("s", real=True) for part in pattern.atoms(_SumOver) if not part.has(*columns)}
    term = pattern.xreplace(inner)  # what is a sum itself is added up once, not for every row
    inputs = sorted(term.free_symbols - set(columns), key=str)
    if not inputs:
        return sympy.Add(*(term.xreplace(dict(zip(columns, row, strict=True))) for row in data))
    outer = {symbol: part for part, symbol in inner.items()}
    return _sum_over(term, inputs, columns, data)(*(outer.get(symbol, symbol) for symbol in inputs))


def is_sum(kind: type) -> bool:
    """Whether a function in symbols is a sum over data."""
    return issubclass(kind, _SumOver)


def added(kind: Any, reading: Callable) -> Callable:
    """A sum over data as a function of numbers, given the reading of its term: row after row, in every reading."""

    def total(*arguments):
        (first,), *others = (reading(*arguments, *row) for row in kind.rows)
        for (value,) in others:
            first = first + value
        return first

    return total


def with_sums(expression: Any) -> Any:
    """An expression in which many terms that differ only in their numbers are one sum."""
    if not any(_is_long(part) for part in sympy.preorder_traversal(expression)):
        return expression
    return expression.replace(_is_long, _collected)


def _is_long(part: Any) -> bool:
    return bool(part.is_Add) and len(part.args) >= FEWEST


def _collected(whole: Any) -> Any:
    groups: dict[str, list] = {}
    for term in whole.args:
        key, numbers = _read(term)
        groups.setdefault(key, []).append((term, numbers))
    return sympy.Add(*(part for alike in groups.values() for part in _gathered(alike)))


def _gathered(alike: list) -> list:
    """Terms of one build as a sum over their numbers, where there are enough of them."""
    terms, numbers = zip(*alike, strict=True)
    if len(terms) < FEWEST:
        return list(terms)
    places = [
        sympy.Dummy(f"d{k}", real=True) if len(set(c)) > 1 else c[0] for k, c in enumerate(zip(*numbers, strict=True))
    ]
    term = _built(terms[0], iter(places))
    varied = [p for p in places if p.is_Symbol]
    kept = [k for k, p in enumerate(places) if p.is_Symbol]
    inputs = sorted(term.free_symbols - set(varied), key=str)
    rows = tuple(tuple(float(row[k]) for k in kept) for row in numbers)
    return [_sum_over(term, inputs, varied, rows)(*inputs)]


def _parts(expression: Any) -> list[tuple[str, list, Any]]:
    """The operands of an expression with how each is built and its numbers, in an order that numbers do not decide."""
    parts = [(*_read(part), part) for part in expression.args]
    return sorted(parts, key=lambda part: part[0]) if expression.is_Add or expression.is_Mul else parts


def _read(expression: Any) -> tuple[str, list]:
    """How an expression is built, its numbers left out; and these."""
    if expression.is_Number:
        return "#", [expression]
    if not expression.args:
        return str(expression), []
    if expression.is_Pow:  # an exponent is no datum
        key, numbers = _read(expression.base)
        return f"({key})**{expression.exp}", numbers
    parts = _parts(expression)
    key = f"{type(expression).__name__}({','.join(key for key, _, _ in parts)})"
    return key, [n for _, numbers, _ in parts for n in numbers]


def _built(expression: Any, places: Any) -> Any:
    """The same expression with the next places for its numbers."""
    if expression.is_Number:
        return next(places)
    if not expression.args:
        return expression
    if expression.is_Pow:
        return _built(expression.base, places) ** expression.exp
    return expression.func(*(_built(part, places) for _, _, part in _parts(expression)))
