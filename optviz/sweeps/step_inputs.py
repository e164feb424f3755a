"""What a step of a kernel is worked out from besides its lanes: the same for all blocks of a sweep."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..trace.tape import FIXED, SCALAR, Node, Value
from .lanes import Program, fresh
from .programs import LaneTape, Line, needed

TABLE = 2**18  # numbers of a table of powers: 2 MiB
_SIGNS = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
          "power": operator.pow}  # fmt: skip


def powers_of_axes(program: Program, axes: Mapping[str, np.ndarray], steps: int) -> dict[int, str]:
    """The nodes that raise an axis to a number of the step, as 1 - beta^t has, where a table of them is small."""
    tape = program.lines["later"].tape
    reached = {k for name in ("first", "later") for k in needed(program.lines[name])}
    named = {k: _raised(tape, tape.nodes[k]) for k in sorted(reached)}
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

    `columns` are the nodes of each line that have a column. `powers` are tables (steps, kinds) by
    node, with the kinds.
    """

    def __init__(self, program: Program, lines: Mapping[str, Line], columns: Mapping[str, Sequence[int]],
                 axes: Mapping[int, np.ndarray], rates: Any, steps: int):  # fmt: skip
        self.program, self.lines, self.rates = program, lines, rates
        self.table = np.zeros((steps, max(map(len, columns.values()), default=0)))
        self.rests = np.full(steps, not program.uses_t)
        self.powers = {k: (np.zeros((steps, kinds.size)), kinds) for k, kinds in axes.items()}
        carried: dict[str, Any] = {}
        works = {name: self._work(lines[name]) for name in ("first", "later")}
        kept = {name: self._kept(name) for name in ("first", "later")}
        for t in range(steps if self.powers or any(works.values()) or kept["later"] else 0):
            name = "later" if t else "first"
            found = self._step(works[name], t, carried)
            for at, k in enumerate(columns.get(name, ())):
                self.table[t, at] = found[k]
            self._raise(t, found)
            now = {n: found[v.index] if isinstance(v, Value) else v for n, v in kept[name].items()}
            self.rests[t] &= now == carried
            carried = now

    def _kept(self, name: str) -> dict[str, Any]:
        """The carried terms that are the same in all lanes."""
        line, shapes = self.lines[name], self.program.shapes
        return {n: v for n, v in line.carried.items() if n[0] == "m" and shapes[n[2:]] == SCALAR}

    def _work(self, line: Line) -> list[tuple[int, Node, Callable | None]]:
        nodes = [(k, line.tape.nodes[k]) for k in needed(line)]
        return [(k, n, _function(n)) for k, n in nodes if n.shape == SCALAR]

    def _step(self, work: Sequence[Any], t: int, carried: Mapping[str, Any]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for index, node, function in work:
            if function is not None:
                found[index] = function(*(found[a.index] if isinstance(a, Value) else np.float64(a) for a in node.args))
            elif node.args[0] == "t":
                found[index] = t + 1
            else:
                found[index] = self.rates[t] if node.args[0] == "rate" else np.float64(carried[node.args[0]])
        return found

    def _raise(self, t: int, found: Mapping[int, Any]) -> None:
        nodes = self.lines["later"].tape.nodes
        for index, (table, kinds) in self.powers.items():
            exponent = nodes[index].args[1]
            power = found.get(exponent.index) if isinstance(exponent, Value) else exponent
            if power is not None:  # the first step may have no need of it
                np.power(kinds, power, out=table[t])


def _function(node: Node) -> Callable | None:
    """What a node does with numbers, as blocks do it by calls of numpy; None for an input."""
    if node.op == "input":
        return None
    if node.op == "where":
        return lambda condition, a, b: a if condition else b
    return _SIGNS.get(node.op) or (lambda *args: fresh(node.op, args))
