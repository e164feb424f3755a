"""Computes what a visitor's page shows beside the server's event loop, so that nobody waits for somebody else's knob.

A change marks the newest state as due. A thread computes it with a twin (`optviz.state.twins`), one computation a
session at a time, those of all sessions in turns (`optviz.page.turns`); a newer state stops it. What it gives is
shown at the session's next tick. Nothing is queued: what is not begun yet is forgotten for what is newer.
"""

from __future__ import annotations

import sys
from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock, main_thread
from time import monotonic
from typing import Any

from bokeh.document import Document
from panel.io.state import set_curdoc, state
from tornado.ioloop import IOLoop

from ..halt import Halted, watched
from ..state.twins import Shown, State, Twin, state_now
from .pace import Later, Turn, looping
from .turns import Share, Turns

LEAST, MOST = 0.15, 0.6  # seconds that a newer state lets a computation go on; twice as many after each that it did
LONGEST = 20.0  # seconds of computation for one state
LARGEST = 1e9  # bytes for one state
SWITCH = 0.001  # seconds for which a thread keeps Python's lock from the event loop; 0.005 is Python's own
LATE = 0.3  # seconds until a page says that it computes
THREADS = 16  # sessions with a computation begun, at most: others wait for a thread; those with one take turns

_TURNS = Turns()
_POOL = ThreadPoolExecutor(THREADS, "optviz worker")
_WRITER = ThreadPoolExecutor(1, "optviz page")  # one page at a time: Panel's registers are not made for several


async def aside(act: Callable[..., Any], *given: Any) -> Any:
    """What `act`, which writes a page, gives: beside the event loop, in the turns of all computations."""
    return await get_running_loop().run_in_executor(_WRITER, _in_turn, act, *given)


def _in_turn(act: Callable[..., Any], *given: Any) -> Any:
    with _TURNS.one() as share, watched(lambda may_wait: share.pass_on() if may_wait else None):
        return act(*given)


def _ends() -> bool:
    """Whether the process ends, which waits for its threads."""
    return not main_thread().is_alive()


class _TooMuch(BaseException):
    """A visitor has had all that there is for one state; as `Halted`, nobody's `except` is to take it."""


