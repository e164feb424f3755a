"""A schedule of learning rates as equations: MathML that a browser typesets, traced from what computes."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import param
import sympy

from ..rules.schedule import Schedule
from .equations import TYPESET
from .mathml import mathml, symbol_mathml

HEAD, TAIL = mathml([(sympy.Symbol("a"), sympy.Symbol("b"))]).split("<mtr>")[0], "</mtable></math>"
OWN, NOW = "eta_0", "eta_t"  # the rule's own rate, and that of a step


def schedule_mathml(schedule: Schedule) -> str:
    """The rate of step t, and what its formula names, as one MathML block; `schedule_letters` has the numbers."""
    if type(schedule).rate is Schedule.rate:
        return ""  # of a list or a function
    chosen = {name: getattr(schedule, name) for name in type(schedule).choices()}
    return HEAD + "".join(rows_of(type(schedule), tuple(chosen.items()))) + TAIL


@lru_cache(maxsize=64)
def rows_of(cls: type[Schedule], chosen: tuple) -> tuple[str, ...]:
    """The rows of the same, between `HEAD` and `TAIL`, for a class and its texts and flags."""
    own = {n: sympy.Symbol(symbol_of(cls, n), positive=True) for n in numbers_of(cls)}
    still = {n: cls.param[n].default for n in cls.own() if n not in own}
    h = SimpleNamespace(**{**still, **own, **dict(chosen)})
    lr, t, named = sympy.Symbol(OWN, positive=True), sympy.Symbol("t", real=True), {}

    def let(name: str, value: Any) -> Any:
        symbol = sympy.Symbol(name, real=True)
        named[symbol] = sympy.sympify(value)
        return symbol

    rate = sympy.sympify(cls.rate(h, lr, t, let, TYPESET))
    blocks = [mathml([pair]) for pair in [(sympy.Symbol(NOW), rate), *named.items()]]
    return tuple(block.removeprefix(HEAD).removesuffix(TAIL) for block in blocks)


def schedule_letters(schedule: Schedule) -> list[tuple[str, str]]:
    """The symbols of the formula with their values, as `hyperparameter_mathml` has a rule's."""
    kind = type(schedule)
    if kind.rate is Schedule.rate:
        return []
    return [(symbol_mathml(symbol_of(kind, n)), f"{getattr(schedule, n):.6g}") for n in numbers_of(kind)]


def numbers_of(cls: type[Schedule]) -> list[str]:
    """The names of what stands as a letter in its formula."""
    texts = (param.Boolean, param.Selector)
    return [name for name in cls.own() if not isinstance(cls.param[name], texts)]


def symbol_of(cls: type[Schedule], name: str) -> str:
    """What stands for one of its numbers."""
    return getattr(cls.param[name], "symbol", "") or name
