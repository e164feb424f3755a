"""The exported map computes Python's numbers in the browser."""

from __future__ import annotations

import numpy as np
import pytest
from pages import assert_shows
from test_export_theory import NODE, on_the_page, plain

from optviz import HyperparameterMap
from optviz.export.bundle import Bundle
from optviz.export.printer import Untranslatable
from optviz.map_axes import Axis
from optviz.plots import Drawing

# as a machine without other work shows it while something moves
COARSE = """() => { const e = optviz.experiment; e.memo.delete("map"); e.coarsest = 1; e.refresh(); }"""
READ = """() => Object.fromEntries(["loss", "first", "diverged", "arrived"].map((name) =>
  [name, Array.from(optviz.experiment.results.map[name].data, String)]))"""
pytestmark = [pytest.mark.browser]


def test_the_page_maps_as_python_does(page, exported):
    page.goto((exported / "hyperparameter_map.html").as_uri())
    page.wait_for_function("window.optviz?.experiment?.results?.map")
    for scene in ("Learning rate and momentum", "Fractal boundary of a tanh net"):
        page.evaluate("scene => optviz.experiment.change({scene})", scene)
        page.evaluate(COARSE)
        found = page.evaluate(READ)
        ours = HyperparameterMap(scene=scene).results["map"]
        chaotic = scene.startswith("Fractal")  # there a last digit of tanh may decide where a run goes
        for name, values in found.items():
            theirs = np.array(values, dtype=float)
            near = np.isclose(theirs, ours[name].ravel(), rtol=1e-9, atol=1e-300, equal_nan=True)
            assert near.mean() > (0.8 if chaotic else 0.9999), (scene, name)


def test_ranks_are_pythons(page, exported):
    page.goto((exported / "hyperparameter_map.html").as_uri())
    page.wait_for_function("window.optviz?.experiment?.results?.map")
    page.evaluate("() => optviz.experiment.change({colour: 'rank', steps: 13})")
    page.wait_for_function("!optviz.experiment.rough()")
    assert_shows(page, HyperparameterMap(steps=13, colour="rank"), "map")


def test_the_page_comes_to_pythons_finest_map_by_itself(page, exported):
    page.goto((exported / "hyperparameter_map.html").as_uri())
    page.wait_for_function("window.optviz?.experiment?.results?.map")
    page.evaluate("() => { const e = optviz.experiment; e.change({steps: 12}); e.advance(); e.change({steps: 13}); }")
    assert page.evaluate("optviz.experiment.rough()")  # what was begun is left
    page.wait_for_function("!optviz.experiment.rough()")
    shown = HyperparameterMap(steps=13)
    assert_shows(page, shown, "map")
    assert "600 × 600 runs of 13 steps" in page.locator(".status").inner_text() and not shown.rough()


def parts_of(name, log, least, most, low, high, place):
    axis = Axis(name, log, least, most, low=low, high=high)
    ends = [axis.zoomed(0.25, place), axis.zoomed(4.0, place), axis.panned(place, high + 1)]
    places = [axis.centre(place, 7), axis.value_at(place), axis.place_of(axis.value_at(place)), axis.narrowest]
    return [axis.label, *ends, axis.converted([low, high]), places, axis.cells(5), axis.value_at(axis.cells(5))]


@pytest.mark.skipif(NODE is None, reason="no node on this machine")
def test_an_axis_of_a_page_is_pythons():
    given = [("lr", True, -4.0, 1.0, -1.5, 0.25, -0.3), ("weight_decay", False, 1e-4, 10.0, 0.5, 7.5, 9.0),
             ("start y", False, -5.0, 5.0, -1.0, 1.0, 0.2)]  # fmt: skip
    for each, found in zip(given, on_the_page([(parts_of, list(each), {}) for each in given]), strict=True):
        label, *wanted = plain(parts_of(*each))
        assert found[0] == label
        for theirs, ours in zip(found[1:], wanted, strict=True):
            assert theirs == pytest.approx(ours, rel=1e-14)


def test_a_dataclass_with_defaults_is_refused():
    with pytest.raises(Untranslatable, match="Drawing has defaults"):
        Bundle().text(Drawing)


def test_a_fragment_restores_what_is_on_view(page, exported):
    path = exported / "hyperparameter_map.html"
    page.goto(path.as_uri())
    page.wait_for_function("window.optviz?.address")
    page.evaluate("() => optviz.experiment.change({optimizer_name: 'Adam'})")
    page.evaluate("() => optviz.experiment.change({across: 'beta2', up: 'lr'})")
    page.evaluate("() => optviz.experiment.act('_range', 0.3, 0.9, -3.25, 0.1)")
    read = """() => { const e = optviz.experiment;
      return [e.message, e.scene, e.across, e.up, [...e.window], e.across_from, e.across_to, e.up_from, e.up_to,
        Array.from(e.results.map.loss.data, String)]; }"""
    page.evaluate(COARSE)
    before = page.evaluate(read)
    assert before[:5] == ["", "your own", "beta2", "lr", [0.3, 0.9, -3.25, 0.1]] and before[5:9] == before[4]
    fragment = page.evaluate("() => optviz.address.query()")
    page.goto("about:blank")
    page.goto(f"{path.as_uri()}#{fragment}")
    page.wait_for_function("window.optviz?.address")
    page.evaluate(COARSE)
    assert page.evaluate(read) == before and page.evaluate("() => optviz.address.query()") == fragment
    page.evaluate("() => optviz.experiment.change({up_to: -4})")
    assert page.evaluate("() => optviz.experiment.message").startswith(
        "HyperparameterMap needs Up from below Up to, both from -4 to 1, not ")  # fmt: skip
