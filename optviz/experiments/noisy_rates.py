"""The learning rates with which noisy runs begin on a surface, or under a rule, that a menu brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..menus import label_of, names_of, setting, with_setting
from ..rules.rule import Rule
from ..runs.descent import descend
from .first_rates import first_rate, half_limited, lower_rates
from .simple_rules import LR, RULES, made

MOST_RUNS, MOST_STEPS = 50, 300
APART = 1_000_000  # from one run's seed to the next: two seeds share no run
MENUS = ["surface", "rule", "second"]
RATES = {"lr": ("rule", "momentum"), "second_lr": ("second", "second_momentum")}
NUMBERS = ["momentum", "second_momentum", "noise", "seed"]


def seeds_of(seed: int, runs: int) -> list[int]:
    """The seed of each run."""
    return [seed + APART * k for k in range(runs)]


def usual_of(experiment: Any) -> dict[str, Any]:
    """The numbers that a rate hangs on, as an experiment has them at first."""
    return {name: type(experiment).param[name].default for name in NUMBERS}


def brought_rates(
    experiment: Any, usual: Mapping[str, Any], changed: set[str], objective: Any, start: Any
) -> dict[str, float]:
    """The rates that a menu brings, by parameter: with the noise as it stands no run diverges.

    A surface brings the usual rate or a lower one; a rule leaves the rate that there is where it works. All menus
    at once bring what they bring at first, whatever the numbers are now: so a link means it that leaves a rate out.
    """
    anew = all([name in changed for name in MENUS])
    numbers = usual if anew else {name: getattr(experiment, name) for name in NUMBERS}
    shape = [setting(objective, name) for name in names_of(objective)]
    rates = {}
    for lr, (rule, momentum) in RATES.items():
        name = getattr(experiment, rule)
        if name in RULES and lr not in changed and ("surface" in changed or rule in changed):
            own = LR if "surface" in changed else getattr(experiment, lr)
            key = (
                name,
                own,
                numbers[momentum],
                numbers["noise"],
                numbers["seed"],
                *start,
                label_of(objective),
                getattr(objective, "text", ""),
                *shape,
            )
            tried = made(name, own, numbers[momentum])
            tried = half_limited(tried, objective) if "surface" in changed else tried
            what = f"usual {lr}" if anew else f"first {lr}"
            rates[lr] = _remembered(experiment, what, key, objective, tried, start, numbers)
    return rates


def _remembered(
    experiment: Any, what: str, key: tuple, objective: Any, rule: Rule, start: Any, numbers: Mapping[str, Any]
) -> float:
    return experiment.remember(
        what, key, lambda: noisy_rate(rule, objective, start, numbers["noise"], numbers["seed"])
    )  # fmt: skip


def noisy_rate(rule: Rule, objective: Any, start: Any, noise: float, seed: int) -> float:
    """The first rate that works without noise, or a lower one with which none of the most runs diverges.

    Where there is none, that without noise.
    """
    first, starts, seeds = first_rate(rule, objective), [start] * MOST_RUNS, seeds_of(seed, MOST_RUNS)
    for lr in [first, *lower_rates(first)]:
        run = descend(objective, with_setting(rule, "lr", lr), starts, MOST_STEPS, noise=noise, seed=seeds)
        if not (run.diverged > 0).any():
            return lr
    return first
