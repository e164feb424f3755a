"""A block's way through all its steps in one call of a kernel."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from . import kernels
from .kernel_text import CHUNK, Text, printed
from .numpy_loops import loop_of
from .plans import Found, Plan
from .step_inputs import Fixed

WORTH = 1e-3  # seconds of a sweep by numpy from which on a kernel is sought


class Compiled:
    """A kernel, and what it is given in every block."""

    def __init__(self, text: Text, kernel: kernels.Kernel):
        self.text, self.kernel = text, kernel
        self.constants = np.array(text.places.constants, dtype=float)
        loops = [part for name in text.places.calls for part in loop_of(name) or (0, 0)]
        self.loops = np.array(loops, dtype=np.int64)


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
        plan.kernel = Compiled(inputs.text, found) if found else None
    return plan.kernel


def walked(plan: Plan, given: Compiled, at: int, stop: int, bound: np.ndarray | None) -> Found:
    """What has become of the lanes of a block, in one call of the kernel."""
    grid, text, lanes, dim = plan.grid, given.text, stop - at, given.text.dim
    own = grid.values(at, stop)
    rows = Fixed(grid.program.tape, own)
    fixed = np.empty((dim + len(plan.inputs.fixed), lanes))
    for row, values in zip(fixed, [*grid.starts(own), *(rows[k] for k in plan.inputs.fixed)], strict=True):
        row[...] = values
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
    arrays = [np.array(shape, dtype=np.int64), x, fixed, given.constants, numbers, rests, table, where,
              given.loops, np.empty(7, dtype=np.int64), bound, rows, kept, found.loss, first, found.diverged,
              found.reached]  # fmt: skip
    addresses: list[Any] = [array.ctypes.data for array in arrays]
    taken = ctypes.c_int64()
    given.kernel.run(taken, None, given.kernel.step, *addresses[:11], grid.radius**2, *addresses[11:])
    del memory
    found.taken = taken.value
    return found


def _scratch(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Memory for the rows of a chunk that begins where a cache line does, beside the memory that holds it."""
    memory = np.zeros(rows * CHUNK + 8)
    skip = -(memory.ctypes.data // 8) % 8
    return memory, memory[skip : skip + rows * CHUNK]
