"""One recording of a plain function: called with values that stand for no number yet, it leaves nodes on a tape.

A node is an operation, what it is done to, its shape and when it changes. Kernels and blocks of many
lanes (`sweeps/`) and the JavaScript of pages (`javascript.py`) are printed from the same nodes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from .functions import ALIASES, COMPOSED, ROWS
from .tracing import namespace

SCALAR, ROW, OWN = 0, 1, 2  # a number; (lanes,); of carried terms, a row for each coordinate
FIXED, STEP = 0, 1  # the same in every step of a block, or not

# Operators of two values, in Python and in JavaScript; an exclusive or is one of truths
_TRUTHS = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
           "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "!="}  # fmt: skip
SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", **_TRUTHS}
OPERATORS = {*SIGNS, "negative", "logical_not"}  # beside the functions of `functions.ROWS`


@dataclass(frozen=True)
class Node:
    """One operation: its name, what it is done to (Values or numbers), its shape, when it changes."""

    op: str
    args: tuple
    shape: int
    when: int
    truth: bool


class Value(NDArrayOperatorsMixin):
    """The result of a node of a tape: operators and numpy's functions make further nodes."""

    def __init__(self, tape: Tape, index: int):
        self.tape, self.index = tape, index

    @property
    def node(self) -> Node:
        """What the value is the result of."""
        return self.tape.nodes[self.index]

    def __hash__(self):
        return id(self)

    def __bool__(self):
        raise TypeError("a branch on a variable cannot be traced, use xp.where")

    def __float__(self):
        raise TypeError("math's functions take numbers only, use those of xp")

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        name, plain = ufunc.__name__, method == "__call__" and not options
        if plain and name in COMPOSED:
            return COMPOSED[name](*inputs)
        op = ALIASES.get(name, name)
        if not plain or not (op in ROWS or op in OPERATORS):
            raise TypeError(not_followed(name))
        return self.tape.record(op, inputs)

    def __array_function__(self, function, types, arguments, options):
        if function is np.where and len(arguments) == 3:
            return _where(*arguments)
        if function is np.clip or function is np.sinc:
            return self.clip(*arguments[1:], **options) if function is np.clip else self.tape.record("sinc", arguments)
        raise TypeError(not_followed(function.__name__))

    def conjugate(self):
        """Itself: a value is a real number."""
        return self

    def clip(self, a_min=None, a_max=None):
        """The value within bounds."""
        above = self if a_min is None else np.maximum(self, a_min)
        return above if a_max is None else np.minimum(above, a_max)


class Tape:
    """The operations in the order of the calls, none twice; each gives the bits that the float run has."""

    def __init__(self):
        self.nodes: list[Node] = []
        self._known: dict[tuple, Value] = {}

    def input(self, name: str, shape: int, when: int = STEP) -> Value:
        """A value that is found under this name."""
        return self._node("input", (name,), shape, when)

    @staticmethod
    def called(value: Any) -> str:
        """The name of an input; empty for anything else."""
        return value.node.args[0] if isinstance(value, Value) and value.node.op == "input" else ""

    def where(self, condition: Value, a: Any, b: Any) -> Any:
        """a where the condition holds, else b."""
        if self._is_truth(a) and self._is_truth(b):  # a row of truths is no row of numbers
            return (condition & a) | (np.logical_not(condition) & b)
        return self._operation("where", (condition, a, b))

    def _is_truth(self, value: Any) -> bool:
        return value.node.truth if isinstance(value, Value) else isinstance(value, bool | np.bool_)

    def record(self, op: str, inputs: Sequence[Any]) -> Any:
        """The result of a numpy function of this name."""
        args = tuple(v.item() if isinstance(v, np.generic) else v for v in inputs)
        if op == "power" and not isinstance(args[1], Value) and args[1] == 2:
            # as numpy does; C's pow, and so a float's x**2, may round otherwise
            op, args = "multiply", (args[0], args[0])
        if op == "add" and self._negated(args[0]) is not None:
            op, args = "subtract", (args[1], self._negated(args[0]))
        elif op == "add" and self._negated(args[1]) is not None:
            op, args = "subtract", (args[0], self._negated(args[1]))
        return self._operation(op, args)

    def _negated(self, value: Any) -> Any:
        """What a value is the negative of, or None."""
        return value.node.args[0] if isinstance(value, Value) and value.node.op == "negative" else None

    def _operation(self, op: str, args: tuple) -> Any:
        """What an operation gives: a tape of another kind may know that it changes nothing."""
        nodes = [a.node for a in args if isinstance(a, Value)]
        return self._node(op, args, max(n.shape for n in nodes), max(n.when for n in nodes))

    def _node(self, op: str, args: tuple, shape: int, when: int) -> Value:
        key = (op, *(a.index if isinstance(a, Value) else repr(a) for a in args))  # 0.0 is not -0.0
        if key not in self._known:
            self.nodes.append(Node(op, args, shape, when, op in _TRUTHS or op == "logical_not"))
            self._known[key] = Value(self, len(self.nodes) - 1)
        return self._known[key]


def not_followed(name: str) -> str:
    """The sentence on a function that has no other readings."""
    owner = "numpy" if hasattr(np, name.partition(".")[0]) else "scipy.special"
    return f"{owner}.{name} of a variable cannot be followed"


def _noting(name: str) -> Callable:
    """A function that notes what is done with values of a tape; of numbers alone it gives a number."""
    plain = ROWS[name].floats

    def call(*values):
        noted = next((v for v in values if isinstance(v, Value)), None)
        return plain(*values) if noted is None else noted.tape.record(name, values)

    return call


def _where(condition, a, b):
    return condition.tape.where(condition, a, b) if isinstance(condition, Value) else a if condition else b


RECORD = namespace({name: _noting(name) for name in ROWS}, _where, operator.eq)
