"""What theory expects of one run on a surface, beside what the run did."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .theory import frozen_terms, hessian_at, is_frozen, max_lr, preconditioned, prediction, spectrum
from .trajectory import Trajectory


def outlook(rule: Any, objective: Any, run: Trajectory, lowest: float, clip: float = 0.0) -> dict[str, Any]:
    """Prediction and measurement for the first lane of a run.

    `rows`: for the start, three steps of the path, the end and each minimum the name, the point,
    the `spectrum` (of P^-1 H where the rule divides by running squares, as they are at that step,
    for a minimum at the end) and the largest stable lr (None where unknown). `sentence`: what to
    expect at `target`, the nearest minimum, else the end. `rate`: the factor a step in the long run
    there, None where unknown; `measured`: the factor over the last quarter of the run, NaN where
    the loss does not tell; `stable`: what is predicted; `limit`: the largest stable lr at the
    target. `clip`: at what gradients are cut, 0 for nothing; near a minimum they are small, so it
    moves no limit, but keeps an unstable run from growing.
    """
    x = run.x[:, 0]
    last = int(np.flatnonzero(np.isfinite(x).all(axis=1))[-1])
    minima = np.asarray(objective.minima, dtype=float).reshape(-1, 2)
    end = x[last]
    target = minima[int(np.argmin(np.hypot(*(minima - end).T)))] if len(minima) else end
    t = max(1, min(last, run.steps))
    terms = frozen_terms(rule, run, t) if is_frozen(rule) else None
    rows = [_step_row(k, last, rule, objective, run) for k in sorted({last * part // 4 for part in range(5)})]
    rows += [_row("minimum", point, rule, objective, terms, t) for point in minima]
    found = _expected(rule, objective, target, terms, t)
    if clip > 0 and found["stable"] is False:
        held = f"Gradients are cut at {clip:g}: its steps grow no further than that allows."
        found = {**found, "sentence": f"{found['sentence']} {held}"}
    return {
        **found,
        "clipped": clip > 0,
        "rows": rows,
        "target": target,
        "frozen": terms is not None,
        "measured": _measured(run.loss[:, 0] - lowest),
    }


def _expected(rule: Any, objective: Any, point: Any, terms: Any, t: int) -> dict[str, Any]:
    nothing = {"limit": None, "rate": None, "stable": None}
    if not np.isfinite(hessian_at(objective, point)).all():
        return {**nothing, "sentence": "The surface has no curvature there, so theory says nothing."}
    found = prediction(rule, objective, point, terms, t)
    return {name: found[name] for name in ("limit", "rate", "stable", "sentence")}


def _step_row(step: int, last: int, rule: Any, objective: Any, run: Trajectory) -> dict[str, Any]:
    """The row of where a run is after a step."""
    t = max(1, step)
    terms = frozen_terms(rule, run, t) if is_frozen(rule) else None
    name = "start" if step == 0 else "end" if step == last else f"step {step}"
    return _row(name, run.x[step, 0], rule, objective, terms, t)


def _row(name: str, point: Any, rule: Any, objective: Any, terms: Any, t: int) -> dict[str, Any]:
    row = {"name": name, "point": point, "values": [math.nan, math.nan], "condition": math.nan, "limit": None}
    if not np.isfinite(hessian_at(objective, point)).all():
        return row
    known = spectrum(objective, point) if terms is None else preconditioned(rule, objective, point, terms, t)
    most = max_lr(rule, known["values"][-1], terms, t)
    return {**row, "values": known["values"], "condition": known["condition"], "limit": most}


def _measured(above: np.ndarray) -> float:
    """The factor that a step takes off the distance, from how the loss fell over the last quarter."""
    shown = np.flatnonzero(np.isfinite(above) & (above > 0))
    if len(shown) < 2:
        return math.nan
    last = int(shown[-1])
    first = int(shown[np.searchsorted(shown, last - max(4, last // 4))]) if last > 4 else int(shown[0])
    if first == last:
        return math.nan
    return math.exp((math.log(above[last]) - math.log(above[first])) / (2 * (last - first)))


def verdict(found: dict[str, Any], run: Trajectory) -> str:
    """Whether a run did what was expected of it, in a sentence; empty where nothing was expected."""
    if found["stable"] is None:
        return ""
    # held by the clip, an unstable run circles around the minimum
    grew = run.diverged[0] > 0 or found["measured"] > (0.999 if found["clipped"] else 1)
    if not run.diverged[0] and np.isnan(found["measured"]):
        return ""
    so = "So it does" if grew != found["stable"] else "Not so in this run"
    if run.diverged[0]:
        return f"{so}: it diverged at step {run.diverged[0]}."
    return f"{so}: the last steps took the distance to {found['measured']:.4g} of itself each."
