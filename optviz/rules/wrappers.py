"""What goes around any rule: `cautious`, `lookahead` and `sam` give a rule like yours with knobs of their own.

Each makes a class once for every class of rules, which runs, sweeps, is typeset and printed as any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from ..messages import refuse
from .matrices import length, total
from .rule import Hyperparameter, Rule


def cautious(rule: Rule) -> Rule:
    """The rule without the parts of its steps that go up the gradient, the others longer for it (arXiv 2411.16085).

    The paper's scale: the share of parts that stay, of 0.001 at least. Weight decay beside the step counts as its part.
    """
    return _wrapped(_cautious, rule, {})


def lookahead(rule: Rule, *, period: float = 5.0, share: float = 0.5) -> Rule:
    """The rule drawn back every `period` steps: a `share` of the way from where it was then (arXiv 1907.08610)."""
    return _wrapped(_lookahead, rule, {"lookahead_period": period, "lookahead_share": share})


def sam(rule: Rule, *, reach: float = 0.05) -> Rule:
    """The rule with the gradient from `reach` up the gradient, where a sharp minimum is steep (arXiv 2010.01412)."""
    return _wrapped(_sam, rule, {"sam_reach": reach})


@cache
def every_knob() -> type[Rule]:
    """A class with every knob of what goes around rules, for who wants to know them."""
    return _sam(_lookahead(Rule))


def _wrapped(wrapper: Any, rule: Any, knobs: Mapping[str, float]) -> Rule:
    if not isinstance(rule, Rule):
        refuse(wrapper.__name__.strip("_"), "needs a rule such as SGD(lr=0.1)", rule)
    if wrapper.__name__ in getattr(rule, "around", ()):
        refuse(wrapper.__name__.strip("_"), "goes around a rule once", type(rule).__name__)
    return wrapper(type(rule))(**rule.settings(), **knobs)


def _made(wrapper: Any, base: type[Rule], label: str, parts: Mapping[str, Any]) -> type[Rule]:
    """A rule's class with other parts, which is found again by what it was made of."""

    around = (*getattr(base, "around", ()), wrapper.__name__)
    root = getattr(base, "root", base)

    def __reduce__(self):
        return _remade, (around, root, self.settings())

    title = getattr(base, "label", "") or base.__name__
    about = {
        "__doc__": f"{label} around {title}.\n\n{base.__doc__}", "__module__": base.__module__, "listed": False,
        "label": f"{label} {title}", "around": around, "root": root, "__reduce__": __reduce__,
    }  # fmt: skip
    return type(f"{label}{base.__name__}", (base,), about | dict(parts))


def _remade(around: Sequence[str], root: type[Rule], settings: Mapping[str, Any]) -> Rule:
    made = root
    for name in around:
        made = globals()[name](made)
    return made(**settings)


def _renamed(let: Any) -> Any:
    """The rule's own step is a term like others where something goes around it."""
    return lambda name, value: let(name.replace("step", "u"), value)


@cache
def _cautious(base: type[Rule]) -> type[Rule]:
    kept = list(base.memory)

    def held(memory: Any, i: int) -> SimpleNamespace:
        """What a coordinate has of what is carried."""
        own = SimpleNamespace(**{name: getattr(memory, f"{name}_{i}") for name in kept})
        if base.curvature:
            own.H = memory.H[i - 1][i - 1]
        return own

    def own_steps(h, memory, x, g, t, let, xp):
        let = _renamed(let)
        if base.coupled:
            return base.update(h, memory, x, g, t, let, xp)
        each = enumerate(zip(x, g, strict=True), 1)
        return [base.update(h, held(memory, i), *own, t, _numbered(let, i), xp) for i, own in each]

    def update(h, memory, x, g, t, let, xp):
        steps = own_steps(h, memory, x, g, t, let, xp)
        down = [let(f"k_{i}", xp.where(a * b < 0, 1.0, 0.0)) for i, (a, b) in enumerate(zip(steps, g, strict=True), 1)]
        stay = let("K", xp.maximum(total(down) / len(down), 1e-3))
        each = enumerate(zip(steps, down, strict=True), 1)
        return tuple(let(f"step_{i}", a * b / stay) for i, (a, b) in each)

    parts: dict[str, Any] = {"coupled": True, "update": staticmethod(update)}
    if not base.coupled:
        firsts = {"x": ("x_1", "x_2")}
        parts["memory"] = {f"{n}_{i}": firsts[first][i - 1] if first in firsts else first
                           for n, first in base.memory.items() for i in (1, 2)}  # fmt: skip
        if base.stand is not None:
            stand = base.stand
            parts["stand"] = staticmethod(
                lambda h, memory, x: [stand(h, held(memory, i), each) for i, each in enumerate(x, 1)]
            )
    parts["own_sentence"] = "leaves out parts of its steps: no limit follows from a curvature."
    return _made(_cautious, base, "Cautious", parts)


def _numbered(let: Any, i: int) -> Any:
    return lambda name, value: let(f"{name}_{i}", value)


@cache
def _lookahead(base: type[Rule]) -> type[Rule]:
    places = ("_1", "_2") if base.coupled else ("",)

    def update(h, memory, x, g, t, let, xp):
        fast = base.update(h, memory, x, g, t, _renamed(let), xp)
        points, fast = (x, fast) if base.coupled else ((x,), (fast,))
        due, steps = xp.equal(t % h.lookahead_period, 0), []
        for place, here, step in zip(places, points, fast, strict=True):
            slow = getattr(memory, f"slow{place}")
            back = let(f"back{place}", slow + h.lookahead_share * (here + step - slow))
            let(f"slow{place}", xp.where(due, back, slow))
            steps.append(let(f"step{place}", xp.where(due, back - here, step)))
        return tuple(steps) if base.coupled else steps[0]

    return _made(_lookahead, base, "Lookahead", {
        "lookahead_period": Hyperparameter(5.0, bounds=(1, None), softbounds=(1, 50), step=1.0, symbol="K",
                                           label="Lookahead period", on_map=(1.0, 100.0, True),
                                           doc="Steps from one time to the next that the rule is drawn back."),
        "lookahead_share": Hyperparameter(0.5, bounds=(0, 1), softbounds=(0, 1), step=0.05, symbol="sigma",
                                          label="Lookahead share", on_map=(0.0, 1.0, False),
                                          doc="Share of the way that stays; at 1 nothing is drawn back."),
        "memory": {**base.memory, **{f"slow{place}": f"x{place}" for place in places}},
        "update": staticmethod(update),
        "own_sentence": "is drawn back every few steps: no limit is read off a single one.",
    })  # fmt: skip


@cache
def _sam(base: type[Rule]) -> type[Rule]:
    def probe(h, x, g, xp):
        size = length(g, xp) + 1e-12
        return [a + h.sam_reach * (b / size) for a, b in zip(x, g, strict=True)]

    reach = Hyperparameter(0.05, bounds=(0, None), softbounds=(0, 2), step=0.01, symbol="varrho", label="SAM reach",
                           on_map=(1e-3, 10.0, True),
                           doc="How far up the gradient the one is taken that the rule is given.")  # fmt: skip
    return _made(_sam, base, "SAM", {"sam_reach": reach, "probe": staticmethod(probe), "own_sentence": ""})
