"""How far an axis may be panned and zoomed, and where a plot's Reset brings it back to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

ROOM = 4.5  # so many widths of what is drawn may be looked at on each side of it
LARGEST = 1e307  # the ends of an axis are finite, and so is what lies between


def range_of(limits: tuple[float, float], log: bool, look: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of Bokeh's range for an axis with these limits, in the order in which they must be set.

    Bokeh cuts ends at the bounds that it has at that moment. What a drawing says of the axis, its
    `look`, may hold `bounds`, `home` (where Reset leads) and `narrowest` (how little may be shown).
    """
    low, high = limits
    home = look.get("home", (low, high))
    narrowest = look.get("narrowest", 0.0 if log else 1e-12 * abs(high - low))
    return {"bounds": tuple(look.get("bounds", reach_of((low, high), log))), "min_interval": narrowest,
            "reset_start": home[0], "reset_end": home[1], "start": low, "end": high}  # fmt: skip


def reach_of(limits: tuple[float, float], log: bool) -> tuple[float, float]:
    """The ends beyond which an axis shows nothing of what is drawn between these limits."""
    low, high = limits
    if not log:
        width = high - low
        return max(low - ROOM * width, -LARGEST), min(high + ROOM * width, LARGEST)
    first, last = math.log10(low), math.log10(high)
    width = max(last - first, 1.0)
    return min(low, 10.0 ** max(first - ROOM * width, -307.0)), max(high, 10.0 ** min(last + ROOM * width, 307.0))


def picked(place: float, low: float, high: float) -> float:
    """Where a hand has put a point between the ends of an axis on view: no finer than a screen shows it."""
    places = 3 - math.floor(math.log10(abs(high - low)))
    return round(place, places) + 0.0  # no -0
