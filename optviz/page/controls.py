"""Controls from parameters: Panel makes each widget, the parameter's step its format."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import panel as pn
import param

from ..menus import label_of
from .factors import LogSlider, slider_for
from .fields import field_for, number_slider, with_note
from .insides import be_quick, models_of, put_parts, widgets_of
from .layout import html, shading, share, stylesheet, under_knobs

ASKED_FOR = 2  # a parameter's precedence from which on its control is shown once somebody asks for more
FOLDED = "folded"  # tags the column that such a button opens
OFFERED = "offered"  # tags what stands under the controls and is none, as runtime/stage.js knows it
MANY = 4  # digits of a step, beyond which most of a value's would be zeros


def knobs_of(
    owner: param.Parameterized, names: Sequence[str], widgets: Any = None, visible: bool = True,
    rare: Collection[str] = (),
) -> pn.Param:  # fmt: skip
    """The widgets of these parameters, one under the other; `widgets` overrides Panel's choice.

    Those of precedence 2 and more, and those that are `rare`, are behind a button, "More".
    """
    widgets = {**{name: _settings(owner.param[name]) for name in names}, **(widgets or {})}
    widgets = {name: settings for name, settings in widgets.items() if settings}
    made = pn.Param(owner.param, parameters=list(names), show_name=False, widgets=widgets,
                    sizing_mode="stretch_width", margin=0, default_layout=pn.Column, visible=visible,
                    display_threshold=-1)  # fmt: skip
    for widget in widgets_of(made).values():
        be_quick(widget)
        widget.stylesheets = [stylesheet("widgets.css")]
        if not isinstance(widget, pn.widgets.Button | pn.widgets.Checkbox):
            widget.sizing_mode = "stretch_width"
    later = [name for name in names if name in rare or (owner.param[name].precedence or 0) >= ASKED_FOR]
    shown = [part for name in names if name not in later for part in with_note(widgets_of(made)[name])]
    put_parts(made, [*shown, *(_fold(made, later) if later else [])])
    return made


def _fold(knobs: pn.Param, names: Sequence[str]) -> list[Any]:
    """A button, and the column of these controls that it opens."""
    widgets = widgets_of(knobs)
    kind = "experiment" if hasattr(knobs.object, "figures") else "member"  # those of one kind open together
    label = "More" if kind == "experiment" else f"More of {label_of(knobs.object)}"
    tags: list[Any] = [{"fold": kind, "names": list(names)}]
    button = pn.widgets.Toggle(label=label, css_classes=["fold"], tags=tags, sizing_mode="stretch_width",
                               margin=(0, 10), stylesheets=[stylesheet("widgets.css")])  # fmt: skip
    parts = [part for name in names for part in with_note(widgets[name])]
    column = shown_while(button, "cb_obj.active", False, *parts)
    column.tags = [FOLDED]
    button.link(column, value="visible")
    return [button, column]


def open_folds(layout: Any, names: Collection[str]) -> None:
    """Open what is behind buttons where one of these controls is among it."""
    for button in layout.select(pn.widgets.Toggle):
        if any(set(tag["names"]) & set(names) for tag in button.tags if isinstance(tag, dict)):
            button.value = True


def shown_while(menu: Any, test: str, now: bool, *knobs: Any) -> pn.Column:
    """A column that shows while a menu's model, `cb_obj`, passes a test in JavaScript, on a server or without.

    The script finds the column by its name: Panel never lets go of what a callback is given.
    """
    column = pn.Column(*knobs, sizing_mode="stretch_width", margin=0, visible=now)
    menu.jscallback(value=f"cb_obj.document.get_model_by_name('{column.name}').visible = {test}")
    return column


def shown_for(menu: Any, now: Any, knobs: Mapping[Sequence[str], Any]) -> list[pn.Column]:
    """A column for each group of controls, which shows while a menu's value is among those that it is for."""
    columns = {values: pn.Column(part, sizing_mode="stretch_width", margin=0, visible=now in values)
               for values, part in knobs.items()}  # fmt: skip
    shows = json.dumps({column.name: values for values, column in columns.items()})
    each = "cb_obj.document.get_model_by_name(name).visible = values.includes(cb_obj.value)"
    menu.jscallback(value=f"for (const [name, values] of Object.entries({shows})) {each}")
    return list(columns.values())


def action(label: str, tag: str) -> pn.widgets.Button:
    """A button that a page's script hears, by its tag."""
    sheets = [stylesheet("widgets.css")]
    return pn.widgets.Button(label=label, tags=[tag, OFFERED], stylesheets=sheets, margin=(5, 10))


def told_with(knobs: pn.Param, name: str, about: Mapping[str, str]) -> pn.Column:
    """A menu of scenes, and under it the sentence on the one that is chosen."""
    menu, now = widgets_of(knobs)[name], getattr(knobs.object, name)
    said = [shown_while(menu, f"cb_obj.value === {json.dumps(scene)}", scene == now,
                        under_knobs(html(text, "about"))) for scene, text in about.items()]  # fmt: skip
    return pn.Column(knobs, *said, sizing_mode="stretch_width", margin=0)


def shade(knobs: pn.Param, name: str, start: float) -> bool:
    """Shade the slider of a parameter from `start` on, in every place that shows it; whether there is one.

    Where it stands already a variable moves: after another style sheet Bokeh lays out the page.
    """
    widget = widgets_of(knobs).get(name)
    if not isinstance(widget, pn.widgets.FloatSlider):
        return False
    if isinstance(widget, LogSlider):
        ends, start = widget.track, widget.place_of(start)
    else:
        ends = widget.start, widget.end
    with param.parameterized.discard_events(widget):
        widget.stylesheets = [stylesheet("widgets.css"), shading(start, *ends)]
    for model in models_of(widget):
        model.css_variables = {"unstable": share(start, *ends)}
    return True


def close(knobs: pn.Param, names: Sequence[str]) -> None:
    """Disable the controls of these parameters, and no others."""
    for name, widget in widgets_of(knobs).items():
        if widget.disabled != (name in names):
            widget.param.update(disabled=name in names, styles={"opacity": "0.45"} if name in names else {})


def _settings(parameter: Any) -> dict[str, Any]:
    """A slider shows as many digits as its steps have, and those of its default where that is finer; else a field."""
    step = getattr(parameter, "step", None)
    field = field_for(parameter) or slider_for(parameter)
    slider = field or number_slider(parameter)
    if field or isinstance(parameter, param.Integer) or not slider or not step:
        return slider
    digits = _digits(step)
    more = max(0, _digits(parameter.default or 0) - digits)
    if digits > MANY:  # in most values zeros
        digits, more = 0, digits + more
    places = "0" * digits + (f"[{'0' * more}]" if more else "")
    return {**slider, "format": f"0.{places}" if places else "0"}


def _digits(value: float) -> int:
    """How many digits a number has after its point."""
    return max(0, -int(Decimal(str(value)).normalize().as_tuple().exponent))
