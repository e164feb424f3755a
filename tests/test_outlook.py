"""What is expected of a run, beside what it did: sentences, tables, the expected line, the shaded slider."""

import math
import re

import numpy as np
import panel as pn
import pytest
import torch

from optviz import SGD, Adam, SurfaceDescent, TorchOptimizer, descend, objective
from optviz.maps.basins import local_minima
from optviz.menus import resolved, rules, surfaces
from optviz.objectives.minima import lowest_loss
from optviz.objectives.surfaces import Quadratic
from optviz.page.factors import place_of
from optviz.page.layout import shading
from optviz.readings import linear
from optviz.theory.outlook import outlook
from optviz.theory.stability import hessian_at, spectrum
from optviz.theory.verdicts import verdict


def found_for(rule, surface, start, steps):
    run = descend(surface, rule, start, steps)
    return outlook(rule, surface, run, local_minima(surface), lowest_loss(surface)), run


@pytest.mark.parametrize(
    ("lr", "momentum"), [(0.05, 0.0), (0.45, 0.0), (0.55, 0.0), (0.5, 0.5), (0.8, 0.5), (0.05, 0.9)]
)
def test_on_a_quadratic_a_run_does_what_is_expected(lr, momentum):
    rule = SGD(lr=lr, momentum=momentum)
    found, run = found_for(rule, Quadratic(), (-5.0, -2.0), 400)
    limit = 2 * (1 + momentum) / 4
    assert found["limit"] == pytest.approx(limit, rel=1e-9) and found["stable"] == (lr < limit)
    assert found["measured"] == pytest.approx(found["rate"], rel=0.02)
    assert verdict(found).startswith("So it does")


@pytest.mark.parametrize("rule", [SGD(lr=0.1, momentum=0.5), Adam(lr=0.1)], ids=repr)
def test_a_change_has_its_rule_read_once(rule, monkeypatch):
    experiment, seen = SurfaceDescent(optimizer=rule), []
    monkeypatch.setattr(linear, "form_of", lambda *key, read=linear.form_of: [seen.append(key), read(*key)][1])
    rule.lr = 0.2
    assert experiment.results["outlook"]["limit"] > 0 and len(seen) == 1


def test_the_sentence_of_the_issue():
    experiment = SurfaceDescent(optimizer=SGD(lr=0.55))
    said = re.sub("<[^>]+>", "", experiment.side()["outlook"])
    assert (
        "Near the minimum (0, 0): lr 0.55 is above the limit 0.5: it will diverge along y. So it does: at its end"
        in said
    )
    experiment.optimizer.lr = 0.5
    assert "it will neither settle nor diverge along y" in experiment.side()["outlook"]


def test_clipping_moves_no_limit_but_holds_a_run_that_is_unstable():
    experiment = SurfaceDescent(optimizer=SGD(lr=0.55), steps=200, clip=1.0)
    run, found = experiment.trajectory, experiment.results["outlook"]
    weights = torch.tensor([-5.0, -2.0], dtype=torch.float64, requires_grad=True)
    trainer = torch.optim.SGD([weights], lr=0.55)
    for k in range(200):
        np.testing.assert_allclose(run.x[k, 0], weights.detach().numpy(), rtol=1e-12)
        trainer.zero_grad()
        (0.1 * weights[0] ** 2 + 2 * weights[1] ** 2).backward()
        torch.nn.utils.clip_grad_value_([weights], 1.0)
        trainer.step()
    assert found["limit"] == pytest.approx(0.5, rel=1e-9) and not run.diverged[0] and run.clipped.any()
    said = re.sub("<[^>]+>", "", experiment.side()["outlook"])
    assert "it will diverge along y. Gradients are cut at 1: its steps grow no further than that allows." in said
    assert "It does not settle there: it repeats itself every" in said
    experiment.optimizer.lr = 0.45
    assert "Gradients are cut" not in experiment.side()["outlook"]


