"""A rule under a linear gradient: the map of (x, carried terms) one step later, read off its update.

A term that holds squares of gradients (Adam's v, Adagrad's s, RMSprop's v and centred mean) is
frozen, as in arXiv 2207.14484: what is left of the step is linear again, divided by a
preconditioner P. Which terms those are is found by trying, so nothing is written a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import sympy

from ..messages import refuse
from ..rules.rule import Rule, varies
from ..trace.tracing import SYMBOLS, Compiled
from .equations import read

LATER = sympy.Symbol("(t-1)", positive=True, integer=True)  # steps after the first; no name of a hyperparameter
POWER = sympy.Symbol("(g^2)", positive=True)


@dataclass(frozen=True)
class Form:
    """The linear form of one class of rules with one setting of its flags.

    `rows` holds an entry for g, for x and for each carried term of `names`: the step first, then
    each carried term; late in a run, where P is 1. `now` are the rows of one step, where they change with it
    (NAdam's momentum warms up), with the frozen terms that only count steps as they are. `gain` is the
    step's entry for g with the `frozen` terms and the step t as they are, `steady` the frozen terms' own
    values in the long run where the mean of g^2 is `power` (None: unknown, or `endless`: they never settle).
    `decoupled` tells a pull towards zero that P does not divide. A form without rows says `why`.
    """

    why: str = ""
    names: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    rows: Compiled | None = None
    now: Compiled | None = None
    gain: Compiled | None = None
    steady: Compiled | None = None
    endless: bool = False
    decoupled: bool = False


@lru_cache(maxsize=256)
def form_of(cls: type[Rule], flags: tuple[tuple[str, bool], ...]) -> Form:
    """The form of a class of rules; one that is not linear says why."""
    if not_read(cls):
        return Form(not_read(cls))
    h = {n: dict(flags).get(n, sympy.Symbol(n, real=True)) for n in cls.hyperparameters()}
    try:
        found = read(cls, h, SYMBOLS, t=LATER + 1)
    except TypeError:
        return Form(f"{cls.__name__} chooses by a value in Python, which has no linear form.")
    carried = [name for name in cls.memory if name in found.terms]
    for size in range(len(carried) + 1):
        for frozen in combinations(carried, size):
            made = _with_frozen(cls, found, frozen)
            if made is not None:
                return made
    return Form(f"{cls.__name__} does not step in proportion to the gradient: no limit follows from a curvature.")


def not_read(cls: type[Rule]) -> str:
    """Why no linear form of a rule is sought, in one sentence; empty where one is."""
    if cls.own_sentence:
        return f"{cls.__name__} {cls.own_sentence}"
    if cls.curvature:
        return f"{cls.__name__} uses the curvature itself: no learning rate limit follows from its size."
    if cls.stand is not None or cls.probe is not None:
        return f"{cls.__name__} takes its gradient elsewhere than where it is: no limit follows from a curvature."
    if cls.coupled:
        return f"{cls.__name__} has the variables work together: no limit follows from one curvature."
    return ""


def _with_frozen(cls: type[Rule], found: Any, frozen: tuple[str, ...]) -> Form | None:
    """The form with these carried terms frozen; None where it is not linear then."""
    fixed = {name: found.symbols[name] for name in frozen}
    known = {found.symbols[f"{name}_before"]: symbol for name, symbol in fixed.items()}
    values: dict[str, Any] = {}
    for name, value in found.terms.items():
        values[name] = value.xreplace(known)
        known[found.symbols[name]] = fixed.get(name, values[name])
    step = found.steps[0].xreplace(known)
    before = {name: found.symbols[f"{name}_before"] for name in values if name in cls.memory and name not in fixed}
    names = reached(step, values, before)
    rows = linear_rows(found.symbols, step, values, names)
    if rows is None or not fixed.keys() <= _used(rows, fixed):
        return None
    if all(row[0] == 0 for row in rows) or (fixed and rows[0][0] == 0):
        return None
    return _form(cls, found, names, fixed, values, rows)


def _used(rows: list, fixed: Mapping[str, Any]) -> set[str]:
    inside = set().union(*(entry.free_symbols for row in rows for entry in row))
    return {name for name, symbol in fixed.items() if symbol in inside}


def reached(step: Any, values: Mapping[str, Any], before: Mapping[str, Any]) -> tuple[str, ...]:
    """The carried terms that reach the step, directly or through others."""
    reached: set[str] = set()
    front = [step]
    while front:
        new = {n for n, symbol in before.items() if symbol in front[-1].free_symbols} - reached
        front = [*front[:-1], *(values[name] for name in new)]
        reached |= new
    return tuple(name for name in before if name in reached)


def linear_rows(
    known: Mapping[str, Any], step: Any, values: Mapping[str, Any], names: Sequence[str]
) -> list[list[Any]] | None:
    """The coefficients of g, x and the carried terms `names`, a row for the step and for each of these.

    None where one is not linear. `known`: the symbols; `values`: the terms in x, g and what is carried alone.
    """
    inputs = [known["g"], known["x"], *(known[f"{name}_before"] for name in names)]
    rows: list[Any] = [_entries(row, inputs) for row in (step, *(values[name] for name in names))]
    return None if None in rows else rows


def _entries(row: Any, inputs: list[Any]) -> list[Any] | None:
    """The coefficients of a row that is linear in the inputs, else None."""
    entries = [sympy.diff(row, symbol) for symbol in inputs]
    straight = not any(entry.free_symbols & set(inputs) for entry in entries)
    at_zero = row.xreplace(dict.fromkeys(inputs, sympy.Integer(0)))
    return entries if straight and sympy.piecewise_fold(at_zero) == 0 else None


def _form(cls, found, names, fixed, values, rows) -> Form:
    hyper = [s for n, s in found.symbols.items() if n in cls.hyperparameters() and isinstance(s, sympy.Symbol)]
    reference = {s: _reference(found, name, values[name], fixed) for name, s in fixed.items()}
    reference |= {s: sympy.Integer(0) for s in hyper if str(s) == "eps"}
    pulled = [x for g, x, *_ in rows if g.free_symbols & set(fixed.values()) and x != 0]
    flat = [_late(entry.xreplace(reference)) for row in rows for entry in row]
    felt = {found.symbols["g"], found.symbols["x"], *found.symbols.values()} - {*hyper, LATER, *fixed.values()}
    clocks = {s for n, s in fixed.items() if not values[n].free_symbols & felt - {found.symbols[f"{n}_before"]}}
    held = {symbol: value for symbol, value in reference.items() if symbol not in clocks}
    late = Compiled(hyper, flat)
    now = Compiled(
        [*hyper, *(s for s in fixed.values() if s in clocks), LATER],
        [entry.xreplace(held) for row in rows for entry in row],
    )
    steady, endless = _steady(found, fixed, values)
    if steady is not None and set().union(*(value.free_symbols for value in steady)) - {*hyper, POWER}:
        steady = None  # a mean of the gradient in it, as AdaBelief's
    return Form(
        names=names,
        frozen=tuple(fixed),
        rows=late,
        now=now if fixed and _bends(now, late, len(rows[0])) else None,
        gain=Compiled([*hyper, *fixed.values(), LATER], [rows[0][0]]),
        steady=None if steady is None else Compiled([*hyper, POWER], steady),
        endless=endless,
        decoupled=any(not x.free_symbols & set(fixed.values()) for x in pulled),
    )


def _bends(now: Compiled, late: Compiled, width: int) -> bool:
    """Whether the rows of a step differ from late ones in more than what divides the step, by trying."""
    for k in (0, 9, 60):
        values = {name: 0.3 + 0.5 / (2 + place) for place, name in enumerate(now.names)} | {LATER.name: k}
        rows = [np.reshape([float(v) for v in read.arrays(*(np.float64(values[n]) for n in read.names))], (-1, width))
                for read in (now, late)]  # fmt: skip
        steps, rest = zip(*((np.delete(row[0], 1) / row[0][0], row[1:]) for row in rows), strict=True)
        if not np.allclose(*steps, rtol=1e-9) or not np.allclose(*rest, rtol=1e-9):
            return True
    return False


def _reference(found: Any, name: str, value: Any, fixed: Mapping[str, Any]) -> sympy.Integer:
    """Where a frozen term stands when P is 1: at 1 if it holds squares of g, else at rest."""
    slope = sympy.diff(value, found.symbols["g"])
    inputs = {found.symbols["g"], found.symbols["x"]}
    return sympy.Integer(1 if slope.free_symbols & (inputs | set(fixed.values()) - {fixed[name]}) else 0)


def _steady(found: Any, fixed: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[list[Any] | None, bool]:
    """The frozen terms' fixed points where g^2 is `power` on the mean, g is 0 and x plays no part, or None.

    And whether that is because one never settles: it keeps all of itself, like Adagrad's sum. Where it would but
    for eps, like Adadelta's squared steps, chance decides where it stays, and the mean of g^2 does not tell.
    """
    g, x = found.symbols["g"], found.symbols["x"]
    solved: dict[Any, Any] = {}
    for name, own in fixed.items():
        row = sympy.expand(values[name].xreplace({x: sympy.Integer(0), **solved}))
        if sympy.diff(row, g, 3) != 0:
            return None, False
        row = _late(row.subs(g**2, POWER).xreplace({g: sympy.Integer(0)}))
        slope = sympy.diff(row, own)
        rest = sympy.expand(row - slope * own)
        if slope.free_symbols & {own} or own in rest.free_symbols:
            return None, False
        if sympy.simplify(1 - slope.subs(sympy.Symbol("eps", real=True), 0)) == 0:
            return None, sympy.simplify(1 - slope) == 0
        solved[own] = sympy.simplify(rest / (1 - slope))
        if solved[own].free_symbols & (set(fixed.values()) - set(solved) | _carried(found)):
            return None, False  # one that depends on what is not frozen, as the mean of (g - m)^2 does on m
    return list(solved.values()), False


def _carried(found: Any) -> set[Any]:
    return {symbol for name, symbol in found.symbols.items() if name.endswith("_before")}


def _late(value: Any) -> Any:
    """An expression late in a run: powers that fall with the step are gone, a decay of lr not begun."""

    def gone(base, exponent):
        pace = sympy.diff(exponent, LATER)
        nothing = sympy.Integer(0)
        return nothing if pace.is_number else sympy.Piecewise((base**0, sympy.Eq(pace, 0)), (nothing, True))

    falling = {p: gone(*p.as_base_exp()) for p in value.atoms(sympy.Pow) if p.as_base_exp()[1].has(LATER)}
    return value.xreplace(falling).xreplace({LATER: sympy.Integer(0)})


# What theory and, printed, a page ask for


class Linear(NamedTuple):
    """A rule's linear form and its hyperparameters, as they stood when it was read."""

    form: Form
    values: Mapping[str, Any]


def linear_of(rule: Any) -> Linear:
    """The linear form of a rule as it stands, none of one that runs through torch.

    Hyperparameters take a while to ask for: whoever has more than one question reads a rule once, and hands what is
    read on in its place.
    """
    if isinstance(rule, Linear):
        return rule
    if not isinstance(rule, Rule):
        name = getattr(rule, "label", "") or type(rule).__name__
        return Linear(Form(f"{name} runs through torch: its step cannot be read."), {})
    values = rule.values()
    if any(map(varies, values.values())):
        refuse("theory", "needs a rule with one value a hyperparameter", rule.lanes(), "ask for each lane by itself")
    return Linear(form_of(type(rule), tuple((n, v) for n, v in values.items() if isinstance(v, bool))), values)


def form_for(rule: Any) -> Form:
    """The form of a rule as it stands."""
    return linear_of(rule).form


def why_not(rule: Any) -> str:
    """Why a rule has no linear form, in one sentence; empty where it has one."""
    return form_for(rule).why


def is_frozen(rule: Any) -> bool:
    """Whether what is said of a rule holds with its squares of gradients frozen: only nearly so."""
    return len(form_for(rule).frozen) > 0


def coefficients(rule: Any) -> Any:
    """The entries of a rule's linear form, as `at_rates` gives them; None where it has none."""
    reading = at_rates(rule)
    return None if reading is None else reading(None)


def at_rates(rule: Any) -> Any:
    """A function of lr (None: the rule's own) that gives the entries of the rule's linear form; None if it has none.

    `rows` (1 + carried, 2 + carried): the step and each carried term, from g, x and the carried terms; late in a run,
    or at step t where the coordinates' frozen `terms` then are given.
    """
    form, values = linear_of(rule)
    if form.rows is None:
        return None
    width, rows = 2 + len(form.names), form.rows

    def at(lr: float | None, terms: Any = None, t: int = 1) -> dict[str, Any]:
        chosen = values if lr is None else {**values, "lr": lr}
        flat = rows.floats(*(chosen[name] for name in rows.names))
        if terms and form.now is not None:
            flat = _at_step(form.now, flat, width, {**chosen, **terms[0], LATER.name: t - 1})
        entries = [[float(v) for v in flat[i : i + width]] for i in range(0, len(flat), width)]
        about = {"frozen": list(form.frozen), "decoupled": form.decoupled, "lr": chosen.get("lr", 1.0)}
        return {"rows": entries, **about}

    return at


def _at_step(now: Compiled, late: Sequence[float], width: int, values: Mapping[str, Any]) -> Sequence[float]:
    """The entries of one step, with as much of g as late in a run: what is left of that is in the preconditioner."""
    with np.errstate(all="ignore"):
        flat = [float(v) for v in now.arrays(*(np.float64(values[name.removesuffix("_t")]) for name in now.names))]
    if flat[0] == 0 or not np.isfinite(flat).all():
        return late
    return [v * (late[0] / flat[0]) if i % width == 0 else v for i, v in enumerate(flat)]


def gain(rule: Any, terms: Mapping[str, float], t: int) -> float:
    """The step's entry for g at step t with the frozen terms as given."""
    form, own = linear_of(rule)
    values = {**own, **terms, LATER.name: t - 1}
    assert form.gain is not None
    with np.errstate(all="ignore"):
        return float(form.gain.arrays(*(np.float64(values[name.removesuffix("_t")]) for name in form.gain.names))[0])


def never_settles(rule: Any) -> bool:
    """Whether a frozen term goes on growing or shrinking under noise: Adagrad's sum does."""
    return form_for(rule).endless


def steady_terms(rule: Any, power: float) -> dict[str, float] | None:
    """The frozen terms in the long run where the mean of g^2 is `power`; None if unknown or `never_settles`."""
    form, own = linear_of(rule)
    if form.steady is None:
        return None
    values = {**own, POWER.name: power}
    found = form.steady.arrays(*(np.float64(values[name]) for name in form.steady.names))
    return {name: float(v) for name, v in zip(form.frozen, found, strict=True)}
