"""Maps: where all runs go, theory's limit among them, and a border without end."""

from __future__ import annotations

from typing import Any

from .lesson import Answer, Goal, Lesson, Question, Step


def good_cell(experiment: Any) -> bool:
    return bool(experiment.trajectory.loss[-1, 0] < 1e-6)


def zoomed(experiment: Any) -> bool:
    low, high = experiment.window[:2]
    return bool(high - low < 0.02)


EVERY_RUN = Lesson(
    name="every_run", order=7, title="Every run at once",
    sentence="Maps of hyperparameters, basins, and a border that never gets smooth.",
    steps=(
        Step(
            title="A cell is a run",
            text="<p>The rate grows to the right, momentum upwards, and each cell is the end of a run of 50 steps: blue is low, red has risen above its start. Click any cell: the {map.here|ring} moves there, and its run is drawn below.</p>",
            state={}, look=("map",),
        ),
        Step(
            title="Find a good one",
            text="<p>The run of the ring ends at a loss of 0.9.</p>",
            state={}, turn=("lr", "momentum"), look=("map",),
            goal=Goal(text="Click a cell whose run ends below a loss of 10⁻⁶.", reached=good_cell,
                      solution={"lr": 0.3, "momentum": 0.5}, done="Good cells lie on a ridge: more momentum wants another rate."),
        ),
        Step(
            title="The line",
            text="<p>The {map.limit|line} is theory's limit, 2 (1 + momentum) / curvature: computed from the surface, not from the runs.</p>",
            state={}, look=("map",),
            question=Question(
                ask="A cell just right of it: what will 50 steps there show?",
                answers=(
                    Answer("A huge loss at once", "Near the line each step grows only a little: 1.02 to the power of 50 is not yet 3."),
                    Answer("A loss that has risen slowly", "Just beyond the limit it grows by a hair a step. More steps sharpen the border until it lies on the line.", right=True),
                    Answer("No loss: it is not a number", "That takes far more growth than 50 steps near the line can give."),
                ),
                then={"steps": 300},
                revealed="Now it is 300 steps: the border has moved onto the line.",
            ),
        ),
        Step(
            title="Another rule, other knobs",
            text="<p>Here are Adam's two decay rates, on Rosenbrock: β1 to the right, β2 upwards. PyTorch's values are 0.9 and 0.999, in the corner above right.</p>",
            state={"scene": "both-decay-rates-of-adam"}, look=("map",),
            question=Question(
                ask="Where will the best cells be?",
                answers=(
                    Answer("All over the map alike", "Momentum matters here: look at the left side."),
                    Answer("At high β1, and not at the highest β2", "In 100 steps a long memory of squares, 1 / (1 − β2) = 1,000 steps, is one of the start.", right=True),
                    Answer("At low β1 and low β2", "There it forgets at once, and only the signs of gradients are left."),
                ),
            ),
        ),
        Step(
            title="Where starts go",
            text="<p>An axis can be the start itself. Himmelblau's hill has four minima; from left to right the rate grows.</p>",
            state={"scene": "learning-rate-and-start"}, look=("map",),
            question=Question(
                ask="As the rate nears its limit, how will the border between falling and flying look?",
                answers=(
                    Answer("Smooth, as theory's line", "That line is of a bowl. This hill bends."),
                    Answer("Ragged", "Near the limit a run jumps from valley to valley, and a hair's breadth decides where it is thrown.", right=True),
                    Answer("There is none", "High enough a rate throws every run out."),
                ),
            ),
        ),
        Step(
            title="A border without end",
            text="<p>This is a net of two weights: rate to the right, start upwards. Its border between learning and diverging is a fractal: zoom in, and there is more of it. Use Ctrl + wheel, two fingers, or the ends of the axes.</p>",
            state={"scene": "fractal-boundary-of-a-tanh-net"}, look=("map",),
            goal=Goal(text="Zoom in until the map spans less than a fifteenth of its width.", reached=zoomed,
                      solution={"scene": "fractal-boundary-of-a-tanh-net", "across_from": 0.05, "across_to": 0.065, "up_from": 0.5, "up_to": 0.85}, done="Every zoom computes the runs anew, down to where float64 ends."),
        ),
    ),
)  # fmt: skip
