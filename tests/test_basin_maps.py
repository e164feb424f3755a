"""Basins of attraction on the surface page: every start's end is that of its own run."""

import numpy as np
import pytest

from optviz import SGD, Adam, SurfaceDescent, descend, objective
from optviz.experiments.surface_descent import REACHED, SPEED
from optviz.maps.basins import basin_map, local_minima
from optviz.menus import surfaces
from optviz.pictures.scene import GONE, NOWHERE, axes_of


def test_himmelblau_shows_four_basins():
    made = SurfaceDescent(objective="Himmelblau", optimizer=SGD(lr=0.01), basins=REACHED)
    found = made.results["basins"]
    assert sorted(np.unique(found["minimum"])) == [0, 1, 2, 3] and found["minimum"].shape == (40, 40)
    kinds = made.drawings["surface"].layers["kinds"]["image"][0]
    np.testing.assert_array_equal(kinds, found["minimum"])
    assert "Within 200 steps" in made.side()["outlook"] and "reach (3, 2)" in made.side()["outlook"]


@pytest.mark.parametrize(
    ("rule", "clip"), [(SGD(lr=0.012), 0.0), (SGD(lr=0.03), 0.0), (SGD(lr=0.03), 5.0), (Adam(lr=0.3), 0.0)]
)
def test_every_start_ends_as_its_own_run_does(rule, clip):
    made = SurfaceDescent(objective="Himmelblau", optimizer=rule, basins=SPEED, clip=clip)
    if rule.lr == 0.012:  # a refined picture is not another
        made.refine()
    found, local = made.results["basins"], local_minima(made.objective)
    size = 244 if rule.lr == 0.012 else 40
    xs, ys = axes_of(made.results["box"], size)
    assert found["minimum"].shape == (size, size)
    np.testing.assert_array_equal([xs, ys], [found["xs"], found["ys"]])
    for j, i in np.array([(0, 0), (3, 7), (9, 9), (5, 2), (8, 1)]) * (size - 1) // 9:
        run = descend(made.objective, rule, (xs[i], ys[j]), 200, clip=clip or None)
        assert found["diverged"][j, i] == run.diverged[0]
        if run.diverged[0]:
            assert found["minimum"][j, i] == -1
            continue
        near = np.hypot(*(local["points"] - run.final[0]).T)
        k = int(np.argmin(near))
        assert found["minimum"][j, i] == (k if near[k] <= local["reach"] else -1)
        if near[k] <= local["reach"]:
            there = run.loss[:, 0] <= local["values"][k] + 1e-3  # a clipped run may circle around the minimum
            np.testing.assert_equal(found["arrived"][j, i], np.argmax(there) if there.any() else np.nan)


@pytest.mark.parametrize("label", ["Himmelblau", "Rastrigin", "Six-hump camel", "Styblinski-Tang", "Branin"])
def test_a_start_beside_a_minimum_belongs_to_it(label):
    made = surfaces()[label]()
    local = local_minima(made)
    assert len(local["points"]) >= len(made.minima)
    centre = np.array(made.starts[0])
    for k, point in enumerate(local["points"][:6]):
        x, y = centre + 0.999 * (point - centre)
        found = basin_map(made, SGD(lr=1e-3), local, [x], [y], 2000, 1e-3)
        assert found["minimum"][0, 0] == k


def test_minima_of_a_users_surface_are_found():
    own = objective(lambda x, y: (x * x - 1) ** 2 + (y - 0.3) ** 2, domain=((-2, 2), (-2, 2)), label="two wells")
    made = SurfaceDescent(objective=own, optimizer=SGD(lr=0.05), start=(0.5, 1.0), basins=REACHED)
    np.testing.assert_allclose(sorted(made.results["basins"]["points"][:, 0]), [-1, 1], atol=1e-6)
    left, right = (made.results["basins"]["minimum"][:, part] for part in (slice(0, 19), slice(21, 40)))
    assert len(np.unique(left)) == len(np.unique(right)) == 1 and left[0, 0] != right[0, 0]


def test_divergence_has_its_own_colour_and_what_arrives_nowhere_too():
    made = SurfaceDescent(objective="Himmelblau", optimizer=SGD(lr=0.03), basins=REACHED)
    found, kinds = made.results["basins"], made.drawings["surface"].layers["kinds"]["image"][0]
    assert (kinds[found["diverged"] > 0] == GONE).all() and (found["diverged"] > 0).any()
    assert (kinds[(found["minimum"] < 0) & (found["diverged"] == 0)] == NOWHERE).all()
    made.objective_name = "Monkey saddle"  # which has no minimum
    assert made.message == "" and set(np.unique(made.drawings["surface"].layers["kinds"]["image"][0])) <= {
        NOWHERE,
        GONE,
    }


def test_basins_follow_the_hyperparameters_and_cost_nothing_when_off():
    made = SurfaceDescent(objective="Himmelblau", optimizer=SGD(lr=0.01), basins=REACHED)
    before = made.results["basins"]
    made.start = (1.0, 1.0)
    assert made.results["basins"] is before
    made.optimizer.lr = 0.02
    assert made.results["basins"] is not before
    made.basins = "the loss"
    assert made.results["basins"] is None and "starts go" not in made.side()["outlook"]
    assert np.isnan(made.drawings["surface"].layers["kinds"]["image"][0]).all()


def test_a_flat_valley_is_one_place_to_reach():
    bent = objective(lambda x, y: (x * y - 1) ** 2, label="two branches")
    made = SurfaceDescent(objective=bent, optimizer=SGD(lr=0.02), basins=REACHED)
    local = local_minima(bent)
    assert len(local["points"]) == 2 and set(local["valleys"][:, 0]) == {0, 1}
    found = made.results["basins"]
    assert (found["minimum"] >= 0).mean() > 0.8
    assert "reach the valley through (−1, −1)" in made.side()["outlook"]
    run = descend(bent, SGD(lr=0.02), (0.5, 2.9), 200)
    there = basin_map(bent, SGD(lr=0.02), local, [0.5], [2.9], 200, 1e-3)["minimum"][0, 0]
    assert run.final[0, 0] > 0 and local["points"][there, 0] > 0
