"""What theory says of a run whose learning rate changes: limits, which hang on no rate, beside the rates in force."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..plurals import many
from .verdicts import shown


def under_rates(found: Mapping[str, Any], rates: np.ndarray, momentum: float | None = None) -> dict[str, Any]:
    """An `outlook` of a run with these rates, one a step, that it took: a factor a step would need a constant one.

    `momentum` is what a schedule that moves it too has made of it in the last step, for which the limit was found.
    """
    limit = found["limit"]
    if limit is None:
        said = "No limit of the learning rate is known there."
    elif not math.isfinite(limit):
        said = "No learning rate is too high there."
    elif momentum is None and not found["frozen"]:
        said = f"Rates below {shown(limit, 4)} are stable. {beside(limit, rates)}"
    else:
        at = " with its last denominators" if momentum is None else f" at the last step's momentum, {shown(momentum)}"
        said = f"Rates below {shown(limit, 4)} are stable{at}. {ended(limit, rates)}"
    return {**found, "sentence": said, "rate": None, "stable": None}


def beside(limit: float, rates: np.ndarray) -> str:
    """How rates that change lie beside a limit, in a sentence."""
    above = rates >= limit
    steps, count = len(rates), int(np.count_nonzero(above))
    if count == 0:
        return "The rate is below that throughout."
    if count == steps:
        return "The rate is above that throughout."
    changes = np.flatnonzero(above[1:] != above[:-1]) + 1
    if len(changes) == 1:
        turn = f"at step {int(changes[0]) + 1}"
        if bool(above[0]):
            return f"The rate falls below that {turn} and stays below."
        return f"The rate passes that {turn} and stays above."
    first, last = int(np.flatnonzero(above)[0]) + 1, int(np.flatnonzero(above)[-1]) + 1
    if last - first + 1 == count:
        return f"The rate is above that from step {first} to step {last}."
    return f"The rate is above that in {many(count, 'step')}, first in step {first} and last in step {last}."


def ended(limit: float, rates: np.ndarray) -> str:
    """The last rate beside a limit that holds for the last step."""
    last = float(rates[-1])
    return f"The last rate is {shown(last, 4)}, {'above' if last >= limit else 'below'} that."
