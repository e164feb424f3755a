"""Every experiment by name, and the cards that lead to them."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Collection
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import param

from . import experiments as lessons
from .experiment import Experiment, load
from .export.skeleton import page_text
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
    return f'<a class="card" href="{name}{suffix}">{image}<h2>{kind.title}</h2><p>{kind.sentence}</p></a>'


LEAD = """<p class="lead">Move a knob, see what the optimizer does: for everybody who learns, teaches or uses gradient
descent. Every number is computed as you move, and is PyTorch's.</p>
"""


def index_html(
    theme: str = "system", suffix: str = ".html", head: str = "", opening: str = "", names: Collection[str] = ()
) -> str:
    """The page that leads to every experiment, or to these, beside it or served; it begins with an `opening`."""
    css = stylesheet("export.css") + stylesheet("index.css")
    body = f"<main>{LEAD}{opening}{cards(suffix, names)}</main>\n"
    return page_text("See what an optimizer does", body, sentence="Interactive lessons on optimizers", theme=theme,
                     css=css, head=head, served="index" if opening else None)  # fmt: skip
