"""The text of a block's step: a recorded line as calls that write into the rows of the block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..trace.tape import FIXED, ROW, SCALAR, Node, Value
from .programs import Line, needed


class Compiler:
    """The text of a function `bind(e)` whose result `step(t)` takes one step of a block.

    `e` holds the rows (lanes,) by name: X0, X1, ... the coordinates, F the loss, m_... the carried
    terms, k... what is fixed, s... buffers; carried numbers are in its dictionary S. `choices` says
    which fixed conditions hold in all lanes or in none.
    """

    def __init__(self, line: Line, shapes: Mapping[str, int], choices: Mapping[int, bool]):
        self.line, self.shapes, self.choices = line, shapes, choices
        self.nodes = line.tape.nodes
        self.buffers: dict[str, bool] = {}  # whether each holds truths
        self.constants: dict[str, float] = {}
        self.fixed: dict[str, int] = {}
        self.kinds: dict[str, int] = {}  # fixed rows of which each different number is wanted once
        self.place: dict[int, str] = {}
        self.lines: list[str] = []
        self.order = needed(line, self._chosen)
        if not all(self._may_overwrite(name, self._chosen(v)) for name, v in line.carried.items() if name[0] == "X"):
            self.order = needed(line, self._chosen, late=True)
        self._emit()

    def _chosen(self, value: Any) -> Any:
        """A value, or what it is the same as once the fixed conditions are known."""
        while isinstance(value, Value) and value.index in self.choices:
            _, a, b = self.nodes[value.index].args
            value = a if self.choices[value.index] else b
        return value

    def _emit(self) -> None:
        self.ends, self.homes = self._last_uses(), self._homes()
        self.free: dict[bool, list[str]] = {True: [], False: []}
        for index in self.order:
            node = self.nodes[index]
            if node.when == FIXED:
                self.place[index] = f"k{index}"
                self.fixed[f"k{index}"] = index
            elif node.op == "input":
                self.place[index] = node.args[0]
            elif node.shape == SCALAR:
                self.place[index] = f"v{index}"
                self.lines.append(f"v{index} = {self._scalar(node)}")
            else:
                self._array(index, node)
        self._finish()

    def _last_uses(self) -> dict[int, int]:
        """Until when each value is wanted, as a place in the order."""
        ends: dict[int, int] = {}
        for at, index in enumerate(self.order):
            for a in map(self._chosen, self.nodes[index].args):
                if isinstance(a, Value):
                    ends[a.index] = at
        for value in (*self.line.carried.values(), self.line.loss):
            value = self._chosen(value)
            if isinstance(value, Value):
                ends[value.index] = len(self.order)
        return ends

    def _homes(self) -> dict[int, str]:
        """Where some results belong: the loss, carried terms, coordinates."""
        homes: dict[int, str] = {}
        loss = self._chosen(self.line.loss)
        if isinstance(loss, Value):
            homes[loss.index] = "F"
        for name, value in self.line.carried.items():
            value = self._chosen(value)
            if isinstance(value, Value) and self._may_overwrite(name, value):
                homes.setdefault(value.index, name)
        return homes

    def _may_overwrite(self, name: str, made: Any) -> bool:
        """Whether nothing reads the old value in a place once the new one is made."""
        if not isinstance(made, Value) or self.nodes[made.index].shape != ROW:
            return False
        if self._shape(name) == SCALAR or self._named(made) == name:
            return False
        before = True
        for index in self.order:
            read = [k for k, a in enumerate(self.nodes[index].args) if self._named(a) == name]
            here = index == made.index and self.nodes[index].op == "where" and read != [2]
            if read and (not before or here):
                return False
            before &= index != made.index
        return all(self._named(v) != name for v in self.line.carried.values())

    def _named(self, value: Any) -> str:
        return self.line.tape.called(self._chosen(value))

    def _shape(self, name: str) -> int:
        return ROW if name[0] == "X" else self.shapes[name[2:]]

    def _array(self, index: int, node: Node) -> None:
        args, at = [self._chosen(a) for a in node.args], len(self.place)
        dying = [a.index for a in args if isinstance(a, Value) and self.ends[a.index] == at]
        if node.op != "where":
            self._release(dying)
        self.place[index] = self.homes.get(index) or self._buffer(node.truth)
        if node.op == "where":
            self._release(dying)
        self.lines.append(f"{self._call(node, args)}, out={self.place[index]})")

    def _call(self, node: Node, args: Sequence[Any]) -> str:
        """A function and its arguments; a power costs more than to look up what it gave for a number."""
        texts = [*map(self._text, args)]
        if node.op == "power" and texts[0] in self.fixed and self._is_number(args[1]):
            self.kinds[f"{texts[0]}_kinds"] = self.fixed[texts[0]]
            return f"power_of_kinds({texts[0]}_kinds, {texts[1]}"
        return f"{node.op}({', '.join(texts)}"

    def _is_number(self, value: Any) -> bool:
        return not isinstance(value, Value) or self.nodes[value.index].shape == SCALAR

    def _release(self, dying: Sequence[int]) -> None:
        for index in dict.fromkeys(dying):
            if self.place.get(index, "").startswith("s"):
                self.free[self.nodes[index].truth].append(self.place[index])

    def _buffer(self, truth: bool) -> str:
        """A row for a result that has no place of its own."""
        if self.free[truth]:
            return self.free[truth].pop()
        name = f"s{len(self.buffers)}{'t' if truth else ''}"
        self.buffers[name] = truth
        return name

    def _finish(self) -> None:
        """The loss and what is carried in their places."""
        if self.line.loss is not None and self._text(self.line.loss) != "F":
            self.lines.append(f"copyto(F, {self._text(self.line.loss)})")
        carried = self.line.carried
        held = {name: self._text(v, self._shape(name) == ROW) for name, v in carried.items()}
        for name, text in held.items():
            if text in carried and text != name and self._shape(text) == ROW:
                held[name] = self._buffer(False)  # another place's value of before
                self.lines.append(f"copyto({held[name]}, {text})")
        for name, text in held.items():
            if self._shape(name) == SCALAR:
                self.lines.append(f"S[{name!r}] = {text}")
            elif text != name:
                self.lines.append(f"copyto({name}, {text})")

    def _text(self, value: Any, array: bool = True) -> str:
        """A value's name; a number's, as a row's operand or among numbers."""
        value = self._chosen(value)
        if isinstance(value, Value):
            return self.place[value.index]
        kind = "a" if array else "c"
        for known, number in self.constants.items():
            if known[0] == kind and number == value and np.signbit(number) == np.signbit(value):
                return known
        name = f"{kind}{len(self.constants)}"
        self.constants[name] = float(value)
        return name

    def _scalar(self, node: Node) -> str:
        args = [self._text(a, array=False) for a in node.args]
        signs = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
        if node.op in signs:
            return f" {signs[node.op]} ".join(args)
        if node.op == "where":
            return f"{args[1]} if {args[0]} else {args[2]}"
        return f"plain_{node.op}({', '.join(args)})"

    def source(self) -> str:
        """The function's text."""
        nodes = [self.nodes[index] for index in self.order]
        used = [node.args[0] for node in nodes if node.op == "input" and node.when != FIXED]
        lines = [f"{n} = S[{n!r}]" for n in used if n.startswith("m_") and self._shape(n) == SCALAR]
        lines += ["draws(t)"] if any(n.startswith("Z") for n in used) else []
        lines += ["rate = rates(t)"] if "rate" in used else []
        rows = [n for n in used if n not in ("t", "rate") and not (n.startswith("m_") and self._shape(n) == SCALAR)]
        names = dict.fromkeys(
            [*self.buffers, *self.fixed, *self.kinds, *rows, *self._places(), "F", "S", "draws", "rates"]
        )
        head = "\n    ".join(f"{n} = e[{n!r}]" for n in names)
        body = "\n        ".join([*lines, *self.lines] or ["pass"])
        return f"def bind(e):\n    {head}\n    def step(t):\n        {body}\n    return step\n"

    def _places(self) -> list[str]:
        return [name for name in self.line.carried if self._shape(name) == ROW]
