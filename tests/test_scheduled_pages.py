"""A schedule of the learning rate on a page: its run is Python's, its numbers come and go, steps have its rate."""

import numpy as np
import param
import pytest
from browser import slider_labels, wait_idle
from conftest import DESKTOP
from pages import assert_shows, select
from test_export_pages import opened

from optviz import SurfaceDescent
from optviz.rules.schedule_menu import brought_numbers, schedule_kinds, schedule_numbers, usual_numbers
from optviz.runs.steps import letters_at
from optviz.state.sharing import query

HELD = "(name) => [...window.optviz.experiment.results.trajectory[name].data]"
KNOWN = """() => Object.fromEntries(Object.entries(window.optviz.experiment)
  .filter(([name]) => name.startsWith("schedule_")))"""
MOVED = [label for label in schedule_kinds() if label != "constant"]


@pytest.mark.parametrize("label", MOVED)
def test_choosing_a_schedule_brings_its_numbers_and_its_rates(label):
    chosen, made = SurfaceDescent(), SurfaceDescent(schedule=label)
    chosen.schedule = label
    assert {n: getattr(made, n) for n in brought_numbers()[label]} == brought_numbers()[label]
    assert query(chosen) == query(made) and query(made).startswith("schedule=")
    np.testing.assert_array_equal(chosen.trajectory.x, made.trajectory.x)
    assert made.drawings["rate"].shown and not SurfaceDescent().drawings["rate"].shown
    assert made.results["outlook"]["rate"] is None and made.side()["schedule"].count("<math") > 1


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "Rprop"])
def test_a_step_is_made_of_the_rate_and_the_momentum_in_force(optimizer):
    made = SurfaceDescent(optimizer=optimizer, schedule="OneCycleLR", schedule_warmup=5)
    (played,) = made.played()
    for t in (1, 4, 20, 30):
        for k, letters in enumerate(letters_at(played, t)):
            assert letters["h.lr"] == made.trajectory.rates[t - 1, 0]
            if optimizer == "SGD":
                b = letters["h.momentum"] * letters["b_before"] + letters["g"] if t > 1 else letters["g"]
                step = letters["x"] - letters["h.lr"] * b
                assert step == pytest.approx(made.trajectory.x[t, 0, k], rel=1e-12)


def test_a_limit_is_said_of_the_rate_in_force():
    above = SurfaceDescent(schedule="ExponentialLR", schedule_gamma=1.1)
    assert "Rates below 0.5 are stable. The rate passes that at step 26 and stays above." in above.side()["outlook"]
    held = SurfaceDescent(schedule="StepLR", schedule_gamma=0.1)
    held.optimizer.lr = 0.6
    assert "falls below that at step 21 and stays below" in held.side()["outlook"]
    assert held.shade() == {"optimizer.lr": np.inf}


def test_a_run_of_a_function_of_the_step():
    made = SurfaceDescent(schedule=lambda t: 0.3 / t)
    np.testing.assert_allclose(made.trajectory.rates[:, 0], 0.3 / np.arange(1, 51))
    assert made.schedule == "your own" and "given" in made.side()["schedule"]
    with pytest.raises(ValueError, match="save needs a schedule whose formula a page can have"):
        made.html()


@pytest.mark.browser
def test_a_page_makes_the_same_rates_and_shows_the_same_numbers(page, exported):
    page.set_viewport_size(DESKTOP)
    opened(page, exported / "surface_descent.html")
    made = SurfaceDescent()
    for label in MOVED:
        select(page, "Schedule", label)
        made.schedule = label
        both = {"schedule_warmup": 7, "steps": 60, "schedule_anneal_strategy": "linear", "schedule_mode": "exp_range"}
        page.evaluate("(both) => window.optviz.experiment.change(both)", both)
        made.param.update(**both)
        assert page.evaluate(KNOWN) == {name: getattr(made, name) for name in usual_numbers()}, label
        for name in ("x", "rates"):
            ours, theirs = getattr(made.trajectory, name).ravel(), np.array(page.evaluate(HELD, name))
            np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=1e-12, err_msg=f"{name} of {label}")
        shown = set(slider_labels(page))
        own = {number.label for name, number in schedule_numbers().items()
               if name in schedule_kinds()[label].own() and isinstance(number, param.Number)}  # fmt: skip
        numbers = {number.label for number in schedule_numbers().values() if isinstance(number, param.Number)}
        assert own <= shown and not (numbers - own - {"Warm-up steps", "Warm-up from"}) & shown, label
    assert_shows(page, made)
    select(page, "Schedule", "constant")
    made.schedule = "constant"
    select(page, "Colour each start by", "the minimum reached")
    select(page, "Schedule", "StepLR")
    made.param.update(basins="the minimum reached")
    made.schedule = "StepLR"
    assert_shows(page, made)
    page.evaluate("() => window.optviz.player.seek(30)")
    wait_idle(page)
    at = page.evaluate("() => window.optviz.experiment.playhead(30).rate.playhead.y.data[0]")
    assert at == pytest.approx(made.trajectory.rates[30, 0], rel=1e-12)
