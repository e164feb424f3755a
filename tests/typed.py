"""Formulas as people type them, at random, each with what it means to sympy and to torch: oracles of their own."""

from __future__ import annotations

import math
import operator
import random
from typing import Any, NamedTuple

import sympy

X, Y, A, B = sympy.symbols("x y a b", real=True)


class Case(NamedTuple):
    """A formula as text, as what makes a sympy expression, as a function of torch's tensors (x, y, a, b)."""

    text: str
    expression: Any
    torch: Any


def case(random_: random.Random, depth: int = 3) -> Case:
    """A formula of both variables."""
    made = _made(random_, depth)
    return _both("+", made, _product(random_, _leaf(random_, "x"), _leaf(random_, "y")))


def _wrap(text: str) -> str:
    return f"({text})"


def _leaf(r: random.Random, name: str = "") -> Case:
    name = name or r.choice(["x", "y", "x", "y", "a", "b", "number", "pi", "e"])
    if name == "number":
        value = round(r.uniform(0.1, 3), r.randrange(3)) or 1.0
        text = r.choice([f"{value:g}", f"{value:g}", f"{value:.1e}" if value >= 1 else f"{value:g}"])
        return Case(text, lambda: sympy.Float(float(text)), lambda *v: float(text))
    if name in ("pi", "e"):
        number = math.pi if name == "pi" else math.e
        return Case(
            "π" if name == "pi" and r.random() < 0.3 else name,
            lambda: sympy.pi if name == "pi" else sympy.E,
            lambda *v: number,
        )
    place = "xyab".index(name)
    return Case(name, lambda: (X, Y, A, B)[place], lambda *v: v[place])


def _both(sign: str, u: Case, v: Case) -> Case:
    if sign == "+":
        return Case(
            f"{u.text} + {v.text}", lambda: u.expression() + v.expression(), lambda *p: u.torch(*p) + v.torch(*p)
        )
    return Case(
        f"{u.text} − {_wrap(v.text)}", lambda: u.expression() - v.expression(), lambda *p: u.torch(*p) - v.torch(*p)
    )


def _product(r: random.Random, u: Case, v: Case) -> Case:
    sign = r.choice(["*", "·", " ", "", "×"])
    return Case(
        f"{_wrap(u.text)}{sign}{_wrap(v.text)}",
        lambda: u.expression() * v.expression(),
        lambda *p: u.torch(*p) * v.torch(*p),
    )


def _tensor(value: Any) -> Any:
    import torch

    return value if isinstance(value, torch.Tensor) else torch.tensor(float(value), dtype=torch.float64)


def _worth(value: Any) -> float:
    return float(_tensor(value).detach())


def _called(name: str, u: Case, symbol: Any, torch_name: str) -> Case:
    import torch

    function = getattr(torch, torch_name)
    return Case(f"{name}({u.text})", lambda: symbol(u.expression()), lambda *p: function(_tensor(u.torch(*p))))


SMOOTH = [("sin", sympy.sin, "sin"), ("cos", sympy.cos, "cos"), ("tanh", sympy.tanh, "tanh"),
          ("atan", sympy.atan, "arctan"),
          ("sinh", sympy.sinh, "sinh"), ("cosh", sympy.cosh, "cosh"), ("asinh", sympy.asinh, "asinh"),
          ("erf", sympy.erf, "erf")]  # fmt: skip
POSITIVE = [("sqrt", sympy.sqrt, "sqrt"), ("ln", sympy.log, "log"),
            ("log10", lambda u: sympy.log(u) / sympy.log(10), "log10"),
            ("log2", lambda u: sympy.log(u) / sympy.log(2), "log2"), ("log", sympy.log, "log")]  # fmt: skip


def _positive(u: Case) -> Case:
    """1 + u², above 0 wherever u is."""
    return Case(f"1 + ({u.text})²", lambda: 1 + u.expression() ** 2, lambda *p: 1 + u.torch(*p) ** 2)


def _made(r: random.Random, depth: int) -> Case:
    if depth == 0:
        return _leaf(r)
    u, v = _made(r, depth - 1), _made(r, r.randrange(depth))
    kind = r.choice(["+", "-", "*", "*", "/", "power", "root", "smooth", "smooth", "bounded", "positive",
                     "abs", "where",
                     "max", "min", "hypot", "atan2", "exp", "general"])  # fmt: skip
    return _built(r, kind, u, v)


