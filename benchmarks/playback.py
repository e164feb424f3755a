"""How many frames a second playback reaches: every frame shows another step.

python benchmarks/playback.py [names]

Saves pages, opens them in headless Chromium, and plays 300 steps at 60 a second, with the inspector closed and open.
Counts the browser's frames, the steps shown, and the longest wait between two frames. Needs Chromium; prints,
asserts nothing.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from serving import BROWSER, chromium

from optviz.catalogue import experiments

STEPS = {"steps": 300, "epochs": 300}
PLAY = """
async ([open, seconds]) => {
  const { player } = optviz, frames = [];
  if (player.inspector.open !== open) player.inspector.toggle();
  let shown = 0;
  const count = () => { shown += 1; };
  player.watchers.push(count);
  player.seek(0);
  player.at_rate(60);
  player.play();
  await new Promise((done) => {
    const begin = performance.now();
    const frame = (now) => {
      frames.push(now);
      if (now - begin < 1000 * seconds && player.playing) requestAnimationFrame(frame);
      else done();
    };
    requestAnimationFrame(frame);
  });
  player.pause();
  player.watchers.splice(player.watchers.indexOf(count), 1);
  return [frames, shown];
}
"""
NAMES = ("surface_descent", "loss_comparison", "stochastic_landscape", "conditioning", "race", "noisy_descent",
         "hyperparameter_map", "single_parameter")  # fmt: skip


def measure(page, opened: bool, seconds: float = 4.0) -> tuple[float, float, float]:
    """Frames a second, steps shown a second, and the longest wait in ms."""
    frames, shown = page.evaluate(PLAY, [opened, seconds])
    waits = [b - a for a, b in zip(frames, frames[1:], strict=False)]
    took = (frames[-1] - frames[0]) / 1000
    return len(waits) / took, shown / took, statistics.quantiles(waits, n=100)[98]


def main(names: list[str]) -> None:
    print(f"{'page':22} {'inspector':10} {'frames/s':>9} {'steps/s':>9} {'p99 ms':>8}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER)
        for name in names:
            kind = experiments()[name]
            path = Path(folder) / f"{name}.html"
            kind(**{n: v for n, v in STEPS.items() if n in kind.param}).save(path)
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(path.as_uri())
            page.wait_for_function("window.optviz?.player")
            page.wait_for_timeout(3000)
            for opened in (False, True):
                told = measure(page, opened)
                print(f"{name:22} {'open' if opened else 'closed':10} {told[0]:9.1f} {told[1]:9.1f} {told[2]:8.1f}")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:] or list(NAMES))
