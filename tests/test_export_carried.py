"""Pages of a race whose surface calls torch: every trial travels with them."""

import re
from urllib.parse import parse_qs

import numpy as np
import pytest
import torch
from browser import drag_slider, slider_value, source_data, wait_idle, wait_until
from pages import assert_shows, select, spot
from test_export_pages import opened, plain, status

from optviz import Race, objective
from optviz.experiments import carried
from optviz.experiments.racers import KEYS, KNOBS, NAMES, OWN, SAME, STEP, TUNED
from optviz.export.store import room_for
from optviz.export.stored import stored_runs

DISABLED = """() => optviz.page.spec.controls.filter((control) => optviz.page.shown(control))
  .map((control) => optviz.page.model(control.model)).filter((model) => model.disabled)
  .map((model) => model.title || model.label)"""
PLACES = "() => optviz.experiment.side().places"
FROZEN = ["Trials each", "Lowest lr tried", "Highest lr tried", "Clip gradients (0: none)", "Start x",
          "Start y", "Heavy ball: momentum", "RMSprop: α", "Adam: β₁", "Adam: β₂"]  # fmt: skip


def torch_waves():
    return objective(lambda x, y: torch.sin(3 * x) + x**2 + 2 * y**2, label="torch waves", starts=[(1.8, -1.6)])


def race(**settings):
    return Race(**{"objective": torch_waves(), "trials": 8, "steps": 30, "lowest": -3.0, "highest": 0.5, **settings})


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("race") / "page.html"
    race().save(path)
    return path


def nearest(tried: np.ndarray, wanted: float) -> float:
    return float(tried[np.abs(np.log10(tried) - np.log10(wanted)).argmin()])


def assert_races(page, experiment, wanted: dict[str, float]) -> None:
    """The page shows each racer's run at the learning rate tried that is nearest to the one wanted, and says which."""
    tried = experiment.tuning["SGD"]["lr"]
    rates = {name: nearest(tried, wanted[name]) for name in experiment.racers()}
    experiment.param.update(fairness=OWN, **{f"{KEYS[name]}_lr": rate for name, rate in rates.items()})
    assert {name: run["lr"] for name, run in experiment.runs.items()} == rates
    assert_shows(page, experiment, "surface", "loss")
    assert plain(page.evaluate(PLACES)) == plain(experiment.side()["places"])
    for name, rate in rates.items():
        dot = source_data(page, f"sensitivity.{name} lr")
        assert len(dot["x"]) <= 1 and np.allclose(dot["x"], np.log10(rate))


@pytest.mark.browser
def test_a_race_on_a_torch_surface_is_run_again_from_its_trials(page, saved):
    experiment = race()
    opened(page, saved)
    assert_shows(page, experiment)
    assert status(page) == plain(experiment.status())
    drag_slider(page, "Steps", 0.4)
    wait_idle(page)
    experiment.steps = round(slider_value(page, "Steps"))
    assert 1 < experiment.steps < 30
    assert_shows(page, experiment)  # the best at fewer steps are others
    assert plain(page.evaluate(PLACES)) == plain(experiment.side()["places"])

    select(page, "Fairness", SAME)
    lr = drag_slider(page, "Learning rate", 0.8)
    wait_idle(page)
    assert_races(page, experiment, dict.fromkeys(NAMES, lr))
    assert status(page).endswith(f"Each races with the learning rate tried that is nearest to {lr:g}.")
    for label in ("Nesterov", "Heavy ball"):
        page.get_by_label(label, exact=True).click()
    wait_idle(page)
    experiment.param.update(nesterov=True, heavy_ball=False)
    assert_races(page, experiment, dict.fromkeys(NAMES, lr))
    select(page, "Fairness", STEP)
    slow = {name: getattr(experiment, KNOBS[name].get("momentum", ""), 0.0) for name in NAMES}
    assert_races(page, experiment, {name: lr * (1 - slow[name]) for name in NAMES})
    select(page, "Fairness", OWN)
    rates = {name: getattr(race(), f"{KEYS[name]}_lr") for name in NAMES}
    rates["Nesterov"] = drag_slider(page, "Nesterov: learning rate", 0.8)
    wait_idle(page)
    assert_races(page, experiment, rates)
    select(page, "Fairness", TUNED)
    drag_slider(page, "Steps", 1.0)
    wait_idle(page)
    experiment.param.update(fairness=TUNED, steps=30)
    assert_shows(page, experiment)


