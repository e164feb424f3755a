"""Rules that make a block's rows awkward to keep, against the single runs they stand for."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import optviz
from optviz import SGD, Hyperparameter, Rule, descend, surfaces, sweep
from optviz.sweeps.lanes import Wanted, traced


@pytest.fixture(autouse=True, params=["off", "now"], ids=["numpy", "compiled"])
def by_kernels(request, monkeypatch):
    """Every law holds of lanes by calls of numpy and of those that a kernel walks."""
    monkeypatch.setenv("OPTVIZ_KERNELS", request.param)


class Crossing(Rule):
    """Terms that change places, and one that keeps where the run was."""

    lr = Hyperparameter(0.01, bounds=(0, None))
    memory = {"p": 0.0, "q": 1.0, "before": 0.0, "turns": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        moved = x - memory.before
        let("p", memory.q)
        let("q", memory.p + g)
        let("before", x)
        turns = let("turns", memory.turns + 1)
        return let("step", -h.lr * (memory.p + g) + 0.01 * moved / turns)


class Choosing(Rule):
    """Choices between a term's old and new values, by lane and by step."""

    lr = Hyperparameter(0.01, bounds=(0, None))
    beta = Hyperparameter(0.5, bounds=(0, 1))
    memory = {"u": 0.0, "v": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        u = let("u", xp.where(g * memory.u > 0, memory.u + g, g))
        v = let("v", xp.where(memory.v > abs(g), memory.v * h.beta, abs(g)))
        way = xp.where(h.beta > 0.3, u, xp.where(u > v, v, -u))
        return let("step", -h.lr * xp.minimum(way, xp.maximum(v, memory.v)) / (v + 1e-3))


class Together(Rule):
    """Coordinates that change places, with a term that they share."""

    lr = Hyperparameter(0.01, bounds=(0, None))
    memory = {"bent": 0.0}
    coupled = curvature = True

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        bent = let("bent", memory.bent / 2 + memory.H[0][0] + memory.H[1][1])
        return x[1] - x[0] - h.lr * g[0], (x[0] - x[1]) / 2 - h.lr * g[1] / (1 + abs(bent))


@pytest.mark.parametrize("rule", [Crossing, Choosing, Together], ids=lambda r: r.__name__)
@pytest.mark.parametrize("around", [{}, {"clip": 0.5}, {"clip_norm": 0.4}, {"noise": 0.2}], ids=str)
def test_no_row_is_overwritten_before_it_is_read(rule, around):
    slope = optviz.objective(lambda x, y: 3 * x + y**2)  # one entry of its gradient is a number
    axes = {"lr": [0.001, 0.05, 0.7]} | ({"beta": [0.1, 0.9]} if rule is Choosing else {})
    for objective, steps in itertools.product((surfaces.Beale(), slope), (1, 2, 25)):
        for measure in (["loss", "diverged"], ["loss", "diverged", "steps_to"]):  # with the loss at every step
            found = sweep(objective, rule(), (-1.1, 0.8), steps, axes, measure=measure, lowest=0.0, **around)
            for cell in itertools.product(*axes.values()):
                own = dict(zip(axes, cell, strict=True))
                run = descend(objective, rule(**own), (-1.1, 0.8), steps, **around)
                here = found.sel(own)
                np.testing.assert_allclose(here.loss, run.loss[-1, 0], rtol=1e-12)
                assert here.diverged == run.diverged[0]


def test_a_program_is_traced_once_for_what_it_is_of():
    def program(objective, rule, varied=("lr",)):
        return traced(Wanted(objective, rule, varied, (("clip", None), ("clip_norm", None)), "", False))

    first = program(surfaces.Rosenbrock(), SGD(lr=0.1))
    assert program(surfaces.Rosenbrock(), SGD(lr=0.2)) is first, "each lane has its own lr"
    for objective, rule, varied in (
        (surfaces.Rosenbrock(steepness=5), SGD(), ("lr",)), (surfaces.Rosenbrock(), SGD(momentum=0.5), ("lr",)),
        (surfaces.Rosenbrock(), SGD(), ("lr", "momentum")), (surfaces.Beale(), SGD(), ("lr",)),
        (surfaces.Rosenbrock(), Crossing(), ("lr",)),
    ):  # fmt: skip
        assert program(objective, rule, varied) is not first
