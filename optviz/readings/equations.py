"""Read a rule or an objective as equations: sympy's, or MathML that a browser typesets.

One equation a named term, traced from the very function that computes: the formula on
the page cannot drift from the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy

from ..listed import own_classes
from ..objectives import surfaces
from ..objectives.formula import Formula
from ..objectives.objective import Objective
from ..rules.catalogue import own_rules
from ..rules.rule import Rule
from ..spans import Quantity
from ..trace.functions import ROWS, readable, symbol_where
from ..trace.traceable import traceable
from ..trace.tracing import namespace, symbols
from .formula_mathml import formula_mathml
from .mathml import mathml, symbol_mathml

# In a displayed formula max and min stand as such; only derivatives need them as cases.
TYPESET = namespace({n: getattr(r.symbol, "shown", None) or r.symbol for n, r in ROWS.items()}
                    | {"absolute": sympy.Abs, "sign": sympy.sign}, symbol_where, sympy.Eq, sympy.pi)  # fmt: skip


@dataclass(frozen=True)
class Equations:
    """A rule in symbols: `terms` name -> expression in the order of the code.

    `symbols` holds the symbol of everything an expression may contain: hyperparameters
    and `x`, `g`, `t` under their names, the term `m` under `m`, its value of the step before
    under `m_before`, a coupled rule's coordinates under `x_1`, `g_1`, `H_11` and so on.
    `steps` has one expression a coordinate that the rule tells apart.
    """

    terms: Mapping[str, Any]
    steps: tuple[Any, ...]
    symbols: Mapping[str, sympy.Symbol]


def traced_equations(rule: Rule) -> Equations:
    """Every hyperparameter but the flags as a symbol of its own name: valid at any values.

    Cached by class and flags, so a moved hyperparameter traces nothing anew.
    """
    flags, _ = _settings(rule)
    return _traced(type(rule), flags)


@lru_cache(maxsize=256)
def _traced(cls: type[Rule], flags: tuple) -> Equations:
    names = dict(flags)
    h = {n: names[n] if n in names else _real(n) for n in cls.hyperparameters()}
    return read(cls, h, TYPESET)


def read(cls: type[Rule], h: Mapping[str, Any], xp: Any, t: Any = None, named: bool = True) -> Equations:
    """Call a rule's update with symbols; `named=False` puts every term in place of its name."""
    try:
        return _read(cls, h, xp, t, named, lambda value: value)
    except (TypeError, AttributeError):  # a rule that calls numpy's functions, which sympy's symbols do not know
        return _read(cls, h, xp, t, named, traceable)


def _read(cls, h, xp, t, named: bool, given: Callable) -> Equations:
    """The same with the symbols as they are `given` to the update."""
    known = {n: v for n, v in h.items() if isinstance(v, sympy.Symbol)}
    t = known["t"] = _real("t") if t is None else t
    before = {name: _real(f"{name}_(t-1)") for name in cls.memory}
    known |= {f"{name}_before": symbol for name, symbol in before.items()}
    memory, terms = SimpleNamespace(**{n: given(v) for n, v in before.items()}), {}

    def let(name, value):
        terms[name] = sympy.sympify(value)
        if not named:
            return value
        known[name] = _real(f"{name}_t")
        return given(known[name])

    x, g = _point(cls, memory, known)
    own = SimpleNamespace(**{n: given(v) for n, v in h.items()})
    step = cls.update(own, memory, given(x), given(g), given(t), let, xp)
    steps = step if isinstance(step, tuple | list) else (step,)
    return Equations(terms, tuple(map(sympy.sympify, steps)), known)


def _point(cls: type[Rule], memory: SimpleNamespace, known: dict) -> tuple[Any, Any]:
    """The symbols of the parameter and its gradient, one each or one a coordinate."""
    if not cls.coupled:
        known["x"], known["g"] = symbols("x_t", "g_t")
        if cls.curvature:
            (memory.H,) = (known["H"],) = symbols("H_t")
        return known["x"], known["g"]
    x, g = symbols("x_1_t", "x_2_t"), symbols("g_1_t", "g_2_t")
    entries = [*x, *g]
    if cls.curvature:
        memory.H = [symbols("H_11_t", "H_12_t"), symbols("H_21_t", "H_22_t")]
        entries += [*memory.H[0], *memory.H[1]]
    known |= {str(entry).removesuffix("_t"): entry for entry in entries}
    return x, g


