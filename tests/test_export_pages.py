"""Exported pages in a real browser, opened from disk with no network, against what Python computes."""

import re
from html import unescape

import numpy as np
import pytest
from axe import assert_axe_finds_nothing
from browser import (
    assert_fits_a_phone,
    drag_slider,
    open_folds,
    place_of,
    slider,
    slider_labels,
    slider_value,
    source_data,
    values_said,
    wait_idle,
    wait_until,
)
from conftest import DESKTOP, PHONE
from hands import (
    assert_fingers_scroll,
    assert_fingers_scroll_from_plots_and_sliders,
    assert_tab_goes_round,
    assert_wheel_and_keys_scroll,
    assert_wheel_is_the_plot_s_once_clicked,
)
from pages import (
    COUNT_LAYOUTS,
    VALUE,
    assert_shows,
    assert_what_would_be_refused_is_shut,
    drag_every_slider,
    owner_of,
    refined,
    select,
    spot,
    type_into,
)

from optviz import (
    SGD,
    LossComparison,
    NoisyDescent,
    Race,
    SingleParameter,
    StochasticLandscape,
    SurfaceDescent,
    objective,
)
from optviz.catalogue import experiments
from optviz.experiments.race_rates import BROUGHT as RATES
from optviz.experiments.racers import OWN
from optviz.experiments.surface_descent import REACHED, SPEED
from optviz.menus import rules, surfaces
from optviz.page.factors import place_of as factor_place
from optviz.page.layout import share, typeset

pytestmark = pytest.mark.browser


def opened(page, path) -> None:
    asked = []

    def note(request):
        asked.append(request.url)

    page.on("request", note)
    page.context.set_offline(True)
    page.goto(path.as_uri())
    page.wait_for_function("window.optviz")
    wait_idle(page)
    page.remove_listener("request", note)
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]


def saved(page, experiment, tmp_path):
    """Save an experiment and open the page."""
    path = tmp_path / "page.html"
    experiment.save(path)
    opened(page, path)
    return experiment


@pytest.mark.parametrize("name", experiments())
def test_every_control_recomputes_what_python_computes(name, page, exported):
    experiment = experiments()[name]()
    path = exported / f"{name}.html"
    assert path.stat().st_size < 2e6
    page.set_viewport_size(PHONE)
    opened(page, path)
    assert_fits_a_phone(page)
    label = slider_labels(page)[-1]
    before = place_of(page, label)
    drag_every_slider(page, experiment, [label])
    assert place_of(page, label) == before
    page.set_viewport_size(DESKTOP)
    wait_idle(page)
    assert_shows(page, experiment)
    assert_wheel_and_keys_scroll(page)
    for label, option, brought in BROUGHT.get(name, ()):
        assert not set(brought) & set(slider_labels(page))
        select(page, label, option)
        setattr(experiment, owner_of(experiment, label)[1], option)
        assert_shows(page, experiment)
        assert set(brought) <= set(slider_labels(page))
    drag_every_slider(page, experiment, slider_labels(page))
    wait_until(lambda: says(page, experiment), 30, "the status that Python gives")
    assert_axe_finds_nothing(page)
    assert_tab_goes_round(page)


def test_a_saved_page_follows_a_finger_and_the_wheel(phone, page, exported):
    opened(phone, exported / "surface_descent.html")
    assert_fingers_scroll(phone)
    assert_fingers_scroll_from_plots_and_sliders(phone)
    opened(page, exported / "surface_descent.html")
    assert_wheel_is_the_plot_s_once_clicked(page)


# a menu, its option and the sliders that it brings
BROUGHT = {
    "noisy_descent": [("Second rule", "Adam", ["Learning rate of the second", "Momentum of the second"])],
    "race": [("Fairness", "same lr", ["Learning rate"])],
}


def says(page, experiment) -> bool:
    """Whether the page says what Python does; if not, Python's picture is a stage finer from now on, as the page's."""
    same = status(page) == plain(experiment.status())
    if not same:
        refined(experiment)
    return same


def status(page) -> str:
    return " ".join(page.locator(".status").inner_text().split())


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", typeset(html)).split())


def test_every_optimizer_and_surface_of_the_menus_is_in_the_page(page, exported):
    experiment = SurfaceDescent()
    opened(page, exported / "surface_descent.html")
    for label in list(surfaces())[1:] + list(surfaces())[:1]:
        select(page, "Surface", label)
        experiment.objective_name = label
        assert_shows(page, experiment)
        assert status(page) == plain(experiment.status())
        assert outlook(page) == written(experiment)
    for label in rules():
        select(page, "Optimizer", label)
        experiment.optimizer_name = label
        assert_shows(page, experiment)
        shown = [experiment.optimizer.param[n].label for n in experiment.optimizer.hyperparameters()]
        told = values_said(page)
        assert set(told) <= {*shown, "Steps", "Warm-up steps", "Clip gradients (0: none)"}
        assert {label: float(number) for label, number in told.items()} == {n: slider_value(page, n) for n in told}
        assert outlook(page) == written(experiment)
        formula = page.locator(".formula math").evaluate("(e) => e.textContent")
        assert formula == unescape(re.sub(r"<h2>.*</h2>|<[^>]+>", "", experiment.side()["formula"]))


