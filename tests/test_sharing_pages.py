"""Served pages and their addresses, in a real browser: they follow each other, and nothing hostile runs."""

import random
from html import unescape
from urllib.parse import urlencode, urlsplit

import pytest
from browser import brightness, drag_slider, slider_value, wait_idle, wait_until
from conftest import watched_page
from pages import assert_fields_refuse, assert_shows, field, select, type_into
from test_apps import opened
from test_sharing import SCRIPT, from_address

from optviz import SingleParameter, SurfaceDescent
from optviz.catalogue import experiments
from optviz.state import sharing

pytestmark = pytest.mark.browser

ADDRESSES = {
    "surface_descent": "objective=rosenbrock&steepness=333.25&optimizer=adam&lr=5.123456&eps=1e-07&steps=321&start_x=1",
    "single_parameter": "lr=0.123456&decay=0.00333&clip=2.25&epoch=17&seed=12345",
    "loss_comparison": "preset=your-own&lr=1.5&momentum=0.333333&nesterov=true&epochs=17&step=5&dissected=huber",
    "stochastic_landscape": "sample=33&lr=0.07654321&batch_size=7&shuffle=true&replacement=true&seed=3&start_w1=0.9876",
}

FIELDS = [
    ("surface_descent", SurfaceDescent, "Start x", "-5", "finite number from -1000000000 to 1000000000", "1.25"),
    ("single_parameter", SingleParameter, "Seed", "0", "whole number from 0 to 9007199254740991", "17"),
]


def address(page) -> str:
    return urlsplit(page.url).query


@pytest.mark.parametrize("app", ADDRESSES)
def test_an_address_opens_exactly_and_stays(app, page, served):
    experiment, refused = from_address(experiments()[app], ADDRESSES[app])
    assert refused == [] and experiment.message == "" and sharing.query(experiment) == ADDRESSES[app]
    opened(page, served, app, f"?{ADDRESSES[app]}")
    assert_shows(page, experiment)
    page.wait_for_timeout(900)
    assert address(page) == ADDRESSES[app]  # no control sent another value back


def test_the_address_follows_once_a_hand_rests_and_opens_elsewhere(page, new_page, served):
    other, page = page, new_page
    opened(page, served, "surface_descent", "?theme=dark")
    page.evaluate("() => { window.wrote = 0; const replace = history.replaceState.bind(history);"
                  " history.replaceState = (...all) => { window.wrote += 1; replace(...all); }; }")  # fmt: skip
    before = page.evaluate("history.length")
    select(page, "Optimizer", "RMSprop")
    page.wait_for_url("**optimizer=rmsprop**")
    drag_slider(page, "Learning rate", 0.3, steps=20)
    value = drag_slider(page, "Learning rate", 0.61, steps=20)
    page.wait_for_url(f"**lr={value}")
    assert address(page) == f"optimizer=rmsprop&lr={value}"  # the theme is remembered, and not every visitor's
    assert page.evaluate("window.wrote") <= 4
    assert page.evaluate("history.length") == before and brightness(page) < 80
    opened(other, served, "surface_descent", f"?{address(page)}")
    experiment, _ = from_address(SurfaceDescent, address(page))
    assert experiment.optimizer.lr == value == slider_value(other, "Learning rate")
    assert_shows(other, experiment)
    assert_shows(page, experiment, "surface")
    assert brightness(other) > 200


@pytest.mark.parametrize("app", ["surface_descent", "live_surface"])
def test_a_hostile_address_is_refused_aloud_and_runs_nothing(app, new_page, served):
    page = new_page
    values = [("lr", "1e999"), (SCRIPT, "1"), ("optimizer", SCRIPT), ("steps", "<img src=x onerror=alert(1)>"),
              ("a?b", "?"), ("momentum", "0.25"), ("momentum ", "\0"), ("weight_decay", "1" * 20_000),
              ("start_y", "1.75")]  # fmt: skip
    dialogs = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    query = urlencode(values) + "&%ff=%ff"
    experiment, refused = from_address(SurfaceDescent, query)
    assert len(refused) == 8 and (experiment.optimizer.momentum, experiment.start_y) == (0.25, 1.75)
    opened(page, served, app, f"?{query}")
    notice = page.get_by_role("alert").filter(has_text="must be")
    assert notice.locator("p").all_inner_texts() == refused
    assert_shows(page, experiment)
    assert not dialogs and page.title() != "taken" and SCRIPT not in unescape(page.locator("title").inner_html())
    drag_slider(page, "Momentum", 0.5)
    wait_idle(page)
    assert notice.is_visible()  # a computation leaves it
    notice.get_by_role("button", name="Close").focus()
    page.keyboard.press("Enter")
    assert notice.count() == 0
    page.wait_for_url(lambda url: "script" not in url)


