"""Runs under gradient noise: each is what `descend` does, and they settle where theory says."""

from __future__ import annotations

from urllib.parse import parse_qsl

import numpy as np
import pytest

from optviz import SGD, Adam, NoisyDescent, descend
from optviz.experiments.floors import ellipses
from optviz.experiments.noisy_descent import APART, MOST_STEPS, RULES, SURFACES
from optviz.objectives.surfaces import RotatedQuadratic
from optviz.state.sharing import apply, query


def variance(lr, momentum, curvature, noise):
    """Stationary variance and excess loss on a quadratic, for PyTorch's momentum."""
    a, m, c = lr, momentum, curvature
    return a * noise**2 * (1 + m) / (c * (1 - m) * (2 * (1 + m) - a * c))


@pytest.mark.parametrize(("rule", "lr", "momentum"), [
    ("SGD", 0.1, 0.0), ("SGD", 0.03, 0.8), ("Nesterov", 0.05, 0.8), ("Inertia", 0.1, 0.7),
])  # fmt: skip
def test_the_runs_settle_where_theory_says(rule, lr, momentum):
    """Within four standard errors, told from how much the runs differ among themselves."""
    made = NoisyDescent(rule=rule, lr=lr, momentum=momentum, runs=50, steps=300, condition=5, angle=25, start=(0, 0))
    found, x = made.found["first"], made.trajectories["first"].x[225:]
    assert found["floor"] == pytest.approx(made.trajectories["first"].loss[225:].mean())
    turn = np.radians(25)
    along = x @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    rotated = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    predicted = rotated @ found["predicted"] @ rotated.T
    assert abs(predicted[0, 1]) < 1e-12
    for k, curvature in enumerate((1.0, 5.0)):
        each = (along[..., k] ** 2).mean(axis=0)  # one a run, and the runs are independent
        assert abs(each.mean() - predicted[k, k]) < 4 * each.std() / np.sqrt(50)
        if rule == "SGD":
            assert predicted[k, k] == pytest.approx(variance(lr, momentum, curvature, made.noise))
    floors = made.trajectories["first"].loss[225:].mean(axis=0)
    assert abs(floors.mean() - found["predicted_floor"]) < 4 * floors.std() / np.sqrt(50)
    assert found["predicted_floor"] == pytest.approx((predicted[0, 0] + 5 * predicted[1, 1]) / 2)
    np.testing.assert_allclose(found["covariance"], found["predicted"], rtol=0.3, atol=0.02)


def test_the_floor_of_a_rule_with_running_squares_holds_about():
    made = NoisyDescent(rule="RMSprop", lr=0.1, runs=50, steps=300, start=(0, 0), angle=0, condition=2, seed=1)
    found = made.found["first"]
    assert found["frozen"] and found["floor"] == pytest.approx(found["predicted_floor"], rel=0.2)
    np.testing.assert_allclose(np.diag(found["covariance"]), np.diag(found["predicted"]), rtol=0.3)
    assert "(theory about <b>" in made.status() and "remember" not in made.status()
    made.angle = 30.0
    assert made.found["first"]["predicted"] is None and made.drawings["surface"].layers["first theory"]["x"].size == 0
    made.param.update(rule="Adam", start=(-1.6, 1.2), condition=20)
    assert "Its running squares still remember the start: it divides by" in made.status()


def test_a_rule_without_a_floor_says_why():
    made = NoisyDescent(rule="Adadelta", angle=0)
    assert (
        made.found["first"]["predicted_floor"] is None
        and made.drawings["surface"].layers["first theory"]["x"].size == 0
    )
    assert (
        "What Adadelta divides by does not follow from the noise's size: theory has no floor for it." in made.status()
    )
    made.rule = "Adagrad"
    assert "What Adagrad divides by never settles: theory has no floor for it." in made.status()
    assert made.side()["table"].count(">unknown<") == 3


