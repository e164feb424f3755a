"""What a program's steps read besides what they carry, whichever way they are walked.

Rows that stay the same of each lane, rows that are looked up anew in every step (rates, noise,
powers), and numbers that are the same in all lanes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np

from ..trace.functions import ROWS
from ..trace.tape import FIXED, ROW, SCALAR, Node, Value
from .programs import LaneTape, Line

TABLE = 2**18  # numbers of a table of powers: 2 MiB
_SIGNS = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
          "power": operator.pow, "where": lambda condition, a, b: a if condition else b}  # fmt: skip


class Inputs:
    """The nodes of a program's tape that its lines work out, and those that they find.

    `timed` has every step find the loss where it begins. `powers` are nodes that are looked up in tables.
    """

    def __init__(self, program: Any, timed: bool, powers: frozenset[int]):
        self.program, self.nodes, self.powers = program, program.tape.nodes, powers
        self.text: Any = None  # of its kernel, once one is sought: False where there is none
        self.lines: dict[str, Line] = dict(program.lines)
        if not timed:
            self.lines |= {n: replace(self.lines[n], loss=None) for n in ("first", "later")}
        self.rows = [f"X{k}" for k in range(program.dim)]  # what lanes carry
        self.rows += [f"m_{n}" for n, shape in program.shapes.items() if shape == ROW]
        self.work = {name: [k for k in line.order if self._is_work(k)] for name, line in self.lines.items()}
        gathered, fixed, self.columns = {}, {}, {}
        for name, work in self.work.items():
            read = [*(a for k in work for a in self.nodes[k].args), *self.results(name).values()]
            numbers = self.columns[name] = []
            for index in dict.fromkeys(a.index for a in read if isinstance(a, Value)):
                if self._is_looked_up(index):
                    gathered[index] = None
                elif self.nodes[index].when == FIXED:
                    fixed[index] = None
                elif self.nodes[index].shape == SCALAR:
                    numbers.append(index)
        self.gathered, self.fixed = list(gathered), [k for k in fixed if not is_constant(self.nodes[k])]

    def _is_work(self, index: int) -> bool:
        node = self.nodes[index]
        return node.op != "input" and node.when != FIXED and node.shape == ROW and index not in self.powers

    def _is_looked_up(self, index: int) -> bool:
        node = self.nodes[index]
        named = node.op == "input" and node.shape == ROW and (node.args[0] == "rate" or node.args[0][0] == "Z")
        return index in self.powers or named

    def results(self, name: str) -> dict[str, Any]:
        """What a line leaves behind, by its row: the loss as F."""
        line = self.lines[name]
        loss = {} if line.loss is None else {"F": line.loss}
        return loss | {n: v for n, v in line.carried.items() if n in self.rows}


def is_constant(node: Node) -> bool:
    """Whether a node is a number that stands for a row of it."""
    return node.op == "positive" and not isinstance(node.args[0], Value)


def function_of(op: str) -> Callable:
    """A numpy function by the name that a node has."""
    return ROWS[op].arrays if op in ROWS else getattr(np, op)


class Work:
    """Nodes worked out one after the other, in a list of values: a place for each node, then numbers."""

    def __init__(self, nodes: Sequence[Node], functions: Callable, number: Callable):
        self.nodes, self.functions, self.number = nodes, functions, number
        self.values: list[Any] = [None] * len(nodes)

    def calls(self, order: Iterable[int]) -> list[tuple[int, Callable, Callable]]:
        """Of each node its place, its function and what gets its arguments."""
        nodes = [(index, self.nodes[index]) for index in order]
        return [(index, self.functions(node.op), self._getter([*map(self.place, node.args)])) for index, node in nodes]

    def place(self, value: Any) -> int:
        """Where a value is, or a number."""
        if isinstance(value, Value) and not is_constant(self.nodes[value.index]):
            return value.index
        number = self.nodes[value.index].args[0] if isinstance(value, Value) else value
        self.values.append(self.number(number))
        return len(self.values) - 1

    @staticmethod
    def _getter(places: Sequence[int]) -> Callable:
        return itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))

    def do(self, calls: Iterable[tuple[int, Callable, Callable]]) -> None:
        """Work nodes out."""
        values = self.values
        for index, function, arguments in calls:
            values[index] = function(*arguments(values))


class Fixed:
    """The values of a tape's fixed nodes in the lanes of a block, each computed when first asked for."""

    def __init__(self, tape: LaneTape, values: Mapping[str, Any], functions: Callable = function_of):
        self.tape, self.values, self.functions = tape, values, functions
        self.found: dict[int, Any] = {}

    def __getitem__(self, index: int) -> Any:
        if index not in self.found:
            node = self.tape.nodes[index]
            args = [self[a.index] if isinstance(a, Value) else a for a in node.args]
            self.found[index] = self.values[args[0]] if node.op == "input" else self.functions(node.op)(*args)
        return self.found[index]


