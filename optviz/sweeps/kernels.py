"""Kernels compiled by numba: made aside by a process of their own, kept on disk, loaded once they are there.

The process leaves this one its interpreter lock: what is computed here meanwhile is not slowed.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import logging
import os
import platform
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

_POINTER, _WHOLE = ctypes.c_void_p, ctypes.c_int64
# of `kernel_driver.run`; ctypes lets other threads run meanwhile
_RUN = ctypes.CFUNCTYPE(_WHOLE, _WHOLE, *[_POINTER] * 11, ctypes.c_double, *[_POINTER] * 6)

log = logging.getLogger("optviz")

VARIABLE = "OPTVIZ_KERNELS"  # "off": none are compiled; "now": they are waited for
_LOCK = threading.Lock()
_LOADED: dict[str, Kernel | None] = {}  # by name; None for one that cannot be had
_ASKED: set[str] = set()
_BUILD = """
import importlib.util, sys
done, *texts = sys.argv[1:]
for name, path in zip(texts[::2], texts[1::2]):
    found = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
open(done, "w").close()
"""


def mode() -> str:
    """How kernels are come by: "aside", "now", or "off"."""
    chosen = os.environ.get(VARIABLE) or "aside"
    return chosen if chosen in ("now", "off") else "aside"


@dataclass(frozen=True)
class Kernel:
    """A program's step, by its address, and what walks lanes with it; `held` keeps the code in memory."""

    step: int
    run: Callable
    held: Any


def kernel(source: str) -> Kernel | None:
    """The kernel of a text, or None while it is not compiled: that is then begun."""
    name = _name("kernel", source)
    if name in _LOADED:
        return _LOADED[name]
    with _LOCK:
        if name not in _LOADED:
            folder = _folder()
            if folder is None:
                _LOADED[name] = None
            elif mode() == "now" or (folder / f"{name}.done").exists():
                _LOADED[name] = _loaded(folder, name, source)
            else:
                _begin(folder, name, source)
        return _LOADED.get(name)


def _name(kind: str, source: str) -> str:
    return f"{kind}_{hashlib.sha256((source + _surroundings()).encode()).hexdigest()[:32]}"


@cache
def _driver() -> tuple[str, str]:
    """The name and the text of what walks lanes, the same for all programs."""
    source = Path(__file__).with_name("kernel_driver.py").read_text(encoding="utf-8")
    return _name("driver", source), source


@cache
def _surroundings() -> str:
    """What a compiled kernel depends on besides its text."""
    from llvmlite import binding

    parts = [version("numba"), version("llvmlite"), np.__version__, sys.version, platform.platform()]
    return "\n".join([*parts, binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()])


def _folder() -> Path | None:
    """Where kernels are kept, if nobody else may write there: what is loaded from there is run."""
    from platformdirs import user_cache_path

    own = os.environ.get("NUMBA_CACHE_DIR")  # which numba then uses as well
    folder = user_cache_path("optviz") / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if all(is_private(Path(p)) for p in (folder, own) if p) else None
    except OSError:
        return None


def is_private(folder: Path) -> bool:
    """Whether a folder is the user's own, no link, and no other user may write in it."""
    if not hasattr(os, "getuid"):
        return folder.is_dir()  # Windows keeps a user's folders from others
    found = folder.lstat()
    others = stat.S_IWGRP | stat.S_IWOTH
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & others


def _written(folder: Path, name: str, source: str) -> Path:
    """The file of a kernel's text; numba takes what it compiled for old once the file is written anew."""
    path = folder / f"{name}.py"
    try:
        if path.read_text() == source:
            return path
    except (OSError, UnicodeDecodeError):
        pass
    whole = path.with_suffix(f".{os.getpid()}.new")
    whole.write_text(source)
    os.replace(whole, path)
    return path


def _loaded(folder: Path, name: str, source: str) -> Kernel | None:
    try:
        step, driver = _module(folder, name, source).step, _module(folder, *_driver()).run
        return Kernel(step.address, _RUN(driver.address), (step, driver))
    except Exception as trouble:  # whatever a numba that cannot do it may cause
        log.warning("No kernel for a sweep (%s); numpy does it.", trouble)
        return None


def _module(folder: Path, name: str, source: str) -> Any:
    """What numba made of a text; made anew, here and now, where a file is damaged."""
    if name in sys.modules:
        return sys.modules[name]
    path = _written(folder, name, source)
    try:
        return _executed(name, path)
    except Exception:  # whatever a damaged file may cause
        for kept in (folder / "__pycache__").glob(f"{name}.*"):
            kept.unlink(missing_ok=True)
        return _executed(name, path)


def _executed(name: str, path: Path) -> Any:
    found: Any = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(found)  # numba finds it by its name
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _begin(folder: Path, name: str, source: str) -> None:
    """Have a process compile a kernel, once; where that fails there is none."""
    if name not in _ASKED:
        _ASKED.add(name)
        threading.Thread(target=_build, args=(folder, name, source), name="optviz kernel", daemon=True).start()


def _build(folder: Path, name: str, source: str) -> None:
    quiet: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    try:
        texts = [(name, source), _driver()]
        command = [sys.executable, "-c", _BUILD, str(folder / f"{name}.done")]
        command += [word for each in texts for word in (each[0], str(_written(folder, *each)))]
        subprocess.run(command, cwd=folder, check=True, **quiet)
    except (OSError, subprocess.CalledProcessError):
        _LOADED[name] = None
