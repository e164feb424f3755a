"""What theory and noise say on an exported page, printed from Python, against what they say here."""

from __future__ import annotations

import math

import numpy as np
from engine import run_js
from scipy.linalg import solve_discrete_lyapunov

import optviz
from optviz.experiments import floors
from optviz.export.bundle import Bundle
from optviz.export.definitions import NATIVES, printed
from optviz.export.kernels import literal, objective_script, rule_script
from optviz.menus import rules
from optviz.objectives.surfaces import Himmelblau, Rosenbrock, RotatedQuadratic
from optviz.theory import edges, noise, stability

SHOWN = """
const shown = (x) => {
  if (x instanceof Nd) return shown(x.tolist());
  if (Array.isArray(x)) return x.map(shown);
  if (typeof x === "number") return Number.isFinite(x) ? x : String(x);
  return x && typeof x === "object" ? Object.fromEntries(Object.entries(x).map(([k, v]) => [k, shown(v)])) : x;
};
"""


def as_js(value) -> str:
    if isinstance(value, optviz.Rule):
        return f"new Rule(rules.{type(value).__name__}, {literal(value.settings())})"
    if isinstance(value, optviz.Objective):
        settings = dict(zip(value.shape_names(), value.shape_values(), strict=True))
        return f"new Surface(surfaces.{type(value).__name__}, {literal(settings)})"
    if isinstance(value, np.ndarray):
        return f"$.np.array({literal(value.tolist())})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {as_js(v)}" for k, v in value.items()) + "}"
    return f"[{', '.join(map(as_js, value))}]" if isinstance(value, list | tuple) else literal(value)


def _call(function: str, given: list, keywords: dict) -> str:
    more = [f"new $.Kw({as_js(keywords)})"] if keywords else []
    return f"{function}({', '.join([*map(as_js, given), *more])})"


def on_the_page(calls: list) -> list:
    """The values of calls (function, arguments, keywords) as a page computes them."""
    bundle = Bundle(NATIVES, printed)
    texts = [_call(bundle.text(f), given, more) for f, given, more in calls]
    surfaces = {c.__name__: objective_script(c) for c in (Himmelblau, Rosenbrock, RotatedQuadratic)}
    kinds = {"rules": {n: rule_script(cls) for n, cls in rules().items()}, "surfaces": surfaces}
    parts = [SHOWN, *(f"const {name} = {literal(value)};" for name, value in kinds.items())]
    return run_js("\n".join([*parts, bundle.source, f"return shown([{', '.join(texts)}]);"]))


def plain(value):
    """A value as `shown` writes it."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value.item() if isinstance(value, np.generic) else value


def agree(ours, theirs) -> bool:
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(agree(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(agree, ours, theirs))
    if isinstance(ours, float | int) and not isinstance(ours, bool):
        return not isinstance(theirs, str) and abs(ours - theirs) <= 1e-12 * max(abs(ours), 1e-3)
    return ours == theirs


def variants() -> list:
    """Every rule at its defaults and at the playground's values, with momentum and with decay."""
    found = []
    for cls in rules().values():
        names = cls.hyperparameters()
        more = {n: v for n, v in (("momentum", 0.7), ("weight_decay", 0.3)) if n in names}
        found += [cls(), cls(**{**cls.preset, **more})]
        flags = [n for n in names if isinstance(cls.param[n].default, bool)]
        found += [cls(**{**more, flag: True}) for flag in flags]
    at_the_edge = [{"momentum": 1.05, "nesterov": True}, {"momentum": 1.0}, {"momentum": 0.9, "dampening": 1.0},
                   {"momentum": 1.3, "dampening": 1.0}, {"momentum": 1.3}]  # fmt: skip
    return found + [optviz.SGD(lr=0.1, **settings) for settings in at_the_edge]


