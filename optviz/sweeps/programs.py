"""Many lanes without trajectories: a rule and an objective as one straight line of array operations.

The same definitions that `descend` calls are called once with values that write down what is
done with them. Operations on hyperparameters alone leave the loop, equal ones are done once,
every other one writes into a buffer of the block, so that the loop allocates nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..trace.functions import ROWS
from ..trace.tracing import Noted, namespace, noting

SCALAR, ROW, OWN = 0, 1, 2  # a number; (lanes,); of carried terms, a row for each coordinate
FIXED, STEP = 0, 1  # the same in every step of a block, or not

_TRUTH = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "bitwise_and", "bitwise_or",
          "bitwise_xor", "logical_not"}  # fmt: skip
OPERATORS = {"add", "subtract", "multiply", "divide", "negative", *_TRUTH}  # beside the functions of `functions.ROWS`


@dataclass(frozen=True)
class Node:
    """One operation: its name, what it is done to (Values or numbers), its shape, when it changes."""

    op: str
    args: tuple
    shape: int
    when: int
    truth: bool = False


class Value(Noted):
    """The result of a node of a tape: operators and numpy's functions make further nodes."""

    def __init__(self, tape: Tape, index: int):
        self.tape, self.index = tape, index

    def noted(self, name, inputs):
        return self.tape.record(name, inputs) if name in ROWS or name in OPERATORS else None

    def choice(self, condition, a, b):
        return self.tape.where(condition, a, b)


class Tape:
    """The operations in the order of the calls, none twice."""

    def __init__(self):
        self.nodes: list[Node] = []
        self._known: dict[tuple, Value] = {}
        self._names: dict[str, Value] = {}

    def input(self, name: str, shape: int, when: int = STEP) -> Value:
        """A value that the loop finds under this name."""
        if name not in self._names:
            self._names[name] = self._new(Node("input", (name,), shape, when))
        return self._names[name]

    def called(self, value: Any) -> str:
        """The name of an input; empty for anything else."""
        is_input = isinstance(value, Value) and self.nodes[value.index].op == "input"
        return self.nodes[value.index].args[0] if is_input else ""

    def constant(self, number: float) -> Value:
        """A number that stands for a row of it."""
        return self._keyed("positive", (float(number),), ROW, FIXED)

    def choices(self) -> list[tuple[int, int]]:
        """The choices that depend on what is fixed, each with its condition."""
        asked = [(k, n.args[0].index) for k, n in enumerate(self.nodes) if n.op == "where"]
        return [(choice, condition) for choice, condition in asked if self.nodes[condition].when == FIXED]

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """A choice; where the condition is a plain truth, no choice at all."""
        if not isinstance(condition, Value):
            return a if condition else b
        if all(map(self._is_truth, (a, b))):  # a row of truths is no row of numbers
            return (condition & a) | (np.logical_not(condition) & b)
        return self._operation("where", (condition, a, b), False)

    def _is_truth(self, value: Any) -> bool:
        return self.nodes[value.index].truth if isinstance(value, Value) else isinstance(value, bool | np.bool_)

    def record(self, op: str, inputs: Sequence[Any]) -> Any:
        """The result of a numpy function of this name."""
        args = tuple(v.item() if isinstance(v, np.generic) else v for v in inputs)
        if op == "power" and not isinstance(args[1], Value) and args[1] == 2:
            op, args = "multiply", (args[0], args[0])  # as numpy squares
        if op == "add" and self._negated(args[0]) is not None:
            op, args = "subtract", (args[1], self._negated(args[0]))
        elif op == "add" and self._negated(args[1]) is not None:
            op, args = "subtract", (args[0], self._negated(args[1]))
        same = self._unchanged(op, args) if op not in ("bitwise_and", "bitwise_or") else self._settled(op, args)
        return same if same is not None else self._operation(op, args, op in _TRUTH)

    def _unchanged(self, op: str, args: tuple) -> Any:
        """What x * 1, x + 0 and the like are: x itself, but for the sign of a zero."""
        idle = {"multiply": 1, "add": 0, "subtract": 0, "divide": 1}
        if op not in idle:
            return None
        a, b = args
        if _is(b, idle[op]):
            return a
        if op in ("multiply", "add") and _is(a, idle[op]):
            return b
        # the position is finite in every lane that still runs, so that 0 x is 0
        if op == "multiply" and any(self.called(v).startswith("X") for v in args) and any(_is(v, 0) for v in args):
            return 0.0
        return None

    def _settled(self, op: str, args: tuple) -> Any:
        """What `truth & True` and the like are: one of the two."""
        plain = next((v for v in args if not isinstance(v, Value)), None)
        if plain is None:
            return None
        other = next(v for v in args if isinstance(v, Value))
        return other if bool(plain) == (op == "bitwise_and") else bool(plain)

    def _negated(self, value: Any) -> Any:
        """What a value is the negative of, or None."""
        node = self.nodes[value.index] if isinstance(value, Value) else None
        return node.args[0] if node and node.op == "negative" else None

    def _operation(self, op: str, args: tuple, truth: bool) -> Value:
        nodes = [self.nodes[a.index] for a in args if isinstance(a, Value)]
        return self._keyed(op, args, max(n.shape for n in nodes), max(n.when for n in nodes), truth)

    def _keyed(self, op, args, shape, when, truth=False) -> Value:
        key = (op, *((1, a.index) if isinstance(a, Value) else (0, type(a), a) for a in args))
        if key not in self._known:
            self._known[key] = self._new(Node(op, args, shape, when, truth))
        return self._known[key]

    def _new(self, node: Node) -> Value:
        self.nodes.append(node)
        return Value(self, len(self.nodes) - 1)


