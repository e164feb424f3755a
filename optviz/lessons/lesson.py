"""What a lesson is made of. It stands beside its experiment, which names it in `lessons`.

A state says what an address says, by the same names, and leaves out what is as the page opens. Texts are HTML;
`{surface.path|the path}` underlines words in the colour of that layer of that figure. What is asked of a run is
asked by a plain function of the experiment, which a page prints as JavaScript with the experiment's own methods.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..messages import refuse

State = Mapping[str, Any]
INKED = re.compile(r"\{(\w+)\.([\w ]+)\|([^}]*)\}")


@dataclass(frozen=True)
class Answer:
    """One of the answers to a question, and what is said to whoever chooses it."""

    text: str
    why: str
    right: bool = False


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A number to be guessed with a slider: right within a factor `near` of the truth, or a distance `within`.

    `truth` is asked of the experiment once it has the state that follows.
    """

    low: float
    high: float
    step: float
    truth: Callable[[Any], float]
    near: float = 1.0
    within: float = 0.0
    unit: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A prediction, before it is seen: 2 to 4 answers, one of them right, or a number to guess.

    Once it is answered the page takes the state `then`, and says what is `revealed`.
    """

    ask: str
    answers: tuple[Answer, ...] = ()
    guess: Guess | None = None
    then: State = field(default_factory=dict)
    revealed: str = ""

    def __post_init__(self):
        if self.guess is None and not (2 <= len(self.answers) <= 4 and sum(each.right for each in self.answers) == 1):
            refuse(
                "Question", "needs 2 to 4 answers, one of them right, or a guess", [each.text for each in self.answers]
            )


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Something to reach with the knobs: unmet in the step's state, met in that of the `solution`."""

    text: str
    reached: Callable[[Any], bool]
    solution: State
    done: str = "Reached."


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to see: its text, the state that shows it, the controls to turn and the figures to look at."""

    title: str
    text: str
    state: State = field(default_factory=dict)
    turn: tuple[str, ...] = ()
    look: tuple[str, ...] = ()
    question: Question | None = None
    goal: Goal | None = None


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Steps through an experiment; `order` is its place on the path through all lessons."""

    name: str
    title: str
    sentence: str
    order: int
    steps: tuple[Step, ...]

    def __post_init__(self):
        if not self.name.isidentifier():
            refuse("Lesson", "needs a name of letters, digits and underscores", self.name)
        if not self.steps:
            refuse("Lesson", "needs at least one step", self.steps)


def texts_of(step: Step) -> list[str]:
    """Every text of a step that may have inked words."""
    asked, goal = step.question, step.goal
    question = [] if asked is None else [asked.ask, asked.revealed, *(answer.why for answer in asked.answers)]
    return [step.text, *question, *([] if goal is None else [goal.text, goal.done])]


def inked(text: str, colour: Callable[[str, str], str]) -> str:
    """The text with its words underlined, in the colour that a figure's layer has."""
    return INKED.sub(lambda m: f'<span class="inked" style="--of: {colour(m[1], m[2])}">{m[3]}</span>', text)
