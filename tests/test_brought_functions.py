"""Functions that people bring: numpy's, scipy's and sympy's, each in every reading.

The oracle of a value is the function itself on numbers; of its derivatives, differences of it.
"""

import json
import math
from functools import cache

import numpy as np
import param
import pytest
import sympy
import torch
from engine import run_js
from oracles import one_sentence
from scipy import special
from scipy.optimize import rosen, rosen_der, rosen_hess

import optviz
from optviz import SGD, Race, SurfaceDescent, descend, objective, sweep
from optviz.export.kernels import objective_script
from optviz.readings.equations import objective_mathml
from optviz.sweeps.lanes import Program

DATA = np.linspace(-1, 2, 7)
LONG, FEW = np.linspace(0, 1, 30), np.linspace(0, 1, 12)
PAIRS = np.stack([LONG, LONG**2 - 0.3], axis=1)
PLANE = np.arange(14.0).reshape(7, 2) / 9


def _any(x, y):
    return x - y / 2


def _positive(x, y):
    return x * x + y * y / 2 + 0.3


def _inside(x, y):
    return 0.9 * np.sin(x + y / 3)


def _of(names, inner, module=np):
    """Functions of one number, side by side in one formula."""
    each = [getattr(module, name) for name in names.split()]
    return {names: lambda x, y: sum(((k + 1) * f(inner(x, y)) for k, f in enumerate(each)), y**2)}


def _clipped_by_branches(x, y):
    if x > 1 and y < 0.5:
        return (x - 1) ** 2 + y
    return x * y if -1 < y < 1 else y**2


def _of_two(names, second=lambda x, y: y, module=np):
    each = [getattr(module, name) for name in names.split()]
    return {names: lambda x, y: sum(((k + 1) * f(x, second(x, y)) for k, f in enumerate(each)), x * y)}


