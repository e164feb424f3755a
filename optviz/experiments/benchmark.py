"""Rules tuned alike on many surfaces: their scores, how often each comes how near to the best, and what is decided."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import panel as pn
import param

from ..experiment import Experiment, Members
from ..export.store import is_traced
from ..menus import arguments_of, label_of, resolved, surfaces
from ..messages import refuse
from ..objectives.minima import lowest_loss
from ..page.controls import knobs_of
from ..page.layout import frame, html
from ..pictures.axis_ticks import power_text
from ..pictures.layers import GREY, INKS, Drawing, Figure, curve, marks, stems
from ..pictures.scene import EMPTY
from ..races.arrivals import spread_starts, tuned
from ..races.scores import RATIO, places, ranks, ratios, scored
from ..races.streams import halton
from ..races.studies import named_rules, turned_knobs
from .benchmark_words import NOTES, standing, steps_table, table
from .racers import RACERS, TOLERANCES, switch, trial_knobs

LR, BOTH = "learning rate", "learning rate and momentum"
TUNED = {LR: ("lr",), BOTH: ("lr", "momentum")}
MOMENTUM = 0.9  # of heavy ball and Nesterov, where it is not tuned
ALWAYS = [racer.name for racer in RACERS if racer.always]
SWITCHES = {racer.name: racer.key for racer in RACERS if not racer.always}
AT_FIRST = ("Quadratic", "Rosenbrock", "Himmelblau", "StyblinskiTang")
BUDGETS = 40  # numbers of trials at which ranks are drawn, at most
DASHES = ("solid", "dashed", "dotted", "dotdash")


def standard_rules() -> dict[str, Any]:
    """The rules of the race that a page offers, as they are where nothing is tuned."""
    momentum = {racer.name: {"momentum": MOMENTUM} for racer in RACERS if "momentum" in racer.knobs}
    return {racer.name: racer.rule(**racer.flags, **momentum.get(racer.name, {})) for racer in RACERS}


def standard_surfaces() -> dict[str, Any]:
    """The surfaces of the menus that have a lowest loss, by label."""
    return {label: cls() for label, cls in surfaces().items() if lowest_loss(cls()) is not None}


RULES, SURFACES = standard_rules(), standard_surfaces()
PLACES = {label: f"on_{type(made).__name__.lower()}" for label, made in SURFACES.items()}


class Benchmark(Experiment):
    """Rules tuned by the same trials on many surfaces, scored as AlgoPerf does (arXiv 2306.07179).

    A workload is a surface with a start. Every rule gets `trials` of one quasi-random stream in each of the `studies`;
    a study's time is the least steps to the target, a workload's the median of these. `rules` and `objectives`, lists
    or dicts by name, replace those that the page offers: `Benchmark(rules=[SGD(momentum=0.9), Mine()])`.
    Results: what `optviz.races.scores.scored` says, `reached` (rules, workloads, studies, trials), and their names.
    """

    trials = param.Integer(30, bounds=(1, 100), softbounds=(1, 60), step=1, label="Trials a study",
                           doc="How often every rule may try other numbers on each workload.")  # fmt: skip
    studies = param.Integer(3, bounds=(2, 5), doc="How often the whole tuning is done again, with other trials.")
    starts = param.Integer(2, bounds=(1, 4), label="Starts a surface",
                           doc="Spread over each surface's domain; each is a workload.")  # fmt: skip
    steps = param.Integer(300, bounds=(10, 1000), softbounds=(10, 500), step=10, doc="How many steps a trial takes.")
    tuned = param.Selector(default=LR, objects=[LR, BOTH], label="Tuned",
                           doc="What trials change; Adam's momentum is its β₁.")  # fmt: skip
    tolerance = param.Selector(
        default=1e-2, objects=TOLERANCES, label="Target", doc="The loss above the lowest that counts as there."
    )
    lowest = param.Number(-4.0, bounds=(-8, -1), step=0.5, precedence=2, label="Lowest lr tried",
                          doc="The same for every rule.")  # fmt: skip
    highest = param.Number(1.0, bounds=(-0.5, 3), step=0.5, precedence=2, label="Highest lr tried",
                           doc="The same for every rule.")  # fmt: skip
    seed = param.Integer(0, bounds=(0, 999), precedence=2, doc="Shifts the stream of trials, and the starts.")

    title = "A benchmark by fair rules"
    order = 7
    lines = (3, 5)
    sentence = "Rules tuned by the same trials on many surfaces: their scores, and whether the studies agree."

    def __init__(self, *, rules: Any = None, objectives: Any = None, **params):
        self._rules = RULES if rules is None else named_rules(rules)
        self._surfaces = SURFACES if objectives is None else _named_surfaces(objectives)
        self._knobs = {each: {name: turned_knobs(rule, knobs, {}) for name, rule in self._rules.items()}
                       for each, knobs in TUNED.items()}  # fmt: skip
        self._offers = {"rules": rules is None, "surfaces": objectives is None}
        self._looks = looks_of(list(self._rules), rules is None)
        super().__init__(**params)

    def beside(self) -> Mapping[str, Any]:
        own = {name: getattr(self, name) for name in ("_rules", "_surfaces", "_knobs", "_offers", "_looks")}
        return {**super().beside(), **own}

    def html(self, title: str = "", theme: str = "system", knobs: Any = None, lesson: str = "") -> str:
        foreign = [name for name, each in {**self._rules, **self._surfaces}.items() if not is_traced(each)]
        if foreign:
            refuse("save", "needs a benchmark of rules and surfaces that a browser can run", foreign,
                   "leave them out; tuning_studies and this page in Python run them")  # fmt: skip
        return super().html(title, theme, knobs, lesson)

    def racers(self) -> list[str]:
        """The rules in the race, by name."""
        if not self._offers["rules"]:
            return list(self._rules)
        return [name for name in self._rules if name in ALWAYS or getattr(self, SWITCHES[name])]

    def fields(self) -> list[str]:
        """The surfaces raced on, by name; the first where all are switched off."""
        if not self._offers["surfaces"]:
            return list(self._surfaces)
        chosen = [name for name in self._surfaces if getattr(self, PLACES[name])]
        return chosen if len(chosen) > 0 else list(self._surfaces)[:1]

    # numbers

    def memory(self) -> float:
        return 100.0 * self.trials * self.studies * self.starts * len(self.racers()) * len(self.fields())

    def compute(self) -> dict[str, Any]:
        stream = self.remember("stream", (self.trials * self.studies, self.seed),
                               lambda: halton(self.trials * self.studies, 2, self.seed))  # fmt: skip
        points = self.remember("points", (self.starts, self.seed), lambda: halton(self.starts, 2, self.seed))
        racers, fields = self.racers(), self.fields()
        found, workloads = [], []
        for field in fields:
            starts = spread_starts(self._surfaces[field], points)
            found.append(np.stack([self._tuned(name, field, stream, starts) for name in racers]))
            workloads += [(field, start) for start in starts]
        count = len(workloads)
        reached = np.concatenate(found, axis=1).reshape(len(racers), count, self.studies, self.trials)
        scores = scored(reached, self.trials)
        where = places(scores["score"], scores["apart"])
        order = sorted(range(len(racers)), key=lambda k: -float(scores["score"][k]))
        return {**scores, "reached": reached, "racers": racers, "fields": fields, "workloads": workloads,
                "places": where, "order": order, "inks": [self._looks[name][0] for name in racers]}  # fmt: skip

    def _tuned(self, name: str, field: str, stream: Any, starts: Any) -> np.ndarray:
        """A rule's arrivals on a surface (starts, trials of all studies)."""
        objective, rule = self._surfaces[field], self._rules[name]
        rates = (10.0**self.lowest, 10.0**self.highest, True)
        own = self._knobs[self.tuned][name]
        knobs = {knob: (own[knob][0], rates if knob == "lr" else own[knob][1]) for knob in own}
        level = self.remember(f"lowest of {field}", (), lambda: lowest_loss(objective)) + self.tolerance
        key = (self.trials, self.studies, self.starts, self.steps, self.tuned, self.tolerance, self.lowest,
               self.highest, self.seed)  # fmt: skip
        return self.remember(f"{name} on {field}", key,
                             lambda: tuned(objective, rule, knobs, stream, starts, self.steps, level))  # fmt: skip

    # pictures

    def figures(self) -> list[Figure]:
        looks = self._looks
        curves = {name: curve(look[0], name, line_dash=look[1], line_width=2.2) for name, look in looks.items()}
        along = {name: curve(look[0], line_dash=look[1]) for name, look in looks.items()}
        decided = {f"{n} decided": marks(look[0], "circle", 6) for n, look in looks.items()}
        spans = {f"{n} studies": stems(look[0]) for n, look in looks.items()}
        dots = {n: marks(look[0], "circle", 8, line_color="white", line_width=1) for n, look in looks.items()}
        return [
            Figure("profile", curves, xlabel="steps, as a multiple of the best rule's", height=460,
                   legend="bottom_right"),
            Figure("ranks", {**along, **decided}, xlabel="trials a study", ylabel="rank", height=260),
            Figure("times", {"rows": stems(GREY, width=0.5), **spans, **dots}, xlabel="steps to the target",
                   height=420),
        ]  # fmt: skip

    def draw(self) -> dict[str, Drawing]:
        return {"profile": self._draw_profile(), "ranks": self._draw_ranks(), "times": self._draw_times()}

    def _draw_profile(self) -> Drawing:
        found, racers = ratios(self.results["times"]), self.results["racers"]
        layers = {n: stairs(found[racers.index(n)]) if n in racers else EMPTY for n in self._rules}
        named = {name: self._scored(name) if name in racers else "" for name in self._rules}
        return Drawing(layers, (0.95, RATIO + 0.02), (-0.02, 1.04), "Share of workloads solved", named)

    def _scored(self, name: str) -> str:
        return f"{name} {self.results['score'][self.results['racers'].index(name)]:.2f}"

    def _draw_ranks(self) -> Drawing:
        racers, reached = self.results["racers"], self.results["reached"]
        key = (self.results["reached"],)
        budgets = budgets_of(self.trials)
        found = self.remember("ranks", key, lambda: [ranked(reached, budget) for budget in budgets])
        layers: dict[str, Any] = {}
        for name in self._rules:
            k = racers.index(name) if name in racers else -1
            rows = [(b, -each["rank"][k], each["sure"][k]) for b, each in zip(budgets, found, strict=True) if k >= 0]
            layers[name] = columns([row[:2] for row in rows])
            layers[f"{name} decided"] = columns([row[:2] for row in rows if row[2]])
        count = len(racers)
        axes = {
            "y": {"places": [-float(count - k) for k in range(count)], "texts": [f"{count - k}" for k in range(count)]}
        }
        edge = max(0.02 * self.trials, 0.5)
        return Drawing(layers, (1 - edge, self.trials + edge), (-count - 0.4, -0.6), "Rank by score (●: decided)",
                       axes=axes, hover="down")  # fmt: skip

    def _draw_times(self) -> Drawing:
        racers, fields, last = self.results["racers"], self.results["fields"], math.log10(self.steps)
        never, rows = last + 0.35, len(self.results["workloads"])
        along = np.where(np.isfinite(self.results["times"]), np.log10(np.maximum(self.results["times"], 1.0)), never)
        each = self.results["study_times"]
        spread = np.where(np.isfinite(each), np.log10(np.maximum(each, 1.0)), never)
        layers: dict[str, Any] = {"rows": borders(len(fields), self.starts, never + 0.2)}
        for name in self._rules:
            k = racers.index(name) if name in racers else -1
            up = -np.arange(rows) - (0.1 + 0.8 * (k + 0.5) / len(racers))
            layers[name] = {"x": along[k], "y": up} if k >= 0 else EMPTY
            ends = {"x0": np.min(spread[k], axis=1), "y0": up, "x1": np.max(spread[k], axis=1), "y1": up}
            layers[f"{name} studies"] = ends if k >= 0 else {end: np.zeros(0) for end in ends}
        axes = {"x": steps_axis(last, never), "y": surfaces_axis(fields, self.starts)}
        return Drawing(layers, (-0.1, never + 0.2), (-float(rows), 0.0), "Steps to the target (lines: the studies)",
                       axes=axes, hover="powers across")  # fmt: skip

    # words

    def status(self) -> str:
        return standing(self)

    def side(self) -> dict[str, str]:
        return {"places": table(self), "steps": steps_table(self)}

    notes = NOTES

    def controls(self, members: Members | None = None) -> list[Any]:
        made: list[Any] = [knobs_of(self, ["tuned", "tolerance"]), trial_knobs(self, BUDGET)]
        if self._offers["rules"]:
            made.append(titled("<b>Rules</b> beside SGD and Adam", knobs_of(self, [*SWITCHES.values()])))
        if self._offers["surfaces"]:
            rare = [PLACES[label] for label, made in SURFACES.items() if type(made).__name__ not in AT_FIRST]
            made.append(titled("<b>Surfaces</b>", knobs_of(self, [*PLACES.values()], rare=rare)))
        return made

    def arrange(self, page) -> Any:
        return frame(
            page.controls,
            [page.message, page.status, *page.pictures("profile")],
            page.pictures("ranks", "times"),
            [page.blocks["places"], page.blocks["steps"], html(self.notes, "notes")],
            beside=True,
        )


