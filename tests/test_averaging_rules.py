"""Rules that report a mean of their points, against torch and schedulefree: what is reported, step by step."""

from __future__ import annotations

import numpy as np
import pytest
import schedulefree
import torch
from oracles import torch_gradient

from optviz import descend, sweep
from optviz.objectives.surfaces import Himmelblau, Quadratic, Rosenbrock
from optviz.rules import averaging

STEPS = 200
STARTS = {Quadratic: (-5.0, -2.0), Rosenbrock: (-1.2, 1.0), Himmelblau: (0.5, -0.5)}
RANGES = {
    "lr": (1e-4, 5e-4), "lambd": (0.0, 0.5), "alpha": (0.3, 1.0), "t0": (0, 120), "weight_decay": (0.0, 0.2),
    "momentum": (0.3, 0.97), "beta1": (0.3, 0.97), "beta2": (0.8, 0.999), "warmup": (1, 60), "r": (0.0, 2.0),
    "weight_lr_power": (0.0, 3.0), "eps": (1e-8, 1e-4),
}  # fmt: skip
RULES = [averaging.ASGD, averaging.ScheduleFreeSGD, averaging.ScheduleFreeAdamW]
WHOLE = ("t0", "warmup")


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)  # ASGD keeps its rate in torch's default precision
    yield
    torch.set_default_dtype(torch.float32)


def drawn(cls, seed: int) -> dict[str, float]:
    random = np.random.default_rng([seed, RULES.index(cls)])
    found = {name: float(random.uniform(*RANGES[name])) for name in cls.hyperparameters()}
    found |= {"lr": found["lr"] * 8} if "beta2" in found else {}
    return {name: float(int(value)) if name in WHOLE else value for name, value in found.items()}


def reported(cls, own: dict, surface, start) -> np.ndarray:
    """What the library reports after each step."""
    h, x = dict(own), torch.tensor(start, requires_grad=True)
    if cls is averaging.ASGD:
        optimizer = torch.optim.ASGD([x], **h, foreach=False)
    else:
        betas = {"betas": (h.pop("beta1"), h.pop("beta2"))} if "beta1" in h else {}
        h["warmup_steps"] = int(h.pop("warmup"))
        kind = schedulefree.SGDScheduleFree if "momentum" in h else schedulefree.AdamWScheduleFree
        optimizer = kind([x], **h, **betas, foreach=False)
        optimizer.train()
    path = [x.detach().numpy().copy()]
    for _ in range(STEPS):
        x.grad = torch_gradient(surface, x)
        optimizer.step()
        if cls is averaging.ASGD:
            path.append(optimizer.state[x]["ax"].numpy().copy())
        else:
            optimizer.eval()
            path.append(x.detach().numpy().copy())
            optimizer.train()
    return np.array(path)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cls", RULES)
def test_equals_the_library(cls, seed):
    own = drawn(cls, seed)
    for surface, start in STARTS.items():
        expected = reported(cls, own, surface(), start)
        run = descend(surface(), cls(**own), start, STEPS)
        tolerance = (1e-7 if cls is averaging.ASGD else 1e-11) * np.abs(expected).max()
        if surface is Rosenbrock:  # on whose floor AdamW leaps to and fro: what is rounded grows
            expected, run = expected[:100], descend(surface(), cls(**own), start, 99)
        assert np.isfinite(expected).all() and np.ptp(expected, axis=0).max() > 1e-4
        np.testing.assert_allclose(run.x[:, 0], expected, rtol=0, atol=tolerance, err_msg=str(own))


@pytest.mark.parametrize("cls", RULES)
def test_gradients_are_those_where_the_rule_looks(cls):
    surface, rule = Himmelblau(), cls(**{**cls.preset, "lr": 0.005})
    run = descend(surface, rule, (0.5, -0.5), 40)
    looked = run.terms["y"] if "y" in run.terms else np.concatenate([run.x[:1], run.terms["w"][:-1]])
    np.testing.assert_allclose(run.gradients[:, 0].T, surface.gradient(*looked[:, 0].T), rtol=1e-12)
    assert (np.abs(looked - run.x[:-1]) > 1e-4).any()


@pytest.mark.parametrize("cls", RULES)
def test_sweeps_report_the_same_point(cls):
    rates = [0.001, 0.004]
    found = sweep(Himmelblau(), cls(**cls.preset), (0.5, -0.5), 60, {"lr": rates}, measure="loss")
    runs = [descend(Himmelblau(), cls(**{**cls.preset, "lr": lr}), (0.5, -0.5), 60).loss[-1, 0] for lr in rates]
    np.testing.assert_allclose(found.values, runs, rtol=1e-12)
