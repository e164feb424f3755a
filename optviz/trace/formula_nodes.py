"""The parts of a formula as operations, none twice, and its derivatives as further ones.

A node is an operation's name in `optviz.trace.functions` and the places of what it is done to; numbers and inputs
have their value and their name instead. Derivatives are exact, and follow PyTorch at kinks: the slope of max(x, 0)
is 0 at 0. A page derives by the same lines, printed as JavaScript.
"""

from __future__ import annotations

import math
from typing import Any

LN2, LN10, TWO_OVER_ROOT_PI = math.log(2.0), math.log(10.0), 2 / math.sqrt(math.pi)
FLAT = ("sign", "floor", "ceil", "trunc", "rint")  # almost everywhere
TRUTHS = ("less", "less_equal", "greater", "greater_equal", "equal", "bitwise_and", "bitwise_or", "logical_not")


def program(parts: list[Any], curve: bool = False) -> dict[str, Any]:
    """The `nodes` of a formula, and the places of its `value`, its `gradient` and the rows of its `hessian`.

    Where a formula of x alone may be a `curve`, it gets the idle coordinate of `optviz.objectives.objective.Curve`.
    """
    graph = Graph()
    value = lowered(graph, parts)
    curve = curve and is_of_x_alone(parts)
    if curve:
        y = graph.node("input", ["y"])
        value = graph.add(value, graph.multiply(graph.multiply(y, y), graph.number(0.5)))
    gradient = [derivative(graph, value, name) for name in ("x", "y")]
    first = [derivative(graph, gradient[0], name) for name in ("x", "y")]
    last = derivative(graph, gradient[1], "y")
    return {"nodes": graph.nodes, "value": [value], "gradient": gradient, "hessian": [*first, first[1], last],
            "curve": curve}  # fmt: skip


def is_of_x_alone(parts: list[Any]) -> bool:
    """Whether a formula has x in it, and no y."""
    names = [part["name"] for part in parts if part["op"] == "name"]
    return "x" in names and "y" not in names


class Graph:
    """Nodes, each after those that it needs; what changes nothing, as x * 1, is left out."""

    def __init__(self):
        self.nodes: list[Any] = []
        self.known: dict[str, int] = {}

    def node(self, op: str, args: list[Any]) -> int:
        """The place of an operation."""
        key = " ".join([op, *[f"{arg}" for arg in args]])
        if key not in self.known:
            self.nodes.append([op, args])
            self.known[key] = len(self.nodes) - 1
        return self.known[key]

    def number(self, value: float) -> int:
        """A number."""
        return self.node("number", [value + 0.0])

    def worth(self, place: int) -> Any:
        """The number that stands there, None for anything else."""
        node = self.nodes[place]
        return node[1][0] if node[0] == "number" else None

    def add(self, a: int, b: int) -> int:
        """a + b."""
        u, v = self.worth(a), self.worth(b)
        if u is not None and v is not None:
            return self.number(u + v)
        return b if u == 0 else a if v == 0 else self.node("add", [a, b])

    def subtract(self, a: int, b: int) -> int:
        """a - b."""
        u, v = self.worth(a), self.worth(b)
        if u is not None and v is not None:
            return self.number(u - v)
        return self.negative(b) if u == 0 else a if v == 0 else self.node("subtract", [a, b])

    def negative(self, a: int) -> int:
        """-a."""
        u = self.worth(a)
        if u is not None:
            return self.number(-u)
        return self.nodes[a][1][0] if self.nodes[a][0] == "negative" else self.node("negative", [a])

    def multiply(self, a: int, b: int) -> int:
        """a b."""
        u, v = self.worth(a), self.worth(b)
        if u is not None and v is not None:
            return self.number(u * v)
        if u == 0 or v == 0:
            return self.number(0.0)
        if u == 1 or u == -1:
            return b if u == 1 else self.negative(b)
        if v == 1 or v == -1:
            return a if v == 1 else self.negative(a)
        return self.node("multiply", [a, b])

    def divide(self, a: int, b: int) -> int:
        """a / b."""
        u, v = self.worth(a), self.worth(b)
        if u is not None and v is not None and v != 0:
            return self.number(u / v)
        if u == 0 or v == 1:
            return a
        return self.node("divide", [a, b])

    def power(self, a: int, n: float) -> int:
        """a to the power of a number; a small whole one as a product, which all engines round alike."""
        if n == 0 or n == 1:
            return a if n == 1 else self.number(1.0)
        if n < 0:
            return self.divide(self.number(1.0), self.power(a, -n))
        if n == 0.5:
            return self.node("sqrt", [a])
        if n <= 8 and n.is_integer():
            found = a
            for _ in range(int(n) - 1):
                found = self.multiply(found, a)
            return found
        return self.node("power", [a, self.number(n)])

    def where(self, condition: int, a: int, b: int) -> int:
        """a where a condition holds, else b."""
        return a if a == b else self.node("where", [condition, a, b])


