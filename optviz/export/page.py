"""Save an experiment as one HTML file that recomputes everything in the browser, with no server."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from html import escape
from typing import Any

import panel as pn
import param
from bokeh.document import Document
from bokeh.embed.util import standalone_docs_json_and_render_items
from bokeh.models import Column
from bokeh.resources import Resources
from panel.io.model import add_to_doc
from panel.io.resources import DIST_DIR
from panel.io.state import set_curdoc
from pyviz_comms import Comm

from ..menus import label_of
from ..messages import refuse
from ..objectives.formula import Formula
from ..objectives.samples import SHORT
from ..page.factors import LogSlider, PowerSlider
from ..page.fields import refusal_html
from ..page.formula_field import FormulaField, LetterSlider
from ..page.insides import models_of, widgets_of
from ..page.layout import page_script, shaded, share, stylesheet, wrapped
from ..page.page import LOOKS, Page
from ..pictures.axis_ranges import picked, range_of
from ..pictures.captions import caption
from ..pictures.layers import DOTTED, Drawing
from ..runtime.modules import script
from ..state.sharing import letter_specs, member_specs, specs
from ..state.subject import Subject
from ..state.values import (
    BRINGING,
    RESERVED,
    choices,
    offering,
    plain,
    read,
    refusal,
    ruled,
    said,
    sentence,
    spec_of,
    stage_of,
    text,
    typed,
)
from ..trace.formula_text import parsed
from .bundle import Bundle, members, names_on_self
from .definitions import NATIVES, printed
from .loading import loading
from .player import player
from .printer import quoted
from .skeleton import packed_scripts, page_text
from .store import Store, is_traced, members_of, script_json, untraced
from .stored import Knobs, stored_member, stored_runs
from .styles import colours, inline_styles
from .teaching import lessons_text
from .themes import THEMES, inks

ROOTS = ("follow", "compute", "draw", "status", "side", "shade", "idle", "played", "playhead", "stands", "stand",
         "typed_surface")  # fmt: skip
Offered = dict[tuple[str, str], Any]
BASE = ("chosen", "offered", "settle", "bound", "trained")  # which the runtime's experiment has itself


def page_html(
    experiment: Subject, title: str = "", theme: str = "system", knobs: Knobs = None, index: str = "",
    path: Sequence[Any] = (), lesson: str = "",
) -> str:  # fmt: skip
    """The text of a self-contained page of this experiment as it stands now; see `Experiment.save`.

    Its header leads to the page `index`, where there is one, and its lessons to the next of the `path`.
    """
    if theme not in THEMES:
        refuse("save", "needs the theme system, default or dark", theme)
    names = [each.name for each in experiment.lessons]
    steps = [f"{each.name}.{k + 1}" for each in experiment.lessons for k in range(len(each.steps))]
    if lesson and lesson not in (*names, *steps):
        choose = f"choose from {', '.join(names)}, a step of one as {steps[-1]}" if names else "leave it out"
        refuse("save", f"needs a lesson of {type(experiment).__name__}", lesson, choose)
    scripts = packed_scripts((*libraries(), program(experiment, knobs), page_script()))
    return page_text(title or experiment.title, body(path) + scripts, sentence=experiment.sentence, index=index,
                     theme=theme, css=style(), opens=lesson and f"lesson={lesson}")  # fmt: skip


def style() -> str:
    """The style sheet of a page that holds an experiment."""
    return "".join(map(stylesheet, ("export.css", "lesson.css", "player.css", "stage.css", "loader.css"))) + colours()


def program(experiment: Subject, knobs: Knobs = None, more: Callable[[Page], str] | None = None) -> str:
    """The script that makes the page of an experiment as it stands: runtime, definitions, Bokeh's models.

    `more` may put something on the page; what it gives is called with the page once it is there.
    """
    store = stored_runs(experiment, knobs)
    offered = dict(experiment.members())
    if store is not None and store.control:
        offered["optimizer", store.members["optimizer"]["label"]] = store.control
    # a document of its own: the look of the page does not hang on the session that asks for it
    with set_curdoc(Document()), pn.config.set(theme="default"), _unwatched(experiment, *offered.values()):
        page = Page(experiment, offered)
        then = more(page) if more else ""
        parts = _parts(experiment, page, offered, store)
    return _PROGRAM.format(runtime=script(), then=f".then({then})" if then else "", **parts)


_PROGRAM = """(() => {{
"use strict";
{runtime}
{program}
start(experiment, spec, sharing, {item}, {inks}){then};
}})();
"""
BODY = """<main><div id="refused" class="refused" role="alert"></div>
<p id="frozen" class="frozen"></p>
<div id="page"></div></main>
<section id="player" class="player" aria-label="Playback" hidden></section>
"""
LESSON = """<aside id="lesson" class="lesson" aria-label="Lesson" data-path="{path}" hidden></aside>
"""


def body(path: Sequence[Any] = ()) -> str:
    """What a page holds before its scripts fill it; the `path` says what other lessons there are, and where."""
    return LESSON.format(path=escape(json.dumps([list(each[:3]) for each in path]))) + BODY


@contextmanager
def _unwatched(*owners: Any) -> Iterator[None]:
    """Forget the watchers that controls made for a page leave on parameters."""
    watched = [o for o in owners if isinstance(o, param.Parameterized)]
    before = [copy.deepcopy(o.param.watchers, {id(w): w for w in _watchers(o)}) for o in watched]
    try:
        yield
    finally:
        for owner, watchers in zip(watched, before, strict=True):
            owner.param.watchers = watchers


def _watchers(owner: Any) -> list[Any]:
    return [w for kinds in owner.param.watchers.values() for each in kinds.values() for w in each]


def _parts(experiment: Subject, page: Page, offered: Offered, store: Store | None) -> dict[str, str]:
    """What is this experiment's own in the script: the document, its colours in both themes, the program."""
    document = Document()
    root = page.layout.get_root(document, Comm())
    add_to_doc(root, document, True)
    inline_styles(document)
    spec = _spec(experiment, offered, page)
    _park(root, spec["groups"])
    _offer(experiment, document, spec["controls"])
    text = _program(experiment, offered, store, spec)
    _empty_sources(page)
    return {"inks": script_json(inks(document)), "item": script_json(_item(root)), "program": text}


