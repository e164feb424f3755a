"""The text of a formula as tokens: numbers, names, functions and signs, each with the characters it stands at."""

from __future__ import annotations

from typing import Any

DIGITS, SMALL, CAPITALS = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = "abcdfghijklmnopqrsuvwz"  # all but x, y, Euler's e, and t, which counts steps
BLANKS = " \t\n\r\u00a0\u2002\u2003\u2009\u200a\u202f\u2061\u2062"  # no-break, thin and unseen ones too
RAISED = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
RAISED_MINUS = "\u207b"
# what people paste, by what is meant
MEANT = {
    "\u2212": "-", "\u2013": "-", "\u00b7": "*", "\u00d7": "*", "\u22c5": "*", "\u2217": "*", "\u00f7": "/",
    "\u2215": "/", "\u2044": "/", "\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u2227": "&", "\u2228": "or",
    "[": "(", "]": ")", "{": "(", "}": ")",
}  # fmt: skip
FRACTIONS = {"\u00bd": 0.5, "\u00bc": 0.25, "\u00be": 0.75}
# letters of other alphabets that look like those of a formula
ALIKE = {
    "\u0445": "x", "\u0443": "y", "\u0430": "a", "\u0435": "e", "\u043e": "o", "\u0441": "c", "\u0440": "p",
    "\u0456": "i", "\u0425": "x", "\u0423": "y", "\u03c7": "x", "\u03bf": "o", "\u03b3": "y", "\uff58": "x",
    "\uff59": "y", "\u2018": "'", "\u2019": "'",
}  # fmt: skip
SIGNS = ("**", "<=", ">=", "==", "!=", "&&", "+", "-", "*", "/", "^", "(", ")", ",", "|", "<", ">", "=", "&")
# functions of one number, by what they are called here, and by what `optviz.trace.functions` calls them
UNARY = {
    "sqrt": "sqrt", "cbrt": "cbrt", "exp": "exp", "log": "log", "ln": "log", "log2": "log2", "log10": "log10",
    "lg": "log10", "log1p": "log1p", "expm1": "expm1", "abs": "absolute", "sign": "sign", "sgn": "sign",
    "floor": "floor", "ceil": "ceil", "round": "rint", "trunc": "trunc", "sin": "sin", "cos": "cos", "tan": "tan",
    "asin": "arcsin", "arcsin": "arcsin", "acos": "arccos", "arccos": "arccos", "atan": "arctan", "arctan": "arctan",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh", "arcsinh": "arcsinh", "acosh": "arccosh",
    "arccosh": "arccosh", "atanh": "arctanh", "arctanh": "arctanh", "erf": "erf",
}  # fmt: skip
# the others: the operation, how many numbers they take at least and at most, an example
OTHERS = {
    "max": ("maximum", 2, 8, "max(x, y)"), "min": ("minimum", 2, 8, "min(x, y)"),
    "hypot": ("hypot", 2, 2, "hypot(x, y)"), "atan2": ("arctan2", 2, 2, "atan2(y, x)"),
    "arctan2": ("arctan2", 2, 2, "arctan2(y, x)"), "pow": ("power", 2, 2, "pow(x, 3)"),
    "where": ("where", 3, 3, "where(x > 0, x, 0)"), "clip": ("clip", 3, 3, "clip(x, 0, 1)"),
    "relu": ("relu", 1, 1, "relu(x)"), "sigmoid": ("sigmoid", 1, 1, "sigmoid(x)"),
}  # fmt: skip
LARGEST = 1e100  # number


def spelled(name: str) -> str:
    """How a function is meant to be called."""
    return OTHERS[name][3] if name in OTHERS else f"{name}(x)"


def is_plain(c: str) -> bool:
    """Whether a character can be shown in a sentence: none that is unseen, or turns the order of others."""
    return " " <= c <= "~" or ("\u00a1" <= c <= "\u017f" and c != "\u00ad") or c in ALIKE or c in MEANT


