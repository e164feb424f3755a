"""Samples as a text that addresses and files can hold, and the parameter that holds them.

`seed` stands for an experiment's own data; any other text says the samples one after the other, numbers
parted by `_`, and before them the columns' names, parted by `~`, where there are any: `year~price~1990_12_1991_14`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import param

from ..messages import shown
from .tables import columns_of

SEED = "seed"
MOST = 2000  # samples that an experiment takes
LONGEST_NAME = 40
SHORT = 4000  # characters of samples that an address holds
LARGEST = 1e100
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def number_text(value: float) -> str:
    """A number in as few characters as read back to it."""
    return repr(float(value)).removesuffix(".0").replace("e+", "e")


def text_of(columns: Any, names: Any = ()) -> str:
    """The text of samples, given by columns."""
    cells = [number_text(column[k]) for k in range(len(columns[0])) for column in columns]
    return "~".join([*names, "_".join(cells)])


def names_in(text: str) -> list[str]:
    """The names of the columns that a text says; none where it says none."""
    return text.split("~")[:-1]


def samples_in(text: str, width: int) -> list[list[float]] | None:
    """The columns that a text says; None where it says something else."""
    parts = text.split("~")
    cells = parts[-1].split("_")
    odd = len(parts) not in (1, width + 1) or len(cells) % width > 0 or len(cells) > MOST * width
    if odd or len(cells) < 2 * width or any(NUMBER.fullmatch(cell) is None for cell in cells):
        return None
    values = [float(cell) for cell in cells]
    if any(abs(value) > LARGEST for value in values):
        return None
    columns = [[values[k + i] for k in range(0, len(values), width)] for i in range(width)]
    return None if width > 2 and any(each not in (0, 1) for each in columns[2]) else columns


def known(text: Any, width: int) -> str | None:
    """The same samples in a text as it is written here; None where it says none."""
    if text == SEED:
        return SEED
    columns = samples_in(text, width) if isinstance(text, str) else None
    return None if columns is None else text_of(columns, [label_of(name) for name in names_in(text)])


def label_of(name: str) -> str:
    """A column's name, as much of it as a picture has room for."""
    bare = re.sub(r"[\s~]+", " ", name).strip()
    return bare if len(bare) <= LONGEST_NAME else bare[: LONGEST_NAME - 1] + "…"


def edited(columns: Any, what: str, index: int, place: Any) -> list[list[float]]:
    """The columns after a point was added, moved or removed; at least two points stay."""
    points = [[float(column[k]) for column in columns] for k in range(len(columns[0]))]
    here = 0 <= index < len(points)
    if what == "add" and len(points) < MOST:
        points = [*points, [float(value) for value in place]]
    elif what == "move" and here:
        points = [[float(value) for value in place] if k == index else points[k] for k in range(len(points))]
    elif what == "remove" and here and len(points) > 2:
        points = [points[k] for k in range(len(points)) if k != index]
    return [[point[i] for point in points] for i in range(len(columns))]


class Samples(param.String):
    """A parameter that holds samples as a text, and takes them as they are: arrays, a table, a text."""

    __slots__ = ["width"]

    def __init__(self, default: str = SEED, *, width: int = 2, **settings):
        self.width = width
        super().__init__(default, **settings)

    def __set__(self, obj, val):
        who = f"{type(obj or self.owner).__name__}.{self.name}"
        super().__set__(obj, SEED if val is None else self.text(who, val))

    def text(self, who: str, given: Any) -> str:
        """What is held of what was given, or a ValueError that says why it cannot be."""
        if isinstance(given, str):
            said = known(given, self.width)
            if said is None:
                raise ValueError(f"{who} {RULE.format(width=self.width, most=MOST)}, not {shown(given)}.")
            return said
        names, columns = columns_of(who, given, self.width)
        bad = sum(not bool(np.isfinite(row).all()) for row in np.column_stack(columns))
        if bad:
            raise ValueError(f"{who} needs finite data, not {bad} samples with NaN or infinity; remove them first.")
        if len(columns[0]) < 2:
            raise ValueError(f"{who} needs at least two samples, not {len(columns[0])}.")
        if len(columns[0]) > MOST:
            raise ValueError(f"{who} takes at most {MOST:,} samples, not {len(columns[0]):,}; choose some of them.")
        return text_of(columns, [label_of(name) for name in names])


RULE = "must be seed, or numbers parted by _, {width} for each of 2 to {most} points"
