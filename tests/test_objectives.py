"""Every surface against autograd, scipy and the literature; objectives made by a user."""

import math

import numpy as np
import pytest
import scipy.optimize
import sympy
import torch
from oracles import TORCH, one_sentence, surfaces

import optviz
from optviz import objective
from optviz.objectives.surfaces import Quadratic, Rosenbrock, RotatedQuadratic
from optviz.objectives.torch_objectives import TorchFunction

PI = math.pi
# name: domain, minima, lowest value, starts, as in the literature (see optviz.surfaces).
DECLARED = {
    "Sphere": ([-3, 3], [-3, 3], [(0, 0)], 0, [(2, 2)]),
    "Quadratic": ([-5.5, 3], [-3, 3], [(0, 0)], 0, [(-5, -2)]),
    "Booth": ([-10, 10], [-10, 10], [(1, 3)], 0, [(-8, 7)]),
    "Matyas": ([-10, 10], [-10, 10], [(0, 0)], 0, [(-9, -8)]),
    "Rosenbrock": ([-2, 2], [-1, 3], [(1, 1)], 0, [(-1.2, 1), (-2, 2)]),
    "Beale": ([-4.5, 4.5], [-4.5, 4.5], [(3, 0.5)], 0, [(1, 1), (2, 1.7), (3, 4)]),
    "Himmelblau": (
        [-5, 5], [-5, 5],
        [(3, 2), (-2.805118, 3.131313), (-3.779310, -3.283186), (3.584428, -1.848127)], 0, [(0, 0), (-6, 0)],
    ),
    "Rastrigin": ([-5.12, 5.12], [-5.12, 5.12], [(0, 0)], 0, [(-2, 3.5)]),
    "Ackley": ([-5, 5], [-5, 5], [(0, 0)], 0, [(-3, 2.5)]),
    "ThreeHumpCamel": ([-5, 5], [-5, 5], [(0, 0)], 0, [(-2, 1.5)]),
    "SixHumpCamel": (
        [-3, 3], [-2, 2], [(0.089842, -0.712656), (-0.089842, 0.712656)], -1.031628, [(1.3, -1.5)],
    ),
    "StyblinskiTang": ([-5, 5], [-5, 5], [(-2.903534, -2.903534)], -78.33233, [(4, 4)]),
    "McCormick": ([-1.5, 4], [-3, 4], [(-0.547198, -1.547198)], -1.913223, [(3, -1)]),
    "GoldsteinPrice": ([-2, 2], [-2, 2], [(0, -1)], 3, [(-1.5, 1)]),
    "Branin": ([-5, 10], [0, 15], [(-PI, 12.275), (PI, 2.275), (9.42478, 2.475)], 0.397887, [(2, 10)]),
    "BoundedSaddle": ([-2, 2], [-2, 2], [(0, math.sqrt(2)), (0, -math.sqrt(2))], -1, [(1.5, 0.001)]),
    "MonkeySaddle": ([-2, 2], [-2, 2], [], None, [(0.5, 0.1)]),
    "TanhNet": ([-4, 4], [-4, 4], [(1.5, 2), (-1.5, -2)], 0, [(0.5, 1.0)]),
    "Valley": ([-0.8, 0.8], [-0.5, 0.9], [], None, [(0.2, 0)]),
    "Parabola": ([-3, 3], [-1, 1], [(0, 0)], 0, [(-2.5, 0)]),
    "CosineCurve": ([-1, 2], [-1, 1], [(1.090408, 0)], -1.046721, [(-0.9, 0)]),
    "ThreeSlopes": ([-3, 4], [-1, 1], [(0, 0)], 0, [(3.3, 0)]),
}  # fmt: skip

