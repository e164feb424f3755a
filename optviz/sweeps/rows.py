"""Rows of numbers, an entry a lane: the arrays of a block, a program bound to them and run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..trace.functions import ROWS
from ..trace.tape import OPERATORS, ROW
from .compiler import Compiler
from .lanes import Fixed, Program, fresh


class Numpy:
    """numpy's functions by the names that a line uses."""

    kind = "numpy"
    functions: dict[str, Any] = {name: getattr(np, name) for name in ("copyto", "positive", *OPERATORS)}
    functions |= {name: row.arrays for name, row in ROWS.items()}
    number = staticmethod(np.array)  # of no dimension: half the time of a call with a float
    asarray = staticmethod(np.asarray)
    fresh = staticmethod(fresh)

    @staticmethod
    def where(condition, a, b, out):
        np.copyto(out, b)
        np.copyto(out, a, where=condition)

    @staticmethod
    def rows(count: int, lanes: int, spare: list) -> tuple[Any, Any]:
        """Memory, and rows (count, lanes) in it that begin where a cache line does."""
        wide = -(-lanes // 8) * 8
        try:
            memory = spare.pop()
        except IndexError:
            memory = np.empty(count * wide + 8)
        if memory.size < count * wide + 8:
            memory = np.empty(count * wide + 8)
        skip = -(memory.ctypes.data // 8) % 8
        return memory, memory[skip : skip + count * wide].reshape(count, wide)[:, :lanes]

    @staticmethod
    def truths(lanes: int) -> Any:
        return np.empty(lanes, dtype=bool)

    @staticmethod
    def take(table, where, out):
        return np.take(table, where, out=out, mode="clip")

    @staticmethod
    def kinds(row):
        known, where = np.unique(row, return_inverse=True)
        few = known.size < row.size / 4
        return Kinds(known, where, np.empty(known.size)) if few else Kinds(row, None, None)

    @staticmethod
    def power_of_kinds(kinds, exponent, out):
        if kinds.where is None:
            np.power(kinds.known, exponent, out=out)
        else:
            np.power(kinds.known, exponent, out=kinds.found)
            np.take(kinds.found, kinds.where, out=out, mode="clip")


@dataclass
class Kinds:
    """A row's different numbers, and which of them each lane has: None where most are different."""

    known: Any
    where: Any
    found: Any


Numpy.functions |= {"power_of_kinds": Numpy.power_of_kinds}
Numpy.functions |= {"where": Numpy.where, **{f"plain_{n}": f for n, f in Numpy.functions.items()}}


@dataclass
class Drawn:
    """Numbers for every step, (steps, rows, kinds), and which kind each lane has: None where there is one."""

    table: Any
    where: Any


def _drawing(draws: Drawn, rows: Sequence[Any], xp: Any) -> Callable:
    """What puts the noise of step t in its places."""

    def draw(t: int) -> None:
        for row, numbers in zip(rows, draws.table[t - 1], strict=True):
            if draws.where is None:
                row[...] = numbers[0]
            else:
                xp.take(numbers, draws.where, row)

    return draw


def _rating(rates: Any, row: Any, xp: Any) -> Callable:
    """The learning rate of step t: a number, or a row of them."""
    if not isinstance(rates, Drawn):
        return lambda t: rates[t - 1]
    return lambda t: xp.take(rates.table[t - 1, 0], rates.where, row)


class Block:
    """Lanes of one block: X (dim, lanes), the loss F (lanes,), and a step function."""

    def __init__(self, program: Program, values: Mapping[str, Any], start: Sequence[Any], lanes: int, draws: Any,
                 rates: Any, losses: bool, radius: float, spare: list, xp: Any = Numpy):  # fmt: skip
        self.program, self.xp, self._spare = program, xp, spare
        bare = "" if losses else " bare"
        values = {name: self._copy(lanes_own) for name, lanes_own in values.items()}  # `fill` writes into them
        made = self._compiled((f"first{bare}", f"later{bare}", "look"), values)
        self.e: dict[str, Any] = {"S": {}}
        self._allocate([compiler for compiler, _, _ in made], lanes, draws, rates)
        noise = [self.e[f"Z{k}"] for k in range(program.dim)] if draws else []
        self.e |= {"draws": _drawing(draws, noise, xp), "rates": _rating(rates, self.e.get("rate"), xp)}
        for row, begins in zip(self.X, start, strict=True):
            row[...] = xp.asarray(begins)
        fixed = [values[index] for compiler, _, values in made for index in compiler.fixed.values()]
        kinds = [{n: xp.kinds(values[k]) for n, k in compiler.kinds.items()} for compiler, _, values in made]
        self.first, self.later, self.look = (
            bind(self.e | own | {n: found[k] for n, k in compiler.fixed.items()})
            for (compiler, bind, found), own in zip(made, kinds, strict=True)
        )
        self.lane_arrays = [*self.X, *self._carried, *(v for v in fixed if np.ndim(v))]
        looked_up = [d for d in (draws, rates) if isinstance(d, Drawn)]
        looked_up += [k for own in kinds for k in own.values() if isinstance(k, Kinds)]
        self.lane_arrays += [d.where for d in looked_up if d.where is not None]
        # a longer product would be shared among threads, which are busy with other blocks
        self._parts = [row[at : at + 8192] for row in self.X for at in range(0, lanes, 8192)]
        self._far = radius * radius

    def _compiled(self, names: Sequence[str], values: Mapping[str, Any]) -> list[tuple[Compiler, Callable, Fixed]]:
        lines = [self.program.lines[name] for name in names]
        fixed = {id(line.tape): Fixed(line.tape, values, self.xp.fresh) for line in lines}
        choices = {tape: found.choices() for tape, found in fixed.items()}
        return [(*self.program.compiled(name, choices[id(line.tape)], self.xp), fixed[id(line.tape)])
                for name, line in zip(names, lines, strict=True)]  # fmt: skip

    def _allocate(self, compilers: Sequence[Compiler], lanes: int, draws: Any, rates: Any) -> None:
        """All rows side by side, so that one block of memory serves them."""
        program, e = self.program, self.e
        dim, sides = program.dim, range(program.dim)
        memory = [f"m_{n}" for n, shape in program.shapes.items() if shape == ROW]
        buffers = {n: truth for compiler in compilers for n, truth in compiler.buffers.items()}
        names = [*(f"X{k}" for k in sides), "F", *memory, *(n for n, truth in buffers.items() if not truth)]
        if not program.traced:
            names += [f"G{k}" for k in sides] + [f"H{k}" for k in range(dim * dim if program.coupled else 0)]
        for drawn, called in ((draws, [f"Z{k}" for k in sides]), (rates, ["rate"])):
            if isinstance(drawn, Drawn) and drawn.where is not None:
                names += called
            elif drawn is not None:
                e |= {n: self.xp.number(0.0) for n in called}
        self._held, rows = self.xp.rows(len(names), lanes, self._spare)
        e |= dict(zip(names, rows, strict=True))
        e |= {n: self.xp.truths(lanes) for n, truth in buffers.items() if truth}
        self.X, self.F, self._carried = rows[:dim], e["F"], [e[n] for n in memory]

    def step(self, t: int) -> None:
        """Step t; of a traced objective with `losses` on, F is then the loss before it."""
        if not self.program.traced:
            self._outside()
        (self.first if t == 1 else self.later)(t)

    def measure(self) -> None:
        """The loss where the lanes are."""
        if self.program.traced:
            self.look(0)
        else:
            self.F[...] = self.xp.asarray(self.program.objective.value(*self.numbers(self.X)))

    def _outside(self) -> None:
        objective, x = self.program.objective, self.numbers(self.X)
        for k, entry in enumerate(objective.array_gradient()(*x)):
            self.e[f"G{k}"][...] = self.xp.asarray(entry)
        if self.program.coupled:
            for k, entry in enumerate(objective.array_hessian()(*x)):
                self.e[f"H{k}"][...] = self.xp.asarray(entry)

    def inside(self) -> bool:
        """Whether every lane is where the loss is sure to be finite: a sum of squares tells."""
        square = 0.0
        for part in self._parts:
            square += part.dot(part)
        return bool(square < self._far)

    def numbers(self, array: Any) -> np.ndarray:
        """An array of the block as numpy's."""
        return array

    def state(self, every: int) -> list[Any]:
        """Copies of all that a step changes, in every so many lanes."""
        return [*(self._copy(row[::every]) for row in (*self.X, *self._carried)), dict(self.e["S"])]

    def same(self, before: list[Any], every: int) -> bool:
        """Whether the state is still what it was."""
        *arrays, numbers = before
        now = (row[::every] for row in (*self.X, *self._carried))
        return numbers == self.e["S"] and all(map(self._equal, arrays, now))

    _equal, _copy = staticmethod(np.array_equal), staticmethod(np.copy)

    def close(self) -> None:
        """Leave the memory to the next block; this one must not be used any more."""
        self._spare.append(self._held)

    def fill(self, lost: np.ndarray, alive: int) -> None:
        """Let lost lanes go on as copies of one that is alive: nothing they do matters any more."""
        for array in self.lane_arrays:
            array[lost] = self._copy(array[alive])
