"""Entries of an array that differ in their numbers alone: one pattern, and a row of numbers for each.

What is done with a thousand such entries is done with their pattern once; a sum of them is one of `sums.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from .sums import FEWEST, sum_of_rows

Row = dict  # of the symbols of a pattern, each with its number


class Patterns:
    """Entries of one call, row after row, as patterns of which few are different."""

    def __init__(self, columns: Sequence[bool]):
        self._columns = [sympy.Dummy("d", real=True) if column else None for column in columns]
        self._renamed: dict[tuple, Any] = {}

    def read(self, parts: Sequence[tuple[Any, Row | None]]) -> tuple[tuple, Row]:
        """What a row of parts (a number or a pattern, with its numbers) has for patterns, and all of its numbers."""
        patterns, numbers = [], {}
        for place, (pattern, own) in enumerate(parts):
            column = self._columns[place]
            if column is not None and own is None:
                own, pattern = {column: pattern}, column
            elif own and any(numbers.get(symbol, value) != value for symbol, value in own.items()):
                pattern, own = self._apart(place, pattern, own)
            patterns.append(pattern)
            numbers.update(own or {})
        return tuple(patterns), numbers

    def _apart(self, place: int, pattern: Any, own: Row) -> tuple[Any, Row]:
        """The same with symbols of its own: it has other numbers for those that are taken."""
        names = {s: self._renamed.setdefault((place, s), sympy.Dummy("d", real=True)) for s in own}
        key = (place, pattern)
        if key not in self._renamed:
            self._renamed[key] = pattern.xreplace(names)
        return self._renamed[key], {names[s]: value for s, value in own.items()}


def resolved(pattern: Any, row: Row | None, number: Callable) -> Any:
    """A pattern with its numbers in it."""
    return pattern.xreplace({symbol: number(value) for symbol, value in row.items()}) if row else pattern


def added_alike(parts: Sequence[tuple[Any, Row | None]]) -> tuple[list, list[int]]:
    """The sums of parts that have one pattern, and the places of the parts that are in none."""
    groups: dict[Any, list[int]] = {}
    for place, (pattern, row) in enumerate(parts):
        groups.setdefault(pattern if row else place, []).append(place)
    long = {key for key, places in groups.items() if len(places) >= FEWEST}
    found = [sum_of_rows(key, [parts[place][1] for place in groups[key]]) for key in groups if key in long]
    return found, [place for key, places in groups.items() if key not in long for place in places]
