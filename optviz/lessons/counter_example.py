"""What a counter-example is made of: a state of an experiment, a sentence of what to see there, and its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .lesson import State


@dataclass(frozen=True, kw_only=True)
class CounterExample:
    """A run that does what nobody expects. It stands beside its experiment, which names it in `counter_examples`.

    `state` says what an address says, by the same names; `happens` asks the experiment in that state whether the run
    does what the sentence says.
    """

    title: str
    sentence: str
    source: str
    state: State
    happens: Callable[[Any], bool]
