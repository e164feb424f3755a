"""What the pages of a race and of a map carry where only Python can run it."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ..export.store import Store, described, fixed_of, packed, packed_runs, room_for, sentence, settings_of, untraced
from ..export.stored import menus_beside, run_with, surface_of
from ..maps.axes import CLIP, COORDINATES, Axis
from .racers import BASELINES, KEYS, NAMES, rates_tried

ROOM = 2e6  # characters of trials with which the rules that are switched off travel, too
SIDE = 14  # runs along each axis of a map
FINEST = 100  # cells of its picture along each side

# a race


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


# a map


def cells_of_a_map(experiment: Any) -> Store:
    """The map as it stands, and a run for each cell of a coarse one, and with the numbers that the run has now."""
    axes, foreign = experiment.axes, untraced(experiment)
    names, logs = [axis.name for axis in axes], [axis.name for axis in axes if axis.log]
    knobs = {axis.name: _along(experiment, axis) for axis in axes}
    places = list(product(*knobs.values()))
    room_for(len(places), experiment.steps)
    runs = [run_with(experiment, dict(zip(names, place, strict=True))) for place in places]
    own = [name.replace(" ", "_") for name in names if name in (*COORDINATES, CLIP)]
    dragged = ["_begin_at"] if set(names) & set(COORDINATES) else []
    live = [*menus_beside(foreign), "scene", "colour", "fit_axes", "_click", *own, *dragged]
    fixed = {**fixed_of(experiment, live), "scene": experiment.scene, "window": experiment.window}
    said = sentence(foreign.values(), len(runs), knobs, experiment.steps, " and this map")
    data = {**packed_runs(runs), "map": {name: packed(values) for name, values in _ends(experiment).items()}}
    return Store(said, knobs, experiment.steps, live, fixed, data, described(experiment, knobs),
                 logs, surface_of(experiment, experiment.results["values"]))  # fmt: skip


def _along(experiment: Any, axis: Axis) -> list[float]:
    """The values of an axis that have runs: the coarse cells', and the one that the run has now."""
    values = axis.value_at(axis.cells(SIDE))
    known = {CLIP: experiment.clip, **dict(zip(COORDINATES, experiment.start, strict=True)),
             **settings_of(experiment.objective), **settings_of(experiment.optimizer)}  # fmt: skip
    unclipped = [0.0] if axis.name == CLIP else []
    return sorted({*values.tolist(), float(known[axis.name]), *unclipped})


def _ends(experiment: Any) -> dict[str, np.ndarray]:
    """The arrays of the map, of no more cells than a page should carry."""
    found = experiment.results["map"]
    if len(found["ys"]) > FINEST:
        xs, ys = (axis.cells(FINEST) for axis in experiment.axes)
        found = experiment.ends_at(xs, ys, experiment.results["floor"])
    return {name: found[name] for name in ("loss", "first", "arrived", "diverged")}
