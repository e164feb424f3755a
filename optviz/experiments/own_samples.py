"""Samples that are an experiment's own, or somebody's: brought as a table, or edited by a hand in a picture of them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from html import escape
from typing import Any

import numpy as np
import param

from ..objectives.samples import SEED, SHORT, Samples, edited, names_in, samples_in, text_of
from ..page.controls import action, knobs_of
from ..page.layout import grid
from ..pictures.scene import nice
from ..plurals import many

Pair = tuple[float, float]
HINT = "Drag a point of the data (a finger taps it first), click to add one, double-click to remove one."
STIFF = 5.0  # scales of a column, or a centre by scales, beyond which it is scaled


class OwnSamples(param.Parameterized):
    """`data` may be a table, arrays or a text; see `optviz.objectives.samples`."""

    data = Samples(doc="The points: seed for the experiment's own, or columns x and y.")
    edited = param.String("", precedence=-1, doc="The points as a hand has left them last.")
    own_data = param.Event(label="The seed's points", doc="Take back the experiment's own points.")
    rescale = param.Boolean(False, label="Centre and scale", doc="Fit (x − centre) / scale, and y alike.")

    axes_named: tuple[str, ...] = ("x", "y")  # the columns, where nothing names them
    seed_rate: float = 0.1  # the learning rate for the experiment's own points

    def __init__(self, **params):
        self._coarse = False  # whether maps are drawn in fewer cells, until hands rest
        self._framed = SEED  # the points that frames are of: while a hand edits them frames stay
        self._columns, self._seed_rate = self.axes_named, self.seed_rate  # as a printed page finds them
        super().__init__(**params)

    def settle_given(self, given: Set[str], *more: str) -> None:
        """Once made: bring what points bring, but for what was given beside them, and begin from them."""
        self.settle({*more} | given & {"data", "rescale", "lr"})
        if "data" in given:
            self.restart()

    def seed_points(self) -> Sequence[np.ndarray]:
        """The experiment's own points."""
        raise NotImplementedError

    def rate_for(self, columns: Any) -> float:
        """A learning rate for columns in the units that they are fitted in."""
        raise NotImplementedError

    def scaled(self, columns: Any) -> list[Pair]:
        """A centre and a scale for each column."""
        return [units_of(column) for column in columns]

    def points(self) -> list[np.ndarray]:
        """The columns as they were given."""
        return self.remember("points", (self.data,), self._points)

    def _points(self) -> list[np.ndarray]:
        columns = None if self.data == SEED else samples_in(self.data, len(self._columns))
        return [np.array(column, dtype=float) for column in (self.seed_points() if columns is None else columns)]

    def labels(self) -> list[str]:
        """What the columns are called."""
        return names_in(self.data) or [*self._columns]

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
        own = not again and self.data != SEED
        points = self.points() if own else self.seed_points()
        rescale = self.rescale if "rescale" in changed else any(self.is_stiff(points))
        brought = {"rescale": rescale, "lr": self.rate_for(self.in_units(points, rescale)) if own else self._seed_rate}
        return {"data": self.data if own else SEED, **{n: v for n, v in brought.items() if n not in changed}}

    def is_stiff(self, columns: Any) -> list[bool]:
        """Whether a column is better scaled: a rate that suits one of its directions would not suit another."""
        return [not 1 / STIFF <= s <= STIFF or abs(c) > STIFF * s for c, s in self.scaled(columns)]

    def in_units(self, columns: Any, rescale: bool) -> list[np.ndarray]:
        """The columns, centred and scaled if that is asked for."""
        if not rescale:
            return columns
        return [(column - c) / s for column, (c, s) in zip(columns, self.scaled(columns), strict=True)]

    def units(self) -> list[Pair]:
        """The centre and the scale in which each column is fitted."""
        return self.scaled(self.points()) if self.rescale else [(0.0, 1.0) for _ in self._columns]

    def fitted(self) -> list[np.ndarray]:
        """The columns as they are fitted."""
        return self.remember("fitted", (self.data, self.rescale), lambda: self.in_units(self.points(), self.rescale))

    def settle_frames(self) -> None:
        """Have frames be of these points, unless a hand is at work on them."""
        self._framed = self._framed if self.data == self.edited else self.data

    def frame(self) -> tuple[Pair, Pair]:
        """What a picture of the points shows; where a fit is pulled to 0 is in it."""
        return self.remember("frame", (self._framed, self.rescale), self._frame)

    def _frame(self) -> tuple[Pair, Pair]:
        points = self.points()
        return frame_of(points[0], points[1], self.units()[1][0])

    def points_controls(self, members: Any = None) -> list[Any]:
        """Buttons for other points, and their units; what reads a file is on pages that compute in browsers."""
        own = [] if members is None else [action("Your own points…", "own-points")]
        return [grid(*own, knobs_of(self, ["own_data"]), columns=2, narrow=2, phone=2), knobs_of(self, ["rescale"])]

    def said_points(self) -> str:
        """What the points are, and in which units they are fitted."""
        said = f"{HINT} {many(len(self.points()[0]), 'point')}{'' if self.data == SEED else ' of your own'}."
        if len(self.data) > SHORT:
            said += " An address cannot hold so many: save the points, or the page."
        shown = [(n, c, s) for n, (c, s) in zip(self.labels(), self.units(), strict=True) if (c, s) != (0.0, 1.0)]
        if len(shown) == 0:
            return said
        parts = [f"({escape(n)} − {c:.6g}) / {s:.6g}" if c != 0 else f"{escape(n)} / {s:.6g}" for n, c, s in shown]
        return f"{said} Fitted are {' and '.join(parts)}."


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


def units_of(column: np.ndarray) -> Pair:
    """A round number near a column's median, and one near its spread: they stay while one point moves."""
    middle = float(np.median(column))
    spread = 1.5 * float(np.median(np.abs(column - middle)))
    if spread == 0.0:
        spread = float(column.std())
    scale = nice(spread) if spread > 1e-12 * abs(middle) else nice(abs(middle))
    return float(round(middle / scale) * scale), scale


def frame_of(x: np.ndarray, y: np.ndarray, level: float) -> tuple[Pair, Pair]:
    """The ends of both axes around these points and a level."""
    wide, high = float(np.ptp(x)) or 1.0, float(np.ptp(y)) or 1.0
    low, top = min(float(y.min()), level), max(float(y.max()), level)
    return (float(x.min()) - 0.09 * wide, float(x.max()) + 0.09 * wide), (low - 0.12 * high, top + 0.24 * high)
