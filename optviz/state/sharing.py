"""The state of an experiment as short names and plain values, for an address or a JSON text.

Everything is said of the values' descriptions (`specs`, see `optviz.state.values`), in plain JSON,
so that a page's script can take and refuse the same addresses in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import param

from ..menus import Member, label_of, names_of, rules, surfaces
from ..messages import refuse
from ..objectives.formula import OWN, Formula, FormulaText, ends_of
from ..trace.formula_tokens import LETTERS
from .subject import Subject
from .values import BRINGING, Spec, choices, kind_of, plain, read, refusal, said, sentence, spec_of, stage_of, text
from .values import RESERVED as RESERVED
from .values import SENTENCES as SENTENCES


class Place(NamedTuple):
    """Where a value is: in the experiment, or in the rule or the surface that it holds."""

    owner: Any
    parameter: str
    role: str = ""  # the parameter that holds the member whose name this is
    member: list[str] | None = None  # the owner, as the parameter that holds it and its label


# the whole state


def specs(experiment: Subject) -> dict[str, Spec]:
    """What each shareable name stands for now, and the values it may have, in plain JSON.

    Besides what `optviz.state.values` says: `parameter`, and `member`, None or the parameter that
    holds the owner and its label. Defaults are those that the chosen rule, surface or preset brings.
    """
    return _specs(experiment, _places(experiment))


def member_specs(role: str, label: str, member: Any) -> dict[str, Spec]:
    """The same for a rule or a surface that a menu offers, as it is when it has just been chosen."""
    places = {name: Place(member, name, member=[role, label]) for name in names_of(member)}
    return {name: _spec(place, {role: member}, set()) for name, place in places.items()}


def letter_specs(role: str) -> dict[str, Spec]:
    """The same for every letter that a typed formula may have, and for the ends of its slider."""
    made, names = Formula(), [name for letter in LETTERS for name in (letter, *ends_of(letter))]
    return {name: _spec(Place(made, name, member=[role, OWN]), {}, set()) for name in names}


def state_of(experiment: Subject) -> dict[str, Any]:
    """Every value that a visitor can set, by its short name; what cannot be shared is left out."""
    return {name: value for name, (_, _, value) in _found(experiment).items() if value is not None}


def query(experiment: Subject) -> str:
    """The state as an address says it, without what has its default: `optimizer=adam&lr=0.2`."""
    texts = {name: (text(value), text(spec["default"])) for name, (spec, _, value) in _found(experiment).items()}
    return urlencode({name: value for name, (value, default) in texts.items() if value not in ("", default)})


def link_note(experiment: Subject) -> str:
    """What the state holds that no link can carry, a sentence each; empty if there is nothing."""
    return " ".join(_unshared(experiment))


def _unshared(experiment: Subject) -> list[str]:
    lost = [(spec, held) for spec, held, value in _found(experiment).values() if value is None]
    sentences = [sentence("unshared", spec | {"fix": "choose such a value first"}, said(held)) for spec, held in lost]
    if getattr(experiment, "_given", None) is not None:
        spec = {"who": type(experiment).__name__, "rule": "must draw its data from the seed", "fix": "set the seed"}
        sentences.append(sentence("unshared", spec, "use data of your own"))
    return sentences


def _found(experiment: Subject) -> dict[str, tuple[Spec, Any, Any]]:
    """By name: its description, what it holds, and that as plain JSON (None where it cannot be shared)."""
    places = _places(experiment)
    held = {name: _held(place) for name, place in places.items()}
    return {name: (spec, held[name], plain(spec, held[name])) for name, spec in _specs(experiment, places).items()}


def _held(place: Place) -> Any:
    value, parameter = getattr(place.owner, place.parameter), place.owner.param[place.parameter]
    if isinstance(parameter, FormulaText) and place.owner.typed_surface() is None:
        return type(place.owner).param[place.parameter].default  # it shows nothing
    return value if not place.role or _is_listed(place.owner, place.role) else f"{value} of your own"


# where the values are


def _places(experiment: Subject) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for parameter in experiment.menu():
        role = parameter.removesuffix("_name")
        if role != parameter and role in experiment.param and isinstance(experiment.param[role], Member):
            found[role] = Place(experiment, parameter, role)
            found |= _knobs(experiment, role)
        elif kind_of(experiment.param[parameter]):
            found[parameter] = Place(experiment, parameter)
    return found | _letters(experiment)


def _letters(experiment: Subject) -> dict[str, Place]:
    """The letters of a formula that was typed, and the ends of their sliders."""
    surface, role = experiment.typed_surface(), experiment.typed_role
    names = [name for letter in surface.shape_names() for name in (letter, *ends_of(letter))] if surface else []
    return {name: Place(surface, name, member=[role, OWN]) for name in names}


def unnamed(experiment: Subject) -> list[str]:
    """The parameters that results may depend on and that no short name stands for; events hold nothing."""
    places = _places(experiment)
    named = {place.parameter for place in places.values()} | {place.role for place in places.values()}
    named |= {experiment.typed_role} if experiment.typed_surface() is not None else set()
    held = (name for name in experiment.knobs() if not isinstance(experiment.param[name], param.Event))
    return [name for name in held if name not in named]


def _knobs(experiment: Subject, role: str) -> dict[str, Place]:
    """The numbers of the rule or the surface that is chosen; a user's own has none to share."""
    member = getattr(experiment, role)
    if isinstance(member, Formula) or not _is_listed(experiment, role):
        return {}
    return {name: Place(member, name, member=[role, label_of(member)]) for name in names_of(member)}