def outlook(page) -> str:
    return page.locator(".outlook").evaluate("(e) => e.textContent")


def written(experiment) -> str:
    return unescape(re.sub(r"<[^>]+>", "", typeset(experiment.side()["outlook"])))


def test_a_surface_brings_rates_to_a_race(page, exported):
    experiment = Race()
    opened(page, exported / "race.html")
    for label, option in (("Fairness", OWN), ("Surface", "Goldstein-Price"), ("Surface", "Himmelblau")):
        select(page, label, option)
        setattr(experiment, owner_of(experiment, label)[1], option)
        assert_shows(page, experiment)
        rates = {name: page.evaluate(f"optviz.experiment.{name}") for name in RATES}
        assert rates == {name: getattr(experiment, name) for name in RATES}


def test_a_surface_and_a_rule_bring_rates_to_noisy_runs(page, exported):
    experiment = NoisyDescent()
    opened(page, exported / "noisy_descent.html")
    chosen = [("Surface", "Beale"), ("Second rule", "Inertia"), ("Surface", "Himmelblau"), ("Rule", "Nesterov"),
              ("Surface", "Monkey saddle")]  # fmt: skip
    for label, option in chosen:
        select(page, label, option)
        setattr(experiment, owner_of(experiment, label)[1], option)
        assert_shows(page, experiment)
        rates = [page.evaluate(f"optviz.experiment.{name}") for name in ("lr", "second_lr")]
        assert rates == [experiment.lr, experiment.second_lr]
    assert status(page) == plain(experiment.status())


def test_a_rules_own_controls_move_it_and_its_formula(page, exported):
    experiment = SurfaceDescent()
    opened(page, exported / "surface_descent.html")
    for label, option in (("Optimizer", "Adam"), ("Surface", "Rotated quadratic")):
        select(page, label, option)
        setattr(experiment, owner_of(experiment, label)[1], option)
    drag_every_slider(page, experiment, ["β₁", "condition number", "Angle"])
    open_folds(page)
    page.get_by_label("Amsgrad", exact=True).check()
    experiment.optimizer.amsgrad = True
    wait_idle(page)
    assert_shows(page, experiment)
    assert page.locator(".numbers").inner_text().split(",")[0].endswith("0.1")


def test_the_unstable_part_of_a_slider_moves_without_a_layout(page, exported):
    opened(page, exported / "surface_descent.html")
    connects = slider(page, "Learning rate").locator(".noUi-connects")
    page.evaluate(COUNT_LAYOUTS)
    for momentum in (0.5, 0.2):
        start = float(share(factor_place(2 * (1 + momentum) / 4), -6.1, 1)[:-1])
        page.evaluate("value => optviz.experiment.optimizer.assign('momentum', value)", momentum)
        page.evaluate("() => optviz.experiment.refresh()")
        assert f" {start:g}%" in connects.evaluate("e => getComputedStyle(e).backgroundImage")
    assert page.evaluate("window.layouts") == 0


def test_basins_are_walked_in_the_page(page, exported):
    experiment = SurfaceDescent()
    opened(page, exported / "surface_descent.html")
    for label, option in (("Surface", "Himmelblau"), ("Colour each start by", REACHED)):
        select(page, label, option)
        setattr(experiment, owner_of(experiment, label)[1], option)
    assert_shows(page, experiment)
    drag_every_slider(page, experiment, ["Learning rate", "Clip gradients (0: none)"])
    select(page, "Optimizer", "RMSprop")
    select(page, "Colour each start by", SPEED)
    experiment.param.update(optimizer_name="RMSprop", basins=SPEED)

    def tells() -> bool:
        assert_shows(page, experiment)  # which is as fine as the page is meanwhile
        return outlook(page) == written(experiment)

    wait_until(tells, 20, "the shares of the starts as Python writes them")
    for label, name, option in (("Surface", "objective_name", "Rastrigin"), ("Optimizer", "optimizer_name", "SGD")):
        select(page, label, option)
        setattr(experiment, name, option)
    drag_every_slider(page, experiment, ["Amplitude"])  # whose minima Newton's method brings along


def test_a_start_is_typed_clicked_and_dragged(page, exported):
    experiment = SurfaceDescent()
    opened(page, exported / "surface_descent.html")
    type_into(page, "Start x", "-3.5")
    experiment.start_x = -3.5
    assert_shows(page, experiment)
    page.mouse.click(*spot(page, "surface", 1.5, 1.0))
    wait_idle(page)
    experiment.start = began(page)
    np.testing.assert_allclose(experiment.start, (1.5, 1.0), atol=0.05)
    assert_shows(page, experiment)
    page.mouse.move(*spot(page, "surface", *experiment.start))
    page.mouse.down()
    page.mouse.move(*spot(page, "surface", -2.5, 2.5), steps=8)
    page.mouse.up()
    wait_idle(page)
    experiment.start = began(page)
    np.testing.assert_allclose(experiment.start, (-2.5, 2.5), atol=0.05)
    assert_shows(page, experiment)
    assert page.evaluate(VALUE, "Start x") == experiment.start[0]


