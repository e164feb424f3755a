"""Functions that people bring: numpy's, scipy's and sympy's, each in every reading.

The oracle of a value is the function itself on numbers; of its derivatives, differences of it.
"""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import special

import optviz
from optviz import SGD, descend, objective, sweep
from optviz.export.kernels import objective_script
from optviz.formulas import objective_mathml

NODE = shutil.which("node")
EXPORT = Path(optviz.__file__).parent / "export"
DATA = np.linspace(-1, 2, 7)
LONG = np.linspace(0, 1, 30)
PAIRS = np.stack([LONG, LONG**2 - 0.3], axis=1)
PLANE = np.arange(14.0).reshape(7, 2) / 9


def _any(x, y):
    return x - y / 2


def _positive(x, y):
    return x * x + y * y / 2 + 0.3


def _inside(x, y):
    return 0.9 * np.sin(x + y / 3)


def _one(function, inner):
    return lambda x, y: function(inner(x, y)) + y**2


def _two(function, second):
    return lambda x, y: function(x, second(x, y)) * 2 + x


def _of(names, inner, module=np):
    return {name: _one(getattr(module, name), inner) for name in names.split()}


def _of_two(names, second=lambda x, y: y, module=np):
    return {name: _two(getattr(module, name), second) for name in names.split()}


CATALOGUE = {
    **_of("sin cos tanh sinh cosh exp expm1 exp2 cbrt fabs abs square sign floor ceil trunc rint fix round sinc "
          "arctan arcsinh deg2rad rad2deg radians degrees negative positive conjugate real", _any),
    **_of("sqrt log log1p log2 log10 reciprocal", _positive),
    **_of("arcsin arccos arctanh tan", _inside),
    **_of("arccosh", lambda x, y: 1 + _positive(x, y)),
    **_of_two("hypot arctan2 maximum minimum fmax fmin logaddexp logaddexp2 heaviside"),
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
}  # fmt: skip
FLAT = {"floor_divide", "floor", "ceil", "trunc", "rint", "fix", "round", "sign", "heaviside"}
POINTS = np.random.default_rng(4).uniform(-2, 2, (2, 12))


@cache
def made(name):
    return objective(CATALOGUE[name], label=name)


def of_numbers(function, x, y):
    return np.array([float(function(*p)) for p in np.transpose([x, y])])


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


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_a_page_computes_the_same():
    parts = [(EXPORT / name).read_text() for name in ("special.js", "descent.js")]
    kinds = ",\n".join(f"{json.dumps(name)}: {objective_script(made(name))}" for name in CATALOGUE)
    text = "\n".join([
        "class Nd {}", *parts, f"const kinds = {{{kinds}}}, points = {json.dumps(POINTS.T.tolist())};",
        "const all = (kind, p) => [kind.value, kind.gradient, kind.hessian].map((f) => kind.call(f, p, []));",
        "const found = Object.entries(kinds).map(([n, kind]) => [n, points.map((p) => all(kind, p).flat())]);",
        "process.stdout.write(JSON.stringify(Object.fromEntries(found)));",
    ])  # fmt: skip
    done = subprocess.run([str(NODE), "-"], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for name, rows in json.loads(done.stdout).items():
        surface = made(name)
        own = [surface.value(*POINTS)[None], surface.gradient(*POINTS), surface.hessian(*POINTS).reshape(4, -1)]
        np.testing.assert_allclose(np.transpose(rows), np.concatenate(own), rtol=1e-12, atol=1e-13, err_msg=name)
