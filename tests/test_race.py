"""The race: fair by count, every trial a run of its own, and what is drawn is what was run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import optviz
from optviz import SGD, Adam, Race, descend
from optviz.experiments.racers import BASELINES, FAIR, KEYS, KNOBS, NAMES, OWN, SAME, STEP, TUNED
from optviz.theory.verdicts import shown

EVERYONE = {KEYS[name]: True for name in NAMES if name not in BASELINES}
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


def alone(made: Race, name: str, lr: float):
    """The run of one racer by itself, without the experiment's own loop."""
    return descend(made.objective, made.rule(name, lr), made.start, made.steps, clip=made.clip or None)


@pytest.mark.parametrize("trials", [2, 40, 57])
def test_every_racer_gets_the_same_trials(trials, monkeypatch):
    from optviz.experiments import race

    ran = {}

    def counted(objective, rule, start, steps, **around):
        run = descend(objective, rule, start, steps, **around)
        key = (type(rule).__name__, getattr(rule, "momentum", 0), getattr(rule, "nesterov", False))
        ran[key] = ran.get(key, 0) + run.lanes
        return run

    monkeypatch.setattr(race, "descend", counted)
    made = Race(**EVERYONE, trials=trials, steps=20, fairness=TUNED)
    assert len(ran) == len(NAMES) and set(ran.values()) == {trials}  # and no run beside the trials
    assert list(made.tuning) == made.racers() == NAMES
    for tried in made.tuning.values():
        assert len(tried["lr"]) == len(set(tried["lr"])) == len(tried["final"]) == trials
        np.testing.assert_array_equal(tried["lr"], made.tuning["SGD"]["lr"])
    rates = made.tuning["SGD"]["lr"]
    np.testing.assert_allclose(rates, np.geomspace(1e-4, 10, trials), rtol=1e-3)
    assert [float(f"{rate:.4g}") for rate in rates] == list(rates)


@pytest.mark.parametrize("settings", [
    {}, {"objective_name": "Quadratic 0.1 x² + 2 y²", "clip": 1.5},
    {"objective_name": "Himmelblau", "steps": 37, "start": (1.0, -2.0)},
])  # fmt: skip
def test_a_tuned_racer_is_the_best_of_its_runs_by_itself(settings):
    made = Race(**EVERYONE, trials=12, lowest=-3, highest=0, **settings)
    for name, tried in made.tuning.items():
        runs = [alone(made, name, lr) for lr in tried["lr"]]
        gone = np.array([run.diverged[0] for run in runs])
        ends = np.where(gone > 0, np.inf, [run.loss[-1, 0] for run in runs])
        np.testing.assert_array_equal(tried["diverged"] > 0, gone > 0)
        np.testing.assert_allclose(tried["final"], ends, **CLOSE)
        best, run = runs[tried["best"]], made.runs[name]
        assert tried["final"][tried["best"]] == tried["final"].min() and run["lr"] == tried["lr"][tried["best"]]
        np.testing.assert_allclose(run["x"], best.x[:, 0], **CLOSE)
        np.testing.assert_allclose(run["loss"], best.loss[:, 0], **CLOSE)


def test_what_the_switches_set():
    made = Race(**EVERYONE, lr=0.03, heavy_ball_momentum=0.75, nesterov_momentum=0.5, trials=5, steps=30)
    made.fairness = SAME
    assert {run["lr"] for run in made.runs.values()} == {0.03}
    made.fairness = STEP
    slow = {"heavy ball": 0.75, "Nesterov": 0.5}
    for name, run in made.runs.items():
        assert run["lr"] / (1 - slow.get(name, 0)) == pytest.approx(0.03, rel=1e-14)
    made.fairness = OWN
    for number, name in enumerate(NAMES):
        setattr(made, f"{KEYS[name]}_lr", 0.001 * (number + 1))
    assert [made.runs[name]["lr"] for name in NAMES] == [0.001 * (k + 1) for k in range(len(NAMES))]
    for fairness in (SAME, STEP, OWN):
        made.fairness = fairness
        for name, run in made.runs.items():
            np.testing.assert_array_equal(run["x"], alone(made, name, run["lr"]).x[:, 0])


