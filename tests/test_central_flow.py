"""The central flow: what it predicts of runs at the edge of stability (arXiv 2410.24206)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optviz import SGD, Adam, HyperparameterMap, RMSprop, SurfaceDescent, descend, objective
from optviz.experiments.net_flow import mean_losses
from optviz.experiments.training import Net, Training
from optviz.objectives.surfaces import Quadratic, Valley
from optviz.theory.central_flow import edge_of, is_plain, sharpness_of, surface_flow

RUNS = [(0.1, 19.8, 0.002), (0.1, 19.9, 0.005), (0.2, 9.95, 0.001), (0.05, 39.5, 0.01), (0.02, 99.5, 0.02)]


@pytest.mark.parametrize(("lr", "s0", "c"), RUNS)
def test_a_run_in_the_valley_is_held_at_the_edge_as_the_flow_says(lr, s0, c):
    valley = Valley(s0=s0, c=c)
    flow = surface_flow(valley, lr, (0.1, 0.0), 1500)
    assert flow["why"] == "" and flow["sharpness"][-1] == pytest.approx(2 / lr, rel=1e-9)
    assert flow["variance"][-1] == pytest.approx(2 * c, rel=1e-6)
    np.testing.assert_allclose(np.abs(flow["along"][-1]), [1, 0], atol=1e-6)
    x, y = descend(valley, SGD(lr=lr), (0.1, 0.0), 60_000).x[:, 0].T
    first = int(np.argmax(s0 + y > 2 / lr))
    assert np.mean(s0 + y[first:]) == pytest.approx(2 / lr, rel=0.05)
    assert np.mean(x[first:] ** 2) == pytest.approx(2 * c, rel=0.05)
    mean = np.mean(valley.value(x[first:], y[first:]) + c * y[first:])
    assert mean == pytest.approx(flow["loss"][-1] + c * flow["x"][-1, 1], rel=0.1)


def test_a_flow_that_is_not_at_the_edge_is_gradient_flow():
    flow = surface_flow(Quadratic(), 0.05, (-5.0, -2.0), 40)
    time = 0.05 * np.arange(41)
    np.testing.assert_allclose(flow["x"][:, 0], -5 * np.exp(-0.2 * time), rtol=0.01)
    assert not flow["variance"].any() and flow["why"] == ""


def test_nothing_is_claimed_above_the_limit_nor_of_two_curvatures_at_the_edge():
    assert surface_flow(Valley(s0=41.0), 0.05, (0.1, 0.0), 50)["why"] == "above"
    both = objective(lambda x, y: (10 - x - y) * (x**2 + y**2) / 2 + 0.0 * x, domain=((-1, 1), (-1, 1)))
    assert surface_flow(both, 0.198, (0.01, 0.01), 50)["why"] == "two"
    made = SurfaceDescent(objective=both, optimizer=SGD(lr=0.198), start=(0.01, 0.01), flow=True)
    assert "Two curvatures are at the edge" in made.side()["outlook"]
    assert not len(made.drawings["surface"].layers["flow"]["x"])


@pytest.mark.parametrize(("rule", "plain"), [
    (SGD(lr=0.1), True), (SGD(lr=0.1, momentum=0.5), False), (SGD(lr=0.1, weight_decay=0.1), False), (Adam(), False),
])  # fmt: skip
def test_the_flow_is_that_of_plain_gradient_descent(rule, plain):
    assert is_plain(rule) == plain
    made = SurfaceDescent(objective="Valley", optimizer=rule, steps=50)
    assert made.flow and (made.results["flow"]["flow"] is not None) == plain


def test_the_preconditioned_sharpness_settles_at_the_limits_of_rmsprop_and_adam():
    bowl = objective(lambda x, y: x**2 / 2 + 1e-3 * y**2, domain=((-3, 3), (-3, 3)))
    for rule, wanted in ((RMSprop(lr=0.02, alpha=0.99), 2.0), (Adam(lr=0.02, beta2=0.99), 38.0)):
        assert edge_of(rule) == pytest.approx(wanted)
        found = sharpness_of(rule, bowl, descend(bowl, rule, (1.0, 1e-9), 4000))
        assert np.nanmedian(found[-1000:]) == pytest.approx(wanted, rel=0.05), rule


def test_pages_show_sharpness_where_it_is_asked_for():
    made = SurfaceDescent()
    assert not made.flow and not made.drawings["sharpness"].shown
    made.objective_name = "Valley"
    assert made.flow and made.steps == Valley.usual_steps and made.drawings["sharpness"].shown
    said = made.side()["outlook"]
    assert f"{math.sqrt(2 * made.objective.c):.3g}" in said and "edge" in said
    band = made.drawings["surface"].layers["band"]["x"]
    assert np.nanmax(band) == pytest.approx(math.sqrt(2 * made.objective.c), rel=1e-3)
    made.objective_name = "Booth"
    assert not made.flow
    assert HyperparameterMap(objective="Valley", across="lr", up="s0").message == ""


@pytest.mark.parametrize(("data", "lr"), [("Moons", 0.3), ("Moons", 0.25)])
def test_a_nets_mean_loss_is_what_the_flow_predicts_from_its_mean_weights(data, lr):
    training = Training(Net(data), lr)
    training.advance(600)
    run, steps = training.run(600), list(range(300, 581, 20))
    found = mean_losses(training.net, training.all_weights(), lr, steps)
    smooth = np.array([run.loss[k - 10 : k + 10].mean() for k in steps])
    assert np.isfinite(found["mean"]).all()
    np.testing.assert_allclose(found["mean"], smooth, rtol=0.1)
    assert (found["loss"] < 0.8 * smooth).all()  # the mean weights alone do not have it: the swings bring it
    swung = np.array([training.all_weights()[k - 10 : k + 10].var(axis=0).sum() for k in steps])
    np.testing.assert_allclose(found["variance"], swung, rtol=0.25)


def test_of_a_net_with_two_curvatures_at_the_edge_nothing_is_claimed():
    training = Training(Net("Moons", "Tanh"), 0.3)
    training.advance(400)
    found = mean_losses(training.net, training.all_weights(), 0.3, [60, 360])
    assert np.isfinite(found["mean"][0]) and np.isnan(found["mean"][1])