BUDGET = ("trials", "studies", "starts", "steps", "lowest", "highest", "seed")
for _racer in RACERS:
    if not _racer.always:
        Benchmark.param.add_parameter(_racer.key, switch(_racer.name))
for _label, _made in SURFACES.items():
    Benchmark.param.add_parameter(PLACES[_label], param.Boolean(type(_made).__name__ in AT_FIRST, label=_label))


def looks_of(names: Sequence[str], offered: bool) -> dict[str, tuple[str, str]]:
    """The colour and the dash of each rule, in a race as a page offers it its own."""
    known = {racer.name: (INKS[racer.colour], racer.dash) for racer in RACERS} if offered else {}
    inks = list(INKS.values())
    turns = {n: (inks[k % len(inks)], DASHES[k // len(inks) % len(DASHES)]) for k, n in enumerate(names)}
    return {n: known.get(n, turns[n]) for n in names}


def _named_surfaces(given: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Surfaces by name: those given, or labels with the numbers in which surfaces of one label differ."""
    if isinstance(given, Mapping):
        return {str(name): resolved("objective", each, "Benchmark") for name, each in given.items()}
    found: dict[str, Any] = {}
    for each in [resolved("objective", each, "Benchmark") for each in given]:
        label = label_of(each)
        if label in found:
            label += f", {', '.join(f'{name} {value:g}' for name, value in arguments_of(each).items())}"
        found[label] = each
    return found


def titled(text: str, knobs: Any) -> pn.Column:
    """Controls under a title."""
    title = pn.Column(html(text, "about"), sizing_mode="stretch_width", margin=(10, 20, 0, 10))
    return pn.Column(title, knobs, sizing_mode="stretch_width", margin=0)


def budgets_of(trials: int) -> list[int]:
    """The numbers of trials at which ranks are drawn: all, or so many evenly spaced."""
    count = min(trials, BUDGETS)
    return [1 + round(k * (trials - 1) / max(count - 1, 1)) for k in range(count)]


def ranked(reached: np.ndarray, budget: int) -> dict[str, Any]:
    """Each rule's rank after so many trials, and whether it is decided."""
    found = scored(reached, budget)
    return {"rank": ranks(found["score"]), "sure": [a == b for a, b in places(found["score"], found["apart"])]}


def stairs(row: np.ndarray) -> dict[str, np.ndarray]:
    """A rule's profile from its ratios by workload, with a step at each."""
    share = 1 / len(row)
    along, up = [1.0], [float(sum(float(q <= 1) for q in row)) * share]
    for q in sorted(float(q) for q in row if q > 1 and q <= RATIO):
        along += [q, q]
        up += [up[-1], up[-1] + share]
    return {"x": np.array([*along, RATIO]), "y": np.array([*up, up[-1]])}


def columns(rows: Sequence[Any]) -> dict[str, np.ndarray]:
    """The columns of a layer of points."""
    return {"x": np.array([float(row[0]) for row in rows]), "y": np.array([float(row[1]) for row in rows])}


def steps_axis(last: float, never: float) -> dict[str, Any]:
    """The ticks of an axis of steps by factors, and the place of what never arrives."""
    powers = range(math.floor(last + 1e-9) + 1)
    return {"places": [*[float(k) for k in powers], never], "texts": [*[power_text(k) for k in powers], "never"]}


def surfaces_axis(fields: Sequence[str], starts: int) -> dict[str, Any]:
    """The names of surfaces at the middles of their rows, from the lowest up."""
    order = range(len(fields) - 1, -1, -1)
    return {"places": [-starts * (k + 0.5) for k in order], "texts": [short(fields[k]) for k in order]}


def borders(count: int, starts: int, width: float) -> dict[str, np.ndarray]:
    """Lines between the rows of surfaces."""
    up = np.array([-float(starts * (k + 1)) for k in range(count - 1)])
    return {"x0": np.full(len(up), -0.1), "y0": up, "x1": np.full(len(up), width), "y1": up}


def short(label: str) -> str:
    """A label that an axis has room for."""
    return label if len(label) <= 18 else f"{label[:17]}…"
