"""Runs that only Python can make, stored compactly for a page to look through."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import param

from ..descent import descend
from ..formulas import objective_mathml, rule_mathml
from ..members import label_of
from ..messages import refuse
from ..rules import Rule
from .kernels import rule_script

MOST_RUNS = 1000
KNOB = 40  # runs along a knob that nobody chose


@dataclass
class Store:
    """The runs of one optimizer on one objective at each value of one or two knobs."""

    pair: tuple[str, str]
    knobs: dict[str, list[float]]
    steps: int
    data: dict[str, Any]
    reason: str
    control: Any = None  # what gives an optimizer without parameters its knobs


@dataclass
class Replay:
    """The runs of an experiment that torch computes, at each value of one or two of its own knobs."""

    knobs: dict[str, list[float]]
    steps: int
    data: dict[str, Any]
    fixed: dict[str, Any]
    reason: str
    control: Any = None


def replay(experiment: Any, knobs: Mapping[str, Sequence[float]] | None) -> Replay:
    """What `experiment.replayed(values)` gives at each place of the grid, stacked, in float64."""
    usual = experiment.replay_knobs()
    now = {name: getattr(experiment, name) for name in usual}
    grid = _checked(usual if knobs is None else knobs, now, type(experiment).__name__)
    for name, values in grid.items():
        for value in values:
            experiment.param[name]._validate(value)
    runs = [experiment.replayed(dict(zip(grid, values, strict=True))) for values in product(*grid.values())]
    first = runs[0]
    data: dict[str, Any] = {"diverged": [run["diverged"] for run in runs], "every": first["every"]}
    for group in ("rows", "tenths"):
        data[group] = {n: _packed(np.stack([run[group][n] for run in runs]), "float64") for n in first[group]}
    data["always"] = {name: _packed(values, "float64") for name, values in first["always"].items()}
    held = set(grid) | {"steps"}
    fixed = {n: getattr(experiment, n) for n in experiment.menu()
             if n not in held and not isinstance(experiment.param[n], param.Event)}  # fmt: skip
    reason = f"Trained by torch, which runs in Python alone: this page carries {len(runs)} runs"
    return Replay(grid, experiment.steps, data, fixed, reason)


def is_traced(member: Any) -> bool:
    """Whether a rule or an objective can be printed as JavaScript."""
    return _prints(type(member)) if isinstance(member, Rule) else hasattr(member, "traced")


@cache
def _prints(cls: type[Rule]) -> bool:
    try:
        rule_script(cls)
    except Exception:  # a rule of somebody's own may branch on a value, or call what no browser has
        return False
    return True


def stored_runs(experiment: Any, knobs: Mapping[str, Sequence[float]] | None = None) -> Store | Replay | None:
    """The runs to store for a page, or None where the page can make them itself."""
    if hasattr(experiment, "replayed"):
        return replay(experiment, knobs)
    rule, objective = getattr(experiment, "optimizer", None), getattr(experiment, "objective", None)
    if rule is None or (is_traced(rule) and is_traced(objective)):
        if knobs:
            refuse("save", "needs knobs only for what runs through torch", list(knobs), "leave them out")
        return None
    grid = _grid(rule, knobs)
    runs = [_run(experiment, rule, dict(zip(grid, values, strict=True))) for values in product(*grid.values())]
    x = np.stack([run.x[:, 0] for run in runs])
    untraced = [label_of(m) for m in (rule, objective) if not is_traced(m)]
    data = {"x": _packed(x), "loss": _packed(np.stack([run.loss[:, 0] for run in runs])),
            "diverged": [int(run.diverged[0]) for run in runs], "map": _map(experiment, objective)}  # fmt: skip
    reason = f"{' and '.join(untraced)} runs in Python alone, not in a page, which carries {len(runs)} runs"
    pair = (label_of(rule), label_of(objective))
    control = None if isinstance(rule, Rule) else _control(rule, grid)
    return Store(pair, grid, experiment.steps, data, reason, control)


def _grid(rule: Any, knobs: Mapping[str, Sequence[float]] | None) -> dict[str, list[float]]:
    return _checked(_usual(rule) if knobs is None else knobs, _settings(rule), label_of(rule))


def _checked(knobs: Mapping[str, Sequence[float]], now: Mapping[str, Any], who: str) -> dict[str, list[float]]:
    """The values of each knob, where they are rising, not too many, and knobs of what `who` has now."""
    if len(knobs) > 2:
        refuse("save", "needs one or two knobs", list(knobs))
    for name, values in knobs.items():
        if not isinstance(now.get(name), int | float) or isinstance(now.get(name), bool):
            refuse("save", f"needs knobs among the numbers of {who}", name)
        if np.ndim(values) != 1 or np.size(values) < 2 or not np.all(np.diff(values) > 0):
            refuse("save", f"needs rising values of the knob {name}", np.ravel(values).tolist())
    if np.prod([len(v) for v in knobs.values()]) > MOST_RUNS:
        refuse("save", f"stores at most {MOST_RUNS} runs", int(np.prod([len(v) for v in knobs.values()])))
    return {name: [float(v) for v in values] for name, values in knobs.items()}


def _settings(member: Any) -> Mapping[str, Any]:
    return member.values() if isinstance(member, Rule) else getattr(member, "settings", {})


def _usual(rule: Any) -> dict[str, list[float]]:
    """The learning rate from a twentieth of what it is to twice that, as far as there is one."""
    lr = _settings(rule).get("lr")
    return {"lr": [lr * k / 20 for k in range(1, KNOB + 1)]} if isinstance(lr, float | int) and lr > 0 else {}


def _run(experiment: Any, rule: Any, values: dict[str, float]) -> Any:
    if isinstance(rule, Rule):
        made = type(rule)(**{**rule.values(), **values})
    else:
        made = type(rule)(rule.cls, **{**rule.settings, **values})
    return descend(experiment.objective, made, experiment.start, experiment.steps)


def _map(experiment: Any, objective: Any) -> Any:
    """The landscape of an objective that the page cannot compute."""
    return None if is_traced(objective) else _packed(experiment.results["values"])


def _packed(values: np.ndarray, kind: str = "float32") -> dict[str, Any]:
    text = b64encode(np.ascontiguousarray(values, dtype={"float32": "<f4", "float64": "<f8"}[kind]).tobytes()).decode()
    return {kind: text, "shape": list(values.shape)}


def _control(rule: Any, grid: Mapping[str, list[float]]) -> Any:
    """Parameters for the knobs of an optimizer that declares none."""
    made = {
        name: param.Number(rule.settings[name], bounds=(values[0], values[-1]), step=values[1] - values[0],
                           label="Learning rate" if name == "lr" else None, doc="Shows the nearest stored run.")
        for name, values in grid.items()
    }  # fmt: skip
    return type(label_of(rule), (param.Parameterized,), made)() if made else None


def stored_member(member: Any, store: Store) -> str | None:
    """The JavaScript of a rule or an objective whose runs are stored."""
    if label_of(member) not in store.pair:
        return None
    declared = {name: getattr(member, name, None) for name in ("domain", "minima", "starts", "names", "lowest")}
    text = objective_mathml(member) if hasattr(member, "float_gradient") else rule_mathml(member)
    values = {name: _settings(member).get(name) for name in store.knobs}
    about = {"label": label_of(member), "text": text, "values": values, **declared}
    packed = f", map: unpacked({json.dumps(store.data['map'])})" if store.data["map"] else ""
    return f"new StoredMember({{...{json.dumps(about)}{packed}}})"
