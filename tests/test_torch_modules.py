"""Modules and data that people bring: what trains, what stays, what is taken as data."""

import copy
import functools

import numpy as np
import pytest
import torch
from modules import INPUTS, TARGETS, X, Y, line, mlp, refused, torch_walk
from torch.nn.functional import mse_loss
from torch.utils import data

import optviz
from optviz import SGD, Adam, TorchLoss, TorchOptimizer, descend, objective

STEPS = 6


# Parameters that stay


def test_frozen_and_unused_parameters_stay():
    class Half(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = line(), line()

        def forward(self, x):
            return self.used(x)

    module = line()
    module.bias.requires_grad_(False)
    loss = TorchLoss(module, torch.nn.MSELoss(), X, Y)
    assert loss.starts == ((module.weight.item(),),)
    run = descend(loss, SGD(lr=0.1), loss.starts[0], 1)
    twin = copy.deepcopy(module).double()
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.1)
    mse_loss(twin(X.double()), Y.double()).backward()
    optimizer.step()
    np.testing.assert_allclose(run.x[1, 0], twin.weight.detach()[0], rtol=1e-12)
    assert twin.bias.item() == module.bias.item() and loss.module.bias.item() == module.bias.item()
    half = TorchLoss(Half(), torch.nn.MSELoss(), X, Y)
    run = descend(half, TorchOptimizer(torch.optim.AdamW, lr=0.1, weight_decay=0.5), half.starts[0], 3)
    assert not run.updates[..., 2:].any() and run.updates[..., :2].all()  # torch decays no unused weight


# Data and modules


def same_path(loss, module, inputs=INPUTS, targets=TARGETS):
    reference = TorchLoss(module, torch.nn.MSELoss(), inputs, targets)
    one, other = (descend(each, Adam(lr=0.1), reference.starts[0], 4) for each in (loss, reference))
    np.testing.assert_array_equal(one.x, other.x)
    batches = optviz.batch_indices(len(targets), 3, seed=0)
    one, other = (
        descend(each, SGD(lr=0.1), reference.starts[0], len(batches), batches=batches) for each in (loss, reference)
    )
    np.testing.assert_array_equal(one.batch_loss, other.batch_loss)


def test_a_dataset_and_a_dataloader_are_data():
    pairs, module = data.TensorDataset(INPUTS, TARGETS), mlp()
    loaders = [data.DataLoader(pairs, batch_size=5, shuffle=shuffle) for shuffle in (False, True)]
    for source in (pairs, *loaders, data.Subset(pairs, range(12))):
        same_path(TorchLoss(module, torch.nn.MSELoss(), source), module)
    some = data.DataLoader(pairs, sampler=data.SubsetRandomSampler([4, 2, 9]))
    same_path(TorchLoss(module, torch.nn.MSELoss(), some), module, INPUTS[[4, 2, 9]], TARGETS[[4, 2, 9]])


class Sum(torch.nn.Module):
    """A module of two inputs, with a float32 constant that is no buffer."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.fixed = mlp()[0], mlp()[0], torch.ones(4, 2)

    def forward(self, a, b):
        return (self.left(a) + self.right(b)) @ self.fixed


def test_several_inputs_and_constants_inside():
    module, other = Sum(), torch.cos(INPUTS)
    loss = TorchLoss(module, torch.nn.MSELoss(), (INPUTS, other.numpy()), TARGETS)
    same_path(
        TorchLoss(module, torch.nn.MSELoss(), data.TensorDataset(INPUTS, other, TARGETS)), module, (INPUTS, other)
    )
    expected = mse_loss((module.left(INPUTS) + module.right(other)) @ torch.ones(4, 2, dtype=torch.float64), TARGETS)
    np.testing.assert_allclose(loss.value(*loss.starts[0]), expected.item(), rtol=1e-14)
    assert module.fixed.dtype == torch.float32


class Flow(torch.nn.Module):
    """A net whose output is a derivative of its own, by its input."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(3, 1)

    def forward(self, x):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(torch.sin(self.net(x)).sum(), x, create_graph=True)[0][:, :2]


def test_a_module_or_a_function_that_takes_derivatives_itself():
    module = Flow().double()
    loss = TorchLoss(module, torch.nn.MSELoss(), INPUTS, TARGETS)
    run = descend(loss, TorchOptimizer(torch.optim.SGD, lr=0.1), loss.starts[0], 6)
    np.testing.assert_array_equal(run.x[:, 0], torch_walk(module, functools.partial(torch.optim.SGD, lr=0.1))[0])

    def force(x, y):
        pull = torch.autograd.grad(torch.sin(x) * y**2, (x, y), create_graph=True)
        return pull[0] ** 2 + pull[1]

    made = objective(force)
    np.testing.assert_allclose(made.value(1.0, 2.0), (np.cos(1) * 4) ** 2 + np.sin(1) * 4)
    np.testing.assert_allclose(made.gradient(1.0, 2.0)[1], np.cos(1) ** 2 * 32 + np.sin(1) * 2)


