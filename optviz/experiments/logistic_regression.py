"""Two classes and a line between them: what logistic and hinge loss make of the same points."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import param

from ..experiment import Experiment, Members
from ..objectives.classifiers import BiasedClassifier, LinearClassifier
from ..objectives.criteria import MARGINS
from ..objectives.losses import Lanes
from ..objectives.samples import SEED, Samples, edited, names_in, text_of
from ..page.controls import knobs_of, shown_while
from ..page.insides import widgets_of
from ..page.layout import frame, grid, html, under_knobs
from ..pictures.layers import (
    BLACK,
    BLUE,
    GREY,
    INKS,
    PLUM,
    Drawing,
    Figure,
    curve,
    lines,
    marks,
    off_scale_marks,
    surface,
)
from ..pictures.playheads import at_step, marked, moment, step_arrows
from ..pictures.scene import EMPTY, Landscape, axes_of, decades, loggable, nice, off_scale, path_columns
from ..plurals import many
from ..rules.optimizers import SGD
from ..runs.descent import descend
from ..runs.steps import Played
from ..runs.trajectory import Trajectory
from ..spans import Spanned
from .own_samples import Coarse, OwnSamples, units_of

NAMES = tuple(MARGINS)
TITLES = {name: loss.title for name, loss in MARGINS.items()}
COLOURS = {name: INKS.get(loss.colour, loss.colour) for name, loss in MARGINS.items()}
REACH = 8.0  # units that maps show of both weights, on each side of 0
CELLS = 101
SEED_RATE = 0.5


def seed_points() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two clouds of 30 points that overlap a little."""
    random = np.random.default_rng(8)
    classes = np.repeat([0.0, 1.0], 30)
    x = np.where(classes > 0, 1.1, -0.9) + 0.9 * random.standard_normal(60)
    y = np.where(classes > 0, 0.8, -0.7) + 0.9 * random.standard_normal(60)
    return x.round(2), y.round(2), classes


SEED_POINTS = seed_points()


