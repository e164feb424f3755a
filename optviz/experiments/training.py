"""Small nets trained by torch on all their data at once, and the sharpness that training meets.

Sharpness is the largest eigenvalue of the loss's Hessian. Everything is in float64; a vector
of weights is torch's parameters one after the other, W1 row by row, b1, W2, b2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import Lock
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch.func import functional_call, grad, jacrev, vmap

from ..halt import look, unpaused
from ..messages import refuse
from ..objectives.torch_seeds import torch_seeded
from ..rules.optimizers import SGD
from ..theory.stability import max_curvature

ACTIVATIONS = {"ReLU": torch.nn.ReLU, "Tanh": torch.nn.Tanh}
DATA = ("XOR", "Moons")
BLOCK = 25  # steps trained before their sharpness is computed together, where somebody waits
WHOLE = 250  # where nobody does: a product for many vectors takes little longer than one for few
EVERY = 10  # steps from one kept vector of weights to the next


_ONE_AT_A_TIME = Lock()  # trainings that are kept, for several threads


@contextmanager
def one_thread() -> Iterator[None]:
    """Threads that wait for each other cost arrays this small ten times what they save on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def data_set(name: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The points (n, 2) and targets (n,) of a data set.

    XOR: the four corners 0, 1 with targets 0, 1. Moons: 40 points on two half circles with
    normal noise 0.2, drawn from the seed, targets -1, 1. ValueError for another name.
    """
    if name == "XOR":
        return np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
    if name != "Moons":
        refuse("data_set", f"needs one of {', '.join(DATA)}", name)
    random, side = np.random.default_rng(seed), np.arange(40) % 2
    angle, turn = random.uniform(0, np.pi, 40), 1.0 - 2 * side
    x = np.stack([np.cos(angle) * turn + side - 0.5, np.sin(angle) * turn + 0.5 * side - 0.25], axis=1)
    return x + 0.2 * random.standard_normal((40, 2)), -turn


@dataclass(frozen=True)
class Net:
    """A net 2 - width - 1 with PyTorch's own initialisation from `seed`, and the data it learns.

    The loss is the mean squared error over all points. ValueError for an unknown data set or
    activation, or a width that is no positive whole number.
    """

    data: str = "XOR"
    activation: str = "ReLU"
    width: int = 16
    seed: int = 0

    def __post_init__(self):
        if self.activation not in ACTIVATIONS:
            refuse("Net", f"needs an activation among {', '.join(ACTIVATIONS)}", self.activation)
        if isinstance(self.width, bool) or not isinstance(self.width, int | np.integer) or self.width < 1:
            refuse("Net", "needs a width that is a positive whole number", self.width)
        data_set(self.data, self.seed)

    @cached_property
    def points(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The data as tensors: (n, 2) and (n, 1)."""
        x, y = data_set(self.data, self.seed)
        return torch.tensor(x), torch.tensor(y)[:, None]

    def module(self) -> torch.nn.Sequential:
        """A new torch module as it is before training; torch's global generator is left as it was."""
        with torch_seeded(self.seed):
            return torch.nn.Sequential(
                torch.nn.Linear(2, self.width, dtype=torch.float64), ACTIVATIONS[self.activation](),
                torch.nn.Linear(self.width, 1, dtype=torch.float64),
            )  # fmt: skip

    @cached_property
    def loss(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """The loss as a function of one vector of weights (4 width + 1,)."""
        module, (x, y) = self.module(), self.points
        shapes = {name: p.shape for name, p in module.named_parameters()}

        def loss(weights: torch.Tensor) -> torch.Tensor:
            pieces = torch.split(weights, [s.numel() for s in shapes.values()])
            named = {n: piece.reshape(s) for piece, (n, s) in zip(pieces, shapes.items(), strict=True)}
            return torch.nn.functional.mse_loss(functional_call(module, named, (x,)), y)

        return loss


def outputs(weights: Any, activation: str, x: Any, y: Any) -> Any:
    """The net's output at points (x, y), arrays of one shape, for one vector of weights."""
    width = (len(weights) - 1) // 4
    total = weights[4 * width] + 0 * x
    for j in range(width):
        inner = weights[2 * j] * x + weights[2 * j + 1] * y + weights[2 * width + j]
        total = total + weights[3 * width + j] * (np.maximum(inner, 0) if activation == "ReLU" else np.tanh(inner))
    return total


def stability_limit(lr: float, momentum: float = 0.0) -> float:
    """The sharpness above which PyTorch's SGD with this momentum is unstable on a quadratic: 2 (1 + m) / lr."""
    return max_curvature(SGD(lr=lr, momentum=momentum))


# the largest eigenvalue


def sharpness(net: Net, weights: Any, tolerance: float = 1e-10) -> np.ndarray:
    """The largest eigenvalue of the loss's Hessian at each vector of weights, (k, 4 width + 1) to (k,).

    Lanczos with Hessian-vector products, all vectors side by side, until the residual bounds
    the error by `tolerance` of the value; where that takes too many products, the eigenvalues
    of the whole Hessian. NaN where the Hessian is not finite.
    """
    points = torch.as_tensor(np.asarray(weights, dtype=float))
    if points.ndim != 2 or points.shape[1] != 4 * net.width + 1:
        refuse("sharpness", f"needs weights of shape (k, {4 * net.width + 1})", tuple(points.shape))
    found = np.full(len(points), np.nan)
    finite = torch.isfinite(points).all(dim=1).numpy()
    if finite.any():
        with one_thread():
            found[finite] = _largest(net, points[finite], tolerance)
    return found


def _largest(net: Net, points: torch.Tensor, tolerance: float) -> np.ndarray:
    values, sure = _lanczos(_hessian_products(net, points), *points.shape, tolerance)
    for k in np.flatnonzero(~sure):
        values[k] = largest_eigenvalue(net, points[k])
    return values


def largest_eigenvalue(net: Net, weights: Any) -> float:
    """The same from the whole Hessian at one vector of weights; NaN where it is not finite."""
    # torch.func.hessian's forward mode warns that parts of torch itself are deprecated
    whole: Any = jacrev(grad(net.loss))(torch.as_tensor(weights))
    return float(torch.linalg.eigvalsh(whole)[-1]) if torch.isfinite(whole).all() else math.nan


def _hessian_products(net: Net, points: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """The Hessian at each of the points (k, n) times a vector each, from one graph."""
    points = points.detach().requires_grad_()
    (slope,) = torch.autograd.grad(vmap(net.loss)(points).sum(), points, create_graph=True)
    return lambda vectors: torch.autograd.grad(slope, points, vectors, retain_graph=True)[0]


def _lanczos(product: Callable, lanes: int, size: int, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalue of each of `lanes` matrices, and which are within the tolerance."""
    begin = torch.tensor(np.random.default_rng(0).standard_normal(size))
    basis = [(begin / begin.norm()).expand(lanes, size)]
    diagonal, beside = [], []
    found, sure = torch.full((lanes,), math.nan, dtype=torch.float64), torch.zeros(lanes, dtype=torch.bool)
    for count in range(1, min(size, 48) + 1):
        look()
        vector = product(basis[-1].contiguous())
        diagonal.append((vector * basis[-1]).sum(dim=1))
        known = torch.stack(basis, dim=1)
        for _ in range(2):  # once leaves rounding errors that grow
            vector = vector - torch.einsum("kin,ki->kn", known, torch.einsum("kin,kn->ki", known, vector))
        beside.append(vector.norm(dim=1))
        if count % 4 == 0 or count == min(size, 48):
            values, good = _ritz(diagonal, beside, tolerance)
            found = torch.where(sure, found, values)
            sure = sure | good
            if sure.all():
                break
        # an exhausted lane is sure at the next look; its vector is of no matter, but must be a number
        basis.append(vector / beside[-1].clamp(min=1e-300)[:, None])
    return found.numpy().copy(), sure.numpy()


def _ritz(diagonal: list, beside: list, tolerance: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest eigenvalue of the Lanczos matrices, and where its residual is small enough.

    What comes after a lane has run dry is left out of its matrix.
    """
    a, b = torch.stack(diagonal, dim=1), torch.stack(beside, dim=1)
    ok = torch.isfinite(a).all(dim=1) & torch.isfinite(b).all(dim=1)
    a, b = torch.where(ok[:, None], a, 0.0), torch.where(ok[:, None], b, 0.0)
    size = (a.abs() + b).amax(dim=1, keepdim=True)
    dry = torch.cumsum(b <= 1e-13 * size, dim=1)  # counts from the place where the space is exhausted
    after = torch.cat([torch.zeros_like(dry[:, :1]), dry[:, :-1]], dim=1) > 0
    a, b = torch.where(after, -4 * size, a), torch.where(dry > 0, 0.0, b)
    matrix = torch.diag_embed(a) + torch.diag_embed(b[:, :-1], 1) + torch.diag_embed(b[:, :-1], -1)
    values, vectors = torch.linalg.eigh(matrix)
    residual = b[:, -1] * vectors[:, -1, -1].abs()
    return values[:, -1], ok & (residual <= tolerance * values[:, -1].abs())


# training


@dataclass
class Run:
    """What a training has met so far: row t is before step t + 1, so there is one more than steps.

    `loss` and `sharpness` (done + 1,), `weights` (done // 10 + 1, 4 width + 1) at every tenth
    step; `points` (n, 2) and `targets` (n,). `done` counts the steps, `diverged` is the step
    after which a weight or the loss is no longer finite, 0 if none: NaN from there on.
    `gradient_norms` and `step_lengths` (done,) are the lengths of all weights' gradient and of each step.
    """

    loss: np.ndarray
    sharpness: np.ndarray
    weights: np.ndarray
    gradient_norms: np.ndarray
    step_lengths: np.ndarray
    points: np.ndarray
    targets: np.ndarray
    done: int
    diverged: int
    means: np.ndarray  # (done // 10 + 1,): what `net_flow.means_of` predicts, NaN where it is not asked


class Training:
    """A net in training by torch.optim.SGD on all its data, which can stop and go on at any step."""

    def __init__(self, net: Net, lr: float, momentum: float = 0.0):
        self.net, self.module = net, net.module()
        try:
            self.optimizer = torch.optim.SGD(self.module.parameters(), lr=lr, momentum=momentum, foreach=False)
        except ValueError as trouble:
            raise ValueError(f"Training: torch.optim.SGD refuses its arguments: {trouble}.") from None
        self.losses: list[float] = []
        self.weights: list[np.ndarray] = []
        self.sharpness: list[float] = []
        self.gradients: list[np.ndarray] = []
        self.diverged = 0
        self._note()
        self._measure()

    @property
    def done(self) -> int:
        """How many steps have been made."""
        return len(self.sharpness) - 1

    def advance(self, steps: int, seconds: float = math.inf) -> bool:
        """Train up to this many steps in all, for about so many seconds; whether nothing is left to do."""
        end, block = monotonic() + seconds, BLOCK if math.isfinite(seconds) else WHOLE
        with one_thread():
            if len(self.sharpness) < len(self.losses):  # it was stopped while it measured
                self._measure()
            while self.done < steps and not self.diverged:
                self._block(min(block, steps - self.done))
                if monotonic() >= end:
                    break
        return self.done >= steps or bool(self.diverged)

    def _block(self, steps: int) -> None:
        for _ in range(steps):
            look()
            self._step()
            if self.diverged:
                break
        self._measure()

    def _step(self) -> None:
        self.optimizer.zero_grad()
        self._loss.backward()
        self.gradients.append(_joined(p.grad for p in self.module.parameters()))
        self.optimizer.step()
        self._note()
        if not (math.isfinite(self.losses[-1]) and np.isfinite(self.weights[-1]).all()):
            self.diverged = len(self.losses) - 1

    def _note(self) -> None:
        x, y = self.net.points
        self._loss = torch.nn.functional.mse_loss(self.module(x), y)
        self.losses.append(float(self._loss.detach()))
        self.weights.append(_joined(p.detach() for p in self.module.parameters()))

    def _measure(self) -> None:
        fresh = np.array(self.weights[len(self.sharpness) :])
        self.sharpness += sharpness(self.net, fresh).tolist()

    def run(self, steps: int) -> Run:
        """The first `steps` steps as far as they are made; after a divergence NaN to the end."""
        made, lost = min(self.done, steps), 0 < self.diverged <= steps
        x, y = self.net.points
        rows = [np.array(each[: made + 1], dtype=float) for each in (self.losses, self.sharpness, self.weights)]
        if lost:
            for i, each in enumerate(rows):
                each[made:] = np.nan
                tail = np.full((steps - made, *each.shape[1:]), np.nan)
                rows[i] = np.concatenate([each, tail])
        loss, sharp, weights = rows
        whole = steps if lost else made
        lengths = [_lengths(each, whole) for each in (self.gradients[:made], np.diff(self.weights[: made + 1], axis=0))]
        return Run(loss, sharp, weights[::EVERY], *lengths, x.numpy(), y[:, 0].numpy(), whole,
                   self.diverged if lost else 0, np.full(len(weights[::EVERY]), np.nan))  # fmt: skip

    def all_weights(self) -> np.ndarray:
        """The weights before and after every step, shape (done + 1, 4 width + 1)."""
        return np.array(self.weights)


def _joined(tensors: Iterable[Any]) -> np.ndarray:
    return np.concatenate([each.numpy().ravel() for each in tensors])


def _lengths(vectors: Any, whole: int) -> np.ndarray:
    """The length of each vector, then NaN up to `whole`."""
    found = np.full(whole, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        found[: len(vectors)] = [np.linalg.norm(each) for each in vectors]
    return found


@lru_cache(maxsize=40)
def _training(net: Net, lr: float, momentum: float) -> Training:
    return Training(net, lr, momentum)


def trained(net: Net, lr: float, momentum: float, steps: int) -> Run:
    """A whole run; the latest trainings are kept, and go on where more steps are asked for."""
    return all_trained(net, lr, momentum, steps).run(steps)


def all_trained(net: Net, lr: float, momentum: float, steps: int) -> Training:
    """The training of that run, so many steps of it at least."""
    with _ONE_AT_A_TIME, unpaused():
        training = _training(net, lr, momentum)
        training.advance(steps)
        return training
