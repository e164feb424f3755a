"""Whether all eigenvalues of a small matrix lie within the unit circle, and the numbers at which that ends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SURE = 1e-12  # by how much Jury's test is passed or failed, to tell it from rounding


def spectral_radius(matrix: Any) -> float:
    """The largest modulus of the eigenvalues of a small square matrix."""
    if len(matrix) == 1:
        return abs(float(matrix[0][0]))
    if len(matrix) > 2:
        return radius_of_more(matrix)
    a, b, c, d = float(matrix[0][0]), float(matrix[0][1]), float(matrix[1][0]), float(matrix[1][1])
    spread = (a - d) * (a - d) / 4 + b * c
    return math.sqrt(a * d - b * c) if spread < 0 else abs(a + d) / 2 + math.sqrt(spread)


def radius_of_more(matrix: Any) -> float:
    """Of a matrix of more than two rows; infinite where one of its entries is."""
    return float(np.abs(np.linalg.eigvals(matrix)).max()) if np.isfinite(matrix).all() else math.inf


def excess(matrix: Any) -> float:
    """Below 0 where all eigenvalues are within the unit circle: by how much a small matrix fails Jury's test."""
    if len(matrix) > 2:
        return spectral_radius(matrix) - 1
    if len(matrix) == 1:
        return abs(matrix[0][0]) - 1
    (a, b), (c, d) = matrix
    product = a * d - b * c
    return max(abs(a + d) - 1 - product, product - 1)


def edge(excess: Any, unit: float) -> float:
    """The last number from well below `unit` on at which a rule is stable, else at which it only circles; 0 if none."""
    settles = _first_rise(excess, unit, 40)
    return settles if settles > 0 else _first_rise(lambda at: excess(at) - SURE, unit, 10)


def _first_rise(excess: Any, unit: float, most: int) -> float:
    """The first number at which `excess` is no longer below 0, from where it is, at most so many halvings of `unit`."""
    low, below, tries = unit, excess(unit), 0
    while not below < -SURE / 2:
        low, tries = low / 2, tries + 1
        if tries > most:
            return 0.0
        below = excess(low)
    high = 2 * low
    above = excess(high)
    while above < 0:
        low, below, high = high, above, 2 * high
        if not math.isfinite(high):
            return math.inf
        above = excess(high)
    return crossing(excess, low, below, high, above)


def start(excess: Any, last: float) -> float:
    """The number below `last` from which on a rule is stable up to there; 0 if from the first."""
    if not excess(1e-9 * last) > SURE:
        return 0.0
    low = last / (1 + 1e-6)
    while low > 1e-9 * last and excess(low / 1.25) < 0:
        low = low / 1.25
    inside, outside = excess(low), excess(low / 1.25)
    return 1 / crossing(lambda share: excess(1 / share), 1 / low, inside, 1.25 / low, outside) if inside < 0 else last


def crossing(excess: Any, low: float, below: float, high: float, above: float) -> float:
    """The first number from `low` to `high` at which `excess` is not below 0 (regula falsi, Illinois).

    A map asks for its limit 41 times a move: halving would take five times as many looks.
    """
    turn, side = 0, 0
    while low < (low + high) / 2 < high:
        turn, next_to = turn + 1, 2.3e-16 * high
        at = min(max(low + (high - low) * (below / (below - above)), low + next_to), high - next_to)
        if turn % 4 == 0 or not low < at < high:
            at = (low + high) / 2
        found = excess(at)
        if found < 0:
            low, below, above, side = at, found, above / 2 if side < 0 else above, -1
        else:
            high, above, below, side = at, found, below / 2 if side > 0 else below, 1
    return high
