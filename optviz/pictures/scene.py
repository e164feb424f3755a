"""From results to the columns of layers: landscapes, paths, and where a run leaves the frame."""

from __future__ import annotations

from typing import Any

import contourpy
import numpy as np

from .layers import heights, image_columns, levels

Box = tuple[float, float, float, float]
KINDS, NOWHERE, GONE = 10, 10, 11  # colours: of minima in turn, of starts that reach none, of those that diverge
EMPTY = {"x": np.empty(0), "y": np.empty(0)}


def frame_of(domain: Any, *points: Any) -> Box:
    """The domain as a box (x0, y0, x1, y1), grown to hold these points."""
    (x0, x1), (y0, y1) = domain
    low, high = np.array([x0, y0], dtype=float), np.array([x1, y1], dtype=float)
    margin = 0.04 * (high - low)
    for point in points:
        point = np.asarray(point, dtype=float)
        outside = (point < low) | (point > high)
        low = np.where(outside, np.minimum(low, point - margin), low)
        high = np.where(outside, np.maximum(high, point + margin), high)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def axes_of(box: Box, size: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """The centres of the image's cells along x and y."""
    x0, y0, x1, y1 = box
    half_x, half_y = (x1 - x0) / size / 2, (y1 - y0) / size / 2
    return np.linspace(x0 + half_x, x1 - half_x, size), np.linspace(y0 + half_y, y1 - half_y, size)


class Landscape:
    """A surface over a box: the columns of its image and level lines, and its colour limits.

    The image holds heights above the lowest value, as log10 where they span decades; `of` says of what it is the
    lowest, where that is not the whole surface.
    """

    def __init__(self, values: np.ndarray, box: Box, lowest: float | None = None, count: int = 14, of: str = ""):
        xs, ys = axes_of(box, values.shape[0])
        above, limits, self.log = heights(values, lowest)
        with np.errstate(divide="ignore"):
            shown = np.log10(np.maximum(above, limits[0])) if self.log else above
        self.limits = tuple(float(v) for v in (np.log10(limits) if self.log else limits))
        self.reads = f"{'log ' if self.log else ''}loss above the lowest{of}"
        self.image = image_columns(np.minimum(shown, np.finfo(np.float32).max), box)
        self.lines = line_columns(xs, ys, above, levels(limits, self.log, count))


def line_columns(xs: np.ndarray, ys: np.ndarray, values: np.ndarray, at: np.ndarray) -> dict[str, Any]:
    """Level lines of values (len(ys), len(xs)) as the columns xs, ys of a multi-line."""
    generator = contourpy.contour_generator(xs, ys, np.ma.masked_invalid(values))
    lines = [line for level in at for line in generator.lines(level) if len(line) > 1]
    return {"xs": [line[:, 0] for line in lines], "ys": [line[:, 1] for line in lines]}


def joined(lanes: np.ndarray) -> np.ndarray:
    """Lanes (rows, lanes) one after the other, with a gap between."""
    if lanes.shape[1] == 1:
        return lanes[:, 0]
    gap = np.full((1, lanes.shape[1]), np.nan)
    return np.concatenate([lanes, gap]).T.ravel()[:-1]


FAR = 100.0  # half frames from the middle: further out a canvas paints nothing, not even what leads there


def path_columns(x: np.ndarray, box: Box) -> dict[str, np.ndarray]:
    """The paths of all lanes, from x (steps + 1, lanes, 2), each as far as it comes back into the box.

    Of the step that leaves for good the direction is kept; what follows would cross the picture again and
    again. `exit_of` is where a mark says so.
    """
    x0, y0, x1, y1 = box
    (a, b), (wide, high) = ((x0 + x1) / 2, (y0 + y1) / 2), ((x1 - x0) / 2, (y1 - y0) / 2)
    with np.errstate(all="ignore"):
        across, up = (x[..., 0] - a) / wide, (x[..., 1] - b) / high
        out = np.maximum(np.abs(across), np.abs(up))
        inside = (x[..., 0] >= x0) & (x[..., 0] <= x1) & (x[..., 1] >= y0) & (x[..., 1] <= y1)
        ends = [int(np.flatnonzero(lane)[-1]) if lane.any() else 0 for lane in inside.T]
        kept = np.arange(len(x))[:, None] <= np.array(ends) + 1
        near = kept & (out <= FAR)
        shown = {"x": np.where(near, x[..., 0], np.where(kept, a + wide * FAR * (across / out), np.nan)),
                 "y": np.where(near, x[..., 1], np.where(kept, b + high * FAR * (up / out), np.nan))}  # fmt: skip
    return {name: joined(values) for name, values in shown.items()}


def exit_of(path: np.ndarray, box: Box) -> tuple[int, float, float] | None:
    """Where a path (n, 2) first leaves the box: the step, and the point on the edge."""
    x0, y0, x1, y1 = box
    low, high = np.array([x0, y0]), np.array([x1, y1])
    inside = ((path >= low) & (path <= high)).all(axis=1)
    if inside.all() or not inside[0]:
        return None if inside.all() else (0, *np.clip(path[0], low, high))
    step = int(np.argmin(inside))
    here, there = path[step - 1], path[step]
    if not np.isfinite(there).all():
        return step, float(here[0]), float(here[1])
    move = there - here
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        shares = np.where(move > 0, (high - here) / move, np.where(move < 0, (low - here) / move, np.inf))
    edge = np.clip(here + np.min(shares) * move, low, high)
    return step, float(edge[0]), float(edge[1])


def inward(xs: Any, ys: Any, box: Box) -> dict[str, np.ndarray]:
    """How text at points must stand to point into the box: at its right edge text ends there."""
    x0, y0, x1, y1 = box
    align = ["right" if 2 * x > x0 + x1 else "left" for x in xs]
    baseline = ["top" if 2 * y > y0 + y1 else "bottom" for y in ys]
    return {"text_align": np.array(align, dtype=object), "text_baseline": np.array(baseline, dtype=object)}


def off_scale(series: np.ndarray, ylim: tuple[float, float], first: int = 0) -> dict[str, dict]:
    """Marks at the frame's edge where a series (n, lanes) first goes above and below it.

    `above` and `below` have columns x, y; a value that is not a number marks nothing.
    """
    found: dict[str, dict] = {"above": EMPTY, "below": EMPTY}
    for name, beyond, edge in (("above", series > ylim[1], ylim[1]), ("below", series < ylim[0], ylim[0])):
        steps = [int(np.argmax(lane)) for lane in beyond.T if lane.any()]
        if steps:
            found[name] = {"x": np.array(steps) + first, "y": np.full(len(steps), edge)}
    return found


def decades(values: np.ndarray, least: int = 5) -> tuple[float, float]:
    """Whole powers of ten around the positive values, at least `least` of them apart.

    At most six above the first value: an axis that follows a run which explodes shows nothing else.
    """
    usable = values[np.isfinite(values) & (values > 0)]
    if not usable.size:
        return 1e-6, 1.0
    highest = min(np.log10(usable.max()), np.log10(usable[0]) + 6)
    top = min(int(np.ceil(highest)) + 1, 308)
    bottom = max(int(np.floor(np.log10(usable.min()))) - 1, top - 18)
    return 10.0 ** min(bottom, top - least), 10.0**top


def loggable(values: np.ndarray) -> np.ndarray:
    """The values that a log axis can show, NaN for the others: none of 0 or less, none near overflow."""
    return np.where((values > 0) & (values < 1e250), values, np.nan)


def symmetric(values: np.ndarray, room: float = 1.4, most: float = np.inf) -> tuple[float, float]:
    """Limits around zero that hold the finite values with some room, `most` at the widest."""
    usable = np.abs(values[np.isfinite(values)])
    reach = min(float(usable.max()) if usable.size else 1.0, most) * room
    reach = reach or 1.0
    return -reach, reach


def arrows(origin: tuple[float, float], move: np.ndarray, head: float) -> dict[str, np.ndarray]:
    """An arrow as three segments: the shaft, and a head of at most this length."""
    tail, move = np.asarray(origin, dtype=float), np.asarray(move, dtype=float)
    with np.errstate(over="ignore"):
        tip, length = tail + move, float(np.hypot(*move))
    if not np.isfinite(length) or length == 0:
        return {name: np.empty(0) for name in ("x0", "y0", "x1", "y1")}
    back = -move / length * min(head, 0.4 * length)
    barbs = [np.array([back[0] - s * back[1] / 2, back[1] + s * back[0] / 2]) for s in (-1, 1)]
    ends = np.array([tail, tip + barbs[0], tip + barbs[1]])
    return {"x0": ends[:, 0], "y0": ends[:, 1], "x1": np.full(3, tip[0]), "y1": np.full(3, tip[1])}


def nice(value: float) -> float:
    """The next of 1, 2, 5, 10, ... times a power of ten: axes that change rarely."""
    if not np.isfinite(value) or value < 1e-300:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * [f for f in (1, 2, 5, 10) if f * power >= value * 1.05 or f == 10][0])


