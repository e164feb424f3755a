"""The learning rates of a torch scheduler, read before the run."""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ..messages import refuse
from .schedule import Schedule


class TorchSchedule(Schedule):
    """The rates of a torch scheduler: `TorchSchedule(torch.optim.lr_scheduler.StepLR, step_size=10)`.

    Takes a class with its arguments by name, or a function of an optimizer that makes a
    scheduler (`lambda optimizer: SequentialLR(optimizer, ...)`): either begins at the rule's
    own rate. A scheduler that stands already brings the rate of its own optimizer; the rule's
    is not asked, and the scheduler is left as it is. ValueError for one that needs the loss, or
    that moves more than the rate.
    """

    def __init__(self, scheduler: Any, **settings: Any):
        super().__init__()
        kind = getattr(scheduler, "func", scheduler)
        kind = kind if isinstance(kind, type) else type(kind)
        if issubclass(kind, torch.optim.lr_scheduler.ReduceLROnPlateau):
            refuse("TorchSchedule", "needs a scheduler that goes by the step alone", kind.__name__,
                   "it waits for losses: change the rate in an optimizer of your own")  # fmt: skip
        self._stands = isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
        if not callable(scheduler) and not self._stands:
            refuse("TorchSchedule", "needs a torch scheduler's class, or a function that makes one", scheduler)
        self._scheduler: Any = functools.partial(scheduler, **settings) if settings else scheduler

    def rates(self, lr: Any, steps: int) -> np.ndarray:
        """The rates of `steps` steps, shape (steps, lanes)."""
        own = np.atleast_1d(np.asarray(lr, dtype=float))
        if self._stands:
            if np.unique(own).size > 1:
                refuse("TorchSchedule", "needs the scheduler's class where several rates are tried",
                       "a scheduler that has its rate already")  # fmt: skip
            return np.tile(_followed(copy.deepcopy(self._scheduler), steps)[:, None], (1, own.size))
        return np.stack([_followed(self._made(rate), steps) for rate in own.tolist()], axis=1)

    def _made(self, lr: float) -> Any:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
        made = _told(lambda: self._scheduler(optimizer))
        if not isinstance(made, torch.optim.lr_scheduler.LRScheduler):
            refuse("TorchSchedule", "needs a function of an optimizer that returns a torch scheduler", made)
        if made.optimizer is not optimizer:
            refuse("TorchSchedule", "needs a function that makes the scheduler for the optimizer it is given",
                   "one for another optimizer")  # fmt: skip
        if optimizer.param_groups[0]["momentum"]:
            refuse("TorchSchedule", "follows the learning rate alone", "a scheduler that moves the momentum too",
                   "pass cycle_momentum=False")  # fmt: skip
        return made


def _followed(scheduler: Any, steps: int) -> np.ndarray:
    """The rate of each step, shape (steps,)."""
    group, rates = scheduler.optimizer.param_groups[0], []
    for t in range(steps):
        if t:
            _told(scheduler.step)
        rates.append(float(group["lr"]))
    return np.array(rates)


def _told(call: Callable) -> Any:
    """What a call of torch's gives, its trouble in one sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no optimizer steps here, which torch takes for a mistake
        try:
            return call()
        except Exception as trouble:
            reason = (str(trouble).splitlines() or [type(trouble).__name__])[0].rstrip(".")
            raise ValueError(f"TorchSchedule: the scheduler failed: {reason}.") from trouble
