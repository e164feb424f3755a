"""What a run did beside what was expected of it, in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LEVEL = 1e-3  # a distance that changes by less a step neither shrinks nor grows


def shown(value: float, digits: int = 3) -> str:
    """A number as text reads it: few digits, a true minus sign, e5 for e+05."""
    text = f"{value + 0.0:.{digits}g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return text.replace("-", "−")


def place(point: Any, digits: int = 3) -> str:
    """A point of the plane, or of a line, as text reads it."""
    if len(point) == 1:
        return f"x = {shown(float(point[0]), digits)}"
    return f"({shown(float(point[0]), digits)}, {shown(float(point[1]), digits)})"


def pace(factor: float) -> str:
    """What a step does to a distance, with digits enough to tell it from nothing."""
    digits = 4 if factor == 1 else max(4, 1 - math.floor(math.log10(abs(factor - 1))))
    if factor <= 1:
        return f"each step leaves {shown(factor, digits)} of the distance"
    return f"each step makes the distance {shown(factor, digits)} times as long"


def expects(found: Mapping[str, Any]) -> str:
    """What an outlook expects at its target: "settle", "diverge", "neither", or "" where theory says nothing."""
    rate = found["rate"]
    if rate is None or found["stable"] is None or math.isnan(rate):
        return ""
    return "neither" if abs(rate - 1) <= 1e-9 else "settle" if rate < 1 else "diverge"


def matches(found: Mapping[str, Any]) -> bool:
    """Whether a run changed its distance by nearly the factor a step that was expected, where that holds."""
    end, rate = found["end"], found["rate"]
    if rate is None or not end["tangent"] or not end["factor"] > 0:
        return False
    if rate < 1e-12:
        return end["factor"] < 1e-3
    apart, paces = abs(math.log(end["factor"]) - math.log(rate)), max(end["step"] // 4, 8)
    if abs(rate - 1) <= 1e-9:
        return apart <= LEVEL
    # an oscillation leaves the distance uncertain by a part of itself
    return apart <= min(max(0.1 * abs(math.log(rate)), 0.2 / paces), 0.25 * abs(math.log(rate)))


def verdict(found: Mapping[str, Any]) -> str:
    """Where a run ended and how it moved, and whether that was expected, in a sentence. "There" is the target."""
    said = {
        "diverged": _diverged, "arrived": _arrived, "cycle": _cycle, "saddle": _saddle, "unmoved": _unmoved,
        "resting": _resting, "slow": _slow, "near": _near, "away": _away,
    }  # fmt: skip
    return said[found["end"]["kind"]](found, found["end"], expects(found))


def _diverged(found: Any, end: Any, hope: str) -> str:
    lead = {"diverge": "So it does: it", "settle": "Not so in this run: it"}.get(hope, "It")
    return f"{lead} diverged at step {end['step']}."


def _arrived(found: Any, end: Any, hope: str) -> str:
    lead = {"diverge": "Not so in this run: it has arrived"}.get(hope, "It has arrived")
    if hope == "settle" and matches(found):
        lead = f"So it does: {pace(end['factor'])}, and it has arrived"
    if end["distance"] == 0:
        return f"{lead}, exactly."
    return f"{lead}: it is {shown(end['distance'])} from there{', no more than rounding' if end['rounded'] else ''}."


def _cycle(found: Any, end: Any, hope: str) -> str:
    lead = {"neither": "So it does not settle: it", "settle": "Not so in this run: it",
            "diverge": "It does not settle there: it"}.get(hope, "It")  # fmt: skip
    if found["end"]["minimum"] < 0:
        return f"{lead} repeats itself every {end['period']} steps."
    return f"{lead} repeats itself every {end['period']} steps, {_between(end)} from there."


def _between(end: Any) -> str:
    near, far = shown(end["nearest"]), shown(end["farthest"])
    return far if near == far else f"between {near} and {far}"


def _saddle(found: Any, end: Any, hope: str) -> str:
    away = shown(end["saddle_distance"])
    where = f"the {'maximum' if end['top'] else 'saddle'} {place(end['saddle'])}, where the slope vanishes"
    if end["rounded"]:
        return f"This run is stuck elsewhere: at {where}."
    moves = "it is leaving that" if end["leaving"] else "it is still drawn there"
    return f"This run is elsewhere: {away} from {where}, and {moves}."


def _unmoved(found: Any, end: Any, hope: str) -> str:
    return f"It does not move{_from_there(end, ': it stays {} from there')}."


def _resting(found: Any, end: Any, hope: str) -> str:
    lead = "It no longer moves" if hope != "settle" else "It no longer moves, but elsewhere"
    return f"{lead}{_from_there(end, ': it stays {} from there')}."


def _slow(found: Any, end: Any, hope: str) -> str:
    together = f"It hardly moves: all its steps together are {shown(end['travelled'])} long"
    return f"{together}{_from_there(end, ', and it is {} from there')}."


def _from_there(end: Any, text: str) -> str:
    return "" if end["minimum"] < 0 else text.replace("{}", shown(end["distance"]))


def _near(found: Any, end: Any, hope: str) -> str:
    at, factor = f"at its end it is {shown(end['distance'])} from there", end["factor"]
    if math.isnan(factor):
        return f"{at[:1].upper()}{at[1:]}."
    step = pace(factor)
    if matches(found) and hope in ("settle", "diverge"):
        return f"So it does: {at}, and {step}."
    if abs(factor - 1) <= LEVEL:
        lead = {"neither": "So it does: it", "": "It"}.get(hope, "Not so in this run: it")
        return f"{lead} stays around, over the last quarter {_between(end)} from there."
    lead = {"settle": "It comes closer, at another pace so far: ", "diverge": "Not so in this run: ", "neither": ""}
    if factor > 1:
        lead = {"settle": "Not so yet: ", "diverge": "It goes away, at another pace: ", "neither": ""}
    text = f"{lead.get(hope, '')}{at}, and {step}."
    return f"{text[:1].upper()}{text[1:]}"


def _away(found: Any, end: Any, hope: str) -> str:
    if end["minimum"] < 0:
        return "It is still moving."
    factor = end["factor"]
    going = ""
    if factor < 1 - LEVEL:
        going = ", and still coming closer"
    elif factor > 1 + LEVEL:
        going = ", and going away"
    elif not math.isnan(factor):
        going = f", and over the last quarter {_between(end)}"
    return f"This run is elsewhere: at its end it is {shown(end['distance'])} from there{going}."
