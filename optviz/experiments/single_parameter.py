"""One parameter under random gradients: what momentum, decay and clipping make of noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import param

from ..experiment import Experiment
from ..lessons.memory_of_noise import MEMORY_OF_NOISE
from ..messages import refuse
from ..page.layout import frame, grid, html
from ..pictures.layers import BLUE, GREY, ORANGE, RED, Drawing, Figure, bands, curve, guides, marks
from ..pictures.playheads import at_step, moment
from ..pictures.scene import off_scale
from ..rules.optimizers import Momentum
from ..rules.schedules import LinearDecay
from ..runs.linear_filter import filtered
from ..runs.steps import Played, walk_of
from ..runs.trajectory import Trajectory
from ..spans import Spanned
from ..theory.noise import clipped_deviation, update_spread

EPOCHS, STEPS = 40, 591
BASELINE_LR = 0.1
SPREADS = (2e-4, 20.0)  # what the axis of the spreads holds
EVERY = 197  # steps between two points of the parameter's value: a third of an epoch


class SingleParameter(Experiment):
    """Updates of one parameter under standard normal gradients, 40 epochs of 591 steps.

    u = momentum * u - rate * clip(g), with the rate lowered by `decay` after each epoch and
    never under 0.001, beside plain SGD at constant rate 0.1. Results, each of shape (23640,):
    `gradients`, `rates`, `updates`, `baseline`; `values` (23641,), the parameter from 0 on; `spread` and
    `expected` (40,), the measured and the predicted root mean square of each epoch's updates: their deviation
    about 0, where noise keeps them, and not about the epoch's own mean. `gradients=` replaces the drawn ones.
    """

    lr = Spanned(0.1, bounds=(0, 1), step=0.01, span=(1e-4, 1.0), label="Learning rate", doc="Rate of the first epoch.")
    decay = param.Number(0.002, bounds=(0, 0.005), step=0.0001,
                         doc="Taken off the rate after each epoch; the rate never falls under 0.001.")  # fmt: skip
    momentum = param.Number(0.95, bounds=(0, 0.99), step=0.01, doc="Share of the last update that is kept.")
    clip = param.Number(5.0, bounds=(0.5, 5), step=0.5, doc="Gradients beyond this are cut to it.")
    epoch = param.Integer(1, bounds=(1, EPOCHS), doc="The epoch on view.")
    seed = param.Integer(0, bounds=(0, None), precedence=2, doc="Seed of the gradients (numpy's default generator).")
    new_gradients = param.Event(label="New gradients", doc="Draw the gradients of the next seed.")

    fit_axes = param.Event(
        label="Fit axes to these values", doc="The axis of the parameter stays put while a knob moves."
    )

    lessons = (MEMORY_OF_NOISE,)
    title = "One parameter, random gradients"
    order = 2
    lines = (2, 5)
    sentence = "What momentum, decay and clipping make of pure noise."

    def __init__(self, gradients: Any = None, **params):
        self._given = None if gradients is None else _checked(gradients)
        super().__init__(**params)

    def follow(self, changed: set[str]) -> dict[str, Any]:
        """New gradients are those of the next seed; a seed replaces gradients that were given."""
        if changed & {"new_gradients", "seed"}:
            self._given = None
        return {"seed": self.seed + 1} if "new_gradients" in changed else {}

    @property
    def gradients(self) -> np.ndarray:
        """The gradient of every step."""
        return self.results["gradients"]

    @property
    def rates(self) -> np.ndarray:
        """The learning rate of every step."""
        return self.results["rates"]

    @property
    def updates(self) -> np.ndarray:
        """The update of every step, with momentum, decay and clipping."""
        return self.results["updates"]

    @property
    def baseline(self) -> np.ndarray:
        """The update of every step of plain SGD at rate 0.1."""
        return self.results["baseline"]

    @property
    def values(self) -> np.ndarray:
        """The parameter itself, from 0 on: the sum of its updates. Its picture needs few of them: summed when asked."""
        return np.concatenate([np.zeros(1), np.cumsum(self.updates)])

    @property
    def spread(self) -> np.ndarray:
        """The root mean square of each epoch's updates."""
        return self.results["spread"]

    @property
    def expected(self) -> np.ndarray:
        """What theory expects of `spread` from the rate, the momentum and the clip."""
        return self.results["expected"]

    def compute(self) -> dict[str, Any]:
        gradients = self.remember("gradients", (self.seed, self._given), self._gradients)
        rates = self.remember("rates", (self.lr, self.decay), self._rates)
        plain = self.remember(
            "plain", gradients, lambda: _seen(filtered(Momentum(lr=BASELINE_LR, momentum=0), gradients))
        )
        knobs = (gradients, rates, self.momentum, self.clip)
        found = self.remember("found", knobs, lambda: self._found(gradients, rates))
        return {"gradients": gradients, "rates": rates, "baseline": plain["updates"], "plain": plain, **found}

    def _found(self, gradients, rates) -> dict[str, np.ndarray]:
        """The updates, and what theory expects of them: steps of 1 / (1 − momentum) of a rate."""
        rule = self.remember("rule", 0, lambda: Momentum(lr=1.0))  # another one would take longer than its steps
        rule.momentum = self.momentum
        updates = filtered(rule, gradients, clip=self.clip, rates=rates)
        middle, felt = self._felt(gradients)
        one, push = update_spread(rule, felt), middle / (1 - self.momentum)
        jumps = rates[::EVERY] * (felt / (1 - self.momentum))  # the rate is one from a step that is drawn to the next
        return {
            **_seen(updates), "expected": np.hypot(one * rates[::STEPS], push * rates[::STEPS]),
            "reach": np.hypot(np.sqrt(_summed(EVERY * jumps * jumps)), _summed(EVERY * push * rates[::EVERY])),
        }  # fmt: skip

    def _felt(self, gradients) -> tuple[float, float]:
        """The mean and the deviation of clipped gradients: of normal ones, or of those that were given."""
        if self._given is None:
            return 0.0, clipped_deviation(1.0, self.clip)
        kept = np.clip(gradients, -self.clip, self.clip)
        return float(kept.mean()), float(kept.std())

    def _gradients(self) -> np.ndarray:
        if self._given is not None:
            return self._given
        return np.random.default_rng(self.seed).standard_normal(EPOCHS * STEPS)

    def _rates(self) -> np.ndarray:
        return np.repeat(LinearDecay(decay=self.decay, every=1).rates(self.lr, EPOCHS)[:, 0], STEPS)

    def figures(self) -> list[Figure]:
        return [
            Figure(
                "steps",
                {
                    "baseline": curve(ORANGE, "plain SGD", line_width=1, alpha=0.85),
                    "updates": curve(BLUE, "momentum", line_width=1.6),
                    "expected": curve(GREY, "predicted ±2 spreads", line_dash="dashed"),
                    **moment(),
                },
                static=lambda: guides((-0.3, 0.3, -1, 1)),
                xlabel="step of the epoch", ylabel="update", height=380, legend="top_right",
            ),
            Figure(
                "epochs",
                {
                    "viewed": bands(GREY, 0.3),
                    "baseline": curve(ORANGE, "plain SGD", line_width=1.2, alpha=0.85),
                    "updates": curve(BLUE, "momentum"),
                },
                static=lambda: guides((-0.3, 0.3)),
                xlabel="epoch (click one to view it)", ylabel="last update of the epoch", height=250,
                legend="top_right",
                tap=self._view_epoch, arrows=("viewed", 1.0),
            ),
            Figure(
                "spread",
                {
                    "viewed": bands(GREY, 0.3),
                    "updates": curve(BLUE, "momentum"),
                    "expected": curve(GREY, "predicted", line_dash="dashed"),
                    "baseline": curve(ORANGE, "plain SGD", line_width=1.2),
                },
                xlabel="epoch", ylabel="spread", logy=True, height=240, legend="top_right", tap=self._view_epoch,
                arrows=("viewed", 1.0),
            ),
            Figure(
                "value",
                {
                    "viewed": bands(GREY, 0.3),
                    "baseline": curve(ORANGE, "plain SGD", line_width=1.2),
                    "updates": curve(BLUE, "momentum"),
                    "expected": curve(GREY, "predicted ±2 spreads", line_dash="dashed"),
                    "above": marks(RED, "triangle", 9), "below": marks(RED, "inverted_triangle", 9),
                    **moment(),
                },
                xlabel="epoch", ylabel="parameter", height=240, legend="top_right", tap=self._view_epoch,
                arrows=("viewed", 1.0),
            ),
        ]  # fmt: skip

    def _view_epoch(self, x: float, y: float) -> None:
        self.epoch = int(np.clip(round(x), 1, EPOCHS))

    def draw(self) -> dict[str, Drawing]:
        at = slice((self.epoch - 1) * STEPS, self.epoch * STEPS)
        step, last = np.arange(STEPS), np.arange(1, EPOCHS + 1) * STEPS - 1
        epochs = np.arange(1, EPOCHS + 1)
        rate = self.rates[at][0]
        legend = {
            "momentum": f"momentum {self.momentum:g}, rate {rate:.4f}",
            "plain SGD": f"plain SGD, rate {BASELINE_LR:g}",
        }
        steps = {
            "baseline": {"x": step, "y": self.baseline[at]},
            "updates": {"x": step, "y": self.updates[at]},
            "expected": _both(np.array([0.0, STEPS - 1.0]), np.full(2, 2 * self.expected[self.epoch - 1])),
        }
        ends = {
            "viewed": self._viewed(-1.5, 1.5),
            "baseline": {"x": epochs, "y": self.baseline[last]},
            "updates": {"x": epochs, "y": self.updates[last]},
        }
        return {
            "steps": Drawing(steps, (0, STEPS - 1), (-1.5, 1.5), f"Epoch {self.epoch}", legend),
            "epochs": Drawing(ends, (0.5, EPOCHS + 0.5), (-1.5, 1.5), "The last update of each epoch", legend),
            "spread": self._draw_spread(epochs),
            "value": self._draw_value(),
        }

    def _viewed(self, low: float, high: float) -> dict[str, list[float]]:
        return {"x0": [self.epoch - 0.5], "y0": [low], "x1": [self.epoch + 0.5], "y1": [high]}

    def _draw_spread(self, epochs: np.ndarray) -> Drawing:
        layers = {
            "viewed": self._viewed(*SPREADS),
            "updates": {"x": epochs, "y": self.spread}, "expected": {"x": epochs, "y": self.expected},
            "baseline": {"x": epochs, "y": self.results["plain"]["spread"]},
        }  # fmt: skip
        return Drawing(layers, (0.5, EPOCHS + 0.5), SPREADS, "Spread of each epoch's updates")

    def _draw_value(self) -> Drawing:
        at = np.arange(0, EPOCHS * STEPS + 1, EVERY)
        time = 0.5 + at / STEPS
        reach = 2 * self.results["reach"]
        walks = np.stack([self.results["walk"], self.results["plain"]["walk"]], axis=1)
        most = max(1.2 * float(reach[-1]), float(np.abs(walks).max()))
        high = self.remember("height", (self._fit,), lambda: _round_up(most))
        out = off_scale(walks, (-high, high))
        layers = {
            "viewed": self._viewed(-high, high),
            "baseline": {"x": time, "y": walks[:, 1]}, "updates": {"x": time, "y": walks[:, 0]},
            "expected": _both(time, reach),
            **{name: {"x": 0.5 + marked["x"] * EVERY / STEPS, "y": marked["y"]} for name, marked in out.items()},
        }  # fmt: skip
        return Drawing(layers, (0.5, EPOCHS + 0.5), (-high, high), "The parameter: the sum of its updates")

    def played(self) -> list[Played]:
        key = (self.gradients, self.rates, self.updates, self.clip)
        run = self.remember("walk", key, self._walk)
        rule = Momentum(lr=self.lr, momentum=self.momentum)
        return [Played("", run, 0, run.steps, rule, None, "", 0, 0)]

    def _walk(self) -> Trajectory:
        cut = np.clip(self.gradients, -self.clip, self.clip)
        return walk_of(self.values, self.updates, self.gradients, cut, self.rates, {"v": -self.updates})

    def playhead(self, step: int) -> dict[str, dict[str, Any]]:
        k, drawn, inks = min(step, EPOCHS * STEPS - 1), self.drawings, [ORANGE, BLUE]
        now, value = [self.baseline[k], self.updates[k]], self.played()[0].run.x[step, 0, 0]
        return {
            "steps": at_step(k - (self.epoch - 1) * STEPS, now, drawn["steps"].ylim, inks),
            "value": at_step(0.5 + step / STEPS, [value], drawn["value"].ylim, [BLUE]),
        }

    def stands(self) -> int:
        return (self.epoch - 1) * STEPS

    def stand(self, step: int) -> dict[str, Any]:
        return {"epoch": min(step, EPOCHS * STEPS - 1) // STEPS + 1}

    def status(self) -> str:
        at = slice((self.epoch - 1) * STEPS, self.epoch * STEPS)
        spread, plain = self.spread[self.epoch - 1], self.results["plain"]["spread"][self.epoch - 1]
        seen = self.updates[at]
        key = (self.gradients, self.clip)
        cut = self.remember("cut", key, lambda: int(np.count_nonzero(np.abs(self.gradients) > self.clip)))
        beyond = int(np.count_nonzero(np.abs(seen) > 1.5))
        text = (
            f"Epoch {self.epoch}: rate <b>{self.rates[at][0]:.4f}</b>, updates spread "
            f"<b>±{spread:.3f}</b> (root mean square), largest {np.abs(seen).max():.3f}; "
            f"predicted ±{self.expected[self.epoch - 1]:.3f}, plain SGD ±{plain:.3f}. "
            f"Clipping cut {cut:,} of {self.gradients.size:,} gradients."
        )
        are = "is" if beyond == 1 else "are"
        return text + (f" <b>{beyond} of {STEPS} updates {are} outside the frame.</b>" if beyond else "")

    notes = f"""
<p><b>What is shown.</b> One parameter whose gradient is pure noise: standard normal, with nothing
to learn. Blue is the update with momentum, orange plain SGD at a constant rate of {BASELINE_LR:g}.</p>
<p><b>{STEPS} steps.</b> An epoch is {STEPS} batches; {EPOCHS} epochs make {EPOCHS * STEPS:,} updates.
Below, one point an epoch: its last update. Click an epoch to view its steps.</p>
<p><b>Decay.</b> After each epoch the rate falls by the decay, down to 0.001 and no further. Momentum
carries the old, larger updates on for a while: about 1 / (1 − momentum) steps.</p>
<p><b>Clip 5 is no clip.</b> A standard normal gradient is beyond ±5 once in 1.7 million draws. Pull it
to 1 and a third of them are cut.</p>
<p><b>Where ±0.3 comes from.</b> Plain SGD moves by 0.1 times a standard normal draw: three standard
deviations are ±0.3, so 99.7 % of its updates stay between the dotted lines. Momentum widens the
spread by 1 / √(1 − momentum²): 3.2 times at 0.95, so about ±1 in the first epoch. A spread here is a root
mean square: taken about 0, where noise keeps the updates, since those of one epoch hang together and their own
mean wanders with them.</p>
<p><b>The parameter itself</b> is the sum of its updates, which the updates do not show: neighbours push the same
way, so it wanders as if each gradient counted 1 / (1 − momentum) times, 20 times at 0.95. The dashed lines
are two standard deviations of where such a walk has come to.</p>
"""

    def arrange(self, page) -> Any:
        steps, epochs, spread, value = page.pictures("steps", "epochs", "spread", "value")
        return frame(
            page.controls, [page.message, page.status, steps], [epochs, grid(spread, value, columns=2)],
            [html(self.notes, "notes")],
        )  # fmt: skip


def _summed(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros(1), np.cumsum(values)])


