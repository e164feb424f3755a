"""The player of exported pages by a person's hands, and what it says of a step against what Python computes."""

import numpy as np
import pytest
from browser import source_data, wait_idle, wait_until
from hands import scrolled
from pages import field, select, type_into
from test_export_pages import opened, saved

from optviz import SGD, SurfaceDescent
from optviz.catalogue import experiments
from optviz.readings.letters import corrections
from optviz.runs.steps import letters_at, parts_of

pytestmark = pytest.mark.browser
PLAYED = [name for name, kind in experiments().items() if kind().played()]
# what the page holds of a step, and what it shows: numbers by the places of the formula, and of the table
TOLD = """
() => {
  const { player } = optviz, { inspector } = player, number = (node) => Number(node.dataset.value);
  return {
    letters: player.parts.letters_at(inspector.run, inspector.at), at: inspector.at,
    shown: inspector.sides.map(({ places }) => places.map(({ name, node }) => [name, number(node)])),
    rows: Object.fromEntries(inspector.rows.map(({ name, cells }) => [name, cells.map(number)])),
  };
}
"""
CORRECTED = (
    "(rows) => rows.map((row) => [row.querySelector('button').textContent, +row.querySelector('td').dataset.value])"
)
STEP = "() => [optviz.player.step, optviz.player.playing]"


def step(page) -> int:
    return page.evaluate(STEP)[0]


def told(page) -> dict:
    return page.evaluate(TOLD)


def same(got: dict, wanted: dict) -> bool:
    return got.keys() == wanted.keys() and all(np.isclose(got[n], wanted[n], rtol=1e-12, atol=0) for n in wanted)


def assert_tells(page, experiment, k: int, chosen: int = 0) -> None:
    """At step k the page has the numbers that Python has, in the formula and in the table."""
    played, found = experiment.played()[chosen], told(page)
    assert found["at"] == min(k + 1, played.steps)
    wanted = letters_at(played, found["at"])
    assert len(found["letters"]) == len(wanted) and all(map(same, found["letters"], wanted))
    for places, values in zip(found["shown"], wanted, strict=True):
        assert places and all(np.isclose(value, values[name], rtol=1e-12, atol=0) for name, value in places)
    parts = {
        name: part[found["at"] - 1].tolist() for name, part in parts_of(played, corrections(type(played.rule))).items()
    }
    assert found["rows"].keys() == parts.keys()
    for name, values in parts.items():
        np.testing.assert_allclose(found["rows"][name], values, rtol=1e-12, err_msg=name)


