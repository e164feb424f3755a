"""What a small window shows of a served page at once, before anybody scrolls."""

from __future__ import annotations

import re

LAPTOP = {"width": 1280, "height": 720}
# what a first screen shows beside the first picture, axes and all, the sentence and the menus: knobs of the question
KNOBS = {
    "conditioning": ["Condition number", "Angle", "Learning rate", "Momentum"],
    "edge_of_stability": ["Learning rate", "Momentum", "Steps"],
    "hyperparameter_map": ["Learning rate", "Momentum", "Steps"],
    "loss_comparison": ["Learning rate", "Momentum", "Epochs", "Step to dissect"],
    "matrix_descent": ["Large singular value", "Small singular value", "Size of the start"],
    "noisy_descent": ["Condition number", "Learning rate", "Noise", "Runs", "Steps"],
    "race": ["Steepness", "Trials each", "Steps"],
    "single_parameter": ["Learning rate", "Decay", "Momentum", "Clip", "Epoch"],
    "stochastic_landscape": ["Learning rate", "Batch size"],
    "surface_descent": ["Learning rate", "Momentum", "Steps"],
}
BOXES = """() => {
  const found = [], look = (view) => {
    if (view.frame && !found.length) found.push(view.el.getBoundingClientRect());
    (view.child_views ?? []).forEach(look);
  };
  [...Bokeh.index].forEach(look);
  const walk = (root) => root.querySelectorAll("*").forEach((e) => {
    const counts = e.matches(".status, select") && !e.closest(".player") && e.checkVisibility();
    if (counts) found.push(e.getBoundingClientRect());
    if (e.shadowRoot) walk(e.shadowRoot);
  });
  walk(document);
  return found.map(({ top, bottom, left, right }) => [top, bottom, left, right].map(Math.round));
}"""


def assert_a_small_window_shows_it_at_once(page, app: str) -> None:
    """The picture, its sentence and the knobs of its question, in a window of 1280 x 720."""
    boxes = page.evaluate(BOXES)
    for label in KNOBS.get(app, ()):
        title = page.locator(".bk-slider-title:visible", has_text=re.compile(rf"^{label}:")).first
        box = title.locator("..").bounding_box()
        boxes.append([box["y"], box["y"] + box["height"], box["x"], box["x"] + box["width"]])
    bar = page.locator(".player:visible")  # what plays the page stands below
    bottom = bar.bounding_box()["y"] if bar.count() else 720
    out = [box for box in boxes if not (0 <= box[0] < box[1] <= bottom and 0 <= box[2] < box[3] <= 1280)]
    assert out == []
