"""Stochastic steps: each walks on the landscape of its own sample, and we care about their mean."""

from __future__ import annotations

from typing import Any

from .lesson import Answer, Goal, Guess, Lesson, Question, Step


def steps_uphill(experiment: Any) -> bool:
    run, k = experiment.trajectory, experiment.sample // experiment.batch_size
    return bool(run.loss[k + 1, 0] > run.loss[k, 0])


def few_steps_suffice(experiment: Any) -> bool:
    run = experiment.trajectory
    return bool(run.steps <= 10 and run.loss[-1, 0] < 1.0)


def missed(experiment: Any) -> float:
    """The share of samples, in percent, that the epoch leaves out."""
    drawn = {int(i) for batch in experiment.results["batches"] for i in batch}
    return float(100 - len(drawn))


ONE_SAMPLE = Lesson(
    name="one_sample", order=5, title="One sample at a time",
    sentence="Why stochastic steps go astray, and why that is fine.",
    steps=(
        Step(
            title="Two landscapes",
            text="<p>This net has two weights and 100 samples. On the right is the mean loss of all of them: what we want to descend. On the left is the loss of the one sample drawn now: all that this step sees.</p><p>Press play, or drag <b>Sample drawn</b>.</p>",
            state={}, turn=("sample",), look=("sample", "risk"),
        ),
        Step(
            title="A step that does nothing",
            text="<p>The net is w1 · relu(w2 · x). Here w2 is negative.</p>",
            state={"sample": 10}, turn=("sample",), look=("sample",),
            question=Question(
                ask="What will a sample with a positive x do to the weights?",
                answers=(
                    Answer("Push them as any other", "relu(w2 · x) is 0 for it, whatever w1 is."),
                    Answer("Nothing at all", "Its unit is off: its landscape is flat there, its gradient 0. Here that goes for 56 of the 100 samples.", right=True),
                    Answer("Push w1 only", "w1 is multiplied by 0: it has no gradient either."),
                ),
                revealed="This is a dead unit, as far as these samples go.",
            ),
        ),
        Step(
            title="Uphill",
            text="<p>The {sample.arrow|arrow} is downhill for the sample. For the mean it may be uphill: the {losses.mean|mean loss} then rises.</p>",
            state={"sample": 0}, turn=("sample",), look=("losses",),
            goal=Goal(text="Find a sample whose step makes the mean loss rise.", reached=steps_uphill,
                      solution={"sample": 35}, done="Twelve of the hundred do. In the mean over samples the arrows are right, and that is enough."),
        ),
        Step(
            title="Batches",
            text="<p>The mean of a batch of b gradients has a variance b times smaller, but there are b times fewer steps.</p>",
            state={}, turn=("batch_size",), look=("losses",),
            question=Question(
                ask="The rate stays 0.05. What will a batch of 10 do to the epoch?",
                answers=(
                    Answer("A smoother path that comes as far", "Smoother, yes. But ten steps of the same rate come less far than a hundred."),
                    Answer("A smoother path that does not come as far", "Ten steps in place of a hundred, each about as long as before.", right=True),
                    Answer("The same path", "It would need the same gradients."),
                ),
                then={"batch_size": 10},
            ),
        ),
        Step(
            title="So raise the rate",
            text="<p>Better gradients bear longer steps.</p>",
            state={"batch_size": 10}, turn=("lr", "batch_size"), look=("losses",),
            goal=Goal(text="With at most ten steps, end the epoch at a mean loss below 1.", reached=few_steps_suffice,
                      solution={"batch_size": 10, "lr": 0.3}, done="Batch ten times larger, rate a few times higher: a rule of thumb that holds until the curvature's limit."),
        ),
        Step(
            title="Drawing with replacement",
            text="<p>An epoch can also draw each sample from all 100 anew. Some then come twice, others never.</p>",
            state={}, turn=("replacement",),
            question=Question(
                ask="How many percent of the samples will such an epoch miss?",
                guess=Guess(low=0, high=80, step=1, truth=missed, within=7, unit=" %", why="(1 − 1/n)ⁿ, near 1/e = 37 % for any large n."),
                then={"replacement": "true"},
            ),
        ),
    ),
)  # fmt: skip
