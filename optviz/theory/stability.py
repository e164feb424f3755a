"""What will happen: stability limits, rates and noise floors on a quadratic, before any step is taken.

Everything follows from a rule's linear form (`optviz.readings.linear`), which is read off its own update.
A rule that divides by running squares of the gradient is taken with these frozen; its curvatures
are then those of P^-1 H (arXiv 2207.14484). A `rule` may be what `linear_of` has read of one.
Sources of the closed forms that the tests hold this to: Goh, "Why Momentum Really Works" (Distill 2017);
Polyak (1964).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..readings.linear import at_rates, coefficients, gain, is_frozen, linear_of, why_not
from .edges import SURE, edge, excess, spectral_radius, start

# Curvature


def hessian_at(objective: Any, point: Sequence[float]) -> np.ndarray:
    """The Hessian of an objective at a point, shape (dim, dim)."""
    return np.asarray(objective.hessian(*point), dtype=float)


def spectrum(objective: Any, point: Sequence[float]) -> dict[str, Any]:
    """The Hessian's eigenvalues at a point, ascending, their directions, and the condition number.

    `values` (dim,), `vectors` (dim, dim) a row an eigenvalue, `condition` largest over smallest
    curvature, infinite where not all curvatures are above 0.
    """
    return eigen(hessian_shown(objective, point))


def hessian_shown(objective: Any, point: Sequence[float]) -> np.ndarray:
    """The Hessian without the idle coordinate of a curve."""
    hessian = hessian_at(objective, point)
    return np.array([[float(hessian[0][0])]]) if objective.is_curve else hessian


def eigen(matrix: Any) -> dict[str, Any]:
    """`spectrum` of a symmetric matrix (dim, dim)."""
    if len(matrix) == 1:
        values, vectors = [float(matrix[0][0])], [[1.0]]
    elif len(matrix) == 2:
        values, vectors = _eigen2(float(matrix[0][0]), float(matrix[0][1]), float(matrix[1][1]))
    else:
        values, vectors = eigen_of_more(matrix)
    condition = values[-1] / values[0] if values[0] > 0 else math.inf
    return {"values": values, "vectors": vectors, "condition": condition}


def eigen_of_more(matrix: Any) -> tuple[list[float], list[list[float]]]:
    """Of a matrix of any size, which no page has."""
    found, columns = np.linalg.eigh(matrix)
    return found.tolist(), columns.T.tolist()


def _eigen2(a: float, b: float, d: float) -> tuple[list[float], list[list[float]]]:
    """Of [[a, b], [b, d]]: the smaller eigenvalue from the determinant where that is more exact."""
    size = max(abs(a), abs(b), abs(d))
    if math.isfinite(size) and not (size == 0 or 1e-150 < size < 1e150):  # else float64 has no number for the products
        unit = 2.0**600 if size < 1 else 2.0**-600
        values, vectors = _eigen2(a * unit, b * unit, d * unit)
        return [value / unit for value in values], vectors
    middle, reach = (a + d) / 2, math.hypot((a - d) / 2, b)
    low, high = middle - reach, middle + reach
    if middle > 0:
        low = (a * d - b * b) / high
    elif middle < 0:
        high = (a * d - b * b) / low
    turn = math.atan2(2 * b, a - d) / 2
    c, s = math.cos(turn), math.sin(turn)
    return [low, high], [[-s, c], [c, s]]


# Stability of a linear rule


def transition(rule: Any, curvature: float, lr: float | None = None) -> Any:
    """The map of (x, carried terms) one step later (not the first) under the gradient curvature * x.

    Shape (1 + carried, 1 + carried). Where squares of gradients are frozen, `curvature` is one of
    P^-1 (H + w), w the weight decay that is added to the gradient. None for a rule without such a map.
    Raises ValueError for a rule with arrays of hyperparameters.
    """
    reading = at_rates(rule)
    return None if reading is None else np.array(matrix_of(reading(lr), curvature))


def matrix_of(form: Mapping[str, Any], curvature: float) -> list[list[float]]:
    counted = bool(form["frozen"]) and not form["decoupled"]  # the curvature has the weight decay in it
    rows = [[curvature * row[0] + (0.0 if counted else row[1]), *row[2:]] for row in form["rows"]]
    rows[0][0] += 1.0
    return rows


def max_curvature(rule: Any) -> Any:
    """The curvature up to which a rule is stable at its learning rate; infinite at a rate of 0 and next to it.

    0 where it is stable at no curvature.

    For a rule with frozen squares it is a curvature of P^-1 (H + w). None where nothing is known.
    """
    form = coefficients(rule)
    if form is None:
        return None
    return edge(lambda c: _excess(form, c), 1 / form["lr"]) if form["lr"] > 1e-307 else math.inf


def limit(rule: Any) -> Any:
    """What lr * curvature must stay below: 2 for gradient descent; None where nothing is known (`why_not`).

    With frozen squares the curvature is that of P^-1 (H + w): 38 for Adam at beta1 = 0.9.
    0 for settings that no learning rate makes stable, momentum 1.1 for example, but not momentum 1: below 4 its runs
    circle for ever. Infinite where no step but the first looks at the gradient and momentum fades (dampening 1).
    """
    reading = at_rates(rule)
    if reading is None:
        return None
    own = reading(None)["lr"]
    lr = own if own > 1e-300 else 1e-100  # the limit for ever smaller rates
    form = reading(lr)
    return lr * edge(lambda c: _excess(form, c), 1 / lr)


def max_lr(rule: Any, curvature: float, terms: Any = None, t: int = 1) -> Any:
    """The learning rate up to which a rule is stable at this curvature; infinite for a curvature of 0 or less.

    With frozen squares it is that of step t, given the coordinates' `terms` then (`frozen_terms`), else of the long
    run. 0 where no rate is stable.
    """
    reading = at_rates(rule)
    if reading is None:
        return None
    steepness = curvature + _pull(reading(1.0))
    if not steepness > 0:
        return math.inf
    return edge(lambda lr: _excess(reading(lr, terms, t), curvature), 1 / steepness)


def min_lr(rule: Any, curvature: float, terms: Any = None, t: int = 1) -> Any:
    """The learning rate that a rule must be above to be stable at this curvature: 0, but (1 - 1 / m) / curvature

    for Nesterov with a momentum m above 1. None where nothing is known; `max_lr` where no rate is stable.
    """
    rule = linear_of(rule)
    reading, most = at_rates(rule), max_lr(rule, curvature, terms, t)
    if reading is None or most == 0 or not math.isfinite(most):
        return None if reading is None else 0.0
    return start(lambda lr: _excess(reading(lr, terms, t), curvature), most)


def _excess(form: Any, curvature: float) -> float:
    """Below 0 where a rule is stable at this curvature."""
    return excess(matrix_of(form, curvature))


def rate(rule: Any, eigenvalues: Sequence[float], terms: Any = None, t: int = 1) -> Any:
    """The factor that a step takes off the distance in the long run, at the slowest of these curvatures.

    1 where one of them is 0, above 1 where the rule is unstable. `terms` and `t` as for `max_lr`.
    """
    reading = at_rates(rule)
    if reading is None:
        return None
    form = reading(None, terms, t)
    return max(spectral_radius(matrix_of(form, curvature)) for curvature in eigenvalues)


def best(lmin: float, lmax: float) -> dict[str, dict[str, float]]:
    """The fastest settings on curvatures from lmin to lmax, of `descent` and of `heavy ball` (Polyak).

    Each has `lr`, `momentum` and `rate`, the factor a step.
    """
    low, high = math.sqrt(lmin), math.sqrt(lmax)
    slow = (high - low) / (high + low)
    return {
        "descent": {"lr": 2 / (lmin + lmax), "momentum": 0.0, "rate": (lmax - lmin) / (lmax + lmin)},
        "heavy ball": {"lr": (2 / (low + high)) ** 2, "momentum": slow**2, "rate": slow},
    }


# Rules that divide by running squares


def preconditioner(rule: Any, terms: Mapping[str, float], t: int) -> float:
    """What a rule divides a coordinate's gradient by at step t, given its carried terms then; 1 if it does not.

    Adam's is (1 - beta1^t) (sqrt(v_hat) + eps), as in arXiv 2207.14484.
    """
    reading = at_rates(rule)
    form = None if reading is None else reading(1.0)  # at any rate but 0 the same
    if form is None or not form["frozen"]:
        return 1.0
    now = gain(rule, {**terms, "lr": 1.0}, t)
    return math.inf if now == 0 else form["rows"][0][0] / now


def preconditioned(
    rule: Any, objective: Any, point: Sequence[float], terms: Sequence[Mapping[str, float]], t: int
) -> Any:
    """`spectrum` of P^-1 (H + w) at a point, given each coordinate's carried terms at step t; None if unknown.

    `w` is the weight decay that is added to the gradient. Besides the fields of `spectrum` it has
    `preconditioner` (dim,). Compare its largest eigenvalue with `max_curvature`.
    """
    rule = linear_of(rule)
    form = coefficients(rule)
    if form is None:
        return None
    pull = pull_of(form)
    hessian = hessian_shown(objective, point)
    size = len(hessian)
    divisors = [preconditioner(rule, terms[i], t) for i in range(size)]
    shares = [1 / math.sqrt(p) if p > 0 else math.inf if p == 0 else math.nan for p in divisors]
    scaled = [
        [float(hessian[i][j] + (pull if i == j else 0.0)) * shares[i] * shares[j] for j in range(size)]
        for i in range(size)
    ]
    return {**eigen(np.array(scaled)), "preconditioner": divisors}


def pull_of(form: Mapping[str, Any]) -> float:
    """The weight decay within the curvatures of a rule with frozen squares, else 0."""
    if form["decoupled"] or not form["frozen"]:
        return 0.0
    return max((row[1] / row[0] for row in form["rows"] if row[0] != 0), default=0.0)


def _pull(form: Mapping[str, Any]) -> float:
    """The weight decay that is not within the curvatures, as one of them: at a rate above 0."""
    if form["decoupled"]:
        return -form["rows"][0][1] / form["lr"] if form["lr"] > 0 else 0.0
    if form["frozen"]:
        return 0.0
    return max((row[1] / row[0] for row in form["rows"] if row[0] != 0), default=0.0)


def frozen_terms(rule: Any, run: Any, t: int, lane: int = 0) -> list[dict[str, float]]:
    """Each coordinate's frozen terms after step t of a run, as `preconditioned` takes them."""
    form = coefficients(rule)
    names = [] if form is None else form["frozen"]
    return [{n: float(run.terms[n][t - 1, lane, i]) for n in names} for i in range(run.x.shape[2])]


