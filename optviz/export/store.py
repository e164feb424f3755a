"""What a page carries of what only Python can run: arrays, and what may be done with them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import param

from ..menus import label_of
from ..messages import refuse
from ..rules.rule import Rule
from .kernels import rule_script

MOST_RUNS = 1000
MOST = 60e6  # characters of all runs


@dataclass
class Store:
    """Runs at each value of the knobs, for a page to look through; `stored.js` does.

    `members`: by role, the label of a rule or a surface in the runs and the settings that they have.
    `logs`: knobs whose nearest value is the nearest by factors. `live`: what acts on the page, parameters
    and gestures; `fixed`: the values of the other parameters. `said`: what the page says of itself.
    """

    said: str
    knobs: dict[str, list[float]]
    steps: int
    live: list[str]
    fixed: dict[str, Any]
    data: dict[str, Any]
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    surface: dict[str, Any] = field(default_factory=dict)  # what the page knows of a surface that it cannot compute
    control: Any = None  # what gives an optimizer without parameters its knobs

    def script(self) -> str:
        """The JavaScript that makes it."""
        kept = {name: value for name, value in vars(self).items() if name not in ("control", "surface")}
        return f"new {type(self).__name__}({script_json(kept)})"


class Replay(Store):
    """Runs of an experiment that torch computes, over knobs of its own, in groups of arrays."""


def script_json(value: Any) -> str:
    """A value as JSON that may stand in a script."""
    return json.dumps(value).replace("</", "<\\/").replace("<!--", "<\\!--")


def packed(values: Any) -> dict[str, Any]:
    """An array as text: the bytes of its float64."""
    array = np.ascontiguousarray(values, dtype="<f8")
    return {"float64": b64encode(array.tobytes()).decode(), "shape": list(array.shape)}


def packed_runs(runs: Iterable[Any]) -> dict[str, Any]:
    """Every lane of some trajectories, one after the other."""
    each = list(runs)
    x = np.concatenate([run.x.swapaxes(0, 1) for run in each])
    loss = np.concatenate([run.loss.T for run in each])
    diverged = [int(step) for run in each for step in run.diverged]
    return {"x": packed(x), "loss": packed(loss), "diverged": diverged}


def room_for(runs: int, steps: int, refused: bool = True) -> float:
    """How many characters runs of two variables take; too many are refused."""
    size = 32.0 * runs * (steps + 1)  # a point and a loss, as text a third longer than their bytes
    if size > MOST and refused:
        refuse("save", f"stores at most {MOST / 1e6:g} MB of runs", f"{size / 1e6:.0f} MB", "have fewer steps")
    return size


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


def members_of(experiment: Any) -> dict[str, Any]:
    """The rule and the surface that an experiment holds, by the parameters that hold them."""
    held = {role: getattr(experiment, role, None) for role in ("optimizer", "objective")}
    return {role: member for role, member in held.items() if member is not None}


def untraced(experiment: Any) -> dict[str, Any]:
    """Those of them that a page cannot run."""
    return {role: member for role, member in members_of(experiment).items() if not is_traced(member)}


def settings_of(member: Any) -> Mapping[str, Any]:
    """The numbers and flags of a rule, the arguments of a torch optimizer, the shape of a surface."""
    if isinstance(member, Rule):
        return member.values()
    if hasattr(member, "shape_names"):
        return dict(zip(member.shape_names(), member.shape_values(), strict=True))
    return getattr(member, "settings", {})


def described(experiment: Any, knobs: Collection[str]) -> dict[str, dict[str, Any]]:
    """The members that stored runs have, and the settings of those that a page could run otherwise."""
    return {
        role: {
            "label": label_of(member),
            "settings": {n: v for n, v in settings_of(member).items() if n not in knobs} if is_traced(member) else {},
        }
        for role, member in members_of(experiment).items()
    }


def fixed_of(experiment: Any, live: Collection[str]) -> dict[str, Any]:
    """The values of the parameters that cannot move beside stored runs."""
    names = [n for n in experiment.menu() if n not in live and n.removesuffix("_name") not in members_of(experiment)]
    return {n: getattr(experiment, n) for n in names if not isinstance(experiment.param[n], param.Event)}


def sentence(
    members: Iterable[Any], runs: int, knobs: Mapping[str, Sequence[float]], steps: int, more: str = ""
) -> str:
    """Why a page looks through runs, and through which."""
    names = [label_of(member) for member in members]
    verb = "run" if len(names) > 1 else "runs"
    return carries(f"{' and '.join(names)} {verb} in Python alone, not in a page, which", runs, knobs, steps, more)


def carries(who: str, runs: int, knobs: Mapping[str, Sequence[float]], steps: int, more: str = "") -> str:
    """How many runs a page carries, over which knobs."""
    taken = f"of {steps} step{'s' if steps > 1 else ''}"
    if runs == 1:
        return f"{who} carries one run {taken}{more}."
    spans = " and ".join(f"{name} from {values[0]:.4g} to {values[-1]:.4g}" for name, values in knobs.items())
    return f"{who} carries {runs} runs{more}, over {spans}, {taken} each; the nearest is shown."


def checked(knobs: Mapping[str, Sequence[float]], now: Mapping[str, Any], who: str) -> dict[str, list[float]]:
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
