"""The loss that noisy runs cannot pass, and what lowers it."""

from __future__ import annotations

from typing import Any

from .lesson import Answer, Goal, Guess, Lesson, Question, Step


def floor_of(experiment: Any) -> float:
    return float(experiment.found["first"]["floor"])


def below_a_twentieth(experiment: Any) -> bool:
    return bool(experiment.found["first"]["floor"] < 0.05 and experiment.noise >= 1.5)


def ball_as_calm(experiment: Any) -> bool:
    return bool(experiment.momentum > 0.85 and experiment.found["first"]["floor"] < 0.18)


NOISE_FLOOR = Lesson(
    name="noise_floor", order=8, title="The floor that noise makes",
    sentence="Rates, batches, momentum and Adam under noise.",
    steps=(
        Step(
            title="Twenty runs",
            text="<p>Each gradient has noise added, as if it came from a small batch. Twenty runs start together; they come down, and then {surface.first|wander} around the minimum. They never arrive: the {loss.first floor|floor} is where theory says that they stay.</p>",
            state={}, look=("surface", "loss"),
        ),
        Step(
            title="Half the rate",
            text="<p>The floor is 0.172 above the lowest loss at a rate of 0.1.</p>",
            state={}, turn=("lr",), look=("loss",),
            question=Question(
                ask="Where will it be at half the rate?",
                guess=Guess(low=0.0, high=0.3, step=0.005, truth=floor_of, within=0.02, why="A bit less than half: the floor is about in proportion to the rate, more so near the limit."),
                then={"lr": 0.05},
            ),
        ),
        Step(
            title="Slow and low",
            text="<p>A low rate has a low floor, and takes long to come down to it.</p>",
            state={}, turn=("lr",), look=("loss",),
            goal=Goal(text="Find a rate with which the runs end below 0.05.", reached=below_a_twentieth,
                      solution={"lr": 0.025}, done="Too low, and 200 steps do not suffice to get down. Hence schedules: high first, then low."),
        ),
        Step(
            title="A larger batch",
            text="<p>A batch four times as large has half the noise.</p>",
            state={}, turn=("noise",), look=("surface", "loss"),
            question=Question(
                ask="What will half the noise do to the floor?",
                answers=(
                    Answer("Halve it", "The distances are halved. The loss is their square."),
                    Answer("Bring it to a quarter", "Distances are halved, and the loss is their square. So four times the batch does what a quarter of the rate does.", right=True),
                    Answer("Nothing: the rate is the same", "The rate tells how much of the noise is taken in; the noise, how much there is."),
                ),
                then={"noise": 0.75},
            ),
        ),
        Step(
            title="Momentum is no filter",
            text="<p>Momentum averages gradients, so one might hope that it averages the noise away.</p>",
            state={}, turn=("momentum",), look=("surface", "loss"),
            question=Question(
                ask="At the same rate, what will momentum 0.9 do to the floor?",
                answers=(
                    Answer("Lower it: noise is averaged", "It averages, but its steps are ten times as long in the sum."),
                    Answer("Leave it as it is", "That would take a rate ten times lower."),
                    Answer("Raise it about eightfold", "Each draw counts 1 / (1 − 0.9) = 10 times. With a tenth of the rate it would be as it was.", right=True),
                ),
                then={"momentum": 0.9},
            ),
        ),
        Step(
            title="Make it even",
            text="<p>To compare rules fairly, compare them at the same lr / (1 − momentum).</p>",
            state={"momentum": 0.9}, turn=("lr",), look=("loss",),
            goal=Goal(text="Keep momentum 0.9, and bring its floor back below 0.18.", reached=ball_as_calm,
                      solution={"momentum": 0.9, "lr": 0.01}, done="The same floor as plain SGD at 0.1, or a lower one. Momentum is for curvature, not for noise."),
        ),
        Step(
            title="Adam beside it",
            text="<p>A {surface.second|second rule} can run under the same draws. Adam divides by the size of its gradients, noise and all: near the minimum that is mostly noise, so its steps stay about as long as the rate.</p>",
            state={"second": "adam", "second_lr": 0.1}, turn=("second", "second_lr"), look=("surface", "loss"),
        ),
    ),
)  # fmt: skip
