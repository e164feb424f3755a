"""Points that a line is fitted to, the seed's or one's own: their units, and what pictures show of them."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import param

from ..objectives.samples import SEED, SHORT, Samples, edited, names_in, samples_in, text_of
from ..page.controls import action, knobs_of
from ..page.layout import grid
from ..pictures.scene import axes_of, nice
from ..plurals import many

WIDE = 13  # units that a map shows of weight and bias, from 6 below the fit of squares, or nearly
CELLS = 100
SEED_RATE = 0.1
HINT = "Drag a point of the data, click to add one, double-click to remove one."
STIFF = 5.0  # scales of a column, or a centre by scales, beyond which it is scaled


class GivenPoints(param.Parameterized):
    """Two columns: `data` may be a table, arrays or a text; see `optviz.objectives.samples`."""

    data = Samples(doc="The points: seed for the experiment's own, or columns x and y.")
    edited = param.String("", precedence=-1, doc="The points as a hand has left them last.")
    own_data = param.Event(label="The seed's points", doc="Take back the experiment's own points.")
    rescale = param.Boolean(False, label="Centre and scale",
                            doc="Fit (x − centre) / scale and (y − centre) / scale.")  # fmt: skip

    def __init__(self, **params):
        self._coarse = False  # whether maps are drawn in fewer cells, until hands rest
        self._loads = 0  # counts the points that were brought: while a hand edits them frames stay
        super().__init__(**params)

    def seed(self) -> tuple[np.ndarray, np.ndarray]:
        """The experiment's own points."""
        raise NotImplementedError

    def points(self) -> list[np.ndarray]:
        """The columns x and y as they were given."""
        return self.remember("points", (self.data,), self._points)

    def _points(self) -> list[np.ndarray]:
        columns = None if self.data == SEED else samples_in(self.data, 2)
        return [np.array(column, dtype=float) for column in (self.seed() if columns is None else columns)]

    @property
    def x(self) -> np.ndarray:
        """The points' x, as given."""
        return self.points()[0]

    @property
    def y(self) -> np.ndarray:
        """The points' y, as given."""
        return self.points()[1]

    def labels(self) -> list[str]:
        """What the columns are called."""
        return names_in(self.data) or ["x", "y"]

    def edit_point(self, what: str, index: int, x: float, y: float) -> None:
        """Add, move or remove a point."""
        self.edited = text_of(edited(self.points(), what, index, (x, y)), names_in(self.data))

    def follow_points(self, changed: set[str]) -> dict[str, Any]:
        """Points that a hand has edited are the data, and change nothing else; others bring units and a rate."""
        again = "own_data" in changed
        if "edited" in changed and "data" not in changed:
            return {"data": self.edited}
        if not again and ("data" not in changed or "edited" in changed):
            return {}
        self._loads += 1
        points = self.seed() if again else self.points()
        rescale = self.rescale if "rescale" in changed else any(map(stiff, points))
        own = not again and self.data != SEED
        brought = {"rescale": rescale, "lr": rate_of(*in_units(points, rescale)) if own else SEED_RATE}
        return {"data": self.data if own else SEED, **{n: v for n, v in brought.items() if n not in changed}}

    def units(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The centre and the scale in which each column is fitted."""
        return tuple(map(units_of, self.points())) if self.rescale else ((0.0, 1.0), (0.0, 1.0))

    def fitted(self) -> list[np.ndarray]:
        """The columns as they are fitted."""
        return self.remember("fitted", (self.data, self.rescale), lambda: in_units(self.points(), self.rescale))

    @property
    def window(self) -> dict[str, Any]:
        """What maps show of weight and bias, and where runs begin."""
        return self.remember("window", (self.data, self.rescale), lambda: window_of(self.points(), self.rescale))

    def frame(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """What a picture of the points shows; where a fit is pulled to 0 is in it."""
        return self.remember("frame", (self._loads, self.rescale), lambda: frame_of(*self.points(), self.units()[1][0]))

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

    def points_controls(self, members: Any = None) -> list[Any]:
        """Buttons for other points, and their units; what reads a file is on pages that compute in browsers."""
        own = [] if members is None else [action("Your own points…", "own-points")]
        return [grid(*own, knobs_of(self, ["own_data"]), columns=2, narrow=2, phone=2), knobs_of(self, ["rescale"])]

    def said_points(self) -> str:
        """What the points are, and in which units they are fitted."""
        names = self.labels()
        said = f"{HINT} {many(len(self.x), 'point')}{'' if self.data == SEED else ' of your own'}."
        if len(self.data) > SHORT:
            said += " An address cannot hold so many: save the points, or the page."
        if not self.rescale:
            return said
        parts = [f"({escape(n)} − {c:.6g}) / {s:.6g}" for n, (c, s) in zip(names, self.units(), strict=True)]
        return f"{said} Weight, bias and loss are of {parts[0]} and {parts[1]}."


class Coarse:
    """Whether maps are of fewer cells, as long as a page has not found the time for all of them."""

    def __init__(self, coarse: bool):
        self.coarse = coarse

    def rough(self) -> bool:
        """Whether there is something to make finer."""
        return self.coarse

    def advance(self) -> bool:
        """Ask for all cells; whether anything changes."""
        self.coarse = False
        return True


def units_of(column: np.ndarray) -> tuple[float, float]:
    """A round number near a column's median, and one near its spread: they stay while one point moves."""
    middle = float(np.median(column))
    spread = 1.5 * float(np.median(np.abs(column - middle)))
    if spread == 0.0:
        spread = float(column.std())
    scale = nice(spread) if spread > 1e-12 * abs(middle) else nice(abs(middle))
    return float(round(middle / scale) * scale), scale


def stiff(column: np.ndarray) -> bool:
    """Whether a column is better scaled: a rate that suits one of its directions would not suit the other."""
    centre, scale = units_of(column)
    return not 1 / STIFF <= scale <= STIFF or abs(centre) > STIFF * scale


def in_units(columns: Any, rescale: bool) -> list[np.ndarray]:
    """The columns, centred and scaled if that is asked for."""
    units = [units_of(column) if rescale else (0.0, 1.0) for column in columns]
    return [(column - centre) / scale for column, (centre, scale) in zip(columns, units, strict=True)]


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


def rate_of(x: np.ndarray, y: np.ndarray) -> float:
    """A rate from a fifth to a half of the limit: 1, 2 or 5 times a power of ten."""
    return nice(limit_of(x) / 5)


def window_of(points: Any, rescale: bool) -> dict[str, Any]:
    """The axes of weight and bias around the fit of squares, and a start within them, aside of it."""
    x, y = in_units(points, rescale)
    weight, bias = line_of(x, y)
    one, other = 1.0, 1.0
    if not rescale and any(map(stiff, points)):
        (left, wide), (_, high) = map(units_of, points)
        one, other = nice(high / wide), nice(high * max(1.0, abs(left) / wide))
    # cells of four units, of which the seed's fit is near a middle: the window stays while one point moves
    w = one * (4 * round((weight / one - 1) / 4) + 1)
    b = other * (4 * round((bias / other - 2) / 4) + 2)
    steps = np.arange(CELLS + 1)
    weights = w - 6 * one + one * WIDE * steps / CELLS
    biases = b - 7 * other + other * WIDE * steps / CELLS
    half, across = (weights[1] - weights[0]) / 2, (biases[1] - biases[0]) / 2
    box = (biases[0] - across, weights[0] - half, biases[-1] + across, weights[-1] + half)
    return {"weights": weights, "biases": biases, "box": tuple(float(end) for end in box),
            "start": (w + 5 * one, b - 5 * other)}  # fmt: skip


def frame_of(x: np.ndarray, y: np.ndarray, level: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ends of both axes around these points and a level."""
    wide, high = float(np.ptp(x)) or 1.0, float(np.ptp(y)) or 1.0
    low, top = min(float(y.min()), level), max(float(y.max()), level)
    return (float(x.min()) - 0.09 * wide, float(x.max()) + 0.09 * wide), (low - 0.12 * high, top + 0.24 * high)
