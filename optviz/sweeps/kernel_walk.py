"""A block's way through all its steps in one call of a kernel."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ..trace.tape import Value
from . import kernels
from .kernel_text import CHUNK, Text, printed
from .numpy_loops import loop_of
from .plans import Found, Plan
from .programs import LaneTape
from .step_inputs import Fixed

WORTH = 1e-3  # seconds of a sweep by numpy from which on a kernel is sought


class Compiled:
    """A plan's kernel, and what all blocks give to it."""

    def __init__(self, plan: Plan, text: Text, kernel: kernels.Kernel):
        self.plan, self.grid, self.text, self.kernel = plan, plan.grid, text, kernel
        self.constants = np.array(text.places.constants, dtype=float)
        loops = [part for name in text.places.calls for part in loop_of(name) or (0, 0)]
        self.loops = np.array(loops, dtype=np.int64)
        self._tabulate()

    def _tabulate(self) -> None:
        """Starts and fixed rows as tables, one value for each of an axis's; `wide` are those of several axes."""
        grid, tables = self.grid, []
        self.wide: list[tuple[int, int]] = []  # their places and nodes
        self.places: list[tuple[int, int, int]] = []  # where each is in the table, for how many lanes, how many

        def place(name: str, values: np.ndarray) -> None:
            self.places.append((sum(t.size for t in tables), *grid.turn_of(name)))
            tables.append(values)

        for name, x in zip(grid.names, grid.start, strict=True):
            place(name, grid.axes.get(name, np.array([x])))
        for index in self.plan.inputs.fixed:
            names = inputs_of(grid.program.tape, index)
            if len(names) == 1:
                place(*names, Fixed(grid.program.tape, {n: grid.axes[n] for n in names})[index])
            else:
                self.wide.append((len(self.places), index))
                self.places.append((0, 1, 1))
        self.table = np.concatenate(tables, dtype=float)

    def fixed(self, at: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """What stays the same of the lanes, and where each row of it is: see `kernel_driver.entry`."""
        places = [(*place, at) for place in self.places]
        if not self.wide:
            return self.table, np.array(places, dtype=np.int64)
        rows, begin, lanes = [self.table], self.table.size, stop - at
        found = Fixed(self.grid.program.tape, self.grid.values(at, stop))
        for k, index in self.wide:
            rows.append(np.broadcast_to(found[index], lanes))
            places[k] = (begin, 1, lanes, 0)
            begin += lanes
        return np.concatenate(rows, dtype=float), np.array(places, dtype=np.int64)


def inputs_of(tape: LaneTape, index: int) -> set[str]:
    """The names of the inputs that a node is worked out from."""
    node = tape.nodes[index]
    if node.op == "input":
        return {node.args[0]}
    return {n for a in node.args if isinstance(a, Value) for n in inputs_of(tape, a.index)}


def compiled(plan: Plan) -> Compiled | None:
    """A plan's kernel; None where there is none, or none yet: it is begun where there is enough work for it."""
    if plan.kernel is None:
        grid, inputs = plan.grid, plan.inputs
        worth = kernels.mode() == "now" or inputs.text is not None or grid.by_numpy() >= WORTH
        if grid.device or not grid.program.traced or kernels.mode() == "off" or not worth:
            return None
        if inputs.text is None:
            inputs.text = printed(inputs) or False
        found = kernels.kernel(inputs.text.source) if inputs.text else None
        plan.kernel = Compiled(plan, inputs.text, found) if found else None
    return plan.kernel


def walked(given: Compiled, at: int, stop: int, bound: np.ndarray | None) -> Found:
    """What has become of the lanes of a block, in one call of the kernel."""
    plan, grid, text, lanes, dim = given.plan, given.grid, given.text, stop - at, given.text.dim
    fixed, places = given.fixed(at, stop)
    table, where = plan.looked_up(at, stop)
    first = np.empty(lanes if "first" in grid.want.names else 0)
    x = np.empty((dim, lanes if grid.want.basin is not None else 0))
    found = Found(np.empty(lanes), x, first if first.size else None, np.zeros(lanes, dtype=np.int32),
                  np.full(0 if bound is None else lanes, np.nan))  # fmt: skip
    numbers, rests = plan.numbers.table, plan.numbers.rests.astype(np.int64)
    shape = [lanes, CHUNK, dim, grid.steps, *text.shape(), numbers.shape[1], table.shape[1], bound is not None,
             first.size > 0, x.size > 0]  # fmt: skip
    bound = np.empty(0) if bound is None else np.ascontiguousarray(bound, dtype=float)
    memory, rows = _scratch(len(text.places.rows))
    kept = np.empty(len(plan.inputs.rows) * CHUNK)
    arrays = [np.array(shape, dtype=np.int64), x, fixed, places, given.constants, numbers, rests, table, where,
              given.loops, np.empty(7, dtype=np.int64), bound, rows, kept, found.loss, first, found.diverged,
              found.reached]  # fmt: skip
    addresses: list[Any] = [array.ctypes.data for array in arrays]
    taken = ctypes.c_int64()
    given.kernel.run(taken, None, given.kernel.step, *addresses[:12], grid.radius**2, *addresses[12:])
    del memory
    found.taken = taken.value
    return found


def _scratch(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Memory for the rows of a chunk that begins where a cache line does, beside the memory that holds it."""
    memory = np.zeros(rows * CHUNK + 8)
    skip = -(memory.ctypes.data // 8) % 8
    return memory, memory[skip : skip + rows * CHUNK]
