"""Lanes on a device that is not there: torch follows which device every number is on, and refuses to mix them."""

from __future__ import annotations

from itertools import cycle, product

import numpy as np
import pytest
from test_sweep import RULES, SURFACES
from torch._subclasses.fake_tensor import FakeTensorMode

from optviz import SGD, Rule, surfaces
from optviz.rules.schedules import CosineAnnealingLR
from optviz.sweeps.blocks import block
from optviz.sweeps.lanes import _kept
from optviz.sweeps.sweep import _grid

DEVICE = "lazy"  # a fake tensor may be on it where torch is not linked with a GPU's libraries
PAIRS = [*product(RULES, [surfaces.Rosenbrock]), *product([SGD], SURFACES)]
AROUND = [{}, {"clip": 0.5, "noise": 0.1}, {"clip_norm": 1.0, "schedule": CosineAnnealingLR(T_max=3)}]


@pytest.fixture
def device():
    """Every number keeps where it is and is without a value."""
    _kept.cache_clear()
    with FakeTensorMode():
        yield DEVICE
    _kept.cache_clear()  # its programs hold numbers without a value


def axes_of(rule: type[Rule]) -> dict[str, list[float]]:
    """Every number of a rule varied, two values each."""
    made = rule()
    numbers = [n for n in made.hyperparameters() if not isinstance(getattr(made, n), bool)]
    return {n: [getattr(made, n), 0.9 * getattr(made, n) + 0.05] for n in numbers} | {"x": [-1.0, 1.0], "seed": [0, 1]}


def lanes(rule, objective, around, device):
    grid = _grid(objective, rule, (1.0, 0.5), 3, axes_of(type(rule)), around)
    grid.device = device
    return block(grid.plan(True), 0, grid.lanes)


def test_every_rule_and_surface_keeps_its_lanes_on_their_device(device):
    for (rule, surface), around in zip(PAIRS, cycle(AROUND), strict=False):
        made = lanes(rule(), surface(), around, device)
        for t in (1, 2):
            made.step(t)
        made.measure()
        made.fill(np.array([0, 3]), 1)
        rows = (*made.state(), made.F)
        assert {row.device.type for row in rows} == {device}, (rule, surface, around)


def test_a_number_on_another_device_is_noticed(device):
    made = lanes(SGD(), surfaces.Quadratic(), {}, device)
    made.X[0].add_(1.0)
    with pytest.raises(RuntimeError, match="same device"):
        made.X[0].add_(made.xp.asarray(np.ones(made.X[0].shape)).to("cpu"))
