"""What experiments give a page's player: runs that it can walk through, and where a step stands in their figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..pictures.layers import BLUE, ORANGE
from ..pictures.playheads import at_step, marked
from ..runs.steps import UP, Played
from ..runs.trajectory import Trajectory
from .edge_pictures import sharpness_head
from .floors import middle_of
from .scheduled import rate_playhead
from .surface_pictures import seen, step_at


def lanes_played(run: Trajectory, rule: Any, objective: Any, figure: str) -> list[Played]:
    """Every lane of a run, with its path in a figure."""
    names = [""] if run.lanes == 1 else [f"Lane {k + 1}" for k in range(run.lanes)]
    up = UP if objective.is_curve else 1
    return [Played(name, run, k, run.steps, rule, objective, figure, 0, up) for k, name in enumerate(names)]


def surface_playhead(experiment: Any, step: int) -> dict[str, dict[str, Any]]:
    """Where a step stands on a surface, and on the loss, the coordinates and the updates against the step."""
    run, drawn = experiment.trajectory, experiment.drawings
    moves = run.updates[step - 1] if step > 0 else np.full((run.lanes, 2), np.nan)
    inks, both = [ORANGE for _ in range(run.lanes)], [ink for _ in range(run.lanes) for ink in (BLUE, ORANGE)]
    points, place = seen(experiment.objective, run.x[step]), run.x[step]
    if experiment.objective.is_curve:
        place, moves = place * np.array([1.0, np.nan]), moves * np.array([1.0, np.nan])
    return {
        "surface": {"playhead": marked(points[:, 0], points[:, 1], inks), **step_at(experiment, step)},
        "sharpness": sharpness_head(experiment, step),
        "loss": at_step(step, run.loss[step] - experiment.results["floor"], drawn["loss"].ylim, inks),
        "values": at_step(step, place, drawn["values"].ylim, both),
        "updates": at_step(step, moves, drawn["updates"].ylim, both),
        "rate": rate_playhead(run, step, drawn["rate"]),
    }


def noisy_played(experiment: Any) -> list[Played]:
    """Every run of both rules under noise."""
    rules, objective, names = experiment.chosen_rules(), experiment.results["objective"], experiment.names()
    return [
        Played(f"{names[place]}, run {k + 1}", run, k, experiment.steps, rules[place], objective, "surface", 0, 1)
        for place, run in experiment.trajectories.items() for k in range(experiment.runs)
    ]  # fmt: skip


def noisy_playhead(experiment: Any, step: int, colours: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Where all runs under noise stand, and the median of their losses."""
    runs, floor = experiment.trajectories, experiment.results["floor"]
    inks = [colours[place] for place in runs for _ in range(experiment.runs)]
    points = np.concatenate([run.x[step] for run in runs.values()])
    above = [np.sort(run.loss[step : step + 1] - floor, axis=1) for run in runs.values()]
    middles = np.concatenate([middle_of(each) for each in above])
    return {
        "surface": {"playhead": marked(points[:, 0], points[:, 1], inks)},
        "loss": at_step(step, middles, experiment.drawings["loss"].ylim, [colours[place] for place in runs]),
    }
