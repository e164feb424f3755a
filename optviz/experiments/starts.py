"""Where runs begin: typed, clicked or dragged, or brought along by a surface."""

from __future__ import annotations

from typing import Any

Point = tuple[float, float]


def first_start(params: dict[str, Any], usual: Any) -> Point:
    """The start that an experiment is made with: as a whole, or by its coordinates, else the usual one."""
    return params.get("start", (params.get("start_x", float(usual[0])), params.get("start_y", float(usual[1]))))


def start_held(objective: Any, start: Any) -> Point:
    """A start as an objective takes it: the idle coordinate of a curve is 0."""
    return (start[0], 0.0) if objective.is_curve else start


def followed(experiment: Any, changed: set[str], brought: Any = None) -> dict[str, Any]:
    """The start after a change, and its coordinates: what was set itself wins over what a surface brings."""
    start = experiment.start
    if "start" not in changed:
        if changed & {"start_x", "start_y"}:
            start = (experiment.start_x, experiment.start_y)
        elif brought is not None:
            start = (float(brought[0]), float(brought[1]))
    return {"start": start, "start_x": float(start[0]), "start_y": float(start[1])}
