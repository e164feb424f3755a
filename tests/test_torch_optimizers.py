"""Optimizers that people bring, on a module's own tensors, against torch on the module itself."""

import functools

import numpy as np
import pytest
import torch
from modules import INPUTS, TARGETS, line, mlp, refused, torch_walk

import optviz
from optviz import TorchLoss, TorchOptimizer, descend, objective, surfaces
from optviz.rules import schedules

STEPS = 6


# Optimizers that look at shapes


class ByTensor(torch.optim.Optimizer):
    """LAMB in short: a step as long as the tensor itself, its lr smaller each time."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p -= group["lr"] * (p.norm() + 0.1) / p.grad.norm() * p.grad


def walk(module, make, steps=STEPS, **options):
    loss = TorchLoss(module, torch.nn.MSELoss(), INPUTS, TARGETS)
    return descend(loss, TorchOptimizer(make), loss.starts[0], steps, **options)


MAKERS = {
    "Adafactor": functools.partial(torch.optim.Adafactor, lr=0.05),
    "by tensor": ByTensor,
    "LBFGS": functools.partial(torch.optim.LBFGS, lr=0.3, max_iter=3),
    "Muon": functools.partial(torch.optim.Muon, lr=0.05),
    "AdamW": functools.partial(torch.optim.AdamW, lr=0.05, weight_decay=0.3),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_an_optimizer_moves_the_modules_own_tensors(make):
    module = mlp(bias=make is not MAKERS["Muon"])
    run = walk(module, make)
    np.testing.assert_array_equal(run.x[:, 0], torch_walk(module, make)[0])
    assert not run.diverged[0] and abs(run.updates).min() > 0


def test_terms_are_those_of_the_tensors_that_have_them():
    run = walk(mlp(), MAKERS["Adafactor"])
    assert run.terms["variance"].shape == run.updates.shape
    biases = [12, 13, 14, 15, 24, 25]  # a matrix has its variance by rows and columns
    assert np.isfinite(run.terms["variance"][-1, 0]).nonzero()[0].tolist() == biases


def test_groups_of_ones_own():
    def sorted_by_shape(parameters):
        matrices = [p for p in parameters if p.ndim == 2]
        return torch.optim.SGD(
            [{"params": matrices, "lr": 0.1}, {"params": [p for p in parameters if p.ndim == 1]}], lr=0.01
        )

    run = walk(mlp(), sorted_by_shape)
    np.testing.assert_array_equal(run.x[:, 0, 0], torch_walk(mlp(), sorted_by_shape)[0][:, 0])
    halved = walk(mlp(), sorted_by_shape, 1, schedule=schedules.LinearLR(total_iters=4, start_factor=0.5))
    np.testing.assert_allclose(halved.updates[0], run.updates[0] / 2, rtol=1e-9)


def test_what_an_optimizer_says_of_shapes_is_one_sentence():
    sentence = refused(lambda: walk(mlp(), MAKERS["Muon"]))
    assert "2D" in sentence and "requires_grad_(False)" in sentence
    muon = TorchOptimizer(torch.optim.Muon, lr=0.1)
    assert "2D" in refused(lambda: descend(surfaces.Quadratic(), muon, (1, 1), 3))


# Optimizers that move their own rate


class OwnRate(torch.optim.SGD):
    """Makes its rate smaller before it steps, or after."""

    def __init__(self, params, first):
        super().__init__(params, lr=0.2)
        self.first = first

    def step(self, closure=None):
        if self.first:
            self.param_groups[0]["lr"] *= 0.5
        super().step()
        if not self.first:
            self.param_groups[0]["lr"] *= 0.5


@pytest.mark.parametrize("first", [True, False])
def test_a_rate_that_the_optimizer_moves_is_left_to_it(first):
    make = functools.partial(OwnRate, first=first)
    run, (path, rates) = walk(mlp(), make), torch_walk(mlp(), make)
    np.testing.assert_array_equal(run.x[:, 0], path)
    np.testing.assert_array_equal(run.rates[:, 0], rates[1 if first else 0])
    np.testing.assert_allclose(run.updates, -run.rates[:, :, None] * run.gradients, rtol=1e-9, atol=1e-15)


def test_an_optimizer_without_a_rate():
    class Fixed(ByTensor):
        def step(self):  # and one that asks for no closure
            self.param_groups[0]["lr"] = 0.1
            super().step()
            self.param_groups[0]["lr"] = None

    rule = TorchOptimizer(Fixed, lr=None)
    run = descend(surfaces.Quadratic(), rule, (-5, -2), 3)
    np.testing.assert_array_equal(run.x, descend(surfaces.Quadratic(), TorchOptimizer(ByTensor), (-5, -2), 3).x)
    bare = TorchOptimizer(type("Bare", (ByTensor,), {"step": lambda self: None}), lr=None)
    assert np.isnan(descend(surfaces.Quadratic(), bare, (-5, -2), 3).rates).all()
    given = lambda: descend(surfaces.Quadratic(), bare, (-5, -2), 3, schedule=schedules.CosineAnnealingLR())  # noqa: E731
    assert "needs an lr for a schedule" in refused(given)


# Optimizers that need more than a gradient


class ScheduleFree(torch.optim.Optimizer):
    """Schedule-free SGD in short: it refuses to step before `train()`."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr, "k": 0})
        self.training = False

    def train(self):
        self.training = True

    @torch.no_grad()
    def step(self, closure=None):
        if not self.training:
            raise Exception("call .train() first")
        for group in self.param_groups:
            group["k"] += 1
            for p in group["params"]:
                z = self.state[p].setdefault("z", p.clone())
                p.lerp_(z, 1 / group["k"])
                p.add_(p.grad, alpha=-group["lr"] * (0.9 - 0.9 / group["k"]))
                z.sub_(p.grad, alpha=group["lr"])


