"""The updates of a linear rule under given gradients, without a loop.

A rule whose step is linear in its carried terms and does not look at x (SGD, Momentum,
Inertia) is a recursive filter of the gradients. Its coefficients are read off the rule's
own update, so nothing is written a second time.
"""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy

from ..messages import refuse
from ..readings.equations import read, settings_of, structure
from ..rules.rule import Rule, varies
from ..trace.tracing import SYMBOLS, Compiled


def filtered(rule: Rule, gradients: Any, *, clip: float | None = None, rates: Any = None) -> np.ndarray:
    """The steps that `rule` takes under these gradients, shape (n,), one scalar parameter.

    `gradients` has shape (n,); values beyond +-`clip` are cut; `rates` (n,) gives each
    step's learning rate, by default the rule's own throughout. Equal to calling the rule's
    update step by step, but for rounding.

    Raises ValueError for a rule that is not linear, and for gradients or rates that are not
    n finite numbers.
    """
    if not isinstance(rule, Rule):
        refuse("filtered", "needs a rule such as Momentum(lr=0.1)", rule)
    given = _checked("gradients", gradients, None)
    if clip is not None and not (isinstance(clip, int | float) and clip > 0):
        refuse("filtered", "needs a clip above 0", clip, "leave it out for no clipping")
    values = rule.values()
    if any(map(varies, values.values())):
        refuse("filtered", "needs a rule with one value a hyperparameter", rule.lanes())
    g = given.copy() if clip is None else np.clip(given, -clip, clip)  # worked on in place: fresh memory costs time
    settings = settings_of(type(rule), values)
    if rates is not None:
        values["lr"] = _checked("rates", rates, g.size)
    first, later = (_coefficients(type(rule), *settings, start) for start in (True, False))
    return _run(rule, first, later, values, g)


def _checked(name: str, values: Any, size: int | None) -> np.ndarray:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        refuse("filtered", f"needs {name} that are numbers", values)
    if array.ndim != 1 or array.size == 0 or size not in (None, array.size):
        refuse("filtered", f"needs {name} of shape ({size or 'n'},)", array.shape)
    if not np.isfinite(array).all():
        refuse("filtered", f"needs finite {name}", f"{np.count_nonzero(~np.isfinite(array))} that are not")
    return array


class _Coefficients:
    """The linear form of an update: carried' = keep carried + take g; step = out carried + now g."""

    def __init__(self, names, arguments, entries):
        self.names = names  # the carried terms, in an order in which each needs only those before it
        self.entries = tuple(entries)
        self.arguments = [str(a) for a in arguments]
        self.function = Compiled(arguments, entries).arrays
        self.alone = Compiled(arguments, self._alone()).arrays if len(names) == 1 and entries[1] != 0 else None

    def _alone(self) -> list[Any]:
        """Of a single carried term: keep, out and now for each unit of take, and take."""
        keep, take, out, now = self.entries
        return [keep, out, sympy.cancel(now / take), take]

    def at(self, values: dict[str, Any]) -> SimpleNamespace:
        n = len(self.names)
        flat = self.function(*(values[a] for a in self.arguments))
        keep = [flat[i * n : i * n + n] for i in range(n)]
        rest = flat[n * n :]
        return SimpleNamespace(keep=keep, take=rest[:n], out=rest[n : 2 * n], now=rest[2 * n])


@lru_cache(maxsize=256)
def _coefficients(cls: type[Rule], flags: tuple, off: tuple, start: bool) -> _Coefficients:
    """Read a rule's coefficients at the first step, or at any later one."""
    k = sympy.Symbol("later", positive=True, integer=True)
    h = {n: _renamed(v, n) for n, v in structure(cls, flags, off).items()}
    found = read(cls, h, SYMBOLS, t=k + 1, named=False)
    names = _needed(cls, found)
    order = _order(cls, names, _entries(cls, found, names))
    if start:
        found = read(cls, h, SYMBOLS, t=sympy.Integer(1), named=False)
    rows = _entries(cls, found, order)
    *carried, step = rows
    keep = [entry for row in carried for entry in row[:-1]]
    arguments = [v for v in h.values() if isinstance(v, sympy.Symbol)]
    arguments += [k] if any(entry.has(k) for row in rows for entry in row) else []
    take = [row[-1] for row in carried]
    return _Coefficients(order, arguments, [*keep, *take, *step])


def _needed(cls: type[Rule], found: Any) -> list[str]:
    """The carried terms that reach the step, directly or through others."""
    symbols = {found.symbols[f"{name}_before"]: name for name in found.terms if name in cls.memory}
    reached: set[str] = set()
    front = [found.steps[0]]
    while front:
        new = {symbols[s] for s in front.pop().free_symbols if s in symbols} - reached
        reached |= new
        front += [found.terms[name] for name in new]
    return [name for name in cls.memory if name in reached]


