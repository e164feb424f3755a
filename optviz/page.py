"""A live page: drawn once by HoloViews, then kept up to date by pushing arrays.

Redrawing a DynamicMap costs 25 to 60 ms in Python; pushing arrays into the sources that
HoloViews made costs 0.1 ms. Every figure keeps its own list of what it drew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import panel as pn
from bokeh.document import Document
from bokeh.models import CustomJS, GlyphRenderer, PointDrawTool

from .layout import html, wrapped
from .plots import Drawing, Figure, compose

if TYPE_CHECKING:
    from .experiment import Experiment


DRAGGED = """
const [x, y] = [source.data.x[0], source.data.y[0]];
if (x !== figure.tags[0] || y !== figure.tags[1]) figure.tags = [x, y];
"""

# what Bokeh calls the corners of a rectangle
EDGES = {"left": "x0", "bottom": "y0", "right": "x1", "top": "y1"}


class LiveFigure:
    """One figure on one page: a copy of what HoloViews drew, and the models to push into."""

    def __init__(self, figure: Figure, experiment: Experiment):
        self.figure = figure
        self.model = _copy(drawn(figure, experiment))
        named = {m.name: m for m in self.model.references() if m.name}
        self.sources = {layer: named[f"{figure.name}.{layer}"] for layer in figure.layers}
        self.mappers = {k[7:]: m for k, m in named.items() if k.startswith("colour ")}
        self.shown: dict[str, Mapping[str, Any]] = {}
        self.push(experiment.drawings[figure.name])
        if figure.tap is not None:
            tap = figure.tap
            self.model.on_event("tap", lambda event: tap(event.x, event.y))
        if figure.drag is not None:
            self._make_draggable(named[f"glyph {figure.drag[0]}"], *figure.drag)
        self.pane = pn.pane.Bokeh(self.model, sizing_mode="stretch_width", margin=0, height=figure.height)

    def _make_draggable(self, renderer: Any, layer: str, begin: Callable) -> None:
        """Let the layer's point be dragged: the browser writes where it is into the figure's tags."""
        tool = PointDrawTool(renderers=[renderer], add=False, num_objects=1)
        self.model.add_tools(tool)
        self.model.toolbar.active_drag = tool
        moved = CustomJS(args={"source": renderer.data_source, "figure": self.model}, code=DRAGGED)
        renderer.data_source.js_on_change("change", moved)

        def dragged(attr: str, old: Any, new: Any) -> None:
            # the browser's point is where it should be: pushing it back would fight the hand
            self.shown[layer] = {"x": np.array([new[0]]), "y": np.array([new[1]])}
            begin(*new)

        self.model.on_change("tags", dragged)

    def push(self, drawing: Drawing) -> None:
        """Send what changed since the last push."""
        for name, columns in drawing.layers.items():
            if not _equal(self.shown.get(name), columns):
                self.sources[name].data = _as_drawn(self.sources[name].data, columns)
                self.shown[name] = columns
        for name, (low, high) in drawing.limits.items():
            _set(self.mappers[name], low=low, high=high)
        _set(self.model.x_range, start=drawing.xlim[0], end=drawing.xlim[1])
        _set(self.model.y_range, start=drawing.ylim[0], end=drawing.ylim[1])
        _set(self.model.title, text=drawing.title)
        for legend in self.model.legend:
            for item in legend.items:
                _relabel(item, drawing.legend)


_DRAWN: dict[tuple[type, str], Any] = {}  # text made from classes alone: nothing of a session


def drawn(figure: Figure, experiment: Experiment) -> Any:
    """The figure as HoloViews draws it, as Bokeh's JSON, its models named by layer.

    HoloViews takes 25 ms an element, a copy from JSON 1 ms: a class is drawn once a process.
    """
    key = (type(experiment), figure.name)
    if key not in _DRAWN:
        drawing = experiment.drawings[figure.name]
        layers = [_named(figure, name, drawing.element(name, make)) for name, make in figure.layers.items()]
        model = hv.render(compose(figure, drawing, [*figure.static(), *layers]), backend="bokeh")
        model.name = figure.name
        _lighten(model)
        document = Document()
        document.add_root(model)
        _DRAWN[key] = document.to_json()
    return _DRAWN[key]


def _lighten(model: Any) -> None:
    """Leave out what a copy does not need: glyphs for selections, and data, pushed later."""
    for renderer in model.renderers:
        if isinstance(renderer, GlyphRenderer):
            renderer.update(selection_glyph=None, nonselection_glyph=None, muted_glyph=None, hover_glyph=None)
            if renderer.data_source.name:
                renderer.data_source.data = {name: [] for name in renderer.data_source.data}


def _named(figure: Figure, layer: str, element: Any) -> Any:
    def name(plot, element):
        plot.handles["source"].name = f"{figure.name}.{layer}"
        plot.handles["glyph_renderer"].name = f"glyph {layer}"
        if "color_mapper" in plot.handles:
            plot.handles["color_mapper"].name = f"colour {layer}"

    return element.opts(hooks=[*element.opts.get().kwargs.get("hooks", []), name])


def _copy(json: Any) -> Any:
    document = Document.from_json(json)
    (model,) = document.roots
    document.clear()
    return model


def _as_drawn(old: Mapping[str, Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    """New columns under the names the drawn source has; an image's box becomes its size."""
    if "image" in columns:
        x0, y0, x1, y1 = (columns[k][0] for k in ("x", "y", "x1", "y1"))
        box = {"x": [x0], "y": [y0], "dw": [x1 - x0], "dh": [y1 - y0]}
        return {"image": list(columns["image"]), **box}
    return {name: _column(columns[EDGES.get(name, name)]) for name in old}


