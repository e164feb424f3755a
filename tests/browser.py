"""Read and move what is on a served page, in a real browser with a real mouse.

Names are those of the Bokeh models (`model.name`), labels the titles a visitor reads.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# A page's pictures follow a change at once (5 ms of Panel's debounce); the texts beside them 100 ms later
QUIET_MS = 60

# Every model of every document on the page, subscribed to once, so that changes can be counted.
_WATCH = """
() => {
  if (!window.Bokeh || Bokeh.documents.length === 0) return false;
  window.__changes ??= {count: 0, seen: new Set()};
  for (const doc of Bokeh.documents) {
    if (window.__changes.seen.has(doc)) continue;
    window.__changes.seen.add(doc);
    doc.on_change(() => { window.__changes.count += 1 });
  }
  return Bokeh.documents.every((doc) => doc.roots().length > 0 && doc.is_idle)
      && Bokeh.index != null && [...Bokeh.index].length > 0;
}
"""

# A request that the server answers once it has read what the page sent before; quiet for a while;
# a request that it answers once it has acted on it; two frames. If nothing changed since the quiet, all is drawn.
_SETTLED = """
async ([quiet, most]) => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const answer = async () => {
    if (location.protocol.startsWith('http'))
      await fetch('/favicon.ico?' + Math.random(), {cache: 'no-store'});
  };
  await wait(20);
  await answer();
  let [count, since, end] = [window.__changes.count, performance.now(), performance.now() + most];
  while (performance.now() < Math.min(since + quiet, end)) {
    await wait(10);
    if (window.__changes.count !== count) [count, since] = [window.__changes.count, performance.now()];
  }
  await answer();
  await frame();
  await frame();
  return window.__changes.count === count && Bokeh.documents.every((doc) => doc.is_idle);
}
"""

# Plain JavaScript values of a source's columns. Floats go as the bytes of Float64Arrays: exact,
# NaN and infinities included, and quick for the 23,640 points of a long run.
_COLUMNS = """
(names) => {
  const packed = (data, shape) => {
    const bytes = new Uint8Array(Float64Array.from(data, Number).buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 32768)
      text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return {float64: btoa(text), shape};
  };
  const plain = (value) => {
    if (value === undefined) return null;
    if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]));
    if (ArrayBuffer.isView(value)) return packed(value, [...(value.shape ?? [value.length])]);
    if (value != null && typeof value === 'object' && value.shape) {
      const entries = [...value];
      if (entries.every((e) => typeof e === 'number')) return packed(entries, [...value.shape]);
      return entries.map(plain);
    }
    if (Array.isArray(value))
      return value.length && value.every((v) => typeof v === 'number')
        ? packed(value, [value.length]) : value.map(plain);
    return value;
  };
  const found = Object.fromEntries(names.map((name) => [name, new Set()]));
  for (const doc of Bokeh.documents)
    for (const model of doc._all_models.values()) {
      if (!(model.name in found)) continue;
      const source = model.data_source ?? model;
      if (source.data != null && source.columns != null) found[model.name].add(source);
    }
  return names.map((name) => [...found[name]].map((source) => {
    const data = source.data instanceof Map ? source.data : new Map(Object.entries(source.data));
    return plain(data);
  }));
}
"""

_NAMES = """
() => [...new Set(Bokeh.documents.flatMap((doc) => [...doc._all_models.values()])
    .filter((model) => model.name != null && (model.data_source ?? model).columns != null)
    .map((model) => model.name))].sort()
