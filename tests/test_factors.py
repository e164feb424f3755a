"""Sliders by factors: which parameters get one, what its places say, in Python and in the browser."""

import math

import panel as pn
import param
import pytest
from engine import run_js

from optviz.catalogue import experiments
from optviz.menus import rules
from optviz.page.controls import knobs_of
from optviz.page.factors import LogSlider, factor_at, place_of, slider_for
from optviz.spans import RATES, Spanned

PLACES = [k / 100 for k in range(-1200, 301)]


def rate_slider(**settings) -> tuple[param.Parameterized, LogSlider]:
    """An owner of one learning rate, and the slider of it."""
    owner = param.parameterized_class("Owner", {"lr": Spanned(0.1, **settings)})()
    (widget,) = [w for w in knobs_of(owner, ["lr"]).select(pn.widgets.FloatSlider)]
    return owner, widget


def test_every_place_says_a_number_of_its_own_that_leads_back_to_it():
    values = [factor_at(place) for place in PLACES]
    assert all(low < high for low, high in zip(values, values[1:], strict=False))
    assert [place_of(value) for value in values] == PLACES
    assert all(abs(math.log10(value) - place) < 0.005 for value, place in zip(values, PLACES, strict=True))


def test_what_a_hand_would_write_has_a_place():
    for digit in range(1, 10):
        for power in range(-6, 2):
            value = float(f"{digit}e{power}")
            assert factor_at(round(100 * math.log10(value)) / 100) == value
    assert place_of(0.01234) == math.log10(0.01234) and factor_at(math.log10(0.01234)) == 0.0123


def test_the_browser_says_the_same():
    places = [*PLACES, math.log10(0.01234), -1.30103, -6.1]
    values = [factor_at(place) for place in places]
    both = f"{places}.map((p) => factor_at(p)), {values}.map((v) => factor_place(v))"
    said = run_js(f"return [{both}, factor_at(-6.1, -6.1), factor_place(0, -6.1)];")
    assert said == [values, [place_of(value) for value in values], 0, -6.1]


def test_a_parameter_that_declares_a_span_gets_one():
    settings = {"type": LogSlider, "start": 1e-4, "end": 1.0}
    assert slider_for(Spanned(0.1, bounds=(0, None), span=(1e-4, 1.0))) == settings | {"zero": True}
    open_below = Spanned(0.1, bounds=(0, None), inclusive_bounds=(False, True), span=(1e-4, 1.0))
    assert slider_for(open_below) == settings | {"zero": False}
    assert (
        slider_for(Spanned(0.1, bounds=(0, None))) == {} and slider_for(param.Number(0.1, softbounds=(1e-4, 1))) == {}
    )
    for rule in rules().values():
        assert "lr" not in rule.param or rule.param.lr.span[0] == RATES[0] and rule.param.lr.span[1] >= RATES[1]


@pytest.mark.parametrize("kind", experiments().values(), ids=lambda kind: kind.__name__)
def test_learning_rates_of_experiments_reach_from_small_to_large(kind):
    rates = [name for name in kind.param if name == "lr" or name.endswith("_lr")]
    for name in rates:
        low, high = kind.param[name].get_soft_bounds()
        assert slider_for(kind.param[name]) or (low > 0 and high / low < 100), name


def test_a_slider_holds_places_and_its_owner_values():
    owner, widget = rate_slider(bounds=(0, None), softbounds=(0, 0.4), span=(1e-4, 0.5), step=0.001)
    model = widget.get_root()
    assert (model.start, model.end, model.step, model.value) == (-4.1, -0.3, 0.01, -1.0)
    widget._process_events({"value": -1.3})
    assert owner.lr == 0.05
    owner.lr = 0.0
    assert model.value == model.start
    owner.lr = 3e-9
    assert model.value == -8.52  # below the track, and said so
    widget._process_events({"value": model.start})
    assert owner.lr == 0.0
    widget.param.update(start=1e-2, end=10)
    assert (model.start, model.end, model.tags) == (-2.1, 1.0, ["log", -2.1])


def test_one_that_has_no_nought_begins_at_its_lowest():
    owner, widget = rate_slider(bounds=(0, None), inclusive_bounds=(False, True), softbounds=(0, 0.4), span=(1e-4, 0.5))
    model = widget.get_root()
    assert (model.start, model.tags) == (-4.0, ["log", None])
    widget._process_events({"value": -3.99})
    assert owner.lr == 1.02e-4
