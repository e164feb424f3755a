"""Every experiment by name, and the cards that lead to them."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from importlib.resources import files

import param

from . import experiments as lessons
from .experiment import Experiment, load
from .messages import refuse
from .page.layout import favicon, stylesheet


def experiments() -> dict[str, type[Experiment]]:
    """Every experiment by the name of its app, which is its module's."""
    load()
    found = param.concrete_descendents(Experiment).values()
    ours = {name_of(kind): kind for kind in found if kind.__module__.startswith(lessons.__name__)}
    return dict(sorted(ours.items(), key=lambda item: item[1].order))


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


def cards(suffix: str = "") -> str:
    """A picture and a sentence for each experiment, linking to its name with this suffix."""
    each = "".join(_card(name, kind, suffix) for name, kind in experiments().items())
    return f'<p class="lead">Move a knob, see what the optimizer does.</p><div class="cards">{each}</div>'


def _card(name: str, kind: type[Experiment], suffix: str) -> str:
    picture = b64encode(files("optviz").joinpath("assets", f"{name}.webp").read_bytes()).decode()
    return (
        f'<a class="card" href="{name}{suffix}"><img src="data:image/webp;base64,{picture}" alt="">'
        f"<h2>{kind.title}</h2><p>{kind.sentence}</p></a>"
    )


def index_html(theme: str = "system") -> str:
    """The page that leads to exported experiments beside it."""
    return _INDEX.format(
        theme=escape(theme), icon=favicon(), choose=stylesheet("theme.js"), cards=cards(".html"),
        css=stylesheet("export.css") + stylesheet("index.css"),
    )  # fmt: skip


_INDEX = """<!DOCTYPE html>
<html lang="en" data-theme="{theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="{icon}">
<title>optviz</title>
<script>{choose}</script>
<style>{css}</style>
</head>
<body>
<header><b>optviz</b><h1>See what an optimizer does</h1><button type="button" id="theme-button"></button></header>
<main>{cards}</main>
<script>optviz_theme.offer(document.getElementById("theme-button"));</script>
</body>
</html>
"""