class LogisticRegression(OwnSamples, Experiment):
    """A line between two classes of points, by logistic and by hinge loss, from two weights and a bias.

    The points are the seed's or `data`: two features and a class, as a table, arrays or a text.
    Results: `trajectory` with lanes logistic and hinge and columns (w1, w2), or (w1, w2, bias) where that is fitted;
    `landscapes` (2, 101, 101), row = w2, column = w1, at the bias where each run ends.
    """

    data = Samples(width=3, doc="The points: seed for the experiment's own, or columns x, y and class, 0 or 1.")
    new_class = param.Selector(default="class 1", objects=["class 0", "class 1"], label="A click adds",
                               doc="The class of points that are added.")  # fmt: skip
    lr = Spanned(SEED_RATE, bounds=(0, None), softbounds=(0, 5), step=0.05, span=(1e-3, 100.0), label="Learning rate",
                 doc="Step size.")  # fmt: skip
    momentum = param.Number(0.0, bounds=(0, None), softbounds=(0, 0.99), step=0.01, doc="Share of the velocity kept.")
    weight_decay = param.Number(0.0, bounds=(0, None), softbounds=(0, 0.5), step=0.005, label="Weight decay",
                                doc="Pull of all parameters towards zero.")  # fmt: skip
    epochs = param.Integer(100, bounds=(1, 10_000), softbounds=(1, 1000), doc="Full-batch steps.")
    fit_bias = param.Boolean(True, label="Fit the bias", doc="Whether the bias is a third parameter, from 0.")
    bias = param.Number(0.0, softbounds=(-4, 4), step=0.05, doc="The bias that is kept.")
    start_w1 = param.Number(-6.0, softbounds=(-REACH, REACH), step=0.1, precedence=2, label="Start w1",
                            doc="Click or drag the ring on a map.")  # fmt: skip
    start_w2 = param.Number(-3.0, softbounds=(-REACH, REACH), step=0.1, precedence=2, label="Start w2",
                            doc="Click or drag the ring on a map.")  # fmt: skip

    title = "A line between two classes"
    order = 4
    lines = (2, 5)
    sentence = "Logistic and hinge loss on points that you drag: who is near the line decides, and who is far away."
    axes_named = ("x", "y", "class 1")
    seed_rate = SEED_RATE

    def __init__(self, **params):
        super().__init__(**params)
        self.settle_given(params.keys())

    @property
    def trajectory(self) -> Trajectory:
        """The runs, one a lane."""
        return self.results["trajectory"]

    @property
    def landscapes(self) -> np.ndarray:
        """The losses on the grid, shape (2, 101, 101)."""
        return self.results["landscapes"]

    def seed_points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return SEED_POINTS

    def scaled(self, columns: Any) -> list[tuple[float, float]]:
        return [units_of(columns[0]), units_of(columns[1]), (0.0, 1.0)]

    def rate_for(self, columns: Any) -> float:
        """About a tenth of the limit, 2 over a bound of the logistic loss's curvature."""
        x, y = columns[0], columns[1]
        return nice(8 / float(1 + np.mean(x**2) + np.mean(y**2)) / 10)

    def edit_point(self, what: str, index: int, x: float, y: float) -> None:
        """Add, move or remove a point; one that is moved keeps its class."""
        points = self.points()
        kept = float(points[2][index]) if 0 <= index < len(points[2]) else 0.0
        kind = float(self.new_class == "class 1") if what == "add" else kept
        self.edited = text_of(edited(points, what, index, (x, y, kind)), names_in(self.data))

    def follow(self, changed: set[str]) -> dict[str, Any]:
        return self.follow_points(changed)

    def rule(self) -> SGD:
        """torch.optim.SGD as the knobs stand."""
        return SGD(lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay)

    def box(self) -> tuple[float, float, float, float]:
        """What maps show of (w1, w2)."""
        units = [(0.0, 1.0), (0.0, 1.0)] if self.rescale else self.scaled(self.points())[:2]
        stiff = any(self.is_stiff(self.points())) and not self.rescale
        one, other = [REACH / nice(s) if stiff else REACH for _, s in units]
        return -one, -other, one, other

    def start(self) -> tuple[float, ...]:
        """Where runs begin."""
        return (self.start_w1, self.start_w2, 0.0) if self.fit_bias else (self.start_w1, self.start_w2)

    def compute(self) -> dict[str, Any]:
        self.settle_frames()
        loss = (self.data, self.rescale, self.fit_bias, self.bias)
        objectives = self.remember("objectives", loss, lambda: [self._loss(name) for name in NAMES])
        knobs = (objectives, self.lr, self.momentum, self.weight_decay, self.epochs, self.start())
        run = self.remember("run", knobs, lambda: descend(Lanes(objectives), self.rule(), self.start(), self.epochs))
        picture = self.remember("picture", (self.data,), lambda: Coarse(self.edited == self.data))
        self._coarse = picture.coarse
        maps = np.stack([self._map(k, run) for k in range(len(NAMES))])
        drawn = {"picture": picture} if picture.coarse else {}
        return {"trajectory": run, "landscapes": maps, "objectives": objectives, **drawn}

    def _loss(self, name: str) -> LinearClassifier:
        x, y, classes = self.fitted()
        if self.fit_bias:
            return BiasedClassifier(x, y, classes, loss=name)
        return LinearClassifier(x, y, classes, loss=name, bias=self.bias)

    def _biases(self, points: np.ndarray) -> list[float]:
        """Each run's bias at a point."""
        return [float(point[2]) if self.fit_bias else float(self.bias) for point in points]

    def _map(self, k: int, run: Trajectory) -> np.ndarray:
        """The loss over (w1, w2), with the bias where the run ends."""
        bias = self._biases(run.final)[k]
        bias = bias if np.isfinite(bias) else 0.0
        across, up = axes_of(self.box(), CELLS // 2 if self._coarse else CELLS)
        x, y, classes = self.fitted()
        key = (self.data, self.rescale, self._coarse, bias)
        made = self.remember(f"loss {NAMES[k]}", key, lambda: LinearClassifier(x, y, classes, loss=NAMES[k], bias=bias))
        return self.remember(f"map {NAMES[k]}", key, lambda: made.landscape(across, up).swapaxes(0, 1))

    def figures(self) -> list[Figure]:
        maps = [
            Figure(name, {
                "image": surface(), "levels": lines("white", alpha=0.45),
                "path": curve(COLOURS[name], path=True, line_width=2),
                "begin": marks("white", "circle", 10, line_color=BLACK, line_width=1.5),
                "end": marks(COLOURS[name], "square", 8, line_color="white", line_width=1.2),
                **step_arrows(), **moment(11, line=False),
            }, xlabel="w1", ylabel="w2", height=290, link="maps", tap=self._begin_at, drag=("begin", self._begin_at))
            for name in NAMES
        ]  # fmt: skip
        each = {name: curve(COLOURS[name], TITLES[name], line_dash=MARGINS[name].dash) for name in NAMES}
        return [
            Figure("data", {
                "samples": marks(GREY, "circle", 9, alpha=0.0),
                "zeros": marks(BLUE, "circle", 7, "class 0", alpha=0.8),
                "ones": marks(PLUM, "triangle", 8, "class 1", alpha=0.8),
                **each,
            }, xlabel="x", ylabel="y", height=560, legend="top_left", edit=("samples", self.edit_point)),
            *maps,
            Figure("loss", {**each, **off_scale_marks(), **moment()}, xlabel="epoch", logy=True, height=240,
                   legend="top_right"),
        ]  # fmt: skip

    def _begin_at(self, x: float, y: float) -> None:
        self.start_w1, self.start_w2 = float(x), float(y)

    def draw(self) -> dict[str, Drawing]:
        maps = {name: self._draw_map(k, name) for k, name in enumerate(NAMES)}
        return {"data": self._draw_data(), **maps, "loss": self._draw_loss()}

    def _draw_map(self, k: int, name: str) -> Drawing:
        box, values = self.box(), self.landscapes[k]
        scape = self.remember(f"scape {name}", (values,), lambda: Landscape(values, box, of=" of the picture"))
        walk = self.trajectory.x[:, k]
        finite = np.isfinite(walk).all(axis=1)
        layers = {
            "image": scape.image, "levels": scape.lines, "path": path_columns(walk[:, :2][:, None], box),
            "begin": {"x": walk[:1, 0], "y": walk[:1, 1]},
            "end": {"x": walk[finite][-1:, 0], "y": walk[finite][-1:, 1]},
        }  # fmt: skip
        bias = self._biases(self.trajectory.final)[k]
        title = f"{TITLES[name]} loss, bias {bias if abs(bias) > 1e-9 else 0:.3g}"
        return Drawing(layers, box[::2], box[1::2], title, limits={"image": scape.limits}, hover=scape.reads)

    def _draw_data(self) -> Drawing:
        xlim, ylim = self.frame()
        x, y, classes = self.points()
        one = classes > 0
        layers = {
            "samples": {"x": x, "y": y}, "zeros": {"x": x[~one], "y": y[~one]}, "ones": {"x": x[one], "y": y[one]},
            **self._lines_at(self.trajectory.final),
        }  # fmt: skip
        across, up, name = self.labels()
        said = {} if self.data == SEED or not names_in(self.data) else {"class 1": escape(name), "class 0": "others"}
        return Drawing(layers, xlim, ylim, "The points and each line now", said,
                       axes={"x": {"label": across}, "y": {"label": up}})  # fmt: skip

    def _lines_at(self, points: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
        """Where each loss sees both classes as likely."""
        return {name: self._line(point, bias)
                for name, point, bias in zip(NAMES, points, self._biases(points), strict=True)}  # fmt: skip

    def _line(self, point: np.ndarray, bias: float) -> dict[str, np.ndarray]:
        (left, wide), (low, high) = self.units()[:2]
        a, b = float(point[0]) / wide, float(point[1]) / high
        c = bias - a * left - b * low
        xlim, ylim = self.frame()
        if not np.isfinite(a + b + c) or (a == 0 and b == 0):
            return EMPTY
        if abs(a) * (xlim[1] - xlim[0]) > abs(b) * (ylim[1] - ylim[0]):  # steep
            ys = np.array(ylim)
            return {"x": -(b * ys + c) / a, "y": ys}
        xs = np.array(xlim)
        return {"x": xs, "y": -(a * xs + c) / b}

    def _draw_loss(self) -> Drawing:
        losses = self.trajectory.loss
        ylim = self.remember("loss axis", (self._framed, self.rescale), lambda: decades(losses, least=2))
        epoch = np.arange(len(losses))
        shown = {name: {"x": epoch, "y": loggable(losses[:, k])} for k, name in enumerate(NAMES)}
        return Drawing({**shown, **off_scale(losses, ylim)}, (0, len(losses) - 1), ylim, "Loss against epoch")

    def played(self) -> list[Played]:
        run, rule = self.trajectory, self.rule()
        objectives = self.results["objectives"]
        return [
            Played(TITLES[name], run, k, run.steps, rule, objectives[k], name, 0, 1) for k, name in enumerate(NAMES)
        ]

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        run, inks = self.trajectory, [COLOURS[name] for name in NAMES]
        maps = {
            n: {"playhead": marked(run.x[step, k, 0], run.x[step, k, 1], [COLOURS[n]])} for k, n in enumerate(NAMES)
        }
        return {
            **maps,
            "loss": at_step(step, run.loss[step], self.drawings["loss"].ylim, inks),
            "data": self._lines_at(run.x[step]),
        }

    def status(self) -> str:
        run, count = self.trajectory, len(self.points()[0])
        said = []
        for k, name in enumerate(NAMES):
            size = float(np.hypot(run.final[k, 0], run.final[k, 1]))
            end = (
                f"loss <b>{run.loss[-1, k]:.4g}</b>, {self._right(k)} of {count} points on their side, |w| = {size:.3g}"
            )
            lost = f"<b>diverged at step {run.diverged[k]}</b>"
            said = [*said, f"{TITLES[name]} {lost if run.diverged[k] else end}"]
        return f"After {many(run.steps, 'epoch')}: {'; '.join(said)}."

    def _right(self, k: int) -> int:
        """How many points a loss has on their side of its line."""
        x, y, classes = self.fitted()
        point, bias = self.trajectory.final[k], self._biases(self.trajectory.final)[k]
        return int(np.count_nonzero((2 * classes - 1) * (point[0] * x + point[1] * y + bias) > 0))

    def side(self) -> dict[str, str]:
        return {"points": self.said_points()}

    def idle(self) -> list[str]:
        return ["bias"] if self.fit_bias else []

    notes = """
<p><b>What is shown.</b> Two classes of points and a line between them, w1 x + w2 y + bias = 0, found by
torch.optim.SGD with all points each epoch. The maps show each loss over the two weights, with the bias where its run
ends; the path starts at the ring and ends at the square. (w1, w2) stands upright on the line.</p>
<p><b>The losses.</b> Both look at the margin: how far a point is on its own side. The logistic loss
log(1 + e<sup>−margin</sup>) never quite lets go of a point; the hinge max(0, 1 − margin) is flat beyond a margin of 1,
so that only points near the line, or on the wrong side, have a say.</p>
<p><b>What to look for.</b> Drag one point far to the wrong side: both lines follow it. Drag a point that is far on its
own side: only the logistic line stirs, and hardly. Part the classes: the logistic loss has no minimum any more, and its
weights grow for ever, a little more with each epoch, until weight decay holds them.</p>
"""

    def controls(self, members: Members | None = None) -> list[Any]:
        fitted = knobs_of(self, ["fit_bias"])
        kept = shown_while(widgets_of(fitted)["fit_bias"], "!cb_obj.active", not self.fit_bias,
                           knobs_of(self, ["bias"]))  # fmt: skip
        return [
            knobs_of(self, ["new_class"]),
            *self.points_controls(members),
            knobs_of(self, ["lr", "momentum", "weight_decay", "epochs"]),
            fitted,
            kept,
            knobs_of(self, ["start_w1", "start_w2"]),
        ]

    def arrange(self, page) -> Any:
        return frame(
            [*page.controls, under_knobs(page.blocks["points"])],
            [page.message, page.status, *page.pictures("data")],
            [grid(*page.pictures(*NAMES), columns=2, narrow=2, phone=2), *page.pictures("loss")],
            [html(self.notes, "notes")],
            beside=True,
        )
