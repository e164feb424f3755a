"""Work that waits: what a page needs less than its pictures, done once for many changes, and in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

from tornado.ioloop import IOLoop


def looping() -> bool:
    """Whether an event loop runs here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class Later:
    """Calls `act` some seconds after it is asked for, once for all that is asked meanwhile.

    With `quiet`, only when nothing has been asked for that long. Where no loop runs (plain
    Python, a thread of its own) there is nothing to wait in: it acts at once.
    """

    def __init__(self, act: Callable[[], object], seconds: float, quiet: bool = False):
        self.act, self.seconds, self.quiet = act, seconds, quiet
        self._asked, self.waits = 0.0, False

    def ask(self) -> None:
        """Have it done."""
        self._asked = monotonic()
        if self.waits:
            return
        if not looping():
            self.act()
            return
        self.waits = True
        IOLoop.current().call_later(self.seconds, self._look)

    def _look(self) -> None:
        rest = self._asked + self.seconds - monotonic()
        if self.quiet and rest > 0:
            IOLoop.current().call_later(rest, self._look)
            return
        self.waits = False
        self.act()


class Turn:
    """When a document may be changed: at its next tick; at once where it is on no server."""

    def __init__(self, document: Any):
        self.document = document
        self._served = document is not None and document.session_context is not None

    def take(self, act: Callable[[], object]) -> None:
        """Have it done then; never, once the visitor whose document it was has gone."""
        if not self._served:
            act()
        elif self.document.session_context is not None:
            self.document.add_next_tick_callback(act)
