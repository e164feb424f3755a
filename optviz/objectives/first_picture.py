"""The window and the start that a formula's first picture has: around the lowest that is seen, and well above it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

HALVES = (3.0, 10.0, 30.0, 100.0, 300.0, 1.0, 0.3, 0.1)  # of windows around the origin, one tried after the other
POINTS = 61  # along each side of what is tried
USUAL = ((-3.0, 3.0), (-3.0, 3.0))
CORNERS = ((0.15, 0.3), (0.85, 0.3), (0.15, 0.7), (0.85, 0.7), (0.3, 0.15), (0.3, 0.85), (0.7, 0.85), (0.5, 0.1),
           (0.9, 0.5), (0.3, 0.4), (0.6, 0.7))  # fmt: skip


def window_of(value: Callable[..., Any]) -> Any:
    """The first window that holds a lowest point well inside; else the usual one, as far as there are values."""
    for half in HALVES:
        axis = np.linspace(-half, half, POINTS)
        values = value(*np.meshgrid(axis, axis))
        finite = np.isfinite(values)
        if not finite.any():
            continue
        place = int(np.argmin(np.where(finite, values, np.inf)))
        x, y = float(axis[place % POINTS]), float(axis[place // POINTS])
        if max(abs(x), abs(y)) <= 0.85 * half:
            if half <= 10:
                return _finite_part(finite, axis)
            return ((_round(x, half) - half / 3, _round(x, half) + half / 3),
                    (_round(y, half) - half / 3, _round(y, half) + half / 3))  # fmt: skip
    axis = np.linspace(-3.0, 3.0, POINTS)
    finite = np.isfinite(value(*np.meshgrid(axis, axis)))
    return _finite_part(finite, axis) if finite.any() else USUAL


def _round(place: float, half: float) -> float:
    """A place to the digits that a window of this size tells."""
    unit = 10.0 ** math.floor(math.log10(half) - 1)
    return round(place / unit) * unit


def _finite_part(finite: np.ndarray, axis: np.ndarray) -> Any:
    """The window without the sides on which there is no value."""
    return (_span(finite.any(axis=0), axis), _span(finite.any(axis=1), axis))


def _span(there: np.ndarray, axis: np.ndarray) -> tuple[float, float]:
    places = np.flatnonzero(there)
    first, last = max(int(places[0]) - 1, 0), min(int(places[-1]) + 1, POINTS - 1)
    low, high = round(float(axis[first]), 6), round(float(axis[last]), 6)
    return (low, high) if last - first > POINTS // 5 else (float(axis[0]), float(axis[-1]))


def curve_start(domain: Any, value: Callable[..., Any]) -> tuple[float, float]:
    """The same for a formula of x alone, whose other coordinate is idle."""
    return (start_in(domain, lambda x, y: value(x, 0 * y))[0], 0.0)


def start_in(domain: Any, value: Callable[..., Any]) -> tuple[float, float]:
    """The first of some points near the window's corners that has a value, and one above the lowest."""
    (x0, x1), (y0, y1) = domain
    values = value(*np.meshgrid(np.linspace(x0, x1, POINTS), np.linspace(y0, y1, POINTS)))
    seen = values[np.isfinite(values)]
    lowest = float(np.min(seen)) if len(seen) > 0 else 0.0
    level = lowest + (0.02 * (float(np.median(seen)) - lowest) if len(seen) > 0 else 0.0)
    for across, up in CORNERS:
        x, y = x0 + across * (x1 - x0), y0 + up * (y1 - y0)
        here = float(value(x, y))
        if math.isfinite(here) and (here > level or lowest == level):
            return (round(x, 6), round(y, 6))
    return (round(x0 + 0.15 * (x1 - x0), 6), round(y0 + 0.3 * (y1 - y0), 6))
