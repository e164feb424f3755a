"""Runs that only Python can make, made for a page to look through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import param

from ..maps.axes import CLIP
from ..menus import arguments_of, label_of
from ..messages import refuse
from ..objectives.minima import lowest_loss
from ..readings.equations import objective_mathml, rule_mathml
from ..readings.linear import why_not
from ..rules.rule import Rule
from ..runs.descent import descend
from .store import (
    Replay,
    Store,
    carries,
    checked,
    described,
    fixed_of,
    is_traced,
    members_of,
    packed,
    packed_runs,
    room_for,
    script_json,
    sentence,
    settings_of,
    untraced,
)

GROUPS = ("rows", "steps", "tenths")  # of what torch has trained
KNOB = 40  # runs along a knob that nobody chose
Knobs = Mapping[str, Sequence[float]] | None


def stored_runs(experiment: Any, knobs: Knobs = None) -> Store | None:
    """The runs to store for a page, or None where the page can make them itself."""
    if experiment.replays:
        return replay(experiment, knobs)
    foreign, whole = untraced(experiment), experiment.carries
    if knobs and (whole or not foreign):
        what = "where one rule runs through torch" if whole else "for what runs through torch"
        refuse("save", f"needs knobs only {what}", list(knobs), "leave them out")
    if not foreign:
        return None
    return experiment.carried() if whole else runs_of_a_rule(experiment, knobs)


def replay(experiment: Any, knobs: Knobs) -> Replay:
    """What `experiment.replayed(values)` gives at each place of the grid, stacked."""
    usual = experiment.replay_knobs()
    now = {name: getattr(experiment, name) for name in usual}
    grid = checked(usual if knobs is None else knobs, now, type(experiment).__name__)
    for name, values in grid.items():
        for value in values:
            experiment.param[name]._validate(value)
    runs = [experiment.replayed(dict(zip(grid, values, strict=True))) for values in product(*grid.values())]
    first = runs[0]
    data: dict[str, Any] = {"diverged": [run["diverged"] for run in runs], "every": first["every"]}
    for group in GROUPS:
        data[group] = {n: packed(np.stack([run[group][n] for run in runs])) for n in first[group]}
    data["always"] = {name: packed(values) for name, values in first["always"].items()}
    live = [*grid, "steps", "fit_axes"]
    said = carries("Trained by torch, which runs in Python alone: this page", len(runs), grid, experiment.steps)
    return Replay(said, grid, experiment.steps, live, fixed_of(experiment, live), data)


def runs_of_a_rule(experiment: Any, knobs: Knobs) -> Store:
    """The runs of a rule on a surface at each place of a grid of its numbers."""
    rule, foreign = experiment.optimizer, untraced(experiment)
    grid = checked(_usual(rule) if knobs is None else knobs, settings_of(rule), label_of(rule))
    room_for(math.prod(map(len, grid.values())), experiment.steps)
    runs = [run_with(experiment, dict(zip(grid, values, strict=True))) for values in product(*grid.values())]
    live = [*menus_beside(foreign), "steps", "fit_axes"]
    fixed = {**fixed_of(experiment, live), "basins": type(experiment).param["basins"].default}
    said = sentence(foreign.values(), len(runs), grid, experiment.steps)
    return Store(said, grid, experiment.steps, live, fixed, packed_runs(runs), described(experiment, grid),
                 surface=surface_of(experiment, experiment.results["values"]),
                 control=control_of(rule, grid))  # fmt: skip


def menus_beside(foreign: Mapping[str, Any]) -> list[str]:
    """The menus that act: choosing what a page can run helps where nothing else is foreign to it."""
    return [f"{role}_name" for role in ("optimizer", "objective") if not set(foreign) - {role}]


def _usual(rule: Any) -> dict[str, list[float]]:
    """The learning rate from a twentieth of what it is to twice that, as far as there is one."""
    lr = settings_of(rule).get("lr")
    return {"lr": [lr * k / 20 for k in range(1, KNOB + 1)]} if isinstance(lr, float | int) and lr > 0 else {}


def run_with(experiment: Any, values: Mapping[str, float]) -> Any:
    """The run with other settings of its rule or its surface, another clip or from another start."""
    objective, start = experiment.objective, list(experiment.start)
    shape = settings_of(objective)
    if set(values) & set(shape):
        objective = type(objective)(**{**arguments_of(objective), **{n: v for n, v in values.items() if n in shape}})
    rule, own = experiment.optimizer, {n: v for n, v in values.items() if n in settings_of(experiment.optimizer)}
    if isinstance(rule, Rule):
        rule = type(rule)(**{**rule.values(), **own})
    else:
        rule = type(rule)(rule.cls, **{**rule.settings, **own})
    start = [values.get(f"start {name}", at) for name, at in zip("xy", start, strict=True)]
    return descend(objective, rule, start, experiment.steps, clip=values.get(CLIP, experiment.clip) or None)


def surface_of(experiment: Any, values: Any) -> dict[str, Any]:
    """What a page knows of a surface that it cannot compute: its picture, the loss at the start, its curvature."""
    objective = experiment.objective
    if is_traced(objective):
        return {}
    known = {"map": packed(values), "first": float(objective.value(*experiment.start))}
    if not len(objective.minima) or not hasattr(objective, "hessian"):
        return known
    return {**known, "curvature": np.asarray(objective.hessian(*objective.minima[0]), dtype=float).tolist()}


def control_of(rule: Any, grid: Mapping[str, list[float]]) -> Any:
    """Parameters for the knobs of an optimizer that declares none."""
    if isinstance(rule, Rule):
        return None
    made = {
        name: param.Number(rule.settings[name], bounds=(values[0], values[-1]), step=values[1] - values[0],
                           label="Learning rate" if name == "lr" else None, doc="Shows the nearest stored run.")
        for name, values in grid.items() if name in rule.settings
    }  # fmt: skip
    return type(label_of(rule), (param.Parameterized,), made)() if made else None


def stored_member(member: Any, experiment: Any, store: Store) -> str | None:
    """The JavaScript of a rule or an objective of the stored runs that a page cannot run; None for any other."""
    if not any(member is each for each in untraced(experiment).values()):
        return None
    if member is members_of(experiment).get("objective"):
        return _stored_surface(member, store)
    about: dict[str, Any] = {
        "label": label_of(member),
        "text": rule_mathml(member),
        "values": {},
        "why": why_not(member),
    }
    if isinstance(member, Rule):
        about |= {"values": dict(member.values()), "hyperparameters": member.hyperparameters()}
        about["why"] = about["why"] or f"{label_of(member)} runs in Python alone: its step cannot be read here."
    else:
        about["values"] = {name: member.settings[name] for name in store.knobs if name in member.settings}
    return f"new StoredMember({script_json(about)})"


def _stored_surface(objective: Any, store: Store) -> str:
    places = {
        name: np.asarray(getattr(objective, name), dtype=float).tolist() for name in ("domain", "minima", "starts")
    }
    about = {"label": label_of(objective), "text": objective_mathml(objective), "values": {}, **places,
             "names": objective.names, "is_curve": False, "at_edge": False, "usual_steps": None,
             "lowest": lowest_loss(objective)}  # fmt: skip
    return f"new StoredMember({script_json({**about, **store.surface})})"
