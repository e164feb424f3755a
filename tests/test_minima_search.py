"""Minima at kinks, in narrow wells and in flat valleys, over a seeded catalogue with oracles of its own."""

from __future__ import annotations

import numpy as np
import param
import pytest
import torch
from scipy.optimize import minimize

import optviz
from optviz import SGD, Objective, basins, surfaces, sweep, xp
from optviz.objectives.minima import Basin, finding, lowest_loss, minima_of


def numbered(letters: str, count: int) -> dict:
    return {f"{letter}{k}": param.Number(0.0) for k in range(count) for letter in letters}


class Highest(Objective):
    """The highest of three quadratics."""

    locals().update(numbered("uvabch", 3))

    @staticmethod
    def formula(h, x, y, xp):
        each = []
        for k in "012":
            u, v, a, b, c, high = (getattr(h, f"{letter}{k}") for letter in "uvabch")
            each.append(a * (x - u) ** 2 + 2 * c * (x - u) * (y - v) + b * (y - v) ** 2 + high)
        return xp.maximum(xp.maximum(each[0], each[1]), each[2])


class Wells(Objective):
    """Three round wells on a wide bowl."""

    locals().update(numbered("uvwd", 3))

    @staticmethod
    def formula(h, x, y, xp):
        value = (x**2 + y**2) / 20
        for k in "012":
            u, v, w, d = (getattr(h, f"{letter}{k}") for letter in "uvwd")
            value = value - d * xp.exp(-((x - u) ** 2 + (y - v) ** 2) / w**2)
        return value


def drawn(kind: type, seed: int) -> Objective:
    random = np.random.default_rng(seed)
    places = {f"{letter}{k}": random.uniform(-2.2, 2.2) for k in range(3) for letter in "uv"}
    more = {}
    for k in range(3):
        if kind is Wells:  # from a third of the lattice's cells on
            more |= {f"w{k}": float(np.exp(random.uniform(np.log(0.03), np.log(0.5)))), f"d{k}": random.uniform(0.5, 2)}
        else:
            a, b = random.uniform(0.3, 3, 2)
            more |= {
                f"a{k}": a,
                f"b{k}": b,
                f"c{k}": random.uniform(-0.5, 0.5) * np.sqrt(a * b),
                f"h{k}": random.random(),
            }
    return kind(**places, **more)


def assert_minima(objective, points):
    """No point of small rings around one lies lower."""
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    for size in (1e-3, 1e-5):
        around = points.T[:, :, None] + size * np.array([np.cos(turn), np.sin(turn)])[:, None, :]
        assert (objective.value(*around) >= objective.value(*points.T)[:, None] - 1e-13).all()


@pytest.mark.parametrize("seed", range(25))
def test_the_one_minimum_of_the_highest_of_three_quadratics_is_found(seed):
    made = drawn(Highest, seed)
    pieces = [Highest(**{f"{n}{k}": getattr(made, f"{n}{j}") for k in range(3) for n in "uvabch"}) for j in range(3)]
    above = [{"type": "ineq", "fun": lambda z, p=p: z[2] - p.value(*z[:2])} for p in pieces]
    ends = [minimize(lambda z: z[2], (*at, 30.0), method="SLSQP", constraints=above, options={"ftol": 1e-13})
            for at in ((0, 0), (1, -1))]  # fmt: skip
    best = min(ends, key=lambda end: end.fun)
    np.testing.assert_allclose(minima_of(made), [best.x[:2]], atol=1e-4)
    assert lowest_loss(made) == pytest.approx(best.fun, abs=1e-7)
    assert_minima(made, minima_of(made))


@pytest.mark.parametrize("seed", range(20))
def test_wells_narrower_than_the_lattice_are_found(seed):
    made, seen = drawn(Wells, seed), 0
    points = minima_of(made)
    for k in range(3):
        centre = [getattr(made, f"{letter}{k}") for letter in "uv"]
        end = minimize(
            lambda z: float(made.value(*z)), centre, jac=lambda z: made.gradient(*z), options={"gtol": 1e-9}
        ).x
        if np.linalg.eigvalsh(made.hessian(*end))[0] > 1e-3 and np.hypot(*(end - centre)) < 0.3:
            seen += 1
            assert np.min(np.hypot(*(points - end).T)) < 1e-5
    assert seen and len(points) <= 4
    assert_minima(made, points)


