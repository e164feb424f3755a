"""Every run of a plane of hyperparameters: which converge, how far, which diverge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import param

from ..controls import knobs_of
from ..experiment import Members
from ..layout import frame, html, under_knobs
from ..map_views import ENDS, LOGS, OWN, VIEWS, belongs
from ..maps import (
    AXES,
    CLIP,
    COORDINATES,
    by_factors,
    cells,
    lane_map,
    names_of,
    on_scale,
    pair_of,
    ranks,
    setting,
    span_of,
    stable_rates,
    told,
)
from ..members import resolved
from ..messages import refuse
from ..plots import Drawing, Figure, curve, embers, grey_ground, hover, image_columns, marks, roomy, surface
from ..stages import Picture, cells_aside
from .surface_descent import OFF, SurfaceDescent

COLOURS = {"loss": "final loss", "arrived": "steps to the tolerance", "rank": "rank"}
FASTEST = (0.0, 1.0)  # decades a step: what grows faster has the darkest ember's colour


class HyperparameterMap(SurfaceDescent):
    """Two axes of hyperparameters, starts or shapes: every cell a run of its own.

    Results: those of `SurfaceDescent` and `map`, with `loss`, `first`, `arrived` and `diverged`
    (rows, columns) at `xs` and `ys`, on log axes as log10. After a change the map is coarse;
    `refine` makes it as fine as a screen.
    """

    scene = param.Selector(default=next(iter(VIEWS)), objects=[*VIEWS, OWN], label="Show", doc="Where to start from.")
    across = param.Selector(default="lr", objects=AXES, label="Across", doc="What changes from left to right.")
    up = param.Selector(default="momentum", objects=AXES, label="Up", doc="What changes from bottom to top.")
    across_log = param.Boolean(True, label="Log axis across", doc="By factors instead of by differences.")
    up_log = param.Boolean(False, label="Log axis up", doc="By factors instead of by differences.")
    colour = param.Selector(default="loss", objects={v: k for k, v in COLOURS.items()}, label="Colour",
                            doc="What the colour of a cell tells of its run.")  # fmt: skip
    tolerance = param.Number(1e-3, bounds=(1e-12, None), softbounds=(1e-6, 1), step=1e-4,
                             doc="How near to the lowest loss counts as arrived.")  # fmt: skip
    zoom_in = param.Event(label="Zoom in on the run", doc="Four times closer around the run that is shown.")
    zoom_out = param.Event(label="Zoom out", doc="Four times further away.")
    whole = param.Event(label="Whole map", doc="The whole range of both axes.")
    basins = param.Selector(default=OFF, objects=[OFF], precedence=-1, doc="Not here: the map is a picture of ends.")
    across_from = param.Number(-2.0, step=0.05, doc="Left end: in the axis' units, log10 where the axis is by factors.")
    across_to = param.Number(0.5, step=0.05, doc="Right end: in the axis' units, log10 where the axis is by factors.")
    up_from = param.Number(0.0, step=0.05, doc="Lower end: in the axis' units, log10 where the axis is by factors.")
    up_to = param.Number(0.995, step=0.05, doc="Upper end: in the axis' units, log10 where the axis is by factors.")
    window = param.NumericTuple((-2.0, 0.5, 0.0, 0.995), length=4, precedence=-1, doc="The ends of both axes.")
    cell = param.NumericTuple((-1.3, 0.0), length=2, precedence=-1, doc="The cell clicked last.")

    title = "Every run at once"
    order = 5
    lines = (3, 5)
    sentence = "Which learning rates, momenta and starts converge, and which diverge: each cell is a run."

    def __init__(self, **params):
        given = set(params)
        chosen = VIEWS.get(params.get("scene", next(iter(VIEWS))), {})
        own = {"optimizer", "objective", "start", "optimizer_name", "objective_name"} & given
        params = params if own else {**chosen, **params}
        if own:
            params.setdefault("scene", OWN)
        rule = params.get("optimizer", params.get("optimizer_name", "SGD"))
        optimizer = resolved("rule", rule, "HyperparameterMap.optimizer")
        surface = params.get("objective", params.get("objective_name", "Quadratic"))
        objective = resolved("objective", surface, "HyperparameterMap.objective")
        across, up = pair_of(optimizer, objective, params.get("across", "lr"), params.get("up", "momentum"))
        scene = params.get("scene", next(iter(VIEWS)))
        if scene in VIEWS and not belongs(scene, optimizer, objective, (across, up)):
            params = {name: value for name, value in params.items() if name != "window" or "window" in given}
            params["scene"] = OWN
        logs = [params.get(flag, by_factors(name)) for flag, name in zip(LOGS, (across, up), strict=True)]
        params |= dict(zip(LOGS, logs, strict=True))
        whole = (*span_of(across, objective, logs[0]), *span_of(up, objective, logs[1]))
        ends = params.get("window", whole)
        ends = [params.get(name, end) for name, end in zip(ENDS, ends, strict=True)]
        params |= {"window": tuple(ends), **dict(zip(ENDS, ends, strict=True)), "across": across, "up": up}
        self._ready = False  # until then members settle among themselves
        super().__init__(**params)
        self._ready = True

    # keeping the parameters in step with each other

    members_follow = SurfaceDescent.follow

    def follow(self, changed: set[str]) -> dict[str, Any]:
        """A view sets the rest; axes that the rule lacks give way; what was set itself wins."""
        if not self._ready:
            return self.members_follow(changed)
        picked = self._pick() if "cell" in changed else {}
        new = {**self.members_follow(changed | set(picked)), **picked}
        if picked:
            new |= {"start_x": picked["start"][0], "start_y": picked["start"][1]}
        if "scene" in changed and self.scene in VIEWS:
            new |= self._viewed(changed)
        optimizer, objective = new.get("optimizer", self.optimizer), new.get("objective", self.objective)
        pair = pair_of(optimizer, objective, new.get("across", self.across), new.get("up", self.up))
        new |= {"across": pair[0], "up": pair[1], **self._scales_of(changed, pair)}
        if self.scene in VIEWS and not belongs(self.scene, optimizer, objective, pair):
            new["scene"] = OWN
        return new | self._ends(changed, new, objective)

    def _viewed(self, changed: set[str]) -> dict[str, Any]:
        """What a view brings, without what was set beside it."""
        chosen = VIEWS[self.scene]
        brought = {"clip": 0.0, **chosen}
        new = {name: brought[name] for name in ("across", "up", "steps", "clip") if name not in changed}
        if not changed & {"optimizer", "optimizer_name"}:
            new["optimizer"] = self.chosen("rule", chosen["optimizer_name"])
            new["optimizer_name"] = chosen["optimizer_name"]
        if not changed & {"objective", "objective_name"}:
            new["objective"] = self.chosen("objective", chosen["objective_name"])
            new["objective_name"] = chosen["objective_name"]
            if not changed & {"start", "start_x", "start_y"}:
                first = new["objective"].starts[0]
                new["start"] = (float(first[0]), float(first[1]))
                new |= {"start_x": new["start"][0], "start_y": new["start"][1]}
        return new

    def _scales_of(self, changed: set[str], pair: tuple[str, str]) -> dict[str, bool]:
        """Which axes are log axes: an axis that is new as is usual for it."""
        new: dict[str, bool] = {}
        for k, flag in enumerate(LOGS):
            fresh = "scene" in changed or ("across", "up")[k] in changed or pair[k] != (self.across, self.up)[k]
            new[flag] = by_factors(pair[k]) if fresh and flag not in changed else getattr(self, flag)
        return new

    def _ends(self, changed: set[str], new: dict[str, Any], objective: Any) -> dict[str, Any]:
        """The part on view: a view's, the whole of new axes, zoomed, panned or typed; typed ends follow it."""
        ends = [self.window[0], self.window[1], self.window[2], self.window[3]]
        if "window" not in changed:
            scene, pair = new.get("scene", self.scene), (new["across"], new["up"])
            axes = {"scene", "across", "up", "objective", "objective_name", "whole"}
            if "scene" in changed and scene in VIEWS:
                ends = list(VIEWS[scene]["window"])
            elif changed & axes or pair != (self.across, self.up):
                ends = [*span_of(pair[0], objective, new["across_log"]), *span_of(pair[1], objective, new["up_log"])]
            elif changed & set(LOGS):
                for k, flag in enumerate(LOGS):
                    if flag in changed and pair[k] not in COORDINATES:
                        ends[2 * k : 2 * k + 2] = on_scale(ends[2 * k : 2 * k + 2], pair[k], objective, new[flag])
            elif changed & {"zoom_in", "zoom_out"}:
                ends = list(self._zoomed(0.25 if "zoom_in" in changed else 4.0))
            ends = [getattr(self, name) if name in changed else ends[k] for k, name in enumerate(ENDS)]
        ends = [float(end) for end in ends]
        return {"window": (ends[0], ends[1], ends[2], ends[3]), **{name: ends[k] for k, name in enumerate(ENDS)}}

    def _zoomed(self, factor: float) -> tuple[float, float, float, float]:
        """The view's ends, its width times the factor, around the run that is shown, within the whole axes."""
        ends = []
        for k, name in enumerate((self.across, self.up)):
            low, high = self.window[2 * k], self.window[2 * k + 1]
            least, most = span_of(name, self.objective, self._log(name))
            here = self._at(name)
            middle = here if low <= here <= high else (low + high) / 2
            width = max(min((high - low) * factor, most - least), self._narrowest(k) / 4)  # no deeper than is refused
            low = min(max(middle - width / 2, least), most - width)
            ends += [low, low + width]
        return (ends[0], ends[1], ends[2], ends[3])

    def _at(self, name: str) -> float:
        """Where the run that is shown stands on an axis."""
        if name in COORDINATES:
            return float(self.start[COORDINATES.index(name)])
        if name == CLIP:
            return self._shown(name, self.clip)
        value = setting(self.optimizer if name in names_of(self.optimizer) else self.objective, name)
        return self._shown(name, value)

    def _log(self, name: str) -> bool:
        return self.across_log if name == self.across else self.up_log

    def _shown(self, name: str, value: float) -> float:
        if self._log(name):
            return math.log10(value) if value > 0 else -math.inf
        return value

    def _values(self, name: str, at: Any) -> Any:
        """The values of an axis at places on it."""
        return 10.0**at if self._log(name) else at

    def _pick(self) -> dict[str, Any]:
        """Give the run the two numbers of the cell that was clicked."""
        start, own = [self.start[0], self.start[1]], {}
        for k, name in enumerate((self.across, self.up)):
            value = float(self._values(name, self.cell[k]))
            if name in COORDINATES:
                start[COORDINATES.index(name)] = value
            elif name == CLIP:
                own[CLIP] = value
            else:
                owner = self.optimizer if name in names_of(self.optimizer) else self.objective
                self.take(owner, {name: value})
        return {"start": (start[0], start[1]), **own}

    def _click(self, x: float, y: float) -> None:
        up, across = self.results["map"]["loss"].shape
        self.cell = (self._centre(x, 0, across), self._centre(y, 1, up))

    def _centre(self, at: float, k: int, count: int) -> float:
        """The centre of the cell of an axis that holds this place."""
        low, high = self.window[2 * k], self.window[2 * k + 1]
        index = min(max(int((at - low) / (high - low) * count), 0), count - 1)
        return float(cells(low, high, count)[index])

    def _range(self, x0: float, x1: float, y0: float, y1: float) -> None:
        """Compute the part that pan or zoom has brought into view, within what the axes allow."""
        ends = [x0, x1, y0, y1]
        for k, name in enumerate((self.across, self.up)):
            low, high = span_of(name, self.objective, self._log(name))
            ends[2 * k] = min(max(ends[2 * k], low), high - 1e-15 * (high - low))
            ends[2 * k + 1] = max(min(ends[2 * k + 1], high), ends[2 * k] + 1e-15 * (high - low))
        self.window = (ends[0], ends[1], ends[2], ends[3])

    # numbers

    members_compute = SurfaceDescent.compute

    def compute(self) -> dict[str, Any]:
        self._check_ends()
        found = self.members_compute()
        picture = self.remember("map", self._map_key(), lambda: self._map(found["lowest"]))
        return {**found, "map": picture.found, "picture": picture}

    def _check_ends(self) -> None:
        for k, name in enumerate((self.across, self.up)):
            side, low, high = ("Across", "Up")[k], self.window[2 * k], self.window[2 * k + 1]
            if name in COORDINATES and self._log(name):
                refuse("HyperparameterMap", f"needs a linear axis for {name}, which may be 0 or below", "log")
            least, most = span_of(name, self.objective, self._log(name))
            slack = 1e-9 * (most - least)  # zooming out to the whole axis rounds
            if not (least - slack <= low < high <= most + slack):
                rule = f"needs {side} from below {side} to, both from {least:g} to {most:g}"
                refuse("HyperparameterMap", rule, [low, high])
            if high - low < self._narrowest(k):
                rule = f"needs {side} at least {self._narrowest(k):.2g} wide, or float64 has no number for each cell"
                refuse("HyperparameterMap", rule, float(f"{high - low:.2g}"))

    def _narrowest(self, k: int) -> float:
        """How wide an axis must be for its cells to be different numbers."""
        name = (self.across, self.up)[k]
        least, most = span_of(name, self.objective, self._log(name))
        return max(2.3e-14 * max(abs(self.window[2 * k]), abs(self.window[2 * k + 1])), 2e-15 * (most - least))

    def _map_key(self) -> tuple:
        """What the map depends on: not on the two numbers that its axes run through."""
        hypers = [n for n in names_of(self.optimizer) if n not in (self.across, self.up)]
        shapes = [n for n in names_of(self.objective) if n not in (self.across, self.up)]
        values = [float(setting(self.optimizer, n)) for n in hypers] + [setting(self.objective, n) for n in shapes]
        start = [v for n, v in zip(COORDINATES, self.start, strict=True) if n not in (self.across, self.up)]
        clip = 0.0 if CLIP in (self.across, self.up) else self.clip
        return (id(self.optimizer), id(self.objective), self.across, self.up, self.steps, self.tolerance,
                tuple(values), (*start, clip), tuple(self.window), self.across_log, self.up_log)  # fmt: skip

    def _map(self, lowest: float) -> Picture:
        x0, x1, y0, y1 = self.window
        traced = hasattr(self.optimizer, "update") and hasattr(self.objective, "traced")

        def axes(stage):
            # what runs through torch runs one after the other
            count = cells_aside(stage, self.steps) if traced else 14
            return cells(x0, x1, count), cells(y0, y1, count)

        def runs(xs, ys):
            found = self.ends_at(xs, ys, lowest)
            return {**found, **told(found, lowest, self.steps)}

        return Picture(self.coarsest, self.steps, axes, runs, {})

    def ends_at(self, xs: Any, ys: Any, lowest: float) -> dict[str, np.ndarray]:
        """How the runs of the cells at these places across and up end, as `map` has it."""
        across, up = self._values(self.across, xs), self._values(self.up, ys)
        return lane_map(self.objective, self.optimizer, self.start, self.steps, [self.across, self.up],
                        across, up, self.tolerance, lowest, self.clip)  # fmt: skip

    # pictures

    def figures(self) -> list[Figure]:
        found = {figure.name: figure for figure in super().figures()}
        picture = Figure("map", {
            "gone": embers("grows"), "image": surface(label="stays"),
            "limit": curve("#111111", "predicted limit", line_width=2.2, line_dash="dashed"),
            "here": marks("white", "circle", 13, "this run", line_color="#111111", line_width=2),
        }, height=640, legend="bottom_right", tap=self._click, span=self._range, active=["pan", "wheel_zoom"],
            hooks=[grey_ground, roomy, hover({"across": "$x{custom}", "up": "$y{custom}", "value": "@image"})],
        )  # fmt: skip
        found["surface"].height = 330
        return [picture, found["surface"], found["loss"], found["values"], found["updates"]]

    members_draw = SurfaceDescent.draw

    def draw(self) -> dict[str, Drawing]:
        return {"map": self._draw_map(), **self.members_draw()}

    def _draw_map(self) -> Drawing:
        x0, x1, y0, y1 = self.window
        box = (x0, y0, x1, y1)
        key = (id(self.results["map"]["loss"]), self.colour)
        shown = self.remember("shown", key, lambda: self._shown_map(box))
        limits = {"image": self._limits(), "gone": FASTEST}
        limit = self.remember("limit", self._limit_key(), self._limit)
        here = {"x": np.array([self._at(self.across)]), "y": np.array([self._at(self.up)])}
        layers = {**shown, "limit": limit, "here": here}
        title = f"{COLOURS[self.colour]}, by {self._named(self.across)} (across) and {self._named(self.up)} (up)"
        return Drawing(layers, (x0, x1), (y0, y1), title[:1].upper() + title[1:], self._scales(limits["image"]), limits)

    def _scales(self, ends: tuple[float, float]) -> dict[str, str]:
        """What the ends of both colour scales say."""
        loss = f"loss {10.0 ** ends[0]:.1g} to {10.0 ** ends[1]:.2g}"
        stays = {"loss": loss, "arrived": f"0 to {self.steps} steps", "rank": "best to worst"}[self.colour]
        return {"stays": stays, "grows": "ends above its start: slow to fast"}

    def _named(self, name: str) -> str:
        plain = name.replace("_", " ")
        return f"log₁₀ {plain}" if self._log(name) else plain

    def _shown_map(self, box: Any) -> dict[str, Any]:
        """The columns of both images: cells that stay finite, and cells that diverge by when they do."""
        found = self.results["map"]
        above = found["arrived"] if self.colour == "arrived" else found["above"]
        if self.colour == "rank":
            above = ranks(found["loss"], found["diverged"])
        stays = np.where(np.isnan(found["grown"]), above, math.nan)
        return {"gone": image_columns(found["grown"], box), "image": image_columns(stays, box)}

    def _limits(self) -> tuple[float, float]:
        """What gets the colours at the ends of the scale."""
        if self.colour != "loss":
            return 0.0, float(self.steps) if self.colour == "arrived" else 1.0
        return self._loss_limits()

    def _loss_limits(self) -> tuple[float, float]:
        """Log10 of the losses that get the ends' colours: the first loss, and a trillionth of it at most."""
        first = math.log10(max(float(self.trajectory.loss[0, 0]) - self.results["lowest"], 1e-300))
        return first - 10.0, first

    def _limit_key(self) -> tuple:
        """What theory's line depends on: what the map does, but for steps, tolerance and start."""
        key = self._map_key()
        return (*key[:4], key[6], *key[8:])

    def _limit(self) -> dict[str, Any]:
        """The learning rate that theory allows at the deepest minimum, for each value of the other axis."""
        nowhere = {"x": np.zeros(0), "y": np.zeros(0)}
        if "lr" not in (self.across, self.up) or "lr" not in names_of(self.optimizer):
            return nowhere
        other = self.up if self.across == "lr" else self.across
        low, high = self.window[2:] if self.across == "lr" else self.window[:2]
        places = [low + (high - low) * k / 40 for k in range(41)]
        values = [float(self._values(other, place)) for place in places]
        rates = stable_rates(self.optimizer, self.objective, other, values)
        if rates is None:
            return nowhere
        along = np.array([self._shown("lr", rate) if math.isfinite(rate) else math.nan for rate in rates])
        columns = (along, np.array(places)) if self.across == "lr" else (np.array(places), along)
        return {"x": columns[0], "y": columns[1]}

    # words

    members_status = SurfaceDescent.status

    def status(self) -> str:
        found = self.results["map"]
        gone = 100 * float(np.mean(np.isfinite(found["grown"])))
        arrived = 100 * float(np.mean(np.isfinite(found["arrived"])))
        rows, columns = found["loss"].shape
        return (
            f"{columns} × {rows} runs of {self.steps} steps: {arrived:.0f} % come within {self.tolerance:g} of the "
            f"lowest loss, {gone:.0f} % end above their start. The run of the ring: {self.members_status()}"
        )

    notes = """
<p><b>What is shown.</b> Every cell is a real run with its own two numbers; nothing is interpolated. Click a cell:
its numbers become the run's, whose path, loss and formula stand beside. Pan, turn the wheel or zoom in on the run: the
visible part is computed anew, with few cells at once and with many when you rest.</p>
<p><b>Colours.</b> Blue is a low final loss, light one as high as at the start; below the scale's ten decades a
cell has the darkest blue. Ember cells end above their start or are no longer finite, the darker the faster they grow:
a decade a step and more is darkest. Grey ones never came within the tolerance.</p>
<p><b>The dashed line</b> is the learning rate up to which theory says that the rule is stable at the minimum. On a
quadratic map and line agree; elsewhere a run may leave long before, or settle beyond.</p>
<p><b>The tanh net</b> w1 tanh(w2 x) shows how jagged the border between training and divergence is
(Sohl-Dickstein, arXiv 2402.06184): zoom in on it.</p>
"""

    def controls(self, members: Members | None = None) -> list[Any]:
        names = ["scene", "across", "up", *LOGS, "colour", "tolerance", "zoom_in", "zoom_out", "whole", *ENDS]
        first = knobs_of(self, names)
        return [first, *super().controls(members)]

    def carried(self) -> Any:
        """What a page carries of a map that it cannot compute: the map, and a run for each coarse cell."""
        from ..export.carried import cells_of_a_map

        return cells_of_a_map(self)

    def arrange(self, page) -> Any:
        side = [*page.controls, under_knobs(*page.blocks.values())]
        return frame(
            side,
            [page.message, page.status, *page.pictures("map")],
            [*page.pictures("surface", "loss", "values", "updates")],
            [html(self.notes, "notes")],
            beside=True,
        )
