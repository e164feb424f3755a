"""What a visitor does with controls, by hand: values that are typed, more controls that are asked for, a phone."""

from __future__ import annotations

import re

import pytest
from browser import drag_slider, folds, slider, slider_value, type_value, value_field, wait_idle, wait_until
from hands import dragged_by_finger, finger, scrolled, wait_until_still
from pages import assert_shows, select, spot

from optviz import SurfaceDescent
from optviz.experiments.compared_losses import SCENES

pytestmark = pytest.mark.browser


# heights of the frames of all plots on view
FRAMES = """() => {
  const found = [], walk = (view) => {
    if (view.model.type === "Figure" && view.el.checkVisibility()) found.push(view.frame.bbox.height);
    (view.child_views ?? []).forEach(walk);
  };
  [...Bokeh.index].forEach(walk);
  return found;
}"""


@pytest.mark.parametrize("app", ["surface_descent", "live_surface"])
def test_a_value_is_typed_where_the_slider_says_it(page, served, app):
    """Whatever the parameter takes, also beyond the track; anything else is refused in a sentence under the slider."""
    experiment = SurfaceDescent()
    page.goto(f"{served}/{app}")
    wait_idle(page)
    steps = value_field(page, "Steps")
    wait_until(steps.is_visible)
    for label, text, key in (("Steps", "1000", "Enter"), ("Learning rate", "1e-5", "Tab"),
                             ("Learning rate", "0.0123456", "Enter"), ("Momentum", "0.999", "Enter")):  # fmt: skip
        type_value(page, label, text, key)
    experiment.steps, experiment.optimizer.lr, experiment.optimizer.momentum = 1000, 0.0123456, 0.999
    assert_shows(page, experiment, "surface")
    assert [value_field(page, n).input_value() for n in ("Steps", "Learning rate", "Momentum")] == [
        "1000", "0.0123456", "0.999",
    ]  # fmt: skip
    knob, track = (slider(page, "Steps").locator(f".noUi-{part}").bounding_box() for part in ("handle", "base"))
    assert knob["x"] + knob["width"] / 2 == pytest.approx(track["x"] + track["width"], abs=2)  # at the track's end
    assert_values_are_refused(page, steps)
    assert_shows(page, experiment, "surface")
    value_field(page, "Momentum").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")  # the knob comes after its value
    wait_idle(page)
    wait_until(lambda: value_field(page, "Momentum").input_value() == "0.98")
    type_value(page, "Steps", "30", "Escape")
    assert steps.input_value() == "1000" and not steps.evaluate("(e) => e.matches(':focus')")
    assert slider_value(page, "Steps") == 1000


def assert_values_are_refused(page, steps) -> None:
    refused = slider(page, "Steps").locator(".refused")
    for text, got in (("2.5", "2.5"), ("10001", "10001"), ("0", "0"), ("many", "nan")):
        type_value(page, "Steps", text)
        said = f"Steps must be a whole number from 1 to 10000, not {got}; it stays 1000."
        wait_until(lambda said=said: refused.all_inner_texts() == [said], what=said)
        assert steps.input_value() == "1000" and steps.get_attribute("aria-invalid") == "true"
    assert refused.get_attribute("role") == "alert"
    type_value(page, "Steps", "999")
    wait_until(lambda: refused.count() == 0, what="the sentence to go once a value is taken")
    type_value(page, "Steps", "1000")


def test_values_by_powers_are_typed_as_they_are_said(page, served):
    page.goto(f"{served}/race")
    wait_idle(page)
    type_value(page, "Lowest lr tried", "0.003")
    assert value_field(page, "Lowest lr tried").input_value() == "0.003"
    assert page.evaluate("() => optviz.experiment.lowest") == -2.52
    type_value(page, "Highest lr tried", "0.1")
    assert slider(page, "Highest lr tried").locator(".refused").inner_text() == (
        "Highest lr tried must be a finite number from 0.316 to 1000, not 0.1; it stays 10."
    )


# what a finger is to meet: the controls on view that it misses 21 px above or below their middle, where no knob is
MET = """() => {
  const found = [], walk = (root) => root.querySelectorAll("*").forEach((e) => {
    if (e.matches(".bk-slider-value, .noUi-handle, select, .bk-input, button, .bk-label")) found.push(e);
    if (e.shadowRoot) walk(e.shadowRoot);
  });
  walk(document);
  const missed = (e) => {
    const box = e.getBoundingClientRect(), [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    if (!e.checkVisibility() || y < 60 || y > innerHeight - 80 || e.disabled || x > innerWidth) return false;
    const at = (dy) => {
      let hit = document.elementFromPoint(x, y + dy);
      while (hit?.shadowRoot) hit = hit.shadowRoot.elementFromPoint(x, y + dy);
      return hit && (e === hit || e.contains(hit) || hit.matches(".noUi-handle, .noUi-touch-area"));
    };
    return at(0) && !(at(-21) && at(21));
  };
  return found.filter(missed).map((e) => e.outerHTML.slice(0, 120));
}"""
# where the first picture is in the window, and what fills it, as a number that another picture would not have
FIRST = """() => {
  const canvas = optviz.page.model(optviz.page.spec.figures[0].model), view = [...Bokeh.index].flatMap(function all(v) {
    return [v, ...(v.child_views ?? []).flatMap(all)];
  }).find((v) => v.model === canvas);
  const { top, bottom } = view.canvas_view.el.getBoundingClientRect();
  return { top, bottom, side: document.documentElement.scrollHeight };
}"""


