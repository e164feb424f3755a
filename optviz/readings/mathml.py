"""Print sympy expressions as presentation MathML, which every browser typesets by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from typing import Any
from xml.sax.saxutils import escape

import sympy
from sympy.core.sorting import default_sort_key
from sympy.printing.mathml import MathMLPresentationPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.pretty.pretty_symbology import greek_unicode

# Terms whose name in the code says more than the field's symbol for it: (letter, accent, mark).
NAMED = {
    "v_max": ("v", "", "max"), "mu_product": ("Π", "", ""), "mu_next": ("μ", "", ""),
    "step": ("Δx", "", ""), "turn": ("s", "", ""), "factor": ("φ", "", ""), "size": ("Δ", "", ""),
    "g_kept": ("g", "~", ""), "delta": ("Δ", "", ""), "det": ("det", "", ""),
    "rho_inf": ("ρ", "", ""), "origin_1": ("x", "", ""), "origin_2": ("x", "", ""), "d_max": ("d", "", "max"),
    "gamma_max": ("γ", "", "max"),
}  # fmt: skip
FIXED = {
    "mu_next": "t+1",
    "rho_inf": "∞",
    "det": "",
    "origin_1": "1,0",
    "origin_2": "2,0",
}  # lower indices other than the step's
ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~"}
RELATIONS = {sympy.Eq: "=", sympy.Ne: "≠", sympy.Lt: "<", sympy.Le: "≤", sympy.Gt: ">", sympy.Ge: "≥"}
INDEX = {"(t-1)": "t−1", "(t+1)": "t+1", "t": "t", "0": "0"}


@lru_cache(maxsize=512)
def symbol_parts(name: str) -> tuple[str, str, str, str]:
    """A symbol's letter, accent, upper mark and lower index: `m_hat_t` is (m, ^, "", t)."""
    match = re.fullmatch(r"(.+?)_(\(t-1\)|\(t\+1\)|t|0)", name)
    stem, index = (match.group(1), INDEX[match.group(2)]) if match else (name, "")
    index = FIXED.get(stem, index)
    if stem in NAMED:
        return (*NAMED[stem], index)
    letter, *rest = stem.split("_")
    accent = next((ACCENTS[word] for word in rest if word in ACCENTS), "")
    lower = [greek_unicode.get(word, word) for word in rest if word not in ACCENTS]
    return str(greek_unicode.get(letter, letter)), accent, "", ",".join(filter(None, [*lower, index]))


class _Printer(MathMLPresentationPrinter):
    """Sums with the plain term first and minus signs last, products as written by hand."""

    def _node(self, tag: str, *children: Any, **attributes: str) -> Any:
        node = self.dom.createElement(tag)
        for name, value in attributes.items():
            node.setAttribute(name, value)
        for child in children:
            # sympy's text nodes are raw: nothing escapes them later
            node.appendChild(self.dom.createTextNode(escape(child)) if isinstance(child, str) else child)
        return node

    def _print_Symbol(self, expr, style="plain"):
        letter, accent, upper, lower = symbol_parts(expr.name)
        base = self._node("mi", letter)
        if accent:
            base = self._node("mover", base, self._node("mo", accent), accent="true")
        marks = [self._mark(text) for text in (lower, upper) if text]
        tag = {(True, True): "msubsup", (True, False): "msub", (False, True): "msup"}
        key = (bool(lower), bool(upper))
        return self._node(tag[key], base, *marks) if marks else base

    def _mark(self, text: str):
        """An index as numbers, letters and signs, so that only letters are slanted."""
        kinds = {"m": r"\d+", "i": r"[^\W\d_]+", "o": r"\S"}
        parts = re.findall("|".join(f"({pattern})" for pattern in kinds.values()), text)
        tags = ("mn", "mi", "mo")
        nodes = [self._node(tag, word) for words in parts for tag, word in zip(tags, words, strict=True) if word]
        return nodes[0] if len(nodes) == 1 else self._node("mrow", *nodes)

    def _print_Add(self, expr, order=None):
        row = self._node("mrow")
        for position, term in enumerate(sorted(self._as_ordered_terms(expr), key=_place)):
            negative = _negative(term)
            if position or negative:
                row.appendChild(self._node("mo", "−" if negative else "+"))
            body = -term if negative else term
            row.appendChild(self.parenthesize(body, PRECEDENCE["Add"]) if negative else self._print(body))
        return row

    def _print_Mul(self, expr):
        if _negative(expr):
            return self._node("mrow", self._node("mo", "−"), self._print(-expr))
        over, under = _fraction(expr)
        if under != 1:
            return self._node("mfrac", self._print(over), self._print(under))
        row = self._node("mrow")
        factors = _factors(expr)
        for position, factor in enumerate(factors):
            if position:
                numbers = all(f.as_base_exp()[0].is_Number for f in factors[position - 1 : position + 1])
                row.appendChild(self._node("mo", "·" if numbers else "\u2062"))
            row.appendChild(self.parenthesize(factor, PRECEDENCE["Mul"]))
        return row

    def _print_Pow(self, expr):
        base, exponent = expr.as_base_exp()
        if not base.is_Symbol or exponent.is_negative or not exponent.is_Integer and exponent.is_number:
            return super()._print_Pow(expr)
        node = self._print(base)
        if node.tagName != "msub":
            return self._node("msup", node, self._print(exponent))
        return self._node("msubsup", *node.childNodes, self._print(exponent))

    def _print_Piecewise(self, expr):
        rows = []
        for value, condition in expr.args:
            when = [self._node("mtext", "otherwise")]
            if condition != True:  # noqa: E712  sympy's truth is not Python's
                when = [self._node("mtext", "if\u00a0"), self._print(condition)]
            cells = (self._print(value), self._node("mrow", self._node("mspace", width="1em"), *when))
            rows.append(self._node("mtr", *(self._cell(cell, "left") for cell in cells)))
        return self._node("mrow", self._node("mo", "{"), self._node("mtable", *rows))

    def _cell(self, content: Any, side: str):
        """A table cell; browsers align by style, not by MathML 3's columnalign."""
        return self._node("mtd", content, style=f"text-align: {side}")

    def _print_Relational(self, expr):
        left, right = (self._print(side) for side in expr.args)
        return self._node("mrow", left, self._node("mo", RELATIONS[type(expr)]), right)

    def _print_Max(self, expr):
        return self._called(str(expr.func).lower(), sorted(expr.args, key=_place))

    _print_Min = _print_Max

    def _print_sign(self, expr):
        return self._called("sign", expr.args)

    def _called(self, name: str, arguments: Sequence[Any]):
        row = self._node("mrow", self._node("mo", "("))
        for position, argument in enumerate(arguments):
            if position:
                row.appendChild(self._node("mo", ","))
            row.appendChild(self._print(argument))
        row.appendChild(self._node("mo", ")"))
        return self._node("mrow", self._node("mi", name), self._node("mo", "\u2061"), row)

    def _print_Float(self, expr):
        return self._node("mn", f"{float(expr):.6g}".replace("-", "−"))

    def text(self, node: Any) -> str:
        """The node as XML in plain ASCII."""
        named = r"&(?!amp;|lt;|gt;)[A-Za-z]+;"  # HTML's names, which XML does not know
        xml = re.sub(named, lambda entity: unescape(entity[0]), node.toxml())
        return xml.encode("ascii", "xmlcharrefreplace").decode()


