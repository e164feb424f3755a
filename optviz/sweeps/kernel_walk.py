"""A block's way through all its steps in one call of a kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..trace.tape import Tape, Value
from . import kernels
from .kernel_text import CHUNK, Text
from .lanes import Fixed, fresh
from .numpy_loops import loop_of
from .step_inputs import Numbers, powers_of_axes

WORTH = 1e-3  # seconds of a sweep by numpy from which on a kernel is sought


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
    """A grid's kernel, with losses at every step or without, and what all blocks give to it."""

    def __init__(self, grid: Any, text: Text, kernel: kernels.Kernel, powers: Mapping[int, str]):
        self.grid, self.text, self.kernel, self.powers = grid, text, kernel, powers
        self.constants = np.array(text.places.constants, dtype=float)
        loops = [part for name in text.places.calls for part in loop_of(name) or (0, 0)]
        self.loops = np.array(loops, dtype=np.int64)
        self.numbers: Any = None

        self.turns = grid.turns()
        self._tabulate()

    def _tabulate(self) -> None:
        """Starts and fixed rows as tables, one value for each of an axis's; `wide` are those of several axes."""
        grid, tables, self.wide = self.grid, [], []
        self.places: list[tuple[int, int, int]] = []  # where each is in the table, for how many lanes, how many
        for name, x in zip(grid.names, grid.start, strict=True):
            tables.append(grid.axes.get(name, np.array([x])))
            self._place(tables, name)
        for line, index in self.text.fixed.values():
            tape = grid.program.lines[line].tape
            names = inputs_of(tape, index)
            if len(names) == 1:
                tables.append(Fixed(tape, {n: grid.axes[n] for n in names}, fresh)[index])
                self._place(tables, *names)
            else:
                self.wide.append((len(self.places), line, index))
                self.places.append((0, 1, 1))
        self.table = np.concatenate(tables, dtype=float)
        self.by_lane = bool(self.wide or self.text.gathered)

    def _place(self, tables: list[np.ndarray], name: str) -> None:
        stride, size = self.turns.get(name, (self.grid.lanes, 1))
        self.places.append((sum(t.size for t in tables[:-1]), stride, size))

    def numbers_for(self, rates: Any) -> Numbers:
        """The numbers of all steps: worked out once, as a rate that is a row's is not among them."""
        if self.numbers is None:
            grid, text = self.grid, self.text
            kinds = {k: np.unique(grid.axes[name]) for k, name in self.powers.items()}
            self.numbers = Numbers(grid.program, text.lines, text.places.columns, kinds, rates, grid.steps)
        return self.numbers


def inputs_of(tape: Tape, index: int) -> set[str]:
    """The names of the inputs that a node is worked out from."""
    node = tape.nodes[index]
    if node.op == "input":
        return {node.args[0]}
    return {n for a in node.args if isinstance(a, Value) for n in inputs_of(tape, a.index)}


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

    def __init__(
        self, planned: Plan, own: Mapping[str, Any], ends: tuple[int, int], bound: Any, draws: Any, rates: Any
    ):
        self.plan, self.at, self.lanes, self.bound = planned, ends[0], ends[1] - ends[0], bound
        self.text, self.grid = planned.text, planned.grid
        self.numbers = planned.numbers_for(rates)
        self.fixed, self.places = self._fixed({n: v for n, v in own.items() if n in self.grid.program.varied})
        self.table, self.where = self._looked_up(own, draws, rates)
        self.dim = self.grid.program.dim
        self.x = np.empty((self.dim, self.lanes if self.grid.want.basin is not None else 0))

    def _fixed(self, own: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """What stays the same of the lanes, and where each row of it is: see `kernel_driver.entry`."""
        places = [(*place, self.at) for place in self.plan.places]
        rows, begin = [self.plan.table], self.plan.table.size
        for at, line, index in self.plan.wide:
            rows.append(np.broadcast_to(Fixed(self.grid.program.lines[line].tape, own, fresh)[index], self.lanes))
            places[at] = (begin, 1, self.lanes, 0)
            begin += self.lanes
        return np.concatenate(rows, dtype=float) if self.plan.wide else rows[0], np.array(places, dtype=np.int64)

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
        arrays = [self._shape(first.size > 0), self.x, self.fixed, self.places, self.plan.constants,
                  self.numbers.table, still, self.table, self.where, self.plan.loops, np.empty(7, dtype=np.int64),
                  bound, rows, kept, found.loss, first, found.diverged, found.reached]  # fmt: skip
        places: list[Any] = [array.ctypes.data for array in arrays]
        kernel = self.plan.kernel
        taken = ctypes.c_int64()
        kernel.run(taken, None, kernel.step, *places[:12], grid.radius**2, *places[12:])
        del memory
        found.taken = taken.value
        return found

    def _shape(self, begun: bool) -> np.ndarray:
        """What the driver is told: see `kernel_driver.entry`."""
        counts = [self.lanes, CHUNK, self.dim, self.grid.steps, *self.text.shape(), self.numbers.table.shape[1]]
        return np.array([*counts, self.table.shape[1], self.bound is not None, begun, self.x.size > 0], dtype=np.int64)


def _scratch(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Memory for the rows of a chunk that begins where a cache line does, beside the memory that holds it."""
    memory = np.zeros(rows * CHUNK + 8)
    skip = -(memory.ctypes.data // 8) % 8
    return memory, memory[skip : skip + rows * CHUNK]
