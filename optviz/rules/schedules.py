"""Learning-rate schedules: the rate at every step, from the rule's own rate.

`schedule.rates(lr, steps)` gives shape (steps, lanes). Formulas as in
torch.optim.lr_scheduler unless the class says otherwise; all closed forms, `t` from 1 on.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import param

from ..trace.tracing import ARRAYS


class Schedule(param.Parameterized):
    """A learning rate that changes over the steps.

    A subclass declares `rate(h, lr, t, xp)`: the rate at step `t` (1, 2, ...) where the
    rule's own rate is `lr`.
    """

    __abstract = True

    @staticmethod
    def rate(h, lr, t, xp):
        """The rate at step t."""
        raise NotImplementedError

    def rates(self, lr: Any, steps: int) -> np.ndarray:
        """The rates of `steps` steps, shape (steps, lanes)."""
        h = SimpleNamespace(**{n: getattr(self, n) for n in self.param if n != "name"})
        t = np.arange(1, steps + 1)[:, None]
        lr = np.atleast_1d(np.asarray(lr, dtype=float))
        with np.errstate(all="ignore"):  # a rate that grows without end is inf: its run diverges
            return np.broadcast_to(self.rate(h, lr, t, ARRAYS), (steps, lr.size)).astype(float)


class Constant(Schedule):
    """The rule's own rate throughout."""

    @staticmethod
    def rate(h, lr, t, xp):
        return lr


class LinearDecay(Schedule):
    """Take `decay` off the rate after every `every` steps, never going under `floor`.

    The seed notebook's schedule: after each epoch of 591 steps, with floor 0.001.
    """

    decay = param.Number(0.002, bounds=(0, None), softbounds=(0, 0.005), step=1e-4,
                         doc="What each decay takes off the rate.")  # fmt: skip
    every = param.Integer(591, bounds=(1, None), doc="Steps between two decays.")
    floor = param.Number(0.001, bounds=(0, None), doc="The rate is never under this.")

    @staticmethod
    def rate(h, lr, t, xp):
        return xp.maximum(lr - h.decay * ((t - 1) // h.every), h.floor)


class Exponential(Schedule):
    """Multiply the rate by `gamma` after each step (ExponentialLR); above 1 it is a range test."""

    gamma = param.Number(0.97, bounds=(0, None), softbounds=(0, 1), step=0.001, doc="Factor of each step.")

    @staticmethod
    def rate(h, lr, t, xp):
        return lr * h.gamma ** (t - 1.0)


class Step(Schedule):
    """Multiply the rate by `gamma` after every `every` steps (StepLR)."""

    every = param.Integer(10, bounds=(1, None), softbounds=(1, 100), doc="Steps between two changes.")
    gamma = param.Number(0.5, bounds=(0, None), softbounds=(0, 1), step=0.01, doc="Factor of each change.")

    @staticmethod
    def rate(h, lr, t, xp):
        return lr * h.gamma ** ((t - 1) // h.every * 1.0)


class Cosine(Schedule):
    """Half a cosine from the rule's rate down to `floor` over `period` steps (CosineAnnealingLR).

    Past the period the rate rises again, as the closed form does.
    """

    period = param.Integer(50, bounds=(1, None), softbounds=(1, 200), doc="Steps down to the floor.")
    floor = param.Number(0.0, bounds=(0, None), softbounds=(0, 0.1), step=0.001, doc="Lowest rate.")

    @staticmethod
    def rate(h, lr, t, xp):
        return h.floor + (lr - h.floor) * (1 + xp.cos(xp.pi * (t - 1) / h.period)) / 2


class WarmUp(Schedule):
    """Rise from `start` times the rate to the full rate over `length` steps (LinearLR)."""

    length = param.Integer(10, bounds=(1, None), softbounds=(1, 100), doc="Steps to the full rate.")
    start = param.Number(0.1, bounds=(0, 1), step=0.01, doc="Share of the rate at the first step.")

    @staticmethod
    def rate(h, lr, t, xp):
        return lr * (h.start + (1 - h.start) * xp.minimum((t - 1) / h.length, 1.0))
