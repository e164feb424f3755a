"""The engine that runs JavaScript for tests: node or Chromium, one of which CI must have."""

import math

import engine
import pytest
from engine import run_js

SOURCE = "const np_ = np.array([1, 2, 4]); return { mean: np_.mean(), text: 'é−', none: null, digits: 0.1 + 0.2 };"
WANTED = {"mean": 7 / 3, "text": "é−", "none": None, "digits": 0.1 + 0.2}


def test_a_value_comes_back_digit_for_digit():
    assert run_js(SOURCE) == WANTED and run_js("return 3;", parse_int=float) == 3.0
    assert math.isclose(run_js("return $.math.radians(180);"), math.pi)


@pytest.mark.browser
def test_without_node_it_is_chromium(monkeypatch):
    monkeypatch.setattr(engine, "NODE", None)
    assert run_js(SOURCE) == WANTED


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_without_both_ci_fails(monkeypatch, ci, outcome):
    monkeypatch.setattr(engine, "NODE", None)
    monkeypatch.setattr(engine, "find_chromium", lambda: None)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="needs node or Chromium"):
        run_js(SOURCE)


def test_an_error_in_a_script_is_one_of_the_test():
    with pytest.raises(AssertionError, match="nothing_of_that_name"):
        run_js("return nothing_of_that_name;")
