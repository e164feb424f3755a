"""The text of a kernel: a program's lines as loops over the lanes of a chunk, for numba to compile.

A chunk's numbers are rows of one flat array `Q`, so that a compiler sees from the text alone which
places differ and works on several lanes at a time. What numpy rounds in its own way (exp, powers,
sines) is numpy's own loop over a row of the chunk; all else is done lane by lane in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..trace.tape import ROW, SCALAR, Value
from .numpy_loops import loop_of
from .step_inputs import Inputs, is_constant

CHUNK = 256  # lanes: a chunk's rows stay in a core's nearest cache
_HEADER = '''"""Written by optviz from a rule and an objective; compiled by numba."""

import math

from llvmlite import ir
from numba import cfunc, njit
from numba.core import types
from numba.extending import intrinsic

doubles, integers = types.CPointer(types.float64), types.CPointer(types.int64)


@intrinsic
def call_loop(typingctx, function, args, counts, strides, data):
    """Call one of numpy's loops by its address."""

    def generate(context, builder, signature, given):
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer] * 4)
        called = builder.inttoptr(given[0], kind.as_pointer())
        builder.call(called, [builder.inttoptr(one, pointer) for one in given[1:]])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), generate


@njit(nogil=True)
def call(U, k, base, inputs, a, sa, b, sb, out, m, W, here):
    W[0], W[1], W[2] = base + 8 * a, base + 8 * (b if inputs == 2 else out), base + 8 * out
    W[3], W[4], W[5], W[6] = m, 8 * sa, 8 * (sb if inputs == 2 else 1), 8
    call_loop(U[2 * k], here, here + 24, here + 32, U[2 * k + 1])


@cfunc(types.int64(types.int64, types.int64, doubles, doubles, doubles, integers, integers, types.int64, types.int64,
                   types.float64), nopython=True, error_model="numpy")
def entry(which, m, Q, C, S, U, W, base, here, R):
    far = 0
