"""Several rules on one surface, compared fairly: by their own rates, one rate, one step, or each tuned."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import panel as pn
import param

from ..experiment import Experiment, Members
from ..maps.basins import known_minima
from ..menus import Member, label_of, resolved, surfaces
from ..messages import refuse
from ..objectives.formula import OWN, Formula
from ..objectives.minima import lowest_loss
from ..page.controls import knobs_of
from ..page.formula_field import formula_knobs
from ..page.layout import frame, html
from ..pictures.layers import GREY, RED, Drawing, Figure, cased, curve, lines, marks, stars, surface
from ..pictures.playheads import at_step, marked, moment, step_arrows
from ..pictures.scene import (
    EMPTY,
    Landscape,
    axes_of,
    decades,
    exit_of,
    frame_of,
    loggable,
    path_columns,
    star_columns,
    star_keys,
)
from ..rules.rule import Rule
from ..runs.descent import descend
from ..runs.steps import Played
from ..runs.trajectory import Trajectory
from ..spans import RATES, Spanned
from ..state.weak import weakly
from ..theory.outlook import lowest_among
from ..theory.verdicts import shown
from .race_rates import begun_at, brought_rates, usual_of
from .race_trials import drawn_trials
from .race_words import NOTES, standing, table
from .racers import (
    BASELINES,
    COLOURS,
    FAIR,
    KEYS,
    KNOBS,
    NAMES,
    STYLES,
    TOLERANCES,
    TUNED,
    fairness_knobs,
    rate,
    rate_of,
    rates_tried,
    rule_of,
    share,
    surface_knobs,
    switch,
    trial_knobs,
)
from .starts import first_start, followed
from .typed import CHOICES, formula_parameter, given_surface, offered_surfaces, surface_of, text_of
from .words import widened


class Race(Experiment):
    """Rules side by side on one surface from one start, SGD and Adam always among them.

    `fairness` decides the learning rates: each rule's own, one for all, one effective step
    lr / (1 - momentum) for all, or "each tuned": the best of the same `trials` learning rates,
    evenly spaced by their logarithm from 10**lowest to 10**highest and rounded to four digits, by the
    final loss; nothing else is tuned. Results: `runs` and `tuning` by name of the rule.
    """

    objective = Member(kind="objective", precedence=-1, doc="The surface.")
    start = param.NumericTuple((-1.2, 1.0), length=2, precedence=-1, doc="Where every run begins.")
    objective_name = param.Selector(default="Rosenbrock", objects=offered_surfaces(), label="Surface")
    formula = formula_parameter()
    fairness = param.Selector(default=TUNED, objects=FAIR, label="Fairness", doc="What the rules have in common.")
    lr = Spanned(0.002, bounds=(0, None), softbounds=(0, 0.2), step=0.0005, span=RATES, label="Learning rate",
                      doc="The one, or lr / (1 - momentum), that all share; the last plot's grey line.")  # fmt: skip
    trials = param.Integer(40, bounds=(2, 200), softbounds=(2, 80), label="Trials each",
                           doc="How many learning rates every rule may try.")  # fmt: skip
    lowest = param.Number(-4.0, bounds=(-8, -1), step=0.5, precedence=2, label="Lowest lr tried",
                          doc="The same for every rule.")  # fmt: skip
    highest = param.Number(1.0, bounds=(-0.5, 3), step=0.5, precedence=2, label="Highest lr tried",
                           doc="The same for every rule.")  # fmt: skip
    steps = param.Integer(100, bounds=(1, 10_000), softbounds=(1, 300), doc="How many steps every run takes.")
    clip = param.Number(0.0, bounds=(0, None), softbounds=(0, 10), step=0.1, precedence=2,
                        label="Clip gradients (0: none)",
                        doc="Values of the gradient beyond this are cut, for every rule; 0 cuts nothing.")  # fmt: skip
    tolerance = param.Selector(
        default=1e-1, objects=TOLERANCES, precedence=2, doc="The loss above the lowest that counts as there."
    )
    start_x = param.Number(-1.2, precedence=2, label="Start x", doc="Drag the ring or click the surface instead.")
    start_y = param.Number(1.0, precedence=2, label="Start y", doc="Drag the ring or click the surface instead.")
    fit_axes = param.Event(label="Fit axes to these runs", doc="The axes stay put while you move a knob.")

    sgd_lr = rate("SGD")
    adam_lr = rate("Adam")
    adam_beta1 = share("Adam", "beta1")
    adam_beta2 = share("Adam", "beta2")
    heavy_ball = switch("heavy ball")
    heavy_ball_lr = rate("heavy ball")
    heavy_ball_momentum = share("heavy ball", "momentum", default=0.9)
    nesterov = switch("Nesterov")
    nesterov_lr = rate("Nesterov")
    nesterov_momentum = share("Nesterov", "momentum", default=0.9, inclusive_bounds=(False, False))
    adagrad = switch("Adagrad")
    adagrad_lr = rate("Adagrad")
    rmsprop = switch("RMSprop")
    rmsprop_lr = rate("RMSprop")
    rmsprop_alpha = share("RMSprop", "alpha")
    nadam = switch("NAdam")
    nadam_lr = rate("NAdam")
    nadam_beta1 = share("NAdam", "beta1")
    nadam_beta2 = share("NAdam", "beta2")
    lion = switch("Lion")
    lion_lr = rate("Lion")
    lion_beta1 = share("Lion", "beta1")
    lion_beta2 = share("Lion", "beta2")

    title = "A fair race"
    order = 7
    lines = (3, 4)
    sentence = "Several rules on one surface, each with the same budget of trials to find its learning rate."

    def __init__(self, **params):
        self._watched: Any = None
        self._usual = usual_of(self)
        chosen = params.keys() & {"objective", *CHOICES}
        params["objective"] = given_surface(params, type(self).param["objective_name"].default, "Race.objective")
        params["start"] = first_start(params, params["objective"].starts[0])
        super().__init__(**params)
        self.settle({"objective", "start"})
        rates = {n: v for n, v in begun_at(self, self._usual).items() if n not in params} if chosen else {}
        if any(getattr(self, name) != rate for name, rate in rates.items()):
            self.take(self, rates)
            self.restart()

    @property
    def runs(self) -> dict[str, dict[str, Any]]:
        """By rule: its `lr`, the points `x` (steps + 1, 2), `loss`, step `arrived` within the tolerance, `diverged`."""
        return self.results["runs"]

    @property
    def tuning(self) -> dict[str, dict[str, Any]]:
        """By rule: the learning rates tried, the `final` loss and step of divergence of each, and which is `best`."""
        return self.results["tuning"]

    def racers(self) -> list[str]:
        """The rules in the race, by name."""
        return [name for name in NAMES if name in BASELINES or getattr(self, KEYS[name])]

    def rule(self, name: str, lr: Any) -> Rule:
        """A racer with this learning rate, or with an array of them, one a lane."""
        return rule_of(self, name, lr)

    def follow(self, changed: set[str]) -> dict[str, Any]:
        """The surface follows its name, the start the surface, and typed numbers the start."""
        new: dict[str, Any] = {}
        if changed & CHOICES and "objective" not in changed:
            new["objective"] = surface_of(self, changed)
        new |= brought_rates(self, self._usual, changed, new)
        objective = new.get("objective", self.objective)
        new |= followed(self, changed, objective.starts[0] if changed & {"objective", *CHOICES} else None)
        new["formula"] = text_of(objective, self.formula)
        return new | {"objective_name": self.offered("objective", "objective_name", objective)}

    def typed_surface(self) -> Any:
        return self.objective if isinstance(self.objective, Formula) else None

    def settle(self, changed: set[str]) -> None:
        super().settle(changed)
        if isinstance(self.objective, param.Parameterized) and self._watched is not self.objective:
            self._watched = self.objective
            self.objective.param.watch(
                weakly(self._objective_changed), [n for n in self.objective.param if n != "name"]
            )

    def _objective_changed(self, *events: param.parameterized.Event) -> None:
        if events[0].obj is self.objective:  # one that was left behind changes nothing
            self._changed(*events)

    def members(self) -> Members:
        found = {("objective", label): resolved("objective", label, "Race") for label, cls in surfaces().items()
                 if not cls.is_curve}  # fmt: skip
        found |= {("objective", label): own for (_, label), own in self._own.items()}
        found["objective", OWN] = Formula(self.formula)
        return found | {("objective", label_of(self.objective)): self.objective}

    # numbers

    def memory(self) -> float:
        return 300.0 * self.trials * self.steps  # of one racer's trials, at their most; what is shown is 3 MB

    def compute(self) -> dict[str, Any]:
        box = frame_of(self.objective.domain, self.start)
        if not np.isfinite(self.objective.value(self.start[0], self.start[1])):
            refuse("Race", "needs a start where the loss is finite", self.start)
        scape, floor, values = self.remember("landscape", (*self._surface_key(), box), lambda: self._landscape(box))
        lowest = self.remember("lowest", self._surface_key(), lambda: lowest_loss(self.objective))
        local = self.remember("minima", self._surface_key(), lambda: known_minima(self.objective))
        racers = self.racers()
        tuning = {name: self._tried(name) for name in racers}
        runs = {name: self._raced(name, tuning[name], lowest) for name in racers}
        ends = np.array([np.inf if runs[name]["diverged"] else runs[name]["loss"][-1] for name in racers])
        places = [racers[int(k)] for k in np.argsort(ends, kind="stable")]
        return {"box": box, "landscape": scape, "values": values, "floor": floor, "lowest": lowest, "tuning": tuning,
                "runs": runs, "places": places, "minima": local}  # fmt: skip

    def _surface_key(self) -> tuple:
        shape = self.objective.shape_values() if hasattr(self.objective, "shape_values") else ()
        return (id(self.objective), *shape)

    def _landscape(self, box: Any) -> tuple[Landscape, float, np.ndarray]:
        size = 160 if hasattr(self.objective, "traced") else 60
        values = self.objective.value(*np.meshgrid(*axes_of(box, size)))
        lowest = lowest_loss(self.objective)
        floor = float(np.nanmin(values)) if lowest is None else lowest
        of = " of the picture" if lowest is None else ""
        return Landscape(values, box, floor, of=of), floor, values

    def _conditions(self, name: str) -> tuple:
        """All that a racer's run depends on, but for its learning rate."""
        own = [getattr(self, here) for here in KNOBS[name].values()]
        return (*self._surface_key(), *self.start, self.steps, self.clip, *own)

    def walk(self, name: str, lr: Any) -> Trajectory:
        """A racer's run with this learning rate, or with an array of them, one a lane."""
        return descend(self.objective, self.rule(name, lr), self.start, self.steps, clip=self.clip or None)

    def _tried(self, name: str) -> dict[str, Any]:
        """The racer's trials, one a learning rate, and the run of the best."""
        spread = (self.lowest, self.highest, self.trials)
        rates = self.remember("rates", spread, lambda: rates_tried(*spread))

        def tried():
            run = self.walk(name, rates)
            ends = np.where(run.diverged > 0, np.inf, run.loss[-1])
            best = int(np.argmin(ends))
            return {"lr": rates, "final": ends, "diverged": run.diverged, "best": best,
                    "x": run.x[:, best].copy(), "loss": run.loss[:, best].copy(), "run": run.only(best)}  # fmt: skip

        return self.remember(f"{name} trials", (*self._conditions(name), self.lowest, self.highest, self.trials), tried)

    def _raced(self, name: str, tried: dict[str, Any], lowest: float | None) -> dict[str, Any]:
        """The racer's run with the learning rate that fairness gives it."""
        if self.fairness == TUNED:
            best = tried["best"]
            run = {"lr": float(tried["lr"][best]), "x": tried["x"], "loss": tried["loss"], "run": tried["run"],
                   "diverged": int(tried["diverged"][best])}  # fmt: skip
        else:
            lr = rate_of(self, name)
            run = self.remember(f"{name} run", (*self._conditions(name), lr), lambda: self._alone(name, lr))
        there = run["loss"] - (math.nan if lowest is None else lowest) <= self.tolerance
        return {**run, "arrived": int(np.argmax(there)) if there.any() else -1}

    def _alone(self, name: str, lr: float) -> dict[str, Any]:
        run = self.walk(name, lr)
        # its own rate: a page that has stored trials takes the nearest of them
        return {"lr": float(run.rates[0, 0]), "x": run.x[:, 0], "loss": run.loss[:, 0], "run": run,
                "diverged": int(run.diverged[0])}  # fmt: skip

    # pictures

    def figures(self) -> list[Figure]:
        paths = {
            name: curve(COLOURS[name], name, line_dash=STYLES[name], hooks=[cased], line_width=2.4) for name in NAMES
        }
        ends = {f"{n} end": marks(COLOURS[n], "square", 9, line_color="white", line_width=1.5) for n in NAMES}
        curves = {name: curve(COLOURS[name], line_dash=STYLES[name]) for name in NAMES}
        trials = {name: curve(COLOURS[name], line_dash=STYLES[name], line_width=1.6) for name in NAMES}
        chosen = {f"{n} lr": marks(COLOURS[n], "circle", 11, line_color="white", line_width=1.5) for n in NAMES}
        gone = {f"{n} diverged": marks(COLOURS[n], "x", 6, line_width=1.6) for n in NAMES}
        return [
            Figure("surface", {
                "image": surface(), "levels": lines("white", alpha=0.45), **paths,
                **stars(),
                "begin": marks("white", "circle", 12, "start", line_color="#111111", line_width=2),
                **ends,
                "left": marks(RED, "x", 12, line_width=3),
                **step_arrows(), **moment(11, line=False),
            }, xlabel=self.objective.names[0], ylabel=self.objective.names[1], height=470, legend="bottom_right",
                tap=self._begin_at, drag=("begin", self._begin_at)),
            Figure("loss", {
                "tolerance": curve(GREY, line_dash="dashed", line_width=1.2), **curves, **moment(),
            }, xlabel="step", logy=True, height=300),
            Figure("sensitivity", {
                "shared": curve(GREY, line_dash="dashed", line_width=1.2),
                **trials, **chosen, **gone, "zero": marks(GREY, "inverted_triangle", 8),
            }, xlabel="learning rate", logy=True, height=340),
        ]  # fmt: skip

    def _begin_at(self, x: float, y: float) -> None:
        self.start = (float(x), float(y))

    def draw(self) -> dict[str, Drawing]:
        first = self.objective.value(self.start[0], self.start[1]) - self.results["floor"]
        ylim = self.remember("ranges", (id(self.objective), self._fit), lambda: self._range(float(first)))
        return {"surface": self._draw_surface(), "loss": self._draw_loss(ylim), "sensitivity": drawn_trials(self, ylim)}

    def _range(self, first: float) -> tuple[float, float]:
        """The losses of both plots: from the first, with room above, to the lowest that a racer reaches."""
        floor = self.results["floor"]
        each = [run["loss"] - floor for run in self.runs.values()]
        best = [np.array([np.min(tried["final"]) - floor]) for tried in self.tuning.values()]
        known = np.concatenate([*each, *best])
        low, _ = decades(np.where(known <= first, known, np.nan))
        top = 10.0 ** min(math.ceil(math.log10(first)) + 2, 308) if 0 < first < 1e300 else 1.0
        return max(min(low, top * 1e-5), top * 1e-18), top

    def _draw_surface(self) -> Drawing:
        box, scape = self.results["box"], self.results["landscape"]
        minima, runs = self.results["minima"], list(self.runs.values())
        deep = lowest_among(minima, self.results["lowest"])
        exits = [gone for gone in (exit_of(run["x"], box) for run in runs) if gone]
        layers = {
            "image": scape.image, "levels": scape.lines, **{name: self._path(name) for name in NAMES},
            **star_columns(minima["points"], deep),
            "begin": {"x": np.array([self.start[0]]), "y": np.array([self.start[1]])},
            **{f"{name} end": self._end(name) for name in NAMES},
            "left": {"x": np.array([e[1] for e in exits], dtype=float),
                     "y": np.array([e[2] for e in exits], dtype=float)},
        }  # fmt: skip
        named = {**star_keys(deep), **{name: name if name in self.runs else "" for name in NAMES}}
        return Drawing(layers, box[::2], box[1::2], label_of(self.objective), named, {"image": scape.limits},
                       hover=scape.reads)  # fmt: skip

    def _path(self, name: str) -> dict[str, np.ndarray]:
        return path_columns(self.runs[name]["x"][:, None], self.results["box"]) if name in self.runs else EMPTY

    def _end(self, name: str) -> dict[str, np.ndarray]:
        """The last point of a racer."""
        if name not in self.runs:
            return EMPTY
        x = self.runs[name]["x"]
        last = x[np.isfinite(x).all(axis=1)][-1]
        return {"x": last[:1], "y": last[1:]}

    def _draw_loss(self, ylim: tuple[float, float]) -> Drawing:
        steps, span = np.arange(self.steps + 1, dtype=np.float32), (0.0, float(self.steps))
        curves = {
            name: {"x": steps, "y": loggable(self.runs[name]["loss"] - self.results["floor"])}
            if name in self.runs else EMPTY for name in NAMES
        }  # fmt: skip
        if self.results["lowest"] is None:
            layers, title = {"tolerance": EMPTY, **curves}, "Loss above the lowest of the picture, against step"
            return Drawing(layers, span, ylim, title)
        line = {"x": np.array(span), "y": np.full(2, float(self.tolerance))}
        title = f"Loss above the lowest, against step (dashed: {shown(self.tolerance)})"
        return Drawing({"tolerance": line, **curves}, span, ylim, title)

    def played(self) -> list[Played]:
        return [Played(name, run["run"], 0, self.steps, self.rule(name, run["lr"]), self.objective, "surface", 0, 1)
                for name, run in self.runs.items()]  # fmt: skip

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        inks, points = [COLOURS[name] for name in self.runs], [run["x"][step] for run in self.runs.values()]
        above = [run["loss"][step] - self.results["floor"] for run in self.runs.values()]
        return {
            "surface": {"playhead": marked([point[0] for point in points], [point[1] for point in points], inks)},
            "loss": at_step(step, above, self.drawings["loss"].ylim, inks),
        }

    # words

    def status(self) -> str:
        return standing(self) + widened(self.objective.domain, self.start)

    def side(self) -> dict[str, str]:
        return {"places": table(self)}

    notes = NOTES

    def controls(self, members: Members | None = None) -> list[Any]:
        made = self._surface_controls if members is None else surface_knobs(self.objective, members, True)
        fairness, racers = fairness_knobs(self)
        menu = knobs_of(self, ["objective_name"])
        return [
            menu,
            formula_knobs(self, menu, "objective_name"),
            pn.Column(made, sizing_mode="stretch_width", margin=0),
            *fairness,
            trial_knobs(self),
            *racers,
        ]

    @param.depends("objective")
    def _surface_controls(self):
        return surface_knobs(self.objective, {("objective", ""): self.objective})

    carries = True

    def carried(self) -> Any:
        """What a page carries of a race that it cannot run: every trial."""
        from .carried import trials_of_a_race

        return trials_of_a_race(self)

    def arrange(self, page) -> Any:
        return frame(
            page.controls,
            [page.message, page.status, *page.pictures("surface")],
            page.pictures("loss", "sensitivity"),
            [page.blocks["places"], html(self.notes, "notes")],
            beside=True,
        )