CATALOGUE = {
    **_of("sin cos tanh sinh cosh", _any),
    **_of("exp expm1 exp2 cbrt fabs abs square sign", _any),
    **_of("floor ceil trunc rint fix round", _any),
    **_of("sinc", _any),
    **_of("arctan arcsinh deg2rad rad2deg radians degrees negative positive conjugate real", _any),
    **_of("sqrt log log1p log2 log10 reciprocal", _positive),
    **_of("arcsin arccos arctanh tan", _inside),
    **_of("arccosh", lambda x, y: 1 + _positive(x, y)),
    **_of_two("hypot arctan2 maximum minimum"),
    **_of_two("fmax fmin logaddexp logaddexp2 heaviside"),
    **_of_two("mod remainder fmod floor_divide", lambda x, y: 0.7 + y * y),
    **_of_two("mod fmod floor_divide", lambda x, y: -0.7),
    "power": lambda x, y: np.power(_positive(x, y), 1.5) + np.float_power(_positive(x, y), y) + 2.0**x,
    "powers of floats": lambda x, y: x**2.0 + _positive(x, y) ** 0.5 + _positive(x, y) ** -0.5 + x**9 / 99,
    **_of("erf erfc gammaln expit", _any, special),
    **_of("gamma psi logit", lambda x, y: 0.95 * np.tanh(x + y) ** 2 + 0.03, special),
    "clip": lambda x, y: np.clip(x, -1, 0.5) ** 2 + np.clip(y, 0, None) + np.clip(x * y, a_min=None, a_max=1),
    "relu6": lambda x, y: np.minimum(np.maximum(x, 0), 6) ** 2 + y**2,
    "kinks in kinks": lambda x, y: np.maximum(np.minimum(x, y) ** 2, np.maximum(x * y, -1)) + np.fmax(x, 0),
    "bar": lambda x, y: np.where((x > 0) | (y > 1), x * y, x**2) + np.where((x > 0) & (y > 0), x, y),
    "tilde": lambda x, y: np.where(~(x > 0), x**2, y) + np.where((x > 0) ^ (y > 0), x, -1) + (x > y) * y,
    "logical": lambda x, y: np.where(np.logical_and(x > 0, np.logical_not(y > 0)), x, y**2)
    + np.where(np.logical_or(x > 1, y > 1), 1.0, x) + np.where(np.logical_xor(x < 1, y < 1), x, 2.0),
    "chosen truths": lambda x, y: np.where(np.where(x > 0, y > 1, y < -1), x * y, x**2),
    "select": lambda x, y: np.select([x < -1, x < 1], [x**2, y], default=x * y),
    "operators": lambda x, y: x // 0.7 * y + x % 0.3 + divmod(y, 1)[1] * x + abs(x) - +y,
    "float32": lambda x, y: np.float32(0.1) * x**2 + np.array(0.25) * y + np.int8(3) * x + np.bool_(True) * y,
    "rounded": lambda x, y: np.round(x, 1) * y + round(y) + x,
    "sum over data": lambda x, y: np.sum((DATA**2 - (x * DATA + y)) ** 2),
    "a long sum": lambda x, y: np.sum((LONG**2 - np.tanh(x * LONG + y)) ** 2) * x + np.linalg.norm(PAIRS @ [x, y] - 1),
    "mean over data": lambda x, y: np.mean(np.maximum(x * DATA.astype("f4") + y, 0) ** 2) + np.max(x * DATA) - y,
    "products": lambda x, y: np.prod(x + DATA / 9) + (x * DATA + y) @ DATA + np.dot(DATA, y * DATA) * x,
    "a layer": lambda x, y: (np.tanh(PLANE @ np.stack([x, y])) ** 2).sum() + np.linalg.norm(x + DATA * y),
    "an array of both": lambda x, y: np.sum(np.array([x, y]) ** 2) + np.exp(np.array([x, y]))[1] + x * y,
    "polyval": lambda x, y: np.polyval([1.0, -2.0, 3.0], x) + y**2,
    "branches": _clipped_by_branches,
    "Python's max": lambda x, y: min(max(x, 0), 1) ** 2 + max(x, y, -1) * abs(y),
    "lists of both": lambda x, y: np.max([x, y]) * x + np.min([x, y, 0.3]) + np.ptp([x, y]) + np.sort([y, x])[0],
    "median": lambda x, y: np.median([x, y, x * y]) + np.linalg.norm(np.stack([x, y]), np.inf),
    "moments": lambda p: p.std() + np.var(p) + p.mean() ** 2 + p.shape[0] * p.max() + np.std(DATA * p[0] + p[1]),
    "slices": lambda p: np.sum(100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2) + p.size * p.ndim,
    "modulus": lambda x, y: abs((x + 1j * y) ** 2 - 1) + np.abs((x + 1j * y) ** 3 - 1) ** 2,
    "parts": lambda x, y: ((x + 1j * y) ** 3).real * ((x - 1j * y) / (x + 2j)).imag + np.angle(x + 1j * y),
    "of complex numbers": lambda x, y: abs(np.exp(1j * x) * np.sqrt(x + 1j * y) + np.sin(y + 1j * x)
                                           + np.log(1 + x * 1j) * np.tanh(x + 1j * y) + (x + 1j * y) ** 0.7),
    "complex roots": lambda x, y: abs(np.polyval([1, 0, 0, -1], x + 1j * y) * np.conj(y - 1j * x)),
    "complex data": lambda x, y: np.sum(np.abs(DATA * x + 1j * y * DATA**2 - 1j) ** 2)
    + np.abs(np.sum(np.exp(1j * LONG * x)) * y),
    "interp": lambda x, y: np.interp(x, [-1, 0, 0.5], [2.0, -1, 3]) * y + np.interp(y, [0, 1], [0, 1], left=-2),
    "piecewise": lambda x, y: np.piecewise(x, [x < 0, x >= 0], [lambda v: -v, lambda v: v**2]) + y,
    "likes": lambda x, y: np.ones_like(x) * x + np.full_like(y, 2) * y + np.zeros_like(x),
    "norms": lambda x, y: np.linalg.norm(np.stack([x, y, x * y]), 3) + np.linalg.norm(np.array([x, y]) - [1, 2]) ** 2,
    "determinant": lambda x, y: np.linalg.det(np.stack([np.stack(v) for v in ([x, y, 1], [y, 2, x], [2, x, y])])),
    "absolute residuals": lambda x, y: np.mean(np.abs(FEW**2 - (x * FEW + y))) + np.hypot(x - 1, y) ** 2,
    "huber of data": lambda x, y: np.sum(special.huber(0.45, FEW - (x * FEW + y)))
    + np.sum(np.where(FEW < 0.5, x * FEW - 1, (FEW - x) ** 2)),
    "hinge of data": lambda p: np.mean(np.maximum(0, 1 - np.sign(LONG - 0.4) * (PAIRS @ p))),
    "logistic of data": lambda x, y: -np.mean(LONG * np.log(special.expit(x * LONG + y))
                                              + (1 - LONG) * np.log(1 - special.expit(x * LONG + y))),
    "a sum by hand": lambda x, y: sum((v - (x * u + y)) ** 2 for u, v in PAIRS.tolist()),
    "a softmax of data": lambda x, y: np.sum(LONG * np.exp(x * LONG - y) / np.sum(np.exp(x * LONG - y))) + y,
    **_of("log_expit exp10 exprel cosm1 ndtr", _any, special),
    **_of("entr", _positive, special),
    **_of_two("copysign", lambda x, y: y + 0.1),
    "entropies": lambda x, y: special.xlogy(_positive(x, y), y * y + 0.1) + special.rel_entr(_positive(x, y), 1 + x * x)
    + special.kl_div(x * x, _positive(x, y)) + special.xlog1py(x, y * y) + special.beta(1 + x * x, 1.3 + y * y)
    + special.pseudo_huber(1 + x * x, y),
}  # fmt: skip
POINTS = np.random.default_rng(4).uniform(-2, 2, (2, 12))


