"""Kernels compiled by numba: made aside by a process of their own, kept on disk, loaded once they are there.

Only that process has numba in it: nothing that is computed here meanwhile waits for its work. What
it makes is machine code that stands alone, which LLVM loads here in a few milliseconds.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import logging
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import disk
from .kernel_build import built, target_machine

VARIABLE = "OPTVIZ_KERNELS"  # "off": none are compiled; "now": they are waited for
_POINTER, _WHOLE = ctypes.c_void_p, ctypes.c_int64
# of `kernel_driver.entry`, its result and what it might raise; ctypes lets other threads run meanwhile
_RUN = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.POINTER(_WHOLE), _POINTER, _WHOLE, *[_POINTER] * 11, ctypes.c_double, *[_POINTER] * 6
)
_HERE = Path(__file__).parent
_LOCK = threading.Lock()
_ONE = threading.Lock()  # process at a time
_ADDRESSES: dict[str, int] = {}  # of loaded code, by its name
_GIVEN_UP: set[str] = set()
_BEGUN: set[str] = set()
_HELD: list[Any] = []  # what keeps loaded code in memory

log = logging.getLogger("optviz")


@dataclass(frozen=True)
class Kernel:
    """A program's step, by its address, and what walks lanes with it."""

    step: int
    run: Callable[..., int]


def mode() -> str:
    """How kernels are come by: "aside", "now", or "off"."""
    chosen = os.environ.get(VARIABLE)
    return chosen if chosen in ("now", "off") else "aside"


def kernel(source: str) -> Kernel | None:
    """The kernel of a text, or None while it is not compiled: that is then begun."""
    texts = {_name(text): text for text in (source, _driver())}
    if not texts.keys() <= _ADDRESSES.keys() and not _fetched(texts):
        return None
    step, run = (_ADDRESSES[name] for name in texts)
    return Kernel(step, _RUN(run))


def _fetched(texts: Mapping[str, str]) -> bool:
    """Whether the code of these texts, by name, could be loaded."""
    with _LOCK:
        if texts.keys() & _GIVEN_UP:
            return False
        left = {n: text for n, text in texts.items() if n not in _ADDRESSES and not _from_disk(n)}
        if left and mode() == "now":
            for name, text in left.items():
                _take(name, *built(text))
        elif left and not left.keys() <= _BEGUN:
            _BEGUN.update(left)
            threading.Thread(target=_build, args=(left,), name="optviz kernels", daemon=True).start()
        return texts.keys() <= _ADDRESSES.keys()


def _build(texts: Mapping[str, str]) -> None:
    """Have a process compile texts, and load what it made; where it cannot, numpy goes on."""
    command = [sys.executable, "-P", str(_HERE / "kernel_build.py")]
    try:
        with _ONE:
            given = json.dumps(list(texts.values()))
            done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
        for name, (entry, code) in zip(texts, json.loads(done.stdout), strict=True):
            if code:
                with _LOCK:
                    _take(name, entry, base64.b64decode(code))
            else:
                _give_up([name], entry)
    except (OSError, ValueError, RuntimeError, subprocess.SubprocessError) as trouble:
        _give_up(texts, str(trouble))


def _give_up(names: Iterable[str], why: str) -> None:
    if not _GIVEN_UP:  # said once
        log.warning("Some sweeps are computed without a kernel (%s).", why.strip().partition("\n")[0])
    _GIVEN_UP.update(names)


def _take(name: str, entry: str, code: bytes) -> None:
    _load(name, entry, code)
    disk.keep(folder(), name, entry.encode() + b"\n" + code)


def _load(name: str, entry: str, code: bytes) -> None:
    """Have LLVM make code callable."""
    from llvmlite import binding

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target_machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _HELD.append(engine)
    _ADDRESSES[name] = engine.get_function_address(entry)


# On disk


@cache
def _name(source: str) -> str:
    return hashlib.sha256((source + _surroundings()).encode()).hexdigest()


@cache
def _driver() -> str:
    """The text of what walks lanes, the same for all programs."""
    return (_HERE / "kernel_driver.py").read_text(encoding="utf-8")


@cache
def _surroundings() -> str:
    """What compiled code depends on besides its text."""
    from llvmlite import binding

    parts = [version("numba"), version("llvmlite"), sys.version, platform.platform(), binding.get_host_cpu_name()]
    return "\n".join([*parts, binding.get_host_cpu_features().flatten(), (_HERE / "kernel_build.py").read_text()])


def folder() -> Path | None:
    """Where code is kept."""
    return disk.folder("kernels")


def kept(where: Path | None, name: str) -> tuple[str, bytes] | None:
    """The name and the code in a file; None where it is not there, or damaged."""
    whole = disk.kept(where, name)
    if whole is None:
        return None
    entry, _, code = whole.partition(b"\n")
    return entry.decode(), code


def _from_disk(name: str) -> bool:
    found = kept(folder(), name)
    if found is None:
        return False
    _load(name, *found)
    return True