class Tokens:
    """Splits a text; what has no place in a formula is `refused` by what is said of it, and raises ValueError."""

    def __init__(self, text: str):
        self.chars = list(text)
        self.functions = {**UNARY, **OTHERS}
        self.tokens: list[Any] = []
        self.refused = {"why": "", "at": 0, "to": 1}

    def refuse(self, at: int, to: int, why: str) -> None:
        """Refuse what stands at these characters."""
        self.refused = {"why": why, "at": at, "to": to}
        raise ValueError(why)

    def split(self) -> None:
        """Split the text into tokens."""
        i, count = 0, len(self.chars)
        while i < count:
            c = self.chars[i]
            if c in BLANKS:
                i += 1
            elif c in DIGITS or (c == "." and self.char(i + 1) in DIGITS):
                i = self.take_number(i)
            elif c in SMALL or c in CAPITALS:
                i = self.take_word(i)
            elif c in RAISED or c == RAISED_MINUS:
                i = self.take_raised(i)
            elif c in FRACTIONS:
                self.tokens.append(["number", FRACTIONS[c], i, i + 1])
                i += 1
            else:
                i = self.take_sign(i)
        self.tokens.append(["end", "the end", count, count + 1])

    def char(self, i: int) -> str:
        """The character at a place, something else than all others after the last."""
        return self.chars[i] if i < len(self.chars) else "\u0000"

    def after_blanks(self, i: int) -> int:
        """The place of the first character from there on that is no blank."""
        while self.char(i) in BLANKS:
            i += 1
        return i

    def take_number(self, i: int) -> int:
        """A decimal, with a power of ten perhaps."""
        end = i
        while self.char(end) in DIGITS:
            end += 1
        if self.char(end) == ".":
            end += 1
            while self.char(end) in DIGITS:
                end += 1
        if self.char(end) in "eE":
            first = end + 2 if self.char(end + 1) in "+-\u2212" else end + 1
            if self.char(first) in DIGITS:
                end = first
                while self.char(end) in DIGITS:
                    end += 1
        if self.char(end) == ".":
            self.refuse(end, end + 1, "A number has one point: write 1.5, for instance.")
        value = float("".join(self.chars[i:end]).replace("\u2212", "-"))
        if value > LARGEST:
            self.refuse(i, end, "Numbers go up to 1e100: write a smaller one.")
        self.tokens.append(["number", value, i, end])
        return end

    def take_raised(self, i: int) -> int:
        """An exponent in raised digits."""
        end, value, sign = i, 0.0, 1.0
        if self.chars[i] == RAISED_MINUS:
            end, sign = i + 1, -1.0
        first = end
        while self.char(end) in RAISED:
            value = 10.0 * value + list(RAISED).index(self.chars[end])
            end += 1
        if end == first:
            self.refuse(i, end, "A raised minus needs raised digits after it: write the exponent as ^(-2).")
        self.tokens.append(["raised", sign * value, i, end])
        return end

    def take_sign(self, i: int) -> int:
        """A sign of one character or two."""
        c = self.chars[i]
        if c == "\u03c0":
            self.tokens.append(["name", "pi", i, i + 1])
            return i + 1
        if c == "\u221a":
            self.tokens.append(["root", c, i, i + 1])
            return i + 1
        if c in MEANT:
            self.tokens.append(["sign", MEANT[c], i, i + 1])
            return i + 1
        pair = c + self.char(i + 1)
        said = pair if pair in SIGNS else c
        if said not in SIGNS:
            self.unknown(i)
        meant = {"**": "^", "&&": "&"}
        self.tokens.append(["sign", meant.get(said, said), i, i + len(said)])
        return i + len(said)

    def unknown(self, i: int) -> None:
        """Refuse a character that no formula has."""
        c = self.chars[i]
        if c in ALIKE:
            self.refuse(i, i + 1, f"This “{c}” is of another alphabet: type “{ALIKE[c]}” in its place.")
        if c == "!":
            self.refuse(i, i + 1, "There are no factorials here: write the number itself.")
        said = f"“{c}”" if is_plain(c) else "This character"
        self.refuse(i, i + 1, f"{said} has no meaning in a formula: use letters, numbers, brackets and + - * / ^.")

    def take_word(self, i: int) -> int:
        """Letters side by side: a function, a constant, or a product of letters."""
        end = i
        while self.char(end) in SMALL or self.char(end) in CAPITALS:
            end += 1
        word, last = "".join(self.chars[i:end]).lower(), end
        while self.char(last) in DIGITS:
            last += 1
        longer = word + "".join(self.chars[end:last])
        if longer in self.functions or longer in ("log1", "expm1"):
            more = 1 if longer == "log1" and self.char(last) == "p" else 0  # log1p
            return self.take_function(longer + "p" * more, i, last + more)
        if word in ("and", "or", "not"):
            self.tokens.append(["sign", "&" if word == "and" else word, i, end])
            return end
        if word in self.functions:
            return self.take_function(word, i, end)
        if self.char(self.after_blanks(last)) == "(":
            for k in range(1, min(len(word), 4)):
                if longer[k:] in self.functions:
                    self.take_letters(word[:k], i)
                    return self.take_function(longer[k:], i + k, last)
        self.check_product(word, i, end)
        self.take_letters(word, i)
        if last > end:
            name = word[-1:]
            why = f"A number cannot follow a letter: write {name}^2 for a power, 2{name} for a product."
            self.refuse(end, last, why)
        return end

    def take_function(self, name: str, i: int, end: int) -> int:
        """The name of a function, which needs its brackets."""
        following = self.char(self.after_blanks(end))
        if following != "(" and following != "^" and following not in RAISED and following != "*":
            self.refuse(i, end, f"{name} needs brackets: write {spelled(name)}.")
        self.tokens.append(["function", name, i, end])
        return end

    def check_product(self, word: str, i: int, end: int) -> None:
        """Refuse a word that is no product of letters."""
        begun = [word[:k] for k in range(2, min(len(word), 8) + 1) if word[:k] in self.functions]
        if len(begun) > 0:
            self.refuse(i, end, f"{begun[-1]} needs brackets: write {spelled(begun[-1])}.")
        plain = word.replace("pi", "")
        product = "*".join(list(word)) if len(word) < 6 else "a*b"
        if len(plain) > 2 and (len(plain) > 4 or ("x" not in plain and "y" not in plain)):
            why = f"There is no “{word[:20]}” here: write a function such as sqrt(x), a product as {product}."
            self.refuse(i, end, why)

    def take_letters(self, word: str, i: int) -> None:
        """Each letter of a word as a name."""
        k = 0
        while k < len(word):
            if word[k : k + 2] == "pi":
                self.tokens.append(["name", "pi", i + k, i + k + 2])
                k += 2
            else:
                self.tokens.append(["name", word[k], i + k, i + k + 1])
                k += 1
