"""Two factors that learn a matrix: which of its directions each rule learns first."""

from __future__ import annotations

from typing import Any

import numpy as np
import param

from ..experiment import Experiment
from ..page.controls import knobs_of
from ..page.layout import frame, grid, html
from ..page.tables import cell
from ..pictures.layers import BLUE, GREY, ORANGE, PLUM, PURPLE, RUST, TEAL, Drawing, Figure, bands, curve, guides
from ..pictures.playheads import at_step, moment
from ..pictures.scene import decades, loggable
from ..rules.matrix_rules import MATRIX_RULES, QUINTIC_BAND, ROUNDS, rounds_on
from ..runs.factorization import arrival, factorized, target_of
from ..runs.steps import Played, measured
from ..runs.trajectory import Trajectory
from ..spans import Spanned

NAMES = tuple(MATRIX_RULES)
INKS = dict(zip(NAMES, (BLUE, ORANGE, PLUM, TEAL, RUST, PURPLE), strict=True))
DASHES = dict(zip(NAMES, ("solid", "dashed", "dotdash", "dashdot", "solid", "dotted"), strict=True))
RATES = {"gradient descent": "gd_lr", "Adam": "adam_lr", "Shampoo": "shampoo_lr", "SOAP": "soap_lr", "Muon": "muon_lr",
         "polar factor": "muon_lr"}  # fmt: skip
SHARE = 0.9  # of its size, from which on a direction counts as learned
MODES = {"large": BLUE, "small": ORANGE}
UPDATES = {"P, larger": BLUE, "P, smaller": ORANGE, "Q, larger": TEAL, "Q, smaller": PLUM}


