"""What theory expects and where starts go, as the HTML of a page."""

from __future__ import annotations

from typing import Any

import numpy as np

from .outlook import verdict
from .plurals import many
from .trajectory import Trajectory


def outlook_text(found: dict[str, Any], settled: bool, run: Trajectory) -> str:
    """What `outlook` found, in a sentence and a table; `settled` says that the target is a minimum."""
    rows = "".join(_row(row) for row in found["rows"])
    at = "the minimum" if settled else "its end"
    of = " of P⁻¹H" if found["frozen"] else ""
    head = f"<tr><th></th><th>curvatures{of}</th><th>ratio</th><th>lr below</th></tr>"
    said = f"Near {at} {_point(found['target'])}: {found['sentence']} <b>{verdict(found, run)}</b>"
    return f"<h3>What to expect</h3><p>{said}</p><table>{head}{rows}</table>"


def _row(row: dict[str, Any]) -> str:
    """Of the table of places: the curvatures there, their ratio, and the learning rate up to which it is stable."""
    low, high = row["values"]
    known = f"{low:.4g}, {high:.4g}" if np.isfinite(low) else "none"
    ratio = f"{row['condition']:.4g}" if np.isfinite(row["condition"]) else "–"
    limit = "–" if row["limit"] is None else ("any" if np.isinf(row["limit"]) else f"{row['limit']:.4g}")
    return f"<tr><td>{row['name']} {_point(row['point'])}</td><td>{known}</td><td>{ratio}</td><td>{limit}</td></tr>"


def basin_shares(found: dict[str, Any] | None) -> str:
    """How many of the starts of a map of basins end where, the most frequent minima first; empty without a map."""
    if found is None:
        return ""
    ends = found["minimum"].ravel()
    lost = int(np.count_nonzero(found["diverged"] > 0))
    counts = [int(np.count_nonzero(ends == k)) for k in range(len(found["points"]))]
    most = sorted(range(len(counts)), key=lambda k: -counts[k])[:6]
    each = [f"{_share(counts[k], ends.size)} reach {_point(found['points'][k])}" for k in most if counts[k] > 0]
    more = sum(counts) - sum(counts[k] for k in most)
    rest = ends.size - lost - sum(counts)
    each += [f"{_share(more, ends.size)} other minima"] if more else []
    each += [f"{_share(rest, ends.size)} (grey) none"] if rest else []
    each += [f"{_share(lost, ends.size)} (dark red) diverge"] if lost else []
    return f"<h3>Where the starts go</h3><p>Within {many(found['steps'], 'step')} {', '.join(each)}.</p>"


def _share(count: int, size: int) -> str:
    return f"{100 * count / size:.3g} %"


def _point(point: np.ndarray) -> str:
    return f"({point[0]:.3g}, {point[1]:.3g})"
