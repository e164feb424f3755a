"""What a learning-rate schedule is: declared numbers, one pure function of the step, a warm-up before it.

The catalogue of schedules is `optviz.rules.schedules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import param

from ..trace.tracing import ARRAYS
from .rule import Hyperparameter, Rule

CYCLES = "cycle_momentum"  # the flag that lets a schedule move the momentum: its formula is the same without
NEVER = 1e9  # a step that no run comes to


def unchanged(h, lr, t, let, xp):
    """The rule's own rate at every step."""
    return lr


class Steps(param.Integer):
    """A number of steps; `symbol` stands for it in formulas."""

    __slots__ = ["symbol"]

    def __init__(self, default: int = 0, *, symbol: str = "", **settings: Any):
        self.symbol = symbol
        super().__init__(default, **settings)


class Schedule(param.Parameterized):
    """A learning rate that changes over the steps.

    A subclass declares `rate(h, lr, t, let, xp)`: the rate at step `t` (1, 2, ...) where the rule's own rate is
    `lr`; `let(name, value)` names a part of the formula. Of its parameters `h` holds the numbers, and as they are the
    texts and flags, on which it may branch. A number of steps that is 0 means the run's length if it is in `whole`,
    never if in `never`, as many as another if in `like`. `preset` holds the values a playground starts from.
    Where it `cycles` momentum, `momentum(h, t, let, xp)` gives that.

    In the first `warmup` steps the rate rises linearly from `warmup_start` times the rule's own up to that
    (LinearLR, before the other in SequentialLR), and what follows counts its steps from there.
    """

    __abstract = True
    whole: ClassVar[tuple[str, ...]] = ()
    never: ClassVar[tuple[str, ...]] = ()
    like: ClassVar[Mapping[str, str]] = {}
    preset: ClassVar[Mapping[str, Any]] = {}
    title: ClassVar[str] = ""  # what a menu calls it, if not by its class's name
    cycles: ClassVar[bool] = False

    warmup = param.Integer(0, bounds=(0, None), softbounds=(0, 100), label="Warm-up steps",
                           doc="So many steps rise to the rate first.")  # fmt: skip
    warmup_start = param.Number(0.1, bounds=(0, 1), step=0.01, label="Warm-up from",
                                doc="Share of the rate at the first step of the warm-up.")  # fmt: skip

    @staticmethod
    def rate(h, lr, t, let, xp):
        """The rate at step t."""
        raise NotImplementedError

    @staticmethod
    def momentum(h, t, let, xp):
        """The momentum at step t, of a schedule that `cycles` it."""
        raise NotImplementedError

    @classmethod
    def own(cls) -> list[str]:
        """The names of what a subclass declares itself, which its formula may use."""
        return [name for name in cls.param if name not in ("name", *Schedule.shared())]

    @classmethod
    def shared(cls) -> list[str]:
        """The names of what all schedules have."""
        return ["warmup", "warmup_start"]

    @classmethod
    def choices(cls) -> dict[str, list[Any]]:
        """The texts and flags on which its formula branches, each with what it may be on a page."""
        own = {n: cls.param[n] for n in cls.own() if n != CYCLES and cls.param[n].precedence != -1}
        flags = {name: [False, True] for name, each in own.items() if isinstance(each, param.Boolean)}
        return {n: list(p.objects) for n, p in own.items() if isinstance(p, param.Selector)} | flags

    @classmethod
    def label(cls) -> str:
        """What a menu calls it."""
        return cls.title or cls.__name__

    def moves(self) -> bool:
        """Whether there is anything but the rule's own rate."""
        return type(self).rate is not unchanged or self.warmup > 0

    def settled(self, steps: int) -> SimpleNamespace:
        """Its parameters for a run of so many steps."""
        values = {name: getattr(self, name) for name in self.own()}
        meant = {**dict.fromkeys(self.whole, max(1, steps - self.warmup)), **dict.fromkeys(self.never, NEVER),
                 **{name: values[other] for name, other in self.like.items()}}  # fmt: skip
        return SimpleNamespace(**{n: meant[n] if n in meant and v == 0 else v for n, v in values.items()})

    def rates(self, lr: Any, steps: int) -> np.ndarray:
        """The rates of `steps` steps, shape (steps, lanes)."""
        lr, t = np.atleast_1d(np.asarray(lr, dtype=float)), np.arange(1.0, steps + 1)[:, None]
        with np.errstate(all="ignore"):  # a rate that grows without end is inf: its run diverges
            found = self.rate(self.settled(steps), lr, np.maximum(t - self.warmup, 1), unnamed, ARRAYS)
            if self.warmup > 0:
                share = self.warmup_start + (1 - self.warmup_start) * (t - 1) / self.warmup
                found = np.where(t <= self.warmup, share * lr, found)
        return np.broadcast_to(found, (steps, lr.size)).astype(float)

    def momenta(self, rule: Any, steps: int) -> np.ndarray | None:
        """The momentum of each step, shape (steps,), where it cycles that of this rule; else None."""
        if not self.cycled(rule):
            return None
        t = np.maximum(np.arange(1.0, steps + 1) - self.warmup, 1)
        return np.broadcast_to(self.momentum(self.settled(steps), t, unnamed, ARRAYS), steps).astype(float)

    def cycled(self, rule: Any) -> str:
        """The name of the hyperparameter that it cycles, "" for none."""
        return momentum_of(rule) if self.cycles and getattr(self, CYCLES, False) else ""


def unnamed(name: str, value: Any) -> Any:
    """What names no part of a formula."""
    return value


def momentum_of(rule: Any) -> str:
    """The name of what is called a rule's momentum, as its first `beta`; "" where it has none."""
    if not isinstance(rule, Rule | type):
        return ""
    numbers = ((name, rule.param[name]) for name in rule.hyperparameters())
    return next((name for name, number in numbers if isinstance(number, Hyperparameter) and number.is_momentum), "")
