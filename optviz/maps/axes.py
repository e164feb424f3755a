"""The axes of hyperparameter maps: what may change along one, the part of it on view, places on it and values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..menus import rules, setting, surfaces
from ..messages import refuse
from ..objectives.formula import Formula
from ..pictures.axis_ticks import rounded, ticks_of
from ..rules.rule import Hyperparameter
from ..rules.wrappers import every_knob
from ..spans import Quantity

CLIP = "clip"  # at what a gradient's coordinates are cut: neither of the rule nor of the surface
CLIPS = (1e-3, 100.0, True)  # where that axis runs, as `Quantity.on_map` says it of a number
COORDINATES = ("start x", "start y")  # they run over the surface's domain


def numbers() -> dict[str, Quantity]:
    """The numbers of the menus' rules and surfaces that a map can have along an axis, the first of each name.

    In the order of their definitions, rules before surfaces, what is rarely turned last.
    """
    return _numbers(_members())


def spans() -> dict[str, Any]:
    """Where an axis runs from and to, and whether it is a log axis at first, by name."""
    return _spans(_members())


def labels() -> dict[str, str]:
    """What a menu calls each axis: a number as the first rule or surface that has it does; Greek letters stay."""
    return _labels(_members())


def momenta() -> list[str]:
    """The axes that are some rule's momentum."""
    return [name for name, number in numbers().items() if isinstance(number, Hyperparameter) and number.is_momentum]


def _members() -> tuple[type, ...]:
    return (*rules().values(), every_knob(), *surfaces().values(), Formula)


