"""Functions of numpy's that are none of its elementwise ones, as they read variables and arrays of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import permutations
from typing import Any

import numpy as np

from .expressions import NotFollowed
from .tape import not_followed
from .traceable import FUNCTIONS, Traceables, called, chosen, plain, product


def _reads(*functions: Any) -> Callable:
    """Have a function stand for these of numpy's."""

    def kept(own: Callable) -> Callable:
        FUNCTIONS.update(dict.fromkeys(functions, own))
        return own

    return kept


def _array(value: Any) -> Any:
    return plain(value).view(Traceables)


FUNCTIONS[np.where] = chosen
FUNCTIONS[np.sinc] = lambda x: called("sinc", [x])
FUNCTIONS[np.fix] = lambda x: called("trunc", [x])
FUNCTIONS[np.real] = lambda x: x.real
FUNCTIONS[np.imag] = lambda x: x.imag


@_reads(np.round, np.around)
def _rounded(x: Any, decimals: int = 0, out: None = None) -> Any:
    return called("rint", [x]) if decimals == 0 else called("rint", [x * 10.0**decimals]) / 10.0**decimals


@_reads(np.select)
def _select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    pairs = zip(reversed(conditions), reversed(choices), strict=True)
    return reduce(lambda rest, pair: chosen(*pair, rest), pairs, default)


@_reads(np.piecewise)
def _piecewise(x: Any, conditions: Sequence[Any], functions: Sequence[Any], *more: Any, **named: Any) -> Any:
    values = [f(x, *more, **named) if callable(f) else f for f in functions]
    default = values[len(conditions)] if len(values) > len(conditions) else 0
    # numpy writes one over the other: the last condition that holds counts
    return reduce(lambda rest, pair: chosen(*pair, rest), zip(conditions, values, strict=False), default)


@_reads(np.clip)
def _clip(x: Any, low: Any = None, high: Any = None, **bounds: Any) -> Any:
    low, high = bounds.get("a_min", bounds.get("min", low)), bounds.get("a_max", bounds.get("max", high))
    x = x if low is None else called("maximum", [x, low])
    return x if high is None else called("minimum", [x, high])


@_reads(np.interp)
def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: None = None) -> Any:
    """Straight lines between points, as a choice among them."""
    if period is not None:
        raise NotFollowed(not_followed("interp with a period"))
    across, up = [*map(float, xp)], list(fp)
    found = up[-1] if right is None else right
    found = chosen(x <= across[-1], up[-1], found)
    for a, b, low, high in zip(across[-2::-1], across[:0:-1], up[-2::-1], up[:0:-1], strict=True):
        found = chosen(x < b, low + (high - low) / (b - a) * (x - a), found)
    return chosen(x < across[0], up[0] if left is None else left, found)


@_reads(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The length of a vector: by its squares, its sizes (1), the largest of them (inf), or their powers."""
    sizes = called("absolute", [_array(x)])
    if ord not in (None, 2, "fro") and (sizes.ndim > 1 and axis is None or not isinstance(ord, int | float)):
        raise NotFollowed(not_followed(f"linalg.norm with ord={ord}"))
    if ord == 2 and sizes.ndim > 1 and axis is None:
        raise NotFollowed(not_followed("linalg.norm with ord=2"))
    if ord in (np.inf, -np.inf):
        return sizes.max(axis=axis, keepdims=keepdims) if ord > 0 else sizes.min(axis=axis, keepdims=keepdims)
    if ord in (None, 2, "fro"):
        return called("sqrt", [(sizes * sizes).sum(axis=axis, keepdims=keepdims)])
    total = (sizes**ord).sum(axis=axis, keepdims=keepdims)
    return total if ord == 1 else total ** (1 / ord)


@_reads(np.var)
def _var(x: Any, axis: Any = None, dtype: None = None, out: None = None, ddof: int = 0, keepdims: bool = False) -> Any:
    array = _array(x)
    apart = array - array.mean(axis=axis, keepdims=True)
    total = called("square", [apart]).sum(axis=axis, keepdims=keepdims)
    return total / (array.size // max(np.size(total), 1) - ddof)


@_reads(np.std)
def _std(x: Any, *arguments: Any, **options: Any) -> Any:
    return called("sqrt", [_var(x, *arguments, **options)])


@_reads(np.ptp)
def _ptp(x: Any, axis: Any = None) -> Any:
    return _array(x).max(axis=axis) - _array(x).min(axis=axis)


@_reads(np.polyval)
def _polyval(coefficients: Any, x: Any) -> Any:
    return reduce(lambda total, c: total * x + c, list(coefficients), 0)


@_reads(np.dot, np.inner)
def _dot(a: Any, b: Any, out: None = None) -> Any:
    return product(a, b) if np.ndim(plain(a)) and np.ndim(plain(b)) else called("multiply", [a, b])


@_reads(np.linalg.det)
def _det(matrix: Any) -> Any:
    """By Leibniz' formula: exact, for a few rows."""
    rows = _array(matrix)
    if rows.ndim != 2 or rows.shape[0] != rows.shape[1] or rows.shape[0] > 5:
        raise NotFollowed(not_followed("linalg.det of more than 5 rows"))
    total = 0
    for places in permutations(range(len(rows))):
        sign = (-1) ** sum(a > b for k, b in enumerate(places) for a in places[:k])
        total = total + sign * np.prod(_array([rows[i, j] for i, j in enumerate(places)]))
    return total


def _filled_like(number: Any) -> Callable:
    def like(x: Any, value: Any = number, **options: Any) -> Any:
        shape = np.shape(plain(x))
        return np.full(shape, value) if shape else value

    return like


FUNCTIONS |= {np.zeros_like: _filled_like(0.0), np.ones_like: _filled_like(1.0), np.full_like: _filled_like(None)}
