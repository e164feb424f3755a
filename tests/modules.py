"""Small torch modules and their data, and how torch itself trains them."""

import copy
import warnings

import numpy as np
import pytest
import torch
from oracles import one_sentence
from torch.nn.functional import mse_loss

X = torch.linspace(-1, 1, 30)[:, None]
Y = 3 * X + 0.5
INPUTS, TARGETS = (torch.sin(torch.arange(12.0 * n, dtype=torch.float64)).reshape(12, n) for n in (3, 2))


def refused(make) -> str:
    """The one sentence of a ValueError."""
    with pytest.raises(ValueError) as caught:
        make()
    assert one_sentence(str(caught.value)), caught.value
    return str(caught.value)


def line() -> torch.nn.Linear:
    """A line, in float32."""
    return torch.nn.Linear(1, 1)


def mlp(bias=True) -> torch.nn.Sequential:
    """A net 3 - 4 - 2 for the inputs and the targets here, in float64."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4, bias), torch.nn.Tanh(), torch.nn.Linear(4, 2, bias)).double()


def vector(module) -> np.ndarray:
    """A module's parameters one after the other."""
    return torch.cat([p.detach().reshape(-1) for p in module.parameters()]).numpy()


def torch_walk(module, make, steps=6, graph=False, seed=0):
    """The path of a module's parameters as torch itself trains it, and each step's lr before and after it."""
    torch.manual_seed(seed)
    module = copy.deepcopy(module)
    optimizer, path, rates = make([p for p in module.parameters() if p.requires_grad]), [vector(module)], []
    if hasattr(optimizer, "train"):
        optimizer.train()

    def closure():
        optimizer.zero_grad()
        loss = mse_loss(module(INPUTS), TARGETS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the cycle that a graph makes
            loss.backward(create_graph=graph)
        return loss

    for _ in range(steps):
        before = optimizer.param_groups[0]["lr"]
        closure()
        optimizer.step(closure)
        rates.append((before, optimizer.param_groups[0]["lr"]))
        path.append(vector(module))
    return np.array(path), np.array(rates, dtype=float).T
