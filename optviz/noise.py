"""What gradient noise leaves: the spread of updates, the variance around a minimum, the loss floor.

For a linear rule these solve the discrete Lyapunov equation of its map. Where squares of gradients
are frozen (`theory.is_frozen`: Adam and its kin) they are put at their mean under the noise: the
result is approximate, as in "about lr^2 (1 - beta1) / (1 + beta1)" for the variance of Adam's updates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .linear import at_rates, coefficients, steady_terms
from .theory import _matrix, _weight_decay, eigen, preconditioner, spectral_radius

LATE = 1_000_000_000  # a step at which every bias correction is over


def update_spread(rule: Any, s: float, *, clip: float | None = None, rates: Sequence[float] | None = None) -> Any:
    """The standard deviation of a rule's steps under independent normal gradients of deviation s.

    Gradients beyond +-`clip` are cut. With `rates`, one for each of them, as for the epochs of a
    falling learning rate. Exact for linear rules once settled, approximate with frozen squares; NaN
    where the steps never settle (Adagrad), None where nothing is known.
    """
    if coefficients(rule) is None:
        return None
    felt = s if clip is None else clipped_deviation(s, clip)
    if rates is None:
        return _spread(rule, felt, None)
    return np.array([_spread(rule, felt, float(lr)) for lr in rates])


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

    By doubling (Smith 1968): after k rounds it holds the effect of 2^k steps.
    """
    if not spectral_radius(matrix) < 1:
        return np.full(matrix.shape, math.inf)
    held, power = take @ take.T, matrix
    for _ in range(64):
        more = power @ held @ power.T
        held = held + more
        if np.abs(more).max() <= 1e-18 * np.abs(held).max():
            break
        power = power @ power
    return held


def stationary_variance(rule: Any, curvature: float, s: float) -> Any:
    """The variance of x around the minimum of curvature/2 x^2 under gradient noise of deviation s.

    Infinite where the rule is unstable; approximate with frozen squares; None where nothing is known.
    """
    form = coefficients(rule)
    if form is None:
        return None
    if not form["frozen"]:
        return _settled(form, curvature, s)
    pull, found = _weight_decay(form), 0.0
    for _ in range(60):  # squares of the gradient at x, x of the squares
        before, scale = found, _divisor(rule, form, s * s + curvature * curvature * found)
        found = _settled(form, (curvature + pull) / scale, s / scale)
        if not math.isfinite(found) or abs(found - before) <= 1e-14 * found:
            break
    return found


def _settled(form: Any, curvature: float, s: float) -> float:
    if not math.isfinite(curvature):
        return math.nan
    take = np.array([[row[0]] for row in form["rows"]])
    return float(lyapunov(np.array(_matrix(form, curvature)), take)[0, 0]) * s * s


def excess_loss(rule: Any, eigenvalues: Sequence[float], s: float) -> Any:
    """The mean loss above the minimum of a quadratic under gradient noise of deviation s in every direction."""
    if coefficients(rule) is None:
        return None
    return sum(c / 2 * stationary_variance(rule, c, s) for c in eigenvalues)


def stationary_covariance(rule: Any, hessian: Any, s: float) -> Any:
    """The covariance of x (dim, dim) around a quadratic's minimum under gradient noise of deviation s.

    For rules that treat all directions alike: None for those with frozen squares too.
    """
    form = coefficients(rule)
    if form is None or form["frozen"]:
        return None
    known = eigen(hessian)
    variances = [_settled(form, value, s) for value in known["values"]]
    vectors = np.array(known["vectors"])
    return vectors.T @ (np.array(variances).reshape(-1, 1) * vectors)


def clipped_deviation(s: float, clip: float) -> float:
    """The standard deviation of a normal of deviation s whose values beyond +-clip are cut to it."""
    if s == 0:
        return 0.0
    z = clip / s
    inside = _erf(z / math.sqrt(2))
    kept = inside - 2 * z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return s * math.sqrt(kept + z * z * (1 - inside) if z < 8 else 1.0)


def _erf(x: float) -> float:
    """The error function for x >= 0, by a series of positive terms (Abramowitz and Stegun 7.1.6)."""
    if x > 6:
        return 1.0
    term = total = x
    n = 0
    while term > 1e-18 * total:
        n = n + 1
        term = term * 2 * x * x / (2 * n + 1)
        total = total + term
    return 2 / math.sqrt(math.pi) * math.exp(-x * x) * total