def _built(r: random.Random, kind: str, u: Case, v: Case) -> Case:
    import torch

    if kind in "+-":
        return _both(kind, u, v)
    if kind == "*":
        return _product(r, u, v)
    if kind == "/":
        w = _positive(v)
        return Case(
            f"{_wrap(u.text)}/{_wrap(w.text)}",
            lambda: u.expression() / w.expression(),
            lambda *p: u.torch(*p) / w.torch(*p),
        )
    if kind == "power":
        n = r.choice([2, 3, 4])
        sign = r.choice([f"^{n}", f"**{n}", {2: "²", 3: "³", 4: "⁴"}[n]])
        return Case(f"{_wrap(u.text)}{sign}", lambda: u.expression() ** n, lambda *p: u.torch(*p) ** n)
    if kind == "root":
        w = _positive(u)
        return Case(
            f"cbrt({w.text})", lambda: sympy.root(w.expression(), 3), lambda *p: _tensor(w.torch(*p)) ** (1 / 3)
        )
    if kind == "smooth":
        return _from(r, SMOOTH, u)
    if kind == "positive":
        return _from(r, POSITIVE, _positive(u))
    if kind == "bounded":
        half = Case(
            f"0.5sin({u.text})", lambda: sympy.sin(u.expression()) / 2, lambda *p: torch.sin(_tensor(u.torch(*p))) / 2
        )
        return _from(r, [("asin", sympy.asin, "asin"), ("acos", sympy.acos, "acos"), ("tan", sympy.tan, "tan"),
                         ("atanh", sympy.atanh, "atanh"), ("exp", sympy.exp, "exp"),
                         ("log1p", lambda w: sympy.log(1 + w), "log1p"),
                         ("expm1", lambda w: sympy.exp(w) - 1, "expm1")], half)  # fmt: skip
    if kind == "abs":
        text = f"|{u.text}|" if "|" not in u.text and r.random() < 0.5 else f"abs({u.text})"
        size = lambda: sympy.Piecewise((u.expression(), u.expression() > 0), (-u.expression(), True))
        return Case(text, size, lambda *p: torch.abs(_tensor(u.torch(*p))))
    if kind == "where":
        w = _leaf(r)
        value = lambda: sympy.Piecewise((u.expression(), w.expression() > sympy.Float(0.3)), (v.expression(), True))
        return Case(f"where({w.text} > 0.3, {u.text}, {v.text})", value,
                    lambda *p: u.torch(*p) if _worth(w.torch(*p)) > 0.3 else v.torch(*p))  # fmt: skip
    if kind in ("max", "min"):
        compare = operator.gt if kind == "max" else operator.lt
        chosen = lambda: sympy.Piecewise(
            (u.expression(), compare(u.expression(), v.expression())), (v.expression(), True)
        )
        return Case(f"{kind}({u.text}, {v.text})", chosen,
                    lambda *p: (u if compare(_worth(u.torch(*p)), _worth(v.torch(*p))) else v).torch(*p))  # fmt: skip
    if kind == "hypot":
        w = _positive(v)
        return Case(f"hypot({u.text}, {w.text})", lambda: sympy.sqrt(u.expression() ** 2 + w.expression() ** 2),
                    lambda *p: torch.hypot(_tensor(u.torch(*p)), _tensor(w.torch(*p))))  # fmt: skip
    if kind == "atan2":
        w = _positive(v)
        return Case(f"atan2({u.text}, {w.text})", lambda: sympy.atan(u.expression() / w.expression()),
                    lambda *p: torch.atan2(_tensor(u.torch(*p)), _tensor(w.torch(*p))))  # fmt: skip
    if kind == "exp":
        t = Case(f"-tanh({u.text})", lambda: -sympy.tanh(u.expression()), lambda *p: -torch.tanh(_tensor(u.torch(*p))))
        return Case(f"e^({t.text})", lambda: sympy.exp(t.expression()), lambda *p: torch.exp(t.torch(*p)))
    w, t = (
        _positive(u),
        Case(f"sin({v.text})", lambda: sympy.sin(v.expression()), lambda *p: torch.sin(_tensor(v.torch(*p)))),
    )
    return Case(
        f"({w.text})^({t.text})",
        lambda: w.expression() ** t.expression(),
        lambda *p: _tensor(w.torch(*p)) ** t.torch(*p),
    )


def _from(r: random.Random, functions: list, u: Case) -> Case:
    name, symbol, torch_name = r.choice(functions)
    return _called(name, u, symbol, torch_name)
