"""A live page: drawn once by HoloViews, then kept up to date by pushing arrays.

Redrawing a DynamicMap costs 25 to 60 ms in Python; pushing arrays into the sources that
HoloViews made costs 0.1 ms. Every figure keeps its own list of what it drew.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qs

import holoviews as hv
import numpy as np
import panel as pn
from bokeh.document import Document
from bokeh.models import AllIndices, BoxZoomTool, GlyphRenderer, Legend, SaveTool, UnionRenderers
from tornado.ioloop import IOLoop

from ..pictures.axis_ranges import picked, range_of
from ..pictures.captions import caption
from ..pictures.gestures import let_move
from ..pictures.layers import BACKEND, DOTTED, Drawing, Figure, compose
from ..state import sharing
from ..state.subject import Subject
from ..sweeps import cluster
from .controls import OFFERED, close, open_folds, shade
from .insides import see_off
from .layout import heights_of, html, show, stylesheet, wrapped
from .pace import Later, Turn, looping

# what Bokeh calls the corners of a rectangle
EDGES = {"left": "x0", "bottom": "y0", "right": "x1", "top": "y1"}
LOOKS = ("label", "color", "symbol", "edge")  # of a layer


class LiveFigure:
    """One figure on one page: a copy of what HoloViews drew, and the models to push into."""

    def __init__(self, figure: Figure, experiment: Subject):
        self.figure = figure
        self.model = _copy(drawn(figure, experiment))
        named = {m.name: m for m in self.model.references() if m.name}
        self.sources = {layer: named[f"{figure.name}.{layer}"] for layer in figure.layers}
        self.glyphs = {layer: named[f"glyph {layer}"] for layer in figure.layers}
        self.mappers = {k[7:]: m for k, m in named.items() if k.startswith("colour ")}
        self.pointer = named.get("pointer")
        self.dots = named.get("dots")
        self.dotted = self.dots.data_source if self.dots else None
        self.shown: dict[str, Mapping[str, Any]] = {}
        self.settings: dict[str, dict[str, Any]] = {}
        self.framed: dict[str, dict[str, Any]] = {}
        self.looked = False  # whether pan and zoom have been told of to who has not answered yet
        self._label_axes()
        self._push_plot(experiment.drawings[figure.name])
        for layer in figure.layers.keys() - self.shown.keys():
            self._show_or_hide(layer, 0)  # until a player fills it
        if figure.span is not None:
            self.model.on_event("rangesupdate", lambda event: self._look(experiment, event))
        let_move(figure, self.model, self.glyphs, self._picked)
        self.caption = html(caption(figure, experiment.drawings[figure.name]), "caption")
        sheets = [heights_of(figure.height), stylesheet("plot.css")]
        self.model.stylesheets = sheets  # a page without a template takes the model's, one with it the pane's
        plot = pn.pane.Bokeh(
            self.model, sizing_mode="stretch_width", margin=0, height=figure.height, stylesheets=sheets
        )
        self.pane = pn.Column(self.caption, plot, sizing_mode="stretch_width", margin=0)
        self._let_show(experiment.drawings[figure.name].shown)

    def _label_axes(self) -> None:
        """The drawing's labels are those of the class's first experiment."""
        for axis, label in ((self.model.xaxis[0], self.figure.xlabel), (self.model.yaxis[0], self.figure.ylabel)):
            if label:
                self._set(axis, axis_label=label)

    def _picked(self, x: float, y: float) -> list[float]:
        """A place on the figure as a hand can choose it."""
        ranges = (self.model.x_range, self.model.y_range)
        return [picked(float(place), axis.start, axis.end) for place, axis in zip((x, y), ranges, strict=True)]

    def _look(self, experiment: Subject, event: Any) -> None:
        """Tell the experiment what pan and zoom have brought into view; what it does not take is undone."""
        if self.figure.span is not None:
            self.figure.span(event.x0, event.x1, event.y0, event.y1)
            self.looked = experiment.worker is not None and experiment.worker.waits
            if not self.looked:
                with pn.io.hold():
                    self._push_ranges(experiment.drawings[self.figure.name], True)

    def push(self, drawing: Drawing, afresh: bool = False) -> None:
        """Send what changed since the last push; `afresh` undoes what pan and zoom have done to the axes."""
        show(self.caption, wrapped(caption(self.figure, drawing), "caption"))
        if self.pane.visible != drawing.shown:
            self._let_show(drawing.shown)
        self._push_plot(drawing, afresh or self.looked)
        self.looked = False

    def _let_show(self, shown: bool) -> None:
        self.pane.param.update(visible=shown, css_classes=["shown"] if shown else [])

    def _push_plot(self, drawing: Drawing, afresh: bool = False) -> None:
        for name, columns in drawing.layers.items():
            known = self.shown.get(name, {})
            changed = [k for k, values in columns.items() if k not in known or not _same(known[k], values)]
            if changed:
                _put(self.sources[name], columns, changed)
                self._show_or_hide(name, len(next(iter(columns.values()))))
                self.shown[name] = columns
        for name, (low, high) in drawing.limits.items():
            self._set(self.mappers[name], low=low, high=high)
        self._push_ranges(drawing, afresh)
        for name, look in drawing.axes.items():
            self._push_axis(getattr(self.model, f"{name}axis")[0], look)
        if self.pointer is not None:
            self._set(self.pointer, tooltips=drawing.hover)
        elif drawing.hover:
            self._set(self.model.yaxis[0], tags=[{"hover": drawing.hover}])

    def _push_axis(self, axis: Any, look: Mapping[str, Any]) -> None:
        """Give an axis its name and its ticks, where the drawing says them."""
        if "label" in look:
            self._set(axis, axis_label=look["label"])
        if "places" in look:
            texts = dict(zip(look["places"], look["texts"], strict=True))
            self._set(axis.ticker, ticks=look["places"])
            self._set(axis, major_label_overrides=texts)

    def _push_ranges(self, drawing: Drawing, afresh: bool) -> None:
        """Bring the axes to the drawing's limits, from wherever a visitor has panned or zoomed them.

        Where the limits are those of the last drawing axes stay as the visitor has them, unless they are asked
        for `afresh`: during a gesture, what was sent back would cross what the browser sends next.
        """
        for name, limits, log in (("x", drawing.xlim, False), ("y", drawing.ylim, self.figure.logy)):
            wanted = range_of(limits, log, drawing.axes.get(name, {}))
            if self.framed.get(name) != wanted or afresh:
                there = getattr(self.model, f"{name}_range")  # as the browser, whose tools move it, says that it is
                there.update(**{k: value for k, value in wanted.items() if getattr(there, k) != value})
                self.framed[name] = wanted

    def _show_or_hide(self, name: str, size: int) -> None:
        """An empty layer takes as long to paint as a full one, unless it is hidden."""
        self._set(self.glyphs[name], visible=size > 0)
        if self.glyphs[name].data_source is self.dotted:
            self._set(self.dots, visible=size <= DOTTED)

    def _set(self, model: Any, **values: Any) -> None:
        """Set properties that differ from what was set last; asking Bokeh for them is slow."""
        last = self.settings.setdefault(model.id, {})
        changed = {name: value for name, value in values.items() if name not in last or last[name] != value}
        if changed:
            model.update(**changed)
            last |= changed


_DRAWN: dict[tuple, Any] = {}  # text made from classes alone: nothing of a session


def drawn(figure: Figure, experiment: Subject) -> Any:
    """The figure as HoloViews draws it, as Bokeh's JSON, its models named by layer.

    HoloViews takes 25 ms an element, a copy from JSON 1 ms: a class is drawn once a process.
    """
    key = (type(experiment), *look_of(figure))
    if key not in _DRAWN:
        drawing = experiment.drawings[figure.name]
        layers = [_named(figure.name, n, drawing.element(n, make), make) for n, make in figure.layers.items()]
        plot = hv.renderer(BACKEND).get_plot(compose(figure, drawing, [*figure.static(), *layers], captioned=True))
        plot.document, model = None, plot.state  # the drawing belongs to no session
        model.name = figure.name
        _lighten(model)
        document = Document()
        document.add_root(model)
        _DRAWN[key] = document.to_json()
    return _DRAWN[key]


def look_of(figure: Figure) -> tuple:
    """What tells a figure from another that a control brings under the same name: layers by what they look like."""
    layers = tuple((n, *(getattr(layer, k, "") for k in LOOKS)) for n, layer in figure.layers.items())
    return figure.name, figure.logy, figure.height, figure.legend, figure.link, layers


def _lighten(model: Any) -> None:
    """Leave out what a copy does not need: a page's models are most of what a visitor waits for.

    Glyphs for selections go, data too (it is pushed later), and models that nobody changes
    are shared by all layers.
    """
    policy, everything = UnionRenderers(), AllIndices()
    model.title = None
    model.center = [part for part in model.center if not isinstance(part, Legend)]
    model.toolbar.tools = [tool for tool in model.toolbar.tools if not isinstance(tool, BoxZoomTool)]
    for tool in model.toolbar.tools:
        if isinstance(tool, SaveTool):
            tool.filename = f"optviz-{model.name}"  # or the browser asks for a name
    for renderer in model.renderers:
        if isinstance(renderer, GlyphRenderer):
            renderer.update(selection_glyph=None, nonselection_glyph=None, muted_glyph=None, hover_glyph=None)
            renderer.view.filter = everything
            source = renderer.data_source
            source.selection_policy = policy
            if source.name:
                source.data = {name: [] for name in source.data}


def _named(figure: str, layer: str, element: Any, make: Any) -> Any:
    source = f"{figure}.{layer}"  # no figure in the hook: HoloViews keeps hooks, a figure its experiment
    look = {name: getattr(make, name, "") for name in ("label", "steps")}

    def name(plot, element):
        plot.handles["source"].update(name=source, tags=[look])
        plot.handles["glyph_renderer"].name = f"glyph {layer}"
        if "color_mapper" in plot.handles:
            plot.handles["color_mapper"].name = f"colour {layer}"

    return element.opts(backend=BACKEND, hooks=[*element.opts.get(backend=BACKEND).kwargs.get("hooks", []), name])


def _copy(json: Any) -> Any:
    document = Document.from_json(json)
    (model,) = document.roots
    document.clear()
    return model


def _put(source: Any, columns: Mapping[str, Any], changed: list[str]) -> None:
    """Give a source new columns; the one that changed alone, where the length stays."""
    old = source.data
    if len(changed) == 1 and changed[0] in old and len(old[changed[0]]) == len(columns[changed[0]]):
        old[changed[0]] = _column(columns[changed[0]])  # Bokeh sends this column alone
    else:
        source.data = _as_drawn(old, columns)


def _as_drawn(old: Mapping[str, Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    """New columns under the names the drawn source has; an image's box becomes its size."""
    if "image" in columns:
        x0, y0, x1, y1 = (columns[k][0] for k in ("x", "y", "x1", "y1"))
        box = {"x": [x0], "y": [y0], "dw": [x1 - x0], "dh": [y1 - y0]}
        return {"image": list(columns["image"]), **box}
    return {name: _column(columns[EDGES.get(name, name)]) for name in old}


