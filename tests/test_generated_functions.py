"""Two hundred functions drawn by a seed: Python's numbers, sympy's, a page's and torch's are one.

A function is drawn as an expression of Python's, which is run with numpy's functions to be followed,
and with torch's for autograd; sympy's own numbers have thirty digits.
"""

import json
from functools import cache

import numpy as np
import pytest
import sympy
import torch
from engine import run_js

from optviz import objective
from optviz.export.kernels import objective_script
from optviz.trace.functions import readable

COUNT, PARTS = 200, 4
POINTS = np.random.default_rng(8).uniform(-1.6, 1.6, (4, 2))
# each keeps its value moderate, so that the last digits say something; {0} and {1} are expressions
ONE = ("xp.sin({0})", "xp.cos({0})", "xp.tanh({0})", "xp.arctan({0})", "xp.sqrt(1 + ({0})**2)", "xp.exp(-({0})**2)",
       "xp.log1p(({0})**2)", "xp.expm1(xp.tanh({0}))", "xp.abs({0})", "xp.sinc(xp.sin({0}))", "xp.arcsinh({0})",
       "xp.exp2(xp.sin({0}))", "xp.log2(2 + xp.cos({0}))", "xp.log10(3 + xp.sin({0}))", "xp.sign({0}) * ({0})**2",
       "xp.arcsin(0.9 * xp.tanh({0}))", "xp.arctanh(0.8 * xp.sin({0}))", "(1.5 + xp.sin({0}))**1.7",
       "xp.special.erf({0})", "xp.clip({0}, -0.7, 0.9)", "xp.floor(3 * xp.tanh({0})) * xp.sin({0})",
       "xp.square({0}) / (1 + xp.abs({0}))", "xp.cosh(xp.tanh({0}))", "xp.special.expit({0})",
       "xp.sum((DATA - ({0}) * DATA**2)**2) / 50", "xp.mean(xp.tanh(DATA * ({0}) - 0.3))",
       "xp.mean(xp.abs(DATA * ({0}) - 0.31))", "abs((({0}) + 1j * DATA[3]) ** 2 - 1.3)")  # fmt: skip
TWO = ("({0}) + ({1})", "({0}) - ({1})", "({0}) * ({1}) / 2", "({0}) / (1.5 + xp.cos({1}))",
       "xp.maximum({0}, {1})", "xp.minimum({0}, {1})", "xp.hypot({0}, 0.6 + ({1})**2)", "xp.logaddexp({0}, {1})",
       "xp.arctan2({0}, 1.2 + ({1})**2)", "xp.where(({0}) > ({1}), ({0})**2, xp.sin({1}))",
       "xp.where((({0}) > 0) & (({1}) < 0.5), {0}, ({1}) / 3)", "xp.fmax({0}, {1})",
       "abs((({0}) + 1j * ({1})) ** 2 / 4 - 1.1)")  # fmt: skip
DATA = np.round(np.random.default_rng(3).uniform(-1, 1, 15), 3)
TENSORS = {"sinc": torch.special.sinc, "clip": torch.clamp, "mean": torch.mean}


class Torch:
    """torch's functions by numpy's names."""

    special = torch.special

    def __getattr__(self, name):
        return TENSORS.get(name) or getattr(torch, name)


def drawn(rng, depth):
    """An expression of x and y, at random."""
    if depth == 0:
        return str(rng.choice(["x", "y", "x - y / 2", "0.7 * x * y", "0.4 * y - 0.3"]))
    if rng.random() < 0.5:
        return str(rng.choice(ONE)).format(drawn(rng, depth - 1))
    return str(rng.choice(TWO)).format(drawn(rng, depth - 1), drawn(rng, depth - 1))


TEXTS = [drawn(np.random.default_rng([11, k]), 1 + k % 2) + " + (x**2 + y**2) / 8" for k in range(COUNT)]


class Numpy:
    """numpy's functions, and scipy's special ones."""

    from scipy import special

    def __getattr__(self, name):
        return getattr(np, name)


@cache
def surface(text):
    return objective(eval(f"lambda x, y: {text}", {"xp": Numpy(), "DATA": DATA}), label=text)


def of_torch(text, point):
    """The value, the gradient and the Hessian by autograd, in one row."""
    scope = {"xp": Torch(), "DATA": torch.tensor(DATA)}
    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in point)
    value = eval(text, scope, {"x": x, "y": y})
    slopes = torch.autograd.grad(value, (x, y), create_graph=True, materialize_grads=True)
    bends = [torch.autograd.grad(s, (x, y), retain_graph=True, materialize_grads=True) if s.requires_grad
             else (torch.zeros(()), torch.zeros(())) for s in slopes]  # fmt: skip
    return [value.item(), *(s.item() for s in slopes), *(b.item() for row in bends for b in row)]


def of_python(text, point):
    made = surface(text)
    return [float(made.value(*point)), *made.gradient(*point), *made.hessian(*point).ravel()]


def near(found, wanted, text):
    """Equal to 1e-12 of the largest of a point's value, slopes and bends."""
    scale = np.maximum(np.abs(wanted).max(axis=-1, keepdims=True), 1e-3)
    np.testing.assert_allclose(np.asarray(found) / scale, np.asarray(wanted) / scale, rtol=0, atol=1e-12, err_msg=text)


def of_pages(texts):
    """The same rows by a page's JavaScript, for each function and point."""
    kinds = ",\n".join(objective_script(surface(text)) for text in texts)
    return run_js("\n".join([
        f"const kinds = [{kinds}], points = {json.dumps(POINTS.tolist())};",
        "const all = (kind, p) => [kind.value, kind.gradient, kind.hessian].map((f) => kind.call(f, p, []));",
        "return kinds.map((kind) => points.map((p) => all(kind, p).flat()));",
    ]))  # fmt: skip


def of_sympy(text):
    """The value at the first point with thirty digits, where sympy has all functions under names of its own."""
    names, formula = sympy.symbols("x y", real=True), readable(surface(text).expression())
    return formula.subs(dict(zip(names, map(sympy.Float, POINTS[0].tolist()), strict=True))).evalf(30)


@pytest.mark.parametrize("part", range(PARTS))
def test_numbers_are_torchs_and_a_pages_and_sympys(part):
    texts = TEXTS[part::PARTS]
    for text, page in zip(texts, of_pages(texts), strict=True):
        assert hasattr(surface(text), "traced"), text
        own = [of_python(text, p) for p in POINTS]
        near(own, [of_torch(text, p) for p in POINTS], text)
        near(page, own, text)
        if not any(name in text for name in ("DATA", "log2", "log10", "sinc", "floor", "clip")):
            np.testing.assert_allclose(own[0][0], float(of_sympy(text)), rtol=1e-12, atol=1e-13, err_msg=text)
