"""What happens once nothing has changed for a while: pictures become finer."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import panel as pn

if TYPE_CHECKING:
    from .experiment import Experiment

QUIET = 0.3  # seconds without a change


class Refiner:
    """Makes an experiment's picture finer at rest, part by part between other events.

    It needs a running event loop, as a server and a notebook's kernel have; without one a
    picture stays as it is. A change begins the wait anew.
    """

    def __init__(self, experiment: Experiment):
        self.experiment, self.document = experiment, pn.state.curdoc
        self._moved, self._waits, self._works = 0.0, False, False
        self.push()

    def push(self) -> None:
        """Note a change, unless it is one of its own."""
        if self._works:
            return
        self._moved = monotonic()
        if not self._waits and self.experiment.rough():
            self._later(QUIET)

    def _later(self, seconds: float) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # plain Python
            return
        self._waits = True
        loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._waits = False
        rest = self._moved + QUIET - monotonic()
        if rest > 0:
            self._later(rest)
        elif self.document is None:
            self._work()
        elif self.document.session_context is not None:  # else the visitor has gone
            self.document.add_next_tick_callback(self._work)

    def _work(self) -> None:
        """Do one part, and see to the next after whatever else has come meanwhile."""
        if not self.experiment.rough():
            return
        if self.document is not None and not pn.state.loaded:  # the browser drops what comes before it is
            self._later(QUIET)
            return
        self._works = True
        try:
            self.experiment.advance()
        finally:
            self._works = False
        if self.experiment.rough():
            self._later(0)