"""


def wait_until(condition: Callable[[], Any], timeout: float = 10, what: str = "") -> Any:
    """Ask until the condition gives something true, which is returned; else AssertionError."""
    end = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {timeout} s: {what or condition}"
        time.sleep(0.02)


def wait_idle(page, timeout: float = 20, quiet_ms: int = QUIET_MS) -> None:
    """Wait until the page is drawn and neither it nor the server has anything left to do.

    A page that plays an animation is never idle: use `wait_until` there.
    """
    end = time.monotonic() + timeout
    page.wait_for_function(_WATCH, timeout=timeout * 1000)
    while not (page.evaluate(_WATCH) and page.evaluate(_SETTLED, [quiet_ms, 1000 * timeout])):
        assert time.monotonic() < end, f"the page goes on changing after {timeout} s"


def wait_for_source(page, name: str, timeout: float = 20) -> None:
    """Wait until something on the page has data by this name."""
    wait_until(lambda: name in source_names(page), timeout, f"data named {name!r} on the page")


def source_names(page) -> list[str]:
    """The names under which the page holds data."""
    return page.evaluate(_NAMES)


def source_data(page, name: str) -> dict[str, list]:
    """The columns of the data source, or of the renderer, with this name, as nested lists.

    Floats come as they are in the page, bit for bit. Several models may share the name as long
    as they share the source.
    """
    return {column: _listed(values) for column, values in sources(page, [name])[name].items()}


def sources(page, names: list[str]) -> dict[str, dict[str, Any]]:
    """The same for several names at once, numbers as arrays: one question to the page."""
    answers = dict(zip(names, page.evaluate(_COLUMNS, names), strict=True))
    for name, found in answers.items():
        assert found, f"nothing on the page has data named {name!r}, only {source_names(page)}"
        assert len(found) == 1, f"{len(found)} sources are named {name!r}"
    return {name: {k: _unpacked(v) for k, v in found[0].items()} for name, found in answers.items()}


def _unpacked(value: Any) -> Any:
    import numpy as np

    if isinstance(value, dict) and set(value) == {"float64", "shape"}:
        return np.frombuffer(base64.b64decode(value["float64"]), dtype="<f8").reshape(value["shape"])
    return [_unpacked(each) for each in value] if isinstance(value, list) else value


def _listed(value: Any) -> Any:
    if isinstance(value, list):
        return [_listed(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def slider(page, label: str):
    """The slider with this title, as a locator of its box (title, track and handle).

    Locators see through the open shadow roots that Bokeh draws in.
    """
    title = page.locator(".bk-slider-title", has_text=re.compile(rf"^\s*{re.escape(label)}\s*(:|$)"))
    box = page.locator(".bk-input-group:visible", has=title)
    if not box.count():
        open_folds(page)
    return box


def folds(page):
    """The buttons on view that open further controls."""
    return page.locator(".fold button:visible")


def open_folds(page) -> None:
    """Click every button that opens further controls."""
    for fold in folds(page).all():
        if "bk-active" not in (fold.get_attribute("class") or ""):
            fold.click()
    page.wait_for_timeout(100)


# not where the handle stands, 69.99999999999999 for a value of 70: far from it is where chaos leads
_VALUE = """
(title) => {
  const find = (view) => {
    const { model } = view;
    if (model?.title === title && model.start !== undefined && view.el.checkVisibility())
      return model.tags[0] === "log" ? { value: Number(view.pretty(model.value)) } : model;
    for (const child of view.child_views ?? []) { const found = find(child); if (found) return found }
    return null;
  };
  for (const root of Bokeh.index) { const found = find(root); if (found) return found.value }
  return null;
}
"""


def slider_value(page, label: str) -> float:
    """The value that a slider on view holds."""
    value = page.evaluate(_VALUE, label)
    assert value is not None, f"no slider {label!r} on the page"
    return float(value)


def value_field(page, label: str):
    """The field above a slider that its value is typed into."""
    return slider(page, label).locator(".bk-slider-value")


def type_value(page, label: str, text: str, key: str = "Enter") -> None:
    """Click the value above a slider, type another, press a key, as a person does."""
    value_field(page, label).click()
    page.keyboard.type(text)
    page.keyboard.press(key)
    wait_idle(page)


def values_said(page) -> dict[str, str]:
    """What the sliders on view say, by title."""
    labels = slider_labels(page)
    page.wait_for_function(_FIELDS)  # a value becomes one within a second
    return {label: slider(page, label).locator(".bk-slider-value").input_value() for label in labels}


_FIELDS = """() => {
  const bare = (e) => e.matches(".bk-slider-value") && !e.matches("input");
  const plain = (root) => [...root.querySelectorAll("*")].some((e) => bare(e) || (e.shadowRoot && plain(e.shadowRoot)));
  return !plain(document);
}"""
# how far down the window the first picture stands while a phone's controls pass under it
_STICKY = """() => {
  const hero = Object.values(Bokeh.index).map(({ el }) => el?.shadowRoot?.querySelector(".area-hero")).find(Boolean);
  return hero && getComputedStyle(hero).position === "sticky" ? hero.getBoundingClientRect().bottom : 0;
}"""


def drag_slider(page, label: str, fraction: float, steps: int = 10) -> float:
    """Drag the slider's handle with the mouse to a fraction of its track; gives its value after.

    Returns as soon as the button is up: `wait_idle` before reading what was drawn.
    """
    box = slider(page, label)
    into_sight(page, box)
    handle = box.locator(".noUi-handle").bounding_box()
    track = box.locator(".noUi-base").bounding_box()
    y = handle["y"] + handle["height"] / 2
    page.mouse.move(handle["x"] + handle["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(track["x"] + fraction * track["width"], y, steps=steps)
    page.mouse.up()
    return slider_value(page, label)


def into_sight(page, box) -> None:
    """Scroll until a part of the page is in view, and not behind the bar at the bottom of the window."""
    box.scroll_into_view_if_needed()
    bar = page.locator("#player:visible")
    behind = box.bounding_box()["y"] + box.bounding_box()["height"] - bar.bounding_box()["y"] if bar.count() else 0
    under = page.evaluate(_STICKY) - box.bounding_box()["y"]
    if under > 0:
        page.mouse.move(8, 600)
        page.mouse.wheel(0, -under - 20)
        wait_until(lambda: box.bounding_box()["y"] > page.evaluate(_STICKY), what="it comes out from under the picture")
    if behind > 0:
        page.mouse.move(8, 300)
        page.mouse.wheel(0, behind + 40)
        wait_until(lambda: box.bounding_box()["y"] + box.bounding_box()["height"] < bar.bounding_box()["y"],
                   what="the page scrolls what is behind the bar into sight")  # fmt: skip


def click_slider(page, label: str, fraction: float) -> float:
    """Click on the slider's track, which brings the handle there at once; gives its value after."""
    box = slider(page, label)
    into_sight(page, box)
    track = box.locator(".noUi-base").bounding_box()
    page.mouse.click(track["x"] + fraction * track["width"], track["y"] + track["height"] / 2)
    return slider_value(page, label)


