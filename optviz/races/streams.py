"""Quasi-random points, the same in Python and on a page: Halton's, moved together by a draw from a seed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

PRIMES = (2, 3, 5, 7, 11, 13)


def inverse(number: int, base: int) -> float:
    """The digits of a number in a base, read backwards behind the point (van der Corput)."""
    found, unit = 0.0, 1.0
    while number > 0:
        unit = unit / base
        found = found + unit * (number % base)
        number = number // base
    return found


def halton(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    """The first points (count, dimensions) of a Halton sequence after its zero, shifted modulo 1 by the seed's draw.

    Any stretch of them fills the unit cube evenly, so that a study that takes the next n points is as good as any
    other (Cranley and Patterson 1976 for the shift).
    """
    shift = np.random.default_rng(seed).random(dimensions)
    rows = [[inverse(k + 1, PRIMES[d]) for d in range(dimensions)] for k in range(count)]
    points = np.array(rows).reshape(count, dimensions) + shift
    return points - np.floor(points)


def placed(points: Any, span: Any) -> np.ndarray:
    """Where points of the unit interval lie in a span (low, high, whether by factors), to four digits."""
    low, high, by_factors = span
    if not by_factors:
        return np.array([float(f"{low + (high - low) * u:.4g}") for u in points])
    first, last = math.log10(low if low > 0 else high / 1000), math.log10(high)
    return np.array([float(f"{10.0 ** (first + (last - first) * u):.4g}") for u in points])
