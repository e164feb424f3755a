"""Every experiment by name, and the cards that lead to them."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from html import escape
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import param

from . import experiments as lessons
from .experiment import Experiment, load
from .export.skeleton import inline, page_text
from .lessons.counter_example import CounterExample
from .listed import listed_classes
from .messages import refuse
from .page.layout import stylesheet


def experiments() -> dict[str, type[Experiment]]:
    """Every experiment by the name of its app, which is its module's: optviz's own, and those that are `listed`."""
    load()
    found = param.concrete_descendents(Experiment).values()
    ours = [kind for kind in found if kind.__module__.startswith(f"{lessons.__name__}.")]
    return {name_of(kind): kind for kind in sorted([*ours, *listed_classes(Experiment)], key=lambda kind: kind.order)}


def load_file(path: str) -> None:
    """Import a file of somebody's own, for the rules, surfaces, losses and experiments in it that are `listed`.

    Before the experiments that shall have them in their menus: those make their menus when they are imported.
    """
    file = Path(path).resolve()
    if file.suffix != ".py" or not file.is_file():
        refuse("optviz", "needs a file of Python to load", path)
    sys.path.insert(0, str(file.parent))
    import_module(file.stem)


def name_of(kind: type[Experiment]) -> str:
    """The name of an experiment's app, which is its module's."""
    return kind.__module__.rsplit(".", 1)[-1]


def named(name: str) -> type[Experiment]:
    """The experiment of this name, surface_descent or SurfaceDescent."""
    plain = "".join(c for c in str(name).lower() if c.isalnum())
    for known, kind in experiments().items():
        if plain == known.replace("_", ""):
            return kind
    return refuse("optviz", "needs the name of an experiment", name, f"choose one of {', '.join(experiments())}")


def cards(suffix: str = "", names: Collection[str] = ()) -> str:
    """A picture and a sentence for each experiment, or for these, linking to its name with this suffix."""
    shown = {name: kind for name, kind in experiments().items() if name in names or not names}
    return f'<div class="cards">{"".join(_card(name, kind, suffix) for name, kind in shown.items())}</div>'


def _card(name: str, kind: type[Experiment], suffix: str) -> str:
    file = files("optviz").joinpath("assets", f"{name}.webp")
    picture = b64encode(file.read_bytes()).decode() if file.is_file() else ""  # one of yours may have none
    image = f'<img src="data:image/webp;base64,{picture}" alt="">' if picture else ""
    return f'<a class="card" href="{name}{suffix}">{image}<h3>{kind.title}</h3><p>{kind.sentence}</p></a>'


def path(
    address: Callable[[str, Mapping[str, Any]], str], names: Collection[str] = ()
) -> list[tuple[str, str, str, str]]:
    """The lessons in the order in which they build on each other: name, address, title and sentence.

    `address` says where a lesson is, by the name of its experiment and a state. Only of these experiments, if any
    are given.
    """
    shown = {name: kind for name, kind in experiments().items() if name in names or not names}
    lessons = [(lesson, name) for name, kind in shown.items() for lesson in kind.lessons]
    ordered = sorted(lessons, key=lambda pair: pair[0].order)
    return [
        (lesson.name, address(name, {"lesson": lesson.name}), lesson.title, lesson.sentence) for lesson, name in ordered
    ]


def counter_examples(
    address: Callable[[str, Mapping[str, Any]], str], names: Collection[str] = ()
) -> list[tuple[str, CounterExample]]:
    """The counter-examples of experiments, or of these, with their addresses."""
    shown = {name: kind for name, kind in experiments().items() if name in names or not names}
    return [(address(name, each.state), each) for name, kind in shown.items() for each in kind.counter_examples]


def saved_address(name: str, state: Mapping[str, Any]) -> str:
    """Where an experiment has a state, or a lesson, among pages that are saved together."""
    return f"{name}.html#{urlencode(state)}"


LEAD = """<p class="lead">Move a knob, see what the optimizer does: for everybody who learns, teaches or uses gradient
descent. Every number is computed as you move, and is PyTorch's.</p>
"""
WRONG_WAY = '<a href="#wrong"><b>Counter-examples</b> {count} runs that go wrong, to open and to mend</a>\n'
WAYS = """<nav class="ways" aria-label="Ways in"><a href="#learn"><b>Learn</b> {lessons} short lessons, \
from one step to the edge of stability</a><a href="#play"><b>Play</b> {experiments} experiments, every knob free</a>\
{examples}<a href="#bring"><b>Bring your own</b> rule, loss, surface or torch module</a></nav>
"""
BRING = """<section id="bring"><h2>Bring your own</h2>
<p>A function of two variables, a rule of your own or a torch module is one line of Python. It gets the same pages:
live in a notebook, served, or saved as one file that needs no server.</p>
<pre tabindex="0"><code>import optviz
from optviz import Adam, SurfaceDescent

bowl = optviz.objective(lambda x, y: x**2 + 3 * y**2 + x * y, domain=((-3, 3), (-3, 3)))
SurfaceDescent(objective=bowl, optimizer=Adam(lr=0.1)).save("bowl.html")</code></pre></section>
"""


def index_html(
    theme: str = "system", suffix: str = ".html", head: str = "", opening: str = "", names: Collection[str] = (),
    address: Callable[[str, Mapping[str, Any]], str] = saved_address,
) -> str:  # fmt: skip
    """The page that leads to every experiment, or to these, beside it or served; it begins with an `opening`."""
    css = stylesheet("export.css") + stylesheet("index.css")
    lessons = path(address, names)
    wrong = counter_examples(address, names)
    more = WRONG_WAY.format(count=len(wrong)) if wrong else ""
    ways = WAYS.format(lessons=len(lessons), experiments=len(names) or len(experiments()), examples=more)
    body = f"<main>{LEAD}{ways}{opening}{_learn(lessons)}"
    body += f'<section id="play"><h2>Play</h2>{cards(suffix, names)}</section>{_wrong(wrong)}{BRING}</main>\n'
    return page_text("See what an optimizer does", body, sentence="Interactive lessons on optimizers", theme=theme,
                     css=css, head=head, served="index" if opening else None, pictures=bool(opening))  # fmt: skip


def _wrong(examples: Sequence[tuple[str, CounterExample]]) -> str:
    items = "".join(
        f'<li><a href="{escape(address)}"><b>{each.title}</b> {each.sentence} <small>{each.source}.</small></a></li>'
        for address, each in examples
    )
    head = "Runs that do what nobody expects. Each opens as it was found: turn a knob and see what mends it."
    return (
        f'<section id="wrong"><h2>Counter-examples</h2><p>{head}</p><ul class="path">{items}</ul></section>'
        if items
        else ""
    )


def _learn(lessons: Sequence[tuple[str, str, str, str]]) -> str:
    items = "".join(
        f'<li><a href="{escape(address)}" data-lesson="{name}"><b>{title}</b> {sentence}</a></li>'
        for name, address, title, sentence in lessons
    )
    return f'<section id="learn"><h2>Learn</h2><ol class="path">{items}</ol></section>{inline(stylesheet("path.js"))}'
