"""A formula of x and y as a person types it, read by a grammar of its own; nothing of it is ever evaluated.

What is read is a list of parts, each after those that it needs: an operation and the places of what it is done to.
What cannot be read is refused in one sentence that says where it goes wrong and what would be right. A page reads
formulas by the same lines, printed as JavaScript.
"""

from __future__ import annotations

import math
from typing import Any

from .formula_tokens import LARGEST, LETTERS, OTHERS, UNARY, Tokens, spelled

LONGEST, DEEPEST = 500, 40  # characters, and brackets within one another
MOST_LETTERS, HIGHEST = 6, 100.0  # letters beside x and y, exponents
COMPARED = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal"}
OR, AND, NOT, COMPARISON, SUM, PRODUCT, MINUS, POWER = 1, 2, 3, 4, 5, 6, 7, 8  # the higher, the closer it binds


def parsed(text: str) -> dict[str, Any]:
    """The `parts` of a formula and its `letters`; of one that is refused `why`, and the characters `at` to `to`."""
    if len(text) > LONGEST:
        why = f"A formula has at most {LONGEST} characters, not {len(text)}: leave some out."
        return {"parts": [], "letters": [], "why": why, "at": LONGEST, "to": LONGEST + 1}
    split = Tokens(text)
    reader = Reader(split.tokens)
    try:
        split.split()
        reader.read()
    except ValueError:
        return {"parts": [], "letters": [], **(split.refused if split.refused["why"] != "" else reader.refused)}
    return {"parts": reader.parts, "letters": [c for c in LETTERS if c in reader.letters], "why": "", "at": 0, "to": 0}


