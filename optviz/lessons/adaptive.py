"""What a step size for each coordinate buys, and what it costs: scale and rotation."""

from __future__ import annotations

from typing import Any

from .lesson import Answer, Goal, Guess, Lesson, Question, Step


def quick_descent(experiment: Any) -> bool:
    return bool(experiment.here["SGD"] < 250)


def quick_ball(experiment: Any) -> bool:
    return bool(experiment.here["heavy ball"] < 50)


def steps_of_sgd(experiment: Any) -> float:
    return float(experiment.here["SGD"])


ADAPTIVE = Lesson(
    name="adaptive", order=6, title="What adaptive means",
    sentence="Adam and Adagrad: blind to scale, upset by rotation.",
    steps=(
        Step(
            title="A bowl, upright",
            text="<p>Four rules on a bowl whose curvatures are 1 and 100. {surface.SGD|SGD} and {surface.heavy ball|heavy ball} step along the gradient. {surface.Adam|Adam} and {surface.Adagrad|Adagrad} divide each coordinate by the size of its own past gradients.</p>",
            state={"angle": 0}, turn=("angle",), look=("surface",),
        ),
        Step(
            title="Scale",
            text="<p>Now the condition number falls from 100 to 10, and SGD's rate rises as far as its limit allows: from 0.01 to 0.1.</p>",
            state={"angle": 0}, turn=("condition", "lr"), look=("angles",),
            question=Question(
                ask="SGD took 424 steps. How many now?",
                guess=Guess(low=10, high=500, step=5, truth=steps_of_sgd, near=1.4, unit=" steps", why="A tenth: its steps are in proportion to the condition number. Adam took 81 and takes 80: it divides the scale away."),
                then={"angle": 0, "condition": 10, "lr": 0.1},
            ),
        ),
        Step(
            title="Rotation",
            text="<p>The same bowl can stand askew: then no coordinate is steep or flat by itself.</p>",
            state={"angle": 0}, turn=("angle",), look=("surface", "angles"),
            question=Question(
                ask="Turned by 45°, who will need more steps?",
                answers=(
                    Answer("SGD and heavy ball", "They follow the gradient, which turns with the bowl: they do not notice."),
                    Answer("Adam and Adagrad", "Both coordinates now see the same mixture of steep and flat: there is nothing left to divide by.", right=True),
                    Answer("All four", "Two of them do not know what a coordinate is."),
                    Answer("None: it is the same bowl", "It is, but two of the rules look at it by its coordinates."),
                ),
                then={"angle": 45},
                revealed="Adam needs 388 steps instead of 81, Adagrad 330 instead of 8.",
            ),
        ),
        Step(
            title="Tune SGD",
            text="<p>SGD's limit here is 2 / 100. At 0.01 it takes 424 steps, at any angle.</p>",
            state={"angle": 30}, turn=("lr",), look=("angles",),
            goal=Goal(text="Bring SGD below 250 steps.", reached=quick_descent,
                      solution={"angle": 30, "lr": 0.019}, done="Just below the limit. No rate makes it much better: that is the condition number again."),
        ),
        Step(
            title="Tune the ball",
            text="<p>Heavy ball has a second knob. Tuned, it needs steps in proportion to √κ = 10, where SGD needs them in proportion to κ = 100.</p>",
            state={"angle": 30}, turn=("lr", "momentum"), look=("angles",),
            goal=Goal(text="Bring heavy ball below 50 steps.", reached=quick_ball,
                      solution={"angle": 30, "lr": 0.019, "momentum": 0.8}, done="Tuned, it beats Adam at every angle. Untuned, Adam is hard to beat: that is why it is everywhere."),
        ),
        Step(
            title="Which is your problem?",
            text="<p>Real losses have scales that differ wildly from weight to weight, and no reason to be aligned with them. Adaptive rules take care of the first, momentum of the rest. Turn everything.</p>",
            state={"angle": 20, "condition": 150, "lr": 0.005}, turn=("condition", "angle", "lr", "momentum", "adam_lr", "adagrad_lr"), look=("surface", "angles"),
        ),
    ),
)  # fmt: skip