def began(page) -> tuple[float, float]:
    path = source_data(page, "surface.path")
    return path["x"][0], path["y"][0]


def test_a_divergence_is_told_and_marked(page, tmp_path):
    experiment = saved(page, SurfaceDescent(optimizer=SGD(lr=0.9), steps=300), tmp_path)
    assert "Diverged at step" not in status(page)
    value = drag_slider(page, "Learning rate", 1.0)
    drag_slider(page, "Steps", 1.0)
    wait_idle(page)
    experiment.optimizer.lr = value
    experiment.steps = int(slider_value(page, "Steps"))
    experiment.objective_name = "Monkey saddle"
    select(page, "Surface", "Monkey saddle")
    assert experiment.trajectory.diverged[0]
    assert status(page) == plain(experiment.status())
    assert_shows(page, experiment)


def test_new_gradients_are_those_of_the_next_seed(page, exported):
    experiment = SingleParameter()
    opened(page, exported / "single_parameter.html")
    page.mouse.click(*spot(page, "epochs", 23.2, 0.5))
    wait_idle(page)
    experiment.epoch = 23
    assert_shows(page, experiment)
    page.get_by_role("button", name="New gradients").click()
    wait_idle(page)
    assert page.evaluate(VALUE, "Seed") == 1
    experiment.param.trigger("new_gradients")
    assert experiment.seed == 1
    assert_shows(page, experiment)


def test_a_refused_combination_says_why_and_moves_nothing(page, exported):
    experiment = LossComparison(preset="momentum 0.9 + Nesterov")
    opened(page, exported / "loss_comparison.html")
    select(page, "Preset", "momentum 0.9 + Nesterov")
    corner = spot(page, "mse", 0.0, 0.0)
    slider(page, "Momentum").locator(".noUi-handle").focus()
    page.keyboard.press("Home")  # to 0 at once
    wait_idle(page)
    sentence = page.locator("p", has_text="Nesterov momentum requires a momentum above 0")
    assert sentence.count() == 1 and sentence.is_visible()
    assert re.fullmatch(r"SGD: [^\n]+ off\.", sentence.inner_text().strip())
    assert spot(page, "mse", 0.0, 0.0) == corner
    assert_shows(page, experiment)  # as it was
    value = drag_slider(page, "Momentum", 0.8)
    wait_idle(page)
    assert not sentence.is_visible()
    assert value > 0.5
    experiment.momentum = value
    assert_shows(page, experiment)
    before = status(page)
    # texts wait for the frame; a refusal that comes first leaves those of what is drawn
    page.evaluate("() => [0.6, 0].forEach((momentum) => optviz.experiment.change({ momentum }))")
    wait_idle(page)
    experiment.momentum = 0.6
    assert sentence.is_visible() and status(page) == plain(experiment.status()) != before
    assert_shows(page, experiment)


def test_what_would_be_refused_cannot_be_chosen(page, exported):
    opened(page, exported / "loss_comparison.html")
    assert_what_would_be_refused_is_shut(page)


def test_the_player_plays_and_the_samples_are_pythons(page, exported):
    experiment = StochasticLandscape()
    opened(page, exported / "stochastic_landscape.html")
    page.locator(".player .on").click()
    page.locator(".player .on").click()
    page.get_by_text("Shuffle", exact=True).click()  # its words, as a hand does
    wait_idle(page)
    experiment.param.update(sample=2, shuffle=True)
    assert_shows(page, experiment)
    page.get_by_label("With replacement", exact=True).check()
    wait_idle(page)
    experiment.replacement = True
    assert_shows(page, experiment)
    assert status(page) == plain(experiment.status())
    assert not page.get_by_label("Shuffle", exact=True).is_visible()


def test_an_own_surface_and_a_state_travel_with_the_page(page, tmp_path):
    own = objective(lambda x, y: (x - 1) ** 2 + np.cos(3 * y) + y**2, label="my waves")
    experiment = saved(page, SurfaceDescent(objective=own, optimizer="Lion", start=(2.0, 2.0), steps=77), tmp_path)
    assert_shows(page, experiment)
    for name in ("Booth", "my waves"):
        select(page, "Surface", name)
        experiment.objective_name = name
        assert_shows(page, experiment)


def test_a_flat_valley_travels_with_the_page(page, tmp_path):
    bent = objective(lambda x, y: (x * y - 1) ** 2, label="two branches")
    experiment = SurfaceDescent(objective=bent, optimizer=SGD(lr=0.02), basins=REACHED)
    experiment.save(tmp_path / "own.html")
    opened(page, tmp_path / "own.html")
    assert_shows(page, experiment)  # each start's end, as fine as the page is meanwhile
    assert "the valley through" in outlook(page)
