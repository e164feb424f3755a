"""Nets at the edge of stability."""

from __future__ import annotations

from typing import Any

from .lesson import Answer, Goal, Guess, Lesson, Question, Step


def limit_now(experiment: Any) -> float:
    return float(experiment.results["limit"])


def flat_enough(experiment: Any) -> bool:
    return bool(experiment.results["run"].sharpness[-1] < 5)


def never_reached(experiment: Any) -> bool:
    return bool(experiment.results["crossed"] < 0)


EDGE = Lesson(
    name="edge", order=9, title="Nets at the edge of stability",
    sentence="Training sharpens a net until its steps are just too long.",
    steps=(
        Step(
            title="Sharpness",
            text="<p>A real net learns XOR, all data in every step. Its loss has a curvature in its steepest direction: the {sharpness.sharpness|sharpness}. It changes while the net learns. The {sharpness.limit|dashed line} is the limit of the first lesson turned round: 2 / rate.</p>",
            state={}, look=("sharpness",),
        ),
        Step(
            title="It climbs, and stays",
            text="<p>The sharpness rises until it meets the line, and then stays at it, though nothing in the rule knows of the line. Above it the loss swings; the swings push the net to where it is flatter.</p>",
            state={}, turn=("lr",), look=("sharpness", "loss"),
            question=Question(
                ask="If the rate were 0.42 instead of 0.3, where would the sharpness end?",
                answers=(
                    Answer("Where it ends now: the data decide", "They decide how far it would like to climb. The rate decides how far it can."),
                    Answer("Lower, just under 2 / 0.42", "A higher rate has a lower line, and the net ends flatter.", right=True),
                    Answer("Nowhere: it diverges", "A bowl would. A net has flatter places to go to."),
                ),
                then={"lr": 0.42},
            ),
        ),
        Step(
            title="Flat on demand",
            text="<p>So the rate chooses the minimum: that is why large rates find flat ones.</p>",
            state={"lr": 0.3}, turn=("lr",), look=("sharpness",),
            goal=Goal(text="Make the net end at a sharpness below 5.", reached=flat_enough,
                      solution={"lr": 0.48}, done="Any line below 5 does it: a rate above 2 / 5."),
        ),
        Step(
            title="Below the edge",
            text="<p>With a low enough rate the line is so high that the net never gets there.</p>",
            state={"lr": 0.3}, turn=("lr",), look=("sharpness",),
            goal=Goal(text="Find a rate at which the sharpness never meets the line.", reached=never_reached,
                      solution={"lr": 0.12}, done="This is the gradient flow that theory likes. Nets are rarely trained there: it takes too long."),
        ),
        Step(
            title="With momentum",
            text="<p>A heavy ball bears more curvature, as the second lesson had it.</p>",
            state={"lr": 0.3}, turn=("momentum",), look=("sharpness",),
            question=Question(
                ask="At a rate of 0.3 the line is at 6.67. Where is it with momentum 0.9?",
                guess=Guess(low=1, high=40, step=0.5, truth=limit_now, near=1.1, why="2 (1 + momentum) / rate. Here the net has learnt before it gets there."),
                then={"lr": 0.3, "momentum": 0.9},
            ),
        ),
    ),
)  # fmt: skip
