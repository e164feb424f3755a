"""What surrounds a rule: schedules as torch has them, clipping, and noise with the spread that it leaves."""

import math

import numpy as np
import pytest
import torch
from oracles import LINE
from test_descent import FLAT, START

from optviz import SGD, Adam, descend, objective
from optviz.objectives.surfaces import Quadratic
from optviz.rules import schedules

# Schedules


def test_the_seeds_decay():
    rates = schedules.LinearDecay().rates(0.1, 591 * 60)[:, 0]
    assert rates[590] == 0.1 and math.isclose(rates[591], 0.098)
    assert rates[-1] == 0.001 and rates.min() == 0.001


def test_a_schedule_scales_each_lanes_rate():
    run = descend(LINE, SGD(lr=[0.1, 0.4]), START, 5, schedule=schedules.ExponentialLR(gamma=0.5))
    np.testing.assert_allclose(run.rates, np.outer(0.5 ** np.arange(5), [0.1, 0.4]))


# Clipping and noise


def clipped_by_torch(function, gradients):
    rows = []
    for row in gradients:
        leaf = torch.zeros(2, dtype=torch.float64)
        leaf.grad = torch.tensor(row)
        function([leaf])
        rows.append(leaf.grad.numpy().copy())
    return np.array(rows)


@pytest.mark.parametrize(("settings", "function"), [
    ({"clip": 1.5}, lambda p: torch.nn.utils.clip_grad_value_(p, 1.5)),
    ({"clip_norm": 2.0}, lambda p: torch.nn.utils.clip_grad_norm_(p, 2.0)),
])  # fmt: skip
@pytest.mark.parametrize("lanes", [1, 3])
def test_clipping_is_torchs(settings, function, lanes):
    starts = np.array([START, (1, 1.5), (0.1, -0.2)])[:lanes]
    run = descend(Quadratic(), SGD(lr=0.1), starts, 30, **settings)
    for lane in range(lanes):
        expected = clipped_by_torch(function, run.gradients[:, lane])
        np.testing.assert_allclose(run.updates[:, lane], -0.1 * expected, rtol=1e-9, atol=1e-15)
        changed = (expected != run.gradients[:, lane]).any(axis=1)
        assert (run.clipped[:, lane] == changed).all() and changed[0] != (lane == 2)


def test_noise_is_seeded_and_shared_by_the_lanes():
    first = descend(FLAT, SGD(lr=[0.1, 0.1, 0.2]), (0, 0), 20, noise=0.5, seed=3)
    again = descend(FLAT, SGD(lr=[0.1, 0.1, 0.2]), (0, 0), 20, noise=0.5, seed=3)
    other = descend(FLAT, SGD(lr=[0.1, 0.1, 0.2]), (0, 0), 20, noise=0.5, seed=4)
    np.testing.assert_array_equal(first.x, again.x)
    assert (first.updates != other.updates).all()
    np.testing.assert_array_equal(first.x[:, 0], first.x[:, 1])
    np.testing.assert_allclose(first.x[:, 2], 2 * first.x[:, 0], rtol=1e-12)
    draws = np.random.default_rng(3).standard_normal((20, 2))
    np.testing.assert_allclose(first.updates[:, 0], -0.05 * draws, rtol=1e-12)
    assert (first.gradients == 0).all()


def test_seeds_make_lanes():
    run = descend(FLAT, SGD(lr=0.1), (0, 0), 20, noise=1.0, seed=[3, 4])
    for lane, seed in enumerate((3, 4)):
        alone = descend(FLAT, SGD(lr=0.1), (0, 0), 20, noise=1.0, seed=seed)
        np.testing.assert_array_equal(run.x[:, lane], alone.x[:, 0])


def test_no_global_random_state_is_touched():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    descend(Quadratic(), SGD(lr=0.1), START, 5, noise=1.0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


# Noise: variances within 2 %


def noisy_updates(rule, surface=FLAT, steps=3000, seeds=200, burn=500):
    run = descend(surface, rule, (0, 0), steps, noise=0.7, seed=range(seeds))
    return run.updates[burn:], run.x[burn:]


M, A, S = 0.8, 0.1, 0.7


@pytest.mark.parametrize(("settings", "factor"), [
    ({}, 1 / (1 - M**2)),
    ({"dampening": 0.4}, 0.6**2 / (1 - M**2)),
    ({"nesterov": True}, (1 + 2 * M - 2 * M**3) / (1 - M**2)),
])  # fmt: skip
def test_update_variance_under_pure_noise(settings, factor):
    updates, _ = noisy_updates(SGD(lr=A, momentum=M, **settings))
    assert abs(updates.var() / (A**2 * S**2 * factor) - 1) < 0.02
    assert abs(updates.mean()) < 0.01 * updates.std()


@pytest.mark.parametrize("m", [0.0, 0.7])
def test_stationary_variance_in_a_bowl(m):
    curve = 2.0
    _, x = noisy_updates(SGD(lr=A, momentum=m), objective(lambda x, y: x**2 + y**2))
    expected = A * S**2 * (1 + m) / (curve * (1 - m) * (2 * (1 + m) - A * curve))
    assert abs(x.var() / expected - 1) < 0.02


def test_adams_update_variance_does_not_know_the_noise():
    updates, _ = noisy_updates(Adam(lr=A), steps=6000, seeds=60, burn=3000)
    assert abs(updates.var() / (A**2 * (1 - 0.9) / (1 + 0.9)) - 1) < 0.02
