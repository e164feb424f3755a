"""The updates of a linear rule under given gradients, without a loop.

A rule whose step is linear in its carried terms and does not look at x (SGD, Momentum,
Inertia) is a recursive filter of the gradients. Its coefficients are those that theory reads off
the rule's own update, but of its first step and of a later one, with nothing frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple, NoReturn

import numpy as np
import sympy

from ..messages import refuse
from ..readings.equations import Equations, read, settings_of, structure
from ..readings.linear import LATER, linear_rows, reached
from ..rules.rule import Rule, varies
from ..trace.tracing import SYMBOLS, Compiled

SHORT = 4096  # each entry of a filter waits for that before it: of longer ones every other is worth a filter of its own


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
    known = _filter_of(type(rule), *settings_of(type(rule), values))
    if rates is not None:
        values["lr"] = _checked("rates", rates, g.size)
    return _run(rule, known, values, g)


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


class _Filter(NamedTuple):
    """What a rule makes of g and its carried terms, a row for the step and for each term, as one flat list.

    `names`: the carried terms that reach the step, in an order in which each needs only itself and those before it.
    `first`: the rows of the first step, `later` those of any other; `alike`: they are the same. `alone`, where the
    step is a share of a single carried term: keep, share and take.
    """

    names: tuple[str, ...]
    first: Compiled
    later: Compiled
    alike: bool
    alone: Compiled | None

    def rows(self, read: Compiled, values: Mapping[str, Any]) -> list[list[Any]]:
        flat, width = _called(read, values), 1 + len(self.names)
        return [flat[i : i + width] for i in range(0, len(flat), width)]


def _called(read: Compiled, values: Mapping[str, Any]) -> list[Any]:
    return read.arrays(*(values[name] for name in read.names))


@lru_cache(maxsize=256)
def _filter_of(cls: type[Rule], flags: tuple, off: tuple) -> _Filter:
    """Read a rule's rows at the first step and at any later one."""
    if cls.coupled:
        _refuse_bent(cls)
    made = structure(cls, flags, off).items()
    h = {n: sympy.Symbol(n, positive=True) if isinstance(v, sympy.Symbol) else v for n, v in made}
    first, later = (read(cls, h, SYMBOLS, t=t, named=False) for t in (sympy.Integer(1), LATER + 1))
    before = {name: later.symbols[f"{name}_before"] for name in cls.memory if name in later.terms}
    known = reached(later.steps[0], later.terms, before)
    feeds = {name: [n for n in known if n != name and later.terms[name].has(before[n])] for name in known}
    try:
        names = tuple(TopologicalSorter(feeds).static_order())
    except CycleError:
        refuse("filtered", "needs carried terms that do not feed each other in a circle", cls.__name__)
    entries = [_entries(cls, found, names) for found in (first, later)]
    arguments = [v for v in h.values() if isinstance(v, sympy.Symbol)]
    arguments += [LATER] if any(entry.has(LATER) for entry in entries[1]) else []
    alone = None
    if len(names) == 1 and LATER not in arguments and entries[1][2] != 0:
        now, out, take, keep = entries[1]
        share = sympy.cancel(now / take)
        alone = None if sympy.expand(out - share * keep) != 0 else Compiled(arguments, [keep, share, take])
    return _Filter(names, *(Compiled(arguments, each) for each in entries), entries[0] == entries[1], alone)


def _entries(cls: type[Rule], found: Equations, names: tuple[str, ...]) -> list[Any]:
    rows = linear_rows(found.symbols, found.steps[0], found.terms, names)
    if rows is None or any(of_x != 0 for _, of_x, *_ in rows):
        _refuse_bent(cls)
    return [entry for of_g, _, *rest in rows for entry in (of_g, *rest)]


def _refuse_bent(cls: type[Rule]) -> NoReturn:
    refuse("filtered", "needs a rule whose step is linear in the gradients and free of x", cls.__name__, "use descend")


def _run(rule: Rule, known: _Filter, values: dict[str, Any], g: np.ndarray) -> np.ndarray:
    """The first step by itself, then each carried term as a filter of what feeds it."""
    start = {n: v[0] if varies(v) else v for n, v in values.items()}
    begun = [rule.memory[name] for name in known.names]
    held = [float(start[first]) if isinstance(first, str) else first for first in begun]
    if known.alike and not known.names:
        return np.multiply(_called(known.later, values)[0], g, out=g)
    if known.alike and known.alone and not any(held):
        keep, share, take = _called(known.alone, values)
        if not varies(keep) and not varies(share):
            carried = _recursion(keep, np.multiply(take, g, out=g))
            return np.multiply(share, carried, out=carried)
    begin = known.rows(known.first, {**start, LATER.name: 0})
    first = [of_g * g[0] + sum(c * m for c, m in zip(rest, held, strict=True)) for of_g, *rest in begin]
    tail = {n: v[1:] if varies(v) else v for n, v in values.items()}
    rows = known.rows(known.later, {**tail, LATER.name: np.arange(1, g.size)})
    return _later_steps(rule, rows, g, first)


def _later_steps(rule: Rule, rows: list[list[Any]], g: np.ndarray, first: list[float]) -> np.ndarray:
    """The first step, and those that follow from it by `rows`."""
    steps, before = np.empty_like(g), []  # each carried term as the steps find it
    steps[0], *after = first
    (now, *out), *carried = rows
    tail = np.multiply(now, g[1:], out=steps[1:])
    for i, (take, *keep) in enumerate(carried):
        fed = np.empty_like(steps)  # what enters the term at each step, its first value at the head
        fed[0] = after[i]
        np.multiply(take, g[1:], out=fed[1:])
        for j, other in enumerate(before):
            fed[1:] += keep[j] * other
        if varies(keep[i]):
            refuse("filtered", "needs a rule that forgets at one constant rate", type(rule).__name__, "use descend")
        before.append(_recursion(float(keep[i]), fed[:-1]))
        tail += out[i] * before[i]
    return steps


def _recursion(keep: float, fed: np.ndarray) -> np.ndarray:
    """s[0] = fed[0], s[k] = keep s[k - 1] + fed[k]."""
    from scipy.signal import lfilter  # a second to import, so not before it is needed

    if fed.size < SHORT:
        return np.asarray(lfilter([1.0], [1.0, -keep], fed))
    found = np.empty_like(fed)
    found[0] = fed[0]
    odd, even = found[1::2], found[2::2]
    odd[:] = _recursion(keep * keep, fed[1::2] + keep * fed[:-1:2])
    np.multiply(keep, odd[: even.size], out=even)
    even += fed[2::2]
    return found
