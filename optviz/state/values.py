"""One shared value: its description in plain JSON, what it may be, and what is said if it is not.

A description, a `Spec`, has `who` holds the value, its `kind` (number, integer, boolean,
option or samples), `low`, `high` and which of them are `inclusive`, `options` (what an address says: what
the parameter holds), `default`, and in words the `rule` and the `fix`. Checks and sentences
follow it and nothing else, so that a page's script can make the same ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from numbers import Real
from typing import Any

import param

from ..messages import shown
from ..objectives.formula import FormulaText
from ..objectives.samples import MOST, RULE, Samples, known
from ..trace.formula_text import parsed

RESERVED = ("lesson", "stage", "pin", "versus", "frame", "at")  # words of an address that are of no state
LONGEST = 200  # characters of a value
LARGEST = 2**53 - 1  # the last whole number that JavaScript tells from the next
FARTHEST = 1e9  # what may be typed where a parameter has no bounds of its own
SENTENCES = {
    "value": "{who} {rule}, not {got}; {fix}.",
    "long": f"{{who}} must be at most {LONGEST} characters long, not {{got}}; {{fix}}.",
    "repeated": "{who} must be given once, not {got} times; keep one of them.",
    "unknown": "{who} takes only values that it has, not {got}; choose from {fix}.",
    "typed": "{who} {rule}, not {got}; it stays {fix}.",
    "formula": "{who} cannot be read at character {at}. {why}",
    "unshared": "{who} cannot be shared: it {rule}, not {got}; {fix}.",
}
RULES = {
    "number": "must be a finite number{bounds}", "integer": "must be a whole number{bounds}",
    "boolean": "must be true or false", "option": "must be one of {options}", "samples": RULE,
    "formula": "must be a formula of x and y",
}  # fmt: skip
KINDS = (
    ((param.Event, param.Date, param.CalendarDate), ""),
    (param.Boolean, "boolean"),
    (param.Integer, "integer"),
    (param.Number, "number"),
    (param.Selector, "option"),
    (Samples, "samples"),
    (FormulaText, "formula"),
)
BRINGING = ("option", "samples")  # kinds of values that bring others along  # fmt: skip
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)

Spec = dict[str, Any]


def kind_of(parameter: Any) -> str:
    """What values a parameter takes; empty where they cannot be shared."""
    return next((kind for types, kind in KINDS if isinstance(parameter, types)), "")


def spec_of(parameter: Any, who: str, default: Any, options: dict[str, Any] | None = None) -> Spec:
    """The description of a parameter's values; `options` other than the selector's own may be given."""
    kind = kind_of(parameter)
    low, high = _bounds(parameter) if kind in ("number", "integer") else (None, None)
    spec: Spec = {
        "who": who, "kind": kind, "low": low, "high": high,
        "inclusive": list(getattr(parameter, "inclusive_bounds", (True, True))),
        "options": (options or _options(parameter)) if kind == "option" else None,
        "width": getattr(parameter, "width", 0),
    }  # fmt: skip
    spec["default"] = plain(spec, default)
    usual = "" if spec["default"] is None else f" for {text(spec['default'])}"  # one that there is
    return spec | {"rule": ruled(spec), "fix": f"leave it out{usual}"}


def field_spec(parameter: Any, said: Callable[[Any], Any] = lambda held: held) -> Spec:
    """The description of what may be typed into a parameter's field; `said` gives what it says for what is held."""
    spec = spec_of(parameter, parameter.label, parameter.default)
    spec["low"] = -FARTHEST if spec["low"] is None else said(spec["low"])
    spec["high"] = FARTHEST if spec["high"] is None else said(spec["high"])
    return spec | {"rule": ruled(spec)}


def ruled(spec: Spec) -> str:
    """What a description asks of values, in words."""
    options = ", ".join(spec["options"] or ())
    return RULES[spec["kind"]].format(bounds=_range(spec), options=options, width=spec["width"], most=f"{MOST:,}")


def _bounds(parameter: Any) -> tuple[Any, Any]:
    low, high = parameter.bounds or (None, None)
    if not isinstance(parameter, param.Integer):
        return low, high
    return -LARGEST if low is None else low, LARGEST if high is None else high


def _options(selector: Any) -> dict[str, Any]:
    objects = [o for o in selector.objects if isinstance(o, str | Real)]
    return {re.sub(r"[^a-z0-9._]+", "-", str(o).lower()).strip("-"): o for o in objects}


