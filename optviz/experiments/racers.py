"""Who can take part in a race: the rules, what each can be set to, and the controls for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import panel as pn
import param

from ..experiment import Members
from ..objectives.formula import Formula
from ..page.controls import knobs_of, shown_while
from ..page.factors import PowerSlider, written
from ..page.formula_field import letter_knobs
from ..page.insides import widgets_of
from ..pictures.layers import INKS
from ..rules.optimizers import SGD, Adagrad, Adam, Lion, NAdam, RMSprop
from ..rules.rule import Rule
from ..spans import RATES, Spanned

OWN, SAME, STEP, TUNED = "each its own lr", "same lr", "same effective step", "each tuned"
FAIR = [TUNED, SAME, STEP, OWN]
SHARED = [SAME, STEP]
TOLERANCES = [1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10]


@dataclass(frozen=True)
class Racer:
    """A rule in the race: what the race chooses for it. The rest is as the rule's own definition has it."""

    name: str
    rule: type[Rule]
    lr: float  # where each has its own, at first
    colour: str
    dash: str
    about: str = ""
    knobs: tuple[str, ...] = ()  # the hyperparameters beside lr that can be set here
    highest: float | None = None  # end of the plain range of learning rates, where it is not the rule's own
    step: float = 0.001
    flags: Mapping[str, bool] = field(default_factory=dict)
    always: bool = False  # in the race
    at_first: bool = False

    @property
    def key(self) -> str:
        """What the race's parameters for it begin with."""
        return self.name.lower().replace(" ", "_")


RACERS = [
    Racer("SGD", SGD, 0.002, "blue", "solid", highest=0.2, step=0.0005, always=True),
    Racer("heavy ball", SGD, 0.001, "teal", "dashed", "SGD with momentum.", ("momentum",), 0.2, 0.0005,
          at_first=True),
    Racer("Nesterov", SGD, 0.001, "sky", "dotted", "SGD with Nesterov's momentum.", ("momentum",), 0.2, 0.0005,
          {"nesterov": True}),
    Racer("Adagrad", Adagrad, 0.5, "plum", "dotdash", "Divides by the root of all squared gradients so far."),
    Racer("RMSprop", RMSprop, 0.05, "purple", "dotdash", "Divides by the root of a running mean of squared gradients.",
          ("alpha",), at_first=True),
    Racer("Adam", Adam, 0.1, "orange", "solid", knobs=("beta1", "beta2"), always=True),
    Racer("NAdam", NAdam, 0.1, "rust", "dotted", "Adam with Nesterov's look-ahead.", ("beta1", "beta2")),
    Racer("Lion", Lion, 0.02, "slate", "dashed", "The sign of an interpolated momentum.", ("beta1", "beta2"), 0.2),
]  # fmt: skip
BY_NAME = {racer.name: racer for racer in RACERS}
NAMES = list(BY_NAME)
BASELINES = [racer.name for racer in RACERS if racer.always]
RULES = {racer.name: racer.rule for racer in RACERS}
FLAGS = {racer.name: racer.flags for racer in RACERS}
KEYS = {racer.name: racer.key for racer in RACERS}
# a rule's hyperparameters beside lr, and the parameters here that hold them
KNOBS = {racer.name: {theirs: f"{racer.key}_{theirs}" for theirs in racer.knobs} for racer in RACERS}
COLOURS = {racer.name: INKS[racer.colour] for racer in RACERS}
STYLES = {racer.name: racer.dash for racer in RACERS}


def switch(name: str) -> param.Boolean:
    """Whether a racer that can be removed takes part."""
    return param.Boolean(BY_NAME[name].at_first, label=_titled(name), doc=BY_NAME[name].about)


def rate(name: str) -> Spanned:
    """A racer's own learning rate."""
    racer = BY_NAME[name]
    high = racer.rule.param["lr"].get_soft_bounds()[1] if racer.highest is None else racer.highest
    return Spanned(racer.lr, bounds=(0, None), softbounds=(0, high), step=racer.step, span=RATES,
                   label=f"{_titled(name)}: learning rate",
                   doc=f"{_titled(name)}'s step size where each rule has its own.")  # fmt: skip