@cache
def made(name):
    """The objective of a function of the catalogue."""
    return objective(CATALOGUE[name], label=name)


def of_numbers(function, x, y):
    one = function.__code__.co_varnames[0] == "p"
    return np.array([float(function(p) if one else function(*p)) for p in np.transpose([x, y])])


def slopes(function, x, y, h=1e-3):
    """Five-point differences."""
    steps = [(h * k, 0.0) for k in (1, -1, 2, -2)], [(0.0, h * k) for k in (1, -1, 2, -2)]
    return np.array([
        sum(w * function(x + a, y + b) for w, (a, b) in zip((8, -8, -1, 1), side, strict=True)) / (12 * h)
        for side in steps
    ])  # fmt: skip


@pytest.mark.parametrize("name", CATALOGUE)
def test_values_and_derivatives_are_those_of_the_function(name):
    surface, function = made(name), CATALOGUE[name]
    assert hasattr(surface, "traced")
    np.testing.assert_allclose(surface.value(*POINTS), of_numbers(function, *POINTS), rtol=2e-14, atol=1e-14)
    found = slopes(lambda x, y: of_numbers(function, x, y), *POINTS)
    np.testing.assert_allclose(surface.gradient(*POINTS), found, rtol=1e-7, atol=1e-8)
    bends = slopes(lambda x, y: surface.gradient(x, y), *POINTS)
    np.testing.assert_allclose(surface.hessian(*POINTS), bends.swapaxes(0, 1), rtol=1e-7, atol=1e-8)
    alone = [surface.float_gradient()(*p) for p in POINTS.T.tolist()]
    np.testing.assert_allclose(surface.gradient(*POINTS).T, alone, rtol=1e-14, atol=1e-15)
    assert "<math" in objective_mathml(surface) and surface.latex()


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("device", ["", "cpu"])
def test_a_kernel_walks_as_the_loop_does(name, device):
    axes = {"x": POINTS[0, :3].tolist(), "y": POINTS[1, :2].tolist()}
    got = sweep(made(name), SGD(lr=0.01), (1.0, 1.0), 3, axes, **({"device": device} if device else {}))
    starts = [(x, y) for x in axes["x"] for y in axes["y"]]
    loss = descend(made(name), SGD(lr=0.01), starts, 3).loss[-1]
    np.testing.assert_allclose(np.ravel(got), loss, rtol=1e-12, atol=1e-13)


def test_a_page_computes_the_same():
    kinds = ",\n".join(f"{json.dumps(name)}: {objective_script(made(name))}" for name in CATALOGUE)
    text = "\n".join([
        f"const kinds = {{{kinds}}}, points = {json.dumps(POINTS.T.tolist())};",
        "const all = (kind, p) => [kind.value, kind.gradient, kind.hessian].map((f) => kind.call(f, p, []));",
        "const found = Object.entries(kinds).map(([n, kind]) => [n, points.map((p) => all(kind, p).flat())]);",
        "return Object.fromEntries(found);",
    ])  # fmt: skip
    for name, rows in run_js(text).items():
        surface = made(name)
        own = [surface.value(*POINTS)[None], surface.gradient(*POINTS), surface.hessian(*POINTS).reshape(4, -1)]
        np.testing.assert_allclose(np.transpose(rows), np.concatenate(own), rtol=1e-12, atol=1e-13, err_msg=name)


