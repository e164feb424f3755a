"""A race runs at once on a surface that is chosen from its menu: no racer diverges, and tuning has rates that work."""

from __future__ import annotations

from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch

from optviz import Race, descend, objective
from optviz.experiments.race_rates import BROUGHT, OWN_RATES
from optviz.experiments.racers import BASELINES, KEYS, NAMES, OWN, SAME, STEP, TUNED
from optviz.menus import label_of, surfaces
from optviz.state.sharing import apply, query

EVERYONE = {KEYS[name]: True for name in NAMES if name not in BASELINES}
STEEP = "Goldstein-Price"  # on which the usual rates diverge


class Unseen(Race):
    """Of its numbers only the runs, of its pictures none: a law asks for hundreds of them."""

    def compute(self):
        return {"runs": {name: self._raced(name, self._tried(name), None) for name in self.racers()}}

    def draw(self):
        return {}


MOVED = [{"steps": 300}, {"heavy_ball_momentum": 0.99, "nesterov_momentum": 0.98, "adam_beta1": 0.5}]
HARD = [STEEP, "Rosenbrock", "Monkey saddle", "Ackley"]


@pytest.mark.parametrize(("label", "settings"), [
    *[(label, {}) for label, kind in surfaces().items() if not kind.is_curve],
    *[(label, settings) for label in HARD for settings in MOVED],
])  # fmt: skip
def test_no_racer_diverges_right_after_a_surface_is_chosen(label, settings):
    made = Unseen(**EVERYONE, **settings, fairness=OWN, trials=12)
    for chosen in ("Booth", label):
        made.objective_name = chosen
    for name in BROUGHT:
        lr, usual = getattr(made, name), Race.param[name].default
        assert lr <= usual and (name == "lowest" or lr == usual or float(f"{lr:.1g}") == lr)  # a round number
    for fairness in (OWN, SAME, STEP, TUNED):  # no mode brings rates of its own
        made.fairness = fairness
        assert [name for name, run in made.runs.items() if run["diverged"]] == [] and made.message == ""
        assert all(run["loss"][-1] <= run["loss"][0] for run in made.runs.values())


def test_what_a_race_has_at_first_works_on_its_first_surface():
    made = Unseen(**EVERYONE)
    made.param.update(objective_name="Booth")
    made.param.update(objective_name="Rosenbrock")
    assert {name: getattr(made, name) for name in BROUGHT} == {name: Race.param[name].default for name in BROUGHT}


def test_a_rate_of_ones_own_stays_while_it_works():
    made = Unseen()
    made.param.update(sgd_lr=0.0123, lr=0.0015, lowest=-3.0)
    made.objective_name = "Matyas"
    assert (made.sgd_lr, made.lr, made.lowest, made.heavy_ball_lr) == (0.0123, 0.0015, -3.0, 0.001)
    made.objective_name = STEEP
    assert made.sgd_lr < 1e-5 and made.lr < 1e-5 and made.lowest < -5
    made.adam_lr = 0.037
    made.param.update(objective_name="Himmelblau", nadam_lr=5.0)
    assert (made.adam_lr, made.nadam_lr, made.heavy_ball_lr, made.lowest) == (0.037, 5.0, 0.001, -4.0)


@pytest.mark.parametrize("label", ["Booth", STEEP])
def test_a_race_made_on_a_surface_begins_as_one_that_comes_to_it(label):
    there, come = Race(objective_name=label, trials=4), Race(trials=4)
    come.objective_name = label
    assert {n: getattr(there, n) for n in BROUGHT} == {n: getattr(come, n) for n in BROUGHT}
    assert there.status() == come.status() and there.drawings["loss"].ylim == come.drawings["loss"].ylim
    assert Race(objective=label, trials=4, sgd_lr=0.3).sgd_lr == 0.3


def test_links_open_as_they_were():
    made = Unseen(trials=2)
    changes = [{"objective_name": STEEP, "heavy_ball_momentum": 0.99}, {"objective_name": "Himmelblau"},
               {"lowest": -4.5, "lr": 0.5, "heavy_ball_lr": 0.001}, {"objective_name": "Rosenbrock"}]  # fmt: skip
    for change in changes:
        made.param.update(**change)
        again, refused = apply(Unseen, dict(parse_qsl(query(made))))
        assert refused == [] and {n: getattr(again, n) for n in BROUGHT} == {n: getattr(made, n) for n in BROUGHT}
    assert "lr" not in query(Unseen(objective_name=STEEP))


def test_a_surface_that_calls_torch_keeps_the_rates():
    made = Race(objective=objective(lambda x, y: torch.sin(x) ** 2 + y**2, label="torch hills"), trials=2, steps=5)
    made.objective_name = STEEP
    brought = {name: getattr(made, name) for name in BROUGHT}
    made.objective_name = "torch hills"
    assert label_of(made.objective) == "torch hills" and brought == {n: getattr(made, n) for n in BROUGHT}


def test_every_brought_rate_is_one_that_descends():
    made = Race(objective_name=STEEP, trials=3, steps=5)
    for name, lr in OWN_RATES.items():
        run = descend(made.objective, made.rule(name, getattr(made, lr)), made.objective.starts[0], 100)
        assert not run.diverged[0] and run.loss[-1, 0] <= run.loss[0, 0] and np.isfinite(run.x).all()
