"""How much faster the engine computes than the loops a notebook would write.

    python benchmarks/compute.py

Each baseline is the plain matplotlib-and-ipywidgets notebook's computation: Python loops
over steps and grid points, torch for losses and optimizers. Both sides run in this
process, one after the other; every time is the best of several.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import param
import torch

import optviz
from optviz import SGD, Lanes, LinearRegression, ReLUNet, Rule, SingleParameter, descend
from optviz.objectives.criteria import CRITERIA

AXIS = -5 + 13 * np.arange(101) / 100


def best(function: Callable, repeats: int = 5) -> float:
    """The shortest time of a call, in milliseconds; the first call, which traces, is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


# SingleParameter: 23,640 updates with momentum, decay and clipping, and the baseline SGD


class NotebookSGD:
    """The little optimizer class of a lesson: one scalar parameter, one step a call."""

    def __init__(self, lr, momentum=0.0, clip=None):
        self.lr, self.momentum, self.clip = lr, momentum, clip
        self.update = 0.0

    def step(self, gradient):
        if self.clip is not None:
            gradient = max(-self.clip, min(self.clip, gradient))
        self.update = self.momentum * self.update - self.lr * gradient
        return self.update


def noise_loop(gradients, lr=0.1, decay=0.002, momentum=0.95, clip=5.0):
    optimizer, plain = NotebookSGD(lr, momentum, clip), NotebookSGD(0.1)
    epochs = gradients.reshape(40, 591)
    updates, baseline = np.zeros_like(epochs), np.zeros_like(epochs)
    for epoch in range(40):
        for step in range(591):
            gradient = epochs[epoch, step]
            updates[epoch, step] = optimizer.step(gradient)
            baseline[epoch, step] = plain.step(gradient)
        optimizer.lr = max(optimizer.lr - decay, 0.001)
    return updates.ravel(), baseline.ravel()


def noise_page(gradients=None) -> SingleParameter:
    """The experiment at the loop's settings; without gradients it draws its own."""
    return SingleParameter(gradients=gradients, lr=0.1, decay=0.002, momentum=0.95, clip=5.0)


def turned(experiment: SingleParameter) -> tuple:
    """A visitor's knob: updates, spreads, theory, the arrays of all pictures and the text: all of a page."""
    experiment.momentum = 0.9 if experiment.momentum == 0.95 else 0.95
    return experiment.drawings, experiment.status(), experiment.side(), experiment.shade()


# LossComparison: a line fitted under four losses, and each loss on a grid of 101 x 101


def regression_data():
    rng = np.random.RandomState(20240215)
    x = rng.randn(50)
    y = 0.75 * x**2 + x + 2 + 0.3 * rng.randn(50)
    return x.astype(np.float32), y.astype(np.float32)


TORCH_LOSSES = (torch.nn.MSELoss, torch.nn.L1Loss, torch.nn.HuberLoss, torch.nn.SmoothL1Loss)


def training_loops(x, y, epochs=100):
    inputs, targets = torch.from_numpy(x)[:, None], torch.from_numpy(y)[:, None]
    paths = []
    for loss in (cls() for cls in TORCH_LOSSES):
        model = torch.nn.Linear(1, 1)
        with torch.no_grad():
            model.weight.fill_(6.0)
            model.bias.fill_(-3.0)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        path = [(model.weight.item(), model.bias.item())]
        for _ in range(epochs):
            value = loss(model(inputs), targets)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            path.append((model.weight.item(), model.bias.item()))
        paths.append(path)
    return np.array(paths)


def grid_loops(x, y):
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    maps = np.empty((4, 101, 101))
    for k, loss in enumerate(cls() for cls in TORCH_LOSSES):
        for i, weight in enumerate(AXIS.tolist()):
            for j, bias in enumerate(AXIS.tolist()):
                maps[k, i, j] = loss(weight * inputs + bias, targets).item()
    return maps


# StochasticLandscape: the loss of each of 100 samples on a grid of 100 x 100


def relu_data():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 100)
    return x, 2 * x + 0.1 * rng.standard_normal(100)


def sample_loops(x, y, axis):
    """The notebook's way: two loops over the weights for each sample's map."""
    maps = np.empty((x.size, axis.size, axis.size))
    weights = axis.tolist()
    for k, (sample, target) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        for i, w1 in enumerate(weights):
            for j, w2 in enumerate(weights):
                maps[k, i, j] = (w1 * max(w2 * sample, 0.0) - target) ** 2
    return maps


# objective: a function over 100 samples, followed to its formula, gradient and Hessian


