"""The experiments' public contract: parameters, results, what a change recomputes, independence."""

import warnings

import numpy as np
import param
import pytest
import torch
from oracles import LINE, reference

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
from optviz.members import rules, surfaces
from optviz.surfaces import Booth, Quadratic, RotatedQuadratic

EXPERIMENTS = [SingleParameter, SurfaceDescent, LossComparison, StochasticLandscape]


def contract(parameter) -> tuple:
    return parameter.default, parameter.bounds, getattr(parameter, "step", None)


# parameter: default, bounds, step, as the users' guide to each lesson states them
CONTRACT = {
    SingleParameter: {
        "lr": (0.1, (0, 1), 0.01), "decay": (0.002, (0, 0.005), 0.0001), "momentum": (0.95, (0, 0.99), 0.01),
        "clip": (5, (0.5, 5), 0.5), "epoch": (1, (1, 40), None),
    },
    StochasticLandscape: {"sample": (0, (0, 99), None), "batch_size": (1, (1, 100), None)},
}  # fmt: skip
DEFAULTS = {
    SurfaceDescent: {"start": (-5.0, -2.0), "steps": 50},
    LossComparison: {"lr": 0.1, "epochs": 100, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False,
                     "preset": "plain"},
    StochasticLandscape: {"start": (1.2, -2.3), "lr": 0.05, "sample": 0, "batch_size": 1, "shuffle": False},
}  # fmt: skip
RULE_RANGES = {  # default in the playground, lowest, highest, step
    SGD: {"lr": (0.05, 0, 1, 0.001)},
    Momentum: {"lr": (0.1, 0, 1, 0.001), "momentum": (0.1, 0, 0.99, 0.01)},
    Inertia: {"lr": (0.1, 0, 1, 0.001), "momentum": (0.1, 0, 0.99, 0.01)},
    Adagrad: {"lr": (0.1, 0, 4, 0.01)},
    RMSprop: {"lr": (0.1, 0, 1, 0.001), "alpha": (0.9, 0, 0.999, 0.01)},
    Adam: {"lr": (0.1, 0, 1, 0.001), "beta1": (0.9, 0, 0.999, 0.001), "beta2": (0.999, 0, 0.999, 0.001)},
}
EPS = {Adagrad: {"eps": 1e-6, "eps_inside": True}, RMSprop: {"eps": 1e-6, "eps_inside": True}, Adam: {"eps": 1e-6}}


