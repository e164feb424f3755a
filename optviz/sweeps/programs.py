"""Many lanes without trajectories: a rule and an objective as one straight line of operations.

The same definitions that `descend` calls are called once with values that write down what is
done with them. Operations on hyperparameters alone leave the loop, equal ones are done once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from ..trace.tape import FIXED, RECORD, ROW, STEP, Tape, Value


class LaneTape(Tape):
    """A tape that leaves out what a finite lane does not need: x * 1, x + 0, 0 X. Zeros may lose their signs."""

    def constant(self, number: float) -> Value:
        """A number that stands for a row of it."""
        return self._node("positive", (float(number),), ROW, FIXED)

    def _operation(self, op: str, args: tuple) -> Any:
        same = self._settled(op, args) if op in ("bitwise_and", "bitwise_or") else self._unchanged(op, args)
        return super()._operation(op, args) if same is None else same

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


def _is(value: Any, number: float) -> bool:
    return not isinstance(value, Value) and value == number


@dataclass(frozen=True)
class Line:
    """One step of a block on a tape: the values in it that the loop needs."""

    tape: LaneTape
    loss: Any  # the objective where the step begins, or None
    moved: tuple  # where each coordinate is after the step
    memory: Mapping[str, Any]  # the carried terms after the step, a row each

    @cached_property
    def order(self) -> list[int]:
        """The nodes that a step works out and finds, each as late as it can be."""
        return needed(self)

    @property
    def carried(self) -> dict[str, Any]:
        """What the next step begins with, by the name of its place."""
        return {f"X{k}": v for k, v in enumerate(self.moved)} | {f"m_{n}": v for n, v in self.memory.items()}


def _later_equal(a, b):
    """Of the step's number, which is above 1 in every step but the first."""
    for one, other in ((a, b), (b, a)):
        if Tape.called(one) == "t" and _is(other, 1):
            return False
    return a == b


LATER = SimpleNamespace(**{**vars(RECORD), "equal": _later_equal})


def needed(line: Line, whole: bool = False) -> list[int]:
    """The nodes that a line needs, each as late as it can be: what a coordinate needs is then done at one go.

    `whole` has those as well that what is fixed is worked out from.
    """
    nodes, order = line.tape.nodes, {}
    front = [(value, False) for value in reversed([line.loss, *line.moved, *line.memory.values()])]
    while front:
        value, ready = front.pop()
        if not isinstance(value, Value) or value.index in order:
            continue
        args = nodes[value.index].args if whole or nodes[value.index].when == STEP else ()
        if ready or not any(isinstance(a, Value) for a in args):
            order[value.index] = None
        else:
            front += [(value, True), *((a, False) for a in reversed(args))]
    return list(order)
