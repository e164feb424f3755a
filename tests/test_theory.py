"""What theory says beforehand against what runs do, and against the closed forms of the literature."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

import optviz
from optviz import Hyperparameter, Rule, descend
from optviz.listed import own_classes
from optviz.menus import rules
from optviz.objectives.surfaces import Himmelblau, Quadratic, Rosenbrock, RotatedQuadratic
from optviz.readings import linear
from optviz.rules import averaging, coupled
from optviz.rules.hyperparameters import rate, velocity_kept
from optviz.rules.schedules import LinearDecay
from optviz.runs.linear_filter import filtered
from optviz.theory import noise, stability
from optviz.trace.tracing import ARRAYS

SGD, Adam = optviz.SGD, optviz.Adam
CLOSED_LINEAR = [  # limits on lr * curvature
    (SGD(lr=0.1), 2),
    (SGD(lr=0.1, momentum=0.9), 2 * 1.9),
    (SGD(lr=0.1, momentum=0.5, dampening=0.3), 2 * 1.5 / 0.7),
    (SGD(lr=0.1, momentum=0.9, nesterov=True), 3.8 / 2.8),
    (SGD(lr=0.1, weight_decay=0.5), 2 - 0.1 * 0.5),
    (SGD(lr=0.1, momentum=0.9, weight_decay=2), 3.8 - 0.1 * 2),
    (optviz.Momentum(lr=0.1, momentum=0.9), 2 * 1.9),
    (optviz.Inertia(lr=0.1, momentum=0.9), 2 * 1.9 / 0.1),
]
CLOSED_FROZEN = [  # of rules that divide by squares of gradients, taken as constant
    (Adam(lr=0.1), 38),
    (Adam(lr=0.1, beta1=0.5, weight_decay=1), 2 * 1.5 / 0.5),
    (Adam(lr=0.1, amsgrad=True), 38),
    (optviz.AdamW(lr=0.1, weight_decay=0), 38),
    (optviz.RAdam(lr=0.1), 38),
    (optviz.Adamax(lr=0.1), 38),
    (optviz.NAdam(lr=0.1), 3.8 / (2.8 * 0.1)),  # Nesterov's limit in an average's units
    (optviz.RMSprop(lr=0.1), 2),
    (optviz.RMSprop(lr=0.1, momentum=0.9, centered=True), 3.8),
    (optviz.Adagrad(lr=0.1), 2),
    (optviz.Adadelta(lr=0.1), 2),
]
LINEAR, FROZEN = [rule for rule, _ in CLOSED_LINEAR], [rule for rule, _ in CLOSED_FROZEN]
CLOSED = CLOSED_LINEAR + CLOSED_FROZEN
SEEDS = np.arange(300)  # of lanes with draws of their own


class Belief(Rule):
    """AdaBelief's memory: squares of how far a gradient is from the running mean."""

    lr, beta = rate(0.01), velocity_kept(0.9)
    memory = {"m": 0.0, "s": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        m = let("m", h.beta * memory.m + (1 - h.beta) * g)
        s = let("s", 0.99 * memory.s + 0.01 * (g - m) ** 2)
        return let("step", -h.lr * m / xp.sqrt(s))


class Absolute(Belief):
    """A mean of absolute values, which a mean square does not tell."""

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        s = let("s", 0.99 * memory.s + 0.01 * xp.abs(g))
        return let("step", -h.lr * g / s)


class TwoMomenta(Rule):
    """Two buffers of different memory: more carried terms than the catalogue has."""

    lr, momentum = rate(0.1), velocity_kept(0.9)
    memory = {"a": 0.0, "b": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        a = let("a", h.momentum * memory.a + g)
        b = let("b", 0.5 * memory.b + 0.2 * a)
        return let("step", -h.lr * (a + b) / 2)


def shown(rule):
    given = {n: v for n, v in rule.settings().items() if v != rule.param[n].default and n != "lr"}
    return f"{type(rule).__name__}{given or ''}"


@pytest.mark.parametrize("rule, wanted", CLOSED, ids=[shown(r) for r, _ in CLOSED])
def test_limits_are_those_of_the_literature(rule, wanted):
    assert stability.limit(rule) == pytest.approx(wanted, rel=1e-13)
    assert stability.max_curvature(rule) == pytest.approx(wanted / 0.1, rel=1e-13)
    assert stability.why_not(rule) == "" and stability.is_frozen(rule) == (rule in FROZEN)


def test_the_learning_rate_limit_at_a_curvature():
    assert stability.max_lr(SGD(), 4) == 0.5
    assert stability.max_lr(SGD(weight_decay=0.5), 4) == pytest.approx(2 / 4.5, rel=1e-14)
    assert stability.max_lr(optviz.Momentum(momentum=0.9), 4) == pytest.approx(0.95, rel=1e-14)
    assert stability.max_lr(SGD(), 0) == stability.max_curvature(SGD(lr=0)) == math.inf
    assert stability.limit(SGD(lr=0)) == 2
    assert stability.max_lr(SGD(momentum=1.5), 1) == stability.limit(SGD(momentum=0.9, dampening=1.5)) == 0
    assert stability.max_lr(SGD(weight_decay=0.5), 0) == pytest.approx(4, rel=1e-14)
    assert stability.max_lr(SGD(weight_decay=0.5), -0.5) == stability.max_lr(SGD(), -1) == math.inf


# what stands under their roots is no running mean of squares
NO_SPREAD = ("Adamax", "Adadelta", "AdaBelief", "Yogi", "Adan")


def test_every_rule_has_a_limit_or_a_reason():
    for name, cls in rules().items():
        rule = cls()
        said = stability.why_not(rule)
        assert (stability.limit(rule) is None) == (stability.transition(rule, 1.0) is None) == bool(said)
        assert (stability.rate(rule, [1.0]) is None) == bool(said)
        assert (noise.update_spread(rule, 1.0) is None) == (bool(said) or name in NO_SPREAD)
        assert said.count(".") == bool(said) and (name in said) == bool(said)
    assert [n for n, cls in rules().items() if stability.why_not(cls())] == [
        "Rprop",
        "Lion",
        "Newton",
        "QHAdam",
        "ADOPT",
        "AdaBound",
        *(cls.__name__ for module in (coupled, averaging) for cls in own_classes(module.__name__, Rule)),
    ]
    torch = pytest.importorskip("torch")
    assert "runs through torch" in stability.why_not(optviz.TorchOptimizer(torch.optim.SGD, lr=0.1))


def test_lanes_are_asked_for_one_by_one():
    with pytest.raises(ValueError, match="one value a hyperparameter, not 2; ask for each lane"):
        stability.limit(SGD(lr=[0.1, 0.2]))


# Laws: the runs do what was said


def bowls(count: int):
    random = np.random.default_rng(4)
    for _ in range(count):
        yield RotatedQuadratic(condition=random.uniform(1, 30), angle=random.uniform(0, 90))


@pytest.mark.parametrize("rule", LINEAR, ids=shown)
def test_a_run_converges_below_the_limit_and_diverges_above(rule):
    for bowl in bowls(3):
        most = stability.max_lr(rule, stability.spectrum(bowl, (0, 0))["values"][-1])
        for share, stable in ((0.97, True), (1.03, False)):
            tried = type(rule)(**{**rule.values(), "lr": share * most})
            run = descend(bowl, tried, bowl.starts[0], 4000)
            assert bool(run.diverged[0] == 0 and run.loss[-1, 0] < 1e-6 * run.loss[0, 0]) == stable
            assert stability.prediction(tried, bowl, (0, 0))["stable"] == stable


@pytest.mark.parametrize("rule", [*LINEAR, TwoMomenta(lr=0.05)], ids=shown)
def test_rates_are_those_of_runs(rule):
    for bowl in bowls(2):
        values = stability.spectrum(bowl, (0, 0))["values"]
        for share in (0.2, 0.8):
            tried = type(rule)(**{**rule.values(), "lr": share * stability.max_lr(rule, values[-1])})
            wanted = stability.rate(tried, values)
            steps = min(int(-60 / math.log(wanted)), 20000)
            run = descend(bowl, tried, bowl.starts[0], steps)
            far = np.hypot(*run.x[:, 0].T)
            # envelopes: an oscillation passes through zero
            ends = [far[k : k + 50].max() for k in (steps // 3, steps - 50)]
            measured = (ends[1] / ends[0]) ** (1 / (steps - 50 - steps // 3))
            assert 1 - measured == pytest.approx(1 - wanted, rel=0.02)


@pytest.mark.parametrize("momentum", [1.01, 1.05, 1.5, 4.0])
def test_nesterov_with_a_momentum_above_1_needs_a_rate_above_its_least(momentum):
    """Stable from 1 - 1 / m up to (2 + 2 m) / (1 + 2 m) of lr * curvature, and not from 0 on."""
    rule = SGD(lr=1.0, momentum=momentum, nesterov=True)
    ends = stability.min_lr(rule, 3.0), stability.max_lr(rule, 3.0)
    np.testing.assert_allclose(ends, [(1 - 1 / momentum) / 3, (2 + 2 * momentum) / (1 + 2 * momentum) / 3], rtol=1e-9)
    bowl = optviz.objective(lambda x, y: 1.5 * (x**2 + y**2))
    for lr, stable in (
        (0.8 * ends[0], False),
        (1.25 * ends[0], True),
        (0.98 * ends[1], True),
        (1.02 * ends[1], False),
    ):
        rule = SGD(lr=lr, momentum=momentum, nesterov=True)
        run = descend(bowl, rule, (1, 1), 6000)
        assert bool(run.diverged[0] == 0 and run.loss[-1, 0] < 1e-6) == stable
        assert stability.prediction(rule, bowl, (0, 0))["stable"] == stable == (stability.rate(rule, [3.0]) < 1)


def test_no_other_rule_needs_a_least_rate():
    for rule in (*LINEAR, *FROZEN, TwoMomenta(), SGD(momentum=1.0), SGD(momentum=1.0, nesterov=True)):
        assert stability.min_lr(rule, 2.0) == 0
    assert stability.min_lr(optviz.Lion(), 2.0) is None


@pytest.mark.parametrize("rule, most", [
    (SGD(lr=0.1, momentum=1.0), 4), (optviz.Momentum(lr=0.1, momentum=1.0), 4), (optviz.RMSprop(momentum=1.0), 4),
    (SGD(lr=0.1, momentum=1.0, nesterov=True), 4 / 3), (SGD(lr=0.1, momentum=0.9, dampening=1.0), math.inf),
], ids=str)  # fmt: skip
def test_what_never_fades_is_bounded_up_to_its_limit(rule, most):
    assert stability.limit(rule) == pytest.approx(most, rel=1e-11)
    assert stability.max_lr(rule, 5.0) == pytest.approx(most / 5, rel=1e-11)


def test_runs_without_fading_do_what_is_said():
    bowl = optviz.objective(lambda x, y: (x**2 + 4 * y**2) / 2)
    swings = descend(bowl, SGD(lr=0.2, momentum=1.0), (1, 1), 3000)
    assert stability.rate(SGD(lr=0.2, momentum=1.0), [1.0, 4.0]) == pytest.approx(1, abs=1e-12)
    assert 0.5 < np.abs(swings.x[2000:]).max() < 3
    assert descend(bowl, SGD(lr=1.03, momentum=1.0), (1, 1), 3000).diverged[0] > 0
    for lr in (0.2, 50.0):
        stops = descend(bowl, SGD(lr=lr, momentum=0.9, dampening=1.0), (1, 1), 900)
        np.testing.assert_allclose(stops.final[0], 1 - lr * np.array([1, 4]) / (1 - 0.9), rtol=1e-12)
        assert stability.rate(SGD(lr=lr, momentum=0.9, dampening=1.0), [1.0, 4.0]) == 1


def nadam_step(t, curvature, lr=0.1, beta=0.9, pace=4e-3):
    """NAdam's map of (x, m) at step t of divisor 1, written from Dozat's formulas."""
    mu = [beta * (1 - 0.5 * 0.96 ** (k * pace)) for k in range(1, t + 2)]
    ahead, kept = (1 - mu[-2]) / (1 - math.prod(mu[:-1])), mu[-1] / (1 - math.prod(mu))
    moved = (1 - beta) * curvature
    return np.array([[1 - lr * (ahead * curvature + kept * moved), -lr * kept * beta], [moved, beta]])


@pytest.mark.parametrize("t", [1, 10, 100, 300])
def test_nadams_limit_is_that_of_its_steps_momentum(t):
    """Its momentum needs some ten thousand steps to warm up: until then the limit is 0.81 of the last one."""
    rule, bowl = optviz.NAdam(lr=0.1), Quadratic()
    run = descend(bowl, rule, bowl.starts[0], t)
    terms = stability.frozen_terms(rule, run, t)
    found = stability.prediction(rule, bowl, (0, 0), terms, t)
    roots = np.sqrt(run.terms["v"][t - 1, 0] / (1 - 0.999**t)) + 1e-8
    steepest = max(np.array([0.2, 4.0]) / roots)
    for share, inside in ((0.999, True), (1.001, False)):
        step = nadam_step(t, steepest, lr=share * found["limit"])
        assert (np.abs(np.linalg.eigvals(step)).max() < 1) == inside
    slow = [np.abs(np.linalg.eigvals(nadam_step(t, c))).max() for c in np.array([0.2, 4.0]) / roots]
    assert found["rate"] == pytest.approx(max(slow), rel=1e-9)
    assert found["limit"] / stability.max_lr(rule, found["values"][-1]) == pytest.approx(0.80, abs=0.01)
    late = stability.max_lr(rule, 1.0, [{"v": 1.0, "mu_product": 0.0}], 10**7)
    assert late == pytest.approx(stability.max_lr(rule, 1.0), rel=1e-9)


def pinned(rule, curvature, steps: int, frozen: dict) -> float:
    """How much |x| grew over the rule's own late steps with its frozen terms held where P is 1."""
    h = SimpleNamespace(**{**rule.values(), "eps": 0.0})
    memory = SimpleNamespace(**{**dict.fromkeys(rule.memory, 0.0), **frozen})
    x, seen = 1.0, []
    for t in range(10**7, 10**7 + steps):
        named = {}

        def let(name, value, named=named):
            named[name] = frozen.get(name, value)
            return named[name]

        with np.errstate(over="ignore"):
            x = x + rule.update(h, memory, x, curvature * x, t, let, ARRAYS)
        memory.__dict__.update(named)
        seen.append(abs(x))
        if x > 1e100:
            return math.inf
    return max(seen[-100:]) / max(seen[:100])


@pytest.mark.parametrize("rule", FROZEN, ids=shown)
def test_frozen_rules_obey_their_limit_while_frozen(rule):
    frozen = {n: 0.0 if n in ("mu_product", "m") else 1.0 for n in linear.form_for(rule).frozen}
    inside = 0 if linear.form_for(rule).decoupled else rule.weight_decay  # in the curvature already
    for share, stable in ((0.97, True), (1.03, False)):
        curvature = share * stability.max_curvature(rule) - inside
        assert (pinned(rule, curvature, 1000, frozen) < 1) == stable
    measured = pinned(rule, 1.0 - inside, 1000, frozen) ** (1 / 900)
    assert 1 - measured == pytest.approx(1 - stability.rate(rule, [1.0]), rel=0.02)


def test_the_preconditioner_is_the_one_of_the_paper():
    rule, bowl = Adam(lr=0.1, weight_decay=0.1, eps=1e-3), RotatedQuadratic(condition=50, angle=20)
    run, t = descend(bowl, rule, (1, 0.5), 7), 5
    v_hat = run.terms["v"][t - 1, 0] / (1 - 0.999**t)
    wanted = (1 - 0.9**t) * (np.sqrt(v_hat) + 1e-3)
    found = stability.preconditioned(rule, bowl, run.x[t, 0], stability.frozen_terms(rule, run, t), t)
    np.testing.assert_allclose(found["preconditioner"], wanted, rtol=1e-12)
    values = np.linalg.eigvals(np.diag(1 / wanted) @ (bowl.hessian(0, 0) + 0.1 * np.eye(2)))
    np.testing.assert_allclose(found["values"], np.sort(values), rtol=1e-12)
    assert stability.preconditioned(SGD(), bowl, (0, 0), [{}, {}], 1)["preconditioner"] == [1.0, 1.0]


def test_adam_settles_at_its_edge_of_stability():
    """arXiv 2207.14484: the sharpness of P^-1 H rises to 38 / lr and stays about there, falling after it was above."""
    rule, bowl = Adam(lr=0.1), RotatedQuadratic(condition=100, angle=30)
    run = descend(bowl, rule, (1, 0.5), 6000)
    seen = [stability.preconditioned(rule, bowl, (0, 0), stability.frozen_terms(rule, run, t), t)["values"][-1]
            for t in (100, *range(3000, 6000, 100))]  # fmt: skip
    assert seen[0] < 0.3 * 380
    assert 0.85 * 380 < np.mean(seen[1:]) < 380 < max(seen[1:]) < 1.15 * 380


# Curvature


def test_spectra():
    found = stability.spectrum(Rosenbrock(), (1, 1))
    assert found["values"][-1] == pytest.approx(1001.6, abs=0.01) and round(found["condition"]) == 2508
    assert stability.max_lr(SGD(), found["values"][-1]) == pytest.approx(0.0019968, abs=1e-7)
    random = np.random.default_rng(0)
    for matrix in random.standard_normal((50, 2, 2)):
        matrix = matrix + matrix.T
        values, vectors = np.linalg.eigh(matrix)
        ours = stability.eigen(matrix)
        np.testing.assert_allclose(ours["values"], values, rtol=1e-12)
        np.testing.assert_allclose(np.abs(np.sum(np.array(ours["vectors"]) * vectors.T, axis=1)), 1, rtol=1e-12)
    three = stability.eigen(np.diag([3.0, 1.0, 2.0]))
    assert three["values"] == [1.0, 2.0, 3.0] and three["condition"] == 3
    assert stability.eigen(np.diag([-1.0, 2.0]))["condition"] == math.inf


def test_spectral_radii():
    random = np.random.default_rng(1)
    for size in (1, 2, 3, 4):
        for matrix in random.standard_normal((30, size, size)):
            wanted = np.abs(np.linalg.eigvals(matrix)).max()
            assert stability.spectral_radius(matrix) == pytest.approx(wanted, rel=1e-8)


def test_himmelblaus_minima():
    """Limits 2 / lmax at the four minima; below it descent returns, above it leaves."""
    himmelblau = Himmelblau()
    limits = [stability.max_lr(SGD(), stability.spectrum(himmelblau, m)["values"][-1]) for m in himmelblau.minima]
    assert [round(v, 4) for v in limits] == [0.0243, 0.0248, 0.0149, 0.0190]
    for minimum, most in zip(np.array(himmelblau.minima), limits, strict=True):
        ends = [np.hypot(*(descend(himmelblau, SGD(lr=share * most), minimum + 1e-3, 400).final[0] - minimum))
                for share in (0.97, 1.03)]  # fmt: skip
        assert ends[0] < 1e-5 and ends[1] > 1e-2


def test_the_best_settings_are_the_best():
    found = stability.best(0.2, 4)["heavy ball"]
    assert [round(found[n], d) for n, d in (("lr", 3), ("momentum", 3), ("rate", 4))] == [0.668, 0.403, 0.6345]
    assert stability.best(0.2, 4)["descent"] == {"lr": 2 / 4.2, "momentum": 0.0, "rate": pytest.approx(3.8 / 4.2)}
    values = [0.2, 1.0, 4.0]
    for settings in stability.best(0.2, 4).values():
        lr, momentum = settings["lr"], settings["momentum"]
        assert stability.rate(SGD(lr=lr, momentum=momentum), values) == pytest.approx(settings["rate"], rel=1e-7)
        for a, m in ((1.05, 1), (0.95, 1), (1, 0.9), (1, 1.1)):
            assert stability.rate(SGD(lr=a * lr, momentum=m * momentum), values) >= settings["rate"] - 1e-7


# The sentence


@pytest.mark.parametrize("rule, sentence, stable", [
    (SGD(lr=0.55), "lr 0.55 is above the limit 0.5: it will diverge along y.", False),
    (SGD(lr=0.5), "lr 0.5 is at the limit 0.5: it will neither settle nor diverge along y.", False),
    (SGD(lr=0.4), "lr 0.4 is below the limit 0.5: it will converge, by a factor of 0.92 a step in the end.", True),
    (SGD(lr=0.0), "At lr 0 it stays where it is.", True),
    (SGD(lr=1e-5), "lr 1e−05 is below the limit 0.5: it will converge, but slowly: each step takes 2e−06 of the "
     "distance off.", True),
    (SGD(lr=0.1, momentum=0.9, dampening=1), "No step but the first looks at the gradient: it stops at "
     "x₀ − lr g₀ / (1 − 0.9), wherever that is.", True),
    (SGD(lr=0.1, momentum=1, dampening=1), "No step but the first looks at the gradient, and each repeats the one "
     "before: it goes on as it began.", False),
    (optviz.Inertia(lr=0.1, momentum=1), "No step but the first looks at the gradient, and each repeats the one "
     "before: it goes on as it began.", False),
    (SGD(lr=0.1, momentum=1.2, dampening=1), "No step but the first looks at the gradient, and each is 1.2 times as "
     "long as the one before: it will diverge.", False),
    (SGD(lr=0.1, momentum=1), "lr 0.1 is below the limit 1, but nothing fades: it will swing for ever as it "
     "began.", True),
    (SGD(lr=1.1, momentum=1), "lr 1.1 is above the limit 1: it will diverge along y.", False),
    (SGD(lr=0.1, momentum=1.2), "No learning rate is stable with these settings: it will diverge along y.", False),
    (SGD(lr=0.1, momentum=1.05, nesterov=True), "lr 0.1 is below 0.2381, which such a momentum needs along x: it will "
     "diverge that way.", False),
    (SGD(lr=0.3, momentum=1.05, nesterov=True), "lr 0.3 is below the limit 0.3306: it will converge, by a factor of "
     "0.9935 a step in the end.", True),
    (Adam(lr=0.1), "It is stable while lr times the largest curvature of P⁻¹H is below 38; P, what it divides by, "
     "moves with its gradients.", None),
    (optviz.RMSprop(momentum=2), "No learning rate is stable with these settings.", None),
    (optviz.Lion(), "Lion does not step in proportion to the gradient: no limit follows from a curvature.", None),
])  # fmt: skip
def test_the_prediction_in_words(rule, sentence, stable):
    found = stability.prediction(rule, Quadratic(), (0, 0))
    assert (found["sentence"], found["stable"]) == (sentence, stable)


def test_the_prediction_names_directions():
    assert "diverge along (−0.50, 0.87)" in stability.prediction(
        SGD(lr=1), RotatedQuadratic(condition=10, angle=30), (0, 0))["sentence"]  # fmt: skip
    assert stability.prediction(SGD(lr=1), RotatedQuadratic(condition=10, angle=80), (0, 0))["along"] == "x"
    saddle = optviz.objective(lambda x, y: x**2 - y**2)
    assert "converge" in stability.prediction(SGD(lr=0.1, weight_decay=3), saddle, (0, 0))["sentence"]
    assert "bends down along y: no minimum" in stability.prediction(SGD(lr=0.1), saddle, (0, 0))["sentence"]
    rule, bowl = Adam(lr=0.1), Quadratic()
    run = descend(bowl, rule, (-5, -2), 20)
    found = stability.prediction(rule, bowl, run.x[20, 0], stability.frozen_terms(rule, run, 20), 20)
    assert "with its present denominators" in found["sentence"] and found["stable"]
    assert found["limit"] == pytest.approx(38 / found["values"][-1], rel=1e-12)


@pytest.mark.parametrize("cls", [type(rule) for rule in FROZEN[:1]] + [optviz.RMSprop, optviz.Adagrad, optviz.Adadelta])
def test_denominators_of_any_size_are_no_error(cls):
    bowl = Quadratic()
    names = linear.form_for(cls()).frozen
    for rule in (cls(lr=0), cls(lr=0.1), cls(lr=0.1, eps=0)):
        for size in (0.0, 1e-300, 1.0, 1e300, math.inf, math.nan):
            terms = [dict.fromkeys(names, size), dict.fromkeys(names, 1.0)]
            found = stability.prediction(rule, bowl, (0, 0), terms, 3)
            finite = all(math.isfinite(v) for v in stability.preconditioned(rule, bowl, (0, 0), terms, 3)["values"])
            assert finite == (found["stable"] is not None) != ("not finite" in found["sentence"])
    ones = [dict.fromkeys(names, 1.0)] * 2
    still, moving = (stability.preconditioned(cls(lr=lr), bowl, (0, 0), ones, 3) for lr in (0, 0.1))
    np.testing.assert_allclose(still["values"], moving["values"], rtol=1e-12)


# Noise


def test_a_hyperparameter_may_have_any_name():
    class Renamed(Rule):
        """RMSprop whose numbers are called what theory could have called its own."""

        lr, k, power, eps = rate(0.01), Hyperparameter(1.0), velocity_kept(0.99), Hyperparameter(1e-8)
        memory = {"v": 0.0}

        @staticmethod
        def update(h, memory, x, g, t, let, xp):
            v = let("v", h.power * memory.v + (1 - h.power) * g**2)
            return let("step", -h.lr * h.k * g / (xp.sqrt(v) + h.eps))

    ours, theirs = Renamed(lr=0.1, power=0.9), optviz.RMSprop(lr=0.1, alpha=0.9)
    assert noise.stationary_variance(ours, 2.0, 0.4) == pytest.approx(noise.stationary_variance(theirs, 2.0, 0.4))
    found = [stability.preconditioner(rule, {"v": 0.3}, 5) for rule in (ours, theirs)]
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_spreads_of_updates():
    """The stationary variances under iid noise, with and without curvature."""
    a, m, s, t = 0.1, 0.9, 1.7, 0.3
    plain = a * s / math.sqrt(1 - m**2)
    wanted = [
        (SGD(lr=a), a * s),
        (SGD(lr=a, momentum=m), plain),
        (optviz.Momentum(lr=a, momentum=m), plain),
        (SGD(lr=a, momentum=m, dampening=t), plain * (1 - t)),
        (SGD(lr=a, momentum=m, nesterov=True), plain * math.sqrt(1 + 2 * m - 2 * m**3)),
        (optviz.Inertia(lr=a, momentum=m), plain * (1 - m)),
        (Adam(lr=a, eps=0), a * math.sqrt(0.1 / 1.9)),
    ]
    for rule, value in wanted:
        assert noise.update_spread(rule, s) == pytest.approx(value, rel=1e-12), rule
    assert math.isnan(noise.update_spread(optviz.Adagrad(), s))


def test_spreads_are_those_of_filtered_noise():
    draws = np.random.default_rng(0).standard_normal(100_000)
    for rule in (optviz.Momentum(lr=0.1, momentum=0.95), optviz.Inertia(lr=0.1, momentum=0.8), SGD(momentum=0.9)):
        for clip in (None, 1.0, 0.5):
            measured = filtered(rule, draws, clip=clip)[1000:].std()
            assert noise.update_spread(rule, 1.0, clip=clip) == pytest.approx(measured, rel=0.02)
    walk = descend(optviz.objective(lambda x, y: 0 * x + 0 * y), Adam(lr=0.1), (0, 0), 900, noise=3.0, seed=SEEDS)
    assert noise.update_spread(Adam(lr=0.1), 3.0) == pytest.approx(walk.updates[500:].std(), rel=0.03)


def test_bands_of_a_falling_rate_are_those_of_single_parameter():
    rates = LinearDecay(decay=0.002, every=1).rates(0.1, 40)[:, 0]
    rule = optviz.Momentum(lr=0.1, momentum=0.9)
    bands = noise.update_spread(rule, 1.0, clip=1.0, rates=rates)
    np.testing.assert_allclose(bands, rates * noise.clipped_deviation(1, 1) / math.sqrt(1 - 0.81), rtol=1e-12)
    draws = np.random.default_rng(0).standard_normal((60, 40 * 591))
    runs = [filtered(rule, g, clip=1.0, rates=np.repeat(rates, 591)) for g in draws]
    measured = np.reshape(runs, (60, 40, 591))[:, :, 100:].std(axis=(0, 2))
    np.testing.assert_allclose(bands, measured, rtol=0.03)


def test_the_mean_update_under_a_constant_gradient():
    steps = filtered(SGD(lr=0.1, momentum=0.9), np.full(500, 2.0))
    assert steps[-1] == pytest.approx(-0.1 * 2 / (1 - 0.9), rel=1e-9)


def test_a_clipped_normal():
    draws = np.random.default_rng(0).standard_normal(500_000)
    for s, clip in ((1, 0.5), (1, 1), (2, 1), (1, 2.5), (1, 5)):
        measured = np.clip(s * draws, -clip, clip).std()
        assert noise.clipped_deviation(s, clip) == pytest.approx(measured, rel=5e-3)
    assert noise.clipped_deviation(0, 1) == 0 and noise.clipped_deviation(1, 1e9) == 1


def test_stationary_variances():
    a, s = 0.1, 1.7
    for curvature in (0.3, 1, 15):
        for m in (0, 0.5, 0.9):
            wanted = a * s**2 * (1 + m) / (curvature * (1 - m) * (2 * (1 + m) - a * curvature))
            found = noise.stationary_variance(SGD(lr=a, momentum=m), curvature, s)
            assert found == pytest.approx(wanted, rel=1e-11)
            assert noise.excess_loss(SGD(lr=a, momentum=m), [curvature], s) == pytest.approx(curvature / 2 * wanted)
    assert noise.stationary_variance(SGD(lr=1), 2.1, 1.0) == math.inf
    assert noise.stationary_variance(optviz.Lion(), 1.0, 1.0) is None


def test_the_lyapunov_equation():
    random = np.random.default_rng(2)
    for size in (1, 2, 4):
        matrix, take = random.standard_normal((size, size)), random.standard_normal((size, 1))
        matrix *= 0.999 / np.abs(np.linalg.eigvals(matrix)).max()
        np.testing.assert_allclose(
            noise.lyapunov(matrix, take), solve_discrete_lyapunov(matrix, take @ take.T), rtol=1e-8
        )
    assert noise.lyapunov(np.array([[1.01]]), np.array([[1.0]]))[0, 0] == math.inf


def test_noise_leaves_what_was_said():
    rule, bowl = SGD(lr=0.05, momentum=0.8, nesterov=True), RotatedQuadratic(condition=8, angle=30)
    run = descend(bowl, rule, (0, 0), 500, noise=0.7, seed=SEEDS)
    tail = run.x[200:].reshape(-1, 2)
    wanted = noise.stationary_covariance(rule, bowl.hessian(0, 0), 0.7)
    np.testing.assert_allclose(np.cov(tail.T), wanted, rtol=0.08, atol=0.02 * wanted.max())
    values = stability.spectrum(bowl, (0, 0))["values"]
    assert noise.excess_loss(rule, values, 0.7) == pytest.approx(run.loss[200:].mean(), rel=0.05)
    assert noise.stationary_covariance(Adam(), bowl.hessian(0, 0), 0.7) is None
    assert np.isposinf(noise.stationary_covariance(SGD(lr=1), bowl.hessian(0, 0), 0.7)).all()


@pytest.mark.parametrize("rule", [Adam(lr=0.02), optviz.RMSprop(lr=0.02, momentum=0.5)], ids=shown)
def test_noise_around_a_minimum_with_frozen_squares_is_nearly_what_was_said(rule):
    bowl = optviz.objective(lambda x, y: (x**2 + 5 * y**2) / 2)
    tail = descend(bowl, rule, (0, 0), 1500, noise=0.7, seed=SEEDS).x[700:]
    found = [noise.stationary_variance(rule, curvature, 0.7) for curvature in (1, 5)]
    np.testing.assert_allclose(found, tail.var(axis=(0, 1)), rtol=0.12)


@pytest.mark.parametrize("rule, curvature, s", [
    (optviz.RMSprop(lr=0.3), 1.0, 0.1), (optviz.RMSprop(lr=0.3), 1.0, 0.0), (optviz.RMSprop(lr=0.1), 10.0, 0.1),
    (optviz.RMSprop(lr=0.1, momentum=0.9), 10.0, 0.1), (optviz.RMSprop(lr=0.3, weight_decay=1), 1.0, 0.1),
    (optviz.RMSprop(lr=0.3, centered=True), 1.0, 0.1),
], ids=str)  # fmt: skip
def test_steps_too_large_for_the_noise_are_held_by_the_squares_they_make(rule, curvature, s):
    """With the squares of noise alone each is unstable: its own x makes them larger."""
    bowl = optviz.objective(lambda x, y: curvature / 2 * (x**2 + y**2))
    tail = descend(bowl, rule, [(0.1, 0.1)] * len(SEEDS), 1200, noise=s, seed=SEEDS).x[600:]
    assert noise.stationary_variance(rule, curvature, s) == pytest.approx(np.mean(tail**2), rel=0.03)
    assert noise.stationary_variance(rule, curvature, 0.0) > 0.02 * rule.lr**2  # what it would swing by without noise


@pytest.mark.parametrize("lr", [0.3, 10])
def test_nadams_variance_begins_from_above(lr):
    rule, bowl = optviz.NAdam(lr=lr, beta2=0.99, momentum_decay=0.1), optviz.objective(lambda x, y: (x**2 + y**2) / 2)
    tail = descend(bowl, rule, [(0.1, 0.1)] * 100, 2000, noise=0.1, seed=SEEDS[:100]).x[1200:]
    assert noise.stationary_variance(rule, 1.0, 0.1) == pytest.approx(np.mean(tail**2), rel=0.02)


def test_floors_without_noise_and_without_a_hold():
    """Without noise RMSprop ends in x = lr / 2, -lr / 2, ...; rules that stand still, and bowls without a floor."""
    assert noise.stationary_variance(optviz.RMSprop(lr=0.3, eps=0), 1.0, 0.0) == pytest.approx(0.15**2, rel=1e-12)
    assert noise.stationary_variance(optviz.RMSprop(lr=0.1, eps=1), 1.0, 0.0) == 0
    assert noise.stationary_variance(SGD(lr=0.1), 1.0, 0.0) == 0
    assert noise.stationary_variance(SGD(lr=3), 1.0, 0.0) == math.inf
    for rule, curvature in ((optviz.RMSprop(lr=0), 1.0), (optviz.RMSprop(momentum=1.0), 1.0), (Adam(), 0.0)):
        assert noise.stationary_variance(rule, curvature, 0.1) == math.inf
    assert math.isnan(noise.stationary_variance(Adam(), math.inf, 0.1))


def test_what_never_settles_has_no_floor():
    assert math.isnan(noise.stationary_variance(optviz.Adagrad(), 10.0, 1.5))
    assert math.isnan(noise.excess_loss(optviz.Adagrad(), [10.0], 1.5))


def test_adadeltas_squared_steps_stay_near_eps():
    """Their only fixed point, the mean square of the gradients, is where no run of it goes."""
    bowl, rule = optviz.objective(lambda x, y: 5 * (x**2 + y**2)), optviz.Adadelta(lr=0.1)
    run = descend(bowl, rule, (0, 0), 1500, noise=1.5, seed=SEEDS[:50])
    assert 5e-6 < np.mean(run.terms["u"][500:]) < 9e-6 and 1e-5 < np.mean(run.x[500:] ** 2) < 4e-5
    assert noise.stationary_variance(rule, 10.0, 1.5) is None


@pytest.mark.parametrize(
    "rule", [Belief(), Absolute(), optviz.Adadelta(), optviz.Adamax(), Adam(amsgrad=True)], ids=shown
)
def test_denominators_that_the_mean_square_does_not_tell_are_unknown(rule):
    assert noise.stationary_variance(rule, 1.0, 0.1) is None and noise.excess_loss(rule, [1.0, 2.0], 0.1) is None
    assert noise.update_spread(rule, 1.0) is None and noise.update_spread(rule, 1.0, rates=[0.1, 0.2]) is None
    assert stability.limit(rule) is not None
