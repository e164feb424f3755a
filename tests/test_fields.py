"""Fields that a number is typed into: what they refuse is said there, and what they held comes back."""

import math
from html import unescape

import numpy as np
import panel as pn
import param
import pytest
from bokeh.document import Document
from oracles import one_sentence

from optviz import Rule, SingleParameter, SurfaceDescent
from optviz.catalogue import experiments
from optviz.page.controls import knobs_of
from optviz.page.fields import NumberField, WholeField

FAR = 99999999999999999999  # as JavaScript sends it, a whole number


def fields(experiment) -> list:
    """The fields of an experiment's page."""
    return [w for knobs in experiment.page().layout.select(pn.Param) for w in knobs._widgets.values() if is_field(w)]


def is_field(widget) -> bool:
    return isinstance(widget, pn.widgets.FloatInput | pn.widgets.IntInput)


def drawn(field):
    """The field's model in the browser: what is set there arrives as what a person has typed."""
    return field.get_root(Document())


def said(field) -> str:
    """The line under a field, as it is read."""
    text = field.note.object
    text = unescape(text.removeprefix('<div class="refusal"><p role="alert">').removesuffix("</p></div>"))
    return text.replace("−", "-")  # as people type it


@pytest.mark.parametrize("kind", experiments().values())
def test_no_field_takes_what_is_no_number_of_its_own(kind, caplog):
    experiment = kind()
    for field in fields(experiment):
        model, held, pictures = drawn(field), field.value, experiment.drawings
        label = model.title
        for typed, words in ((None, "not empty"), (FAR, "not 1e20"), (math.nan, "not nan"),
                             (-(10**20), "not -1e20")):  # fmt: skip
            typed = 10**20 if typed == FAR else typed
            model.value = typed
            assert said(field).startswith(f"{label} must be a ") and one_sentence(said(field)), label
            assert words in said(field) and f"; it stays {held:g}." in said(field)
            assert model.value == held == field.value
            assert experiment.drawings is pictures and experiment.message == ""
    assert not caplog.records


@pytest.mark.parametrize(("kind", "name", "typed"), [
    (SurfaceDescent, "start_x", 1.5), (SingleParameter, "seed", 12), (SurfaceDescent, "start_y", 2),
])  # fmt: skip
def test_a_field_takes_its_numbers_and_forgets_what_it_refused(kind, name, typed):
    experiment = kind()
    (field,) = [f for f in fields(experiment) if f._param_name == name]
    model = drawn(field)
    model.value = None
    assert said(field)
    model.value = typed
    assert getattr(experiment, name) == typed == model.value and said(field) == "" and experiment.message == ""
    assert type(getattr(experiment, name)) is (int if name == "seed" else float)
    model.value = None
    assert f"it stays {typed}." in said(field)
    setattr(experiment, name, type(getattr(experiment, name))(3))  # dragged, say
    assert said(field) == "" and model.value == 3


def test_a_seed_is_no_negative_number_nor_one_that_no_address_can_say():
    (field,) = fields(SingleParameter())
    model = drawn(field)
    assert (model.low, model.high) == (None, None)  # or the browser would keep -1 and tell nobody
    for typed in (-1, 10**20):
        model.value = typed
        rule = "Seed must be a whole number from 0 to 9007199254740991"
        assert said(field) == f"{rule}, not {f'{typed:g}'.replace('+', '')}; it stays 0." and model.value == 0


class Doubtful(SurfaceDescent):
    """A lesson that refuses some numbers only when it computes."""

    def compute(self):
        if self.start_x > 4:
            raise ValueError("Doubtful needs a start below 4, not more; choose another.")
        return super().compute()


def test_what_the_experiment_refuses_is_taken_back_and_said_at_the_field():
    experiment = Doubtful()
    page = experiment.page()
    field, model = [(f, drawn(f)) for f in fields(experiment) if f._param_name == "start_x"][0]
    before = experiment.drawings["surface"].layers["path"]["x"]
    model.value = 5
    assert said(field) == "Doubtful needs a start below 4, not more; choose another."
    assert experiment.start == (-5.0, -2.0) and experiment.start_x == model.value == -5
    assert experiment.message == "" and not page.message.visible
    np.testing.assert_array_equal(experiment.drawings["surface"].layers["path"]["x"], before)
    model.value = 3
    assert experiment.start == (3.0, -2.0) and said(field) == ""


class Even(param.Integer):
    """A parameter with a rule that no description tells."""

    def _validate(self, val):
        super()._validate(val)
        if val % 2:
            raise ValueError(f"Even must be even, not {val}.")


def test_numbers_of_a_users_own_get_such_fields_too(caplog):
    class Own(Rule):
        __abstract = True
        gain = param.Number(1.0, bounds=(0, None), inclusive_bounds=(False, True), label="Gain")
        order = Even(2)

    rule = Own()
    knobs = knobs_of(rule, ["gain", "order"])
    gain, order = (knobs._widgets[name] for name in ("gain", "order"))
    assert isinstance(gain, NumberField) and isinstance(order, WholeField)
    model = drawn(gain)
    model.value = 0
    assert said(gain) == "Gain must be a finite number above 0 and at most 1000000000, not 0; it stays 1."
    assert rule.gain == model.value == 1
    model = drawn(order)
    model.value = 3
    assert said(order) == "Even must be even, not 3." and rule.order == model.value == 2
    assert not caplog.records
