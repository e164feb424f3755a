"""Functions of one variable: shown as curves, with the run on them, a tangent and the next step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from browser import source_data, wait_idle
from conftest import watched_page
from pages import SPOT

from optviz import SGD, Adam, HyperparameterMap, Race, SurfaceDescent, descend, formula, objective
from optviz.menus import surfaces
from optviz.rules.optimizers import Newton

CURVES = [label for label, cls in surfaces().items() if cls.is_curve]


def layers(made) -> dict:
    return made.drawings["surface"].layers


@pytest.mark.parametrize("label", CURVES)
def test_what_is_drawn_lies_on_the_curve(label):
    made = SurfaceDescent(objective=label, optimizer=SGD(lr=0.01))
    value = lambda x: made.objective.value(np.asarray(x), 0 * np.asarray(x))  # noqa: E731
    found, run = layers(made), made.trajectory
    for name in ("curve", "path", "begin", "end", "minima", "local"):
        np.testing.assert_allclose(found[name]["y"], value(found[name]["x"]), rtol=1e-12)
    assert not run.x[:, 0, 1].any()
    for step in (0, 3, run.steps - 1):
        x, slope = run.x[step, 0, 0], run.gradients[step, 0, 0]
        shown = made.playhead(step)["surface"]
        np.testing.assert_allclose(np.diff(shown["move"]["x"]), run.updates[step, 0, 0])
        across, up = np.diff(shown["tangent"]["x"])[0], np.diff(shown["tangent"]["y"])[0]
        assert up == pytest.approx(slope * across) and across > 0
        np.testing.assert_allclose([shown["playhead"]["x"][0], shown["playhead"]["y"][0]], [x, value(x)])
    assert not len(made.playhead(run.steps)["surface"]["move"]["x"])  # after the last there is no next


def test_a_curve_and_the_function_itself_are_walked_alike():
    mine = objective(lambda x: x**4 - x**2, domain=(-2, 2))
    for rule in (SGD(lr=0.05, momentum=0.9), Adam(lr=0.1), Newton(damping=5)):
        made = SurfaceDescent(objective=mine, optimizer=rule, start=(1.5, 7.0), steps=40)
        assert made.start == (1.5, 0.0) and not made.trajectory.x[..., 1].any()
        if not rule.coupled:
            np.testing.assert_array_equal(made.trajectory.x[..., :1], descend(mine, rule, (1.5,), 40).x)
    assert abs(made.trajectory.final[0, 0]) == pytest.approx(math.sqrt(0.5), abs=1e-3)


@pytest.mark.parametrize(("lr", "word"), [(0.3, "it will converge"), (1.1, "it will diverge")])
def test_theory_speaks_of_one_curvature(lr, word):
    made = SurfaceDescent(objective="Curve x²", optimizer=SGD(lr=lr))
    said = made.side()["outlook"]
    assert made.results["outlook"]["limit"] == pytest.approx(1.0) and word in said and "ratio" not in said
    assert "x = 0" in said and made.drawings["surface"].axes["y"]["label"] == "f(x)"


def test_a_maximum_is_said_to_be_one():
    said = SurfaceDescent(objective="Curve x cos πx", optimizer=Newton()).side()["outlook"]
    assert "stuck elsewhere: at the maximum x = " in said


def test_a_formula_of_x_alone_is_a_curve_where_curves_are_shown():
    made = SurfaceDescent(formula="x^4 - a x^2")
    assert made.objective.is_curve and made.start[1] == 0 and len(layers(made)["curve"]["x"])
    made.formula = "x^2 + y^2"
    assert not made.objective.is_curve and not len(layers(made)["curve"]["x"])
    made.formula = "a x"
    assert made.objective.is_curve and made.objective.a == 1
    race = Race(formula="x^2")
    assert not race.objective.is_curve and not set(CURVES) & set(race.param.objective_name.objects)
    assert not formula("x^2").is_curve  # where it goes says whether it shall be
    assert SurfaceDescent.from_json(made.to_json()).objective.is_curve


def test_starts_of_a_curve_are_coloured_as_strips():
    made = SurfaceDescent(objective="Curve x cos πx", optimizer=SGD(lr=0.05), basins="the minimum reached")
    kinds = layers(made)["kinds"]["image"][0]
    assert kinds.shape[0] == 1 and {0, 1} <= set(kinds.ravel().astype(int))
    assert "reach x = " in made.side()["outlook"]


def test_a_map_of_a_curve_has_no_second_start():
    made = HyperparameterMap(objective="Curve x²", across="lr", up="start x")
    assert "start y" not in made.param.up.objects
    made.refine()
    grown = np.isfinite(made.results["map"]["grown"])
    rates = made.axes[0].value_at(made.axes[0].cells(grown.shape[1]))
    for row in (*grown[: len(grown) // 2], *grown[len(grown) // 2 + 1 :]):  # but for a start in the minimum
        np.testing.assert_array_equal(row, rates > 1)


def test_a_heavy_ball_goes_round_on_a_strongly_convex_curve():
    """Lessard, Recht and Packard 2016, section 4.6: their cycle, of which the page tells."""
    made = SurfaceDescent(objective="Curve of three slopes", optimizer=SGD(lr=1 / 9, momentum=4 / 9), steps=300)
    assert sorted(made.trajectory.x[-3:, 0, 0].round(4)) == [-1.8024, 0.6465, 2.1159]
    assert "repeats itself every 3 steps" in made.side()["outlook"]


def test_a_page_of_a_curve_follows_hands(browser, tmp_path):
    file = tmp_path / "curve.html"
    made = SurfaceDescent(objective="Curve x cos πx", optimizer=SGD(lr=0.05))
    made.save(file)
    with watched_page(browser, viewport={"width": 1280, "height": 720}) as page:
        page.goto(file.as_uri())
        page.wait_for_function("window.optviz?.player")
        moves = page.evaluate("Array.from(optviz.experiment.drawings.surface.layers.move.x)")
        np.testing.assert_allclose(moves, layers(made)["move"]["x"], rtol=1e-12)
        ring = {name: float(layers(made)["begin"][name][0]) for name in "xy"}
        across, down = page.evaluate(SPOT, ["surface", ring["x"], ring["y"]])
        page.mouse.move(across, down)
        page.mouse.down()
        page.mouse.move(across + 120, down - 60, steps=6)
        page.mouse.up()
        wait_idle(page)
        start = page.evaluate("[...optviz.experiment.start]")
        assert -0.5 < start[0] < 0.5 and start[1] == 0
        begin = source_data(page, "surface.begin")
        assert begin["y"][0] == pytest.approx(float(made.objective.value(start[0], 0.0)))
        page.evaluate("optviz.player.seek(2)")
        shown = source_data(page, "surface.playhead")
        assert shown["y"][0] == pytest.approx(float(made.objective.value(shown["x"][0], 0.0)))
        page.evaluate("optviz.player.inspector.toggle()")
        heads = page.locator(".sheet th").all_inner_texts()
        assert "x" in heads and "y" not in heads
        stems = source_data(page, "surface.arrows")
        assert stems["y0"][0] == pytest.approx(shown["y"][0]) and len(set(stems["y0"][::3])) == 1
