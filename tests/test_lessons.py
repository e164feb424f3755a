"""Lessons: every state opens, every goal is to be reached and not met before, every word in colour has its layer."""

from urllib.parse import urlencode

import pytest

from optviz.catalogue import experiments
from optviz.export.teaching import colour_of
from optviz.lessons.lesson import INKED, Answer, Lesson, Question, Step, texts_of
from optviz.state import sharing

LESSONS = {lesson.name: (kind, lesson) for kind in experiments().values() for lesson in kind.lessons}
STEPS = [pytest.param(kind, step, id=f"{name}.{k + 1}")
         for name, (kind, lesson) in LESSONS.items() for k, step in enumerate(lesson.steps)]  # fmt: skip


def opened(kind, state):
    """The experiment in a state, as an address brings it; nothing of it may be refused."""
    texts = {name: value if isinstance(value, str) else urlencode({"": value})[1:] for name, value in state.items()}
    made, refused = sharing.apply(kind, texts)
    made.refine()
    assert not refused and not made.message
    return made


def states(step):
    asked, goal = step.question, step.goal
    return [step.state, *([asked.then] if asked and asked.then else []), *([goal.solution] if goal else [])]


def test_the_path_goes_through_all_lessons():
    assert len(LESSONS) == sum(len(kind.lessons) for kind in experiments().values()), "a name twice"
    orders = [lesson.order for _, lesson in LESSONS.values()]
    assert len(set(orders)) == len(orders)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_predicts_and_has_something_to_reach(name):
    steps = LESSONS[name][1].steps
    assert 5 <= len(steps) <= 9
    assert any(step.question for step in steps) and any(step.goal for step in steps)


@pytest.mark.parametrize("kind, step", STEPS)
def test_a_step_opens_and_its_goal_is_reached_by_its_solution_alone(kind, step):
    for state in states(step)[: None if step.goal is None else -1]:
        made = opened(kind, state)
        assert step.goal is None or not step.goal.reached(made), "met before anything was done"
    if step.goal is not None:
        assert step.goal.reached(opened(kind, step.goal.solution)) is True
    if step.question is not None and step.question.guess is not None:
        guess = step.question.guess
        truth = guess.truth(opened(kind, step.question.then or step.state))
        assert guess.low < truth < guess.high
        near = [v for v in (guess.low + k * guess.step for k in range(1000)) if v <= guess.high]
        assert any(abs(v - truth) <= guess.within or max(v / truth, truth / v) <= guess.near for v in near if v > 0)


@pytest.mark.parametrize("kind, step", STEPS)
def test_a_step_speaks_of_what_its_page_has(kind, step):
    made = kind()
    figures = {figure.name for figure in made.figures()}
    assert set(step.look) <= figures
    assert set(step.turn) <= set(sharing.specs(opened(kind, step.state)))
    for text in texts_of(step):
        for figure, layer, _ in INKED.findall(text):
            assert colour_of(made, figure, layer)
        assert text.count("{") == len(INKED.findall(text)) and len(text) < 700


@pytest.mark.parametrize("kind, step", STEPS)
def test_a_step_is_short(kind, step):
    words = step.text.replace("<p>", " ").split()
    assert len(words) <= 75, "1 to 4 sentences"


def test_a_question_needs_one_right_answer():
    with pytest.raises(ValueError, match="needs 2 to 4 answers, one of them right, or a guess"):
        Question(ask="?", answers=(Answer("a", ""), Answer("b", "")))
    with pytest.raises(ValueError, match="needs a name of letters"):
        Lesson(name="a b", title="", sentence="", order=1, steps=(Step(title="", text=""),))
    with pytest.raises(ValueError, match="needs at least one step"):
        Lesson(name="a", title="", sentence="", order=1, steps=())
