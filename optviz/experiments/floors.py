"""What theory expects of runs under gradient noise around a minimum, as arrays, ellipses and words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..objectives.minima import lowest_loss
from ..pictures.scene import Landscape, axes_of
from ..readings.linear import coefficients, is_frozen, linear_of, never_settles, steady_terms
from ..rules.rule import Rule
from ..runs.trajectory import Trajectory
from ..theory.noise import LATE, excess_loss, stationary_covariance, stationary_variance
from ..theory.stability import eigen, frozen_terms, hessian_at, preconditioner, prediction, rate, spectrum

BEYOND = "beyond float64"
ROUNDING = 1e-6  # of the widest deviation: what is narrower cannot be told from a covariance in float64
TURN = np.linspace(0, 2 * math.pi, 73)
EMPTY = {"x": np.empty(0), "y": np.empty(0)}


def expected(rule: Rule, objective: Any, target: Any, noise: float) -> dict[str, Any]:
    """What is left of the noise around a minimum, on the bowl that touches the surface there.

    `predicted` (2, 2): the covariance of x; `predicted_floor`: the mean loss above the minimum's; `rate` and
    `limit` as in `theory`, for linear rules; None where nothing is known. `unstable`: lr is at the limit or above,
    `frozen`: it holds only about, `sentence`: what `stability.prediction` says, or why no floor follows.
    """
    known = spectrum(objective, target)
    if not np.isfinite(known["values"]).all():
        return unknown("The surface has no curvature at its minimum, so theory says nothing.")
    read = linear_of(rule)
    said = prediction(read, objective, target)
    frozen = is_frozen(read)
    floor = excess_loss(read, known["values"], noise)
    homeless = frozen and (floor is None or math.isnan(floor))
    most = said["limit"]
    return {
        "target": target, "frozen": frozen, "sentence": _no_floor(rule) if homeless else said["sentence"],
        "predicted": covariance(read, objective, target, noise) if floor is None or math.isfinite(floor) else None,
        "predicted_floor": floor,
        "rate": None if frozen or floor is None else rate(read, known["values"]),
        "limit": most, "unstable": most is not None and not said["least"] < coefficients(read)["lr"] < most,
    }  # fmt: skip


def _no_floor(rule: Rule) -> str:
    """Why no floor follows for a rule that divides by running squares."""
    known = "never settles" if never_settles(rule) else "does not follow from the noise's size"
    return f"What {type(rule).__name__} divides by {known}: theory has no floor for it."


def unknown(sentence: str) -> dict[str, Any]:
    """The same where theory says nothing, and why."""
    return {"target": (0.0, 0.0), "frozen": False, "sentence": sentence, "predicted": None, "predicted_floor": None,
            "rate": None, "limit": None, "unstable": False}  # fmt: skip


def covariance(rule: Any, objective: Any, target: Any, noise: float) -> Any:
    """The covariance of x that theory expects; None where it has none.

    A rule with a step for each coordinate has one where the bowl is upright: its coordinates are apart then.
    """
    hessian = hessian_at(objective, target)
    if not is_frozen(rule):
        return stationary_covariance(rule, hessian, noise)
    if hessian[0][1] != 0:
        return None
    first, second = (stationary_variance(rule, float(hessian[k][k]), noise) for k in (0, 1))
    if first is None or second is None:
        return None
    return np.array([[first, 0.0], [0.0, second]])


def weight(rule: Rule, run: Trajectory, t: int, noise: float) -> float:
    """What the first run's gradients are divided by at step t over what noise alone makes of that; 1 where nothing."""
    read = linear_of(rule)
    settled = steady_terms(read, noise * noise) if is_frozen(read) and noise > 0 else None
    if settled is None:
        return 1.0
    now = [preconditioner(read, terms, t) for terms in frozen_terms(read, run, t)]
    return max(now) / preconditioner(read, settled, LATE)


def drawable(matrix: Any) -> bool:
    """Whether a covariance is known and finite, and its axes are."""
    return matrix is not None and bool(np.isfinite(matrix).all()) and math.isfinite(eigen(matrix)["values"][1])


