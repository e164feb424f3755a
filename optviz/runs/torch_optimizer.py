"""Run any torch.optim.Optimizer class in optviz's loop: PyTorch's own, a package's, yours."""

from __future__ import annotations

import copy
import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ..halt import look
from ..messages import refuse
from ..objectives.torch_seeds import torch_seeded
from ..rules.optimizers import SGD
from .torch_closure import Closure, flat, tensors_of
from .trajectory import Trajectory, blank_after_divergence, side_by_side

SORTED = "; freeze some by requires_grad_(False), or pass a function that sorts them into groups"


class TorchOptimizer:
    """A torch optimizer class with its arguments, as a rule for `descend`.

    `TorchOptimizer(torch.optim.LBFGS, lr=0.5, max_iter=5)`. Each lane is its own optimizer
    on one float64 tensor of shape (dim,), on the parameters of a TorchLoss in their own shapes;
    closures are passed, so LBFGS works. The tensors that the optimizer keeps, of a parameter's
    size, become the trajectory's terms. A function of the list of parameters that makes an
    optimizer, with groups of its own perhaps, serves as a class. An optimizer with `train()` is put into training, and
    its path is where it takes the gradients; one that needs the graph of the gradient
    (AdaHessian) gets it. What it draws comes from the lane's seed. It may move its own lr where
    no schedule does; `rates` holds what each step last read.
    """

    def __init__(self, cls: type[torch.optim.Optimizer] | Callable, **settings: Any):
        wrong = not issubclass(cls, torch.optim.Optimizer) if isinstance(cls, type) else not callable(cls)
        if wrong or isinstance(cls, torch.optim.Optimizer):
            refuse("TorchOptimizer", "needs a torch.optim.Optimizer class", cls,
                   "pass the class itself and its arguments by name", TypeError)  # fmt: skip
        self.cls, self.settings = cls, settings
        try:
            self.made_for([torch.zeros(2, dtype=torch.float64, requires_grad=True)])
        except ValueError as trouble:  # some take matrices alone
            try:
                self.made_for([torch.zeros((2, 2), dtype=torch.float64, requires_grad=True)])
            except ValueError:
                raise trouble from None

    def __repr__(self) -> str:
        named = "".join(f", {k}={v!r}" for k, v in self.settings.items())
        return f"TorchOptimizer({self.name}{named})"

    @property
    def name(self) -> str:
        """The optimizer class's name."""
        return getattr(self.cls, "__name__", type(self.cls).__name__)

    @property
    def label(self) -> str:
        """What menus and titles call it."""
        return f"{self.name} (torch)"

    def lanes(self) -> int:
        """Torch hyperparameters are single values: one lane, repeated for every start."""
        return 1

    def made_for(
        self, tensors: list[torch.Tensor], what: str = "its arguments", fix: str = ""
    ) -> torch.optim.Optimizer:
        try:
            made = self.cls(tensors, **copy.deepcopy(self.settings))
        except Exception as trouble:
            raise ValueError(f"TorchOptimizer: {self.name} refuses {what}: {_first(trouble)}{fix}.") from None
        if not isinstance(made, torch.optim.Optimizer):
            refuse("TorchOptimizer", "needs a function that returns a torch.optim.Optimizer", made)
        return made

    def walk(self, objective: Any, x0: np.ndarray, steps: int, around: Any) -> Trajectory:
        """Run every lane of starts (dim, lanes)."""
        draws, seeds = around.draws(steps, *x0.shape), np.broadcast_to(around.seeds, x0.shape[1])
        lanes = []
        for k, seed in enumerate(seeds.tolist()):
            walk = _Walk(self, objective, x0[:, k], steps, around, None if draws is None else draws[..., k])
            lanes.append(walk.run(seed))
        return side_by_side(lanes)


class _Refused(Exception):
    """An optimizer's own trouble with a step."""


