"""Pictures of many runs in stages: coarse while something moves, finer row by row once it rests."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

# steps of single lanes in a picture, by stage: the first is for a browser that the second takes too long
WORK = (80_000, 320_000, 2_000_000, 12_000_000)
FINEST = len(WORK) - 1
PART = 0.03  # seconds of work between two looks at what else there is to do; at most twice as many


def cells_aside(stage: int, steps: int) -> int:
    """How many cells a square picture has along each side, a run of `steps` in each; no more than a screen shows."""
    return min(max(int(math.sqrt(WORK[stage] / steps)), 24), 600)


class Picture:
    """A run in each cell of a grid: `found` are the arrays of a stage, `advance` makes those of the next.

    `axes(stage)` gives where the cells of a stage are across and up, `cells(xs, ys)` their arrays by
    name, (len(ys), len(xs)), each cell's the same beside any others. `found` has `xs`, `ys`, `stage`,
    and what `about` has, as well.
    """

    def __init__(self, stage: int, steps: int, axes: Callable[[int], Any],
                 cells: Callable[[Any, Any], dict[str, Any]], about: dict[str, Any]):  # fmt: skip
        self.axes, self.cells, self.about = axes, cells, about
        xs, ys = axes(stage)
        self.found: dict[str, Any] = {**about, **cells(xs, ys), "xs": xs, "ys": ys, "stage": stage}
        self.least = WORK[stage] // steps  # cells of a part: as much work as follows a change
        self.share = 1  # how many times as much a part may be
        self._begin()

    def _begin(self) -> None:
        """Get ready for the rows of the next stage that has more cells."""
        self.stage = self.found["stage"]
        self.rows: dict[str, np.ndarray] = {}
        self.at = 0
        self.ahead: Any = None
        while self.ahead is None and self.stage < FINEST:
            self.stage += 1
            xs, ys = self.axes(self.stage)
            if len(ys) > len(self.found["ys"]):
                self.ahead = (xs, ys)

    def rough(self) -> bool:
        """Whether there is a finer stage."""
        return self.ahead is not None

    def advance(self) -> bool:
        """Make some rows of the next stage, as many as take about `PART`; once they are all there, find them instead.

        Returns whether it did that.
        """
        began = perf_counter()
        xs, ys = self.ahead
        if self.at == len(ys):
            self.found = {**self.about, **self.rows, "xs": xs, "ys": ys, "stage": self.stage}
            self._begin()
            return True
        stop = min(self.at + max(self.share * self.least // len(xs), 1), len(ys))
        for name, values in self.cells(xs, ys[self.at : stop]).items():
            if self.at == 0:
                self.rows[name] = np.empty((len(ys), len(xs)), dtype=values.dtype)
            self.rows[name][self.at : stop] = values
        self.at = stop
        self._pace(perf_counter() - began)
        return False

    def _pace(self, took: float) -> None:
        if took < PART:
            self.share = 2 * self.share
        elif took > 2 * PART:
            self.share = max(self.share // 2, 1)
