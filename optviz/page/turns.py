"""Whose turn it is: a few computations run at once, each for a while, then those that wait.

One core is the event loop's: of threads that hold Python's lock each has its share, and with two of them beside it
whoever opens a page waits three times as long.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic

AT_ONCE = max(1, min(2, (os.cpu_count() or 1) - 1))
TURN = 0.2  # seconds until those that wait have theirs


class Turns:
    """So many turns at a time; who waits longest is next."""

    def __init__(self, at_once: int = AT_ONCE):
        self._free, self._waiting, self._lock = at_once, deque[Event](), Lock()

    @contextmanager
    def one(self) -> Iterator[Share]:
        """Have a turn within."""
        self.begin()
        try:
            yield Share(self)
        finally:
            self.end()

    def begin(self) -> None:
        """Wait until there is one."""
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return
            mine = Event()
            self._waiting.append(mine)
        mine.wait()

    def end(self) -> None:
        """Leave it to who waits longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def wanted(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)


class Share:
    """What one computation has had of the machine."""

    def __init__(self, turns: Turns):
        self._turns, self._before = turns, 0.0
        self._since = self._began = monotonic()  # counted from, and when this turn began

    def spent(self) -> float:
        """Seconds of turns, without those of waiting."""
        return self._before + monotonic() - self._since

    def anew(self) -> None:
        """Count from here."""
        self._since, self._before = monotonic(), 0.0

    def pass_on(self, after: float = TURN) -> None:
        """Let others have theirs, where somebody waits and this one has lasted."""
        if monotonic() - self._began < after or not self._turns.wanted():
            return
        self._before = self.spent()
        self._turns.end()
        self._turns.begin()
        self._since = self._began = monotonic()
