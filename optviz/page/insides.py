"""Every private name of Panel that optviz cannot do without, each with its reason and the public way that was tried.

No other module uses one: tests/test_insides.py looks for that, and whether each of these is still there.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import panel as pn
import panel.io.document as panel_document
from bokeh.models import UIElement
from panel.io.location import Location
from panel.io.notebook import patch_inline_stylesheets
from panel.theme import fast
from tornado.ioloop import IOLoop

# What a class overrides of Panel's: by the class here, the private names that Panel calls.
OVERRIDDEN = {
    "Converted": ("_rename", "_process_param_change", "_process_property_change"),
    "Checked": ("_rename", "_process_events"),
    "Heard": ("_linked_properties",),
    "Whole": ("_render_model",),
    "Fast": ("_resources",),
    "FastListTemplate": ("_template", "_get_theme_from_query_args"),
    "Address": ("_update_synced",),
}
DEBOUNCE = 5  # ms that a change of a control waits for others


# controls


def widgets_of(knobs: pn.Param) -> dict[str, Any]:
    """The widgets of a pane of parameters, by the parameter's name.

    `select` gives them without their parameters: two of them may have one label.
    """
    return knobs._widgets


def parts_of(knobs: pn.Param) -> list[Any]:
    """What the column of such a pane holds."""
    return list(knobs._widget_box)


def put_parts(knobs: pn.Param, parts: list[Any]) -> None:
    """Have it hold these: a pane of parameters has no public way to say more than its widgets."""
    knobs._widget_box.objects = parts


def be_quick(widget: Any) -> None:
    """Have a control's change reach its parameter at once.

    Panel's wait of 50 ms is half of what a knob takes, and its count of running callbacks, for a spinner that
    pages do without, a fifth of what it takes on the server. Its settings for both are the whole process's.
    """
    widget._debounce = DEBOUNCE
    widget._busy__ignore = ["value"]


def declared_by(widget: Any) -> tuple[Any, str]:
    """The owner and the name of the parameter that a pane of parameters made this widget for."""
    return widget._param_pane.object, widget._param_name


class Heard(pn.widgets.base.Widget):
    """A widget that hears of the tags which its model is given in the browser; Panel sends tags one way."""

    @property
    def _linked_properties(self) -> tuple[str, ...]:
        return (*super()._linked_properties, "tags")


class Converted(pn.widgets.FloatSlider):
    """A slider whose model in the browser holds other numbers than its value.

    Public links between a slider and a second one would show both.
    """

    zero: Any
    _rename: ClassVar[Mapping[str, str | None]] = {"zero": None}

    def to_browser(self, sent: dict[str, Any]) -> dict[str, Any]:
        """What the model is given instead of these properties."""
        return sent

    def from_browser(self, changes: dict[str, Any]) -> dict[str, Any]:
        """What the widget is given instead of these changes of the model."""
        return changes

    def _process_param_change(self, params: dict[str, Any]) -> dict[str, Any]:
        # a format that is a text becomes a formatter there, which would write the places
        plain = {**params, "format": None} if "format" in params else params
        return self.to_browser(super()._process_param_change(plain))

    def _process_property_change(self, changes: dict[str, Any]) -> dict[str, Any]:
        return super()._process_property_change(self.from_browser(changes))


class Checked(pn.widgets.base.Widget):
    """A field whose value reaches its parameter only once it is checked; a watcher would come too late."""

    _rename: ClassVar[Mapping[str, str | None]] = {"start": None, "end": None}

    def receive(self, value: Any) -> None:
        """What a browser says that the field holds."""
        raise NotImplementedError

    def _process_events(self, events: dict[str, Any]) -> None:
        others = {name: value for name, value in events.items() if name not in ("value", "value_throttled")}
        if others:
            super()._process_events(others)
        if "value" in events:
            self.receive(events["value"])


# panes and their models


def models_of(pane: Any) -> list[Any]:
    """The Bokeh models of a pane, one for each place that shows it.

    Setting `pane.object` makes Panel build the pane's style sheets anew, 4 ms a text; `get_root` makes another model.
    """
    return [model for model, _ in pane._models.values()]


class Whole(pn.Column):
    """The column that holds a page.

    For a notebook Panel writes style sheets into one model after the other, and Bokeh collects all
    models of the page anew for each, most of what showing it takes; here it collects them once.
    """

    def _render_model(self, doc: Any = None, comm: Any = None) -> Any:
        model = super()._render_model(doc, comm)
        if pn.config.inline and model.document is not None:
            with model.document.models.freeze():
                for part in model.select({"type": UIElement}):
                    patch_inline_stylesheets(part)
        return model


# documents and sessions


def see_off(document: Any, after: float = 0.08) -> None:
    """Send what Panel 1.9 may leave behind: messages queued while others were being written.

    Its writer clears the mark "still writing" after a wait without looking for messages that
    came meanwhile; on a busy machine a drag's last update then stayed until the next change.
    """
    if document is None or document.session_context is None:
        return

    def look():
        if document in panel_document._WRITE_MSGS:
            panel_document._WRITE_BLOCK[document] = True
            panel_document._dispatch_write_task(document, panel_document._dispatch_msgs, document)
            IOLoop.current().call_later(after, look)

    IOLoop.current().call_later(after, look)


# templates: Panel finds the files of a design and of a template by the names of these classes


class Fast(fast.Fast):
    """The Fast design without the font it would fetch; an empty `font_url` leaves that in."""

    _resources = {name: value for name, value in fast.Fast._resources.items() if name != "font"}


class FastListTemplate(pn.template.FastListTemplate):
    """Panel's list, as one page with a title and a main part that scrolls; parameters do not reach its markup."""

    _template = Path(str(files("optviz"))) / "assets" / "page.html"

    def _get_theme_from_query_args(self) -> str | None:
        # Panel falls over any other name that stands in an address
        given = (pn.state.session_args or {}).get("theme", [b""])[0]
        return given.decode() if given in (b"default", b"dark") else None


class Address(Location):
    """Panel's record of the page's address, unread: `serve` reads the request, `Link` writes.

    Panel takes every value for a number where it can, and falls over one of 5,000 digits and
    over a second question mark: the page would stay empty. `servable(location=False)` leaves the page without any.
    """

    def _update_synced(self, event=None) -> None:
        """Nothing follows it."""
