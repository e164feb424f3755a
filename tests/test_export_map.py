"""The exported map computes Python's numbers in the browser."""

from __future__ import annotations

import math

import numpy as np
import pytest
from browser import drag_slider, wait_idle, wait_until
from pages import assert_shows, field, select, spot
from test_export_theory import on_the_page, plain

from optviz import Adam, HyperparameterMap, surfaces
from optviz.export.bundle import Bundle
from optviz.export.refusals import Untranslatable
from optviz.maps.axes import Axis, labels
from optviz.maps.ends import axes_for
from optviz.pictures.layers import Drawing

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
    look = axis.look([low, high])
    return [
        axis.label,
        look["texts"],
        look["places"],
        *ends,
        axis.shown(low),
        axis.shown(high),
        axis.converted([low, high]),
        places,
        axis.cells(5),
        axis.value_at(axis.cells(5)),
    ]


def test_an_axis_of_a_page_is_pythons():
    given = [("lr", True, -4.0, 1.0, -1.5, 0.25, -0.3), ("weight_decay", False, 1e-4, 10.0, 0.5, 7.5, 9.0),
             ("start y", False, -5.0, 5.0, -1.0, 1.0, 0.2), ("eps", True, -12.0, 0.0, -9.1, -9.0, -9.05),
             ("clip", True, -3.0, 2.0, -0.3, 0.8, 0.2), ("lr", True, -4.0, 1.0, -1.2, -1.2 + 1e-12, -1.2)]  # fmt: skip
    for each, found in zip(given, on_the_page([(parts_of, list(each), {}) for each in given]), strict=True):
        label, texts, *wanted = plain(parts_of(*each))
        assert found[:2] == [label, texts]
        for theirs, ours in zip(found[2:], wanted, strict=True):
            assert theirs == pytest.approx(ours, rel=1e-14)


TIP = """() => {
  const found = [], walk = (root) => root.querySelectorAll("*").forEach((e) => {
    if (e.shadowRoot) walk(e.shadowRoot);
    if (e.classList.contains("bk-tooltip-content")) found.push(e.innerText);
  });
  walk(document);
  return found.join();
}"""
AXES = "() => ['x', 'y'].map((name) => optviz.page.figures.map.axes[name].axis_label)"


def typed(page, label, text):
    box = field(page, label)
    box.fill(text)
    box.press("Enter")
    wait_idle(page)


def test_a_page_says_values_and_offers_what_the_rule_has(page, exported):
    page.goto((exported / "hyperparameter_map.html").as_uri())
    page.wait_for_function("window.optviz?.experiment?.results?.map")
    for place, said in (((-0.625, 0.597), "learning rate 0.237, momentum 0.597: loss "),
                        ((0.3, 0.2), "learning rate 2, momentum 0.2: grows by 1.")):  # fmt: skip
        page.mouse.move(*spot(page, "map", *place))
        wait_until(lambda said=said: page.evaluate(TIP).startswith(said), what=said)
    assert page.evaluate(AXES) == ["learning rate", "momentum"]
    select(page, "Optimizer", "Adam")
    menu = page.locator(".bk-input-group:visible", has=page.get_by_text("Up", exact=True)).locator("select")
    assert menu.locator("option").all_inner_texts() == [
        labels()[name] for name in axes_for(Adam(), surfaces.Quadratic())
    ]
    assert page.evaluate(AXES) == ["learning rate", "β₁"] and menu.input_value() == "β₁"
    assert "Adam on Quadratic 0.1 x² + 2 y² has no momentum: up is β₁ instead." in page.locator(".status").inner_text()
    typed(page, "Across from", "0.003")
    window = page.evaluate("() => [...optviz.experiment.window]")
    assert window == pytest.approx([math.log10(0.003), 1, 0, 0.995], rel=1e-15)
    value = drag_slider(page, "Tolerance", 0.5)
    assert page.evaluate("() => optviz.experiment.tolerance") == value and 1e-4 < value < 1e-2
    fragment = page.evaluate("() => optviz.address.query()")
    page.goto("about:blank")
    page.goto(f"{(exported / 'hyperparameter_map.html').as_uri()}#{fragment.replace('up=beta1', 'up=momentum')}")
    page.wait_for_function("window.optviz?.address")
    assert page.locator("#refused").inner_text().endswith("clip, not 'momentum'; leave it out.")
    assert page.evaluate("() => [...optviz.experiment.window]") == window


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
        "HyperparameterMap needs Up from below Up to, both from 0.0001 to 10, not ")  # fmt: skip
