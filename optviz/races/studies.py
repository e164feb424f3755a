"""Rules tuned alike in several studies on many surfaces, from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..maps.axes import spans as map_spans
from ..menus import label_of, resolved
from ..messages import refuse
from ..objectives.minima import lowest_of
from ..rules.rule import Hyperparameter, Rule
from .arrivals import spread_starts, tuned
from .scores import RATIO, benchmark_score, performance_profile, places, ranks, scored
from .streams import PRIMES, halton, placed

WHO = "tuning_studies"
MOMENTUM = "momentum"  # also what Adam calls beta1
Named = Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True)
class Studies:
    """What `tuning_studies` found: `reached` (rules, workloads, studies, trials), steps to the target, else infinite.

    `values` has by rule the numbers of every trial, each (studies, trials).
    """

    rules: list[str]
    workloads: list[str]
    reached: np.ndarray
    values: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    @property
    def scores(self) -> dict[str, np.ndarray]:
        """What `optviz.races.scores.scored` says of all trials."""
        return scored(self.reached, self.reached.shape[3])

    @property
    def times(self) -> np.ndarray:
        """Steps to the target (rules, workloads): of each study the least, of these the median."""
        return self.scores["times"]

    def score(self, r: float = RATIO) -> np.ndarray:
        """Each rule's benchmark score."""
        return benchmark_score(self.times, r)

    def profile(self, taus: Any) -> np.ndarray:
        """The performance profile (rules, taus)."""
        return performance_profile(self.times, taus)

    def undecided(self, first: str, second: str) -> bool:
        """Whether two rules' scores differ by no more than either's spread over the studies."""
        i, j = (self._place(name) for name in (first, second))
        return not bool(self.scores["apart"][i, j])

    def places(self) -> dict[str, tuple[int, int]]:
        """The first and the last place that each rule may have, by its name."""
        found = self.scores
        return dict(zip(self.rules, places(found["score"], found["apart"]), strict=True))

    def ranks(self) -> np.ndarray:
        """Each rule's rank by its score after 1, 2, ... trials a study: (rules, trials)."""
        budgets = range(1, self.reached.shape[3] + 1)
        return np.stack([ranks(scored(self.reached, budget)["score"]) for budget in budgets], axis=1)

    def table(self) -> Any:
        """Score, its least and most in a study, place and steps by workload, a row a rule: a pandas DataFrame."""
        import pandas

        found = self.scores
        each, where = found["study_scores"], [f"{a}" if a == b else f"{a}-{b}, not decided"
                                              for a, b in self.places().values()]  # fmt: skip
        head = {"place": where, "score": found["score"], "least": each.min(axis=0), "most": each.max(axis=0)}
        steps = dict(zip(self.workloads, found["times"].T, strict=True))
        return pandas.DataFrame({**head, **steps}, index=self.rules).sort_values(
            "score", ascending=False, kind="stable"
        )

    def _place(self, name: str) -> int:
        if name not in self.rules:
            refuse("Studies", "needs a rule of the race", name, f"choose from {', '.join(self.rules)}")
        return self.rules.index(name)


def tuning_studies(
    rules: Named,
    objectives: Sequence[Any],
    *,
    starts: int | Sequence[Any] = 2,
    trials: int = 30,
    studies: int = 3,
    steps: int = 300,
    tolerance: float = 1e-2,
    knobs: Sequence[str] = ("lr",),
    spans: Mapping[str, tuple[float, float, bool]] | None = None,
    seed: int = 0,
) -> Studies:
    """Tune every rule by the same trials and count its steps to a target on every workload (arXiv 2306.07179).

    A workload is a surface with a start; `starts` are points, or how many quasi-random ones each surface's domain
    gets. A study has its own `trials` of one quasi-random stream, the same for all rules, over the `knobs` that a rule
    has: `lr`, "momentum" (also what a rule calls otherwise), others by name. They run where their definitions have
    them, `on_map`, unless `spans` say otherwise: (low, high, whether by factors). A number that switches something
    off, such as SGD's momentum of 0, stays. The target is a loss within `tolerance` of the lowest.

    `rules` may be optviz's, yours, TorchOptimizers, one rule with several settings; a dict gives them names.

    Raises ValueError for what is no rule or surface, counts below 1, a knob that no rule has.
    """
    named, fields = named_rules(rules), [resolved("objective", each, WHO) for each in objectives]
    counts = {"trials": trials, "studies": studies, "steps": steps}
    for what, count in [*counts.items(), *([("starts", starts)] if isinstance(starts, int) else [])]:
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
            refuse(WHO, f"needs a whole number of {what}, at least 1", count)
    if not named or not fields:
        refuse(WHO, "needs at least one rule and one objective", [list(named), list(objectives)])
    if not tolerance > 0:
        refuse(WHO, "needs a tolerance above 0", tolerance)
    stream = halton(trials * studies, dimensions_of(knobs), seed)
    turned = {name: turned_knobs(rule, knobs, spans or {}) for name, rule in named.items()}
    idle = [
        knob for d, knob in enumerate(knobs) if not any(d == at for own in turned.values() for at, _ in own.values())
    ]
    if idle:
        refuse(WHO, "needs knobs that some rule has", idle, "a number that switches something off is none")
    found, workloads = [], []
    for objective in fields:
        begins = starts_of(objective, starts, seed)
        level = lowest_of(objective) + tolerance
        found.append(
            [tuned(objective, rule, turned[name], stream, begins, steps, level) for name, rule in named.items()]
        )
        workloads += [f"{label_of(objective)} from ({x:g}, {y:g})" for x, y in begins]
    reached = np.concatenate(found, axis=1).reshape(len(named), len(workloads), studies, trials)
    return Studies(
        list(named), workloads, reached, {name: _values(own, stream, studies) for name, own in turned.items()}
    )


