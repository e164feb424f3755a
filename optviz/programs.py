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

from .tracing import ARRAYS, FLOATS, MORE_ARRAYS, MORE_FLOATS, Noted

SCALAR, ROW, MATRIX = 0, 1, 2  # a number, (lanes,), (dim, lanes)
FIXED, STEP = 0, 1  # the same in every step of a block, or not

_TRUTH = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "bitwise_and", "bitwise_or"}


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

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method != "__call__" or options:
            return NotImplemented
        return self.tape.record(ufunc.__name__, inputs)


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

    def row(self, matrix: Any, k: int) -> Any:
        """Row k of a matrix, (lanes,)."""
        return self._keyed("row", (matrix, k), ROW, STEP)

    def stack(self, rows: Sequence[Any]) -> Value:
        """Rows or numbers as one matrix (dim, lanes)."""
        return self._keyed("stack", tuple(rows), MATRIX, STEP)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """A choice; where the condition is a plain truth, no choice at all."""
        if not isinstance(condition, Value):
            return a if condition else b
        return self._operation("where", (condition, a, b), False)

    def record(self, op: str, inputs: Sequence[Any]) -> Any:
        """The result of a numpy function of this name."""
        args = tuple(v.item() if isinstance(v, np.generic) else v for v in inputs)
        if op == "power" and not isinstance(args[1], Value) and args[1] == 2:
            op, args = "multiply", (args[0], args[0])  # as numpy squares
        if op == "square":
            op, args = "multiply", (args[0], args[0])
        if op == "add" and self._negated(args[0]) is not None:
            op, args = "subtract", (args[1], self._negated(args[0]))
        same = self._unchanged(op, args)
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


def _either(name: str, plain: Callable) -> Callable:
    """A function that records what it does with values; of numbers alone it gives a number."""
    ufunc = (vars(ARRAYS) | MORE_ARRAYS)[name]
    return lambda *v: (ufunc if any(isinstance(a, Value) for a in v) else plain)(*v)


def _where(condition, a, b):
    return condition.tape.where(condition, a, b) if isinstance(condition, Value) else a if condition else b


def _equal(a, b):
    return np.equal(a, b) if isinstance(a, Value) or isinstance(b, Value) else a == b


_PLAIN = {name: f for name, f in (vars(FLOATS) | MORE_FLOATS).items() if callable(f)}
RECORD = SimpleNamespace(**{
    **{name: _either(name, f) for name, f in _PLAIN.items() if name not in ("where", "equal")},
    "where": _where, "equal": _equal, "pi": FLOATS.pi,
})  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One step of a block on a tape: the values in it that the loop needs."""

    tape: Tape
    loss: Any  # the objective where the step begins, or None
    steps: tuple  # what is added to X: one matrix, or a row a coordinate
    memory: Mapping[str, Any]  # the carried terms after the step


def _later_equal(a, b):
    """Of the step's number, which is above 1 in every step but the first."""
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Value) and one.tape.called(one) == "t" and _is(other, 1):
            return False
    return _equal(a, b)


LATER = SimpleNamespace(**{**vars(RECORD), "equal": _later_equal})


def needed(line: Line, chosen: Callable[[Any], Any]) -> list[int]:
    """The nodes that a step needs, in order; `chosen` says what a value is the same as."""
    front = [line.loss, *line.steps, *line.memory.values()]
    found: set[int] = set()
    while front:
        value = chosen(front.pop())
        if isinstance(value, Value) and value.index not in found:
            found.add(value.index)
            node = line.tape.nodes[value.index]
            front += [a for a in node.args if isinstance(a, Value)] if node.when == STEP else []
    return sorted(found)


# Writing the loop's body


