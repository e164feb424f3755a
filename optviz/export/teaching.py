"""The lessons of an experiment as its page has them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from ..lessons.lesson import Goal, Guess, Lesson, Question, State, Step, inked
from ..messages import refuse
from ..state.subject import Subject
from .bundle import Bundle

Text = Callable[[str], str]


def lessons_text(experiment: Subject, bundle: Bundle) -> str:
    """The lessons in JavaScript: their words, their states as addresses, the functions that they ask a run by."""
    ink = partial(inked, colour=partial(colour_of, experiment))
    return bundle.text([_lesson(lesson, ink) for lesson in experiment.lessons])


def colour_of(experiment: Subject, figure: str, layer: str) -> str:
    """The colour of a figure's layer, for the words that speak of it."""
    figures = {each.name: each for each in experiment.figures()}
    look = figures[figure].layers.get(layer) if figure in figures else None
    if look is None:
        refuse(type(experiment).__name__, "needs lessons that speak of layers that it has", f"{figure}.{layer}")
    return look.edge if look.color == "white" and look.edge else look.color


def _lesson(lesson: Lesson, ink: Text) -> dict[str, Any]:
    return {"name": lesson.name, "title": lesson.title, "sentence": lesson.sentence,
            "steps": [_step(step, ink) for step in lesson.steps]}  # fmt: skip


def _step(step: Step, ink: Text) -> dict[str, Any]:
    return {
        "title": step.title, "text": ink(step.text), "state": said(step.state),
        "turn": list(step.turn), "look": list(step.look),
        "question": step.question and _question(step.question, ink), "goal": step.goal and _goal(step.goal, ink),
    }  # fmt: skip


def _question(question: Question, ink: Text) -> dict[str, Any]:
    answers = [{"text": answer.text, "why": ink(answer.why), "right": answer.right} for answer in question.answers]
    return {"ask": ink(question.ask), "answers": answers, "guess": question.guess and _guess(question.guess),
            "then": said(question.then) if question.then else None, "revealed": ink(question.revealed)}  # fmt: skip


def _guess(guess: Guess) -> dict[str, Any]:
    return dict(vars(guess))


def _goal(goal: Goal, ink: Text) -> dict[str, Any]:
    return {"text": ink(goal.text), "reached": goal.reached, "solution": said(goal.solution), "done": ink(goal.done)}


def said(state: State) -> str:
    """A state as an address says it."""
    return urlencode(state)