@pytest.mark.parametrize("app", ["surface_descent", "loss_comparison", "stochastic_landscape", "hyperparameter_map"])
def test_on_a_phone_the_first_picture_stays_while_a_slider_is_moved(phone, served, app):
    phone.goto(f"{served}/{app}")
    wait_idle(phone)
    phone.wait_for_timeout(1100)  # fields come with the first tending
    assert phone.evaluate(MET) == []
    label = "Learning rate"
    track = slider(phone, label).locator(".noUi-target")
    while track.bounding_box()["y"] > 640 or scrolled(phone) < 60:
        finger(phone, (6, 700), (6, 600), moves=40)
        wait_until_still(phone)
    shown = phone.evaluate(FIRST)
    assert shown["bottom"] < track.bounding_box()["y"] < 800
    assert 0 <= shown["top"] < shown["bottom"] < 0.5 * 844
    assert min(phone.evaluate(FRAMES)) >= 60  # of what is within the axes
    rows = phone.locator(".bk-input-group:visible").evaluate_all("all => all.map((e) => e.getBoundingClientRect().y)")
    assert sum(shown["bottom"] < y < 800 for y in rows) >= 3  # controls that are in reach below it
    before = phone.evaluate("() => optviz.experiment.drawings"), slider_value(phone, label)
    assert dragged_by_finger(phone, label, before[1])
    assert phone.evaluate("() => optviz.experiment.drawings") != before[0]
    assert phone.evaluate(FIRST) == shown  # nothing has jumped


def is_on_view(page, label: str) -> bool:
    return page.locator(".bk-slider-title:visible", has_text=label).count() > 0


def test_more_controls_come_when_a_hand_asks_and_stay_while_the_visit_lasts(page, served):
    page.goto(f"{served}/surface_descent")
    wait_idle(page)
    wait_until(lambda: folds(page).count() == 2)
    rule, own = folds(page).all()
    assert [fold.inner_text() for fold in (rule, own)] == ["More of SGD", "More"]
    assert not is_on_view(page, "Weight decay") and is_on_view(page, "Momentum")
    slider(page, "Momentum").locator(".noUi-handle").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the button comes next
    wait_until(lambda: is_on_view(page, "Weight decay") and rule.get_attribute("aria-expanded") == "true")
    assert not is_on_view(page, "Clip gradients")
    select(page, "Optimizer", "Adam")
    wait_until(lambda: is_on_view(page, "Weight decay"), what="the same to be open for another rule")
    page.reload()
    wait_idle(page)
    wait_until(lambda: is_on_view(page, "Weight decay"), what="it to be open after a reload")
    folds(page).first.click()
    wait_until(lambda: not is_on_view(page, "Weight decay"))


@pytest.mark.parametrize("app", ["surface_descent", "live_surface"])
def test_what_an_address_says_is_on_view(page, served, app):
    page.goto(f"{served}/{app}?clip=2&momentum=0.5")
    wait_idle(page)
    wait_until(lambda: is_on_view(page, "Clip gradients"), what="what the address sets to be on view")
    assert not is_on_view(page, "Weight decay")


READING = """() => [...document.querySelectorAll(".optviz-reading div")].filter((e) => e.checkVisibility())
  .map((e) => e.innerText)"""


def test_a_plot_says_what_is_under_the_pointer(page, served):
    experiment = SurfaceDescent()
    page.emulate_media(color_scheme="dark")
    page.goto(f"{served}/surface_descent")
    wait_idle(page)
    page.wait_for_timeout(1100)
    page.mouse.move(*spot(page, "surface", 2.0, 1.5))
    wait_until(lambda: page.evaluate(READING))
    place, height = page.evaluate(READING)
    assert place == "x 2, y 1.5" and height.startswith("loss above the lowest: ")
    assert float(height.split(": ")[1]) == pytest.approx(experiment.objective.value(2.0, 1.5), rel=0.1)
    ground, ink = page.locator(".optviz-reading").evaluate(
        "(e) => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    )
    assert (ground, ink) == ("rgb(24, 24, 24)", "rgb(241, 241, 241)")
    x = experiment.trajectory.x[20, 0]
    page.mouse.move(*spot(page, "surface", *x))
    wait_until(lambda: page.evaluate(READING)[-1] == "path: step 20")
    page.mouse.move(*spot(page, "values", 20, 0.0))
    wait_until(lambda: page.evaluate(READING)[0] == "step 20")
    assert float(page.evaluate(READING)[1].removeprefix("x: ").replace("−", "-")) == pytest.approx(x[0], rel=1e-3)
    page.mouse.move(5, 5)
    wait_until(lambda: not page.evaluate(READING))


def test_a_finger_that_taps_reads_a_plot(phone, served):
    phone.goto(f"{served}/single_parameter")
    wait_idle(phone)
    phone.wait_for_timeout(1100)
    phone.touchscreen.tap(*spot(phone, "steps", 300, 0.5))
    wait_until(lambda: phone.evaluate(READING))
    first, *others = phone.evaluate(READING)
    assert re.fullmatch(r"step of the epoch \d+", first)
    assert [each.split(":")[0] for each in others] == ["plain SGD", "momentum", "predicted ±2 spreads"]


def test_a_scene_says_in_a_sentence_what_it_shows(page, served):
    page.goto(f"{served}/loss_comparison")
    wait_idle(page)
    about = page.locator(".about:visible")
    assert about.all_inner_texts() == [SCENES["plain"][1]]
    select(page, "Preset", "momentum 0.9")
    wait_until(lambda: about.all_inner_texts() == [SCENES["momentum 0.9"][1]])
    drag_slider(page, "Momentum", 0.3)
    wait_until(lambda: about.count() == 0, what="no sentence for what is no scene")
