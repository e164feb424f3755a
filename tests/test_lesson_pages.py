"""Lessons in a real browser: the states, goals and guesses of Python, and the whole path by keys alone."""

import math
from urllib.parse import urlencode

import pytest
from axe import assert_axe_finds_nothing
from browser import wait_idle
from test_lessons import LESSONS, opened

from optviz import SurfaceDescent
from optviz.state import sharing
from optviz.state.values import text

pytestmark = pytest.mark.browser

PATH = sorted(LESSONS, key=lambda name: LESSONS[name][1].order)
# the state, whether a goal is met, what a guess is measured by
JUDGED = """([query, name, place]) => {
  const { states, experiment, address, teacher } = optviz;
  states.go(query);
  while (experiment.rough()) experiment.advance();
  const step = teacher.lessons.find((lesson) => lesson.name === name).steps[place];
  const held = Object.fromEntries([...address.places()].map(([key, each]) => [key, address.held(each)]));
  return { held, message: experiment.message, reached: step.goal?.reached(experiment) ?? null,
    truth: step.question?.guess?.truth(experiment) ?? null };
}"""


def judged(page, lesson, place, state, kind):
    """What the page makes of a state is what Python makes of it."""
    step, query = lesson.steps[place], urlencode(state)
    seen, made = page.evaluate(JUDGED, [query, lesson.name, place]), opened(kind, state)
    held = {key: text(value) for key, value in sharing.state_of(made).items()}
    assert seen["held"] == held and not seen["message"]
    if step.goal is not None:
        assert seen["reached"] == step.goal.reached(made)
    if step.question is not None and step.question.guess is not None:
        assert math.isclose(seen["truth"], step.question.guess.truth(made), rel_tol=1e-9)


def focused(page) -> str:
    return page.evaluate("() => document.activeElement.textContent")


def tab_to(page, text: str) -> None:
    """Press Tab until what says this has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if text in focused(page):
            return
    raise AssertionError(f"no Tab leads to {text!r}")


def answer(page, step) -> None:
    """Answer the question of a step, by Tab and Enter, wrongly; it says why."""
    if step.question.guess is None:
        wrong = next(each for each in step.question.answers if not each.right)
        tab_to(page, wrong.text)
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.querySelector('.lesson .why').textContent.startsWith('Not quite.')")
        assert wrong.why.split("{")[0][:40] in page.locator(".lesson .why").inner_text()
    else:
        tab_to(page, "That is my guess")
        page.keyboard.press("Enter")
        page.wait_for_function("() => /^(Yes|Not quite)/.test(document.querySelector('.lesson .why').textContent)")


def test_the_whole_path_is_walked_by_keys_alone(new_page, exported):
    page = new_page
    page.goto((exported / "index.html").as_uri())
    tab_to(page, LESSONS[PATH[0]][1].title)
    page.keyboard.press("Enter")
    for number, name in enumerate(PATH):
        kind, lesson = LESSONS[name]
        page.wait_for_function("(name) => window.optviz?.teacher?.lesson?.name === name", arg=name)
        wait_idle(page)
        for place, step in enumerate(lesson.steps):
            assert focused(page) == step.title
            assert page.locator(".lesson-bar span").inner_text() == f"{place + 1} of {len(lesson.steps)}"
            if step.question is not None:
                answer(page, step)
            if place < len(lesson.steps) - 1:
                page.keyboard.press("ArrowRight")
        if number < len(PATH) - 1:
            tab_to(page, f"Next: {LESSONS[PATH[number + 1]][1].title}")
            page.keyboard.press("Enter")
    page.goto((exported / "index.html").as_uri())
    assert page.locator(".path a.done").count() == len(PATH)


@pytest.mark.parametrize("name", LESSONS)
def test_a_page_judges_a_lesson_as_python_does(page, exported, name):
    kind, lesson = LESSONS[name]
    app = kind.__module__.rsplit(".", 1)[-1]
    page.goto((exported / f"{app}.html").as_uri() + f"#lesson={name}")
    page.wait_for_function("window.optviz?.teacher?.lesson")
    wait_idle(page)
    for place, step in enumerate(lesson.steps):
        asked = step.question
        for state in (step.state, asked and asked.then, step.goal and step.goal.solution):
            if state is not None and state != {}:
                judged(page, lesson, place, state, kind)


def test_a_goal_is_reached_by_a_hand_and_leaving_loses_nothing(page, exported):
    page.goto((exported / "surface_descent.html").as_uri() + "#lesson=learning_rate.2")
    page.wait_for_function("window.optviz?.teacher?.lesson")
    wait_idle(page)
    page.wait_for_function("() => optviz.teacher.home !== null")
    assert_axe_finds_nothing(page)
    goal = page.locator(".lesson .goal")
    assert goal.inner_text().startswith("Your turn.") and page.get_by_text("Back to the lesson").is_hidden()
    handle = page.get_by_role("slider", name="Learning rate")
    handle.focus()
    for _ in range(40):
        page.keyboard.press("PageUp")
        if goal.inner_text().startswith("✓"):
            break
    assert goal.inner_text().startswith("✓ Done.")
    rate = page.evaluate("optviz.experiment.optimizer.read('lr')")
    page.get_by_label("Leave the lesson").click()
    assert page.locator("#lesson").is_hidden() and page.evaluate("optviz.experiment.optimizer.read('lr')") == rate
    page.get_by_role("button", name="Back to the lesson").click()
    page.wait_for_function("() => optviz.experiment.optimizer.read('lr') === 0.05")
    page.keyboard.press("Control+z")
    assert page.evaluate("optviz.experiment.optimizer.read('lr')") == pytest.approx(rate)
    page.keyboard.press("Control+Shift+z")
    assert page.evaluate("optviz.experiment.optimizer.read('lr')") == 0.05


def test_a_lesson_that_is_not_there_is_refused_in_a_sentence(page, exported):
    page.goto((exported / "surface_descent.html").as_uri() + "#lesson=ravine")
    page.wait_for_function("window.optviz?.teacher")
    said = "There is no lesson ravine here; choose from learning_rate, momentum."
    assert page.locator("#refused").inner_text().strip().endswith(said)
    assert page.locator("#lesson").is_hidden()


def test_a_page_is_saved_to_open_with_a_lesson(page, tmp_path):
    file = tmp_path / "page.html"
    SurfaceDescent().save(file, lesson="momentum")
    page.goto(file.as_uri())
    page.wait_for_function("window.optviz?.teacher?.lesson?.name === 'momentum'")
    wait_idle(page)
    page.keyboard.press("ArrowRight")
    page.get_by_text("run past, and swing back").click()
    page.wait_for_function("() => document.querySelector('.lesson .why').textContent.startsWith('Yes.')")
    page.wait_for_function("() => optviz.teacher.home !== null && optviz.experiment.optimizer.read('momentum') === 0.9")
    assert_axe_finds_nothing(page)
    with pytest.raises(
        ValueError, match="save needs a lesson of SurfaceDescent, not 'swing'; choose from learning_rate"
    ):
        SurfaceDescent().save(file, lesson="swing")
