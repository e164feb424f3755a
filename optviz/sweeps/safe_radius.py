"""How far out a traced loss is sure to stay finite: sizes carried through its operations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..trace.tape import FIXED, Node, Value
from .programs import Line, needed


def safe_radius(line: Line, sizes: Mapping[str, float]) -> float:
    """A radius within which no operation of the loss overflows or lacks a result; 0 where none is known.

    |a + b| <= |a| + |b|, |a b| <= |a| |b| and so on. `sizes` bounds the fixed inputs by name.
    """
    if line.loss is None:
        return 0.0
    order = needed(line, whole=True)
    low, high = -1, 150
    while low < high:  # the sizes grow with the radius
        middle = (low + high + 1) // 2
        safe = _largest(line.tape.nodes, order, 10.0**middle, sizes) < 1e300
        low, high = (middle, high) if safe else (low, middle - 1)
    return 10.0**low if low >= 0 else 0.0


def _largest(nodes: Sequence[Node], order: Sequence[int], radius: float, inputs: Mapping[str, float]) -> float:
    """A bound on the size of every value where no coordinate exceeds the radius."""
    sizes: dict[int, float] = {}
    positive: set[int] = set()  # values that cannot be below zero
    for index in order:
        node = nodes[index]
        if node.op == "input":
            sizes[index] = inputs[node.args[0]] if node.when == FIXED else radius
            continue
        size = _size(node, [sizes[v.index] if isinstance(v, Value) else abs(v) for v in node.args], positive)
        if not size < math.inf:
            return math.inf
        sizes[index] = size
        if _is_positive(node, positive):
            positive.add(index)
    return max(sizes.values(), default=0.0)


def _size(node: Node, a: list[float], positive: set[int]) -> float:
    match node.op:
        case "add" | "subtract":
            return a[0] + a[1]
        case "multiply":
            return a[0] * a[1]
        case "divide":
            return a[0] / a[1] if not isinstance(node.args[1], Value) and a[1] else math.inf
        case "negative" | "absolute" | "positive":
            return a[0]
        case "maximum" | "minimum" | "fmax" | "fmin":
            return max(a)
        case "floor" | "ceil" | "trunc" | "rint" | "cbrt":
            return a[0] + 1.0
        case "hypot":
            return a[0] + a[1]
        case "logaddexp" | "logaddexp2":
            return max(a) + 1.0
        case "arctan" | "arctan2" | "erf" | "erfc" | "sinc":
            return 4.0
        case "where":
            return max(a[1:])
        case "sqrt":
            return math.sqrt(a[0]) if node.args[0].index in positive else math.inf
        case "exp":
            return math.exp(a[0]) if a[0] < 700 else math.inf
        case "sin" | "cos" | "tanh" | "sign":
            return 1.0
        case _:
            return 1.0 if node.truth else math.inf


def _is_positive(node: Node, positive: set[int]) -> bool:
    values = [v.index for v in node.args if isinstance(v, Value)]
    if node.op == "multiply" and len(values) == 2 and values[0] == values[1]:
        return True
    if node.op in ("absolute", "exp", "hypot"):
        return True
    if node.op not in ("add", "multiply", "divide", "sqrt"):
        return False
    return all(v.index in positive if isinstance(v, Value) else v >= 0 for v in node.args)
