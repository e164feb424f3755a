"""Learning-rate schedules: the rate at every step, from the rule's own rate.

Names and numbers are those of torch.optim.lr_scheduler, step by step, unless a class says otherwise: the step
`t = 1` is the one before `scheduler.step()` is first called. `schedule.rates(lr, steps)` gives shape (steps, lanes).
"""

from __future__ import annotations

from typing import Any

import param

from ..messages import refuse
from ..spans import Quantity
from .schedule import Schedule, Steps, unchanged


def _gamma(default: float) -> Quantity:
    return Quantity(default, bounds=(0, None), softbounds=(0, 1.2), step=0.001, symbol="gamma",
                    doc="Factor of each change of the rate.")  # fmt: skip


def _total_iters() -> param.Integer:
    return _length(5, "T", "How many steps it takes. 0: all.")


def _total_steps() -> param.Integer:
    return _length(0, "T", "How many steps it is made for. 0: all.")


def _end_factor(default: float) -> Quantity:
    return _share(default, "f_1", "Share of the rate in the end.", 10)


def _eta_min() -> Quantity:
    return _rate("Lowest rate.", "eta_min")


def _cycle_momentum() -> param.Boolean:
    return param.Boolean(True, doc="Whether momentum goes the other way.")


def _base_momentum(default: float) -> Quantity:
    return _share(default, "mu_min", "Momentum where the rate is highest.")


def _max_momentum(default: float) -> Quantity:
    return _share(default, "mu_max", "Momentum where the rate is lowest.")


def _length(default: int, symbol: str, doc: str, least: int = 0, label: str | None = None) -> param.Integer:
    return Steps(default, bounds=(least, None), softbounds=(least, 300), symbol=symbol, doc=doc, label=label)


def _rate(doc: str, symbol: str) -> Quantity:
    return Quantity(0.0, bounds=(0, None), softbounds=(0, 0.1), step=1e-4, span=(1e-6, 1.0), symbol=symbol, doc=doc)


def _share(default: float, symbol: str, doc: str, high: float = 1.0) -> Quantity:
    return Quantity(default, bounds=(0, high), step=0.01, symbol=symbol, doc=doc)


class Constant(Schedule):
    """The rule's own rate throughout."""

    title = "constant"
    rate = staticmethod(unchanged)


class LinearDecay(Schedule):
    """Take `decay` off the rate after every `every` steps, never going under `floor`.

    The seed notebook's schedule: after each epoch of 591 steps, with floor 0.001.
    """

    decay = Quantity(0.002, bounds=(0, None), softbounds=(0, 0.005), step=1e-4, symbol="delta",
                     doc="What each decay takes off the rate.")  # fmt: skip
    every = _length(591, "s", "Steps between two decays.", 1)
    floor = Quantity(0.001, bounds=(0, None), symbol="eta_min", doc="The rate is never under this.")

    @staticmethod
    def rate(h, lr, t, let, xp):
        return xp.maximum(lr - h.decay * xp.floor((t - 1) / h.every), h.floor)


class ConstantLR(Schedule):
    """A share `factor` of the rate for the first `total_iters` steps, then all of it."""

    factor = _share(1 / 3, "f", "Share of the rate in the first steps.")
    total_iters = _total_iters()
    whole = ("total_iters",)
    preset = {"factor": 0.1, "total_iters": 10}

    @staticmethod
    def rate(h, lr, t, let, xp):
        return xp.where(t <= h.total_iters, h.factor * lr, lr)


class StepLR(Schedule):
    """The rate times `gamma` after every `step_size` steps."""

    step_size = _length(10, "s", "Steps between two changes.", 1)
    gamma = _gamma(0.1)
    preset = {"step_size": 20, "gamma": 0.5}

    @staticmethod
    def rate(h, lr, t, let, xp):
        return lr * h.gamma ** xp.floor((t - 1) / h.step_size)


class MultiStepLR(Schedule):
    """The rate times `gamma` after the steps `milestones`, up to three of them."""

    milestone_1 = _length(30, "m_1", "A step after which the rate changes. 0: none.", label="Milestone 1")
    milestone_2 = _length(0, "m_2", "A step after which the rate changes. 0: none.", label="Milestone 2")
    milestone_3 = _length(0, "m_3", "A step after which the rate changes. 0: none.", label="Milestone 3")
    gamma = _gamma(0.1)
    never = ("milestone_1", "milestone_2", "milestone_3")
    preset = {"milestone_1": 25, "milestone_2": 40}

    def __init__(self, milestones: Any = None, **settings: Any):
        if milestones is not None:
            given = sorted(milestones)
            if len(given) > 3 or (given and min(given) < 1):
                refuse("MultiStepLR", "takes up to three milestones above 0", given,
                       "or pass torch's, functools.partial(MultiStepLR, milestones=...)")  # fmt: skip
            settings = {**{f"milestone_{k}": 0 for k in (1, 2, 3)}, **settings}
            settings |= {f"milestone_{k + 1}": int(each) for k, each in enumerate(given)}
        super().__init__(**settings)

    @staticmethod
    def rate(h, lr, t, let, xp):
        past = [xp.clip(t - m, 0, 1) for m in (h.milestone_1, h.milestone_2, h.milestone_3)]
        return lr * h.gamma ** let("n", past[0] + past[1] + past[2])


