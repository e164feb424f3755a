"""The picture of a run on a surface, or on the curve of a function of one variable."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..menus import label_of
from ..objectives.minima import lowest_loss
from ..pictures.layers import Drawing
from ..pictures.profile import NO_STEP, Profile, step_on_profile
from ..pictures.scene import (
    EMPTY,
    GONE,
    Box,
    Landscape,
    axes_of,
    exit_of,
    inward,
    nice,
    pair_columns,
    path_columns,
    star_columns,
    star_keys,
)
from ..theory.outlook import lowest_among
from ..theory.run_ends import gradient_at
from .edge_pictures import band_columns, flow_keys

FIRST, SECOND = "x", "y"  # what keys call both coordinates


def landscape_of(objective: Any, box: Box) -> Any:
    """What a surface's picture shows of it, its floor and its values; of a curve its profile."""
    size = 160 if hasattr(objective, "traced") else 60
    lowest = lowest_loss(objective)
    if objective.is_curve:
        profile = Profile(lambda x: objective.value(x, 0 * x), box)
        floor = float(np.nanmin(profile.values)) if lowest is None else lowest
        return profile, floor, profile.values
    xs, ys = axes_of(box, size)
    values = objective.value(*np.meshgrid(xs, ys))
    floor = float(np.nanmin(values)) if lowest is None else lowest
    of = " of the picture" if lowest is None else ""
    return Landscape(values, box, floor, of=of), floor, values


def view_of(experiment: Any) -> Box:
    """The box of the picture."""
    return experiment.results["landscape"].view if experiment.objective.is_curve else experiment.results["box"]


def seen(objective: Any, points: np.ndarray) -> np.ndarray:
    """Where points (..., 2) stand in the picture: on a curve at their values."""
    if not objective.is_curve:
        return points
    across = points[..., 0]
    return np.stack([across, objective.value(across, 0 * across)], -1)


def drawn_surface(experiment: Any, speed: bool, basins: dict[str, Any]) -> Drawing:
    """The surface, its minima and the run; starts coloured by `speed`, or by the minimum that they reach: `basins`."""
    run, objective, results = experiment.trajectory, experiment.objective, experiment.results
    minima, scape, box = results["minima"], results["landscape"], view_of(experiment)
    deep = lowest_among(minima, results["lowest"])
    points = seen(objective, run.x)
    ends = np.array([lane[np.isfinite(lane).all(axis=1)][-1] for lane in points.swapaxes(0, 1)])
    left, note = _left(experiment, box)
    layers = {
        "image": scape.image, **basins, "levels": scape.lines,
        "curve": scape.curve if objective.is_curve else EMPTY, **step_at(experiment, 0),
        **band_columns(experiment),
        "path": path_columns(points, box),
        **star_columns(seen(objective, minima["points"]), deep),
        "begin": {"x": points[0, :, 0], "y": points[0, :, 1]}, "end": {"x": ends[:, 0], "y": ends[:, 1]},
        "left": left, "left_text": note,
    }  # fmt: skip
    title = f"{label_of(experiment.optimizer)} on {label_of(objective)}"
    span = arrivals(experiment, speed)
    limits = {"image": scape.limits, "arrivals": span, "kinds": (-0.5, GONE + 0.5)}
    keys = {**star_keys(deep), **_scales_of_starts(experiment, speed, span[1]), **_keys_of_curves(objective),
            **flow_keys(experiment)}  # fmt: skip
    axes = {"y": {"label": "f(x)" if objective.is_curve else objective.names[1]}}
    return Drawing(layers, box[::2], box[1::2], title, keys, limits, axes, hover=scape.reads)


def _keys_of_curves(objective: Any) -> dict[str, str]:
    """What a key says of the layers that only curves have."""
    return {} if objective.is_curve else {"f": "", "tangent": "", "next step": ""}


def step_at(experiment: Any, step: int) -> dict[str, Any]:
    """The tangent of a curve where the run is after so many steps, and the next step; nothing of a surface."""
    run, objective = experiment.trajectory, experiment.objective
    if not objective.is_curve:
        return NO_STEP
    at, last = run.x[step, 0], step >= run.steps
    slope = float(gradient_at(objective, at)[0])
    move, lands = (np.nan, np.nan) if last else (float(run.updates[step, 0, 0]), float(run.loss[step + 1, 0]))
    return step_on_profile(float(at[0]), float(run.loss[step, 0]), slope, move, lands, view_of(experiment))


def arrivals(experiment: Any, speed: bool) -> tuple[float, float]:
    """The steps that get the ends' colours where starts are coloured by them: most starts are below the upper."""
    found = experiment.results["basins"]
    if found is None or not speed:
        return 0.0, float(experiment.basin_steps())
    steps = np.sort(found["arrived"][np.isfinite(found["arrived"])])
    return 0.0, nice(float(steps[int(0.95 * (len(steps) - 1))])) if len(steps) > 0 else 1.0


def _scales_of_starts(experiment: Any, speed: bool, most: float) -> dict[str, str]:
    """What the keys of the colours of starts say."""
    if experiment.results["basins"] is None:
        return {"arrivals": "", "kinds": ""}
    if speed:
        return {"arrivals": f"0 to {most:.0f} steps", "kinds": "grey: none, dark red: diverges"}
    return {"arrivals": "", "kinds": "a colour a minimum, grey: none, dark red: diverges"}


def _left(experiment: Any, view: Box) -> tuple[dict, dict]:
    """The marks of runs that leave the frame, and what they say."""
    found = [exit_of(lane, experiment.results["box"]) for lane in experiment.trajectory.x.swapaxes(0, 1)]
    gone = [e for e in found if e]
    spots = seen(experiment.objective, np.array([[e[1], e[2]] for e in gone], dtype=float).reshape(-1, 2))
    xs, ys = spots[:, 0], spots[:, 1]
    spot = {"x": xs, "y": ys}
    words = np.array([f"left at step {e[0]}" for e in gone], dtype=object)
    return spot, {**spot, "text": words, **inward(xs, ys, view)}


def pair_shown(objective: Any, steps: Any, values: np.ndarray, ylim: tuple[float, float], first: int) -> dict[str, Any]:
    """The series of both coordinates, of a curve's first alone, and the marks where one leaves the frame."""
    if not objective.is_curve:
        return pair_columns(steps, values, ylim, first)
    return {**pair_columns(steps, values * np.array([1.0, np.nan]), ylim, first), "second": EMPTY}


def keys_shown(objective: Any) -> dict[str, str]:
    """What a key says of the series of both coordinates."""
    return {SECOND: ""} if objective.is_curve else {}
