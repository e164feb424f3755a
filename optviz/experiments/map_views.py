"""The views that a hyperparameter map starts from."""

from __future__ import annotations

from typing import Any

from ..menus import label_of

OWN = "your own"
ENDS = ("across_from", "across_to", "up_from", "up_to")  # places: exact, as links have them
FIELDS = ("across_low", "across_high", "up_low", "up_high")  # the values there, rounded for a field
SIDES = ("across", "up")
LOGS = ("across_log", "up_log")
RARE = (*LOGS, *FIELDS, "tolerance", "clip", "start_x", "start_y", "flow")  # which a visitor asks for
REST = ("steps", "zoom_in", "zoom_out", "whole", "fit_axes", *RARE)
VIEWS: dict[str, dict[str, Any]] = {
    "Learning rate and momentum": {
        "about": "Momentum widens the range of rates that converge: up to 2 (1 + momentum) / curvature.",
        "optimizer_name": "SGD", "objective_name": "Quadratic 0.1 x² + 2 y²", "across": "lr", "up": "momentum",
        "steps": 50, "window": (-2.0, 0.5, 0.0, 0.995),
    },
    "Learning rate and start": {
        "about": "Four minima: which one a run finds hangs on its rate as much as on where it begins.",
        "optimizer_name": "SGD", "objective_name": "Himmelblau", "across": "lr", "up": "start x", "steps": 60,
        "window": (-3.0, -1.0, -5.0, 5.0),
    },
    "Both decay rates of Adam": {
        "about": "How long Adam remembers gradients, and their squares, along a curved valley.",
        "optimizer_name": "Adam", "objective_name": "Rosenbrock", "across": "beta1", "up": "beta2", "steps": 100,
        "window": (0.0, 0.995, 0.0, 0.999),
    },
    "Learning rate and condition": {
        "about": "The steeper one direction, the lower the highest rate that works, and the slower the other.",
        "optimizer_name": "SGD", "objective_name": "Rotated quadratic", "across": "lr", "up": "condition", "steps": 100,
        "window": (-4.0, 0.5, 0.0, 3.0),
    },
    "Learning rate and clipping": {
        "about": "Clipped gradients let rates work that would diverge without.",
        "optimizer_name": "SGD", "objective_name": "Himmelblau", "across": "lr", "up": "clip", "steps": 100,
        "window": (-3.0, 0.5, -1.0, 2.0), "clip": 10.0,
    },
    "Fractal boundary of a tanh net": {
        "about": "Zoom in on where training turns to diverge: the border is as rough from near as from afar.",
        "optimizer_name": "SGD", "objective_name": "Two-layer tanh net", "across": "lr", "up": "start y", "steps": 100,
        "window": (-0.1, 0.2, -3.5, 3.5),
    },
}  # fmt: skip
ABOUT = {name: view.pop("about") for name, view in VIEWS.items()}  # in a sentence, what each shows


def belongs(scene: str, optimizer: Any, objective: Any, pair: tuple[str, str]) -> bool:
    """Whether rule, surface and axes are still those of a view."""
    view = VIEWS[scene]
    names = (label_of(optimizer), label_of(objective), *pair)
    return names == (view["optimizer_name"], view["objective_name"], view["across"], view["up"])
