"""A bowl that is turned: which rules notice that the axes are no longer theirs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import param

from ..experiment import Experiment
from ..lessons.adaptive import ADAPTIVE
from ..objectives.stacked import Stacked
from ..objectives.surfaces import RotatedQuadratic
from ..page.layout import frame, html
from ..page.tables import cell
from ..pictures.layers import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PLUM,
    TEAL,
    Drawing,
    Figure,
    bands,
    curve,
    lines,
    marks,
    surface,
)
from ..pictures.playheads import marked, moment, step_arrows
from ..pictures.scene import EMPTY, Box, Landscape, axes_of, exit_of, frame_of, path_columns
from ..rules.optimizers import SGD, Adagrad, Adam
from ..rules.rule import Rule
from ..runs.descent import descend
from ..runs.steps import Played
from ..runs.trajectory import Trajectory
from ..spans import Spanned
from ..theory.stability import max_lr, prediction, rate

ANGLES = np.linspace(0, 90, 13)
TOLERANCE = 1e-4  # the loss that counts as converged
FIRST, MOST = 450, 2000  # steps tried at first, and at most
COUNTS = (3.0, 4000.0)
LINEAR = ("SGD", "heavy ball")  # whose limit follows from the curvature alone
NAMES = (*LINEAR, "Adam", "Adagrad")
COLOURS = {"SGD": BLUE, "heavy ball": TEAL, "Adam": ORANGE, "Adagrad": PLUM}
WIDTHS = {"SGD": 5.0, "heavy ball": 2.0, "Adam": 3.2, "Adagrad": 1.6}  # they overlap: thin ones lie on wide ones
NEVER = f"not within {MOST:,} steps"


class Conditioning(Experiment):
    """SGD, heavy ball, Adam and Adagrad on an elliptic bowl of chosen condition number, turned.

    Results: `counts`, the steps of each rule until the loss is first under 1e-4 at each of the
    `ANGLES` (NaN where 2,000 are not enough), `here` the same at `angle`, and `paths`, the runs
    at `angle`. Every run starts from (-1, 0.5) in the bowl's own axes.
    """

    condition = param.Number(100.0, bounds=(1, 1000), softbounds=(1, 200), step=1, label="Condition number",
                             doc="Steepest over flattest curvature; the flattest is 1.")  # fmt: skip
    angle = param.Number(30.0, bounds=(0, 90), step=0.5, doc="Rotation of the bowl, in degrees; click the curves.")
    lr = Spanned(0.01, bounds=(0, None), softbounds=(0, 0.05), step=0.0005, span=(1e-4, 1.0), label="Learning rate",
                 doc="Of SGD and heavy ball.")  # fmt: skip
    momentum = param.Number(0.9, bounds=(0, None), softbounds=(0, 0.99), step=0.01, doc="Of heavy ball.")
    adam_lr = Spanned(0.05, bounds=(0, None), softbounds=(0, 0.2), step=0.005, span=(1e-4, 1.0),
                      label="Learning rate of Adam", doc="Adam's step size; its β are 0.9 and 0.999.")  # fmt: skip
    adagrad_lr = Spanned(0.5, bounds=(0, None), softbounds=(0, 2), step=0.05, span=(1e-3, 10.0),
                         label="Learning rate of Adagrad", doc="Adagrad's step size.")  # fmt: skip

    lessons = (ADAPTIVE,)
    title = "A turned bowl"
    order = 5
    lines = (4, 5)
    sentence = "Gradient descent does not notice a rotation; rules with a step size for each coordinate do."

    def __init__(self, **params):
        self._taken: dict[str, int] = {}  # steps that were enough for each rule, and some more for what is near
        super().__init__(**params)

    @property
    def counts(self) -> dict[str, np.ndarray]:
        """The steps of each rule at each angle, shape (13,)."""
        return self.results["counts"]

    @property
    def here(self) -> dict[str, float]:
        """The steps of each rule at the current angle."""
        return self.results["here"]

    @property
    def paths(self) -> dict[str, np.ndarray]:
        """Each rule's points at the current angle up to where it has converged, shape (steps + 1, 2)."""
        return self.results["paths"]

    def rules(self) -> dict[str, Rule]:
        """The rules by name."""
        heavy = SGD(lr=self.lr, momentum=self.momentum)
        return {"SGD": SGD(lr=self.lr), "heavy ball": heavy, "Adam": Adam(lr=self.adam_lr),
                "Adagrad": Adagrad(lr=self.adagrad_lr)}  # fmt: skip

    def compute(self) -> dict[str, Any]:
        rules = self.rules()
        knobs = {"SGD": (self.lr,), "heavy ball": (self.lr, self.momentum), "Adam": (self.adam_lr,),
                 "Adagrad": (self.adagrad_lr,)}  # fmt: skip
        bowl = RotatedQuadratic(condition=self.condition, angle=self.angle)
        counts, paths, here, runs = {}, {}, {}, {}
        for name in NAMES:
            swept = self._swept(name, rules[name], knobs[name])
            counts[name] = swept["counts"][:-1]
            last = swept if swept["angle"] == self.angle else self._alone(name, rules[name], bowl, knobs[name])
            paths[name] = last["path"]
            runs[name] = last["run"]
            here[name] = float(last["counts"][-1])
        scape = self.remember("landscape", (self.condition, self.angle), lambda: landscape(bowl))
        limits = self.remember("limits", (self.condition, self.momentum), lambda: self._limits(rules))
        return {"bowl": bowl, "counts": counts, "paths": paths, "here": here, "landscape": scape, "limits": limits,
                "runs": runs}  # fmt: skip

    def _limits(self, rules: dict[str, Rule]) -> dict[str, float]:
        """The learning rates below which the rules that do not look back at gradients are stable."""
        return {name: max_lr(rules[name], self.condition) for name in LINEAR}

    def _swept(self, name: str, rule: Rule, knobs: tuple) -> dict[str, Any]:
        """The runs at every angle and, in the last lane, at the angle that is current when they are made."""
        bowls, starts = self.remember("bowls", (self.condition,), self._bowls)

        def walk():
            run = patient(bowls, rule, starts, self.condition, self._taken.get(name, FIRST))
            counts = steps_to(run)
            most = float(np.max(counts))
            self._taken[name] = len(run.x) - 1 if np.isnan(most) else min(int(1.05 * most) + 15, MOST)
            angle = bowls.objectives[-1].angle
            return {"counts": counts, "path": cut(run, counts), "run": run.only(-1), "angle": angle}

        return self.remember(name, (self.condition, *knobs), walk)

    def _bowls(self) -> tuple[Stacked, list[Any]]:
        angles = [*ANGLES.tolist(), self.angle]
        bowls = [RotatedQuadratic(condition=self.condition, angle=angle) for angle in angles]
        return Stacked(bowls), [bowl.starts[0] for bowl in bowls]

    def _alone(self, name: str, rule: Rule, bowl: RotatedQuadratic, knobs: tuple) -> dict[str, Any]:
        """The run at the current angle."""

        def walk():
            run = patient(bowl, rule, bowl.starts[0], self.condition, self._taken.get(name, FIRST))
            counts = steps_to(run)
            return {"counts": counts, "path": cut(run, counts), "run": run}

        return self.remember(f"{name} here", (self.condition, self.angle, *knobs), walk)

    # pictures

    def figures(self) -> list[Figure]:
        paths = {name: curve(COLOURS[name], name, path=True, line_width=WIDTHS[name]) for name in NAMES}
        curves = {name: curve(COLOURS[name], name) for name in NAMES}
        never = {f"{n} never": marks(COLOURS[n], "triangle", 9, f"{n}: {NEVER}") for n in NAMES}
        dots = {f"{n} here": marks(COLOURS[n], "circle", 11, line_color="white", line_width=1.5) for n in NAMES}
        return [
            Figure("surface", {
                "image": surface(), "levels": lines("white", alpha=0.45), **paths,
                "minimum": marks("#ffd43b", "star", 17, "minimum", line_color="#5c4400"),
                "begin": marks("white", "circle", 12, "start", line_color=BLACK, line_width=2),
                **{f"{n} left": marks(COLOURS[n], "x", 12, line_width=3) for n in NAMES},
                **step_arrows(), **moment(11, line=False),
            }, xlabel="x", ylabel="y", height=540, legend="bottom_right"),
            Figure("angles", {
                "now": bands(GREY, 0.45), **curves, **dots, **never,
            }, xlabel="angle in degrees (click one)", ylabel="steps", logy=True, height=580, legend="top_right",
                tap=self._turn_to, arrows=("now", 0.5)),
        ]  # fmt: skip

    def _turn_to(self, x: float, y: float) -> None:
        self.angle = float(np.clip(round(2 * x) / 2, 0, 90))

    def draw(self) -> dict[str, Drawing]:
        scape: Landscape = self.results["landscape"]
        bowl = self.results["bowl"]
        box, start = frame_of(bowl.domain), bowl.starts[0]
        layers = {
            "image": scape.image, "levels": scape.lines, **{name: self._walked(name, box) for name in NAMES},
            "minimum": {"x": np.zeros(1), "y": np.zeros(1)},
            "begin": {"x": np.array([start[0]]), "y": np.array([start[1]])},
            **{f"{name} left": self._left(name, box) for name in NAMES},
        }  # fmt: skip
        said = {name: f"{name}: {self._told(name, box)}" for name in NAMES}
        title = f"Condition {self.condition:g}, turned by {self.angle:g}°"
        return {
            "surface": Drawing(
                layers, box[::2], box[1::2], title, said, limits={"image": scape.limits}, hover=scape.reads
            ),
            "angles": self._draw_angles(),
        }

    def _walked(self, name: str, box: Box) -> dict[str, np.ndarray]:
        """A rule's path."""
        return path_columns(self.paths[name][:, None], box)

    def _gone(self, name: str, box: Box) -> tuple[int, float, float] | None:
        """Where and when a rule that does not arrive leaves the picture."""
        return exit_of(self.paths[name], box) if np.isnan(self.here[name]) else None

    def _left(self, name: str, box: Box) -> dict[str, np.ndarray]:
        """The mark of a rule that leaves the picture."""
        gone = self._gone(name, box)
        return EMPTY if gone is None else {"x": np.array([gone[1]]), "y": np.array([gone[2]])}

    def _told(self, name: str, box: Box) -> str:
        """What the key says of a rule's walk."""
        gone = self._gone(name, box)
        return counted(self.here[name]) if gone is None else f"leaves at step {gone[0]}"

    def _draw_angles(self) -> Drawing:
        low, high = COUNTS
        curves = {name: {"x": ANGLES, "y": np.maximum(self.counts[name], low)} for name in NAMES}
        dots = {f"{name} here": self._dot(name) for name in NAMES}
        missing = {name: ANGLES[np.isnan(self.counts[name])] for name in NAMES}
        never = {
            f"{name} never": {"x": missing[name], "y": np.full(len(missing[name]), high * 0.9 * 0.88**row)}
            for row, name in enumerate(NAMES)
        }
        now = {"x0": [self.angle - 0.25], "y0": [low], "x1": [self.angle + 0.25], "y1": [high]}
        layers = {"now": now, **curves, **dots, **never}
        said = {f"{name}: {NEVER}": f"{name}: {NEVER}" if len(missing[name]) > 0 else "" for name in NAMES}
        return Drawing(layers, (-2.0, 92.0), COUNTS, f"Steps to a loss of {TOLERANCE:g}, against the angle", said)

    def _dot(self, name: str) -> dict[str, np.ndarray]:
        count = self.here[name]
        known = [] if np.isnan(count) else [count]
        return {"x": np.full(len(known), self.angle), "y": np.array(known, dtype=float)}

    def played(self) -> list[Played]:
        rules, bowl, runs = self.rules(), self.results["bowl"], self.results["runs"]
        return [Played(name, runs[name], 0, len(self.paths[name]) - 1, rules[name], bowl, "surface", 0, 1)
                for name in NAMES]  # fmt: skip

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        at = [self.paths[name][min(step, len(self.paths[name]) - 1)] for name in NAMES]
        xs, ys = [point[0] for point in at], [point[1] for point in at]
        return {"surface": {"playhead": marked(xs, ys, [COLOURS[name] for name in NAMES])}}

    # words

    def status(self) -> str:
        each = ", ".join(f"{name} <b>{counted(self.here[name])}</b>" for name in NAMES)
        return f"Steps at {self.angle:g}°: {each}. {self._cost('Adam')}{self._warning()}"

    def _cost(self, name: str) -> str:
        counts = self.counts[name]
        if np.isnan(counts).any() or counts[0] == 0:
            return ""
        worst = int(np.argmax(counts))
        if counts[worst] <= 1.05 * counts[0]:
            return f"Turning the bowl hardly matters to {name} here. "
        return (f"Turned by {ANGLES[worst]:g}°, {name} needs <b>{counts[worst] / counts[0]:.1f} times</b> "
                f"its {counts[0]:.0f} upright steps. ")  # fmt: skip

    def _warning(self) -> str:
        unstable = [name for name in LINEAR if self.lr >= self.results["limits"][name]]
        rules = self.rules()
        said = [prediction(rules[name], self.results["bowl"], (0.0, 0.0))["sentence"] for name in unstable]
        return " ".join(f"<b>{name}:</b> {text}" for name, text in zip(unstable, said, strict=True))

    def shade(self) -> dict[str, float]:
        return {"lr": min([self.results["limits"][name] for name in LINEAR])}

    def side(self) -> dict[str, str]:
        rows = "".join(self._row(name) for name in NAMES)
        head = f"<tr>{cell('th', 'Rule')}{cell('th', 'Limit of lr')}{cell('th', 'Steps, all angles')}</tr>"
        return {"table": f'<table style="border-collapse: collapse; margin: 8px 0 0 8px">{head}{rows}</table>'}

    def _row(self, name: str) -> str:
        counts = self.counts[name]
        most = f"{self.results['limits'][name]:.4g}" if name in LINEAR else "not fixed"
        steps = f"over {MOST:,}"
        if not np.isnan(counts).all():
            low, high = np.nanmin(counts), np.nanmax(counts)
            more = steps if np.isnan(counts).any() else f"{high:.0f}"
            steps = f"{low:.0f}" if more == f"{low:.0f}" else f"{low:.0f} to {more}"
        return f"<tr>{cell('td', name)}{cell('td', most)}{cell('td', steps)}</tr>"

    notes = f"""
<p><b>What is shown.</b> Left, the walks of four rules on one bowl; right, how many steps each needs to bring
the loss under {TOLERANCE:g}, at every angle. The start turns with the bowl: seen from the bowl, nothing changes.</p>
<p><b>Who notices.</b> SGD and heavy ball use the gradient as it is, and a turned gradient makes a turned step:
their lines are flat. Adam and Adagrad divide each coordinate by its own running size. Upright, that undoes the
condition number; turned, the two coordinates share one steepness and there is nothing left to divide by.</p>
<p><b>Limits.</b> Below 2 / condition SGD is stable, heavy ball below 2 (1 + momentum) / condition, at any angle.
The limit of Adam and Adagrad moves with the gradients that they have seen.</p>
"""

    def arrange(self, page) -> Any:
        return frame(
            [*page.controls, *page.blocks.values()],
            [page.message, page.status, *page.pictures("surface")],
            page.pictures("angles"),
            [html(self.notes, "notes")],
            beside=True,
        )