def slider_labels(page) -> list[str]:
    """The titles of all sliders on the page, without their values."""
    open_folds(page)
    titles = page.locator(".bk-slider-title:visible").all_inner_texts()
    return [title.rsplit(":", 1)[0].strip() for title in titles]


def has_horizontal_scroll(page) -> bool:
    """Whether the page is wider than its window."""
    return page.evaluate("() => { const e = document.scrollingElement; return e.scrollWidth > e.clientWidth }")


# how high the plots are
_HEIGHTS = """
() => {
  const found = [];
  const look = (view) => {
    if (view.frame) found.push(view.el.getBoundingClientRect().height);
    (view.child_views ?? []).forEach(look);
  };
  [...Bokeh.index].forEach(look);
  return found;
}
"""


def assert_fits_a_phone(page) -> None:
    """It scrolls down only, no plot is higher than the screen is wide, and controls are about as wide."""
    width = page.viewport_size["width"]
    assert not has_horizontal_scroll(page)
    heights = page.evaluate(_HEIGHTS)
    assert heights and max(heights) < width
    widths = page.locator(".bk-input-group:visible").evaluate_all("all => all.map((e) => e.offsetWidth)")
    assert widths and min(widths) > width - 40


def brightness(page) -> float:
    """The brightest channel of the page's ground."""
    colour = page.locator("body").evaluate("(e) => getComputedStyle(e).backgroundColor")
    return max(map(float, re.findall(r"[\d.]+", colour)[:3]))


def place_of(page, label: str) -> float:
    """How far down the page a slider is."""
    return slider(page, label).evaluate("(e) => e.getBoundingClientRect().top + window.scrollY")


def screenshot(page, path: str | Path) -> Path:
    """Save what the window shows as a PNG, once the page is idle."""
    wait_idle(page)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    return path
