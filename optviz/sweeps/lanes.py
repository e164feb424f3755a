"""Rules on objectives, traced and compiled for many lanes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..runs.descent import first_memory, keeper, standing
from ..trace.tape import FIXED, OWN, RECORD, ROW, SCALAR, Value
from .programs import LATER, LaneTape, Line
from .safe_radius import safe_radius
from .step_inputs import Inputs


class Program:
    """A rule on an objective, traced for blocks of lanes; picklable, so that it can travel.

    `varied` names what each lane has its own of: hyperparameters, the objective's shape
    parameters, `clip`, `clip_norm`. `rates` says that the loop hands over the rate of every
    step ("row": one a lane), `noise` that it hands over draws.
    """

    def __init__(self, objective: Any, rule: Any, varied: Sequence[str], clips: Mapping[str, Any],
                 rates: str = "", noise: bool = False):  # fmt: skip
        self.objective, self.rule, self.varied = objective, rule, tuple(varied)
        self.clips, self.rates, self.noise = clips, rates, noise
        self.traced = has_formula(objective)
        self.dim, self.coupled, self.curvature = objective.dim, rule.coupled, rule.curvature
        self.terms = self._terms()
        self.tape = LaneTape()
        first, later = self._line(True, self.tape), self._line(False, self.tape)
        self.lines = {"first": first, "later": later, "look": Line(self.tape, later.loss, (), {})}
        self.shapes = {place: min(shape, ROW) for n, shape in self.terms.items() for place in self._places(n)}
        self.uses_t, self.size = self._timed(), len(later.order)
        self.lr = getattr(rule, "lr", 0.0)
        self._inputs: dict[tuple[bool, frozenset], Inputs] = {}

    def __getstate__(self):
        gone = {"objective": None, "rule": None} if self.traced else {}
        return {**self.__dict__, "_inputs": {}, **gone}

    def _terms(self) -> dict[str, int]:
        """The shape of each carried term, found by tracing until no step widens one."""
        self.terms = dict.fromkeys(self.rule.memory, SCALAR)
        while True:
            found = dict(self.terms)
            for first in (True, False):
                line = self._line(first, LaneTape(), all_places=True)
                for name, shape in found.items():
                    found[name] = max(shape, self._width(line, [line.memory[p] for p in self._each(name)]))
            if found == self.terms:
                return found
            self.terms = found

    def _width(self, line: Line, values: Sequence[Any]) -> int:
        """A term's shape, given its new values, one a coordinate."""
        if len({v.index if isinstance(v, Value) else ("number", v) for v in values}) > 1:
            return OWN
        return line.tape.nodes[values[0].index].shape if isinstance(values[0], Value) else SCALAR

    def _each(self, name: str) -> list[str]:
        term = list(self.rule.memory).index(name)  # its number: the name may be any text
        return [f"{term}_{k}" for k in range(1 if self.coupled else self.dim)]

    def _places(self, name: str) -> list[str]:
        """Where a carried term is kept: once, or once a coordinate."""
        return self._each(name) if self.terms[name] == OWN else self._each(name)[:1]

    def _line(self, first: bool, tape: LaneTape, all_places: bool = False) -> Line:
        rule = self.rule
        h = {n: self._given(tape, n, v) for n, v in rule.values().items()}
        if self.rates:
            h["lr"] = tape.input("rate", ROW if self.rates == "row" else SCALAR)
        x: Any = [tape.input(f"X{k}", ROW) for k in range(self.dim)]
        every = [self._carried(tape, k, first_memory(rule, h, x, x[k]) if first else None)
                 for k in range(1 if rule.coupled else self.dim)]  # fmt: skip
        loss, g = self._gradient(tape, SimpleNamespace(**h), x, every)
        bends = self._hessian(tape) if rule.curvature else []
        steps, memory = [], {}
        turns = [(x, g)] if rule.coupled else list(zip(x, g, strict=True))
        for k, (here, slope) in enumerate(turns):
            carried = every[k]
            own = SimpleNamespace(**carried)
            if bends:
                own.H = bends if rule.coupled else bends[k][k]
            t = 1 if first else tape.input("t", SCALAR)
            named: dict[str, Any] = {}
            xp = RECORD if first else LATER
            with np.errstate(all="ignore"):  # what is worked out of numbers alone may overflow as a run does
                step = rule.update(SimpleNamespace(**h), own, here, slope, t, keeper(named), xp)
            steps += step if rule.coupled else [step]
            memory |= {self._each(n)[k]: named.get(n, carried[n]) for n in self.terms}
        kept = memory if all_places else {p: memory[p] for n in self.terms for p in self._places(n)}
        return Line(tape, loss, tuple(tape.record("add", pair) for pair in zip(x, steps, strict=True)), kept)

    def _carried(self, tape: LaneTape, k: int, begins: dict[str, Any] | None) -> dict[str, Any]:
        """The carried terms of a coordinate."""
        places = {n: self._places(n)[min(k, len(self._places(n)) - 1)] for n in self.terms}
        if begins is not None:
            return begins
        return {n: tape.input(f"m_{p}", min(self.terms[n], ROW)) for n, p in places.items()}

    def _given(self, tape: LaneTape, name: str, value: Any) -> Any:
        if name in self.varied:
            return tape.input(name, ROW, FIXED)
        return np.float64(value) if isinstance(value, float) else value

    def _shape(self, tape: LaneTape) -> list[Any]:
        return [self._given(tape, n, v) for n, v in zip(
            self.objective.shape_names(), self.objective.shape_values(), strict=True)]  # fmt: skip

    def _point(self, tape: LaneTape) -> list[Any]:
        return [*(tape.input(f"X{k}", ROW) for k in range(self.dim)), *self._shape(tape)]

    def _gradient(self, tape: LaneTape, h: Any, x: list[Any], every: list[dict[str, Any]]) -> tuple[Any, list[Any]]:
        """The loss at x, and the gradient that the rule is given."""
        rule = self.rule
        if not self.traced:
            return None, self._around(tape, [tape.input(f"G{k}", ROW) for k in range(self.dim)])
        loss = self.objective.traced.value.called(vars(RECORD), *self._point(tape))[0]
        if rule.stand is not None:
            memories = [SimpleNamespace(**carried) for carried in every]
            x = standing(rule, h, memories, x)
        g = self._slopes(tape, x)
        if rule.probe is not None:
            g = self._slopes(tape, rule.probe(h, x, self._noisy(tape, g), RECORD))
        return loss, self._around(tape, g)

    def _slopes(self, tape: LaneTape, x: list[Any]) -> list[Any]:
        g = self.objective.traced.gradient.called(vars(RECORD), *x, *self._shape(tape))
        return [row if isinstance(row, Value) else tape.constant(row) for row in g]

    def _noisy(self, tape: LaneTape, g: list[Any]) -> list[Any]:
        return [row + tape.input(f"Z{k}", ROW) for k, row in enumerate(g)] if self.noise else g

    def _hessian(self, tape: LaneTape) -> list[list[Any]]:
        if self.traced:
            flat = self.objective.traced.hessian.called(vars(RECORD), *self._point(tape))
        else:
            flat = [tape.input(f"H{k}", ROW) for k in range(self.dim**2)]
        return [flat[i * self.dim : (i + 1) * self.dim] for i in range(self.dim)]

    def _around(self, tape: LaneTape, g: list[Any]) -> list[Any]:
        """Noise and clipping as `descend` does them, in that order."""
        g = self._noisy(tape, g)
        clips = {n: self._given(tape, n, v) for n, v in self.clips.items() if v is not None or n in self.varied}
        if "clip" in clips:
            g = [RECORD.minimum(RECORD.maximum(row, -clips["clip"]), clips["clip"]) for row in g]
        if "clip_norm" in clips:
            square = sum((row * row for row in g[1:]), g[0] * g[0])
            share = RECORD.minimum(clips["clip_norm"] / (RECORD.sqrt(square) + 1e-6), 1.0)
            g = [row * share for row in g]
        return g

    def radius(self, values: Mapping[str, np.ndarray]) -> float:
        """How far out the loss is sure to be finite, whichever of these values a lane has."""
        return safe_radius(self.lines["look"], {n: float(abs(values[n]).max()) for n in self.varied})

    def _timed(self) -> bool:
        """Whether a later step depends on its number, so that a lane at rest may move again."""
        names = {self.tape.called(Value(self.tape, k)) for k in self.lines["later"].order}
        return any(name in ("t", "rate") or name.startswith("Z") for name in names)

    def inputs(self, timed: bool, powers: frozenset[int]) -> Inputs:
        """What its steps work out and what they find, with losses at every step or without."""
        if (timed, powers) not in self._inputs:
            self._inputs[timed, powers] = Inputs(self, timed, powers)
        return self._inputs[timed, powers]


