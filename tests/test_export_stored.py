"""Pages of what only torch can run: stored runs, looked through by steps and knobs; the command."""

import re

import numpy as np
import param
import pytest
import torch
from browser import drag_slider, slider_labels, slider_value, source_data, wait_idle
from pages import VALUE, assert_shows, select, spot
from test_export_pages import opened, plain, status, written

from optviz import SGD, Adam, Rule, SurfaceDescent, TorchOptimizer, objective
from optviz.catalogue import experiments
from optviz.command import main
from optviz.experiments.surface_descent import OFF, REACHED


def torch_waves():
    return objective(lambda x, y: torch.sin(3 * x) + x**2 + y**2, label="torch waves")


def assert_near(page, figure, column, wanted):
    np.testing.assert_allclose(source_data(page, figure)[column], wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.browser
def test_a_torch_optimizer_replays_its_runs_by_steps_and_learning_rate(page, tmp_path):
    def lbfgs(lr):
        return TorchOptimizer(torch.optim.LBFGS, lr=lr, max_iter=5)

    experiment = SurfaceDescent(optimizer=lbfgs(0.5), objective="Rosenbrock", start=(-1.0, 1.5), steps=6)
    experiment.save(tmp_path / "page.html")
    opened(page, tmp_path / "page.html")
    assert_near(page, "surface.path", "x", experiment.trajectory.x[:, 0, 0])
    assert slider_labels(page) == ["Learning rate", "Steepness", "Warm-up steps", "Steps", "Clip gradients (0: none)"]
    lr = drag_slider(page, "Learning rate", 0.21)
    drag_slider(page, "Steps", 0.4)
    wait_idle(page)
    steps = int(slider_value(page, "Steps"))
    stored = np.arange(1, 41) * 0.025
    wanted = SurfaceDescent(optimizer=lbfgs(stored[np.abs(stored - lr).argmin()]), objective="Rosenbrock",
                            start=(-1.0, 1.5), steps=steps)  # fmt: skip
    assert_near(page, "surface.path", "y", wanted.trajectory.x[:, 0, 1])
    assert len(source_data(page, "loss.loss")["x"]) == steps + 1 < 7


@pytest.mark.browser
def test_frozen_controls_are_disabled_and_a_sentence_says_why(page, tmp_path):
    experiment = SurfaceDescent(optimizer=TorchOptimizer(torch.optim.LBFGS, lr=0.5), start=(-4.0, 1.0), steps=5)
    experiment.save(tmp_path / "page.html")
    opened(page, tmp_path / "page.html")
    assert page.locator("#frozen").inner_text() == (
        "LBFGS (torch) runs in Python alone, not in a page, which carries 40 runs, over lr from 0.025 to 1, "
        "of 5 steps each; the nearest is shown. Frozen here: Surface, Schedule, Warm-up steps, "
        "Colour each start by, Clip gradients (0: none), Start x, Start y, Sharpness and central flow."
    )
    surface = page.locator(".bk-input-group:visible", has=page.locator("label", has_text=re.compile("Surface")))
    assert surface.locator("select").is_disabled()
    before = source_data(page, "surface.path")
    page.mouse.click(*spot(page, "surface", 1.0, 1.0))
    wait_idle(page)
    assert source_data(page, "surface.path") == before
    select(page, "Optimizer", "SGD")  # which the page can compute: all is live again
    assert page.locator("#frozen").inner_text() == "" and not surface.locator("select").is_disabled()
    assert_shows(page, SurfaceDescent(optimizer=SGD(lr=0.05), start=(-4.0, 1.0)))
    select(page, "Optimizer", "LBFGS (torch)")
    assert source_data(page, "surface.path") == before


@pytest.mark.browser
def test_a_torch_objective_replays_a_traced_rule_over_two_knobs(page, tmp_path):
    knobs = {"lr": [0.05, 0.1, 0.2, 0.4], "beta1": [0.0, 0.5, 0.9]}
    experiment = SurfaceDescent(objective=torch_waves(), optimizer=Adam(lr=0.1), steps=40, clip=0.8)
    experiment.save(tmp_path / "page.html", knobs=knobs)
    opened(page, tmp_path / "page.html")
    np.testing.assert_allclose(source_data(page, "surface.image")["image"][0],
                               experiment.drawings["surface"].layers["image"]["image"][0], atol=1e-5)  # fmt: skip
    assert status(page) == plain(experiment.status())
    drag_slider(page, "β₁", 0.0)
    wait_idle(page)
    wanted = SurfaceDescent(objective=torch_waves(), optimizer=Adam(lr=0.1, beta1=0.0), steps=40, clip=0.8)
    assert_near(page, "surface.path", "x", wanted.trajectory.x[:, 0, 0])


@pytest.mark.browser
def test_stored_runs_come_back_with_the_rule_and_the_settings_that_they_had(page, tmp_path):
    experiment = SurfaceDescent(objective=torch_waves(), optimizer=SGD(lr=0.1), steps=20)
    experiment.save(tmp_path / "page.html")
    opened(page, tmp_path / "page.html")
    select(page, "Surface", "Booth")
    drag_slider(page, "Momentum", 0.9)
    select(page, "Surface", "torch waves")
    assert_shows(page, experiment)
    assert slider_value(page, "Momentum") == 0.0
    for label, option in (("Surface", "Booth"), ("Optimizer", "Adam"), ("Surface", "torch waves")):
        select(page, label, option)
    assert_shows(page, experiment)
    lr = drag_slider(page, "Learning rate", 0.05)
    wait_idle(page)
    assert slider_value(page, "Learning rate") in [0.1 * k / 20 for k in range(1, 41)]  # what is shown was run so
    assert abs(slider_value(page, "Learning rate") - lr) < 0.0051
    experiment.optimizer.lr = slider_value(page, "Learning rate")
    assert_shows(page, experiment)


@pytest.mark.browser
def test_a_menu_offers_only_what_the_page_can_show(page, tmp_path):
    experiment = SurfaceDescent(objective=torch_waves(), optimizer=TorchOptimizer(torch.optim.SGD, lr=0.1), steps=9)
    experiment.objective_name = "Booth"
    experiment.optimizer = Careful()
    experiment.optimizer_name = "SGD (torch)"
    experiment.save(tmp_path / "page.html")
    opened(page, tmp_path / "page.html")
    assert_shows(page, experiment)
    options = page.evaluate(OPTIONS, "Optimizer"), page.evaluate(OPTIONS, "Surface")
    assert "SGD (torch)" in options[0] and "Careful" not in options[0]
    assert "Booth" in options[1] and "torch waves" not in options[1]


OPTIONS = """(title) => [...Bokeh.documents[0]._all_models.values()].find((model) => model.title === title)
  .options.map(([name]) => name)"""


@pytest.mark.browser
def test_one_run_and_two_members_are_said_so(page, tmp_path):
    experiment = SurfaceDescent(objective=torch_waves(), optimizer=TorchOptimizer(torch.optim.Rprop), steps=1)
    experiment.save(tmp_path / "page.html")
    opened(page, tmp_path / "page.html")
    assert_shows(page, experiment)
    assert (
        page.locator("#frozen")
        .inner_text()
        .startswith(
            "Rprop (torch) and torch waves run in Python alone, not in a page, which carries one run of 1 step. Frozen"
        )
    )


class Careful(Rule):
    """A rule that branches on a value, which JavaScript cannot be printed from."""

    lr = param.Number(0.1)

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        return let("step", -h.lr * g if abs(g) < 1 else -h.lr * xp.sign(g))


@pytest.mark.browser
def test_a_rule_that_cannot_be_printed_replays_its_runs_without_basins(page, tmp_path):
    experiment = SurfaceDescent(optimizer=Careful(lr=0.2), basins=REACHED, steps=20)
    experiment.save(tmp_path / "page.html")
    opened(page, tmp_path / "page.html")
    experiment.basins = OFF
    assert_shows(page, experiment)
    assert page.evaluate(VALUE, "Colour each start by") == OFF
    assert page.locator("#frozen").inner_text().startswith("Careful runs in Python alone, not in a page")
    assert page.locator(".outlook").evaluate("(e) => e.textContent") == written(experiment)


def test_runs_are_stored_in_few_bytes(tmp_path):
    knobs = {"lr": [0.1, 0.2, 0.3, 0.4]}
    sizes = []
    for steps in (1, 500):
        experiment = SurfaceDescent(optimizer=TorchOptimizer(torch.optim.SGD, lr=0.1), steps=steps)
        sizes.append(len(experiment.html(knobs=knobs)))
    assert sizes[1] - sizes[0] < 4 * 500 * 3 * 8 * 1.4


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({"x": [1, 2]}, "save needs knobs among the numbers of SGD (torch), not 'x'."),
        ({"lr": [2, 1]}, "save needs rising values of the knob lr, not [2, 1]."),
        ({"lr": [0.1] * 3}, "save needs rising values of the knob lr, not [0.1, 0.1, 0.1]."),
        ({"lr": range(1, 1200)}, "save stores at most 1000 runs, not 1199."),
        ({"lr": [1, 2], "momentum": [0, 1], "dampening": [0, 1]},
         "save needs one or two knobs, not ['lr', 'momentum', 'dampening']."),
    ],
)  # fmt: skip
def test_bad_knobs_are_refused_in_one_sentence(knobs, sentence):
    optimizer = TorchOptimizer(torch.optim.SGD, lr=0.1, momentum=0.5, dampening=0.1)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        SurfaceDescent(optimizer=optimizer).html(knobs=knobs)


