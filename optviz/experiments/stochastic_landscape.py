"""One sample's loss against the mean: the landscape that a stochastic step really sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
import param

from ..experiment import Experiment, Members
from ..lessons.one_sample import ONE_SAMPLE
from ..messages import refuse
from ..objectives.losses import ReLUNet, batch_indices
from ..objectives.samples import SEED, samples_in
from ..page.controls import knobs_of, shown_while
from ..page.insides import widgets_of
from ..page.layout import frame, grid, html, under_knobs
from ..pictures.layers import BLUE, GREY, ORANGE, Drawing, Figure, bands, curve, lines, marks, stems, surface, texts
from ..pictures.playheads import at_step, moment, step_arrows
from ..pictures.scene import Landscape, arrows, decades, image_of, loggable, nice
from ..rules.optimizers import SGD
from ..runs.descent import descend
from ..runs.steps import Played
from ..runs.trajectory import Trajectory
from ..spans import Spanned
from ..theory.verdicts import shown
from .own_samples import OwnSamples

SAMPLES = 100
AXIS = np.linspace(-3, 3, 100)
HALF = (AXIS[1] - AXIS[0]) / 2
BOX = (-3 - HALF, -3 - HALF, 3 + HALF, 3 + HALF)
COLOURS = (-3.0, 1.5)  # log10 of the loss; what is lower or higher has the end's colour
ARROW = 0.1


class StochasticLandscape(OwnSamples, Experiment):
    """The two-weight ReLU net w1 relu(w2 x) trained on one sample, or a small batch, at a time.

    y = 2 x + noise 0.1 with x uniform in -1..1, 100 samples from `seed`, or `data`: columns x and y, as a table,
    arrays or a text.
    Results: `trajectory`, `gradients` (steps, 2), `landscape(k)` of sample k and `risk`, the
    mean over all samples, both (100, 100) over [-3, 3]^2 with row = w1.
    """

    rescale = param.Boolean(False, label="Scale", doc="Train on x and y over round numbers near their spreads.")
    sample = param.Integer(0, bounds=(0, SAMPLES - 1), label="Sample drawn",
                           doc="Place in the order of drawing; play it to watch the epoch.")  # fmt: skip
    lr = Spanned(0.05, bounds=(0, None), softbounds=(0, 0.5), step=0.005, span=(1e-4, 10.0), label="Learning rate",
                 doc="Step size.")  # fmt: skip
    batch_size = param.Integer(1, bounds=(1, SAMPLES), label="Batch size", doc="Samples a step.")
    shuffle = param.Boolean(False, doc="Draw the samples in an order shuffled by the seed, not as given.")
    replacement = param.Boolean(False, label="With replacement", doc="Draw every sample from all of them, by the seed.")
    seed = param.Integer(0, bounds=(0, None), precedence=2, doc="Seed of the order, and of points that are not yours.")
    start = param.NumericTuple((1.2, -2.3), length=2, precedence=-1, doc="The first (w1, w2).")
    start_w1 = param.Number(1.2, step=0.1, precedence=2, label="Start w1", doc="Click a map to start there.")
    start_w2 = param.Number(-2.3, step=0.1, precedence=2, label="Start w2", doc="Click a map to start there.")

    lessons = (ONE_SAMPLE,)
    title = "One sample against the mean"
    order = 4
    lines = (2, 5)
    seed_rate = 0.05
    sentence = "Each stochastic step walks on another landscape; their mean is the one we care about."

    def __init__(self, **params):
        if "start" not in params:
            params["start"] = (params.get("start_w1", 1.2), params.get("start_w2", -2.3))
        # bounds become the instance's own only after param's __init__: before, they are the class's
        bounded = {name: params.pop(name) for name in ("sample", "batch_size") if name in params}
        self._size = SAMPLES
        super().__init__(**params)
        self.settle_given(params.keys(), "start")
        self.param.update(**bounded)

    def seed_points(self) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(self.seed)
        x = random.uniform(-1, 1, SAMPLES)
        return x, 2 * x + 0.1 * random.standard_normal(SAMPLES)

    def points(self) -> list[np.ndarray]:
        return self.remember("points", (self.data, self.seed if self.data == SEED else 0), self._points)

    def fitted(self) -> list[np.ndarray]:
        return self.in_units(self.points(), self.rescale)

    def scaled(self, columns: Any) -> list[tuple[float, float]]:
        """No centre: a net without a bias passes through 0."""
        return [(0.0, nice(0.4 * float(np.abs(column).max()))) for column in columns]

    def rate_for(self, columns: Any) -> float:
        """A rate that suits the seed's points, less where x is larger."""
        return nice(0.015 / max(float(np.mean(columns[0] ** 2)), 1e-12))

    @property
    def trajectory(self) -> Trajectory:
        """One epoch, a step a batch; `batch_loss` is the loss of each step's batch."""
        return self.results["trajectory"]

    @property
    def gradients(self) -> np.ndarray:
        """The gradient of each step's batch, shape (steps, 2)."""
        return self.trajectory.gradients[:, 0]

    @property
    def batch_loss(self) -> np.ndarray:
        """The loss of each step's batch before the step, shape (steps,)."""
        return np.asarray(self.trajectory.batch_loss)[:, 0]

    @property
    def risk(self) -> np.ndarray:
        """The mean loss over all samples, shape (100, 100), row = w1."""
        return self.results["risk"]

    def landscape(self, k: int) -> np.ndarray:
        """The loss of sample k of the data, shape (100, 100), row = w1."""
        objective = self.results["objective"]
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 <= k < objective.x.size:
            refuse("StochasticLandscape.landscape", f"needs a sample from 0 to {objective.x.size - 1}", k)
        return objective.landscape(AXIS, AXIS, samples=[k])[0]

    def follow(self, changed: set[str]) -> dict[str, Any]:
        """A typed start and a clicked one are the same; samples and batches are among the points."""
        new = self.follow_points(changed)
        if changed & {"start", "start_w1", "start_w2"}:
            start = self.start if "start" in changed else (self.start_w1, self.start_w2)
            new |= {"start": start, "start_w1": float(start[0]), "start_w2": float(start[1])}
        columns = samples_in(new.get("data", self.data), 2)
        size = SAMPLES if columns is None else len(columns[0])
        if size != self._size:
            self._size = size
            self.bound("sample", 0, size - 1)
            self.bound("batch_size", 1, size)
            new |= {"sample": min(self.sample, size - 1), "batch_size": min(self.batch_size, size)}
        return new

    def compute(self) -> dict[str, Any]:
        self.settle_frames()
        loss = (self.data, self.rescale, self.seed if self.data == SEED else 0)
        objective = self.remember("objective", loss, lambda: ReLUNet(*self.fitted()))
        run, batches = self.remember("run", (objective, *self._knobs()), lambda: self._run(objective))
        risk = self.remember("risk", (objective,), lambda: objective.landscape(AXIS, AXIS))
        return {"objective": objective, "trajectory": run, "batches": batches, "risk": risk}

    def _knobs(self) -> tuple:
        return self.lr, self.batch_size, self.shuffle, self.replacement, self.seed, self.start

    def _run(self, objective: ReLUNet) -> tuple[Trajectory, Any]:
        seed = self.seed if self.shuffle or self.replacement else None
        batches = batch_indices(len(objective.x), self.batch_size, seed, self.replacement)
        run = descend(objective, SGD(lr=self.lr), self.start, len(batches), batches=batches)
        return run, batches

    def iteration(self) -> int:
        """The step in which the viewed sample is drawn."""
        return self.sample // self.batch_size

    def figures(self) -> list[Figure]:
        shared = {"image": surface(), "levels": lines("white", alpha=0.4)}
        here = marks("white", "circle", 10, line_color="#111111", line_width=2)
        return [
            Figure("sample", {
                "image": surface(), "arrow": stems(ORANGE, width=3), "here": here,
                "scale": texts("#111111"), "left": marks("#d6294b", "x", 12, line_width=3),
            }, xlabel="w2", ylabel="w1", height=430, tap=self._begin_at, link="maps"),
            Figure("risk", {
                **shared, "path": curve(ORANGE, path=True, line_width=2),
                "here": here, **step_arrows(),
            }, xlabel="w2", ylabel="w1", height=430, tap=self._begin_at, arrows=("path", 0.0), link="maps"),
            Figure("losses", {
                "now": bands(GREY, 0.35), "sample": curve(BLUE, "loss of the batch drawn", line_width=1.3),
                "mean": curve(ORANGE, "mean loss of all samples"), **moment(line=False),
            }, xlabel="iteration", logy=True, height=260, legend="bottom_left"),
            Figure("data", {
                "samples": marks(GREY, "circle", 5, alpha=0.7), "drawn": marks(BLUE, "circle", 9, "drawn now"),
                "net": curve(ORANGE, "the net now"),
            }, xlabel="x", ylabel="y", height=260, legend="top_left", edit=("samples", self.edit_point)),
        ]  # fmt: skip

    def _begin_at(self, x: float, y: float) -> None:
        self.start = (float(y), float(x))

    def draw(self) -> dict[str, Drawing]:
        k, run = self.iteration(), self.trajectory
        path = {"x": run.x[: k + 1, 0, 1], "y": run.x[: k + 1, 0, 0]}
        here = {"x": path["x"][-1:], "y": path["y"][-1:]}
        risk = self.remember("scape", (self.results["objective"],), lambda: Landscape(self.risk, BOX, 0.0))
        layers = {
            "image": risk.image,
            "levels": risk.lines,
            "path": path,
            "here": here,
        }
        title = "Mean of all samples, the path so far"
        return {
            "sample": self._draw_sample(k, here),
            "risk": Drawing(layers, BOX[::2], BOX[1::2], title, limits={"image": risk.limits}, hover=risk.reads),
            "losses": self._draw_losses(k),
            "data": self._draw_data(k),
        }

    def _draw_sample(self, k: int, here: dict[str, np.ndarray]) -> Drawing:
        batch = self.results["batches"][k]
        key = (self.results["objective"], tuple(int(i) for i in batch))
        image = self.remember("sample", key, lambda: image_of(self._batch_map(batch), BOX, COLOURS))
        g = self.gradients[k]
        origin = (float(here["x"][0]), float(here["y"][0]))
        arrow = arrows(origin, -ARROW * g[::-1], 0.16)
        outside = not all(BOX[0] <= v <= BOX[2] for v in origin)
        words = f"arrow: −gradient × {ARROW:g}   |gradient| {shown(np.hypot(*g))}"
        layers = {
            "image": image, "arrow": arrow, "here": here,
            "scale": {"x": np.array([-2.95]), "y": np.array([-2.95]), "text": np.array([words], dtype=object)},
            "left": {n: np.clip(v, BOX[0], BOX[2]) if outside else v[:0] for n, v in here.items()},
        }  # fmt: skip
        name = f"sample {batch[0]}" if len(batch) == 1 else f"batch of {len(batch)}"
        return Drawing(
            layers, BOX[::2], BOX[1::2], f"Iteration {k}: {name}", limits={"image": COLOURS}, hover="log loss"
        )

    def _batch_map(self, batch: np.ndarray) -> np.ndarray:
        return self.results["objective"].landscape(AXIS, AXIS, samples=batch).mean(axis=0)

    def _draw_losses(self, k: int) -> Drawing:
        run = self.trajectory
        drawn, mean = self.batch_loss, run.loss[:, 0]
        both = np.concatenate([mean, drawn])
        ylim = self.remember("loss axis", (self.results["objective"],), lambda: decades(both, least=4))
        low, high = ylim
        curves = self.remember("curves", (self.results["objective"], *self._knobs()), lambda: {
            "sample": {"x": np.arange(run.steps), "y": loggable(drawn)},
            "mean": {"x": np.arange(run.steps + 1), "y": loggable(mean)}})  # fmt: skip
        layers = {"now": {"x0": [k - 0.5], "y0": [low], "x1": [k + 0.5], "y1": [high]}, **curves}
        return Drawing(layers, (-0.5, run.steps + 0.5), ylim, "Loss against iteration")

    def _draw_data(self, k: int) -> Drawing:
        (xlim, ylim), (x, y) = self.frame(), self.points()
        batch = np.array([int(i) for i in self.results["batches"][k]])
        (_, wide), (_, high) = self.units()
        w1, w2 = self.trajectory.x[k, 0]
        ends = np.array([xlim[0], 0.0, xlim[1]])
        ends = ends if xlim[0] < 0 < xlim[1] else ends[::2]
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is not drawn
            net = high * w1 * np.maximum(w2 * ends / wide, 0.0)
        layers = {
            "samples": {"x": x, "y": y}, "drawn": {"x": x[batch], "y": y[batch]},
            "net": {"x": ends, "y": net},
        }  # fmt: skip
        across, up = self.labels()
        return Drawing(layers, xlim, ylim, "The samples and the net", axes={"x": {"label": across}, "y": {"label": up}})

    def played(self) -> list[Played]:
        run = self.trajectory
        return [Played("", run, 0, run.steps, SGD(lr=self.lr), self.results["objective"], "risk", 1, 0)]

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        run, k = self.trajectory, min(step, self.trajectory.steps - 1)
        there = at_step(k, [self.batch_loss[k], run.loss[k, 0]], self.drawings["losses"].ylim, [BLUE, ORANGE])
        return {"losses": {"playhead": there["playhead"]}}

    def stands(self) -> int:
        return self.iteration()

    def stand(self, step: int) -> dict[str, Any]:
        return {"sample": min(step, self.trajectory.steps - 1) * self.batch_size}

    def status(self) -> str:
        k, run = self.iteration(), self.trajectory
        if run.diverged[0]:
            end = f"The run <b>diverged at step {run.diverged[0]}</b>."
        else:
            (end_w1, end_w2), mean = run.final[0], run.loss[-1, 0]
            end = f"The epoch ends at w1 = {end_w1:.4g}, w2 = {end_w2:.4g}, mean loss {mean:.4g}."
        w1, w2 = run.x[k, 0]
        dead = (
            " Its gradient is zero: this sample's unit is off, so nothing moves." if not self.gradients[k].any() else ""
        )
        return (f"Iteration {k}: batch loss <b>{self.batch_loss[k]:.4g}</b>, "
            f"mean loss <b>{run.loss[k, 0]:.4g}</b> "
                f"at w1 = {w1:.4g}, w2 = {w2:.4g}.{dead} {end}{self._missed()}")  # fmt: skip

    def _missed(self) -> str:
        """How many samples an epoch with replacement leaves out."""
        if not self.replacement:
            return ""
        size = len(self.results["objective"].x)
        drawn = {int(i) for batch in self.results["batches"] for i in batch}
        return f" {size - len(drawn)} of the {size} samples are not drawn in this epoch."

    notes = """
<p><b>What is shown.</b> A net of two weights, w1 relu(w2 x), learns y = 2x from 100 noisy samples, one (or a
batch) at a time. Left, on a log scale, the loss of what is drawn now: the only landscape that this step
sees. Right, the mean over all samples: the landscape that we want to descend.</p>
<p><b>What to look for.</b> Play the epoch. A sample with w2 x below 0 switches the unit off: its map is flat
there, its gradient zero, and the step does nothing. The arrow is minus the gradient on the left map; on
the right one it often points uphill.</p>
<p><b>With replacement.</b> Without it an epoch sees each sample once. With it every draw is from all n samples: about
37 % of them are left out, and the gradient of a batch of b has a variance (n − 1) / (n − b) times as large.</p>
<p><b>Colours.</b> The loss by factors, from 0.001 to about 30 on the left; values beyond share the end colours.</p>
"""

    def controls(self, members: Members | None = None) -> list[Any]:
        player = {"type": pn.widgets.Player, "interval": 120, "loop_policy": "once", "show_value": True,
                  "sizing_mode": "stretch_width", "height": 100}  # fmt: skip
        draws = knobs_of(self, ["replacement"])
        ordered = shown_while(widgets_of(draws)["replacement"], "!cb_obj.active", not self.replacement,
                              knobs_of(self, ["shuffle"]))  # fmt: skip
        return [
            # a page without a server has a player of its own
            knobs_of(self, ["sample"], widgets={"sample": player} if members is None else {}),
            knobs_of(self, ["lr", "batch_size"]),
            draws,
            ordered,
            knobs_of(self, ["seed", "start_w1", "start_w2"]),
            *self.points_controls(members),
        ]

    def side(self) -> dict[str, str]:
        return {"points": self.said_points()}

    def arrange(self, page) -> Any:
        return frame(
            [*page.controls, under_knobs(page.blocks["points"])],
            [page.message, page.status, grid(*page.pictures("sample", "risk"), columns=2, phone=2)],
            [grid(*page.pictures("losses", "data"), columns=2)],
            [html(self.notes, "notes")],
        )