def _item(root: Any) -> dict[str, Any]:
    docs, _ = standalone_docs_json_and_render_items([root], suppress_callback_warning=True)
    return {"doc": next(iter(docs.values())), "root_id": root.ref["id"], "target_id": "page"}


@cache
def libraries() -> tuple[str, ...]:
    """Bokeh's and Panel's scripts."""
    bokeh = Resources(mode="inline", components=["bokeh", "bokeh-widgets", "bokeh-tables"]).js_raw
    return *bokeh, (DIST_DIR / "panel.min.js").read_text("utf-8")


def _empty_sources(page: Page) -> None:
    """The page computes what it shows: no data need travel with it."""
    for live in page.figures.values():
        for source in live.sources.values():
            source.data = {name: [] for name in source.data}


def _program(experiment: Subject, offered: Offered, store: Store | None, spec: dict[str, Any]) -> str:
    """The experiment's own JavaScript: definitions, parts, the state that it starts from."""

    def special(value, bundle):
        own = None if store is None else stored_member(value, experiment, store)
        return printed(value, bundle) if own is None else own

    bundle = Bundle({**NATIVES, Drawing: "$.Drawing", escape: "escaped"}, special)
    names = reachable(experiment)
    parts = members(type(experiment), names, bundle)
    state = _state(experiment, offered, names, bundle)
    texts = f"caption: {bundle.text(caption)}, wrapped: {bundle.text(wrapped)}, share: {bundle.text(share)}"
    texts += f", picked: {bundle.text(picked)}, range_of: {bundle.text(range_of)}"
    texts += f", shaded: {quoted(shaded('var(--unstable)'))}, lessons: {lessons_text(experiment, bundle)}"
    texts += f", player: {player(experiment, bundle)}, loading: {loading(experiment, bundle)}"
    shared = _sharing(experiment, offered, bundle)
    carried = "" if store is None else f"experiment.store = carried.store = {store.script()};"
    return f"""{bundle.source}
const experiment = new Experiment({parts}, {state});
{carried}
const spec = {{ ...{script_json(spec)}, {texts} }};
const sharing = {shared};"""


