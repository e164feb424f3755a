"""Arrays in, HoloViews elements out; every colour and size of the pictures lives here.

A layer maker takes a dict of named columns and returns an element whose Bokeh source has
the same columns, so that a page can push new columns into what was drawn once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import holoviews as hv
import holoviews.plotting.bokeh  # noqa: F401  what draws elements: no extension, which would be for the whole process
import numpy as np
from bokeh.models import Line, NoOverlap, Scatter, WheelZoomTool

from .gestures import yield_wheel
from .plot_hooks import saying

BACKEND = "bokeh"  # whichever a user has chosen for pictures of his own
# Inks read on both grounds, and series stay apart for eyes without red or green cones (tests/test_colours.py).
GROUNDS = ("#ffffff", "#181818")  # of a light and of a dark page
BLUE, ORANGE, TEAL, PURPLE, PLUM = "#4e80f7", "#e8590c", "#1e965a", "#6c34ff", "#b74472"
SKY, RUST, SLATE = "#589bc9", "#b43c1e", "#3a69a5"
GREY, RED, BLACK = "#8a94a3", "#d6294b", "#111111"
EIGHT = (BLUE, TEAL, SKY, PLUM, PURPLE, ORANGE, RUST, SLATE)
INKS = {"blue": BLUE, "teal": TEAL, "sky": SKY, "plum": PLUM, "purple": PURPLE, "orange": ORANGE, "rust": RUST,
        "slate": SLATE, "red": RED, "grey": GREY}  # fmt: skip
ANCHORS = ("#122c47", "#1b4a72", "#2a7ba6", "#5fa9c4", "#a5cfd7", "#dcebe9", "#f6f8f3")  # deep is low


EMBERS = ("#f7b267", "#e8703a", "#b8321f", "#6b1226", "#2b0a12")  # what diverges, dark the faster


def _palette(anchors: Sequence[str] = ANCHORS, size: int = 256) -> list[str]:
    """The anchors blended into `size` colours."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in anchors], dtype=float)
    at = np.linspace(0, len(anchors) - 1, size)
    blended = np.stack([np.interp(at, range(len(anchors)), channel) for channel in rgb.T], axis=1)
    return ["#" + "".join(f"{round(v):02x}" for v in row) for row in blended]


PALETTE = _palette()

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Layer:
    """How a layer is drawn from its columns, and how a key shows it: its label, colour, symbol and outline.

    One that a page's player fills (see `optviz.pictures.playheads`) is `empty` in drawings.
    """

    draw: Callable[..., Any]
    label: str = ""
    color: str = ""
    symbol: str = "solid"
    edge: str = "none"
    empty: Columns | None = None
    steps: bool = False  # whether its points are the steps of a run

    def __call__(self, columns: Columns, *limits: Any) -> Any:
        return self.draw(columns, *limits)


@dataclass
class Figure:
    """One plot: static elements drawn once, live layers by name, fixed limits, labels."""

    name: str
    layers: Mapping[str, Callable[[Columns], Any]]
    static: Callable[[], Sequence[Any]] = tuple
    xlabel: str = ""
    ylabel: str = ""
    logy: bool = False
    height: int = 240
    bare_x: bool = False
    tools: Sequence[str] = ()
    active: Sequence[str] = ()
    hooks: Sequence[Callable] = ()
    legend: str | None = None
    tap: Callable[[float, float], None] | None = None
    arrows: tuple[str, float | str] | None = None  # what keys move by `tap`: a layer, its unit or cells
    link: str | None = None
    drag: tuple[str, Callable[[float, float], None]] | None = None
    edit: tuple[str, Callable[[str, int, float, float], None]] | None = None  # a layer whose points a hand edits
    span: Callable[[float, float, float, float], None] | None = None  # told what pan and zoom bring into view

    @property
    def moved(self) -> Callable[[float, float], None] | None:
        """What is told where arrow keys or a drag have moved a point."""
        return self.drag[1] if self.drag else self.tap if self.arrows else None


@dataclass
class Drawing:
    """What a figure shows now: the columns of each layer, the limits, title and legend texts.

    `axes`, by "x" and "y", may say of an axis its `label`, the `places` and `texts` of its ticks, and of its
    range what `axis_ranges.range_of` takes. `hover` is what a `pointer` says, in Bokeh's names for the numbers; for any
    other figure what its image holds, in words after "log " if that is the log10, "powers across", "down" where heights
    are the negative of what they stand for, or "names first=SGD" (`readings.js`). One that is not `shown` takes no room
    on a page.
    """

    layers: dict[str, Columns]
    xlim: tuple[float, float]
    ylim: tuple[float, float]
    title: str = ""
    legend: dict[str, str] = field(default_factory=dict)
    limits: dict[str, tuple[float, float]] = field(default_factory=dict)
    axes: dict[str, dict[str, Any]] = field(default_factory=dict)
    hover: str = ""
    shown: bool = True

    def element(self, name: str, make: Callable) -> Any:
        """The element of one layer as it stands."""
        columns = self.layers[name] if name in self.layers else getattr(make, "empty", None)
        if columns is None:
            raise KeyError(name)
        return make(columns, self.limits[name]) if name in self.limits else make(columns)


