"""Serve an experiment as a page of its own, and an index of all of them."""

from __future__ import annotations

from base64 import b64encode
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules

import panel as pn
import param
from bokeh.models import CustomJS
from panel.theme import fast

from . import experiments as lessons
from .experiment import Experiment
from .layout import stylesheet

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


class Fast(fast.Fast):
    """The Fast design without the font it would fetch; Panel finds its files by this name."""

    _resources = {name: value for name, value in fast.Fast._resources.items() if name != "font"}


def template(title: str, *main, description: str = "") -> pn.template.FastListTemplate:
    """A page in the shared look: header with a switch for dark, one column of content."""
    if pn.state.curdoc:
        # or Panel asks its network for style sheets once sessions are reused
        pn.state.curdoc.template_variables["dist_url"] = "static/extensions/panel/"
        pn.config.session_key_func = _page_key
    made = pn.template.FastListTemplate(
        site="optviz", site_url="index", title=title, main=list(main), main_layout=None, design=Fast,
        font=FONT, font_url="",
        header_background="#16324f", accent_base_color="#2f6fde", main_max_width="1560px",
        meta_description=description,
        busy_indicator=None,  # its spinner doubled the time of a knob, and a knob takes 40 ms
    )  # fmt: skip
    made.config.raw_css = [stylesheet("header.css")]
    return made


def _page_key(request) -> tuple[str, bool]:
    """What tells pages that `--reuse-sessions` keeps apart: warmed ones would all have the light theme."""
    return request.path, request.arguments.get("theme") == [b"dark"]


def serve(kind: type[Experiment]) -> None:
    """Make this session's page of an experiment; what an app script calls."""
    experiment = kind()
    page = template(experiment.title, experiment, description=experiment.sentence)
    page.servable()
    if pn.state.curdoc:
        ready = CustomJS(code=stylesheet("page.js"))
        pn.state.curdoc.js_on_event("document_ready", ready)


def serve_index() -> None:
    """Make the page that leads to every experiment."""
    cards = "".join(_card(name, kind) for name, kind in experiments().items())
    text = pn.pane.HTML(
        f'<p class="lead">Move a knob, see what the optimizer does.</p><div class="cards">{cards}</div>',
        stylesheets=[stylesheet("index.css")], sizing_mode="stretch_width",
    )  # fmt: skip
    template("See what an optimizer does", text, description="Interactive lessons on optimizers").servable()


def experiments() -> dict[str, type[Experiment]]:
    """Every experiment by the name of its app, which is its module's."""
    for module in iter_modules(lessons.__path__):
        import_module(f"{lessons.__name__}.{module.name}")
    found = param.concrete_descendents(Experiment).values()
    ours = {kind.__module__.rsplit(".", 1)[1]: kind for kind in found if kind.__module__.startswith(lessons.__name__)}
    return dict(sorted(ours.items(), key=lambda item: item[1].order))


def _card(name: str, kind: type[Experiment]) -> str:
    picture = b64encode(files("optviz").joinpath("assets", f"{name}.png").read_bytes()).decode()
    return (
        f'<a class="card" href="{name}"><img src="data:image/png;base64,{picture}" alt="">'
        f"<h2>{kind.title}</h2><p>{kind.sentence}</p></a>"
    )
