"""Sharpness against its limit, and the central flow through the zigzag of a run on a surface."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..menus import label_of
from ..pictures.layers import BLUE, ORANGE, TEAL, Drawing, Figure, cased, curve, off_scale_marks
from ..pictures.playheads import at_step, moment
from ..pictures.scene import EMPTY, loggable, nice, off_scale
from ..plurals import many
from ..readings.linear import is_frozen
from ..theory.central_flow import edge_of, is_plain, sharpness_of, surface_flow

FLOW, BAND, MEAN = "central flow", "its swings, ± σ", "mean loss of the central flow"
TALL = 1.6  # limits high


def band_layers() -> dict[str, Any]:
    """The layers that the picture of a surface has for the flow."""
    return {"band": curve(TEAL, BAND, line_width=2, line_dash="dashed", hooks=[cased]),
            "flow": curve(TEAL, FLOW, line_width=3.5, hooks=[cased])}  # fmt: skip


def mean_layer() -> Any:
    """The layer of the loss's picture."""
    return curve(TEAL, MEAN, line_width=2.4)


def sharpness_figure() -> Figure:
    """The picture of lr times the largest curvature."""
    return Figure("sharpness", {
        "limit": curve(ORANGE, "limit", line_dash="dashed"), "sharpness": curve(BLUE, "this run", line_width=1.6),
        "flow": curve(TEAL, FLOW, line_width=2.4), **off_scale_marks(), **moment(),
    }, xlabel="step", height=200, bare_x=True, legend="top_right")  # fmt: skip


def flow_of(experiment: Any, run: Any) -> dict[str, Any]:
    """The sharpness of a run's first lane, its limit, and the central flow where there is one."""
    rule, objective = experiment.optimizer, experiment.objective
    known = is_plain(rule) and not experiment.clip > 0 and not objective.is_curve and experiment.rate_schedule() is None
    flow = surface_flow(objective, float(run.rates[0, 0]), run.x[0, 0], run.steps) if known else None
    edge = edge_of(rule) if experiment.cycled() == "" else math.nan  # it moves with the momentum
    return {"edge": edge, "sharpness": sharpness_of(rule, objective, run), "flow": flow}


def _flow(experiment: Any) -> Any:
    found = experiment.results["flow"]
    return None if found is None or found["flow"] is None or len(found["flow"]["loss"]) < 2 else found["flow"]


def flow_keys(experiment: Any) -> dict[str, str]:
    """What a key says of the layers of the flow: nothing of those that are not there."""
    return {} if _flow(experiment) is not None else {FLOW: "", BAND: "", MEAN: ""}


def band_columns(experiment: Any) -> dict[str, Any]:
    """The flow on the surface, and one standard deviation of its swings to each side."""
    flow = _flow(experiment)
    if flow is None:
        return {"band": EMPTY, "flow": EMPTY}
    away = flow["along"] * np.sqrt(flow["variance"])[:, None]
    away = np.where(flow["variance"][:, None] > 0, away, np.nan)
    sides = np.concatenate([flow["x"] + away, (flow["x"] - away)[::-1]])  # one line, closed where the flow stands still
    return {"band": {"x": sides[:, 0], "y": sides[:, 1]}, "flow": {"x": flow["x"][:, 0], "y": flow["x"][:, 1]}}


def mean_columns(experiment: Any) -> dict[str, Any]:
    """The mean loss that the flow predicts, above the lowest."""
    flow = _flow(experiment)
    if flow is None:
        return EMPTY
    return {"x": np.arange(len(flow["loss"])), "y": loggable(flow["loss"] - experiment.results["floor"])}


def drawn_sharpness(experiment: Any) -> Drawing:
    """lr times the largest curvature, step by step."""
    found, steps = experiment.results["flow"], experiment.trajectory.steps
    span = (0.0, float(steps))
    if found is None:
        nothing = {"limit": EMPTY, "sharpness": EMPTY, "flow": EMPTY, "above": EMPTY, "below": EMPTY}
        return Drawing(nothing, span, (0.0, 1.0), "Sharpness", flow_keys(experiment), shown=False)
    edge, flow = found["edge"], _flow(experiment)
    ylim = _frame(found["sharpness"], edge)
    rate = float(experiment.trajectory.rates[0, 0])
    layers = {
        "limit": {"x": np.array(span), "y": np.array([edge, edge])},
        "sharpness": {"x": np.arange(steps + 1), "y": found["sharpness"]},
        "flow": EMPTY if flow is None else {"x": np.arange(len(flow["loss"])), "y": rate * flow["sharpness"]},
        **off_scale(found["sharpness"][:, None], ylim),
    }  # fmt: skip
    of = " of P⁻¹H" if is_frozen(experiment.optimizer) else ""
    keys = {**flow_keys(experiment), "limit": f"limit {edge:.4g}" if math.isfinite(edge) else ""}
    return Drawing(layers, span, ylim, f"lr times the largest curvature{of}", keys)


def _frame(values: np.ndarray, edge: float) -> tuple[float, float]:
    """From 0 to well above the limit; close around it where the run keeps to it."""
    if not (math.isfinite(edge) and edge > 0):
        return 0.0, 3.2
    known = values[np.isfinite(values)]
    away = float(np.max(np.abs(known - edge))) if len(known) > 0 else edge
    reach = nice(1.1 * max(away, 1e-3 * edge))
    return (edge - reach, edge + reach) if reach <= 0.2 * edge else (0.0, TALL * edge)


def sharpness_head(experiment: Any, step: int) -> dict[str, Any]:
    """Where a step stands on it."""
    found = experiment.results["flow"]
    values = [math.nan] if found is None else [float(found["sharpness"][step])]
    return at_step(step, values, experiment.drawings["sharpness"].ylim, [BLUE])


def flow_text(experiment: Any) -> str:
    """What is claimed of the flow, and where nothing is."""
    found = experiment.results["flow"]
    return "" if found is None else f"<h2>At the edge of stability</h2><p>{_said(experiment, found)}</p>"


def _said(experiment: Any, found: Any) -> str:
    flow = found["flow"]
    if flow is None:
        if experiment.rate_schedule() is not None:
            return "The central flow is known of a constant learning rate: the sharpness is shown alone."
        who = label_of(experiment.optimizer)
        return f"The central flow is known of plain gradient descent; of {who} the sharpness is shown alone."
    rows = len(flow["loss"])
    if flow["why"] == "above":
        return "It begins above the limit: of such a run the central flow says nothing."
    ends = {"two": f"Two curvatures are at the edge from step {rows} on: there nothing is claimed.",
            "left": f"It has left the picture after {many(rows, 'step')}.", "": ""}  # fmt: skip
    if rows == 0 or not flow["variance"][-1] > 0:
        return f"The flow is not at the edge: the run follows it without swings. {ends[flow['why']]}"
    swing = math.sqrt(float(flow["variance"][-1]))
    return ("The run swings about the central flow (arXiv 2410.24206), held where lr times the curvature is 2 "
            f"by swings of standard deviation {swing:.3g}; its mean loss is L + curvature · variance / 2. "
            f"{ends[flow['why']]}")  # fmt: skip