def _seen(updates: np.ndarray) -> dict[str, np.ndarray]:
    """Updates with the root mean square of each epoch's, and with their sum where it is drawn."""
    squares = (updates * updates).reshape(EPOCHS, STEPS)
    return {
        "updates": updates,
        "spread": np.sqrt(squares.mean(axis=1)),
        "walk": _summed(updates.reshape(-1, EVERY).sum(axis=1)),
    }


def _both(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """A line and its mirror image at the other side of zero, with a gap between."""
    gap = np.array([np.nan])
    return {"x": np.concatenate([x, gap, x]), "y": np.concatenate([y, gap, -y])}


def _round_up(value: float) -> float:
    """The next number of 1, 2, 5, 10, ..."""
    power = 10.0 ** np.floor(np.log10(value)) if value > 0 else 1.0
    return float(next((k * power for k in (1, 2, 5) if value <= k * power), 10 * power))


def _checked(gradients: Any) -> np.ndarray:
    size = EPOCHS * STEPS
    try:
        values = np.asarray(gradients, dtype=float)
    except (TypeError, ValueError):
        refuse("SingleParameter", f"needs {size:,} numbers as gradients", gradients)
    if values.shape != (size,):
        refuse("SingleParameter", f"needs gradients of shape ({size},)", values.shape)
    if not np.isfinite(values).all():
        refuse("SingleParameter", "needs finite gradients", values[~np.isfinite(values)][:3])
    return values
