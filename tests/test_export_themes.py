"""Exported pages in the theme that a visitor's system has, or that the visitor has chosen last."""

import re
from io import BytesIO

import numpy as np
import pytest
from axe import assert_axe_finds_nothing
from bokeh.document import Document
from browser import drag_slider, slider_value, wait_idle, wait_until
from pages import assert_shows
from panel.io.model import add_to_doc
from panel.io.resources import DIST_DIR
from panel.io.state import set_curdoc
from panel.theme.fast import FastDarkTheme, FastDefaultTheme
from PIL import Image
from pyviz_comms import Comm
from test_export_pages import opened

from optviz import HyperparameterMap, LossComparison
from optviz.page.page import Page

pytestmark = pytest.mark.browser
THEMES = {"default": FastDefaultTheme, "dark": FastDarkTheme}

PLACES = ("above", "below", "left", "right", "center")  # of a figure, where its axes, grids and keys are
# of every figure of the page the properties by these names of its parts, in Bokeh's order
INKS = """
([places, wanted]) => optviz.page.spec.figures.map(({ name, model }) => {
  const figure = optviz.page.model(model);
  const parts = [figure, ...places.flatMap((where) => figure[where])];
  const held = (value) => value?.value ?? value;
  return parts.map((part, i) => Object.fromEntries(wanted[name][i].map((key) => [key, held(part[key])])));
})
"""
# of every shadow root of the page Panel's own colours by these names
COLOURS = """
(names) => {
  const found = new Set();
  const look = (view) => {
    const style = getComputedStyle(view.el);
    found.add(JSON.stringify(names.map((name) => style.getPropertyValue(name).trim())));
    (view.child_views ?? []).forEach(look);
  };
  [...Bokeh.index].forEach(look);
  return [...found].map(JSON.parse);
}
"""


def drawn(experiment, theme: str) -> dict[str, list[dict]]:
    """What a theme makes of the parts of every figure, as Bokeh itself has it in Python."""
    document = Document()
    document.theme = THEMES[theme]().bokeh_theme
    with set_curdoc(Document()):
        page = Page(experiment, experiment.members())
        add_to_doc(page.layout.get_root(document, Comm()), document, True)
    return {name: [{key: getattr(part, key) for key in part.themed_values() or ()} for part in parts(live.model)]
            for name, live in page.figures.items()}  # fmt: skip


def parts(figure) -> list:
    return [figure, *(part for place in PLACES for part in getattr(figure, place))]


def assert_in_theme(page, experiment, theme: str) -> None:
    """Every property that a theme may set, of every part of every figure, and every colour of Panel's."""
    wanted = drawn(experiment, theme)
    names = {name: [list(each) for each in figure] for name, figure in wanted.items()}
    assert page.evaluate(INKS, [PLACES, names]) == list(wanted.values())
    css = (DIST_DIR / f"bundled/theme/{theme}.css").read_text()
    colours = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", css))
    assert page.evaluate(COLOURS, list(colours)) == [list(colours.values())]


def is_dark(page) -> bool:
    ground = page.locator("body").evaluate("(e) => getComputedStyle(e).backgroundColor")
    return max(map(float, re.findall(r"[\d.]+", ground)[:3])) < 80


def picture(page) -> np.ndarray:
    """The pixels of the page below its header, with nothing under the pointer or the keys."""
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(700, 890)
    page.wait_for_timeout(500)  # for a toolbar to fade
    return np.asarray(Image.open(BytesIO(page.locator("main").screenshot())).convert("RGB"))


def assert_look_alike(one: np.ndarray, two: np.ndarray) -> None:
    """All pixels but those of a line or two: Bokeh may shift one by less than a pixel when it lays out again."""
    assert one.shape == two.shape
    assert (one != two).any(axis=2).mean() < 1e-3


def test_a_page_switched_to_dark_is_one_exported_dark(page, exported, tmp_path):
    experiment = LossComparison()
    opened(page, exported / "loss_comparison.html")
    assert_in_theme(page, experiment, "default")
    experiment.lr = drag_slider(page, "Learning rate", 0.8)
    page.wait_for_function("location.hash.includes('lr=')")
    page.evaluate("window.kept = true")
    page.get_by_role("button", name="Dark", exact=True).click()
    assert page.evaluate("window.kept") and slider_value(page, "Learning rate") == experiment.lr
    assert_in_theme(page, experiment, "dark")
    assert_shows(page, experiment)
    switched, state = picture(page), page.evaluate("location.hash")
    LossComparison().save(tmp_path / "dark.html", theme="dark")
    page.evaluate("localStorage.clear()")
    page.goto(f"{(tmp_path / 'dark.html').as_uri()}{state}")
    page.wait_for_function("window.optviz")
    wait_idle(page)
    assert is_dark(page)
    assert_look_alike(picture(page), switched)
    assert page.locator("header a").count() == 0  # saved alone it has no page to go back to


def test_a_page_has_the_systems_theme_until_one_is_chosen(page, exported):
    page.emulate_media(color_scheme="dark")
    opened(page, exported / "hyperparameter_map.html")  # a ground of which is grey in both
    assert is_dark(page)
    assert_in_theme(page, HyperparameterMap(), "dark")
    page.emulate_media(color_scheme="light")
    wait_until(lambda: not is_dark(page), what="a page follows its system")
    assert_in_theme(page, HyperparameterMap(), "default")
    page.get_by_role("button", name="Dark", exact=True).click()
    page.reload()
    assert is_dark(page)
    page.get_by_role("link", name="optviz").click()
    page.locator("a.card").first.wait_for()
    assert page.url.endswith("/index.html") and is_dark(page)
    page.get_by_role("button", name="Light", exact=True).click()
    assert not is_dark(page)
    page.emulate_media(color_scheme="dark")
    page.locator("a.card").first.click()
    page.wait_for_function("window.optviz")
    assert page.url.endswith("/surface_descent.html") and not is_dark(page)


def test_links_carry_a_theme_where_a_browser_keeps_nothing(new_page, exported):
    page = new_page
    refuse = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError') } })"
    page.add_init_script(refuse)
    page.goto((exported / "index.html").as_uri())
    assert not is_dark(page)
    assert_axe_finds_nothing(page)
    page.get_by_role("button", name="Dark", exact=True).click()
    page.locator("a.card").first.click()
    page.wait_for_function("window.optviz")
    assert is_dark(page)
    page.get_by_role("button", name="Light", exact=True).click()
    page.get_by_role("link", name="optviz").click()
    page.locator("a.card").first.wait_for()
    assert not is_dark(page)
