"""What a page looks like to a hand, an eye and a screen reader."""

from __future__ import annotations

from io import BytesIO

import pytest
from browser import brightness, slider, wait_idle
from conftest import watched_page
from PIL import Image

pytestmark = pytest.mark.browser

# every element of the page, those in shadow roots too
EVERY = """(test) => {
  const found = [], walk = (root) => root.querySelectorAll("*").forEach((e) => {
    found.push(e);
    if (e.shadowRoot) walk(e.shadowRoot);
  });
  walk(document);
  return found.filter((e) => e.checkVisibility()).map(eval(test)).filter((x) => x != null);
}"""
NAMELESS = """(e) => e.matches("button, input, [role=button], [role=switch], [role=slider]") && !e.labels?.length
  && !e.textContent.trim() && !e.ariaLabel && !e.title && !e.hasAttribute("aria-labelledby") ? e.outerHTML : null"""
# how far around its middle a knob is met by a finger
REACH = """(e) => {
  if (!e.matches(".noUi-handle")) return null;
  const box = e.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
  const hit = (dx, dy) => {
    const root = e.getRootNode(), at = root.elementFromPoint(x + dx, y + dy);
    return y < innerHeight - 40 ? at === e || e.contains(at) : true;
  };
  return [[-1, 0], [1, 0], [0, -1], [0, 1]].every(([i, j]) => hit(i * REACH, j * REACH));
}"""
SIZES = """(e) => e.tagName === "CANVAS" && e.offsetWidth ? [e.offsetWidth, e.offsetHeight] : null"""


def test_what_can_be_set_has_a_name_and_says_the_value_that_it_shows(page, served):
    for name in ("stochastic_landscape", "surface_descent"):
        page.goto(f"{served}/{name}")
        wait_idle(page)
        page.wait_for_timeout(1100)  # names are given once a second, to what came since
        assert page.evaluate(EVERY, NAMELESS) == []
    knob = slider(page, "Learning rate").locator(".noUi-handle")
    knob.focus()
    page.keyboard.press("ArrowRight")
    wait_idle(page)
    page.evaluate("() => scrollTo(0, 0)")
    assert_knobs_are_met(page, 11)
    shown = slider(page, "Learning rate").locator(".bk-slider-value").input_value()
    assert knob.get_attribute("aria-valuetext") == shown == "0.051"
    assert knob.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"


def assert_knobs_are_met(page, reach: int) -> None:
    """So many pixels around the middle of each knob meet it."""
    knobs = page.evaluate(EVERY, REACH.replace("REACH", f"{reach}"))
    assert len(knobs) > 2 and all(knobs)


def test_a_knob_is_met_by_a_finger_from_farther(browser, served):
    with watched_page(browser, has_touch=True, is_mobile=True) as page:
        page.goto(f"{served}/surface_descent")
        wait_idle(page)
        assert_knobs_are_met(page, 15)


def test_maps_have_room_in_a_narrow_window_and_grow_in_a_large_one(page, served):
    page.set_viewport_size({"width": 820, "height": 1180})
    page.goto(f"{served}/loss_comparison")
    for size, least in (((820, 1180), 180), ((1920, 1080), 300)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        wait_idle(page)
        assert min(width for width, _ in page.evaluate(EVERY, SIZES)) > least
    page.goto(f"{served}/surface_descent")
    wait_idle(page)
    assert max(height for _, height in page.evaluate(EVERY, SIZES)) == pytest.approx(560 * 1080 / 900, abs=2)
    page.set_viewport_size({"width": 1280, "height": 720})
    wait_idle(page)
    bottom = page.locator(".bk-Figure").first.evaluate("(e) => e.getBoundingClientRect().bottom")
    assert bottom < 720


def test_a_dark_system_gets_dark_pages_unless_the_address_says_light(page, served):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{served}/index")
    assert brightness(page) < 80
    page.locator("a.card").first.click()
    wait_idle(page)
    assert brightness(page) < 80
    page.goto(f"{served}/edge_of_stability")
    page.wait_for_url("**theme=dark")
    wait_idle(page)
    assert brightness(page) < 80
    for name in ("surface_descent", "edge_of_stability"):
        page.goto(f"{served}/{name}?theme=default")
        wait_idle(page)
        assert brightness(page) > 200


def test_a_dark_page_has_one_ground_from_its_top_to_its_end(phone, served):
    phone.goto(f"{served}/conditioning?theme=dark")
    wait_idle(phone)
    picture = Image.open(BytesIO(phone.screenshot(full_page=True))).convert("RGB")
    assert picture.height > 2 * 844  # longer than the window
    bar = phone.locator(".player").bounding_box()  # with its shadow
    scale = picture.width / 390
    rows = [y for y in range(200, picture.height) if not -12 <= y / scale - bar["y"] <= bar["height"] + 12]
    edge = {picture.getpixel((2, y)) for y in rows}
    assert edge == {(24, 24, 24)}
