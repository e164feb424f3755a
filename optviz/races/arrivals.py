"""The steps that many runs of one rule on one surface need to a target, each with its own start and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..maps.axes import COORDINATES
from ..sweeps.sweep import sweep
from .streams import placed


def arrivals(objective: Any, rule: Any, steps: int, columns: Mapping[str, Any], level: float) -> np.ndarray:
    """The first step at which each run's loss is at most the level, infinite where it never is.

    `columns`, one value a run, are hyperparameters of the rule by name, and "start x" and "start y".
    """
    named = dict(zip(COORDINATES, objective.names, strict=True))
    axes = {named.get(name, name): values for name, values in columns.items()}
    found: Any = sweep(objective, rule, objective.starts[0], steps, axes, measure="steps_to", tolerance=0.0,
                       lowest=level, paired=True)  # fmt: skip
    return np.where(np.isnan(found.values), np.inf, found.values)


def tuned(
    objective: Any, rule: Any, knobs: Mapping[str, Any], stream: np.ndarray, starts: Sequence[Any], steps: int,
    level: float,
) -> np.ndarray:  # fmt: skip
    """The arrivals (starts, trials) of a rule from every start with every trial's numbers.

    `knobs` give by name the span of a number of the rule and which coordinate of the stream places it there.
    """
    trials, count = {name: placed(stream[:, d], span) for name, (d, span) in knobs.items()}, len(starts)
    columns = {name: np.tile(values, count) for name, values in trials.items()}
    for name, axis in (("start x", 0), ("start y", 1)):
        columns[name] = np.repeat(np.array([float(point[axis]) for point in starts]), len(stream))
    return arrivals(objective, rule, steps, columns, level).reshape(count, len(stream))


def spread_starts(objective: Any, stream: np.ndarray) -> list[tuple[float, float]]:
    """Starts in the domain of a surface, where a stream's points place them, to four digits."""
    across, up = [placed(stream[:, k], (*objective.domain[k], False)) for k in range(2)]
    return [(float(x), float(y)) for x, y in zip(across, up, strict=True)]
