"""Serve an experiment as a page of its own, and an index of all of them."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from time import monotonic
from typing import Any

import panel as pn
import param
from bokeh.document import Document
from bokeh.document.events import MessageSentEvent
from bokeh.models import CustomJS
from panel.theme import fast
from tornado.ioloop import IOLoop

from . import experiments as lessons
from . import sharing
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
        if asked():
            pn.config.reuse_sessions = False  # this visitor's page is no other's
    made = pn.template.FastListTemplate(
        site="optviz", site_url="index", title=title, main=list(main), main_layout=None, design=Fast,
        font=FONT, font_url="",
        header_background="#16324f", accent_base_color="#2f6fde", main_max_width="1560px",
        meta_description=description,
        busy_indicator=None,  # its spinner doubled the time of a knob, and a knob takes 40 ms
    )  # fmt: skip
    made.config.raw_css = [stylesheet("header.css")]
    return made


def _page_key(request) -> tuple[str, bool, bool]:
    """What tells pages that `--reuse-sessions` keeps apart: warmed ones would all have the light theme.

    No page is kept for an address that says a state, so none is found for one either.
    """
    return request.path, request.arguments.get("theme") == [b"dark"], bool(sharing.values_of(request.arguments))


def asked() -> dict[str, Any]:
    """The values that the address of this session's page says."""
    return sharing.values_of(pn.state.session_args)


def serve(kind: type[Experiment]) -> None:
    """Make this session's page of an experiment in its address's state; what an app script calls."""
    experiment, refused = sharing.apply(kind, asked())
    page = template(experiment.title, *notice(refused), experiment, description=experiment.sentence)
    page.servable()
    if pn.state.curdoc:
        ready = [CustomJS(code=stylesheet(name)) for name in ("page.js", "share.js")]
        pn.state.curdoc.js_on_event("document_ready", *ready)
        experiment.attach(Link(experiment, pn.state.curdoc))


def notice(sentences: list[str], most: int = 10) -> list[pn.pane.HTML]:
    """What was refused, a paragraph each, until the visitor closes it; no pane where there is nothing."""
    if not sentences:
        return []
    rest = [f"{len(sentences) - most:,} more values are refused."] if len(sentences) > most else []
    text = "".join(f"<p>{escape(sentence)}</p>" for sentence in [*sentences[:most], *rest])
    close = '<button aria-label="Close" onclick="this.parentElement.remove()">×</button>'
    return [pn.pane.HTML(f'<div class="refused" role="alert">{close}{text}</div>', margin=0,
                         stylesheets=[stylesheet("notice.css")], sizing_mode="stretch_width")]  # fmt: skip


class Link:
    """Has the page's address follow an experiment.

    A change costs a note of the time. Only when nothing has changed for a while is the state
    written down and sent: Panel's own location would make every value an entry of the history.
    """

    QUIET = 0.3  # seconds

    def __init__(self, experiment: Experiment, document: Document):
        self.experiment, self.document = experiment, document
        self._moved, self._waits = 0.0, False

    def push(self) -> None:
        """Send the state once things are quiet."""
        self._moved = monotonic()
        if not self._waits:
            self._waits = True
            IOLoop.current().call_later(self.QUIET, self._look)

    def _look(self) -> None:
        rest = self._moved + self.QUIET - monotonic()
        if rest > 0:
            IOLoop.current().call_later(rest, self._look)
        elif self.document.session_context is not None:  # else the visitor has gone
            self._waits = False
            self.document.add_next_tick_callback(self._send)

    def _send(self) -> None:
        state = [sharing.query(self.experiment), sharing.link_note(self.experiment)]
        self.document.callbacks.trigger_on_change(MessageSentEvent(self.document, "address", state))


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
