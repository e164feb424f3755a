"""Serve an experiment as a page of its own, and an index of all of them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from io import StringIO

import panel as pn
from bokeh.document import Document
from bokeh.document.events import MessageSentEvent
from bokeh.models import CustomJS
from panel.io.state import set_curdoc
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from .card_pictures import addresses
from .catalogue import experiments as experiments
from .catalogue import name_of
from .experiment import Experiment
from .export.remote import Remote
from .guard import LONGEST_HEADER, components, rules
from .page.insides import Address, Fast, FastListTemplate
from .page.layout import favicon, html, page_script, stylesheet
from .page.leavings import returned_after
from .page.pace import Later, Turn
from .page.page import Page
from .page.worker import aside, engage
from .served import (
    OFFER,
    UNDER_CONTROLS,
    Visit,
    hand_out,
    handlers,
    index_page,
    remote_file,
    runs_in_browsers,
    state_address,
    visit,
)
from .state import sharing
from .sweeps import cluster

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def template(title: str, *main, description: str = "", picture: str = "surface_descent") -> FastListTemplate:
    """A page in the shared look: header with a switch for dark, one column of content.

    What shows a link to it shows the `picture` of this experiment.
    """
    if pn.state.curdoc:
        # or Panel asks its network for style sheets once sessions are reused
        pn.state.curdoc.template_variables.update(
            dist_url="static/extensions/panel/", icon=favicon(), picture=addresses(picture)
        )
    made = FastListTemplate(
        site="optviz", site_url="index", title=title, main=list(main), main_layout=None, design=Fast,
        font=FONT, font_url="",
        header_background="#16324f", accent_base_color="#2f6fde", main_max_width="1840px",
        meta_description=description, meta_viewport="width=device-width, initial-scale=1",
        busy_indicator=None,  # its spinner doubled the time of a knob, and a knob takes 40 ms
    )  # fmt: skip
    made.config.raw_css = [*map(stylesheet, ("skip.css", "header.css", "player.css", "stage.css"))]
    return made


def serve(kind: type[Experiment]) -> Visit | None:
    """Make this session's page of an experiment, in the state that its address says; what an app script calls.

    It computes in the visitor's browser where all of it can, and gives what the server knows of it
    (`optviz.served`); else it computes here.
    """
    cluster.prepare(sys.argv)
    if pn.state.curdoc and runs_in_browsers(kind):
        IOLoop.current().add_callback(_prepare_server)
        return visit(kind)
    serve_live(kind)
    return None


def serve_live(kind: type[Experiment]) -> None:
    """Make this session's page of an experiment that Python computes."""
    if pn.state.curdoc:
        IOLoop.current().add_callback(_prepare_server)
    experiment, shown, refused = _opened(kind, sharing.values_of(pn.state.session_args))
    shown.put_below_controls("download", download(experiment))
    experiment.attach(Remote(shown))
    if kind.replays and kind in experiments().values():  # its lessons walk through stored runs
        places = [(state_address(name_of(kind), {"lesson": each.name}), each.title) for each in kind.lessons]
        links = "".join(f'<p>Lesson: <a href="{place}">{title}</a></p>' for place, title in places)
        shown.put_below_controls("lessons", html(links, "notes"))
    page = template(experiment.title, shown.layout, description=experiment.sentence, picture=name_of(kind))
    page.servable(location=Address())
    if pn.state.curdoc:
        said = {"refused": _shortened(refused), "remote": remote_file().address}
        share = CustomJS(args=said, code=stylesheet("away.js") + stylesheet("share.js"))
        pn.state.curdoc.js_on_event("document_ready", CustomJS(code=page_script()), share)
        experiment.attach(Link(experiment, pn.state.curdoc))


_SERVERS: list[HTTPServer] = []  # of this process, once found


def _prepare_server() -> None:
    """Have the running server hand out the files of pages, and read addresses of more than tornado's 64 kB.

    It hangs up on those without a word, and it imports what an address names and takes sessions that it brings
    (`optviz.guard`). `panel serve` has no setting for these and keeps its server to itself; while it warms up there
    is none.
    """
    if not _SERVERS:
        _SERVERS.extend(each for each in gc.get_objects() if type(each) is HTTPServer)
        for server in _SERVERS:
            app = server.request_callback
            server.conn_params.max_header_size = LONGEST_HEADER
            app.add_handlers(".*", [*handlers(), *components()])
            app.default_router.rules[:0] = rules(app)


def _opened(kind: type[Experiment], values: dict) -> tuple[Experiment, Page, list[str]]:
    """An experiment in this state, its page, and what was refused of single values."""
    if pn.state.curdoc:
        made = kind()
        page = made.page()
        engage(made, page, pn.state.curdoc)
        returned_after(pn.state.curdoc)
        if made.worker is not None:
            return made, page, sharing.apply(made, values)[1]
    experiment, refused = sharing.apply(kind, values)
    if not experiment.message:
        return experiment, experiment.page(), refused
    standing = kind()  # a state that an experiment refuses comes to a page that stands, as from its controls
    shown = standing.page()
    sharing.apply(standing, values)
    return standing, shown, refused


def download(experiment: Experiment) -> pn.widgets.FileDownload:
    """A button that hands the visitor the experiment as it stands, as a page that needs no server."""
    theme = "dark" if pn.state.session_args.get("theme") == [b"dark"] else "default"
    button = pn.widgets.FileDownload(
        filename=f"{name_of(type(experiment))}.html", label=OFFER, **UNDER_CONTROLS
    )  # fmt: skip

    async def write() -> StringIO:
        """The page, written beside the event loop: it takes seconds, and other visitors move their sliders."""
        copy = sharing.later(experiment)
        if copy is None:  # no thread of its own may read what a visitor moves
            return StringIO(experiment.html(theme=theme))
        button.label = "Writing the page…"
        try:
            return StringIO(await aside(_written, copy, theme))
        finally:
            button.label = OFFER

    button.callback = write
    return button


def _written(made: Callable[[], Experiment], theme: str) -> str:
    with set_curdoc(Document()):  # no visitor's
        return made().html(theme=theme)


def _shortened(sentences: list[str], most: int = 10) -> list[str]:
    more = len(sentences) - most
    return sentences if more <= 0 else [*sentences[:most], f"{more:,} more values of the address are refused."]


class Link:
    """Has the page's address follow an experiment.

    A change costs a note of the time. Only when nothing has changed for a while is the state
    written down and sent: Panel's own location would make every value an entry of the history.
    """

    QUIET = 0.5  # seconds; 0.3 met the next move of a hand that steps from value to value

    def __init__(self, experiment: Experiment, document: Document):
        self.experiment, self.document = experiment, document
        turn = Turn(document)
        self._later = Later(lambda: turn.take(self._send), self.QUIET, quiet=True)

    def push(self) -> None:
        """Send the state once things are quiet."""
        self._later.ask()

    def _send(self) -> None:
        if self.experiment.message:  # a link to what is refused helps nobody: the last good one stays
            return
        state = [sharing.query(self.experiment), sharing.link_note(self.experiment)]
        self.document.callbacks.trigger_on_change(MessageSentEvent(self.document, "address", state))


def serve_index() -> None:
    """Make the page that leads to every experiment."""
    if pn.state.curdoc:
        IOLoop.current().add_callback(_prepare_server)
        hand_out(index_page(), "optviz", "surface_descent")
