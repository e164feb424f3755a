"""A server with many visitors: what they cost it, and what one of them sees of the others.

python benchmarks/load.py [--quick] [--light] [--sessions 200] [--draggers 50] [--seconds 60]

Sessions over all pages are open by Bokeh's protocol, some of them dragging 10 events a second;
three tabs of headless Chromium drag beside them, and time each event until the last canvas is
painted. The baseline in the same run is the same three tabs with nobody else. Then the same with
four draggers on an `EdgeOfStability` of 32 units and 3,000 steps, which Python trains, and two on
a map of 10,000 steps. All on this machine, browsers too. Needs Chromium; prints, asserts nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import urllib.request
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import parse_qsl

from crowd import PYTHON, Crowd, Visitor
from playwright.sync_api import sync_playwright
from serving import BROWSER, ROOT, SLIDER, WATCH, apps, chromium, cpu_seconds, load_words, memory, served

from optviz.catalogue import experiments, named
from optviz.state import sharing

sys.path.insert(0, str(ROOT / "tests"))
from browser import slider_value  # noqa: E402
from pages import assert_shows, owner_of, set_to  # noqa: E402

README = ("--index", "index", "--warm")
TABS = {"surface_descent": ("Learning rate", 0.3, 0.7), "single_parameter": ("Momentum", 0.5, 0.95),
        "noisy_descent": ("Learning rate", 0.3, 0.6)}  # fmt: skip
HEAVY = ["edge_of_stability?width=32&steps=3000"] * 4 + ["hyperparameter_map?steps=10000"] * 2
RATE = 10  # events a second of each dragger
WORDS = {"p50": 0.5, "p95": 0.95, "worst": 1}
LEFT = 45  # seconds after which Bokeh has forgotten who left

# Drag a slider: how long after each event the last canvas was painted that is painted before the next.
DRAG = """
([title, low, high, rate, seconds]) => {
  window.__found = [];
  window.__drag = (async () => {
    const slider = window.__slider(title), count = Math.round(seconds * rate);
    const rest = (ms) => new Promise((done) => setTimeout(done, ms));
    for (let k = 0; k < count; k += 1) {
      const share = low + (high - low) * Math.abs((k * 0.37) % 2 - 1);
      window.__paints.length = 0;
      const begin = performance.now();
      slider.value = window.__stop(slider, share);
      await rest(Math.max(k === count - 1 ? 1000 : 0, 1000 / rate - (performance.now() - begin)));
      if (window.__paints.length) window.__found.push(window.__paints.at(-1)[0] - begin);
    }
  })();
}
"""


def share_of(times: list[float], share: float) -> float:
    """What this share of the times stays below."""
    return sorted(times)[int(share * (len(times) - 1))] if times else float("nan")


class Tabs:
    """Pages in a real browser, whose sliders their own scripts drag."""

    def __init__(self, browser, base: str):
        self.pages = {name: browser.new_page(viewport={"width": 1400, "height": 900}) for name in TABS}
        for name, page in self.pages.items():
            page.goto(f"{base}/{name}")
            page.wait_for_function("window.optviz")
        for page in self.pages.values():
            page.wait_for_timeout(1500)
            page.evaluate(WATCH)
            page.evaluate(SLIDER)

    def drag(self, seconds: float) -> list[float]:
        """All at once, each 10 events a second: milliseconds from each event to its last canvas."""
        for name, page in self.pages.items():
            page.evaluate(DRAG, [*TABS[name], RATE, seconds])
        found = []
        for page in self.pages.values():
            page.set_default_timeout(1e3 * seconds + 60_000)
            page.evaluate("() => window.__drag")
            found += page.evaluate("() => window.__found")
        return found

    def wrong(self) -> list[str]:
        """The pages whose last picture is not what Python computes after the same moves: axes stay put meanwhile."""
        found = []
        for name, page in self.pages.items():
            wanted, (title, *_) = named(name)(), TABS[name]
            set_to(*owner_of(wanted, title), slider_value(page, title))
            try:
                assert_shows(page, wanted, timeout=0)
            except AssertionError as difference:
                found.append(f"{name}: {str(difference)[:200]}")
        return found


async def drag(visitors: list[Visitor], seconds: float) -> None:
    """Each of these says or moves something 10 times a second."""
    count = round(seconds * RATE)

    async def one(visitor: Visitor, number: int) -> None:
        await asyncio.sleep(number / len(visitors) / RATE)
        begun = time.perf_counter()
        for k in range(count):
            share = abs((0.37 * k + 0.1 * number) % 2 - 1)
            if visitor.page in PYTHON:
                await visitor.move("Learning rate", 0.02 + 0.3 * share)
            else:
                await visitor.say(f"{visitor.query}&lr={0.01 + 0.2 * share:.3g}".strip("&"))
            await asyncio.sleep(max(0.0, begun + (k + 1) / RATE - time.perf_counter()))

    await asyncio.gather(*(one(visitor, number) for number, visitor in enumerate(visitors)))


async def unheard(visitors: list[Visitor], limit: float = 60) -> str:
    """How many of the last words the server does not have, and how soon it has said what it has."""
    begun = time.perf_counter()
    saying = [visitor for visitor in visitors if visitor.page not in PYTHON and visitor.last]
    known = await asyncio.gather(
        *(asyncio.wait_for(visitor.known(), limit) for visitor in saying), return_exceptions=True
    )
    lost = sum(visitor.last != text for visitor, text in zip(saying, known, strict=True))
    return f"{lost} of {len(saying)}, asked all at once after {time.perf_counter() - begun:.1f} s"


def trained(visitors: list[Visitor], limit: float = 60) -> list[str]:
    """Wait until what Python draws for these is at rest; what of it differs from a fresh experiment's."""
    begun, found = time.perf_counter(), []
    training = [visitor for visitor in visitors if visitor.page in PYTHON and visitor.last]
    while training and time.perf_counter() - begun < limit:
        if time.perf_counter() - max(visitor.heard for visitor in training) > 3:
            break
        time.sleep(0.1)
    for visitor in training:
        kind = named(visitor.page)
        wanted, _ = sharing.apply(kind, {**dict(parse_qsl(visitor.query)), "lr": visitor.last})
        curve, drawn = wanted.drawings["loss"].layers["loss"], visitor.drawn()["loss.loss"]
        if any(list(values) != list(curve[name]) for name, values in drawn.items()):
            found.append(f"{visitor.page} with lr {visitor.last}")
    return found


