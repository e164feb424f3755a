"""What a torch optimizer calls for the loss and the gradients of its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..objectives.torch_objectives import TorchFunction


def tensors_of(objective: Any, start: np.ndarray) -> list[torch.Tensor]:
    """The parameters that an optimizer moves: one vector, or a module's own tensors."""
    if isinstance(objective, TorchFunction):
        return objective.tensors(start)
    return [torch.tensor(start, dtype=torch.float64, requires_grad=True)]


def flat(tensors: list[torch.Tensor]) -> np.ndarray:
    """Tensors of any shapes and precisions as one vector of float64, which may share their memory."""
    vectors = [p.detach().to_dense().reshape(-1).to(torch.float64) for p in tensors]
    return (torch.cat(vectors) if len(vectors) > 1 else vectors[0]).numpy()


class Closure:
    """The loss and the gradients at one step, as often as the optimizer asks.

    `first` keeps the first gradient (dim,), before noise and clipping, and whether clipping
    changed it; `trouble` is what the objective raised. With `graph` the gradients can be
    differentiated once more, as after `loss.backward(create_graph=True)`.
    """

    def __init__(self, objective, tensors: list[torch.Tensor], around, t: int, draws, graph: bool):
        self.objective, self.tensors, self.around, self.graph = objective, tensors, around, graph
        self.batch, self.noise = around.batch(t), None if draws is None else draws[t - 1]
        self.first: Any = None
        self.trouble: Exception | None = None

    def __call__(self) -> torch.Tensor:
        try:
            with torch.enable_grad():
                loss, slopes = self._slopes()
        except Exception as trouble:
            self.trouble = trouble
            raise
        raw = flat([torch.zeros_like(p) if s is None else s for p, s in zip(self.tensors, slopes, strict=True)])
        g, cut = self.around.clip_gradient((raw if self.noise is None else raw + self.noise)[:, None])
        if self.first is None:
            self.first = raw, cut
        whole = torch.tensor(g[:, 0])
        pieces = torch.split(whole, [p.numel() for p in self.tensors]) if len(self.tensors) > 1 else [whole]
        for p, slope, piece in zip(self.tensors, slopes, pieces, strict=True):
            if slope is None:
                p.grad = None  # as torch leaves a parameter that the loss does not depend on
            else:
                mine = piece.reshape(p.shape).clone()
                p.grad = slope + (mine - slope.detach()) if self.graph else mine
        return loss

    def _slopes(self) -> tuple[torch.Tensor, Any]:
        """The loss, and its slope for each tensor: None where it does not depend on one."""
        if isinstance(self.objective, TorchFunction):
            loss = self.objective.loss_at(self.tensors, self.batch)
            if not loss.requires_grad:
                return loss, [torch.zeros_like(p) for p in self.tensors]
            return loss.detach(), torch.autograd.grad(loss, self.tensors, create_graph=self.graph, allow_unused=True)
        (point,) = self.tensors
        x = point.detach().numpy().copy()
        columns = self.objective.array_gradient(self.batch)(*x[:, None])
        slope = torch.tensor(np.array([np.asarray(c).item() for c in columns], dtype=float))
        value = self.objective.value(*x) if self.batch is None else self.objective.value_of(self.batch, *x)
        bent = _Bent.apply(point, slope, self.objective, self.batch) if self.graph else slope
        return torch.tensor(float(value), dtype=torch.float64), [bent]


class _Bent(torch.autograd.Function):
    """A gradient that knows its own derivative, the Hessian."""

    @staticmethod
    def forward(ctx, point, slope, objective, batch):
        ctx.save_for_backward(point)
        ctx.objective, ctx.batch = objective, batch
        return slope.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *slopes):
        (point,) = ctx.saved_tensors
        x = point.detach().numpy()
        batch = ctx.batch
        hessian = ctx.objective.hessian(*x) if batch is None else ctx.objective.hessian_of(batch, *x)
        return torch.tensor(np.asarray(hessian)) @ slopes[0], None, None, None