def image_of(values: np.ndarray, box: Box, limits: tuple[float, float]) -> dict[str, Any]:
    """The columns of log10 of positive values between limits; lower ones get the lowest colour."""
    return image_columns(np.log10(np.maximum(values, 10.0 ** limits[0])), box)


def basin_columns(found: dict[str, Any] | None, by_steps: bool, box: Box) -> dict[str, dict[str, Any]]:
    """The images `kinds` and `arrivals` of a map of basins, or of none; NaN where one does not cover the other."""
    nothing = np.full((2, 2), np.nan)
    if found is None:
        return {"arrivals": image_columns(nothing, box), "kinds": image_columns(nothing, box)}
    kinds, arrivals = np.where(found["minimum"] < 0, NOWHERE, found["minimum"] % KINDS), nothing
    if by_steps:
        arrivals = found["arrived"]
        kinds = np.where(np.isnan(arrivals), NOWHERE, np.nan)
    kinds = np.where(found["diverged"] > 0, GONE, kinds)
    return {"arrivals": image_columns(arrivals, box), "kinds": image_columns(kinds, box)}


def star_columns(points: np.ndarray, deep: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """The columns of `layers.stars` for minima (n, 2): the lowest, which `deep` (n,) tells, and the others."""
    low, high = points[deep], points[~deep]
    return {"local": {"x": high[:, 0], "y": high[:, 1]}, "minima": {"x": low[:, 0], "y": low[:, 1]}}


def star_keys(deep: np.ndarray) -> dict[str, str]:
    """What a key says of `layers.stars`: nothing of those that are not there."""
    return {"minimum": "minimum" if deep.any() else "", "local minimum": "" if deep.all() else "local minimum"}


def pair_columns(steps: np.ndarray, values: np.ndarray, ylim: tuple[float, float], first: int) -> dict[str, dict]:
    """The series `first` and `second` of two coordinates, and the marks where one leaves the frame."""
    both = values.reshape(len(values), -1)
    return {
        "first": {"x": steps, "y": joined(values[..., 0])},
        "second": {"x": steps, "y": joined(values[..., 1])},
        **off_scale(both, ylim, first),
    }


def expected_loss(
    found: dict[str, Any] | None, loss: np.ndarray, lowest: float, ylim: tuple[float, float]
) -> dict[str, np.ndarray]:
    """The loss above `lowest` as the expected rate has it fall or grow, through the last one within the frame.

    Towards the minimum that the rate belongs to, a local one perhaps, and only where the run ends
    on the bowl around that one: elsewhere the rate says nothing.
    """
    if found is None or found["rate"] is None or not found["end"]["tangent"]:
        return EMPTY
    above, bottom = loss - lowest, found["bottom"]
    higher = loss - bottom > 1e-9 * abs(bottom - lowest)  # than the minimum by more than rounding
    shown = np.flatnonzero((above >= ylim[0]) & (above <= ylim[1]) & higher)
    if not shown.size or shown[-1] < 2:
        return EMPTY
    last = int(shown[-1])
    steps = np.linspace(last // 2, last, 2 if bottom == lowest else 40)
    with np.errstate(all="ignore"):
        falling = (loss[last] - bottom) * np.power(found["rate"], 2 * (steps - last))
        return {"x": steps, "y": loggable(bottom - lowest + falling)}