class Curved(torch.optim.Optimizer):
    """AdaHessian in short: steps by Hutchinson's estimate of the curvature, its state in bfloat16."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        signs = [torch.randint(0, 2, p.shape) * 2.0 - 1 for p in params]
        products = torch.autograd.grad([p.grad for p in params], params, [s.double() for s in signs])
        with torch.no_grad():
            for p, sign, product in zip(params, signs, products, strict=True):
                self.state[p]["kept"] = (sign * product).to(torch.bfloat16)
                p -= self.param_groups[0]["lr"] * p.grad / ((sign * product).abs() + 1)


@pytest.mark.parametrize(("make", "graph"), [(ScheduleFree, False), (Curved, True)])
def test_an_optimizer_that_needs_more_than_a_gradient(make, graph):
    for seed in (0, 3):
        run = walk(mlp(), make, seed=seed)
        np.testing.assert_allclose(
            run.x[:, 0], torch_walk(mlp(), make, graph=graph, seed=seed)[0], rtol=1e-12, atol=1e-15
        )


def test_the_graph_of_a_gradient_of_any_objective():
    point, rng = (-1.2, 1.0), torch.get_rng_state()
    read = objective(lambda x, y: torch.as_tensor((1 - x) ** 2 + 100 * (y - x**2) ** 2))
    runs = [descend(o, TorchOptimizer(Curved), point, 5, clip=50.0, noise=0.3, seed=2)
            for o in (surfaces.Rosenbrock(), read)]  # fmt: skip
    np.testing.assert_allclose(runs[0].x, runs[1].x, rtol=1e-9)
    assert runs[0].clipped.any() and torch.equal(rng, torch.get_rng_state())
    x, y = np.linspace(-1, 1, 8), np.linspace(0, 2, 8)
    batches = optviz.batch_indices(8, 4, seed=1)[:2]
    ours, theirs = optviz.LinearRegression(x, y), TorchLoss(line(), torch.nn.MSELoss(), x[:, None], y[:, None])
    start = theirs.starts[0]
    a, b = (descend(each, TorchOptimizer(Diagonal), start, 2, batches=batches) for each in (ours, theirs))
    np.testing.assert_allclose(a.x, b.x, rtol=1e-9)


class Diagonal(torch.optim.Optimizer):
    """Curved without a draw, so that a vector and its pieces go the same way."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        params = self.param_groups[0]["params"]
        products = torch.autograd.grad([p.grad for p in params], params, [torch.ones_like(p) for p in params])
        with torch.no_grad():
            for p, product in zip(params, products, strict=True):
                p -= 0.1 * product


@pytest.mark.parametrize(("step", "words"), [
    (lambda self, closure: [][0], "failed at step 1: list index"), (lambda self, closure: self.nothing, "nothing"),
    (lambda self, closure: (_ for _ in ()).throw(ValueError("no\nmore")), "failed at step 1: no."),
])  # fmt: skip
def test_an_optimizer_that_fails_is_one_sentence(step, words):
    rule = TorchOptimizer(type("Mine", (ByTensor,), {"step": step}))
    assert words in refused(lambda: descend(surfaces.Quadratic(), rule, (1, 1), 3))


def test_an_optimizer_that_cannot_be_made_is_one_sentence():
    assert "nothing" in refused(lambda: TorchOptimizer(lambda parameters: parameters.nothing))
    assert "returns a torch.optim.Optimizer" in refused(lambda: TorchOptimizer(lambda parameters: parameters))
