"""Who can take part in a race: the rules, what each can be set to, and the controls for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import panel as pn
import param

from ..experiment import Members
from ..page.controls import knobs_of, shown_while
from ..page.factors import written
from ..page.insides import widgets_of
from ..rules.optimizers import SGD, Adagrad, Adam, Lion, NAdam, RMSprop
from ..rules.rule import Rule
from ..spans import RATES, Spanned

OWN, SAME, STEP, TUNED = "each its own lr", "same lr", "same effective step", "each tuned"
FAIR = [TUNED, SAME, STEP, OWN]
SHARED = [SAME, STEP]
RULES = {"SGD": SGD, "heavy ball": SGD, "Nesterov": SGD, "Adagrad": Adagrad, "RMSprop": RMSprop, "Adam": Adam,
         "NAdam": NAdam, "Lion": Lion}  # fmt: skip
NAMES = list(RULES)
BASELINES = ["SGD", "Adam"]  # always in the race
KEYS = {"SGD": "sgd", "heavy ball": "heavy_ball", "Nesterov": "nesterov", "Adagrad": "adagrad", "RMSprop": "rmsprop",
        "Adam": "adam", "NAdam": "nadam", "Lion": "lion"}  # fmt: skip
# a rule's hyperparameters beside lr, and the parameters here that hold them
KNOBS = {
    "SGD": {}, "heavy ball": {"momentum": "heavy_ball_momentum"}, "Nesterov": {"momentum": "nesterov_momentum"},
    "Adagrad": {}, "RMSprop": {"alpha": "rmsprop_alpha"}, "Adam": {"beta1": "adam_beta1", "beta2": "adam_beta2"},
    "NAdam": {"beta1": "nadam_beta1", "beta2": "nadam_beta2"}, "Lion": {"beta1": "lion_beta1", "beta2": "lion_beta2"},
}  # fmt: skip
TOLERANCES = [1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10]


def rate(default: float, name: str, high: float, step: float = 0.001) -> Spanned:
    """A racer's own learning rate."""
    return Spanned(default, bounds=(0, None), softbounds=(0, high), step=step, span=RATES,
                   label=f"{name}: learning rate", doc=f"{name}'s step size where each rule has its own.")  # fmt: skip


def share(default: float, name: str, symbol: str, doc: str, step: float = 0.001, low: bool = True) -> param.Number:
    """A racer's momentum or decay rate, below 1; `low` says whether it may be 0."""
    return param.Number(default, bounds=(0, 1), inclusive_bounds=(low, False), softbounds=(0 if low else step, 0.999),
                        step=step, label=f"{name}: {symbol}", doc=doc)  # fmt: skip


def rule_of(race: Any, name: str, lr: Any) -> Rule:
    """A racer with this learning rate, or with an array of them, one a lane."""
    return racer(name, lr, {here: getattr(race, here) for here in KNOBS[name].values()})


def racer(name: str, lr: Any, settings: Mapping[str, Any]) -> Rule:
    """The same with the numbers of these settings, by the race's names for them."""
    own = {theirs: settings[here] for theirs, here in KNOBS[name].items()}
    ahead = {"nesterov": True} if name == "Nesterov" else {}
    return RULES[name](lr=lr, **own, **ahead)


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


def trial_knobs(race: Any) -> pn.Param:
    """The knobs that all racers share; the ends of the rates tried say them, not their logarithms."""
    powers = {name: {"format": written()} for name in ("lowest", "highest")}
    return knobs_of(race, ["trials", *powers, "steps", "clip", "tolerance"], powers)


def surface_knobs(current: Any, members: Members) -> pn.Column:
    """The shape parameters of each surface, those of the current one visible."""
    shaped = [m for m in members.values() if hasattr(m, "shape_names") and m.shape_names()]
    parts = [knobs_of(m, m.shape_names(), visible=m is current) for m in shaped]
    return pn.Column(*parts, sizing_mode="stretch_width", margin=0)
