"""Linear rules as filters: the plain loop's updates without the loop."""

import numpy as np
import pytest
from oracles import one_sentence, reference, rules

from optviz import SGD, Hyperparameter, Inertia, Momentum, Rule, descend, objective
from optviz.rules import schedules
from optviz.runs.linear_filter import filtered

N = 23640
GRADIENTS = np.random.default_rng(0).standard_normal(N)


def seed_rates(lr, decay):
    return np.repeat(np.maximum(lr - decay * np.arange(40), 0.001), 591)


def plain_loop(momentum, rates, clip):
    u, updates = 0.0, []
    for rate, g in zip(rates.tolist(), GRADIENTS.tolist(), strict=True):
        u = momentum * u - rate * max(-clip, min(clip, g))
        updates.append(u)
    return np.array(updates)


@pytest.mark.parametrize("case", reference("noise_updates"), ids=lambda c: str(c["momentum"]))
def test_the_seeds_updates(case):
    rule = Momentum(lr=case["lr"], momentum=case["momentum"])
    updates = filtered(rule, GRADIENTS, clip=case["clip"], rates=seed_rates(case["lr"], case["decay_step"]))
    for part, key in ((updates[:20], "first"), (updates[-20:], "last"), (updates[590::591], "end_of_epoch")):
        np.testing.assert_allclose(part, case[f"{key}_updates"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.95, 0.99])
@pytest.mark.parametrize(("decay", "clip"), [(0.0, 5.0), (0.002, 5.0), (0.005, 0.5)])
def test_momentum_is_the_plain_loop(momentum, decay, clip):
    rates = seed_rates(0.1, decay)
    updates = filtered(Momentum(lr=0.1, momentum=momentum), GRADIENTS, clip=clip, rates=rates)
    np.testing.assert_allclose(updates, plain_loop(momentum, rates, clip), rtol=0, atol=1e-12)


def test_the_baseline_is_the_gradient_times_the_rate():
    np.testing.assert_array_equal(filtered(SGD(lr=0.1), GRADIENTS), -0.1 * GRADIENTS)


LINEAR = [
    SGD(lr=0.1), SGD(lr=0.1, momentum=0.8), SGD(lr=0.1, momentum=0.8, dampening=0.3),
    SGD(lr=0.1, momentum=0.8, nesterov=True), Momentum(lr=0.2, momentum=0.7), Inertia(lr=0.3, momentum=0.6),
]  # fmt: skip


@pytest.mark.parametrize("rule", LINEAR, ids=repr)
@pytest.mark.parametrize("decay", [0.0, 0.02])
def test_a_linear_rule_takes_descends_steps(rule, decay):
    """On a flat surface with noise the loop meets the very gradients that are filtered."""
    schedule = schedules.LinearDecay(decay=decay, every=30, floor=0.01)
    flat = objective(lambda x, y: 0 * x)
    run = descend(flat, rule, (0, 0), 200, noise=1.0, seed=5, clip=1.2, schedule=schedule)
    for column in range(2):
        g = np.random.default_rng(5).standard_normal((200, 2))[:, column]
        got = filtered(rule, g, clip=1.2, rates=run.rates[:, 0])
        np.testing.assert_allclose(got, run.updates[:, 0, column], rtol=0, atol=1e-12)


def test_carried_terms_that_feed_each_other_in_a_row():
    class Twice(Rule):
        """A mean of means, with a first value."""

        memory = {"outer": 0.0, "inner": 1.5, "unused": 0.0}

        @staticmethod
        def update(h, memory, x, g, t, let, xp):
            outer = let("outer", 0.9 * memory.outer + 0.5 * memory.inner)
            let("inner", 0.7 * memory.inner + g)
            let("unused", g**2)
            return let("step", -outer - 0.1 * g)

    outer, inner, steps = 0.0, 1.5, []
    for g in GRADIENTS[:300]:
        outer, inner = 0.9 * outer + 0.5 * inner, 0.7 * inner + g
        steps.append(-outer - 0.1 * g)
    np.testing.assert_allclose(filtered(Twice(), GRADIENTS[:300]), steps, rtol=0, atol=1e-12)


def test_a_mean_that_counts_its_steps_and_hyperparameters_of_any_name():
    class Mean(Rule):
        """The mean of all gradients so far: what is kept changes with the step, and k is its own."""

        k, power = Hyperparameter(0.3), Hyperparameter(2.0)
        memory = {"m": 0.0}

        @staticmethod
        def update(h, memory, x, g, t, let, xp):
            let("m", 0.5 * memory.m + g)
            return let("step", -h.k * h.power * (memory.m / (t + 1) + g))

    m, steps = 0.0, []
    for t, g in enumerate(GRADIENTS[:300]):
        steps.append(-0.6 * (m / (t + 2) + g))
        m = 0.5 * m + g
    np.testing.assert_allclose(filtered(Mean(), GRADIENTS[:300]), steps, rtol=0, atol=1e-12)


def test_one_gradient():
    np.testing.assert_allclose(filtered(Momentum(lr=0.5), [2.0]), [-1.0])


@pytest.mark.parametrize("cls", rules())
def test_every_rule_is_filtered_or_refused_in_a_sentence(cls):
    try:
        assert filtered(cls(), GRADIENTS[:50]).shape == (50,)
        assert cls.__name__ in ("SGD", "Momentum", "Inertia")
    except ValueError as refusal:
        assert one_sentence(str(refusal)) and "linear" in str(refusal) and cls.__name__ in str(refusal)
        assert cls.__name__ not in ("SGD", "Momentum", "Inertia")


def test_weight_decay_looks_at_x():
    with pytest.raises(ValueError, match="free of x"):
        filtered(SGD(lr=0.1, weight_decay=0.1), GRADIENTS)


@pytest.mark.parametrize(("settings", "word"), [
    ({"gradients": []}, "shape"), ({"gradients": [[1.0]]}, "shape"), ({"gradients": [1.0, np.nan]}, "finite"),
    ({"gradients": "steep"}, "numbers"), ({"rates": [0.1]}, "shape"), ({"rates": [0.1, np.inf, 1]}, "finite"),
    ({"clip": 0}, "clip"), ({"clip": "much"}, "clip"), ({"rule": Momentum(lr=[0.1, 0.2])}, "one value"),
    ({"rule": "SGD"}, "rule"),
])  # fmt: skip
def test_bad_input(settings, word):
    settings = {"rule": Momentum(), "gradients": [1.0, 2.0, 3.0], **settings}
    with pytest.raises(ValueError, match=word) as caught:
        filtered(settings.pop("rule"), settings.pop("gradients"), **settings)
    assert one_sentence(str(caught.value)), caught.value