def _column(values: Any) -> Any:
    """One column: an array, or a list of arrays as they are."""
    return (
        values if isinstance(values, list) and len(values) and isinstance(values[0], np.ndarray) else np.asarray(values)
    )


def _relabel(item: Any, texts: Mapping[str, str]) -> None:
    key = item.name or getattr(item.label, "value", "")
    if key in texts:
        item.name = key
        if getattr(item.label, "value", None) != texts[key]:
            item.label = {"value": texts[key]}


def _set(model: Any, **values: Any) -> None:
    changed = {k: v for k, v in values.items() if getattr(model, k) != v}
    if changed:
        model.update(**changed)


def _equal(a: Mapping[str, Any] | None, b: Mapping[str, Any]) -> bool:
    return a is b or (a is not None and all(k in a and _same(a[k], b[k]) for k in b))


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, list) or isinstance(b, list):  # images and bundles of lines: made anew only on change
        return False
    a, b = np.asarray(a), np.asarray(b)
    return np.array_equal(a, b, equal_nan=b.dtype.kind == "f" and a.dtype.kind == "f")


class Page:
    """Controls, pictures and text of one experiment, live."""

    def __init__(self, experiment: Experiment):
        self.experiment = experiment
        self.figures = {f.name: LiveFigure(f, experiment) for f in experiment.figures()}
        self._link_ranges()
        self.status = html(experiment.status(), "status")
        self.message = pn.pane.Alert("", alert_type="danger", visible=False, margin=(0, 0, 8, 0))
        self.blocks = {name: html(text, name) for name, text in experiment.side().items()}
        self.layout = experiment.arrange(self)

    def _link_ranges(self) -> None:
        """Figures of one link pan and zoom together."""
        first: dict[str, Any] = {}
        for live in self.figures.values():
            if live.figure.link is not None:
                leader = first.setdefault(live.figure.link, live.model)
                live.model.update(x_range=leader.x_range, y_range=leader.y_range)

    def pictures(self, *names: str) -> list[Any]:
        """The panes of these figures."""
        return [self.figures[name].pane for name in names]

    def push(self) -> None:
        """Bring the page up to date, as one message to the browser."""
        with pn.io.hold():
            self._show_message(self.experiment.message)
            if self.experiment.message:
                return
            for name, drawing in self.experiment.drawings.items():
                self.figures[name].push(drawing)
            _set_object(self.status, wrapped(self.experiment.status(), "status"))
            for name, text in self.experiment.side().items():
                _set_object(self.blocks[name], wrapped(text, name))

    def _show_message(self, text: str) -> None:
        if text != self.message.object:
            self.message.object = text
        if bool(text) != self.message.visible:
            self.message.visible = bool(text)


def _set_object(pane: Any, text: str) -> None:
    if pane.object != text:
        pane.object = text
