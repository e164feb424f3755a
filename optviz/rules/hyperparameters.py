"""The hyperparameters that rules share, each with the range in which people turn it."""

from __future__ import annotations

import param

from ..spans import RATES
from .rule import Hyperparameter


def rate(default, high=1.0, step=0.001):
    """A learning rate; sliders end at `high`."""
    return Hyperparameter(default, bounds=(0, None), softbounds=(0, high), step=step, span=(RATES[0], 10 * high),
                          symbol="eta", on_map=(1e-4, 10.0, True), label="Learning rate", doc="Step size.")  # fmt: skip


def decay_rate(default, symbol, label, doc, step=0.001, high=0.999, is_momentum=False):
    """The decay rate of a running mean."""
    return Hyperparameter(default, bounds=(0, 1), inclusive_bounds=(True, False), softbounds=(0, 0.999), step=step,
                          symbol=symbol, on_map=(0.0, high, False), is_momentum=is_momentum,
                          label=label, doc=doc)  # fmt: skip


def velocity_kept(default=0.0):
    """Momentum."""
    return Hyperparameter(default, bounds=(0, None), softbounds=(0, 0.99), step=0.01, off=0,
                          symbol="mu", on_map=(0.0, 0.995, False), is_momentum=True,
                          doc="Share of the last step's velocity that is kept.")  # fmt: skip


def epsilon(default):
    """What keeps a denominator from 0."""
    return Hyperparameter(default, bounds=(0, None), softbounds=(0, 1e-3), step=1e-7, precedence=2,
                          symbol="epsilon", on_map=(1e-12, 1.0, True),
                          doc="Added to the denominator so that it is never zero.")  # fmt: skip


def pull(default=0.0, doc="Pull towards zero, added to the gradient (L2 penalty)."):
    """Weight decay."""
    return Hyperparameter(default, bounds=(0, None), softbounds=(0, 2), step=0.01, off=0, precedence=2,
                          symbol="lambda", on_map=(1e-4, 10.0, True), label="Weight decay", doc=doc)  # fmt: skip


def first_beta(default=0.9, doc="Decay rate of the gradient's running mean."):
    """The decay rate of the gradient's running mean."""
    return decay_rate(default, "beta_1", "β₁", doc, high=0.995, is_momentum=True)


def second_beta(default=0.999, doc="Decay rate of the squared gradient's running mean."):
    """The decay rate of the squared gradient's running mean."""
    return decay_rate(default, "beta_2", "β₂", doc)


def epsilon_inside():
    """Whether eps stands under the root."""
    return param.Boolean(False, precedence=2, label="Eps inside the root",
                         doc="Put eps under the root (the seed notebooks do); PyTorch adds it after.")  # fmt: skip


def root(mean_square, h, xp):
    """The denominator, with eps where the rule wants it."""
    return xp.sqrt(mean_square + h.eps) if h.eps_inside else xp.sqrt(mean_square) + h.eps
