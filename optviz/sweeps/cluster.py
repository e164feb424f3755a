"""A sweep's parts on a dask.distributed cluster, an extra: `pip install optviz[distributed]`."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from weakref import WeakSet

from ..messages import refuse

VARIABLE = "OPTVIZ_SCHEDULER"  # the address of the cluster that the apps use
OPTION = "--scheduler"  # the same, after `panel serve ... --args`
WORTH = 0.3  # seconds of work here: a trip to a cluster took 0.03 on one machine, 0.1 with much to bring
PATIENCE = 60.0  # seconds for workers to start, torch among what they import
ANSWER = "10s"  # for a scheduler to answer
AGAIN = 60.0  # seconds until a cluster that did not answer is tried again
MISSING = "sweep: scheduler= needs dask.distributed; pip install 'optviz[distributed]'."

log = logging.getLogger("optviz")


def scheduler_of_environment() -> str | None:
    """The cluster's address in the environment variable OPTVIZ_SCHEDULER, or None."""
    return os.environ.get(VARIABLE) or None


def prepare(arguments: Sequence[str]) -> None:
    """Begin to connect to the cluster that an app's arguments or its environment name, if any."""
    given = [*arguments, ""]
    named = [following for each, following in zip(given, given[1:], strict=False) if each == OPTION]
    named += [each.removeprefix(f"{OPTION}=") for each in given if each.startswith(f"{OPTION}=")]
    if named and named[0]:
        os.environ[VARIABLE] = named[0]
    shared(0.0)


def shared(seconds: float) -> Any:
    """A client of the environment's cluster where this much work is worth the trip and it answers, else None."""
    address = scheduler_of_environment()
    return None if address is None else _of_process(address).client_for(seconds)


def give_up(trouble: Exception) -> None:
    """Leave the environment's cluster alone for a while: it failed at this."""
    address = scheduler_of_environment()
    if address is not None:
        _of_process(address).lose(f"The cluster at {address} failed ({_first_line(trouble)}).")


def absence() -> str:
    """Why the environment's cluster does no work, in a sentence; empty while it does, or none is named."""
    address = scheduler_of_environment()
    return "" if address is None else _of_process(address).trouble


_WATCHERS: WeakSet[Any] = WeakSet()
_LOCK = threading.Lock()


def watch(watcher: Any) -> None:
    """Have `watcher.told()` called, in any thread, once `absence` says something else, while the watcher lives."""
    with _LOCK:
        _WATCHERS.add(watcher)


def _tell() -> None:
    with _LOCK:
        watchers = list(_WATCHERS)
    for watcher in watchers:
        watcher.told()


@lru_cache(maxsize=4)
def _of_process(address: str) -> Shared:
    return Shared(address)


class Shared:
    """The cluster that all experiments of a process use: sought in a thread, so that no page waits for it."""

    def __init__(self, address: str):
        self.address, self.client, self.trouble = address, None, ""
        self._seek()

    def _seek(self) -> None:
        self.asked = time.monotonic()
        threading.Thread(target=self._connect, name="optviz cluster", daemon=True).start()

    def _connect(self) -> None:
        try:
            from distributed import Client

            logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # traces, where a sentence will do
            self.client, self.trouble = _connected(Client, self.address), ""
        except ImportError:
            self.lose(MISSING)
        except Exception:  # a refusal, or whatever a stranger at that address may cause
            self.lose(f"No cluster answers at {self.address}: start one with 'dask scheduler'.")
        else:
            _tell()

    def lose(self, sentence: str) -> None:
        """Do without, and say why once."""
        if self.client is not None:  # which would call for it for ever
            threading.Thread(target=self.client.close, daemon=True).start()
        self.client, self.asked = None, time.monotonic()
        if not self.trouble:
            log.warning("%s Runs are computed here.", sentence)
        self.trouble = sentence
        _tell()

    def client_for(self, seconds: float) -> Any:
        """The client, if so much work is worth the trip and there are workers."""
        if self.client is None and time.monotonic() > self.asked + AGAIN:
            self._seek()
        if self.client is None or seconds < WORTH:
            return None
        try:
            return self.client if cores(self.client) else None
        except Exception as trouble:  # it was there, and is gone
            self.lose(f"The cluster at {self.address} is gone ({_first_line(trouble)}).")
            return None


def _first_line(trouble: Exception) -> str:
    return next(iter(str(trouble).splitlines()), type(trouble).__name__)


def cores(client: Any) -> int:
    """How many parts a cluster does at a time."""
    return sum(client.sync(client.scheduler.ncores, callback_timeout=5).values())


def spread(client: Any, part: Callable, grid: Any, begins: Sequence[int], size: int, patience: Any = None) -> Iterator:
    """(begin, part(grid, begin, size)) as workers are done with them, for so many seconds.

    A part that was on a worker that died runs again on another; what has come in is kept here.
    """
    from distributed import as_completed

    futures = {client.submit(part, grid, at, size, pure=False, retries=2): at for at in begins}
    try:
        for future in as_completed(list(futures), loop=client.loop, timeout=patience):
            yield futures[future], future.result()
            future.release()
    finally:
        client.cancel(list(futures))


@contextmanager
def reached(scheduler: Any) -> Iterator[Any]:
    """The client given, or one of its own for an address."""
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(MISSING) from None

    if not isinstance(scheduler, str):
        if not hasattr(scheduler, "submit"):
            refuse("sweep", "needs a dask.distributed client or the address of a scheduler", scheduler)
        yield scheduler
        return
    with _connected(Client, scheduler) as client:
        yield client


def _connected(make: Callable, address: str) -> Any:
    try:
        return make(address, timeout=ANSWER, set_as_default=False, asynchronous=False)
    except (OSError, ValueError, TimeoutError):
        refuse("sweep", "needs the address of a scheduler that answers", address, "start one with 'dask scheduler'")
