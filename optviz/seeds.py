"""Random draws: every one comes from a seed, and a recording can carry them elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

_tape: ContextVar[dict[str, np.ndarray] | None] = ContextVar("tape", default=None)


def generator(seed: int) -> Any:
    """numpy's default generator of this seed; within `recorded()` its draws are kept as well."""
    tape, numpy_generator = _tape.get(), np.random.default_rng(seed)
    return numpy_generator if tape is None else _Recorder(numpy_generator, seed, tape)


@contextmanager
def recorded() -> Iterator[dict[str, np.ndarray]]:
    """Keep what generators draw, by seed, place in the seed's sequence, method and arguments."""
    tape: dict[str, np.ndarray] = {}
    token = _tape.set(tape)
    try:
        yield tape
    finally:
        _tape.reset(token)


class _Recorder:
    """A generator that notes each array that it hands out."""

    def __init__(self, numpy_generator: np.random.Generator, seed: int, tape: dict[str, np.ndarray]):
        self._generator, self._seed, self._tape, self._count = numpy_generator, seed, tape, 0

    def _draw(self, method: str, *arguments: Any) -> np.ndarray:
        drawn = np.asarray(getattr(self._generator, method)(*arguments))
        text = json.dumps(arguments, separators=(",", ":"))
        self._tape[f"{self._seed}|{self._count}|{method}|{text}"] = drawn
        self._count += 1
        return drawn

    def standard_normal(self, size: Any) -> np.ndarray:
        return self._draw("standard_normal", size)

    def uniform(self, low: float, high: float, size: Any) -> np.ndarray:
        return self._draw("uniform", low, high, size)

    def permutation(self, n: int) -> np.ndarray:
        return self._draw("permutation", n)

    def integers(self, low: int, high: int, size: Any) -> np.ndarray:
        return self._draw("integers", low, high, size)