def test_every_rule_says_the_same_on_a_page():
    bowl, calls = RotatedQuadratic(condition=30, angle=25), []
    run_of = {}
    for rule in variants():
        calls += [(stability.why_not, [rule], {}), (stability.limit, [rule], {}), (stability.max_curvature, [rule], {}),
                  (stability.max_lr, [rule, 4.5], {}), (stability.min_lr, [rule, 4.5], {}),
                  (stability.transition, [rule, 0.7], {}), (stability.rate, [rule, [0.1, 1.0, 4.5]], {}),
                  (stability.is_frozen, [rule], {}),
                  (noise.update_spread, [rule, 1.3], {"clip": 1.1}),
                  (noise.update_spread, [rule, 0.5], {"rates": [0.1, 0.05]}),
                  (noise.stationary_variance, [rule, 2.0, 0.4], {}), (noise.stationary_variance, [rule, 2.0, 0.01], {}),
                  (noise.stationary_variance, [rule, 2.0, 0.0], {}), (noise.excess_loss, [rule, [1.0, 3.0], 0.4], {}),
                  (noise.stationary_covariance, [rule, [[2.0, 0.5], [0.5, 1.0]], 0.4], {}),
                  (stability.prediction, [rule, bowl, [0.1, 0.2]], {})]  # fmt: skip
        if stability.is_frozen(rule):
            run_of[rule] = optviz.descend(bowl, rule, (1, 0.5), 9)
            terms = stability.frozen_terms(rule, run_of[rule], 9)
            calls += [(stability.max_lr, [rule, 4.5, terms, 9], {}), (stability.rate, [rule, [0.1, 4.5], terms, 9], {}),
                      (stability.preconditioned, [rule, bowl, [0.1, 0.2], terms, 9], {}),
                      (stability.prediction, [rule, bowl, [0.1, 0.2], terms, 9], {})]  # fmt: skip
    for f, given, more in [
        (stability.spectrum, [Rosenbrock(), [1.0, 1.0]], {}),
        (stability.prediction, [optviz.SGD(lr=0.03), Himmelblau(), [3.0, 2.0]], {}),
        (stability.best, [0.2, 4.0], {}),
        (stability.spectral_radius, [[[0.5, 0.4, 0.1], [-0.3, 0.9, 0.2], [0.2, -0.5, 0.3]]], {}),
        (noise.clipped_deviation, [2.0, 1.0], {}),
    ]:
        calls.append((f, given, more))
    found = on_the_page(calls)
    for (f, given, more), theirs in zip(calls, found, strict=True):
        ours = plain(f(*given, **more))
        assert agree(ours, theirs), (f.__name__, given, ours, theirs)


def test_a_pages_own_mathematics_is_the_librarys():
    """Eigenvalues and the Lyapunov equation of what fades, swings and grows; the error function."""
    random, pairs = np.random.default_rng(3), []
    for size in (1, 2, 3, 4):
        for radius in (0.0, 0.3, 0.999, 1.0, 1.7):
            matrix, take = random.standard_normal((size, size)), random.standard_normal((size, 1))
            matrix *= radius / np.abs(np.linalg.eigvals(matrix)).max()
            wanted = np.full((size, size), math.inf)
            if radius < 1:
                wanted = solve_discrete_lyapunov(matrix, take @ take.T)
            pairs += [((edges.spectral_radius, [matrix], {}), radius)]
            pairs += [((noise.lyapunov, [matrix, take], {}), wanted)] if radius != 1 else []
    endless = np.diag([math.inf, 1.0, 0.5])
    nilpotent = np.triu(np.ones((3, 3)), 1)
    pairs += [((edges.spectral_radius, [endless], {}), math.inf), ((edges.spectral_radius, [nilpotent], {}), 0.0)]
    unmoved = [np.eye(2), np.zeros((2, 1))]
    pairs += [((noise.lyapunov, unmoved, {}), np.full((2, 2), math.inf))]
    for k in range(1, 40):
        z = k / 5
        kept = math.erf(z / math.sqrt(2)) - 2 * z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        wanted = math.sqrt(kept + z * z * math.erfc(z / math.sqrt(2)))
        pairs += [((noise.clipped_deviation, [1.0, z], {}), wanted)]
    for ((function, given, _), wanted), theirs in zip(pairs, on_the_page([call for call, _ in pairs]), strict=True):
        for found in (function(*given), np.array(theirs, dtype=float)):
            np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-14, err_msg=str((function, given)))


def test_spreads_near_the_ends_of_float64_are_said_the_same_on_a_page():
    """Numbers whose squares float64 has not, points on a line, and what is beyond all numbers."""
    bowl, line = np.array([[4.0, 1.0], [1.0, 9.0]]), np.array([[1.0, 2.0], [2.0, 4.0]])
    matrices = [bowl * size for size in (1e-300, 1.0, 1e160, 1e300)] + [line * 1e200, 0 * bowl, np.inf * bowl]
    calls = [(floors.deviation, [matrix.tolist(), k, floors.BEYOND], {}) for matrix in matrices for k in (0, 1)]
    calls += [(floors.deviations, [matrix.tolist()], {}) for matrix in matrices]
    calls += [(floors.number, [size, floors.BEYOND], {}) for size in (1.5, math.inf, math.nan)]
    found = [f(*given) for f, given, _ in calls]
    assert on_the_page(calls) == found
    low, high = (math.sqrt(6.5 + sign * math.hypot(2.5, 1)) for sign in (-1, 1))
    for k, size in enumerate((1e-150, 1.0, 1e80, 1e150)):
        assert found[2 * k : 2 * k + 2] == [f"{low * size:.4g}", f"{high * size:.4g}"]
    assert found[8:14] == ["under 9e+93", "2.236e+100", "0", "0", "beyond float64", "beyond float64"]
    assert found[-3:] == ["1.5", "beyond float64", "unknown"]
