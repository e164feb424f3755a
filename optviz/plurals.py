"""Numbers of things in words."""

from __future__ import annotations


def many(count: int, thing: str) -> str:
    """A number of things: 1 step, 2 steps, 1,000 steps."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