def ellipses(centre: Any, matrix: Any) -> dict[str, np.ndarray]:
    """One and two standard deviations around a centre, with a gap between; nothing where they are unknown."""
    if not drawable(matrix):
        return EMPTY
    known = eigen(matrix)
    x, y = np.zeros(0), np.zeros(0)
    for size in (1, 2):
        narrow = 0.0 if is_line(matrix) else math.sqrt(max(known["values"][0], 0.0))
        wide, high = size * narrow, size * math.sqrt(max(known["values"][1], 0.0))
        (a, b), (c, d) = known["vectors"]
        gap = [math.nan] if size == 1 else []
        x = np.concatenate([x, centre[0] + wide * a * np.cos(TURN) + high * c * np.sin(TURN), gap])
        y = np.concatenate([y, centre[1] + wide * b * np.cos(TURN) + high * d * np.sin(TURN), gap])
    return {"x": x, "y": y}


def deviation(matrix: Any, k: int, endless: str = "grows") -> str:
    """The standard deviation along an axis of a covariance in words, the k-th narrowest; `endless` if not finite."""
    if matrix is None:
        return "unknown"
    return _along(matrix, k, ".4g") if drawable(matrix) else endless


def deviations(matrix: Any) -> str:
    """The standard deviations along both axes of a covariance."""
    return f"{_along(matrix, 1, '.3g')} × {_along(matrix, 0, '.3g')}" if drawable(matrix) else BEYOND


def scatter(away: np.ndarray) -> np.ndarray:
    """The covariance (2, 2) of points (n, 2) around their mean."""
    with np.errstate(all="ignore"):  # the squares of what float64 holds may be beyond it
        scaled = away / math.sqrt(len(away))
        return scaled.T @ scaled


def is_line(matrix: Any) -> bool:
    """Whether a covariance is that of points on a slanted line, but for rounding: it has no narrowest deviation."""
    a, b, d = math.sqrt(matrix[0][0]), float(matrix[0][1]), math.sqrt(matrix[1][1])
    return a > 0 and d > 0 and 1 - (b / a / d) ** 2 < ROUNDING**2


def _along(matrix: Any, k: int, form: str) -> str:
    if k == 0 and is_line(matrix):
        a, d = math.sqrt(matrix[0][0]), math.sqrt(matrix[1][1])
        return f"under {ROUNDING * a * (d / math.hypot(a, d)):.1g}"
    return f"{math.sqrt(max(eigen(matrix)['values'][k], 0.0)):{form}}"


def number(value: Any, endless: str = "grows") -> str:
    """A number in words; `endless` if it is infinite."""
    if value is None or math.isnan(value):
        return "unknown"
    return f"{value:.4g}" if math.isfinite(value) else endless


def mean(values: np.ndarray) -> np.ndarray:
    """The mean of the rows, finite where they are: their sum may not be."""
    return (values / len(values)).sum(axis=0)


def landscape(objective: Any, box: Any) -> tuple[Landscape, float]:
    """The surface's picture, and its lowest loss."""
    values = objective.value(*np.meshgrid(*axes_of(box)))
    known = lowest_loss(objective)
    lowest = float(np.nanmin(values)) if known is None else known
    return Landscape(values, box, lowest, of=" of the picture" if known is None else ""), lowest


def middle_of(ranked: np.ndarray) -> np.ndarray:
    """The median of each row of sorted numbers (rows, runs); NaN where it is one of a run that diverged."""
    last = ranked.shape[1] - 1
    return ranked[:, last // 2] / 2 + ranked[:, last - last // 2] / 2


def fallen(loss: np.ndarray, lost: np.ndarray) -> int:
    """How many of the runs (steps + 1, runs) that are lost were lower than at the start as long as they were finite."""
    lanes = [loss[:, int(k)] for k in np.flatnonzero(lost)]
    return len([lane for lane in lanes if lane[np.isfinite(lane)][-1] < lane[0]])


def forgetting(found: dict[str, Any]) -> str:
    """Whether the start still shows in the last quarter."""
    if found["heavier"] > 1.2:
        return (f"Its running squares still remember the start: it divides by {found['heavier']:.1f} times "
                "what noise alone makes of them.")  # fmt: skip
    pace, floor = found["rate"], found["predicted_floor"]
    if pace is None or not 0 < pace < 1 or floor <= 0 or found["above"] <= 0.05 * floor:
        return ""
    forgotten = (math.log(0.05) + math.log(floor) - math.log(found["above"])) / (2 * math.log(pace))
    if forgotten <= found["late"]:
        return ""
    return f"The start still shows: theory forgets it after about {forgotten:.0f} steps."
