"""The served apps in a real browser: opened, moved with the mouse and the keys, and checked against Python.

What a page computes in the browser is the exported page's program (`test_served`), all of whose controls
`test_export_pages` moves; here every control of a page that Python computes is moved.
"""

import re
from functools import cache

import numpy as np
import pytest
import requests
from axe import assert_axe_finds_nothing
from browser import (
    assert_fits_a_phone,
    brightness,
    drag_slider,
    has_horizontal_scroll,
    open_folds,
    slider,
    slider_labels,
    slider_value,
    source_data,
    wait_for_source,
    wait_idle,
    wait_until,
)
from conftest import DESKTOP, ROOT
from first_screen import LAPTOP, assert_a_small_window_shows_it_at_once
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
    drag_every_slider,
    owner_of,
    select,
    spot,
    type_into,
)
from test_export_pages import status
from test_sharing import from_address

from optviz import SGD, SingleParameter, StochasticLandscape, SurfaceDescent
from optviz.app import experiments
from optviz.opening import Opening
from optviz.page.factors import factor_at, place_of, slider_for
from optviz.page.layout import share

pytestmark = pytest.mark.browser

APPS = sorted(path.stem for path in (ROOT / "apps").glob("*.py"))
LESSONS = [name for name in APPS if name != "index"]

# the levels at which glyphs of each kind are painted
_EVERY_PLOT = """
  const plots = [];
  const look = (view) => { if (view.frame) plots.push(view); (view.child_views ?? []).forEach(look) };
  [...Bokeh.index].forEach(look);
"""
_LEVELS = f"""
() => {{ {_EVERY_PLOT}
  const found = {{}};
  for (const plot of plots)
    for (const {{glyph, model}} of plot.renderer_views.values())
      if (glyph) (found[glyph.model.type] ??= new Set()).add(model.level);
  return Object.fromEntries(Object.entries(found).map(([kind, levels]) => [kind, [...levels]]));
}}
"""
_COUNT_PRIMARY = f"""
() => {{ {_EVERY_PLOT}
  window.__painted = {{primary: 0, overlay: 0}};
  for (const plot of plots)
    for (const [name, method] of [["primary", "_paint_primary"], ["overlay", "_paint_overlays"]]) {{
      const original = plot[method];
      plot[method] = function (...args) {{ window.__painted[name] += 1; return original.apply(this, args) }};
    }}
}}
"""
# how many pixels outside a plot's frame its overlay has painted
_OUTSIDE = f"""
() => {{ {_EVERY_PLOT}
  let count = 0;
  for (const plot of plots) {{
    const {{el, pixel_ratio}} = plot.canvas_view.overlays;
    const {{data, width}} = el.getContext('2d').getImageData(0, 0, el.width, el.height);
    const {{left, right, top, bottom}} = plot.frame.bbox;
    const ratio = pixel_ratio ?? el.width / plot.canvas_view.bbox.width;
    for (let i = 3; i < data.length; i += 4) {{
      const [x, y] = [(i >> 2) % width / ratio, Math.floor((i >> 2) / width) / ratio];
      if (data[i] && (x < left - 2 || x > right + 2 || y < top - 2 || y > bottom + 2)) count += 1;
    }}
  }}
  return count;
}}
"""
# how many canvases show more than one colour
_PAINTED = """
() => {
  const canvases = [];
  const look = (node) => {
    for (const element of node.querySelectorAll('*')) {
      if (element.tagName === 'CANVAS' && element.width > 0) canvases.push(element);
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document);
  return canvases.filter((canvas) => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Uint32Array(data.buffer);
    return colours.some((c) => c !== colours[0]);
  }).length;
}
"""


@cache
def first_source(app: str) -> str:
    """The name of a source that an app draws from."""
    figure, drawing = next(iter(experiments()[app.replace("live_surface", "surface_descent")]().drawings.items()))
    return f"{figure}.{next(iter(drawing.layers))}"


def opened(page, served: str, app: str, query: str = "") -> None:
    page.goto(f"{served}/{app}{query}")
    if app == "index":
        page.locator("a.card").first.wait_for()
        return
    wait_for_source(page, first_source(app))
    wait_idle(page)


