"""Layers that stay empty until a page's player walks through a run: where a step stands, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import holoviews as hv
import numpy as np

from .layers import (
    BACKEND,
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PLUM,
    PURPLE,
    RED,
    RUST,
    SLATE,
    TEAL,
    Columns,
    Layer,
    curve,
    texts,
)
from .scene import EMPTY, arrows, nice

INKS = (RED, TEAL, PURPLE, BLUE, PLUM, RUST, SLATE, ORANGE)  # of arrows, in the order of a step's parts
REACH = 0.22  # the longest arrow of a part, in frames
NO_STEMS = {name: np.empty(0) for name in ("x0", "y0", "x1", "y1")}


def moment(size: float = 11, line: bool = True) -> dict[str, Layer]:
    """The layers of `at_step`: a mark on each curve, and a line across all of them."""
    mark = Layer(_dots(size), empty={**EMPTY, "color": np.empty(0, dtype=object)})
    across = replace(curve(GREY, line_width=1), empty=EMPTY)
    return {"moment": across, "playhead": mark} if line else {"playhead": mark}


def step_arrows() -> dict[str, Layer]:
    """The layers of `arrow_columns`: arrows cased in white, and what they are."""
    return {
        "arrow cases": Layer(_segments(5.5, "white"), empty=NO_STEMS),
        "arrows": Layer(_segments(2.6), empty={**NO_STEMS, "color": np.empty(0, dtype=object)}),
        "arrow names": Layer(texts(BLACK, inward=True), empty={
            **EMPTY, **{name: np.empty(0, dtype=object) for name in ("text", "text_align", "text_baseline")}}),
    }  # fmt: skip


def _dots(size: float) -> Any:
    """Marks each of its own colour, edged to be seen on every ground."""

    def make(columns: Columns):
        element = hv.Points(tuple(columns[name] for name in ("x", "y", "color")), ["x", "y"], ["color"])
        look = {"line_color": BLACK, "line_width": 2.5, "size": size, "show_legend": False}
        return element.opts(backend=BACKEND, color=hv.dim("color"), **look)

    return make


def _segments(width: float, color: str = "") -> Any:
    """Line segments of one colour, or each of its own."""
    names = [] if color else ["color"]

    def make(columns: Columns):
        rows = tuple(columns[k] for k in ("x0", "y0", "x1", "y1", *names))
        element = hv.Segments(rows, ["x0", "y0", "x1", "y1"], names)
        ink = color or hv.dim("color")
        return element.opts(backend=BACKEND, color=ink, line_width=width, line_cap="round", show_legend=False)

    return make


def marked(xs: Any, ys: Any, colors: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The columns of `playhead`: points of these colours, or white; what is not finite is left out."""
    x, y = np.array(xs, dtype=float).ravel(), np.array(ys, dtype=float).ravel()
    seen = np.isfinite(x) & np.isfinite(y)
    inks = [colors[i] if len(colors) > 0 else "white" for i in range(len(x)) if seen[i]]
    return {"x": x[seen], "y": y[seen], "color": np.array(inks, dtype=object)}


def at_step(step: float, values: Any, ylim: Sequence[float], colors: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Marks at a step of curves with these values there, and the line across; none beyond the frame."""
    ys = np.array(values, dtype=float).ravel()
    shown = np.where((ys >= ylim[0]) & (ys <= ylim[1]), ys, np.nan)
    return {
        "playhead": marked(np.full(len(ys), float(step)), shown, colors),
        "moment": {"x": np.array([float(step), float(step)]), "y": np.array([float(ylim[0]), float(ylim[1])])},
    }


def arrow_scale(values: np.ndarray, across: int, up: int, box: Sequence[float]) -> float:
    """What a part of all steps (n, 2) is multiplied by to be drawn, 1, 2 or 5 times a power of ten: the longest
    reaches at most `REACH`. `across` and `up` are the columns along the frame's axes.
    """
    x0, y0, x1, y1 = box
    longest = np.maximum(np.abs(values[:, across]) / (x1 - x0), np.abs(values[:, up]) / (y1 - y0))
    known = longest[np.isfinite(longest) & (longest > 0)]
    if len(known) == 0:
        return 1.0
    return 1 / nice(float(np.max(known)) / REACH)


def arrow_columns(
    origin: Sequence[float], parts: Sequence[Mapping[str, Any]], box: Sequence[float]
) -> dict[str, dict[str, Any]]:
    """Arrows of a step's parts from one point, each with `vector`, `scale`, `color` and `text`."""
    x0, y0, x1, y1 = box
    head = 0.02 * max(x1 - x0, y1 - y0)
    both = [(p, arrows((origin[0], origin[1]), np.array(p["vector"]) * p["scale"], head)) for p in parts]
    seen = [(part, arrow) for part, arrow in both if len(arrow["x0"]) > 0]
    stems = {n: np.array([v for _, arrow in seen for v in arrow[n]], dtype=float) for n in ("x0", "y0", "x1", "y1")}
    xs, ys = [float(arrow["x1"][0]) for _, arrow in seen], [float(arrow["y1"][0]) for _, arrow in seen]
    return {
        "arrow cases": stems,
        "arrows": {**stems, "color": np.array([part["color"] for part, _ in seen for _ in range(3)], dtype=object)},
        "arrow names": {
            "x": np.array(xs, dtype=float), "y": np.array(ys, dtype=float),
            "text": np.array([part["text"] for part, _ in seen], dtype=object),
            "text_align": np.array(["left" if x >= origin[0] else "right" for x in xs], dtype=object),
            "text_baseline": np.array(["bottom" if y >= origin[1] else "top" for y in ys], dtype=object),
        },
    }  # fmt: skip