def curve(color: str, label: str = "", x: str = "x", y: str = "y", path: bool = False, **style: Any) -> Callable:
    """A line through the columns x and y; a `path` is cased in white and dotted at its steps."""
    style = {"line_width": 2, "hooks": [_as_path] if path else [], **style}

    def make(columns: Columns):
        element = hv.Curve((columns[x], columns[y]), x, y, label=label)
        return element.opts(backend=BACKEND, color=color, show_legend=bool(label), **style)

    edge = "white" if set(style["hooks"]) & {_as_path, cased} else "none"
    return Layer(make, label, color, style.get("line_dash", "solid"), edge, steps=path)


DOTTED = 61  # the most points that get a mark each: thousands of marks take 150 ms to paint


def _as_path(plot, element) -> None:
    """Case the line in white, to stand out from an image, and mark its points, all from one source."""
    figure, line, source = plot.state, plot.handles["glyph_renderer"], plot.handles["source"]
    dots = [r for r in figure.renderers if r.name == "dots"]
    if not dots:
        wide = Line(x="x", y="y", line_color="white", line_width=line.glyph.line_width + 2.3, line_alpha=0.65)
        case = figure.add_glyph(source, wide, name="casing")
        dot = Scatter(x="x", y="y", size=4.5, fill_color=line.glyph.line_color, line_color="white", line_width=0.6)
        dots = [figure.add_glyph(source, dot, name="dots")]
        figure.renderers = [r for r in figure.renderers if r not in (case, dots[0])]
        at = figure.renderers.index(line)
        figure.renderers = [*figure.renderers[:at], case, line, dots[0], *figure.renderers[at + 1 :]]
    dots[0].visible = len(element) <= DOTTED


def cased(plot, element) -> None:
    """Case a line in white, from the same source, to stand out from an image."""
    figure, line, source = plot.state, plot.handles["glyph_renderer"], plot.handles["source"]
    if line.tags != ["cased"]:
        wide = Line(x="x", y="y", line_color="white", line_width=line.glyph.line_width + 2.3, line_alpha=0.65)
        case = figure.add_glyph(source, wide, name="casing")
        line.tags = ["cased"]
        others = [r for r in figure.renderers if r is not case]
        at = others.index(line)
        figure.renderers = [*others[:at], case, *others[at:]]


def marks(color: str, marker: str = "circle", size: float = 6, label: str = "", x="x", y="y", **style) -> Callable:
    """A marker at each (x, y)."""

    def make(columns: Columns):
        element = hv.Points((columns[x], columns[y]), [x, y], label=label)
        return element.opts(backend=BACKEND, color=color, marker=marker, size=size, show_legend=bool(label), **style)

    return Layer(make, label, color, marker, style.get("line_color", "none"))


def stars() -> dict[str, Callable]:
    """The layers of minima, as `scene.star_columns` fills them: the lowest filled, the others hollow."""
    lowest = marks("#ffd43b", "star", 17, "minimum", line_color="#5c4400")
    hollow = marks("#ffd43b", "star", 13, "local minimum", fill_alpha=0, line_width=2)
    return {"minima": lowest, "local": replace(hollow, symbol="hollow star", edge="#5c4400")}


def off_scale_marks() -> dict[str, Callable]:
    """The layers of `scene.off_scale`: triangles at the edges of a plot."""
    return {"above": marks(RED, "triangle", 9), "below": marks(RED, "inverted_triangle", 9)}


def stems(color: str, label: str = "", width: float = 1.5, **style: Any) -> Callable:
    """Line segments from (x0, y0) to (x1, y1)."""

    def make(columns: Columns):
        rows = tuple(columns[k] for k in ("x0", "y0", "x1", "y1"))
        element = hv.Segments(rows, ["x0", "y0", "x1", "y1"], label=label)
        return element.opts(backend=BACKEND, color=color, line_width=width, show_legend=bool(label), **style)

    return Layer(make, label, color)


def texts(color: str = BLACK, inward: bool = False, **style: Any) -> Callable:
    """Short text at each (x, y), on a light plate so that it reads on any ground.

    Where it stands `inward` columns say how: `text_align` and `text_baseline`.
    """
    names = ["text_align", "text_baseline"] if inward else []
    usual = {name: hv.dim(name) for name in names} or {"text_align": "left", "text_baseline": "bottom"}
    style = {"text_font_size": "11px", **usual, **style}

    def make(columns: Columns):
        rows = tuple(columns[name] for name in ("x", "y", "text", *names))
        element = hv.Labels(rows, ["x", "y"], ["text", *names])
        plate = {"background_fill_color": "white", "background_fill_alpha": 0.78, "padding": 3,
                 "border_radius": 3}  # fmt: skip
        return element.opts(backend=BACKEND, text_color=color, hooks=[_style_glyph(plate)], **style)

    return make