def _negative(term: Any) -> bool:
    return term.as_coeff_Mul()[0].is_negative is True


def _place(term: Any) -> tuple:
    """Where a term stands in a sum: x first, minus signs last, a lone constant behind its like."""
    lone = term.is_Symbol and symbol_parts(term.name)[3][-1:] not in ("t", "1")
    return (str(term) not in ("x_t", "x_1_t", "x_2_t"), _negative(term), lone, term.count_ops())


def _fraction(expr: Any) -> tuple[Any, Any]:
    """Numerator and denominator, without expanding either."""
    over, under = [], []
    for factor in sympy.Mul.make_args(expr):
        base, exponent = factor.as_base_exp()
        if factor.is_Rational:
            over.append(sympy.Integer(factor.p))
            under.append(sympy.Integer(factor.q))
        elif exponent.is_negative and exponent.is_number:
            under.append(base**-exponent)
        else:
            over.append(factor)
    return sympy.Mul(*over, evaluate=False) if len(over) > 1 else sympy.Mul(*over), sympy.Mul(*under)


def _factors(expr: Any) -> list[Any]:
    """Numbers, hyperparameters, then what changes from step to step."""

    def place(factor):
        base = factor.as_base_exp()[0]
        moving = any("_t" in str(s) or "(t" in str(s) for s in factor.free_symbols)
        return (not factor.is_number, moving, not base.is_Symbol and not moving, default_sort_key(base))

    return sorted((f for f in sympy.Mul.make_args(expr) if f != 1), key=place) or [expr]


def mathml(pairs: Sequence[tuple[Any, Any]]) -> str:
    """Equations (left, right) as one MathML block, aligned at the equals signs."""
    printer = _Printer()
    node = printer._node
    rows = []
    for left, right in pairs:
        cells = (printer._print(left), node("mo", "="), printer._print(right))
        sides = zip(cells, ("right", "center", "left"), strict=True)
        rows.append(node("mtr", *(printer._cell(*pair) for pair in sides)))
    table = node("mtable", *rows, displaystyle="true")
    block = node("math", table, xmlns="http://www.w3.org/1998/Math/MathML", display="block")
    return printer.text(block)


@lru_cache(maxsize=512)
def symbol_mathml(name: str) -> str:
    """One symbol as inline MathML."""
    printer = _Printer()
    shown = printer._print(sympy.Symbol(name))
    return printer.text(printer._node("math", shown, xmlns="http://www.w3.org/1998/Math/MathML"))