def _sharing(experiment: Subject, offered: Offered, bundle: Bundle) -> str:
    """What an address may say, and Python's own functions that read it and refuse."""
    held = experiment.figures_follow  # an address cannot say them either
    base = {
        n: spec for n, spec in specs(experiment).items() if spec["member"] is None and spec["parameter"] not in held
    }
    for name in experiment.narrowed:  # the page knows which of all entries there are
        whole = spec_of(type(experiment).param[name], base[name]["who"], base[name]["default"])
        base[name] |= {"options": whole["options"]}
    members: dict[str, dict[str, Any]] = {}
    for (role, label), member in offered.items():
        if isinstance(member, Formula):
            continue
        members.setdefault(role, {})[label] = member_specs(role, label, member)
    letters = {"role": experiment.typed_role, "specs": letter_specs(experiment.typed_role)}
    described = {"who": type(experiment).__name__, "base": base, "members": members, "reserved": RESERVED,
                 "bringing": BRINGING, "short": SHORT, "letters": letters}  # fmt: skip
    shared = (
        choices,
        offering,
        parsed,
        plain,
        read,
        refusal,
        ruled,
        said,
        sentence,
        stage_of,
        text,
        typed,
        refusal_html,
    )
    functions = ", ".join(f"{f.__name__}: {bundle.text(f)}" for f in shared)
    return f"{{ ...{script_json(described)}, {functions} }}"


def _state(experiment: Subject, offered: Offered, names: list[str], bundle: Bundle) -> str:
    """Parameters, further attributes that the methods read, and what the menus offer."""
    knobs = [n for n in experiment.knobs() if not isinstance(experiment.param[n], param.Event)]
    values = {n: getattr(experiment, n) for n in knobs} | {
        "title": experiment.title,
        "frames_anew": experiment.frames_anew,
        "narrowed": experiment.narrowed,
    }
    read = set().union(*(names_on_self(_function(type(experiment), n)) for n in names))
    kept = {n: v for n, v in vars(experiment).items() if n in read and n not in ("results", "drawings")}
    held = {name: values[name] for name in experiment.figures_follow}  # the page's figures are made
    menus: dict[str, list[str]] = {"rule": [], "objective": []}
    for (owner, label), member in offered.items():
        current = getattr(experiment, owner)
        text = _made(experiment, owner, current if label_of(current) == label else member, bundle)
        if text is not None:
            menus.setdefault("rule" if owner == "optimizer" else owner, []).append(f"{quoted(label)}: () => {text}")
    members = ", ".join(f"{kind}: {{{', '.join(each)}}}" for kind, each in menus.items())
    parts = f"values: {bundle.text(values)}, attributes: {bundle.text(kept)}, held: {bundle.text(held)}"
    return f"{{{parts}, members: {{{members}}}}}"


def _made(experiment: Subject, role: str, member: Any, bundle: Bundle) -> str | None:
    """What makes a member that a menu offers; one of stored runs is there already, None for what no page can run."""
    if untraced(experiment).get(role) is member:
        return bundle.text(member)
    return bundle.special(member, bundle) if is_traced(member) else None


def _function(kind: type, name: str) -> Any:
    value = inspect.getattr_static(kind, name)
    return value.fget if isinstance(value, property) else getattr(value, "__func__", value)


def reachable(experiment: Subject) -> list[str]:
    """The methods and properties of an experiment that a page needs, besides those of the base."""
    kind, found = type(experiment), []
    gestures = [
        g for f in experiment.figures() for g in (f.tap, f.span, f.drag and f.drag[1], f.edit and f.edit[1]) if g
    ]
    front = [*ROOTS, *(g.__name__ for g in gestures)]
    while front:
        name = front.pop(0)
        value = inspect.getattr_static(kind, name, None)
        if (
            name in found
            or name in BASE
            or value is None
            or value is inspect.getattr_static(kind.foundation, name, None)
        ):
            continue
        if inspect.isfunction(_function(kind, name)):
            found.append(name)
            front += sorted(names_on_self(_function(kind, name)))
    return found


def _spec(experiment: Subject, offered: Offered, page: Page) -> dict[str, Any]:
    """Where the page's models are, by id."""
    owners = {id(experiment): None} | {id(m): list(key) for key, m in offered.items()}
    return {
        "figures": [figure_spec(live) for live in page.figures.values()],
        "controls": [spec for knobs in page.layout.select(pn.Param) for spec in control_specs(knobs, owners)],
        "groups": [{"member": owners[id(knobs.object)], "model": _model(knobs).id}
                   for knobs in page.layout.select(pn.Param) if owners.get(id(knobs.object))],
        "status": _model(page.status).id, "message": _model(page.message).id,
        "blocks": {name: _model(block).id for name, block in page.blocks.items()},
        **{name: _model(part).id for name, part in page.parts.items()},
    }  # fmt: skip


