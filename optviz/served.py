"""Pages that compute where their visitor is: Panel hands them out, and hears what their parameters are.

Such a page is the one that `Experiment.save` writes, with its scripts at addresses of their own, compressed and
kept by the browser. A visit costs the server a few milliseconds and one small model.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from inspect import getsourcefile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import panel as pn
from bokeh.document import Document
from bokeh.models import Div
from jinja2 import Template
from panel.io.state import set_curdoc
from tornado.web import HTTPError, RequestHandler

from . import disk
from .card_pictures import FOLDER, addresses, picture
from .catalogue import experiments, index_html, name_of
from .catalogue import path as lesson_path
from .experiment import Experiment
from .export.page import body, libraries, page_html, program, style
from .export.remote import remote_script
from .export.skeleton import page_text
from .export.store import is_traced, untraced
from .guard import LONGEST_TEXT, WIRE
from .objectives.criteria import CRITERIA
from .opening import PLACE, Opening, opening_script
from .page.layout import page_script, stylesheet
from .page.leavings import returned_after
from .page.page import Page
from .page.worker import aside
from .state import sharing
from .sweeps import cluster

OFFER = "Download page"
UNDER_CONTROLS = {"margin": (12, 10), "sizing_mode": "stretch_width", "stylesheets": [stylesheet("widgets.css")]}

log = logging.getLogger("optviz")


@cache
def runs_in_browsers(kind: type[Experiment]) -> bool:
    """Whether a page of this experiment computes all that it shows by itself.

    What torch or Python alone can compute, figures that hang on controls, and sweeps for a cluster stay with Python.
    """
    made = kind()
    if kind.figures_follow or kind.replays or untraced(made):
        return False
    if "picture" in made.results and cluster.scheduler_of_environment():
        return False
    if not all(is_traced(member) for member in made.members().values()):
        return False
    try:
        scripts(kind)
    except (TypeError, ValueError, OSError):  # a method of somebody's own that cannot be printed
        return False
    return True


@dataclass(frozen=True)
class File:
    """What the server hands out at an address of its own, as it goes over the wire."""

    data: bytes
    kind: str
    name: str

    @property
    def address(self) -> str:
        """Where it is, from a page: another content has another address."""
        return f"{FOLDER}/{self.name}?v={sha256(self.data).hexdigest()[:16]}"


def packed(text: str, kind: str, name: str) -> File:
    """A text as a file."""
    return File(_compressed(text), kind, name)


def _compressed(text: str) -> bytes:
    """A text as it goes over the wire: two processes give the same bytes."""
    return gzip.compress(text.encode(), mtime=0)


@cache
def scripts(kind: type[Experiment]) -> tuple[File, ...]:
    """The scripts of an experiment's page: Bokeh's and Panel's, which all pages share, and its own."""
    where, name = disk.folder("pages"), f"{name_of(kind)}-{_stamp(kind)}.js"
    data = disk.kept(where, name)
    if data is None:  # it takes seconds: sympy derives what the page computes by
        text = opening_script() if kind is Opening else _page_script(kind)
        data = _compressed(text)
        disk.keep(where, name, data)
        disk.thin_out(where, f"{name_of(kind)}-*.js")
    return _library(), File(data, "text/javascript", f"{name_of(kind)}.js")


def _page_script(kind: type[Experiment]) -> str:
    return "".join(map(stylesheet, ("away.js", "wire.js"))) + page_script() + program(kind(), more=_keeping)


def _stamp(kind: type[Experiment]) -> str:
    """What a page's script depends on: optviz's own files, what its menus offer beside those, what prints it."""
    offered = {type(member) for member in kind().members().values()} | {kind, *CRITERIA.values()}
    own = sorted({_source(cls) for cls in offered if not cls.__module__.startswith(f"{__package__}.")})
    parts = [disk.stamp(), f"{kind.__module__}.{kind.__qualname__}", *own]
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def _source(cls: type) -> str:
    """The text of the file that a class of somebody's own stands in."""
    file = getsourcefile(cls)
    return Path(file).read_text("utf-8") if file else repr(cls)


@cache
def _library() -> File:
    return packed("\n".join(libraries()), "text/javascript", "libraries.js")


@cache
def remote_file() -> File:
    """The script of pages that Python computes."""
    return packed(remote_script(), "text/javascript", "remote.js")


def _keeping(page: Page) -> str:
    """A button for the page to keep, under the controls."""
    page.put_below_controls("keep", pn.widgets.Button(label=OFFER, **UNDER_CONTROLS))
    return "serve_wire"


