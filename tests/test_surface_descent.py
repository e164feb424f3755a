"""A rule on a surface: the seed's paths, members by name and of a user's own, what follows a change."""

import warnings

import numpy as np
import pytest
import torch
from oracles import reference
from test_experiments import EPS

import optviz
from optviz import (
    SGD,
    Adagrad,
    Adam,
    Inertia,
    LossComparison,
    Momentum,
    RMSprop,
    SingleParameter,
    StochasticLandscape,
    SurfaceDescent,
    TorchOptimizer,
    descend,
)
from optviz.experiments.surface_pictures import seen, view_of
from optviz.menus import rules, surfaces
from optviz.objectives.surfaces import Booth, Quadratic, RotatedQuadratic

SEED_RULES = {"sgd": SGD, "momentum": Momentum, "inertia": Inertia, "adagrad": Adagrad, "rmsprop": RMSprop,
              "adam": Adam}  # fmt: skip
PATHS = reference("quadratic_paths")


def instance_of(case):
    cls = SEED_RULES[case["rule"]]
    names = {"gamma": "alpha" if cls is RMSprop else "momentum"}
    settings = {names.get(k, k): v for k, v in case.items() if k not in ("rule", "steps", "path")}
    return cls(**settings, **EPS.get(cls, {}))


@pytest.mark.parametrize("case", PATHS, ids=lambda case: case["rule"])
def test_the_surface_seed_by_instance_and_by_name(case):
    by_instance = SurfaceDescent(optimizer=instance_of(case), steps=case["steps"])
    by_name = SurfaceDescent(optimizer=case["rule"])
    chosen = SurfaceDescent()
    chosen.optimizer_name = SEED_RULES[case["rule"]].__name__
    for made in (by_instance, by_name, chosen):
        assert made.steps == case["steps"]
        np.testing.assert_allclose(made.trajectory.x[:, 0, :], case["path"], rtol=1e-9, atol=1e-12)


def test_the_issues_own_line():
    made = SurfaceDescent(optimizer=RMSprop(lr=0.33, alpha=0.5, eps=1e-6, eps_inside=True), steps=50)
    x, v, path = [-5.0, -2.0], [0.0, 0.0], [[-5.0, -2.0]]
    for _ in range(50):
        for i, g in enumerate((0.2 * x[0], 4 * x[1])):
            v[i] = 0.5 * v[i] + 0.5 * g * g
            x[i] -= 0.33 * g / (v[i] + 1e-6) ** 0.5
        path.append(list(x))
    np.testing.assert_allclose(made.trajectory.x[:, 0, :], path, rtol=1e-9, atol=1e-12)


def test_steps_given_beside_a_name_win_over_the_preset():
    assert SurfaceDescent(optimizer="Adam").steps == 30
    assert SurfaceDescent(optimizer="Adam", steps=80).steps == 80
    assert SurfaceDescent(optimizer=Adam(lr=0.1)).steps == 50
    made = SurfaceDescent(steps=7)
    made.param.update(optimizer_name="Adam", steps=12)
    assert (made.steps, made.trajectory.steps) == (12, 12)


@pytest.mark.parametrize("given", ["Booth", "booth", Booth.__name__, Booth()], ids=str)
def test_an_objective_by_name_or_instance(given):
    made = SurfaceDescent(objective=given, optimizer=SGD(lr=0.01))
    assert type(made.objective) is Booth and made.objective_name == "Booth"
    assert made.start == (-8.0, 7.0)
    expected = descend(Booth(), SGD(lr=0.01), (-8, 7), 50)
    np.testing.assert_array_equal(made.trajectory.x, expected.x)


def test_a_users_function_is_an_objective():
    bowl = optviz.objective(lambda x, y: x**2 + 3 * y**2, domain=((-3, 3), (-2, 2)), label="my bowl")
    made = SurfaceDescent(objective=bowl, optimizer=SGD(lr=0.1), start=(2.0, 1.0))
    k = np.arange(51)[:, None]
    expected = np.array([2.0, 1.0]) * np.array([0.8, 0.4]) ** k
    np.testing.assert_allclose(made.trajectory.x[:, 0], expected, rtol=1e-9, atol=1e-12)
    assert made.objective_name == "my bowl"
    made.objective_name = "Booth"
    made.objective_name = "my bowl"  # still on the menu
    assert made.objective is bowl


def test_the_loss_is_counted_from_the_lowest_one_also_where_none_is_declared():
    bowl = optviz.objective(lambda x, y: x**2 + 3 * y**2 + x * y)
    made = SurfaceDescent(objective=bowl, optimizer=SGD(lr=0.05), steps=100)
    assert made.results["lowest"] == 0
    assert made.results["outlook"]["measured"] == pytest.approx(0.9118, abs=5e-5)  # 1 - 0.05 * the flattest curvature
    assert np.isfinite(made.drawings["loss"].layers["loss"]["y"]).all()
    endless = SurfaceDescent(objective="Monkey saddle", optimizer=SGD(lr=0.01))
    assert endless.results["lowest"] is None and np.isnan(endless.results["outlook"]["measured"])
    assert endless.drawings["loss"].title == "Loss above the lowest value of the picture, against step"


