"""The letters of a rule's formula: what each is printed as, and what it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import sympy

from ..rules.rule import Rule
from .equations import TYPESET, read, structure
from .mathml import symbol_mathml


@cache
def letters(cls: type[Rule]) -> dict[str, str]:
    """Each letter that a formula of this rule may have, as MathML, by what it stands for.

    A hyperparameter is "h.lr", a named term "m", its value of the step before "m_before", the point "x" and the next
    one "x_next", its gradient "g", the step's number "t"; of a coupled rule's coordinates "x_1", "H_11" and so on.
    """
    found: dict[str, Any] = {}
    for h in _structures(cls):
        hypers = {f"h.{name}": symbol for name, symbol in h.items() if isinstance(symbol, sympy.Symbol)}
        others = read(cls, h, TYPESET).symbols
        found |= hypers | {name: s for name, s in others.items() if s not in hypers.values()}
    points = [name for name in ("x", "x_1", "x_2") if name in found]
    names = {name: symbol.name for name, symbol in found.items()} | {f"{n}_next": f"{n}_(t+1)" for n in points}
    return {name: bare(symbol) for name, symbol in names.items()}


@cache
def corrections(cls: type) -> list[str]:
    """The decays beta for whose running means the formula makes up, by a factor of 1 - beta^t; of no `Rule`, none."""
    if not issubclass(cls, Rule):
        return []
    found: dict[str, None] = {}
    for h in _structures(cls):
        terms = read(cls, h, TYPESET)
        step = terms.symbols["t"]
        powers = {p for each in (*terms.terms.values(), *terms.steps) for p in sympy.sympify(each).atoms(sympy.Pow)}
        found |= {name: None for name, symbol in h.items() if any(p.args == (symbol, step) for p in powers)}
    return list(found)


def _structures(cls: type[Rule]) -> Iterator[dict[str, Any]]:
    """The rule's hyperparameters as symbols, its flags set in every way."""
    flags = [n for n in cls.hyperparameters() if isinstance(cls.param[n].default, bool)]
    for setting in product((False, True), repeat=len(flags)):
        yield structure(cls, tuple(zip(flags, setting, strict=True)), ())


def bare(symbol: str) -> str:
    """A symbol's MathML without the element around it."""
    return symbol_mathml(symbol).partition(">")[2].removesuffix("</math>")