@cache
def saved(kind: type[Experiment]) -> File:
    """The page to keep, as the experiment begins."""
    with set_curdoc(Document()):  # no visitor's
        return packed(page_html(kind()), "text/html", f"{name_of(kind)}.html")


_KINDS: dict[str, type[Experiment]] = {}  # by name, of the pages that have been handed out


class Files(RequestHandler):
    """Hands out the files of pages, to be kept for good by whoever asked for what is there now."""

    async def get(self, name: str) -> None:
        stem, _, kind = name.rpartition(".")
        if kind == "webp" and (image := picture(stem)):
            self.set_header("Content-Type", "image/webp")
            self.set_header("Cache-Control", "public, max-age=86400")
            self.finish(image)
            return
        if name == "libraries.js":
            file = _library()
        elif name == "remote.js":
            file = remote_file()
        elif stem in _KINDS and kind == "js":
            file = scripts(_KINDS[stem])[1]
        elif stem in _KINDS and kind == "html":
            file = await aside(saved, _KINDS[stem])
        else:
            raise HTTPError(404)
        now = self.get_query_argument("v", "") in file.address
        self.set_header("Content-Type", f"{file.kind}; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if now else "no-cache")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.write(file.data)
        else:
            self.write(gzip.decompress(file.data))


def handlers() -> list[tuple[str, Any]]:
    """What a server that hands out such pages answers beside them."""
    return [(rf"/(?:.*/)?{FOLDER}/([\w.-]+)", Files)]


class Visit:
    """One visitor's page of an experiment, as far as the server knows it."""

    def __init__(self, kind: type[Experiment]):
        self.kind, self.wire = kind, Div(name=WIRE, visible=False)

    @property
    def experiment(self) -> Experiment:
        """The experiment in the state that the page has, computed here and now; as it begins, where that is none."""
        values = {n: v if len(v) > 1 else v[0] for n, v in parse_qs(self.wire.text[:LONGEST_TEXT]).items()}
        try:
            return sharing.apply(self.kind, values)[0]
        except Exception:  # any text may come over the wire
            log.info("%s has no such state", self.kind.__name__, exc_info=True)
            return self.kind()


_TEMPLATE = Template("""{{ before }}
<meta name="optviz-visit" content="{{ docs[0].token | e }}">
{% set address = picture(docs[0].token) %}{% if address %}
<meta property="og:image" content="{{ address | e }}">
<meta property="og:image:type" content="image/webp">
<meta property="og:image:width" content="640">
<meta property="og:image:height" content="400">
<meta name="twitter:card" content="summary_large_image">
{% endif %}{{ after }}""")
_HERE = "<!-- visit -->"


def visit(kind: type[Experiment]) -> Visit:
    """Hand out the page of an experiment to this session's visitor."""
    made = Visit(kind)
    hand_out(_page(kind), kind.title, name_of(kind), made.wire)
    return made


def hand_out(text: str, title: str, picture: str, *roots: Any) -> None:
    """Have this session's visitor get a page of our own writing, for Panel's."""
    document: Any = pn.state.curdoc
    before, after = text.split(_HERE)
    returned_after(document)
    document.title, document.template = title, _TEMPLATE
    document.template_variables.update(before=before, after=after, picture=addresses(picture))
    for root in roots:
        document.add_root(root)


@cache
def _page(kind: type[Experiment]) -> str:
    head = f'<meta name="optviz-saved" content="{FOLDER}/{name_of(kind)}.html">\n{_HERE}{_links(kind)}'
    lessons = body(lesson_path(state_address))
    return page_text(kind.title, lessons, sentence=kind.sentence, css=style(), index="index", head=head, served="page")


def _links(kind: type[Experiment]) -> str:
    _KINDS[name_of(kind)] = kind
    return "".join(f'<script src="{file.address}" defer></script>\n' for file in scripts(kind))


@cache
def index_page(*names: str) -> str:
    """The page that leads to every experiment, or to these; it begins with a picture that moves."""
    head = f"{_HERE}{_links(Opening)}<style>{style()}</style>"
    return index_html(suffix="", head=head, opening=PLACE, names=names, address=state_address)


def state_address(name: str, state: Mapping[str, Any]) -> str:
    """Where a state, or a lesson, is served: on its experiment's page, or on a saved one where Python computes that."""
    kind = experiments()[name]
    if not kind.replays:
        return f"{name}?{urlencode(state)}"
    _KINDS[name] = kind
    return f"{FOLDER}/{name}.html#{urlencode(state)}"
