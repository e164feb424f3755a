"""How long a step may be: the learning rate, and the limit that curvature sets."""

from __future__ import annotations

from typing import Any

from .lesson import Answer, Goal, Guess, Lesson, Question, Step


def below_a_tenth(experiment: Any) -> bool:
    return bool(experiment.trajectory.loss[-1, 0] < 0.1)


def has_left(experiment: Any) -> bool:
    return bool(not abs(experiment.trajectory.x[-1, 0, 1]) < 3)


def best_of_both(experiment: Any) -> bool:
    return bool(experiment.trajectory.loss[-1, 0] < 2e-4)


def limit_along(experiment: Any) -> float:
    """Two over the curvature along the valley, which is the slope there over the distance."""
    run = experiment.trajectory
    return float(2 * run.x[0, 0, 0] / run.gradients[0, 0, 0])


BOWL = {"objective": "quadratic", "optimizer": "sgd"}

LEARNING_RATE = Lesson(
    name="learning_rate", order=1, title="How long may a step be?",
    sentence="The learning rate, and the limit that the curvature sets.",
    steps=(
        Step(
            title="One step",
            text="<p>Gradient descent stands at the {surface.begin|start} and asks which way the loss rises fastest: "
            "that is the gradient. It goes the other way, by the learning rate times the gradient. "
            "{surface.path|One step} is drawn.</p><p>Drag the start: the step is long where the hill is steep.</p>",
            state={**BOWL, "lr": 0.05, "steps": 1}, turn=("lr",), look=("surface",),
        ),
        Step(
            title="And again",
            text="<p>Then it does the same from there. Every dot of the {surface.path|path} is a step. They get shorter by "
            "themselves, as the slope does. The {loss.loss|loss after each step} is drawn beside the surface, on a scale "
            "of powers of ten.</p>",
            state={**BOWL, "lr": 0.05}, turn=("lr",), look=("surface", "loss"),
            goal=Goal(text="Turn up the learning rate until the run ends at a loss below 0.1.", reached=below_a_tenth,
                      solution={**BOWL, "lr": 0.2}, done="Longer steps, fewer of them."),
        ),
        Step(
            title="Longer still",
            text="<p>Here the rate is 0.2, and the run is nearly there. Across the valley, up and down, the hill is "
            "twenty times as steep as along it.</p>",
            state={**BOWL, "lr": 0.2}, turn=("lr",), look=("surface",),
            question=Question(
                ask="What will the path do at a rate of 0.45?",
                answers=(
                    Answer("Go to the minimum in a straighter line", "Its first steps cross the valley: each is longer than "
                           "the way to its floor."),
                    Answer("Jump from side to side, and arrive", "A step overshoots the floor of the valley, but lands nearer "
                           "to it than it began.", right=True),
                    Answer("Fly out of the picture", "Not yet: it overshoots, but still lands nearer than it began."),
                ),
                then={**BOWL, "lr": 0.45},
                revealed="The {values.second|second coordinate} changes its sign at every step, and shrinks to 0.8 of itself.",
            ),
        ),
        Step(
            title="The limit",
            text="<p>Across the valley the loss is 2 y², so its slope is 4 y: the curvature is 4. A step turns y into "
            "(1 − 4 · rate) · y.</p><p>That shrinks as long as the factor lies between −1 and 1: the rate must be below "
            "<b>2 / curvature</b> = 0.5. The red end of the slider begins there.</p>",
            state={**BOWL, "lr": 0.45}, turn=("lr",), look=("surface", "values"),
            goal=Goal(text="Push it over the limit: make the path leave the picture.", reached=has_left,
                      solution={**BOWL, "lr": 0.52}, done="Each step lands further away than it began. This is divergence, "
                      "and no number of steps mends it."),
        ),
        Step(
            title="The other direction",
            text="<p>Along the valley the loss is 0.1 x²: the curvature is only 0.2.</p>",
            state={**BOWL, "lr": 0.45}, look=("surface",),
            question=Question(
                ask="If that were the only direction, below which rate would it converge?",
                guess=Guess(low=0.5, high=20, step=0.5, truth=limit_along, within=0.5,
                            why="Two over a curvature of 0.2. One rate has to serve both directions, so the steepest one "
                            "sets the limit, and the flattest one has to wait."),
            ),
        ),
        Step(
            title="The best there is",
            text="<p>Just below the limit y swings for long; far below it x crawls. In between, both shrink by the same "
            "factor.</p>",
            state={**BOWL, "lr": 0.3}, turn=("lr",), look=("loss", "values"),
            goal=Goal(text="Find a rate at which 50 steps end below a loss of 0.0002.", reached=best_of_both,
                      solution={**BOWL, "lr": 0.47}, done="It is 2 / (4 + 0.2) = 0.476: both factors are 0.905 there. "
                      "Plain gradient descent can do no better on this hill."),
        ),
        Step(
            title="Another hill",
            text="<p>Rosenbrock's valley is bent, and much steeper at its sides.</p>",
            state={**BOWL, "lr": 0.47}, look=("surface",),
            question=Question(
                ask="Will the rate that was best here work there?",
                answers=(
                    Answer("Yes: a good rate is a good rate", "It is good for one curvature only."),
                    Answer("No: it will diverge at once", "The curvature there is in the hundreds, so the limit is a few "
                           "thousandths.", right=True),
                    Answer("It will, but slowly", "Too long a step is never slow: it is thrown out."),
                ),
                then={"objective": "rosenbrock", "optimizer": "sgd", "lr": 0.47},
                revealed="Choose the surface anew in its menu and it brings a rate that works. Below the pictures stands what "
                "theory expects of any rule here.",
            ),
        ),
    ),
)  # fmt: skip
