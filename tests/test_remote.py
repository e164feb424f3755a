"""Pages that Python computes: undo, redo, reset, a pinned run, the stage and the player, as on saved pages."""

import numpy as np
import pytest
from axe import assert_axe_finds_nothing
from bokeh.document import Document
from bokeh.models import TextInput
from browser import source_data, wait_idle, wait_until
from pages import select
from pyviz_comms import Comm
from test_export_player import assert_tells

from optviz import SGD, Hyperparameter, Rule, SurfaceDescent
from optviz.state import sharing

browser = pytest.mark.browser
QUERY = "() => optviz.address.query()"


class Halved(Rule):
    """Half the step of gradient descent."""

    lr = Hyperparameter(0.1)

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        return let("step", -h.lr * g / 2)


# states, without a page


def test_any_state_leads_to_any_other_by_what_an_address_says():
    experiment = SurfaceDescent()
    go, seen = sharing.opening(experiment), []
    for change in ({"steps": 70}, {"optimizer_name": "Adam"}, {"start_x": 1.0}, {"objective_name": "Rosenbrock"}):
        experiment.param.update(**change)
        seen.append((sharing.query(experiment), experiment.trajectory.x.copy()))
    adam = experiment.optimizer
    for query, x in [*seen[::-1], *seen]:
        go(query, False)
        assert sharing.query(experiment) == query
        np.testing.assert_array_equal(experiment.trajectory.x, x)
    go(seen[-2][0], False)
    assert experiment.optimizer is not adam  # another surface brings its own settings
    go("", True)
    assert sharing.query(experiment) == "" and experiment.optimizer_name == "SGD"


def test_a_rule_of_ones_own_comes_back():
    experiment = SurfaceDescent(optimizer=Halved(lr=0.02))
    go, own = sharing.opening(experiment), experiment.optimizer
    experiment.optimizer_name = "Adam"
    query = sharing.query(experiment)
    go("", False)
    assert experiment.optimizer is own and own.lr == 0.02
    go(query, False)
    assert experiment.optimizer_name == "Adam"
    experiment.optimizer.lr = 0.3
    adam = experiment.optimizer
    go(query, False)
    assert experiment.optimizer is adam and sharing.query(experiment) == query


# in a browser


def opened(page, served, said=""):
    page.goto(f"{served}/live_surface{said}")
    page.wait_for_function("window.optviz?.states")
    wait_idle(page)


def asked(page, wanted: str) -> None:
    page.wait_for_function(f"() => optviz.address.query() === '{wanted}'")
    page.wait_for_timeout(500)  # until it is a state to come back to
    wait_idle(page)


@browser
def test_a_served_page_undoes_and_pins_what_python_computes(page, served):
    opened(page, served)
    page.get_by_role("slider", name="Learning rate").focus()
    loss = lambda: source_data(page, "loss.loss")["y"]
    begun = loss()
    page.keyboard.press("PageUp")
    asked(page, "lr=0.056")
    moved = loss()
    assert moved != begun
    select(page, "Optimizer", "Adam")
    asked(page, "optimizer=adam")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    asked(page, "lr=0.056")
    assert loss() == moved
    page.get_by_role("button", name="Pin", exact=True).click()
    page.get_by_role("button", name="Reset").click()
    asked(page, "")
    assert loss() == begun and "lr 0.056" in page.locator(".pinned").inner_text()
    page.get_by_role("button", name="Undo").click()
    asked(page, "lr=0.056")
    page.get_by_role("button", name="Redo").click()
    asked(page, "")
    page.get_by_role("button", name="Swap").click()
    asked(page, "lr=0.056")
    page.wait_for_function("() => location.search.includes('pin=&') || location.search.endsWith('pin=')")
    assert_axe_finds_nothing(page)


@browser
def test_a_served_page_plays_what_python_computes(page, served):
    experiment = SurfaceDescent(optimizer=SGD(lr=0.1, momentum=0.5))
    opened(page, served, "?lr=0.1&momentum=0.5")
    page.get_by_role("button", name="Inspect").click()
    page.wait_for_function("() => optviz.experiment.walk && optviz.player.step === 0")
    for k in (0, 7, 50):
        page.evaluate(f"optviz.player.seek({k})")
        assert_tells(page, experiment, k)
    marks = source_data(page, "surface.playhead")
    assert [marks["x"][0], marks["y"][0]] == experiment.trajectory.x[50, 0].tolist()
    select(page, "Optimizer", "Adam")
    experiment.optimizer_name = "Adam"
    wait_until(lambda: page.evaluate("optviz.player.inspector.rows.length") > 3, what="the inspector to have Adam's")
    page.evaluate("optviz.player.seek(9)")
    assert_tells(page, experiment, 9)
    page.locator(".transport .first").click()
    page.locator(".transport .play").click()
    wait_until(lambda: page.evaluate("optviz.player.step") > 3, what="it plays")
    page.keyboard.press("Space")


@browser
def test_a_served_page_has_the_stage(page, served):
    opened(page, served, "?lr=0.1&stage=lr,steps,beta7")
    shown = """() => optviz.page.spec.controls.filter(({ model }) => optviz.page.model(model).visible)
      .map(({ name }) => name)"""
    assert page.evaluate(shown) == ["lr", "steps"]
    download = page.get_by_text("Download page").locator("visible=true")
    assert download.count() == 0
    assert "The stage has no control beta7" in page.locator(".refused").inner_text()
    page.get_by_role("slider", name="Learning rate").focus()
    page.keyboard.press("PageUp")
    page.wait_for_function("() => location.search.includes('stage=lr%2Csteps') && !location.search.includes('lr=0.1&')")
    page.locator("body").click(position={"x": 5, "y": 300})
    page.keyboard.press("Escape")
    assert len(page.evaluate(shown)) > 6
    download.wait_for()


@browser
def test_a_page_of_ones_own_has_them_above_the_picture(page, served):
    """As a notebook has them, whose kernel computes."""
    page.goto(f"{served}/own_page")
    page.get_by_role("button", name="Undo").wait_for()
    wait_idle(page)
    page.locator(".noUi-handle").first.focus()
    path = lambda: source_data(page, "surface.path")["x"]
    begun = path()
    page.keyboard.press("PageUp")
    wait_until(lambda: path() != begun, what="the rate to move")
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Undo").click()
    wait_until(lambda: path() == begun, what="the rate to come back")
    page.get_by_role("button", name="To the start").click()
    wait_until(lambda: source_data(page, "surface.playhead")["x"] == [-5], what="the mark to stand at the start")


def test_a_kernel_tells_a_notebook_what_it_asks(monkeypatch):
    experiment, document, comm = SurfaceDescent(steps=5), Document(), Comm()
    comm._comm, sent = True, []  # as if open
    monkeypatch.setattr("panel.io.notebook.send", lambda comm, message: sent.append(message))
    root = experiment.__panel__()._render_model(document, comm)
    channel = next(each for each in root.select({"type": TextInput}) if "optviz remote" in each.tags)
    for text in ("{", "[]", '{"go": 1}', '{"go": [1, 2, 3]}', '{"walk": "x"}'):  # any text may come
        channel.value = text
        assert channel.tags == ["optviz remote"]
    channel.value = '{"walk": 0}'
    _, told, walk = channel.tags
    assert told["query"] == "steps=5" and len(walk["marks"]) == 6 and sent
    channel.value = '{"walk": 0, "go": [1, "lr=0.2", false]}'
    assert experiment.optimizer.lr == 0.2 and experiment.steps == 50
    assert channel.tags[1]["went"] == 1 and channel.tags[1]["query"] == "lr=0.2"