class Compiler:
    """The text of a function `bind(e)` whose result `step(t)` takes one step of a block.

    `e` holds the arrays by name: X (dim, lanes), F (lanes,) the loss, carried terms, fixed
    rows, buffers. `choices` says which fixed conditions hold in all lanes or in none.
    """

    def __init__(self, line: Line, dim: int, shapes: Mapping[str, int], choices: Mapping[int, bool]):
        self.line, self.dim, self.shapes, self.choices = line, dim, shapes, choices
        self.nodes = line.tape.nodes
        self.buffers: list[tuple[str, int, bool]] = []  # name, shape, truth
        self.constants: dict[str, float] = {}
        self.fixed: dict[str, int] = {}
        self.place: dict[int, str] = {}
        self.lines: list[str] = []
        self._emit()

    def _chosen(self, value: Any) -> Any:
        """A value, or what it is the same as once the fixed conditions are known."""
        while isinstance(value, Value) and value.index in self.choices:
            _, a, b = self.nodes[value.index].args
            value = a if self.choices[value.index] else b
        return value

    def _emit(self) -> None:
        order = needed(self.line, self._chosen)
        ends = self._last_uses(order)
        homes = self._homes(order)
        free: dict[tuple[int, bool], list[str]] = {}
        for index in order:
            node = self.nodes[index]
            if node.when == FIXED:
                self.place[index] = f"k{index}"
                self.fixed[f"k{index}"] = index
            elif node.op == "input":
                self.place[index] = node.args[0]
            elif node.shape == SCALAR:
                self.place[index] = f"v{index}"
                self.lines.append(f"v{index} = {self._scalar(node)}")
            elif node.op == "row":
                self.place[index] = f"v{index}"
                self.lines.append(f"v{index} = {self._text(node.args[0])}[{node.args[1]}]")
            elif node.op == "stack":
                self._stack(index, node)
            else:
                self._array(index, node, homes, ends, free)
        self._finish()

    def _last_uses(self, order: Sequence[int]) -> dict[int, int]:
        ends: dict[int, int] = {}
        for index in order:
            for a in map(self._chosen, self.nodes[index].args):
                if isinstance(a, Value):
                    ends[a.index] = index
        for value in (*self.line.steps, *self.line.memory.values(), self.line.loss):
            value = self._chosen(value)
            if isinstance(value, Value):
                ends[value.index] = len(self.nodes)
        for index in reversed(order):  # a row is a view: its matrix lives as long
            node = self.nodes[index]
            if node.op == "row":
                matrix = self._chosen(node.args[0]).index
                ends[matrix] = max(ends[matrix], ends.get(index, index))
        return ends

    def _homes(self, order: Sequence[int]) -> dict[int, str]:
        """Where some results belong: the rows of the gradient, the loss, carried terms."""
        homes: dict[int, str] = {}
        for index in order:
            if self.nodes[index].op == "stack":
                for k, row in enumerate(map(self._chosen, self.nodes[index].args)):
                    if isinstance(row, Value):
                        homes.setdefault(row.index, f"G{k}")
        loss = self._chosen(self.line.loss)
        if isinstance(loss, Value):
            homes.setdefault(loss.index, "F")
        for name, value in self.line.memory.items():
            value = self._chosen(value)
            if isinstance(value, Value) and self._may_overwrite(order, name, value.index):
                homes.setdefault(value.index, f"m_{name}")
        return homes

    def _may_overwrite(self, order: Sequence[int], name: str, made: int) -> bool:
        """Whether nothing reads a carried term's old value once the new one is made."""
        if self.nodes[made].shape != self.shapes[name]:
            return False
        old, called = f"m_{name}", self.line.tape.called
        for index in order:
            read = [k for k, a in enumerate(self.nodes[index].args) if called(self._chosen(a)) == old]
            here = index == made and self.nodes[index].op == "where" and read != [2]
            if read and (index > made or here):
                return False
        return all(called(self._chosen(v)) != old for v in (*self.line.steps, *self.line.memory.values()))

    def _array(self, index, node, homes, ends, free) -> None:
        kind = (node.shape, node.truth)
        args = [self._chosen(a) for a in node.args]
        dying = [a.index for a in args if isinstance(a, Value) and ends[a.index] == index]
        if node.op != "where":
            self._release(dying, free)
        home = homes.get(index)
        if home is None:
            home = free[kind].pop() if free.get(kind) else self._buffer(kind)
        if node.op == "where":
            self._release(dying, free)
        self.place[index] = home
        texts = ", ".join(map(self._text, args))
        self.lines.append(f"{node.op}({texts}, out={home})")

    def _release(self, dying: Sequence[int], free: dict) -> None:
        for index in dict.fromkeys(dying):
            if self.place.get(index, "").startswith("s"):
                node = self.nodes[index]
                free.setdefault((node.shape, node.truth), []).append(self.place[index])

    def _buffer(self, kind: tuple[int, bool]) -> str:
        name = f"s{len(self.buffers)}"
        self.buffers.append((name, *kind))
        return name

    def _stack(self, index: int, node: Node) -> None:
        self.place[index] = "G"
        for k, row in enumerate(map(self._chosen, node.args)):
            text = self._text(row)
            if text != f"G{k}":
                self.lines.append(f"copyto(G{k}, {text})")

    def _finish(self) -> None:
        """The loss, the carried terms and X in their places, X last: the rest reads the old one."""
        if self.line.loss is not None and self._text(self.line.loss) != "F":
            self.lines.append(f"copyto(F, {self._text(self.line.loss)})")
        held = {n: self._text(v) for n, v in self.line.memory.items()}
        for name, text in held.items():
            if text.startswith("m_") and text != f"m_{name}" and self.shapes[name] != SCALAR:
                held[name] = self._buffer((self.shapes[name], False))  # another term's value of before
                self.lines.append(f"copyto({held[name]}, {text})")
        for name, text in held.items():
            if self.shapes[name] == SCALAR:
                self.lines.append(f"S[{name!r}] = {text}")
            elif text != f"m_{name}":
                self.lines.append(f"copyto(m_{name}, {text})")
        steps = list(map(self._text, self.line.steps))
        names = ["X"] if len(steps) == 1 else [f"X{k}" for k in range(len(steps))]
        self.lines += [f"add({name}, {step}, out={name})" for name, step in zip(names, steps, strict=True)]

    def _text(self, value: Any) -> str:
        value = self._chosen(value)
        if isinstance(value, Value):
            return self.place[value.index]
        name = f"c{len(self.constants)}"
        for known, number in self.constants.items():
            if number == value and np.signbit(number) == np.signbit(value):
                return known
        self.constants[name] = float(value)
        return name

    def _scalar(self, node: Node) -> str:
        args = [self._text(a) for a in node.args]
        signs = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
        if node.op in signs:
            return f" {signs[node.op]} ".join(args)
        if node.op == "where":
            return f"{args[1]} if {args[0]} else {args[2]}"
        return f"plain_{node.op}({', '.join(args)})"

    def source(self) -> str:
        """The function's text."""
        given = {"Z": "Z = draws(t)", "rate": "rate = rates(t)"}
        used = {
            self.nodes[index].args[0] for index in needed(self.line, self._chosen) if self.nodes[index].op == "input"
        }
        scalars = [f"m_{n} = S[{n!r}]" for n in self.line.memory if self.shapes[n] == SCALAR and f"m_{n}" in used]
        lines = [*scalars, *(text for name, text in given.items() if name in used), *self.lines]
        names = [*(n for n, _, _ in self.buffers), *self.fixed, "X", "F", "G", "S", "draws", "rates"]
        names += [f"m_{n}" for n in self.line.memory if self.shapes[n] != SCALAR]
        names += [f"{a}{k}" for k in range(self.dim) for a in "XG"]
        names += [n for n in used if n.startswith("H")]
        head = "\n    ".join(f"{n} = e[{n!r}]" for n in names)
        body = "\n        ".join(lines or ["pass"])
        return f"def bind(e):\n    {head}\n    def step(t):\n        {body}\n    return step\n"
