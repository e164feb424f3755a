"""Exported pages: how large, how soon drawn, how fast they follow a slider; beside Panel's embed.

python benchmarks/export.py [--quick]

Each experiment is saved, opened from disk in headless Chromium with no network, and one slider
moved: milliseconds and animation frames from the slider's event to the last repainted canvas.
The baseline in the same run is the same view saved by Panel with `embed=True`, which stores
drawn states of one slider. Needs Chromium; prints, asserts nothing.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import panel as pn
from playwright.sync_api import sync_playwright
from serving import BROWSER, WATCH, chromium

from optviz.catalogue import experiments

KNOBS = {"surface_descent": "optimizer.lr", "single_parameter": "momentum", "loss_comparison": "momentum",
         "stochastic_landscape": "lr", "conditioning": "angle", "hyperparameter_map": "optimizer.weight_decay",
         "edge_of_stability": "lr", "race": "clip", "noisy_descent": "lr", "logistic_regression": "momentum",
         "matrix_descent": "angle", "benchmark": "steps"}  # fmt: skip
STATES = 10

# The slider's value is set as its handle does; frames are counted until the last paint.
MOVE = """
async ([title, share]) => {
  const sliders = [...optviz.page.spec.controls].filter((c) => !c.event && optviz.page.shown(c))
    .map((c) => optviz.page.model(c.model)).filter((m) => m.title === title && m.start !== undefined);
  const slider = sliders[0];
  const value = slider.start + Math.round(share * (slider.end - slider.start) / slider.step) * slider.step;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 5 * Math.random())));
  window.__paints.length = 0;
  let frames = 0, open = true, last = null;
  const count = () => { if (!open) return; frames += 1; requestAnimationFrame(count); };
  const begin = performance.now();
  requestAnimationFrame(count);
  slider.value = value;
  const marks = [];
  while (performance.now() - begin < 1500) {
    await new Promise((done) => setTimeout(done, 4));
    if (window.__paints.length !== marks.length) {
      while (marks.length < window.__paints.length) marks.push(frames);
      last = performance.now();
    }
    if (last && performance.now() - last > 120) break;
  }
  open = false;
  if (!marks.length) return null;
  return [window.__paints.at(-1)[0] - begin, marks.at(-1)];
}
"""


def measured(browser, path: Path, title: str, moves: int) -> dict[str, float]:
    """Load time and slider latency of one exported page."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_offline(True)
    loads = []
    for _ in range(3):
        page = context.new_page()
        begin = time.perf_counter()
        page.goto(path.as_uri())
        page.wait_for_function("window.optviz && window.optviz.experiment.drawings")
        loads.append(1e3 * (time.perf_counter() - begin))
    page.wait_for_timeout(1500)
    page.evaluate(WATCH)
    found = [page.evaluate(MOVE, [title, 0.1 + 0.75 * (k % 17) / 17]) for k in range(moves + 3)]
    times, frames = zip(*filter(None, found[3:]), strict=True)
    context.close()
    ordered = sorted(times)
    return {
        "MB": path.stat().st_size / 1e6, "load ms": statistics.median(loads), "p50 ms": statistics.median(times),
        "p95 ms": ordered[int(0.95 * (len(ordered) - 1))], "frames": statistics.median(frames),
    }  # fmt: skip


def embedded(kind: type, knob: str, path: Path) -> dict[str, float]:
    """The same view with one slider, saved by Panel with its states."""
    experiment = kind()
    *place, name = knob.split(".")
    owner = getattr(experiment, place[0]) if place else experiment
    low, high = owner.param[name].get_soft_bounds()
    slider = pn.widgets.FloatSlider(start=low, end=high, step=(high - low) / (STATES - 1), value=low)

    def view(value):
        setattr(owner, name, value)
        return pn.Column(*(pn.pane.HoloViews(v, width=500) for v in experiment.views.values()))

    begin = time.perf_counter()
    pn.Column(slider, pn.bind(view, slider)).save(path, embed=True, max_opts=STATES, resources="inline")
    return {"MB": path.stat().st_size / 1e6, "states": STATES, "s": time.perf_counter() - begin}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few moves, no baseline")
    quick = parser.parse_args().quick
    folder = Path(tempfile.mkdtemp())
    print("| experiment | page | load | slider to repaint, p50 / p95 | frames | embed=True |")
    print("|---|---|---|---|---|---|")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=BROWSER)
        for name, kind in experiments().items():
            if name not in KNOBS:
                continue
            experiment, knob = kind(), KNOBS[name]
            experiment.save(folder / f"{name}.html")
            owner = experiment.optimizer if "." in knob else experiment
            title = owner.param[knob.rsplit(".", 1)[-1]].label
            ours = measured(browser, folder / f"{name}.html", title, 10 if quick else 60)
            beside = "" if quick else "{MB:.1f} MB for {states} states, {s:.0f} s to build".format(
                **embedded(kind, knob, folder / "embed.html"))  # fmt: skip
            print(f"| {name} | {ours['MB']:.2f} MB | {ours['load ms']:.0f} ms | {ours['p50 ms']:.0f} / "
                  f"{ours['p95 ms']:.0f} ms | {ours['frames']:.0f} | {beside} |", flush=True)  # fmt: skip
        browser.close()


if __name__ == "__main__":
    main()
