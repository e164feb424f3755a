"""Four losses of one line fit: what the knobs of torch.optim.SGD do to each."""

from __future__ import annotations

from typing import Any

import numpy as np
import param

from ..experiment import Experiment, Members
from ..lessons.four_losses import FOUR_LOSSES
from ..objectives.losses import CRITERIA, Lanes, LinearRegression
from ..page.controls import knobs_of, told_with
from ..page.layout import frame, grid, html
from ..pictures.layers import (
    BLACK,
    GREY,
    INKS,
    ORANGE,
    PLUM,
    RED,
    TEAL,
    Drawing,
    Figure,
    curve,
    lines,
    marks,
    stems,
    surface,
)
from ..pictures.playheads import at_step, marked, moment, step_arrows
from ..pictures.scene import Landscape, arrows, decades, loggable, nice, off_scale, path_columns
from ..plurals import many
from ..rules.optimizers import SGD
from ..rules.rule import shut
from ..runs.descent import descend
from ..runs.steps import Played
from ..runs.trajectory import Trajectory
from ..spans import Spanned

NAMES = tuple(CRITERIA)  # a loss of yours is among them if it is imported before this module
TITLES = {name: loss.title for name, loss in CRITERIA.items()}
COLOURS = {name: INKS.get(loss.colour, loss.colour) for name, loss in CRITERIA.items()}
AXIS = -5 + 13 * np.arange(101) / 100
CELL = AXIS[1] - AXIS[0]
BOX = (AXIS[0] - CELL / 2, AXIS[0] - CELL / 2, AXIS[-1] + CELL / 2, AXIS[-1] + CELL / 2)
START = (6.0, -3.0)
HIGHEST = 1e300  # part of a vector that is drawn
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


