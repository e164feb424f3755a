"""The lesson of random gradients: what theory expects of the updates, and the parameter that they make."""

import numpy as np
import pytest
from oracles import reference

from optviz import SingleParameter
from optviz.theory.noise import clipped_deviation


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.95])
@pytest.mark.parametrize("clip", [0.5, 1.0, 5.0])
def test_the_predicted_spread_is_the_measured_one(momentum, clip):
    made = SingleParameter(momentum=momentum, clip=clip, lr=0.2, seed=5)
    correlated = (1 + momentum**2) / (1 - momentum**2)  # neighbours tell the same: so many fewer samples
    error = np.sqrt(correlated / (2 * 591))
    ratio = made.spread / made.expected
    assert np.abs(ratio - 1).max() < 4 * error + 0.1 * (momentum > 0.8)  # each from epochs that begin with the last one
    assert ratio.mean() == pytest.approx(1, abs=4 * error / np.sqrt(40) + 0.03)


@pytest.mark.parametrize("momentum, share", [(0.0, 0.998), (0.95, 0.997), (0.99, 0.975)])
def test_spreads_are_about_zero_as_predicted(momentum, share):
    """An epoch's updates hang together: about their own mean they spread less, by 17 % at momentum 0.99."""
    made = [SingleParameter(momentum=momentum, seed=seed) for seed in range(8)]
    seen = [np.sqrt(np.mean(one.updates.reshape(40, 591) ** 2, axis=1)) for one in made]
    np.testing.assert_allclose([one.spread for one in made], seen, rtol=1e-12)
    assert np.mean([one.spread / one.expected for one in made]) == pytest.approx(share, abs=0.012)
    assert f"±{made[0].spread[0]:.3f}" in made[0].status()


def test_the_closed_form_of_the_spread():
    made = SingleParameter(momentum=0.8, clip=1.5, lr=0.3, decay=0.005)
    rates = np.maximum(0.3 - 0.005 * np.arange(40), 0.001)
    np.testing.assert_allclose(made.expected, rates * clipped_deviation(1.0, 1.5) / np.sqrt(1 - 0.64), rtol=1e-9)


def test_the_parameter_is_the_sum_of_its_updates_and_stays_in_its_band():
    made = SingleParameter(seed=2)
    np.testing.assert_allclose(np.diff(made.values), made.updates, atol=1e-12)
    assert made.values[0] == 0 and made.values.shape == (23641,)
    ends = np.array([SingleParameter(seed=k, momentum=0.9, lr=0.3).values[-1] for k in range(120)])
    reach = SingleParameter(momentum=0.9, lr=0.3).results["reach"][-1]
    assert ends.std() == pytest.approx(reach, rel=0.25)


def test_given_gradients_bring_their_own_deviation():
    given = 3 * np.random.default_rng(0).standard_normal(23640)
    made = SingleParameter(gradients=given, momentum=0.5, decay=0.0)
    want = 0.1 * clipped_deviation(3.0, 5.0) / np.sqrt(0.75)
    np.testing.assert_allclose(made.expected, want, rtol=0.01)
    for gradients in (given + 1, np.full(23640, 0.7), np.random.default_rng(0).exponential(1, 23640)):
        made = SingleParameter(gradients=gradients, momentum=0.5, clip=2.0)  # a mean of its own, or no bell
        np.testing.assert_allclose(made.spread, made.expected, rtol=0.08)
        assert made.values[-1] == pytest.approx(-made.results["reach"][-1], rel=0.02)


def test_a_rate_of_zero_is_the_floor_and_every_line_is_drawn():
    made = SingleParameter(lr=0.0, momentum=0.0, decay=0.0)
    np.testing.assert_allclose(made.expected, 0.001, rtol=1e-4)
    value = made.drawings["value"]
    assert value.ylim[1] >= 1.2 * 2 * made.results["reach"][-1]
    for columns in (value.layers["updates"], made.drawings["spread"].layers["expected"]):
        assert np.isfinite(columns["y"]).all()
    low, high = made.drawings["spread"].ylim
    for settings in ({"lr": 1.0, "momentum": 0.99}, {"lr": 0.0, "clip": 0.5, "momentum": 0.0}):
        extreme = SingleParameter(**settings)
        assert low < extreme.expected.min() and extreme.expected.max() < high


