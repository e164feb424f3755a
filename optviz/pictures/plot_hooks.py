"""What HoloViews has no option for: hooks that change the Bokeh figure of an overlay."""

from __future__ import annotations

from collections.abc import Callable

from bokeh.models import CustomJSHover, HoverTool, Image, NoOverlap


def grey_ground(plot, element) -> None:
    """Grey behind an image, where it has no number."""
    plot.state.background_fill_color = "#8a94a3"


def roomy(plot, element) -> None:
    """Leave out the numbers of an axis that would run into each other: deep in, they have 15 digits."""
    for axis in plot.state.axis:
        axis.major_label_policy = NoOverlap(min_distance=8)


# How a `Drawing.hover` has the numbers under the pointer written: $x and $y as `log` or `plain`, by the axis' scale,
# and, at $sx, what an image holds of the cell: log10 of the `loss`, or of that `above` the lowest (of the picture
# where the surface has none: `pictured`), `step` or `rank`.
# the value at a place, with the digits that tell a hundredth of what the axis shows
AT_PLACE = """
const width = Math.abs(range.end - range.start), size = format === "log" ? 10 ** value : value
const unit = (format === "log" ? size * Math.min(2.3 * width, 1) : width) / 100
if (Math.abs(size) < unit / 2) return "0"
const digits = Math.floor(Math.log10(Math.abs(size))) - Math.floor(Math.log10(unit)) + 1
return String(Number(size.toPrecision(Math.min(Math.max(digits, 1), 17)))).replace("e+", "e").replace(/-/g, "\u2212")
"""
# what one of both images has in the cell under the pointer; Bokeh itself would write NaN for the other
AT_CELL = """
const cell = special_vars.image_index?.flat_index
const [stays, gone] = [over, under].map((source) => source.data.image[0]?.[cell])
if (Number.isFinite(gone)) return `grows by ${gone.toPrecision(2)} decades a step`
if (!Number.isFinite(stays)) return "does not come within the tolerance"
if (format === "step") return `arrives at step ${Math.round(stays)}`
if (format === "rank") return `rank ${stays.toPrecision(2)} from 0, the best, to 1`
const loss = String(Number((10 ** stays).toPrecision(2))).replace("e+", "e").replace("-", "\u2212")
const from = { above: " above the lowest", pictured: " above the lowest of the picture" }
return `loss ${loss}${from[format] ?? ""}`
"""


def pointer(layer: str, under: str) -> Callable:
    """A hook that says in a sentence, the drawing's `hover`, what is under the pointer on the images of two layers."""

    def hook(plot, element):
        figure = plot.state
        images = [r for r in figure.renderers if isinstance(getattr(r, "glyph", None), Image)]
        if len(images) == 2 and not any(isinstance(tool, HoverTool) for tool in figure.tools):
            below, above = images  # in the order of the figure's layers
            sources = {"over": above.data_source, "under": below.data_source}
            formatters = {"$x": CustomJSHover(code=AT_PLACE, args={"range": figure.x_range}),
                          "$y": CustomJSHover(code=AT_PLACE, args={"range": figure.y_range}),
                          "$sx": CustomJSHover(code=AT_CELL, args=sources)}  # fmt: skip
            figure.add_tools(HoverTool(name="pointer", tooltips="", renderers=[above], formatters=formatters))

    return hook


def whole(layer: str) -> Callable:
    """A hook that has the marks of a layer shown whole at the edges: Bokeh cuts nothing off on its uppermost level."""

    def hook(plot, element):
        for renderer in plot.state.renderers:
            if renderer.name == f"glyph {layer}":
                renderer.level = "overlay"

    return hook


def saying(said: str) -> Callable:
    """A hook that has a figure's `pointer` say this."""

    def hook(plot, element):
        for tool in plot.state.select({"name": "pointer"}):
            tool.tooltips = said

    return hook
