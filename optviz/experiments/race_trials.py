"""The picture of a race's trials."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..pictures.axis_ticks import ticks_of
from ..pictures.layers import Drawing
from ..pictures.scene import EMPTY, loggable
from .racers import NAMES, SHARED


def drawn_trials(race: Any, ylim: tuple[float, float]) -> Drawing:
    """The final loss of every trial against its learning rate, and the one that each racer races with."""
    common = race.lr > 0 and race.fairness in SHARED
    line = {"x": np.full(2, math.log10(race.lr)), "y": np.array(ylim)} if common else EMPTY
    layers: dict[str, Any] = {"shared": line}
    for row, name in enumerate(NAMES):
        layers |= _curve(race, name, ylim, row)
    # a log axis has no place for a racer that ends exactly at the lowest loss
    lowest = math.nan if race.results["lowest"] is None else race.results["lowest"]
    zero = np.concatenate([np.log10(t["lr"][t["final"] == lowest]) for t in race.tuning.values()])
    layers["zero"] = {"x": zero, "y": np.full(len(zero), ylim[0])}
    xlim, title = (race.lowest - 0.1, race.highest + 0.1), f"Final loss of {race.trials} trials each"
    axes = {"x": ticks_of(xlim[0], xlim[1], -9.0, 4.0, True)}
    return Drawing(layers, xlim, ylim, f"{title} (● raced, ✕ diverged)", axes=axes, hover="powers across")


def _curve(race: Any, name: str, ylim: tuple[float, float], row: int) -> dict[str, Any]:
    """A racer's trials, the learning rate that it races with, and in a row of its own the trials that diverged."""
    if name not in race.runs:
        return {name: EMPTY, f"{name} lr": EMPTY, f"{name} diverged": EMPTY}
    tried, run, floor = race.tuning[name], race.runs[name], race.results["floor"]
    along = np.log10(tried["lr"])
    lost = along[tried["diverged"] > 0]
    here = loggable(np.array([run["loss"][-1] - floor]))
    seen = run["lr"] > 0 and np.isfinite(here[0])
    return {
        name: {"x": along, "y": loggable(tried["final"] - floor)},
        f"{name} lr": {"x": np.array([math.log10(run["lr"])]), "y": here} if seen else EMPTY,
        f"{name} diverged": {
            "x": lost,
            "y": np.full(len(lost), ylim[1] * (ylim[0] / ylim[1]) ** (0.03 + 0.03 * row)),
        },
    }
