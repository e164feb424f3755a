"""The stage for a lecture, a pinned run, two states side by side: in a real browser, on a saved page."""

import pytest
from axe import assert_axe_finds_nothing
from browser import wait_idle

pytestmark = pytest.mark.browser

SHOWN = """() => optviz.page.spec.controls.filter((control) => optviz.page.shown(control)
  && optviz.page.model(control.model).visible).map((control) => control.name)"""
LOSS = "() => [...optviz.page.figures.loss.layers.find((each) => each.name === 'loss').source.get('y')]"
LINES = """() => Object.values(optviz.page.figures).map(({ spec }) => optviz.page.model(spec.model).renderers
  .filter((each) => each.name === 'pinned').map((each) => [...each.data_source.get('y')]))"""


def opened(page, exported, said):
    page.goto((exported / "surface_descent.html").as_uri() + said)
    page.wait_for_function("window.optviz?.stage")
    wait_idle(page)


def test_a_stage_has_the_chosen_controls_and_a_clicker_moves_the_step(page, exported):
    opened(page, exported, "#stage=lr,momentum")
    assert page.evaluate(SHOWN) == ["lr", "momentum"]
    plot = page.evaluate("""() => { const box = document.querySelector('main').getBoundingClientRect();
      const { el } = Object.values(Bokeh.index)[0]; return [box.width, innerWidth, el.className]; }""")
    assert plot[0] > 0.95 * plot[1] and "staged" in plot[2]
    steps = page.evaluate("optviz.player.step")
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("optviz.player.step") == steps - 2
    page.get_by_text("Controls", exact=True).click()
    page.get_by_role("checkbox", name="Steps", exact=True).check()
    assert page.evaluate(SHOWN) == ["lr", "momentum", "steps"]
    page.wait_for_function("() => decodeURIComponent(location.hash).includes('stage=lr,momentum,steps')")
    page.locator("summary", has_text="Controls").click()
    assert_axe_finds_nothing(page)
    page.keyboard.press("Escape")
    assert len(page.evaluate(SHOWN)) > 8 and "staged" not in page.evaluate("document.documentElement.className")
    page.wait_for_function("() => !location.hash.includes('stage')")


def test_a_control_that_is_not_there_is_refused_in_a_sentence(page, exported):
    opened(page, exported, "#stage=lr,beta7")
    assert "The stage has no control beta7; choose from objective" in page.locator("#refused").inner_text()
    assert page.evaluate(SHOWN) == ["lr"]


def test_a_pinned_run_stays_while_knobs_move_and_can_be_swapped(page, exported):
    opened(page, exported, "")
    before = page.evaluate(LOSS)
    page.get_by_role("button", name="Pin", exact=True).click()
    slider = page.get_by_role("slider", name="Learning rate")
    slider.focus()
    page.keyboard.press("PageUp")
    ghosts = page.evaluate(LINES)
    assert sum(map(bool, ghosts)) == 4 and before in ghosts[1]  # of each picture that is shown
    now = page.evaluate(LOSS)
    assert now != before
    page.wait_for_function("() => location.hash.includes('pin=')")
    page.get_by_role("button", name="Swap").click()
    assert now in page.evaluate(LINES)[1]
    assert page.evaluate("optviz.experiment.optimizer.read('lr')") == 0.05
    page.wait_for_function(
        "() => decodeURIComponent(location.hash).includes('pin=lr=')"
    )  # it follows once all is quiet
    page.reload()
    page.wait_for_function("window.optviz?.stage")
    wait_idle(page)
    assert now in page.evaluate(LINES)[1], "the address keeps it"
    page.get_by_role("button", name="Unpin").click()
    assert not any(page.evaluate(LINES)) and page.locator(".pinned").is_hidden()


def test_two_states_side_by_side_share_axes_and_the_step(page, exported):
    opened(page, exported, "#lr=0.1&versus=lr%3D0.3")
    frames = [page.frame_locator(".versus iframe").nth(k) for k in range(2)]
    one, two = [each for each in page.frames if each != page.main_frame]
    for frame in (one, two):
        frame.wait_for_function("window.optviz?.stage")
    assert [f.evaluate("optviz.experiment.optimizer.read('lr')") for f in (one, two)] == [0.1, 0.3]
    assert frames[0].locator("h1").inner_text().startswith("A")
    frames[0].get_by_role("slider", name="Step", exact=True).focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    two.wait_for_function("() => optviz.player.step === 1")
    one.evaluate("() => optviz.page.figures.surface.ranges.x.setv({ start: -3, end: 1 })")
    two.wait_for_function("() => optviz.page.figures.surface.ranges.x.start === -3")
    page.get_by_role("button", name="Leave A | B").click()
    assert page.locator(".versus").count() == 0


def test_four_pictures_fill_the_stage_two_by_two(page, exported):
    page.goto((exported / "loss_comparison.html").as_uri() + "#stage=lr")
    page.wait_for_function("window.optviz?.stage")
    wait_idle(page)
    boxes = page.evaluate("""() => {
      const plots = [], front = Object.values(Bokeh.index);
      for (const view of front) {
        if (view.model.type === 'Figure' && view.el.checkVisibility()) plots.push(view.el.getBoundingClientRect());
        front.push(...(view.child_views ?? []));
      }
      return plots.slice(0, 4).map(({ left, top, bottom, height }) => [left, top, bottom, height]);
    }""")
    bar = page.locator("#player").bounding_box()["y"]
    assert [len({round(box[k]) for box in boxes}) for k in (0, 1)] == [2, 2]
    assert max(box[2] for box in boxes) <= bar and min(box[3] for box in boxes) > 0.3 * bar