def test_kinks_hold_minima():
    bent = optviz.objective(lambda x, y: xp.maximum((x + 1) ** 2 + y**2, (x - 1) ** 2 + 2 * (y - 1) ** 2))
    np.testing.assert_allclose(minima_of(bent), [(-0.04265, 0.64744)], atol=1e-5)
    assert lowest_loss(bent) == pytest.approx(1.335706, abs=1e-6)
    for steep in (1, 10, 100):  # along a bent kink
        rosen = optviz.objective(lambda x, y, k=steep: abs(0.863 - x) + k * abs(y - x**2))
        np.testing.assert_allclose(minima_of(rosen), [(0.863, 0.863**2)], atol=1e-6)


VALLEYS = {
    "half a plane": (lambda x, y: xp.maximum(x, 0) ** 2, [(-2.5, -2), (-0.2, 2.9)], [(0.3, 0)]),
    "a ring": (lambda x, y: (x**2 + y**2 - 1) ** 2, [(0.6, 0.8), (-1, 0), (0, -1)], [(0, 0), (2, 0)]),
    "a kink": (lambda x, y: abs(x - y - 0.31), [(2.31, 2), (-1.69, -2)], [(0, 0)]),
    "a bent kink": (lambda x, y: abs(x**2 + y**2 - 2.31), [(0, 2.31**0.5), (-(2.31**0.5), 0)], [(0, 0), (2, 0)]),
    "all of it": (lambda x, y: 0 * x + 3, [(2, 2), (-2, 1)], []),
    "through torch": (lambda x, y: torch.relu(x) ** 2 + (y - 1) ** 2, [(-1.0, 1)], [(1, 1), (-1, 2)]),
}


@pytest.mark.parametrize("name", VALLEYS)
def test_a_flat_valley_is_one_minimum(name):
    formula, within, beside = VALLEYS[name]
    made = optviz.objective(formula)
    basin = Basin.of(made)
    assert len(basin.points) == 1 and set(basin.valleys[:, 0]) == {0}
    assert basin.values[0] == pytest.approx(lowest_loss(made), abs=1e-12)
    np.testing.assert_allclose(made.value(*basin.valleys[:, 1:].T), basin.values[0], atol=1e-10)
    assert (basin.reached(np.array(within, dtype=float).T) == 0).all()
    assert (basin.reached(np.array(beside, dtype=float).reshape(-1, 2).T) == -1).all()
    assert basin.reached(np.full((2, 1), np.nan)) == -1


def test_two_branches_are_two_valleys_and_runs_reach_the_one_on_their_side():
    made = optviz.objective(lambda x, y: (x * y - 1) ** 2)
    found = basins(made, SGD(lr=0.02), size=8, steps=2000)
    np.testing.assert_allclose(np.sort(found.attrs["minima"], axis=0), [(-1, -1), (1, 1)], atol=0.1)
    for x, y, k in ((1.0, 2.0, 1), (-2.0, -1.5, -1)):
        cell = sweep(made, SGD(lr=0.02), (x, y), 2000, {"x": [x]}, measure="minimum").item()
        assert np.sign(found.attrs["minima"][cell]).tolist() == [k, k]
    assert (found.minimum >= 0).mean() > 0.9


def test_a_plateau_above_a_well_is_no_valley():
    pit = optviz.objective(lambda x, y: 1 - xp.exp(-500 * (x**2 + y**2)))  # exactly 1 but for the pit
    np.testing.assert_allclose(minima_of(pit), [(0, 0)], atol=1e-9)
    shelf = optviz.objective(lambda x, y: xp.maximum(x, 0) ** 2 + xp.maximum(-2 - x, 0) * -1)
    assert len(minima_of(shelf)) == 0 and lowest_loss(shelf) is None  # it falls on beyond the shelf


def test_flat_minima_that_stand_alone_are_no_valleys():
    for formula in (lambda x, y: x**4 + y**2, lambda x, y: x**4 + y**6, lambda x, y: abs(x) + abs(y)):
        found = finding(optviz.objective(formula))
        np.testing.assert_allclose(found.points, [(0, 0)], atol=1e-3)
        assert not found.valleys
    assert len(minima_of(optviz.objective(lambda x, y: x**3 + y**2))) == 0


def test_minima_are_found_once_for_a_shape_and_go_with_their_objective():
    import gc
    import weakref

    made = surfaces.RotatedQuadratic()
    first = finding(made)
    assert finding(made) is first and Basin.of(made).points is first.points
    made.condition = 40.0
    assert finding(made) is not first
    gone = weakref.ref(finding(made))
    del made, first
    gc.collect()
    assert gone() is None