@pytest.mark.browser
def test_what_a_race_cannot_run_again_is_frozen_until_a_surface_is_chosen_that_it_can(page, saved):
    opened(page, saved)
    assert page.locator("#frozen").inner_text() == (
        "torch waves runs in Python alone, not in a page, which carries 64 runs, over lr from 0.001 to 3.162, of 30 "
        f"steps each; the nearest is shown. Frozen here: {', '.join(FROZEN)}."
    )
    page.get_by_label("Lion", exact=True).click()
    wait_until(lambda: page.locator("#frozen").inner_text().endswith("Lion: β₁, Lion: β₂."))
    page.get_by_label("Lion", exact=True).click()
    assert set(FROZEN) < set(page.evaluate(DISABLED))
    before = source_data(page, "surface.SGD")
    page.mouse.click(*spot(page, "surface", 1.0, 1.0))
    wait_idle(page)
    assert source_data(page, "surface.SGD") == before
    select(page, "Surface", "Booth")
    assert page.locator("#frozen").inner_text() == "" and page.evaluate(DISABLED) == []
    drag_slider(page, "Adam: β₁", 0.2)
    drag_slider(page, "Trials each", 0.1)
    wait_idle(page)
    moved = {name: page.evaluate(f"optviz.experiment.{name}") for name in ("adam_beta1", "trials")}
    assert moved["adam_beta1"] < 0.5 and moved["trials"] != 8
    assert_shows(page, race(objective="Booth", **moved), "surface")
    select(page, "Surface", "torch waves")  # as it was run
    assert source_data(page, "surface.SGD") == before
    assert_shows(page, race())


@pytest.mark.browser
def test_a_link_restores_a_race_from_its_trials(page, saved):
    opened(page, saved)
    select(page, "Fairness", SAME)
    lr = drag_slider(page, "Learning rate", 0.9)
    drag_slider(page, "Steps", 0.5)
    page.get_by_label("Lion", exact=True).click()
    wait_idle(page)
    steps = round(slider_value(page, "Steps"))
    wait_until(lambda: {"fairness", "lr", "steps", "lion"} <= set(parse_qs(page.evaluate("location.hash.slice(1)"))))
    page.reload()
    page.wait_for_function("window.optviz")
    wait_idle(page)
    assert page.locator("#refused").inner_text() == ""
    assert_races(page, race(steps=steps, lion=True), dict.fromkeys(NAMES, lr))
    page.goto("about:blank")
    page.goto(f"{saved.as_uri()}#trials=5&adam_beta1=0.5&start_x=0.5&objective=rosenbrock")
    page.wait_for_function("window.optviz")
    wait_idle(page)
    assert_shows(page, race(objective="Rosenbrock", trials=5, adam_beta1=0.5, start=(0.5, 1.0)), "surface", "loss")


def test_rules_that_are_switched_off_travel_where_there_is_room(monkeypatch):
    few = stored_runs(race())
    monkeypatch.setattr(carried, "ROOM", 1e4)
    many = stored_runs(race())
    assert [len(store.data["rules"]) for store in (few, many)] == [8, 4]
    assert "nesterov" in few.live and "nesterov" not in many.live and many.fixed["nesterov"] is False
    with pytest.raises(
        ValueError, match=re.escape("save stores at most 60 MB of runs, not '256 MB'; have fewer steps.")
    ):
        room_for(800, 10_000)


def test_a_rule_that_is_switched_off_and_cannot_run_is_left_out(monkeypatch):
    def walk(self, name, lr):
        if name == "Lion":
            raise ValueError("outside of what the surface knows")
        return kept(self, name, lr)

    kept = Race.walk
    monkeypatch.setattr(Race, "walk", walk)
    store = stored_runs(race())
    assert len(store.data["rules"]) == 7 and "lion" not in store.live and store.fixed["lion"] is False
