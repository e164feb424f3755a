"""Every run of a plane of hyperparameters: which converge, how far, which diverge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import param

from ..experiment import Members
from ..lessons.every_run import EVERY_RUN
from ..maps.axes import CLIP, COORDINATES, Axis, axis_of, by_factors, labels, span_of
from ..maps.ends import axes_for, lane_map, pair_of, ranks, stable_rates, told
from ..maps.stages import Picture, cells_aside
from ..menus import label_of, names_of, resolved, setting
from ..messages import refuse
from ..page.controls import knobs_of, told_with
from ..page.layout import frame, html, under_knobs
from ..pictures.layers import BLACK, Drawing, Figure, cased, curve, embers, image_columns, marks, surface
from ..pictures.plot_hooks import grey_ground, pointer, roomy, whole
from ..plurals import many
from ..spans import Spanned
from .first_rates import at_first_rate
from .map_views import ABOUT, ENDS, FIELDS, LOGS, OWN, RARE, REST, SIDES, VIEWS, belongs
from .map_words import COLOURS, NOTES, aim, heading, lacking, limitless, pointed, scales
from .surface_descent import OFF, SurfaceDescent
from .typed import CHOICES, given_surface

FASTEST = (0.0, 1.0)  # decades a step: what grows faster has the darkest ember's colour


class HyperparameterMap(SurfaceDescent):
    """Two axes of hyperparameters, starts or shapes: every cell a run of its own.

    Results: those of `SurfaceDescent` and `map`, with `loss`, `first`, `arrived` and `diverged`
    (rows, columns) at `xs` and `ys`, on log axes as log10: the ends of the part on view, `window`, are such places,
    `across_low` and so on the values there. After a change the map is coarse; `refine` makes it as fine as a screen.
    """

    scene = param.Selector(default=next(iter(VIEWS)), objects=[*VIEWS, OWN], label="Show", doc="Where to start from.")
    across = param.Selector(default="lr", objects={label: name for name, label in labels().items()}, label="Across",
                            doc="What changes from left to right.")  # fmt: skip
    up = param.Selector(default="momentum", objects={label: name for name, label in labels().items()}, label="Up",
                        doc="What changes from bottom to top.")  # fmt: skip
    across_log = param.Boolean(True, precedence=2, label="Log axis across", doc="By factors instead of by differences.")
    up_log = param.Boolean(False, precedence=2, label="Log axis up", doc="By factors instead of by differences.")
    colour = param.Selector(default="loss", objects={v: k for k, v in COLOURS.items()}, label="Colour",
                            doc="What the colour of a cell tells of its run.")  # fmt: skip
    tolerance = Spanned(1e-3, bounds=(1e-12, None), softbounds=(1e-6, 1), step=1e-4, span=(1e-6, 1.0), precedence=2,
                             doc="How near to the lowest loss counts as arrived.")  # fmt: skip
    zoom_in = param.Event(label="Zoom in on the run", doc="Four times closer around the run that is shown.")
    zoom_out = param.Event(label="Zoom out", doc="Four times further away.")
    whole = param.Event(label="Whole map", doc="The whole range of both axes.")
    basins = param.Selector(default=OFF, objects=[OFF], precedence=-1, doc="Not here: the map is a picture of ends.")
    across_from = param.Number(-2.0, doc="Left end, exactly: a place, log10 of the value on a log axis.")
    across_to = param.Number(0.5, doc="Right end, exactly: a place, log10 of the value on a log axis.")
    up_from = param.Number(0.0, doc="Lower end, exactly: a place, log10 of the value on a log axis.")
    up_to = param.Number(0.995, doc="Upper end, exactly: a place, log10 of the value on a log axis.")
    across_low = param.Number(0.01, precedence=-1, label="Across from", doc="The value at the left end, rounded.")
    across_high = param.Number(3.16, precedence=-1, label="Across to", doc="The value at the right end, rounded.")
    up_low = param.Number(0.0, precedence=-1, label="Up from", doc="The value at the lower end, rounded.")
    up_high = param.Number(0.995, precedence=-1, label="Up to", doc="The value at the upper end, rounded.")
    window = param.NumericTuple((-2.0, 0.5, 0.0, 0.995), length=4, precedence=-1, doc="The ends of both axes.")
    cell = param.NumericTuple((-1.3, 0.0), length=2, precedence=-1, doc="The cell clicked last.")

    lessons, counter_examples = (EVERY_RUN,), ()
    title = "Every run at once"
    order = 5
    lines = (3, 5)
    narrowed = SIDES
    frames_anew = ("fit_axes", "whole", "zoom_in", "zoom_out")
    sentence = "Which learning rates, momenta and starts converge, and which diverge: each cell is a run."

    def __init__(self, **params):
        given = set(params)
        chosen = VIEWS.get(params.get("scene", next(iter(VIEWS))), {})
        own = {"optimizer", "objective", "start", "optimizer_name", "objective_name", "formula"} & given
        params = params if own else {**chosen, **params}
        if own:
            params.setdefault("scene", OWN)
        optimizer = params.get("optimizer", params.get("optimizer_name", "SGD"))
        optimizer = resolved("rule", optimizer, "HyperparameterMap.optimizer")
        objective = given_surface(params, "Quadratic", "HyperparameterMap.objective", curves=True)
        known = axes_for(optimizer, objective)
        for side in SIDES:
            if params.get(side, known[0]) not in known:
                refuse(f"HyperparameterMap.{side}", f"must be one of {', '.join(known)}", params[side])
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
        axes = [axis_of(name, objective, log) for name, log in zip((across, up), logs, strict=True)]
        ends = [axes[k // 2].place_of(params[name]) if name in params else ends[k] for k, name in enumerate(FIELDS)]
        params |= {"window": tuple(ends), **dict(zip(ENDS, ends, strict=True)), "across": across, "up": up}
        self._ready = False  # until then members settle among themselves
        self._lacked = ["", "", "", ""]  # rule and surface, the axes that they fell back to, and why
        super().__init__(**params)
        self._ready = True
        self.settle(set())

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The axes across and up, as they stand."""
        across = axis_of(self.across, self.objective, self.across_log, self.window[:2])
        return across, axis_of(self.up, self.objective, self.up_log, self.window[2:])

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
            new |= at_first_rate(self, changed, new)
        optimizer, objective = new.get("optimizer", self.optimizer), new.get("objective", self.objective)
        pair = self._pair(optimizer, objective, new.get("across", self.across), new.get("up", self.up))
        new |= {"across": pair[0], "up": pair[1], **self._scales_of(changed, pair)}
        if self.scene in VIEWS and not belongs(self.scene, optimizer, objective, pair):
            new["scene"] = OWN
        return new | self._ends(changed, new, objective)

    def _pair(self, optimizer: Any, objective: Any, across: str, up: str) -> tuple[str, str]:
        """Both axes, of those that rule and surface have: their menus offer no others."""
        known = axes_for(optimizer, objective)
        pair = pair_of(optimizer, objective, across, up)
        who = f"{label_of(optimizer)} on {label_of(objective)}"
        lost = [(side, asked, got) for side, asked, got in zip(SIDES, (across, up), pair, strict=True)
                if asked not in known]  # fmt: skip
        if lost:
            self._lacked = [who, *pair, "".join([lacking(who, *each) for each in lost])]
        for side in SIDES:
            self.narrow(side, {labels()[name]: name for name in known})
        return pair

    def _viewed(self, changed: set[str]) -> dict[str, Any]:
        """What a view brings, without what was set beside it."""
        chosen = VIEWS[self.scene]
        brought = {"clip": 0.0, **chosen}
        new = {name: brought[name] for name in ("across", "up", "steps", "clip") if name not in changed}
        if not changed & {"optimizer", "optimizer_name"}:
            new["optimizer"] = self.chosen("rule", chosen["optimizer_name"])
            new["optimizer_name"] = chosen["optimizer_name"]
        if not changed & {"objective", *CHOICES}:
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
        axes = [axis_of(new[side], objective, new[flag]) for side, flag in zip(SIDES, LOGS, strict=True)]
        ends = list(self.window)
        if "window" not in changed:
            ends = self._part(changed, new, objective)
            ends = [getattr(self, name) if name in changed else ends[k] for k, name in enumerate(ENDS)]
            ends = [axes[k // 2].place_of(getattr(self, name)) if name in changed else ends[k]
                    for k, name in enumerate(FIELDS)]  # fmt: skip
        ends = [float(end) for end in ends]
        return {"window": (ends[0], ends[1], ends[2], ends[3]), **{name: ends[k] for k, name in enumerate(ENDS)},
                **self._fields(changed, axes, ends)}  # fmt: skip

    def _fields(self, changed: set[str], axes: list[Axis], ends: list[float]) -> dict[str, float]:
        """What the fields say of the ends: their values, rounded; those typed as they were."""
        shown = [axis_of(axis.name, self.objective, axis.log, ends[2 * k : 2 * k + 2]) for k, axis in enumerate(axes)]
        return {name: getattr(self, name) if name in changed else shown[k // 2].shown(ends[k])
                for k, name in enumerate(FIELDS)}  # fmt: skip

    def _part(self, changed: set[str], new: dict[str, Any], objective: Any) -> list[float]:
        """The ends of the part that a change brings on view, before those typed."""
        scene, pair, ends = new.get("scene", self.scene), (new["across"], new["up"]), list(self.window)
        if "scene" in changed and scene in VIEWS:
            return list(VIEWS[scene]["window"])
        axes = {"scene", "across", "up", "objective", *CHOICES, "whole"}
        if changed & axes or pair != (self.across, self.up):
            return [*span_of(pair[0], objective, new["across_log"]), *span_of(pair[1], objective, new["up_log"])]
        if changed & set(LOGS):
            for k, axis in enumerate(self.axes):
                if LOGS[k] in changed and axis.name not in COORDINATES:
                    ends[2 * k : 2 * k + 2] = axis.converted(ends[2 * k : 2 * k + 2])
        elif changed & {"zoom_in", "zoom_out"}:
            factor = 0.25 if "zoom_in" in changed else 4.0
            ends = [end for axis in self.axes for end in axis.zoomed(factor, self._at(axis))]
        return ends

    def _owner(self, name: str) -> Any:
        """The rule or the surface, whichever has this number."""
        return self.optimizer if name in names_of(self.optimizer) else self.objective

    def _at(self, axis: Axis) -> float:
        """Where the run that is shown stands on an axis."""
        if axis.name in COORDINATES:
            return float(self.start[COORDINATES.index(axis.name)])
        return axis.place_of(self.clip if axis.name == CLIP else setting(self._owner(axis.name), axis.name))

    def _pick(self) -> dict[str, Any]:
        """Give the run the two numbers of the cell that was clicked."""
        start, own = [self.start[0], self.start[1]], {}
        for axis, place in zip(self.axes, self.cell, strict=True):
            value = float(axis.value_at(place))
            if axis.name in COORDINATES:
                start[COORDINATES.index(axis.name)] = value
            elif axis.name == CLIP:
                own[CLIP] = value
            else:
                self.take(self._owner(axis.name), {axis.name: value})
        return {"start": (start[0], start[1]), **own}

    def _click(self, x: float, y: float) -> None:
        rows, columns = self.results["map"]["loss"].shape
        across, up = self.axes
        self.cell = (across.centre(x, columns), up.centre(y, rows))

    def _range(self, x0: float, x1: float, y0: float, y1: float) -> None:
        """Compute the part that pan or zoom has brought into view, within what the axes allow."""
        if all(math.isfinite(end) for end in (x0, x1, y0, y1)):
            across, up = self.axes
            self.window = (*across.panned(x0, x1), *up.panned(y0, y1))

    # numbers

    members_compute = SurfaceDescent.compute

    def compute(self) -> dict[str, Any]:
        across, up = self.axes
        across.check("HyperparameterMap", "Across")
        up.check("HyperparameterMap", "Up")
        found = self.members_compute()
        picture = self.remember("map", self._map_key(), lambda: self._map(found["floor"]))
        return {**found, "map": picture.found, "picture": picture}

    def _map_key(self) -> tuple:
        """What the map depends on: not on the two numbers that its axes run through."""
        hypers = [n for n in names_of(self.optimizer) if n not in (self.across, self.up)]
        shapes = [n for n in names_of(self.objective) if n not in (self.across, self.up)]
        values = [float(setting(self.optimizer, n)) for n in hypers] + [setting(self.objective, n) for n in shapes]
        start = [v for n, v in zip(COORDINATES, self.start, strict=True) if n not in (self.across, self.up)]
        clip = 0.0 if CLIP in (self.across, self.up) else self.clip
        return (id(self.optimizer), id(self.objective), self.across, self.up, self.steps, self.tolerance,
                tuple(values), (*start, clip), tuple(self.window), self.across_log, self.up_log,
                self.schedule_key())  # fmt: skip

    def _map(self, lowest: float) -> Picture:
        across, up = self.axes
        together = hasattr(self.optimizer, "update") and hasattr(self.objective, "traced") and self.cycled() == ""

        def axes(stage):
            # what runs through torch, or has its momentum moved, runs one after the other
            count = cells_aside(stage, self.steps) if together else 14
            return across.cells(count), up.cells(count)

        def runs(xs, ys):
            found = self.ends_at(xs, ys, lowest)
            return {**found, **told(found, lowest, self.steps)}

        return Picture(self.coarsest, self.steps, axes, runs, {})

    def ends_at(self, xs: Any, ys: Any, lowest: float) -> dict[str, np.ndarray]:
        """How the runs of the cells at these places across and up end, as `map` has it."""
        across, up = self.axes
        return lane_map(self.objective, self.optimizer, self.start, self.steps, [across.name, up.name],
                        across.value_at(xs), up.value_at(ys), self.tolerance, lowest, self.clip,
                        self.rate_schedule())  # fmt: skip

    # pictures

    def figures(self) -> list[Figure]:
        found = {figure.name: figure for figure in super().figures()}
        picture = Figure("map", {
            "gone": embers("grows"), "image": surface(label="stays"),
            "limit": curve(BLACK, "predicted limit", line_width=2.2, line_dash="dashed", hooks=[cased]),
            "here": marks("white", "circle", 13, "this run", line_color="#111111", line_width=2),
        }, height=640, legend="bottom_right", tap=self._click, arrows=("here", "image"), span=self._range,
            active=["pan", "wheel_zoom"], hooks=[grey_ground, roomy, whole("here"), pointer("image", "gone")],
        )  # fmt: skip
        found["surface"].height = 330
        return [picture, found["surface"], *[found[n] for n in ("loss", "rate", "sharpness", "values", "updates")]]

    members_draw = SurfaceDescent.draw

    def draw(self) -> dict[str, Drawing]:
        return {"map": self._draw_map(), **self.members_draw()}

    def _draw_map(self) -> Drawing:
        across, up = self.axes
        box = (across.low, up.low, across.high, up.high)
        key = (id(self.results["map"]["loss"]), self.colour)
        shown = self.remember("shown", key, lambda: self._shown_map(box))
        limits = {"image": self._limits(), "gone": FASTEST}
        limit = self.remember("limit", self._limit_key(), self._limit)
        here = self._here()
        layers = {**shown, "limit": limit, "here": here}
        line = "predicted limit" if np.isfinite(limit["x"]).any() else ""
        said = {**scales(self.colour, limits["image"], self.steps), "predicted limit": line}
        return Drawing(layers, (across.low, across.high), (up.low, up.high), heading(self.colour, across, up),
                       said, limits, self._looks(),
                       pointed(self.colour, across, up, self.results["lowest"]))  # fmt: skip

    def _here(self) -> dict[str, Any]:
        """Where the run that is shown is on the map; nowhere if it is out of view, for the ring is not cut off."""
        places = [(axis, self._at(axis)) for axis in self.axes]
        seen = all(axis.low <= place <= axis.high for axis, place in places)
        return {name: np.array([place] if seen else []) for name, (_, place) in zip("xy", places, strict=True)}

    def _looks(self) -> dict[str, dict[str, Any]]:
        """How far both axes may be panned and zoomed, and where Reset leads: a view's part, or the whole."""
        across, up = self.axes
        home = VIEWS[self.scene]["window"] if self.scene in VIEWS else (across.least, across.most, up.least, up.most)
        return {"x": across.look(home[:2]), "y": up.look(home[2:])}

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
        first = math.log10(max(float(self.trajectory.loss[0, 0]) - self.results["floor"], 1e-300))
        return first - 10.0, first

    def _limit_key(self) -> tuple:
        """What theory's line depends on: what the map does, but for steps, tolerance and start."""
        key = self._map_key()
        return (*key[:4], key[6], *key[8:])

    def _limit(self) -> dict[str, Any]:
        """The learning rates that theory allows at the deepest minimum, for each value of the other axis."""
        nowhere, pair = {"x": np.zeros(0), "y": np.zeros(0)}, (self.across, self.up)
        if self.rate_schedule() is not None or "lr" not in pair or "lr" not in names_of(self.optimizer):
            return nowhere
        across, up = self.axes
        lr, other = (across, up) if across.name == "lr" else (up, across)
        places = [other.low + (other.high - other.low) * k / 40 for k in range(41)]
        values = [float(other.value_at(place)) for place in places]
        rates = stable_rates(self.optimizer, self.objective, other.name, values)
        if rates is None:
            return nowhere
        along = [lr.place_of(most) if math.isfinite(most) else math.nan for least, most in rates]
        if any(least > 0 for least, most in rates):  # stable between two lines
            along += [math.nan, *(lr.place_of(least) if least > 0 else math.nan for least, most in rates)]
            places += [math.nan, *places]
        columns = (along, places) if lr is across else (places, along)
        return {"x": np.array(columns[0]), "y": np.array(columns[1])}

    # words

    members_status = SurfaceDescent.status

    def _fallen(self) -> str:
        """Why the axes are not those that were asked for, as long as it is so."""
        now = [f"{label_of(self.optimizer)} on {label_of(self.objective)}", self.across, self.up]
        return self._lacked[3] if now == self._lacked[:3] else ""

    def status(self) -> str:
        found = self.results["map"]
        gone = 100 * float(np.mean(np.isfinite(found["grown"])))
        arrived = 100 * float(np.mean(np.isfinite(found["arrived"])))
        rows, columns = found["loss"].shape
        why = "" if self.rate_schedule() is not None else limitless(self.optimizer, (self.across, self.up))
        return (f"{columns} × {rows} runs of {many(self.steps, 'step')}: {arrived:.0f} % come within "
                f"{self.tolerance:g} of {aim(self.results['lowest'])}, {gone:.0f} % end above their start."
                f"{self._fallen()} {why}The run of the ring: {self.members_status()}")  # fmt: skip

    notes = NOTES
    carries = True

    def controls(self, members: Members | None = None) -> list[Any]:
        main, own, schedule, _ = super().controls(members)
        scene, sides = told_with(knobs_of(self, ["scene"]), "scene", ABOUT), knobs_of(self, [*SIDES, "colour"])
        return [scene, main, own, schedule, sides, knobs_of(self, REST, rare=RARE)]

    def carried(self) -> Any:
        """What a page carries of a map that it cannot compute: the map, and a run for each coarse cell."""
        from .carried import cells_of_a_map

        return cells_of_a_map(self)

    def arrange(self, page) -> Any:
        *beside, below = page.blocks.values()
        return frame(
            [*page.controls, under_knobs(*beside)],
            [page.message, page.status, *page.pictures("map")],
            [*page.pictures("surface", "loss", "rate", "sharpness", "values", "updates")],
            [below, html(self.notes, "notes")], beside=True,
        )  # fmt: skip
