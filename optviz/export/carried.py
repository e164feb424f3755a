"""What the page of a race carries where only Python can run it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..racers import BASELINES, KEYS, NAMES, rates_tried
from .store import Store, described, fixed_of, packed_runs, room_for, sentence, untraced
from .stored import menus_beside, surface_of

ROOM = 2e6  # characters of trials with which the rules that are switched off travel, too


def trials_of_a_race(race: Any) -> Store:
    """Every trial of every rule that may race; of those that do, where all would be too many."""
    rates, foreign = rates_tried(race.lowest, race.highest, race.trials), untraced(race)
    room_for(len(rates) * len(race.racers()), race.steps)
    small = room_for(len(rates) * len(NAMES), race.steps, refused=False) <= ROOM
    tried = {name: _tried(race, name, rates) for name in NAMES if small or name in race.racers()}
    runs = {name: run for name, run in tried.items() if run is not None}
    switches = [KEYS[name] for name in runs if name not in BASELINES]
    live = [*menus_beside(foreign), "fairness", "lr", "steps", "tolerance", "fit_axes", *switches,
            *(f"{KEYS[name]}_lr" for name in runs)]  # fmt: skip
    knobs = {"lr": rates.tolist()}
    said = sentence(foreign.values(), len(runs) * len(rates), knobs, race.steps)
    data = {**packed_runs(runs.values()), "rules": [_described(race.rule(name, 1.0)) for name in runs]}
    return Store(said, knobs, race.steps, live, fixed_of(race, live), data, described(race, knobs), ["lr"],
                 surface_of(race, race.results["values"]))  # fmt: skip


def _tried(race: Any, name: str, rates: np.ndarray) -> Any:
    """A rule's trials; None for one that is switched off and goes where the surface has no value."""
    try:
        return race.walk(name, rates)
    except ValueError:
        if name in race.racers():
            raise
        return None


def _described(rule: Any) -> dict[str, Any]:
    return {"name": type(rule).__name__, "values": {n: v for n, v in rule.values().items() if n != "lr"}}
