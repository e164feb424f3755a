"""What a run leaves behind: arrays, one row a step, one column a lane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Trajectory:
    """The course of one or many runs (lanes), as plain float64 arrays.

    x          (steps + 1, lanes, dim)  the parameters, the start first
    loss       (steps + 1, lanes)       the objective there
    updates    (steps, lanes, dim)      what each step added to x
    gradients  (steps, lanes, dim)      the gradient at x before noise and clipping
    applied    (steps, lanes, dim)      the gradient that the rule was given, after them; None: there are none
    rates      (steps, lanes)           the learning rate of each step
    clipped    (steps, lanes)           True where clipping changed the gradient
    terms      name -> (steps, lanes, dim)  the rule's named terms
    diverged   (lanes,)                 the step at which x or the loss stopped being
                                        finite; 0 for a lane that never did
    batch_loss (steps, lanes) or None   the loss of each step's batch, before the step
    momenta    name -> (steps,)           a hyperparameter that the schedule cycles, at each step

    From the step after a divergence on, a lane holds NaN.
    """

    x: np.ndarray
    loss: np.ndarray
    updates: np.ndarray
    gradients: np.ndarray
    rates: np.ndarray
    clipped: np.ndarray
    diverged: np.ndarray
    terms: Mapping[str, np.ndarray] = field(default_factory=dict)
    batch_loss: np.ndarray | None = None
    applied: np.ndarray | None = None
    momenta: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many steps were taken."""
        return len(self.updates)

    @property
    def lanes(self) -> int:
        """How many runs there are."""
        return self.x.shape[1]

    @property
    def final(self) -> np.ndarray:
        """The last parameters, shape (lanes, dim)."""
        return self.x[-1]

    def only(self, lane: int) -> Trajectory:
        """One lane as a run of its own, which keeps nothing of the others."""

        def cut(array):
            return None if array is None else array[:, [lane]]

        return Trajectory(
            cut(self.x), cut(self.loss), cut(self.updates), cut(self.gradients), cut(self.rates), cut(self.clipped),
            self.diverged[[lane]], {name: cut(values) for name, values in self.terms.items()}, cut(self.batch_loss),
            cut(self.applied), self.momenta,
        )  # fmt: skip


def blank_after_divergence(arrays: Mapping[str, np.ndarray], x, loss) -> np.ndarray:
    """The step at which each lane stopped being finite; what follows it becomes NaN, in place."""
    bad = ~(np.isfinite(x).all(axis=2) & np.isfinite(loss))
    first = np.where(bad.any(axis=0), np.maximum(bad.argmax(axis=0), 1), 0)
    for lane in np.flatnonzero(first):
        x[first[lane] + 1 :, lane] = np.nan
        loss[first[lane] + 1 :, lane] = np.nan
        for values in arrays.values():
            values[first[lane] :, lane] = np.nan
    return first


def side_by_side(parts: list[Trajectory]) -> Trajectory:
    """Several trajectories of equal length as the lanes of one; a term that a part lacks is NaN."""
    if len(parts) == 1:
        return parts[0]

    def join(name):
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    def join_lanes(arrays):
        return np.concatenate(arrays, axis=1)

    names = dict.fromkeys(name for part in parts for name in part.terms)
    terms = {name: join_lanes([p.terms.get(name, np.full_like(p.updates, np.nan)) for p in parts]) for name in names}
    batch = None if parts[0].batch_loss is None else join("batch_loss")
    given = [p.gradients if p.applied is None else p.applied for p in parts]
    applied = None if all(p.applied is None for p in parts) else join_lanes(given)
    vectors = {n: join_lanes([getattr(p, n) for p in parts]) for n in ("x", "updates", "gradients")}
    scalars = {n: join(n) for n in ("loss", "rates", "clipped", "diverged")}
    cycled = {name: values for part in parts for name, values in part.momenta.items()}
    return Trajectory(**vectors, **scalars, terms=terms, batch_loss=batch, applied=applied,
                      momenta=cycled)  # fmt: skip
