"""A surface or a rule that is chosen from a menu runs at once: its learning rate works, and is a round number."""

import numpy as np
import pytest

from optviz import SGD, Adam, SurfaceDescent, TorchOptimizer, descend, objective
from optviz.experiments.first_rates import first_rate
from optviz.experiments.hyperparameter_map import HyperparameterMap
from optviz.experiments.map_views import VIEWS
from optviz.menus import resolved, rules, surfaces, with_setting
from optviz.objectives.surfaces import Himmelblau
from optviz.state.sharing import apply, query, to_json, values_of


class Unseen(SurfaceDescent):
    """Of its numbers only the run, of its pictures none: a law asks for hundreds of them."""

    def compute(self):
        return {"trajectory": descend(self.objective, self.optimizer, self.start, self.steps)}

    def draw(self):
        return {}


@pytest.mark.parametrize("names", [("objective_name", "optimizer_name"), ("optimizer_name", "objective_name")])
def test_no_pair_diverges_right_after_it_is_chosen(names):
    made = Unseen()
    menus = {"objective_name": list(surfaces()), "optimizer_name": list(rules())}
    for first in menus[names[0]]:
        setattr(made, names[0], first)
        for second in menus[names[1]]:
            setattr(made, names[1], second)
            assert not made.trajectory.diverged[0] and made.message == "", (first, second, made.optimizer)
            preset, lr = resolved("rule", made.optimizer_name, "test"), made.optimizer.lr
            low, high = made.optimizer.param.lr.get_soft_bounds()
            assert low < lr <= min(preset.lr, high) and float(f"{lr:.1g}") == lr
            if lr != preset.lr:  # which does not work
                run = descend(made.objective, preset, made.start, 100)
                assert run.diverged[0] or run.loss[-1, 0] > run.loss[0, 0]


def test_what_was_set_wins():
    made = SurfaceDescent()
    made.objective_name = "Himmelblau"
    assert made.optimizer.lr == 0.02
    made.objective_name = "Sphere"
    assert made.optimizer.lr == 0.05  # nobody had touched it
    made.optimizer.momentum = 0.3
    made.optimizer.lr = own = 0.004
    made.objective_name = "Rosenbrock"
    assert made.optimizer.lr == own and made.optimizer.momentum == 0.3
    made.optimizer.lr = 0.3
    made.objective_name = "Matyas"
    assert made.optimizer.lr == 0.3
    made.param.update(objective_name="Himmelblau", optimizer=SGD(lr=0.5))
    assert made.optimizer.lr == 0.5 and made.trajectory.diverged[0]
    assert SurfaceDescent(objective="Himmelblau", optimizer=SGD(lr=0.5)).optimizer.lr == 0.5
    assert SurfaceDescent(objective="Himmelblau").optimizer.lr == 0.02


def test_what_no_rate_can_be_tried_for_stays():
    made = SurfaceDescent(optimizer=TorchOptimizer(__import__("torch").optim.SGD, lr=0.5))
    own = made.optimizer
    made.objective_name = "Himmelblau"
    assert made.optimizer is own
    made = SurfaceDescent(optimizer=SGD(lr=[0.1, 0.2]))
    made.objective_name = "Booth"
    np.testing.assert_array_equal(made.optimizer.lr, [0.1, 0.2])
    slow = objective(lambda x, y: x**4 + y**2, domain=((-9, 9), (-9, 9)), starts=[(8.0, 1.0)], label="steep")
    made = SurfaceDescent(objective=slow)
    assert made.optimizer.lr == first_rate(SGD(lr=0.05), slow) < 0.05 and not made.trajectory.diverged[0]
    assert first_rate(with_setting(Adam(), "lr", 0.0), Himmelblau()) == 0.0


def opened(text: str) -> SurfaceDescent:
    values = dict(pair.split("=") for pair in text.split("&")) if text else {}
    return apply(SurfaceDescent, values_of({name: [value.encode()] for name, value in values.items()}))[0]


def test_links_and_saved_states_open_unchanged():
    made = SurfaceDescent()
    for change in ({"objective_name": "Himmelblau"}, {"optimizer_name": "Momentum"}, {"objective_name": "Booth"}):
        made.param.update(**change)
        for lr in (made.optimizer.lr, 0.05, 0.0123):
            made.optimizer.lr = lr
            again = [opened(query(made)), SurfaceDescent.from_json(to_json(made))]
            assert [each.optimizer.lr for each in again] == [lr, lr], query(made)
            np.testing.assert_array_equal(again[0].trajectory.x, made.trajectory.x)
    assert opened("objective=himmelblau&lr=0.05").optimizer.lr == 0.05
    assert opened("objective=himmelblau").optimizer.lr == 0.02


@pytest.mark.parametrize("scene", [name for name, view in VIEWS.items() if view["objective_name"] == "Himmelblau"])
def test_a_view_of_the_map_begins_with_a_run_that_stays(scene):
    made = HyperparameterMap()
    made.scene = scene
    assert not made.trajectory.diverged[0] and made.optimizer.lr == 0.02 and made.scene == scene
    assert HyperparameterMap(scene=scene).optimizer.lr == 0.02