class Reader:
    """Reads the tokens of a formula, what binds closest first (Pratt's way)."""

    def __init__(self, tokens: list[Any]):
        self.tokens = tokens
        self.parts: list[Any] = []
        self.letters: list[str] = []
        self.refused = {"why": "The formula cannot be read: write it with + - * / ^ and functions.", "at": 0, "to": 1}
        self.place, self.depth, self.bars = 0, 0, 0

    def refuse(self, at: int, to: int, why: str) -> None:
        """Refuse what stands at these characters."""
        self.refused = {"why": why, "at": at, "to": to}
        raise ValueError(why)

    def read(self) -> None:
        """Read all of it; the last part is the whole."""
        if len(self.tokens) == 1:
            self.refuse(0, 1, "A formula is missing: write one of x and y, such as x^2 + 3y^2.")
        equals = [token for token in self.tokens if token[0] == "sign" and token[1] == "="]
        if len(equals) > 0:
            self.unexpected(equals[0])
        self.number_of(self.expression(OR))
        token = self.tokens[self.place]
        if token[0] != "end":
            self.unexpected(token)
        if not any([part["op"] == "name" and part["name"] in ("x", "y") for part in self.parts]):
            self.refuse(0, self.tokens[-1][2], "A formula needs x or y: write something of them, such as x^2 + y^2.")

    def unexpected(self, token: Any) -> None:
        """Refuse a token that nothing can follow here."""
        said, at, to = token[1], token[2], token[3]
        if said == ")":
            self.refuse(at, to, "This bracket closes nothing: leave it out, or open one before it.")
        if said == ",":
            self.refuse(at, to, "A comma parts what a function takes: write a decimal with a point, as 0.5.")
        if said == "=":
            self.refuse(at, to, "Leave out what stands left of “=”, and the sign: a formula is its right side alone.")
        if token[0] == "number":
            self.refuse(at, to, "A sign is missing before this number: write a product as 2x or x*2, a power as x^2.")
        self.refuse(at, to, f"“{said}” cannot stand here: something to use it on is missing.")

    # parts

    def part(self, op: str, args: list[int], at: int, to: int, value: Any = None, truth: bool = False) -> int:
        """A further part: what is done to which, where it stands, and its number where it has one."""
        self.parts.append({"op": op, "args": args, "at": at, "to": to, "value": value, "truth": truth, "name": ""})
        return len(self.parts) - 1

    def number_of(self, part: int) -> int:
        """A part as a number: a comparison counts 1 where it holds, else 0."""
        found = self.parts[part]
        return self.part("indicator", [part], found["at"], found["to"]) if found["truth"] else part

    def truth_of(self, part: int) -> int:
        """A part that must be a comparison."""
        found = self.parts[part]
        if not found["truth"]:
            self.refuse(found["at"], found["to"], "A comparison belongs here: write where(x > 0, x, 0), for instance.")
        return part

    def joined(self, op: str, left: int, right: int) -> int:
        """Two numbers as one; of constants their number."""
        left, right = self.number_of(left), self.number_of(right)
        at, to = self.parts[left]["at"], self.parts[right]["to"]
        a, b = self.parts[left]["value"], self.parts[right]["value"]
        if op == "power":
            self.check_power(a, b, right, at, to)
        if op == "divide" and b == 0:
            self.refuse(self.parts[right]["at"], to, "This divides by 0: write another number.")
        value = None
        if a is not None and b is not None:
            value = a + b if op == "add" else a - b if op == "subtract" else a * b if op == "multiply" else 0.0
            value = a / b if op == "divide" else a**b if op == "power" else value
            if abs(value) > LARGEST:
                self.refuse(at, to, "Numbers go up to 1e100: write a smaller one.")
        return self.part(op, [left, right], at, to, value)

    def check_power(self, a: Any, b: Any, right: int, at: int, to: int) -> None:
        """Refuse exponents too high, and powers of constants that are no number."""
        if b is not None and abs(b) > HIGHEST:
            self.refuse(self.parts[right]["at"], to, "An exponent is at most 100: write a smaller one.")
        if a is None or b is None:
            return
        if (a == 0 and b < 0) or (a < 0 and not b.is_integer()):
            self.refuse(at, to, "This power is no real number: write another base.")
        if a != 0 and b * math.log10(abs(a)) > 100:
            self.refuse(at, to, "Numbers go up to 1e100: write a smaller one.")

    # what binds how closely

    def expression(self, least: int) -> int:
        """What stands from here on, as far as it binds at least so closely."""
        token = self.tokens[self.place]
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(token[2], token[3], f"Brackets go {DEEPEST} deep: write this part with fewer of them.")
        left, divided = self.first(), False
        while True:
            token = self.tokens[self.place]
            sign = token[1] if token[0] == "sign" else ""
            if token[0] == "raised" and least <= POWER:
                self.place += 1
                left = self.joined("power", left, self.part("number", [], token[2], token[3], token[1]))
            elif sign == "^" and least <= POWER:
                self.place += 1
                left = self.joined("power", left, self.expression(POWER))
            elif sign in ("*", "/") and sign != "" and least <= PRODUCT:
                self.place += 1
                left = self.joined("multiply" if sign == "*" else "divide", left, self.expression(MINUS))
                divided = sign == "/"
            elif self.multiplies(token) and least <= PRODUCT:
                if divided:
                    self.refuse(token[2], token[3], "This reads two ways: write (1/2)x or 1/(2x), with brackets.")
                left = self.joined("multiply", left, self.expression(MINUS))
            elif sign in ("+", "-") and sign != "" and least <= SUM:
                self.place += 1
                left = self.joined("add" if sign == "+" else "subtract", left, self.expression(PRODUCT))
                divided = False
            elif sign in COMPARED and least <= COMPARISON:
                left = self.compared(left)
            elif (sign == "&" and least <= AND) or (sign == "or" and least <= OR):
                self.place += 1
                right = self.truth_of(self.expression(NOT if sign == "&" else AND))
                op = "bitwise_and" if sign == "&" else "bitwise_or"
                at = self.parts[self.truth_of(left)]["at"]
                left = self.part(op, [left, right], at, self.parts[right]["to"], None, True)
            else:
                self.depth -= 1
                return left

    def multiplies(self, token: Any) -> bool:
        """Whether a token begins a factor without a sign before it."""
        opens = token[0] == "sign" and (token[1] == "(" or (token[1] == "|" and self.bars == 0))
        return token[0] in ("name", "function", "root") or opens

    def compared(self, left: int) -> int:
        """A comparison; of several in a row, as 0 < x < 1, each of two neighbours."""
        left, whole = self.number_of(left), -1
        while self.tokens[self.place][0] == "sign" and self.tokens[self.place][1] in COMPARED:
            op = COMPARED[self.tokens[self.place][1]]
            self.place += 1
            right = self.number_of(self.expression(SUM))
            found = self.part(op, [left, right], self.parts[left]["at"], self.parts[right]["to"], None, True)
            if whole >= 0:
                at, to = self.parts[whole]["at"], self.parts[found]["to"]
                found = self.part("bitwise_and", [whole, found], at, to, None, True)
            left, whole = right, found
        return whole

    def first(self) -> int:
        """What an operation can begin with."""
        token = self.tokens[self.place]
        kind, said, at, to = token
        self.place += 1
        if kind == "number":
            return self.part("number", [], at, to, said)
        if kind == "name":
            return self.named(said, at, to)
        if kind == "function":
            return self.called(said, at, to)
        if kind == "root":
            inner = self.number_of(self.expression(POWER + 1))
            return self.part("sqrt", [inner], at, self.parts[inner]["to"])
        if kind == "sign" and said == "(":
            return self.bracketed(at, to)
        if kind == "sign" and said == "|":
            return self.between_bars(at, to)
        if kind == "sign" and said == "+":
            return self.expression(MINUS)
        if kind == "sign" and said == "-":
            inner = self.number_of(self.expression(MINUS))
            value = self.parts[inner]["value"]
            return self.part("negative", [inner], at, self.parts[inner]["to"], None if value is None else -value)
        if kind == "sign" and said == "not":
            inner = self.truth_of(self.expression(NOT))
            return self.part("logical_not", [inner], at, self.parts[inner]["to"], None, True)
        return self.missing(token)

    def missing(self, token: Any) -> int:
        """Refuse a token where something is wanted that a sign can be used on."""
        self.place -= 1
        before = self.tokens[self.place - 1][1] if self.place > 0 else ""
        if token[0] == "end" or token[1] in (")", ","):
            what = f"after “{before}”" if before != "" else "here"
            why = f"Something is missing {what}: write a number, a letter or a function there."
            self.refuse(token[2], token[3], why)
        self.unexpected(token)
        return 0

    def named(self, name: str, at: int, to: int) -> int:
        """x, y, a constant, or a letter that becomes a slider."""
        constants = {"pi": math.pi, "e": math.e}
        if name == "t":
            self.refuse(at, to, "The letter t counts steps here: write another letter.")
        if name not in constants and name not in ("x", "y") and name not in self.letters:
            self.letters = [*self.letters, name]
            if len(self.letters) > MOST_LETTERS:
                why = f"There are sliders for {MOST_LETTERS} letters beside x and y: write a number for this."
                self.refuse(at, to, why)
        found = self.part("name", [], at, to, constants.get(name))
        self.parts[found]["name"] = name
        return found

    def closed(self, at: int, to: int, sign: str) -> int:
        """Pass the sign that closes what was opened there; gives where it ends."""
        token = self.tokens[self.place]
        if token[0] == "end":
            what = "bracket" if sign == ")" else "bar"
            self.refuse(at, to, f"This {what} is not closed: write {sign} where it ends.")
        if token[0] != "sign" or token[1] != sign:
            self.unexpected(token)
        self.place += 1
        return token[3]

    def bracketed(self, at: int, to: int) -> int:
        """What stands between brackets."""
        bars, self.bars = self.bars, 0
        inner = self.expression(OR)
        self.closed(at, to, ")")
        self.bars = bars
        return inner

    def between_bars(self, at: int, to: int) -> int:
        """The size of what stands between bars."""
        self.bars += 1
        inner = self.number_of(self.expression(SUM))
        end = self.closed(at, to, "|")
        self.bars -= 1
        return self.part("absolute", [inner], at, end)

    def called(self, name: str, at: int, to: int) -> int:
        """A function of what stands between its brackets; a power behind its name is one of what it gives."""
        power = self.power_of_name(name)
        token = self.tokens[self.place]
        if token[0] != "sign" or token[1] != "(":
            self.refuse(at, to, f"{name} needs brackets: write {spelled(name)}.")
        self.place += 1
        bars, self.bars = self.bars, 0
        args = [self.expression(OR)]
        while self.tokens[self.place][1] == "," and self.tokens[self.place][0] == "sign":
            self.place += 1
            args = [*args, self.expression(OR)]
        end = self.closed(token[2], token[3], ")")
        self.bars = bars
        found = self.applied(name, args, at, end)
        return found if power < 0 else self.joined("power", found, power)

    def power_of_name(self, name: str) -> int:
        """The exponent between a function's name and its brackets, as in sin^2(x); -1 where there is none."""
        token = self.tokens[self.place]
        raised = token[0] == "raised"
        if not raised and (token[0] != "sign" or token[1] != "^"):
            return -1
        number = token if raised else self.tokens[self.place + 1]
        if number[0] not in ("number", "raised") or number[1] < 2 or not number[1].is_integer():
            why = f"This reads two ways: write {spelled(name)}^2, the power behind the brackets."
            self.refuse(token[2], number[3], why)
        self.place += 1 if raised else 2
        return self.part("number", [], number[2], number[3], number[1])

    def applied(self, name: str, args: list[int], at: int, end: int) -> int:
        """A function of these parts."""
        op, least, most, example = OTHERS[name] if name in OTHERS else (UNARY[name], 1, 1, f"{name}(x)")
        if len(args) < least or len(args) > most:
            wanted = f"{least}" if least == most else f"at least {least}" if len(args) < least else f"at most {most}"
            plural = "" if wanted == "1" else "s"
            self.refuse(at, end, f"{name} takes {wanted} argument{plural}, not {len(args)}: write {example}.")
        if op == "power":
            return self.joined("power", args[0], args[1])
        if op == "where":
            args = [self.truth_of(args[0]), *[self.number_of(arg) for arg in args[1:]]]
        else:
            args = [self.number_of(arg) for arg in args]
        return self.part(op, args, at, end)