def rule_equations(rule: Any) -> list[sympy.Eq] | str:
    """A rule as it is typeset: one equation a named term, the last the update of x.

    Flags take their current value, a hyperparameter that is switched off (momentum 0, say)
    is left out. A rule that runs through torch has no formula: one sentence says so.
    """
    if not isinstance(rule, Rule):
        return _no_formula(rule)
    return list(typeset(type(rule), *_settings(rule))[0])


def rule_mathml(rule: Any) -> str:
    """A rule's equations as one MathML block, aligned at the equals signs.

    Made once for the flags and for which hyperparameters are switched off: the numbers are
    not in it (`hyperparameter_mathml` has them), so moving one costs a look-up.
    """
    if not isinstance(rule, Rule):
        return _no_formula(rule)
    if not is_readable(type(rule)):
        return f"{_called(type(rule))} chooses by a value in Python, which has no formula to read."
    return typeset(type(rule), *_settings(rule))[1]


@lru_cache(maxsize=256)
def is_readable(cls: type[Rule]) -> bool:
    """Whether a rule can be called with symbols: one of somebody's own may branch on a value."""
    try:
        _used(cls)
    except (TypeError, NotImplementedError):
        return False
    return True


def objective_mathml(objective: Any) -> str:
    """An objective's formula as one MathML block; `hyperparameter_mathml` has its numbers."""
    if not hasattr(objective, "traced"):
        return f"{_called(objective)} is computed by torch and has no formula."
    if isinstance(objective, Formula):
        return formula_mathml(objective.traced.parts)
    name = sympy.Function("f")(*symbols(*objective.names[: 1 if objective.is_curve else None]))
    shown = {symbol: sympy.Symbol(symbol_of(type(objective), str(symbol))) for symbol in objective.traced.shape}
    return _equation_mathml(name, readable(objective.shown).xreplace(shown))


@lru_cache(maxsize=256)
def _equation_mathml(name: Any, expression: Any) -> str:
    return mathml([(name, expression)])


def hyperparameter_mathml(member: Any) -> list[tuple[str, str]]:
    """The symbols of a rule's or an objective's formula with their values, `[("<math>...", "0.1"), ...]`."""
    if hasattr(member, "traced"):
        shape = zip(member.shape_names(), member.shape_values(), strict=True)
        return [(symbol_mathml(symbol_of(type(member), n)), _number(v)) for n, v in shape]
    if not isinstance(member, Rule) or not is_readable(type(member)):
        return []
    _, off = _settings(member)
    values = {n: v for n, v in member.settings().items() if not isinstance(v, bool) and n not in off}
    return [(symbol_mathml(hyper_symbol(type(member), n)), _number(v)) for n, v in values.items()]


def term_mathml(name: str) -> str:
    """The symbol of a named term, `m_hat` say, as inline MathML."""
    return symbol_mathml(f"{name}_t")


def hyper_symbol(cls: type[Rule], name: str) -> str:
    """The symbol's name of a hyperparameter; one that is only a first value is that term's, index 0."""
    firsts = {value: term for term, value in cls.memory.items()}
    if name in firsts and name not in _used(cls):
        return f"{firsts[name]}_0"
    return symbol_of(cls, name)


def symbol_of(cls: Any, name: str) -> str:
    """What a number of a rule or a surface declares as its symbol, else what the catalogue calls it, else its name."""
    parameter = cls.param.objects("existing").get(name)  # a loss's formula has its sample's x and y too
    own = parameter.symbol if isinstance(parameter, Quantity) else ""
    return own or _usual_symbols().get(name, name)


@cache
def _usual_symbols() -> dict[str, str]:
    """The symbols that the catalogue declares, by name: a rule of yours need not declare eta for its `lr` again."""
    members = [*own_rules(), *own_classes(surfaces.__name__, Objective)]
    numbers = [cls.param[name] for cls in members for name in cls.param]
    return {str(number.name): number.symbol for number in numbers if isinstance(number, Quantity) and number.symbol}


