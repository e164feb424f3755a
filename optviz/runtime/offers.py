"""What the runtime offers to printed functions, read from its own tables: objects with an entry a line."""

from __future__ import annotations

import re
from functools import cache

from .modules import source

# where the names are that a printed function may ask for, by what it calls them
TABLES = {
    "Python": ("builtins.js", "py"),
    "numpy": ("numpy.js", "np"),
    "numpy.random": ("random.js", "random"),
    "math": ("builtins.js", "math"),
    "re": ("builtins.js", "re"),
    "isinstance": ("builtins.js", "TYPES"),
    "operators": ("operators.js", "op"),
    "text": ("methods.js", "strings"),
    "lists": ("methods.js", "lists"),
    "dicts": ("methods.js", "dicts"),
    "numbers": ("methods.js", "numbers"),
    "arrays": ("numpy.js", "ARRAYS"),
}
OBJECTS = (
    "descent.js",
    "members.js",
    "formula.js",
    "schedules.js",
    "random.js",
    "experiment.js",
)  # rules, surfaces, generators, experiments
METHODS = ("text", "lists", "dicts", "numbers", "arrays")
_ENTRY = re.compile(r"^  (\w+)(?=[:,])", re.MULTILINE)
_MEMBER = re.compile(r"^  (?!(?:if|for|while|switch)\b)(?:get )?(\w+)\([^;]*\) \{", re.MULTILINE)


@cache
def offered(table: str) -> tuple[str, ...]:
    """The names of one of `TABLES`, in alphabetical order."""
    file, name = TABLES[table]
    entries = re.search(rf"^(?:export )?const {name} = \{{\n(.*?)^\}};", source(file), re.MULTILINE | re.DOTALL)
    assert entries, f"{file} has no table {name}"
    return tuple(sorted(_ENTRY.findall(entries[1])))


@cache
def methods() -> frozenset[str]:
    """The names of the methods that a printed function may call on what is not printed itself."""
    own = {name for module in OBJECTS for name in _MEMBER.findall(source(module))}
    return frozenset(own | {"fullmatch"}).union(*map(offered, METHODS))
