"""Learning rates that a user brings: a list, a function of the step, a torch scheduler."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..messages import refuse
from .schedule import Schedule
from .schedules import Constant


def as_schedule(given: Any) -> Schedule:
    """What `descend` takes as its `schedule`, as a Schedule; None is the rule's own rate throughout."""
    if given is None:
        return Constant()
    if isinstance(given, Schedule):
        return given
    if isinstance(given, type) and issubclass(given, Schedule):
        return given()
    if _of_torch(given):
        from .torch_schedules import TorchSchedule

        return TorchSchedule(given)
    if callable(given):
        return ScheduleFunction(given)
    if np.ndim(given) and not isinstance(given, str):
        return Rates(given)
    return refuse("descend", "needs a schedule such as schedules.StepLR()", given,
                  "or pass a list of rates, a function of the step t, a class of torch's schedulers")  # fmt: skip


def _of_torch(given: Any) -> bool:
    """Whether it is a scheduler of torch, its class, or a functools.partial of that."""
    torch = sys.modules.get("torch")  # who has one, has imported torch
    kind = getattr(given, "func", given)
    kind = kind if isinstance(kind, type) else type(given)
    return torch is not None and issubclass(kind, torch.optim.lr_scheduler.LRScheduler)


class Rates(Schedule):
    """The rate of every step as it is given, an array of shape (steps,) or (steps, lanes).

    The rule's own rate is not asked. ValueError where they are not finite numbers of 0 or
    more, or not one a step.
    """

    def __init__(self, rates: Any):
        super().__init__()
        try:
            self._given = np.asarray(rates, dtype=float).copy()
        except (TypeError, ValueError):
            refuse("schedule", "needs rates that are numbers", rates)
        if self._given.ndim not in (1, 2):
            refuse("schedule", "needs rates of shape (steps,) or (steps, lanes)", self._given.shape)
        bad = ~(np.isfinite(self._given) & (self._given >= 0))
        if bad.any():
            refuse("schedule", "needs finite rates of 0 or more", float(self._given[bad][0]))

    def rates(self, lr: Any, steps: int) -> np.ndarray:
        """The rates of `steps` steps, shape (steps, lanes)."""
        lanes = np.size(lr)
        if len(self._given) != steps:
            refuse("schedule", f"needs one rate a step, {steps} of them", len(self._given))
        columns = self._given.reshape(steps, -1)
        if columns.shape[1] not in (1, lanes):
            refuse("schedule", f"needs a column of rates for each of the rule's {lanes} rates", columns.shape[1],
                   "or one for all, of shape (steps,)")  # fmt: skip
        return np.broadcast_to(columns, (steps, lanes)).copy()


class ScheduleFunction(Schedule):
    """The rate at step t (1, 2, ...) as a function of t, or of the rule's own rate and t: f(lr, t).

    `lambda lr, t: lr * 1.05 ** (t - 1)` is a range test. ValueError where it returns anything
    but a number of 0 or more.
    """

    def __init__(self, function: Callable):
        super().__init__()
        self._function, names = function, _arguments(function)
        self._asks_rate = len(names) > 1
        if names[1:2] == ["lr"]:
            refuse("schedule", "needs a function f(t) or f(lr, t)", f"f({', '.join(names)})", "turn its arguments")

    def rates(self, lr: Any, steps: int) -> np.ndarray:
        """The rates of `steps` steps, shape (steps, lanes)."""
        columns = [[self._at(own, t) for t in range(1, steps + 1)] for own in np.atleast_1d(lr).tolist()]
        return np.array(columns, dtype=float).T

    def _at(self, lr: float, t: int) -> float:
        try:
            answer = self._function(lr, t) if self._asks_rate else self._function(t)
        except OverflowError:  # of floats, where arrays give inf
            return math.inf
        except Exception as trouble:
            reason = (str(trouble).splitlines() or [type(trouble).__name__])[0].rstrip(".")
            raise ValueError(f"schedule: the function failed at step {t}: {reason}.") from trouble
        try:
            rate = float(answer)
        except (TypeError, ValueError):
            rate = math.nan
        if not rate >= 0:
            refuse("schedule", f"needs a function that returns a rate of 0 or more, at step {t}", answer,
                   "take f(t) or f(lr, t); what makes a torch scheduler goes into optviz.TorchSchedule")  # fmt: skip
        return rate


def _arguments(function: Callable) -> list[str]:
    """The names of the arguments that a function must be given."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some functions of C have none
        return ["t"]
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in places and p.default is p.empty]
