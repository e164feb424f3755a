"""Points that a line is fitted to: what maps show of its weight and bias, and a rate for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..pictures.scene import axes_of, nice
from .own_samples import OwnSamples

WIDE = 13  # units that a map shows of weight and bias, from 6 below the fit of squares, or nearly
CELLS = 100
SEED_RATE = 0.1


class GivenPoints(OwnSamples):
    """Columns x and y, to which a line is fitted."""

    seed_rate = SEED_RATE

    @property
    def x(self) -> np.ndarray:
        """The points' x, as given."""
        return self.points()[0]

    @property
    def y(self) -> np.ndarray:
        """The points' y, as given."""
        return self.points()[1]

    def rate_for(self, columns: Any) -> float:
        """A rate from a fifth to a half of the limit: 1, 2 or 5 times a power of ten."""
        return nice(limit_of(columns[0]) / 5)

    @property
    def window(self) -> dict[str, Any]:
        """What maps show of weight and bias, and where runs begin."""
        return self.remember("window", (self.data, self.rescale), self._window)

    def _window(self) -> dict[str, Any]:
        points, one, other = self.points(), 1.0, 1.0
        if not self.rescale and any(self.is_stiff(points)):
            (left, wide), (_, high) = self.scaled(points)
            one, other = nice(high / wide), nice(high * max(1.0, abs(left) / wide))
        return window_of(*line_of(*self.fitted()), one, other)

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """The weights and the biases of which maps show the loss: fewer while a hand moves points."""
        window = self.window
        if not self._coarse:
            return window["weights"], window["biases"]
        left, low, right, top = window["box"]
        return axes_of((low, left, top, right), CELLS // 2)

    def as_given(self, weight: float, bias: float) -> tuple[float, float]:
        """A fitted line's slope and its height at 0, of the columns as they were given."""
        (left, wide), (low, high) = self.units()
        slope = weight * high / wide
        return slope, high * bias + low - slope * left


def line_of(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Weight and bias of least squares; of points above each other, a level line."""
    left, low = float(np.mean(x)), float(np.mean(y))
    spread = float(np.mean((x - left) ** 2))
    weight = float(np.mean((x - left) * (y - low))) / spread if spread > 0 else 0.0
    return weight, low - weight * left


def limit_of(x: np.ndarray) -> float:
    """The rate beyond which gradient descent on squares diverges: 2 over the largest curvature."""
    a, b = float(np.mean(x**2)), float(np.mean(x))
    return 2 / (1 + a + float(np.hypot(a - 1, 2 * b)))


def window_of(weight: float, bias: float, one: float, other: float) -> dict[str, Any]:
    """The axes of weight and bias, in these units, around a fit, and a start within them, aside of it.

    Cells of four units, of which the seed's fit is near a middle: the window stays while one point moves.
    """
    w = one * (4 * round((weight / one - 1) / 4) + 1)
    b = other * (4 * round((bias / other - 2) / 4) + 2)
    steps = np.arange(CELLS + 1)
    weights = w - 6 * one + one * WIDE * steps / CELLS
    biases = b - 7 * other + other * WIDE * steps / CELLS
    half, across = (weights[1] - weights[0]) / 2, (biases[1] - biases[0]) / 2
    box = (biases[0] - across, weights[0] - half, biases[-1] + across, weights[-1] + half)
    return {"weights": weights, "biases": biases, "box": tuple(float(end) for end in box),
            "start": (w + 5 * one, b - 5 * other)}  # fmt: skip