def test_an_address_of_300_kilobytes_is_refused_aloud(page, served):
    noise = random.Random(0).randbytes(150_000).hex()  # which no compression makes short
    opened(page, served, "single_parameter", f"?momentum={noise}&lr=0.2")
    (said,) = page.locator(".refused p").all_inner_texts()
    assert said.startswith("SingleParameter.momentum must be at most 200 characters long, not '")
    assert_shows(page, SingleParameter(lr=0.2))


@pytest.mark.parametrize("app", ["surface_descent", "live_surface"])
def test_a_combination_that_is_refused_says_so_on_opening(app, page, served):
    opened(page, served, app, "?lr=0.1&nesterov=true")
    sentence = page.locator("p", has_text="Nesterov momentum requires a momentum above 0")
    assert sentence.count() == 1 and sentence.is_visible() and page.locator(".refused p").count() == 0
    assert_shows(page, SurfaceDescent())
    assert page.get_by_label("Nesterov", exact=True).is_checked() and slider_value(page, "Learning rate") == 0.1


@pytest.mark.parametrize("app", ["single_parameter", "live_surface"])
def test_copy_link_puts_the_address_on_the_clipboard(app, page, served):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, served, app, "?momentum=0.5")
    button = page.locator("button.copy-link")
    assert button.inner_text() == "Copy link"
    button.click()
    wait_until(lambda: button.inner_text() == "Copied", what="Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url == f"{served}/{app}?momentum=0.5"
    wait_until(lambda: button.inner_text() == "Copy link", what="Copy link")
    assert drag_slider(page, "Momentum", 0.79 / 0.99) == 0.79  # not 0.7900000000000001
    value = drag_slider(page, "Momentum", 0.3)
    button.press("Enter")  # before the address has followed
    page.wait_for_url(f"**momentum={value}")
    wait_until(lambda: page.evaluate("navigator.clipboard.readText()") == page.url, what="the newest address")
    assert page.evaluate("document.activeElement.className") == "copy-link"


def test_without_a_clipboard_the_address_stands_selected(browser, served):
    with watched_page(browser) as page:
        page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined })")
        opened(page, served, "single_parameter", "?momentum=0.5")
        page.get_by_role("button", name="Copy link").press("Enter")
        box = page.get_by_role("textbox", name="Link")
        assert box.input_value() == page.url and page.evaluate("getSelection().toString()") == page.url
        page.keyboard.press("Tab")
        assert box.count() == 0


def test_visitors_with_different_addresses_share_no_state(page, served):
    for query in ("?epoch=5&lr=0.5", "?lr=x", ""):
        opened(page, served, "single_parameter", query)
        experiment, refused = from_address(SingleParameter, query[1:])
        assert_shows(page, experiment)
        assert page.locator(".refused p").all_inner_texts() == refused
        page.wait_for_url(lambda url: urlsplit(url).query == sharing.query(experiment))  # noqa: B023


@pytest.mark.parametrize(("app", "kind", "label", "held", "rule", "good"), FIELDS)
def test_what_is_typed_is_taken_or_refused_at_its_field(app, kind, label, held, rule, good, page, served):
    experiment = kind()
    opened(page, served, app)
    assert_fields_refuse(page, experiment, label, held, rule)
    assert address(page) == "" and not page.locator(".alert").is_visible()
    type_into(page, label, good)
    experiment.param.update(**{label.lower().replace(" ", "_"): float(good) if "." in good else int(good)})
    assert_shows(page, experiment)
    assert page.locator(".refusal p").count() == 0 and field(page, label).input_value() == good