@pytest.mark.parametrize(("rule", "ours"), [("SGD", SGD(lr=0.05, momentum=0.6)), ("Adam", Adam(lr=0.05, beta1=0.6))])
def test_each_lane_is_the_run_of_its_seed(rule, ours):
    made = NoisyDescent(rule=rule, lr=0.05, momentum=0.6, runs=6, seed=3)
    bowl = RotatedQuadratic(condition=10, angle=30)
    for k in (0, 5):
        alone = descend(bowl, ours, (-1.6, 1.2), MOST_STEPS, noise=1.5, seed=3 + APART * k)
        np.testing.assert_allclose(made.trajectories["first"].x[:, k], alone.x[:, 0], rtol=1e-12, atol=1e-14)


def noise_of(run, lr):
    """What was added to the gradients of plain SGD."""
    return -run.updates / lr - run.gradients


def test_the_draws_are_common_and_kept():
    made = NoisyDescent(second="Nesterov", second_momentum=0.0, second_lr=0.03, runs=7)
    first = noise_of(made.trajectories["first"], 0.1)
    np.testing.assert_allclose(noise_of(made.trajectories["second"], 0.03), first, atol=1e-11)
    made.param.update(lr=0.02, condition=3, start_x=1.0)
    np.testing.assert_allclose(noise_of(made.trajectories["first"], 0.02), first, atol=1e-11)
    made.param.update(noise=3.0, runs=9)
    np.testing.assert_allclose(noise_of(made.trajectories["first"], 0.02)[:, :7], 2 * first, atol=1e-11)
    made.param.trigger("new_noise")
    assert made.seed == 1 and not set(made.seeds()) & set(NoisyDescent(runs=50).seeds())
    assert np.abs(noise_of(made.trajectories["first"], 0.02)[:, :7] - 2 * first).min(axis=(0, 2)).max() < 0.1
    assert not np.isclose(noise_of(made.trajectories["first"], 0.02)[:, :7], 2 * first).all(axis=(0, 2)).any()


def test_steps_only_say_how_much_is_shown():
    made = NoisyDescent(runs=5)
    before = made.trajectories["first"]
    made.steps = 41
    assert made.trajectories["first"] is before
    layers = made.drawings["loss"].layers
    assert layers["first"]["x"].size == 42 and layers["first runs"]["x"].size == 5 * 43 - 1
    assert made.found["first"]["floor"] == pytest.approx(before.loss[31:42].mean())
    np.testing.assert_array_equal(made.drawings["surface"].layers["first ends"]["x"], before.x[41, :, 0])


def test_median_and_band_are_those_of_the_runs():
    made = NoisyDescent(runs=21, steps=60)
    loss, layers = made.trajectories["first"].loss[:61], made.drawings["loss"].layers
    np.testing.assert_allclose(layers["first"]["y"], np.median(loss, axis=1))
    band = layers["first band"]
    np.testing.assert_allclose(band["y"][:61], np.quantile(loss, 0.1, axis=1))
    np.testing.assert_allclose(band["y"][61:][::-1], np.quantile(loss, 0.9, axis=1))
    assert np.array_equal(band["x"][:61], band["x"][61:][::-1])
    middle = made.drawings["surface"].layers["first"]
    np.testing.assert_allclose(middle["x"], np.median(made.trajectories["first"].x[:61, :, 0], axis=1))


def test_an_ellipse_is_one_and_two_deviations_wide():
    matrix, centre = np.array([[2.0, 0.7], [0.7, 0.5]]), np.array([1.0, -2.0])
    columns = ellipses(centre, matrix)
    away = np.stack([columns["x"], columns["y"]], axis=1) - centre
    squares = np.einsum("ni,ij,nj->n", away, np.linalg.inv(matrix), away)
    np.testing.assert_allclose(squares, [1.0] * 73 + [np.nan] + [4.0] * 73)
    for nothing in (None, np.full((2, 2), np.inf)):
        assert ellipses(centre, nothing)["x"].size == 0


def test_divergence_is_said_and_shown():
    made = NoisyDescent(lr=0.25, condition=100, steps=300)
    assert "SGD: 20 of 20 runs diverged.</b> lr 0.25 is above the limit 0.02: it will diverge along" in made.status()
    assert made.found["first"]["predicted_floor"] == np.inf and "grows" in made.side()["table"]
    assert made.drawings["surface"].layers["first theory"]["x"].size == 0
    assert made.drawings["loss"].layers["above"]["x"].size == 1
    assert made.shade() == {"lr": pytest.approx(0.02), "second_lr": np.inf}


