"""What gradient noise leaves: the spread of updates, the variance around a minimum, the loss floor.

For a linear rule these solve the discrete Lyapunov equation of its map. Where squares of gradients
are frozen (`stability.is_frozen`: Adam and its kin) they are put at their mean under the noise: the
result is approximate, as in "about lr^2 (1 - beta1) / (1 + beta1)" for the variance of Adam's updates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..readings.linear import at_rates, coefficients, linear_of, never_settles, steady_terms
from .edges import crossing, spectral_radius
from .stability import eigen, matrix_of, preconditioner, pull_of

LATE = 1_000_000_000  # a step at which every bias correction is over


def update_spread(rule: Any, s: float, *, clip: float | None = None, rates: Sequence[float] | None = None) -> Any:
    """The standard deviation of a rule's steps under independent normal gradients of deviation s.

    Gradients beyond +-`clip` are cut. With `rates`, one for each of them, as for the epochs of a
    falling learning rate. Exact for linear rules once settled, approximate with frozen squares; NaN
    where the steps never settle (Adagrad), None where nothing is known.
    """
    rule = linear_of(rule)
    if not _knows(rule):
        return None
    felt = s if clip is None else clipped_deviation(s, clip)
    if rates is None:
        return _spread(rule, felt, None)
    return np.array([_spread(rule, felt, float(lr)) for lr in rates])


def _knows(rule: Any) -> bool:
    """Whether it is known what noise makes of a rule's steps, be it that they never settle."""
    form = coefficients(rule)
    return form is not None and (not form["frozen"] or never_settles(rule) or steady_terms(rule, 1.0) is not None)


def _spread(rule: Any, s: float, lr: float | None) -> float:
    form = at_rates(rule)(lr)
    scale = _divisor(rule, form, s * s)
    (now, _, *out), *carried = form["rows"]
    if not carried:
        return abs(now) * s / scale
    keep = np.array([row[2:] for row in carried])
    take = np.array([[row[0]] for row in carried])
    held = lyapunov(keep, take)
    weights = np.array([out])
    variance = float((weights @ held @ weights.T)[0, 0]) + now * now
    return math.sqrt(variance) * s / scale


def _divisor(rule: Any, form: Any, power: float) -> float:
    """What gradients of this mean square end up divided by; NaN where that never settles."""
    if not form["frozen"]:
        return 1.0
    terms = steady_terms(rule, power)
    return math.nan if terms is None else preconditioner(rule, terms, LATE)


def lyapunov(matrix: np.ndarray, take: np.ndarray) -> np.ndarray:
    """S with S = A S A' + b b', for A (n, n) and b (n, 1): what noise b leaves; infinite where A is unstable.

    As scipy's solve_discrete_lyapunov has it, without the five times as long that this takes to begin.
    """
    endless, size = np.full(matrix.shape, math.inf), matrix.size
    if not spectral_radius(matrix) < 1:
        return endless
    if size == 1:
        return take * take / (1 - matrix * matrix)
    both = np.multiply.outer(matrix, matrix).swapaxes(1, 2).reshape(size, size)  # np.kron takes longer than the rest
    try:
        held = np.linalg.solve(np.eye(size) - both, (take @ take.T).ravel()).reshape(matrix.shape)
    except np.linalg.LinAlgError:  # a radius of 1 but for rounding
        return endless
    return held if (held.diagonal() >= 0).all() else endless


def stationary_variance(rule: Any, curvature: float, s: float) -> Any:
    """The variance of x around the minimum of curvature/2 x^2 under gradient noise of deviation s.

    Infinite where the rule is unstable; approximate with frozen squares, NaN where these never settle; None where
    nothing is known.
    """
    rule = linear_of(rule)
    if not _knows(rule):
        return None
    form = coefficients(rule)
    if form["frozen"] and never_settles(rule):
        return math.nan
    return _balanced(rule, form, curvature, s) if form["frozen"] else _settled(form, curvature, s)


def _balanced(rule: Any, form: Any, curvature: float, s: float) -> float:
    """The variance that makes the squares under which it stays: the larger x, the larger they, the smaller the steps.

    What is unstable at the squares of noise alone grows only until its own squares hold it.
    """
    steepness = curvature + pull_of(form)
    if not math.isfinite(steepness):
        return math.nan
    if not form["lr"] > 0:
        return math.inf

    def lacking(variance: float) -> float:
        scale = _divisor(rule, form, s * s + steepness * steepness * variance)
        left = _settled(form, steepness / scale, s / scale) if scale > 0 else math.inf
        return (variance - left) / (variance + left) if math.isfinite(left) else -1.0

    low = max(form["lr"] * form["lr"], 1e-290)
    below = lacking(low)
    while not below < 0:
        if low < 1e-300:
            return 0.0
        low = low / 16
        below = lacking(low)
    high = 16 * low
    above = lacking(high)
    while above < 0 and math.isfinite(high):
        low, below, high = high, above, 16 * high
        above = lacking(high)
    return crossing(lacking, low, below, high, above) if math.isfinite(high) else math.inf


def _settled(form: Any, curvature: float, s: float) -> float:
    if not math.isfinite(curvature):
        return math.nan
    take = np.array([[row[0]] for row in form["rows"]])
    held = float(lyapunov(np.array(matrix_of(form, curvature)), take)[0, 0])
    return held * s * s if math.isfinite(held) else held


def excess_loss(rule: Any, eigenvalues: Sequence[float], s: float) -> Any:
    """The mean loss above the minimum of a quadratic under gradient noise of deviation s in every direction."""
    rule = linear_of(rule)
    if not _knows(rule):
        return None
    return sum(c / 2 * stationary_variance(rule, c, s) for c in eigenvalues)


def stationary_covariance(rule: Any, hessian: Any, s: float) -> Any:
    """The covariance of x (dim, dim) around a quadratic's minimum under gradient noise of deviation s.

    For rules that treat all directions alike: None for those with frozen squares too. All of it is infinite where
    one direction is unstable.
    """
    form = coefficients(rule)
    if form is None or form["frozen"]:
        return None
    known = eigen(hessian)
    variances = [_settled(form, value, s) for value in known["values"]]
    vectors = np.array(known["vectors"])
    if not all(math.isfinite(value) for value in variances):
        return np.full(vectors.shape, math.inf)
    return vectors.T @ (np.array(variances).reshape(-1, 1) * vectors)


def clipped_deviation(s: float, clip: float) -> float:
    """The standard deviation of a normal of deviation s whose values beyond +-clip are cut to it."""
    if s == 0:
        return 0.0
    z = clip / s
    inside = math.erf(z / math.sqrt(2))
    kept = inside - 2 * z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return s * math.sqrt(kept + z * z * (1 - inside) if z < 8 else 1.0)