# Worked out by hand from the formulas in the literature, not from the code.
BY_HAND = {
    "Sphere": [((1, 2), 5)],
    "Quadratic": [((-5, -2), 10.5), ((1, 1), 2.1)],
    "Booth": [((0, 0), 74), ((1, 1), 20)],
    "Matyas": [((1, 1), 0.04), ((1, -1), 1.0)],
    "Rosenbrock": [((-1.2, 1), 24.2), ((0, 0), 1)],
    "Beale": [((0, 0), 14.203125), ((1, 1), 14.203125)],
    "Himmelblau": [((0, 0), 170), ((1, 1), 106)],
    "Rastrigin": [((1, 1), 2), ((0.5, 0), 20.25)],
    "Ackley": [((1, 1), 20 - 20 * math.exp(-0.2))],
    "ThreeHumpCamel": [((1, 1), 2 - 1.05 + 1 / 6 + 2)],
    "SixHumpCamel": [((1, 1), 4 - 2.1 + 1 / 3 + 1)],
    "StyblinskiTang": [((1, 1), -10), ((4, 4), 20)],
    "McCormick": [((0, 0), 1), ((PI / 2, 0), 1 + PI**2 / 4 - 0.75 * PI + 1)],
    "GoldsteinPrice": [((0, 0), 600), ((1, 1), 1876)],
    "Branin": [((0, 0), 36 + 10 * (1 - 1 / (8 * PI)) + 10)],
    "BoundedSaddle": [((1, 2), 1)],
    "MonkeySaddle": [((1, 2), -11)],
    "TanhNet": [((0, 1), 0.75 * (math.tanh(1) ** 2 + math.tanh(2) ** 2 + math.tanh(4) ** 2))],
    "RotatedQuadratic": [],
    "Valley": [((0, 1), -0.05), ((1, 0.2), 19.99)],
    "Parabola": [((-3, 0), 9)],
    "CosineCurve": [((1, 0), -1), ((2, 0), 2), ((0.5, 0), 0)],
    "ThreeSlopes": [((1, 0), 12.5), ((2, 0), 38), ((3, 0), 76.5), ((-1, 0), 12.5)],
}


def points(cls, count=1000):
    """Random points of the domain, shape (2, count)."""
    box = np.array(cls().domain)
    return np.random.default_rng(11).uniform(box[:, :1], box[:, 1:], (2, count))


def shapes(cls):
    """The default and a second setting of the shape parameters."""
    names = cls.shape_names()
    return [cls(), cls(**{n: 0.7 * getattr(cls(), n) + 0.5 for n in names})] if names else [cls()]


@pytest.mark.parametrize("cls", surfaces())
def test_value_gradient_and_hessian_against_autograd(cls):
    x, y = points(cls)
    for surface in shapes(cls):
        columns = [torch.tensor(v, requires_grad=True) for v in (x, y)]
        value = surface.formula(surface, *columns, TORCH) + 0 * columns[0]
        slopes = torch.autograd.grad(value.sum(), columns, create_graph=True, materialize_grads=True)
        rows = [torch.autograd.grad(s.sum() + 0 * value.sum(), columns, retain_graph=True) for s in slopes]
        got = surface.value(x, y), surface.gradient(x, y), surface.hessian(x, y)
        expected = (
            value.detach().numpy(),
            np.stack([s.detach().numpy() for s in slopes]),
            np.array([[entry.numpy() for entry in row] for row in rows]),
        )
        for mine, theirs in zip(got, expected, strict=True):
            assert mine.shape == theirs.shape
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-10 * np.abs(theirs).max())


