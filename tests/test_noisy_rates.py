"""Noisy runs stay right after a surface or a rule is chosen: the learning rate that comes with it holds the noise."""

from __future__ import annotations

from urllib.parse import parse_qsl

import numpy as np
import pytest

from optviz import NoisyDescent
from optviz.experiments.noisy_descent import BOWL, MOST_RUNS, RULES, SURFACES
from optviz.experiments.noisy_surfaces import surface_now
from optviz.experiments.simple_rules import LR
from optviz.state.sharing import apply, query


class Unseen(NoisyDescent):
    """Of its numbers only the runs, of its pictures none: a law asks for hundreds of them."""

    passed = ""  # a surface that is only come from, whose runs nobody asks for

    def compute(self):
        if self.surface == self.passed:
            return {"trajectories": {}}
        runs = {place: self._walked(place, rule, surface_now(self)) for place, rule in self.chosen_rules().items()}
        return {"trajectories": runs}

    def draw(self):
        return {}


def lost(made) -> int:
    return sum(int(np.count_nonzero(run.diverged)) for run in made.trajectories.values())


MOVED = {"momentum": 0.9, "noise": 3.0, "seed": 5}


@pytest.mark.parametrize(("surface", "settings"), [
    *[(name, {}) for name, kind in SURFACES.items() if not kind.is_curve],
    *[(surface, MOVED) for surface in ("Beale", "Monkey saddle")],
])  # fmt: skip
def test_no_run_diverges_right_after_surface_and_rule_are_chosen(surface, settings):
    made = Unseen(runs=MOST_RUNS, steps=300, **settings)
    made.passed = "Booth" if surface != "Booth" else ""
    made.surface = "Booth"
    half = list(SURFACES).index(surface) % 2  # every pair in one of both orders
    for rule in list(RULES)[half::2]:
        made.rule = rule
        made.surface = surface
        assert lost(made) == 0 and made.message == "" and made.lr <= LR, (rule, made.lr)
        made.surface = "Booth"
    made.surface = surface
    for rule in list(RULES)[1 - half :: 2]:
        made.rule = rule
        assert lost(made) == 0 and made.message == "", (rule, made.lr)
    assert made.lr == LR or float(f"{made.lr:.1g}") == made.lr  # round


@pytest.mark.parametrize("surface", ["Beale", "Monkey saddle", "Styblinski-Tang"])
def test_the_noise_brings_a_lower_rate_than_a_run_without(surface):
    quiet, usual = Unseen(noise=0.0), Unseen()
    quiet.surface = usual.surface = surface
    assert lost(usual) == 0 and usual.lr <= quiet.lr and usual.lr < LR
    assert Unseen(surface=surface).lr == usual.lr and Unseen(surface=surface, lr=0.07).lr == 0.07


def test_a_second_rule_gets_a_rate_of_its_own_and_one_that_works_stays():
    made = Unseen(runs=5)
    made.lr = 0.03
    made.rule = "Adam"
    assert made.lr == 0.03 and made.second_lr == LR  # a rule leaves what works
    made.param.update(surface="Himmelblau", second="Nesterov")
    assert made.lr == LR and made.second_lr < 0.02 and lost(made) == 0
    made.param.update(rule="SGD", lr=0.5)
    assert made.lr == 0.5 and lost(made) == 5
    made.rule = "Nesterov"
    assert made.lr < 0.05 and lost(made) == 0
    made.param.update(surface=BOWL, condition=1000.0)
    assert lost(made) == 0


def test_links_open_as_they_were():
    made = Unseen(runs=3)
    for change in (
        {"surface": "Beale"}, {"noise": 4.0, "momentum": 0.9}, {"surface": "Himmelblau", "second": "RAdam"},
        {"rule": "Adam"}, {"surface": "Styblinski-Tang", "rule": "Inertia"}, {"noise": 1.5, "momentum": 0.0},
        {"lr": LR}, {"surface": BOWL},
    ):  # fmt: skip
        made.param.update(**change)
        again, refused = apply(Unseen, dict(parse_qsl(query(made))))
        assert refused == [] and (again.lr, again.second_lr) == (made.lr, made.second_lr), query(made)
    assert "lr" not in query(Unseen(surface="Beale"))
