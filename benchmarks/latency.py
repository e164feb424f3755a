"""How long a knob takes from the slider's event to the last repainted canvas.

python benchmarks/latency.py [--quick]

Serves the apps, opens them in headless Chromium, moves a slider, and times until every canvas
that follows is painted. The baseline in the same run is the same experiment shown as plain
DynamicMaps that HoloViews refreshes. Also: a two-second drag, bytes sent a move, the time of a
second visitor's page, and memory after many sessions. Needs Chromium; prints, asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
           "--disable-background-networking", "--disable-component-update"]  # fmt: skip

BASELINE = """
import panel as pn
from optviz import {kind}
from optviz.page.controls import knobs_of
pn.extension()
e = {kind}()
controls = pn.Column(*e.controls())
pn.Row(controls, pn.Column(*(pn.pane.HoloViews(v, width=600) for v in e.views.values()))).servable()
"""

# Wrap the paint of every plot view: when each paint ended, and of which plot.
WATCH = """
() => {
  window.__paints = [];
  const seen = new Set();
  const views = [];
  const walk = (view) => {
    if (view._actual_paint) views.push(view);
    for (const child of view.child_views || []) walk(child);
  };
  for (const view of Object.values(Bokeh.index)) walk(view);
  for (const view of views) {
    let proto = view;
    while (proto && !Object.prototype.hasOwnProperty.call(proto, '_actual_paint')) proto = Object.getPrototypeOf(proto);
    if (seen.has(proto)) continue;
    seen.add(proto);
    const original = proto._actual_paint;
    proto._actual_paint = function (...args) {
      const result = original.apply(this, args);
      window.__paints.push([performance.now(), this.model.id]);
      return result;
    };
  }
  window.__slider = (title) => {
    for (const doc of Bokeh.documents)
      for (const model of doc._all_models.values())
        if (model.title === title && model.attributes?.start !== undefined) return model;
    return null;
  };
  return views.length;
}
"""
MOVE = """
async ([title, value]) => {
  const slider = window.__slider(title);
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
async ([title, values]) => {
  const slider = window.__slider(title);
  window.__paints.length = 0;
  let end = 0;
  for (const value of values) {
    slider.value = value;
    end = performance.now();
    await new Promise((done) => setTimeout(done, 2000 / values.length - 0.3));
  }
  await new Promise((done) => setTimeout(done, 1500));
  const times = [...new Set(window.__paints.map((p) => Math.round(p[0] / 8)))];
  const last = window.__paints[window.__paints.length - 1][0];
  const most = {};
  for (const [, id] of window.__paints) most[id] = (most[id] || 0) + 1;
  return [Math.max(...Object.values(most)), last - end];
}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(files: list[Path], *flags: str):
    """`panel serve` of these files; yields the base address and the process."""
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", *map(str, files), "--port", str(port), *flags]
    with open(os.devnull, "w") as quiet:
        process = subprocess.Popen(command, cwd=ROOT, stdout=quiet, stderr=quiet,
                                   env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/{files[0].stem}")
        yield base, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def wait_for(url: str, limit: float = 180) -> None:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url).read()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{url} did not answer")


def opened(browser, url: str, watch: bool = True):
    """A page that is drawn, with its incoming websocket bytes counted in `page.received`."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    received: list[int] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: received.append(len(data))))
    page.goto(url)
    page.wait_for_function("window.Bokeh && Bokeh.documents.length && [...Bokeh.index].length > 0")
    page.wait_for_timeout(2500)
    if watch:
        page.evaluate(WATCH)
    return page, received


def knob(browser, url: str, title: str, values: list[float]) -> dict[str, float]:
    """Latency of single moves, and a drag of 120 events in 2 s."""
    page, received = opened(browser, url)
    for value in values[:3]:
        page.evaluate(MOVE, [title, value])
    latencies, plots, sizes, patches = [], set(), [], []
    for value in values:
        received.clear()
        latency, painted = page.evaluate(MOVE, [title, value])
        if latency is not None:
            latencies.append(latency)
            plots.add(painted)
            sizes.append(sum(received))
            patches.append(max(received))
    low, high = min(values), max(values)
    steps = [low + (high - low) * abs((k % 60) / 30 - 1) for k in range(120)]
    frames, lag = page.evaluate(DRAG, [title, steps])
    page.close()
    latencies.sort()
    return {
        "p50 ms": statistics.median(latencies), "p95 ms": latencies[int(0.95 * (len(latencies) - 1))],
        "canvases": max(plots), "bytes": statistics.median(sizes),
        "largest": statistics.median(patches), "drag frames": frames, "last frame ms": lag,
    }  # fmt: skip


def memory(process: subprocess.Popen) -> float:
    """Resident memory of the server, MiB."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def sessions(browser, base: str, process, count: int) -> tuple[float, float]:
    """Memory after 10 and after `count` sessions that were opened, dragged and closed."""
    after = {}
    for k in range(1, count + 1):
        page = browser.new_page()
        page.goto(f"{base}/surface_descent")
        page.wait_for_function("window.Bokeh && Bokeh.documents.length && [...Bokeh.index].length > 0")
        page.wait_for_timeout(250)
        page.evaluate(WATCH)
        page.evaluate(DRAG.replace("2000 /", "300 /"), ["Learning rate", [0.1 + 0.01 * i for i in range(20)]])
        page.close()
        if k in (10, count):
            time.sleep(4)
            after[k] = memory(process)
    return after[10], after[count]


def get(url: str) -> float:
    """Milliseconds of one GET."""
    begin = time.perf_counter()
    urllib.request.urlopen(url).read()
    return 1e3 * (time.perf_counter() - begin)


def line(name: str, found: dict[str, float]) -> None:
    print(f"{name:34s}" + "".join(f"{found[k]:>14.0f}" for k in found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions, no memory run")
    quick = parser.parse_args().quick
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("latency.py needs Chromium: apt-get install chromium")
    many = 12 if quick else 40
    apps = [ROOT / "apps" / f"{name}.py" for name in ("surface_descent", "single_parameter")]
    scratch = Path(os.environ.get("TMPDIR", "/tmp")) / "optviz_latency"
    scratch.mkdir(exist_ok=True)
    plain = []
    for kind in ("SurfaceDescent", "SingleParameter"):
        file = scratch / f"plain_{kind.lower()}.py"
        file.write_text(BASELINE.format(kind=kind))
        plain.append(file)
    knobs = {
        "surface": ("Learning rate", [0.05 + 0.4 * i / many for i in range(many)]),
        "single": ("Momentum", [0.5 + 0.45 * i / many for i in range(many)]),
    }
    with sync_playwright() as play, served([*apps, *plain]) as (base, process):
        browser = play.chromium.launch(executable_path=chromium, args=BROWSER)
        columns = ["p50 ms", "p95 ms", "canvases", "bytes", "largest", "drag frames", "last frame ms"]
        print(f"{'one knob':34s}" + "".join(f"{c:>14s}" for c in columns))
        ours = knob(browser, f"{base}/surface_descent", *knobs["surface"])
        line("SurfaceDescent, served page", ours)
        theirs = knob(browser, f"{base}/plain_surfacedescent", *knobs["surface"])
        line("SurfaceDescent, plain DynamicMaps", theirs)
        single = knob(browser, f"{base}/single_parameter", *knobs["single"])
        line("SingleParameter, served page", single)
        other = knob(browser, f"{base}/plain_singleparameter", *knobs["single"])
        line("SingleParameter, plain DynamicMaps", other)
        print(f"ratio of p50: SurfaceDescent {theirs['p50 ms'] / ours['p50 ms']:.1f}, "
              f"SingleParameter {other['p50 ms'] / single['p50 ms']:.1f}")  # fmt: skip
        for name in ("surface_descent", "single_parameter"):
            times = sorted(get(f"{base}/{name}") for _ in range(10))
            print(f"a later visitor's GET of {name}: median {times[5]:.0f} ms, worst {times[-1]:.0f} ms")
        browser.close()
    with served(apps, "--warm", "--reuse-sessions") as (base, _):
        times = sorted(get(f"{base}/surface_descent") for _ in range(10))
        print(f"the same with --warm --reuse-sessions: median {times[5]:.0f} ms, worst {times[-1]:.0f} ms")
    if quick:
        return
    flags = ("--unused-session-lifetime", "500", "--check-unused-sessions", "500")
    with sync_playwright() as play, served(apps, *flags) as (base, process):
        browser = play.chromium.launch(executable_path=chromium, args=BROWSER)
        ten, fifty = sessions(browser, base, process, 50)
        print(f"memory after 10 sessions {ten:.0f} MiB, after 50 {fifty:.0f} MiB: {100 * (fifty / ten - 1):+.1f} %")
        browser.close()


if __name__ == "__main__":
    main()
