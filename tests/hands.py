"""What a person does to a page with a wheel, keys and fingers; nothing here scrolls or sets anything by script."""

from __future__ import annotations

import time

from browser import slider, slider_labels, slider_value, wait_idle, wait_until

TRUE_PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}

# how many pixels of the page are below the window
BELOW = "() => Math.round(document.documentElement.scrollHeight - innerHeight)"
# the ranges of every plot, and where on the screen the middle of each is
PLOTS = """
() => {
  const found = [];
  const look = (view) => {
    if (view.frame) {
      const box = view.canvas_view.el.getBoundingClientRect(), { x_range, y_range } = view.model;
      const { left, right, top, bottom } = view.frame.bbox;
      found.push({ middle: [box.left + (left + right) / 2, box.top + (top + bottom) / 2],
                   ranges: [x_range.start, x_range.end, y_range.start, y_range.end] });
    }
    (view.child_views ?? []).forEach(look);
  };
  [...Bokeh.index].forEach(look);
  return found;
}
"""


def scrolled(page) -> float:
    """How far down the page is scrolled."""
    return page.evaluate("() => scrollY")


def wheel(page, notches: int, across: float, down: float) -> None:
    """Turn the wheel with the pointer there; a notch is 100 pixels, down where it is above 0."""
    page.mouse.move(across, down)
    for _ in range(abs(notches)):
        page.mouse.wheel(0, 100 if notches > 0 else -100)


def finger(page, begin: tuple[float, float], end: tuple[float, float], moves: int = 8) -> None:
    """Put a finger down, move it, lift it."""
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    send("touchStart", begin)
    for k in range(1, moves + 1):
        send("touchMove", tuple(a + (b - a) * k / moves for a, b in zip(begin, end, strict=True)))
        page.wait_for_timeout(16)
    send("touchEnd")
    touch.detach()


def assert_wheel_and_keys_scroll(page) -> None:
    """The wheel moves the page, beside plots and over them; Home and End reach its ends."""
    below = page.evaluate(BELOW)
    assert page.evaluate("() => getComputedStyle(document.body).overflowY") != "hidden"
    page.mouse.click(8, 850)  # a hand that has used the page: keys go to it
    page.keyboard.press("End")
    wait_until(lambda: scrolled(page) >= below - 2, what=f"End reaches what is {below} px below the window")
    page.wait_for_timeout(150)  # a key pressed while the page still glides is lost
    page.keyboard.press("Home")
    wait_until(lambda: scrolled(page) == 0, what="Home reaches the top")
    wheel(page, 2, 8, 850)
    wait_until(lambda: scrolled(page) >= min(below, 200) - 2, what="the wheel scrolls")
    wheel(page, -2, 8, 850)
    wait_until(lambda: scrolled(page) == 0, what="the wheel scrolls back")


def assert_wheel_is_the_plot_s_once_clicked(page) -> None:
    """Over a plot the wheel scrolls; with Ctrl, or after a click until the pointer leaves, it zooms."""
    plot = page.evaluate(PLOTS)[0]
    wheel(page, 1, *plot["middle"])
    wait_until(lambda: scrolled(page) > 0, what="the wheel scrolls over a plot")
    assert page.evaluate(PLOTS)[0]["ranges"] == plot["ranges"]
    wheel(page, -1, *plot["middle"])
    wait_until(lambda: scrolled(page) == 0, what="the wheel scrolls back over a plot")
    page.keyboard.down("Control")
    wheel(page, 1, *plot["middle"])
    page.keyboard.up("Control")
    wait_until(lambda: page.evaluate(PLOTS)[0]["ranges"] != plot["ranges"], what="Ctrl and the wheel zoom")
    assert scrolled(page) == 0
    page.mouse.click(*plot["middle"])
    wait_idle(page)
    before = page.evaluate(PLOTS)[0]["ranges"]
    wheel(page, 1, *plot["middle"])
    wait_until(lambda: page.evaluate(PLOTS)[0]["ranges"] != before, what="the wheel zooms a plot that was clicked")
    page.mouse.move(8, 850)
    wheel(page, 1, *plot["middle"])
    wait_until(lambda: scrolled(page) > 0, what="the wheel scrolls again once the pointer has left")


