"""A block's way through all its steps by calls of numpy: a row of lanes at a time, an operation after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..halt import look
from .plans import Found, Plan
from .step_inputs import Fixed, Work, function_of


class Numpy:
    """Rows as numpy's arrays."""

    asarray = staticmethod(np.asarray)
    same = staticmethod(np.array_equal)

    @staticmethod
    def number(value: Any) -> Any:
        """A number that functions of rows take: an array of no dimension takes half the time of a float."""
        return np.array(value if isinstance(value, bool | np.bool_) else float(value))

    @staticmethod
    def function(op: str) -> Any:
        """What does an operation of this name."""
        return _where if op == "where" else function_of(op)

    @staticmethod
    def numbers(row: Any) -> np.ndarray:
        """A row as numpy's array."""
        return row

    @staticmethod
    def take(numbers: Any, where: Any) -> Any:
        return numbers.take(where, mode="clip")  # no check of what is known to be there

    @staticmethod
    def square(row: Any) -> Any:
        """The sum of squares; threads, which are busy with other blocks, would share a longer product."""
        return sum(part.dot(part) for part in (row[at : at + 8192] for at in range(0, row.size, 8192)))


def _where(condition, a, b):
    """A choice; of a number, the same for all lanes."""
    return np.where(condition, a, b) if np.ndim(condition) else a if condition else b


class Block:
    """Lanes of one block: the values of a tape's nodes, those that lanes carry among them."""

    def __init__(self, plan: Plan, at: int, stop: int, xp: Any = Numpy):
        self.plan, self.xp, self.lanes = plan, xp, stop - at
        self.inputs, self.program, tape = plan.inputs, plan.grid.program, plan.grid.program.tape
        own = {n: xp.asarray(v) for n, v in plan.grid.values(at, stop).items()}
        self.work = Work(tape.nodes, xp.function, xp.number)
        self.values = self.work.values
        self.at = {node.args[0]: k for k, node in enumerate(tape.nodes) if node.op == "input"}
        self.calls = {name: self.work.calls(order) for name, order in self.inputs.work.items()}
        self.left = {n: {row: self.work.place(v) for row, v in self.inputs.results(n).items()} for n in self.calls}
        fixed = Fixed(tape, own, xp.function)
        for index in self.inputs.fixed:
            self.values[index] = fixed[index]
        for k, x in enumerate(plan.grid.starts(own)):
            self.values[self.at[f"X{k}"]] = xp.asarray(np.zeros(self.lanes)) + x
        table, where = plan.looked_up(at, stop)
        self.table, self.where = xp.asarray(table), [xp.asarray(row) for row in where]
        self.truths = [k for ks in self.inputs.columns.values() for k in ks if tape.nodes[k].truth]
        self.F: Any = None

    @property
    def X(self) -> list[Any]:
        """Where the lanes are, a row for each coordinate."""
        return [self.values[self.at[f"X{k}"]] for k in range(self.program.dim)]

    def state(self) -> list[Any]:
        """The rows that a step makes anew."""
        return [self.values[self.at[name]] for name in self.inputs.rows]

    def step(self, t: int) -> None:
        """Step t; where the plan has losses at every step, F is then the loss before it."""
        name, values = "later" if t > 1 else "first", self.values
        for index, number in zip(self.inputs.columns[name], self.plan.numbers.table[t - 1], strict=False):
            values[index] = number
        for index in self.truths:
            values[index] = values[index] != 0
        for index, where in zip(self.inputs.gathered, self.where, strict=True):
            values[index] = self.xp.take(self.table[t - 1], where)
        if not self.program.traced:
            self._outside()
        self._do(name)

    def measure(self) -> None:
        """The loss where the lanes are."""
        if self.program.traced:
            self._do("look")
        else:
            self.F = self.xp.asarray(self.program.objective.value(*map(self.xp.numbers, self.X)))

    def _do(self, name: str) -> None:
        self.work.do(self.calls[name])
        left = {row: self.values[k] for row, k in self.left[name].items()}
        self.F = left.pop("F", self.F)
        for row, value in left.items():
            self.values[self.at[row]] = value

    def _outside(self) -> None:
        """The slopes of an objective that has no formula."""
        objective, x = self.program.objective, [*map(self.xp.numbers, self.X)]
        found = {f"G{k}": entry for k, entry in enumerate(objective.array_gradient()(*x))}
        if self.program.curvature:
            found |= {f"H{k}": entry for k, entry in enumerate(objective.array_hessian()(*x))}
        for name, entry in found.items():
            if name in self.at:
                self.values[self.at[name]] = self.xp.asarray(np.array(entry, dtype=float))  # `fill` may write there

    def inside(self) -> bool:
        """Whether every lane is where the loss is sure to be finite: a sum of squares tells."""
        return bool(sum(map(self.xp.square, self.X)) < self.plan.grid.radius**2)

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The loss (lanes,) and the coordinates (dim, lanes)."""
        return np.broadcast_to(self.xp.numbers(self.F), self.lanes), np.stack([*map(self.xp.numbers, self.X)])

    def fill(self, lost: np.ndarray, alive: int) -> None:
        """Let lost lanes go on as copies of one that is alive: nothing they do matters any more."""
        lost = self.xp.asarray(lost)
        rows = [*self.state(), *(self.values[k] for k in self.inputs.fixed), *self.where]
        for row in {id(row): row for row in rows if np.ndim(row)}.values():
            row[lost] = row[[alive]]  # a copy


def walked(block: Block, bound: np.ndarray | None) -> Found:
    """What has become of the lanes after the last step; `bound` is what a loss has to come within."""
    grid, lanes, rests = block.plan.grid, block.lanes, block.plan.numbers.rests
    diverged = np.zeros(lanes, dtype=np.int32)
    reached = np.full(0 if bound is None else lanes, np.nan)

    def arrivals(t: int) -> None:
        """Note the lanes whose loss has come within its bound at step t."""
        close = None if bound is None else block.xp.numbers(block.F) <= bound
        if close is not None and close.any():
            lost = (diverged > 0) & (diverged <= t)
            reached[np.isnan(reached) & ~lost & close] = t

    def any_left(t: int) -> bool:
        """Mark the lanes that are no longer finite at step t."""
        loss, x = block.ends()
        bad = ~(np.isfinite(loss) & np.isfinite(x).all(axis=0)) & (diverged == 0)
        diverged[bad] = max(t, 1)
        alive = np.flatnonzero(diverged == 0)
        if bad.any() and alive.size and t < grid.steps:
            block.fill(np.flatnonzero(bad), int(alive[0]))
        return alive.size > 0

    block.measure()
    first = block.ends()[0].copy() if "first" in grid.want.names else None
    any_left(0)
    t = 0
    for t in range(1, grid.steps + 1):
        look()
        before = block.state()
        block.step(t)
        arrivals(t - 1)
        if not block.inside():
            block.measure()
            if not any_left(t):
                break
        if t % 32 == 0 and rests[t - 1] and all(map(block.xp.same, before, block.state())):
            break  # nothing moved, so nothing ever will
    block.measure()
    arrivals(grid.steps)
    loss, x = block.ends()
    return Found(loss.copy(), x, first, diverged, reached, t)
