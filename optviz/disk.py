"""What is worked out once and kept in the user's cache folder: texts and machine code that are trusted when read."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import threading
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("panel", "bokeh", "holoviews", "param", "numpy", "scipy", "sympy")  # whose work is kept


@cache
def stamp() -> str:
    """What tells this optviz, and the packages under it, from every other."""
    here = Path(__file__).parent
    files = sorted(file for file in here.rglob("*") if file.suffix in (".py", ".js", ".css"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return "\n".join([digest, sys.version, *(f"{name} {version(name)}" for name in PACKAGES)])


def lasting(about: str, cls: type, work: Callable[[], Any], *given: Any) -> Any:
    """What some work on a class of optviz gives, as JSON has it: worked out once, and kept while optviz is the same.

    It hangs on the class and on what is `given`; work on a class of somebody's own is done each time.
    """
    if not cls.__module__.startswith(f"{__package__}."):
        return work()
    where, parts = folder("readings"), [stamp(), about, cls.__module__, cls.__qualname__, json.dumps(given)]
    name = f"{about}-{cls.__name__}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}.json"
    data = kept(where, name)
    if data is None:
        data = json.dumps(work()).encode()
        keep(where, name, data)
        thin_out(where, f"{about}-{cls.__name__}-*")
    return json.loads(data)


def folder(name: str) -> Path | None:
    """A folder of that name, if nobody else may write there: what is read from it is run."""
    from platformdirs import user_cache_path

    where = user_cache_path("optviz") / name
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        return where if is_private(where) else None
    except OSError:
        return None


def is_private(where: Path) -> bool:
    """Whether a folder is the user's own, no link, and no other user may write in it."""
    if not hasattr(os, "getuid"):
        return where.is_dir()  # Windows keeps a user's folders from others
    told = where.lstat()
    return (
        stat.S_ISDIR(told.st_mode) and told.st_uid == os.getuid() and not told.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )


def keep(where: Path | None, name: str, data: bytes) -> None:
    """Write data to a file of its own, whole or not at all."""
    if where is None:
        return
    part = where / f"{name}.{os.getpid()}.{threading.get_ident()}"
    try:
        part.write_bytes(hashlib.sha256(data).digest() + data)
        os.replace(part, where / name)
    except OSError:
        part.unlink(missing_ok=True)


def thin_out(where: Path | None, pattern: str, most: int = 4) -> None:
    """Leave the newest of the files of this pattern."""
    files = sorted(where.glob(pattern), key=lambda file: -file.stat().st_mtime) if where else []
    for file in files[most:]:
        file.unlink(missing_ok=True)


def kept(where: Path | None, name: str) -> bytes | None:
    """The data in a file; None where it is not there, or damaged."""
    if where is None:
        return None
    try:
        whole = (where / name).read_bytes()
    except OSError:
        return None
    return whole[32:] if hashlib.sha256(whole[32:]).digest() == whole[:32] else None