def test_a_traced_experiment_refuses_knobs_and_every_one_a_theme():
    with pytest.raises(ValueError, match=re.escape("save needs knobs only for what runs through torch, not ['lr']")):
        SurfaceDescent().html(knobs={"lr": [1, 2]})
    with pytest.raises(ValueError, match="save needs the theme system, default or dark, not 'neon'"):
        SurfaceDescent().html(theme="neon")


def test_the_command_lists_and_exports(exported, capsys):
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert [line.split()[0] for line in listed.splitlines()] == list(experiments())
    made = sorted(path.name for path in exported.iterdir())
    assert made == sorted([*(f"{name}.html" for name in experiments()), "index.html"])
    index = (exported / "index.html").read_text()
    for name, kind in experiments().items():
        assert f'href="{name}.html"' in index and kind.sentence in index
    assert 'src="data:image/webp;base64' in index and not re.search("https?:", index)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["export"], "export needs the name of an experiment, or --all DIR, and not both."),
        (["export", "nothing"], "optviz needs the name of an experiment, not 'nothing'; choose one of"),
        (["export", "surface_descent", "--param", "lr"], "--param needs NAME=VALUE, not 'lr'"),
    ],
)
def test_the_command_refuses_in_one_sentence(arguments, sentence, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert sentence in said and said.count("\n") == 1


@pytest.mark.browser
def test_the_index_leads_to_the_pages(page, exported):
    page.context.set_offline(True)
    page.goto((exported / "index.html").as_uri())
    page.wait_for_function("window.optviz")
    rate = page.evaluate("() => optviz.experiment.optimizer.lr")
    page.wait_for_function("(rate) => optviz.experiment.optimizer.lr !== rate", arg=rate)  # it moves by itself
    page.locator("a.card").first.click()
    page.wait_for_function("window.optviz")
    wait_idle(page)
    assert_shows(page, next(iter(experiments().values()))())
