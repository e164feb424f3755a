"""What will happen: stability limits, rates and noise floors on a quadratic, before any step is taken.

Everything follows from a rule's linear form (`optviz.linear`), which is read off its own update.
A rule that divides by running squares of the gradient is taken with these frozen; its curvatures
are then those of P^-1 H (arXiv 2207.14484). Sources of the closed forms that the tests hold this
to: Goh, "Why Momentum Really Works" (Distill 2017); Polyak (1964).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .linear import at_rates, coefficients, gain, why_not

# Curvature


def hessian_at(objective: Any, point: Sequence[float]) -> np.ndarray:
    """The Hessian of an objective at a point, shape (dim, dim)."""
    return np.asarray(objective.hessian(*point), dtype=float)


def spectrum(objective: Any, point: Sequence[float]) -> dict[str, Any]:
    """The Hessian's eigenvalues at a point, ascending, their directions, and the condition number.

    `values` (dim,), `vectors` (dim, dim) a row an eigenvalue, `condition` largest over smallest
    curvature, infinite where not all curvatures are above 0.
    """
    return eigen(hessian_at(objective, point))


def eigen(matrix: Any) -> dict[str, Any]:
    """`spectrum` of a symmetric matrix (dim, dim)."""
    if len(matrix) == 2:
        values, vectors = _eigen2(float(matrix[0][0]), float(matrix[0][1]), float(matrix[1][1]))
    else:
        found, columns = np.linalg.eigh(matrix)
        values, vectors = found.tolist(), columns.T.tolist()
    condition = values[-1] / values[0] if values[0] > 0 else math.inf
    return {"values": values, "vectors": vectors, "condition": condition}


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
    return None if reading is None else np.array(_matrix(reading(lr), curvature))


def _matrix(form: Mapping[str, Any], curvature: float) -> list[list[float]]:
    counted = bool(form["frozen"]) and not form["decoupled"]  # the curvature has the weight decay in it
    rows = [[curvature * row[0] + (0.0 if counted else row[1]), *row[2:]] for row in form["rows"]]
    rows[0][0] += 1.0
    return rows


def spectral_radius(matrix: Any) -> float:
    """The largest modulus of the eigenvalues of a small square matrix."""
    if len(matrix) == 1:
        return abs(float(matrix[0][0]))
    if len(matrix) > 2:
        return _largest_root(_polynomial(np.array(matrix)))
    a, b, c, d = float(matrix[0][0]), float(matrix[0][1]), float(matrix[1][0]), float(matrix[1][1])
    spread = (a - d) * (a - d) / 4 + b * c
    return math.sqrt(a * d - b * c) if spread < 0 else abs(a + d) / 2 + math.sqrt(spread)


def _polynomial(matrix: np.ndarray) -> list[float]:
    """The characteristic polynomial from the highest power on (Faddeev and LeVerrier)."""
    size = len(matrix)
    found, part = [1.0], np.zeros((size, size))
    for k in range(1, size + 1):
        part = matrix @ part + found[-1] * np.eye(size)
        product = matrix @ part
        found = [*found, -sum(float(product[i, i]) for i in range(size)) / k]
    return found


def _largest_root(polynomial: list[float]) -> float:
    """The modulus of the largest root, by halving; Schur and Cohn tell which side of a circle it is on."""
    low, high = 0.0, 1 + max(abs(c) for c in polynomial)
    for _ in range(100):
        middle = (low + high) / 2
        scaled = [c * middle ** -float(k) for k, c in enumerate(polynomial)]
        if _all_inside(scaled):
            high = middle
        else:
            low = middle
    return high


def _all_inside(polynomial: list[float]) -> bool:
    """Whether all roots are within the unit circle."""
    while len(polynomial) > 1:
        first, last, n = polynomial[0], polynomial[-1], len(polynomial) - 1
        if not abs(last) < abs(first):
            return False
        polynomial = [polynomial[i] - last / first * polynomial[n - i] for i in range(n)]
    return True


def max_curvature(rule: Any) -> Any:
    """The curvature up to which a rule is stable at its learning rate; infinite at a rate of 0 and next to it.

    For a rule with frozen squares it is a curvature of P^-1 (H + w). None where nothing is known.
    """
    form = coefficients(rule)
    if form is None:
        return None
    return _edge(lambda c: _excess(form, c), 1 / form["lr"]) if form["lr"] > 1e-307 else math.inf


def limit(rule: Any) -> Any:
    """What lr * curvature must stay below: 2 for gradient descent; None where nothing is known (`why_not`).

    With frozen squares the curvature is that of P^-1 (H + w): 38 for Adam at beta1 = 0.9.
    0 for settings that no learning rate makes stable, momentum 1 for example.
    """
    reading = at_rates(rule)
    if reading is None:
        return None
    own = reading(None)["lr"]
    lr = own if own > 1e-300 else 1e-100  # the limit for ever smaller rates
    form = reading(lr)
    return lr * _edge(lambda c: _excess(form, c), 1 / lr)


def max_lr(rule: Any, curvature: float) -> Any:
    """The learning rate up to which a rule is stable at this curvature; infinite for a curvature of 0 or less."""
    reading = at_rates(rule)
    if reading is None:
        return None
    if not curvature > 0:
        return math.inf
    return _edge(lambda lr: _excess(reading(lr), curvature), 1 / curvature)


def _excess(form: Any, curvature: float) -> float:
    """Below 0 where a rule is stable at this curvature: by how much it fails Jury's test."""
    matrix = _matrix(form, curvature)
    if len(matrix) > 2:
        return spectral_radius(matrix) - 1
    if len(matrix) == 1:
        return abs(matrix[0][0]) - 1
    (a, b), (c, d) = matrix
    product = a * d - b * c
    return max(abs(a + d) - 1 - product, product - 1)


