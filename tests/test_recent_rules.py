"""Rules after Adam against pytorch-optimizer, at random settings."""

from __future__ import annotations

import numpy as np
import pytest
import pytorch_optimizer
import torch
from oracles import torch_path

from optviz import descend
from optviz.listed import own_classes
from optviz.objectives.surfaces import Himmelblau, Quadratic, Rosenbrock
from optviz.rules import recent
from optviz.rules.rule import Rule

STEPS = 200
STARTS = {Quadratic: (-5.0, -2.0), Rosenbrock: (-1.2, 1.0), Himmelblau: (0.5, -0.5)}
RULES = own_classes(recent.__name__, Rule)
# what a setting is called there; "betas" and "nus" hold several
NAMES = {"initial_accumulator": "initial_accumulator", "warmup": "t_alpha_beta3"}
GROUPS = {"betas": ("beta1", "beta2", "beta3"), "nus": ("nu1", "nu2")}
RANGES = {
    "beta1": (0.5, 0.95), "beta2": (0.8, 0.999), "beta3": (0.8, 0.9999), "weight_decay": (0.0, 0.2), "nu1": (0.0, 1.0),
    "nu2": (0.0, 1.0), "alpha": (0.0, 4.0), "warmup": (1.0, 150.0),
    "final": (1.0, 50.0), "gamma": (1e-3, 0.1),
    "eps": (1e-8, 1e-4), "initial_accumulator": (0.0, 1e-3), "lr": (5e-5, 4e-4),
}  # fmt: skip
# QHAdam's shares of the means are rounded to single precision there; AdaBelief divides by what nearly cancels
TOLERANCE = {"QHAdam": 1e-6, "AdaBelief": 1e-8}


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def drawn(cls: type[Rule], seed: int) -> dict[str, float]:
    random = np.random.default_rng([seed, RULES.index(cls)])
    return {name: float(random.uniform(*RANGES[name])) for name in cls.hyperparameters()}


def named_as_there(cls: type[Rule], settings: dict) -> dict:
    left = {NAMES.get(name, name): value for name, value in settings.items()}
    left |= {"final_lr": left.pop("final") * left["lr"]} if "final" in left else {}
    for group, names in GROUPS.items():
        held = tuple(left.pop(name) for name in names if name in left)
        left |= {group: held} if held else {}
    if cls is not recent.Adan:
        left["weight_decouple"] = True
    if cls is recent.ADOPT:
        left["clip_lambda"] = lambda step: max(step - 1, 1) ** 0.25  # the paper's; theirs is one step ahead
    return left


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cls", RULES)
def test_equals_pytorch_optimizer(cls, seed):
    settings = drawn(cls, seed)
    if cls is recent.ADOPT:
        settings["weight_decay"] = 0.0  # theirs decays at the first step too, which only looks
    theirs = getattr(pytorch_optimizer, cls.__name__)
    for surface, start in STARTS.items():
        expected = torch_path(surface(), theirs, {**named_as_there(cls, settings), "foreach": False}, start, STEPS)
        run = descend(surface(), cls(**settings), start, STEPS)
        tolerance = TOLERANCE.get(cls.__name__, 1e-12) * np.abs(expected).max()
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(run.x[:, 0], expected, rtol=0, atol=tolerance, err_msg=str(settings))


def test_adopt_decays_from_its_second_step_on():
    run = descend(Quadratic(), recent.ADOPT(lr=0.01, weight_decay=0.3), (-5, -2), 2)
    plain = descend(Quadratic(), recent.ADOPT(lr=0.01), (-5, -2), 2)
    np.testing.assert_array_equal(run.x[1], run.x[0])
    np.testing.assert_allclose(run.x[2], plain.x[2] - 0.01 * 0.3 * run.x[1], rtol=1e-14)
