"""Serve an experiment as a page of its own, and an index of all of them."""

from __future__ import annotations

import panel as pn
from bokeh.models import CustomJS
from panel.theme import fast

from .experiment import Experiment
from .layout import stylesheet

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


class Fast(fast.Fast):
    """The Fast design without the font it would fetch; Panel finds its files by this name."""

    _resources = {name: value for name, value in fast.Fast._resources.items() if name != "font"}


def template(title: str, *main, description: str = "") -> pn.template.FastListTemplate:
    """A page in the shared look: header with a switch for dark, one column of content."""
    made = pn.template.FastListTemplate(
        title=title, main=list(main), main_layout=None, design=Fast, font=FONT, font_url="",
        header_background="#16324f", accent_base_color="#2f6fde", main_max_width="1560px",
        meta_description=description,
    )  # fmt: skip
    made.config.raw_css = [stylesheet("header.css")]
    return made


def serve(kind: type[Experiment]) -> None:
    """Make this session's page of an experiment; what an app script calls."""
    experiment = kind()
    page = template(f"optviz · {experiment.title}", experiment, description=experiment.sentence)
    page.servable()
    if pn.state.curdoc:
        ready = CustomJS(code=stylesheet("label_sliders.js"))
        pn.state.curdoc.js_on_event("document_ready", ready)
