"""Filled areas, drawn from the same columns as lines."""

from __future__ import annotations

from typing import Any

import holoviews as hv
from bokeh.models import Patch

from .layers import BACKEND, Columns, Layer


def area(color: str, alpha: float = 0.2) -> Layer:
    """What the columns x and y go around, filled."""

    def make(columns: Columns) -> Any:
        element = hv.Curve((columns["x"], columns["y"]), "x", "y")
        return element.opts(
            backend=BACKEND, color=color, alpha=0, line_width=0, show_legend=False, hooks=[_filled(color, alpha)]
        )

    return Layer(make)


def _filled(color: str, alpha: float):
    def hook(plot, element) -> None:
        figure, line, source = plot.state, plot.handles["glyph_renderer"], plot.handles["source"]
        if line.tags != ["filled"]:
            line.tags = ["filled"]
            filled = figure.add_glyph(source, Patch(x="x", y="y", fill_color=color, fill_alpha=alpha, line_alpha=0))
            others = [r for r in figure.renderers if r is not filled]
            at = others.index(line)
            figure.renderers = [*others[:at], filled, *others[at:]]

    return hook