@pytest.mark.parametrize("app", LESSONS)
def test_an_app_is_drawn_and_obeys_the_keys(app, page, served):
    experiment = experiments()[app]()
    page.set_viewport_size(LAPTOP)
    opened(page, served, app)
    assert_a_small_window_shows_it_at_once(page, app)
    page.set_viewport_size(DESKTOP)
    wait_idle(page)
    assert brightness(page) > 200
    assert page.evaluate(_PAINTED) >= len(experiment.drawings)
    assert page.title() and page.locator("text=Traceback").count() == 0
    assert_shows(page, experiment)
    assert_wheel_and_keys_scroll(page)
    assert_sliders_have_names_and_obey_the_keys(page, experiment)
    labels = slider_labels(page)
    assert len(labels) >= 2
    if app == "edge_of_stability":
        drag_every_slider(page, experiment, labels)
    assert_axe_finds_nothing(page)


@pytest.mark.parametrize("app", APPS)
def test_an_app_on_a_phone_follows_a_finger(app, phone, served):
    opened(phone, served, app)
    assert not has_horizontal_scroll(phone)
    assert_fingers_scroll(phone)
    if app != "index":
        assert_fits_a_phone(phone)
        assert phone.evaluate(_PAINTED) >= 1
        assert_fingers_scroll_from_plots_and_sliders(phone)


def test_the_wheel_zooms_a_plot_once_it_is_asked_to(page, served):
    opened(page, served, "hyperparameter_map")
    assert_wheel_is_the_plot_s_once_clicked(page)


def assert_sliders_have_names_and_obey_the_keys(page, experiment) -> None:
    for label in slider_labels(page):
        handle = slider(page, label).locator(".noUi-handle")
        wait_until(lambda handle=handle: handle.get_attribute("aria-label"), what=f"the name of {label!r}")
        assert handle.get_attribute("aria-label") == label
    label = next((label for label in slider_labels(page) if label == "Learning rate"), slider_labels(page)[0])
    owner, name = owner_of(experiment, label)
    slider(page, label).locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    wait_idle(page)
    value = slider_value(page, label)
    before, parameter = getattr(owner, name), owner.param[name]
    after = factor_at(place_of(before) + 0.01) if slider_for(parameter) else before + parameter.step
    assert value == pytest.approx(after)
    setattr(owner, name, type(before)(value))
    assert_shows(page, experiment)


def test_every_lesson_has_an_app():
    assert sorted(experiments()) == LESSONS


def test_the_selectors_of_a_live_page_bring_their_rule_surface_and_controls(page, served):
    experiment = SurfaceDescent()
    opened(page, served, "live_surface")
    open_folds(page)
    assert page.get_by_label("Nesterov", exact=True).is_disabled()  # there is no momentum
    for label, option in (("Optimizer", "Adam"), ("Surface", "Rotated quadratic")):
        select(page, label, option)
        setattr(experiment, owner_of(experiment, label)[1], option)
        assert_shows(page, experiment)
    labels = slider_labels(page)
    assert {"β₁", "condition number"} <= set(labels)
    chosen = [label for label in ("β₁", "condition number", "Angle") if label in labels]
    assert len(chosen) == 3, labels
    drag_every_slider(page, experiment, labels)
    assert_axe_finds_nothing(page)
    assert_tab_goes_round(page)


def test_the_start_of_a_live_page_is_typed_clicked_and_dragged(page, served):
    experiment = SurfaceDescent()
    opened(page, served, "live_surface")
    type_into(page, "Start x", "-3.5")
    experiment.start_x = -3.5
    assert_shows(page, experiment)

    page.mouse.click(*spot(page, "surface", 1.5, 1.0))
    wait_idle(page)
    experiment.start = began(page)
    np.testing.assert_allclose(experiment.start, (1.5, 1.0), atol=0.05)
    assert_shows(page, experiment)

    seen, corner = [], spot(page, "surface", 0.0, 0.0)
    page.mouse.move(*spot(page, "surface", *experiment.start), steps=3)
    wait_idle(page)  # a press at once after a click may be taken for its second half
    page.mouse.down()
    for x, y in ((0.5, 1.5), (-1.0, 2.0), (-2.5, 2.5)):
        page.mouse.move(*spot(page, "surface", x, y), steps=4)
        wait_until(
            lambda x=x, y=y: np.allclose(began(page), (x, y), atol=0.05),
            timeout=30,
            what=f"the path to start at {x, y}",
        )
        path = source_data(page, "surface.path")
        seen.append((path["x"][0], path["y"][0]))
    assert len(set(seen)) == 3  # live, while the button is down
    page.mouse.up()
    wait_idle(page)
    experiment.start = began(page)
    assert seen[-1] == experiment.start
    assert_shows(page, experiment)
    assert page.evaluate(VALUE, "Start x") == experiment.start[0]
    assert spot(page, "surface", 0.0, 0.0) == corner  # the ring moved, not the surface
    assert all(len(f"{abs(place):g}") <= 5 for place in experiment.start)  # no digits that no hand can choose
    page.keyboard.press("ArrowRight")  # the drag has left the focus with the picture
    low, high = experiment.objective.domain[0]
    wait_until(lambda: began(page)[0] > experiment.start[0], what="a key moves the start")
    assert began(page)[0] == pytest.approx(experiment.start[0] + (high - low) / 50, rel=0.05)