class Worker:
    """What computes for one session's experiment; `shown` is what its page shows of it."""

    def __init__(self, experiment: Any, page: Any, document: Any):
        self.experiment, self.page, self.document = experiment, page, document
        self.shown: Shown | None = None
        self.late = False  # whether the page says that it computes
        self._twin = Twin(experiment)
        self._seen = dict(self._twin.began)
        self._lock = Lock()
        self.waits = False  # whether the newest state is not shown yet
        self._newest: State | None = None
        self._due: State | None = None  # the same until a thread takes it
        self._ready: Shown | Exception | None = None
        self._works = False
        self._least = LEAST
        self._loop, self._turn = IOLoop.current(), Turn(document)
        self._patience = Later(self._say, LATE)
        self._since = monotonic()

    # on the event loop

    def takes(self) -> bool:
        """Whether the state that the experiment has now is computed here; from then on it is due."""
        now = state_now(self.experiment, self._seen)
        if now is None:  # what cannot be shared has no twin: the loop computes it, as it does without a worker
            self._leave()
            return False
        if not self.waits:
            self._since = monotonic()
        self._newest, self.waits = now, True
        with self._lock:
            self._due = now
            begin, self._works = not self._works, True
        if begin:
            _POOL.submit(_work, self)
        self._patience.ask()
        return True

    def _leave(self) -> None:
        with self._lock:
            self._due = self._ready = None
        self._newest = self.shown = None
        self.waits = self.late = False

    def _say(self) -> None:
        """Have the page say that it computes, once nothing has come for a while."""
        if not self.waits or self.late:
            return
        if monotonic() - self._since < LATE:
            self._patience.ask()
            return
        self.late = True
        self.page.told()

    def _receive(self) -> None:
        """Take what has come, once the page is there: the browser drops what comes before."""
        if state.loaded:
            self._take()
        else:
            state.onload(self._take)

    def _take(self) -> None:
        """Show what has come, unless it is of something else than what the controls say by now."""
        with self._lock:
            ready, self._ready = self._ready, None
        if isinstance(ready, Shown):
            vars(self.experiment).update(ready.made)
            self._seen |= ready.made
            self._show(ready)
        elif ready is not None:  # a mistake in the experiment: the server's log has it, as without a worker
            self.waits = self.late = False
            self.page.told()
            raise ready

    def _show(self, ready: Shown) -> None:
        if ready.state is self._newest:
            self.waits = self.late = False
        elif self._newest is None or ready.message or self._misleads(ready, self._newest):
            return
        self._since = monotonic()
        if ready.message:  # pictures and words stay those of what stands
            before = self.shown or self.experiment
            words = {"said": before.status(), "blocks": before.side(), "shades": before.shade()}
            ready = replace(ready, closed=before.idle(), **words)
        self.shown = ready
        vars(self.experiment).update(results=ready.results, drawings=ready.drawings)
        self.experiment.receive(ready.message)

    def _misleads(self, ready: Shown, newest: State) -> bool:
        # figures that hang on controls are those of the controls as they are
        return bool(self.experiment.figures_follow) or ready.state.misleads_beside(newest)

    # in a thread

    def gone(self) -> bool:
        """Whether the visitor has gone."""
        return self.document.session_context is None or _ends()

    def work(self, share: Share) -> None:
        """Compute what is due until nothing is."""
        now, more = None, False
        while not self.gone():
            with self._lock:
                due, self._due = self._due, None
                self._works = due is not None or more
                if not self._works:
                    return
            if due is not None:
                now = due
                share.anew()
            more = self._compute(now, due is None, share)
            share.pass_on(0.0)

    def _compute(self, now: Any, goes_on: bool, share: Share) -> bool:
        began = monotonic()

        def check(may_wait: bool) -> None:
            if self.gone() or (self._due is not None and monotonic() - began > self._least):
                raise Halted
            if share.spent() > LONGEST:
                raise _TooMuch
            if may_wait:
                share.pass_on()

        try:
            with watched(check), set_curdoc(Document()):  # no visitor's
                made = self._twin.advance(now) if goes_on else self._made(now)
        except Halted:  # a hand that moves on and on shall see something
            self._least = min(2 * self._least, MOST)
            return False
        except _TooMuch:
            made = self._refused(now, f"at most {LONGEST:g} s for a change on a served page, not more")
        except Exception as trouble:
            made = trouble
        self._least = LEAST
        if made is not None:
            self._hand_over(made)
        return (made is None or (isinstance(made, Shown) and not made.message)) and self._twin.rough()

    def _made(self, now: State) -> Shown:
        size = self._twin.memory(now)
        if size > LARGEST:
            return self._refused(now, f"at most {_size(LARGEST)} on a served page, not {_size(size)}")
        return self._twin.compute(now)

    def _refused(self, now: State, rule: str) -> Shown:
        said = f"{self._twin.kind.__name__} needs {rule}; choose less, or run it from Python."
        return self._twin.refused(now, said)

    def _hand_over(self, made: Shown | Exception) -> None:
        with self._lock:
            before, self._ready = self._ready, made
        if isinstance(before, Shown) and isinstance(made, Shown):
            made.made = {**before.made, **made.made}
        if before is None:
            self._loop.add_callback(self._turn.take, self._receive)


def _size(size: float) -> str:
    return f"{size / 1e9:.3g} GB"


def _work(worker: Worker) -> None:
    """In a thread of the pool, which keeps nothing of a session once this ends."""
    with _TURNS.one() as share:
        worker.work(share)


def engage(experiment: Any, page: Any, document: Any) -> None:
    """Have an experiment whose state can be shared computed beside the event loop, for this page of a session."""
    if state_now(experiment, {}) is not None and looping() and document.session_context is not None:
        sys.setswitchinterval(SWITCH)
        experiment.worker = Worker(experiment, page, document)
        if experiment.rough():
            experiment.refresh()
