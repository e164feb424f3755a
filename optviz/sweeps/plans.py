"""What a grid gives to all of its blocks, whichever way they are walked, and what comes of a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .step_inputs import Numbers, powers_of_axes


@dataclass
class Found:
    """What has become of the lanes of a block: measures of all, and where each is."""

    loss: np.ndarray
    x: np.ndarray  # of no lanes where nothing asks for it
    first: np.ndarray | None
    diverged: np.ndarray
    reached: np.ndarray
    taken: int = 0  # steps, the most that a lane took


class Plan:
    """A grid's steps, with losses at every one or without."""

    def __init__(self, grid: Any, timed: bool):
        self.grid = grid
        self.powers = powers_of_axes(grid.program, grid.axes, grid.steps)
        self.inputs = grid.program.inputs(timed, frozenset(self.powers))
        self.kernel: Any = None  # once it is there
        self._made: tuple[Any, Any] = (None, None)

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers of all steps."""
        grid = self.grid
        axes = {k: grid.axes[name] for k, name in self.powers.items()}
        return Numbers(self.inputs, axes, self._rates(0, 1)[:, 0] if grid.program.rates == "one" else None, grid.steps)

    def looked_up(self, at: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The table (steps, kinds) of what changes with the step, and each lane's column in it, by row."""
        grid, gathered, begin = self.grid, self.inputs.gathered, 0
        where = np.zeros((len(gathered), stop - at), dtype=np.int64)
        ends = []
        for row, index in zip(where, gathered, strict=True):
            axis = self._axis(index)
            places = grid.along(axis, np.arange(grid.axes[axis].size if axis in grid.axes else 1), at, stop)
            first, last = int(places.min()), int(places.max()) + 1
            row[...] = places - (first - begin)
            ends.append((first, last))
            begin += last - first
        made = self._made
        if made[0] != ends:  # blocks of the same values share a table
            self._made = made = ends, self._table(ends)
        return made[1], where

    def _axis(self, index: int) -> str:
        """The axis along which what is looked up changes."""
        if index in self.powers:
            return self.powers[index]
        return "lr" if self.inputs.nodes[index].args[0] == "rate" else "seed"

    def _table(self, ends: Sequence[tuple[int, int]]) -> np.ndarray:
        tables, draws = [np.zeros((self.grid.steps, 0))], None
        for (first, last), index in zip(ends, self.inputs.gathered, strict=True):
            name = self.inputs.nodes[index].args[0]
            if index in self.powers:
                tables.append(self.numbers.powers[index][:, first:last])
            elif name == "rate":
                tables.append(self._rates(first, last))
            else:
                draws = self._draws(first, last) if draws is None else draws
                tables.append(draws[:, int(name[1:])])
        return np.concatenate(tables, axis=1)

    def _rates(self, first: int, last: int) -> np.ndarray:
        """The rates (steps, kinds) of a schedule, for these places along an axis of learning rates."""
        grid = self.grid
        return grid.around.schedule.rates(grid.axes.get("lr", np.array([grid.program.lr]))[first:last], grid.steps)

    def _draws(self, first: int, last: int) -> np.ndarray:
        """The gradient noise (steps, dim, kinds) of these places along an axis of seeds."""
        grid = self.grid
        seeds = grid.axes.get("seed", grid.around.seeds)[first:last]
        each = [np.random.default_rng(int(s)).standard_normal((grid.steps, len(grid.start))) for s in seeds]
        with np.errstate(over="ignore"):  # a result: the lane is marked diverged
            return grid.around.noise * np.stack(each, axis=-1)