def _park(root: Any, groups: list[dict[str, Any]]) -> None:
    """Take the controls of what is not chosen out of their columns, which the page fills by `groups`.

    They stay in the document among the root's tags: a hundred widgets that nobody sees would
    take half of the time that a page needs to open.
    """
    parents = {child.id: column for column in root.select({"type": Column}) for child in column.children}
    for group in groups:
        group["parent"] = parents[group["model"]].id
    ids = {group["model"] for group in groups}
    for column in {parents[i].id: parents[i] for i in ids}.values():
        hidden = [child for child in column.children if child.id in ids and not child.visible]
        root.tags = [*root.tags, *hidden]
        column.children = [child for child in column.children if child not in hidden]
        for child in hidden:
            child.visible = True


def _offer(experiment: Subject, document: Document, controls: list[dict[str, Any]]) -> None:
    """Leave rules and surfaces out of the menus that no page can run and that this one has no runs of."""
    for control in controls:
        role = control["name"].removesuffix("_name")
        if role != control["name"] and role in members_of(experiment):
            menu: Any = document.get_model_by_id(control["model"])
            held = experiment.members()
            menu.options = [o for o in menu.options if _runs(experiment, role, held.get((role, o[0])))]


def _runs(experiment: Subject, role: str, member: Any) -> bool:
    return member is None or is_traced(member) or untraced(experiment).get(role) is member


def _model(pane: Any) -> Any:
    """The Bokeh model of a pane as it was drawn last."""
    return models_of(pane)[-1]


def figure_spec(live: Any) -> dict[str, Any]:
    """Where the models of a figure are, by id, and how its layers look."""
    figure, model = live.figure, live.model
    return {
        "name": figure.name, "model": model.id, "x_range": model.x_range.id, "y_range": model.y_range.id,
        "caption": _model(live.caption).id, "pane": _model(live.pane).id, "legend": figure.legend, "logy": figure.logy,
        "tap": figure.tap and figure.tap.__name__, "span": figure.span and figure.span.__name__,
        "moved": figure.moved and figure.moved.__name__, "edit": figure.edit and figure.edit[1].__name__,
        "layers": {n: {k: getattr(layer, k, "") for k in LOOKS}
                   for n, layer in figure.layers.items()},
        "axes": {name: getattr(model, f"{name}axis")[0].id for name in "xy"},
        "pointer": live.pointer and live.pointer.id,
        "sources": {n: _layer_spec(live, n) for n in figure.layers},
    }  # fmt: skip


def _layer_spec(live: Any, name: str) -> dict[str, Any]:
    source, glyph = live.sources[name], live.glyphs[name]
    dots = live.dots if source is live.dotted else None
    return {
        "source": source.id, "glyph": glyph.id, "columns": list(source.data), "dotted": DOTTED,
        "dots": None if dots is None else dots.id,
        "mapper": live.mappers[name].id if name in live.mappers else None,
    }  # fmt: skip


def control_specs(knobs: pn.Param, owners: dict[int, Any]) -> list[dict[str, Any]]:
    """What each control of a group sets, and where its model is."""
    member = owners[id(knobs.object)]
    return [
        {"name": name, "member": member, "model": _model(widget).id,
         "event": isinstance(widget, pn.widgets.Button), **_factors_spec(widget), **_field_spec(widget),
         "property": "active" if isinstance(widget, pn.widgets.Checkbox) else "value"}
        for name, widget in widgets_of(knobs).items() if name in knobs.object.param
    ]  # fmt: skip


def _factors_spec(widget: Any) -> dict[str, Any]:
    """Whether a slider is one by factors, and where its 0 is."""
    return {"log": True, "zero": widget.nought} if isinstance(widget, LogSlider) else {}


def _field_spec(widget: Any) -> dict[str, Any]:
    """What is taken of what is typed into a field, and the line that says what it refused; a slider has its own."""
    if isinstance(widget, FormulaField):
        return {"formula": True}
    note = {"note": _model(widget.note).id} if hasattr(widget, "note") else {}
    powers = {"powers": True} if isinstance(widget, PowerSlider) else {}
    powers |= {"letter": True} if isinstance(widget, LetterSlider) else {}
    return {"typed": widget.spec, **note, **powers} if hasattr(widget, "spec") else {}
