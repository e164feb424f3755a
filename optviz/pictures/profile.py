"""A function of one variable as a picture: its curve, the points of a run on it, a tangent and the step from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .layers import GREY, PURPLE, RED, TEAL, curve
from .scene import EMPTY, FAR, Box, image_columns

POINTS = 601  # of the curve
WIDE, HIGH = 0.2, 0.3  # of the frame: a tangent reaches so far to each side at most, and so far up


class Profile:
    """The curve over the part of the x axis that a box shows; `view` is the box of the picture, values up.

    It stands where a surface has its `Landscape`, whose image and lines it leaves empty.
    """

    def __init__(self, value: Callable[[Any], Any], box: Box):
        xs = np.linspace(box[0], box[2], POINTS)
        values = np.asarray(value(xs), dtype=float)
        finite = values[np.isfinite(values)]
        low, high = (float(np.min(finite)), float(np.max(finite))) if len(finite) > 0 else (0.0, 1.0)
        room = 0.07 * (high - low) or 1.0
        self.values = values
        self.view = (box[0], low - room, box[2], high + room)
        self.limits, self.reads, self.log = (0.0, 1.0), "", False
        self.image = image_columns(np.full((2, 2), np.nan), self.view)
        self.lines: dict[str, Any] = {"xs": [], "ys": []}
        self.curve = {"x": xs, "y": np.where(np.isfinite(values), values, np.nan)}


def profile_layers() -> dict[str, Any]:
    """The layers that a figure of a surface has for curves: the curve itself, and below its points those of a step."""
    return {"curve": curve(PURPLE, "f", line_width=2.6), "drop": curve(GREY, line_dash="dotted", line_width=1.5),
            "tangent": curve(TEAL, "tangent", line_width=2, line_dash="dashed"),
            "move": curve(RED, "next step", line_width=4, line_dash="dotdash")}  # fmt: skip


NO_STEP = {"drop": EMPTY, "tangent": EMPTY, "move": EMPTY}


def step_on_profile(x: float, height: float, slope: float, move: float, lands: float, view: Box) -> dict[str, Any]:
    """The tangent at a point of a curve, and the step from there, along x, as long as it is, with where it lands."""
    x0, y0, x1, y1 = view
    if not (np.isfinite(height) and np.isfinite(slope)):
        return NO_STEP
    half = WIDE * (x1 - x0)
    if abs(slope) * half > HIGH * (y1 - y0):
        half = HIGH * (y1 - y0) / abs(slope)
    tangent = {"x": np.array([x - half, x + half]), "y": np.array([height - slope * half, height + slope * half])}
    if not np.isfinite(move):
        return {**NO_STEP, "tangent": tangent}
    far, top = FAR * (x1 - x0), FAR * (y1 - y0)
    end = x + min(max(move, -far), far)
    land = min(max(lands, y0 - top), y1 + top) if np.isfinite(lands) else height
    ends = np.array([x, end])
    drop = {"x": np.array([end, end]), "y": np.array([height, land])}
    return {"drop": drop, "tangent": tangent, "move": {"x": ends, "y": np.array([height, height])}}
