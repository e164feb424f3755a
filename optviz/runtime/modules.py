"""The runtime of exported pages: modules of JavaScript that import one another, as one classic script.

Each file of `optviz/runtime` is a module with named imports and exports. In the script it is a function
that runs once and gives what it exports, after those that it imports from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

ENTRIES = ("dollar.js", "experiment.js", "live.js", "start.js", "descent.js", "schedules.js", "special.js",
           "stored.js")  # fmt: skip
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:class|const|function) ([\w$]+))", re.MULTILINE)


@cache
def source(name: str) -> str:
    """The text of a module."""
    return files("optviz").joinpath("runtime", name).read_text("utf-8")


def exports(name: str) -> list[str]:
    """What a module exports."""
    return EXPORT.findall(source(name))


def order(entries: Iterable[str]) -> list[str]:
    """These modules and all that they import from, each after those."""
    placed: list[str] = []

    def place(name: str, around: tuple[str, ...] = ()) -> None:
        if name in around:
            raise ImportError(f"the runtime's modules import in a circle: {' '.join((*around, name))}")
        for _, other in IMPORT.findall(source(name)) if name not in placed else ():
            place(other, (*around, name))
        if name not in placed:
            placed.append(name)

    for entry in entries:
        place(entry)
    return placed


@cache
def script(entries: tuple[str, ...] = ENTRIES) -> str:
    """One script of these modules, in which what they export are constants."""
    return "\n".join([*map(_wrapped, order(entries)), *map(_opened, entries)])


def _wrapped(name: str) -> str:
    body = IMPORT.sub(lambda line: f"const {{{line[1]}}} = {_constant(line[2])};\n", source(name))
    return f"const {_constant(name)} = (() => {{\n{EXPORT.sub('', body)}return {{ {_listed(name)} }};\n}})();"


def _opened(name: str) -> str:
    return f"const {{ {_listed(name)} }} = {_constant(name)};"


def _listed(name: str) -> str:
    return ", ".join(exports(name))


def _constant(name: str) -> str:
    return f"${name.removesuffix('.js')}_js"