@pytest.mark.parametrize("cls", surfaces())
def test_hand_worked_values(cls):
    for point, value in BY_HAND[cls.__name__]:
        np.testing.assert_allclose(cls().value(*map(float, point)), value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cls", [c for c in surfaces() if c is not RotatedQuadratic])
def test_declarations(cls):
    x_range, y_range, minima, lowest, starts = DECLARED[cls.__name__]
    surface = cls()
    np.testing.assert_allclose(surface.domain, [x_range, y_range])
    assert [tuple(map(float, s)) for s in surface.starts] == [tuple(map(float, s)) for s in starts]
    assert len(surface.minima) == len(minima)
    for mine, theirs in zip(surface.minima, minima, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-6)
    if lowest is None:
        assert surface.lowest is None
    else:
        np.testing.assert_allclose(surface.lowest, lowest, atol=2e-6)


@pytest.mark.parametrize("cls", surfaces())
def test_minima_are_minima(cls):
    for surface in shapes(cls):
        for minimum in surface.minima:
            np.testing.assert_allclose(surface.value(*minimum), surface.lowest, rtol=1e-12, atol=1e-9)
            if cls.__name__ == "Ackley":  # a cone at its bottom: no gradient there
                continue
            assert np.abs(surface.gradient(*minimum)).max() < 1e-6
            assert np.linalg.eigvalsh(surface.hessian(*minimum)).min() > 0


@pytest.mark.parametrize("cls", [c for c in surfaces() if c.lowest is not None])
def test_nothing_lies_below_the_minimum(cls):
    for surface in shapes(cls):
        (x0, x1), (y0, y1) = surface.domain
        grid = np.meshgrid(np.linspace(x0, x1, 801), np.linspace(y0, y1, 801))
        assert surface.value(*grid).min() >= surface.lowest - 1e-9


@pytest.mark.parametrize("cls", surfaces())
def test_starts_and_minima_are_in_view(cls):
    surface = cls()
    box = np.array(surface.domain)
    for point in surface.minima:
        assert (box[:, 0] <= point).all() and (point <= box[:, 1]).all()
    assert cls.__doc__ and surface.names == ("x", "y")


def test_ackley_has_no_gradient_at_its_minimum_and_says_so_with_nan():
    gradient = optviz.surfaces.Ackley().gradient(0.0, 0.0)
    assert not np.isfinite(gradient).any()


def test_rosenbrock_against_scipy():
    for point in points(Rosenbrock, 100).T:
        surface = Rosenbrock()
        np.testing.assert_allclose(surface.value(*point), scipy.optimize.rosen(point), rtol=1e-12)
        np.testing.assert_allclose(surface.gradient(*point), scipy.optimize.rosen_der(point), rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(surface.hessian(*point), scipy.optimize.rosen_hess(point), rtol=1e-12)


def test_rosenbrock_curvatures():
    low, high = np.linalg.eigvalsh(Rosenbrock().hessian(1.0, 1.0))
    assert round(high, 1) == 1001.6 and round(high / low) == 2508


def test_shape_parameters_are_live():
    bowl = RotatedQuadratic(condition=10, angle=0)
    assert bowl.value(0, 1) == 5
    bowl.condition = 50
    assert bowl.value(0, 1) == 25
    bowl.angle = 90
    np.testing.assert_allclose(bowl.value(1, 0), 25)
    np.testing.assert_allclose(np.linalg.eigvalsh(bowl.hessian(0.3, 0.4)), [1, 50], rtol=1e-12)
    np.testing.assert_allclose(bowl.starts[0], (-0.5, -1), atol=1e-12)
    valley = Rosenbrock(steepness=7)
    assert valley.value(0, 2) == 1 + 7 * 4


def test_two_objects_of_one_class_do_not_share_their_shape():
    first, second = RotatedQuadratic(condition=2, angle=0), RotatedQuadratic(condition=8, angle=0)
    assert (first.value(0, 1), second.value(0, 1)) == (1, 4)


def test_values_take_any_shape_of_coordinates():
    surface, x, y = Quadratic(), np.zeros((3, 1, 4)), np.ones((2, 1))
    assert surface.value(x, y).shape == (3, 2, 4)
    assert surface.gradient(x, y).shape == (2, 3, 2, 4)
    assert surface.hessian(x, y).shape == (2, 2, 3, 2, 4)
    assert surface.value(1.0, 2.0).shape == ()


def test_overflow_is_a_result_not_a_warning():
    assert np.isinf(Rosenbrock().value(1e200, 0.0))


OPERATORS = {
    "plain": lambda x, y: (x - 1) ** 2 / 2 + 3 * abs(y) - x * y,
    "numpy": lambda x, y: np.sin(x) ** 2 + np.exp(-y) * np.sqrt(x**2 + 1) + np.maximum(x, y),
    "xp": lambda x, y: optviz.xp.where(x > y, x**2, optviz.xp.tanh(y)) + optviz.xp.cos(x),
    "sympy": lambda x, y: sympy.atan(x) * y + sympy.log(1 + y**2),
}
READ = {
    "plain": lambda x, y: (x - 1) ** 2 / 2 + 3 * abs(y) - x * y,
    "numpy": lambda x, y: torch.sin(x) ** 2 + torch.exp(-y) * torch.sqrt(x**2 + 1) + torch.maximum(x, y),
    "xp": lambda x, y: torch.where(x > y, x**2, torch.tanh(y)) + torch.cos(x),
    "sympy": lambda x, y: torch.atan(x) * y + torch.log(1 + y**2),
}


@pytest.mark.parametrize("kind", OPERATORS)
def test_an_objective_from_a_function(kind):
    made = objective(OPERATORS[kind])
    rng = np.random.default_rng(3)
    for point in rng.uniform(-2, 2, (50, 2)):
        x = torch.tensor(point, requires_grad=True)
        value = READ[kind](*x)
        np.testing.assert_allclose(made.value(*point), value.item(), rtol=1e-12)
        (slope,) = torch.autograd.grad(value, x)
        np.testing.assert_allclose(made.gradient(*point), slope.numpy(), rtol=1e-9, atol=1e-12)
        bend = torch.autograd.functional.hessian(lambda p: READ[kind](*p), x.detach()).numpy()
        np.testing.assert_allclose(made.hessian(*point), bend, rtol=1e-9, atol=1e-12)
    assert made.names == ("x", "y") and made.dim == 2


def test_a_torch_function_becomes_an_objective_by_autograd():
    made = objective(lambda x, y: torch.sin(x) * y**2, starts=[(1.0, 2.0)])
    assert isinstance(made, TorchFunction)
    np.testing.assert_allclose(made.value(1.0, 2.0), math.sin(1) * 4)
    np.testing.assert_allclose(made.gradient([1.0], [2.0])[:, 0], [math.cos(1) * 4, math.sin(1) * 4])
    np.testing.assert_allclose(
        made.hessian(1.0, 2.0), [[-math.sin(1) * 4, math.cos(1) * 4], [math.cos(1) * 4, 2 * math.sin(1)]]
    )
    run = optviz.descend(made, optviz.SGD(lr=0.1), [(1, 2), (0.5, 1)], 5)
    one = optviz.descend(made, optviz.SGD(lr=0.1), (0.5, 1), 5)
    np.testing.assert_allclose(run.x[:, 1], one.x[:, 0], rtol=1e-12)


def test_a_constant_direction_is_fine():
    made = objective(lambda x, y: x**2)
    np.testing.assert_allclose(made.gradient(np.ones(3), np.ones(3)), [[2] * 3, [0] * 3])


def test_a_users_declarations_are_kept():
    made = objective(lambda x, y: x**2 + y**2, ((-1, 2), (0, 4)), minima=[(0, 0)], starts=[(1, 1)], label="mine")
    assert made.domain == ((-1.0, 2.0), (0.0, 4.0)) and made.minima == ((0, 0),)
    assert made.starts == ((1, 1),) and made.label == "mine"
    (start,) = objective(lambda x, y: x + y, ((-1, 2), (0, 4))).starts
    assert -1 < start[0] < 2 and 0 < start[1] < 4


def _raises(x, y):
    raise RuntimeError("no such thing")


def _loops(x, y):
    while x > 1:
        x = x / y
    return x


@pytest.mark.parametrize(("function", "word"), [
    (_raises, "no such thing"),
    (_loops, "64 branches"),
    (lambda x, y: math.sin(x) + y, "use np.sin"),
    (lambda x, y: (x, y), "one number"),
    (lambda x, y: np.array([1.0, 2.0]), "one number"),
    (lambda x, y: torch.stack([x, y]), "one number"),
    (lambda x: x**2, "(x, y)"),
    (lambda: 1.0, "arguments ()"),
    (lambda x, y: None, ""),
    (lambda x, y: "text", ""),
    (lambda x, y: undefined_name * x, "undefined_name"),  # noqa: F821
    (lambda x, y: x.T @ y, ""),
    (lambda x, y: sympy.Symbol("z") * x, "x and y"),
])  # fmt: skip
def test_functions_that_cannot_be_read_are_refused_in_a_sentence(function, word):
    with pytest.raises(ValueError) as caught:
        objective(function)
    assert word in str(caught.value)
    assert one_sentence(str(caught.value)), caught.value


@pytest.mark.parametrize("domain", [
    ((0, 0), (0, 1)), ((1, 0), (0, 1)), (0, 1), ((0, float("nan")), (0, 1)), ((0, 1), (0, float("inf"))), "wide",
    ((0, 1), (0, 1), (0, 1)), None, ((0, 1), (0,)),
])  # fmt: skip
def test_a_bad_domain_is_refused_in_a_sentence(domain):
    with pytest.raises(ValueError, match="domain") as caught:
        objective(lambda x, y: x + y, domain)
    assert one_sentence(str(caught.value)), caught.value