def _column(values: Any, most: int = 64) -> Any:
    """One column: an array, or a list where it is short or holds arrays itself.

    Every array is two messages to the browser, which take longer than the numbers of a short one.
    """
    if isinstance(values, list):
        return values
    values = np.asarray(values)
    return values.tolist() if values.size <= most else values


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.dtype != object and b.dtype != object:
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if any(isinstance(v, list) and v and isinstance(v[0], np.ndarray) for v in (a, b)):
        return False  # images and bundles of lines: made anew only on change
    return np.array_equal(a, b)


class Page:
    """Controls, pictures and text of one experiment, live."""

    TEXTS = 0.1  # seconds by which the texts beside follow the pictures: tables cost more than a picture

    def __init__(self, experiment: Subject, members: Mapping[tuple[str, str], Any] | None = None):
        self.experiment = experiment
        self.controls = experiment.controls(members)
        self.figures = {f.name: LiveFigure(f, experiment) for f in experiment.figures()}
        self._link_ranges()
        self.status = html(experiment.status(), "status")
        self.status.stylesheets += [lines := ":host {{ --lines: {}; --phone: {}; }}".format(*experiment.lines)]
        over = [stylesheet("message.css")]
        self.message = pn.pane.Alert("", alert_type="danger", visible=False, margin=0, stylesheets=over)
        self.blocks = {name: html(text, name) for name, text in experiment.side().items()}
        self._show_message(experiment.message)
        self.layout = experiment.arrange(self)
        self.layout.stylesheets += [lines]
        open_folds(self.layout, parse_qs(sharing.query(experiment)))
        self.parts, self._shaded = dict[str, Any](), dict[str, Any]()
        self._above: list[Any] = []
        self._shade()
        self._closed: Any = None
        self._turn = Turn(pn.state.curdoc)
        self._texts = Later(lambda: self._turn.take(self._write_texts), self.TEXTS)
        self._framings = experiment.framings
        self._live = members is None
        if self._live:
            self._loop = IOLoop.current() if looping() else None
            self._write_status()
            self._close()
            cluster.watch(self)

    @property
    def shown(self) -> Any:
        """What its pictures and texts are of: the experiment as it is, or as it was when it was last computed."""
        worker = self.experiment.worker
        return self.experiment if worker is None or worker.shown is None else worker.shown

    def _change_figures(self) -> None:
        """Lay the page out anew where a control has brought other figures; those that stay are kept."""
        wanted = self.experiment.figures()
        if [*map(look_of, wanted)] == [look_of(live.figure) for live in self.figures.values()]:
            return
        kept = {look_of(live.figure): live for live in self.figures.values()}
        self.figures = {f.name: kept.get(look_of(f)) or LiveFigure(f, self.experiment) for f in wanted}
        self._link_ranges()
        for part in self.layout:
            part.clear()  # a pane stands in one place at a time
        self.layout.objects = self.experiment.arrange(self).objects
        for part in self._above:
            self.layout[1].insert(0, part)
        self._shaded, self._closed = {}, None

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

    def put_above_picture(self, part: Any) -> None:
        """Have a part of somebody else's stand above the first picture."""
        self._above.append(part)
        self.layout[1].insert(0, part)

    def put_below_controls(self, name: str, part: Any) -> None:
        """Have a part of somebody else's stand under the controls, whatever figures come and go."""
        self.parts[name] = part
        part.tags = [*part.tags, OFFERED] if part.visible else part.tags
        self.controls.append(part)
        self.layout[0].append(part)

    def push(self) -> None:
        """Bring the page up to date, as one message to the browser."""
        with pn.io.hold():
            self._show_message(self.shown.message)
            self._close()
            if not self.shown.message or any(live.looked for live in self.figures.values()):
                self._push_pictures()
        pn.io.push_notebook(self.layout)  # a kernel sends no change of a Bokeh model by itself
        see_off(pn.state.curdoc)

    def _push_pictures(self) -> None:
        if self.experiment.figures_follow:
            self._change_figures()
        afresh = self.shown.framings != self._framings
        for name, drawing in self.shown.drawings.items():
            self.figures[name].push(drawing, afresh)
        self._framings = self.shown.framings
        self._write_status()
        self._shade()
        self._turn = Turn(pn.state.curdoc)
        self._texts.ask()

    def _write_status(self) -> None:
        absent = cluster.absence() if self._live and self.shown.results.get("picture") is not None else ""
        absent = f"{escape(absent, quote=False)} Computed here." if absent else ""
        late = self.experiment.worker is not None and self.experiment.worker.late
        said = "Computing…" if late else self.shown.status()
        show(self.status, wrapped(said, "status") + wrapped(absent, "absent"))

    def told(self) -> None:
        """Say what has become of the cluster; called in any thread."""
        if self._loop is not None:
            self._loop.add_callback(lambda: self._turn.take(self._retell))

    def _retell(self) -> None:
        if pn.state.loaded:  # the browser drops what comes before it is, and a picture that gets finer tells anew
            self._write_status()
            pn.io.push_notebook(self.layout)

    def _write_texts(self) -> None:
        with pn.io.hold():
            for name, text in self.shown.side().items():
                show(self.blocks[name], wrapped(text, name))
        pn.io.push_notebook(self.layout)
        see_off(self._turn.document)

    def _shade(self) -> None:
        """Colour the part of a slider that is unstable."""
        for name, start in self.shown.shade().items():
            role, _, parameter = name.rpartition(".")
            owner = getattr(self.experiment, role) if role else self.experiment
            key = (id(owner), start)
            if self._shaded.get(name) == key:
                continue
            for knobs in self.layout.select(pn.Param):
                if knobs.object is owner and shade(knobs, parameter, start):
                    self._shaded[name] = key

    def _close(self) -> None:
        """Disable the controls that cannot act; all can where a change is refused."""
        rule = getattr(self.experiment, "optimizer", None)
        idle = [] if self.shown.message else self.shown.idle()
        if self._closed == (idle, id(rule)):
            return
        self._closed = idle, id(rule)
        for knobs in self.layout.select(pn.Param):
            if knobs.object is self.experiment or knobs.object is rule:
                role = "" if knobs.object is self.experiment else "optimizer."
                close(knobs, [name.removeprefix(role) for name in idle if name.rpartition(".")[0] == role[:-1]])

    def _show_message(self, text: str) -> None:
        if text != self.message.object:
            self.message.object = text
        if bool(text) != self.message.visible:
            self.message.visible = bool(text)