'''
_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_TRUTHS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
           "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "!="}  # fmt: skip
_FORMS = {
    "negative": "-{0}", "positive": "{0}", "absolute": "abs({0})", "sqrt": "math.sqrt({0})",
    "maximum": "({0} if {0} >= {1} or {0} != {0} else {1})", "minimum": "({0} if {0} <= {1} or {0} != {0} else {1})",
    "sign": "(1.0 if {0} > 0 else (-1.0 if {0} < 0 else (0.0 if {0} == 0 else {0})))",
}  # fmt: skip
_INLINE = {*_SIGNS, *_TRUTHS, *_FORMS, "where", "logical_not"}


class Unprintable(Exception):
    """A line that no kernel can be printed of."""


@dataclass
class Places:
    """What a kernel is given, and where: filled while its functions are printed."""

    rows: dict[str, int] = field(default_factory=dict)  # of Q, by name
    constants: list[float] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)  # the functions that numpy does

    def row(self, name: str) -> int:
        """The place in Q where a row begins."""
        return CHUNK * self.rows.setdefault(name, len(self.rows))

    def constant(self, number: float) -> str:
        self.constants.append(float(number))
        return f"c{len(self.constants) - 1}"

    def call(self, name: str) -> int:
        if name not in self.calls:
            self.calls.append(name)
        return self.calls.index(name)


class Text:
    """A program's kernel in Python: its source, and where in its rows what it is given has to be."""

    def __init__(self, inputs: Inputs):
        self.inputs, self.places, self.dim = inputs, Places(), inputs.program.dim
        x, memory = inputs.rows[: self.dim], inputs.rows[self.dim :]
        given = [f"k{index}" for index in (*inputs.gathered, *inputs.fixed)]
        for name in [*x, "F", *given, *memory]:
            self.places.row(name)
        parts = [_Function(self, name).text() for name in inputs.lines]
        self.source = (
            _HEADER + "".join(f"    if which == {k}:{part}" for k, part in enumerate(parts)) + "    return far\n"
        )

    def shape(self) -> list[int]:
        """What the driver is told of the rows of Q: see `kernel_driver.entry`."""
        looked_up, fixed, rows = len(self.inputs.gathered), len(self.inputs.fixed), len(self.inputs.rows)
        first = CHUNK * (self.dim + 1)
        return [first - CHUNK, first, looked_up, first + CHUNK * looked_up, fixed, rows - self.dim,
                rows + 1 + looked_up + fixed]  # fmt: skip


def printed(inputs: Inputs) -> Text | None:
    """The text of a kernel; None where there is none."""
    try:
        return Text(inputs)
    except Unprintable:
        return None


class _Function:
    """One line as a function of the chunk: loops over lanes, and between them numpy's own loops."""

    def __init__(self, text: Text, name: str):
        self.inputs, self.places, self.name, self.dim = text.inputs, text.places, name, text.dim
        self.nodes, self.order, self.results = self.inputs.nodes, self.inputs.work[name], self.inputs.results(name)
        self.constants: list[str] = []
        self.numbers: list[str] = []  # that numpy's loops read from a place of their own
        self.levels: dict[int, int] = {}
        for index in self.order:
            self.levels[index] = self._level(index)
        self.last = max([0, *(self._known_at(v) for v in self.results.values())])

    def _is_call(self, index: int) -> bool:
        return self.nodes[index].op not in _INLINE

    def _level(self, index: int) -> int:
        """After how many rounds of numpy's loops a node can be done."""
        return max(map(self._known_at, self.nodes[index].args), default=0)

    def _known_at(self, value: Any) -> int:
        if not isinstance(value, Value) or value.index not in self.levels:
            return 0
        return self.levels[value.index] + self._is_call(value.index)

    def text(self) -> str:
        """The function's lines."""
        body = []
        for level in range(self.last + 1):
            body += self._loop(level)
            body += [self._called(k) for k in self.order if self.levels[k] == level and self._is_call(k)]
        head = [f"c{n[1:]} = C[{n[1:]}]" for n in dict.fromkeys(self.constants)]
        head += [f"{self._scalar(k)} = S[{at}]" for at, k in enumerate(self.inputs.columns[self.name])]
        head += [f"Q[{self._number_place(at)}] = {n}" for at, n in enumerate(self.numbers)]
        return "".join(f"\n        {line}" for line in [*head, *body] or ["pass"]) + "\n"

    def _loop(self, level: int) -> list[str]:
        """What is done lane by lane at a level."""
        self.loads: dict[str, str] = {}
        self.level = level
        work = [k for k in self.order if self.levels[k] == level and not self._is_call(k)]
        lines = [f"{self._local(k)} = {self._expression(k)}" for k in work]
        lines += [f"Q[{self.places.row(f'b{k}')} + i] = {self._float(k)}" for k in work if self._is_wanted_later(k)]
        if level == self.last:
            lines += self._ending()
        if not lines:
            return []
        loads = [f"{name} = {text}" for name, text in self.loads.items()]
        return ["for i in range(m):", *("    " + line for line in (*loads, *lines))]

    def _ending(self) -> list[str]:
        """The results to their rows, all at once as some take the places of others; and who is far out."""
        kept = {row: self._text(value, number=True) for row, value in self.results.items()}
        lines = [f"Q[{self.places.row(row)} + i] = {text}" for row, text in kept.items()]
        places = [f"X{k}" for k in range(self.dim)]
        ends = [kept.get(x, f"Q[{self.places.row(x)} + i]") for x in places]
        square = " + ".join(f"{x} * {x}" for x in ends)
        return [*lines, f"far += 0 if {square} < R else 1"]

    def _float(self, index: int) -> str:
        name = self._local(index)
        return f"(1.0 if {name} else 0.0)" if self.nodes[index].truth else name

    def _local(self, index: int) -> str:
        """A node's name in the text: truths of one line are no numbers of another."""
        return f"{self.name}_v{index}"

    def _is_wanted_later(self, index: int) -> bool:
        """Whether a call or a later loop reads a node's result."""
        here = self.levels[index]
        for k in self.order:
            if any(isinstance(a, Value) and a.index == index for a in self.nodes[k].args) and (
                self._is_call(k) or self.levels[k] > here
            ):
                return True
        kept = any(isinstance(v, Value) and v.index == index for v in self.results.values())
        return kept and here < self.last

    def _expression(self, index: int) -> str:
        node = self.nodes[index]
        truths = [isinstance(a, Value) and self.nodes[a.index].truth for a in node.args]
        if node.op == "where":
            condition = self._text(node.args[0]) + ("" if truths[0] else " != 0.0")
            a, b = (self._text(v, number=True) for v in node.args[1:])
            return f"{a} if {condition} else {b}"
        if node.op == "logical_not":
            return f"not {self._text(node.args[0])}" if truths[0] else f"{self._text(node.args[0])} == 0.0"
        if node.op in ("bitwise_and", "bitwise_or", "bitwise_xor") and all(truths):
            return f" {_TRUTHS[node.op]} ".join(map(self._text, node.args))
        if node.op.startswith("bitwise") or all(truths):
            raise Unprintable(f"{node.op} of truths")
        args = [self._text(a, number=True) for a in node.args]
        if node.op in _FORMS:
            return _FORMS[node.op].format(*args)
        return f" {(_SIGNS | _TRUTHS)[node.op]} ".join(args)

    def _text(self, value: Any, number: bool = False) -> str:
        """A value's name in a loop over lanes; of a truth, as a number where one is asked for."""
        if not isinstance(value, Value):
            return self._constant(value)
        index, node = value.index, self.nodes[value.index]
        if is_constant(node):
            return self._constant(node.args[0])
        if node.shape == SCALAR:
            return f"({self._scalar(index)} != 0.0)" if node.truth and not number else self._scalar(index)
        if index in self.levels and not self._is_call(index) and self.levels[index] == self.level:
            return self._float(index) if number else self._local(index)
        name = self._row_of(index)
        self.loads.setdefault(f"r_{name}", f"Q[{self.places.row(name)} + i]")
        return f"(r_{name} != 0.0)" if node.truth and not number else f"r_{name}"

    def _constant(self, value: Any) -> str:
        self.constants.append(self.places.constant(value))
        return self.constants[-1]

    def _scalar(self, index: int) -> str:
        return f"{self.name}_s{index}"

    def _row_of(self, index: int) -> str:
        """The name of the row in which a value is."""
        if f"k{index}" in self.places.rows:
            return f"k{index}"
        return self.nodes[index].args[0] if self.nodes[index].op == "input" else f"b{index}"

    def _called(self, index: int) -> str:
        """numpy's own loop over a row, or two."""
        node = self.nodes[index]
        if loop_of(node.op) is None or len(node.args) > 2:
            raise Unprintable(f"{node.op} by numpy")
        places = [self._place(a) for a in node.args]
        (a, sa), (b, sb) = places[0], places[-1]
        out, function = self.places.row(f"b{index}"), self.places.call(node.op)
        return f"call(U, {function}, base, {len(node.args)}, {a}, {sa}, {b}, {sb}, {out}, m, W, here)"

    def _place(self, value: Any) -> tuple[int, int]:
        """Where numpy's loop finds an argument, and how far it goes for the next lane's."""
        if isinstance(value, Value) and self.nodes[value.index].shape == ROW and not is_constant(
            self.nodes[value.index]
        ):  # fmt: skip
            return self.places.row(self._row_of(value.index)), 1
        name = self._text(value, number=True)
        self.numbers.append(name)
        return self._number_place(len(self.numbers) - 1), 0

    def _number_place(self, at: int) -> int:
        if at >= CHUNK:
            raise Unprintable("too many numbers")
        return self.places.row("numbers") + at