def test_the_start_is_dragged_no_farther_than_the_picture_and_the_wheel_zooms_it(page, served):
    opened(page, served, "surface_descent")
    right, top = (ends[1] for ends in SurfaceDescent().objective.domain)
    page.mouse.move(*spot(page, "surface", -5, -2))
    page.mouse.down()
    for x in (1300, 1350, 1399):  # beside the picture
        page.mouse.move(x, 100, steps=5)
    page.mouse.up()
    wait_idle(page)
    assert began(page) == (right, top)
    assert_shows(page, SurfaceDescent(start=(right, top)), "surface")
    assert_wheel_is_the_plot_s_once_clicked(page)


def began(page) -> tuple[float, float]:
    path = source_data(page, "surface.path")
    return path["x"][0], path["y"][0]


def test_a_map_clicked_starts_there(page, served):
    experiment = StochasticLandscape()
    opened(page, served, "stochastic_landscape")
    page.mouse.click(*spot(page, "risk", 1.0, -2.0))
    wait_idle(page)
    here = source_data(page, "risk.here")
    experiment.start = (here["y"][0], here["x"][0])
    np.testing.assert_allclose(experiment.start, (-2.0, 1.0), atol=0.05)
    assert_shows(page, experiment)


def test_an_epoch_clicked_is_viewed_and_new_gradients_are_drawn(page, served):
    experiment = SingleParameter()
    opened(page, served, "single_parameter")
    page.mouse.click(*spot(page, "epochs", 23.2, 0.5))
    wait_idle(page)
    experiment.epoch = 23
    assert_shows(page, experiment)
    assert slider_value(page, "Epoch") == 23
    page.get_by_role("button", name="New gradients").click()
    wait_idle(page)
    experiment.param.trigger("new_gradients")
    assert_shows(page, experiment)


def test_a_refused_combination_says_why_and_moves_nothing_on_a_live_page(page, served):
    experiment, _ = from_address(SurfaceDescent, "momentum=0.5&nesterov=true")
    opened(page, served, "live_surface", "?momentum=0.5&nesterov=true")
    corner = spot(page, "surface", 0.0, 0.0)
    slider(page, "Momentum").locator(".noUi-handle").focus()
    page.keyboard.press("Home")  # to 0 at once
    wait_idle(page)
    sentence = page.locator("p", has_text="Nesterov momentum requires a momentum above 0")
    assert sentence.count() == 1 and sentence.is_visible()
    assert re.fullmatch(r"SGD: [^\n]+ off\.", sentence.inner_text().strip())
    assert spot(page, "surface", 0.0, 0.0) == corner
    assert_shows(page, experiment)  # as it was
    value = drag_slider(page, "Momentum", 0.8)
    wait_idle(page)
    assert not sentence.is_visible()
    assert value > 0.5
    experiment.optimizer.momentum = value
    assert_shows(page, experiment)


def test_a_move_makes_no_layout_paints_neither_axes_nor_landscape_and_stays_in_the_frame(page, served):
    opened(page, served, "surface_descent")
    assert_unstable_part_moves_without_a_layout(page)
    wait_until(lambda: page.evaluate(_LEVELS)["Line"] == ["overlay"], what="the lines to be lifted")
    assert "overlay" not in page.evaluate(_LEVELS)["Image"]
    page.evaluate(_COUNT_PRIMARY)
    corner = spot(page, "surface", 0.0, 0.0)
    drag_slider(page, "Learning rate", 0.9, steps=5)  # the run leaves the frame
    wait_idle(page)
    assert spot(page, "surface", 0.0, 0.0) == corner  # however much the line above it says
    painted = page.evaluate("window.__painted")
    assert painted["overlay"] > 0 and painted["primary"] == 0
    assert page.evaluate(_OUTSIDE) == 0