def lowered(graph: Graph, parts: list[Any]) -> int:
    """The node of the last part."""
    places: list[int] = []
    for part in parts:
        places.append(lowered_part(graph, part, [places[k] for k in part["args"]]))
    return places[-1]


def lowered_part(graph: Graph, part: Any, args: list[int]) -> int:
    """The node of one part, whose arguments have these."""
    op = part["op"]
    if part["value"] is not None:
        return graph.number(part["value"])
    if op == "name":
        return graph.node("input", [part["name"]])
    if op == "add":
        return graph.add(args[0], args[1])
    if op == "subtract":
        return graph.subtract(args[0], args[1])
    if op == "multiply":
        return graph.multiply(args[0], args[1])
    if op == "divide":
        return graph.divide(args[0], args[1])
    if op == "negative":
        return graph.negative(args[0])
    if op == "power":
        return raised(graph, args[0], args[1])
    if op == "indicator":
        return graph.where(args[0], graph.number(1.0), graph.number(0.0))
    if op == "where":
        return graph.where(args[0], args[1], args[2])
    if op == "not_equal":
        return graph.node("logical_not", [graph.node("equal", args)])
    return composed(graph, op, args)


def composed(graph: Graph, op: str, args: list[int]) -> int:
    """A function of several numbers, or one that is made of others."""
    zero, one = graph.number(0.0), graph.number(1.0)
    if op == "relu":
        return graph.node("maximum", [args[0], zero])
    if op == "sigmoid":
        return graph.divide(one, graph.add(one, graph.node("exp", [graph.negative(args[0])])))
    if op == "clip":
        return graph.node("minimum", [graph.node("maximum", [args[0], args[1]]), args[2]])
    if op == "maximum" or op == "minimum":
        found = args[0]
        for other in args[1:]:
            found = graph.node(op, [found, other])
        return found
    return graph.node(op, args)


def raised(graph: Graph, a: int, b: int) -> int:
    """a to the power b; one of Euler's number is exp."""
    u, v = graph.worth(a), graph.worth(b)
    if v is not None:
        return graph.power(a, v)
    return graph.node("exp", [b]) if u == math.e else graph.node("power", [a, b])


# derivatives


def needed(nodes: list[Any], roots: list[int]) -> list[int]:
    """The places of these nodes and of all that they need, in order."""
    wanted = [False] * len(nodes)
    for root in roots:
        wanted[root] = True
    for place in range(len(nodes) - 1, -1, -1):
        if wanted[place] and nodes[place][0] not in ("number", "input"):
            for arg in nodes[place][1]:
                wanted[arg] = True
    return [place for place in range(len(nodes)) if wanted[place]]


def derivative(graph: Graph, root: int, name: str) -> int:
    """The node of the derivative of a node by an input."""
    zero = graph.number(0.0)
    slopes = [zero] * len(graph.nodes)
    for place in needed(graph.nodes, [root]):
        op, args = graph.nodes[place]
        if op == "input":
            slopes[place] = graph.number(1.0) if args[0] == name else zero
        elif op != "number" and op not in FLAT and op not in TRUTHS:
            inner = [slopes[arg] for arg in args]
            if any([each != zero for each in inner]):
                slopes[place] = slope(graph, place, op, args, inner)
    return slopes[root]