@dataclass(frozen=True)
class Wanted:
    """What a program is of; equal where one program would do."""

    objective: Any = field(compare=False)
    rule: Any = field(compare=False)
    varied: tuple[str, ...]
    clips: tuple
    rates: str
    noise: bool
    key: tuple = field(init=False)

    def __post_init__(self):
        objective, rule = self.objective, self.rule
        own = [(n, None if n in self.varied else repr(v)) for n, v in rule.settings().items()]
        known: Any = objective
        if has_formula(objective):
            shape = zip(objective.shape_names(), objective.shape_values(), strict=True)
            known = (objective.traced, objective.names, *((n, None if n in self.varied else v) for n, v in shape))
        object.__setattr__(self, "key", (known, type(rule), type(rule).update, *own))


def traced(wanted: Wanted) -> Program:
    """The program, traced once where there is a formula: a slider that moves one of the axes' ends finds it again."""
    if not has_formula(wanted.objective):
        return _made(wanted)
    rule = type(wanted.rule)(**wanted.rule.settings())  # what watches the given ones is not to be kept
    return _kept(replace(wanted, objective=Formula(wanted.objective), rule=rule))


def _made(wanted: Wanted) -> Program:
    return Program(wanted.objective, wanted.rule, wanted.varied, dict(wanted.clips), wanted.rates, wanted.noise)


_kept = lru_cache(maxsize=32)(_made)


class Formula:
    """An objective's formula with the shape that it has now, and nothing else of it."""

    def __init__(self, objective: Any):
        self.traced, self.names, self.dim = objective.traced, objective.names, objective.dim
        self._shape = dict(zip(objective.shape_names(), objective.shape_values(), strict=True))

    def shape_names(self) -> list[str]:
        """The names of the parameters that change the surface."""
        return list(self._shape)

    def shape_values(self) -> list[float]:
        """Their values, in this order."""
        return list(self._shape.values())


def has_formula(objective: Any) -> bool:
    """Whether an objective is one formula of its variables, and none over data."""
    return hasattr(objective, "traced") and not hasattr(objective, "x")
