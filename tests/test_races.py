"""Races by fair rules: scores in closed form, one stream for all, every trial a run of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import qmc
from test_export_theory import on_the_page

import optviz
from optviz import SGD, Adam, Rule, benchmark_score, descend, performance_profile, sweep, tuning_studies
from optviz.races.scores import places, ranks, ratios, scored
from optviz.races.streams import halton, placed

INF = np.inf
TIMES = [[10, 40, INF, 7], [20, 10, INF, 28], [INF, 30, INF, 7.7]]  # rules, workloads
SMALL = {"trials": 5, "studies": 3, "steps": 60}


class Signed(Rule):
    """Steps of one length: a rule of somebody's own."""

    lr = optviz.Hyperparameter(0.1, bounds=(0, None), on_map=(1e-3, 1.0, True))

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        return let("step", -h.lr * xp.sign(g))


def test_scores_of_times_by_hand():
    """A rule at ratio q adds (4 - q) / 3 to the mean over workloads, nothing beyond 4 times the best."""
    expected = [np.mean([1, 0, 0, 1]), np.mean([2 / 3, 1, 0, 0]), np.mean([0, 1 / 3, 0, 2.9 / 3])]
    np.testing.assert_allclose(benchmark_score(TIMES), expected, rtol=1e-14)
    np.testing.assert_array_equal(performance_profile(TIMES, [1, 2, 3.999, 4, 1e9]),
                                  np.array([[2, 2, 2, 3, 3], [1, 2, 2, 3, 3], [0, 1, 2, 2, 2]]) / 4)  # fmt: skip
    assert benchmark_score([[3, 5]]) == [1] and benchmark_score([[INF, INF]]) == [0]
    np.testing.assert_array_equal(ratios([[0, 1], [1, 3]]), [[1, 1], [1, 3]])  # there already: one step


def test_a_score_is_the_mean_of_the_profile():
    times = np.random.default_rng(0).integers(1, 40, (4, 6)).astype(float)
    times[0, 0] = times[2, :2] = INF
    for r in (2.0, 4.0):
        breaks = sorted({q for q in ratios(times).ravel() if q < r})
        for rule in range(4):
            area, _ = quad(lambda tau, rule=rule: performance_profile(times, [tau])[rule, 0], 1, r, points=breaks)
            assert benchmark_score(times, r)[rule] == pytest.approx(area / (r - 1), rel=1e-9)