def _renamed(value: Any, name: str) -> Any:
    return sympy.Symbol(name, positive=True) if isinstance(value, sympy.Symbol) else value


def _entries(cls: type[Rule], found: Any, names: list[str]) -> list[list[Any]]:
    """The coefficients of the carried terms and of g, a row a carried term and one for the step."""
    inputs = [found.symbols[f"{name}_before"] for name in names]
    inputs += [] if cls.coupled else [found.symbols["g"]]
    rows = [*(found.terms[name] for name in names), found.steps[0]]
    entries = [[sympy.diff(row, symbol) for symbol in inputs] for row in rows]
    strange = {*inputs, found.symbols.get("x")}
    straight = not any(entry.free_symbols & strange for row in entries for entry in row)
    linear = (sympy.Add(*map(sympy.Mul, row, inputs)) for row in entries)
    if cls.coupled or not straight or any(sympy.expand(r - e) != 0 for r, e in zip(rows, linear, strict=True)):
        refuse("filtered", "needs a rule whose step is linear in the gradients and free of x",
               cls.__name__, "use descend")  # fmt: skip
    return entries


def _order(cls: type[Rule], names: list[str], entries: list[list[Any]]) -> list[str]:
    """The carried terms in an order in which each depends on itself and those before it."""
    order: list[str] = []
    while len(order) < len(names):
        left = [i for i, name in enumerate(names) if name not in order]
        ready = [names[i] for i in left if all(entries[i][j] == 0 for j in left if j != i)]
        if not ready:
            refuse("filtered", "needs carried terms that do not feed each other in a circle", cls.__name__)
        order += ready
    return order


def _run(rule, first, later, values, g) -> np.ndarray:
    """The first step by itself, then each carried term as a filter of what feeds it."""
    start = {n: v[0] if varies(v) else v for n, v in values.items()}
    if first.entries == later.entries and not first.names:
        return np.multiply(later.at(values).now, g, out=g)
    if first.entries == later.entries and not any(_first(rule, n, start) for n in rule.memory):
        quick = _one_filter(later, values, g)
        if quick is not None:
            return quick
    begin = first.at(start)
    held = {n: _first(rule, n, start) for n in rule.memory}
    steps = np.empty_like(g)
    steps[0] = begin.now * g[0] + sum(c * held[n] for c, n in zip(begin.out, first.names, strict=True))
    after = {
        n: take * g[0] + sum(c * held[m] for c, m in zip(row, first.names, strict=True))
        for n, take, row in zip(first.names, begin.take, begin.keep, strict=True)
    }
    tail = {n: v[1:] if varies(v) else v for n, v in values.items()}
    if "later" in later.arguments:
        tail["later"] = np.arange(1, g.size)
    return _later_steps(rule, later, tail, g[1:], after, steps)


def _one_filter(later: _Coefficients, values: dict[str, Any], g: np.ndarray) -> np.ndarray | None:
    """All steps by one filter, where one term is carried, from 0 on, and only `take` varies."""
    from scipy.signal import lfilter  # a second to import, so not before it is needed

    if later.alone is None or "later" in later.arguments:
        return None
    *fixed, take = later.alone(*(values[name] for name in later.arguments))
    if any(isinstance(value, np.ndarray) for value in fixed):
        return None
    keep, out, share = fixed
    return np.asarray(lfilter([share, out - share * keep], [1.0, -keep], np.multiply(take, g, out=g)))


def _first(rule: Rule, name: str, values: dict[str, Any]) -> float:
    first = rule.memory[name]
    return float(values[first]) if isinstance(first, str) else first


def _later_steps(rule, later, values, g, after, steps) -> np.ndarray:
    known = later.at(values)
    before: dict[str, np.ndarray] = {}  # each carried term as the steps find it
    tail = np.multiply(known.now, g, out=steps[1:])
    for i, name in enumerate(later.names):
        fed = np.empty_like(steps)  # what enters the term at each step, its first value at the head
        fed[0] = after[name]
        np.multiply(known.take[i], g, out=fed[1:])
        for j, other in enumerate(later.names[:i]):
            fed[1:] += known.keep[i][j] * before[other]
        before[name] = _recursion(rule, known.keep[i][i], fed[:-1])
        tail += known.out[i] * before[name]
    return steps


def _recursion(rule, keep: Any, fed: np.ndarray) -> np.ndarray:
    """s[0] = fed[0], s[k] = keep s[k - 1] + fed[k]."""
    from scipy.signal import lfilter  # a second to import, so not before it is needed

    if np.ndim(keep):
        refuse("filtered", "needs a rule that forgets at one constant rate", type(rule).__name__, "use descend")
    return np.asarray(lfilter([1.0], [1.0, -float(keep)], fed)) if keep else fed