class ExponentialLR(Schedule):
    """The rate times `gamma` after each step; above 1 it is a range test."""

    gamma = _gamma(0.95)

    @staticmethod
    def rate(h, lr, t, let, xp):
        return lr * h.gamma ** (t - 1.0)


class LinearLR(Schedule):
    """A share of the rate that goes in a straight line from `start_factor` to `end_factor` in `total_iters` steps."""

    start_factor = _share(1 / 3, "f_0", "Share of the rate at the first step.", 10)
    end_factor = _end_factor(1.0)
    total_iters = _total_iters()
    whole = ("total_iters",)
    preset = {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 0}

    @staticmethod
    def rate(h, lr, t, let, xp):
        way = xp.minimum((t - 1) / h.total_iters, 1)
        return lr * (h.start_factor + (h.end_factor - h.start_factor) * way)


class PolynomialLR(Schedule):
    """Down to 0 in `total_iters` steps, as a power of what is left of them."""

    total_iters = _total_iters()
    power = Quantity(1.0, bounds=(0, None), softbounds=(0, 4), step=0.1, symbol="p", doc="1: a straight line.")
    whole = ("total_iters",)
    preset = {"total_iters": 0, "power": 2.0}

    @staticmethod
    def rate(h, lr, t, let, xp):
        return lr * (1 - xp.minimum((t - 1) / h.total_iters, 1)) ** h.power


class CosineAnnealingLR(Schedule):
    """Half a cosine from the rule's rate down to `eta_min` in `T_max` steps; past them it rises again."""

    T_max = _length(50, "T_max", "Steps down to the lowest rate. 0: all.")
    eta_min = _eta_min()
    whole = ("T_max",)
    preset = {"T_max": 0}

    @staticmethod
    def rate(h, lr, t, let, xp):
        return h.eta_min + (lr - h.eta_min) * (1 + xp.cos(xp.pi * (t - 1) / h.T_max)) / 2


class CosineAnnealingWarmRestarts(Schedule):
    """Half a cosine down to `eta_min`, again and again: at first in `T_0` steps, each time `T_mult` times as long."""

    T_0 = _length(10, "T_0", "Steps of the first half cosine.", 1)
    T_mult = _length(1, "m", "How many times as long the next one is.", 1)
    eta_min = _eta_min()
    preset = {"T_0": 15, "T_mult": 2}

    @staticmethod
    def rate(h, lr, t, let, xp):
        even = xp.equal(h.T_mult, 1)
        past = (t - 1) / h.T_0
        within = (t - 0.5) / h.T_0  # half a step later a logarithm is no whole number
        n = let("n", xp.floor(xp.where(even, within, xp.log(1 + (h.T_mult - 1) * within) / xp.log(h.T_mult))))
        gone = xp.where(even, n, (h.T_mult**n - 1) / (h.T_mult - 1))
        way = let("p", (past - gone) / h.T_mult**n)
        return h.eta_min + (lr - h.eta_min) * (1 + xp.cos(xp.pi * way)) / 2


class OneCycleLR(Schedule):
    """Up to the rule's rate, which is torch's `max_lr`, and far below where it began; momentum goes the other way.

    After `total_steps`, where torch ends with an error, the last rate stays.
    """

    total_steps = _total_steps()
    pct_start = Quantity(0.3, bounds=(0, 1), inclusive_bounds=(False, False), softbounds=(0.05, 0.95), step=0.01,
                         symbol="q", doc="Share of the steps that rise.")  # fmt: skip
    anneal_strategy = param.Selector(default="cos", objects=["cos", "linear"], doc="The curve's shape.")
    cycle_momentum = _cycle_momentum()
    base_momentum = _base_momentum(0.85)
    max_momentum = _max_momentum(0.95)
    div_factor = Quantity(25.0, bounds=(1, None), softbounds=(1, 100), step=1, symbol="d",
                          doc="The highest rate over the first one.")  # fmt: skip
    final_div_factor = Quantity(1e4, bounds=(1, None), symbol="D", precedence=-1,
                                doc="The first rate over the last one.")  # fmt: skip
    three_phase = param.Boolean(False, precedence=-1, doc="Down to the first rate in a phase of its own.")
    whole = ("total_steps",)
    cycles = True

    @staticmethod
    def rate(h, lr, t, let, xp):
        first = let("eta_a", lr / h.div_factor)
        return _one_cycle(h, t, let, xp, first, lr, first / h.final_div_factor)

    @staticmethod
    def momentum(h, t, let, xp):
        return _one_cycle(h, t, let, xp, h.max_momentum, h.base_momentum, h.max_momentum)


