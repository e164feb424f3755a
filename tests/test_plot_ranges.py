"""Axes that cannot be lost: what a hand does to them is known, and Whole map, Reset and Fit bring them back."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from browser import wait_idle, wait_until
from hypothesis import given
from hypothesis import strategies as st
from pages import spot

from optviz import HyperparameterMap, SurfaceDescent
from optviz.pictures.axis_ranges import range_of, reach_of

RANGES = """(name) => {
  for (const doc of Bokeh.documents)
    for (const { name: own, x_range: x, y_range: y } of doc._all_models.values())
      if (own === name && x) return [x.start, x.end, y.start, y.end];
}"""
WHOLE, VIEW = (-4, 1, 0, 0.995), (-2, 0.5, 0, 0.995)


def ranges_of(live):
    return [(r.start, r.end, r.reset_start, r.reset_end) for r in (live.model.x_range, live.model.y_range)]


def test_fit_brings_back_axes_that_a_visitor_has_moved_and_a_knob_leaves_them():
    shown = SurfaceDescent()
    live = shown.page().figures["loss"]
    home = ranges_of(live)
    live.model.x_range.update(start=3.0, end=4.0)  # as the browser's tools do
    shown.optimizer.lr = 0.06
    assert ranges_of(live)[0][:2] == (3.0, 4.0)
    shown.param.trigger("fit_axes")
    assert ranges_of(live)[0] == home[0] == (0.0, 50.0, 0.0, 50.0)
    shown.steps = 20
    assert ranges_of(live)[0] == (0.0, 20.0, 0.0, 20.0)  # where Reset leads, too


def test_a_map_takes_back_what_no_axis_has_and_numbers_that_are_none():
    shown = HyperparameterMap()
    live = shown.page().figures["map"]
    x, y = live.model.x_range, live.model.y_range
    assert (x.bounds, y.bounds) == ((-4, 1), (0, 0.995)) and min(x.min_interval, y.min_interval) > 0
    for ends in ((float("nan"),) * 4, (-9.0, 7.0, -5000.0, 5000.0), (-30.0, -20.0, 0.1, 0.2)):
        x.update(start=ends[0], end=ends[1])
        y.update(start=ends[2], end=ends[3])
        live._look(shown, SimpleNamespace(x0=ends[0], x1=ends[1], y0=ends[2], y1=ends[3]))
        assert (x.start, x.end, y.start, y.end) == (*shown.drawings["map"].xlim, *shown.drawings["map"].ylim)
        assert all(-4 <= end <= 1 for end in (x.start, x.end))
    y.update(start=-3.0, end=3.0)
    shown.param.trigger("whole")
    assert (x.start, x.end, y.start, y.end) == shown.window == WHOLE and (x.reset_start, x.reset_end) == VIEW[:2]


@given(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6))
def test_a_reach_holds_what_is_drawn_with_room_on_both_sides(low, width):
    for log, (first, last) in ((False, (low, low + width)), (True, (width, width * 1e3))):
        least, most = reach_of((first, last), log)
        assert least < first < last < most
        frame = range_of((first, last), log, {})
        assert list(frame)[0] == "bounds" and (frame["start"], frame["reset_end"]) == (first, last)


@pytest.mark.parametrize("limits", [(1e-300, 1e308), (1e-310, 1e-300), (-1e308, 1e308)])
def test_a_reach_is_finite(limits):
    least, most = reach_of(limits, limits[0] > 0)
    assert -1.1e308 < least <= limits[0] < limits[1] <= most < 1.1e308 or limits[0] < 0


def gestures(page, at):
    """Each thing that a hand does to a map; `at` says where on the screen a point of it is."""
    x, y = at(-1, 0.5)
    page.mouse.click(x, y)
    time.sleep(0.4)  # two clicks would be a double click to who listens to those
    for notch in (800, -800):
        for _ in range(18):
            page.mouse.wheel(0, notch)
            page.wait_for_timeout(16)
        yield
    page.locator("button", has_text="Whole map").first.click()
    yield
    page.mouse.move(x, y)
    for _ in range(2):
        page.mouse.wheel(0, -500)
    page.mouse.down()
    page.mouse.move(x + 200, y + 150, steps=4)
    page.mouse.up()
    yield
    touch = page.context.new_cdp_session(page)
    for apart in ((30, 90, 150), (150, 80, 20)):
        for kind, d in (("touchStart", apart[0]), *(("touchMove", d) for d in apart)):
            points = [{"x": x + side * d, "y": y, "id": (side + 1) // 2} for side in (-1, 1)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        yield


# the fields say where the axes end: values, the places of the learning rate being their log10
AGREE = f"""() => {{
  const [x0, x1, y0, y1] = ({RANGES})("map");
  const read = (title) => {{ for (const doc of Bokeh.documents) for (const model of doc._all_models.values())
    if (model.title === title && "value" in model) return Number(model.value) }};
  const near = (shown, place, width) => Math.abs(shown - place) <= 1e-3 * width;
  return near(Math.log10(read("Across from")), x0, x1 - x0) && near(Math.log10(read("Across to")), x1, x1 - x0)
    && near(read("Up from"), y0, y1 - y0) && near(read("Up to"), y1, y1 - y0);
}}"""


def assert_no_gesture_loses_the_map(page):
    for _ in gestures(page, lambda x, y: spot(page, "map", x, y)):
        wait_idle(page)
        x0, x1, y0, y1 = page.evaluate(RANGES, "map")
        assert -4 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 0.995
        wait_until(lambda: page.evaluate(AGREE), what="the axes to be as the fields say")
    page.locator("button", has_text="Whole map").first.click()
    wait_until(lambda: page.evaluate(RANGES, "map") == list(WHOLE) and page.evaluate(AGREE))
    page.locator(".bk-tool-icon-reset").first.click(force=True)
    wait_until(lambda: page.evaluate(RANGES, "map") == list(VIEW) and page.evaluate(AGREE))


@pytest.mark.browser
def test_a_served_map_cannot_be_lost(page, served):
    page.goto(f"{served}/hyperparameter_map")
    wait_idle(page)
    assert_no_gesture_loses_the_map(page)


@pytest.mark.browser
def test_an_exported_map_cannot_be_lost(page, exported):
    page.goto((exported / "hyperparameter_map.html").as_uri())
    wait_idle(page)
    assert_no_gesture_loses_the_map(page)


@pytest.mark.browser
def test_an_exported_page_fits_axes_that_were_zoomed(page, exported):
    page.goto((exported / "surface_descent.html").as_uri())
    wait_idle(page)
    home = page.evaluate(RANGES, "loss")
    page.mouse.move(*spot(page, "loss", 20, 1))
    page.mouse.click(*spot(page, "loss", 20, 1))
    if not page.evaluate(
        "() => [...Bokeh.documents[0]._all_models.values()].some((m) => m.type === 'WheelZoomTool' && m.active)"
    ):
        page.locator(".bk-tool-icon-wheel-zoom").nth(1).click(force=True)
    page.mouse.move(*spot(page, "loss", 25, 1))
    page.mouse.wheel(0, -300)
    wait_until(lambda: page.evaluate(RANGES, "loss") != home)
    page.locator("button", has_text="Fit axes").first.click()
    wait_until(lambda: page.evaluate(RANGES, "loss") == home)
