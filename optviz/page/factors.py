"""Sliders by factors, for numbers that range over decades: 0.0001 is as near as 1."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import param
from bokeh.models import CustomJSTickFormatter

from ..runtime.modules import script
from .fields import NumberSlider, TypedSlider
from .insides import Converted

PLACES = 100  # a decade
NEAR = 0.0115  # half a step
BELOW = 0.1  # by how many decades the place of 0 is below the first


def slider_for(parameter: Any) -> dict[str, Any]:
    """Panel's settings of the slider for a parameter that declares a span (see `optviz.spans`); empty for others."""
    if getattr(parameter, "span", None) is None:
        return {}
    (low, high), least = parameter.span, (parameter.bounds or (None, None))[0]
    return {"type": LogSlider, "start": low, "end": high, "zero": least == 0 and parameter.inclusive_bounds[0]}


def factor_at(place: float) -> float:
    """The number at a place of a slider by factors: the shortest that no neighbour is nearer to, up to three digits.

    `runtime/factors.js` says the same in the browser.
    """
    value = 10.0**place
    on_grid = abs(PLACES * place - round(PLACES * place)) < 1e-6
    one, two, three = (float(f"{value:.{digits}g}") for digits in (1, 2, 3))
    return next((short for short in (one, two) if on_grid and abs(short / value - 1) < NEAR), three)


def place_of(value: float) -> float:
    """Where a number above 0 stands: at the place that says it, else at its log10."""
    if math.isinf(value):
        return value
    exact = math.log10(value)
    place = round(PLACES * exact) / PLACES
    return place if factor_at(place) == value else exact


class PowerSlider(NumberSlider):
    """A slider for the log10 of what it says."""

    def said(self, held: Any) -> Any:
        return factor_at(held)

    def held(self, said: Any) -> Any:
        return place_of(said)


class LogSlider(TypedSlider, Converted):
    """A slider by factors: its model holds log10 of the value, in hundredths.

    Where `zero`, its first place is 0.
    """

    zero = param.Boolean(False, doc="Whether the slider begins at 0.")

    _VALUES: ClassVar[tuple[str, ...]] = ("value", "value_throttled")

    @property
    def track(self) -> tuple[float, float]:
        """The first and the last place."""
        low = math.floor(PLACES * math.log10(self.start) + 1e-9) / PLACES
        high = math.ceil(PLACES * math.log10(self.end) - 1e-9) / PLACES
        return low - BELOW if self.zero else low, high

    @property
    def nought(self) -> float | None:
        """The place of 0, None where there is none."""
        return self.track[0] if self.zero else None

    def place_of(self, value: float) -> float:
        """Where a value stands on the track, 0 at the first place."""
        return place_of(value) if value > 0 else self.track[0]

    def to_browser(self, sent: dict[str, Any]) -> dict[str, Any]:
        sent = dict(sent)
        sent |= {name: self.place_of(sent[name]) for name in self._VALUES if sent.get(name) is not None}
        if {"start", "end", "step"} & set(sent):
            (low, high), zero = self.track, self.nought
            sent |= {"start": low, "end": high, "step": 1 / PLACES, "tags": ["log", zero], "format": written(zero)}
        return sent

    def from_browser(self, changes: dict[str, Any]) -> dict[str, Any]:
        return {**changes, **{name: self._value_at(changes[name]) for name in self._VALUES if name in changes}}

    def _value_at(self, place: float) -> float:
        return 0.0 if place == self.nought else factor_at(place)


def written(zero: float | None = None) -> CustomJSTickFormatter:
    """How a slider that holds places writes their numbers."""
    factors = script(("factors.js",))
    return CustomJSTickFormatter(args={}, code=f"{factors}\nreturn String(factor_at(tick, {_literal(zero)}))")


def _literal(zero: float | None) -> str:
    return "null" if zero is None else repr(zero)
