"""Saved pages used by keys alone, and what they say to who does not see them."""

from __future__ import annotations

import numpy as np
import pytest
from browser import source_data, wait_idle, wait_until
from pages import assert_shows
from test_export_pages import opened, status

from optviz import HyperparameterMap, SingleParameter, SurfaceDescent

pytestmark = pytest.mark.browser

# what has the focus, through all shadow roots
FOCUS = """() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  return e;
}"""
# when the page said what, from now on; and which keys reach its window
RECORD = """() => {
  window.said = [];
  window.keys = [];
  const region = document.querySelector(".spoken");
  new MutationObserver(() => said.push([performance.now(), region.textContent])).observe(region, { childList: true });
  addEventListener("keydown", ({ key }) => keys.push(key));
}"""


def focus_picture(page) -> None:
    """By the page's first link."""
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate(f"({FOCUS})().className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate(f"({FOCUS})().ariaRoleDescription") == "picture"


def began(page) -> tuple[float, float]:
    path = source_data(page, "surface.path")
    return path["x"][0], path["y"][0]


def test_keys_move_the_start_and_the_page_says_what_comes_of_it(page, exported):
    experiment = SurfaceDescent()
    opened(page, exported / "surface_descent.html")
    address = page.url
    focus_picture(page)
    assert page.url == address  # which says the state
    page.evaluate(RECORD)
    (left, right), (_, top) = experiment.objective.domain
    x, y = experiment.start
    for key, way in (("ArrowRight", (1 / 50, 0)), ("Shift+ArrowLeft", (-1 / 500, 0)), ("ArrowUp", (0, 1 / 50))):
        page.keyboard.press(key)
        wait_idle(page)
        x, y = x + way[0] * (right - left), y + way[1] * (top - experiment.objective.domain[1][0])
        np.testing.assert_allclose(began(page), (x, y), atol=2e-3)
    experiment.start = began(page)
    assert_shows(page, experiment)
    for _ in range(60):  # as fast as they come
        page.keyboard.press("ArrowUp")
    wait_until(lambda: began(page)[1] == top, what="the start to stop at the picture's edge")
    last = status(page)
    wait_until(lambda: page.evaluate("said.at(-1)[1]") == last, what="the last status to be said")
    times, words = zip(*page.evaluate("said"), strict=True)
    assert min(np.diff(times), default=500) > 480
    assert all(one != two for one, two in zip(words, words[1:], strict=False))
    assert page.evaluate("keys.filter((key) => key !== 'Shift')") == [] and page.evaluate("scrollY") == 0
    described = page.evaluate(f"({FOCUS})().getAttribute('aria-description')")
    assert described.startswith(last) and "Arrow keys move the start" in described
    assert page.locator(".spoken").count() == 1


def test_tools_are_one_stop_and_act_by_keys(page, exported):
    opened(page, exported / "surface_descent.html")
    focus_picture(page)
    page.keyboard.press("Tab")
    names = []
    for _ in range(4):
        names.append(page.evaluate(f"({FOCUS})().ariaLabel"))
        assert page.evaluate(f"({FOCUS})().checkVisibility({{ visibilityProperty: true }})")
        page.keyboard.press("ArrowRight")
    assert len(set(names)) == 4 and page.evaluate(f"({FOCUS})().ariaLabel") == names[0] == "Pan"
    pressed = lambda: page.evaluate(f"({FOCUS})().ariaPressed")
    before = pressed()
    page.keyboard.press("Space")
    wait_until(lambda: pressed() != before, what="Space to press a tool")
    page.keyboard.press("Tab")
    assert "Loss above" in page.evaluate(f"({FOCUS})().outerHTML")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(f"({FOCUS})().role") == "application"


def test_keys_choose_a_neighbouring_cell_and_the_next_epoch(page, exported):
    opened(page, exported / "hyperparameter_map.html")
    experiment = HyperparameterMap()
    focus_picture(page)
    image, here = source_data(page, "map.image"), source_data(page, "map.here")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    wait_idle(page)
    now = source_data(page, "map.here")
    for name, length, cells in (("x", "dw", len(image["image"][0][0])), ("y", "dh", len(image["image"][0]))):
        assert 0 < now[name][0] - here[name][0] < 1.6 * image[length][0] / cells
    assert experiment.message == ""
    opened(page, exported / "single_parameter.html")
    one = SingleParameter()
    page.get_by_role("application").first.focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    wait_idle(page)
    one.epoch = 3
    assert_shows(page, one)


GROUND = "(e) => getComputedStyle(e).backgroundColor"


@pytest.fixture
def contrasted(page):
    """A page of somebody whose system has high contrast and little motion."""
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    yield page
    page.emulate_media(forced_colors="null", reduced_motion="null")


def test_high_contrast_keeps_knobs_keys_and_rings(contrasted, exported):
    page = contrasted
    opened(page, exported / "surface_descent.html")
    ground = page.locator("body").evaluate(GROUND)
    styled = lambda locator, name: locator.first.evaluate(f"(e) => getComputedStyle(e).{name}")
    assert page.locator(".noUi-handle").first.evaluate(GROUND) != ground
    assert styled(page.locator("header"), "borderBottomStyle") == "solid"
    assert styled(page.locator(".noUi-target"), "borderTopStyle") == "solid"
    assert "gradient" in styled(page.locator(".noUi-connects"), "backgroundImage")
    assert styled(page.locator(".bk-tool-icon"), "backgroundColor") != ground
    focus_picture(page)
    assert page.evaluate(f"getComputedStyle(({FOCUS})()).outlineStyle") == "solid"
