"""A small net trained at the edge of stability: its sharpness beside 2 / lr."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import panel as pn
import param

from ..experiment import Experiment, Members
from ..lessons.edge import EDGE
from ..page.controls import knobs_of
from ..page.layout import frame, html, stylesheet
from ..pictures.layers import (
    BLUE,
    GREY,
    ORANGE,
    RED,
    TEAL,
    Drawing,
    Figure,
    curve,
    image_columns,
    lines,
    marks,
    surface,
    texts,
)
from ..pictures.playheads import at_step, moment
from ..pictures.scene import axes_of, decades, line_columns, loggable, off_scale
from ..plurals import many
from ..rules.optimizers import SGD
from ..runs.steps import Played, measured
from ..runs.trajectory import Trajectory
from ..theory.verdicts import shown
from .net_flow import means_of
from .training import ACTIVATIONS, DATA, EVERY, Net, Run, Training, all_trained, outputs, stability_limit

KEPT = 8  # trainings that an experiment keeps, to go on with
PATIENCE, SLICE = 0.2, 0.05  # seconds at most of a served change, and of each further part of it, on an event loop
APART = 0.1, 0.25  # the same in a thread: less than a worker gives to what is not the newest any more
LOSSES = {"XOR": (1e-20, 10.0), "Moons": (1e-2, 10.0)}  # the loss's axis, before it is fitted to a run
LARGEST = float(np.finfo(np.float32).max)  # that an image can hold; colours end long before
BAR = "display: inline-block; width: 130px; height: 8px; border-radius: 4px"
HIGHEST = 1e300  # limit that a frame follows
MEAN = "mean loss of the central flow"
GAPS = "No mean loss is claimed where no curvature is at the edge, or two are."
PLAIN = "The central flow shown here is that of descent without momentum."
SIZE = 100  # cells of the map each way


class EdgeOfStability(Experiment):
    """A net 2 - width - 1 trained by `torch.optim.SGD` on all its data at once, in float64.

    Result: `run`, with `loss` and `sharpness` (steps + 1,), the largest eigenvalue of the
    Hessian before each step. On a served page a training that takes more than 0.2 s goes on
    in parts while the page shows how far it is; elsewhere the result is whole at once.
    """

    lr = param.Number(0.3, bounds=(0, None), inclusive_bounds=(False, True), softbounds=(0.02, 1), step=0.01,
                      label="Learning rate", doc="Step size; the edge is at 2 / lr.")  # fmt: skip
    momentum = param.Number(0.0, bounds=(0, 0.99), step=0.01, doc="Of PyTorch's heavy ball.")
    steps = param.Integer(300, bounds=(1, 3000), softbounds=(1, 1000), doc="Steps of training.")
    data = param.Selector(default="XOR", objects=list(DATA), doc="Four corners, or 40 points on half circles.")
    activation = param.Selector(default="ReLU", objects=list(ACTIVATIONS), doc="Of the hidden layer.")
    width = param.Selector(
        default=16, objects=[2, 4, 8, 16, 32], precedence=2, label="Hidden units", doc="Their number."
    )
    seed = param.Integer(0, bounds=(0, None), precedence=2, doc="Seed of the weights, and of the moons.")
    flow = param.Boolean(False, precedence=2, label="Mean loss of the central flow",
                         doc="What swings bring, where one curvature is at the edge.")  # fmt: skip
    fit_axes = param.Event(label="Fit axes to this run", doc="The axes stay put while you move a knob.")

    lessons = (EDGE,)
    title = "Edge of stability"
    order = 7
    sentence = "Training sharpens a net until its steps are just too long, and then it stays there."

    def __init__(self, **params):
        self._trainings: dict[tuple, Training] = {}
        self._stopped = False
        self._waits = self._loaded = False
        self._seconds = 0.0  # a page opens with what a block gives: its server has other visitors
        self._buttons: list[Any] = []
        super().__init__(**params)
        self._seconds = APART[0] if self.apart else PATIENCE
        self._go_on()

    @property
    def run(self) -> Run:
        """The training as far as it is."""
        return self.results["run"]

    # numbers

    def net(self) -> Net:
        """The net before training, with its data."""
        return Net(self.data, self.activation, self.width, self.seed)

    def trained(self) -> Run:
        """The run with the current knobs, from the kept trainings; a page has runs stored instead."""
        key = (self.net(), self.lr, self.momentum)
        if not self.apart and _session() is None:
            training = all_trained(*key, self.steps)
            return self._with_means(training, training.run(self.steps))
        training = self._trainings.pop(key, None) or Training(*key)
        self._trainings[key] = training  # the latest last
        while len(self._trainings) > KEPT:
            del self._trainings[next(iter(self._trainings))]
        if not self._stopped:
            training.advance(self.steps, self._seconds)
        return self._with_means(training, training.run(self.steps))

    def _with_means(self, training: Training, run: Run) -> Run:
        """The run with the mean losses that the central flow predicts, once it is whole, where they are asked for."""
        if not (self.flow and self.momentum == 0 and run.done >= self.steps):
            return run
        key = (training.net, self.lr, self.steps)
        return replace(run, means=self.remember("means", key, lambda: means_of(training, run, self.lr)))

    def compute(self) -> dict[str, Any]:
        run = self.trained()
        x, y = run.points[:, 0], run.points[:, 1]
        room = 0.35 * (x.max() - x.min())
        box = (float(x.min() - room), float(y.min() - room), float(x.max() + room), float(y.max() + room))
        limit = stability_limit(self.lr, self.momentum)
        first = np.flatnonzero(run.sharpness > limit)
        return {"run": run, "box": box, "limit": limit, "crossed": int(first[0]) if len(first) else -1}

    replays = True

    def replayed(self, values: Mapping[str, float]) -> dict[str, Any]:
        """What a page stores of the run with these knobs, and how many steps lie between two rows."""
        lr, momentum = values.get("lr", self.lr), values.get("momentum", self.momentum)
        training = all_trained(self.net(), lr, momentum, self.steps)
        run = training.run(self.steps)
        means = means_of(training, run, lr) if self.flow and momentum == 0 else run.means
        lengths = {"gradient_norms": run.gradient_norms, "step_lengths": run.step_lengths}
        return {"diverged": run.diverged, "rows": {"loss": run.loss, "sharpness": run.sharpness},
                "steps": lengths, "tenths": {"weights": run.weights, "means": means},
                "always": {"points": run.points, "targets": run.targets}, "every": EVERY}  # fmt: skip

    def replay_knobs(self) -> dict[str, list[float]]:
        """The knobs of a page that nobody chose: learning rates around the current one, three momenta."""
        rates = [round(self.lr * k / 5, 12) for k in range(1, 11)]
        return {"lr": [self.lr if k == 4 else rate for k, rate in enumerate(rates)],
                "momentum": sorted({0.0, 0.5, 0.9, self.momentum})}  # fmt: skip

    # a training that takes long

    def unfinished(self) -> bool:
        """Whether the training has steps to go."""
        return self.run.done < self.steps

    def rough(self) -> bool:
        aside = self.apart or self.worker is not None
        return aside and not self.message and self.unfinished() and not self._stopped

    def advance(self) -> None:
        """Train on for a while."""
        self._seconds = APART[1]
        try:
            self.refresh()
        finally:
            self._seconds = APART[0]

    def cancel(self) -> None:
        """Stop a training in progress, or go on with one that was stopped; what is computed stays."""
        self._stopped = not self._stopped
        self.refresh()

    def _changed(self, *events: param.parameterized.Event) -> None:
        self._stopped = False
        super()._changed(*events)

    def refresh(self) -> None:
        super().refresh()
        self._go_on()

    def _go_on(self) -> None:
        """Have the event loop train on in parts, between what visitors do, where no worker does."""
        document = None if self.apart or self.worker is not None else _session()
        if document is not None and self.unfinished() and not self._stopped and not self._waits:
            self._waits = True
            if self._loaded or pn.state.loaded:
                document.add_timeout_callback(self._part, 15)  # time for what visitors do
            else:  # what changes before the page is there would not reach it
                pn.state.onload(self._part)

    def _part(self) -> None:
        self._waits, self._loaded = False, True
        if self.worker is not None:  # it has come since
            return
        self._seconds = SLICE
        try:
            self.refresh()
        finally:
            self._seconds = PATIENCE

    def _tell(self) -> None:
        super()._tell()
        for button in self._buttons:
            self._show_button(button)

    def _show_button(self, button: Any) -> None:
        button.param.update(visible=self.unfinished(), label="Continue" if self._stopped else "Cancel")

    # pictures

    def figures(self) -> list[Figure]:
        off = {"above": marks(RED, "triangle", 9), "below": marks(RED, "inverted_triangle", 9)}
        return [
            Figure("sharpness", {
                "plain": curve(GREY, "2 / lr", line_dash="dashed", line_width=1.5),
                "limit": curve(ORANGE, "limit 2 (1 + m) / lr", line_dash="dashed"),
                "sharpness": curve(BLUE, "sharpness", line_width=1.8), **off, "beyond": texts(ORANGE),
                **moment(),
            }, xlabel="step", ylabel="largest eigenvalue of the Hessian", height=540, legend="top_right"),
            Figure("loss", {
                "loss": curve(BLUE, line_width=1.8), "mean": curve(TEAL, MEAN, line_width=2.4), **off, **moment(),
            }, xlabel="step", logy=True, height=220, legend="top_right"),
            Figure("map", {
                "image": surface(), "border": lines("white", width=2),
                "low": marks("#16324f", "circle", 11, "target low", line_color="white", line_width=1.5),
                "high": marks(ORANGE, "square", 11, "target high", line_color="white", line_width=1.5),
            }, xlabel="first input", ylabel="second input", height=390, legend="top_right"),
        ]  # fmt: skip

    def draw(self) -> dict[str, Drawing]:
        run = self.run
        ranges = self.remember("ranges", (self.data, self.activation, self.width, self.seed, self._fit), self._ranges)
        at, span = np.arange(len(run.loss)), (0.0, float(self.steps))
        ends, limit, plain = np.array(span), self.results["limit"], stability_limit(self.lr)
        sharp = {
            "plain": {"x": ends, "y": np.array([plain, plain])}, "limit": {"x": ends, "y": np.array([limit, limit])},
            "sharpness": {"x": at, "y": run.sharpness}, **off_scale(run.sharpness[:, None], ranges["sharpness"]),
            "beyond": self._beyond(limit, ranges["sharpness"][1]),
        }  # fmt: skip
        loss = {
            "loss": {"x": at, "y": loggable(run.loss)},
            "mean": {"x": EVERY * np.arange(len(run.means)), "y": loggable(run.means)},
            **off_scale(run.loss[:, None], ranges["loss"]),
        }
        return {
            "sharpness": Drawing(sharp, span, ranges["sharpness"], "Sharpness against step"),
            "loss": Drawing(loss, span, ranges["loss"], "Loss against step", {} if self.flow else {MEAN: ""}),
            "map": self._draw_map(),
        }

    def _beyond(self, limit: float, top: float) -> dict[str, np.ndarray]:
        """What a limit above the frame is."""
        which = f"limit {shown(limit, 4)}" if math.isfinite(limit) else "limit, more than float64 holds,"
        words = [f"▲ the {which} is above this frame"] if limit > top else []
        at = np.full(len(words), 0.02 * self.steps)
        return {"x": at, "y": np.full(len(words), 0.94 * top), "text": np.array(words, dtype=object)}

    def _ranges(self) -> dict[str, tuple[float, float]]:
        run, limit = self.run, self.results["limit"]
        if self._fit:
            highest = min(max(float(np.nanmax(run.sharpness)), limit), 10 * limit)
            return {"sharpness": (0.0, 1.1 * highest), "loss": decades(run.loss)}
        room = 1.9 * limit if limit < HIGHEST else 0.0
        top = float(np.ceil(max(room, 1.2 * run.sharpness[0])))
        return {"sharpness": (0.0, top or 1.0), "loss": LOSSES[self.data]}

    def _draw_map(self) -> Drawing:
        run, box = self.run, self.results["box"]
        known = np.flatnonzero(np.isfinite(run.weights[:, 0]))
        place = int(known[-1])
        x, y, targets = run.points[:, 0], run.points[:, 1], run.targets
        low, high = float(targets.min()), float(targets.max())
        middle, room = (low + high) / 2, 0.25 * (high - low)
        xs, ys = axes_of(box, SIZE)
        values = outputs(run.weights[place], self.activation, *np.meshgrid(xs, ys))
        layers = {
            "image": image_columns(np.clip(values, -LARGEST, LARGEST), box),
            "border": line_columns(xs, ys, values, np.array([middle])),
            "low": {"x": x[targets < middle], "y": y[targets < middle]},
            "high": {"x": x[targets > middle], "y": y[targets > middle]},
        }  # fmt: skip
        legend = {"target low": f"target {low:g}", "target high": f"target {high:g}"}
        title = f"The net's output after step {EVERY * place}, white: {middle:g}"
        return Drawing(layers, box[::2], box[1::2], title, legend, {"image": (low - room, high + room)}, hover="output")

    def played(self) -> list[Played]:
        rule = SGD(lr=self.lr, momentum=self.momentum)
        walk = self.remember("walk", (self.run.loss, self.lr, self.momentum), self._walk)
        return [Played("", walk, 0, self.run.done, rule, None, "", 0, 1)]

    def _walk(self) -> Trajectory:
        run, limit = self.run, self.results["limit"]
        rates = np.full(run.done, self.lr)
        with np.errstate(over="ignore", invalid="ignore"):
            share = run.sharpness[: run.done] / limit
        return measured(rates, {
            "loss": run.loss[: run.done], "sharpness": run.sharpness[: run.done], "sharpness / limit": share,
            "gradient norm": run.gradient_norms, "learning rate": rates, "step length": run.step_lengths,
        }, run.diverged)  # fmt: skip

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        run, drawn = self.run, self.drawings
        return {
            "sharpness": at_step(step, [run.sharpness[step]], drawn["sharpness"].ylim, [BLUE]),
            "loss": at_step(step, [run.loss[step]], drawn["loss"].ylim, [BLUE]),
        }

    # words

    def status(self) -> str:
        run, limit, crossed = self.run, self.results["limit"], self.results["crossed"]
        edge = "2 (1 + m) / lr" if self.momentum > 0 else "2 / lr"
        edge += f" = {limit:.4g}" if math.isfinite(limit) else ", more than float64 holds"
        if run.done < self.steps:
            share = f"{100 * run.done / self.steps:.0f}"
            paint = f"linear-gradient(90deg, {BLUE} {share}%, #8884 {share}%)"
            return (f'Step {run.done} of {self.steps} <span role="progressbar" aria-valuenow="{share}" '
                    f'style="{BAR}; background: {paint}"></span> '
                    f"sharpness <b>{run.sharpness[-1]:.4g}</b>, limit {edge}")  # fmt: skip
        if run.diverged:
            said = f"<b>Diverged at step {run.diverged}</b>: no longer finite. The limit was {edge}."
        else:
            said = (f"After {many(run.done, 'step')}: sharpness <b>{run.sharpness[-1]:.4g}</b>, "
                    f"{run.sharpness[-1] / limit:.1%} of the limit {edge}; loss {run.loss[-1]:.3g}.")  # fmt: skip
        if self.flow:
            said += " " + (PLAIN if self.momentum > 0 else GAPS)
        return said + (f" Above the limit first at step {crossed}." if crossed >= 0 else " Never above the limit.")

    notes = """