@lru_cache(maxsize=256)
def _used(cls: type[Rule]) -> frozenset[str]:
    """The hyperparameters that occur in a class's equations, its flags at their defaults."""
    flags = tuple((n, cls.param[n].default) for n in cls.hyperparameters() if _is_flag(cls, n))
    found = _traced(cls, flags)
    symbols_in = set().union(*(e.free_symbols for e in (*found.terms.values(), *found.steps)))
    return frozenset(map(str, symbols_in))


def _is_flag(cls: type[Rule], name: str) -> bool:
    return isinstance(cls.param[name].default, bool)


def settings_of(cls: type[Rule], values: Mapping[str, Any]) -> tuple[tuple, tuple[str, ...]]:
    """What a formula's structure depends on: the flags, and what is switched off."""
    flags = tuple((n, v) for n, v in values.items() if isinstance(v, bool))
    off = [n for n, idle in idle_values(cls) if _equals(values[n], idle)]
    return flags, tuple(off)


@lru_cache(maxsize=256)
def idle_values(cls: type[Rule]) -> tuple[tuple[str, float], ...]:
    """The hyperparameters that can be switched off, each with the value that does it."""
    values = ((n, getattr(cls.param[n], "off", None)) for n in cls.hyperparameters())
    return tuple((n, off) for n, off in values if off is not None)


def _equals(value: Any, idle: float) -> bool:
    return bool((value == idle).all()) if isinstance(value, np.ndarray) else value == idle


def _settings(rule: Rule) -> tuple[tuple, tuple[str, ...]]:
    return settings_of(type(rule), rule.settings())


def structure(cls: type[Rule], flags: tuple, off: tuple[str, ...]) -> dict[str, Any]:
    """Hyperparameters for a formula: flags as they are, zero where off, else a positive symbol."""
    h: dict[str, Any] = dict(flags)
    for name in cls.hyperparameters():
        if name in off:
            h[name] = sympy.Integer(int(cls.param[name].off))
        elif name not in h:
            h[name] = sympy.Symbol(symbol_of(cls, name), positive=True)
    return h


@lru_cache(maxsize=256)
def typeset(cls: type[Rule], flags: tuple, off: tuple[str, ...]) -> tuple[tuple[Any, ...], str]:
    found = read(cls, structure(cls, flags, off), TYPESET)
    pairs = [(found.symbols[name], value) for name, value in found.terms.items()]
    last = {found.symbols.get(name): value for name, value in found.terms.items() if "step" in name}
    pairs = [(term, value) for term, value in pairs if term not in last]
    steps = [last.get(step, step) for step in found.steps]
    points = [n for n in ("x", "x_1", "x_2") if n in found.symbols]
    for name, step in zip(points, steps, strict=True):
        here = found.symbols[name]
        pairs.append((_real(f"{name}_(t+1)"), here + step))
    pairs = _without_copies(pairs)
    return tuple(sympy.Eq(*pair, evaluate=False) for pair in pairs), mathml(pairs)


def _without_copies(pairs: list) -> list:
    """Leave out equations that only rename a symbol, such as d = g without weight decay."""
    carried = {s for _, value in pairs for s in value.free_symbols if str(s).endswith("(t-1)")}
    kept, renamed = [], {}
    for term, value in pairs:
        value = value.xreplace(renamed)
        before = _real(str(term).removesuffix("_t") + "_(t-1)")
        if value.is_Symbol and before not in carried and not str(term).endswith("(t+1)"):
            renamed[term] = value
        else:
            kept.append((term, value))
    return kept


def _no_formula(rule: Any) -> str:
    return f"{_called(rule)} runs through torch, which has no formula to read."


def _called(thing: Any) -> str:
    return str(getattr(thing, "label", "") or getattr(thing, "name", "") or type(thing).__name__)


def _number(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.min():.6g} … {value.max():.6g}"
    return f"{value:.6g}"


def _real(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)
