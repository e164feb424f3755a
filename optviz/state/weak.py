"""Watchers of parameters that keep nothing alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


def weakly(method: Any) -> Callable[..., None]:
    """A method as a watcher that keeps nothing alive: a member may outlive the experiments that follow it."""
    known = weakref.WeakMethod(method)

    def call(*events: Any) -> None:
        alive = known()
        if alive is not None:
            alive(*events)

    return call