def _edge(excess: Any, unit: float) -> float:
    """The first number at which `excess` is no longer below 0, from well below `unit` on."""
    low, below, tries = unit, excess(unit), 0
    while not below < 0:
        low, tries = low / 2, tries + 1
        if tries > 40:
            return 0.0
        below = excess(low)
    high = 2 * low
    above = excess(high)
    while above < 0:
        low, below, high = high, above, 2 * high
        if not math.isfinite(high):
            return math.inf
        above = excess(high)
    return _crossing(excess, low, below, high, above)


def _crossing(excess: Any, low: float, below: float, high: float, above: float) -> float:
    """The first number from `low` to `high` at which `excess` is not below 0 (regula falsi, Illinois).

    A map asks for its limit 41 times a move: halving would take five times as many looks.
    """
    turn, side = 0, 0
    while low < (low + high) / 2 < high:
        turn, next_to = turn + 1, 2.3e-16 * high
        at = min(max(low + (high - low) * (below / (below - above)), low + next_to), high - next_to)
        if turn % 4 == 0 or not low < at < high:
            at = (low + high) / 2
        found = excess(at)
        if found < 0:
            low, below, above, side = at, found, above / 2 if side < 0 else above, -1
        else:
            high, above, below, side = at, found, below / 2 if side > 0 else below, 1
    return high


def rate(rule: Any, eigenvalues: Sequence[float]) -> Any:
    """The factor that a step takes off the distance in the long run, at the slowest of these curvatures.

    1 where one of them is 0, above 1 where the rule is unstable.
    """
    form = coefficients(rule)
    if form is None:
        return None
    return max(spectral_radius(_matrix(form, curvature)) for curvature in eigenvalues)


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


def is_frozen(rule: Any) -> bool:
    """Whether what is said of a rule holds with its squares of gradients frozen: only nearly so."""
    form = coefficients(rule)
    return form is not None and len(form["frozen"]) > 0


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
    form = coefficients(rule)
    if form is None:
        return None
    divisors = [preconditioner(rule, each, t) for each in terms]
    pull = _weight_decay(form)
    hessian = hessian_at(objective, point)
    size = len(divisors)
    shares = [1 / math.sqrt(p) if p > 0 else math.inf if p == 0 else math.nan for p in divisors]
    scaled = [
        [float(hessian[i][j] + (pull if i == j else 0.0)) * shares[i] * shares[j] for j in range(size)]
        for i in range(size)
    ]
    return {**eigen(np.array(scaled)), "preconditioner": divisors}


def _weight_decay(form: Mapping[str, Any]) -> float:
    """The weight decay within the curvatures of a rule with frozen squares, else 0."""
    if form["decoupled"] or not form["frozen"]:
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
    the largest stable lr, `rate` and `stable` (None where unknown), `along`: the direction of the
    largest curvature, by an axis' name where it is near one.
    """
    known = spectrum(objective, point)
    found = {**known, "limit": None, "rate": None, "stable": None, "along": _along(objective, known["vectors"][-1])}
    said = why_not(rule)
    if said:
        return {**found, "sentence": said}
    frozen = is_frozen(rule)
    if frozen and terms is None:
        said = f"The limit is {limit(rule):.4g} on lr times the curvature of P⁻¹H, which moves with the gradients seen."
        return {**found, "sentence": said}
    if frozen:
        known = preconditioned(rule, objective, point, terms, t)
    if not all(math.isfinite(value) for value in known["values"]):
        return {**found, "sentence": "A denominator or a curvature is zero or not finite here: no limit follows."}
    lr, most = coefficients(rule)["lr"], max_lr(rule, known["values"][-1])
    found = {**found, **known, "limit": most, "rate": rate(rule, known["values"])}
    found = {**found, "along": _along(objective, known["vectors"][-1]), "stable": lr < most and known["values"][0] >= 0}
    return {**found, "sentence": _sentence(objective, found, lr, " with its present denominators" if frozen else "")}


def _sentence(objective: Any, found: Mapping[str, Any], lr: float, how: str) -> str:
    most, low, high = found["limit"], found["values"][0], found["values"][-1]
    way = found["along"]
    if low < -1e-9 * abs(high):
        way = _along(objective, found["vectors"][0])
        return f"The surface bends down along {way}: no minimum, and any learning rate leaves it that way."
    if abs(lr - most) <= 1e-12 * most:
        return f"lr {lr:.4g} is at the limit {most:.4g}{how}: it will neither settle nor diverge along {way}."
    if lr > most:
        return f"lr {lr:.4g} is above the limit {most:.4g}{how}: it will diverge along {way}."
    if low <= 1e-9 * high or lr == 0:
        return f"lr {lr:.4g} is below the limit {most:.4g}{how}: it will not diverge, but some directions are flat."
    factor = f"{found['rate']:.4g}"
    return (
        f"lr {lr:.4g} is below the limit {most:.4g}{how}: it will converge, by a factor of {factor} a step in the end."
    )


def _along(objective: Any, direction: Sequence[float]) -> str:
    """A direction by the name of an axis within 18 degrees of it, else by its components."""
    sizes = [abs(v) for v in direction]
    if max(sizes) > 0.95:
        return objective.names[sizes.index(max(sizes))]
    sign = 1 if direction[sizes.index(max(sizes))] > 0 else -1
    return "(" + ", ".join(f"{sign * v:.2f}" for v in direction) + ")"
