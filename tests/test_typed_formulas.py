"""Formulas that are typed: value, gradient and Hessian in Python, in a page, in sympy and in torch; what is refused."""

import json
import random
import time

import mpmath
import numpy as np
import pytest
import sympy
from engine import run_js
from typed import A, B, X, Y, case

from optviz.export.bundle import Bundle
from optviz.export.definitions import NATIVES, printed
from optviz.objectives.formula import Formula, formula
from optviz.trace.formula_text import LONGEST, parsed

COUNT, CLOSE = 500, 1e-12
BY_SYMPY = 5  # one of so many is derived by sympy, which takes a tenth of a second for each; torch derives all
HOSTILE = {
    "__import__('os').system('x')": "has no meaning", "(" * 100_000: "at most 500", "9^9^9^9": "at most 100",
    "x" * 5_000_000: "at most 500", "x^1e9": "at most 100", "(" * 499: "40 deep", "-" * 499 + "x": "40 deep",
    "\u0445^2": "another alphabet", "\uff58^2": "another alphabet", "eval(x)": "write a function", 
    "x;y": "has no meaning",
    "constructor": "write a function", "toString()": "write a function", "x.y": "has no meaning",
    "x\u0000": "has no meaning",
    "1e999x": "up to 1e100", "x" + "^2" * 240: "40 deep", "lambda: x": "write a function",
    "<script>": "write a function",
    "${x}": "has no meaning", "`x`": "has no meaning", "x\u202ey": "has no meaning", "": "is missing",
    "   ": "is missing",
    "sqrt" * 100 + "(x)": "needs brackets", "|" * 480 + "x": "40 deep", "\U0001d465^2": "has no meaning",
    "9" * 400 + "x": "up to 1e100", "max(" * 100 + "x": "40 deep",
}  # fmt: skip


@pytest.fixture(scope="module")
def javascript() -> tuple[str, str]:
    """The name of the class of typed surfaces in JavaScript, and the definitions that it needs."""
    bundle = Bundle(NATIVES, printed)
    name = bundle.text(Formula)
    return name, bundle.source


@pytest.fixture(scope="module")
def cases():
    made = random.Random(20)
    found, points = [], []
    while len(found) < COUNT:
        each = case(made)
        point = [made.uniform(-2, 2) for _ in range(4)]
        if len(each.text) <= LONGEST and "a" not in parsed(each.text)["why"]:
            found.append(each)
            points.append(point)
    return list(zip(found, points, strict=True))


def own(text: str, point: list[float]) -> np.ndarray:
    """Value, gradient and Hessian as optviz has them."""
    x, y, a, b = point
    surface = formula(text)
    letters = {name: value for name, value in (("a", a), ("b", b)) if surface.holds(name)}
    surface.param.update(**letters)
    return np.concatenate([[surface.value(x, y)], surface.gradient(x, y), surface.hessian(x, y).ravel()])


def exact(each, point) -> np.ndarray:
    """The same of sympy's derivatives, in more digits than a float has."""
    e = each.expression()
    gradient = [sympy.diff(e, v) for v in (X, Y)]
    xx, xy, yy = sympy.diff(gradient[0], X), sympy.diff(gradient[0], Y), sympy.diff(gradient[1], Y)
    with mpmath.workdps(30):
        rows = sympy.lambdify((X, Y, A, B), [e, *gradient, xx, xy, yy], "mpmath", cse=True)(*map(mpmath.mpf, point))
    return np.array([float(row) for row in (*rows[:5], rows[4], rows[5])])


def autograd(each, point) -> np.ndarray:
    """The same by torch."""
    import torch

    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in point[:2])
    value = each.torch(x, y, *point[2:])
    found = [float(value.detach())]
    gradient = torch.autograd.grad(value, (x, y), create_graph=True, allow_unused=True)
    found += [0.0 if g is None else float(g.detach()) for g in gradient]
    for g in gradient:
        second = (None, None) if g is None or not g.requires_grad else torch.autograd.grad(
            g, (x, y), retain_graph=True, allow_unused=True)  # fmt: skip
        found += [0.0 if h is None else float(h.detach()) for h in second]
    return np.array(found)


def worst(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference, by the size of what it is one of: the value, the gradient, the Hessian."""
    parts = [slice(0, 1), slice(1, 3), slice(3, 7)]
    return max(float(np.abs(one[p] - other[p]).max() / max(1.0, np.abs(other[p]).max())) for p in parts)


def test_five_hundred_formulas_mean_the_same_in_python_a_page_sympy_and_torch(cases, javascript):
    name, source = javascript
    texts = json.dumps([[each.text, point] for each, point in cases])
    page = run_js(f"""{source}
return {texts}.map(([text, [x, y, a, b]]) => {{
  const surface = {name}(text);
  for (const [name, value] of [["a", a], ["b", b]]) if (surface.holds(name)) surface.assign(name, value);
  return [surface.lossAt([x, y]), ...surface.gradientAt([x, y]), ...surface.hessianAt([x, y]).flat()];
}});""")
    for k, ((each, point), theirs) in enumerate(zip(cases, page, strict=True)):
        wanted = autograd(each, point)
        assert np.isfinite(wanted).all(), each.text
        found = [own(each.text, point), np.array(theirs, dtype=float)] + (
            [exact(each, point)] if k % BY_SYMPY == 0 else []
        )
        assert max(worst(one, wanted) for one in found) <= CLOSE, (each.text, point, found, wanted)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_refused_at_once_in_one_sentence(text):
    took = []
    for _ in range(3):  # a busy machine makes one of them wait
        began = time.perf_counter()
        with pytest.raises(ValueError) as refused:
            formula(text)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05
    said = str(refused.value)
    assert HOSTILE[text] in said and len(said) < 300 and "Traceback" not in said


def test_a_page_refuses_the_same_in_the_same_words(javascript):
    name, source = javascript
    texts = list(HOSTILE)
    found = run_js(f"""{source}
return {json.dumps(texts)}.map((text) => {{
  const took = [];
  let said = "";
  for (let k = 0; k < 3; k++) {{
    const began = performance.now();
    try {{ {name}(text); }} catch (refusal) {{ said = refusal.message; }}
    took.push(performance.now() - began);
  }}
  return [Math.min(...took), said];
}});""")
    for text, (took, said) in zip(texts, found, strict=True):
        with pytest.raises(ValueError) as refused:
            formula(text)
        assert said == str(refused.value) and took < 50