def assert_unstable_part_moves_without_a_layout(page) -> None:
    """A slider's shade follows the momentum."""
    connects = slider(page, "Learning rate").locator(".noUi-connects")
    page.evaluate(COUNT_LAYOUTS)
    for fraction in (0.5, 0.2):
        momentum = drag_slider(page, "Momentum", fraction, steps=3)
        wait_idle(page)
        start = share(place_of(2 * (1 + momentum) / 4), -6.1, 1)
        assert f" {start.replace('.0%', '%')}" in connects.evaluate("e => getComputedStyle(e).backgroundImage")
    assert page.evaluate("window.layouts") == 0


def test_two_sessions_do_not_influence_each_other(page, new_page, served):
    one, two = page, new_page
    for each in (one, two):
        opened(each, served, "surface_descent")
    first, second = SurfaceDescent(), SurfaceDescent()
    drag_every_slider(one, first, ["Learning rate"])
    assert_shows(two, second)
    select(two, "Optimizer", "RMSprop")
    second.optimizer_name = "RMSprop"
    assert_shows(two, second)
    assert_shows(one, first)
    assert isinstance(first.optimizer, SGD)


def test_the_index_leads_to_every_lesson(page, served):
    opened(page, served, "index")
    assert_wheel_and_keys_scroll(page)
    assert brightness(page) > 200
    cards = page.locator("a.card")
    assert sorted(card.get_attribute("href") for card in cards.all()) == LESSONS
    for card in cards.all():
        picture = card.locator("img")
        assert picture.evaluate("(e) => e.complete && e.naturalWidth") > 200
        kind = experiments()[card.get_attribute("href")]
        assert kind.title in card.inner_text() and kind.sentence in card.inner_text()
    assert_axe_finds_nothing(page)
    cards.filter(has_text=SingleParameter.title).click()
    wait_for_source(page, "steps.updates")
    assert page.url.endswith("/single_parameter")
    wait_idle(page)


def test_the_index_moves_until_a_hand_takes_over(page, served):
    opened(page, served, "index")
    rates = lambda: page.evaluate("optviz.experiment.optimizer.read('lr')")
    page.wait_for_function("window.optviz")
    first = rates()
    page.mouse.click(700, 70)  # beside the picture
    page.wait_for_function("before => optviz.experiment.optimizer.read('lr') !== before", arg=first)
    page.wait_for_timeout(600)
    assert page.locator(".spoken").inner_text() == ""  # what moves by itself says nothing
    value = drag_slider(page, "Momentum", 0.5)
    experiment = Opening()
    experiment.optimizer.param.update(lr=rates(), momentum=value)
    assert_shows(page, experiment)
    page.wait_for_timeout(900)
    assert rates() == experiment.optimizer.lr and page.url == f"{served}/index"
    assert status(page) in page.locator(".spoken").inner_text()
    page.emulate_media(reduced_motion="reduce")
    opened(page, served, "index")
    page.wait_for_function("window.optviz")
    page.wait_for_timeout(400)
    assert rates() == Opening().optimizer.lr
    page.emulate_media(reduced_motion="no-preference")


@pytest.mark.parametrize("app", ["index", "surface_descent", "edge_of_stability"])
def test_dark_opens_dark(app, page, served):
    opened(page, served, app, "?theme=dark")
    assert brightness(page) < 80
    page.get_by_role("button", name="Light", exact=True).click()
    wait_until(lambda: brightness(page) > 200, what="a light page")
    opened(page, served, app)  # a choice is remembered
    assert brightness(page) > 200


def test_an_app_of_somebody_else_is_served_beside_ours(served):
    for address in ("mine", "edge_of_stability", "edge_of_stability?theme=dark", "surface_descent", "mine"):
        answer = requests.get(f"{served}/{address}", timeout=20)
        assert answer.status_code == 200
        assert ("background-color: #121212" in answer.text) == address.endswith("dark")


@pytest.mark.parametrize("app", ["index", "race", "race?theme=dark"])
def test_a_link_to_a_page_is_shown_with_its_picture(app, served):
    for scheme in ("http", "https"):
        text = requests.get(f"{served}/{app}", headers={"X-Forwarded-Proto": scheme}, timeout=20).text
        (address,) = re.findall(r'<meta property="og:image" content="([^"]+)">', text)
        assert address.startswith(served.replace("http", scheme, 1) + "/")
    name = "surface_descent" if app == "index" else "race"
    picture = requests.get(address.replace("https", "http", 1), timeout=20)
    assert picture.content == (ROOT / "optviz" / "assets" / f"{name}.webp").read_bytes()
    assert picture.headers["Content-Type"] == "image/webp"
