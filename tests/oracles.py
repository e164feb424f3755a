"""What the tests compare with: torch's readings of the same declarations, reference files."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import param
import torch

import optviz
from optviz import Objective, Rule
from optviz.rules.catalogue import own_rules

torch.set_num_threads(1)  # the tensors are tiny: threads cost more than they give
DATA = Path(__file__).parent / "data"


def reference(name: str):
    """One of the files of tests/data."""
    return json.loads((DATA / f"{name}.json").read_text())


def _tensor(value):
    return torch.as_tensor(value, dtype=torch.float64)


def _lifted(function):
    return lambda *values: function(*map(_tensor, values))


TORCH = SimpleNamespace(
    **{name: _lifted(getattr(torch, name)) for name in
       ("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "abs", "sign", "maximum", "minimum")},
    equal=lambda a, b: a == b, where=lambda c, a, b: torch.where(c, _tensor(a), _tensor(b)), pi=np.pi,
)  # fmt: skip


def rules() -> list[type[Rule]]:
    """Every rule of the catalogue."""
    return sorted(own_rules(), key=lambda c: c.__name__)


def surfaces() -> list[type[Objective]]:
    """Every surface of the catalogue."""
    found = param.concrete_descendents(Objective).values()
    return sorted((c for c in found if c.__module__ == "optviz.objectives.surfaces"), key=lambda c: c.__name__)


ON = {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1, "lr_decay": 0.05, "damping": 0.5,
      "initial_accumulator_value": 0.5, "nu1": 0.7, "nu2": 0.9, "alpha": 2.0, "gamma": 0.3,
      "d_coef": 0.7, "r": 1.0}  # fmt: skip


def flag_settings(cls: type[Rule], **fixed) -> list[dict]:
    """All combinations of a rule's flags, and of its optional hyperparameters off and on."""
    choices = {}
    for name in cls.hyperparameters():
        parameter = cls.param[name]
        if name in fixed:
            choices[name] = [fixed[name]]
        elif isinstance(parameter.default, bool):
            choices[name] = [False, True]
        elif getattr(parameter, "off", None) is not None or name == "initial_accumulator_value":
            choices[name] = [float(getattr(parameter, "off", None) or 0), ON[name]]
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


PAIRS = {"betas": ("beta1", "beta2"), "etas": ("etaminus", "etaplus"),
         "step_sizes": ("step_size_min", "step_size_max")}  # fmt: skip


def torch_settings(cls: type[Rule], settings: dict) -> dict:
    """A rule's settings, its defaults included, under torch's names."""
    defaults = {name: cls.param[name].default for name in cls.hyperparameters()}
    values = {**defaults, **settings}
    values.pop("eps_inside", None)
    for pair, names in PAIRS.items():
        if set(names) <= set(values):
            values[pair] = tuple(values.pop(name) for name in names)
    return values


def torch_gradient(objective, point: torch.Tensor) -> torch.Tensor:
    """The gradient at a point by autograd, from the formula read with torch."""
    x = point.detach().clone().requires_grad_()
    return torch.autograd.grad(objective.formula(objective, *x, TORCH), x)[0]


def torch_path(objective, optimizer_class, settings: dict, start, steps: int) -> np.ndarray:
    """The path of a torch optimizer, shape (steps + 1, dim)."""
    x = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = optimizer_class([x], **settings)
    path = [x.detach().numpy().copy()]
    for _ in range(steps):
        x.grad = torch_gradient(objective, x)
        optimizer.step()
        path.append(x.detach().numpy().copy())
    return np.array(path)


def one_sentence(text: str) -> bool:
    """A single line that starts with a name and ends with a full stop."""
    return "\n" not in text.strip() and text.strip().endswith(".") and len(text) < 360


LINE = optviz.objective(lambda x, y: 3 * x - 2 * y, label="constant gradient")
