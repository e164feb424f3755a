"""Where things stand on a page: controls beside pictures, one column on a phone."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import panel as pn
import param

from .insides import Whole, models_of


@cache
def stylesheet(name: str) -> str:
    """The text of a style sheet that comes with the package."""
    return files("optviz").joinpath("assets", name).read_text("utf-8")


@cache
def page_script() -> str:
    """The script that tends Bokeh's views on every page."""
    return "".join(
        map(
            stylesheet,
            ("values.js", "formula.js", "folds.js", "readings.js", "keys.js", "points.js", "speech.js", "page.js"),
        )  # fmt: skip
    )


@cache
def favicon() -> str:
    """The project's own picture for a browser's tab, as an address that holds it."""
    return f"data:image/svg+xml;base64,{b64encode(stylesheet('favicon.svg').encode()).decode()}"


def area(name: str, *children: Any, **options: Any) -> pn.Column:
    """One named area of the page."""
    return pn.Column(*children, css_classes=[f"area-{name}"], sizing_mode="stretch_width", margin=0, **options)


def _room(rows: int, columns: int) -> str:
    """What a phone leaves a picture where so many rows of them are shown, or more."""
    last = f":host > :nth-last-child(n + {columns * (rows - 1) + 1} of .shown)"
    return f"{last}, {last} ~ * {{ --room: calc(var(--whole) / {rows} - {6 * (rows - 1)}px); }}"


def grid(*children: Any, columns: int = 1, narrow: int = 1, phone: int = 1) -> pn.Column:
    """Children in equal columns, fewer in a narrow window and on a phone, two where they are four on the stage."""
    wide = f"var(--stage-columns, {columns})" if columns > 3 else columns
    size = f":host {{ --columns: {wide}; --columns-narrow: {narrow}; --columns-phone: {phone}; }}"
    rooms = " ".join(_room(row, phone) for row in range(1, math.ceil(len(children) / phone) + 1))
    room = f"@media (max-width: 760px) {{ {rooms} }}"
    stage = ":host > * { --stage: var(--stage-half); }" if columns > 3 else ""  # two rows of two
    sheets = [stylesheet("grid.css"), size, room, *([stage] if stage else [])]
    return pn.Column(*children, stylesheets=sheets, sizing_mode="stretch_width", margin=0)


def html(text: str, kind: str) -> pn.pane.HTML:
    """A block of text in the page's type."""
    return pn.pane.HTML(wrapped(text, kind), stylesheets=[stylesheet("text.css")], margin=0,
                        sizing_mode="stretch_width")  # fmt: skip


def under_knobs(*blocks: Any) -> pn.Column:
    """Blocks of text below controls, in line with them."""
    return pn.Column(*blocks, sizing_mode="stretch_width", margin=(6, 10, 0, 10))


def wrapped(text: str, kind: str) -> str:
    """The HTML of a text block; empty text takes no room."""
    return f'<div class="{kind}">{typeset(text)}</div>' if text else ""


def typeset(text: str) -> str:
    """A text with its numbers as a page has them: a true minus, e240 for e+240, nothing at which a line may break.

    Tags and formulas stay as they are.
    """
    parts = re.split(r"(<math[\s\S]*?</math>|<[^>]*>)", text)
    parts[::2] = _numbers("\0".join(parts[::2])).split("\0")  # at once: a table has a hundred parts
    return "".join(parts)


def _numbers(text: str) -> str:
    short = re.sub(r"(\d)e\+?0*(\d)", r"\1e\2", text)
    small = re.sub("(\\d)e[-\u2212]0*(\\d)", "\\1e\u2212\\2", short)
    signed = re.sub(r"(?<![A-Za-z0-9_.)\]-])-(?=\.?\d)", "\u2212", small)
    return re.sub(r"(\d) %", "\\1\u00a0%", signed)


# Heights are for a window 900 px high; where pictures stand beside each other they grow and shrink with it. On a phone
# no figure is higher than it is wide; the first, which stays in view, has the `--room` that `layout.css` leaves it.
TALL = "@media ({window}) {{ :host {{ height: {height} !important; flex-basis: {height} !important; }} }}"


def heights_of(usual: int) -> str:
    """The style sheet of a figure that is so high in a window of 900 px."""
    grown = f"clamp({round(0.78 * usual)}px, {usual / 9:.4g}vh, {round(1.6 * usual)}px)"
    phone = f"min({usual}px, 94vw, var(--room, 94vw))"
    sheets = {"min-width: 1101px": f"min({grown}, var(--room, 100vh))", "max-width: 760px": phone}
    return " ".join(TALL.format(window=window, height=f"var(--stage, {height})") for window, height in sheets.items())


def frame(side: Any, hero: Any, rest: Any, notes: Any, beside: bool = False) -> pn.Column:
    """The page: controls, the main picture, further pictures (below or beside), the notes."""
    return Whole(
        area("side", *side), area("hero", *hero), area("rest", *rest), area("notes", *notes),
        css_classes=["beside"] if beside else [], stylesheets=[stylesheet("layout.css")],
        sizing_mode="stretch_width", margin=(4, 0),
    )  # fmt: skip


def shading(start: float, low: float, high: float) -> str:
    """The style of a slider from `low` to `high` that is shaded from `start` on, until the variable says otherwise."""
    return shaded(f"var(--unstable, {share(start, low, high)})")


def share(start: float, low: float, high: float) -> str:
    """How far along a slider from `low` to `high` a value stands."""
    return f"{100 * min(max((start - low) / (high - low), 0.0), 1.0):.1f}%"


def shaded(start: str) -> str:
    """The style of a slider whose part from this far along is shaded."""
    red = "rgba(214, 41, 75, 0.4)"
    return f".noUi-connects {{ background: linear-gradient(to right, transparent {start}, {red} {start}); }}"


def show(pane: pn.pane.HTML, text: str) -> None:
    """Put another text into a block, in every place that shows it.

    Setting `pane.object` makes Panel build the block's style sheets anew, 4 ms a text.
    """
    if pane.object == text:
        return
    with param.parameterized.discard_events(pane):
        pane.object = text
    for model in models_of(pane):
        model.text = escape(text)