def plain_updates(gradients, lr, decay, momentum, clip):
    u, out = 0.0, []
    for step, g in enumerate(gradients):
        rate = max(lr - decay * (step // 591), 0.001)
        u = momentum * u - rate * min(max(g, -clip), clip)
        out.append(u)
    return np.array(out)


@pytest.mark.parametrize("case", reference("noise_updates"), ids=lambda c: str(c["momentum"]))
def test_the_noise_seed(case):
    made = SingleParameter(lr=case["lr"], decay=case["decay_step"], momentum=case["momentum"], clip=case["clip"])
    for got, key in ((made.updates[:20], "first"), (made.updates[-20:], "last"),
                     (made.updates[590::591], "end_of_epoch")):  # fmt: skip
        np.testing.assert_allclose(got, case[f"{key}_updates"], rtol=1e-9, atol=1e-12)
    assert made.gradients.shape == made.rates.shape == made.updates.shape == made.baseline.shape == (23640,)
    np.testing.assert_array_equal(made.gradients, np.random.default_rng(0).standard_normal(23640))
    np.testing.assert_allclose(made.baseline, -0.1 * made.gradients, rtol=1e-12)


SETTINGS = [
    {"lr": 0.1, "decay": 0.002, "momentum": 0.95, "clip": 5.0},
    {"lr": 0.0, "decay": 0.0, "momentum": 0.5, "clip": 5.0},
    {"lr": 0.0, "decay": 0.005, "momentum": 0.99, "clip": 0.5},
    {"lr": 0.03, "decay": 0.005, "momentum": 0.0, "clip": 1.0},
    {"lr": 1.0, "decay": 0.0001, "momentum": 0.99, "clip": 0.5},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_updates_are_the_plain_loops(settings):
    made = SingleParameter(seed=3, **settings)
    expected = plain_updates(made.gradients.tolist(), **settings)
    np.testing.assert_allclose(made.updates, expected, rtol=1e-9, atol=1e-12)
    assert made.rates.min() >= 0.001
    epochs = np.maximum(settings["lr"] - settings["decay"] * np.arange(40), 0.001)
    np.testing.assert_allclose(made.rates, np.repeat(epochs, 591), rtol=1e-12)
    np.testing.assert_allclose(made.baseline, -0.1 * made.gradients, rtol=1e-12)


def test_knobs_moved_one_by_one_end_where_a_new_experiment_starts():
    made = SingleParameter()
    for name, value in {"lr": 0.3, "decay": 0.004, "momentum": 0.7, "clip": 1.5, "seed": 8}.items():
        setattr(made, name, value)
    fresh = SingleParameter(lr=0.3, decay=0.004, momentum=0.7, clip=1.5, seed=8)
    np.testing.assert_array_equal(made.updates, fresh.updates)
    np.testing.assert_array_equal(made.gradients, fresh.gradients)


def test_given_gradients_are_used():
    given = np.linspace(-7, 7, 23640)
    made = SingleParameter(gradients=given, momentum=0.0, decay=0.0, lr=0.5, clip=2.0)
    np.testing.assert_array_equal(made.gradients, given)
    np.testing.assert_allclose(made.updates, -0.5 * np.clip(given, -2, 2), rtol=1e-12)
    np.testing.assert_array_equal(SingleParameter(gradients=list(given)).gradients, given)


def test_new_gradients_draws_the_next_seed_and_can_be_repeated():
    made, other = SingleParameter(), SingleParameter(gradients=np.ones(23640))
    first = made.gradients
    for each in (made, other):
        each.param.trigger("new_gradients")
    assert made.seed == other.seed == 1
    assert not np.array_equal(made.gradients, first)
    np.testing.assert_array_equal(made.gradients, np.random.default_rng(1).standard_normal(23640))
    np.testing.assert_array_equal(other.gradients, made.gradients)  # given ones have gone
    np.testing.assert_allclose(made.updates, SingleParameter(seed=1).updates, rtol=1e-12)
    made.seed = 0
    np.testing.assert_array_equal(made.gradients, first)


def test_the_viewed_epoch_recomputes_nothing():
    made = SingleParameter()
    before = dict(made.results)
    made.epoch = 17
    assert {name: made.results[name] is value for name, value in before.items()} == dict.fromkeys(before, True)
    made.clip = 1.0
    assert made.baseline is before["baseline"] and made.gradients is before["gradients"]
    assert made.updates is not before["updates"]
