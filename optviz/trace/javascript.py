"""The nodes of a tape as JavaScript: what is wanted more than once in numbered constants, all else in formulas.

An operation that nothing needs is not printed, and every other one gives the bits that it gives in Python.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .functions import ROWS
from .tape import FIXED, SCALAR, SIGNS, Node, Tape, Value

_FORMS = {"negative": "-{0}", "where": "{0} ? {1} : {2}"}
_FORMS |= {op: f"{{0}} {sign} {{1}}" for op, sign in SIGNS.items()} | {op: row.script for op, row in ROWS.items()}
_BINDS = {"add": 1, "subtract": 1, "multiply": 2, "divide": 2, "negative": 3}  # the higher, the closer
_LONGEST = 120  # characters of what is written into another formula: a long sum would be a nest of a thousand


def number(value: Any) -> str:
    """A number in JavaScript; a float reads back as the same float."""
    if isinstance(value, int | np.integer | np.bool_):
        return str(int(value))
    return repr(float(value)).replace("inf", "Infinity").replace("nan", "NaN")


class Statements:
    """The statements that values need, in `lines`, and a formula for each value.

    `wanted` are the values in groups, one after the other: `lines` has the statements that each needs
    beyond those before it. Constants are the numbers of operations after a `prefix`.
    With `hoisted`, `lines` has what is the same in every step under "fixed", what is the same for all
    coordinates under "step", and `powers` the bases of tables q0, q1, ... in which powers to `t` are found.
    """

    def __init__(self, wanted: Mapping[str, Sequence[Any]], prefix: str = "t", hoisted: bool = False):
        self.lines: dict[str, list[str]] = {place: [] for place in ("fixed", "step", *wanted)}
        self.powers: list[str] = []
        self._prefix, self._hoisted = prefix, hoisted
        self._places: dict[int, str] = {}  # of the nodes, by index
        self._uses: Counter = Counter()
        self._users: dict[int, str] = {}  # the places of the last of them
        self._texts: dict[int, str] = {}
        self._bare: dict[int, str] = {}  # the operations of those that are formulas, not names
        found: dict[int, Node] = {}
        for group, values in wanted.items():
            self._find(values, group, found)
        for index in sorted(found):
            self._write(index, found[index])

    def text(self, value: Any) -> str:
        """The formula of a value."""
        return self._texts[value.index] if isinstance(value, Value) else number(value)

    def blocks(self) -> dict[str, str]:
        """The statements of each group as one text."""
        return {place: " ".join(lines) for place, lines in self.lines.items()}

    def _find(self, values: Sequence[Any], group: str, found: dict[int, Node]) -> None:
        front = [(value, group) for value in values]
        for value, user in front:
            if not isinstance(value, Value):
                continue
            index, node = value.index, value.node
            self._uses[index] += 1
            self._users[index] = user
            if index in found:
                continue
            found[index] = node
            place = group
            if self._hoisted:
                place = "fixed" if node.when == FIXED else "step" if node.shape == SCALAR else group
            self._places[index] = place
            if node.op != "input":
                form = _FORMS[node.op]
                front += [(a, place) for k, a in enumerate(node.args) for _ in range(form.count(f"{{{k}}}") or 1)]

    def _write(self, index: int, node: Node) -> None:
        if node.op == "input":
            self._texts[index] = node.args[0]
            return
        text, place = self._formula(node), self._places[index]
        if self._uses[index] == 1 and self._users[index] == place and len(text) <= _LONGEST:
            self._texts[index], self._bare[index] = text, node.op
            return
        self._texts[index] = f"{self._prefix}{sum(map(len, self.lines.values())) + 1}"
        self.lines[place].append(f"const {self._texts[index]} = {text};")

    def _formula(self, node: Node) -> str:
        form = _FORMS[node.op]
        if self._hoisted and node.op == "power" and Tape.called(node.args[1]) == "t" and not _moves(node.args[0]):
            self.powers.append(self.text(node.args[0]))
            return f"q{len(self.powers) - 1}[t]"
        if "{}" in form:
            return form.format(", ".join(map(self.text, node.args)))
        return form.format(*(self._operand(node.op, k, a) for k, a in enumerate(node.args)))

    def _operand(self, op: str, place: int, value: Any) -> str:
        """A formula within another one, in brackets where it needs them."""
        inner = self._bare.get(value.index) if isinstance(value, Value) else None
        if inner is None or "{}" in _FORMS[inner]:
            return self.text(value)
        mine, own = _BINDS.get(op, 9), _BINDS.get(inner, 0)
        free = own > mine or (own == mine and place == 0 and op != "negative")
        return self.text(value) if free else f"({self.text(value)})"


def _moves(value: Any) -> bool:
    return isinstance(value, Value) and value.node.when != FIXED
