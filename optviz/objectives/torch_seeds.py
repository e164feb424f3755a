"""torch's global generator, seeded for a while and left as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch

from ..halt import unpaused

_ONE_AT_A_TIME = RLock()  # there is one generator for all threads


@contextmanager
def torch_seeded(seed: int) -> Iterator[None]:
    """What torch draws within comes from this seed; its global generator is then as before."""
    with _ONE_AT_A_TIME, unpaused(), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed takes a thousand times as long without a GPU
        yield
