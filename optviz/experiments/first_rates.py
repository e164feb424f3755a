"""The learning rate that a rule begins with on a surface: its own where that works, else a lower round one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..menus import label_of, names_of, setting, with_setting
from ..objectives.formula import Formula
from ..pictures.scene import frame_of
from ..readings.linear import is_frozen
from ..rules.rule import Rule
from ..runs.descent import descend
from ..theory.stability import max_lr, spectrum

TRIED, LOWEST = 100, -7  # steps of a trial, and the last power of ten


def has_rate(rule: Any, objective: Any) -> bool:
    """Whether there is one learning rate, and a formula to try others with."""
    return isinstance(rule, Rule) and "lr" in names_of(rule) and rule.lanes() == 1 and hasattr(objective, "traced")


def first_rate(rule: Any, objective: Any) -> float:
    """The first learning rate that works for a rule from the surface's own start.

    Its own works if the run stays finite and ends no higher than it began; else the first of 5, 2 and 1
    times each lower power of ten that also stays in the domain, else the highest that stays finite.
    """
    own, finite = setting(rule, "lr"), []
    for lr in [own, *lower_rates(own)]:
        run = descend(objective, with_setting(rule, "lr", lr), objective.starts[0], TRIED)
        if _descends(run) and (lr == own or _stays_inside(run, objective)):
            return lr
        finite += [] if run.diverged[0] else [lr]
    return finite[0] if finite else own


def lower_rates(lr: float) -> list[float]:
    """5, 2 and 1 times each power of ten below a number, the highest first."""
    powers = range(math.floor(math.log10(lr)), LOWEST - 1, -1) if lr > 0 else []
    rates = [float(f"{digit}e{power}") for power in powers for digit in (5, 2, 1)]
    return [rate for rate in rates if rate < lr]


def _descends(run: Any) -> bool:
    return not run.diverged[0] and bool(run.loss[-1, 0] <= run.loss[0, 0])


def _stays_inside(run: Any, objective: Any) -> bool:
    """Whether a run keeps to the domain, or to the rectangle that the start spans with it."""
    x0, y0, x1, y1 = frame_of(objective.domain, run.x[0, 0])
    low, high = np.array([x0, y0]), np.array([x1, y1])
    return bool(((run.x[:, 0] >= low) & (run.x[:, 0] <= high)).all())


def half_limited(rule: Any, objective: Any) -> Any:
    """The rule as it begins on a formula that was typed: at half the largest stable rate at the start, if there is one.

    On any other surface the rule itself.
    """
    if not isinstance(objective, Formula) or not has_rate(rule, objective) or is_frozen(rule):
        return rule
    steepest = spectrum(objective, objective.starts[0])["values"][-1]
    limit = max_lr(rule, steepest) if math.isfinite(steepest) else None
    if limit is None or limit <= 0 or not math.isfinite(limit):
        return rule
    return with_setting(rule, "lr", float(f"{limit / 2:.2g}"))


# what a menu brings


def at_first_rate(experiment: Any, changed: set[str], new: dict[str, Any]) -> dict[str, Any]:
    """The rule of an experiment with a learning rate that works, where a menu brings it, or its surface.

    `new` holds what the change brings. A learning rate that a visitor gave the rule stays where it works.
    """
    before, objective = experiment.objective, new.get("objective", experiment.objective)
    rule = new.get("optimizer", experiment.optimizer)
    brought = "optimizer" in new or ("objective" in new and "optimizer" not in changed)
    if not brought or not has_rate(rule, objective):
        return {}
    tried = half_limited(rule, objective) if "optimizer" in new else rule
    if "optimizer" not in new and has_rate(rule, before):
        usual = with_setting(rule, "lr", setting(experiment.chosen("rule", experiment.optimizer_name), "lr"))
        first = _remembered(experiment, half_limited(usual, before), before)
        tried = half_limited(usual, objective) if setting(rule, "lr") == first else rule
    lr = _remembered(experiment, tried, objective)
    return {} if lr == setting(rule, "lr") else {"optimizer": with_setting(rule, "lr", lr)}


def _remembered(experiment: Any, rule: Any, objective: Any) -> float:
    shape = [setting(objective, name) for name in names_of(objective)]
    key = (label_of(rule), getattr(objective, "text", ""), *[setting(rule, name) for name in names_of(rule)], *shape)
    return experiment.remember(f"first rate on {label_of(objective)}", key, lambda: first_rate(rule, objective))
