"""A rule on a surface: where it goes, how fast the loss falls, what each step is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import panel as pn
import param

from ..experiment import Experiment, Members
from ..lessons.learning_rate import LEARNING_RATE
from ..lessons.momentum import MOMENTUM
from ..maps.basins import basin_map, known_minima
from ..maps.stages import Picture, cells_aside
from ..menus import Member, label_of, names_of, resolved, rules, setting, surfaces, with_setting
from ..messages import refuse
from ..objectives.formula import OWN, Formula
from ..objectives.minima import lowest_loss
from ..page.controls import close, knobs_of, shade
from ..page.formula_field import formula_knobs
from ..page.layout import frame, html, under_knobs
from ..pictures.layers import (
    BLUE,
    GREY,
    ORANGE,
    RED,
    Drawing,
    Figure,
    basins,
    curve,
    lines,
    marks,
    off_scale_marks,
    stars,
    surface,
    texts,
)
from ..pictures.playheads import moment, step_arrows
from ..pictures.scene import (
    GONE,
    Landscape,
    axes_of,
    basin_columns,
    decades,
    exit_of,
    expected_loss,
    frame_of,
    inward,
    joined,
    loggable,
    nice,
    off_scale,
    pair_columns,
    path_columns,
    star_columns,
    star_keys,
    symmetric,
)
from ..plurals import many
from ..readings.equations import hyperparameter_mathml, objective_mathml, rule_mathml
from ..rules.rule import Rule, shut
from ..runs.descent import descend
from ..runs.steps import Played
from ..runs.trajectory import Trajectory
from ..state.weak import weakly
from ..theory.outlook import lowest_among, outlook
from ..theory.verdicts import place, shown
from .first_rates import at_first_rate, first_rate, half_limited, has_rate
from .starts import first_start, followed
from .surface_knobs import every_knob, member_knobs, names_shown
from .surface_words import NOTES
from .typed import CHOICES, formula_parameter, given_surface, offered_surfaces, surface_of, text_of
from .walks import lanes_played, surface_playhead
from .words import basin_shares, distance_text, outlook_text, widened

OFF, REACHED, SPEED = "the loss", "the minimum reached", "the steps to get there"
BASIN_STEPS = 200  # of every start's run, if not more are asked for
ARRIVED = 1e-3  # how far above the minimum's a loss counts as having got there


class SurfaceDescent(Experiment):
    """Any update rule on any surface of two variables, from any start.

    `optimizer` and `objective` are instances or names; a name brings the playground's
    values with it (for Adam 30 steps as well). Result: `trajectory`.
    """

    optimizer = Member(kind="rule", precedence=-1, doc="The update rule.")
    objective = Member(kind="objective", precedence=-1, doc="The surface.")
    start = param.NumericTuple((-5.0, -2.0), length=2, precedence=-1, doc="Where the run begins.")
    objective_name = param.Selector(default="Quadratic 0.1 x² + 2 y²", objects=offered_surfaces(), label="Surface")
    formula = formula_parameter()
    optimizer_name = param.Selector(default="SGD", objects=list(rules()), label="Optimizer")
    steps = param.Integer(50, bounds=(1, 10_000), softbounds=(1, 300), doc="How many steps to take.")
    clip = param.Number(0.0, bounds=(0, None), softbounds=(0, 10), step=0.1, precedence=2,
                        label="Clip gradients (0: none)",
                        doc="Values of the gradient beyond this are cut; 0 cuts nothing.")  # fmt: skip
    start_x = param.Number(-5.0, precedence=2, label="Start x", doc="Drag the ring or click the surface instead.")
    start_y = param.Number(-2.0, precedence=2, label="Start y", doc="Drag the ring or click the surface instead.")
    basins = param.Selector(default=OFF, objects=[OFF, REACHED, SPEED], label="Colour each start by")
    fit_axes = param.Event(label="Fit axes to this run", doc="The axes stay put while you move a knob.")

    title = "Descent on a surface"
    order = 1
    lessons = (LEARNING_RATE, MOMENTUM)
    sentence = "Where a rule walks, how fast the loss falls, and what each step is made of."

    def __init__(self, **params):
        params.setdefault("optimizer", params.get("optimizer_name", "SGD"))
        params["objective"] = given_surface(params, "Quadratic", "SurfaceDescent.objective")
        self._watched: list[tuple[Any, Any]] = []
        named = isinstance(params["optimizer"], str)
        params["optimizer"] = resolved("rule", params["optimizer"], "SurfaceDescent.optimizer")
        if named:
            params.setdefault("steps", _preset_steps(params["optimizer"]))
            rule, objective = params["optimizer"], params["objective"]
            if has_rate(rule, objective):
                params["optimizer"] = with_setting(rule, "lr", first_rate(half_limited(rule, objective), objective))
        params["start"] = first_start(params, params["objective"].starts[0])
        super().__init__(**params)
        self.settle({"optimizer", "objective", "start"})

    @property
    def trajectory(self) -> Trajectory:
        """The run as it stands."""
        return self.results["trajectory"]

    # keeping the parameters in step with each other

    def follow(self, changed: set[str]) -> dict[str, Any]:
        """Names, typed starts and presets follow what was set; what was set itself wins."""
        new: dict[str, Any] = {}
        if "optimizer_name" in changed and "optimizer" not in changed:
            new["optimizer"] = self.chosen("rule", self.optimizer_name)
            if "steps" not in changed:
                new["steps"] = _preset_steps(new["optimizer"])
        if changed & CHOICES and "objective" not in changed:
            new["objective"] = surface_of(self, changed)
        new |= at_first_rate(self, changed, new)
        objective, optimizer = new.get("objective", self.objective), new.get("optimizer", self.optimizer)
        new |= followed(self, changed, objective.starts[0] if changed & {"objective", *CHOICES} else None)
        new["formula"] = text_of(objective, self.formula)
        return new | {"optimizer_name": self.offered("rule", "optimizer_name", optimizer),
                      "objective_name": self.offered("objective", "objective_name", objective)}  # fmt: skip

    def typed_surface(self) -> Any:
        return self.objective if isinstance(self.objective, Formula) else None

    def settle(self, changed: set[str]) -> None:
        super().settle(changed)
        self._watch_members()

    def _watch_members(self) -> None:
        members = [m for m in (self.optimizer, self.objective) if isinstance(m, param.Parameterized)]
        if [m for m, _ in self._watched] == members:
            return
        for member, watcher in self._watched:
            member.param.unwatch(watcher)
        self._watched = [
            (m, m.param.watch(weakly(self._changed), [n for n in m.param if n != "name"])) for m in members
        ]

    # numbers

    def compute(self) -> dict[str, Any]:
        run = descend(self.objective, self.optimizer, self.start, self.steps, clip=self.clip or None)
        if not np.isfinite(run.loss[0, 0]):
            refuse("SurfaceDescent", "needs a start where the loss is finite", self.start)
        box = frame_of(self.objective.domain, self.start)
        scape = self.remember("landscape", (self._surface_key(), box), lambda: self._landscape(box))
        lowest = self.remember("lowest", self._surface_key(), lambda: lowest_loss(self.objective))
        found = {"trajectory": run, "box": box, "lowest": lowest, "landscape": scape[0], "floor": scape[1],
                 "values": scape[2]}  # fmt: skip
        known = hasattr(self.objective, "traced") and run.lanes == 1
        local = self.remember("minima", self._surface_key(), lambda: known_minima(self.objective))
        expected = outlook(self.optimizer, self.objective, run, local, lowest, self.clip) if known else None
        basins = self._basins(box, local) if known and self.basins != OFF else None
        ends = None if basins is None else basins.found
        return {**found, "minima": local, "outlook": expected, "basins": ends, "picture": basins}

    def _basins(self, box, local) -> Picture | None:
        """Where the rule takes every start of the picture; None for what runs through torch."""
        if not isinstance(self.optimizer, Rule):
            return None
        rule = tuple([setting(self.optimizer, name) for name in names_of(self.optimizer)])
        steps = max(self.steps, BASIN_STEPS)

        def axes(stage):
            return axes_of(box, cells_aside(stage, steps))

        def cells(xs, ys):
            return basin_map(self.objective, self.optimizer, local, xs, ys, steps, ARRIVED, self.clip)

        key = (id(self.optimizer), rule, self.clip, self._surface_key(), box, steps)
        about = {"points": local["points"], "valleys": local["valleys"], "steps": steps}
        return self.remember("basins", key, lambda: Picture(self.coarsest, steps, axes, cells, about))

    def _surface_key(self) -> tuple:
        shape = self.objective.shape_values() if hasattr(self.objective, "shape_values") else ()
        return (id(self.objective), tuple(shape))

    def _landscape(self, box) -> tuple[Landscape, float, np.ndarray]:
        size = 160 if hasattr(self.objective, "traced") else 60
        xs, ys = axes_of(box, size)
        values = self.objective.value(*np.meshgrid(xs, ys))
        lowest = lowest_loss(self.objective)
        floor = float(np.nanmin(values)) if lowest is None else lowest
        of = " of the picture" if lowest is None else ""
        return Landscape(values, box, floor, of=of), floor, values

    # pictures

    def figures(self) -> list[Figure]:
        return [
            Figure("surface", {
                "image": surface(), "arrivals": surface(label="arrivals"), "kinds": basins("kinds"),
                "levels": lines("white", alpha=0.45),
                "path": curve(ORANGE, "path", path=True, line_width=2.2),
                **stars(),
                "begin": marks("white", "circle", 12, "start", line_color="#111111", line_width=2),
                "end": marks(ORANGE, "square", 9, "end", line_color="white", line_width=1.2),
                "left": marks(RED, "x", 12, line_width=3), "left_text": texts(RED, inward=True),
                **step_arrows(), **moment(13, line=False),
            }, xlabel=self.objective.names[0], ylabel=self.objective.names[1], height=560, legend="bottom_right",
                tap=self._begin_at, drag=("begin", self._begin_at)),
            Figure("loss", {
                "loss": curve(ORANGE), "expected": curve(GREY, "rate expected", line_dash="dashed"),
                **off_scale_marks(), **moment(),
            }, xlabel="step", logy=True, height=185, bare_x=True, legend="top_right"),
            Figure("values", {
                "first": curve(BLUE, "x"), "second": curve(ORANGE, "y"), **off_scale_marks(), **moment(),
            }, xlabel="step", height=175, bare_x=True, legend="top_right"),
            Figure("updates", {
                "first": curve(BLUE, "x"), "second": curve(ORANGE, "y"), **off_scale_marks(), **moment(),
            }, xlabel="step", height=215, legend="top_right"),
        ]  # fmt: skip

    def _begin_at(self, x: float, y: float) -> None:
        self.start = (float(x), float(y))

    def draw(self) -> dict[str, Drawing]:
        return {"surface": self._draw_surface(), **self._draw_series()}

    def _draw_surface(self) -> Drawing:
        run, box, minima = self.trajectory, self.results["box"], self.results["minima"]
        deep = lowest_among(minima, self.results["lowest"])
        path = path_columns(run.x, box)
        scape: Landscape = self.results["landscape"]
        begin = {"x": run.x[0, :, 0], "y": run.x[0, :, 1]}
        ends = np.array([lane[np.isfinite(lane).all(axis=1)][-1] for lane in run.x.swapaxes(0, 1)])
        left, note = self._left(box)
        layers = {
            "image": scape.image, **self._basin_pictures(box), "levels": scape.lines, "path": path,
            **star_columns(minima["points"], deep),
            "begin": begin, "end": {"x": ends[:, 0], "y": ends[:, 1]}, "left": left, "left_text": note,
        }  # fmt: skip
        title = f"{label_of(self.optimizer)} on {label_of(self.objective)}"
        span = self._arrivals()
        limits = {"image": scape.limits, "arrivals": span, "kinds": (-0.5, GONE + 0.5)}
        keys = {**star_keys(deep), **self._scales_of_starts(span[1])}
        return Drawing(layers, box[::2], box[1::2], title, keys, limits, hover=scape.reads)

    def _arrivals(self) -> tuple[float, float]:
        """The steps that get the ends' colours where starts are coloured by them: most starts are below the upper."""
        found = self.results["basins"]
        if found is None or self.basins != SPEED:
            return 0.0, float(max(self.steps, BASIN_STEPS))
        steps = np.sort(found["arrived"][np.isfinite(found["arrived"])])
        return 0.0, nice(float(steps[int(0.95 * (len(steps) - 1))])) if len(steps) > 0 else 1.0

    def _scales_of_starts(self, most: float) -> dict[str, str]:
        """What the keys of the colours of starts say."""
        if self.results["basins"] is None:
            return {"arrivals": "", "kinds": ""}
        if self.basins == SPEED:
            return {"arrivals": f"0 to {most:.0f} steps", "kinds": "grey: none, dark red: diverges"}
        return {"arrivals": "", "kinds": "a colour a minimum, grey: none, dark red: diverges"}

    def _basin_pictures(self, box) -> dict[str, dict]:
        found, by = self.results["basins"], self.basins
        key = (0 if found is None else id(found), by, box)
        return self.remember("pictures", key, lambda: basin_columns(found, by == SPEED, box))

    def _left(self, box) -> tuple[dict, dict]:
        """The marks of runs that leave the frame, and what they say."""
        found = [exit_of(lane, box) for lane in self.trajectory.x.swapaxes(0, 1)]
        seen = [(e[1], e[2], f"left at step {e[0]}") for e in found if e]
        xs, ys, words = zip(*seen, strict=True) if seen else ((), (), ())
        spot = {"x": np.array(xs, dtype=float), "y": np.array(ys, dtype=float)}
        return spot, {**spot, "text": np.array(words, dtype=object), **inward(xs, ys, box)}

    def _draw_series(self) -> dict[str, Drawing]:
        run, lanes = self.trajectory, self.trajectory.lanes
        above = run.loss - self.results["floor"]
        shown = np.where(above > 0, above, np.nan)  # a log axis has no zero; the status line says so
        ranges = self.remember("ranges", self._axes_key(), lambda: self._ranges(above))
        at = joined(np.tile(np.arange(run.steps + 1, dtype=np.float32)[:, None], lanes))
        after = joined(np.tile(np.arange(1, run.steps + 1, dtype=np.float32)[:, None], lanes))
        span = (0.0, float(run.steps))
        expected = expected_loss(self.results["outlook"], run.loss[:, 0], self.results["floor"], ranges["loss"])
        of = " of the picture" if self.results["lowest"] is None else ""
        loss = {"loss": {"x": at, "y": joined(loggable(above))}, "expected": expected,
                **off_scale(shown, ranges["loss"])}  # fmt: skip
        values = pair_columns(at, run.x, ranges["values"], 0)
        updates = pair_columns(after, run.updates, ranges["updates"], 1)
        return {
            "loss": Drawing(loss, span, ranges["loss"], f"Loss above the lowest value{of}, against step"),
            "values": Drawing(values, span, ranges["values"], "Value of each coordinate"),
            "updates": Drawing(updates, span, ranges["updates"], "Update of each coordinate"),
        }

    def played(self) -> list[Played]:
        return lanes_played(self.trajectory, self.optimizer, self.objective, "surface")

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        return surface_playhead(self, step)

    def _axes_key(self) -> tuple:
        return (id(self.objective), type(self.optimizer).__name__, id(self.optimizer), self._fit)

    def _ranges(self, above: np.ndarray) -> dict[str, tuple[float, float]]:
        x0, y0, x1, y1 = self.results["box"]
        low, high = min(x0, y0), max(x1, y1)
        return {
            "loss": decades(above),
            "values": (low, high),
            "updates": symmetric(self.trajectory.updates, most=(high - low) / 1.4),
        }

    # words

    def status(self) -> str:
        run = self.trajectory
        if run.diverged[0]:
            said = f"<b>Diverged at step {run.diverged[0]}</b>: no longer finite."
        else:
            first, last = run.loss[0, 0], run.loss[-1, 0]
            away = distance_text(self.results["outlook"], self.results["minima"]["points"], run.final[0])
            said = (f"After {many(run.steps, 'step')}: loss <b>{shown(last, 4)}</b> (from {shown(first, 4)}) "
                    f"at {place(run.final[0], 4)}{away}.")  # fmt: skip
        gone = exit_of(run.x[:, 0], self.results["box"])
        lowest = self.results["lowest"]
        zero = np.flatnonzero(run.loss[:, 0] == (math.nan if lowest is None else lowest))
        return (
            said
            + widened(self.objective.domain, self.start)
            + (f" It left the frame at step {gone[0]}." if gone else "")
            + ("" if self.results["minima"]["complete"] else " Not all of the surface's many low places were searched.")
            + (f" The loss is exactly the minimum at step {zero[0]}: below a log axis." if zero.size else "")
        )

    def side(self) -> dict[str, str]:
        return {
            "formula": f"<h2>The rule</h2>{rule_mathml(self.optimizer)}",
            "numbers": _listed(self.optimizer),
            "objective": f"<h2>The surface</h2>{objective_mathml(self.objective)}",
            "shape": _listed(self.objective),
            "outlook": self._outlook(),
        }

    def shade(self) -> dict[str, float]:
        found = self.results["outlook"]
        limit = None if found is None else found["limit"]
        return {"optimizer.lr": math.inf if limit is None else limit}

    def _outlook(self) -> str:
        found, shares = self.results["outlook"], basin_shares(self.results["basins"])
        return "" if found is None else shares + outlook_text(found)

    notes = NOTES

    def controls(self, members: Members | None = None) -> list[Any]:
        menu = knobs_of(self, ["objective_name"])
        main = pn.Column(menu, formula_knobs(self, menu, "objective_name"), knobs_of(self, ["optimizer_name"]),
                         sizing_mode="stretch_width", margin=0)  # fmt: skip
        rest = [n for n in ("steps", "clip", "start_x", "start_y", "basins", "fit_axes") if n in self.menu()]
        made = self._member_controls if members is None else every_knob(members, (self.optimizer, self.objective))
        return [main, pn.Column(made, sizing_mode="stretch_width", margin=0), knobs_of(self, rest)]

    @param.depends("optimizer", "objective")
    def _member_controls(self):
        parts = [member_knobs(m) for m in (self.optimizer, self.objective) if names_shown(m)]
        if parts and parts[0].object is self.optimizer:
            shade(parts[0], "lr", self.shade()["optimizer.lr"])
            close(parts[0], shut(self.optimizer))
        return pn.Column(*parts, sizing_mode="stretch_width", margin=0)

    def members(self) -> Members:
        found: dict[tuple[str, str], Any] = {}
        for name, kind, catalogue in (("optimizer", "rule", rules()), ("objective", "objective", surfaces())):
            found |= {(name, label): resolved(kind, label, "SurfaceDescent") for label in catalogue}
            found |= {(name, label): own for (which, label), own in self._own.items() if which == kind}
            found |= {(name, OWN): Formula(self.formula)} if kind == "objective" else {}
            current = getattr(self, name)
            found[name, label_of(current)] = current
        return found

    def arrange(self, page) -> Any:
        *beside, below = page.blocks.values()
        return frame(
            [*page.controls, under_knobs(*beside)],
            [page.message, page.status, *page.pictures("surface")],
            page.pictures("loss", "values", "updates"),
            [below, html(self.notes, "notes")],
            beside=True,
        )


def _preset_steps(rule: Any) -> int:
    return getattr(rule, "preset_steps", 50)


def _listed(member: Any) -> str:
    """The symbols of a formula with their current values."""
    return ", &ensp;".join(f"{symbol} = {value}" for symbol, value in hyperparameter_mathml(member))