def test_a_negative_number_to_a_broken_power_is_no_number_in_one_lane_as_in_many():
    surface = objective(lambda x, y: x**1.5 + y**2)
    for start in ((0.01, 1.0), [(0.01, 1.0), (0.01, 1.0)]):
        assert set(descend(surface, SGD(lr=1.0), start, 5).diverged) == {1}


def test_a_sweep_over_kinks_in_kinks():
    swept = sweep(made("relu6"), SGD(lr=0.1), (2.0, 1.0), 10, {"lr": [0.1, 0.2]})
    np.testing.assert_allclose(swept, [0.0576460752, 0.000182807922], rtol=1e-9)


def test_the_data_that_a_function_brings_in_are_followed():
    xs = np.linspace(0, 1, 100)
    line = objective(lambda w, b: np.sum((5 * xs + 2 - (w * xs + b)) ** 2))
    np.testing.assert_allclose(line.gradient(0.0, 0.0), [-535.016835, -900], rtol=1e-8)
    assert r"\sum_{i=1}^{100}" in line.latex()
    assert len(objective_script(line)) < 50_000


SYMPYS = {
    "Max": (lambda x, y: sympy.Max(x, 0) ** 2 + y**2, lambda x, y: torch.relu(x) ** 2 + y**2),
    "Min": (lambda x, y: sympy.Min(x, y, 1) ** 2, lambda x, y: torch.minimum(torch.minimum(x, y), torch.ones(())) ** 2),
    "Heaviside": (lambda x, y: sympy.Heaviside(x) * y**2, lambda x, y: (x.detach() > 0) * y**2),
    "erf": (lambda x, y: sympy.erf(x) + sympy.erfc(y), lambda x, y: torch.erf(x) + torch.erfc(y)),
    "atan2": (lambda x, y: sympy.atan2(y, x), lambda x, y: torch.atan2(y, x)),
    "gamma": (lambda x, y: sympy.gamma(x**2 + 1) + sympy.loggamma(y**2 + 1),
              lambda x, y: torch.exp(torch.lgamma(x**2 + 1)) + torch.lgamma(y**2 + 1)),
    "whole numbers": (lambda x, y: sympy.floor(x) * y + sympy.Mod(x, 1) + sympy.frac(y) + sympy.ceiling(y) * x,
                      lambda x, y: torch.floor(x) * y + x % 1 + y % 1 + torch.ceil(y) * x),
    "twice": (lambda x, y: sympy.log(x + 3) * y + sympy.log(x + 3), lambda x, y: torch.log(x + 3) * (y + 1)),
    "others": (lambda x, y: sympy.sech(x) + sympy.sinc(y) + sympy.acot(x**2 + 1) * np.tanh(y),
               lambda x, y: 1 / torch.cosh(x) + torch.sin(y) / y + torch.atan(1 / (x**2 + 1)) * torch.tanh(y)),
}  # fmt: skip


