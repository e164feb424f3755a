"""Random hands on every served page, and what it shows beside what Python computes from its address.

python benchmarks/soak.py [--minutes 15] [--seed 0] [--only surface_descent]

The mouse, the wheel and keys of a real browser move whatever is on the page. After every 20th
move the data drawn must be those of a fresh experiment made from the page's address. A run that
differs as much from itself with its numbers rounded otherwise is chaotic and only counted. Prints
every difference with the moves before it, asserts nothing; needs Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Error, sync_playwright
from serving import BROWSER, ROOT, apps, chromium, load_words, served

from optviz.catalogue import experiments
from optviz.state import sharing

sys.path.insert(0, str(ROOT / "tests"))
from browser import click_slider, drag_slider, slider, slider_labels, wait_idle  # noqa: E402
from hands import PLOTS  # noqa: E402
from pages import assert_shows  # noqa: E402

EACH, EPISODE = 20, 40  # moves between two looks, and on one page
KNOWN = ("same", "same with axes of its own", "refused", "chaotic")
GOES_ON = "Continue"  # the button of a training that was stopped
FITS = "Fit axes"  # the button that makes axes those of a page that has just been opened
MESSAGE = "() => window.optviz ? optviz.experiment.message : document.querySelector('.alert')?.innerText ?? ''"
# axes that have stayed put while knobs moved become those of a page that opens in this state
REFRAME = """() => {
  if (!window.optviz?.experiment.refresh) return false;  // Python computes this page
  const { experiment } = optviz;
  const frames = () => Object.values(experiment.drawings).map(({ xlim, ylim, limits }) => [xlim, ylim, limits]);
  const axes = () => JSON.stringify(frames());
  const before = axes();
  experiment.memo.clear();
  experiment.refresh();
  return axes() !== before;
}"""


class Hands:
    """Somebody who does not know what the page is about."""

    def __init__(self, page, seed: str):
        self.page, self.random, self.done = page, Random(seed), []
        self.moves: list[Callable[[], str]] = [
            self.drag, self.drag, self.click, self.keys, self.keys, self.choose, self.tick, self.press, self.type,
            self.tap, self.pan, self.zoom,
        ]  # fmt: skip

    def move(self) -> None:
        act = self.random.choice(self.moves)
        try:
            self.done.append(f"{act.__name__} {act()}")
        except (
            Error,
            AssertionError,
            IndexError,
            TypeError,
            ValueError,
        ) as trouble:  # nothing there, or gone meanwhile
            self.done.append(f"{act.__name__}: nothing ({str(trouble).splitlines()[0][:80] if str(trouble) else ''})")
        self.page.wait_for_timeout(self.random.choice((0, 0, 20, 100, 400)))

    def _label(self) -> str:
        """A slider that can be moved."""
        label = self.random.choice(slider_labels(self.page))
        box = slider(self.page, label)
        if box.count() != 1 or box.locator("[disabled]").count():
            raise IndexError(f"{label} is shut, or there are two")
        return label

    def _one_of(self, selector: str):
        found = self.page.locator(selector)
        return found.nth(self.random.randrange(found.count()))  # of none: ValueError

    def _plot(self) -> list[float]:
        """A place on a plot that is in the window."""
        x, y = self.random.choice(self.page.evaluate(PLOTS))["middle"]
        self.page.mouse.wheel(0, y - 450)
        self.page.wait_for_timeout(50)
        plots = [plot["middle"] for plot in self.page.evaluate(PLOTS)]
        x, y = self.random.choice([(a, b) for a, b in plots if 100 < b < 800])
        return [x + self.random.uniform(-100, 100), y + self.random.uniform(-60, 60)]

    def drag(self) -> str:
        label, share = self._label(), self.random.random()
        return f"{label} to {drag_slider(self.page, label, share, steps=self.random.randint(1, 12))}"

    def click(self) -> str:
        label, share = self._label(), self.random.random()
        return f"{label} to {click_slider(self.page, label, share)}"

    def keys(self) -> str:
        label = self._label()
        slider(self.page, label).locator(".noUi-handle").focus()
        keys = [self.random.choice(("ArrowLeft", "ArrowRight", "PageUp", "PageDown")) for _ in range(3)]
        keys *= self.random.randint(1, 3)
        for key in keys:
            self.page.keyboard.press(key)
        return f"{label}: {' '.join(keys)}"

    def choose(self) -> str:
        menu = self._one_of("select:visible:enabled")
        options = menu.locator("option:not([disabled])").all_inner_texts()
        option = self.random.choice(options)
        menu.select_option(option, timeout=1000)
        return option

    def tick(self) -> str:
        box = self._one_of("input[type=checkbox]:visible:enabled")
        box.click(timeout=1000)
        return box.evaluate("(e) => e.parentNode.textContent")

    def press(self) -> str:
        button = self._one_of("button.bk-btn:visible:enabled")
        text = button.inner_text(timeout=1000)
        if "Download" in text:
            return "nothing"
        button.click(timeout=1000)
        return text

    def type(self) -> str:
        box = self._one_of(".bk-input-group:visible input[type=text]:enabled")
        box.click(timeout=1000)
        text = self.random.choice((str(self.random.randrange(300)), f"{10 ** self.random.uniform(-3, 1):.2g}", "-", ""))
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)
        self.page.keyboard.press(self.random.choice(("Enter", "Tab")))
        return text

    def tap(self) -> str:
        x, y = self._plot()
        self.page.mouse.click(x, y)
        return f"{x:.0f} {y:.0f}"

    def pan(self) -> str:
        x, y = self._plot()
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + self.random.uniform(-80, 80), y + self.random.uniform(-50, 50), steps=4)
        self.page.mouse.up()
        return f"from {x:.0f} {y:.0f}"

    def zoom(self) -> str:
        x, y = self._plot()
        self.page.mouse.move(x, y)
        self.page.keyboard.down("Control")
        self.page.mouse.wheel(0, self.random.choice((-100, 100)))
        self.page.keyboard.up("Control")
        return f"at {x:.0f} {y:.0f}"


def values_of(url: str) -> dict:
    """What an address says of a state."""
    return {n: v if len(v) > 1 else v[0] for n, v in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def at_rest(page) -> str:
    """Wait until all is computed, with axes as of a page just opened; the address."""
    for name in (GOES_ON, FITS):
        quiet(page)
        button = page.get_by_role("button", name=name)
        if button.count() and button.first.is_visible():
            button.first.click()
    return quiet(page)


def quiet(page) -> str:
    """Wait until page and address say the same; the address."""
    before = None
    while page.url != before:
        before = page.url
        wait_idle(page, timeout=120)
        page.wait_for_timeout(900)
    return before


def nudged(kind: type, url: str):
    """The experiment of an address with its numbers rounded otherwise."""
    made, _ = sharing.apply(kind, values_of(url))
    owners = [made, *(getattr(made, role) for role in ("optimizer", "objective") if hasattr(made, role))]
    for owner in owners:
        for name in getattr(owner, "param", ()):
            value = getattr(owner, name)
            if isinstance(value, float) and value:
                with suppress(ValueError):
                    setattr(owner, name, float(np.nextafter(value, value / 2)))
    made.restart()
    return made


def own_differences(kind: type, url: str) -> set[str]:
    """The layers that differ from themselves with their numbers rounded otherwise: runs that are chaotic."""
    one, two = sharing.apply(kind, values_of(url))[0], nudged(kind, url)
    return {
        f"{name}.{layer}"
        for name, drawing in one.drawings.items()
        for layer, columns in drawing.layers.items()
        if not all(same(values, two.drawings[name].layers[layer][column]) for column, values in columns.items())
    }


def same(one, two) -> bool:
    """Whether two columns hold the same but for their last digits."""
    try:
        pair = [np.asarray(each, dtype=float) for each in (one, two)]
    except (TypeError, ValueError):  # texts, or lines that are not equally long
        return len(one) == len(two) and all(str(a) == str(b) for a, b in zip(one, two, strict=True))
    return pair[0].shape == pair[1].shape and np.allclose(*pair, rtol=1e-8, atol=1e-11, equal_nan=True)


def look(page, kind: type, hands: Hands) -> str:
    """Compare; `same`, `refused`, `chaotic`, or the difference."""
    url = at_rest(page)
    fresh, refused = sharing.apply(kind, values_of(url))
    said = page.evaluate(MESSAGE)
    if refused:
        return f"the address is refused: {refused[:3]}"
    if said:  # the address is that of a state before
        return "refused"
    if fresh.message:
        return f"Python refuses: {fresh.message}"
    text, own = difference(page, fresh), ""
    if text and reframed(page):
        text, own = difference(page, fresh), "with axes of its own: "
        if not text:
            return "same with axes of its own"
    if text and "fit_axes" in fresh.param:  # the page's button was pressed
        fresh.param.trigger("fit_axes")
        text = difference(page, fresh)
    if any(layer in text for layer in text and own_differences(kind, url)):
        return "chaotic"
    return f"{own}{text}" if text else "same"


def difference(page, fresh) -> str:
    """What of the data drawn is not an experiment's; empty if all is."""
    try:
        assert_shows(page, fresh, timeout=5)
    except AssertionError as found:
        return str(found).strip()[:1500] or "no reason given"
    return ""


