"""The nodes of a tape as JavaScript: what is wanted more than once in numbered constants, all else in formulas.

An operation that nothing needs is not printed, and every other one gives the bits that it gives in Python.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .functions import ROWS
from .tape import FIXED, SCALAR, Node, Value

_OPERATORS = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}", "negative": "-{0}",
    "bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} ^ {1}", "less": "{0} < {1}",
    "less_equal": "{0} <= {1}", "greater": "{0} > {1}", "greater_equal": "{0} >= {1}", "equal": "{0} == {1}",
    "not_equal": "{0} != {1}", "where": "{0} ? {1} : {2}",
}  # fmt: skip
_BINDS = {"add": 1, "subtract": 1, "multiply": 2, "divide": 2, "negative": 3}  # the higher, the closer
_LONGEST = 120  # characters of what is written into another formula: a long sum would be a nest of a thousand


def number(value: Any) -> str:
    """A number in JavaScript; a float reads back as the same float."""
    if isinstance(value, int | np.integer | np.bool_):
        return str(int(value))
    return repr(float(value)).removesuffix(".0").replace("inf", "Infinity").replace("nan", "NaN")


class Statements:
    """The statements that values need, in `lines`, and a formula for each value.

    `wanted` are the values in groups, one after the other: `lines` has the statements that a group
    needs beyond those before it. `texts` says what inputs are called, `prefix` what constants begin with.
    With `hoisted`, `lines` has what is the same in every step under "fixed", what is the same for all
    coordinates under "step", and `powers` the bases of tables q0, q1, ... in which powers to `t` are found.
    """

    def __init__(self, *wanted: Sequence[Any], texts: Mapping[str, str] | None = None, prefix: str = "t",
                 hoisted: bool = False):  # fmt: skip
        self.lines: dict[Any, list[str]] = {"fixed": [], "step": [], **{k: [] for k in range(len(wanted))}}
        self.powers: list[str] = []
        self._inputs, self._prefix, self._hoisted = texts or {}, prefix, hoisted
        self._places: dict[int, Any] = {}  # of the nodes, by index
        self._uses: Counter = Counter()
        self._users: dict[int, Any] = {}  # the places of the last of them
        self._texts: dict[int, str] = {}
        self._bare: dict[int, str] = {}  # the operations of those that are formulas, not names
        self._count = 0
        found: dict[int, Node] = {}
        for group, values in enumerate(wanted):
            self._find(values, group, found)
        for index in sorted(found):
            self._write(index, found[index])

    def text(self, value: Any) -> str:
        """The formula of a value."""
        return self._texts[value.index] if isinstance(value, Value) else number(value)

    def _find(self, values: Sequence[Any], group: int, found: dict[int, Node]) -> None:
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
                form = _form(node.op)
                front += [(a, place) for k, a in enumerate(node.args) for _ in range(form.count(f"{{{k}}}") or 1)]

    def _write(self, index: int, node: Node) -> None:
        if node.op == "input":
            self._texts[index] = self._inputs.get(node.args[0], node.args[0])
            return
        text, place = self._formula(node), self._places[index]
        if self._uses[index] == 1 and self._users[index] == place and len(text) <= _LONGEST:
            self._texts[index], self._bare[index] = text, node.op
            return
        self._count += 1
        self._texts[index] = f"{self._prefix}{self._count}"
        self.lines[place].append(f"const {self._texts[index]} = {text};")

    def _formula(self, node: Node) -> str:
        form = _form(node.op)
        if self._hoisted and node.op == "power" and _is_step(node.args[1]) and not _moves(node.args[0]):
            self.powers.append(self.text(node.args[0]))
            return f"q{len(self.powers) - 1}[t]"
        if "{}" in form:
            return form.format(", ".join(map(self.text, node.args)))
        return form.format(*(self._operand(node.op, k, a) for k, a in enumerate(node.args)))

    def _operand(self, op: str, place: int, value: Any) -> str:
        """A formula within another one, in brackets where it needs them."""
        inner = self._bare.get(value.index) if isinstance(value, Value) else None
        if inner is None or "{}" in _form(inner):
            return self.text(value)
        mine, own = _BINDS.get(op, 9), _BINDS.get(inner, 0)
        free = own > mine or (own == mine and place == 0 and op != "negative")
        return self.text(value) if free else f"({self.text(value)})"


def _form(op: str) -> str:
    return _OPERATORS.get(op) or ROWS[op].script


def _is_step(value: Any) -> bool:
    return isinstance(value, Value) and value.node.op == "input" and value.node.args[0] == "t"


def _moves(value: Any) -> bool:
    return isinstance(value, Value) and value.node.when != FIXED