def _style_glyph(settings: dict[str, Any]) -> Callable:
    def hook(plot, element):
        glyph = plot.handles["glyph"]
        glyph.update(**{k: v for k, v in settings.items() if k in glyph.properties()})

    return hook


def bands(color: str, alpha: float = 0.15) -> Callable:
    """Filled rectangles from (x0, y0) to (x1, y1)."""

    def make(columns: Columns):
        rows = tuple(columns[k] for k in ("x0", "y0", "x1", "y1"))
        element = hv.Rectangles(rows, ["x0", "y0", "x1", "y1"])
        return element.opts(backend=BACKEND, color=color, alpha=alpha, line_alpha=0)

    return make


def embers(label: str = "") -> Callable:
    """A `surface` in the colours of what diverges."""
    return surface(_palette(EMBERS), label)


def surface(palette: Sequence[str] = PALETTE, label: str = "") -> Layer:
    """An image of values (rows from the bottom) over a box, coloured between given limits; a key shows the scale."""

    def make(columns: Columns, limits: tuple[float, float] = (0.0, 1.0)):
        x0, y0, x1, y1 = (float(columns[k][0]) for k in ("x", "y", "x1", "y1"))
        values = np.asarray(columns["image"][0])
        height = hv.Dimension("height", range=limits)  # known, or an image without a number would warn
        element = hv.Image(values[::-1], ["x", "y"], height, bounds=(x0, y0, x1, y1))
        return element.opts(backend=BACKEND, cmap=list(palette), clim=limits)

    return Layer(make, label, ", ".join(palette[:: max(len(palette) // 8, 1)]), "scale")


BASINS = ("#4c78a8", "#72b7b2", "#8cc27a", "#b279a2", "#e3c44b", "#9d755d", "#76b7f2", "#d98880", "#c9a5d6", "#5f8f6f",
          "#c3c8cf", "#6d1f2c")  # fmt: skip


def basins(label: str = "") -> Layer:
    """A `surface` of kinds: ten colours in turn for minima, grey (10) for none, dark red (11) for divergence."""
    part = 100 / len(BASINS)
    shares = [f"{color} {part * k:.3g}% {part * (k + 1):.3g}%" for k, color in enumerate(BASINS)]
    return replace(surface(BASINS, label), color=", ".join(shares))


def lines(color: str, alpha: float = 1.0, width: float = 1.0) -> Callable:
    """Many lines, each an entry of the columns xs and ys."""

    def make(columns: Columns):
        paths = [np.column_stack(pair) for pair in zip(columns["xs"], columns["ys"], strict=True)]
        element = hv.Path(paths, ["x", "y"])
        return element.opts(backend=BACKEND, color=color, alpha=alpha, line_width=width, show_legend=False)

    return make


def image_columns(values: np.ndarray, box: Sequence[float]) -> dict[str, Any]:
    """The columns of a `surface`: values (rows from the bottom) over (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    return {"image": [np.asarray(values, dtype=np.float32)], "x": [x0], "y": [y0], "x1": [x1], "y1": [y1]}


def guides(values: Sequence[float], color: str = GREY, dash: str = "dotted"):
    """Horizontal lines across the plot, drawn once."""
    return [hv.HLine(v).opts(backend=BACKEND, color=color, line_dash=dash, line_width=1) for v in values]


def compose(figure: Figure, drawing: Drawing, elements: Sequence[Any], captioned: bool = False):
    """The overlay of a figure's elements with the options they share.

    A `captioned` figure has its title and key beside it (`caption`), not within.
    """
    legend = figure.legend is not None and not captioned
    options = {
        "xlim": drawing.xlim, "ylim": drawing.ylim, "title": "" if captioned else drawing.title, "logy": figure.logy,
        **_named_axes(figure, drawing), "responsive": True, "height": figure.height,
        "min_width": 150, "apply_ranges": False, "toolbar": "above", "show_grid": True,
        "default_tools": ["pan", "wheel_zoom", "reset", "save"],
        "active_tools": list(figure.active), "hooks": [_finish, *figure.hooks],
        "fontsize": {"title": "12px", "labels": "12px", "ticks": "11px", "legend": "11px"},
        "xaxis": None if figure.bare_x else "bottom",
        "legend_position": figure.legend or "top_right", "show_legend": legend,
        "shared_axes": figure.link is not None,
    }  # fmt: skip
    if figure.link is None:
        options["hooks"] = [*options["hooks"], _apart]
    if legend:
        options["hooks"] = [*options["hooks"], _keyed(drawing.legend)]
    if drawing.hover:
        options["hooks"] = [*options["hooks"], saying(drawing.hover)]
    return hv.Overlay(list(elements)).opts(backend=BACKEND, **options)


# Bokeh's is a white band across the plot; the ground is called otherwise on a page with a template and on one without
TOOLBAR = """:host(.bk-inner) { width: max-content !important; max-width: 100%; box-sizing: border-box;
  padding-left: 18px; margin-left: auto; opacity: 1; border-radius: 0 0 0 6px;
  background: color-mix(in srgb, var(--fill-color, var(--ground, white)) 82%, transparent); }
[role="button"]:focus-visible { outline: 2px solid #2f6fde; outline-offset: -2px; }
@media (prefers-reduced-motion: reduce) { :host(.bk-hidden) { transition: none; } }
@media (forced-colors: active) {
  :host(.bk-inner) { forced-color-adjust: none; background: Canvas; --icon-color: CanvasText; } }"""


def _named_axes(figure: Figure, drawing: Drawing) -> dict[str, Any]:
    """HoloViews' options for the names and the ticks of both axes, the drawing's where it says them."""
    options: dict[str, Any] = {"xlabel": figure.xlabel, "ylabel": figure.ylabel}
    for name, look in drawing.axes.items():
        if "label" in look:
            options[f"{name}label"] = look["label"]
        if "places" in look:
            options[f"{name}ticks"] = list(zip(look["places"], look["texts"], strict=True))
    return options


def _finish(plot, element) -> None:
    """What HoloViews has no option for: quiet grid, a legend that clicks, no logo."""
    figure = plot.state
    figure.output_backend = "canvas"  # beats WebGL where there is no GPU: 6 ms against 150 for 23,640 points
    yield_wheel(figure)
    figure.toolbar.logo = None
    figure.toolbar.autohide = True
    figure.toolbar_inner = True
    figure.toolbar.stylesheets = [TOOLBAR]
    for tool in figure.toolbar.tools:
        if isinstance(tool, WheelZoomTool):
            tool.maintain_focus = False  # or an axis at its bounds would keep the other from zooming out
    figure.grid.grid_line_alpha = 0.35
    figure.outline_line_alpha = 0.2
    for axis in figure.axis:
        axis.minor_tick_line_color = None
        if hasattr(axis.formatter, "power_limit_high"):
            axis.formatter.power_limit_high = 6  # 250000, not 2.500e+5
        axis.major_label_policy = NoOverlap(min_distance=6)
        if hasattr(axis.ticker, "desired_num_ticks"):  # a drawing may give its own ticks
            axis.ticker.desired_num_ticks = 5 if figure.height and figure.height < 240 else 6
    figure.min_border_left, figure.min_border_right, figure.min_border_top = 58, 12, 8
    for legend in figure.legend:
        legend.background_fill_alpha = 0.75
        legend.border_line_alpha = 0
        legend.padding, legend.spacing, legend.margin = 5, 1, 6
        legend.click_policy = "hide"


def _apart(plot, element) -> None:
    """Keep figures beside this one off its ranges: HoloViews links axes of one name, and all here are x and y."""
    plot.state.x_range.tags = plot.state.y_range.tags = []


def _keyed(said: Mapping[str, str]) -> Callable:
    """A hook that has the legend say what a caption does: other words for a label, none where they are empty."""

    def hook(plot, element):
        for item in (item for legend in plot.state.legend for item in legend.items):
            item.name = item.name or item.label.value  # its label to HoloViews, whatever it says by now
            text = said.get(item.name, item.name)
            item.update(label={"value": text or item.name}, visible=bool(text))

    return hook


def heights(values: np.ndarray, lowest: float | None) -> tuple[np.ndarray, tuple[float, float], bool]:
    """How to colour a landscape: values above the lowest, colour limits, whether log.

    Log where the values span decades. Under the lower limit the colour no longer changes.
    """
    finite = values[np.isfinite(values)]
    base = finite.min() if lowest is None else min(lowest, finite.min())
    above = values - base
    top, middle = float(finite.max() - base), float(np.median(finite) - base)
    if top <= 0:
        return above, (0.0, 1.0), False
    if top < 4 * middle:
        return above, (0.0, top), False
    return above, (top * 1e-4 if top / middle < 100 else top * 1e-5, top), True


def levels(limits: tuple[float, float], log: bool, count: int = 14) -> np.ndarray:
    """Heights at which to draw level lines."""
    low, high = limits
    if log:
        return np.geomspace(low, high, count + 2)[1:-1]
    return np.linspace(low, high, count + 2)[1:-1]