def share(name: str, theirs: str, **chosen: Any) -> param.Number:
    """A racer's momentum or decay rate: as its rule defines it, but for what is chosen here, and below 1."""
    own: Any = BY_NAME[name].rule.param[theirs]
    label = own.label[:1].lower() + own.label[1:] if own.label.isascii() else own.label
    settings = {"default": own.default, "inclusive_bounds": (True, False), "step": own.step, **chosen}
    low = 0 if settings["inclusive_bounds"][0] else own.step
    return param.Number(**settings, bounds=(0, 1), softbounds=(low, 0.999), label=f"{_titled(name)}: {label}",
                        doc=own.doc)  # fmt: skip


def _titled(name: str) -> str:
    return name[:1].upper() + name[1:]


def rule_of(race: Any, name: str, lr: Any) -> Rule:
    """A racer with this learning rate, or with an array of them, one a lane."""
    return racer(name, lr, {here: getattr(race, here) for here in KNOBS[name].values()})


def racer(name: str, lr: Any, settings: Mapping[str, Any]) -> Rule:
    """The same with the numbers of these settings, by the race's names for them."""
    own = {theirs: settings[here] for theirs, here in KNOBS[name].items()}
    return RULES[name](lr=lr, **own, **FLAGS[name])


def rate_of(race: Any, name: str) -> float:
    """The learning rate of a racer that is not tuned."""
    if race.fairness == OWN:
        return getattr(race, f"{KEYS[name]}_lr")
    momentum = getattr(race, KNOBS[name]["momentum"]) if "momentum" in KNOBS[name] else 0.0
    return race.lr * (1 - momentum) if race.fairness == STEP else race.lr


def rates_tried(lowest: float, highest: float, trials: int) -> np.ndarray:
    """The learning rates that every racer may try, as short as they are shown."""
    return np.array([float(f"{10.0**exponent:.4g}") for exponent in np.linspace(lowest, highest, trials)])


def fairness_knobs(race: Any) -> tuple[list[Any], list[Any]]:
    """The menu of what is fair with the learning rate that it may ask for, and the knobs of every racer."""
    knobs = knobs_of(race, ["fairness"])
    menu = widgets_of(knobs)["fairness"]
    test = f"{json.dumps(SHARED)}.includes(cb_obj.value)"
    lr = shown_while(menu, test, race.fairness in SHARED, knobs_of(race, ["lr"]))
    return [knobs, lr], [part for name in NAMES for part in racer_knobs(race, name, menu)]


def racer_knobs(race: Any, name: str, fairness: Any) -> list[Any]:
    """Its switch, where it can be removed, and its knobs: its own learning rate only where the menu `fairness` asks."""
    key = KEYS[name]
    lr = shown_while(fairness, f"cb_obj.value == '{OWN}'", race.fairness == OWN, knobs_of(race, [f"{key}_lr"]))
    others = knobs_of(race, list(KNOBS[name].values()))
    if name in BASELINES:
        return [lr, others]
    switch = knobs_of(race, [key])
    return [switch, shown_while(widgets_of(switch)[key], "cb_obj.active", getattr(race, key), lr, others)]


SHARED_KNOBS = ("trials", "steps", "lowest", "highest", "clip", "tolerance", "start_x", "start_y", "fit_axes")


def trial_knobs(race: Any, names: Sequence[str] = SHARED_KNOBS) -> pn.Param:
    """The knobs that all racers share; the ends of the rates tried say them, not their logarithms."""
    powers = {name: {"type": PowerSlider, "format": written(), "tags": ["power"]} for name in ("lowest", "highest")}
    return knobs_of(race, names, powers)


def surface_knobs(current: Any, members: Members, every: bool = False) -> pn.Column:
    """The shape parameters of each surface, those of the current one visible; of `every` letter of a formula."""
    typed = [m for m in members.values() if isinstance(m, Formula)]
    shaped = [m for m in members.values() if hasattr(m, "shape_names") and m.shape_names() and m not in typed]
    parts = [knobs_of(m, m.shape_names(), visible=m is current) for m in shaped]
    parts += [letter_knobs(m, every, m is current) for m in typed]
    return pn.Column(*parts, sizing_mode="stretch_width", margin=0)
