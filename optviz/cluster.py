"""A sweep's parts on a dask.distributed cluster, an extra: `pip install optviz[distributed]`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .messages import refuse

VARIABLE = "OPTVIZ_SCHEDULER"  # the address of the cluster that the apps use


def scheduler_of_environment() -> str | None:
    """The cluster's address in the environment variable OPTVIZ_SCHEDULER, or None."""
    return os.environ.get(VARIABLE) or None


def spread(scheduler: Any, part: Callable, grid: Any, begins: Sequence[int], size: int) -> Iterator:
    """(begin, part(grid, begin, size)) as workers are done with them.

    A part that was on a worker that died runs again on another; what has come in is kept here.
    """
    try:
        from distributed import as_completed
    except ImportError:
        raise ValueError("sweep: scheduler= needs dask.distributed; pip install 'optviz[distributed]'.") from None
    with _client(scheduler) as client:
        futures = {client.submit(part, grid, at, size, pure=False, retries=2): at for at in begins}
        try:
            for future in as_completed(list(futures), loop=client.loop):
                yield futures[future], future.result()
                future.release()
        finally:
            client.cancel(list(futures))


@contextmanager
def _client(scheduler: Any) -> Iterator[Any]:
    """The client given, or one of its own for an address."""
    from distributed import Client

    if not isinstance(scheduler, str):
        if not hasattr(scheduler, "submit"):
            refuse("sweep", "needs a dask.distributed client or the address of a scheduler", scheduler)
        yield scheduler
        return
    with _connected(Client, scheduler) as client:
        yield client


def _connected(make: Callable, address: str) -> Any:
    try:
        return make(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TimeoutError):
        refuse("sweep", "needs the address of a scheduler that answers", address, "start one with 'dask scheduler'")
