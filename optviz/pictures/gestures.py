"""What a hand does on a plot: whose the wheel is, and how a point is dragged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bokeh.events import MouseLeave, PanStart, Tap
from bokeh.models import CustomJS, WheelZoomTool

KEYS = "{ ctrl: true }"  # with which the wheel zooms a plot that was not clicked
# From a click until the pointer leaves, the wheel is the plot's.
WHEEL = {Tap: "{}", PanStart: "{}", MouseLeave: KEYS}

# A drag that begins on the point moves it to the pointer. Positions are the pointer's own,
# so that an answer of the server on its way cannot disturb them. The point stops at the edges
# of what was on view: the picture grows to hold it, and would run away under the pointer.
DRAG = {
    "panstart": """
        const [w, h] = [figure.x_range.end - figure.x_range.start, figure.y_range.end - figure.y_range.start];
        const [dx, dy] = [(cb_obj.x - source.data.x[0]) / w, (cb_obj.y - source.data.y[0]) / h];
        figure._held = Math.hypot(dx * figure.inner_width, dy * figure.inner_height) < 26;
        figure._frame = [figure.x_range, figure.y_range].map(({start, end}) => [start, end]);
    """,
    "pan": """
        const within = (place, [start, end]) => Math.min(Math.max(place, start), end);
        if (figure._held) figure.tags = [cb_obj.x, cb_obj.y].map((place, i) => within(place, figure._frame[i]));
    """,
    "panend": "figure._held = false;",
}
EDITED = "edited"  # tags the glyph of points that can be added, moved and removed (assets/points.js)
DRAGGED = "dragged"  # tags the glyph of a point that follows a finger, which must not scroll the page


def yield_wheel(figure: Any) -> None:
    """Let the wheel scroll the page, unless the plot was clicked or Ctrl is held: a plot fills a small window."""
    for tool in figure.toolbar.tools:
        if isinstance(tool, WheelZoomTool) and not tool.modifiers:
            tool.modifiers = {"ctrl": True}
            figure.toolbar.active_scroll = tool
            for event, keys in WHEEL.items():
                code = f"tool.setv({{ modifiers: {keys} }}, {{ sync: false }})"
                figure.js_on_event(event, CustomJS(args={"tool": tool}, code=code))


def let_move(figure: Any, model: Any, glyphs: Mapping[str, Any], picked: Callable[[float, float], list[float]]) -> None:
    """Let a figure be tapped, its point dragged or moved by arrow keys, or what a tap chooses moved by them.

    The browser (here, and assets/keys.js) writes where drag and keys have led into the model's tags; the figure is told
    what is `picked` there.
    """
    if (tap := figure.tap) is not None:
        model.on_event("tap", lambda event: tap(*picked(event.x, event.y)))
    if figure.edit is not None:
        _let_edit(model, glyphs[figure.edit[0]], figure.edit[1], picked)
    elif figure.drag is not None:
        _let_drag(model, glyphs[figure.drag[0]])
    elif figure.arrows is not None:
        layer, unit = figure.arrows
        step = {"cells": unit, "unit": 0.0} if isinstance(unit, str) else {"unit": unit}
        glyphs[layer].tags = [{"moved": step}]
    if (moved := figure.moved) is not None:
        model.on_change("tags", lambda attr, old, new: moved(*picked(float(new[0]), float(new[1]))))


def _let_drag(figure: Any, glyph: Any) -> None:
    figure.toolbar.active_drag = None  # or the plot would pan under the hand
    glyph.tags = [DRAGGED]
    args = {"figure": figure, "source": glyph.data_source}
    for event, code in DRAG.items():
        figure.js_on_event(event, CustomJS(args=args, code=code))


def _let_edit(
    figure: Any, glyph: Any, edit: Callable[..., None], picked: Callable[[float, float], list[float]]
) -> None:
    """Let points be added, moved and removed: the browser writes what has been done, to which, and where."""
    glyph.tags = [EDITED]

    def told(attr: str, old: Any, new: Any) -> None:
        edit(str(new[0]), int(new[1]), *picked(float(new[2]), float(new[3])))

    figure.on_change("tags", told)