def test_hands_walk_through_a_run(page, exported):
    experiment = SurfaceDescent()
    x = experiment.trajectory.x[:, 0]
    opened(page, exported / "surface_descent.html")
    at = lambda: source_data(page, "surface.playhead")
    assert len(at()["x"]) == 0 and step(page) == 50  # nothing plays by itself
    page.get_by_role("button", name="To the start").click()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="One step on").click()
    assert step(page) == 2
    page.mouse.click(8, 300)
    for key, wanted in (("ArrowRight", 3), ("ArrowLeft", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        assert step(page) == wanted
    bar = page.get_by_role("slider", name="Step", exact=True).bounding_box()
    page.mouse.click(bar["x"] + 0.4 * bar["width"], bar["y"] + bar["height"] / 2)
    k = step(page)
    assert 15 < k < 25
    assert [at()["x"][0], at()["y"][0]] == x[k].tolist()
    np.testing.assert_array_equal(source_data(page, "values.playhead")["y"], x[k])
    assert source_data(page, "updates.moment")["x"] == [k, k]
    for key, wanted in (("End", 50), ("Home", 0)):  # the slider has the focus
        page.keyboard.press(key)
        assert step(page) == wanted
    page.mouse.click(bar["x"] + 0.4 * bar["width"], bar["y"] + bar["height"] / 2)
    wait_until(lambda: page.evaluate("location.hash") == f"#at={k}", what="the address says the step")
    page.reload()
    page.wait_for_function("window.optviz?.player")
    wait_idle(page)
    assert step(page) == k and at()["x"] == [x[k, 0]]
    page.get_by_role("button", name="To the start").click()
    page.mouse.click(8, 300)
    page.keyboard.press("Space")
    wait_until(lambda: step(page) > 2, what="the space bar plays")
    page.keyboard.press("Space")
    assert page.evaluate(STEP)[1] is False and scrolled(page) == 0
    type_into(page, "Start x", "-4")
    experiment.start = (-4.0, -2.0)
    before = step(page)
    field(page, "Start x").click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    assert step(page) == before  # a field's keys are its own
    assert [at()["x"][0], at()["y"][0]] == experiment.trajectory.x[before, 0].tolist()  # the mark is on the new run
    page.get_by_label("Speed").select_option("240 steps/s")
    page.get_by_role("button", name="Play").click()
    wait_until(lambda: page.evaluate(STEP) == [50, False], what="playback ends at the last step")


def test_a_step_is_dissected_into_python_s_numbers(page, exported):
    experiment = SurfaceDescent()
    opened(page, exported / "surface_descent.html")
    page.get_by_role("button", name="Inspect").click()
    assert step(page) == 0  # there is a step from there on
    for rule in ("Adam", "NAdam", "Newton", "Rprop", "SOAP", "SophiaH", "ASGD", "SGD"):
        select(page, "Optimizer", rule)
        experiment.optimizer_name = rule
        for k in (0, 1, 7):
            page.evaluate(f"optviz.player.seek({k})")
            assert_tells(page, experiment, k)
        if rule == "Adam":
            shown = dict(page.locator(".sheet tr.part").evaluate_all(CORRECTED))
            assert shown["1−β1t"] == pytest.approx(1 - 0.9**8) and shown["1−β2t"] == pytest.approx(1 - 0.999**8)
    page.get_by_role("button", name="Close", exact=True).click()
    assert len(source_data(page, "surface.arrows")["x0"]) == 0


def test_clipping_arrows_and_curves(page, tmp_path):
    experiment = saved(page, SurfaceDescent(optimizer=SGD(lr=0.05, weight_decay=0.1), clip=3.0), tmp_path)
    page.get_by_role("button", name="Inspect").click()
    page.evaluate("optviz.player.seek(4)")
    assert_tells(page, experiment, 4)
    run, words = experiment.trajectory, page.locator(".sheet tbody th").all_inner_texts()
    assert {"∇f", "clip factor", "weight decay", "step"} <= set(words)
    arrows, names = source_data(page, "surface.arrows"), source_data(page, "surface.arrow names")
    assert names["text"][1] == "step" and names["text"][0].startswith("g × ")
    scale = float(names["text"][0].removeprefix("g × "))
    tips = [(arrows["x1"][3 * i], arrows["y1"][3 * i]) for i in range(2)]
    np.testing.assert_allclose(tips, [run.x[4, 0] + scale * run.applied[4, 0], run.x[5, 0]], rtol=1e-12)
    page.get_by_label("Arrow of weight decay").check()
    assert len(source_data(page, "surface.arrows")["x0"]) == 9
    page.get_by_role("button", name="∇f").click()
    marks = page.locator(".sheet .curve:visible line")
    before = marks.get_attribute("x1")
    page.keyboard.press("ArrowRight")
    assert marks.count() == 1 and marks.get_attribute("x1") != before
    curve = page.locator(".sheet .curve:visible svg").bounding_box()
    page.mouse.click(curve["x"] + 0.5 * curve["width"], curve["y"] + 20)
    assert 20 < step(page) < 30


def test_a_run_is_played_up_to_where_it_diverges(page, tmp_path):
    experiment = saved(page, SurfaceDescent(optimizer=SGD(lr=3.0), steps=300, start=(-5.0, -2.0)), tmp_path)
    gone = int(experiment.trajectory.diverged[0])
    assert gone and page.evaluate("optviz.player.last") == gone
    assert page.locator("#player output").inner_text() == f"diverged at {gone}"
    page.get_by_role("button", name="Inspect").click()
    page.get_by_role("button", name="To the start").click()
    assert page.locator("#player output").inner_text() == f"0 / {gone}"


@pytest.mark.parametrize("name", [name for name in PLAYED if name != "surface_descent"])
def test_every_page_with_a_path_is_played(name, page, exported):
    experiment = experiments()[name]()
    opened(page, exported / f"{name}.html")
    page.get_by_role("button", name="Inspect").click()
    page.evaluate("optviz.player.seek(6)")
    wait_idle(page)
    chosen = len(experiment.played()) - 1
    if chosen:
        page.get_by_role("combobox", name="Run").select_option(str(chosen))
    assert_tells(page, experiment, 6, chosen)
    for parameter, value in experiment.stand(6).items():
        assert page.evaluate(f"optviz.experiment.{parameter}") == value
        setattr(experiment, parameter, value)
    for figure, layers in experiment.playhead(6).items():
        for layer, columns in layers.items():
            found = source_data(page, f"{figure}.{layer}")
            for column in columns:
                if column != "color":
                    np.testing.assert_allclose(np.asarray(found[column], dtype=float), columns[column], rtol=1e-9)


def test_a_finger_reaches_the_player(phone, exported):
    opened(phone, exported / "surface_descent.html")
    boxes = [each.bounding_box() for each in phone.locator("#player button:visible, #player input[type=range]").all()]
    assert len(boxes) >= 5 and all(box["height"] >= 44 for box in boxes)
    assert all(box["width"] >= 44 for box in boxes) and max(box["y"] + box["height"] for box in boxes) <= 844
    phone.get_by_role("button", name="Inspect").tap()
    phone.get_by_role("button", name="One step on").tap()
    assert step(phone) == 1
    assert phone.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
