"""Parameters that hold a member of a catalogue, given as an instance or by name."""

from __future__ import annotations

from typing import Any

import param

from .listed import listed_classes, own_classes
from .messages import refuse
from .objectives import surfaces as all_surfaces
from .objectives.objective import Objective, as_curve
from .plurals import many
from .rules.catalogue import own_rules
from .rules.rule import Rule


def _spelling(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def rules() -> dict[str, type[Rule]]:
    """Every update rule by name: the catalogue's, in its order, then those of yours that are `listed`."""
    return {cls.__name__: cls for cls in [*own_rules(), *listed_classes(Rule)]}


def surfaces() -> dict[str, type[Objective]]:
    """Every surface of two variables by its label: the catalogue's, then those of yours that are `listed`."""
    found = [*own_classes(all_surfaces.__name__, Objective), *listed_classes(Objective)]
    return {label_of(cls): cls for cls in found}


def label_of(member: Any) -> str:
    """What a menu calls a member: its label, else its class's name."""
    cls = member if isinstance(member, type) else type(member)
    return getattr(member, "label", "") or getattr(member, "title", "") or cls.__name__


def names_of(member: Any) -> list[str]:
    """The names of a rule's hyperparameters, flags among them, or of an objective's shape parameters."""
    if isinstance(member, Rule):
        return member.hyperparameters()
    return member.shape_names() if hasattr(member, "shape_names") else []


def setting(member: Any, name: str) -> float:
    """The value that a rule or an objective has for one of its numbers."""
    return float(getattr(member, name))


def with_setting(member: Any, name: str, value: float) -> Any:
    """The same rule or objective with another value of one of its numbers."""
    return type(member)(**{**arguments_of(member), name: value})


def arguments_of(member: Any) -> dict[str, Any]:
    """What makes another rule or objective like this one."""
    if hasattr(member, "arguments"):
        return member.arguments()
    return {n: getattr(member, n) for n in names_of(member)}


class Member(param.Parameter):
    """A parameter that holds an update rule or an objective; a name makes a fresh one.

    One that takes `curves` takes functions of one variable, too.
    """

    __slots__ = ["curves", "kind"]

    def __init__(self, default=None, *, kind: str = "rule", curves: bool = False, **settings):
        self.kind, self.curves = kind, curves
        super().__init__(default, **settings)

    def __set__(self, obj, val):
        owner = f"{type(obj).__name__}.{self.name}"
        super().__set__(obj, resolved(self.kind, val, owner, self.curves))


def resolved(kind: str, value: Any, who: str, curves: bool = True) -> Any:
    """The member itself, or a new one of that name with the playground's values."""
    if isinstance(value, str):
        value = _named(kind, value, who)
    base, method = (Rule, "walk") if kind == "rule" else (Objective, "float_gradient")
    if isinstance(value, type) or not (isinstance(value, base) or hasattr(value, method)):
        refuse(who, WANTED[kind], value)
    if kind == "objective" and isinstance(value, Objective) and value.dim == 1:
        value = as_curve(value)
    if kind == "objective" and (getattr(value, "domain", None) is None or len(value.names) != 2):
        fix = "a torch module's loss has one once you set its `domain`, ((x0, x1), (y0, y1))"
        if len(value.names) != 2 and isinstance(value, Objective):
            fix = f"descend takes one of {many(len(value.names), 'variable')}"
        refuse(who, "must be a surface of two variables with a domain", label_of(value), fix)
    if kind == "objective" and value.is_curve and not curves:
        refuse(who, "must be a surface of two variables", label_of(value), "SurfaceDescent shows curves of one")
    return value


WANTED = {"rule": "must be an update rule or its name", "objective": "must be an objective or its name"}


def _named(kind: str, name: str, who: str) -> Any:
    catalogue = rules() if kind == "rule" else surfaces()
    for label, cls in catalogue.items():
        if _spelling(name) in (_spelling(label), _spelling(cls.__name__)):
            return cls(**getattr(cls, "preset", {}))
    return refuse(who, WANTED[kind], name, f"choose one of {', '.join(c.__name__ for c in catalogue.values())}")