class Stream(data.IterableDataset):
    def __iter__(self):
        return iter([])


class Reads(torch.nn.Linear):
    """A module whose forward is what it is made with."""

    def __init__(self, reading):
        super().__init__(3, 2)
        self.reading = reading

    def forward(self, x):
        return self.reading(self, x)


MSE = torch.nn.MSELoss()
PAIRS = data.TensorDataset(INPUTS, TARGETS)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: TorchLoss(mlp(), MSE, INPUTS), "needs targets"),
    (lambda: TorchLoss(mlp(), MSE, INPUTS, TARGETS[:5]), "[12, 5]"),
    (lambda: TorchLoss(mlp(), MSE, PAIRS, TARGETS), "leave them out"),
    (lambda: TorchLoss(mlp(), MSE, Stream()), "Stream"),
    (lambda: TorchLoss(mlp(), MSE, data.TensorDataset(INPUTS)), "(input, target)"),
    (lambda: TorchLoss(mlp(), MSE, data.DataLoader(PAIRS, batch_size=None)), "pass its dataset"),
    (lambda: TorchLoss(mlp(), MSE, [("a", 1), ("b", 2)], TARGETS), "numbers"),
    (lambda: TorchLoss(mlp(), MSE, 3.0, 1.0), "one row"),
    (lambda: TorchLoss(mlp(), MSE, INPUTS[:0], TARGETS[:0]), "at least one"),
    (lambda: TorchLoss(None, MSE, X, Y), "Module"),
    (lambda: TorchLoss(torch.nn.Tanh(), MSE, X, Y), "needs a module with parameters that train, not Tanh()"),
    (lambda: TorchLoss(torch.nn.LazyLinear(2), MSE, X, Y), "lazy"),
])  # fmt: skip
def test_data_and_modules_that_cannot_be_are_one_sentence(make, words):
    assert words in refused(make)


@pytest.mark.parametrize(("module", "criterion", "words"), [
    (Reads(lambda net, x: torch.nn.functional.linear(x.detach(), net.weight.detach())), MSE, "autograd can follow"),
    (Reads(lambda net, x: torch.nn.functional.linear(x, net.weight) @ torch.ones(2, 2)), MSE, ".double()"),
    (mlp(), lambda out, target: out.nothing, "failed: 'Tensor' object has no attribute 'nothing'"),
    (mlp(), lambda out, target: None, "failed"), (torch.nn.Linear(5, 1), MSE, "failed: mat1 and mat2"),
])  # fmt: skip
def test_what_goes_wrong_inside_is_one_sentence(module, criterion, words):
    for rule in (SGD(lr=0.1), TorchOptimizer(torch.optim.SGD, lr=0.1)):
        loss = TorchLoss(module, criterion, INPUTS, TARGETS)
        assert words in refused(lambda loss=loss, rule=rule: descend(loss, rule, loss.starts[0], 2))


# Many points at once

AT = np.meshgrid(np.linspace(-2, 2, 9), np.linspace(-1, 3, 7))
MANY = {
    "vectorised": lambda x, y: torch.sin(x) * torch.exp(-(y**2)) + 0.1 * x**2,
    "a branch that autograd may take": lambda x, y: x**2 if torch.is_tensor(y) and y.ndim else x**2 + y**4,
    "a power of a number": lambda x, y: torch.hypot(x, y) ** 1.5,
    "nowhere finite": lambda x, y: torch.log(-(x**2) - 1) + y,
}


@pytest.mark.parametrize("function", MANY.values(), ids=MANY)
def test_many_values_are_single_ones(function):
    made = optviz.TorchFunction(function, ((-3, 3), (-3, 3)), own_gradient=True)
    np.testing.assert_allclose(made.values(*AT), made.value(*AT), rtol=1e-13, equal_nan=True)


def test_what_torch_cannot_vectorise_is_asked_point_by_point():
    def branching(x, y):
        return x**2 if x.detach().item() > 0 else x**2 + y**2

    made = optviz.TorchFunction(branching, ((-3, 3), (-3, 3)), own_gradient=True)
    np.testing.assert_array_equal(made.values(*AT), made.value(*AT))
    loss = TorchLoss(mlp(), torch.nn.MSELoss(), INPUTS, TARGETS)
    points = np.random.default_rng(0).normal(size=(loss.dim, 5))
    np.testing.assert_allclose(loss.values(*points), loss.value(*points), rtol=1e-12)


def test_minima_of_a_module_are_searched_in_few_calls():
    calls = []

    def counted(prediction, target):
        calls.append(1)
        return mse_loss(prediction, target)

    loss = TorchLoss(torch.nn.Linear(1, 1), counted, np.ones((4, 1)), np.ones((4, 1)))
    loss.domain = ((-3, 3), (-3, 3))
    assert optviz.minima.lowest_loss(loss) == pytest.approx(0, abs=1e-12)  # a valley: weight + bias = 1
    assert len(calls) < 20_000  # 250,000 points