def patient(objective: Any, rule: Rule, start: Any, condition: float, first: int) -> Trajectory:
    """A run of as many steps as are enough: of `first`, else of as many as theory says, else of ever more."""
    pace = rate(rule, [1.0, condition]) if type(rule).__name__ == "SGD" else None
    hopeless = pace is not None and pace >= 1
    enough = 0 if pace is None or hopeless or pace == 0 else needed(pace, condition)
    steps = FIRST if hopeless else first
    run = descend(objective, rule, start, steps)
    while steps < MOST and not hopeless and np.isnan(steps_to(run)).any():
        steps = min(max(2 * steps, enough), MOST)
        run = descend(objective, rule, start, steps)
    return run


def needed(pace: float, condition: float) -> int:
    """Steps that bring the loss under the tolerance at this factor a step, and some more."""
    first = (1 + condition / 4) / 2
    return int(min(1.02 * math.log(TOLERANCE / first) / (2 * math.log(pace)) + 20, MOST))


def steps_to(run: Trajectory) -> np.ndarray:
    """The step of each lane at which the loss is first under the tolerance, NaN where it never is."""
    there = run.loss < TOLERANCE
    return np.where(there.any(axis=0), np.argmax(there, axis=0), np.nan)


def cut(run: Trajectory, counts: np.ndarray) -> np.ndarray:
    """The last lane's path up to where it has converged, or all of it."""
    end = float(counts[-1])
    return run.x[:, -1] if np.isnan(end) else run.x[: int(end) + 1, -1]


def counted(steps: float) -> str:
    """A number of steps in words."""
    return f"over {MOST:,}" if np.isnan(steps) else f"{steps:.0f}"


def landscape(bowl: RotatedQuadratic) -> Landscape:
    """The bowl's picture."""
    box = frame_of(bowl.domain)
    return Landscape(bowl.value(*np.meshgrid(*axes_of(box))), box, 0.0)