def _range(spec: Spec) -> str:
    low, high = (None if v is None else text(v) for v in (spec["low"], spec["high"]))
    if low and high and all(spec["inclusive"]):
        return f" from {low} to {high}"
    least, most = ("of at least", "above")[not spec["inclusive"][0]], ("at most", "below")[not spec["inclusive"][1]]
    said = [f"{word} {limit}" for word, limit in ((least, low), (most, high)) if limit]
    return f" {' and '.join(said)}" if said else ""


def stage_of(spec: Spec, narrowed: Any) -> int:
    """When a value is taken: choices and formulas first, then what is in menus that these narrow, then all others."""
    if spec["kind"] == "formula":
        return 0
    if spec["kind"] not in BRINGING:
        return 2
    return 1 if spec["parameter"] in narrowed else 0


def offering(spec: Spec, options: dict[str, Any]) -> Spec:
    """The description of a choice among these options, what an address says of each: what the parameter holds."""
    usual = f" for {spec['default']}" if spec["default"] in options else ""
    rule = RULES["option"].format(options=", ".join(options))
    return spec | {"options": options, "rule": rule, "fix": f"leave it out{usual}"}


def read(spec: Spec, value: Any) -> Any:
    """What a text or a JSON value means for the parameter; None where it is refused."""
    if spec["kind"] == "samples":
        return known(value, spec["width"])
    if spec["kind"] == "formula":
        return value if isinstance(value, str) and parsed(value)["why"] == "" else None
    if isinstance(value, str) and len(value) > LONGEST:
        return None
    if spec["kind"] == "option":
        return _option(spec["options"], _spelled(value))
    if spec["kind"] == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
    return _number(spec, value)


def _option(options: dict[str, Any], spelled: str) -> Any:
    named = {_spelled(name): option for token, option in options.items() for name in (token, option)}
    return named.get(spelled) if spelled else None


def _spelled(value: Any) -> str:
    return re.sub(r"[^a-z0-9]", "", value.lower()) if isinstance(value, str) else ""


def _number(spec: Spec, value: Any) -> Any:
    is_text = isinstance(value, str) and NUMBER.fullmatch(value)
    if not is_text and (isinstance(value, bool) or not isinstance(value, Real)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number) or not _within(spec, number):
        return None
    if spec["kind"] == "number":
        return number
    return int(number) if number.is_integer() else None


def _within(spec: Spec, number: float) -> bool:
    (low, high), (from_low, to_high) = (spec["low"], spec["high"]), spec["inclusive"]
    above = low is None or number > low or (from_low and number == low)
    return above and (high is None or number < high or (to_high and number == high))


def plain(spec: Spec, value: Any) -> Any:
    """A parameter's value as JSON and addresses have it; None where they cannot."""
    if spec["kind"] != "option":
        return read(spec, value)
    return next((token for token, option in spec["options"].items() if option == value), None)


def text(plain: Any) -> str:
    """A plain value as an address says it; a number reads back as the same number."""
    if plain is None or isinstance(plain, bool):
        return "" if plain is None else str(plain).lower()
    return repr(plain).removesuffix(".0").replace("e+", "e") if isinstance(plain, float) else str(plain)


def refusal(spec: Spec, value: Any) -> str:
    """The sentence on a value that `read` refuses."""
    if isinstance(value, list) and len(value) > 1:
        return sentence("repeated", spec, str(len(value)))
    if spec["kind"] == "formula" and isinstance(value, str):
        found = parsed(value)
        return SENTENCES["formula"].format(who=spec["who"], at=found["at"] + 1, why=found["why"])
    long = isinstance(value, str) and len(value) > LONGEST and spec["kind"] != "samples"
    return sentence("long" if long else "value", spec, said(value))


def typed(spec: Spec, value: Any, held: Any) -> str:
    """The sentence on what was typed into a field that held another value; empty where it may stay."""
    if read(spec, value) is not None:
        return ""
    got = "empty" if value is None else text(float(value))
    return SENTENCES["typed"].format(who=spec["who"], rule=spec["rule"], got=got, fix=text(held))


def sentence(kind: str, spec: Spec, got: str) -> str:
    """One of the sentences, filled in from a description."""
    return SENTENCES[kind].format(who=spec["who"], rule=spec.get("rule"), got=got, fix=spec.get("fix"))


def choices(names: list[str]) -> str:
    """Names to choose from; those that go on from another name, as `schedule_gamma` from `schedule`, once."""
    listed = []
    for name in names:
        head = next((other for other in names if name.removeprefix(f"{other}_") != name), "")
        entry = f"{head}_..." if head else name
        if entry not in listed:
            listed.append(entry)
    return ", ".join(listed)


def said(value: Any) -> str:
    """What was got, in few words."""
    try:
        return shown(value)
    except ValueError:  # Python prints no whole number of thousands of digits
        return "a number too long to show"
