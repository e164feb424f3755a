"""A function of variables that branches is called once for each way that it may go, and the ways become one choice."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import sympy

from .functions import symbol_where

MOST_WAYS = 64  # through a function
MOST_BRANCHES = 64  # on one way, of which a loop may never leave


class TooManyBranches(TypeError):
    """More ways through a function than a formula can hold."""


class _Way:
    """One way through a function: the answers that it begins with; after them every answer is yes."""

    def __init__(self, answers: list[bool]):
        self.answers, self.asked = answers, []

    def decide(self, condition: Any) -> bool:
        for known, answer in self.asked:
            if condition in (known, sympy.Not(known)):
                return answer if condition == known else not answer
        if len(self.asked) >= MOST_BRANCHES:
            raise TooManyBranches(f"it takes more than {MOST_BRANCHES} branches on variables")
        place = len(self.asked)
        answer = self.answers[place] if place < len(self.answers) else True
        self.asked.append((condition, answer))
        return answer


_way: ContextVar[_Way | None] = ContextVar("way", default=None)


def decided(condition: Any) -> bool:
    """Whether a condition holds on the way that is being followed."""
    way = _way.get()
    if condition in (sympy.true, sympy.false):
        return condition == sympy.true
    if way is None:
        raise TypeError("a branch on a variable cannot be traced here")
    return way.decide(condition)


def every_way(call: Callable[[], Any]) -> Any:
    """What a call gives, a choice of all that it may give where it branches on variables."""
    return _followed(call, [], iter(range(MOST_WAYS)))


def _followed(call: Callable[[], Any], answers: list[bool], left: Any) -> Any:
    if next(left, None) is None:
        raise TooManyBranches(f"it has more than {MOST_WAYS} ways through its branches on variables")
    way = _Way(answers)
    token = _way.set(way)
    try:
        found = call()
    finally:
        _way.reset(token)
    for place in range(len(way.asked) - 1, len(answers) - 1, -1):
        condition, _ = way.asked[place]
        other = _followed(call, [answer for _, answer in way.asked[:place]] + [False], left)
        if isinstance(found, sympy.Expr) and isinstance(other, sympy.Expr):
            found = symbol_where(condition, found, other)
    return found
