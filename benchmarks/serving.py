"""What the benchmarks of pages share: a server in a process of its own, Chromium, and hands on a page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
           "--disable-background-networking", "--disable-component-update", "--disable-renderer-backgrounding",
           "--disable-backgrounding-occluded-windows", "--disable-background-timer-throttling"]  # fmt: skip

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
  return views.length;
}
"""

# The slider on view with this title, and the value at a share of its track.
SLIDER = """
() => {
  window.__slider = (title) => {
    const find = (view) => {
      const { model } = view;
      if (model?.title === title && model.start !== undefined && view.el.checkVisibility()) return model;
      for (const child of view.child_views ?? []) { const found = find(child); if (found) return found }
      return null;
    };
    for (const root of Bokeh.index) { const found = find(root); if (found) return found }
    return null;
  };
  // where a share of the way along a slider's track its handle stands
  window.__stop = ({ start, end, step }, share) => start + Math.round(share * (end - start) / step) * step;
}
"""


def chromium() -> str:
    """Where a Chromium or Chrome is on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise SystemExit("this benchmark needs Chromium: apt-get install chromium")
    return path


def apps(*names: str) -> list[Path]:
    """The app scripts of these names, or all."""
    return [ROOT / "apps" / f"{name}.py" for name in names] or sorted((ROOT / "apps").glob("*.py"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(files: list[Path], *flags: str, log: str | os.PathLike = os.devnull, wait: bool = True):
    """`panel serve` of these files; yields the base address and the process.

    It has answered once, unless not to `wait` for that: then it listens.
    """
    port = free_port()
    command = [sys.executable, "-m", "panel", "serve", *map(str, files), "--port", str(port), *flags]
    with open(log, "w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
                                   env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/{files[0].stem}" if wait else f"{base}/favicon.ico")
        yield base, process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:  # in the middle of something long
            process.kill()
            process.wait()


def wait_for(url: str, limit: float = 180) -> None:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url).read()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{url} did not answer")


def memory(process: subprocess.Popen) -> float:
    """Resident memory of the server, MiB."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def cpu_seconds(process: subprocess.Popen) -> float:
    """What the server has computed so far, in seconds of one core."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load_words() -> str:
    """How busy the machine is, to be said beside what was timed."""
    return "machine's load " + " / ".join(f"{each:.1f}" for each in os.getloadavg()) + f" on {os.cpu_count()} cores"