def test_a_torch_optimizer_is_a_rule():
    made = SurfaceDescent(optimizer=TorchOptimizer(torch.optim.LBFGS, lr=0.5, max_iter=4), steps=12)
    assert np.abs(made.trajectory.final).max() < 1e-3
    plain = SurfaceDescent(optimizer=TorchOptimizer(torch.optim.SGD, lr=0.05, momentum=0.5))
    ours = SurfaceDescent(optimizer=SGD(lr=0.05, momentum=0.5))
    np.testing.assert_allclose(plain.trajectory.x, ours.trajectory.x, rtol=1e-9, atol=1e-12)
    own, label = made.optimizer, made.optimizer_name
    made.optimizer_name = "Adam"
    made.optimizer_name = label  # still on the menu
    assert made.optimizer is own


def test_the_start_and_its_typed_coordinates_agree():
    made = SurfaceDescent()
    made.start = (1.5, -0.5)
    assert (made.start_x, made.start_y) == (1.5, -0.5)
    made.start_x = -3.25
    assert made.start == (-3.25, -0.5)
    made.param.update(start_x=1.0, start_y=2.0)
    assert made.start == (1.0, 2.0)
    np.testing.assert_array_equal(made.trajectory.x[0, 0], (1, 2))
    assert SurfaceDescent(start_x=2.0, start_y=1.0).start == (2.0, 1.0)
    assert SurfaceDescent(start_y=1.0).start == (-5.0, 1.0)


def test_another_objective_brings_its_start_unless_one_is_given():
    made = SurfaceDescent()
    made.objective_name = "Booth"
    assert made.start == (made.start_x, made.start_y) == (-8.0, 7.0)
    made.param.update(objective=Quadratic(), start=(1.0, 1.0))
    assert made.start == (1.0, 1.0) and made.objective_name == Quadratic.label
    made.param.update(objective_name="Sphere", start_x=0.5, start_y=-0.5)
    assert made.start == (0.5, -0.5)
    np.testing.assert_array_equal(made.trajectory.x[0, 0], (0.5, -0.5))


def test_a_hyperparameter_of_the_rule_and_of_the_surface_recompute():
    made = SurfaceDescent()
    made.optimizer.lr = 0.3
    np.testing.assert_array_equal(made.trajectory.x, descend(Quadratic(), SGD(lr=0.3), (-5, -2), 50).x)
    made.objective = RotatedQuadratic()
    image = made.drawings["surface"].layers["image"]
    made.objective.condition = 40.0
    expected = descend(RotatedQuadratic(condition=40.0), SGD(lr=0.3), made.start, 50)
    np.testing.assert_array_equal(made.trajectory.x, expected.x)
    assert made.drawings["surface"].layers["image"] is not image


def test_a_rule_that_was_replaced_is_no_longer_listened_to():
    made = SurfaceDescent()
    old = made.optimizer
    made.optimizer = Adam(lr=0.1)
    run = made.trajectory
    old.lr = 0.9
    assert made.trajectory is run
    made.optimizer.lr = 0.2
    assert made.trajectory is not run


def test_several_changes_at_once_compute_once():
    for cls, changes in (
        (SurfaceDescent, {"objective_name": "Booth", "optimizer_name": "Adam", "steps": 20, "start": (1.0, 1.0)}),
        (LossComparison, {"preset": "momentum 0.9", "lr": 0.05, "epochs": 40}),
        (SingleParameter, {"lr": 0.2, "momentum": 0.5, "seed": 4}),
        (StochasticLandscape, {"lr": 0.1, "sample": 3, "shuffle": True}),
    ):
        made, counted = cls(), []
        compute = made.compute
        made.compute = lambda compute=compute, counted=counted: counted.append(1) or compute()
        made.param.update(**changes)
        assert len(counted) == 1, cls


@pytest.mark.parametrize("surface", surfaces())
def test_every_rule_on_every_surface_computes_and_draws(surface):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = SurfaceDescent(objective=surface)
        for rule in rules():
            made.optimizer_name = rule
            run = made.trajectory
            assert made.message == "" and type(made.optimizer).__name__ == rule
            assert run.x.shape == (made.steps + 1, 1, 2) and np.isfinite(run.x[0]).all()
            path = made.drawings["surface"].layers["path"]
            drawn = np.column_stack([path["x"], path["y"]])
            x0, y0, x1, y1 = view_of(made)
            points = seen(made.objective, run.x)[:, 0]
            inside = ((points >= (x0, y0)) & (points <= (x1, y1))).all(axis=1)
            last = int(np.flatnonzero(inside)[-1])  # then it leaves for good: one more step, which may be cut short
            np.testing.assert_array_equal(drawn[: last + 1][inside[: last + 1]], points[: last + 1][inside[: last + 1]])
            assert np.isnan(drawn[last + 2 :]).all()
            assert made.status() and made.side()


def test_what_stays_is_not_drawn_again():
    made = SurfaceDescent()
    scape = made.results["landscape"]
    image, lines = (made.drawings["surface"].layers[name] for name in ("image", "levels"))
    made.optimizer.lr = 0.2
    made.steps = 30
    made.start = (-4.0, -1.0)
    assert made.results["landscape"] is scape
    assert made.drawings["surface"].layers["image"] is image
    assert made.drawings["surface"].layers["levels"] is lines


@pytest.mark.parametrize("label", surfaces())
def test_a_start_outside_the_domain_is_said_to_widen_the_picture(label):
    made, said = SurfaceDescent(objective=label), "The picture is widened to hold the start."
    (x0, x1), (y0, y1) = made.objective.domain
    for place, outside in (
        ((x0, y1), False),
        ((x0, y1 + 0.5), not made.objective.is_curve),
        ((x1 + 1, y0), True),
        ((x1, y0), False),
    ):
        made.start = place
        assert (said in made.status()) == outside == (made.results["box"] != (x0, y0, x1, y1))
