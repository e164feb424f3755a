"""The experiments' public contract: parameters, results, what a change recomputes, independence."""

import numpy as np
import param
import pytest
import torch
from oracles import LINE

from optviz import (
    SGD,
    Adagrad,
    Adam,
    Experiment,
    Inertia,
    LossComparison,
    Momentum,
    RMSprop,
    SingleParameter,
    StochasticLandscape,
    SurfaceDescent,
    TorchOptimizer,
)
from optviz.menus import rules, surfaces
from optviz.objectives.formula import OWN
from optviz.objectives.surfaces import Quadratic
from optviz.pictures.layers import BLUE, Drawing, Figure, curve

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
    assert SurfaceDescent.param.objective_name.objects == [*surfaces(), OWN]
    assert len(rules()) >= 14 and len(surfaces()) >= 18


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
    assert SurfaceDescent.param.objective_name.objects == [*surfaces(), OWN]
    assert SurfaceDescent.param.optimizer_name.objects == list(rules())
    assert SurfaceDescent().param.objective_name.objects == [*surfaces(), OWN]


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


def test_a_drawing_of_a_layer_that_no_figure_has_is_refused():
    class Growing(Experiment):
        count = param.Integer(1, bounds=(1, 3))

        def compute(self):
            return {}

        def figures(self):
            return [Figure("only", {"line 0": curve(BLUE)})]

        def draw(self):
            one = {"x": np.arange(2.0), "y": np.arange(2.0)}
            return {"only": Drawing({f"line {k}": one for k in range(self.count)}, (0, 1), (0, 1), "")}

    experiment = Growing()
    with pytest.raises(
        TypeError, match=r"Growing\.draw must draw the figures and layers that figures\(\) gives, only, not only"
    ):
        experiment.count = 2
