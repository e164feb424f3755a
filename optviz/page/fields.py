"""Fields that a number is typed into: what they refuse is said at the field, and what it held comes back.

The value above a slider is one too (`assets/values.js`): it takes what the parameter takes, also beyond the track.
"""

from __future__ import annotations

from contextlib import nullcontext
from html import escape
from typing import Any

import panel as pn
import param

from ..state.values import field_spec, read, typed
from .insides import Checked, Heard, declared_by
from .layout import html, wrapped


def field_for(parameter: Any) -> dict[str, Any]:
    """Panel's settings of the field for a parameter that no slider can show; empty where one can."""
    if not isinstance(parameter, param.Number) or None not in parameter.get_soft_bounds():
        return {}
    return {"type": WholeField if isinstance(parameter, param.Integer) else NumberField}


def number_slider(parameter: Any) -> dict[str, Any]:
    """Panel's settings of the slider for a number; empty for what is none."""
    if not isinstance(parameter, param.Number) or isinstance(parameter, param.Boolean):
        return {}
    return {"type": WholeSlider if isinstance(parameter, param.Integer) else NumberSlider}


def with_note(widget: Any) -> list[Any]:
    """A widget and, where it is a field, the line under it that says what it refuses."""
    return [widget, widget.note] if isinstance(widget, _Field) else [widget]


class _Field(Checked):
    """What a browser says a field holds reaches the parameter only once it is checked.

    Bokeh knows no bounds here: it would leave a number out of them standing in the field, and keep the old one.
    """

    def __init__(self, **params):
        super().__init__(**params)
        self.note = html("", "refusal")
        self.param.watch(lambda _: self._say(""), "value")

    @property
    def spec(self) -> dict[str, Any]:
        """What it takes (see `optviz.state.values`): what its parameter does."""
        owner, name = declared_by(self)
        return field_spec(owner.param[name])

    def receive(self, value: Any) -> None:
        why = typed(self.spec, value, self.value) or tried(self, read(self.spec, value))
        if why:
            self.param.trigger("value")  # the browser's field gets back what it held
        self._say(why)

    def _say(self, why: str) -> None:
        self.note.object = refusal_html(why)


def tried(widget: Any, value: Any) -> str:
    """Set a widget's parameter, which sets the widget; what is said against it, whereupon it is as it was."""
    owner, name = declared_by(widget)
    try:
        with owner.tried() if hasattr(owner, "tried") else nullcontext([]) as said:
            owner.param.update(**{name: value})
    except ValueError as refusal:
        return str(refusal)
    return " ".join(said)


def refusal_html(why: str) -> str:
    """The line under a field that says what it refused."""
    return wrapped(f'<p role="alert">{escape(why)}</p>' if why else "", "refusal")


class NumberField(_Field, pn.widgets.FloatInput):
    """A field for a number."""


class WholeField(_Field, pn.widgets.IntInput):
    """A field for a whole number."""


class TypedSlider(Heard):
    """A slider whose value can be typed: the browser puts it into the tags, where what is refused is said."""

    def __init__(self, **params):
        super().__init__(**params)
        self.param.watch(lambda event: self._hear(event.new), "tags")

    @property
    def spec(self) -> dict[str, Any]:
        """What may be typed (see `optviz.state.values`): what its parameter takes."""
        owner, name = declared_by(self)
        return field_spec(owner.param[name], self.said)

    def said(self, held: Any) -> Any:
        """What it says for what the parameter holds."""
        return held

    def held(self, said: Any) -> Any:
        """What the parameter holds for what it says."""
        return said

    def _hear(self, tags: list[Any]) -> None:
        asked = [tag["typed"] for tag in tags if isinstance(tag, dict) and "typed" in tag]
        if not asked:
            return
        spec, value = self.spec, asked[-1]
        why = typed(spec, value, self.said(self.value)) or tried(self, self.held(read(spec, value)))
        others = [tag for tag in tags if not (isinstance(tag, dict) and {"typed", "refused"} & set(tag))]
        self.tags = [*others, {"refused": why}] if why else others


class NumberSlider(TypedSlider, pn.widgets.FloatSlider):
    """A slider for a number."""


class WholeSlider(TypedSlider, pn.widgets.IntSlider):
    """A slider for a whole number."""