def test_an_effective_step_is_the_shift_under_a_constant_gradient():
    """Momentum adds up steps to lr / (1 - m) of the gradient."""
    slope = optviz.objective(lambda x, y: x + 2 * y, domain=((-9, 9), (-9, 9)))
    made = Race(objective=slope, start=(8.0, 8.0), fairness=STEP, lr=0.01, heavy_ball_momentum=0.6, nesterov=True,
                nesterov_momentum=0.3, steps=120)  # fmt: skip
    for name in ("SGD", "heavy ball", "Nesterov"):
        np.testing.assert_allclose(np.diff(made.runs[name]["x"], axis=0)[-1], [-0.01, -0.02], rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_each_racers_knobs_are_its_rules(name):
    knobs = {own: 0.37 + 0.01 * k for k, own in enumerate(KNOBS[name])}
    made = Race(**EVERYONE, **{KNOBS[name][own]: value for own, value in knobs.items()}, steps=3, trials=2)
    rule = made.rule(name, 0.2)
    assert rule.lr == 0.2 and {own: getattr(rule, own) for own in knobs} == knobs
    names = [n for n in Race.menu() if n.startswith(KEYS[name]) and n not in (KEYS[name], f"{KEYS[name]}_lr")]
    assert sorted(names) == sorted(KNOBS[name].values())
    assert getattr(rule, "nesterov", False) == (name == "Nesterov")


def test_racers_come_and_go_and_baselines_stay():
    made = Race(trials=6)
    assert made.racers() == ["SGD", "heavy ball", "RMSprop", "Adam"]
    kept = made.tuning["Adam"]
    made.param.update(heavy_ball=False, rmsprop=False)
    assert made.racers() == list(made.runs) == BASELINES and made.tuning["Adam"] is kept
    layers = made.drawings["surface"].layers
    assert layers["heavy ball"]["x"].size == 0 and len(layers["Adam"]["x"]) == made.steps + 1
    assert made.drawings["surface"].legend["heavy ball"] == ""
    assert "heavy ball" not in made.side()["places"]
    made.lion = True
    assert made.racers() == ["SGD", "Adam", "Lion"] and "Lion" in made.side()["places"]


def test_nothing_is_clipped_unless_the_control_says_so():
    assert Race.param.clip.default == 0
    far = {"objective_name": "Rosenbrock", "start": (-2.0, 3.0), "fairness": SAME, "lr": 0.01, "trials": 3}
    made = Race(**far)
    assert made.runs["SGD"]["diverged"] == descend(made.objective, SGD(lr=0.01), made.start, 100).diverged[0] > 0
    made.clip = 2.0
    assert not made.runs["SGD"]["diverged"] and "clipped at 2" in made.status()
    assert np.abs(np.diff(made.runs["SGD"]["x"], axis=0)).max() <= 0.02 * (1 + 1e-12)


def test_places_and_what_is_drawn():
    made = Race(trials=30, tolerance=1e-2, steps=150, objective_name="Quadratic 0.1 x² + 2 y²")
    ends = [made.runs[name]["loss"][-1] for name in made.results["places"]]
    assert ends == sorted(ends) and made.results["places"][0] in made.status()
    for run in made.runs.values():
        first = np.flatnonzero(run["loss"] <= 1e-2)
        assert run["arrived"] == (first[0] if first.size else -1)
    layers, tried = made.drawings["sensitivity"].layers, made.tuning["SGD"]
    lost = tried["diverged"] > 0
    assert 0 < lost.sum() < 30
    np.testing.assert_allclose(layers["SGD diverged"]["x"], np.log10(tried["lr"][lost]))
    shown = tried["final"] < 1e250  # near overflow nothing can be drawn, far above the frame
    np.testing.assert_array_equal(np.isnan(layers["SGD"]["y"]), ~shown)
    np.testing.assert_array_equal(layers["SGD"]["y"][shown], tried["final"][shown])
    assert 10 ** layers["SGD lr"]["x"][0] == pytest.approx(made.runs["SGD"]["lr"])
    assert layers["SGD lr"]["y"][0] == tried["final"].min()


def test_a_divergence_has_no_place():
    made = Race(fairness=SAME, lr=0.4, trials=4)
    lost = {name for name, run in made.runs.items() if run["diverged"]}
    assert "SGD" in lost and "Adam" not in lost and set(made.results["places"][-len(lost) :]) == lost
    assert f"diverged, step {made.runs['SGD']['diverged']}" in made.side()["places"]
    made = Race(heavy_ball=False, rmsprop=False, fairness=OWN, sgd_lr=1.0, adam_lr=1e300, trials=4)
    assert "Every racer diverged" in made.status()


def test_the_end_of_the_range_and_an_exact_minimum_are_said():
    made = Race(objective_name="Sphere", lowest=-8, highest=-0.5, trials=2, heavy_ball=False, rmsprop=False)
    assert "SGD" in made.status() and "the last one tried: widen the range" in made.status()
    exact = Race(objective_name="Sphere", start=(0.0, 0.0))
    assert len(exact.drawings["sensitivity"].layers["zero"]["x"]) == exact.trials * len(exact.racers())


def test_knobs_moved_one_by_one_end_where_a_new_experiment_starts():
    moved = Race(trials=9, steps=40)
    values = {"heavy_ball_momentum": 0.5, "trials": 11, "adam_beta1": 0.7, "fairness": SAME, "lr": 0.004, "lion": True,
              "objective_name": "Beale", "start": (0.5, 1.5), "clip": 3.0, "lowest": -3.0, "steps": 50}  # fmt: skip
    for name, value in values.items():
        setattr(moved, name, value)
    fresh = Race(**values)
    assert moved.message == fresh.message == "" and moved.side() == fresh.side() and moved.status() == fresh.status()
    assert [moved.start_x, moved.start_y] == [0.5, 1.5]
    for name in fresh.racers():
        np.testing.assert_array_equal(moved.runs[name]["x"], fresh.runs[name]["x"])
        np.testing.assert_array_equal(moved.tuning[name]["final"], fresh.tuning[name]["final"])
    kept = moved.tuning["Adam"]
    moved.param.update(lr=0.01, heavy_ball_momentum=0.9)
    assert moved.tuning["Adam"] is kept  # what does not depend on a knob is not run again


def test_axes_stay_while_a_knob_moves_and_fit_when_told():
    made = Race(trials=5)
    before = made.drawings["loss"].ylim
    made.param.update(steps=300, start=(1.1, 1.2))
    assert made.drawings["loss"].ylim == made.drawings["sensitivity"].ylim == before
    made.param.trigger("fit_axes")
    assert made.drawings["loss"].ylim != before


def test_a_surface_of_ones_own_and_its_shape():
    bowl = optviz.objective(lambda x, y: x**2 + 3 * y**2, minima=[(0, 0)], label="my bowl")
    made = Race(objective=bowl, trials=5)
    assert made.objective_name == "my bowl" and made.start == bowl.starts[0]
    made.objective_name = "Rosenbrock"
    before = made.runs["Adam"]["loss"]
    made.objective.steepness = 5
    assert not np.array_equal(made.runs["Adam"]["loss"], before)
    np.testing.assert_allclose(
        made.runs["Adam"]["loss"], descend(made.objective, Adam(lr=made.runs["Adam"]["lr"]), made.start, 100).loss[:, 0]
    )
    made.objective_name = "my bowl"
    assert made.objective is bowl
    for wrong in ("no such surface", 3):
        with pytest.raises(ValueError, match="Race.objective must be an objective or its name"):
            Race(objective=wrong)
    loss = optviz.TorchLoss(torch.nn.Linear(1, 1), torch.nn.MSELoss(), np.ones((4, 1)), np.ones((4, 1)))
    with pytest.raises(ValueError, match="Race.objective must be a surface of two variables with a domain, not 'Lin"):
        Race(objective=loss)
    loss.domain = ((-3, 3), (-3, 3))
    assert Race(objective=loss, trials=2, steps=3).message == ""
    assert FAIR[0] == made.fairness == TUNED


def test_steps_count_to_the_lowest_loss_itself():
    bowl = optviz.objective(lambda x, y: x**2 + 3 * y**2 + x * y)  # no cell of its picture holds the minimum
    made = Race(objective=bowl, steps=200, tolerance=1e-6, fairness=SAME, lr=0.05)
    assert [run["arrived"] for run in made.runs.values()] == [79, 138, 48, 116]
    assert "above the lowest." in made.status() and made.results["lowest"] == 0


def test_a_surface_that_falls_without_end_has_no_lowest_loss():
    made = Race(objective_name="Monkey saddle", trials=5, steps=20)
    said = made.status() + made.side()["places"] + made.drawings["loss"].title
    assert "above the lowest." not in said and "never" not in said and "lowest of the picture" in said
    assert not made.drawings["loss"].layers["tolerance"]["x"].size and made.results["lowest"] is None


def test_a_start_without_a_loss_is_refused():
    made = Race(objective_name="Goldstein-Price", trials=3)
    made.start = (1e200, 0.0)
    assert made.message.startswith("Race needs a start where the loss is finite, not (1e+200, 0.0)")


def test_a_surface_that_calls_torch_races():
    own = optviz.objective(lambda x, y: torch.sin(x) ** 2 + (y - 1) ** 2 - 5, label="waves")
    made = Race(objective=own, trials=4, steps=20)
    best = made.results["places"][0]
    final = made.runs[best]["loss"][-1] + 5
    assert made.message == "" and f"at a loss of <b>{shown(final)}</b> above the lowest. Each" in made.status()
