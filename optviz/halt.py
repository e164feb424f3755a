"""Where a long computation may be stopped, or wait for somebody else's: its loops look up between two steps.

A thread that computes for a visitor says what is to be looked at; elsewhere a look costs 0.1 microseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_HERE = threading.local()


class Halted(BaseException):
    """What is being computed is wanted no more; no `except Exception` on the way takes it for a trouble of its own."""


def look() -> None:
    """Have what watches this thread stop it here, or make it wait; nothing where nothing watches."""
    check = getattr(_HERE, "check", None)
    if check is not None:
        check(not getattr(_HERE, "holds", 0))


@contextmanager
def watched(check: Callable[[bool], None]) -> Iterator[None]:
    """Have looks within call `check`, which may raise `Halted`; it is told whether it may wait."""
    _HERE.check = check
    try:
        yield
    finally:
        _HERE.check = None


@contextmanager
def unpaused() -> Iterator[None]:
    """Within, a look never waits: others would wait for a lock that is held here, with their turn in hand."""
    _HERE.holds = getattr(_HERE, "holds", 0) + 1
    try:
        yield
    finally:
        _HERE.holds -= 1
