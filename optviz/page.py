"""A live page: drawn once by HoloViews, then kept up to date by pushing arrays.

Redrawing a DynamicMap costs 25 to 60 ms in Python; pushing arrays into the sources that
HoloViews made costs 0.1 ms. Every figure keeps its own list of what it drew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn

from .layout import html, wrapped
from .plots import Drawing, Figure, compose

if TYPE_CHECKING:
    from .experiment import Experiment


# what Bokeh calls the corners of a rectangle
EDGES = {"left": "x0", "bottom": "y0", "right": "x1", "top": "y1"}


class LiveFigure:
    """One figure on a page and the Bokeh models behind it, in every place it is rendered."""

    def __init__(self, figure: Figure, experiment: Experiment):
        self.figure, self.experiment = figure, experiment
        self.sources: dict[str, list[Any]] = {}
        self.plots: list[Any] = []
        self.pane = pn.pane.HoloViews(self.overlay(), sizing_mode="stretch_width", linked_axes=False,
                                      margin=0, height=figure.height)  # fmt: skip

    def overlay(self):
        """The figure as it stands, with hooks that remember what gets drawn."""
        self.sources, self.plots = {}, []
        drawing = self.experiment.drawings[self.figure.name]
        self.shown: dict[str, Mapping[str, Any]] = dict(drawing.layers)
        elements = [
            *self.figure.static(),
            *(self._hooked(name, make(drawing.layers[name])) for name, make in self.figure.layers.items()),
        ]
        whole = compose(self.figure, drawing, elements)
        hooks = [*whole.opts.get().kwargs.get("hooks", []), self._keep_plot]
        return whole.opts(hooks=hooks)

    def _hooked(self, name: str, element: Any):
        def keep(plot, element):
            source = plot.handles["source"]
            source.name = f"{self.figure.name}.{name}"
            known = self.sources.setdefault(name, [])
            if not any(source is other for other in known):
                known.append(source)

        own = element.opts.get().kwargs.get("hooks", [])
        return element.opts(hooks=[*own, keep])

    def _keep_plot(self, plot, element) -> None:
        if any(plot.state is other for other in self.plots):
            return
        plot.state.name = self.figure.name
        self.plots.append(plot.state)
        self._relabel(plot.state, self.experiment.drawings[self.figure.name])
        if self.figure.tap is not None:
            plot.state.on_event("tap", lambda event: self.figure.tap(event.x, event.y))

    def redraw(self) -> None:
        """Draw anew, static elements and all (another objective, say)."""
        self.pane.object = self.overlay()

    def push(self, drawing: Drawing) -> None:
        """Send what changed since the last push."""
        for name, columns in drawing.layers.items():
            if _equal(self.shown.get(name), columns):
                continue
            for source in self.sources.get(name, []):
                source.data = _as_drawn(source.data, columns)
            self.shown[name] = columns
        for plot in self.plots:
            _set(plot.x_range, start=drawing.xlim[0], end=drawing.xlim[1])
            _set(plot.y_range, start=drawing.ylim[0], end=drawing.ylim[1])
            _set(plot.title, text=drawing.title)
            self._relabel(plot, drawing)

    @staticmethod
    def _relabel(plot: Any, drawing: Drawing) -> None:
        for legend in plot.legend:
            for item in legend.items:
                _relabel(item, drawing.legend)


def _as_drawn(old: Mapping[str, Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    """New columns under the names the drawn source has; an image's box becomes its size."""
    if "image" in columns:
        x0, y0, x1, y1 = (columns[k][0] for k in ("x", "y", "x1", "y1"))
        box = {"x": [x0], "y": [y0], "dw": [x1 - x0], "dh": [y1 - y0]}
        return {"image": list(columns["image"]), **box}
    return {name: np.asarray(columns[EDGES.get(name, name)]) for name in old}


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
    if a is b:
        return True
    return a is not None and all(
        k in a and (a[k] is b[k] or np.array_equal(a[k], b[k], equal_nan=_numeric(b[k]))) for k in b
    )


def _numeric(values: Any) -> bool:
    return np.asarray(values).dtype.kind in "fc"


class Page:
    """Controls, pictures and text of one experiment, live."""

    def __init__(self, experiment: Experiment):
        self.experiment = experiment
        self.figures = {f.name: LiveFigure(f, experiment) for f in experiment.figures()}
        self.status = html(experiment.status(), "status")
        self.message = pn.pane.Alert("", alert_type="danger", visible=False, margin=(0, 0, 8, 0))
        self.blocks = {name: html(text, name) for name, text in experiment.side().items()}
        self.layout = experiment.arrange(self)

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

    def redraw(self, *names: str) -> None:
        """Draw these figures anew, static elements and all."""
        with pn.io.hold():
            for name in names:
                self.figures[name].redraw()


def _set_object(pane: Any, text: str) -> None:
    if pane.object != text:
        pane.object = text