def powers_of_axes(program: Any, axes: Mapping[str, np.ndarray], steps: int) -> dict[int, str]:
    """The nodes that raise an axis to a number of the step, as 1 - beta^t has, where a table of them is small."""
    reached = {k for name in ("first", "later") for k in program.lines[name].order}
    named = {k: _raised(program.tape, program.tape.nodes[k]) for k in sorted(reached)}
    return {k: name for k, name in named.items() if name and axes[name].size * steps <= TABLE}


def _raised(tape: LaneTape, node: Node) -> str:
    """The name of the fixed input that a power raises to a number of the step, if it does."""
    if node.op != "power" or node.when == FIXED:
        return ""
    base, exponent = node.args
    if isinstance(exponent, Value) and tape.nodes[exponent.index].shape != SCALAR:
        return ""
    fixed = isinstance(base, Value) and tape.nodes[base.index].when == FIXED
    return tape.called(base) if fixed else ""


class Numbers:
    """The numbers of every step: `table` (steps, columns), and `rests`, whether a lane may rest from there on.

    `axes` are what powers raise, by node; `powers` are their tables (steps, values).
    """

    def __init__(self, inputs: Inputs, axes: Mapping[int, np.ndarray], rates: Any, steps: int):
        self.inputs = inputs
        self.table = np.zeros((steps, max(map(len, inputs.columns.values()))))
        self.rests = np.full(steps, not inputs.program.uses_t)
        self.powers = {k: np.zeros((steps, values.size)) for k, values in axes.items()}
        work = Work(inputs.nodes, lambda op: _SIGNS.get(op) or function_of(op), np.float64)
        values, inputs_at = work.values, {n.args[0]: k for k, n in enumerate(inputs.nodes) if n.op == "input"}
        calls = {name: work.calls(self._scalars(name)) for name in ("first", "later")}
        kept = {name: {n: work.place(v) for n, v in self._kept(name).items()} for name in calls}
        powers = [(table, axes[k], work.place(inputs.nodes[k].args[1])) for k, table in self.powers.items()]
        carried: dict[str, Any] = {}
        for t in range(steps if powers or any(inputs.columns.values()) or kept["later"] else 0):
            name = "later" if t else "first"
            own = {"t": t + 1, "rate": None if rates is None else rates[t]} | carried
            for n in own.keys() & inputs_at.keys():
                values[inputs_at[n]] = own[n]
            work.do(calls[name])
            for at, k in enumerate(inputs.columns[name]):
                self.table[t, at] = values[k]
            for table, axis, power in powers:
                if values[power] is not None:  # the first step may have no need of it
                    np.power(axis, values[power], out=table[t])
            now = {n: np.float64(values[k]) for n, k in kept[name].items()}
            self.rests[t] &= now == carried
            carried = now

    def _kept(self, name: str) -> dict[str, Any]:
        """The carried terms that are the same in all lanes."""
        return {n: v for n, v in self.inputs.lines[name].carried.items() if n not in self.inputs.rows}

    def _scalars(self, name: str) -> list[int]:
        nodes = self.inputs.nodes
        return [k for k in self.inputs.lines[name].order if nodes[k].shape == SCALAR and nodes[k].op != "input"]
