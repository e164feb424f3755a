"""Sweeps against the single runs they stand for."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import param
import pytest
import torch

import optviz
from optviz import SGD, Adam, Lanes, ReLUNet, Rule, descend, surfaces, sweep
from optviz.rules.schedules import CosineAnnealingLR
from optviz.runs.torch_optimizer import TorchOptimizer
from optviz.sweeps import blocks
from optviz.sweeps.blocks import BLOCK
from optviz.sweeps.sweep import _grid

STEPS = 40
RULES = [r for r in param.concrete_descendents(Rule).values() if r.__module__ == "optviz.rules.optimizers"]
SURFACES = [
    s for s in param.concrete_descendents(optviz.Objective).values() if s.__module__ == "optviz.objectives.surfaces"
]
# + - * / and square roots round the same everywhere; powers, as in 1 - beta^t, may differ in the last digit
POWERS = {"Adam", "AdamW", "NAdam", "RAdam", "Adamax"}
ALL = ["loss", "first", "log_loss", "steps_to", "diverged"]


@pytest.fixture(autouse=True, params=["off", "now"], ids=["numpy", "compiled"])
def by_kernels(request, monkeypatch):
    """Every law holds of lanes by calls of numpy and of those that a kernel walks."""
    monkeypatch.setenv("OPTVIZ_KERNELS", request.param)


def cells(array):
    """Every cell of a sweep with its coordinates by name."""
    stacked = array.stack(cell=array.dims)
    for k in range(stacked.cell.size):
        here = stacked.isel(cell=k)
        yield {n: float(here[n]) for n in array.dims}, here


def alone(objective, rule, start, own, steps=STEPS, **around):
    """The single run of a cell, and its measures."""
    names = rule.hyperparameters()
    rule = type(rule)(**{**rule.settings(), **{n: v for n, v in own.items() if n in names}})
    start = [own.get(n, x) for n, x in zip(objective.names, start, strict=True)]
    run = descend(objective, rule, start, steps, **around)
    return run, {"loss": run.loss[-1, 0], "diverged": run.diverged[0]}


def two_axes(cls):
    """An axis of the learning rate, and one of another hyperparameter of the rule."""
    rates = np.array([0.003, 0.1, 1.1, 60.0])
    others = {"momentum": [0.0, 0.5, 0.95], "beta1": [0.0, 0.9], "alpha": [0.5, 0.99], "rho": [0.5, 0.95],
              "etaplus": [1.1, 2.0], "lr_decay": [0.0, 0.3], "damping": [0.0, 3.0]}  # fmt: skip
    name = next(n for n in others if n in cls.hyperparameters())
    return {"lr": rates, name: others[name]}


@pytest.mark.parametrize("cls", RULES, ids=lambda c: c.__name__)
@pytest.mark.parametrize("objective", [surfaces.Quadratic(), surfaces.Rosenbrock()], ids=["quadratic", "rosenbrock"])
def test_a_cell_is_the_run_with_its_hyperparameters(cls, objective):
    start = (-1.2, 0.7)
    found = sweep(objective, cls(), start, STEPS, two_axes(cls), measure=ALL, tolerance=1e-2)
    assert found.loss.dims == tuple(two_axes(cls))
    for own, cell in cells(found):
        run, ends = alone(objective, cls(), start, own)
        assert cell.diverged == ends["diverged"], own
        assert cell["first"] == run.loss[0, 0]
        if cls.__name__ in POWERS:
            np.testing.assert_allclose(cell.loss, ends["loss"], rtol=1e-12, atol=1e-300)
        else:
            np.testing.assert_array_equal(cell.loss, ends["loss"])
        close = np.flatnonzero(run.loss[:, 0] <= 1e-2)
        np.testing.assert_array_equal(cell.steps_to, close[0] if close.size else math.nan)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(cell.log_loss, np.log10(cell.loss))


@pytest.mark.parametrize("flags", [
    (SGD, {"nesterov": True, "momentum": 0.9}), (Adam, {"amsgrad": True}), (optviz.RMSprop, {"centered": True}),
    (optviz.NAdam, {"decoupled_weight_decay": True}), (optviz.RAdam, {"weight_decay": 0.1}),
    (optviz.Adagrad, {"eps_inside": True, "initial_accumulator_value": 0.1}),
], ids=lambda f: f[0].__name__)  # fmt: skip
def test_flags_and_weight_decay_hold_in_every_cell(flags):
    cls, settings = flags
    axes = {"lr": [0.01, 0.2], "weight_decay": [0.0, 0.05]}
    found = sweep(surfaces.Beale(), cls(**settings), (1, 1), STEPS, axes)
    for own, cell in cells(found):
        _, ends = alone(surfaces.Beale(), cls(**settings), (1, 1), own)
        np.testing.assert_allclose(cell, ends["loss"], rtol=1e-12)


def test_start_coordinates_and_shapes_are_axes():
    axes = {"x": [-1.5, 0.3], "y": [0.5, 1.0, 2.0], "steepness": [1.0, 50.0]}
    found = sweep(surfaces.Rosenbrock(), SGD(lr=0.002, momentum=0.3), (0, 0), STEPS, axes)
    for own, cell in cells(found):
        _, ends = alone(surfaces.Rosenbrock(steepness=own["steepness"]), SGD(lr=0.002, momentum=0.3), (0, 0), own)
        assert cell == ends["loss"]


def test_condition_and_angle_are_axes():
    axes = {"condition": [2.0, 30.0], "angle": [0.0, 30.0, 45.0]}
    found = sweep(surfaces.RotatedQuadratic(), SGD(lr=0.03, momentum=0.9), (1, 1), STEPS, axes)
    for own, cell in cells(found):
        _, ends = alone(surfaces.RotatedQuadratic(**own), SGD(lr=0.03, momentum=0.9), (1, 1), {})
        np.testing.assert_allclose(cell, ends["loss"], rtol=1e-12)


@pytest.mark.parametrize("name", ["clip", "clip_norm"])
def test_clips_are_axes(name):
    found = sweep(surfaces.Himmelblau(), SGD(lr=0.01), (-4, 3), STEPS, {name: [0.5, 5.0, 500.0], "lr": [0.01, 0.05]})
    for own, cell in cells(found):
        rule = SGD(lr=own["lr"])
        assert cell == descend(surfaces.Himmelblau(), rule, (-4, 3), STEPS, **{name: own[name]}).loss[-1, 0]


def test_seeds_are_axes_and_share_their_draws_across_cells():
    rule = SGD(lr=0.1, momentum=0.5)
    found = sweep(surfaces.Quadratic(), rule, (1, 1), STEPS, {"seed": [0, 3, 7], "lr": [0.05, 0.1]}, noise=0.5)
    for own, cell in cells(found):
        run = descend(surfaces.Quadratic(), SGD(lr=own["lr"], momentum=0.5), (1, 1), STEPS, noise=0.5,
                      seed=int(own["seed"]))  # fmt: skip
        assert cell == run.loss[-1, 0]


def test_seeds_give_the_same_numbers_in_blocks_threads_and_tensors():
    axes = {"seed": range(6), "lr": np.geomspace(1e-3, 3, 7), "momentum": [0.0, 0.9]}
    call = {"measure": ALL, "noise": 0.3, "schedule": CosineAnnealingLR()}
    plain = sweep(surfaces.Rosenbrock(), SGD(), (-1.2, 1), STEPS, axes, block=10**6, **call)
    assert (plain.diverged > 0).any() and len(np.unique(plain.loss[:, 0, 0])) == 6
    for options in ({"block": 1}, {"block": 5, "threads": 3}, {"block": 16, "device": "cpu"}):
        assert plain.identical(sweep(surfaces.Rosenbrock(), SGD(), (-1.2, 1), STEPS, axes, **call, **options))
    turned = {n: axes[n] for n in ("momentum", "lr", "seed")}
    same = sweep(surfaces.Rosenbrock(), SGD(), (-1.2, 1), STEPS, turned, **call)
    assert plain.identical(same.transpose(*axes))


def test_schedules_noise_and_clip_surround_every_cell():
    around = {"schedule": CosineAnnealingLR(), "noise": 0.2, "seed": 4, "clip": 3.0}
    for axes in ({"lr": [0.01, 0.1]}, {"momentum": [0.0, 0.9]}):
        found = sweep(surfaces.Quadratic(), SGD(lr=0.05), (-3, 2), STEPS, axes, **around)
        for own, cell in cells(found):
            _, ends = alone(surfaces.Quadratic(), SGD(lr=0.05), (-3, 2), own, **around)
            assert cell == ends["loss"]


class Stumbling(Rule):
    """A rule that branches on a number, which nothing can trace."""

    lr = optviz.Hyperparameter(0.1, bounds=(0, None))

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        return let("step", -h.lr * (g if abs(g) > 1 else g / 2))


def test_what_cannot_be_traced_runs_cell_by_cell():
    axes = {"lr": [0.02, 0.1], "y": [1.0, 2.0]}
    relu = ReLUNet(np.linspace(-1, 1, 9), np.linspace(-2, 2, 9))
    user = optviz.objective(lambda x, y: torch.sin(x) ** 2 + y**2)
    theirs = TorchOptimizer(torch.optim.Adam, lr=0.1)
    for objective, rule in (
        (surfaces.Quadratic(), Stumbling()), (user, SGD()), (surfaces.Quadratic(), theirs),
    ):  # fmt: skip
        found = sweep(objective, rule, (1.0, 1.0), 12, axes, measure=["loss", "diverged"])
        for own, cell in cells(found):
            here = TorchOptimizer(torch.optim.Adam, lr=own["lr"]) if rule is theirs else type(rule)(lr=own["lr"])
            assert cell.loss == descend(objective, here, (1.0, own["y"]), 12).loss[-1, 0]
    found = sweep(relu, optviz.Newton(lr=0.5), (1.2, -2.3), 12, {"lr": [0.1, 0.5], "w1": [0.4, 1.2]})
    for own, cell in cells(found):
        run = descend(relu, optviz.Newton(lr=own["lr"]), (own["w1"], -2.3), 12)
        np.testing.assert_allclose(cell, run.loss[-1, 0], rtol=1e-12)


def test_blocks_threads_and_tensors_change_no_number():
    axes = {"lr": np.geomspace(1e-3, 3, 23), "momentum": np.linspace(0, 0.99, 19)}
    for cls in (SGD, optviz.RMSprop):
        plain = sweep(surfaces.Rosenbrock(), cls(), (-1.2, 1), 60, axes, measure=ALL, block=10**6)
        assert bool((plain.diverged > 0).any()) == (cls is SGD)
        for options in ({"block": 1}, {"block": 7}, {"block": 50, "threads": 3}):
            assert plain.identical(sweep(surfaces.Rosenbrock(), cls(), (-1.2, 1), 60, axes, measure=ALL, **options))
        tensors = sweep(surfaces.Rosenbrock(), cls(), (-1.2, 1), 60, axes, measure=ALL, block=64, device="cpu")
        np.testing.assert_array_equal(tensors.diverged, plain.diverged)
        # torch's square root on a CPU may be off in the last digit
        np.testing.assert_allclose(tensors.loss, plain.loss, rtol=0 if cls is SGD else 1e-11)


def test_any_part_of_a_grid_knows_what_its_lanes_have():
    rates, momenta = np.linspace(0.01, 0.5, 5), np.array([0.0, 0.0, 0.3, 0.6, 0.0])
    axes = {"momentum": momenta, "lr": rates}
    grid = _grid(surfaces.Quadratic(), SGD(), (-5, -2), 20, axes, {})
    assert grid.shape == (5, 5)
    for at, stop in ((0, 25), (3, 4), (7, 23), (20, 25)):
        own = grid.values(at, stop)
        np.testing.assert_array_equal(own["lr"], np.tile(rates, 5)[at:stop])
        np.testing.assert_array_equal(own["momentum"], np.repeat(momenta, 5)[at:stop])
    found = sweep(surfaces.Quadratic(), SGD(), (-5, -2), 20, axes, block=7)
    for own, cell in cells(found):  # momentum 0 keeps no buffer: lanes of a block choose for themselves
        assert cell == descend(surfaces.Quadratic(), SGD(**own), (-5, -2), 20).loss[-1, 0]


def test_a_block_at_rest_stops_early_with_the_same_numbers(monkeypatch):
    taken = []
    ends = blocks._ends
    monkeypatch.setattr(blocks, "_ends", lambda *given: (taken.append(given[2].taken), ends(*given))[1])
    axes = {"x": np.linspace(-2, 2, 5)}
    found = sweep(surfaces.Sphere(), SGD(lr=0.5), (0, 1), 1000, axes, measure=["loss", "steps_to"])
    assert 0 < taken[0] < 100 and len(taken) == 1
    for own, cell in cells(found):
        assert cell.loss == descend(surfaces.Sphere(), SGD(lr=0.5), (own["x"], 1), 1000).loss[-1, 0]


def test_a_loss_that_is_lost_for_a_while_is_a_divergence():
    """As `descend` marks it: a run may come back to finite values, but it had left them."""
    dip = optviz.objective(lambda x, y: optviz.xp.log(x) ** 2 + y**2)
    axes = {"lr": [0.01, 0.4, 0.9, 3.0], "x": [0.2, 1.5]}
    found = sweep(dip, optviz.Lion(), (1, 1), 30, axes, measure=["loss", "diverged"], lowest=0.0)
    assert (found.diverged > 0).any() and (found.diverged == 0).any()
    for own, cell in cells(found):
        run, ends = alone(dip, optviz.Lion(), (1, 1), own, 30)
        assert cell.diverged == ends["diverged"]
        np.testing.assert_array_equal(cell.loss, ends["loss"])


# memory and devices


def test_memory_is_bounded_by_the_block():
    def peak(n):
        axes = {"lr": np.linspace(0, 0.4, n), "momentum": np.linspace(0, 0.9, n)}
        tracemalloc.start()
        found = sweep(surfaces.Quadratic(), SGD(), (-5, -2), 3, axes, threads=1)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most - found.nbytes

    peak(8)  # what is imported and traced once
    small, large = peak(256), peak(1024)
    assert large < small + 32 * BLOCK  # 16 times the lanes


def test_without_a_gpu_one_sentence_says_so():
    if torch.cuda.is_available():
        axes = {"lr": np.linspace(0.01, 1, 9), "momentum": [0.0, 0.9]}
        plain = sweep(surfaces.Rosenbrock(), SGD(), (0, 0), 60, axes, measure=ALL)
        assert plain.identical(sweep(surfaces.Rosenbrock(), SGD(), (0, 0), 60, axes, measure=ALL, device="cuda"))
    else:
        with pytest.raises(ValueError, match="^sweep: device 'cuda' needs a GPU that torch can use, and there is none; "
                                             "leave it out.$"):  # fmt: skip
            sweep(surfaces.Sphere(), SGD(), (1, 1), 5, {"lr": [0.1]}, device="cuda")


# refusals


@pytest.mark.parametrize("axes, said", [
    ({}, "needs at least one axis"), ({"lrr": [1]}, "needs an axis that the rule or the objective has, not 'lrr'"),
    ({"nesterov": [0, 1]}, "needs an axis"), ({"lr": []}, "needs a list of finite numbers for axis 'lr'"),
    ({"lr": [0.1, math.nan]}, "finite numbers"), ({"lr": [-1.0]}, "must be at least 0"),
    ({"clip": [0.0]}, "needs a clip above 0"), ({"seed": [-1]}, "needs seeds of 0 or more"),
])  # fmt: skip
def test_axes_that_make_no_sense(axes, said):
    with pytest.raises(ValueError, match=said):
        sweep(surfaces.Quadratic(), SGD(), (1, 1), 5, axes)


@pytest.mark.parametrize("options, said", [
    ({"measure": "gain"}, "needs measures it knows"), ({"block": 0}, "needs a block of at least one lane"),
    ({"batches": []}, "needs arguments it knows"), ({"scheduler": 5}, "needs a dask.distributed client"),
    ({"noise": -1.0}, "needs a noise of 0 or more"),
])  # fmt: skip
def test_options_that_make_no_sense(options, said):
    with pytest.raises(ValueError, match=said):
        sweep(surfaces.Quadratic(), SGD(), (1, 1), 5, {"lr": [0.1]}, **options)


def test_objectives_and_starts_that_make_no_sense():
    data = ReLUNet([0.0, 1.0], [0.0, 2.0])
    for objective, start, said in (
        (3, (1, 1), "needs an objective"), (Lanes([data]), (1, 1), "needs one objective"),
        (surfaces.Sphere(), (1, 1, 1), "needs a start of 2 finite numbers"),
        (surfaces.Sphere(), (math.inf, 1), "needs a start of 2 finite numbers"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            sweep(objective, SGD(), start, 5, {"lr": [0.1]})
    with pytest.raises(ValueError, match="needs an objective with a lowest value in its domain"):
        sweep(surfaces.MonkeySaddle(), SGD(), (1, 1), 5, {"lr": [0.1]}, measure="log_loss")
