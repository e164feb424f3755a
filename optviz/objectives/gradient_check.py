"""Whether autograd's gradient is the slope of the value: it loses a variable without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .torch_seeds import torch_seeded

STEP, FINER = 1e-3, 16  # of the domain's width; how much smaller the second step is
ROUNDING = 2e-7  # of a value that was float32 on its way


class GradientLost(ValueError):
    """Autograd's gradient is not the slope of the value."""


def check_gradient(value: Callable, gradient: Callable, domain: Any, starts: Sequence[Any], label: str) -> None:
    """Raise GradientLost where finite differences show a slope that the gradient does not have.

    `value(x, y)` gives a number and `gradient(x, y)` the two slopes. They are compared at the
    first start and at five points of the domain, and two of those must speak against the
    gradient: one may lie at a kink or a jump. A slope of zero says nothing (a variable that
    the value does not depend on; a gradient of the user's own across steps), nor do differences
    that two step sizes do not agree on, nor points at which the function fails.
    """
    box = np.asarray([(-1, 1)] * 2 if domain is None else domain, dtype=float)
    compared = [pair for point in _points(box, starts) if (pair := _compared(value, gradient, point, box))]
    against = [pair for pair in compared if pair[3].any()]
    if not against or len(against) < min(2, len(compared)):
        return
    point, shown, slopes, _ = against[0]
    anywhere = np.any([lost for *_, lost in against], axis=0)
    names = " and ".join(name for name, lost in zip("xy", anywhere, strict=True) if lost)
    raise GradientLost(
        f"objective '{label}' loses {names} on the way: at {_pair(point)} autograd gives {_pair(shown)}, the slope "
        f"is {_pair(slopes)}; put variables into a module by torch.func.functional_call, without load_state_dict, "
        ".data, .detach(), .item() or no_grad, or pass own_gradient=True to TorchFunction."
    )


def _points(box: np.ndarray, starts: Sequence[Any]) -> Iterator[np.ndarray]:
    yield from (np.array(start, dtype=float) for start in starts[:1])
    for k in range(1, 6):  # a sequence that fills the plane evenly, on no lattice (Roberts 2018)
        yield box[:, 0] + (box[:, 1] - box[:, 0]) * ((0.5 + k * np.array([0.7548776662, 0.5698402910])) % 1)


def _compared(value: Callable, gradient: Callable, point: np.ndarray, box: np.ndarray) -> Any:
    """The point, its gradient, its slope and which entries of it are lost; None where there is nothing to compare."""
    try:
        with torch_seeded(0):
            shown = np.array(gradient(*point), dtype=float)
        if _at(value, point) != _at(value, point):  # noise of its own, or no number
            return None
        pairs = [_slope(value, point, i, STEP * (box[i, 1] - box[i, 0])) for i in range(2)]
    except Exception:  # a point outside what the function knows
        return None
    slopes, unsure = np.transpose(pairs)
    differs = np.abs(slopes - shown) > unsure + 0.01 * np.abs(slopes)
    return point, shown, slopes, differs & (np.abs(slopes) > unsure)  # false for nan


def _slope(value: Callable, point: np.ndarray, i: int, step: float) -> tuple[float, float]:
    """The slope by central differences, and how far off it may be."""
    side = np.eye(2)[i]
    ends = [_at(value, point + h * side) for h in (step, -step, step / FINER, -step / FINER)]
    coarse, fine = (ends[0] - ends[1]) / (2 * step), FINER * (ends[2] - ends[3]) / (2 * step)
    return fine, abs(coarse - fine) + ROUNDING * max(map(abs, ends)) * FINER / step


def _at(value: Callable, point: np.ndarray) -> float:
    with torch_seeded(0):  # what is drawn within is no slope
        return float(value(*point))


def _pair(numbers: Any) -> str:
    return f"({', '.join(f'{v:.4g}' for v in numbers)})"