class LossComparison(Experiment):
    """A line fitted to curved data by SGD under MSE, L1, Huber and SmoothL1.

    Results: `trajectory` with lanes in the order mse, l1, huber, smooth_l1 and columns
    (weight, bias); `landscapes` (4, 101, 101) over [-5, 8]^2, row = weight, column = bias.
    """

    preset = param.Selector(default="plain", objects=[*PRESETS, OWN], doc="The settings of the lesson's figures.")
    lr = Spanned(0.1, bounds=(0, None), softbounds=(0, 1), step=0.01, span=(1e-4, 10.0), label="Learning rate",
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

    lessons = (FOUR_LOSSES,)
    title = "Four losses, one optimizer"
    order = 3
    lines = (2, 5)
    sentence = "What SGD's learning rate, momentum, dampening, Nesterov and weight decay do to four losses."

    def __init__(self, **params):
        if params.get("preset", OWN) != OWN:
            known = PRESETS.get(params["preset"], {})
            params = {**PLAIN, **known, **params}
        self.x, self.y = seed_data()
        self.objectives = [LinearRegression(self.x, self.y, loss=name) for name in NAMES]
        super().__init__(**params)
        self.settle(set())

    @property
    def trajectory(self) -> Trajectory:
        """The four runs, one a lane."""
        return self.results["trajectory"]

    @property
    def landscapes(self) -> np.ndarray:
        """The four losses on the grid, shape (4, 101, 101)."""
        return self.results["landscapes"]

    def follow(self, changed: set[str]) -> dict[str, Any]:
        """A chosen preset sets the knobs; knobs moved by hand show which preset they are, if any."""
        if "preset" in changed and self.preset != OWN:
            return {**PLAIN, **PRESETS[self.preset]}
        now = {name: getattr(self, name) for name in PLAIN}
        return {"preset": [*(k for k, v in PRESETS.items() if {**PLAIN, **v} == now), OWN][0]}

    def rule(self) -> SGD:
        """torch.optim.SGD as the knobs stand."""
        return SGD(lr=self.lr, momentum=self.momentum, dampening=self.dampening,
                   weight_decay=self.weight_decay, nesterov=self.nesterov)  # fmt: skip

    def compute(self) -> dict[str, Any]:
        knobs = (self.lr, self.momentum, self.dampening, self.weight_decay, self.nesterov, self.epochs)
        run = self.remember("run", knobs, lambda: descend(Lanes(self.objectives), self.rule(), START, self.epochs))
        maps = self.remember("maps", (), lambda: np.stack([o.landscape(AXIS, AXIS) for o in self.objectives]))
        return {"trajectory": run, "landscapes": maps}

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
                **_each_line(),
                "above": marks(RED, "triangle", 9), "below": marks(RED, "inverted_triangle", 9), **moment(),
            }, xlabel="epoch", logy=True, height=300, legend="top_right"),
            Figure("data", {
                "samples": marks(GREY, "circle", 5, alpha=0.7),
                **_each_line(),
                "above": marks(RED, "triangle", 9), "below": marks(RED, "inverted_triangle", 9),
            }, xlabel="x", ylabel="y", height=300, legend="top_left"),
            Figure("vectors", {
                "gradient": stems(GREY, "− lr × gradient", width=2),
                "carried": stems(PLUM, "carried velocity", width=2),
                "momentum": stems(ORANGE, "momentum step", width=3), "nesterov": stems(TEAL, "Nesterov step", width=3),
                "origin": marks(GREY, "circle", 6),
            }, xlabel="change of bias", ylabel="change of weight", height=300, legend="top_right"),
        ]  # fmt: skip

    def draw(self) -> dict[str, Drawing]:
        maps = {name: self._draw_map(k, name) for k, name in enumerate(NAMES)}
        return {**maps, "loss": self._draw_loss(), "data": self._draw_data(), "vectors": self._draw_vectors()}

    def _draw_map(self, k: int, name: str) -> Drawing:
        scape = self.remember(f"scape {name}", (), lambda: Landscape(self.landscapes[k], BOX, 0.0))
        walk = self.trajectory.x[:, k]
        path, finite = path_columns(walk[:, ::-1][:, None], BOX), np.isfinite(walk).all(axis=1)
        parts, at = self._vectors(k), self._at()
        here = (walk[at - 1, 1], walk[at - 1, 0])
        layers = {
            "image": scape.image, "levels": scape.lines, "path": path,
            "begin": {"x": walk[:1, 1], "y": walk[:1, 0]},
            "end": {"x": walk[finite][-1:, 1], "y": walk[finite][-1:, 0]},
            "momentum": arrows(here, parts["momentum"], 0.35), "nesterov": arrows(here, parts["nesterov"], 0.35),
        }  # fmt: skip
        return Drawing(layers, BOX[::2], BOX[1::2], TITLES[name], limits={"image": scape.limits}, hover=scape.reads)

    def _at(self) -> int:
        return min(self.step, self.trajectory.steps)

    def _vectors(self, k: int) -> dict[str, np.ndarray]:
        """The parts of the dissected step of loss k, each (bias, weight).

        Both full steps start from the same velocity: momentum's is -lr b, Nesterov's
        -lr (d + momentum b), with b the velocity after this step's gradient d came in.
        """
        t, run = self._at() - 1, self.trajectory
        d, b, lr = run.terms["d"][t, k], run.terms["b"][t, k], run.rates[t, k]
        before = run.terms["b"][t - 1, k] if t else np.zeros(2)
        share = 1 - (self.dampening if t and self.momentum else 0.0)
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is not drawn, and said
            parts = {
                "gradient": -lr * share * d, "carried": -lr * self.momentum * before,
                "momentum": -lr * b, "nesterov": -lr * (d + self.momentum * b),
            }  # fmt: skip
        return {name: vector[::-1] for name, vector in parts.items()}

    def _draw_loss(self) -> Drawing:
        losses = self.trajectory.loss
        ylim = self.remember("loss axis", (), lambda: decades(losses, least=3))
        epoch = np.arange(len(losses))
        shown = {name: {"x": epoch, "y": loggable(losses[:, k])} for k, name in enumerate(NAMES)}
        return Drawing({**shown, **off_scale(losses, ylim)}, (0, len(losses) - 1), ylim, "Loss against epoch")

    def _draw_data(self) -> Drawing:
        ends, ylim = self._data_frame()
        fits = self._lines_at(self.trajectory.final)
        high = [name for name in NAMES if (fits[name]["y"] > ylim[1]).all()]
        low = [name for name in NAMES if (fits[name]["y"] < ylim[0]).all()]
        said = {**{TITLES[n]: f"{TITLES[n]} (above)" for n in high}, **{TITLES[n]: f"{TITLES[n]} (below)" for n in low}}
        layers = {"samples": {"x": self.x, "y": self.y}, **fits}
        return Drawing(layers, tuple(map(float, ends)), ylim, "The data and each loss's line now", said)

    def _data_frame(self) -> tuple[np.ndarray, tuple[float, float]]:
        """The ends of the lines, and what the frame of the data holds: zero is where weight decay takes a line."""
        room = 0.12 * np.ptp(self.y)
        ends = np.array([self.x.min() - 0.3, self.x.max() + 0.3])
        return ends, (float(min(self.y.min(), 0.0) - room), float(self.y.max() + 2 * room))

    def _lines_at(self, points: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
        """The line of each loss, and marks of those beyond an edge of the frame."""
        ends, ylim = self._data_frame()
        fits = {
            name: {"x": ends, "y": weight * ends + bias} for name, (weight, bias) in zip(NAMES, points, strict=True)
        }
        high = [name for name in NAMES if (fits[name]["y"] > ylim[1]).all()]
        low = [name for name in NAMES if (fits[name]["y"] < ylim[0]).all()]
        return {**fits, "above": _at_edge(high, ends, ylim[1]), "below": _at_edge(low, ends, ylim[0])}

    def _draw_vectors(self) -> Drawing:
        k = NAMES.index(self.dissected)
        parts = self._vectors(k)
        shown = {name: vector for name, vector in parts.items() if np.abs(vector).max() < HIGHEST}
        reach = nice(max([np.abs(vector).max() for vector in shown.values()] or [1.0]))
        nothing = np.zeros(2)
        layers = {name: arrows((0.0, 0.0), shown.get(name, nothing), reach * 0.06) for name in parts}
        layers["origin"] = {"x": np.zeros(1), "y": np.zeros(1)}
        title = f"Step {self._at()} of {TITLES[self.dissected]}: momentum and Nesterov"
        lost = [name for name in parts if name not in shown]
        title += f"; too large to draw: {', '.join(lost)}" if lost else ""
        return Drawing(layers, (-reach, reach), (-reach, reach), title)

    def played(self) -> list[Played]:
        run, rule = self.trajectory, self.rule()
        return [Played(TITLES[name], run, k, run.steps, rule, self.objectives[k], name, 1, 0)
                for k, name in enumerate(NAMES)]  # fmt: skip

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        run, inks = self.trajectory, [COLOURS[name] for name in NAMES]
        maps = {
            n: {"playhead": marked(run.x[step, k, 1], run.x[step, k, 0], [COLOURS[n]])} for k, n in enumerate(NAMES)
        }
        loss = at_step(step, run.loss[step], self.drawings["loss"].ylim, inks)
        return {**maps, "loss": loss, "data": self._lines_at(run.x[step])}

    def stands(self) -> int:
        return self.step - 1

    def stand(self, step: int) -> dict[str, Any]:
        return {"step": step + 1 if step < self.trajectory.steps else step}

    def status(self) -> str:
        run = self.trajectory
        said = [
            f"{TITLES[name]} <b>diverged at step {run.diverged[k]}</b>"
            if run.diverged[k]
            else f"{TITLES[name]} <b>{run.loss[-1, k]:.4g}</b> ({_line(run.final[k, 0], run.final[k, 1])})"
            for k, name in enumerate(NAMES)
        ]
        outside = [TITLES[n] for k, n in enumerate(NAMES) if _leaves(run.x[:, k])]
        gone = f" Outside the frame for part of the run: {', '.join(outside)}." if outside else ""
        return f"After {many(run.steps, 'epoch')}: {', '.join(said)}.{gone}"

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
        return [told_with(preset, "preset", about), knobs_of(self, [name for name in self.menu() if name != "preset"])]

    def arrange(self, page) -> Any:
        return frame(
            page.controls,
            [page.message, page.status, grid(*page.pictures(*NAMES), columns=4, narrow=2, phone=2)],
            [grid(*page.pictures("loss", "data", "vectors"), columns=3)],
            [html(self.notes, "notes")],
        )


def _each_line() -> dict[str, Any]:
    """A line for each loss."""
    return {name: curve(COLOURS[name], TITLES[name], line_dash=CRITERIA[name].dash) for name in NAMES}


def _at_edge(names: list[str], ends: np.ndarray, edge: float) -> dict[str, np.ndarray]:
    """Marks, beside each other, of losses whose line is beyond an edge of the frame."""
    along = [ends[0] + (ends[1] - ends[0]) * (1 + NAMES.index(name)) / (1 + len(NAMES)) for name in names]
    return {"x": np.array(along, dtype=float), "y": np.full(len(along), edge)}


def _line(weight: float, bias: float) -> str:
    return f"y = {weight:.4g} x {'+' if bias >= 0 else '−'} {abs(bias):.4g}"


def _leaves(path: np.ndarray) -> bool:
    return bool((~((path >= BOX[0]) & (path <= BOX[2])).all(axis=1)).any())