# What it comes to


def prediction(
    rule: Any, objective: Any, point: Sequence[float], terms: Sequence[Mapping[str, float]] | None = None, t: int = 1
) -> dict[str, Any]:
    """What a rule will do near a point, in a `sentence` and in numbers.

    `values`, `condition` (of P^-1 H where squares are frozen, at the `terms` of step t), `limit`:
    the largest stable lr, `least`: the lr that it must be above (0 but for a Nesterov momentum above 1),
    `rate` and `stable`: whether runs stay (None where unknown), `along`: the direction of the largest
    curvature, by an axis' name where it is near one.
    """
    rule, known = linear_of(rule), spectrum(objective, point)
    nothing = {"limit": None, "least": None, "rate": None, "stable": None}
    found = {**known, **nothing, "along": _along(objective, known["vectors"][-1])}
    said = why_not(rule)
    if said:
        return {**found, "sentence": said}
    frozen = is_frozen(rule)
    if frozen and terms is None:
        return {**found, "sentence": _moving(limit(rule))}
    if frozen:
        known = preconditioned(rule, objective, point, terms, t)
    if not all(math.isfinite(value) for value in known["values"]):
        return {**found, "sentence": "A denominator or a curvature is zero or not finite here: no limit follows."}
    form, low, high = at_rates(rule)(None, terms, t), known["values"][0], known["values"][-1]
    most, least = max_lr(rule, high, terms, t), min_lr(rule, low, terms, t)
    found = {**found, **known, "limit": most, "least": least, "rate": rate(rule, known["values"], terms, t)}
    found = {**found, "along": _along(objective, known["vectors"][-1])}
    stays = least < form["lr"] < most or form["lr"] == 0 < most
    found = {**found, "stable": stays and low + _pull(form) >= 0 and not (_blind(form) and _fading(form) >= 1)}
    return {**found, "sentence": _sentence(objective, found, form, " with its present denominators" if frozen else "")}