def _values(own: Mapping[str, Any], stream: np.ndarray, studies: int) -> dict[str, np.ndarray]:
    return {name: placed(stream[:, d], span).reshape(studies, -1) for name, (d, span) in own.items()}


def dimensions_of(knobs: Sequence[str]) -> int:
    """How many coordinates the stream needs."""
    if isinstance(knobs, str) or not 1 <= len(knobs) <= len(PRIMES) or len(set(knobs)) < len(knobs):
        refuse(WHO, f"needs 1 to {len(PRIMES)} different knobs", knobs, 'pass ("lr",), for example')
    return len(knobs)


def starts_of(objective: Any, starts: Any, seed: int) -> list[tuple[float, float]]:
    """The starts given, or so many quasi-random ones in the domain."""
    if isinstance(starts, int | np.integer):
        return spread_starts(objective, halton(int(starts), 2, seed))
    try:
        points: Any = np.asarray(starts, dtype=float)
    except (TypeError, ValueError):
        points = np.zeros(0)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        refuse(WHO, "needs starts (x, y), or how many", starts)
    return [(float(x), float(y)) for x, y in points]


def turned_knobs(rule: Any, knobs: Sequence[str], spans: Mapping[str, Any]) -> dict[str, tuple[int, Any]]:
    """The numbers of a rule that these knobs tune: by name the coordinate of the stream, and the span."""
    found: dict[str, tuple[int, Any]] = {}
    for d, knob in enumerate(knobs):
        name = own_name(rule, knob)
        if name:
            found[name] = (d, spans.get(knob) or spans.get(name) or _span(rule, name))
    return found


def own_name(rule: Any, knob: str) -> str:
    """What a rule calls a knob; empty where it has none, or has it switched off."""
    if not isinstance(rule, Rule):
        return knob if rule.settings.get(knob) and not isinstance(rule.settings[knob], bool) else ""
    quantities = {n: rule.param[n] for n in rule.hyperparameters() if isinstance(rule.param[n], Hyperparameter)}
    own = [knob] if knob in quantities else [n for n, q in quantities.items() if knob == MOMENTUM and q.is_momentum]
    return own[0] if own and getattr(rule, own[0]) != quantities[own[0]].off else ""


def _span(rule: Any, name: str) -> Any:
    declared = rule.param[name].on_map if isinstance(rule, Rule) else None
    span = declared or map_spans().get(name)
    return span or refuse(WHO, f"needs a span for {name}, whose definition has none", spans_text(name))


def spans_text(name: str) -> str:
    """What to pass for one."""
    return f'spans={{"{name}": (low, high, by_factors)}}'


def named_rules(rules: Named) -> dict[str, Any]:
    """Rules by name: those given, or labels with the numbers in which rules of one label differ."""
    if isinstance(rules, Mapping):
        return {str(name): resolved("rule", rule, WHO) for name, rule in rules.items()}
    made = [resolved("rule", rule, WHO) for rule in rules]
    plain = [rule.name if not isinstance(rule, Rule) and hasattr(rule, "cls") else label_of(rule) for rule in made]
    found: dict[str, Any] = {}
    for label, rule in zip(plain, made, strict=True):
        alike = [other for name, other in zip(plain, made, strict=True) if name == label]
        full = label + _differing(rule, alike)
        count = sum(name == full or name.startswith(f"{full} #") for name in found)
        found[f"{full} #{count + 1}" if count else full] = rule
    return found


def _differing(rule: Any, alike: Sequence[Any]) -> str:
    own = [dict(_settings(other)) for other in alike]
    mine = _settings(rule)
    said = [f"{name} {value:g}" if not isinstance(value, bool) else name for name, value in mine.items()
            if any(other.get(name) != value for other in own) and (name != "lr" and value)]  # fmt: skip
    return f", {', '.join(said)}" if said else ""


def _settings(rule: Any) -> dict[str, Any]:
    settings = rule.settings() if callable(rule.settings) else rule.settings
    return {name: value for name, value in settings.items() if isinstance(value, bool | int | float)}
