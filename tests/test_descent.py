"""The loop: lanes, refusals, divergence, runs with known ends."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from oracles import one_sentence

import optviz
from optviz import SGD, Adagrad, Adam, Momentum, Newton, Rule, descend, objective
from optviz.objectives.surfaces import Himmelblau, Quadratic, Rosenbrock, RotatedQuadratic
from optviz.runs.torch_optimizer import TorchOptimizer

START = (-5.0, -2.0)
FLAT = objective(lambda x, y: 0 * x, label="flat")


def refused(make) -> str:
    with pytest.raises(ValueError) as caught:
        make()
    assert one_sentence(str(caught.value)), caught.value
    return str(caught.value)


# Shapes, lanes, lists of rules


def test_a_trajectory_has_the_documented_shapes():
    run = descend(Quadratic(), Adam(lr=[0.1, 0.2, 0.3]), START, 7)
    shapes = {"x": (8, 3, 2), "loss": (8, 3), "updates": (7, 3, 2), "gradients": (7, 3, 2),
              "rates": (7, 3), "clipped": (7, 3), "diverged": (3,)}  # fmt: skip
    for name, shape in shapes.items():
        assert getattr(run, name).shape == shape, name
    assert {"m", "v", "m_hat", "v_hat", "step"} <= set(run.terms)
    assert all(term.shape == (7, 3, 2) and term.dtype == np.float64 for term in run.terms.values())
    assert (run.steps, run.lanes) == (7, 3) and run.final.shape == (3, 2)
    np.testing.assert_allclose(np.diff(run.x, axis=0), run.updates, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(run.loss, Quadratic().value(*np.moveaxis(run.x, 2, 0)))
    np.testing.assert_array_equal(run.terms["step"], run.updates)


def test_named_terms_are_the_rules_own():
    run = descend(Quadratic(), Adam(lr=0.1), START, 20)
    m = v = np.zeros(2)
    for step in range(20):
        g = run.gradients[step, 0]
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        np.testing.assert_allclose(run.terms["m"][step, 0], m, rtol=1e-9)
        np.testing.assert_allclose(run.terms["v"][step, 0], v, rtol=1e-9)


def test_a_list_of_rules_is_side_by_side():
    rules = [SGD(lr=0.1), Adam(lr=0.1), TorchOptimizer(torch.optim.SGD, lr=0.1), Newton()]
    run = descend(Quadratic(), rules, START, 10)
    assert run.lanes == 4
    for lane, rule in enumerate(rules):
        alone = descend(Quadratic(), rule, START, 10)
        np.testing.assert_array_equal(run.x[:, lane], alone.x[:, 0])
    assert np.isnan(run.terms["m"][:, 0]).all() and np.isfinite(run.terms["m"][:, 1]).all()


def test_hyperparameters_broadcast_over_starts():
    starts = [START, (1, 1), (2, -1)]
    run = descend(Quadratic(), SGD(lr=[0.1, 0.2, 0.3], momentum=0.5), starts, 15)
    for lane, lr in enumerate((0.1, 0.2, 0.3)):
        alone = descend(Quadratic(), SGD(lr=lr, momentum=0.5), starts[lane], 15)
        np.testing.assert_array_equal(run.x[:, lane], alone.x[:, 0])
    assert descend(Quadratic(), SGD(lr=[0.1]), starts, 3).lanes == 3
    assert descend(Quadratic(), SGD(lr=[0.1]), START, 3).lanes == 1


def test_first_values_from_hyperparameters_broadcast_too():
    run = descend(Quadratic(), Adagrad(lr=0.1, initial_accumulator_value=[0.0, 1.0]), START, 4)
    alone = descend(Quadratic(), Adagrad(lr=0.1, initial_accumulator_value=1.0), START, 4)
    np.testing.assert_array_equal(run.x[:, 1], alone.x[:, 0])


def test_inputs_are_not_changed_by_a_run():
    start, lr = np.array([START, START]), np.array([0.1, 0.2])
    rule = SGD(lr=lr)
    run = descend(Quadratic(), rule, start, 5)
    run.x[:] = 0
    run.rates[:] = 0
    np.testing.assert_array_equal(start, [START, START])
    np.testing.assert_array_equal(rule.lr, [0.1, 0.2])


def test_a_users_rule_is_one_class():
    class SignDescent(Rule):
        """Step by the sign."""

        lr = optviz.Hyperparameter(0.1, bounds=(0, None), softbounds=(0, 1), step=0.01, doc="Step size.")

        @staticmethod
        def update(h, memory, x, g, t, let, xp):
            return let("step", -h.lr * xp.sign(g))

    run = descend(Quadratic(), SignDescent(lr=0.25), START, 8)
    np.testing.assert_allclose(run.final[0], (-3, 0), atol=1e-12)


# Refusals


@pytest.mark.parametrize("start", [
    1.0, (1, 2, 3), [[1, 2, 3]], np.ones((2, 2, 2)), "here", None, (1, float("nan")), (1, float("inf")), [],
    [[1, 2], [3]], (1, None),
])  # fmt: skip
@pytest.mark.parametrize("rule", [SGD, partial(TorchOptimizer, torch.optim.SGD)], ids=["own", "torch's"])
def test_bad_starts(rule, start):
    assert "start" in refused(lambda: descend(Quadratic(), rule(lr=0.1), start, 3))


@pytest.mark.parametrize("steps", [0, -3, 10_000_000, 2.5, 3.0, True, "ten", None, float("nan"), np.array([3, 4])])
def test_bad_steps(steps):
    assert "steps" in refused(lambda: descend(Quadratic(), SGD(lr=0.1), START, steps))


@pytest.mark.parametrize(("settings", "word"), [
    ({"clip": 0}, "clip"), ({"clip": -1}, "clip"), ({"clip": float("nan")}, "clip"), ({"clip": "much"}, "clip"),
    ({"clip_norm": 0}, "clip_norm"), ({"noise": -1}, "noise"), ({"noise": float("inf")}, "noise"),
    ({"noise": "loud"}, "noise"), ({"batches": [[0]]}, "batch"), ({"seed": "x"}, "seed"), ({"seed": -1}, "seed"),
    ({"seed": 1.5}, "seed"), ({"schedule": 0.5}, "schedule"), ({"seed": [1, 2, 3]}, "one length"),
])  # fmt: skip
def test_bad_surroundings(settings, word):
    starts = [START, START]
    assert word in refused(lambda: descend(Quadratic(), SGD(lr=0.1), starts, 3, **settings))


@pytest.mark.parametrize(("rule", "word"), [
    ("Adam", "rule"), (None, "rule"), ([], "at least one rule"), (SGD, "rule"), ([SGD(lr=0.1), 3], "rule"),
    (SGD(lr=[0.1, 0.2, 0.3], momentum=[0.1, 0.2]), "one length"), (SGD(lr=[0.1, 0.2, 0.3]), "one length"),
])  # fmt: skip
def test_bad_rules(rule, word):
    assert word in refused(lambda: descend(Quadratic(), rule, [START, START], 3))


def test_bad_objectives():
    for bad in (lambda x, y: x, None, "Quadratic", 3):
        assert "objective" in refused(lambda bad=bad: descend(bad, SGD(lr=0.1), START, 3))


def test_a_function_that_raises_on_the_way_is_one_sentence():
    def fragile(x, y):
        if float(x.detach()) > 0.3:
            raise RuntimeError("out of range")
        return torch.sin(x) + y

    made = optviz.TorchFunction(fragile, ((-1, 1), (-1, 1)))
    assert "out of range" in refused(lambda: descend(made, SGD(lr=0.2), (0.5, 0), 3))


# Divergence


def test_divergence_is_recorded_and_the_other_lanes_go_on():
    run = descend(Rosenbrock(), SGD(lr=[1e-3, 1.0, 1e-4]), (-1.2, 1), 50)
    assert run.diverged[0] == run.diverged[2] == 0 and 0 < run.diverged[1] < 10
    step = run.diverged[1]
    assert not np.isfinite(run.loss[step, 1]) and np.isfinite(run.loss[:step, 1]).all()
    for name in ("x", "loss"):
        assert np.isnan(getattr(run, name)[step + 1 :, 1]).all()
    for values in (run.updates, run.gradients, *run.terms.values()):
        assert np.isnan(values[step:, 1]).all() and np.isfinite(values[: step - 1, 1]).all()
    for lane, lr in ((0, 1e-3), (2, 1e-4)):
        alone = descend(Rosenbrock(), SGD(lr=lr), (-1.2, 1), 50)
        np.testing.assert_array_equal(run.x[:, lane], alone.x[:, 0])


def test_a_lane_diverges_as_the_same_run_alone():
    together = descend(Rosenbrock(), SGD(lr=[1e-3, 1.0]), (-1.2, 1), 50)
    for rule in (SGD(lr=1.0), TorchOptimizer(torch.optim.SGD, lr=1.0)):
        alone = descend(Rosenbrock(), rule, (-1.2, 1), 50)
        assert alone.diverged[0] == together.diverged[1]
        for name in ("x", "loss", "updates", "gradients"):
            mine, theirs = getattr(alone, name)[:, 0], getattr(together, name)[:, 1]
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, err_msg=name)
            assert (np.isnan(mine) == np.isnan(theirs)).all()


def test_a_pole_under_the_start_is_divergence_not_an_error():
    pole = objective(lambda x, y: 1 / x + y**2)
    run = descend(pole, SGD(lr=0.1), (0.0, 1.0), 5)
    assert run.diverged[0] > 0
    log = descend(objective(lambda x, y: optviz.xp.log(x) + y**2), SGD(lr=10.0), (0.5, 1.0), 5)
    assert log.diverged[0] > 0


def test_huge_hyperparameters_do_not_raise():
    for rule in (SGD(lr=1e308), Adam(lr=1e308), Momentum(lr=1e200, momentum=1e200), SGD(lr=1e5, weight_decay=1e300)):
        run = descend(Quadratic(), rule, START, 20)
        assert run.diverged[0] > 0 or np.isfinite(run.x).all()


# Runs with known ends


@pytest.mark.parametrize(("rule", "end"), [
    (SGD(lr=0.4), (-0.94347, -7e-5)), (SGD(lr=0.6, momentum=0.5), (0.00719, 0.00255)),
])  # fmt: skip
def test_quadratic_runs(rule, end):
    final = descend(Quadratic(), rule, START, 20).final[0]
    np.testing.assert_allclose(final, end, atol=5.1e-6)


def test_the_edge_of_stability_on_the_quadratic():
    y = descend(Quadratic(), SGD(lr=0.5), START, 20).x[:, 0, 1]
    np.testing.assert_array_equal(y, [-2, 2] * 10 + [-2])
    assert round(descend(Quadratic(), SGD(lr=0.6), START, 20).final[0, 1]) == -1673


def stays(surface, rule, start, near, steps=3000):
    final = descend(surface, rule, start, steps).final[0]
    return bool(np.isfinite(final).all() and np.abs(final - near).max() < 1e-3)


@pytest.mark.parametrize("number", range(4))
def test_himmelblaus_limits(number):
    surface = Himmelblau()
    minimum = np.array(surface.minima[number])
    limit = 2 / np.linalg.eigvalsh(surface.hessian(*minimum)).max()
    assert abs(limit - (0.0243, 0.0248, 0.0149, 0.0190)[number]) < 5e-5
    assert stays(surface, SGD(lr=0.97 * limit), minimum + 1e-3, minimum)
    assert not stays(surface, SGD(lr=1.03 * limit), minimum + 1e-3, minimum)


@pytest.mark.parametrize(("settings", "limit"), [
    ({}, 2.0), ({"momentum": 0.9}, 3.8), ({"momentum": 0.5, "dampening": 0.2}, 3 / 0.8),
    ({"momentum": 0.9, "nesterov": True}, 3.8 / 2.8), ({"weight_decay": 1.0}, 4 / 3 * 1.0),
])  # fmt: skip
def test_stability_limits(settings, limit):
    bowl = objective(lambda x, y: x**2 + y**2)  # curvature 2
    if "weight_decay" in settings:
        limit = 2 * 2 / (2 + settings["weight_decay"])
    for share, stable in ((0.99, True), (1.01, False)):
        final = descend(bowl, SGD(lr=share * limit / 2, **settings), (1, 1), 4000).final
        assert (np.abs(np.nan_to_num(final, nan=np.inf)).max() < 1) == stable


def test_heavy_ball_can_cycle_on_a_convex_function():
    where = optviz.xp.where
    kinked = objective(lambda x, y: y**2 + where(
        x < 1, 12.5 * x**2, where(x < 2, x**2 / 2 + 24 * x - 12, 12.5 * x**2 - 24 * x + 36)))  # fmt: skip
    x = descend(kinked, SGD(lr=1 / 9, momentum=4 / 9), (3.3, 0), 600).x[:, 0, 0]
    np.testing.assert_allclose(sorted(x[-3:]), [-1.8024, 0.6465, 2.1159], atol=5.1e-5)
    np.testing.assert_allclose(x[-3:], x[-6:-3], rtol=1e-9)


def steps_to_converge(rule, angle):
    bowl = RotatedQuadratic(condition=100, angle=angle)
    loss = descend(bowl, rule, bowl.starts[0], 4000).loss[:, 0]
    return int(np.argmax(loss < 1e-8))


def test_rotation_changes_adam_and_no_gradient_descent():
    angles = (0, 22.5, 45)
    for rule in (SGD(lr=2 / 101), SGD(lr=(2 / 11) ** 2, momentum=(9 / 11) ** 2)):
        counts = [steps_to_converge(rule, angle) for angle in angles]
        assert max(counts) - min(counts) <= 1 and counts[0] > 0
    adam = [steps_to_converge(Adam(lr=0.02), angle) for angle in angles]
    assert 0 < adam[0] < adam[1] / 2 and adam[0] < adam[2] / 2


def test_the_best_heavy_ball_beats_the_best_descent_on_the_quadratic():
    def rate(rule):
        loss = descend(Quadratic(), rule, START, 400).loss[:, 0]
        return (loss[200] / loss[100]) ** (1 / 200)

    low, high = 0.2, 4.0
    lr = (2 / (math.sqrt(low) + math.sqrt(high))) ** 2
    m = ((math.sqrt(high) - math.sqrt(low)) / (math.sqrt(high) + math.sqrt(low))) ** 2
    assert (round(lr, 3), round(m, 3)) == (0.668, 0.403)
    assert abs(rate(SGD(lr=2 / (low + high))) - 0.905) < 0.001
    # the two roots coincide at the optimum: a factor t on top of 0.6345^t
    assert abs(rate(SGD(lr=lr, momentum=m)) - 0.6345) < 0.01
