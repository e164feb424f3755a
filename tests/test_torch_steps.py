"""Single steps from torch's own state, and runs that no two ways of rounding share."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from oracles import rules, torch_gradient, torch_path, torch_settings

from optviz import NAdam, RMSprop, descend
from optviz.objectives.surfaces import Himmelblau, Rosenbrock
from optviz.rules import optimizers
from optviz.trace.tracing import ARRAYS

STEPS = 60
MEANS = {"m": "exp_avg", "v": "exp_avg_sq"}
# where torch keeps what a rule carries
STATE = {
    "Adadelta": {"v": "square_avg", "u": "acc_delta"}, "Adagrad": {"s": "sum"},
    "Adam": {**MEANS, "v_max": "max_exp_avg_sq"}, "AdamW": {**MEANS, "v_max": "max_exp_avg_sq"},
    "Adamax": {"m": "exp_avg", "u": "exp_inf"}, "NAdam": {**MEANS, "mu_product": "mu_product"}, "RAdam": MEANS,
    "RMSprop": {"v": "square_avg", "m": "grad_avg", "b": "momentum_buffer"},
    "Rprop": {"g_kept": "prev", "size": "step_size"}, "SGD": {"b": "momentum_buffer"},
}  # fmt: skip
FLAGS = {"Adam": {"amsgrad": True}, "AdamW": {"amsgrad": True}, "RMSprop": {"momentum": 0.9, "centered": True},
         "SGD": {"momentum": 0.9, "dampening": 0.3}}  # fmt: skip
TORCH_RULES = [cls for cls in rules() if cls.__module__ == optimizers.__name__ and hasattr(torch.optim, cls.__name__)]


@pytest.fixture
def double_precision():
    """NAdam keeps its running product in torch's default precision."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def carried(rule, optimizer, x):
    """What a rule carries, as torch's state has it; the first values before there is one."""
    state, first = optimizer.state[x], {**rule.values()}
    values = {name: first.get(value, value) for name, value in rule.memory.items()}
    kept = {name: state.get(key) for name, key in STATE[type(rule).__name__].items()}
    return values | {name: np.array(v.detach().numpy(), dtype=float) for name, v in kept.items() if v is not None}


@pytest.mark.parametrize("cls", TORCH_RULES)
def test_each_step_from_torchs_own_state_is_torchs(cls, double_precision):
    settings = {"lr": 1e-4 if cls.__name__ in ("SGD", "RAdam") else 0.02, **FLAGS.get(cls.__name__, {})}
    rule, objective = cls(**settings), Rosenbrock()
    x = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, cls.__name__)([x], **torch_settings(cls, settings))
    for t in range(1, STEPS + 1):
        before, x.grad = x.detach().numpy().copy(), torch_gradient(objective, x.detach())
        memory = SimpleNamespace(**carried(rule, optimizer, x))
        h, gradient = SimpleNamespace(**rule.values()), x.grad.numpy().copy()
        step = rule.update(h, memory, before, gradient, t, lambda name, value: value, ARRAYS)
        optimizer.step()
        off = np.abs(x.detach().numpy() - (before + step))
        assert (off <= 1e-14 * (np.abs(before) + np.abs(step))).all(), (t, off)


def test_nadam_as_users_run_it_keeps_a_float32():
    expected = torch_path(Rosenbrock(), torch.optim.NAdam, {"lr": 0.02}, (-1.2, 1.0), STEPS)
    off = np.abs(descend(Rosenbrock(), NAdam(lr=0.02), (-1.2, 1.0), STEPS).x[:, 0] - expected).max()
    assert 0 < off < 1e-6


def test_a_chaotic_run_stays_as_near_to_torchs_as_torchs_to_itself():
    """RMSprop goes round near a minimum: there one rounding of a gradient a step is another run."""

    rng = np.random.default_rng(0)
    start, steps, lr = (0.5, -0.5), 400, 0.05
    expected = torch_path(Himmelblau(), torch.optim.RMSprop, {"lr": lr}, start, steps)
    spread = np.zeros(steps + 1)
    for _ in range(5):
        x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer, path = torch.optim.RMSprop([x], lr=lr), [np.array(start)]
        for _ in range(steps):
            g = torch_gradient(Himmelblau(), x.detach()).numpy()
            x.grad = torch.from_numpy(np.nextafter(g, g + rng.choice([-1, 1], 2)))
            optimizer.step()
            path.append(x.detach().numpy().copy())
        spread = np.maximum(spread, np.abs(np.array(path) - expected).max(axis=1))
    ours = descend(Himmelblau(), RMSprop(lr=lr), start, steps).x[:, 0]
    off = np.abs(ours - expected).max(axis=1)
    assert (off <= 20 * np.maximum.accumulate(spread) + 1e-15).all()
