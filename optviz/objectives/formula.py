"""A surface from a formula that somebody typed: `formula("x^2 + a sin(b y)", a=2)`.

What is typed is read by `optviz.trace.formula_text` and derived by `optviz.trace.formula_nodes`; nothing of it is
evaluated as Python. Letters other than x and y are shape parameters.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
import param
import sympy

from ..messages import refuse
from ..spans import Quantity
from ..trace.formula_nodes import needed, program
from ..trace.formula_text import parsed
from ..trace.formula_tokens import LETTERS, is_plain
from ..trace.functions import followed
from ..trace.tracing import ARRAYS, FLOATS, SYMBOLS, symbols
from .first_picture import curve_start, start_in, window_of
from .minima import minima_of
from .objective import IDLE, Objective

OWN = "Your formula"  # what menus call it
EXAMPLE = "x^2 + 3y^2 + a sin(b x)"
LOW, HIGH, FARTHEST = -5.0, 5.0, 1e9  # of a letter's slider at first; what may be typed
# what is written with a sign
_SIGNS = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
          "negative": operator.neg, "less": operator.lt, "less_equal": operator.le, "greater": operator.gt,
          "greater_equal": operator.ge, "bitwise_and": operator.and_, "bitwise_or": operator.or_}  # fmt: skip


def formula(text: str, **letters: float) -> Formula:
    """A surface of x and y from a formula as it is typed, `formula("x^2 + a sin(b y)", a=2, b=3)`.

    Signs are + - * / and ^ or **; products need none: 3x y. Functions are those of numpy's names, abs, max, min,
    where(x > 0, ..., ...) and |x|; e and pi are constants, other letters shape parameters, 1 at first. Nothing of the
    text is evaluated. Raises ValueError in one sentence that names the character where it goes wrong.
    """
    made = Formula(text)
    odd = [name for name in letters if not made.holds(name)]
    if odd:
        known = ", ".join(made.shape_names()) or "none but x and y"
        refuse("formula", "has no such letter", odd[0], f"its letters are {known}")
    made.param.update(**letters)
    return made


class FormulaText(param.String):
    """A parameter for a formula as it is typed: one that cannot be read is refused."""

    def _validate_value(self, val: Any, allow_None: bool) -> None:
        super()._validate_value(val, allow_None)
        found = parsed(val)
        if found["why"]:
            raise ValueError(refusal(val, found))


class Reading:
    """Some nodes of a formula as a function of floats, of arrays, or of values of any other kind."""

    def __init__(self, nodes: Sequence[Any], roots: Sequence[int], names: Sequence[str]):
        self.names, self._roots = tuple(names), list(roots)
        self._steps = [(place, *nodes[place]) for place in needed(list(nodes), self._roots)]

    def floats(self, *arguments: float) -> list[float]:
        """The values at one point."""
        return self.called(vars(FLOATS), *arguments)

    def arrays(self, *arguments: Any) -> list[Any]:
        """The values at many points; one that does not depend on them is a plain number."""
        return self.called(vars(ARRAYS), *arguments)

    def called(self, namespace: Mapping[str, Any], *arguments: Any) -> list[Any]:
        """The same with another namespace's functions, in the same order of operations."""
        given, found = dict(zip(self.names, arguments, strict=True)), dict[int, Any]()
        for place, op, args in self._steps:
            if op == "number":
                found[place] = args[0]
            elif op == "input":
                found[place] = given[args[0]]
            else:
                found[place] = (_SIGNS.get(op) or namespace[op])(*[found[arg] for arg in args])
        return [found[root] for root in self._roots]

    @cached_property
    def expressions(self) -> tuple[Any, ...]:
        """The same in sympy's symbols."""
        found = self.called({**vars(SYMBOLS), "power": operator.pow}, *symbols(*self.names))
        return tuple(_whole(followed(sympy.sympify(each))) for each in found)


def _whole(expression: Any) -> Any:
    """Whole numbers as such: 3 x, not 3.0 x."""
    whole = {f: sympy.Integer(int(f)) for f in expression.atoms(sympy.Float) if f == int(f)}
    return expression.xreplace(whole)


