"""What a sweep measures: the same whatever else is measured with it, and what the run itself tells."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import optviz
from optviz import SGD, Adam, RMSprop, basins, descend, surfaces, sweep
from optviz.objectives.minima import Basin, lowest_loss
from optviz.rules.schedules import CosineAnnealingLR
from optviz.runs.torch_optimizer import TorchOptimizer
from optviz.sweeps.sweep import MEASURES, REACHED

MAP = {"steepness": [1.0, 50, 150], "lr": [0.001, 0.005, 0.02]}  # half of it diverges
CASES = {
    "shape": (surfaces.Rosenbrock(), SGD(lr=0.01, momentum=0.9), (-0.9, 1.73), MAP, {}),
    "noise": (surfaces.SixHumpCamel(), SGD(), (1, 1), {"seed": [0, 3], "lr": [0.02, 0.3]}, {"noise": 0.3}),
    "schedule": (surfaces.Branin(), RMSprop(), (0, 0), {"lr": [0.1, 1e160], "x": [-5, 1, 9]},
                 {"schedule": CosineAnnealingLR()}),
    "clip": (surfaces.Himmelblau(), Adam(), (1, 1), {"clip": [1e-3, 1e3], "lr": [0.1, 1e200]}, {}),
    "device": (surfaces.Himmelblau(), SGD(), (1, 1), {"y": [-3, 0, 40], "lr": [0.01, 0.03]}, {"device": "cpu"}),
    "torch": (surfaces.Himmelblau(), TorchOptimizer(torch.optim.SGD, lr=0.1), (1, 1), {"lr": [0.01, 0.5]}, {}),
    "falls": (surfaces.MonkeySaddle(), SGD(lr=0.1), (1, 1), {"x": [0.1, -2], "lr": [0.01, 0.5]}, {"minima": [(0, 0)]}),
}  # fmt: skip


@pytest.fixture(autouse=True, params=["off", "now"], ids=["numpy", "compiled"])
def by_kernels(request, monkeypatch):
    """Every law holds of lanes by calls of numpy and of those that a kernel walks."""
    monkeypatch.setenv("OPTVIZ_KERNELS", request.param)


@pytest.mark.parametrize("lowest", [0.01, REACHED])
@pytest.mark.parametrize("case", CASES)
def test_measures_do_not_depend_on_what_else_is_measured(case, lowest):
    objective, rule, start, axes, more = CASES[case]
    more = {"minima": Basin.of(objective), **more}  # found once
    random = np.random.default_rng(list(CASES).index(case))
    alone = {name: sweep(objective, rule, start, 80, axes, measure=name, lowest=lowest, **more) for name in MEASURES}
    assert (alone["diverged"] > 0).any()
    for _ in range(2):
        asked = list(random.permutation(list(MEASURES))[: random.integers(2, 7)])
        together = sweep(objective, rule, start, 80, axes, measure=asked, lowest=lowest, **more)
        for name in asked:
            np.testing.assert_array_equal(together[name], alone[name], err_msg=f"{name} of {asked}")


@pytest.mark.parametrize("lowest", [0.01, REACHED])
@pytest.mark.parametrize("case", ["shape", "torch", "falls"])
def test_measures_are_what_the_run_tells(case, lowest):
    objective, rule, start, axes, more = CASES[case]
    basin = Basin.of(objective, more.get("minima"))
    found = sweep(objective, rule, start, 80, axes, measure=list(MEASURES), lowest=lowest, tolerance=0.5, **more)
    stacked = found.stack(cell=found.dims)
    for k in range(stacked.cell.size):
        cell = stacked.isel(cell=k)
        own = {name: cell[name].item() for name in axes}
        here = type(objective)(**{n: v for n, v in own.items() if n in objective.shape_names()})
        walker = (
            TorchOptimizer(rule.cls, lr=own["lr"])
            if case == "torch"
            else type(rule)(**rule.settings() | {"lr": own["lr"]})
        )
        run = descend(here, walker, (own.get("x", start[0]), start[1]), 80)
        gone = int(run.diverged[0])
        k = -1 if gone else basin.reached(run.final.T)[0]
        level = ([*basin.values, math.nan][k]) if lowest == REACHED else lowest
        close = np.flatnonzero(run.loss[: gone or None, 0] <= level + 0.5)
        assert (cell.diverged, cell.minimum) == (gone, k), own
        np.testing.assert_array_equal(cell.steps_to, close[0] if close.size else math.nan)
        np.testing.assert_array_equal([cell["first"], cell.loss], run.loss[[0, -1], 0])
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(cell.log_loss, np.log10(run.loss[-1, 0] - level))


def test_the_lanes_of_a_second_walk_are_its_own():
    measure = ["diverged", "steps_to", "minimum"]
    found = sweep(*CASES["shape"][:3], 80, MAP, measure=measure, lowest=REACHED)
    np.testing.assert_array_equal(found["diverged"], [[0, 0, 0], [0, 8, 6], [0, 6, 5]])


def test_the_lowest_loss_that_is_given_counts_also_beside_the_minimum_reached():
    camel, axes = surfaces.ThreeHumpCamel(), {"lr": [0.04, 0.05]}
    found = {lowest: sweep(camel, SGD(), (-2, 1.5), 200, axes, measure=["steps_to", "minimum"], lowest=lowest)
             for lowest in (None, 0.0, 0.3, REACHED)}  # fmt: skip
    assert (found[None].minimum > 0).all() and np.isnan(found[None].steps_to).all()  # it ends in a higher one
    assert found[0.0].identical(found[None])
    assert np.isfinite(found[0.3].steps_to).all() and (found[0.3].steps_to < found[REACHED].steps_to).all()
    only = basins(camel, SGD(lr=0.05), size=5, measure=["steps_to"])
    assert only.identical(basins(camel, SGD(lr=0.05), size=5, measure=["minimum", "steps_to"])[["steps_to"]])


def test_no_lowest_loss_and_no_number_for_one_are_refused():
    bowl = optviz.objective(lambda x, y: x**3 - 3 * x + y**2, label="endless")
    assert lowest_loss(bowl) is None
    with pytest.raises(ValueError, match="sweep needs an objective with a lowest value in its domain, not 'endless'"):
        sweep(bowl, SGD(), (1, 1), 5, {"lr": [0.1]}, measure="log_loss")
    for wrong in (math.nan, math.inf, "lowest", True, [0.0]):
        with pytest.raises(ValueError, match="sweep needs a finite lowest loss"):
            sweep(bowl, SGD(), (1, 1), 5, {"lr": [0.1]}, measure="steps_to", lowest=wrong)
