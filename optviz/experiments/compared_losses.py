"""The losses that are compared: their names, scenes, the seed's points, and what is drawn of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..objectives.criteria import CRITERIA
from ..pictures.layers import INKS, curve
from ..pictures.scene import path_columns

NAMES = tuple(CRITERIA)  # a loss of yours is among them if it is imported before this module
TITLES = {name: loss.title for name, loss in CRITERIA.items()}
COLOURS = {name: INKS.get(loss.colour, loss.colour) for name, loss in CRITERIA.items()}
THRESHOLDS = {name: loss.thresholds() for name, loss in CRITERIA.items()}
PLAIN = {"momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False}
SCENES = {
    "plain": ({}, "Each step is the gradient: long where the loss is steep, and L1's are all alike."),
    "momentum 0.9": ({"momentum": 0.9}, "Steps add up to ten times as long, and overshoot the bottom."),
    "momentum 0.9 + Nesterov": ({"momentum": 0.9, "nesterov": True}, "Looking ahead, the same momentum swings less."),
    "Nesterov 0.9, weight decay 2": ({"momentum": 0.9, "nesterov": True, "weight_decay": 2.0},
                                     "Weight decay stops every line short of its best fit, nearer to (0, 0)."),
    "momentum 0.9, dampening 0.8": ({"momentum": 0.9, "dampening": 0.8},
                                    "A fifth of each new gradient enters: the path is calmer, and slower."),
}  # fmt: skip
PRESETS = {name: values for name, (values, _) in SCENES.items()}
OWN = "your own"


def seed_data() -> tuple[np.ndarray, np.ndarray]:
    """The 50 samples of the seed notebook, as float32 values: y = 0.75 x^2 + x + 2 + noise."""
    random = np.random.RandomState(20240215)
    x = random.randn(50)
    y = 0.75 * x**2 + x + 2 + 0.3 * random.randn(50)
    return x.astype(np.float32).astype(float), y.astype(np.float32).astype(float)


SEED_POINTS = seed_data()


def each_line() -> dict[str, Any]:
    """A line for each loss."""
    return {name: curve(COLOURS[name], TITLES[name], line_dash=CRITERIA[name].dash) for name in NAMES}


def way_of(walk: np.ndarray, box: Any) -> dict[str, Any]:
    """The path of one loss, where it begins and where it ends."""
    finite = np.isfinite(walk).all(axis=1)
    return {
        "path": path_columns(walk[:, ::-1][:, None], box),
        "begin": {"x": walk[:1, 1], "y": walk[:1, 0]},
        "end": {"x": walk[finite][-1:, 1], "y": walk[finite][-1:, 0]},
    }


def at_edge(names: list[str], ends: np.ndarray, edge: float) -> dict[str, np.ndarray]:
    """Marks, beside each other, of losses whose line is beyond an edge of the frame."""
    along = [ends[0] + (ends[1] - ends[0]) * (1 + NAMES.index(name)) / (1 + len(NAMES)) for name in names]
    return {"x": np.array(along, dtype=float), "y": np.full(len(along), edge)}


def leaves(path: np.ndarray, box: Any) -> bool:
    """Whether a path leaves a box."""
    weight, bias = path[:, 0], path[:, 1]
    inside = (weight >= box[1]) & (weight <= box[3]) & (bias >= box[0]) & (bias <= box[2])
    return bool((~inside).any())