def test_the_stream_is_halton_s_shifted():
    for seed, dimensions in ((0, 2), (7, 6)):
        plain = qmc.Halton(dimensions, scramble=False).fast_forward(1).random(200)
        shift = np.random.default_rng(seed).random(dimensions)
        np.testing.assert_allclose(halton(200, dimensions, seed), (plain + shift) % 1, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(halton(90, 2, 3)[:30], halton(30, 2, 3))  # more studies change no study
    np.testing.assert_allclose(placed(np.array([0, 0.5, 1]), (1e-4, 10, True)), [1e-4, 0.03162, 10])
    np.testing.assert_allclose(placed(np.array([0, 0.5, 1]), (-2, 4, False)), [-2, 1, 4])


def test_a_page_draws_the_same_stream_and_gives_the_same_scores():
    reached = np.array([[[[30, INF], [10, 40]], [[INF, INF], [3, 9]]], [[[20, 5], [INF, 60]], [[7, 8], [1, 1]]]])
    calls = [(halton, [40, 2, 5], {}), (placed, [halton(20, 1, 5)[:, 0], [1e-4, 10, True]], {}),
             (scored, [reached, 2], {}), (ranks, [np.array([0.5, 0.9, 0.5])], {})]  # fmt: skip
    stream, rates, found, order = on_the_page(calls)
    np.testing.assert_allclose(stream, halton(40, 2, 5), rtol=0, atol=1e-15)
    np.testing.assert_array_equal(rates, placed(halton(20, 1, 5)[:, 0], (1e-4, 10, True)))
    here = scored(reached, 2)
    assert found["apart"] == here["apart"].tolist() and order == [2.5, 1, 2.5]
    for name in ("score", "study_scores", "spread"):
        np.testing.assert_allclose(found[name], here[name], rtol=1e-14)


def test_every_trial_is_a_run_of_its_own():
    rules = {"plain": SGD(), "heavy": SGD(momentum=0.9), "adam": Adam(), "own": Signed(),
             "torch": optviz.TorchOptimizer(torch.optim.SGD, lr=0.1)}  # fmt: skip
    starts = [(1.0, 1.5), (-0.5, 2.0)]
    found = tuning_studies(rules, ["Rosenbrock", "Booth"], starts=starts, knobs=("lr", "momentum"), **SMALL)
    assert found.reached.shape == (5, 4, 3, 5) and list(found.values["plain"]) == ["lr"]
    assert list(found.values["heavy"]) == ["lr", "momentum"] and list(found.values["adam"]) == ["lr", "beta1"]
    for name in rules:
        np.testing.assert_array_equal(found.values[name]["lr"] == found.values["plain"]["lr"], name != "own")
    assert np.isfinite(found.reached).any(axis=(1, 2, 3)).all()
    for i, (name, rule) in enumerate(rules.items()):
        for w, (label, start) in enumerate((label, start) for label in ("rosenbrock", "booth") for start in starts):
            objective = getattr(optviz.surfaces, label.title())()
            for study, trial in ((0, 0), (1, 3), (2, 4)):
                own = {knob: values[study, trial] for knob, values in found.values[name].items()}
                made = type(rule)(rule.cls, **own) if name == "torch" else type(rule)(**{**rule.settings(), **own})
                losses = descend(objective, made, start, 60).loss[:, 0]
                there = np.flatnonzero(losses <= objective.lowest + 1e-2)
                assert found.reached[i, w, study, trial] == (there[0] if there.size else INF)


def test_names_and_order_change_nothing_and_a_rule_ties_with_itself():
    there = tuning_studies({"a": SGD(), "b": Adam(), "c": Signed()}, ["Matyas", "Beale"], **SMALL)
    back = tuning_studies({"c": Signed(), "x": Adam(), "a": SGD(), "again": SGD()}, ["Matyas", "Beale"], **SMALL)
    for here, other in ((0, 2), (0, 3), (1, 1), (2, 0)):
        np.testing.assert_array_equal(there.reached[here], back.reached[other])
    three = {k: there.places()[k] for k in "abc"}
    again = tuning_studies({"c": Signed(), "b": Adam(), "a": SGD()}, ["Matyas", "Beale"], **SMALL)
    assert again.places() == three and there.undecided("a", "b") == again.undecided("b", "a")
    assert back.undecided("a", "again") and back.score()[2] == back.score()[3]
    assert back.places()["a"] == back.places()["again"] and (back.ranks()[2] == back.ranks()[3]).all()


def test_what_lies_within_the_spread_of_studies_is_not_decided():
    """Two rules, one workload, three studies of one trial: who leads changes from study to study, or does not."""
    split = np.array([[[[10.0], [10], [30]]], [[[20.0], [20], [10]]]])
    found = scored(split, 1)
    assert found["times"].tolist() == [[10], [20]] and found["score"].tolist() == [1, 2 / 3]
    assert found["spread"].tolist() == pytest.approx([2 / 3, 1 / 3]) and not found["apart"].any()
    assert places(found["score"], found["apart"]) == [(1, 2), (1, 2)]
    clear = scored(np.array([[[[10.0], [11], [12]]], [[[50.0], [49], [60]]]]), 1)
    assert clear["apart"].tolist() == [[False, True], [True, False]]
    assert places(clear["score"], clear["apart"]) == [(1, 1), (2, 2)]
    assert ranks([0.5, 0.9, 0.5, 0.1]).tolist() == [2.5, 1, 2.5, 4]


def test_more_trials_never_take_longer():
    found = tuning_studies([SGD(), SGD(momentum=0.9), Adam()], ["Quadratic"], starts=3, **SMALL)
    assert found.rules == ["SGD", "SGD, momentum 0.9", "Adam"] and found.ranks().shape == (3, 5)
    times = np.array([scored(found.reached, budget)["times"] for budget in range(1, 6)])
    assert (times[1:] <= times[:-1]).all()
    table = found.table()
    assert sorted(table.index) == sorted(found.rules) and (np.diff(table["score"]) <= 0).all()
    np.testing.assert_array_equal(table.loc[found.rules, found.workloads].to_numpy(), found.times)


def test_paired_axes_run_side_by_side():
    rates, starts, seeds = [0.01, 0.2, 0.4], [1.0, -2.0, 0.5], [3, 4, 5]
    surface = optviz.surfaces.Quadratic()
    found = sweep(surface, Adam(), (0, 1), 30, {"lr": rates, "x": starts, "seed": seeds}, paired=True, noise=0.1)
    assert found.dims == ("run",) and found.lr.values.tolist() == rates
    for k in range(3):
        run = descend(surface, Adam(lr=rates[k]), (starts[k], 1), 30, noise=0.1, seed=seeds[k])
        assert found.values[k] == pytest.approx(run.loss[-1, 0], rel=1e-12)
    with pytest.raises(ValueError, match="sweep needs paired axes of one length, not {'lr': 3, 'x': 1}"):
        sweep(surface, Adam(), (0, 1), 30, {"lr": rates, "x": [1.0]}, paired=True)


@pytest.mark.parametrize(("change", "said"), [
    ({"trials": 0}, "needs a whole number of trials, at least 1, not 0"),
    ({"studies": 1.5}, "needs a whole number of studies"),
    ({"rules": []}, "needs at least one rule and one objective"),
    ({"rules": ["no rule"]}, "must be an update rule or its name"),
    ({"objectives": ["Monkey saddle"]}, "needs an objective with a lowest value"),
    ({"starts": [(1, 2, 3)]}, "needs starts .x, y., or how many"),
    ({"knobs": ("lr", "caution")}, r"needs knobs that some rule has, not \['caution'\]"),
    ({"knobs": "lr"}, "needs 1 to 6 different knobs"),
    ({"tolerance": 0}, "needs a tolerance above 0"),
])  # fmt: skip
def test_bad_input_gets_a_sentence(change, said):
    given = {"rules": [SGD()], "objectives": ["Booth"], **SMALL, **change}
    with pytest.raises(ValueError, match=said):
        tuning_studies(given.pop("rules"), given.pop("objectives"), **given)
