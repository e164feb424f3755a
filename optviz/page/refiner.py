"""What happens once nothing has changed for a while: pictures become finer."""

from __future__ import annotations

import panel as pn
from tornado.ioloop import IOLoop

from ..state.subject import Subject
from .pace import Later, Turn, looping

QUIET = 0.3  # seconds without a change


class Refiner:
    """Makes an experiment's picture finer at rest, part by part between other events.

    It needs a running event loop, as a server and a notebook's kernel have; without one a
    picture stays as it is. A change begins the wait anew. What a worker computes it makes finer by itself.
    """

    def __init__(self, experiment: Subject):
        self.experiment, self._turn = experiment, Turn(pn.state.curdoc)
        self._rest = Later(self._next, QUIET, quiet=True)
        self._works = False
        self.push()

    def push(self) -> None:
        """Note a change, unless it is one of its own."""
        if self.experiment.worker is None and not self._works and looping() and self.experiment.rough():
            self._rest.ask()

    def _next(self) -> None:
        if not self._rest.waits:  # else something changed between two parts
            self._turn.take(self._work)

    def _work(self) -> None:
        """Do one part, and see to the next after whatever else has come meanwhile."""
        if self._rest.waits or self.experiment.worker is not None or not self.experiment.rough():
            return
        if self._turn.document is not None and not pn.state.loaded:  # the browser drops what comes before it is
            self._rest.ask()
            return
        self._works = True
        try:
            self.experiment.advance()
        finally:
            self._works = False
        if self.experiment.rough():
            IOLoop.current().call_later(0, self._next)
