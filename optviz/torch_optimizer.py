"""Run any torch.optim.Optimizer class in optviz's loop: PyTorch's own, a package's, yours."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import torch

from .messages import refuse
from .trajectory import Trajectory, blank_after_divergence, side_by_side


class TorchOptimizer:
    """A torch optimizer class with its arguments, as a rule for `descend`.

    `TorchOptimizer(torch.optim.LBFGS, lr=0.5, max_iter=5)`. Each lane is its own optimizer
    on one float64 tensor of shape (dim,); closures are passed, so LBFGS works. The tensors
    that the optimizer keeps, of the parameter's size, become the trajectory's terms.
    """

    def __init__(self, cls: type[torch.optim.Optimizer], **settings: Any):
        if not (isinstance(cls, type) and issubclass(cls, torch.optim.Optimizer)):
            refuse("TorchOptimizer", "needs a torch.optim.Optimizer class", cls,
                   "pass the class itself and its arguments by name", TypeError)  # fmt: skip
        self.cls, self.settings = cls, settings
        self._made(torch.zeros(2, dtype=torch.float64, requires_grad=True))

    def __repr__(self) -> str:
        named = "".join(f", {k}={v!r}" for k, v in self.settings.items())
        return f"TorchOptimizer({self.cls.__name__}{named})"

    @property
    def name(self) -> str:
        """The optimizer class's name."""
        return self.cls.__name__

    @property
    def label(self) -> str:
        """What menus and titles call it."""
        return f"{self.cls.__name__} (torch)"

    def lanes(self) -> int:
        """Torch hyperparameters are single values: one lane, repeated for every start."""
        return 1

    def _made(self, tensor: torch.Tensor) -> torch.optim.Optimizer:
        try:
            return self.cls([tensor], **self.settings)
        except (TypeError, ValueError, RuntimeError) as trouble:
            first = (str(trouble).splitlines() or [type(trouble).__name__])[0].rstrip(".")
            raise ValueError(f"TorchOptimizer: {self.cls.__name__} refuses its arguments: {first}.") from None

    def walk(self, objective: Any, x0: np.ndarray, steps: int, around: Any) -> Trajectory:
        """Run every lane of starts (dim, lanes)."""
        draws = around.draws(steps, *x0.shape)
        lanes = [
            self._lane(objective, x0[:, k], steps, around, None if draws is None else draws[..., k])
            for k in range(x0.shape[1])
        ]
        return side_by_side(lanes)

    def _lane(self, objective, start, steps, around, draws) -> Trajectory:
        point = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer = self._made(point)
        rates = self._rates(optimizer, around, steps)
        record = _Record(steps, len(start))
        record.x[0] = start
        for t in range(1, steps + 1):
            for group in optimizer.param_groups:
                group["lr"] = float(rates[t - 1, 0])
            closure = _Closure(objective, point, around, t, draws, record)
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # torch warns of overflow; the lane is marked
                optimizer.zero_grad()
                closure()
                closure.recording = False
                self._step(optimizer, closure, t)
            if not record.keep(t, point, optimizer):
                break
        return record.finished(objective, rates, around)

    def _step(self, optimizer: torch.optim.Optimizer, closure: Any, t: int) -> None:
        try:
            optimizer.step(closure)
        except ValueError:
            raise  # the objective's own refusal
        except Exception as trouble:
            first = (str(trouble).splitlines() or [type(trouble).__name__])[0].rstrip(".")
            raise ValueError(f"TorchOptimizer: {self.cls.__name__} failed at step {t}: {first}.") from trouble

    def _rates(self, optimizer, around, steps: int) -> np.ndarray:
        lr = optimizer.param_groups[0].get("lr", math.nan)
        return around.schedule.rates(float(lr), steps)


class _Closure:
    """What torch optimizers call to get the loss and the gradient anew."""

    def __init__(self, objective, point, around, t, draws, record):
        self.objective, self.point, self.around = objective, point, around
        self.t, self.draws, self.record = t, draws, record
        batch = around.batch(t)
        self.gradient = objective.float_gradient() if batch is None else objective.array_gradient(batch)
        self.batch, self.recording = batch, True

    def __call__(self) -> torch.Tensor:
        x = self.point.detach().numpy().copy()
        columns = self.objective.array_gradient(self.batch)(*x[:, None])
        g = np.array([np.broadcast_to(c, 1) for c in columns], dtype=float)
        if self.recording:
            self.record.gradients[self.t - 1, 0] = g[:, 0]
        if self.draws is not None:
            g = g + self.draws[self.t - 1][:, None]
        g, cut = self.around.clip_gradient(g)
        if self.recording:
            self.record.clipped[self.t - 1] = cut
        self.point.grad = torch.tensor(g[:, 0])
        value = self.objective.value if self.batch is None else self._batch_value
        return torch.tensor(float(value(*x)), dtype=torch.float64)

    def _batch_value(self, *x):
        return self.objective.value_of(self.batch, *x)


class _Record:
    """The arrays of one lane as they fill."""

    def __init__(self, steps: int, dim: int):
        self.x = np.full((steps + 1, 1, dim), np.nan)
        self.updates, self.gradients = (np.full((steps, 1, dim), np.nan) for _ in range(2))
        self.clipped = np.zeros((steps, 1), dtype=bool)
        self.terms: dict[str, np.ndarray] = {}

    def keep(self, t: int, point: torch.Tensor, optimizer) -> bool:
        """Store step t; False where the parameters are no longer finite."""
        self.x[t, 0] = point.detach().numpy()
        self.updates[t - 1] = self.x[t] - self.x[t - 1]
        for name, value in optimizer.state[point].items():
            if isinstance(value, torch.Tensor) and value.shape == point.shape:
                blank = np.full_like(self.updates, np.nan)
                self.terms.setdefault(name, blank)[t - 1, 0] = value.detach().numpy()
        return bool(np.isfinite(self.x[t]).all())

    def finished(self, objective, rates, around) -> Trajectory:
        loss = objective.value(*np.moveaxis(self.x, 2, 0))
        batch_loss = None
        if around.batches is not None:
            batch_loss = np.stack([objective.value_of(b, *self.x[t].T) for t, b in enumerate(around.batches)])
        arrays = {"updates": self.updates, "gradients": self.gradients, **self.terms}
        diverged = blank_after_divergence(arrays, self.x, loss)
        return Trajectory(self.x, loss, self.updates, self.gradients, rates, self.clipped, diverged,
                          self.terms, batch_loss)  # fmt: skip
