"""The turned bowl: which rules notice, and that its lanes are the runs they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from optviz import SGD, Adagrad, Adam, Conditioning, descend, surfaces
from optviz.experiments.conditioning import ANGLES, COUNTS, MOST, NAMES, TOLERANCE
from optviz.objectives.stacked import Stacked
from optviz.objectives.surfaces import RotatedQuadratic
from optviz.theory import stability


def first_hit(rule, condition: float, angle: float) -> float:
    """Steps to the tolerance of one run by itself."""
    bowl = RotatedQuadratic(condition=condition, angle=angle)
    there = np.flatnonzero(descend(bowl, rule, bowl.starts[0], MOST).loss[:, 0] < TOLERANCE)
    return there[0] if there.size else np.nan


def test_the_known_counts():
    """Measured beforehand: lr 0.01 for all, momentum 0.9, loss 1e-4."""
    counts = Conditioning(condition=100, lr=0.01, momentum=0.9, adam_lr=0.01).counts
    assert set(counts["SGD"]) == {424} and set(counts["heavy ball"]) == {97}
    assert [counts["Adam"][list(ANGLES).index(a)] for a in (0, 22.5, 45)] == [203, 1244, 1561]


@pytest.mark.parametrize("settings", [
    {}, {"condition": 37, "angle": 41.5, "lr": 0.03, "momentum": 0.6}, {"lr": 0.03}, {"adam_lr": 0.004, "angle": 80},
    {"condition": 1, "lr": 1}, {"lr": 0, "adam_lr": 0, "adagrad_lr": 0}, {"lr": 0.019, "momentum": 0.99},
])  # fmt: skip
def test_every_count_is_that_of_a_run_by_itself(settings):
    made = Conditioning(**settings)
    rules = made.rules()
    assert tuple(rules) == NAMES
    for name, rule in rules.items():
        for place in (0, 5, 12):
            assert_same(made.counts[name][place], first_hit(rule, made.condition, ANGLES[place]), made, name)
        assert_same(made.here[name], first_hit(rule, made.condition, made.angle), made, name)


def assert_same(ours, wanted, made, name) -> None:
    unstable = name in ("SGD", "heavy ball") and made.lr >= made.results["limits"][name]
    assert (np.isnan(ours) and np.isnan(wanted)) or ours == wanted or (unstable and np.isnan(ours))


def test_only_rules_with_a_step_for_each_coordinate_notice():
    for condition in (5, 60):
        counts = Conditioning(condition=condition, lr=1 / condition).counts
        assert len(set(counts["SGD"])) == len(set(counts["heavy ball"])) == 1
        assert counts["Adagrad"].max() > 1.5 * counts["Adagrad"][0]
    assert counts["Adam"].max() > 2 * counts["Adam"][0]


def test_what_is_kept_from_before_changes_nothing():
    moved = Conditioning()
    for name, value in (("angle", 10.0), ("condition", 50), ("angle", 77.5), ("adam_lr", 0.02), ("lr", 0.02)):
        setattr(moved, name, value)
        fresh = Conditioning(**{n: getattr(moved, n) for n in Conditioning.menu()})
        assert moved.here == fresh.here and moved.status() == fresh.status() and moved.side() == fresh.side()
        for rule in NAMES:
            np.testing.assert_allclose(moved.paths[rule], fresh.paths[rule], rtol=1e-9, atol=1e-12)


def test_a_learning_rate_beyond_the_limit_is_said():
    made = Conditioning(lr=0.025)
    assert made.results["limits"] == {"SGD": 0.02, "heavy ball": pytest.approx(0.038)}
    assert "<b>SGD:</b> lr 0.025 is above the limit 0.02: it will diverge along" in made.status()
    assert "heavy ball:" not in made.status() and np.isnan(made.counts["SGD"]).all()
    drawn = made.drawings["angles"].layers
    assert np.array_equal(drawn["SGD never"]["x"], ANGLES) and drawn["SGD here"]["x"].size == 0
    assert drawn["heavy ball never"]["x"].size == 0 and made.shade() == {"lr": 0.02}
    x, y = (made.drawings["surface"].layers["SGD"][axis] for axis in "xy")
    shown = np.isfinite(x) & np.isfinite(y)  # once it is gone for good it does not cross the bowl again
    assert shown.sum() < 40 and made.drawings["surface"].layers["SGD left"]["x"].size == 1
    assert "leaves at step" in made.drawings["surface"].legend["SGD"]
    assert "over 2,000" in made.side()["table"] and "0.02</td>" in made.side()["table"]


def test_what_is_drawn():
    made = Conditioning(angle=45)
    layers, curves = made.drawings["surface"].layers, made.drawings["angles"].layers
    for name in NAMES:
        assert len(layers[name]["x"]) == made.here[name] + 1
        assert curves[f"{name} here"]["y"] == [made.here[name]] and curves[f"{name} here"]["x"] == [45]
        assert np.array_equal(curves[name]["y"], np.clip(made.counts[name], *COUNTS))
    assert "Turned by 45°, Adam needs <b>4.8 times</b> its 81 upright steps" in made.status()
    made._turn_to(12.3, 100.0)
    assert made.angle == 12.5 and made.drawings["angles"].layers["now"]["x0"] == [12.25]


def test_stacked_surfaces_are_each_of_them():
    bowls = [RotatedQuadratic(condition=c, angle=a) for c, a in ((2, 0), (30, 33), (100, 71))]
    starts = [bowl.starts[0] for bowl in bowls]
    for rule in (SGD(lr=0.01, momentum=0.8), Adam(lr=0.02), Adagrad(lr=0.3)):
        both = descend(Stacked(bowls), rule, starts, 100)
        for k, bowl in enumerate(bowls):
            alone = descend(bowl, rule, starts[k], 100)
            np.testing.assert_allclose(both.x[:, k], alone.x[:, 0], rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(both.loss[:, k], alone.loss[:, 0], rtol=1e-11, atol=1e-20)
    steep = [surfaces.Rosenbrock(steepness=s) for s in (5, 50)]
    x = np.array([[0.3, -1.0], [0.5, 0.2]])
    hessian = np.reshape([np.broadcast_to(e, 2) for e in Stacked(steep).array_hessian()(*x)], (2, 2, 2))
    for k, each in enumerate(steep):
        np.testing.assert_allclose(hessian[..., k], each.hessian(*x[:, k]), rtol=1e-14)
        assert Stacked(steep).value(*x)[k] == each.value(*x[:, k])
    fast = stability.max_lr(SGD(), 100)
    assert descend(Stacked(bowls), SGD(lr=1.1 * fast), starts, 4000).diverged[2] > 0


def test_what_cannot_be_stacked():
    for wrong in ([], [surfaces.Sphere(), surfaces.Booth()], [lambda x, y: x]):
        with pytest.raises(ValueError, match="Stacked needs surfaces of one class, not .*; run others one by one"):
            Stacked(wrong)
