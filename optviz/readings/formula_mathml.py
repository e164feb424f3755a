"""A formula as it was typed, as MathML: fractions, powers and roots, in the order that its author gave it.

A page typesets what is typed into it by the same lines, printed as JavaScript.
"""

from __future__ import annotations

from typing import Any

NAMES = {
    "arcsin": "arcsin", "arccos": "arccos", "arctan": "arctan", "arcsinh": "arsinh", "arccosh": "arcosh",
    "arctanh": "artanh", "arctan2": "arctan2", "maximum": "max", "minimum": "min", "rint": "round", "log": "log",
}  # fmt: skip
RELATIONS = {"less": "&lt;", "less_equal": "≤", "greater": "&gt;", "greater_equal": "≥", "equal": "=", "not_equal": "≠"}
# how closely an operation binds: what is less close stands in brackets within it
BINDS = {"add": 1, "subtract": 1, "negative": 1, "multiply": 2, "power": 3}
CLOSEST = 4
SPOKEN = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh",
          "log", "log2", "log10", "maximum", "minimum", "arctan2", "hypot", "erf", "sign", "rint")  # fmt: skip
UNSEEN, APPLIED = "\u2062", "\u2061"


def formula_mathml(parts: list[Any]) -> str:
    """The formula f(x, y) = ... as a block of MathML."""
    left = f"<mrow><mi>f</mi><mo>{APPLIED}</mo>{in_brackets('<mi>x</mi><mo>,</mo><mi>y</mi>')}</mrow>"
    cells = [["right", left], ["center", "<mo>=</mo>"], ["left", formula_row(parts)]]
    row = "".join([f'<mtd style="text-align: {side}">{content}</mtd>' for side, content in cells])
    table = f'<mtable displaystyle="true"><mtr>{row}</mtr></mtable>'
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{table}</math>'


def formula_row(parts: list[Any]) -> str:
    """The right side alone."""
    shown: list[str] = []
    for part in parts:
        shown.append(part_mathml(parts, shown, part))
    return shown[-1]


def in_brackets(content: str) -> str:
    """Content between brackets."""
    return f"<mrow><mo>(</mo>{content}<mo>)</mo></mrow>"


def closeness(part: Any) -> int:
    """How closely what a part is binds."""
    return BINDS.get(part["op"], CLOSEST)


def number_mathml(value: float) -> str:
    """A number as it is read."""
    words = f"{value:.6g}".replace("e+", "e").replace("e0", "e").replace("e-0", "e-").replace("-", "−").split("e")
    if len(words) == 1:
        return f"<mn>{words[0]}</mn>"
    raised = f"<msup><mn>10</mn><mn>{words[1]}</mn></msup>"
    return raised if words[0] == "1" else f"<mrow><mn>{words[0]}</mn><mo>·</mo>{raised}</mrow>"


def part_mathml(parts: list[Any], shown: list[str], part: Any) -> str:
    """One part, given those that it is made of."""
    op, args = part["op"], part["args"]
    if op == "number":
        return number_mathml(part["value"])
    if op == "name":
        return "<mi>π</mi>" if part["name"] == "pi" else f"<mi>{part['name']}</mi>"
    if op == "indicator":
        return f"<mrow><mo>[</mo>{shown[args[0]]}<mo>]</mo></mrow>"
    if op in ("add", "subtract"):
        right = held(parts, shown, args[1], 2 if op == "subtract" else 1, op == "add")
        return f"<mrow>{shown[args[0]]}<mo>{'+' if op == 'add' else '−'}</mo>{right}</mrow>"
    if op == "negative":
        return f"<mrow><mo>−</mo>{held(parts, shown, args[0], 2, True)}</mrow>"
    if op == "multiply":
        sign = "·" if number_first(parts, args[1]) else UNSEEN
        left, right = held(parts, shown, args[0], 2, False), held(parts, shown, args[1], 2, True)
        gap = '<mspace width="0.17em"></mspace>' if parts[args[1]]["op"] in SPOKEN else ""
        return f"<mrow>{left}<mo>{sign}</mo>{gap}{right}</mrow>"
    if op == "divide":
        return f"<mfrac>{shown[args[0]]}{shown[args[1]]}</mfrac>"
    if op == "power":
        base = shown[args[0]] if parts[args[0]]["op"] == "name" else held(parts, shown, args[0], CLOSEST, True)
        base = in_brackets(shown[args[0]]) if parts[args[0]]["op"] == "divide" else base
        return f"<msup>{base}{shown[args[1]]}</msup>"
    if op == "exp":
        return f"<msup><mi>e</mi>{shown[args[0]]}</msup>"
    return function_mathml(op, [shown[arg] for arg in args])


def held(parts: list[Any], shown: list[str], place: int, least: int, signed: bool) -> str:
    """A part within another, in brackets unless it binds at least so closely; where `signed` no minus may begin it."""
    negative = parts[place]["op"] == "number" and parts[place]["value"] < 0
    loose = closeness(parts[place]) < least or (signed and (parts[place]["op"] == "negative" or negative))
    return in_brackets(shown[place]) if loose else shown[place]


def number_first(parts: list[Any], place: int) -> bool:
    """Whether a part begins with a number, before which a product needs its sign."""
    part = parts[place]
    while part["op"] in ("multiply", "power"):
        part = parts[part["args"][0]]
    return part["op"] == "number"


def function_mathml(op: str, args: list[str]) -> str:
    """A function of what is shown as these."""
    if op == "absolute":
        return f"<mrow><mo>|</mo>{args[0]}<mo>|</mo></mrow>"
    if op in ("sqrt", "cbrt"):
        inner = f"<mrow>{args[0]}</mrow>"
        return f"<msqrt>{inner}</msqrt>" if op == "sqrt" else f"<mroot>{inner}<mn>3</mn></mroot>"
    if op in ("floor", "ceil"):
        left, right = ("⌊", "⌋") if op == "floor" else ("⌈", "⌉")
        return f"<mrow><mo>{left}</mo>{args[0]}<mo>{right}</mo></mrow>"
    if op in RELATIONS:
        return f"<mrow>{args[0]}<mo>{RELATIONS[op]}</mo>{args[1]}</mrow>"
    if op in ("bitwise_and", "bitwise_or"):
        word = "and" if op == "bitwise_and" else "or"
        return f"<mrow>{args[0]}<mtext>&#160;{word}&#160;</mtext>{args[1]}</mrow>"
    if op == "logical_not":
        return f"<mrow><mtext>not&#160;</mtext>{in_brackets(args[0])}</mrow>"
    if op == "where":
        first = case(args[1], f"<mtext>if&#160;</mtext>{args[0]}")
        return f"<mrow><mo>{{</mo><mtable>{first}{case(args[2], '<mtext>otherwise</mtext>')}</mtable></mrow>"
    name = NAMES.get(op, op)
    return f"<mrow><mi>{name}</mi><mo>{APPLIED}</mo>{in_brackets('<mo>,</mo>'.join(args))}</mrow>"


def case(value: str, when: str) -> str:
    """One line of a choice."""
    cells = [value, f'<mrow><mspace width="1em"></mspace>{when}</mrow>']
    return "<mtr>" + "".join([f'<mtd style="text-align: left">{cell}</mtd>' for cell in cells]) + "</mtr>"
