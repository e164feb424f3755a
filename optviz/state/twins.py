"""A second experiment in the state of a first, which computes in a thread of its own while the first is moved."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import param

from . import sharing
from .subject import Subject

# what the base keeps for itself: every other attribute that an experiment gets is its state, or what it computed
_BASE = {"results", "drawings", "worker", "apart", "message", "revision", "_own", "_memo", "_pages", "_layers",
         "_settling", "_trying", "_watched", "_param__private"}  # fmt: skip
_ABSENT = object()
_BEGUN: ContextVar[tuple[type, Mapping[str, Any]] | None] = ContextVar("begun", default=None)


def known_to(experiment: Any) -> Mapping[str, Any] | None:
    """What a new twin takes over instead of a computation; None for any other experiment."""
    begun = _BEGUN.get()
    return begun[1] if begun is not None and begun[0] is type(experiment) else None


def attributes_of(experiment: Any) -> dict[str, Any]:
    """The attributes that are an experiment's own, beside its parameters."""
    return {name: value for name, value in vars(experiment).items() if name not in _BASE}


def changed(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What is another object than before."""
    return {name: value for name, value in now.items() if before.get(name, _ABSENT) is not value}


@dataclass(frozen=True)
class State:
    """An experiment's state at one time: nothing of it moves with the experiment."""

    values: Mapping[str, Any]  # by their short names, see `optviz.state.sharing`
    rest: Mapping[str, Any]  # parameters without a short name
    attributes: Mapping[str, Any]  # that have changed since the twin began
    memo: Any  # another one once nothing is to be kept from before
    framings: int

    def misleads_beside(self, other: State) -> bool:
        """Whether what it gives, beside controls that say the other state, is of more than other numbers."""
        if self.values.keys() != other.values.keys():
            return True
        pairs = [(mine[name], others.get(name)) for mine, others in
                 ((self.values, other.values), (self.rest, other.rest)) for name in mine]  # fmt: skip
        return not all(a is b or _are_numbers(a, b) or _same(a, b) for a, b in pairs)


def _are_numbers(a: Any, b: Any) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_are_numbers, a, b))
    return all(isinstance(each, int | float) and not isinstance(each, bool) for each in (a, b))


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and isinstance(a, str | bool) and a == b


def state_now(experiment: Any, before: Mapping[str, Any]) -> State | None:
    """The state of an experiment, its attributes as far as they differ from `before`.

    None where it holds what another thread must not have: members or data of a user's own, or
    an object with parameters that a visitor may move.
    """
    if sharing.link_note(experiment):
        return None
    rest = {name: getattr(experiment, name) for name in sharing.unnamed(experiment)}
    if any(isinstance(value, param.Parameterized) for value in rest.values()):
        return None
    attributes = changed(attributes_of(experiment), before)
    return State(sharing.state_of(experiment), rest, attributes, vars(experiment)["_memo"], experiment.framings)


@dataclass
class Shown:
    """What a computation gave, as a page asks an experiment for it."""

    state: State
    message: str
    results: Mapping[str, Any]
    drawings: dict[str, Any]
    said: str = ""
    blocks: dict[str, str] = field(default_factory=dict)
    shades: dict[str, float] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)  # attributes that the computation has set

    @property
    def framings(self) -> int:
        return self.state.framings

    def status(self) -> str:
        return self.said

    def side(self) -> dict[str, str]:
        return self.blocks

    def shade(self) -> dict[str, float]:
        return self.shades

    def idle(self) -> list[str]:
        return self.closed


class Twin:
    """The twin of an experiment: begun on the experiment's thread, made and used in one other at a time."""

    def __init__(self, experiment: Any):
        self.kind = type(experiment)
        self.began = attributes_of(experiment)
        self._memo = vars(experiment)["_memo"]
        kept = {"results": experiment.results, "drawings": experiment.drawings, "_layers": vars(experiment)["_layers"]}
        self._begun: Mapping[str, Any] = {**self.began, **kept, "apart": True}
        self._made: Any = None
        self._told: dict[str, Any] = {}

    def compute(self, state: State) -> Shown:
        """What the experiment would show in this state, or as much of it as is made before it looks up."""
        twin = self._brought(state)
        twin.refresh()
        return self._shown(state)

    def advance(self, state: State) -> Shown | None:
        """The same after a further part of what is to be computed; None while it shows nothing new."""
        before = self._made.revision
        self._made.advance()
        return self._shown(state) if self._made.message or self._made.revision != before else None

    def rough(self) -> bool:
        """Whether there is a further part."""
        return self._made is not None and self._made.rough()

    def refused(self, state: State, said: str) -> Shown:
        """That this state is not computed, in a sentence."""
        stands = self._begun if self._made is None else vars(self._made)
        return Shown(state, said, stands["results"], stands["drawings"])

    def memory(self, state: State) -> float:
        """Bytes that computing this state takes, as far as the experiment knows before."""
        return self._brought(state).memory()

    def _brought(self, state: State) -> Any:
        if self._made is None:
            self._made = self._make()
        twin = self._made
        if self._memo is not state.memo:
            vars(twin)["_memo"], self._memo = {}, state.memo
        vars(twin).update(state.attributes)
        for _ in range(3):  # a choice brings values
            rest = {name: value for name, value in state.rest.items() if getattr(twin, name) is not value}
            there = sharing.state_of(twin)
            different = {name: value for name, value in state.values.items() if there.get(name, _ABSENT) != value}
            if not rest and not different:
                break
            twin.take(twin, rest)
            sharing.take(twin, different)
        twin.framings = state.framings
        vars(twin).update(state.attributes)  # taking values counts as a visitor's changes do
        return twin

    def _make(self) -> Any:
        token = _BEGUN.set((self.kind, self._begun))
        try:
            made = self.kind()
        finally:
            _BEGUN.reset(token)
        vars(made)["_memo"] = dict(self._memo)
        self._told = attributes_of(made)
        return made

    def _shown(self, state: State) -> Shown:
        twin: Subject = self._made
        if twin.message:
            return Shown(state, twin.message, twin.results, twin.drawings)
        words = twin.status(), twin.side(), twin.shade(), twin.idle()
        now = attributes_of(twin)
        made, self._told = changed(now, self._told), now
        return Shown(state, "", twin.results, twin.drawings, *words, made)
