"""Make the pictures of the README and of the index anew, from exported pages.

python docs/pictures.py [NAME ...]

Needs Chromium and the test extra (Playwright); Pillow comes with Bokeh.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

from optviz.catalogue import experiments

ROOT = Path(__file__).resolve().parent.parent
SIZE = (640, 400)
BROWSER = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
# what each card shows: the state that a page's address says, the figures, the window's size;
# one figure fills its card, several stand on white
CARDS = {
    "surface_descent": ({"objective": "himmelblau", "optimizer": "adam", "lr": 0.3}, ["surface"], (1400, 900)),
    "single_parameter": ({"epoch": 12}, ["steps", "epochs"], (1100, 900)),
    "loss_comparison": ({"preset": "momentum-0.9"},
                        ["mse", "l1", "huber", "smooth_l1", "loss", "data", "vectors"], (1400, 900)),
    "logistic_regression": ({}, ["data", "logistic", "hinge", "loss"], (1400, 900)),
    "stochastic_landscape": ({"sample": 14}, ["sample", "risk", "losses"], (1300, 900)),
    "conditioning": ({"condition": 30}, ["surface", "angles"], (1500, 900)),
    "matrix_descent": ({}, ["modes", "loss", "updates"], (1400, 900)),
    "hyperparameter_map": ({"scene": "fractal-boundary-of-a-tanh-net"}, ["map"], (1400, 900)),
    "edge_of_stability": ({}, ["sharpness", "loss", "map"], (1400, 900)),
    "race": ({}, ["surface"], (1400, 900)),
    "benchmark": ({"nesterov": True, "lion": True}, ["ranks"], (1400, 900)),
    "noisy_descent": ({}, ["surface", "loss"], (1500, 900)),
}  # fmt: skip
README = ({"objective": "himmelblau", "optimizer": "adam", "lr": 0.3, "basins": "the-minimum-reached"}, (1400, 900))

BOX = """
(names) => {
  const boxes = [];
  const look = (view) => {
    if (view.frame && names.includes(view.model.name)) boxes.push(box(view));
    (view.child_views ?? []).forEach(look);
  };
  const box = (view) => {
    const whole = view.el.getBoundingClientRect();
    if (names.length > 1) return whole;
    const { left, top, right, bottom } = view.frame.bbox;
    return { left: whole.left + left, top: whole.top + top, right: whole.left + right, bottom: whole.top + bottom };
  };
  [...Bokeh.index].forEach(look);
  if (boxes.length < names.length) return null;
  const [left, top] = ["left", "top"].map((k) => Math.min(...boxes.map((b) => b[k])));
  const [right, bottom] = ["right", "bottom"].map((k) => Math.max(...boxes.map((b) => b[k])));
  return { x: left + scrollX, y: top + scrollY, width: right - left, height: bottom - top };
}
"""


def opened(browser, path: Path, state: dict, size: tuple[int, int]):
    """The exported page in this state, drawn."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, device_scale_factor=2)
    page.goto(f"{path.as_uri()}#{urlencode(state)}")
    page.wait_for_function("window.optviz")
    page.wait_for_function("!optviz.experiment.rough()", timeout=60_000)  # as fine as it gets
    page.wait_for_timeout(2000)
    said = page.locator("#refused p").all_inner_texts()
    if said:
        raise SystemExit(f"{path.stem}: {said}")
    return page


def card(page, names: list[str]) -> Image.Image:
    """These figures in the cards' shape."""
    page.evaluate("optviz.page.model(optviz.page.spec.status).visible = false")
    page.wait_for_timeout(500)
    box = page.evaluate(BOX, names)
    if box is None:
        raise SystemExit(f"no figures {names} on the page")
    shot = Image.open(io.BytesIO(page.screenshot(clip=box, full_page=True))).convert("RGB")
    if len(names) == 1:
        return ImageOps.fit(shot, SIZE, Image.Resampling.LANCZOS)
    shot.thumbnail((SIZE[0] - 16, SIZE[1] - 16), Image.Resampling.LANCZOS)
    made = Image.new("RGB", SIZE, "white")
    made.paste(shot, ((SIZE[0] - shot.width) // 2, (SIZE[1] - shot.height) // 2))
    return made


def main(names: list[str]) -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("pictures.py needs Chromium: apt-get install chromium")
    folder = Path(tempfile.mkdtemp())
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=BROWSER)
        for name in names:
            state, figures, size = CARDS[name]
            experiments()[name]().save(folder / f"{name}.html")
            made = card(opened(browser, folder / f"{name}.html", state, size), figures)
            made.save(ROOT / "optviz" / "assets" / f"{name}.webp", quality=88, method=6)
        if "surface_descent" in names:
            state, size = README
            page = opened(browser, folder / "surface_descent.html", state, size)
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize(size, Image.Resampling.LANCZOS)
            shot.save(ROOT / "docs" / "surface_descent.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:] or list(CARDS))
