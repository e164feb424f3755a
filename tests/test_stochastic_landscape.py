"""One sample against the mean: the seed's run, batches, draws with replacement, given data."""

import numpy as np
import pytest
from oracles import reference

from optviz import StochasticLandscape


@pytest.fixture
def seed_run():
    data = reference("stochastic_relu")
    return StochasticLandscape(data=(data["x"], data["y"])), data


def test_the_stochastic_seed(seed_run):
    made, data = seed_run
    assert made.trajectory.x.shape == (101, 1, 2) and made.gradients.shape == (100, 2)
    close = {"rtol": 1e-9, "atol": 1e-12}
    np.testing.assert_allclose(made.trajectory.x[:-1, 0], data["iterates"], **close)
    np.testing.assert_allclose(made.gradients, data["gradients"], **close)
    np.testing.assert_allclose(made.batch_loss, data["sample_losses"], **close)


def test_the_stochastic_seeds_maps(seed_run):
    made, data = seed_run
    assert made.risk.shape == (100, 100)
    figures = data["empirical_risk"]
    np.testing.assert_allclose(made.risk.min(), figures["min"], rtol=1e-9)
    np.testing.assert_allclose(made.risk.mean(), figures["mean"], rtol=1e-9)
    np.testing.assert_allclose(made.risk[10, 80], figures["at_10_80"], rtol=1e-9)
    assert data["sample_maps"]
    for k, expected in data["sample_maps"].items():
        got = made.landscape(int(k))
        assert got.shape == (100, 100)
        np.testing.assert_allclose([got.mean(), got[10, 80]], [expected["mean"], expected["at_10_80"]], rtol=1e-9)
    mean = np.mean([made.landscape(k) for k in range(100)], axis=0)
    np.testing.assert_allclose(mean, made.risk, rtol=1e-9)


def test_the_drawn_data_and_its_order_follow_the_seed():
    made = StochasticLandscape(seed=5, shuffle=True)
    objective = made.results["objective"]
    random = np.random.default_rng(5)
    np.testing.assert_array_equal(objective.x, random.uniform(-1, 1, 100))
    np.testing.assert_allclose(objective.y - 2 * objective.x, 0.1 * random.standard_normal(100), atol=1e-12)
    again, other = StochasticLandscape(seed=5, shuffle=True), StochasticLandscape(seed=6, shuffle=True)
    np.testing.assert_array_equal(made.trajectory.x, again.trajectory.x)
    assert not np.array_equal(made.trajectory.x, other.trajectory.x)
    order = [int(b[0]) for b in made.results["batches"]]
    assert sorted(order) == list(range(100)) and order != sorted(order)
    assert [int(b[0]) for b in StochasticLandscape().results["batches"]] == list(range(100))


def test_samples_drawn_with_replacement_are_numpys_and_say_which_never_were():
    made = StochasticLandscape(seed=5, batch_size=7, replacement=True)
    drawn = np.random.default_rng(5).integers(0, 100, 100)
    np.testing.assert_array_equal(np.concatenate(made.results["batches"]), drawn)
    loss, x = made.results["objective"], made.trajectory.x[:, 0]
    for k, at in enumerate(range(0, 100, 7)):
        step = -0.05 * np.array(loss.array_gradient(drawn[at : at + 7])(*x[k])).ravel()
        np.testing.assert_allclose(x[k + 1] - x[k], step, rtol=1e-9, atol=1e-15)
    assert f"{100 - len(set(drawn))} of the 100 samples are not drawn in this epoch." in made.status()
    before = made.trajectory
    made.shuffle = True  # there is no order to shuffle
    np.testing.assert_array_equal(made.trajectory.x, before.x)
    made.replacement = False
    assert "not drawn" not in made.status()


@pytest.mark.parametrize("batch_size", [1, 7, 32, 100])
def test_batches_are_the_plain_loops(batch_size):
    made = StochasticLandscape(batch_size=batch_size)
    x, y = made.results["objective"].x, made.results["objective"].y
    w, path = np.array([1.2, -2.3]), [np.array([1.2, -2.3])]
    for at in range(0, 100, batch_size):
        u, v = x[at : at + batch_size], y[at : at + batch_size]
        z = np.maximum(w[1] * u, 0)
        r = 2 * (w[0] * z - v)
        w = w - 0.05 * np.array([np.mean(r * z), np.mean(r * w[0] * u * (w[1] * u > 0))])
        path.append(w)
    np.testing.assert_allclose(made.trajectory.x[:, 0], path, rtol=1e-9, atol=1e-12)
    assert made.gradients.shape == (-(-100 // batch_size), 2)


@pytest.mark.parametrize("size", [2, 10, 250])
def test_data_of_other_sizes(size):
    x = np.linspace(-1, 1, size)
    made = StochasticLandscape(data=(x, 2 * x), sample=size - 1, batch_size=2)
    assert made.param.sample.bounds == (0, size - 1) and made.param.batch_size.bounds == (1, size)
    assert made.trajectory.steps == -(-size // 2)
    assert made.drawings["sample"].title == f"Iteration {(size - 1) // 2}: batch of 2"
    assert StochasticLandscape.param.sample.bounds == (0, 99)
    assert StochasticLandscape.param.batch_size.bounds == (1, 100)


def test_given_points_are_drawn_in_the_seeds_order_and_its_own_come_back():
    x = np.linspace(-1, 1, 10)
    made = StochasticLandscape(data=(x, 2 * x), sample=9, shuffle=True)
    before = made.trajectory.x
    made.seed = 2
    np.testing.assert_array_equal(made.results["objective"].x, x)
    assert not np.array_equal(made.trajectory.x, before)
    made.own_data = True
    np.testing.assert_array_equal(made.trajectory.x, StochasticLandscape(seed=2, shuffle=True).trajectory.x)
    made.sample = 99
    assert made.message == "" and made.sample == 99


def test_given_points_of_any_scale_are_scaled():
    x = np.random.default_rng(3).uniform(-4e5, 4e5, 60)
    made = StochasticLandscape(data={"size": x, "price": 0.003 * np.maximum(x, 0)})
    assert (
        made.rescale and made.trajectory.diverged[0] == 0 and made.trajectory.loss[-1, 0] < made.trajectory.loss[0, 0]
    )
    (_, wide), (_, high) = made.units()
    np.testing.assert_allclose(made.results["objective"].x * wide, x)
    w1, w2 = made.trajectory.x[0, 0]
    line = made.drawings["data"].layers["net"]
    np.testing.assert_allclose(line["y"], high * w1 * np.maximum(w2 * line["x"] / wide, 0))
    made.edit_point("remove", 59, 0, 0)
    assert made.param.sample.bounds == (0, 58) and made.rescale


def test_the_stochastic_start_and_its_typed_coordinates_agree():
    made = StochasticLandscape()
    made.start_w1 = 0.5
    assert made.start == (0.5, -2.3)
    made.start = (-1.0, 2.0)
    assert (made.start_w1, made.start_w2) == (-1.0, 2.0)
    np.testing.assert_array_equal(made.trajectory.x[0, 0], (-1, 2))
    assert StochasticLandscape(start_w2=1.0).start == (1.2, 1.0)


def test_the_viewed_sample_recomputes_nothing():
    made = StochasticLandscape()
    before = dict(made.results)
    made.sample = 50
    assert all(made.results[name] is value for name, value in before.items())
    made.lr = 0.1
    assert made.risk is before["risk"] and made.trajectory is not before["trajectory"]