def complaints(log: Path) -> list[str]:
    """The errors in a server's log."""
    return [line for line in log.read_text().splitlines() if "ERROR" in line or "Traceback" in line]


def first_load(browser, url: str) -> tuple[float, float]:
    """Seconds of a visitor with nothing kept until the first picture, and the kilobytes that came."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    came: list[float] = []
    tools = context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
    begun = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_function("window.optviz && [...Bokeh.index].every((view) => view.is_idle ?? true)")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    seconds = time.perf_counter() - begun
    page.wait_for_timeout(500)
    context.close()
    return seconds, sum(came) / 1e3


def later_visitor(base: str, process, count: int = 40) -> str:
    """What one more GET of a page costs the server."""
    begun, size = cpu_seconds(process), 0
    times = []
    for _ in range(count):
        asked = time.perf_counter()
        size = len(urllib.request.urlopen(f"{base}/surface_descent").read())
        times.append(1e3 * (time.perf_counter() - asked))
    cost = 1e3 * (cpu_seconds(process) - begun) / count
    return f"{cost:.1f} ms of the server, {statistics.median(times):.0f} ms to wait, {size / 1e3:.1f} kB"


def report(name: str, times: list[float], cpu: float, answered: list[float], seconds: float) -> None:
    shares = ", ".join(f"{word} {share_of(times, share):.0f}" for word, share in WORDS.items())
    print(f"{name}: event to picture {shares} ms of {len(times)}; server {100 * cpu:.0f} % of a core; "
          f"{len(answered) / seconds:.0f} words a second, answered in {1e3 * share_of(answered, 0.95):.0f} ms (p95); "
          f"{load_words()}", flush=True)  # fmt: skip


def timed(name: str, tabs: Tabs, process, crowd: Crowd, draggers: list[Visitor], seconds: float) -> float:
    """Have these drag, and the tabs; the p95 of the tabs."""
    begun, moment, computing = cpu_seconds(process), time.perf_counter(), time.process_time()
    others = crowd.begin(drag(draggers, seconds))
    times = tabs.drag(seconds)
    others.result()
    took, computing = time.perf_counter() - moment, time.process_time() - computing
    cpu = (cpu_seconds(process) - begun) / took
    lost, wrong = crowd.run(unheard(draggers)), tabs.wrong()
    report(name, times, cpu, [each for visitor in draggers for each in visitor.answered], took)
    print(f"  visitors without a browser themselves take {100 * computing / took:.0f} % of a core")
    print(f"  last pictures that are wrong: {len(wrong)} of {len(tabs.pages)}, last words not heard: {lost}")
    for text in wrong:
        print(f"  {text}")
    begun = time.perf_counter()
    differing = trained(draggers)
    if any(visitor.page in PYTHON for visitor in draggers):
        print(f"  trained by Python: {len(differing)} differ, at rest {time.perf_counter() - begun - 3:.1f} s later")
    return share_of(times, 0.95)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--draggers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--light", action="store_true", help="no trainings and no long maps")
    parser.add_argument("--quick", action="store_true", help="20 sessions, 5 of them dragging, 10 s")
    given = parser.parse_args()
    if given.quick:
        given.sessions, given.draggers, given.seconds = 20, 5, 10
    log = Path(tempfile.mkdtemp()) / "server.log"
    pages = list(islice(cycle(experiments()), given.sessions))
    print(load_words())
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=BROWSER)
        with served(apps(), *README, log=log, wait=False) as (base, process):
            seconds, size = first_load(browser, f"{base}/surface_descent")
            print(f"first visitor of a fresh server: first picture after {seconds:.2f} s, {size:.0f} kB came")
            print(f"a later visitor: {later_visitor(base, process)}")
            visits(browser, base, process, pages, given)
        browser.close()
    errors = complaints(log)
    print(f"errors in the server's log: {len(errors)}", *errors[:5], sep="\n  ")


def visits(browser, base: str, process, pages: list[str], given: argparse.Namespace) -> None:
    """The visitors come, drag and leave."""
    crowd, tabs = Crowd(), Tabs(browser, base)
    crowd.come(base, list(experiments()))  # each page once: what the server keeps for all
    crowd.leave()
    time.sleep(LEFT)
    start = memory(process)
    alone = timed("nobody else", tabs, process, crowd, [], given.seconds / 2)
    visitors = crowd.come(base, pages)
    full = memory(process)
    light = [visitor for visitor in visitors if visitor.page not in PYTHON]
    words = f"{len(visitors)} sessions, {given.draggers} drag"
    beside = timed(words, tabs, process, crowd, light[: given.draggers], given.seconds)
    dragged = memory(process)
    print(f"p95 of the tabs: {beside / alone:.2f} times that with nobody else")
    if not given.light:
        draggers = light[: given.draggers] + crowd.come(base, HEAVY)
        for visitor in light:
            visitor.answered.clear()
        worst = timed("the same and heavy ones", tabs, process, crowd, draggers, given.seconds)
        print(f"p95 of the tabs: {worst / alone:.2f} times that with nobody else")
    troubles = [text for visitor in crowd.visitors for text in visitor.troubles]
    crowd.leave()
    time.sleep(LEFT)
    after = memory(process)
    each = (full - start) / len(pages)
    print(f"memory: {start:.0f} MiB at the start, {full:.0f} with all ({each:.2f} a session), {dragged:.0f} after "
          f"the drag, {after:.0f} once all have left ({100 * (after / start - 1):+.0f} %)")  # fmt: skip
    # what the first class leaves is loaded once, or kept of every visitor: a second class tells
    again = crowd.come(base, pages)
    crowd.run(drag([visitor for visitor in again if visitor.page not in PYTHON][: given.draggers], given.seconds / 4))
    crowd.leave()
    time.sleep(LEFT)
    second = memory(process)
    print(f"  {second:.0f} MiB after a second class ({100 * (second / after - 1):+.0f} % of that)")
    print(f"errors that visitors heard of: {len(troubles)}", *troubles[:3], sep="\n  ")


if __name__ == "__main__":
    main()