class Written:
    """A formula as it was read: its letters, its value and its derivatives. As `optviz.objectives.objective.Traced`."""

    def __init__(self, text: str, curve: bool = False):
        found = parsed(text)
        if found["why"]:
            raise ValueError(refusal(text, found))
        self.parts, self.letters = found["parts"], found["letters"]
        self.variables, self.shape = symbols("x", "y"), symbols(*self.letters)
        names, self.program = ("x", "y", *self.letters), program(self.parts, curve)
        self.is_curve = self.program["curve"]
        self.value, self.gradient, self.hessian = (
            Reading(self.program["nodes"], self.program[name], names) for name in ("value", "gradient", "hessian")
        )

    @cached_property
    def expression(self) -> Any:
        """The formula in sympy's symbols."""
        return self.value.expressions[0]

    @cached_property
    def picture(self) -> tuple[Any, Any]:
        """The window and the start that the formula begins with, its letters at 1."""
        ones = [1.0] * len(self.letters)

        def value(x: Any, y: Any) -> Any:
            with np.errstate(all="ignore"):
                found = self.value.arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float), *ones)[0]
            return found + np.zeros(np.shape(x))

        domain = window_of(value)
        if self.is_curve:
            return (domain[0], IDLE), curve_start(domain, value)
        return domain, start_in(domain, value)


@lru_cache(maxsize=64)
def written(text: str, curve: bool = False) -> Written:
    """A formula, read once; one of x alone as a `curve` where that is wanted."""
    return Written(text, curve)


def refusal(text: str, found: Mapping[str, Any]) -> str:
    """The sentence on a formula that cannot be read."""
    at, to = found["at"], found["to"]
    return f"The formula cannot be read at character {at + 1}{_quoted(text[at:to])}. {found['why']}"


def _quoted(part: str) -> str:
    return f", “{part[:20]}”" if part.strip() and all([is_plain(c) for c in part[:20]]) else ""


class Formula(Objective):
    """A surface from a formula as it is typed; its letters are its shape parameters."""

    label = OWN
    text = param.String(EXAMPLE, constant=True, precedence=-1, doc="The formula, as it was typed.")
    curve = param.Boolean(False, constant=True, precedence=-1, doc="Whether one of x alone is a curve, not a valley.")
    traced: ClassVar[Any]  # of each instance

    def __init__(self, text: str = EXAMPLE, curve: bool = False, **letters: Any):
        found = written(text, curve)
        super().__init__(text=text, curve=curve, **letters)
        self.__dict__["traced"] = found
        self.is_curve = found.is_curve  # type: ignore[misc]
        self.domain, start = found.picture
        self.starts = (start,)
        for letter in found.letters:
            self._range(letter)
        self.param.watch(self._range_of_ends, [
            end for letter in found.letters for end in ends_of(letter)])  # fmt: skip

    def shape_names(self) -> list[str]:  # type: ignore[override]  # not the class's: the text says which
        return list(written(self.text).letters)

    def holds(self, name: str) -> bool:
        """Whether a letter, or the end of a letter's slider, is one of this formula's."""
        return name.partition("_")[0] in self.shape_names()

    def arguments(self) -> dict[str, Any]:
        """What makes another one like it."""
        ends = [end for letter in self.shape_names() for end in ends_of(letter)]
        return {
            "text": self.text,
            "curve": self.curve,
            **{name: getattr(self, name) for name in (*self.shape_names(), *ends)},
        }

    def __reduce__(self):
        return _remade, (type(self), self.arguments())

    @property
    def minima(self) -> Any:  # type: ignore[override]
        """The lowest minima, as they are found."""
        points = minima_of(self)
        values = self.value(*points.T)
        near = values <= np.min(values, initial=math.inf) + 1e-7 * np.maximum(1.0, np.abs(values))
        return tuple(map(tuple, points[near].tolist()))

    def _range_of_ends(self, *events: Any) -> None:
        for event in events:  # both ends of a letter may come at once
            self._range(event.name.partition("_")[0])

    def _range(self, letter: str) -> None:
        """Have a letter's slider run from and to what its ends say."""
        low, high = (getattr(self, end) for end in ends_of(letter))
        if low < high:
            self.param[letter].softbounds = (low, high)


def _remade(kind: type, arguments: dict[str, Any]) -> Any:
    return kind(**arguments)


def ends_of(letter: str) -> tuple[str, str]:
    """The parameters for the ends of a letter's slider."""
    return f"{letter}_from", f"{letter}_to"


for _letter in LETTERS:
    Formula.param.add_parameter(_letter, Quantity(1.0, softbounds=(LOW, HIGH), step=0.01, label=_letter,
                                                  symbol=_letter, on_map=(LOW, HIGH, False)))  # fmt: skip
    for _end, _default in zip(ends_of(_letter), (LOW, HIGH), strict=True):
        Formula.param.add_parameter(_end, param.Number(_default, bounds=(-FARTHEST, FARTHEST), precedence=-1,
                                                       label=_end.replace("_", " ")))  # fmt: skip
