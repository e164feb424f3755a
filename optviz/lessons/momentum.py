"""Ravines, the condition number, and what weight does to a step."""

from __future__ import annotations

from typing import Any

from .lesson import Answer, Goal, Guess, Lesson, Question, Step


def below_a_thousandth(experiment: Any) -> bool:
    return bool(experiment.trajectory.loss[-1, 0] < 1e-3)


def below_a_billionth(experiment: Any) -> bool:
    return bool(experiment.trajectory.loss[-1, 0] < 1e-9)


def limit_of_momentum(experiment: Any) -> float:
    """The limit of the rate that theory gives for the rule as it stands."""
    return float(experiment.results["outlook"]["limit"])


RAVINE = {"objective": "quadratic", "optimizer": "sgd"}

MOMENTUM = Lesson(
    name="momentum", order=2, title="Ravines, and why weight helps",
    sentence="The condition number, and what momentum does about it.",
    steps=(
        Step(
            title="A ravine",
            text="<p>This hill is a ravine: across it the curvature is 4, along it 0.2. Their ratio, 20, is its <b>condition number</b>. One rate serves both directions, so the {surface.path|path} is quick across and slow along.</p><p>In a net the ratio is often a million.</p>",
            state={**RAVINE, "lr": 0.1}, look=("surface",),
        ),
        Step(
            title="Let it roll",
            text="<p>With momentum, a step keeps a share of the last one: velocity = momentum · velocity + gradient, and the step is the rate times the velocity. Pushes that agree add up; pushes that alternate cancel.</p>",
            state={**RAVINE, "lr": 0.1}, turn=("momentum",), look=("surface",),
            question=Question(
                ask="The rate stays 0.1. What will momentum 0.9 do?",
                answers=(
                    Answer("Get there sooner, and stop there", "Sooner, yes. But what is heavy does not stop where the slope ends."),
                    Answer("Get there sooner, run past, and swing back", "Along the ravine all pushes agree: it is fast when it meets the minimum, and runs past it.", right=True),
                    Answer("Nothing much: the gradient is the same", "The gradient is, but the steps add up to ten times its size."),
                ),
                then={**RAVINE, "lr": 0.1, "momentum": 0.9},
                revealed="Look at the {values.first|first coordinate}: it swings around its target, like a ball in a bowl.",
            ),
        ),
        Step(
            title="How much",
            text="<p>Without momentum 50 steps end at a loss of 0.33; with 0.9 at 0.016, still swinging.</p>",
            state={**RAVINE, "lr": 0.1}, turn=("momentum",), look=("loss", "values"),
            goal=Goal(text="Find a momentum with which 50 steps end below a loss of 0.001.", reached=below_a_thousandth,
                      solution={**RAVINE, "lr": 0.1, "momentum": 0.75}, done="Enough to be quick, too little to swing: the ball just does not run past."),
        ),
        Step(
            title="The limit moves",
            text="<p>Without momentum the rate must stay below 2 / curvature = 0.5. The red end of the slider shows where it begins to diverge.</p>",
            state={**RAVINE, "lr": 0.1}, turn=("lr",),
            question=Question(
                ask="Where will the limit be with momentum 0.9?",
                guess=Guess(low=0.05, high=2, step=0.05, truth=limit_of_momentum, within=0.06, why="It is 2 (1 + momentum) / curvature: a heavy ball bears nearly twice the rate, as its overshoots brake each other."),
                then={**RAVINE, "lr": 0.1, "momentum": 0.9},
            ),
        ),
        Step(
            title="Both knobs at once",
            text="<p>Rate and momentum belong together. For a bowl the best pair is known: with condition number κ the distance shrinks by (√κ − 1) / (√κ + 1) a step. Plain descent has κ in place of √κ.</p>",
            state={**RAVINE, "lr": 0.1, "momentum": 0.75}, turn=("lr", "momentum"), look=("loss",),
            goal=Goal(text="Turn both until 50 steps end below a loss of 0.000000001 (10⁻⁹).", reached=below_a_billionth,
                      solution={**RAVINE, "lr": 0.67, "momentum": 0.4}, done="The best pair is 0.67 and 0.40. To halve the distance here plain descent takes 7 steps, this one 1.5."),
        ),
        Step(
            title="Looking ahead",
            text="<p>Nesterov's momentum takes the gradient where the ball is about to be, and so brakes before the turn. Tick and untick <b>Nesterov</b>.</p>",
            state={**RAVINE, "lr": 0.1, "momentum": 0.9}, turn=("nesterov",), look=("loss", "values"),
            question=Question(
                ask="What will it do to the swing?",
                answers=(
                    Answer("Damp it", "It sees the other slope a step earlier.", right=True),
                    Answer("Make it wider", "It would, if it looked back: it looks ahead."),
                    Answer("Nothing: it is the same on a bowl", "On a bowl, too: there the two differ by one term."),
                ),
                then={**RAVINE, "lr": 0.1, "momentum": 0.9, "nesterov": "true"},
            ),
        ),
        Step(
            title="The price",
            text="<p>Bent valleys are hard for a heavy ball: this is Rosenbrock's, with momentum 0.9. Drag the start, turn the knobs, and watch where it runs up the wall.</p>",
            state={"objective": "rosenbrock", "optimizer": "sgd", "lr": 0.001, "momentum": 0.9, "steps": 200}, turn=("lr", "momentum"), look=("surface",),
        ),
    ),
)  # fmt: skip
