"""Any rule of the menus, set by its learning rate and its momentum alone."""

from __future__ import annotations

import param

from ..menus import rules
from ..rules.optimizers import SGD
from ..rules.rule import Hyperparameter, Rule
from ..spans import RATES, Spanned

LR = 0.1  # to begin with, where it works
RULES = {"SGD": SGD, "Nesterov": SGD, **rules()}


def _momentum_of(rule: type[Rule]) -> str:
    """The hyperparameter that is a rule's momentum; empty if it has none."""
    numbers = [n for n in rule.hyperparameters() if isinstance(rule.param[n], Hyperparameter)]
    return next((name for name in numbers if rule.param[name].is_momentum), "")


MOMENTUM = {name: _momentum_of(rule) for name, rule in RULES.items()}
PUSHED = [name for name in RULES if MOMENTUM[name]]


def lr_of(of: str, label: str) -> Spanned:
    return Spanned(LR, bounds=(0, None), softbounds=(0, 0.5), step=0.005, span=RATES, label=label,
                   doc=f"Step size of {of}.")  # fmt: skip


def momentum_of(default: float, of: str, label: str) -> param.Number:
    return param.Number(default, bounds=(0, 1), inclusive_bounds=(True, False), softbounds=(0, 0.99), step=0.01,
                        label=label, doc=f"Of {of}: momentum, or β₁ of Adam and its kin.")  # fmt: skip


def made(name: str, lr: float, momentum: float) -> Rule:
    """A rule of the menu; Nesterov without momentum is SGD."""
    settings = {MOMENTUM[name]: momentum} if MOMENTUM[name] else {}
    ahead = {"nesterov": True} if name == "Nesterov" and momentum > 0 else {}
    return RULES[name](lr=lr, **settings, **ahead)
