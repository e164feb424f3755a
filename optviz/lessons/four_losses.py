"""Four losses of the same data: four landscapes, four ways down."""

from __future__ import annotations

from typing import Any

from .lesson import Answer, Goal, Lesson, Question, Step


def all_settled(experiment: Any) -> bool:
    loss = experiment.trajectory.loss
    return bool(loss[-1, 0] < 0.505 and loss[-1, 1] < 0.54 and loss[-1, 2] < 0.235 and loss[-1, 3] < 0.235)


def pulled_to_zero(experiment: Any) -> bool:
    weights = experiment.trajectory.x[-1, :, 0]
    return bool(abs(weights[0]) < 0.5 and abs(weights[1]) < 0.5)


FOUR_LOSSES = Lesson(
    name="four_losses", order=4, title="Four losses, four landscapes",
    sentence="What the choice of a loss does to the way down.",
    steps=(
        Step(
            title="One line, four opinions",
            text="<p>A line is fitted to {data.samples|the same points} four times. Each loss has its own idea of how bad a miss is, so each has its own landscape over (bias, weight), and its own path.</p>",
            state={}, look=("mse", "l1", "huber", "smooth_l1"),
        ),
        Step(
            title="How hard they pull",
            text="<p>{loss.mse|MSE} pulls in proportion to the miss. {loss.l1|L1} always pulls with the same strength. {loss.huber|Huber} is the first near the line and the second far from it.</p>",
            state={}, turn=("lr",), look=("loss",),
            question=Question(
                ask="The rate falls from 0.1 to 0.02. Which loss will be left behind most?",
                answers=(
                    Answer("MSE", "Far away it pulls hardest: it hardly notices."),
                    Answer("L1 and Huber", "Far from the line their pull is bounded: with a fifth of the rate they come a fifth as far.", right=True),
                    Answer("All alike", "The rate is the same, the gradients are not."),
                ),
                then={"lr": 0.02},
                revealed="This is what robust means, seen from the other side: points far away have no more say, and so starts far away take longer.",
            ),
        ),
        Step(
            title="A rate for all",
            text="<p>At a rate of 0.1 and 100 epochs only MSE has arrived.</p>",
            state={}, turn=("lr", "momentum", "epochs"), look=("loss",),
            goal=Goal(text="Turn the knobs until all four have settled: L1 below 0.54, Huber below 0.235, MSE below 0.505.", reached=all_settled,
                      solution={"lr": 0.5}, done="There are several ways: a higher rate, momentum, more epochs."),
        ),
        Step(
            title="Momentum for the slow ones",
            text="<p>L1's pull never grows, but with momentum pulls that agree add up.</p>",
            state={"lr": 0.02}, turn=("momentum",), look=("l1", "loss"),
            question=Question(
                ask="Rate 0.02 again. What will momentum 0.9 change for L1?",
                answers=(
                    Answer("It arrives", "Ten pulls of one strength in a row are one of ten times that.", right=True),
                    Answer("Nothing: its pull is bounded", "Each pull is; their sum is not."),
                    Answer("It flies past and is lost", "It runs past, but the pull turns it round."),
                ),
                then={"preset": "momentum-0.9", "lr": 0.02},
            ),
        ),
        Step(
            title="Weight decay",
            text="<p>Weight decay adds a pull towards (0, 0), whatever the data say: small weights, and a worse fit here.</p>",
            state={}, turn=("weight_decay",), look=("mse", "data"),
            goal=Goal(text="Decay the weights until the lines of MSE and L1 are flat: slopes within ±0.5.", reached=pulled_to_zero,
                      solution={"weight_decay": 2}, done="It changes where the lowest point is, and not only the way there."),
        ),
        Step(
            title="Two arrows",
            text="<p>Below, one step is taken apart: the step that {vectors.momentum|momentum} takes, and the one that {vectors.nesterov|Nesterov} would take from the same velocity.</p>",
            state={"preset": "momentum-0.9-nesterov"}, turn=("step", "dissected"), look=("vectors",),
            question=Question(
                ask="Early on, which of the two steps will be longer?",
                answers=(
                    Answer("Momentum's", "Nesterov's adds the new velocity once more, which early on points the same way."),
                    Answer("Nesterov's", "It adds the new velocity once more, before it is earned. Later, where the velocity turns, that brakes.", right=True),
                    Answer("They are equal", "They have the same velocity, but use it differently."),
                ),
            ),
        ),
    ),
)  # fmt: skip
