"""A surface from a typed formula: its letters, its first picture, its runs, its formula on the page."""

import json
import math
import pickle
import random
from xml.dom import minidom

import numpy as np
import pytest
from engine import run_js
from test_typed_formulas import javascript as javascript  # a fixture
from typed import case

import optviz
from optviz import SGD, SurfaceDescent, descend, formula, sweep
from optviz.objectives.formula import Formula
from optviz.objectives.minima import finding
from optviz.objectives.minima_search import MOST_WORK
from optviz.readings.equations import objective_mathml
from optviz.theory.stability import max_lr, spectrum
from optviz.trace.formula_text import parsed

SURFACES = {
    "x^2 + 3y^2 + sin(x)": 1, "(1-x)^2 + 100(y-x^2)^2": 1, "(x-20)^2 + (y+5)^2": 1, "|x| + |y|": 1, "x ln(x) + y^2": 1,
    "(x^2+y-11)^2 + (x+y^2-7)^2": 4, "hypot(x-1, y+1)": 1, "max(x^2, y^2)": 1, "x^2 - y^2": 0, "-exp(-x^2-y^2)": 1,
    "20 + x^2 + y^2 - 10cos(2pi x) - 10cos(2pi y)": 49, "|x-2y| + |x+y-1|": 1, "where(x > 1, (x-2)^2, x^2) + y^2": 2,
}  # fmt: skip


@pytest.mark.parametrize("text", SURFACES)
def test_the_first_picture_is_a_sensible_one(text):
    made = SurfaceDescent(formula=text)
    surface, run = made.objective, made.trajectory
    (x0, x1), (y0, y1) = surface.domain
    assert made.message == "" and x0 < made.start[0] < x1 and y0 < made.start[1] < y1
    assert not run.diverged[0] and run.loss[-1, 0] < run.loss[0, 0]
    for x, y in surface.minima:
        assert x0 < x < x1 and y0 < y < y1
    steepest = spectrum(surface, surface.starts[0])["values"][-1]
    if steepest > 1e-9 and made.optimizer.lr != SGD().lr:
        assert made.optimizer.lr <= max_lr(SGD(), steepest) / 2 * 1.05


def test_half_the_limit_at_the_start_is_the_rate():
    made = SurfaceDescent(formula="2x^2 + 5y^2")
    assert made.optimizer.lr == pytest.approx(1 / 10)
    made.formula = "200x^2 + 500y^2"
    assert made.optimizer.lr == pytest.approx(1 / 1000)
    made.optimizer.lr = 1e-4  # a visitor's own stays where it works
    made.formula = "100x^2 + 500y^2"
    assert made.optimizer.lr == 1e-4


def test_a_page_finds_the_minima_that_python_finds(javascript):
    name, source = javascript
    found = run_js(f"""{source}
return {json.dumps(list(SURFACES))}.map((text) => {{
  const surface = {name}(text), local = $.local_minima(surface);
  const {{ data }} = local.points, points = local.values.map((_, k) => [data[2 * k], data[2 * k + 1]]);
  return [surface.domain, surface.starts, surface.minima, $.lowest_loss(surface), points, local.complete];
}});""")
    for (text, count), (domain, starts, minima, lowest, points, whole) in zip(SURFACES.items(), found, strict=True):
        surface = formula(text)
        assert whole and finding(surface).complete, text
        own = optviz.minima.minima_of(surface)
        assert len(points) == len(own), text
        assert len(own) == count, text
        assert np.allclose(domain, surface.domain) and np.allclose(starts, surface.starts), text
        assert len(minima) == len(surface.minima), text
        for point in points:
            assert np.hypot(*(own - point).T).min() < 1e-4 * (domain[0][1] - domain[0][0]), text
        mine = optviz.minima.lowest_loss(surface)
        assert (mine is None) == (lowest is None) and (mine is None or lowest == pytest.approx(mine, abs=1e-9)), text


WILD = ("sqrt(|sin(60x y)|)", "|tan(20x y)| exp(x)", "tan(30x) tan(29y) exp(x)", "exp(x) |tan(40x)|^0.3 |tan(37y)|^0.3")


def test_a_search_ends_with_its_work_and_that_is_said(javascript):
    name, source = javascript
    texts = json.dumps(WILD)
    assert run_js(f"{source}\nreturn {texts}.map((text) => $.local_minima({name}(text)).complete);") == [False] * 4
    for text in WILD:
        found = finding(formula(text))
        assert not found.complete and found.work < MOST_WORK + 2e7, text
    said = "Not all of the surface's many low places were searched."
    assert said in SurfaceDescent(formula=WILD[0]).status() and said not in SurfaceDescent().status()


def test_letters_are_shape_parameters_and_axes_of_a_sweep():
    bowl = formula("a x^2 + 3y^2 + sin(b x)", a=2)
    assert bowl.shape_names() == ["a", "b"] and bowl.shape_values() == [2.0, 1.0]
    found = sweep(bowl, SGD(lr=0.05), (1.0, 1.0), 30, {"a": [0.5, 1.0, 2.0], "lr": [0.01, 0.1]}, lowest=0.0)
    for a in (0.5, 1.0, 2.0):
        alone = descend(formula("a x^2 + 3y^2 + sin(b x)", a=a), SGD(lr=0.1), (1.0, 1.0), 30)
        assert float(found.sel(a=a, lr=0.1)) == pytest.approx(float(alone.loss[-1, 0]), rel=1e-12)
    again = pickle.loads(pickle.dumps(bowl))
    assert again.arguments() == bowl.arguments() and again.value(1, 2) == bowl.value(1, 2)
    with pytest.raises(ValueError, match="has no such letter, not 'c'; its letters are a, b."):
        formula("a x^2 + b", c=1)


def test_letters_keep_their_values_while_the_formula_is_typed_on():
    made = SurfaceDescent(formula="a x^2 + y^2")
    made.objective.param.update(a=3.0, a_to=9.0)
    made.formula = "a x^2 + b y^2"
    assert made.objective.shape_values() == [3.0, 1.0] and made.objective.a_to == 9.0
    with pytest.raises(ValueError, match="character 8"):
        made.formula = "a x^2 +"
    assert made.formula == "a x^2 + b y^2" and made.message == ""
    made.objective_name = "Rosenbrock"
    assert made.typed_surface() is None
    made.objective_name = "Your formula"
    assert made.objective.shape_values() == [1.0, 1.0]


def test_a_page_typesets_what_python_typesets(javascript):
    name, source = javascript
    r = random.Random(5)
    texts = [case(r).text for _ in range(60)] + [
        "-(x+1)^-2 + 1e-7y",
        "|x|/2 + (x/y)^2 (-3)",
        "where(not x > 0 or y<=1, 2·3^x, √y)",
    ]
    texts = [text for text in texts if not parsed(text)["why"]]
    shown = run_js(f"{source}\nreturn {json.dumps(texts)}.map((text) => {name}(text).formula());")
    for text, theirs in zip(texts, shown, strict=True):
        assert theirs == objective_mathml(Formula(text))
        minidom.parseString(theirs)
    assert math.isfinite(len(shown))
