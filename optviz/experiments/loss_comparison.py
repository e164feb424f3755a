"""Losses of one line fit: what the knobs of torch.optim.SGD, and the points, do to each."""

from __future__ import annotations

from typing import Any

import numpy as np
import param

from ..experiment import Experiment, Members
from ..lessons.four_losses import FOUR_LOSSES
from ..objectives.criteria import CRITERIA
from ..objectives.losses import Lanes, LinearRegression
from ..page.controls import knobs_of, shown_while, told_with
from ..page.insides import widgets_of
from ..page.layout import frame, grid, html, under_knobs
from ..pictures.layers import (
    BLACK,
    GREY,
    ORANGE,
    PLUM,
    RED,
    TEAL,
    Drawing,
    Figure,
    curve,
    image_columns,
    lines,
    marks,
    stems,
    surface,
)
from ..pictures.playheads import at_step, marked, moment, step_arrows
from ..pictures.scene import EMPTY, Landscape, arrows, decades, loggable, nice, off_scale
from ..plurals import many
from ..rules.optimizers import SGD
from ..rules.rule import shut
from ..runs.descent import descend
from ..runs.steps import Played
from ..runs.trajectory import Trajectory
from ..spans import Spanned
from .compared_losses import (
    COLOURS,
    NAMES,
    OWN,
    PLAIN,
    PRESETS,
    SCENES,
    SEED_POINTS,
    THRESHOLDS,
    TITLES,
    at_edge,
    each_line,
    leaves,
    way_of,
)
from .given_points import SEED_RATE, WIDE, GivenPoints
from .own_samples import Coarse

TOGETHER = 10  # steps whose arrows have one frame
HIGHEST = 1e300  # part of a vector that is drawn
# which losses are shown, a switch for each
Choice = type("Choice", (param.Parameterized,), {"__module__": __name__} | {
    name: param.Boolean(loss.shown, label=loss.title, doc=f"Whether {loss.title} is among the losses.")
    for name, loss in CRITERIA.items()})  # fmt: skip