@pytest.mark.parametrize(("cls", "names"), CONTRACT.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_bounds_and_steps(cls, names):
    assert {name: contract(cls.param[name]) for name in names} == names


@pytest.mark.parametrize(("cls", "values"), DEFAULTS.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_defaults(cls, values):
    made = cls()
    assert {name: getattr(made, name) for name in values} == values
    assert {name: cls.param[name].default for name in values} == values


@pytest.mark.parametrize(("cls", "ranges"), RULE_RANGES.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_a_rules_controls_have_the_seeds_values_and_ranges(cls, ranges):
    rule = SurfaceDescent(optimizer=cls.__name__).optimizer
    assert type(rule) is cls
    for name, (value, low, high, step) in ranges.items():
        parameter = cls.param[name]
        assert getattr(rule, name) == value
        assert (*parameter.get_soft_bounds(), parameter.step) == (low, high, step)
    assert {name: getattr(rule, name) for name in EPS.get(cls, {})} == EPS.get(cls, {})


def test_surface_descent_starts_with_sgd_on_the_quadratic():
    made = SurfaceDescent()
    assert type(made.optimizer) is SGD and made.optimizer.lr == 0.05
    assert type(made.objective) is Quadratic
    assert (made.optimizer_name, made.objective_name) == ("SGD", Quadratic.label)


def test_menus_offer_the_whole_catalogue():
    assert SurfaceDescent.param.optimizer_name.objects == list(rules())
    assert SurfaceDescent.param.objective_name.objects == list(surfaces())
    assert len(rules()) >= 14 and len(surfaces()) >= 18


# SingleParameter


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


# SurfaceDescent

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
            np.testing.assert_array_equal(np.column_stack([path["x"], path["y"]]), run.x[:, 0])
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


# LossComparison

LOSSES = ["mse", "l1", "huber", "smooth_l1"]


def knobs_of(case):
    return {k: v for k, v in case.items() if k in ("lr", "momentum", "nesterov")}


@pytest.mark.parametrize("case", reference("regression_paths"), ids=lambda c: f"{c['loss']} {knobs_of(c)}")
def test_the_regression_seed(case):
    made = LossComparison(**knobs_of(case))
    lane = LOSSES.index(case["loss"])
    path, losses = np.array(case["weight_bias_path"]), np.array(case["losses"])
    assert made.trajectory.x.shape == (101, 4, 2) and path.shape == (101, 2) and losses.shape == (100,)
    assert np.abs(made.trajectory.x[:, lane] - path).max() <= 1e-5 * np.abs(path).max()
    np.testing.assert_allclose(made.trajectory.loss[:-1, lane], losses, rtol=1e-5)


@pytest.mark.parametrize("lane", range(4), ids=LOSSES)
def test_the_regression_seeds_landscapes(lane):
    maps, figures = LossComparison().landscapes, reference("regression_maps")[LOSSES[lane]]
    assert maps.shape == (4, 101, 101)
    got = maps[lane]
    corners = [got[0, 0], got[0, -1], got[-1, 0], got[-1, -1]]
    np.testing.assert_allclose(corners, figures["corners"], rtol=1e-5)
    np.testing.assert_allclose(got.mean(), figures["mean"], rtol=1e-5)
    np.testing.assert_allclose(got.min(), figures["minimum"], rtol=1e-5)
    assert list(np.unravel_index(got.argmin(), got.shape)) == figures["argmin"]


def test_the_regression_data():
    random = np.random.RandomState(20240215)
    x = random.randn(50)
    y = 0.75 * x**2 + x + 2 + 0.3 * random.randn(50)
    made = LossComparison()
    np.testing.assert_array_equal(made.x, x.astype(np.float32))
    np.testing.assert_array_equal(made.y, y.astype(np.float32))
    np.testing.assert_array_equal(made.trajectory.x[0], [[6, -3]] * 4)


KNOBS = ("momentum", "dampening", "weight_decay", "nesterov")
PRESETS = {
    "plain": (0, 0, 0, False),
    "momentum 0.9": (0.9, 0, 0, False),
    "momentum 0.9 + Nesterov": (0.9, 0, 0, True),
    "momentum 0.9 + Nesterov + weight decay 2": (0.9, 0, 2, True),
    "momentum 0.9, dampening 0.8": (0.9, 0.8, 0, False),
}


def test_presets_set_the_knobs_and_knobs_name_the_preset():
    made = LossComparison()
    assert made.param.preset.objects == [*PRESETS, "your own"]
    for preset, values in reversed(PRESETS.items()):
        made.preset = preset
        assert tuple(getattr(made, name) for name in KNOBS) == values and made.message == ""
        fresh = LossComparison(preset=preset)
        assert tuple(getattr(fresh, name) for name in KNOBS) == values
        np.testing.assert_array_equal(made.trajectory.x, fresh.trajectory.x)
        by_hand = LossComparison(**dict(zip(KNOBS, values, strict=True)))
        assert by_hand.preset == preset
        np.testing.assert_array_equal(by_hand.trajectory.x, made.trajectory.x)


def test_a_moved_knob_makes_the_preset_your_own():
    made = LossComparison(preset="momentum 0.9")
    made.momentum = 0.8
    assert made.preset == "your own"
    made.momentum = 0.9
    assert made.preset == "momentum 0.9"
    made.lr = 0.05  # no preset holds the rate
    assert made.preset == "momentum 0.9"


def test_knobs_leave_the_landscapes_alone():
    made = LossComparison()
    maps, images = made.landscapes, [made.drawings[name].layers["image"] for name in LOSSES]
    made.param.update(lr=0.2, momentum=0.5)
    made.preset = "momentum 0.9"
    assert made.landscapes is maps
    assert all(made.drawings[name].layers["image"] is image for name, image in zip(LOSSES, images, strict=True))
    run = made.trajectory
    made.step = 9
    made.dissected = "l1"
    assert made.trajectory is run


def test_the_dissected_step_is_the_step_taken():
    for preset, layer in (("momentum 0.9", "momentum"), ("momentum 0.9 + Nesterov", "nesterov")):
        for step in (1, 2, 7):
            made = LossComparison(preset=preset, step=step, dissected="huber")
            arrow = made.drawings["vectors"].layers[layer]
            update = made.trajectory.updates[step - 1, LOSSES.index("huber")]
            tip = [arrow["x1"][0] - arrow["x0"][0], arrow["y1"][0] - arrow["y0"][0]]
            np.testing.assert_allclose(tip, update[::-1], rtol=1e-9, atol=1e-12)
    parts = LossComparison(preset="momentum 0.9", step=7).drawings["vectors"].layers
    move = {n: np.array([c["x1"][0] - c["x0"][0], c["y1"][0] - c["y0"][0]]) for n, c in parts.items() if "x1" in c}
    np.testing.assert_allclose(move["gradient"] + move["carried"], move["momentum"], rtol=1e-9)


# StochasticLandscape


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


def test_another_seed_replaces_given_data():
    x = np.linspace(-1, 1, 10)
    made = StochasticLandscape(data=(x, 2 * x), sample=9)
    made.seed = 2
    np.testing.assert_array_equal(made.trajectory.x, StochasticLandscape(seed=2).trajectory.x)
    made.sample = 99
    assert made.message == "" and made.sample == 99


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


# all of them


CHANGES = {
    SingleParameter: {"lr": 0.3, "epoch": 7, "momentum": 0.2, "clip": 1.0, "seed": 4},
    SurfaceDescent: {"objective_name": "Booth", "optimizer_name": "Adam", "steps": 20},
    LossComparison: {"preset": "momentum 0.9 + Nesterov", "epochs": 30, "step": 8},
    StochasticLandscape: {"sample": 12, "lr": 0.1, "batch_size": 4, "shuffle": True, "start_w1": 0.5},
}


def class_values(cls) -> dict:
    values = {name: cls.param[name].default for name in cls.param if name != "name"}
    bounds = {f"{n} bounds": getattr(cls.param[n], "bounds", None) for n in cls.param}
    menus = {f"{n} menu": list(cls.param[n].objects) for n in cls.param if isinstance(cls.param[n], param.Selector)}
    return {**values, **bounds, **menus}


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def layers(experiment) -> dict:
    return {name: dict(drawing.layers) for name, drawing in experiment.drawings.items()}


@pytest.mark.parametrize("cls", EXPERIMENTS)
def test_two_instances_do_not_influence_each_other(cls):
    before, untouched, moved = class_values(cls), cls(), cls()
    first = layers(untouched)
    results = dict(untouched.results)
    moved.param.update(**CHANGES[cls])
    assert not same(layers(moved), first)
    assert untouched.results == results and same(layers(untouched), first) and untouched.revision == 0
    assert same(layers(cls()), first)
    assert class_values(cls) == before


def test_members_given_by_name_are_not_shared():
    first, second = SurfaceDescent(), SurfaceDescent()
    assert first.optimizer is not second.optimizer and first.objective is not second.objective
    assert SurfaceDescent.param.optimizer.default is None and SurfaceDescent.param.objective.default is None
    first.optimizer.lr = 0.4
    assert second.optimizer.lr == SurfaceDescent().optimizer.lr == 0.05 and SGD.lr == 1e-3


def test_a_users_own_member_stays_off_the_class_menus():
    made = SurfaceDescent(optimizer=TorchOptimizer(torch.optim.SGD, lr=0.1), objective=LINE, start=(0.0, 0.0))
    assert made.objective_name in made.param.objective_name.objects
    assert SurfaceDescent.param.objective_name.objects == list(surfaces())
    assert SurfaceDescent.param.optimizer_name.objects == list(rules())
    assert SurfaceDescent().param.objective_name.objects == list(surfaces())


@pytest.mark.parametrize("cls", EXPERIMENTS)
def test_a_change_and_its_undoing_end_where_it_began(cls):
    made = cls()
    results = made.results
    before = {name: getattr(made, name) for name in cls.param if name not in ("name", "revision")}
    made.param.update(**CHANGES[cls])
    made.param.update(**{name: before[name] for name in before if cls.param[name].precedence != -1})
    run = {"trajectory", "updates"} & set(results)
    for name in run:
        old, new = (r[name].x if name == "trajectory" else r[name] for r in (results, made.results))
        np.testing.assert_array_equal(new, old)
    assert run and made.revision == 2