def test_a_spread_that_grew_beyond_the_squares_of_float64_is_said():
    made = NoisyDescent(lr=0.3, steps=300)
    spread = made.trajectories["first"].x[225:].reshape(-1, 2) / 1e90
    widest = np.sqrt(np.linalg.eigvalsh(np.cov(spread.T, bias=True))[1])
    assert made.found["first"]["diverged"] == 0 and "nan" not in made.side()["table"]
    assert f">{widest * 1e90:.4g}<" in made.side()["table"] and ">under 2e+83<" in made.side()["table"]
    ends = made.drawings["surface"].layers["first measured"]
    assert np.isfinite(np.delete(ends["x"], 73)).all() and np.ptp(ends["x"][:73]) > 1e89
    made.param.update(surface="Ackley", lr=1e300)  # whose loss has a bound
    assert made.found["first"]["diverged"] == 0 and made.side()["table"].count("beyond float64") == 2
    made.param.update(surface="Sphere", lr=1e10)
    assert made.found["first"]["diverged"] > 0 and made.side()["table"].count(">diverged<") == 3


def test_a_start_that_still_shows_is_said():
    made = NoisyDescent(lr=0.002, steps=100)
    assert "The start still shows: theory forgets it after about" in made.status()
    assert "The start still shows" not in NoisyDescent(lr=0.1).status()


def test_no_noise_and_one_run():
    made = NoisyDescent(noise=0.0, runs=3)
    x = made.trajectories["first"].x
    assert x.shape == (MOST_STEPS + 1, 3, 2) and np.array_equal(x[:, 0], x[:, 2])
    assert made.found["first"]["predicted_floor"] == 0 and made.message == ""
    assert NoisyDescent(runs=1).drawings["loss"].layers["first runs"]["x"].size == 201


@pytest.mark.parametrize("surface", [name for name, kind in SURFACES.items() if not kind.is_curve])
def test_every_surface_and_every_rule(surface):
    made = NoisyDescent(surface=surface, runs=3, lr=0.01, noise=0.1, second="Adam", second_lr=0.01)
    assert made.start == tuple(map(float, SURFACES[surface]().starts[0])) or surface == "Rotated quadratic"
    for name in list(RULES)[:: 1 if surface == "Rotated quadratic" else 6]:
        made.rule = name
        assert made.message == "" and f"{name}" in made.status()
        assert any(words in made.status() for words in ("In the last quarter ", "diverged.", "grows</b>"))
        found = made.found["first"]
        known = found["predicted_floor"] is not None and np.isfinite(found["predicted_floor"])
        assert ("theory" in made.status()) or not known or found["diverged"]
    if len(np.asarray(SURFACES[surface]().minima)) == 0:
        assert made.found["first"]["predicted"] is None


def test_runs_that_grow_are_said_to_and_seen_to_leave():
    made = NoisyDescent(lr=0.5)
    assert made.status().startswith("<b>SGD grows</b> to ") and "stays" not in made.status()
    layers = made.drawings["surface"].layers
    assert np.isfinite(layers["first"]["x"]).sum() == 2 and layers["first left"]["x"].size == 1


def test_a_surface_brings_learning_rates_that_work():
    made = NoisyDescent(second="RAdam", noise=0.1, runs=3)
    for surface, lr in (("Himmelblau", 0.02), ("Goldstein-Price", 5e-6), ("Sphere", 0.1)):
        made.surface = surface
        assert made.lr <= lr and not any(found["diverged"] for found in made.found.values())
        again, refused = apply(NoisyDescent, dict(parse_qsl(query(made))))
        assert (again.lr, again.second_lr, refused) == (made.lr, made.second_lr, [])
    made.param.update(surface="Himmelblau", lr=0.5)
    assert made.lr == 0.5 and made.found["first"]["diverged"] == 3


def test_a_surface_brings_its_start_and_a_start_is_refused():
    made = NoisyDescent()
    made.surface = "Rosenbrock"
    assert made.start == (-1.2, 1.0) and made.start_x == -1.2
    made._begin_at(0.5, 0.25)
    assert (made.start_x, made.start_y) == (0.5, 0.25)
    made.start_x = 1e200
    assert made.message == "NoisyDescent needs a start where the loss is finite, not (1e+200, 0.25)."
