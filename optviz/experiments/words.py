"""What theory expects and where starts go, as the HTML of a page."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..plurals import many
from ..readings.equations import hyperparameter_mathml
from ..theory.verdicts import place, shown, verdict


def outlook_text(found: dict[str, Any]) -> str:
    """What `outlook` found, in a sentence or two and a table."""
    rows = "".join(_row(row) for row in found["rows"])
    of = " of P⁻¹H" if found["frozen"] else ""
    named = (
        f"<th>curvatures{of}</th><th>ratio</th>" if len(found["rows"][0]["values"]) > 1 else f"<th>curvature{of}</th>"
    )
    head = f"<tr><td></td>{named}<th>lr below</th></tr>"
    said = f"Near {_name(found)} {place(found['target'])}: {found['sentence']} <b>{verdict(found)}</b>{_beyond(found)}"
    return f"<h2>What to expect</h2><p>{said}</p><table>{head}{rows}</table>"


def _name(found: dict[str, Any]) -> str:
    if found["end"]["minimum"] < 0:
        return "its end"
    return "the minimum" if found["lowest"] else "the local minimum"


def _beyond(found: dict[str, Any]) -> str:
    """Of a run beside a local minimum: where the lowest one is."""
    if found["beyond"] is None:
        return ""
    return f" The lowest minimum is {shown(found['away'])} away, at {place(found['beyond'])}."


def distance_text(found: dict[str, Any] | None, points: np.ndarray, point: np.ndarray) -> str:
    """How far a run's last point is from the nearest minimum, as an apposition; empty where there is none."""
    if not len(points):
        return ""
    away = np.min(np.hypot(points[:, 0] - point[0], points[:, 1] - point[1]))
    return f", {shown(float(away))} from a {'minimum' if found is None or found['lowest'] else 'local minimum'}"


def _row(row: dict[str, Any]) -> str:
    """Of the table of places: the curvatures there, their ratio, and the learning rate up to which it is stable."""
    known = ", ".join([shown(value, 4) for value in row["values"]]) if np.isfinite(row["values"][0]) else "none"
    ratio = shown(row["condition"], 4) if np.isfinite(row["condition"]) else "–"
    limit = "–" if row["limit"] is None else ("any" if np.isinf(row["limit"]) else shown(row["limit"], 4))
    both = f"<td>{known}</td><td>{ratio}</td>" if len(row["values"]) > 1 else f"<td>{known}</td>"
    return f"<tr><td>{row['name']} {place(row['point'])}</td>{both}<td>{limit}</td></tr>"


def widened(domain: Any, start: Any) -> str:
    """That a picture is wider than the surface's domain, where it is: a start outside makes it so."""
    outside = [not low <= float(at) <= high for (low, high), at in zip(domain, start, strict=True)]
    return " The picture is widened to hold the start." if any(outside) else ""


def basin_shares(found: dict[str, Any] | None) -> str:
    """How many of the starts of a map of basins end where, the most frequent minima first; empty without a map."""
    if found is None:
        return ""
    ends = found["minimum"].ravel()
    lost = int(np.count_nonzero(found["diverged"] > 0))
    counts = [int(np.count_nonzero(ends == k)) for k in range(len(found["points"]))]
    most = sorted(range(len(counts)), key=lambda k: -counts[k])[:6]
    each = [f"{_share(counts[k], ends.size)} reach {_aim(found, k)}" for k in most if counts[k] > 0]
    more = sum(counts) - sum(counts[k] for k in most)
    rest = ends.size - lost - sum(counts)
    each += [f"{_share(more, ends.size)} other minima"] if more else []
    each += [f"{_share(rest, ends.size)} (grey) none"] if rest else []
    each += [f"{_share(lost, ends.size)} (dark red) diverge"] if lost else []
    return f"<h2>Where the starts go</h2><p>Within {many(found['steps'], 'step')} {', '.join(each)}.</p>"


def _aim(found: dict[str, Any], k: int) -> str:
    wide = np.any(found["valleys"][:, 0] == k)
    return f"the valley through {place(found['points'][k])}" if wide else place(found["points"][k])


def _share(count: int, size: int) -> str:
    return f"{100 * count / size:.3g} %"


def listed(member: Any) -> str:
    """The symbols of a formula with their current values."""
    return ", &ensp;".join([f"{symbol} = {value}" for symbol, value in hyperparameter_mathml(member)])