def _catalogue(experiment: Subject, role: str) -> Mapping[str, type]:
    return rules() if experiment.param[role].kind == "rule" else surfaces()


def _is_listed(experiment: Subject, role: str) -> bool:
    member = getattr(experiment, role)
    return isinstance(member, Formula) or _catalogue(experiment, role).get(label_of(member)) is type(member)


def _specs(experiment: Subject, places: Mapping[str, Place]) -> dict[str, Spec]:
    choices = {p.parameter for p in places.values() if kind_of(p.owner.param[p.parameter]) in BRINGING}
    brought = experiment.follow(choices) if choices else {}
    return {name: _spec(place, brought, choices) for name, place in places.items()}


def _spec(place: Place, brought: Mapping[str, Any], choices: set[str]) -> Spec:
    """A place's description, given what the choices bring: the rule's preset, the surface's start."""
    owner, name, default, options = place.owner, place.parameter, type(place.owner).param[place.parameter].default, None
    if place.member is not None:
        default = getattr(brought.get(place.member[0]), name, default)
    elif name not in choices and not isinstance(owner.param[name], FormulaText):
        default = brought.get(name, default)
    if place.role:
        known, offered = _catalogue(owner, place.role), type(owner).param[name].objects
        options = {cls.__name__.lower(): label for label, cls in known.items() if label in offered}
        options |= {"formula": OWN} if OWN in owner.param[name].objects else {}
    made = spec_of(owner.param[name], f"{type(owner).__name__}.{place.role or name}", default, options)
    return made | {"member": place.member, "parameter": name}


# taking a state


def values_of(arguments: Mapping[str, Iterable[bytes]]) -> dict[str, Any]:
    """What a request's arguments, as tornado has them, say of a state; a name given twice has a list."""
    named = {name.encode("latin1").decode("utf-8", "replace"): values for name, values in arguments.items()}
    pairs = [(name, value.decode("utf-8", "replace")) for name, values in named.items() for value in values]
    others = ("theme", *RESERVED)
    return _gathered((name, value) for name, value in pairs if name not in others and not name.startswith("bokeh-"))


