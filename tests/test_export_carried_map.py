"""Pages of a map that only Python can run: it travels with them, and a run for each cell of a coarse one."""

from __future__ import annotations

import pytest
import torch
from browser import drag_slider, slider_value, wait_idle, wait_until
from pages import assert_shows, select, spot
from test_export_pages import opened, plain, status
from test_export_stored import Careful

from optviz import SGD, HyperparameterMap, TorchOptimizer, objective
from optviz.export.stored import stored_runs

RANGES = "() => Object.values(optviz.page.figures.map.ranges).flatMap((range) => [range.start, range.end])"
pytestmark = [pytest.mark.browser]


def torch_map(**settings):
    own = objective(lambda x, y: torch.sin(3 * x) + x**2 + y**2, label="torch waves", minima=[(-0.4273, 0.0)])
    return HyperparameterMap(objective=own, optimizer=SGD(lr=0.05), steps=15, **settings)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    torch_map().save(path)
    return path


def test_what_only_torch_runs_carries_its_map_and_a_run_for_each_cell(page, saved):
    shown = torch_map()
    opened(page, saved)
    assert_shows(page, shown)
    assert status(page) == plain(shown.status()) and status(page).startswith("14 × 14 runs of 15 steps")
    assert len(shown.drawings["map"].layers["limit"]["x"]) == 41
    assert page.locator("#frozen").inner_text() == (
        "torch waves runs in Python alone, not in a page, which carries 225 runs and this map, over lr from 0.0001509 "
        "to 6.629 and momentum from 0 to 0.9595, of 15 steps each; the nearest is shown. Frozen here: Optimizer, "
        "Dampening, Weight decay, Nesterov, Schedule, Warm-up steps, Across, Up, Across from, Across to, Up from, "
        "Up to, Steps, Zoom in on the run, Zoom out, Whole map, Clip gradients (0: none), Start x, Start y, "
        "Sharpness and central flow, Log axis across, Log axis up, Tolerance."
    )
    select(page, "Colour", "rank")
    shown.colour = "rank"
    page.mouse.click(*spot(page, "map", -0.9, 0.5))
    wait_idle(page)
    shown._click(-0.9, 0.5)
    assert_shows(page, shown)
    drag_slider(page, "Momentum", 0.9)
    wait_idle(page)
    momentum = page.evaluate("() => optviz.experiment.optimizer.read('momentum')")
    assert abs(momentum - slider_value(page, "Momentum")) < 0.006
    assert momentum in stored_runs(shown).knobs["momentum"]  # where there is a run
    shown.optimizer.momentum = momentum
    assert_shows(page, shown)
    for gesture in ("'_range', -2, -1, 0.2, 0.4", "'_begin_at', 1, 1"):
        assert not page.evaluate(f"() => optviz.experiment.act({gesture})")
    page.mouse.move(*spot(page, "map", -1.0, 0.5))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    wait_until(lambda: page.evaluate(RANGES) != list(shown.window))
    wait_until(lambda: page.evaluate(RANGES) == list(shown.window), what="the zoom to be undone")
    wait_until(lambda: "momentum" in page.evaluate("location.hash"))
    page.reload()
    page.wait_for_function("window.optviz")
    shown.restart()
    assert_shows(page, shown)


def test_a_map_of_stored_runs_is_live_with_what_the_page_can_run_and_comes_back(page, saved):
    opened(page, saved)
    select(page, "Show", "Learning rate and start")
    assert page.locator("#frozen").inner_text() == ""
    assert_shows(page, HyperparameterMap(scene="Learning rate and start"), "surface", "loss")
    assert page.evaluate("optviz.experiment.results.map.loss.shape[0]") > 14
    drag_slider(page, "Steps", 0.1)
    select(page, "Optimizer", "Adam")
    select(page, "Surface", "torch waves")  # with the rule, the axes and the steps that it was run with
    assert_shows(page, torch_map())


def test_a_map_over_starts_and_a_shape_carries_a_torch_optimizers_runs(page, tmp_path):
    shown = HyperparameterMap(optimizer=TorchOptimizer(torch.optim.SGD, lr=0.01), steps=10, across="condition",
                              up="start y", objective="Rotated quadratic", start=(1.0, 1.5))  # fmt: skip
    assert "14 × 14 runs of 10 steps" in shown.status()
    shown.save(tmp_path / "map.html")
    opened(page, tmp_path / "map.html")
    assert_shows(page, shown)
    page.mouse.click(*spot(page, "map", 1.2, -1.4))
    wait_idle(page)
    shown._click(1.2, -1.4)
    assert_shows(page, shown)
    assert status(page) == plain(shown.status())


def test_a_stored_map_over_the_clip_has_its_runs_and_one_without(page, tmp_path):
    shown = torch_map(across="lr", up="clip", clip=0.0)
    shown.save(tmp_path / "map.html")
    opened(page, tmp_path / "map.html")
    assert_shows(page, shown)
    page.mouse.click(*spot(page, "map", -0.9, -0.8))
    wait_idle(page)
    shown._click(-0.9, -0.8)
    assert 0 < shown.clip < 1 and shown.trajectory.clipped.any()
    assert_shows(page, shown)


def test_the_map_of_a_rule_that_cannot_be_printed_has_no_more_cells_than_a_page_carries(page, tmp_path, monkeypatch):
    monkeypatch.setattr(HyperparameterMap, "coarsest", 0)
    monkeypatch.setattr("optviz.maps.stages.WORK", (8600, 80_000))
    monkeypatch.setattr("optviz.experiments.carried.FINEST", 30)
    shown = HyperparameterMap(optimizer=Careful(lr=0.1), steps=7)
    assert shown.results["map"]["loss"].shape == (35, 35)
    shown.save(tmp_path / "map.html")
    opened(page, tmp_path / "map.html")
    assert_shows(page, shown, "surface", "loss")
    assert status(page).startswith("30 × 30 runs of 7 steps")
    run = "The run of the ring"
    assert status(page).partition(run)[2] == plain(shown.status()).partition(run)[2] != ""
    assert [page.evaluate(f"() => optviz.experiment.{name}") for name in ("across", "up")] == [shown.across, shown.up]
