"""Figures that hang on a control: live pages, views and saved pages of them."""

import holoviews as hv
import numpy as np
import param
from bokeh.document import Document
from browser import wait_idle
from pages import assert_shows

from optviz import Experiment
from optviz.pictures.layers import BLUE, RED, Drawing, Figure, curve


class Wavering(Experiment):
    title, sentence = "Wavering", "A wave, and its slope where it is asked for."
    size = param.Number(1.0, bounds=(0, 2), doc="How high the wave is.")
    detailed = param.Boolean(False, doc="Whether the slope is shown.")
    bold = param.Boolean(False, doc="Whether the wave has a shadow.")

    def compute(self):
        x = np.linspace(0.0, 6.0, 25)
        return {"x": x, "wave": self.size * np.sin(x), "slope": self.size * np.cos(x)}

    def figures(self):
        shadow = {"shadow": curve(RED)} if self.bold else {}
        return [Figure("wave", {**shadow, "line": curve(BLUE)}), *self.more()]

    def more(self):
        return [Figure("slope", {"line": curve(RED)})] if self.detailed else []

    def draw(self):
        def drawing(name):
            line = {"x": self.results["x"], "y": self.results[name]}
            layers = {"line": line, "shadow": line} if self.bold and name == "wave" else {"line": line}
            return Drawing(layers, (0.0, 6.0), (-2.0, 2.0), name)

        return {name: drawing(name) for name in (["wave", "slope"] if self.detailed else ["wave"])}


def shown(page) -> dict[str, list[str]]:
    return {name: list(live.sources) for name, live in page.figures.items()}


def test_a_control_on_which_figures_hang_is_read_off_the_class():
    assert Wavering.figures_follow == ("bold", "detailed")


def test_a_live_page_gains_and_loses_figures_and_layers():
    experiment = Wavering()
    page = experiment.page()
    controls, first = page.controls, page.figures["wave"]
    experiment.detailed = True
    assert shown(page) == {"wave": ["line"], "slope": ["line"]} and page.figures["wave"] is first
    assert page.figures["slope"].pane in [*page.layout.select(lambda each: True)]
    experiment.size = 0.5
    np.testing.assert_array_equal(page.figures["slope"].sources["line"].data["y"], experiment.results["slope"])
    experiment.bold = True
    assert shown(page) == {"wave": ["shadow", "line"], "slope": ["line"]}
    experiment.detailed = experiment.bold = False
    assert shown(page) == {"wave": ["line"]} and page.controls is controls
    np.testing.assert_array_equal(page.figures["wave"].sources["line"].data["y"], experiment.results["wave"])


def test_a_rendered_page_holds_each_part_once_after_a_change():
    document = Document()
    experiment = Wavering()
    page = experiment.page()
    root = page.layout.get_root(document)
    document.add_root(root)
    for experiment.detailed in (True, False, True):
        models = [model.id for model in root.references()]
        assert all(live.model.id in models for live in page.figures.values())
    knobs = [model for model in root.references() if getattr(model, "title", None) == "Size"]
    assert len(knobs) == 1
    experiment.size = 0.25
    assert knobs[0].value == 0.25


def test_a_dynamic_map_follows_the_figure_of_its_name():
    experiment = Wavering(detailed=True)
    views = experiment.views
    plot = hv.renderer("bokeh").get_plot(views["wave"]).state
    assert [glyph.visible for glyph in plot.renderers] == [True]
    experiment.bold = True
    assert [glyph.visible for glyph in plot.renderers] == [True, True]
    experiment.bold = False
    assert [glyph.visible for glyph in plot.renderers] == [True, False]
    experiment.detailed = False
    assert len(views["slope"][()]) == 0


def test_a_saved_page_keeps_the_figures_that_it_has_and_says_so(page, tmp_path):
    experiment = Wavering(detailed=True)
    experiment.save(tmp_path / "wavering.html")
    page.goto(f"{(tmp_path / 'wavering.html').as_uri()}#detailed=false&size=0.5")
    page.wait_for_selector(".bk-Figure")
    wait_idle(page)
    frozen = page.locator("#frozen").inner_text()
    assert frozen == "This page has the figures that it was saved with. Frozen here: Detailed, Bold."
    assert "detailed" in page.locator("#refused").inner_text()
    experiment.size = 0.5
    assert_shows(page, experiment)