def _is(value: Any, number: float) -> bool:
    return not isinstance(value, Value) and value == number


def _where(condition, a, b):
    return condition.tape.where(condition, a, b) if isinstance(condition, Value) else a if condition else b


def _equal(a, b):
    return np.equal(a, b) if isinstance(a, Value) or isinstance(b, Value) else a == b


RECORD = namespace({name: noting(name) for name in ROWS}, _where, _equal)


@dataclass(frozen=True)
class Line:
    """One step of a block on a tape: the values in it that the loop needs."""

    tape: Tape
    loss: Any  # the objective where the step begins, or None
    moved: tuple  # where each coordinate is after the step
    memory: Mapping[str, Any]  # the carried terms after the step, a row each

    @property
    def carried(self) -> dict[str, Any]:
        """What the next step begins with, by the name of its place."""
        return {f"X{k}": v for k, v in enumerate(self.moved)} | {f"m_{n}": v for n, v in self.memory.items()}


def _later_equal(a, b):
    """Of the step's number, which is above 1 in every step but the first."""
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Value) and one.tape.called(one) == "t" and _is(other, 1):
            return False
    return _equal(a, b)


LATER = SimpleNamespace(**{**vars(RECORD), "equal": _later_equal})


def needed(line: Line, chosen: Callable[[Any], Any] = lambda value: value, late: bool = False) -> list[int]:
    """The nodes that a step needs, each as late as it can be; `chosen` says what a value is the same as.

    What a coordinate needs is then done at one go, while it is in the cache. `late` moves the
    coordinates last.
    """
    nodes, order = line.tape.nodes, {}
    front = [line.loss, *line.moved, *line.memory.values()]
    if late:
        moves = [v for v in line.moved if isinstance(v, Value)]
        front = [line.loss, *(a for v in moves for a in nodes[v.index].args), *line.memory.values(), *moves]
    front = [(value, False) for value in reversed(front)]
    while front:
        value, ready = front.pop()
        value = chosen(value)
        if not isinstance(value, Value) or value.index in order:
            continue
        args = nodes[value.index].args if nodes[value.index].when == STEP else ()
        if ready or not any(isinstance(a, Value) for a in args):
            order[value.index] = None
        else:
            front += [(value, True), *((a, False) for a in reversed(args))]
    return list(order)