def _gathered(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, list] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def apply(experiment: Any, values: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """Set what these values say, of an experiment or of a new one of a class, in one computation.

    Gives the experiment and a sentence for each value that was refused; the others hold. What
    the experiment itself refuses, a combination for instance, is in its `message`.
    """
    made = experiment() if isinstance(experiment, type) else experiment
    refused = take(made, values)
    if len(refused) < len(values):
        made.restart()
    return made, [refused[name] for name in values if name in refused]


def take(experiment: Any, values: Mapping[str, Any]) -> dict[str, str]:
    """Set what these values say without a computation; gives what is said against those that are refused."""
    refused: dict[str, str] = {}
    # a rule, a surface or a preset brings values and narrows menus: it comes first
    for stage in range(3) if values else ():
        _take_some(experiment, values, stage, refused)
    return refused


def _take_some(experiment: Any, values: Mapping[str, Any], stage: int, refused: dict[str, str]) -> None:
    places = _places(experiment)
    described, changes = _specs(experiment, places), {}
    for name, value in values.items():
        spec = described.get(name)
        if spec is None:
            if stage > 1:
                unknown = {"who": type(experiment).__name__, "fix": choices([*described])}
                refused[name] = sentence("unknown", unknown, said(name))
        elif stage_of(spec, experiment.narrowed) == stage:
            known = read(spec, value)
            if known is None:
                refused[name] = refusal(spec, value)
            elif stage != 1 or known != _held(places[name]):  # to choose an axis anew would show the whole of it
                changes.setdefault(places[name].owner, {})[name] = (spec["parameter"], known)
    for owner, change in changes.items():
        refused |= _taken(experiment, owner, change)


def _taken(experiment: Any, owner: Any, change: Mapping[str, tuple[str, Any]]) -> dict[str, str]:
    """Set all at once; where a parameter has a rule that no description tells, one by one."""
    try:
        experiment.take(owner, dict(change.values()))
    except ValueError as trouble:
        if len(change) == 1:
            return dict.fromkeys(change, str(trouble))
        parts = [_taken(experiment, owner, {name: each}) for name, each in change.items()]
        return {name: why for part in parts for name, why in part.items()}
    return {}


def later(experiment: Subject) -> Callable[[], Subject] | None:
    """A function that makes another experiment in the state of this one now, in any thread.

    None where the state holds what cannot be shared: members or data of a user's own.
    """
    if _unshared(experiment):
        return None
    kind, values, beside = type(experiment), state_of(experiment), experiment.beside()

    def made() -> Subject:
        copy, _ = apply(kind, values)
        if copy.beside() != beside:
            vars(copy).update(beside)
            copy.restart()
        return copy

    return made


def members_by_id(experiment: Subject) -> dict[int, list[str]]:
    """The rule and the surface that are chosen: the parameters that hold them and their labels, by `id`."""
    return {id(p.owner): p.member for p in _places(experiment).values() if p.member is not None}


def opening(experiment: Any) -> Callable[[str, bool], None]:
    """A function that brings an experiment to what an address says, from whatever state; what is a user's own now
    comes back where the address names nothing else. `afresh` with nothing kept from before: axes fit what there is.
    """
    own = {p.parameter: getattr(experiment, p.parameter) for p in _places(experiment).values()
           if p.role and not _is_listed(experiment, p.role)}  # fmt: skip

    def go(query: str, afresh: bool) -> None:
        said = dict(parse_qsl(query))
        choices = {name: spec["default"] for name, spec in specs(experiment).items() if spec["kind"] == "option"}
        back = {name: label for name, label in own.items() if name.removesuffix("_name") not in said}
        roles = {name.removesuffix("_name") for name in back}
        _move(experiment, {name: said.get(name, value) for name, value in choices.items() if name not in roles})
        experiment.take(experiment, {name: label for name, label in back.items() if getattr(experiment, name) != label})
        usual = {name: spec["default"] for name, spec in specs(experiment).items() if name not in choices}
        _move(experiment, {**usual, **said})
        if afresh:
            experiment.framings += 1
            experiment.restart()
        else:
            experiment.refresh()

    return go


def _move(experiment: Subject, values: Mapping[str, Any]) -> None:
    """Take those of these values that are not there: to choose a rule anew would bring its settings."""
    found = _found(experiment)
    there = {name for name, (spec, held, _) in found.items() if read(spec, values.get(name)) == held}
    take(experiment, {name: value for name, value in values.items() if name not in there and value is not None})


# JSON


def to_json(experiment: Subject) -> str:
    """The state as a JSON text; ValueError with one sentence where it holds what cannot be shared."""
    unshared = _unshared(experiment)
    if unshared:
        raise ValueError(unshared[0])
    return json.dumps({"experiment": type(experiment).__name__, "values": state_of(experiment)})


def from_json(who: str, kinds: Mapping[str, type], text: str) -> Any:
    """A new experiment of one of these classes, by name; ValueError with a sentence for the first bad value."""
    name, values = _read_json(who, text)
    if name not in kinds:
        refuse(who, f"needs an experiment among {', '.join(kinds)}", name)
    made, refused = apply(kinds[name], values)
    if refused or made.message:
        raise ValueError([*refused, made.message][0])
    return made


def _read_json(who: str, text: Any) -> tuple[str, dict[str, Any]]:
    try:
        found = json.loads(text, object_pairs_hook=_gathered)
    except (TypeError, ValueError, RecursionError):
        found = None
    match found:
        case {"experiment": str(name), "values": dict(values), **more} if not more:
            return name, values
    return refuse(who, 'needs a text {"experiment": ..., "values": {...}}', text, "give it what to_json wrote")