def reframed(page) -> bool:
    """Draw all anew as on a page just opened; whether that gave other axes, which stay put while knobs move."""
    changed = page.evaluate(REFRAME)
    wait_idle(page, timeout=120)
    return changed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="the name of an app")
    given = parser.parse_args()
    names = [name for name in experiments() if given.only in (name, "")]
    end, counts, log = time.monotonic() + 60 * given.minutes, Counter(), Path(tempfile.mkdtemp()) / "server.log"
    with sync_playwright() as play, served(apps(*names), "--warm", log=log) as (base, _):
        browser = play.chromium.launch(executable_path=chromium(), args=BROWSER)
        for number, name in enumerate(cycle(names)):
            if time.monotonic() > end:
                break
            counts += soak(browser, base, name, f"{given.seed} {number} {name}")
        browser.close()
    print(dict(counts), load_words())
    print(*[line for line in log.read_text().splitlines() if "ERROR" in line or "Traceback" in line], sep="\n")


def soak(browser, base: str, name: str, seed: str) -> Counter:
    """Some moves on a page of its own."""
    kind, counts = experiments()[name], Counter()
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(5000)
    page.on("pageerror", lambda error: hands.done.append(f"EXCEPTION {error}\n{error.stack}"))
    hands = Hands(page, seed)
    page.goto(f"{base}/{name}", timeout=60_000)
    wait_idle(page, timeout=120)
    for _ in range(EPISODE // EACH):
        for _ in range(EACH):
            hands.move()
        found = look(page, kind, hands)
        broken = [text for text in hands.done if text.startswith("EXCEPTION")]
        known = found in KNOWN
        counts.update({"moves": EACH, "looks": 1, found if known else "different": 1, "exceptions": len(broken)})
        if not known or broken:
            print(f"== {name}, seed {seed!r}, {page.url}\n{found}", *hands.done, sep="\n  ", flush=True)
            break
    page.close()
    return counts


if __name__ == "__main__":
    main()