def sample_functions():
    """Sums over 100 samples as people write them."""
    x, y = relu_data()
    points, sides = np.stack([x, np.cos(9 * x)], axis=1), np.sign(y)
    return {
        "squares": lambda w, b: np.sum((y - (w * x + b)) ** 2),
        "sizes": lambda w, b: np.mean(np.abs(y - (w * x + b))),
        "logistic": lambda p: np.mean(np.logaddexp(0, -sides * (points @ p))),
        "hinge": lambda p: np.mean(np.maximum(0, 1 - sides * (points @ p))),
        "a loop": lambda w, b: sum((v - np.tanh(w * u + b)) ** 2 for u, v in zip(x, y, strict=True)),
    }


def show(rows) -> None:
    """Print name, baseline, ours, ratio and target; the exit status says whether all are met."""
    print(f"{'what':44} {'loops ms':>9} {'optviz ms':>10} {'ratio':>7}  target")
    failed = False
    for name, slow, fast, target in rows:
        ratio = slow / fast if slow else None
        met = ratio >= target if slow else fast <= target
        failed |= not met
        shown = f"{ratio:7.0f}" if slow else " " * 7
        goal = f">= {target} x" if slow else f"<= {target} ms"
        before = f"{slow:9.1f}" if slow else " " * 9
        print(f"{name:44} {before} {fast:10.3f} {shown}  {goal}{'' if met else '  MISSED'}")
    sys.exit(1 if failed else 0)


def check_equal() -> None:
    """Both sides compute the same, or the ratios mean nothing."""
    gradients = np.random.default_rng(0).standard_normal(23640)
    made = noise_page(gradients)
    for ours, theirs in zip((made.updates, made.baseline), noise_loop(gradients), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    x, y = regression_data()
    objectives = [LinearRegression(x, y, loss=name) for name in CRITERIA]
    run = descend(Lanes(objectives), SGD(lr=0.1, momentum=0.9), (6, -3), 100)
    np.testing.assert_allclose(run.x.swapaxes(0, 1), training_loops(x, y), rtol=1e-4, atol=1e-4)
    maps = [each.landscape(AXIS, AXIS) for each in objectives]
    np.testing.assert_allclose(maps, grid_loops(x, y), rtol=1e-5)
    x, y = relu_data()
    axis = np.linspace(-3, 3, 100)
    ours = ReLUNet(x, y).landscape(axis, axis, samples=range(100))
    np.testing.assert_allclose(ours, sample_loops(x, y, axis), rtol=1e-9, atol=1e-12)


def main() -> None:
    torch.set_num_threads(1)  # the tensors are tiny: threads would only slow the loops down
    check_equal()
    gradients = np.random.default_rng(0).standard_normal(23640)
    page = noise_page()
    slow, knob = best(lambda: noise_loop(gradients), 8), best(lambda: turned(page), 100)
    drawn = best(lambda: page.param.trigger("new_gradients"), 50)
    rows = [
        ("SingleParameter: a knob and all its pictures", slow, knob, 40),
        ("SingleParameter: new gradients and all pictures", slow, drawn, 10),
    ]

    x, y = regression_data()
    objectives = [LinearRegression(x, y, loss=name) for name in CRITERIA]
    lanes = Lanes(objectives)
    rule = SGD(lr=0.1, momentum=0.9)
    slow_paths, slow_maps = best(lambda: training_loops(x, y), 3), best(lambda: grid_loops(x, y), 2)
    paths = best(lambda: descend(lanes, rule, (6, -3), 100), 30)
    maps = best(lambda: [each.landscape(AXIS, AXIS) for each in objectives], 20)
    rows += [
        ("LossComparison: paths and landscapes", slow_paths + slow_maps, paths + maps, 60),
        ("LossComparison: a knob, paths alone", 0, paths, 10),
    ]

    x, y = relu_data()
    net, axis = ReLUNet(x, y), np.linspace(-3, 3, 100)
    slow = best(lambda: sample_loops(x, y, axis), 3)
    fast = best(lambda: net.landscape(axis, axis, samples=range(100)), 20)
    rows.append(("StochasticLandscape: 100 sample landscapes", slow, fast, 40))

    for name, function in sample_functions().items():
        rows.append((f"objective: {name} of 100 samples", 0, best(lambda f=function: optviz.objective(f)), 300))

    surface = optviz.surfaces.Quadratic()
    for cls in sorted(param.concrete_descendents(Rule).values(), key=lambda c: c.__name__):
        walker = cls(**cls.preset)
        spent = best(lambda r=walker: descend(surface, r, (-5, -2), 50), 30)
        rows.append((f"SurfaceDescent: 50 steps of {cls.__name__}", 0, spent, 2))
    show(rows)


if __name__ == "__main__":
    main()
