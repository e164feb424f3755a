"""Functions that call torch: a variable that autograd loses is refused, a gradient that is right is kept."""

import functools

import numpy as np
import pytest
import torch
from modules import X, Y, line, refused
from torch.nn.functional import mse_loss

from optviz import TorchFunction, objective

STEPS = 6


def put(net, a, b):
    return {"weight": a.reshape(1, 1).to(net.weight.dtype), "bias": b.reshape(1).to(net.bias.dtype)}


def loads(net, a, b):
    net.load_state_dict(put(net, a, b))
    return mse_loss(net(X), Y)


def copies(net, a, b):
    with torch.no_grad():
        net.weight.copy_(a.reshape(1, 1))
        net.bias.copy_(b)
    return mse_loss(net(X), Y)


def fills(net, a, b):
    net.weight.data, net.bias.data = put(net, a, b).values()
    return mse_loss(net(X), Y)


def without_grad(net, a, b):
    with torch.no_grad():
        return a**2 + torch.exp(b)


LOST = {
    "load_state_dict": (functools.partial(loads, line()), "x and y"),
    "copy_": (functools.partial(copies, line()), "x and y"),
    ".data": (functools.partial(fills, line()), "x and y"),
    "no_grad": (functools.partial(without_grad, None), "x and y"),
    ".detach()": (lambda a, b: a**2 + torch.sin(b.detach()), "y"),
    "numpy": (lambda a, b: torch.as_tensor(np.sin(a.detach().numpy())) + b**2, "x"),
    "in part": (lambda a, b: torch.exp(a) + a * a.data + b**2, "x"),
    "precision": (lambda a, b: (torch.sin(a) + b.detach() ** 2).float(), "y"),
}


@pytest.mark.parametrize(("function", "names"), LOST.values(), ids=LOST)
def test_a_variable_that_autograd_loses_is_refused(function, names):
    for make in (lambda: objective(function, label="mine"), lambda: TorchFunction(function, ((-3, 3), (-3, 3)))):
        sentence = refused(make)
        assert f"loses {names} on the way" in sentence and "torch.func.functional_call" in sentence


@pytest.mark.parametrize("use", [lambda v: float(v), lambda v: v.item()], ids=["float", "item"])
def test_a_variable_made_a_number_is_refused(use):
    assert "numbers only" in refused(lambda: objective(lambda x, y: torch.sin(x) + use(y) ** 2))
    made = lambda: TorchFunction(lambda x, y: torch.sin(x) + use(y.detach()) ** 2, ((-3, 3), (-3, 3)))  # noqa: E731
    assert "loses y on the way" in refused(made)


def test_functional_call_keeps_the_gradient():
    net = line()
    made = objective(lambda a, b: mse_loss(torch.func.functional_call(net, put(net, a, b), (X,)), Y))
    np.testing.assert_allclose(made.gradient(-2.0, 2.0), [-3.563218, 3.0], rtol=1e-6)
    wide = lambda a, b: mse_loss(torch.func.functional_call(net, {"weight": a.reshape(1, 1)}, (X,)), Y) + b  # noqa: E731
    assert "float64" in refused(lambda: objective(wide))


KEPT = {
    "y is not there": (lambda x, y: torch.sin(x), [np.cos(1.0), 0]),
    "neither is": (lambda x, y: torch.tensor(3.0), [0, 0]),
    "steps": (lambda x, y: torch.round(x) + torch.sin(y), [0, np.cos(1.0)]),
    "a gradient across steps": (lambda x, y: x + (torch.round(x) - x).detach() + y, [1, 1]),
    "kinks": (lambda x, y: torch.relu(x) + abs(torch.sin(9 * y)), [1, 9 * np.cos(9.0)]),
    "noise": (lambda x, y: torch.sin(x) + y + torch.randn(()), [np.cos(1.0), 1]),
    "numpy's noise": (lambda x, y: torch.sin(x) + y + np.random.default_rng().normal(), [np.cos(1.0), 1]),
    "large": (lambda x, y: 1e9 + torch.exp(x) + y, [np.e, 1]),
    "nowhere but at the start": (lambda x, y: torch.log(x - 0.999) + y, [1000, 1]),
    "in float32": (lambda x, y: (x.float() ** 2 + 100 * y.float()).double(), [2, 100]),
}


@pytest.mark.parametrize(("function", "slope"), KEPT.values(), ids=KEPT)
def test_a_gradient_that_is_right_is_kept(function, slope):
    made = objective(function, starts=[(1.0, 1.0)])
    np.testing.assert_allclose(made.gradient(1.0, 1.0), slope, rtol=1e-6)


def test_a_gradient_that_is_meant_to_be_another_is_kept():
    made = TorchFunction(lambda x, y: x * x.detach() + y, ((-3, 3), (-3, 3)), own_gradient=True)
    np.testing.assert_array_equal(made.gradient(2.0, 1.0), [2, 1])