class _Walk:
    """One lane: an optimizer's way through its steps."""

    def __init__(self, rule: TorchOptimizer, objective, start, steps: int, around, draws):
        self.rule, self.objective, self.start, self.steps = rule, objective, start, steps
        self.around, self.draws = around, draws
        self.momenta: np.ndarray | None = None

    def run(self, seed: int) -> Trajectory:
        """The lane's trajectory; an optimizer that fails on plain gradients is given their graph."""
        try:
            with torch_seeded(seed):
                return self._run(False)
        except _Refused as first:
            try:
                with torch_seeded(seed):
                    return self._run(True)
            except _Refused:
                raise ValueError(str(first)) from first.__cause__

    def _run(self, graph: bool) -> Trajectory:
        tensors = tensors_of(self.objective, self.start)
        optimizer = self.rule.made_for(tensors, f"parameters of shapes {_shapes(tensors)}", SORTED)
        rates, schedule = self._rates(optimizer), self.around.schedule
        cycles = schedule.cycles and getattr(schedule, "cycle_momentum", False)
        self.momenta = schedule.momenta(SGD(), self.steps) if cycles else None
        for at, group in enumerate(optimizer.param_groups):
            optimizer.param_groups[at] = _Group(group)
        if callable(getattr(optimizer, "train", None)):
            optimizer.train()  # type: ignore[attr-defined]
        record, asks = _Record(self.steps, tensors), _takes_closure(optimizer.step)
        for t in range(1, self.steps + 1):
            look()
            closure = Closure(self.objective, tensors, self.around, t, self.draws, graph)
            record.rates[t - 1, 0] = self._step(optimizer, [closure] if asks else [], closure, t, rates)
            record.gradients[t - 1, 0], record.clipped[t - 1] = closure.first
            if not record.keep(t, optimizer):
                break
        return record.finished(self.objective, self.around)

    def _rates(self, optimizer: torch.optim.Optimizer) -> np.ndarray | None:
        """The schedule's rates, shape (steps, groups); None where there is no schedule."""
        if not self.around.schedule.moves():
            return None
        own = [_number(group.get("lr")) for group in optimizer.param_groups]
        if not np.isfinite(own).all():
            refuse(f"TorchOptimizer: {self.rule.name}", "needs an lr for a schedule to move",
                   optimizer.param_groups[0].get("lr"), "leave the schedule out")  # fmt: skip
        return self.around.schedule.rates(own, self.steps)

    def _step(self, optimizer: torch.optim.Optimizer, given: list, closure: Closure, t: int, rates: Any) -> float:
        """Make step t; the learning rate that it worked with."""
        groups: list[Any] = optimizer.param_groups
        if rates is not None:
            for group, rate in zip(groups, rates[t - 1].tolist(), strict=True):
                _set_rate(group, rate)
                if self.momenta is not None:
                    _set_momentum(group, float(self.momenta[t - 1]))
        for group in groups:
            group.lr = group.get("lr")
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # torch warns of overflow; the lane is marked
            optimizer.zero_grad()
            closure()
            try:
                optimizer.step(*given)
            except Exception as trouble:
                if trouble is closure.trouble:
                    raise
                said = f"TorchOptimizer: {self.rule.name} failed at step {t}: {_first(trouble)}."
                raise _Refused(said) from trouble
        return _number(groups[0].lr)


class _Group(dict):
    """A parameter group that remembers the learning rate that was last read from it.

    An optimizer that moves its own rate may do so before it steps or after.
    """

    lr: Any = None

    def __getitem__(self, name):
        value = super().__getitem__(name)
        if name == "lr":
            self.lr = value.clone() if isinstance(value, torch.Tensor) else value
        return value


def _set_rate(group: dict[str, Any], rate: float) -> None:
    present = group.get("lr")
    if isinstance(present, torch.Tensor):
        present.fill_(rate)
    else:
        group["lr"] = rate


def _set_momentum(group: dict[str, Any], momentum: float) -> None:
    """What OneCycleLR sets: the momentum, or the first beta."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    elif "momentum" in group:
        group["momentum"] = momentum


def _number(value: Any) -> float:
    """A learning rate as a number; NaN where an optimizer has none."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return math.nan


def _takes_closure(step: Callable) -> bool:
    places = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return any(p.kind in places for p in inspect.signature(step).parameters.values())


def _shapes(tensors: list[torch.Tensor]) -> str:
    return ", ".join(dict.fromkeys(str(tuple(p.shape)) for p in tensors))


def _first(trouble: Exception) -> str:
    return (str(trouble).splitlines() or [type(trouble).__name__])[0].rstrip(".")


class _Record:
    """The arrays of one lane as they fill."""

    def __init__(self, steps: int, tensors: list[torch.Tensor]):
        self.tensors, dim = tensors, sum(p.numel() for p in tensors)
        self.x = np.full((steps + 1, 1, dim), np.nan)
        self.updates, self.gradients = (np.full((steps, 1, dim), np.nan) for _ in range(2))
        self.rates, self.clipped = np.full((steps, 1), np.nan), np.zeros((steps, 1), dtype=bool)
        self.terms: dict[str, np.ndarray] = {}
        self.x[0, 0] = flat(tensors)

    def keep(self, t: int, optimizer: torch.optim.Optimizer) -> bool:
        """Store step t; False where the parameters are no longer finite."""
        self.x[t, 0] = flat(self.tensors)
        self.updates[t - 1] = self.x[t] - self.x[t - 1]
        at = 0
        for p in self.tensors:
            for name, value in optimizer.state.get(p, {}).items():
                if isinstance(value, torch.Tensor) and value.shape == p.shape and name != "step":
                    blank = np.full_like(self.updates, np.nan)
                    self.terms.setdefault(name, blank)[t - 1, 0, at : at + p.numel()] = flat([value])
            at += p.numel()
        return bool(np.isfinite(self.x[t]).all())

    def finished(self, objective, around) -> Trajectory:
        loss = objective.value(*np.moveaxis(self.x, 2, 0))
        batch_loss = None
        if around.batches is not None:
            batch_loss = np.stack([objective.value_of(b, *self.x[t].T) for t, b in enumerate(around.batches)])
        arrays = {"updates": self.updates, "gradients": self.gradients, **self.terms}
        diverged = blank_after_divergence(arrays, self.x, loss)
        return Trajectory(self.x, loss, self.updates, self.gradients, self.rates, self.clipped, diverged,
                          self.terms, batch_loss)  # fmt: skip
