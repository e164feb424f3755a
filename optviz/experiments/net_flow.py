"""A net at the edge of stability beside its central flow (arXiv 2410.24206): the mean loss that its swings bring.

The weights averaged over a stretch of training stand for the flow. There the swings have the variance at which the
sharpness neither grows nor falls (`optviz.theory.central_flow.variance`), and the mean loss is L + variance S / 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.func import grad, jacrev, vmap

from ..halt import look
from ..theory.central_flow import variance
from .training import EVERY, Net, Run, Training, one_thread, stability_limit

STRETCH = 20  # steps that are averaged: even, or the swings would not cancel
EDGE, APART = (
    0.94,
    0.9,
)  # of the limit: the sharpness is at the edge above one, a second curvature must be below the other
TOGETHER = 16  # points whose Hessians are worked out side by side


def mean_losses(net: Net, weights: np.ndarray, lr: float, steps: Sequence[int]) -> dict[str, np.ndarray]:
    """What the central flow predicts around these steps of plain gradient descent, given the weights of every step.

    By step: the `sharpness` at the mean weights, their `loss`, the `variance` of the swings and the mean loss that
    follows, `mean`; NaN where nothing is claimed: the sharpness is not at the edge, or a second curvature is, too.
    """
    half = STRETCH // 2
    middle = np.array([weights[max(k - half, 0) : k + half].mean(axis=0) for k in steps])
    parts = [_at(net, middle[i : i + TOGETHER], stability_limit(lr)) for i in range(0, len(middle), TOGETHER)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _at(net: Net, points: np.ndarray, limit: float) -> dict[str, np.ndarray]:
    with one_thread():
        return _predicted(net, points, limit)


def _predicted(net: Net, points: np.ndarray, limit: float) -> dict[str, np.ndarray]:
    look()
    w = torch.tensor(points, requires_grad=True)
    values, vectors = torch.linalg.eigh(vmap(jacrev(grad(net.loss)))(w.detach()))
    losses: Any = vmap(net.loss)(w)
    (slope,) = torch.autograd.grad(losses.sum(), w, create_graph=True)
    along = vectors[:, :, -1]
    (bend,) = torch.autograd.grad(slope, w, along, create_graph=True)
    (rise,) = torch.autograd.grad((bend * along).sum(), w)
    sharp, second = values[:, -1].numpy(), values[:, -2].numpy()
    swings = np.array([variance(g, r) for g, r in zip(slope.detach().numpy(), rise.numpy(), strict=True)])
    claimed = (sharp >= EDGE * limit) & (second <= APART * limit)
    swings = np.where(claimed, swings, np.nan)
    loss = losses.detach().numpy()
    return {"sharpness": sharp, "loss": loss, "variance": swings, "mean": loss + swings * sharp / 2}


def means_of(training: Training, run: Run, lr: float) -> np.ndarray:
    """The predicted mean loss at every tenth step of a run of plain gradient descent, (steps // 10 + 1,)."""
    weights = training.all_weights()[: run.done + 1]
    last = run.diverged or run.done
    steps = range(STRETCH, last - STRETCH // 2, EVERY)
    found = np.full(len(run.weights), np.nan)
    if len(steps):
        found[[k // EVERY for k in steps]] = mean_losses(training.net, weights, lr, steps)["mean"]
    return found
