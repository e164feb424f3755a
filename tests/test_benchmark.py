"""The page of races by fair rules: its numbers are those of `tuning_studies`, with any rules and surfaces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_races import Signed

import optviz
from optviz import SGD, Adam, Benchmark, tuning_studies
from optviz.experiments.benchmark import AT_FIRST, BOTH, PLACES, SURFACES, budgets_of, stairs
from optviz.export.page import program
from optviz.menus import surfaces
from optviz.objectives.minima import lowest_loss
from optviz.races.scores import performance_profile, ratios

FEW = {"trials": 6, "steps": 60, "starts": 1, "studies": 2}
EVERYONE = dict.fromkeys(("heavy_ball", "nesterov", "adagrad", "rmsprop", "nadam", "lion"), True)


@pytest.mark.parametrize(
    "change", [{}, {"tuned": BOTH, "nesterov": True, "seed": 4}, {"lowest": -2.0, "tolerance": 0.1}]
)
def test_its_numbers_are_those_of_the_studies(change):
    made = Benchmark(**{**FEW, "starts": 2, **change})
    knobs = ("lr", "momentum") if made.tuned == BOTH else ("lr",)
    rules = {"SGD": SGD(), "heavy ball": SGD(momentum=0.9), "Nesterov": SGD(momentum=0.9, nesterov=True),
             "RMSprop": optviz.RMSprop(), "Adam": Adam()}  # fmt: skip
    found = tuning_studies({name: rules[name] for name in made.racers()}, made.fields(), starts=2, trials=6, studies=2,
                           steps=60, tolerance=made.tolerance, knobs=knobs, seed=made.seed,
                           spans={"lr": (10**made.lowest, 10**made.highest, True)})  # fmt: skip
    np.testing.assert_array_equal(made.results["reached"], found.reached)
    assert dict(zip(made.racers(), made.results["places"], strict=True)) == found.places()
    assert [field for field, _ in made.results["workloads"]] == [label for label in made.fields() for _ in range(2)]
    layers = made.drawings["ranks"].layers
    for name, row in zip(made.racers(), found.ranks(), strict=True):
        np.testing.assert_array_equal(-layers[name]["y"], row)


def test_rules_and_surfaces_come_and_go():
    made = Benchmark(**FEW, **EVERYONE)
    assert len(made.racers()) == 8
    made.param.update(**dict.fromkeys(EVERYONE, False))
    assert made.racers() == ["SGD", "Adam"] and "Lion" not in made.side()["places"]
    assert [type(SURFACES[name]).__name__ for name in made.fields()] == list(AT_FIRST)
    endless = [label for label, cls in surfaces().items() if lowest_loss(cls()) is None]
    assert "Monkey saddle" in endless and set(surfaces()) - set(SURFACES) == set(endless)
    made.param.update(**dict.fromkeys(PLACES.values(), False))
    assert len(made.fields()) == 1 and made.message == ""
    moved, fresh = made, Benchmark(**FEW, **{name: getattr(made, name) for name in (*EVERYONE, *PLACES.values())})
    assert moved.side() == fresh.side() and moved.status() == fresh.status()


def test_any_rules_on_any_surfaces():
    torch_sgd = optviz.TorchOptimizer(torch.optim.SGD, lr=0.1)
    bowl = optviz.objective(lambda x, y: x**2 + 3 * y**2, minima=[(0, 0)], label="my bowl")
    made = Benchmark(rules=[Signed(), torch_sgd, SGD(), SGD(momentum=0.5)], objectives=[bowl, "Booth"], **FEW)
    assert made.racers() == ["Signed", "SGD", "SGD #2", "SGD, momentum 0.5"] and made.fields() == ["my bowl", "Booth"]
    np.testing.assert_array_equal(made.results["reached"][1], made.results["reached"][2])
    assert not made.results["apart"][1, 2] and "SGD #2" in made.side()["steps"]
    with pytest.raises(ValueError, match="needs a benchmark of rules and surfaces that a browser can run, not ..SGD"):
        made.html()
    own = Benchmark(rules={"mine": Signed(), "Adam": Adam()}, objectives=[bowl], **FEW)
    assert "my bowl" in program(own)
    with pytest.raises(ValueError, match="must be an update rule or its name"):
        Benchmark(rules=[3])


def test_a_lead_is_said_to_be_decided_or_not():
    twice = Benchmark(rules={"one": Adam(), "other": Adam()}, **FEW)
    assert "Not decided:</b> its lead over other is within" in twice.status()
    assert twice.side()["places"].count(">no</td>") == 2 and twice.side()["places"].count("1 to 2") == 2
    slow = Benchmark(rules={"SGD": SGD(), "slow": SGD(momentum=0.9999)}, objectives=["Sphere"], **FEW)
    assert "That is decided" in slow.status() and ">no</td>" not in slow.side()["places"]
    short = Benchmark(**{**FEW, "steps": 10, "tolerance": 1e-10}, objectives=["Rosenbrock"])
    assert "no rule reaches the target" in short.status() and not np.isfinite(short.results["times"]).any()


def test_a_profile_is_drawn_as_stairs():
    row = ratios([[10, 40, np.inf, 7], [20, 10, np.inf, 28], [np.inf, 30, np.inf, 7.7]])[1]
    drawn = stairs(row)
    for tau in (1.0, 1.5, 2.5, 3.9):
        up = drawn["y"][np.flatnonzero(drawn["x"] <= tau)[-1]]
        assert up == performance_profile([[10, 40, np.inf, 7], [20, 10, np.inf, 28]], [tau])[1, 0]
    assert budgets_of(1) == [1] and budgets_of(30) == list(range(1, 31))
    assert budgets_of(100)[0] == 1 and budgets_of(100)[-1] == 100 and len(set(budgets_of(100))) == 40
