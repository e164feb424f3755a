"""What momentum remembers of noise, and what decay and clipping do about it: one parameter with nothing to learn."""

from __future__ import annotations

from typing import Any

from .lesson import Answer, Goal, Guess, Lesson, Question, Step


def widened(experiment: Any) -> float:
    """How many times wider than plain SGD's the updates of the second epoch are."""
    return float(experiment.results["spread"][1] / experiment.results["plain"]["spread"][1])


def twice_as_wide(experiment: Any) -> bool:
    ratio = experiment.results["expected"][0] / 0.1
    return bool(ratio > 1.85 and ratio < 2.15)


def calmed_down(experiment: Any) -> bool:
    return bool(experiment.results["expected"][39] < 0.1 and experiment.momentum > 0.9)


NOISE = {"momentum": 0, "decay": 0}

MEMORY_OF_NOISE = Lesson(
    name="memory_of_noise", order=3, title="What momentum remembers",
    sentence="Noise, memory, decay and clipping, where there is nothing to learn.",
    steps=(
        Step(
            title="Nothing to learn",
            text="<p>This parameter's gradient is pure noise: a new draw every step, zero in the mean. Whatever moves here is the optimizer's own doing.</p><p>{steps.baseline|Plain SGD} moves by the rate times the draw: 99.7 % of its updates lie within ±0.3.</p>",
            state=NOISE, look=("steps",),
        ),
        Step(
            title="Add a memory",
            text="<p>With momentum 0.95 every update keeps 95 % of the last one, and adds the new draw.</p>",
            state=NOISE, turn=("momentum",), look=("steps",),
            question=Question(
                ask="How many times wider will the {steps.updates|updates} be than those of plain SGD?",
                guess=Guess(low=1, high=20, step=0.2, truth=widened, near=1.3, unit=" times", why="Draws partly cancel: the spread grows by 1 / √(1 − momentum²), 3.2 at 0.95 in the long run, and not by 1 / (1 − momentum), which is 20."),
                then={"momentum": 0.95, "decay": 0},
            ),
        ),
        Step(
            title="How long it remembers",
            text="<p>A draw is forgotten after about 1 / (1 − momentum) steps: 20 at 0.95, 2 at 0.5. The dashed line is the {spread.expected|spread that theory expects}.</p>",
            state=NOISE, turn=("momentum",), look=("spread",),
            goal=Goal(text="Find the momentum that makes updates about twice as wide.", reached=twice_as_wide,
                      solution={"momentum": 0.86, "decay": 0}, done="0.87 = √(1 − ¼): far up the slider. Most of what momentum does happens near its end."),
        ),
        Step(
            title="Where the parameter goes",
            text="<p>Updates are one thing, their sum another: {value.updates|the parameter} wanders.</p>",
            state=NOISE, turn=("momentum",), look=("value",),
            question=Question(
                ask="At momentum 0.95 updates are 3.2 times wider. How much further will the parameter wander?",
                answers=(
                    Answer("3.2 times", "That would be so if neighbouring updates had nothing to do with each other."),
                    Answer("20 times", "Each draw goes on pushing for 20 steps: it counts 1 / (1 − momentum) times.", right=True),
                    Answer("As far as before: noise cancels", "It cancels as well as before, but each draw counts more."),
                ),
                then={"momentum": 0.95, "decay": 0},
                revealed="So with momentum m a rate of lr is one of lr / (1 − m) to whatever is slow.",
            ),
        ),
        Step(
            title="Let the rate decay",
            text="<p>Noise never stops, so a constant rate never comes to rest. A rate that <b>decays</b> lets it: here some is taken off after each of the 40 epochs.</p>",
            state={"momentum": 0.95, "decay": 0, "epoch": 40}, turn=("decay",), look=("spread",),
            goal=Goal(text="Choose a decay with which the last epoch is calmer than plain SGD, at momentum 0.95.", reached=calmed_down,
                      solution={"momentum": 0.95, "decay": 0.002, "epoch": 40}, done="The spread follows the rate down. In a real run the decay also has to leave time to arrive."),
        ),
        Step(
            title="Clip what is too large",
            text="<p>Clipping cuts a gradient to a largest size before it is used.</p>",
            state={"momentum": 0.95, "decay": 0}, turn=("clip",), look=("steps",),
            question=Question(
                ask="What share of standard normal draws will a clip at 1 cut?",
                answers=(
                    Answer("About 0.3 %", "Those are beyond 3 standard deviations."),
                    Answer("About a third", "68 % lie within one standard deviation; the others are cut.", right=True),
                    Answer("Nearly all", "Two thirds are smaller than 1 and stay as they are."),
                ),
                then={"momentum": 0.95, "decay": 0, "clip": 1},
                revealed="Clipping is for the rare huge gradient. At 1 it only makes all noise a little smaller; at 5 it cuts one draw in 1.7 million.",
            ),
        ),
    ),
)  # fmt: skip
