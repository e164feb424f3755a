"""Minima that are found, the basins around them, and where a loss is sure to be finite."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from test_sweep import SURFACES, cells

import optviz
from optviz import SGD, basins, descend, surfaces, sweep
from optviz.objectives.minima import lowest_loss, minima_of
from optviz.sweeps.safe_radius import safe_radius


@pytest.mark.parametrize("cls", SURFACES, ids=lambda c: c.__name__)
def test_within_the_safe_radius_the_loss_is_finite(cls):
    from optviz.sweeps.lanes import Program

    objective = cls()
    radius = Program(objective, SGD(), (), {}).radius({})
    assert radius >= 100, "every surface of the catalogue has a bound worth having"
    corners = np.array([[s * r for s in (-1, 1)] for r in (radius, radius / 3, 1.0)]).ravel()
    x, y = np.meshgrid(corners, corners)
    assert np.isfinite(objective.value(x, y)).all()


def test_no_safe_radius_where_a_function_may_lack_a_value():
    from optviz.sweeps.lanes import Program

    for formula in (lambda x, y: 1 / x + y, lambda x, y: optviz.xp.log(x) + y, lambda x, y: optviz.xp.sqrt(x - y)):
        line = Program(optviz.objective(formula, starts=[(2.0, 1.0)]), SGD(), (), {}).lines["look"]
        assert safe_radius(line, {}) == 0


@pytest.mark.parametrize("cls", SURFACES, ids=lambda c: c.__name__)
def test_the_declared_minima_are_found(cls):
    objective = cls()
    found = minima_of(objective)
    for declared in objective.minima:
        assert np.min(np.hypot(*(found - declared).T)) < 1e-4
    if len(found):
        g = objective.value(*found.T)
        assert (np.diff(g) >= -1e-12).all()
        around = found[:, :, None] + 1e-3 * np.array([[1, -1, 0, 0], [0, 0, 1, -1]])[None]
        assert (objective.value(around[:, 0], around[:, 1]) >= g[:, None] - 1e-12).all()


def test_saddles_are_no_minima():
    assert len(minima_of(surfaces.MonkeySaddle())) == 0
    assert len(minima_of(surfaces.BoundedSaddle())) == 2


def test_the_lowest_loss_is_found_where_none_is_declared():
    xp = optviz.xp
    for formula, lowest in {
        lambda x, y: x**2 + 3 * y**2 + x * y + 7: 7.0,
        lambda x, y: abs(x - 0.3) + y**2 - 2: -2.0,  # at a kink
        lambda x, y: torch.sin(x) ** 2 + (y - 1) ** 2 - 5: -5.0,
        lambda x, y: x**3 - 3 * x + y**2: None,  # a minimum, and lower losses beyond the edge
        lambda x, y: xp.exp(-x) + y**2: None,
    }.items():
        assert lowest_loss(optviz.objective(formula)) == (None if lowest is None else pytest.approx(lowest, abs=1e-9))
    assert lowest_loss(surfaces.MonkeySaddle()) is None
    hidden = type("Bare", (surfaces.Rosenbrock,), {"lowest": None, "minima": ()})
    assert lowest_loss(hidden(steepness=3)) == pytest.approx(0, abs=1e-12)


def test_himmelblau_has_four_basins():
    found = basins(surfaces.Himmelblau(), SGD(lr=0.01), size=40)
    assert found.minimum.dims == ("y", "x") and found.attrs["minima"].shape == (4, 2)
    assert set(np.unique(found.minimum)) == {0, 1, 2, 3}
    for own, cell in list(cells(found))[::97]:
        end = descend(surfaces.Himmelblau(), SGD(lr=0.01), (own["x"], own["y"]), 300).final[0]
        near = np.argmin(np.hypot(*(found.attrs["minima"] - end).T))
        assert cell.minimum == near


@pytest.mark.parametrize("objective", [
    surfaces.Himmelblau(), optviz.objective(lambda x, y: (x**2 - 1) ** 2 + (y**2 - 2) ** 2 + 0.1 * x),
], ids=["himmelblau", "user"])  # fmt: skip
def test_starts_close_to_a_minimum_belong_to_it(objective):
    minima = minima_of(objective)
    assert len(minima) == 4
    (x0, x1), (y0, y1) = objective.domain
    for far in ((x0, y0), (x1, y0), (x0, y1), (x1, y1)):
        for k, minimum in enumerate(minima):
            x, y = 0.001 * np.asarray(far) + 0.999 * minimum
            found = sweep(objective, SGD(lr=0.005), (x, y), 100, {"x": [x]}, measure="minimum", minima=minima)
            assert found.item() == k


def test_steps_to_the_minimum_reached():
    camel = surfaces.SixHumpCamel()
    found = basins(camel, SGD(lr=0.01), size=9, steps=200, measure=["minimum", "steps_to"], tolerance=1e-3)
    values = camel.value(*found.attrs["minima"].T)
    assert len(values) > 2
    for own, cell in cells(found):
        loss = descend(camel, SGD(lr=0.01), (own["x"], own["y"]), 200).loss[:, 0]
        level = values[int(cell.minimum)] if cell.minimum >= 0 else math.nan
        close = np.flatnonzero(loss <= level + 1e-3)
        np.testing.assert_array_equal(cell.steps_to, close[0] if close.size else math.nan)
