"""Texts that say much the same, as a page holds them: what recurs in them stands once, behind one letter.

Pairs of neighbours are replaced, the most rewarding first (Larsson and Moffat 1999, Re-Pair); `shortened.js` writes
the texts out again. Formulas of rules take a twentieth of their room.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import lru_cache
from itertools import pairwise

FIRST = 0x100  # letters from here on stand for pairs: MathML is plain ASCII
MOST = 0x250 - FIRST  # all of them Latin letters, of two bytes
WORTH = 4  # characters that a letter has to save
_PARTS = re.compile(r"<[^>]*>|&[#\w]+;|.", re.DOTALL)


class Texts:
    """Texts that a page has once each; whoever prints one says its place."""

    def __init__(self):
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """Where a text is in the table."""
        return self._places.setdefault(text, len(self._places))

    def script(self) -> str:
        """The JavaScript of the table."""
        pairs, texts = shortened(tuple(self._places))
        listed = ", ".join(json.dumps(each, ensure_ascii=False).replace("</", "<\\/") for each in (pairs, texts))
        return f"$.lengthened({listed})"


@lru_cache(maxsize=64)
def shortened(texts: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """What the letters from U+0100 on stand for, in plain text and letters before them; and the texts in letters."""
    rows, pairs = [_PARTS.findall(text) for text in texts], []
    counts = Counter(pair for row in rows for pair in pairwise(row))
    while len(pairs) < MOST:
        best = max(counts, key=lambda pair: (_saved(pair, counts[pair]), pair), default=("", ""))
        if _saved(best, counts[best]) < WORTH:
            break
        letter = chr(FIRST + len(pairs))
        pairs.append("".join(best))
        for place, row in enumerate(rows):
            if best[0] in row and best in pairwise(row):
                counts.subtract(pairwise(row))
                rows[place] = _replaced(row, best, letter)
                counts.update(pairwise(rows[place]))
    return pairs, ["".join(row) for row in rows]


def _saved(pair: tuple[str, str], count: int) -> int:
    """How many characters a letter for a pair of neighbours saves."""
    return (count - 1) * (len(pair[0]) + len(pair[1])) - count


def _replaced(row: list[str], pair: tuple[str, str], letter: str) -> list[str]:
    found, at = [], 0
    while at < len(row):
        here = (row[at], row[at + 1 : at + 2]) == (pair[0], [pair[1]])
        found.append(letter if here else row[at])
        at += 2 if here else 1
    return found