<p><b>What is shown.</b> A net of two inputs, one hidden layer and one output learns with all its data in every
step. Its sharpness is the curvature of the loss in its steepest direction. A step of length lr stays stable
on a quadratic as long as the curvature is under 2 / lr, with PyTorch's momentum m under 2 (1 + m) / lr.</p>
<p><b>What to look for.</b> Training sharpens the net until that limit; then the loss swings, the swings push
the sharpness back, and it ends just under the limit: with lr = 0.3 at 6.66. Half the learning rate lets it
go twice as high, if the data ask for it. Well above the limit from the start, a run may jump to a flat
place, get stuck, or diverge. On the moons, which are never learnt in full, it stays at the edge.</p>
<p><b>Mean loss of the central flow</b> (behind More). Between its swings the net follows a smooth path. At the weights
averaged over 20 steps, the swings that hold the sharpness at its limit have a variance, and with it the mean loss is
L + sharpness · variance / 2 (arXiv 2410.24206).</p>
<p><b>Source.</b> Cohen and others, "Gradient descent on neural networks typically occurs at the edge of
stability", arXiv 2103.00065. The limit is that of a quadratic; a net is none, so it is a prediction.</p>
"""

    def controls(self, members: Members | None = None) -> list[Any]:
        return [knobs_of(self, self.menu())]

    def arrange(self, page) -> Any:
        button = pn.widgets.Button(
            label="Cancel", width=90, margin=(4, 0, 4, 8), stylesheets=[stylesheet("widgets.css")]
        )
        button.on_click(lambda event: self.cancel())
        self._buttons.append(button)
        self._show_button(button)
        said = pn.Row(page.status, button, sizing_mode="stretch_width", margin=0)
        return frame(
            page.controls,
            [page.message, said, *page.pictures("sharpness")],
            page.pictures("loss", "map"),
            [html(self.notes, "notes")],
            beside=True,
        )


def _session() -> Any:
    """The document of the visitor who is being served, None in a notebook or a script."""
    document = pn.state.curdoc
    return document if document is not None and document.session_context is not None else None