def test_every_place_has_its_curvatures_and_limit():
    himmelblau = surfaces()["Himmelblau"]()
    found, run = found_for(SGD(lr=0.01), himmelblau, (0.0, 0.0), 50)
    assert [row["name"] for row in found["rows"]] == [
        "start", "step 12", "step 25", "step 37", "end", *["minimum"] * 4,
    ]  # fmt: skip
    limits = [row["limit"] for row in found["rows"]]
    np.testing.assert_allclose(limits[5:], [0.0243, 0.0248, 0.0149, 0.0190], atol=5e-5)
    for row in found["rows"]:
        known = spectrum(himmelblau, row["point"])
        assert row["values"] == known["values"] and row["condition"] == known["condition"]
    np.testing.assert_array_equal([row["point"] for row in found["rows"][:5]], run.x[[0, 12, 25, 37, 50], 0])


def test_along_the_path_of_adam_curvatures_are_those_it_sees_at_that_step():
    surface, rule = surfaces()["Rosenbrock"](), Adam(lr=0.1)
    found, run = found_for(rule, surface, (-1.2, 1.0), 40)
    for row, t in zip(found["rows"], (1, 10, 20, 30, 40), strict=False):
        root = np.sqrt(run.terms["v"][t - 1, 0] / (1 - 0.999**t)) + rule.eps
        scale = np.diag(((1 - 0.9**t) * root) ** -0.5)
        wanted = np.linalg.eigvalsh(scale @ np.array(hessian_at(surface, row["point"])) @ scale)
        np.testing.assert_allclose(row["values"], wanted, rtol=1e-9)
        assert row["limit"] == pytest.approx(max(38 / wanted[-1], 0), rel=1e-9)


@pytest.mark.parametrize("label", surfaces())
def test_every_rule_on_every_surface_has_an_outlook(label):
    experiment = SurfaceDescent(objective=label, steps=20)
    for name in rules():
        experiment.optimizer_name = name
        found, text = experiment.results["outlook"], experiment.side()["outlook"]
        assert experiment.message == "" and "nan" not in text and "None" not in text
        assert found["sentence"] in text
        line, end = experiment.drawings["loss"].layers["expected"], found["end"]
        if len(line["x"]) and np.isfinite(line["y"]).all():
            (x0, *_, x1), (y0, *_, y1) = line["x"], line["y"]
            loss, bottom = experiment.trajectory.loss[:, 0], found["bottom"]
            rise = bottom - experiment.results["floor"]
            assert end["tangent"] and y1 == pytest.approx(loss[int(x1)] - experiment.results["floor"], rel=1e-6)
            assert (y0 - rise) / (y1 - rise) == pytest.approx(found["rate"] ** (2 * (x0 - x1)), rel=1e-4)


def test_what_theory_cannot_read_says_so_or_nothing():
    experiment = SurfaceDescent(optimizer=TorchOptimizer(torch.optim.SGD, lr=0.1))
    assert "runs through torch" in experiment.side()["outlook"]
    experiment = SurfaceDescent(objective=objective(lambda x, y: torch.sin(x) + y**2, label="torch waves"))
    assert experiment.side()["outlook"] == "" and experiment.shade() == {"optimizer.lr": math.inf}
    experiment = SurfaceDescent(optimizer=SGD(lr=[0.1, 0.2]))
    assert experiment.results["outlook"] is None and experiment.message == ""


def test_the_unstable_part_of_the_slider_is_shaded():
    experiment = SurfaceDescent(optimizer=SGD(lr=0.1))
    page = experiment.page()

    def sheet(title):
        sliders = [s for s in page.layout.select(pn.widgets.FloatSlider) if s.name == title]
        return sliders[0].stylesheets[1:]  # after the look of all sliders

    assert sheet("Learning rate") == [shading(math.log10(0.5), -6.1, 1)]
    assert " 81.7%)" in sheet("Learning rate")[0]  # the first tenth of a decade leads to 0
    experiment.optimizer.momentum = 0.5
    assert sheet("Learning rate") == [shading(math.log10(0.75), -6.1, 1)]
    experiment.optimizer = Adam(lr=0.1)
    assert sheet("Learning rate") == [shading(place_of(experiment.results["outlook"]["limit"]), -6.1, 1)]
    experiment.optimizer_name = "Lion"
    assert sheet("Learning rate") == [shading(math.inf, -6.1, 1)] and " 100.0%)" in sheet("Learning rate")[0]
    assert resolved("rule", "SGD", "test").lr == 0.05
