"""What is said where Python has no JavaScript: the names that a page knows are those of the runtime's own tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..runtime.offers import METHODS, methods, offered


class Untranslatable(ValueError):
    """Python that the printer has no JavaScript for; the message says where and what."""


def check_name(place: str, table: str, name: str) -> None:
    """Refuse a name that the runtime's table has not."""
    if name not in offered(table):
        there = ", ".join(offered(table))
        raise Untranslatable(f"{place} has no JavaScript: of {table} a page has {there}, not {name}")


def check_calls(calls: Mapping[str, str], own: Collection[str]) -> None:
    """Refuse a method that neither the runtime nor a class that is printed, with methods `own`, has."""
    for name, place in calls.items():
        if name not in own and name not in methods():
            has = "; ".join(f"{table} {', '.join(offered(table))}" for table in METHODS)
            raise Untranslatable(f"{place} has no JavaScript: of methods a page has, of {has}, not {name}")