@pytest.mark.parametrize("name", SYMPYS)
def test_sympys_functions_against_torch(name):
    function, oracle = SYMPYS[name]
    surface = objective(function)
    for point in POINTS.T[:6]:
        x = torch.tensor(point, requires_grad=True)
        value = oracle(*x)
        np.testing.assert_allclose(surface.value(*point), value.item(), rtol=1e-12)
        (slope,) = torch.autograd.grad(value, x)
        np.testing.assert_allclose(surface.gradient(*point), slope.numpy(), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(surface.float_gradient()(*point.tolist()), slope.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(objective(SYMPYS["Max"][0]).gradient(0.0, 1.0), [0, 2])


def test_a_distribution_checks_its_arguments_without_a_branch():
    normal = objective(lambda x, y: -torch.distributions.Normal(0.0, 1.0).log_prob(x) + y**2)
    assert float(normal.value(1.0, 1.0)) == pytest.approx(2.418939, abs=1e-6)
    np.testing.assert_allclose(normal.gradient(0.5, 1.0), [0.5, 2.0])


@pytest.mark.parametrize("function", [
    lambda p: p[0] ** 2 + 3 * p[1] ** 2,
    lambda p: np.sum(np.array([1, 3]) * p**2),
    lambda p: p @ np.diag([1.0, 3.0]) @ p,
    lambda p, weight=3: p[0] ** 2 + weight * p[-1] ** 2 if len(p) == 2 else 0,
    lambda p: (torch.tensor([1.0, 3.0]) * p**2).sum(),
])  # fmt: skip
def test_a_function_of_one_array_gets_both_variables(function):
    one_argument = objective(lambda p: function(p))
    np.testing.assert_allclose(one_argument.value(1.0, 2.0), 13)
    np.testing.assert_allclose(one_argument.gradient(1.0, 2.0), [2, 12])


NAMED = {
    "numpy.i0": lambda x, y: np.i0(x) + y,
    "numpy.spacing": lambda x, y: np.spacing(x) + y,
    "numpy.isnan": lambda x, y: np.where(np.isnan(x), 0, x) + y,
    "more than 64 ways": lambda x, y: np.median([x, y, x * y, x - y, 1, x**2]) + y,
    "64 branches": lambda x, y: sum(max(u * x, y) for u in np.linspace(0, 1, 70)),
    "numpy.linalg.norm": lambda x, y: np.linalg.norm(np.stack([np.stack([x, y]), np.ones(2)]), 2) + y,
    "complex": lambda x, y: (x + 1j * y) ** 2,
    "scipy.special.j0": lambda x, y: special.j0(x) + y,
    "sympy.LambertW": lambda x, y: sympy.LambertW(x) + y,
    "optviz.DataLoss": lambda x, y: np.mean((x * np.ones(20_000) - y) ** 2),
    "write p[0] and p[1]": lambda p: p**2,
    "floor_divide": lambda x, y: torch.floor_divide(x, 1) ** 2 + y,
}


@pytest.mark.parametrize("name", NAMED)
def test_what_cannot_be_followed_is_named_in_one_sentence(name):
    with pytest.raises(ValueError) as caught:
        objective(NAMED[name])
    assert name in str(caught.value)
    assert one_sentence(str(caught.value)), caught.value


@pytest.mark.parametrize(("function", "place", "fix"), [
    (lambda x, y: x + math.hypot(x, y), "at math.hypot(x, y) in line", "use np.hypot"),
    (lambda x, y: x + math.atan2(x, y), "at math.atan2(x, y) in line", "use np.arctan2"),
    (lambda x, y: np.array([x, y], dtype=float).sum(), "at np.array([x, y], dtype=float)", "leave float()"),
    (lambda x, y: y + np.where(np.isnan(x), 0, x), "at np.isnan(x) in", "use np.where"),
    (lambda x, y: max(x, nothing), "at nothing in line", "name 'nothing' is not defined."),  # noqa: F821
    (lambda x, y: x + torch.special.airy_ai(y) * y.nothing, "at y.nothing in line", "no attribute 'nothing'"),
])  # fmt: skip
def test_a_refusal_names_the_place_and_what_to_use(function, place, fix):
    with pytest.raises(ValueError) as caught:
        objective(function)
    assert one_sentence(str(caught.value)), caught.value
    assert place in str(caught.value) and fix in str(caught.value) and "test_brought_functions.py" in str(caught.value)


def test_a_function_that_draws_at_random_is_refused():
    draws = np.random.default_rng(0)
    with pytest.raises(ValueError, match="the formula read from it") as caught:
        objective(lambda x, y: draws.normal() * x + y)
    assert one_sentence(str(caught.value))


def test_a_start_is_where_there_is_a_number():
    roots = objective(lambda x, y: x**1.5 + np.log(y))
    assert np.isfinite(roots.gradient(*roots.starts[0])).all()
    for function in (lambda x, y: (-1 - x**2) ** 0.5 + y, lambda x, y: x * np.nan + y):
        with pytest.raises(ValueError, match="nowhere a finite number") as caught:
            objective(function)
        assert one_sentence(str(caught.value))


def test_functions_of_one_variable_and_of_more():
    wave = objective(lambda x: np.sin(3 * x) + x**2 / 4, domain=(-2, 4))
    assert (wave.names, wave.domain) == (("x",), ((-2.0, 4.0),))
    np.testing.assert_allclose(wave.gradient(0.5), [3 * math.cos(1.5) + 0.25])
    run = descend(wave, SGD(lr=0.02), (2.0,), 300)
    assert abs(wave.gradient(run.x[-1, 0, 0])[0]) < 1e-3
    made = SurfaceDescent(objective=wave, optimizer=SGD(lr=0.02), start=(2.0, 0.0), steps=300)
    np.testing.assert_array_equal(made.trajectory.x[:, 0], np.column_stack([run.x[:, 0, 0], np.zeros(301)]))
    with pytest.raises(ValueError, match="SurfaceDescent shows curves of one"):
        Race(objective=wave)
    five = objective(lambda p: np.sum(100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2), domain=[(-2, 2)] * 5)
    point = np.linspace(-1, 1, 5)
    np.testing.assert_allclose(five.value(*point), rosen(point))
    np.testing.assert_allclose(five.gradient(*point), rosen_der(point))
    np.testing.assert_allclose(five.hessian(*point), rosen_hess(point))
    assert objective(lambda x, y, z: x * y - z**2, domain=[(-1, 1)] * 3).names == ("x", "y", "z")


def test_xp_takes_numbers_arrays_and_variables():
    assert float(optviz.xp.hypot(3.0, 4.0)) == 5
    np.testing.assert_allclose(optviz.xp.log1p(DATA + 2), np.log1p(DATA + 2))
    surface = objective(lambda x, y: optviz.xp.clip(2 * optviz.xp.pi * x, -1, 1) + optviz.xp.logaddexp(x, y))
    np.testing.assert_allclose(surface.value(0.1, 2.0), 0.2 * math.pi + np.logaddexp(0.1, 2.0))
    kinks = objective(
        lambda p: np.sum(optviz.xp.maximum(np.array([p[0], p[1]]), 0)) + optviz.xp.where(p > 1, p, 0).sum()
    )
    np.testing.assert_allclose(kinks.value([-1.0, 2.0], [0.5, -1.0]), [0.5, 4.0])
    net = objective(lambda x, y: optviz.xp.where(x > 0, torch.relu(x), y) + optviz.xp.hypot(x, y) + optviz.xp.erf(y))
    assert not hasattr(net, "traced")
    np.testing.assert_allclose(net.gradient(-0.6, 0.8), [-0.6, 1 + 0.8 + 2 / math.sqrt(math.pi) * math.exp(-0.64)])


def test_a_class_of_surfaces_may_call_numpys_functions():
    class Ripples(optviz.Objective):
        depth = param.Number(0.5)

        @staticmethod
        def formula(h, x, y, xp):
            return np.hypot(x, y) + h.depth * np.sum(np.cos(x * DATA)) + xp.log1p(xp.abs(y)) * xp.pi

    surface = Ripples(depth=0.25)
    value = np.hypot(0.3, 0.7) + 0.25 * np.cos(0.3 * DATA).sum() + math.pi * math.log1p(0.7)
    np.testing.assert_allclose(surface.value(0.3, 0.7), value, rtol=1e-14)


def test_a_class_of_surfaces_may_branch():
    class Bent(optviz.Objective):
        slope = param.Number(2.0)

        @staticmethod
        def formula(h, x, y, xp):
            return max(x, -h.slope * x) + y**2 if y > 0 else abs(x + 1j * y)

    np.testing.assert_allclose(Bent(slope=3.0).gradient([-1.0, 3.0], [1.0, -4.0]), [[-3.0, 0.6], [2.0, -0.8]])


def test_a_function_of_numpys_own_is_an_objective():
    np.testing.assert_allclose(objective(np.hypot).gradient(3.0, 4.0), [0.6, 0.8])


def test_a_sweep_knows_how_far_out_they_are_finite():
    surface = objective(lambda x, y: np.hypot(x, np.floor(y)) + np.arctan2(x, y) + np.sqrt(np.hypot(x, y)))
    assert Program(surface, SGD(), (), {}).radius({}) >= 1e100
    assert np.isfinite(surface.value(1e100, -1e100))