def _one_cycle(h, t, let, xp, first, top, last):
    """From the first value to the top and to the last one; in three phases back to the first between."""
    ends = let("a", h.pct_start * h.total_steps - 1)
    k = t - 1
    if h.three_phase:
        middle = 2 * ends
        down = let("p_2", _way(k - ends, ends, xp))
        rest = let("p_3", _way(k - middle, h.total_steps - 1 - middle, xp))
        later = xp.where(k < middle, _annealed(h, top, first, down, xp), _annealed(h, first, last, rest, xp))
    else:
        rest = let("p_2", _way(k - ends, h.total_steps - 1 - ends, xp))
        later = _annealed(h, top, last, rest, xp)
    return xp.where(k < ends, _annealed(h, first, top, let("p_1", k / ends), xp), later)


def _way(gone, length, xp):
    """Which share of a phase is past, 1 after it."""
    return xp.minimum(gone / length, 1)


def _annealed(h, a, b, way, xp):
    if h.anneal_strategy == "linear":
        return a + (b - a) * way
    return b + (a - b) / 2 * (1 + xp.cos(xp.pi * way))


class CyclicLR(Schedule):
    """Up and down between `base_lr` and the rule's rate, which is torch's `max_lr`; momentum goes the other way."""

    base_lr = _rate("Lowest rate, with which it begins.", "eta_b")
    step_size_up = _length(2000, "s", "Steps up.", 1)
    step_size_down = _length(0, "s_d", "Steps down. 0: as many as up.")
    mode = param.Selector(default="triangular", objects=["triangular", "triangular2", "exp_range"],
                          doc="The same each time; half as high each time; lower by gamma each step.")  # fmt: skip
    gamma = _gamma(1.0)
    cycle_momentum = _cycle_momentum()
    base_momentum = _base_momentum(0.8)
    max_momentum = _max_momentum(0.9)
    like = {"step_size_down": "step_size_up"}
    preset = {"step_size_up": 10, "cycle_momentum": False, "gamma": 0.98}
    cycles = True

    @staticmethod
    def rate(h, lr, t, let, xp):
        return h.base_lr + (lr - h.base_lr) * _height(h, t, let, xp)

    @staticmethod
    def momentum(h, t, let, xp):
        return h.max_momentum - (h.max_momentum - h.base_momentum) * _height(h, t, let, xp)


def _height(h, t, let, xp):
    """How far up a cycle is, from 0 to 1 or to the mode's less."""
    length = h.step_size_up + h.step_size_down
    n = let("n", xp.floor((t - 1) / length))
    k = let("k", t - 1 - n * length)
    height = let("h", xp.where(k <= h.step_size_up, k / h.step_size_up, (length - k) / h.step_size_down))
    if h.mode == "triangular2":
        return height / 2.0**n
    return height * h.gamma ** (t - 1.0) if h.mode == "exp_range" else height


class WarmupStableDecay(Schedule):
    """The rate itself, and over the last `decay_steps` of `total_steps` in a straight line to `end_factor` of it.

    With a warm-up before it what language models are trained with (arXiv 2404.06395); after `total_steps` the last rate
    stays.
    """

    title = "warm-up, stable, decay"
    total_steps = _total_steps()
    decay_steps = _length(10, "T_d", "How many of them decay.", 1)
    end_factor = _end_factor(0.0)
    whole = ("total_steps",)
    preset = {"warmup": 10}

    @staticmethod
    def rate(h, lr, t, let, xp):
        way = let("p", xp.clip((t - 1 - h.total_steps + h.decay_steps) / h.decay_steps, 0, 1))
        return lr * (1 + (h.end_factor - 1) * way)


class InverseSquareRoot(Schedule):
    """Down as one over the root of the step; `timescale` steps halve the rate's square.

    With a warm-up of as many steps the schedule of the Transformer (arXiv 1706.03762).
    """

    title = "inverse square root"
    timescale = _length(10, "s", "Steps after which the rate is 1 / √2.", 1)
    preset = {"warmup": 10}

    @staticmethod
    def rate(h, lr, t, let, xp):
        return lr * xp.sqrt(h.timescale / (h.timescale + t - 1))