def _blind(form: Mapping[str, Any]) -> bool:
    """Whether no step but the first looks at the gradient."""
    return all(row[0] == 0 for row in form["rows"]) and form["lr"] > 0


def _fading(form: Mapping[str, Any]) -> float:
    """The factor a step that carried terms would change by without any gradient."""
    carried = [row[2:] for row in form["rows"][1:]]
    return spectral_radius(carried) if carried else 0.0


def _moving(most: float) -> str:
    if most == 0:
        return "No learning rate is stable with these settings."
    return (
        f"It is stable while lr times the largest curvature of P⁻¹H is below {_said(most)}; "
        "P, what it divides by, moves with its gradients."
    )


def _sentence(objective: Any, found: Mapping[str, Any], form: Mapping[str, Any], how: str) -> str:
    most, least, low, high, lr = found["limit"], found["least"], found["values"][0], found["values"][-1], form["lr"]
    way, given = found["along"], f"lr {_said(lr)}"
    if lr == 0:
        return "At lr 0 it stays where it is."
    if _blind(form):
        return _unseeing(form)
    if low + _pull(form) < -1e-9 * abs(high):
        way = _along(objective, found["vectors"][0])
        return f"The surface bends down along {way}: no minimum, and any learning rate leaves it that way."
    if most == 0:
        return f"No learning rate is stable with these settings: it will diverge along {way}."
    if math.isfinite(most) and abs(lr - most) <= 1e-11 * most:
        return f"{given} is at the limit {_said(most)}{how}: it will neither settle nor diverge along {way}."
    if lr > most:
        return f"{given} is above the limit {_said(most)}{how}: it will diverge along {way}."
    if lr <= least:
        way = _along(objective, found["vectors"][0])
        return (
            f"{given} is below {_said(least)}, which such a momentum needs along {way}{how}: it will diverge that way."
        )
    below = f"{given} is below the limit {_said(most)}" if math.isfinite(most) else "No learning rate is too large here"
    if low + _pull(form) <= 1e-9 * high:
        flat = "some directions are flat" if len(found["values"]) > 1 else "the curve has no curvature there"
        return f"{below}{how}: it will not diverge, but {flat}."
    if abs(_excess(form, high)) <= SURE and abs(_excess(form, 1 / lr)) <= SURE:
        return f"{below}{how}, but nothing fades: it will swing for ever as it began."
    return f"{below}{how}: it will converge, {_pace(found['rate'])}."


