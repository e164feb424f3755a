"""Memory that visitors have left goes back to the machine: C's heaps keep what is freed, those of each thread apart."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from functools import cache
from typing import Any

from .pace import Later

_HEAPS = -8  # glibc's M_ARENA_MAX: with a heap for each thread half of what they free is never given back
AFTER = 10.0  # seconds: Panel has collected by then what a session left


@cache
def _libc() -> Any:
    """C's library where it is glibc, which alone is asked."""
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6") if sys.platform == "linux" else None
        return library if library and library.malloc_trim and library.mallopt(_HEAPS, 1) else None
    return None


def _return() -> None:
    if _libc():
        _libc().malloc_trim(0)


later = Later(_return, AFTER)


def returned_after(document: Any) -> None:
    """Have the memory of this document's session returned some time after its visitor has gone."""
    _libc()
    document.on_session_destroyed(lambda context: later.ask())
