"""Functions that a person brings: how they are called, what they give for symbols, and where they stop."""

from __future__ import annotations

import inspect
import linecache
import math
import re
import sysconfig
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import sympy

from ..messages import refuse
from ..trace.branches import TooManyBranches
from ..trace.expressions import NotFollowed, TooLong
from ..trace.traceable import Traceable, as_expression, each_entry

NAMES = ("x", "y", "z")
LONGEST = 44  # characters of a place in a function
_OURS = str(Path(__file__).parent.parent)
_LIBRARIES = {sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")}
_MATHS = {"asin": "np.arcsin", "acos": "np.arccos", "atan": "np.arctan", "atan2": "np.arctan2", "asinh": "np.arcsinh",
          "acosh": "np.arccosh", "atanh": "np.arctanh", "pow": "np.power", "fsum": "np.sum", "dist": "np.linalg.norm",
          "erf": "scipy.special.erf", "erfc": "scipy.special.erfc", "gamma": "scipy.special.gamma",
          "lgamma": "scipy.special.gammaln"}  # fmt: skip
_INSTEAD = "use operators and functions of numpy, scipy.special, sympy or optviz.xp, or torch's"
FIXES = {
    "isnan": "use np.where where a number may be missing", "isfinite": "use np.where where a number may be missing",
    "argmin": "use np.min, or np.where", "argmax": "use np.max, or np.where",
    "interp with a period": "use np.mod before it", "linspace": "use x + (y - x) * np.linspace(0, 1, n)",
    "arange": "use arrays of numbers", "det": "make its array by np.stack", "inv": "write the inverse out",
    "solve": "write the solution out", "svd": "use another norm", "fft": "use a matrix of numbers, and @",
}  # fmt: skip


def variable_names(count: int) -> tuple[str, ...]:
    """The names of so many variables."""
    return NAMES[:count] if count <= len(NAMES) else tuple(f"x{k + 1}" for k in range(count))


def takes_array(function: Callable, count: int) -> bool:
    """Whether a function has one argument to give, for all of two or more variables."""
    return count > 1 and _arguments(function) == 1


def _arguments(function: Callable) -> int | None:
    """How many arguments a function has to give; None for any number of them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # one of C's
        return None
    given = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return None if any(p.kind == p.VAR_POSITIONAL for p in parameters) else len(given)


def checked_arguments(who: str, function: Any, count: int) -> None:
    """Refuse what cannot be called with so many variables."""
    if not callable(function):
        refuse(who, "must be a function of its variables", function)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*["x"] if takes_array(function, count) else variable_names(count))
    except TypeError:
        called = ", ".join(variable_names(count))
        raise ValueError(f"{who} must be a function of ({called}), or of one array, not one with the "
                         f"arguments {signature}; a domain has a row for each variable.") from None  # fmt: skip


def expression_of(function: Callable, variables: Sequence[sympy.Symbol]) -> Any:
    """What a function of variables, or of an array of them, makes of symbols."""
    given = [*map(Traceable, variables)]
    whole = takes_array(function, len(given))
    found = function(each_entry(lambda v: v, [given])) if whole else function(*given)
    if isinstance(found, bool | np.bool_ | np.ndarray | list | tuple) and np.ndim(found) == 0:
        found = np.asarray(found, dtype=object)[()]
    return found if isinstance(found, np.ndarray | list | tuple) else as_expression(found)


def number_at(function: Callable, point: Sequence[float]) -> float:
    """What a function makes of numbers; nan where that is no real one, or where it takes none."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = function(np.array(point)) if takes_array(function, len(point)) else function(*point)
            return float(found)
    except Exception:  # sympy's functions may not, nor what takes symbols alone
        return math.nan


def checked_numbers(who: str, function: Callable, value: Callable, point: Sequence[float]) -> None:
    """Refuse a function that gives another number than the formula that was read from it."""
    formula, found = float(value(*point)), number_at(function, point)
    if math.isfinite(formula) and abs(found - formula) > 1e-6 * max(1.0, abs(formula)):
        at = ", ".join(f"{v:.4g}" for v in point)
        raise ValueError(
            f"{who} gives {found:.6g} at ({at}) where the formula read from it gives {formula:.6g}; "
            "what it draws at random, or changes outside of itself, draw and change before."
        )


def places(box: Sequence[tuple[float, float]]) -> Iterator[tuple[float, ...]]:
    """Where a run may start: near a corner of the domain, near others, and over all of it."""
    yield tuple(low + 0.15 * (high - low) for low, high in box)
    rows = np.random.default_rng(0).uniform(0.1, 0.9, (40, len(box)))
    shares = [[0.85] * len(box), *([0.85 if k == j else 0.15 for k in range(len(box))] for j in range(len(box)))]
    for row in [*shares, *rows.tolist()]:
        yield tuple(low + share * (high - low) for (low, high), share in zip(box, row, strict=True))


def finite_start(who: str, made: Any, box: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    """The first of these places where there are a value and a gradient."""
    for place in places(box):
        if np.isfinite(made.value(*place)) and np.isfinite(made.gradient(*place)).all():
            return place
    raise ValueError(
        f"{who} has nowhere a finite number and slope in its domain {shown_domain(box)}; "
        "a logarithm or a fractional power of a negative number has none: take its np.abs, or another domain."
    )


def shown_domain(box: Sequence[tuple[float, float]]) -> str:
    """A domain as it is written."""
    return ", ".join(f"({low:g}, {high:g})" for low, high in box)


# Where a function stops


def stopped(who: str, trouble: BaseException, reason: str = "") -> str:
    """One sentence: what stopped, where, why, and what to use instead."""
    place, text = _place(trouble)
    reason = " ".join((reason or str(trouble) or type(trouble).__name__).split()).rstrip(".")
    reason = reason.replace("'Traceable' object", "a variable").replace("not Traceable", "not a variable")
    ours = isinstance(trouble, NotFollowed | TooManyBranches) or reason.startswith(("math's", "sympy.", "it gives"))
    verb = "cannot be followed" if ours else "failed"
    reason = reason.replace("cannot be followed", "is not known")
    fix = _fix(trouble, reason, text)
    return f"{who} {verb}{place}: {reason}{f'; {fix}' if fix else ''}."


def _fix(trouble: BaseException, reason: str, text: str) -> str:
    if isinstance(trouble, TooManyBranches):
        return "use np.where, np.maximum or np.minimum"
    if isinstance(trouble, TooLong) or reason.startswith("it gives"):  # these say it themselves
        return ""
    called = re.search(r"\bmath\.(\w+)\(", text)
    if reason.startswith("math's") and called:
        name = called.group(1)
        return f"use {_MATHS.get(name, f'np.{name}' if hasattr(np, name) else 'numpy')}"
    if reason.startswith("math's"):
        return "use numpy's for math's, and leave float(), int() and dtype=float out"
    for name, fix in FIXES.items():
        if re.search(rf"[.']{name}\b", reason):
            return fix
    return "" if isinstance(trouble, NameError | ImportError | ArithmeticError | LookupError) else _INSTEAD


def _place(trouble: BaseException) -> tuple[str, str]:
    """Where in a person's own files an error came from, in words, and that line's text."""
    frames, step = [], trouble.__traceback__
    while step is not None:
        frames.append((step.tb_frame, step.tb_lineno, step.tb_lasti))
        step = step.tb_next
    own = [entry for entry in frames if not _is_librarys(entry[0].f_code.co_filename)]
    if not own:
        return "", ""
    frame, line, last = own[-1]
    text = _segment(frame, line, last)
    file = Path(frame.f_code.co_filename).name
    where = f"line {line}" if file.startswith("<") or file[:1].isdigit() else f"line {line} of {file}"
    shown = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    return (f" at {shown} in {where}" if shown else f" in {where}"), text


def _is_librarys(file: str) -> bool:
    return file.startswith(_OURS) or any(file.startswith(path) for path in _LIBRARIES if path) or file[:8] == "<frozen "


def _segment(frame: FrameType, line: int, last: int) -> str:
    """The part of a line that an instruction stands for."""
    positions = list(frame.f_code.co_positions())[last // 2]
    first, final, begin, end = positions
    text = linecache.getline(frame.f_code.co_filename, line, frame.f_globals)
    if first == final and begin is not None and end is not None and text:
        text = text.encode()[begin:end].decode(errors="ignore")
    return " ".join(text.split())
