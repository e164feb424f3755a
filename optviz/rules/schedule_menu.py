"""The menu of schedules: which there are, the numbers that a page has for all of them, and what each begins with.

Schedules that have a number of one name share its control, and choosing one brings its own values.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import param

from ..listed import listed_classes, own_classes
from . import schedules
from .schedule import Schedule

CONSTANT = schedules.Constant.title
PREFIX = "schedule_"  # of the parameters of an experiment that hold the numbers


def schedule_kinds() -> dict[str, type[Schedule]]:
    """Every schedule of the menu by label: the catalogue's, then those of yours that are `listed`."""
    kinds = [cls for cls in own_classes(schedules.__name__, Schedule) if cls is not schedules.LinearDecay]
    return {cls.label(): cls for cls in [*kinds, *listed_classes(Schedule)]}


def shown_numbers(kind: type[Schedule]) -> list[str]:
    """The names of what can be set of a schedule on a page."""
    return [name for name in [*kind.own(), *kind.shared()] if kind.param[name].precedence != -1]


@cache
def schedule_numbers() -> dict[str, param.Parameter]:
    """Every number of any schedule, by name; the first that declares one says what it is."""
    found: dict[str, param.Parameter] = {}
    for kind in schedule_kinds().values():
        for name in shown_numbers(kind):
            found.setdefault(name, kind.param[name])
    return found


def usual_numbers() -> dict[str, Any]:
    """What an experiment's parameters are of schedules that are not chosen."""
    return {PREFIX + name: number.default for name, number in schedule_numbers().items()}


def brought_numbers() -> dict[str, dict[str, Any]]:
    """By label, what a schedule brings of them when it is chosen, where that is not the usual."""
    return {label: _brought(kind) for label, kind in schedule_kinds().items()}


def _brought(kind: type[Schedule]) -> dict[str, Any]:
    values = {name: kind.preset.get(name, kind.param[name].default) for name in shown_numbers(kind)}
    return {PREFIX + name: value for name, value in values.items() if value != schedule_numbers()[name].default}


def made_schedule(kind: type[Schedule], experiment: Any) -> Schedule:
    """A schedule of this kind with an experiment's numbers."""
    return kind(**{name: getattr(experiment, PREFIX + name) for name in shown_numbers(kind)})
