"""The lesson of random gradients: what theory expects of the updates, and the parameter that they make."""

import numpy as np
import pytest

from optviz import SingleParameter
from optviz.noise import clipped_deviation


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.95])
@pytest.mark.parametrize("clip", [0.5, 1.0, 5.0])
def test_the_predicted_spread_is_the_measured_one(momentum, clip):
    made = SingleParameter(momentum=momentum, clip=clip, lr=0.2, seed=5)
    correlated = (1 + momentum**2) / (1 - momentum**2)  # neighbours tell the same: so many fewer samples
    error = np.sqrt(correlated / (2 * 591))
    ratio = made.spread / made.expected
    assert np.abs(ratio - 1).max() < 4 * error + 0.1 * (momentum > 0.8)  # each from epochs that begin with the last one
    assert ratio.mean() == pytest.approx(1, abs=4 * error / np.sqrt(40) + 0.03)


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
    want = 0.1 * clipped_deviation(given.std(), 5.0) / np.sqrt(0.75)
    np.testing.assert_allclose(made.expected, want, rtol=1e-9)


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
