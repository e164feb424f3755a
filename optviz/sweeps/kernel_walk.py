"""A block's way through all its steps in one call of a kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import kernels
from .kernel_numbers import Numbers, powers_of_axes
from .kernel_text import CHUNK, Text
from .lanes import Fixed, fresh
from .numpy_loops import loop_of

WORTH = 1e-3  # seconds of a sweep by numpy from which on a kernel is sought


@dataclass
class Found:
    """What has become of the lanes of a block: measures of all, and where each is."""

    loss: np.ndarray
    x: np.ndarray
    first: np.ndarray | None
    diverged: np.ndarray
    reached: np.ndarray
    taken: int = 0  # steps, the most that a lane took


class Plan:
    """A grid's kernel, with losses at every step or without, and what all blocks give to it."""

    def __init__(self, grid: Any, text: Text, kernel: kernels.Kernel, powers: Mapping[int, str]):
        self.grid, self.text, self.kernel, self.powers = grid, text, kernel, powers
        self.constants = np.array(text.places.constants, dtype=float)
        loops = [part for name in text.places.calls for part in loop_of(name) or (0, 0)]
        self.loops = np.array(loops, dtype=np.int64)
        self.numbers: Any = None

    def numbers_for(self, rates: Any) -> Numbers:
        """The numbers of all steps: worked out once, as a rate that is a row's is not among them."""
        if self.numbers is None:
            grid, text = self.grid, self.text
            kinds = {k: np.unique(grid.axes[name]) for k, name in self.powers.items()}
            self.numbers = Numbers(grid.program, text.lines, text.places.columns, kinds, rates, grid.steps)
        return self.numbers


def plan(grid: Any, timed: bool) -> Plan | None:
    """The grid's kernel; None where there is none, or none yet."""
    program = grid.program
    if program is None or grid.device or not program.traced or kernels.mode() == "off":
        return None
    if timed not in grid.plans:
        worth = kernels.mode() == "now" or grid.by_numpy() >= WORTH
        if not worth and not program.printed:
            return None
        powers = powers_of_axes(program, grid.axes, grid.steps)
        made = program.kernel(timed, frozenset(powers), worth)
        if made is None:
            return None
        grid.plans[timed] = Plan(grid, *made, powers)
    return grid.plans[timed]


class Call:
    """One call of a kernel for a block."""

    def __init__(self, planned: Plan, own: Mapping[str, Any], lanes: int, bound: Any, draws: Any, rates: Any):
        self.plan, self.lanes, self.bound = planned, lanes, bound
        self.text, self.grid = planned.text, planned.grid
        self.numbers = planned.numbers_for(rates)
        self.fixed = self._fixed({n: v for n, v in own.items() if n in self.grid.program.varied})
        self.table, self.where = self._looked_up(own, draws, rates)
        self.x = np.empty((self.grid.program.dim, lanes))
        for row, begins in zip(self.x, self.grid.starts(own), strict=True):
            row[...] = begins

    def _fixed(self, own: Mapping[str, Any]) -> np.ndarray:
        """The rows that stay the same."""
        lines = self.grid.program.lines
        steps, look = (Fixed(lines[n].tape, own, fresh) for n in ("later", "look"))
        rows = np.empty((len(self.text.fixed), self.lanes))
        for row, (line, index) in zip(rows, self.text.fixed.values(), strict=True):
            row[...] = (look if line == "look" else steps)[index]
        return rows

    def _looked_up(self, own: Mapping[str, Any], draws: Any, rates: Any) -> tuple[np.ndarray, np.ndarray]:
        """The table (steps, kinds) of what changes with the step, and which entry each lane has, by row."""
        where = np.zeros((len(self.text.gathered), self.lanes), dtype=np.int64)
        tables = [np.zeros((self.grid.steps, 0))]
        for row, name in zip(where, self.text.gathered, strict=True):
            if name[0] == "p":
                index = int(name[1:])
                table, known = self.numbers.powers[index]
                row[...] = np.searchsorted(known, own[self.plan.powers[index]])
            else:
                drawn, side = (rates, 0) if name == "rate" else (draws, int(name[1:]))
                table = drawn.table[:, side]
                row[...] = 0 if drawn.where is None else drawn.where
            row += sum(t.shape[1] for t in tables)
            tables.append(table)
        one = len(tables) == 2
        return np.ascontiguousarray(tables[1]) if one else np.concatenate(tables, axis=1), where

    def found(self) -> Found:
        """What has become of the lanes."""
        grid, lanes, bound = self.grid, self.lanes, self.bound
        first = np.empty(lanes if "first" in grid.want.names else 0)
        found = Found(np.empty(lanes), self.x, first if first.size else None, np.zeros(lanes, dtype=np.int32),
                      np.full(0 if bound is None else lanes, np.nan))  # fmt: skip
        bound = np.empty(0) if bound is None else np.ascontiguousarray(bound, dtype=float)
        memory, rows = _scratch(len(self.text.places.rows))
        kept = np.empty(len(self.text.carried) * CHUNK)
        still = self.numbers.rests.astype(np.int64)
        arrays = [self._shape(first.size > 0), self.x, self.fixed, self.plan.constants, self.numbers.table, still,
                  self.table, self.where, self.plan.loops, np.empty(7, dtype=np.int64), bound, rows, kept,
                  found.loss, first, found.diverged, found.reached]  # fmt: skip
        places: list[Any] = [array.ctypes.data for array in arrays]
        kernel = self.plan.kernel
        taken = ctypes.c_int64()
        kernel.run(taken, None, kernel.step, *places[:11], grid.radius**2, *places[11:])
        del memory
        found.taken = taken.value
        return found

    def _shape(self, begun: bool) -> np.ndarray:
        """What the driver is told: see `kernel_driver.entry`."""
        counts = [self.lanes, CHUNK, len(self.x), self.grid.steps, *self.text.shape(), self.numbers.table.shape[1]]
        return np.array([*counts, self.table.shape[1], self.bound is not None, begun], dtype=np.int64)


def _scratch(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Memory for the rows of a chunk that begins where a cache line does, beside the memory that holds it."""
    memory = np.zeros(rows * CHUNK + 8)
    skip = -(memory.ctypes.data // 8) % 8
    return memory, memory[skip : skip + rows * CHUNK]
