"""Four losses side by side: the seed's paths and maps, presets, the step that is dissected."""

import numpy as np
import pytest
from oracles import reference

from optviz import LossComparison

LOSSES = ["mse", "l1", "huber", "smooth_l1"]


def knobs_of(case):
    return {k: v for k, v in case.items() if k in ("lr", "momentum", "nesterov")}


@pytest.mark.parametrize("case", reference("regression_paths"), ids=lambda c: f"{c['loss']} {knobs_of(c)}")
def test_the_regression_seed(case):
    made = LossComparison(**knobs_of(case))
    lane = LOSSES.index(case["loss"])
    path, losses = np.array(case["weight_bias_path"]), np.array(case["losses"])
    assert made.trajectory.x.shape == (101, 4, 2) and path.shape == (101, 2) and losses.shape == (100,)
    assert np.abs(made.trajectory.x[:, lane] - path).max() <= 1e-5 * np.abs(path).max()
    np.testing.assert_allclose(made.trajectory.loss[:-1, lane], losses, rtol=1e-5)


@pytest.mark.parametrize("lane", range(4), ids=LOSSES)
def test_the_regression_seeds_landscapes(lane):
    maps, figures = LossComparison().landscapes, reference("regression_maps")[LOSSES[lane]]
    assert maps.shape == (4, 101, 101)
    got = maps[lane]
    corners = [got[0, 0], got[0, -1], got[-1, 0], got[-1, -1]]
    np.testing.assert_allclose(corners, figures["corners"], rtol=1e-5)
    np.testing.assert_allclose(got.mean(), figures["mean"], rtol=1e-5)
    np.testing.assert_allclose(got.min(), figures["minimum"], rtol=1e-5)
    assert list(np.unravel_index(got.argmin(), got.shape)) == figures["argmin"]


def test_the_regression_data():
    random = np.random.RandomState(20240215)
    x = random.randn(50)
    y = 0.75 * x**2 + x + 2 + 0.3 * random.randn(50)
    made = LossComparison()
    np.testing.assert_array_equal(made.x, x.astype(np.float32))
    np.testing.assert_array_equal(made.y, y.astype(np.float32))
    np.testing.assert_array_equal(made.trajectory.x[0], [[6, -3]] * 4)


KNOBS = ("momentum", "dampening", "weight_decay", "nesterov")
PRESETS = {
    "plain": (0, 0, 0, False),
    "momentum 0.9": (0.9, 0, 0, False),
    "momentum 0.9 + Nesterov": (0.9, 0, 0, True),
    "Nesterov 0.9, weight decay 2": (0.9, 0, 2, True),
    "momentum 0.9, dampening 0.8": (0.9, 0.8, 0, False),
}


def test_presets_set_the_knobs_and_knobs_name_the_preset():
    made = LossComparison()
    assert made.param.preset.objects == [*PRESETS, "your own"]
    for preset, values in reversed(PRESETS.items()):
        made.preset = preset
        assert tuple(getattr(made, name) for name in KNOBS) == values and made.message == ""
        fresh = LossComparison(preset=preset)
        assert tuple(getattr(fresh, name) for name in KNOBS) == values
        np.testing.assert_array_equal(made.trajectory.x, fresh.trajectory.x)
        by_hand = LossComparison(**dict(zip(KNOBS, values, strict=True)))
        assert by_hand.preset == preset
        np.testing.assert_array_equal(by_hand.trajectory.x, made.trajectory.x)


def test_a_moved_knob_makes_the_preset_your_own():
    made = LossComparison(preset="momentum 0.9")
    made.momentum = 0.8
    assert made.preset == "your own"
    made.momentum = 0.9
    assert made.preset == "momentum 0.9"
    made.lr = 0.05  # no preset holds the rate
    assert made.preset == "momentum 0.9"


def test_a_line_outside_its_frame_is_marked_and_named():
    made = LossComparison(preset="Nesterov 0.9, weight decay 2")
    drawn = made.drawings["data"]
    away = {"Log-cosh": "", "Quantile": ""}  # which are not shown
    assert drawn.legend == away and all((drawn.layers[n]["y"] > drawn.ylim[0]).all() for n in LOSSES)
    made.lr = 0.5
    drawn = made.drawings["data"]
    assert (drawn.layers["mse"]["y"] < drawn.ylim[0]).all() and drawn.legend == {**away, "MSE": "MSE (below)"}
    assert drawn.layers["below"]["x"].size == 1 and drawn.layers["above"]["x"].size == 0


def test_knobs_leave_the_landscapes_alone():
    made = LossComparison()
    maps, images = made.landscapes, [made.drawings[name].layers["image"] for name in LOSSES]
    made.param.update(lr=0.2, momentum=0.5)
    made.preset = "momentum 0.9"
    assert made.landscapes is maps
    assert all(made.drawings[name].layers["image"] is image for name, image in zip(LOSSES, images, strict=True))
    run = made.trajectory
    made.step = 9
    made.dissected = "l1"
    assert made.trajectory is run


def test_the_dissected_step_is_the_step_taken():
    for preset, layer in (("momentum 0.9", "momentum"), ("momentum 0.9 + Nesterov", "nesterov")):
        for step in (1, 2, 7):
            made = LossComparison(preset=preset, step=step, dissected="huber")
            arrow = made.drawings["vectors"].layers[layer]
            update = made.trajectory.updates[step - 1, LOSSES.index("huber")]
            tip = [arrow["x1"][0] - arrow["x0"][0], arrow["y1"][0] - arrow["y0"][0]]
            np.testing.assert_allclose(tip, update[::-1], rtol=1e-9, atol=1e-12)
    parts = LossComparison(preset="momentum 0.9", step=7).drawings["vectors"].layers
    move = {n: np.array([c["x1"][0] - c["x0"][0], c["y1"][0] - c["y0"][0]]) for n, c in parts.items() if "x1" in c}
    np.testing.assert_allclose(move["gradient"] + move["carried"], move["momentum"], rtol=1e-9)
