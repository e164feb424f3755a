"""How long a knob takes from the slider's event to the last repainted canvas.

python benchmarks/latency.py [--quick]

Serves the apps, opens them in headless Chromium, moves a slider, and times until every canvas
that follows is painted. The baseline in the same run is the same experiment shown as plain
DynamicMaps that HoloViews refreshes. `SurfaceDescent` and `SingleParameter` compute in the
browser, `EdgeOfStability` in Python. Also: two seconds of 120 events, and a drag with the mouse,
whose events the browser hands on just before a frame. Needs Chromium; prints, asserts nothing.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from serving import BROWSER, SLIDER, WATCH, apps, chromium, load_words, served

BASELINE = """
import panel as pn
from optviz import {kind}
pn.extension()
e = {kind}()
controls = pn.Column(*e.controls())
pn.Row(controls, pn.Column(*(pn.pane.HoloViews(v, width=600) for v in e.views.values()))).servable()
"""
# the shares of its track that a slider is moved over: where runs neither stand still nor diverge
KNOBS = {"SurfaceDescent": ("surface_descent", "Learning rate", 0.3, 0.7),
         "SingleParameter": ("single_parameter", "Momentum", 0.5, 0.95),
         "EdgeOfStability": ("edge_of_stability", "Learning rate", 0.1, 0.4)}  # fmt: skip
COLUMNS = ("p50 ms", "p95 ms", "by hand p50", "by hand p95", "canvases", "bytes", "drag frames", "last frame ms")

# One move at any time between two frames; quiet for a while means that all is painted.
MOVE = """
async ([title, share]) => {
  const slider = window.__slider(title), value = window.__stop(slider, share);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 17 * Math.random())));
  window.__paints.length = 0;
  const begin = performance.now();
  slider.value = value;
  let last = begin;
  while (performance.now() - begin < 3000) {
    await new Promise((done) => setTimeout(done, 10));
    if (window.__paints.length) last = window.__paints[window.__paints.length - 1][0];
    if (window.__paints.length && performance.now() - last > 220) break;
  }
  const plots = new Set(window.__paints.map((p) => p[1]));
  return [window.__paints.length ? last - begin : null, plots.size];
}
"""
DRAG = """
async ([title, shares]) => {
  const slider = window.__slider(title);
  window.__paints.length = 0;
  let end = 0;
  for (const share of shares) {
    slider.value = window.__stop(slider, share);
    end = performance.now();
    await new Promise((done) => setTimeout(done, 2000 / shares.length - 0.3));
  }
  await new Promise((done) => setTimeout(done, 1500));
  const last = window.__paints[window.__paints.length - 1][0];
  const most = {};
  for (const [, id] of window.__paints) most[id] = (most[id] || 0) + 1;
  return [Math.max(...Object.values(most)), last - end];
}
"""
# When the mouse moves and a slider's value with it; then how long after each the last canvas was painted
HEAR = """
(title) => {
  let moved = 0;
  window.__moves = [];
  window.__paints.length = 0;
  addEventListener("pointermove", () => { moved = performance.now(); }, { capture: true });
  window.__slider(title).properties.value.change.connect(() => window.__moves.push(moved));
}
"""
HEARD = """
() => {
  const moves = window.__moves, found = [];
  moves.forEach((begin, i) => {
    const end = moves[i + 1] ?? Infinity;
    const after = window.__paints.map(([time]) => time).filter((time) => time > begin);
    const own = after.filter((time) => time < end);
    if (after.length) found.push((own.length ? own.at(-1) : after[0]) - begin);
  });
  return found;
}
"""


def opened(browser, url: str):
    """A page that is drawn and at rest, and a list of the sizes of what comes over its websocket."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    received: list[int] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(len(data))))
    page.goto(url)
    page.wait_for_function("window.Bokeh && Bokeh.documents.length && [...Bokeh.index].length > 0")
    page.wait_for_timeout(2500)
    page.evaluate(WATCH)
    page.evaluate(SLIDER)
    return page, received


def by_hand(page, title: str, low: float, high: float) -> list[float]:
    """The same under the mouse: a drag to and fro, a move a frame."""
    group = page.locator(".bk-input-group:visible", has=page.locator(".bk-slider-title", has_text=title)).first
    group.scroll_into_view_if_needed()
    handle, track = (group.locator(f".noUi-{part}").bounding_box() for part in ("handle", "base"))
    down = handle["y"] + handle["height"] / 2
    page.evaluate(HEAR, title)
    page.mouse.move(handle["x"] + handle["width"] / 2, down)
    page.mouse.down()
    for k in range(90):
        share = low + (high - low) * abs((k % 60) / 30 - 1)
        page.mouse.move(track["x"] + share * track["width"], down)
        page.wait_for_timeout(12)
    page.mouse.up()
    page.wait_for_timeout(1000)
    return page.evaluate(HEARD)


def knob(browser, url: str, title: str, low: float, high: float, moves: int) -> dict[str, float]:
    """Latency of single moves, of a drag of 120 events in 2 s, and of one with the mouse."""
    page, received = opened(browser, url)
    shares = [low + (high - low) * (7 * k % moves) / moves for k in range(moves)]
    for share in shares[:3]:
        page.evaluate(MOVE, [title, share])
    latencies, plots, sizes = [], set(), []
    for share in shares:
        received.clear()
        latency, painted = page.evaluate(MOVE, [title, share])
        if latency is not None:
            latencies.append(latency)
            plots.add(painted)
            sizes.append(sum(received))
    frames, lag = page.evaluate(DRAG, [title, [low + (high - low) * abs((k % 60) / 30 - 1) for k in range(120)]])
    hand = by_hand(page, title, low, high)
    page.close()
    figures = (statistics.median(latencies), share_of(latencies, 0.95), statistics.median(hand), share_of(hand, 0.95),
               max(plots), statistics.median(sizes), frames, lag)  # fmt: skip
    return dict(zip(COLUMNS, figures, strict=True))


def share_of(times: list[float], share: float) -> float:
    """What this share of the times stays below."""
    return sorted(times)[int(share * (len(times) - 1))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    moves = 12 if parser.parse_args().quick else 40
    scratch = Path(tempfile.mkdtemp())
    plain = {kind: scratch / f"plain_{knob[0]}.py" for kind, knob in KNOBS.items()}
    for kind, file in plain.items():
        file.write_text(BASELINE.format(kind=kind))
    files = [*apps(*(knob[0] for knob in KNOBS.values())), *plain.values()]
    print(load_words())
    print(f"{'one knob':34s}" + "".join(f"{column:>14s}" for column in COLUMNS))
    with sync_playwright() as play, served(files) as (base, _):
        browser = play.chromium.launch(executable_path=chromium(), args=BROWSER)
        for kind, (app, *rest) in KNOBS.items():
            ours, theirs = (knob(browser, f"{base}/{page}", *rest, moves) for page in (app, plain[kind].stem))
            for name, found in (("served page", ours), ("plain DynamicMaps", theirs)):
                print(f"{kind + ', ' + name:34s}" + "".join(f"{figure:>14.0f}" for figure in found.values()))
            print(f"{'':34s}{theirs['p50 ms'] / ours['p50 ms']:>13.1f}×{theirs['p95 ms'] / ours['p95 ms']:>13.1f}×")
        browser.close()
    print(load_words())


if __name__ == "__main__":
    main()
