"""A rule on a surface: where it goes, how fast the loss falls, what each step is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import panel as pn
import param

from ..experiment import Experiment, Members
from ..lessons.counter_examples import COUNTER_EXAMPLES
from ..lessons.learning_rate import LEARNING_RATE
from ..lessons.momentum import MOMENTUM
from ..maps.basins import basin_map, known_minima
from ..maps.stages import Picture, cells_aside
from ..menus import Member, label_of, names_of, resolved, rules, setting, surfaces, with_setting
from ..messages import refuse
from ..objectives.formula import OWN, Formula
from ..objectives.minima import lowest_loss
from ..objectives.objective import variables_shown
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
from ..pictures.profile import profile_layers
from ..pictures.scene import (
    axes_of,
    basin_columns,
    decades,
    exit_of,
    expected_loss,
    frame_of,
    joined,
    loggable,
    off_scale,
    symmetric,
)
from ..plurals import many
from ..readings.equations import objective_mathml, rule_mathml
from ..rules.rule import Rule, shut
from ..runs.descent import descend
from ..runs.steps import Played
from ..runs.trajectory import Trajectory
from ..state.weak import weakly
from ..theory.outlook import outlook, point_shown
from ..theory.verdicts import place, shown
from .edge_pictures import (
    band_layers,
    drawn_sharpness,
    flow_keys,
    flow_of,
    flow_text,
    mean_columns,
    mean_layer,
    sharpness_figure,
)
from .first_rates import at_first_rate, first_rate, half_limited, has_rate
from .scheduled import Scheduled, rate_drawing, rate_figure, schedule_knobs, schedule_text, steady_limit
from .starts import first_start, followed, start_held
from .surface_knobs import every_knob, member_knobs, names_shown
from .surface_pictures import drawn_surface, keys_shown, landscape_of, pair_shown, view_of
from .surface_words import NOTES
from .typed import CHOICES, formula_parameter, given_surface, offered_surfaces, surface_of, text_of
from .walks import lanes_played, surface_playhead
from .words import basin_shares, distance_text, listed, outlook_text, widened

OFF, REACHED, SPEED = "the loss", "the minimum reached", "the steps to get there"
BASIN_STEPS = 200  # of every start's run, if not more are asked for
ARRIVED = 1e-3  # how far above the minimum's a loss counts as having got there


class SurfaceDescent(Scheduled, Experiment):
    """Any update rule on any surface of two variables, or curve of one, from any start.

    `optimizer` and `objective` are instances or names; a name brings the playground's
    values with it (for Adam 30 steps as well). Result: `trajectory`.
    """

    optimizer = Member(kind="rule", precedence=-1, doc="The update rule.")
    objective = Member(kind="objective", curves=True, precedence=-1, doc="The surface, or curve.")
    start = param.NumericTuple((-5.0, -2.0), length=2, precedence=-1, doc="Where the run begins.")
    objective_name = param.Selector(
        default="Quadratic 0.1 x² + 2 y²", objects=offered_surfaces(curves=True), label="Surface"
    )
    formula = formula_parameter()
    optimizer_name = param.Selector(default="SGD", objects=list(rules()), label="Optimizer")
    steps = param.Integer(50, bounds=(1, 10_000), softbounds=(1, 300), doc="How many steps to take.")
    clip = param.Number(0.0, bounds=(0, None), softbounds=(0, 10), step=0.1, precedence=2,
                        label="Clip gradients (0: none)",
                        doc="Values of the gradient beyond this are cut; 0 cuts nothing.")  # fmt: skip
    start_x = param.Number(-5.0, precedence=2, label="Start x", doc="Drag the ring or click the surface instead.")
    start_y = param.Number(-2.0, precedence=2, label="Start y", doc="Drag the ring or click the surface instead.")
    basins = param.Selector(default=OFF, objects=[OFF, REACHED, SPEED], label="Colour each start by")
    flow = param.Boolean(False, precedence=2, label="Sharpness and central flow",
                         doc="lr times the largest curvature beside its limit; the way between swings.")  # fmt: skip
    fit_axes = param.Event(label="Fit axes to this run", doc="The axes stay put while you move a knob.")

    title = "Descent on a surface"
    order = 1
    lessons = (LEARNING_RATE, MOMENTUM)
    counter_examples = COUNTER_EXAMPLES
    sentence = "Where a rule walks, how fast the loss falls, and what each step is made of."

    def __init__(self, **params):
        params.setdefault("optimizer", params.get("optimizer_name", "SGD"))
        params["objective"] = given_surface(params, "Quadratic", "SurfaceDescent.objective", curves=True)
        self._watched: list[tuple[Any, Any]] = []
        given_steps = "steps" in params
        named = isinstance(params["optimizer"], str)
        params["optimizer"] = resolved("rule", params["optimizer"], "SurfaceDescent.optimizer")
        if named:
            params.setdefault("steps", _preset_steps(params["optimizer"]))
            rule, objective = params["optimizer"], params["objective"]
            if has_rate(rule, objective):
                params["optimizer"] = with_setting(rule, "lr", first_rate(half_limited(rule, objective), objective))
        params["start"] = start_held(params["objective"], first_start(params, params["objective"].starts[0]))
        params.setdefault("flow", params["objective"].at_edge)
        if params["objective"].usual_steps is not None and not given_steps:
            params["steps"] = params["objective"].usual_steps
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
            new["objective"] = surface_of(self, changed, True)
            if "steps" not in changed and new["objective"].usual_steps is not None:
                new["steps"] = new["objective"].usual_steps
            if "flow" not in changed:
                new["flow"] = new["objective"].at_edge
        new |= at_first_rate(self, changed, new) | self.follow_schedule(changed)
        objective, optimizer = new.get("objective", self.objective), new.get("optimizer", self.optimizer)
        new |= followed(self, changed, objective.starts[0] if changed & {"objective", *CHOICES} else None)
        if objective.is_curve:
            new |= {"start": (new["start"][0], 0.0), "start_y": 0.0}
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
        schedule = self.rate_schedule()
        run = descend(self.objective, self.optimizer, self.start, self.steps, clip=self.clip or None, schedule=schedule)
        if not np.isfinite(run.loss[0, 0]):
            refuse("SurfaceDescent", "needs a start where the loss is finite", self.start)
        box = frame_of(self.objective.domain, self.start)
        scape = self.remember("landscape", (self._surface_key(), box), lambda: landscape_of(self.objective, box))
        lowest = self.remember("lowest", self._surface_key(), lambda: lowest_loss(self.objective))
        found = {"trajectory": run, "box": box, "lowest": lowest, "landscape": scape[0], "floor": scape[1],
                 "values": scape[2]}  # fmt: skip
        known = hasattr(self.objective, "traced") and run.lanes == 1
        local = self.remember("minima", self._surface_key(), lambda: known_minima(self.objective))
        moves = schedule is not None
        expected = outlook(self.optimizer, self.objective, run, local, lowest, self.clip, moves) if known else None
        basins = self._basins(box, local) if known and self.basins != OFF else None
        ends = None if basins is None else basins.found
        flow = flow_of(self, run) if known and self.flow else None
        return {**found, "minima": local, "outlook": expected, "basins": ends, "picture": basins, "flow": flow}

    def _basins(self, box, local) -> Picture | None:
        """Where the rule takes every start of the picture; None for what runs through torch."""
        if not isinstance(self.optimizer, Rule):
            return None
        rule = tuple([setting(self.optimizer, name) for name in names_of(self.optimizer)])
        steps, curve, schedule = self.basin_steps(), self.objective.is_curve, self.rate_schedule()

        def axes(stage):
            count = cells_aside(stage, steps)  # runs whose momentum is moved are walked one after the other
            xs, ys = axes_of(box, count if self.cycled() == "" else min(count, 40))
            return (xs, np.zeros(1)) if curve else (xs, ys)

        def cells(xs, ys):
            return basin_map(self.objective, self.optimizer, local, xs, ys, steps, ARRIVED, self.clip, schedule)

        key = (id(self.optimizer), rule, self.clip, self.schedule_key(), self._surface_key(), box, steps)
        points = local["points"][:, : variables_shown(self.objective)]
        about = {"points": points, "valleys": local["valleys"], "steps": steps}
        return self.remember("basins", key, lambda: Picture(self.coarsest, steps, axes, cells, about))

    def basin_steps(self) -> int:
        """How many steps the run of every start takes."""
        return max(self.steps, BASIN_STEPS)

    def _surface_key(self) -> tuple:
        shape = self.objective.shape_values() if hasattr(self.objective, "shape_values") else ()
        return (id(self.objective), tuple(shape))

    # pictures

    def figures(self) -> list[Figure]:
        return [
            Figure("surface", {
                "image": surface(), "arrivals": surface(label="arrivals"), "kinds": basins("kinds"),
                "levels": lines("white", alpha=0.45), **profile_layers(),
                "path": curve(ORANGE, "path", path=True, line_width=2.2), **band_layers(),
                **stars(),
                "begin": marks("white", "circle", 12, "start", line_color="#111111", line_width=2),
                "end": marks(ORANGE, "square", 9, "end", line_color="white", line_width=1.2),
                "left": marks(RED, "x", 12, line_width=3), "left_text": texts(RED, inward=True),
                **step_arrows(), **moment(13, line=False),
            }, xlabel=self.objective.names[0], ylabel=self.objective.names[1], height=560, legend="bottom_right",
                tap=self._begin_at, drag=("begin", self._begin_at)),
            Figure("loss", {
                "loss": curve(ORANGE), "expected": curve(GREY, "rate expected", line_dash="dashed"),
                "mean": mean_layer(), **off_scale_marks(), **moment(),
            }, xlabel="step", logy=True, height=185, bare_x=True, legend="top_right"),
            rate_figure(),
            sharpness_figure(),
            Figure("values", {
                "first": curve(BLUE, "x"), "second": curve(ORANGE, "y"), **off_scale_marks(), **moment(),
            }, xlabel="step", height=175, bare_x=True, legend="top_right"),
            Figure("updates", {
                "first": curve(BLUE, "x"), "second": curve(ORANGE, "y"), **off_scale_marks(), **moment(),
            }, xlabel="step", height=215, legend="top_right"),
        ]  # fmt: skip

    def _begin_at(self, x: float, y: float) -> None:
        self.start = (float(x), 0.0 if self.objective.is_curve else float(y))

    def draw(self) -> dict[str, Drawing]:
        return {"surface": self._draw_surface(), **self._draw_series()}

    def _draw_surface(self) -> Drawing:
        return drawn_surface(self, self.basins == SPEED, self._basin_pictures(view_of(self)))

    def _basin_pictures(self, box) -> dict[str, dict]:
        found, by = self.results["basins"], self.basins
        key = (0 if found is None else id(found), by, box)
        return self.remember("pictures", key, lambda: basin_columns(found, by == SPEED, box))

    def _draw_series(self) -> dict[str, Drawing]:
        run, lanes = self.trajectory, self.trajectory.lanes
        above = run.loss - self.results["floor"]
        shown = np.where(above > 0, above, np.nan)  # a log axis has no zero; the status line says so
        ranges = self.remember("ranges", self._axes_key(), lambda: self._ranges(above))
        at = joined(np.tile(np.arange(run.steps + 1, dtype=np.float32)[:, None], lanes))
        after = joined(np.tile(np.arange(1, run.steps + 1, dtype=np.float32)[:, None], lanes))
        span = (0.0, float(run.steps))
        expected = expected_loss(self.results["outlook"], run.loss[:, 0], self.results["floor"], ranges["loss"])
        of, keys = " of the picture" if self.results["lowest"] is None else "", keys_shown(self.objective)
        loss = {"loss": {"x": at, "y": joined(loggable(above))}, "expected": expected,
                "mean": mean_columns(self), **off_scale(shown, ranges["loss"])}  # fmt: skip
        values = pair_shown(self.objective, at, run.x, ranges["values"], 0)
        updates = pair_shown(self.objective, after, run.updates, ranges["updates"], 1)
        schedule, said = self.rate_schedule(), flow_keys(self)
        said = said if schedule is None else {**said, "rate expected": ""}
        return {
            "loss": Drawing(loss, span, ranges["loss"], f"Loss above the lowest value{of}, against step", said),
            "rate": rate_drawing(schedule, run, steady_limit(self.results["outlook"], run)),
            "sharpness": drawn_sharpness(self),
            "values": Drawing(values, span, ranges["values"], "Value of each coordinate", keys),
            "updates": Drawing(updates, span, ranges["updates"], "Update of each coordinate", keys),
        }

    def played(self) -> list[Played]:
        return lanes_played(self.trajectory, self.rule_shown(), self.objective, "surface")

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        return surface_playhead(self, step)

    def _axes_key(self) -> tuple:
        return (id(self.objective), type(self.optimizer).__name__, id(self.optimizer), self._fit)

    def _ranges(self, above: np.ndarray) -> dict[str, tuple[float, float]]:
        x0, y0, x1, y1 = self.results["box"]
        low, high = (x0, x1) if self.objective.is_curve else (min(x0, y0), max(x1, y1))
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
                    f"at {place(point_shown(self.objective, run.final[0]), 4)}{away}.")  # fmt: skip
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
            "formula": f"<h2>The rule</h2>{rule_mathml(self.rule_shown())}",
            "numbers": listed(self.rule_shown()),
            "schedule": schedule_text(self.rate_schedule(), self.optimizer),
            "objective": f"<h2>The surface</h2>{objective_mathml(self.objective)}",
            "shape": listed(self.objective),
            "outlook": self._outlook(),
        }

    def shade(self) -> dict[str, float]:
        found = self.results["outlook"]
        limit = None if found is None or self.rate_schedule() is not None else found["limit"]
        return {"optimizer.lr": math.inf if limit is None else limit}

    def _outlook(self) -> str:
        found, shares = self.results["outlook"], basin_shares(self.results["basins"])
        return "" if found is None else shares + flow_text(self) + outlook_text(found)

    notes = NOTES

    def controls(self, members: Members | None = None) -> list[Any]:
        menu = knobs_of(self, ["objective_name"])
        main = pn.Column(menu, formula_knobs(self, menu, "objective_name"), knobs_of(self, ["optimizer_name"]),
                         sizing_mode="stretch_width", margin=0)  # fmt: skip
        rest = [n for n in ("steps", "clip", "start_x", "start_y", "basins", "flow", "fit_axes") if n in self.menu()]
        made = self._member_controls if members is None else every_knob(members, (self.optimizer, self.objective))
        return [
            main,
            pn.Column(made, sizing_mode="stretch_width", margin=0),
            schedule_knobs(self),
            knobs_of(self, rest),
        ]

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
            found |= {(name, OWN): Formula(self.formula, curve=True)} if kind == "objective" else {}
            current = getattr(self, name)
            found[name, label_of(current)] = current
        return found

    def arrange(self, page) -> Any:
        *beside, below = page.blocks.values()
        return frame(
            [*page.controls, under_knobs(*beside)],
            [page.message, page.status, *page.pictures("surface")],
            page.pictures("loss", "rate", "sharpness", "values", "updates"),
            [below, html(self.notes, "notes")],
            beside=True,
        )


def _preset_steps(rule: Any) -> int:
    return getattr(rule, "preset_steps", 50)