def _unseeing(form: Mapping[str, Any]) -> str:
    """What becomes of a rule whose steps do not look at the gradient."""
    alone, kept = "No step but the first looks at the gradient", _fading(form)
    if kept > 1:
        return f"{alone}, and each is {_said(kept)} times as long as the one before: it will diverge."
    if kept == 1:
        return f"{alone}, and each repeats the one before: it goes on as it began."
    return f"{alone}: it stops at x₀ − lr g₀ / (1 − {_said(kept)}), wherever that is."


def _pace(factor: float) -> str:
    if f"{factor:.4g}" != "1":
        return f"by a factor of {_said(factor)} a step in the end" if factor > 1e-12 else "within a few steps"
    return f"but slowly: each step takes {1 - factor:.2g} of the distance off".replace("-", "−")


def _said(value: float) -> str:
    """A number in a sentence: four digits, a true minus sign."""
    return f"{value:.4g}".replace("-", "−")


def _along(objective: Any, direction: Sequence[float]) -> str:
    """A direction by the name of an axis within 18 degrees of it, else by its components."""
    sizes = [abs(v) for v in direction]
    if max(sizes) > 0.95:
        return objective.names[sizes.index(max(sizes))]
    sign = 1 if direction[sizes.index(max(sizes))] > 0 else -1
    return "(" + ", ".join(f"{round(sign * v, 2) + 0.0:.2f}" for v in direction).replace("-", "−") + ")"
