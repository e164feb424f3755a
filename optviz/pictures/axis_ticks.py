"""Where the ticks of an axis stand and what they say: values, also where the axis is by factors."""

from __future__ import annotations

import math
from typing import Any

MOST = 6  # ticks on view
DECADES = 2.5  # so many and more have a tick at powers of ten alone
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


def ticks_of(low: float, high: float, least: float, most: float, log: bool) -> dict[str, list[Any]]:
    """The ticks of an axis of which the part from `low` to `high` is on view, and a width on both sides for a pan.

    On a log axis a place is the value's log10. `places` are those of the ticks, `texts` what they say.
    """
    width = high - low
    first, last = max(low - width, least), min(high + width, most)
    if log and width >= DECADES:
        every = max(1, math.ceil(width / MOST))
        powers = [k for k in range(math.floor(first), math.ceil(last) + 1) if k % every == 0]
        return {"places": [float(k) for k in powers], "texts": [power_text(k) for k in powers]}
    if log and width > 0.6:
        steps = [(m, k) for k in range(math.floor(first), math.ceil(last) + 1) for m in (1, 2, 5)]
        pairs = [(math.log10(m) + k, value_text(m * 10.0**k, 10.0**k)) for m, k in steps]
        return {"places": [place for place, _ in pairs], "texts": [text for _, text in pairs]}
    ends = [10.0**place if log else place for place in (low, high, first, last)]
    step = nice((ends[1] - ends[0]) / MOST)
    begin, end = math.ceil(ends[2] / step), math.floor(ends[3] / step)
    values = [k * step for k in range(begin, min(end, begin + 6 * MOST) + 1)]
    values = [value for value in values if value > 0 or not log]
    return {"places": [math.log10(value) if log else value for value in values],
            "texts": [value_text(value, step) for value in values]}  # fmt: skip


def nice(step: float) -> float:
    """The next 1, 2 or 5 times a power of ten that is not smaller."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((m * power for m in (1.0, 2.0, 5.0) if m * power >= step * (1 - 1e-9)), 10.0 * power)


def power_text(power: int) -> str:
    """A power of ten: 0.01, but 10⁻⁶."""
    if -4 <= power <= 4:
        return f"{10.0**power:.{max(0, -power)}f}"
    digits = "".join([SUPERSCRIPTS[int(digit)] for digit in str(abs(power))])
    return f"10{'⁻' if power < 0 else ''}{digits}"


def value_text(value: float, step: float) -> str:
    """A number with the digits that tell it from those a step away."""
    size = abs(value)
    if size < step / 2:
        return "0"
    exact, finest = math.floor(math.log10(size) + 1e-9), math.floor(math.log10(step) + 1e-9)
    if exact >= -4 and exact < 6:
        text = f"{size:.{max(0, -finest)}f}"
    else:
        mantissa = f"{size / 10.0**exact:.{max(0, exact - finest)}f}"
        text = power_text(exact) if mantissa == "1" else f"{mantissa}·{power_text(exact)}"
    return f"−{text}" if value < 0 else text


def rounded(value: float, unit: float) -> float:
    """A value with as many digits as tell it from those a unit away."""
    if not (math.isfinite(value) and unit > 0 and math.isfinite(unit)) or value == 0:
        return value
    if abs(value) < unit / 2:
        return 0.0
    digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(unit)) + 1
    return float(f"{value:.{min(max(digits, 1), 17)}g}")