class LossComparison(Choice, GivenPoints, Experiment):
    """A line fitted by SGD under MSE, L1, Huber and SmoothL1, and further losses that are asked for.

    The points are the seed's curved ones or `data`: columns x and y, as a table, arrays or a text.
    Results: `trajectory` with a lane for each loss that is shown, in the order of `NAMES`, and columns
    (weight, bias); `landscapes` (lanes, 101, 101), row = weight, column = bias, over [-5, 8]^2 for the seed.
    """

    preset = param.Selector(default="plain", objects=[*PRESETS, OWN], doc="The settings of the lesson's figures.")
    lr = Spanned(SEED_RATE, bounds=(0, None), softbounds=(0, 1), step=0.01, span=(1e-4, 10.0), label="Learning rate",
                 doc="Step size.")  # fmt: skip
    momentum = param.Number(0.0, bounds=(0, None), softbounds=(0, 0.99), step=0.01, doc="Share of the velocity kept.")
    dampening = param.Number(0.0, bounds=(0, 1), step=0.01, doc="Share of the new gradient left out.")
    weight_decay = param.Number(0.0, bounds=(0, None), softbounds=(0, 4), step=0.05, label="Weight decay",
                                doc="Pull of both parameters towards zero.")  # fmt: skip
    nesterov = param.Boolean(False, doc="Look ahead; needs momentum, and no dampening.")
    epochs = param.Integer(100, bounds=(1, 10_000), softbounds=(1, 300), doc="Full-batch steps.")
    step = param.Integer(3, bounds=(1, 10_000), softbounds=(1, 100), label="Step to dissect",
                         doc="The step whose momentum and Nesterov vectors are drawn.")  # fmt: skip
    dissected = param.Selector(default="mse", objects={v: k for k, v in TITLES.items()}, label="Loss to dissect",
                               doc="The loss whose step is drawn large.")  # fmt: skip

    delta = Spanned(1.0, bounds=(0, None), inclusive_bounds=(False, True), softbounds=(0.1, 5), step=0.1,
                    span=(0.01, 100.0), label="Huber's threshold",
                    doc="Residual from which Huber is linear.")  # fmt: skip
    beta = Spanned(1.0, bounds=(0, None), inclusive_bounds=(False, True), softbounds=(0.1, 5), step=0.1,
                   span=(0.01, 100.0), label="Smooth L1's threshold",
                   doc="Residual from which smooth L1 is linear.")  # fmt: skip
    tau = param.Number(0.9, bounds=(0, 1), inclusive_bounds=(False, False), softbounds=(0.01, 0.99), step=0.01,
                       label="Quantile", doc="Share of the points that the quantile's line has below it.")  # fmt: skip

    lessons = (FOUR_LOSSES,)
    title = "Four losses, one optimizer"
    order = 3
    lines = (2, 5)
    sentence = "What SGD's learning rate, momentum, dampening, Nesterov and weight decay do to four losses."

    def __init__(self, **params):
        if params.get("preset", OWN) != OWN:
            known = PRESETS.get(params["preset"], {})
            params = {**PLAIN, **known, **params}
        super().__init__(**params)
        self.settle_given(params.keys())

    @property
    def trajectory(self) -> Trajectory:
        """The runs, one a lane."""
        return self.results["trajectory"]

    @property
    def landscapes(self) -> np.ndarray:
        """The losses on the grid, shape (lanes, 101, 101)."""
        return self.results["landscapes"]

    @property
    def objectives(self) -> list[LinearRegression]:
        """The losses that are shown."""
        return self.results["objectives"]

    def seed_points(self) -> tuple[np.ndarray, np.ndarray]:
        return SEED_POINTS

    def compared(self) -> list[str]:
        """The names of the losses that are shown."""
        return [name for name in NAMES if getattr(self, name)]

    def follow(self, changed: set[str]) -> dict[str, Any]:
        """A chosen preset sets the knobs; knobs moved by hand show which preset they are, if any."""
        brought = self.follow_points(changed)
        if "preset" in changed and self.preset != OWN:
            return {**brought, **PLAIN, **PRESETS[self.preset]}
        now = {name: getattr(self, name) for name in PLAIN}
        return {**brought, "preset": [*(k for k, v in PRESETS.items() if {**PLAIN, **v} == now), OWN][0]}

    def rule(self) -> SGD:
        """torch.optim.SGD as the knobs stand."""
        return SGD(lr=self.lr, momentum=self.momentum, dampening=self.dampening,
                   weight_decay=self.weight_decay, nesterov=self.nesterov)  # fmt: skip

    def compute(self) -> dict[str, Any]:
        self.settle_frames()
        names = self.compared()
        if not names:
            raise ValueError("LossComparison needs at least one loss, not none; choose one.")
        loss = (self.data, self.rescale, *names, self.delta, self.beta, self.tau)
        objectives = self.remember("objectives", loss, lambda: [self._loss(name) for name in names])
        run = self.remember("run", self._hangs_on(objectives), lambda: self._walk(objectives))
        picture = self.remember("picture", loss, lambda: Coarse(self.edited == self.data))
        self._coarse = picture.coarse
        maps = self.remember("maps", (*loss, picture.coarse), lambda: np.stack([self._map(name) for name in names]))
        drawn = {"picture": picture} if picture.coarse else {}
        return {"trajectory": run, "landscapes": maps, "objectives": objectives, **drawn}

    def _hangs_on(self, objectives: list[Any]) -> tuple:
        """What the run hangs on: what is drawn of it stays while a step is played."""
        knobs = (self.lr, self.momentum, self.dampening, self.weight_decay, self.nesterov, self.epochs)
        return objectives, *knobs, self._framed

    def _key_of_run(self) -> tuple:
        return self._hangs_on(self.results["objectives"])

    def _walk(self, objectives: list[Any]) -> Trajectory:
        return descend(Lanes(objectives), self.rule(), self.window["start"], self.epochs)

    def _loss(self, name: str) -> LinearRegression:
        x, y = self.fitted()
        return LinearRegression(x, y, loss=name, delta=self.delta, beta=self.beta, tau=self.tau)

    def _map(self, name: str) -> np.ndarray:
        weights, biases = self.axes()
        return self.remember(f"map {name}", self._key(name), lambda: self._loss(name).landscape(weights, biases))

    def _key(self, name: str) -> tuple:
        """What the map of a loss hangs on."""
        return (self.data, self.rescale, self._coarse, *(getattr(self, each) for each in THRESHOLDS[name]))

    def figures(self) -> list[Figure]:
        maps = [
            Figure(name, {
                "image": surface(), "levels": lines("white", alpha=0.45),
                "path": curve(color, path=True, line_width=2),
                "begin": marks("white", "circle", 9, line_color=BLACK, line_width=1.5),
                "end": marks(color, "square", 8, line_color="white", line_width=1.2),
                "momentum": stems(ORANGE, width=2.5), "nesterov": stems(TEAL, width=2.5),
                **step_arrows(), **moment(11, line=False),
            }, xlabel="bias", ylabel="weight", height=255, link="maps")
            for name, color in COLOURS.items()
        ]  # fmt: skip
        return [
            *maps,
            Figure("loss", {
                **each_line(),
                "above": marks(RED, "triangle", 9), "below": marks(RED, "inverted_triangle", 9), **moment(),
            }, xlabel="epoch", logy=True, height=300, legend="top_right"),
            Figure("data", {
                "samples": marks(GREY, "circle", 5, alpha=0.7),
                **each_line(),
                "above": marks(RED, "triangle", 9), "below": marks(RED, "inverted_triangle", 9),
            }, xlabel="x", ylabel="y", height=300, legend="top_left", edit=("samples", self.edit_point)),
            Figure("vectors", {
                "gradient": stems(GREY, "− lr × gradient", width=2),
                "carried": stems(PLUM, "carried velocity", width=2),
                "momentum": stems(ORANGE, "momentum step", width=3), "nesterov": stems(TEAL, "Nesterov step", width=3),
                "origin": marks(GREY, "circle", 6),
            }, xlabel="change of bias", ylabel="change of weight", height=300, legend="top_right"),
        ]  # fmt: skip

    def draw(self) -> dict[str, Drawing]:
        lanes = {name: k for k, name in enumerate(self.compared())}
        hidden = self.remember("hidden", (self.data, self.rescale), self._hidden)
        maps = {name: self._draw_map(lanes[name], name) if name in lanes else hidden for name in NAMES}
        return {**maps, "loss": self._draw_loss(), "data": self._draw_data(), "vectors": self._draw_vectors()}

    def _hidden(self) -> Drawing:
        """The map of a loss that is not shown."""
        box = self.window["box"]
        none = {"x": np.zeros(0), "y": np.zeros(0)}
        stem = {name: np.zeros(0) for name in ("x0", "y0", "x1", "y1")}
        layers = {
            "image": image_columns(np.zeros((2, 2)), box), "levels": {"xs": [], "ys": []}, "path": none,
            "begin": none, "end": none, "momentum": stem, "nesterov": stem,
        }  # fmt: skip
        return Drawing(layers, box[::2], box[1::2], shown=False)

    def _draw_map(self, k: int, name: str) -> Drawing:
        box = self.window["box"]
        scape = self.remember(f"scape {name}", self._key(name), lambda: Landscape(self._map(name), box, 0.0))
        way = self.remember(f"way {name}", self._key_of_run(), lambda: way_of(self.trajectory.x[:, k], box))
        at = self._at()
        parts, here = self._vectors(k, at), (self.trajectory.x[at - 1, k, 1], self.trajectory.x[at - 1, k, 0])
        size = 0.35 * (box[2] - box[0]) / WIDE
        layers = {
            "image": scape.image, "levels": scape.lines, **way,
            "momentum": arrows(here, parts["momentum"], size), "nesterov": arrows(here, parts["nesterov"], size),
        }  # fmt: skip
        return Drawing(layers, box[::2], box[1::2], TITLES[name], limits={"image": scape.limits}, hover=scape.reads)

    def _at(self) -> int:
        return min(self.step, self.trajectory.steps)

    def _vectors(self, k: int, at: int) -> dict[str, np.ndarray]:
        """The parts of a step of loss k, each (bias, weight).

        Both full steps start from the same velocity: momentum's is -lr b, Nesterov's
        -lr (d + momentum b), with b the velocity after this step's gradient d came in.
        """
        t, run = at - 1, self.trajectory
        d, b, lr = run.terms["d"][t, k], run.terms["b"][t, k], run.rates[t, k]
        before = run.terms["b"][t - 1, k] if t else np.zeros(2)
        share = 1 - (self.dampening if t and self.momentum else 0.0)
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is not drawn, and said
            parts = {
                "gradient": -lr * share * d, "carried": -lr * self.momentum * before,
                "momentum": -lr * b, "nesterov": -lr * (d + self.momentum * b),
            }  # fmt: skip
        return {name: vector[::-1] for name, vector in parts.items()}

    def _unshown(self) -> dict[str, str]:
        """No key for what is not there."""
        return {TITLES[name]: "" for name in NAMES if not getattr(self, name)}

    def _draw_loss(self) -> Drawing:
        return self.remember("loss curves", self._key_of_run(), self._loss_curves)

    def _loss_curves(self) -> Drawing:
        losses, names = self.trajectory.loss, self.compared()
        ylim = self.remember("loss axis", (self._framed, self.rescale), lambda: decades(losses, least=3))
        epoch = np.arange(len(losses))
        lines = {name: {"x": epoch, "y": loggable(losses[:, k])} for k, name in enumerate(names)}
        shown = {**{name: EMPTY for name in NAMES}, **lines}
        return Drawing({**shown, **off_scale(losses, ylim)}, (0, len(losses) - 1), ylim, "Loss against epoch",
                       self._unshown())  # fmt: skip

    def _draw_data(self) -> Drawing:
        return self.remember("fits", self._key_of_run(), self._fits)

    def _fits(self) -> Drawing:
        xlim, ylim = self.frame()
        names = self.compared()
        fits = self._lines_at(self.trajectory.final)
        high = [name for name in names if (fits[name]["y"] > ylim[1]).all()]
        low = [name for name in names if (fits[name]["y"] < ylim[0]).all()]
        said = {**{TITLES[n]: f"{TITLES[n]} (above)" for n in high}, **{TITLES[n]: f"{TITLES[n]} (below)" for n in low}}
        layers = {"samples": {"x": self.x, "y": self.y}, **fits}
        across, up = self.labels()
        return Drawing(layers, xlim, ylim, "The data and each loss's line now", {**self._unshown(), **said},
                       axes={"x": {"label": across}, "y": {"label": up}})  # fmt: skip

    def _lines_at(self, points: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
        """The line of each loss, and marks of those beyond an edge of the frame."""
        xlim, ylim = self.frame()
        ends = np.array(xlim)
        fits = {name: EMPTY for name in NAMES}
        for name, point in zip(self.compared(), points, strict=True):
            slope, height = self.as_given(point[0], point[1])
            fits[name] = {"x": ends, "y": slope * ends + height}
        shown = [name for name in NAMES if len(fits[name]["y"]) > 0]
        high = [name for name in shown if (fits[name]["y"] > ylim[1]).all()]
        low = [name for name in shown if (fits[name]["y"] < ylim[0]).all()]
        return {**fits, "above": at_edge(high, ends, ylim[1]), "below": at_edge(low, ends, ylim[0])}

    def _draw_vectors(self) -> Drawing:
        names = self.compared()
        name = self.dissected if self.dissected in names else names[0]
        k = names.index(name)
        parts = self._vectors(k, self._at())
        shown = {name: vector for name, vector in parts.items() if np.abs(vector).max() < HIGHEST}
        reach = self.remember("reach", (*self._key_of_run(), k, (self._at() - 1) // TOGETHER), lambda: self._reach(k))
        nothing = np.zeros(2)
        layers = {name: arrows((0.0, 0.0), shown.get(name, nothing), reach * 0.06) for name in parts}
        layers["origin"] = {"x": np.zeros(1), "y": np.zeros(1)}
        title = f"Step {self._at()} of {TITLES[name]}: momentum and Nesterov"
        lost = [name for name in parts if name not in shown]
        title += f"; too large to draw: {', '.join(lost)}" if lost else ""
        return Drawing(layers, (-reach, reach), (-reach, reach), title)

    def _reach(self, k: int) -> float:
        """The frame of the arrows: it holds those of several steps, or it would jump with each."""
        first = (self._at() - 1) // TOGETHER * TOGETHER + 1
        steps = range(first, min(first + TOGETHER, self.trajectory.steps + 1))
        sizes = [float(np.abs(vector).max()) for at in steps for vector in self._vectors(k, at).values()]
        return nice(max([size for size in sizes if size < HIGHEST] or [1.0]))

    def played(self) -> list[Played]:
        run, rule = self.trajectory, self.rule()
        return [Played(TITLES[name], run, k, run.steps, rule, self.objectives[k], name, 1, 0)
                for k, name in enumerate(self.compared())]  # fmt: skip

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        run, names = self.trajectory, self.compared()
        inks = [COLOURS[name] for name in names]
        maps = {
            n: {"playhead": marked(run.x[step, k, 1], run.x[step, k, 0], [COLOURS[n]])} for k, n in enumerate(names)
        }
        loss = at_step(step, run.loss[step], self.drawings["loss"].ylim, inks)
        return {**maps, "loss": loss, "data": self._lines_at(run.x[step])}

    def stands(self) -> int:
        return self.step - 1

    def stand(self, step: int) -> dict[str, Any]:
        return {"step": step + 1 if step < self.trajectory.steps else step}

    def status(self) -> str:
        return self.remember("status", self._key_of_run(), self._said)

    def _said(self) -> str:
        run, names, box = self.trajectory, self.compared(), self.window["box"]
        said = [
            f"{TITLES[name]} <b>diverged at step {run.diverged[k]}</b>"
            if run.diverged[k]
            else f"{TITLES[name]} <b>{run.loss[-1, k]:.4g}</b> ({self._line(k)})"
            for k, name in enumerate(names)
        ]
        outside = [TITLES[n] for k, n in enumerate(names) if leaves(run.x[:, k], box)]
        gone = f" Outside the frame for part of the run: {', '.join(outside)}." if outside else ""
        return f"After {many(run.steps, 'epoch')}: {', '.join(said)}.{gone}"

    def _line(self, k: int) -> str:
        slope, height = self.as_given(self.trajectory.final[k, 0], self.trajectory.final[k, 1])
        return f"y = {slope:.4g} x {'+' if height >= 0 else '−'} {abs(height):.4g}"

    notes = """
<p><b>What is shown.</b> One line, weight × x + bias, fitted to curved data from weight 6 and bias -3 by
torch.optim.SGD with the whole data each epoch. Each map is one loss over (bias, weight); the path
starts at the ring and ends at the square.</p>
<p><b>The losses.</b> MSE pulls harder the further off it is; L1 always pulls with the same strength, so it
arrives slowly and then rattles; Huber and smooth L1 are MSE near the line and L1 far from it, and are
the same function at threshold 1.</p>
<p><b>Momentum and Nesterov.</b> The orange arrow is the step that momentum takes at the chosen epoch, the
green one the step that Nesterov would take from the same velocity: it adds the new velocity once more,
before it is earned.</p>
<p><b>Weight decay</b> pulls towards (0, 0), not towards a better fit. <b>Dampening</b> 0.8 leaves out 80 % of
each new gradient, from the second step on.</p>
"""

    def idle(self) -> list[str]:
        return shut(self.rule())

    def controls(self, members: Members | None = None) -> list[Any]:
        preset = knobs_of(self, ["preset"], widgets={"preset": {"tags": [{"no choice": OWN}]}})
        about = {name: sentence for name, (_, sentence) in SCENES.items()}
        switches = {name: knobs_of(self, [name]) for name in NAMES}
        first = {each: [name for name in NAMES if each in THRESHOLDS[name]][0] for each in ("delta", "beta", "tau")}
        thresholds = [shown_while(widgets_of(switches[name])[name], "cb_obj.active", getattr(self, name),
                                  knobs_of(self, [each])) for each, name in first.items()]  # fmt: skip
        return [
            told_with(preset, "preset", about),
            knobs_of(self, ["lr", "momentum", "dampening", "weight_decay", "nesterov", "epochs", "step", "dissected"]),
            grid(*switches.values(), columns=2, narrow=2, phone=2),
            *thresholds,
            *self.points_controls(members),
        ]

    def side(self) -> dict[str, str]:
        return {"points": self.said_points()}

    def arrange(self, page) -> Any:
        return frame(
            [*page.controls, under_knobs(page.blocks["points"])],
            [page.message, page.status, grid(*page.pictures(*NAMES), columns=4, narrow=2, phone=2)],
            [grid(*page.pictures("loss", "data", "vectors"), columns=3)],
            [html(self.notes, "notes")],
        )