class MatrixDescent(Experiment):
    """Gradient descent, Adam, Shampoo, SOAP and Muon on min ½ |PᵀQ − M|² of 2 x 2 matrices.

    M has the singular values `large` and `small`; P and Q start near zero. Results: `runs`, of each rule what
    `optviz.runs.factorization.factorized` gives, and `arrivals`, of each rule the steps at which the large and the
    small direction have 90 % of their size (NaN where they never have).
    """

    rule = param.Selector(default=NAMES[0], objects=list(NAMES), doc="The rule whose run is shown.")
    large = param.Number(4.0, bounds=(0.05, 20), softbounds=(0.5, 10), step=0.05, label="Large singular value",
                         doc="Of the matrix that is learned.")  # fmt: skip
    small = param.Number(0.25, bounds=(0.01, 20), softbounds=(0.05, 4), step=0.01, label="Small singular value",
                         doc="Of the matrix that is learned.")  # fmt: skip
    angle = param.Number(0.7, bounds=(-3.2, 3.2), softbounds=(0, 1.6), step=0.05, label="Turn of the matrix",
                         doc="Of its singular vectors, in radians: the right ones by 1 less.")  # fmt: skip
    size = Spanned(1e-3, bounds=(1e-9, 1), softbounds=(1e-6, 1), step=1e-3, span=(1e-6, 1.0), label="Size of the start",
                   doc="What the factors' first entries are multiplied by.")  # fmt: skip
    rounds = param.Integer(ROUNDS, bounds=(0, 12), label="Rounds of Muon's polynomial",
                           doc="Newton-Schulz iterations that take singular values close to 1.")  # fmt: skip
    steps = param.Integer(300, bounds=(10, 3000), softbounds=(50, 1000), step=10, doc="Steps of each run.")
    gd_lr = Spanned(0.2, bounds=(0, 2), softbounds=(0, 1), step=0.005, span=(1e-3, 1.0),
                    label="Learning rate of gradient descent", doc="Its step is this times the gradient.")  # fmt: skip
    adam_lr = Spanned(0.01, bounds=(0, 1), step=0.005, span=(1e-4, 1.0), label="Learning rate of Adam",
                      doc="About how far each entry moves in a step.")  # fmt: skip
    shampoo_lr = Spanned(0.1, bounds=(0, 2), softbounds=(0, 1), step=0.01, span=(1e-3, 1.0),
                         label="Learning rate of Shampoo", doc="The first step's singular values.")  # fmt: skip
    soap_lr = Spanned(0.01, bounds=(0, 1), step=0.005, span=(1e-4, 1.0), label="Learning rate of SOAP",
                      doc="About how far each direction moves in a step.")  # fmt: skip
    muon_lr = Spanned(0.01, bounds=(0, 1), step=0.005, span=(1e-4, 1.0), label="Learning rate of Muon",
                      doc="How far every direction moves in a step; the polar factor's too.")  # fmt: skip

    title = "Two matrices that learn a third"
    order = 6
    lines = (2, 5)
    sentence = "Gradient descent and Adam learn one direction after the other; Muon moves all at one speed."

    def rate_of(self, rule: str) -> float:
        """A rule's learning rate."""
        return getattr(self, RATES[rule])

    def compute(self) -> dict[str, Any]:
        task = (self.large, self.small, self.angle, self.size, self.steps)
        runs = {name: self.remember(name, (*task, *self._knobs(name).values()), lambda n=name: self._run(n))
                for name in NAMES}  # fmt: skip
        full = (self.large, self.small)
        arrivals = {n: [arrival(runs[n]["modes"][:, k], full[k], SHARE) for k in (0, 1)] for n in NAMES}
        return {"runs": runs, "arrivals": arrivals}

    def _knobs(self, name: str) -> dict[str, float]:
        return {"lr": self.rate_of(name), **({"rounds": self.rounds} if name == "Muon" else {})}

    def _run(self, name: str) -> dict[str, Any]:
        left, right = self.angle, self.angle - 1
        target = target_of((self.large, self.small), left, right)
        return factorized(name, self._knobs(name), target, left, right, self.size, self.steps)

    @property
    def runs(self) -> dict[str, dict[str, Any]]:
        """Each rule's run."""
        return self.results["runs"]

    @property
    def arrivals(self) -> dict[str, list[float]]:
        """The steps at which each rule has learned the large and the small direction."""
        return self.results["arrivals"]

    # pictures

    def figures(self) -> list[Figure]:
        modes = {f"{name} mode": curve(ink, f"{name} mode", line_width=2.6) for name, ink in MODES.items()}
        losses = {n: curve(INKS[n], n, line_width=1.8, line_dash=DASHES[n]) for n in NAMES}
        # P's and Q's may lie on one another
        updates = {n: curve(ink, n, line_width=4 if n[0] == "P" else 1.6) for n, ink in UPDATES.items()}
        return [
            Figure("modes", {**modes, **moment()}, static=lambda: guides((0, SHARE, 1)), xlabel="step",
                   ylabel="share of its singular value", height=540, legend="bottom_right"),
            Figure("loss", {**losses, "chosen": curve(GREY, line_width=6, alpha=0.35), **moment()}, xlabel="step",
                   ylabel="loss", logy=True, height=300, legend="bottom_left"),
            Figure("updates", {**updates, **moment()}, xlabel="step", ylabel="singular values of a step",
                   logy=True, height=300, legend="bottom_left"),
            Figure("polynomial", {
                "band": bands(GREY, 0.25), "exact": curve(PURPLE, "polar factor", line_dash="dotted"),
                "polynomial": curve(RUST, "Muon", line_width=2.2),
            }, xlabel="singular value before", ylabel="after", height=300, legend="bottom_right"),
        ]  # fmt: skip

    def draw(self) -> dict[str, Drawing]:
        run, when = self.runs[self.rule], np.arange(self.steps + 1)
        shares = run["modes"] / np.array([self.large, self.small])
        modes = {f"{name} mode": {"x": when, "y": shares[:, k]} for k, name in enumerate(MODES)}
        said = {f"{name} mode": f"{name} mode: {_arrived(self.arrivals[self.rule][k])}" for k, name in enumerate(MODES)}
        title = f"{_capital(self.rule)}: share learned of each mode"
        high = max(1.15, float(np.nanmax(shares[: self._last() + 1])) + 0.05)
        return {
            "modes": Drawing(modes, (0.0, float(self.steps)), (-0.1, min(high, 3.0)), title, said),
            "loss": self._draw_loss(when),
            "updates": self._draw_updates(run),
            "polynomial": self._draw_polynomial(),
        }

    def _last(self) -> int:
        """The last step of the shown run at which its loss is finite."""
        gone = self.runs[self.rule]["diverged"]
        return gone - 1 if gone > 0 else self.steps

    def _draw_loss(self, when: np.ndarray) -> Drawing:
        losses = {name: loggable(self.runs[name]["loss"]) for name in NAMES}
        low, high = decades(np.concatenate([losses[name] for name in NAMES]))
        top = 100 * float(losses[NAMES[0]][0])  # where a run that diverges leaves the frame
        layers = {name: {"x": when, "y": losses[name]} for name in NAMES}
        layers["chosen"] = {"x": when, "y": losses[self.rule]}
        return Drawing(layers, (0.0, float(self.steps)), (max(low, 1e-16), min(high, top)), "The loss under each rule")

    def _draw_updates(self, run: dict[str, Any]) -> Drawing:
        sizes, when = loggable(run["updates"]), np.arange(1, self.steps + 1)
        low, high = decades(sizes)
        layers = {name: {"x": when, "y": sizes[:, k]} for k, name in enumerate(UPDATES)}
        title = f"{_capital(self.rule)}: singular values of each step"
        return Drawing(layers, (0.0, float(self.steps)), (max(low, 1e-12), min(high, 1e3)), title)

    def _draw_polynomial(self) -> Drawing:
        before = np.linspace(0, 1, 401)
        after = rounds_on(before, self.rounds)
        low, high = QUINTIC_BAND
        layers = {
            "band": {"x0": [0.0], "y0": [low], "x1": [1.0], "y1": [high]},
            "exact": {"x": np.array([0.0, 0.0, 1.0]), "y": np.array([0.0, 1.0, 1.0])},
            "polynomial": {"x": before, "y": after},
        }  # fmt: skip
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
        title = f"Muon's polynomial, {rounds}; grey: {low:g} to {high:g}"
        return Drawing(layers, (0.0, 1.0), (0.0, 1.3), title)

    # walked through

    def played(self) -> list[Played]:
        walk = self.remember("walk", (self.runs[self.rule], self.rate_of(self.rule)), self._walk)
        return [Played("", walk, 0, self.steps, None, None, "", 0, 0)]

    def _walk(self) -> Trajectory:
        run, rates = self.runs[self.rule], np.full(self.steps, float(self.rate_of(self.rule)))
        sizes = {f"step of {name}": run["updates"][:, k] for k, name in enumerate(UPDATES)}
        modes = {f"{name} mode": run["modes"][1:, k] for k, name in enumerate(MODES)}
        return measured(rates, {"loss": run["loss"][1:], **modes, **sizes}, run["diverged"])

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        run, drawn = self.runs[self.rule], self.drawings
        shares = [run["modes"][step, k] / full for k, full in enumerate((self.large, self.small))]
        taken = max(step, 1) - 1
        return {
            "modes": at_step(step, shares, drawn["modes"].ylim, list(MODES.values())),
            "loss": at_step(step, [run["loss"][step]], drawn["loss"].ylim, [INKS[self.rule]]),
            "updates": at_step(taken + 1, run["updates"][taken], drawn["updates"].ylim, list(UPDATES.values())),
        }

    # words

    def status(self) -> str:
        large, small = self.arrivals[self.rule]
        gone = self.runs[self.rule]["diverged"]
        if gone > 0:
            return f"{_capital(self.rule)} <b>diverges</b>: its loss is no longer finite at step {gone}."
        both = f"of the large mode <b>{_arrived(large)}</b>, of the small one <b>{_arrived(small)}</b>"
        return f"{_capital(self.rule)} has {100 * SHARE:g} % {both}{_manner(large, small)}"

    def side(self) -> dict[str, str]:
        heads = ("Rule", "Rate", "Large mode", "Small mode", "Last loss")
        head = "".join([cell("th", text) for text in heads])
        rows = "".join([f"<tr>{self._row(name)}</tr>" for name in NAMES])
        return {"table": f'<table style="border-collapse: collapse; margin: 8px 0 0 8px"><tr>{head}</tr>{rows}</table>'}

    def _row(self, name: str) -> str:
        run = self.runs[name]
        last = f"diverges at step {run['diverged']}" if run["diverged"] > 0 else f"{run['loss'][-1]:.2g}"
        steps = ["never" if np.isnan(step) else f"{step:.0f}" for step in self.arrivals[name]]
        return "".join([cell("td", text) for text in (_capital(name), f"{self.rate_of(name):g}", *steps, last)])

    def shade(self) -> dict[str, float]:
        return {"gd_lr": 1 / max(self.large, self.small)}

    def controls(self, members=None) -> list[Any]:
        rates = ["gd_lr", "adam_lr", "shampoo_lr", "soap_lr", "muon_lr"]
        first = ["rule", "large", "small", "rounds", "size", "steps", "angle"]
        return [knobs_of(self, first, rare=("steps", "angle")), knobs_of(self, rates)]

    notes = f"""
<p><b>What is shown.</b> Two 2 × 2 matrices P and Q that start near zero and learn a third one, M: the loss is
½ |PᵀQ − M|². M has two directions, its pairs of singular vectors, a large and a small one. The first picture says how
much of each PᵀQ has learned; the table, at which step it is {100 * SHARE:g} %.</p>
<p><b>From saddle to saddle.</b> Near zero a direction grows at the speed of its singular value. Gradient descent
learns the large one, rests on a saddle, then learns the small one, some ten times as late here. Adam goes the same way:
it looks at entries, not at directions.</p>
<p><b>All at one speed.</b> Muon makes every singular value of a step about 1 before the rate scales it: the small
direction has less far to go and is done first. The polar factor makes them exactly 1. Shampoo and SOAP find the
directions from the gradients' squares.</p>
<p><b>Muon's polynomial</b>, 3.4445 s − 4.775 s³ + 2.0315 s⁵, round after round, takes what is not tiny, five rounds
all that is above 0.006, to between {QUINTIC_BAND[0]:g} and {QUINTIC_BAND[1]:g}: with a few matrix products a round, and
no decomposition.</p>
<p><b>Limit.</b> Where P and Q have learned M in equal shares the curvature is twice the largest singular value:
gradient descent is stable there below 1 over the largest; its slider is shaded from there on.</p>
"""

    def arrange(self, page) -> Any:
        modes, loss, updates, polynomial = page.pictures("modes", "loss", "updates", "polynomial")
        return frame(
            [*page.controls, *page.blocks.values()], [page.message, page.status, modes],
            [grid(loss, updates, polynomial, columns=1)], [html(self.notes, "notes")], beside=True,
        )  # fmt: skip


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _arrived(step: float) -> str:
    return "not in these steps" if np.isnan(step) else f"at step {step:.0f}"


def _manner(large: float, small: float) -> str:
    """How the modes came, where both did."""
    if np.isnan(large) or np.isnan(small):
        return "."
    if small < large:
        return ": the small one first, as all directions move at one speed."
    if small > 2 * large:
        return ": one after the other, from saddle to saddle."
    return ": both at about the same time."