def wait_until_still(page, quiet: float = 0.2) -> None:
    """Wait until the page no longer glides: a finger that comes down before stops it, and does nothing else."""
    seen, since = scrolled(page), time.monotonic()
    end = since + 10
    while time.monotonic() - since < quiet:
        page.wait_for_timeout(50)
        now = scrolled(page)
        if now != seen:
            seen, since = now, time.monotonic()
        assert time.monotonic() < end, "the page glides on"


def assert_fingers_scroll(page) -> None:
    """On a phone a swipe scrolls, also one that begins on a plot; the text is as wide as the screen."""
    assert page.evaluate("() => innerWidth") == TRUE_PHONE["viewport"]["width"]
    finger(page, (8, 700), (8, 450))
    wait_until(lambda: scrolled(page) > 100, what="a swipe scrolls")
    for _ in range(4):  # a fast swipe glides further than one swipe brings back
        wait_until_still(page)
        if scrolled(page) > 0:
            before = scrolled(page)
            finger(page, (8, 300), (8, 700))
            wait_until(lambda most=before: scrolled(page) < most, what="a swipe scrolls back")
    wait_until(lambda: scrolled(page) == 0, what="swipes scroll back")


def assert_fingers_scroll_from_plots_and_sliders(page) -> None:
    """A swipe that begins on a plot or a slider scrolls and changes neither; along the slider it sets it."""
    plot = page.evaluate(PLOTS)[0]
    x, y = plot["middle"]
    finger(page, (x, y), (x + 4, y - 200))
    wait_until(lambda: scrolled(page) > 60, what="a swipe from a plot scrolls")
    wait_idle(page)
    assert page.evaluate(PLOTS)[0]["ranges"] == plot["ranges"]
    wait_until_still(page)
    label = slider_labels(page)[0]
    track = slider(page, label).locator(".noUi-target")
    while (far := track.bounding_box()["y"]) > 700:
        finger(page, (8, 740), (8, 740 - min(600, far - 500)))
        wait_until_still(page)
    value, box = slider_value(page, label), track.bounding_box()
    middle = box["y"] + box["height"] / 2
    begun = (box["x"] + 0.8 * box["width"], middle)
    before = scrolled(page)
    finger(page, begun, (begun[0] + 2, middle - 150))
    wait_until(lambda: scrolled(page) != before, what=f"a swipe from the slider {label!r} scrolls")
    wait_idle(page)
    assert slider_value(page, label) == value
    while track.bounding_box()["y"] < page.viewport_size["height"] / 2:  # behind the picture that stays in view
        finger(page, (8, 500), (8, 600))
        wait_until_still(page)
    wait_until(lambda: dragged_by_finger(page, label, value), what=f"a finger drags the slider {label!r}")


def dragged_by_finger(page, label: str, value: float) -> bool:
    """Whether a finger that pulls a slider's knob along changes its value; a page that still glides only stops."""
    wait_until_still(page)
    box = slider(page, label).locator(".noUi-target").bounding_box()
    handle = slider(page, label).locator(".noUi-handle").bounding_box()
    begun = (handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    end = box["x"] + (0.7 if begun[0] < box["x"] + 0.5 * box["width"] else 0.3) * box["width"]
    finger(page, begun, (end, begun[1] + 3))
    wait_idle(page)
    return slider_value(page, label) != value


# of what has the focus: its name, whether it is seen, what marks it
STOP = """() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  if (!e || e === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(e), box = e.getBoundingClientRect();
  const seen = e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && box.width * box.height > 0;
  return { html: e.outerHTML.slice(0, 200), seen: seen && box.bottom > 0 && box.top < innerHeight,
           ringed: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
}"""


def assert_tab_goes_round(page) -> None:
    """Tab leads through all that can be used and out at the end; what has the focus is in the window, with a ring."""
    page.locator(".skip").focus()
    stops: list[str] = []
    for _ in range(150):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            break
        assert stop["seen"] and stop["ringed"], stop
        stops.append(stop["html"])
    assert stop is None and len(stops) > 10, stops
