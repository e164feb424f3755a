"""The learning rates with which racers begin on a surface that is chosen: those of before where they work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..menus import label_of
from ..pictures.scene import frame_of
from ..runs.descent import descend
from .first_rates import lower_rates
from .racers import KEYS, KNOBS, NAMES, racer

LEAST = -8.0  # log10 of the lowest rate that may be tried
OWN_RATES = {name: f"{key}_lr" for name, key in KEYS.items()}
BROUGHT = [*OWN_RATES.values(), "lr", "lowest"]
SETTINGS = ["steps", *[here for knobs in KNOBS.values() for here in knobs.values()]]


def usual_of(race: Any) -> dict[str, Any]:
    """The rates, the lowest rate tried and the racers' other numbers that a race has at first."""
    return {name: type(race).param[name].default for name in (*BROUGHT, *SETTINGS)}


def brought_rates(race: Any, usual: Mapping[str, Any], changed: set[str], new: dict[str, Any]) -> dict[str, float]:
    """What a surface brings that a menu chooses: rates at which no racer diverges, and a lowest rate tried that works.

    A rate that a visitor set stays where it works. The surface that there is already brings what
    it brings to a race at first, whatever the numbers are now: that is what a link means which leaves a rate out.
    """
    objective = new.get("objective", race.objective)
    if "objective" not in new or not hasattr(objective, "traced"):
        return {}
    if named(race.objective) == named(objective):
        found = remembered(race, "usual", objective, usual, usual)
    else:
        settings = settings_of(race, usual)
        found = remembered(race, "own", objective, _wanted(race, usual, settings), settings)
    return {name: found[name] for name in BROUGHT if name not in changed}


def named(objective: Any) -> str:
    """What a surface is called, and its formula where it was typed."""
    return f"{label_of(objective)} {getattr(objective, 'text', '')}"


def begun_at(race: Any, usual: Mapping[str, Any]) -> dict[str, float]:
    """The same for the surface that a race is made with."""
    if not hasattr(race.objective, "traced"):
        return {}
    return remembered(race, "own", race.objective, usual, settings_of(race, usual))


def settings_of(race: Any, usual: Mapping[str, Any]) -> dict[str, Any]:
    """The racers' other numbers now; a trial is no shorter than usual."""
    settings = {name: getattr(race, name) for name in SETTINGS}
    return {**settings, "steps": max(settings["steps"], usual["steps"])}


def _wanted(race: Any, usual: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, float]:
    """The rates to begin with: a visitor's own, the usual ones for those that the surface before had brought."""
    before, known = race.objective, [usual]
    if hasattr(before, "traced"):
        known = [remembered(race, "usual", before, usual, usual), remembered(race, "now", before, usual, settings)]
    now = {name: getattr(race, name) for name in BROUGHT}
    return {name: usual[name] if now[name] in [each[name] for each in known] else now[name] for name in BROUGHT}


def remembered(
    race: Any, what: str, objective: Any, wanted: Mapping[str, float], settings: Mapping[str, Any]
) -> dict[str, float]:
    """`first_rates`, found once for the surface and these numbers."""
    shape = objective.shape_values() if hasattr(objective, "shape_values") else ()
    key = (*shape, *[wanted[name] for name in BROUGHT], *[settings[name] for name in SETTINGS])
    return race.remember(f"{what} rates on {label_of(objective)}", (getattr(objective, "text", ""), *key),
                         lambda: first_rates(objective, wanted, settings))  # fmt: skip


def first_rates(objective: Any, wanted: Mapping[str, float], settings: Mapping[str, Any]) -> dict[str, float]:
    """The first rates that work from the surface's own start, by parameter: `wanted`, else 5, 2, 1 times lower powers.

    `lr` works for every racer, be it the rate itself or the effective step; from `lowest` on, every racer's trials do.
    """
    shared = [wanted["lr"], *lower_rates(wanted["lr"])]
    ends = [wanted["lowest"] - k / 2 for k in range(1 + max(0, int(2 * (wanted["lowest"] - LEAST))))]
    found, fair, wide = {}, np.ones((3, len(shared))) > 0, np.ones((3, len(ends))) > 0
    for name in NAMES:
        own = [wanted[OWN_RATES[name]], *lower_rates(wanted[OWN_RATES[name]])]
        share = 1 - settings[KNOBS[name]["momentum"]] if "momentum" in KNOBS[name] else 1.0
        rates = [*own, *shared, *[lr * share for lr in shared], *[10.0**end for end in ends]]
        tried = _tried(objective, racer(name, np.array(rates), settings), settings["steps"])
        first, second, third = len(own), len(own) + len(shared), len(own) + 2 * len(shared)
        found[OWN_RATES[name]] = _picked(own, tried[:, :first])
        fair = fair & tried[:, first:second] & tried[:, second:third]
        wide = wide & tried[:, third:]
    low = ends[int(np.argmax(wide[0]))]  # its own where none works
    return {**found, "lr": _picked(shared, fair), "lowest": low}


def _tried(objective: Any, rule: Any, steps: int) -> np.ndarray:
    """Of each lane, whether it ends no higher than it began, keeps to the frame, and stays finite: (3, lanes)."""
    run = descend(objective, rule, objective.starts[0], steps)
    x0, y0, x1, y1 = frame_of(objective.domain, run.x[0, 0])
    x, y = run.x[..., 0], run.x[..., 1]
    inside = ((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)).all(axis=0)
    finite = run.diverged == 0
    return np.stack([finite & (run.loss[-1] <= run.loss[0]), inside, finite])


def _picked(rates: list[float], tried: np.ndarray) -> float:
    """The first rate that works, a lower one only if it keeps to the frame; else the first that stays finite."""
    works, inside, finite = tried[0], tried[1], tried[2]
    if works[0]:
        return rates[0]
    good = works & inside
    good = good if good.any() else finite
    return rates[int(np.argmax(good))]