@lru_cache(maxsize=16)
def _numbers(members: tuple[type, ...]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for number in [cls.param[name] for cls in members for name in cls.param]:
        if isinstance(number, Quantity) and number.on_map:
            found.setdefault(str(number.name), number)
    place = {name: (not isinstance(number, Hyperparameter), number.precedence or 0) for name, number in found.items()}
    return dict(sorted(found.items(), key=lambda item: place[item[0]]))


@lru_cache(maxsize=16)
def _spans(members: tuple[type, ...]) -> dict[str, Any]:
    return {**{name: number.on_map for name, number in _numbers(members).items()}, CLIP: CLIPS}


@lru_cache(maxsize=16)
def _labels(members: tuple[type, ...]) -> dict[str, str]:
    named = {name: str(number.label) for name, number in _numbers(members).items()}
    own = {name: label[:1].upper() + label[1:] if label.isascii() and len(label) > 1 else label
           for name, label in named.items()}  # fmt: skip
    return {**own, "start x": "Start x", "start y": "Start y", CLIP: "Gradient clip"}


def words(name: str) -> str:
    """What a sentence calls what changes along an axis."""
    label = labels()[name]
    return label[:1].lower() + label[1:]


@dataclass(frozen=True)
class Axis:
    """What changes along one side of a map, and the part of it on view, from `low` to `high`.

    A place on it is a value, on a log axis its log10. The whole axis runs from `least` to `most`.
    """

    name: str
    log: bool
    least: float
    most: float
    low: float
    high: float

    @property
    def label(self) -> str:
        """What a sentence calls the axis."""
        return words(self.name)

    def value_at(self, place: Any) -> Any:
        """The value at a place, or the values at an array of them."""
        return 10.0**place if self.log else place

    def place_of(self, value: float) -> float:
        """Where a value is on the axis; what has no log10 is infinitely far down."""
        if self.log:
            return math.log10(value) if value > 0 else -math.inf
        return value

    # cells

    def cells(self, count: int) -> np.ndarray:
        """The centres of so many cells side by side on view."""
        half = (self.high - self.low) / count / 2
        return np.linspace(self.low + half, self.high - half, count)

    def centre(self, place: float, count: int) -> float:
        """The centre of the cell, among so many on view, that holds a place."""
        index = min(max(int((place - self.low) / (self.high - self.low) * count), 0), count - 1)
        return float(self.cells(count)[index])

    @property
    def narrowest(self) -> float:
        """How wide the part on view must be for its cells to be different numbers."""
        return max(2.3e-14 * max(abs(self.low), abs(self.high)), 2e-15 * (self.most - self.least))

    @property
    def deepest(self) -> float:
        """How wide a part must be at least, wherever it is on the axis."""
        return max(2.3e-14 * max(abs(self.least), abs(self.most)), 2e-15 * (self.most - self.least))

    def look(self, home: Sequence[float]) -> dict[str, Any]:
        """What a drawing says of the axis: see `optviz.pictures.layers.Drawing`."""
        return {"bounds": (self.least, self.most), "home": tuple(home), "narrowest": 2 * self.deepest,
                "label": self.label, **ticks_of(self.low, self.high, self.least, self.most, self.log)}  # fmt: skip

    def shown(self, place: float) -> float:
        """The value at a place, with the digits that tell a thousandth of what is on view."""
        value, width = self.value_at(place), self.high - self.low
        unit = value * min(2.3 * width, 1.0) if self.log else width
        return rounded(float(value), abs(unit) / 1000)

    def check(self, who: str, side: str) -> None:
        """Refuse a part that a map cannot show."""
        if self.name in COORDINATES and self.log:
            refuse(who, f"needs a linear axis for {self.name}, which may be 0 or below", "log")
        slack = 1e-9 * (self.most - self.least)  # zooming out to the whole axis rounds
        if not (self.least - slack <= self.low < self.high <= self.most + slack):
            least, most = (float(f"{self.value_at(end):.12g}") for end in (self.least, self.most))
            rule = f"needs {side} from below {side} to, both from {least:g} to {most:g}"
            refuse(who, rule, [float(f"{self.value_at(end):.6g}") for end in (self.low, self.high)])
        if self.high - self.low < self.narrowest:
            by = " decades" if self.log else ""
            rule = f"needs {side} at least {self.narrowest:.2g}{by} wide, or float64 has no number for each cell"
            refuse(who, rule, float(f"{self.high - self.low:.2g}"))

    # the ends of other parts

    def zoomed(self, factor: float, here: float) -> tuple[float, float]:
        """The ends of a part this many times as wide around a place; around the middle if that is out of view."""
        middle = here if self.low <= here <= self.high else (self.low + self.high) / 2
        wide = min((self.high - self.low) * factor, self.most - self.least)
        width = max(wide, self.narrowest / 4)  # no deeper than is refused
        low = min(max(middle - width / 2, self.least), self.most - width)
        return low, low + width

    def panned(self, low: float, high: float) -> tuple[float, float]:
        """The ends of the part between two places, as far as the whole axis has it."""
        sliver = 1e-15 * (self.most - self.least)
        low = min(max(low, self.least), self.most - sliver)
        return low, max(min(high, self.most), low + sliver)

    def converted(self, ends: Sequence[float]) -> tuple[float, float]:
        """Ends from a linear axis, if this is a log axis, or the other way round, as far as the whole axis has them."""
        places = [(math.log10(end) if end > 0 else self.least) if self.log else 10.0**end for end in ends]
        low, high = (min(max(place, self.least), self.most) for place in places)
        return (low, high) if low < high else (self.least, self.most)


def axis_of(name: str, objective: Any, log: bool, ends: Sequence[float] | None = None) -> Axis:
    """An axis with these ends on view; without any, the whole axis."""
    least, most = span_of(name, objective, log)
    low, high = (least, most) if ends is None else ends
    return Axis(name, log, least, most, low, high)


def by_factors(name: str) -> bool:
    """Whether an axis is a log axis, if nobody asks for another."""
    return name in spans() and spans()[name][2]


def span_of(name: str, objective: Any, log: bool) -> tuple[float, float]:
    """The ends of a whole axis; of a log axis, their log10: three decades below the upper end where it begins at 0."""
    if name in COORDINATES:
        low, high = objective.domain[COORDINATES.index(name)]
        return float(low), float(high)
    low, high = spans()[name][0], spans()[name][1]
    if isinstance(objective, Formula) and objective.holds(name):  # a letter, from and to what was typed
        low, high = setting(objective, f"{name}_from"), setting(objective, f"{name}_to")
        high = high if high > 0 or not log else 1.0
    return (math.log10(low if low > 0 else high / 1000), math.log10(high)) if log else (low, high)
