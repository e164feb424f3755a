"""A formula typed into a page, served and saved, with real keys: what is drawn, refused, slid, linked and undone."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
import pytest
from axe import assert_axe_finds_nothing
from browser import drag_slider, has_horizontal_scroll, slider, slider_value, source_data, wait_idle, wait_until
from pages import assert_shows, select
from test_apps import opened as opened_served
from test_export_address import go, refusals
from test_export_pages import opened

from optviz import HyperparameterMap, NoisyDescent, Race, SurfaceDescent
from optviz.objectives.formula import EXAMPLE, OWN
from optviz.state.sharing import apply, query

pytestmark = pytest.mark.browser

TYPED = "(x^2 + y − 11)² + (x + y²- 7)^2 + a x"


def box(page):
    return page.get_by_label("Formula", exact=True)


def write(page, text: str, end: str = "") -> None:
    """Type into the box in place of what it holds, as a person does."""
    box(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text, delay=5)
    if end:
        page.keyboard.press(end)
    page.wait_for_timeout(350)
    wait_idle(page)


def contour(page) -> list:
    return source_data(page, "surface.levels")["xs"]


def said(page) -> dict[str, str]:
    parts = urlsplit(page.evaluate("location.href"))
    return dict(parse_qsl(parts.query or parts.fragment))


def without_rate(values: dict[str, str]) -> dict[str, str]:
    """A saved page also says the rate that it was not saved with."""
    return {name: value for name, value in values.items() if name != "lr"}


def note(page) -> str:
    return "".join(page.locator(".formula-note .why").all_inner_texts())


def wanted(**letters: float) -> SurfaceDescent:
    """The same in Python."""
    experiment = SurfaceDescent()
    experiment.formula = TYPED
    experiment.objective.param.update(**letters)
    return experiment


def try_it_all(page) -> None:
    """Type a formula, make a mistake in it, move its letter, come back to it by its link and by undoing."""
    select(page, "Surface", OWN)
    assert box(page).input_value() == EXAMPLE
    write(page, TYPED)
    assert_shows(page, wanted())
    drawn = contour(page)
    page.keyboard.type(" + sinx", delay=5)
    wait_until(lambda: note(page) == "sin needs brackets: write sin(x).", what="what is wrong is said")
    assert page.locator(".formula-note mark").inner_text() == "sinx"
    assert box(page).get_attribute("aria-invalid") == "true" and box(page).input_value() == f"{TYPED} + sinx"
    assert contour(page) == drawn and said(page)["formula"] == TYPED
    for _ in range(len(" + sinx")):
        page.keyboard.press("Backspace")
    wait_until(lambda: note(page) == "", what="nothing is wrong any more")
    wait_idle(page)
    drag_slider(page, "a", 0.9)
    wait_idle(page)
    a = slider_value(page, "a")
    assert contour(page) != drawn and a > 3
    assert_shows(page, wanted(a=a))
    wait_until(lambda: said(page).get("a") == f"{a:g}", what="the address follows")
    link = page.evaluate("location.href")
    assert without_rate(said(page)) == dict(parse_qsl(query(wanted(a=a))))
    page.get_by_label("a to").fill("8")
    page.keyboard.press("Enter")
    wait_until(lambda: said(page).get("a_to") == "8", what="the slider's end is in the address")
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_function("window.optviz")
    wait_idle(page)
    assert box(page).input_value() == TYPED and slider_value(page, "a") == a and refusals(page) == []
    assert_shows(page, wanted(a=a))
    write(page, "x^2 + 2y^2", "Enter")
    page.wait_for_timeout(400)
    assert not slider(page, "a").count()
    page.get_by_role("button", name="Undo").click()
    wait_idle(page)
    assert box(page).input_value() == TYPED and slider_value(page, "a") == a


def test_a_saved_page_takes_a_formula(page, exported):
    opened(page, exported / "surface_descent.html")
    try_it_all(page)
    assert_axe_finds_nothing(page)


def test_a_served_page_takes_a_formula(page, served):
    opened_served(page, served, "surface_descent")
    try_it_all(page)


def test_a_served_page_that_python_computes_takes_one(page, served):
    opened_served(page, served, "live_surface")
    select(page, "Surface", OWN)
    write(page, TYPED)
    wait_until(lambda: slider(page, "a").count() == 1, what="the letter has its slider")
    assert_shows(page, wanted())
    write(page, "x^2 +")
    wait_until(lambda: note(page).startswith("Something is missing"), what="what is wrong is said")
    assert_shows(page, wanted())


@pytest.mark.parametrize(("name", "kind"), [("hyperparameter_map", HyperparameterMap), ("race", Race),
                                            ("noisy_descent", NoisyDescent)])  # fmt: skip
def test_every_page_that_chooses_a_surface_takes_a_formula_in_its_address(page, exported, name, kind):
    values = {"formula": "x^2 + 3y^2 + a sin(b x)", "a": "2.5", "b": "2"}
    experiment, refused = apply(kind, values)
    go(page, exported / f"{name}.html", urlencode(values))
    assert refusals(page) == refused == []
    assert_shows(page, experiment, "surface")
    assert without_rate(dict(parse_qsl(page.evaluate("optviz.address.query()")))) == dict(parse_qsl(query(experiment)))


def test_a_bad_formula_in_an_address_is_refused_in_python_s_words(page, exported):
    values = {"formula": "x^2 + __import__", "steps": "20"}
    experiment, refused = apply(SurfaceDescent, values)
    go(page, exported / "surface_descent.html", urlencode(values))
    assert refusals(page) == refused and len(refused) == 1 and "character 7" in refused[0]
    assert_shows(page, experiment)


def test_a_phone_has_room_for_the_box_and_does_not_zoom(phone, exported):
    go(phone, exported / "surface_descent.html", urlencode({"formula": TYPED}))
    size = box(phone).evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)")
    assert size >= 16 and not has_horizontal_scroll(phone)
    box(phone).fill(f"{TYPED} + max(")
    wait_until(lambda: note(phone) != "", what="what is wrong is said")
    assert not has_horizontal_scroll(phone)
    assert phone.locator(".formula-note").evaluate("(e) => e.scrollWidth <= e.clientWidth + 1")
    ends = phone.get_by_label("a from")
    assert ends.bounding_box()["height"] >= 44
    assert np.isfinite(slider_value(phone, "a"))