def slope(graph: Graph, f: int, op: str, args: list[int], inner: list[int]) -> int:
    """The derivative of a node, given those of what it is done to."""
    if op == "where":
        return graph.where(args[0], inner[1], inner[2])
    u, du = args[0], inner[0]
    if len(args) == 1:
        return along(graph, f, op, u, du)
    v, dv = args[1], inner[1]
    if op == "add":
        return graph.add(du, dv)
    if op == "subtract":
        return graph.subtract(du, dv)
    if op == "multiply":
        return graph.add(graph.multiply(du, v), graph.multiply(u, dv))
    if op == "divide":
        return graph.divide(graph.subtract(du, graph.multiply(f, dv)), v)
    if op == "maximum":
        return graph.where(graph.node("greater", [u, v]), du, dv)
    if op == "minimum":
        return graph.where(graph.node("less", [u, v]), du, dv)
    if op == "hypot":
        return graph.divide(graph.add(graph.multiply(u, du), graph.multiply(v, dv)), f)
    if op == "arctan2":
        turned = graph.subtract(graph.multiply(v, du), graph.multiply(u, dv))
        return graph.divide(turned, graph.add(graph.multiply(u, u), graph.multiply(v, v)))
    return slope_of_power(graph, f, args, inner)


def slope_of_power(graph: Graph, f: int, args: list[int], inner: list[int]) -> int:
    """The derivative of u to the power v: of a constant exponent without a logarithm."""
    (u, v), (du, dv) = args, inner
    n = graph.worth(v)
    if n is not None:
        return graph.multiply(graph.multiply(v, graph.power(u, n - 1)), du)
    below = graph.node("power", [u, graph.subtract(v, graph.number(1.0))])
    base = graph.multiply(graph.multiply(v, below), du)
    return graph.add(base, graph.multiply(graph.multiply(f, graph.node("log", [u])), dv))


def along(graph: Graph, f: int, op: str, u: int, du: int) -> int:
    """The derivative of a function of one number, by the chain rule."""
    if op == "negative":
        return graph.negative(du)
    if op == "sqrt":
        return graph.divide(du, graph.multiply(graph.number(2.0), f))
    if op == "cbrt":
        return graph.divide(du, graph.multiply(graph.number(3.0), graph.multiply(f, f)))
    if op in ("log", "log2", "log10", "log1p"):
        inside = graph.add(graph.number(1.0), u) if op == "log1p" else u
        scale = LN2 if op == "log2" else LN10 if op == "log10" else 1.0
        return graph.divide(du, graph.multiply(graph.number(scale), inside))
    return graph.multiply(outer(graph, f, op, u), du)


def outer(graph: Graph, f: int, op: str, u: int) -> int:
    """The derivative of a function of one number by that number, given the node of its value."""
    one = graph.number(1.0)
    if op == "exp":
        return f
    if op == "sin":
        return graph.node("cos", [u])
    if op == "cos":
        return graph.negative(graph.node("sin", [u]))
    if op == "tan":
        return graph.add(one, graph.multiply(f, f))
    if op == "tanh":
        return graph.subtract(one, graph.multiply(f, f))
    if op == "sinh":
        return graph.node("cosh", [u])
    if op == "cosh":
        return graph.node("sinh", [u])
    if op == "absolute":
        return graph.node("sign", [u])
    if op == "expm1":
        return graph.node("exp", [u])
    square = graph.multiply(u, u)
    if op == "erf":
        return graph.multiply(graph.number(TWO_OVER_ROOT_PI), graph.node("exp", [graph.negative(square)]))
    if op == "arctan":
        return graph.divide(one, graph.add(one, square))
    if op == "arctanh":
        return graph.divide(one, graph.subtract(one, square))
    inside = graph.subtract(one, square) if op in ("arcsin", "arccos") else graph.add(square, one)
    inside = graph.subtract(square, one) if op == "arccosh" else inside
    found = graph.divide(one, graph.node("sqrt", [inside]))
    return graph.negative(found) if op == "arccos" else found
