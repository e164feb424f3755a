"""The schedule of an experiment's learning rate: its menu, the numbers of the one that is chosen, and its picture."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import panel as pn
import param

from ..menus import with_setting
from ..page.controls import knobs_of, shown_for, shown_while
from ..page.insides import widgets_of
from ..pictures.layers import GREY, PLUM, Drawing, Figure, curve
from ..pictures.playheads import at_step, moment
from ..pictures.scene import EMPTY, joined
from ..plurals import many
from ..readings.schedules import schedule_letters, schedule_mathml
from ..rules.given_schedules import as_schedule
from ..rules.rule import Rule, shut
from ..rules.schedule import Schedule
from ..rules.schedule_menu import (
    CONSTANT,
    PREFIX,
    brought_numbers,
    made_schedule,
    schedule_kinds,
    schedule_numbers,
    shown_numbers,
    usual_numbers,
)
from ..runs.trajectory import Trajectory

GIVEN = "your own"


class Scheduled(param.Parameterized):
    """An experiment whose learning rate follows a `schedule`: one of the menu, or what `descend` takes as one.

    The numbers of a schedule are parameters of the experiment: `schedule_gamma` is its `gamma`.
    """

    optimizer: Any = None

    schedule = param.Selector(default=CONSTANT, objects=list(schedule_kinds()), label="Schedule",
                              doc="How the learning rate changes over the steps.")  # fmt: skip

    def __init__(self, **params):
        self._given_schedule: Any = None
        given = params.get("schedule")
        if isinstance(given, str):
            params = {**brought_numbers().get(given, {}), **params}
        elif given is not None:
            params |= self._stands_for(as_schedule(given))
        if params.get("schedule") == GIVEN:
            self.param.schedule.objects = [*self.param.schedule.objects, GIVEN]
        super().__init__(**params)

    @classmethod
    def menu(cls) -> list[str]:
        """The parameters that get a control, in order: those of the schedule come last."""
        names = super().menu()  # type: ignore[misc]
        return [*(n for n in names if n not in Scheduled.param), *(n for n in names if n in Scheduled.param)]

    def _stands_for(self, given: Schedule) -> dict[str, Any]:
        """The parameters that stand for a schedule; one that they cannot stand for is kept as it is."""
        kind, label = type(given), type(given).label()
        if schedule_kinds().get(label) is kind:
            names = shown_numbers(kind)
            if all(getattr(given, n) == kind.param[n].default for n in kind.own() if n not in names):
                return {"schedule": label, **{PREFIX + name: getattr(given, name) for name in names}}
        self._given_schedule = given
        return {"schedule": GIVEN}

    def follow_schedule(self, changed: set[str]) -> dict[str, Any]:
        """The numbers that a schedule brings when it is chosen; what was set itself wins."""
        if "schedule" not in changed:
            return {}
        brought = {**usual_numbers(), **brought_numbers().get(self.schedule, {})}
        return {name: value for name, value in brought.items() if name not in changed}

    def rate_schedule(self) -> Any:
        """The schedule as it stands; None for a constant rate."""
        if self.schedule == CONSTANT and self.schedule_warmup == 0:
            return None
        if self.schedule == GIVEN:
            return self._given_schedule
        key = self.schedule_key()
        return self.remember("schedule", key, lambda: made_schedule(schedule_kinds()[self.schedule], self))

    def cycled(self) -> str:
        """The hyperparameter of the optimizer that the schedule moves, "" for none."""
        schedule = self.rate_schedule()
        return "" if schedule is None or not isinstance(self.optimizer, Rule) else schedule.cycled(self.optimizer)

    def rule_shown(self) -> Any:
        """The optimizer whose formula is shown: with the momentum that a schedule moves, also where its own is 0."""
        name = self.cycled()
        return self.optimizer if name == "" else with_setting(self.optimizer, name, self.rate_schedule().max_momentum)

    def idle(self) -> list[str]:
        """Also the momentum that a schedule moves."""
        name, refused = self.cycled(), [f"optimizer.{name}" for name in shut(self.optimizer)]
        return refused if name == "" else [*refused, f"optimizer.{name}"]

    def schedule_key(self) -> tuple:
        """What the schedule hangs on."""
        return (self.schedule, *[getattr(self, name) for name in usual_numbers()])


def _unnamed(number: param.Parameter) -> param.Parameter:
    """A copy of a parameter that another class may name."""
    made = copy.copy(number)
    for slot, value in (("owner", None), ("name", None), ("label", number.label)):
        object.__setattr__(made, slot, value)  # param gives a parameter its name once
    return made


for _name, _number in schedule_numbers().items():
    Scheduled.param.add_parameter(PREFIX + _name, _unnamed(_number))


def schedule_knobs(experiment: Any) -> pn.Column:
    """The menu of schedules, the numbers of the one that is chosen, and the warm-up before any."""
    menu, warmup = knobs_of(experiment, ["schedule"]), knobs_of(experiment, [f"{PREFIX}warmup"])
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in schedule_numbers():
        owners = tuple(label for label, kind in schedule_kinds().items() if name in shown_numbers(kind))
        if name not in Schedule.shared():
            groups.setdefault(owners, []).append(PREFIX + name)
    columns = shown_for(widgets_of(menu)["schedule"], experiment.schedule,
                        {owners: knobs_of(experiment, names) for owners, names in groups.items()})  # fmt: skip
    start = shown_while(widgets_of(warmup)[f"{PREFIX}warmup"], "cb_obj.value > 0", experiment.schedule_warmup > 0,
                        knobs_of(experiment, [f"{PREFIX}warmup_start"]))  # fmt: skip
    return pn.Column(menu, *columns, warmup, start, sizing_mode="stretch_width", margin=0)


# what is drawn and said of it


def rate_figure() -> Figure:
    """The rate against the step, and where it is too high."""
    return Figure("rate", {"rate": curve(PLUM, "learning rate"), "limit": curve(GREY, "limit", line_dash="dashed"),
                           **moment()}, xlabel="step", height=130, bare_x=True, legend="top_right")  # fmt: skip


def rate_drawing(schedule: Any, run: Trajectory, limit: float | None) -> Drawing:
    """The rates of a run as far as it is finite, and the largest that is stable; nothing of a constant rate."""
    last = int(np.max(np.where(run.diverged > 0, run.diverged, run.steps)))
    rates, span = run.rates[:last], (0.0, float(run.steps))
    if schedule is None:
        return Drawing({"rate": EMPTY, "limit": EMPTY}, span, (0.0, 1.0), "", shown=False)
    known = rates[np.isfinite(rates)]
    most = float(np.max(known)) if known.size else 0.0
    high = 1.1 * most if most > 0 else 1.0
    near = limit is not None and limit < 1.5 * high
    if near and limit is not None:
        high = max(high, 1.1 * limit)
    steps = np.tile(np.arange(last, dtype=np.float32)[:, None], run.lanes)
    line = {"x": np.array([0.0, float(run.steps)]), "y": np.array([limit, limit])} if near else EMPTY
    drawn = {"x": joined(steps), "y": joined(np.where(np.isfinite(rates), rates, np.nan))}
    said = {} if near else {"limit": ""}
    return Drawing({"rate": drawn, "limit": line}, span, (0.0, high), "Learning rate of each step", said)  # fmt: skip


def rate_playhead(run: Trajectory, step: int, drawing: Drawing) -> dict[str, Any]:
    """The rates of the step that is taken from where a run stands."""
    rates = run.rates[min(step, run.steps - 1)]
    return at_step(step, rates, drawing.ylim, [PLUM for _ in rates])


def schedule_text(schedule: Any, rule: Any) -> str:
    """The formula of the rate, for where the rule's own stands; empty for a constant one."""
    if schedule is None:
        return ""
    formula = schedule_mathml(schedule)
    if formula == "":
        return "<h2>The learning rate</h2><p>That of each step is given, by a list or a function.</p>"
    numbers = [f"{symbol} = {value}" for symbol, value in schedule_letters(schedule)]
    said = "The rule's η is η<sub>t</sub> at step t, and η<sub>0</sub> what its control says."
    if schedule.warmup > 0:
        said += (f" In the first {many(schedule.warmup, 'step')} the rate rises in a straight line from "
                 f"{schedule.warmup_start:g} η<sub>0</sub> to η<sub>0</sub>; then t counts from there.")  # fmt: skip
    if schedule.cycled(rule) != "":
        said += f" Momentum goes the other way, between {schedule.base_momentum:g} and {schedule.max_momentum:g}."
    return f"<h2>The learning rate</h2>{formula}<p>{', &ensp;'.join(numbers)}</p><p>{said}</p>"


def steady_limit(found: dict[str, Any] | None, run: Trajectory) -> float | None:
    """The largest stable rate of an outlook, where it is one throughout the run."""
    return None if found is None or found["frozen"] or len(run.momenta) > 0 else found["limit"]
