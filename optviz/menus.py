"""Parameters that hold a member of a catalogue, given as an instance or by name."""

from __future__ import annotations

from functools import cache
from typing import Any

import param

from .messages import refuse
from .objectives.objective import Function, Objective
from .objectives.surfaces import Sphere as Sphere  # noqa: F401  loads the catalogue of surfaces
from .rules.optimizers import SGD as SGD  # noqa: F401  loads the catalogue of rules
from .rules.rule import Rule


def _spelling(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


@cache
def rules() -> dict[str, type[Rule]]:
    """Every update rule by name, in the order of its definition."""
    found = param.concrete_descendents(Rule).values()
    ours = sorted((r for r in found if r.__module__.startswith("optviz.")), key=_defined)
    return {cls.__name__: cls for cls in ours}


@cache
def surfaces() -> dict[str, type[Objective]]:
    """Every surface of two variables by its label, in the order of its definition."""
    found = param.concrete_descendents(Objective).values()
    ours = [c for c in found if c.__module__ == "optviz.objectives.surfaces" and c is not Function]
    return {label_of(cls): cls for cls in sorted(ours, key=_defined)}


def _defined(cls: type) -> int:
    return cls.update.__code__.co_firstlineno if issubclass(cls, Rule) else cls.formula.__code__.co_firstlineno


def label_of(member: Any) -> str:
    """What a menu calls a member: its label, else its class's name."""
    cls = member if isinstance(member, type) else type(member)
    return getattr(member, "label", "") or getattr(member, "title", "") or cls.__name__


class Member(param.Parameter):
    """A parameter that holds an update rule or an objective; a name makes a fresh one."""

    __slots__ = ["kind"]

    def __init__(self, default=None, *, kind: str = "rule", **settings):
        self.kind = kind
        super().__init__(default, **settings)

    def __set__(self, obj, val):
        owner = f"{type(obj).__name__}.{self.name}"
        super().__set__(obj, resolved(self.kind, val, owner))


def resolved(kind: str, value: Any, who: str) -> Any:
    """The member itself, or a new one of that name with the playground's values."""
    if isinstance(value, str):
        return _named(kind, value, who)
    base, method = (Rule, "walk") if kind == "rule" else (Objective, "float_gradient")
    if isinstance(value, type) or not (isinstance(value, base) or hasattr(value, method)):
        refuse(who, WANTED[kind], value)
    if kind == "objective" and (getattr(value, "domain", None) is None or len(value.names) != 2):
        refuse(who, "must be a surface of two variables with a domain", label_of(value),
               "a torch module's loss has one once you set its `domain`, ((x0, x1), (y0, y1))")  # fmt: skip
    return value


WANTED = {"rule": "must be an update rule or its name", "objective": "must be an objective or its name"}


def _named(kind: str, name: str, who: str) -> Any:
    catalogue = rules() if kind == "rule" else surfaces()
    for label, cls in catalogue.items():
        if _spelling(name) in (_spelling(label), _spelling(cls.__name__)):
            return cls(**getattr(cls, "preset", {}))
    return refuse(who, WANTED[kind], name, f"choose one of {', '.join(c.__name__ for c in catalogue.values())}")
