"""The map: each cell the run that a click shows, axes that fit the rule, theory's line where runs turn."""

from __future__ import annotations

import asyncio
import math
import re
from types import SimpleNamespace
from urllib.parse import parse_qsl

import numpy as np
import pytest

from optviz import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    HyperparameterMap,
    Inertia,
    Momentum,
    NAdam,
    TorchOptimizer,
    objective,
    surfaces,
)
from optviz.experiments.hyperparameter_map import ENDS, OWN, VIEWS
from optviz.experiments.map_views import FIELDS
from optviz.maps.axes import COORDINATES, axis_of, labels
from optviz.maps.ends import axes_for, growth, ranks
from optviz.pictures.axis_ticks import nice, ticks_of
from optviz.pictures.captions import caption
from optviz.state import sharing

SURFACE = surfaces.Himmelblau()
WHOLE = [axis_of(name, SURFACE, log) for name in labels() for log in (False, True) if not (log and name in COORDINATES)]


@pytest.mark.parametrize("scene", list(VIEWS))
def test_a_clicked_cell_shows_its_own_run(scene):
    shown = HyperparameterMap(scene=scene)
    assert (shown.across, shown.up) == (VIEWS[scene]["across"], VIEWS[scene]["up"]) and not shown.message
    found = shown.results["map"]
    rows, columns = found["loss"].shape
    for i, j in ((0, 0), (rows // 2, columns // 3), (rows - 1, columns - 1), (rows // 3, columns // 2)):
        shown._click(found["xs"][j], found["ys"][i])
        run = shown.trajectory
        assert shown.results["map"]["loss"].shape == (rows, columns)
        np.testing.assert_allclose(run.loss[-1, 0], found["loss"][i, j], rtol=1e-9)
        assert run.diverged[0] == found["diverged"][i, j]
        np.testing.assert_allclose(run.loss[0, 0], found["first"][i, j], rtol=1e-14)
        here = shown.drawings["map"].layers["here"]
        np.testing.assert_allclose([here["x"][0], here["y"][0]], [found["xs"][j], found["ys"][i]], atol=1e-12)


def test_numbers_of_the_axes_move_the_ring_and_leave_the_map():
    shown = HyperparameterMap()
    before = shown.results["map"]
    shown.optimizer.param.update(lr=0.2, momentum=0.5)
    assert shown.results["map"] is before
    np.testing.assert_allclose(shown.drawings["map"].layers["here"]["x"], math.log10(0.2))
    shown.optimizer.weight_decay = 0.5
    assert shown.results["map"] is not before


def test_axes_follow_the_rule():
    shown = HyperparameterMap()
    shown.optimizer_name = "Adam"
    assert (shown.across, shown.scene) == ("lr", OWN) and shown.up != "momentum" and not shown.message
    shown.across = "beta1"
    assert shown.window[:2] == (0.0, 0.995)
    shown.up = "beta1"
    assert shown.up != shown.across
    assert HyperparameterMap(optimizer="Rprop").up == "etaminus"
    bowl = HyperparameterMap(objective=surfaces.RotatedQuadratic(), across="condition", up="angle")
    assert bowl.window == (0.0, 3.0, 0.0, 90.0)


def test_an_axis_is_by_factors_or_by_differences():
    shown = HyperparameterMap(scene="Learning rate and clipping")
    assert (shown.across_log, shown.up_log, shown.clip) == (True, True, 10.0)
    shown.param.update(zoom_in=True)
    across, low, high = shown.window[:2], *shown.window[2:]
    shown.up_log = False
    assert shown.window == pytest.approx((*across, 10.0**low, 10.0**high), rel=1e-14) and not shown.message
    found = shown.results["map"]
    assert (
        np.ptp(np.diff(found["ys"])) < 1e-9 * found["ys"][-1]
        and "by learning rate (across)" in shown.drawings["map"].title
    )
    assert "and gradient clip (up)" in shown.drawings["map"].title
    shown._click(found["xs"][3], found["ys"][5])
    assert shown.clip == found["ys"][5] and shown.optimizer.lr == 10.0 ** found["xs"][3]
    assert shown.trajectory.loss[-1, 0] == pytest.approx(shown.results["map"]["loss"][5, 3], rel=1e-9)
    shown.up = "momentum"
    assert not shown.up_log and shown.window[2:] == (0.0, 0.995)
    shown.up_log = True
    assert shown.window[2:] == pytest.approx((math.log10(0.995) - 3, math.log10(0.995))) and not shown.message
    shown.scene = next(iter(VIEWS))
    assert (shown.up, shown.up_log, shown.clip) == ("momentum", False, 0.0)


def test_a_coordinate_has_no_log_axis():
    shown = HyperparameterMap(scene="Learning rate and start")
    before = shown.results["map"]
    shown.up_log = True
    assert shown.message == "HyperparameterMap needs a linear axis for start x, which may be 0 or below, not 'log'."
    assert shown.results["map"] is before
    shown.up_log = False
    assert not shown.message


def test_zoom_and_pan_compute_what_is_visible():
    shown = HyperparameterMap(across="lr", up="momentum")
    whole, wide = shown.window, shown.window[1] - shown.window[0]
    shown.zoom_in = True
    x0, x1, y0, y1 = shown.window
    assert math.isclose(x1 - x0, wide / 4) and x0 <= math.log10(shown.optimizer.lr) <= x1 and y0 == 0
    assert shown.results["map"]["xs"][0] > x0 and shown.results["map"]["xs"][-1] < x1
    shown._range(-1.0, -0.9, 0.5, 0.6)
    assert shown.window == (-1.0, -0.9, 0.5, 0.6) and shown.drawings["map"].xlim == (-1.0, -0.9)
    shown._range(-1.0, 9.0, -5.0, 2.0)
    assert shown.window == (-1.0, 1.0, 0.0, 0.995)
    shown.whole = True
    assert shown.window == (-4.0, 1.0, 0.0, 0.995) and whole != shown.window


def test_a_map_is_refined_until_it_fills_a_screen():
    shown = HyperparameterMap(steps=20)
    coarse, drawn, told = shown.results["map"], shown.drawings["map"].layers["image"]["image"][0], []
    shown.attach(SimpleNamespace(push=lambda: told.append(shown.results["map"]["loss"].shape)))
    assert coarse["loss"].shape == (126, 126) == drawn.shape and shown.rough()
    shown.refine()
    fine = shown.results["map"]
    assert told == [(316, 316), (600, 600)] == [told[0], fine["loss"].shape] and not shown.rough()
    assert shown.drawings["map"].layers["image"]["image"][0].shape == (600, 600) and "600 × 600 runs" in shown.status()
    for i, j in ((3, 5), (240, 320), (599, 0)):  # parts know where they belong
        shown._click(fine["xs"][j], fine["ys"][i])
        np.testing.assert_allclose(shown.trajectory.loss[-1, 0], fine["loss"][i, j], rtol=1e-9)
    assert shown.results["map"] is fine  # its cells are runs for whatever the axes' own numbers are
    shown.tolerance = 0.01
    again = shown.results["map"]
    np.testing.assert_array_equal(again["loss"], coarse["loss"])
    shown.advance()
    shown.tolerance = 1e-3  # parts of a map that is no longer wanted are left
    assert shown.results["map"]["loss"].shape == (126, 126)
    shown.up_to = 2.0
    assert shown.message and not shown.rough()


def test_zoom_goes_as_deep_as_float64_and_says_where_it_ends():
    shown = HyperparameterMap(scene="Fractal boundary of a tanh net", steps=10)
    for depth in (6, 13):
        half = 10.0**-depth
        shown._range(0.07 - half, 0.07 + half, 0.41 - half, 0.41 + half)
        found = shown.results["map"]
        assert not shown.message and all(np.unique(a).size == a.size for a in (10 ** found["xs"], found["ys"]))
        linked, refused = sharing.apply(HyperparameterMap, dict(parse_qsl(sharing.query(shown))))
        assert refused == [] and linked.window == shown.window
        shown._click(found["xs"][40], found["ys"][50])
        np.testing.assert_allclose(shown.trajectory.loss[-1, 0], found["loss"][50, 40], rtol=1e-9)
    shown._range(0.07, 0.07 + 2e-15, 0.41, 0.42)
    said = (
        "HyperparameterMap needs Across at least 1e-14 decades wide, or float64 has no number for each cell, not 5e-15."
    )
    assert shown.message == said and shown.results["map"] is found
    for _ in range(3):
        shown.zoom_in = True
        assert shown.message.startswith("HyperparameterMap needs Across at least ")
    shown.param.trigger("zoom_out")
    shown.param.trigger("zoom_out")  # as few clicks out as there are refused depths
    assert not shown.message and shown.window[0] < shown.window[1]


def test_a_page_refines_once_nothing_moves_where_a_loop_runs(monkeypatch):
    monkeypatch.setattr("optviz.page.refiner.QUIET", 0.05)
    HyperparameterMap(steps=10).page()  # plain Python: stays as it is

    def size(page):
        return len(page.figures["map"].sources["image"].data["image"][0])

    async def visit():
        shown = HyperparameterMap(steps=10)
        page, sizes = shown.page(), set()
        end = asyncio.get_running_loop().time() + 30
        while shown.rough():
            assert asyncio.get_running_loop().time() < end
            await asyncio.sleep(0.01)
            sizes.add(size(page))
            if len(sizes) == 2 and shown.steps == 10:
                shown.steps = 9  # moves on the way are answered at once, coarse
                assert (
                    len(shown.results["map"]["ys"]) == len(page.figures["map"].sources["image"].data["image"][0]) < 200
                )
        assert len(page.figures["map"].sources["image"].data["image"][0]) == 600 and shown.steps == 9

    asyncio.run(visit())


def ends(shown):
    return tuple(getattr(shown, name) for name in ENDS)


def zoomed_view():
    shown = HyperparameterMap(scene="Fractal boundary of a tanh net")
    shown._range(-0.04, 0.1234567890123, 1.25, 2.5)
    return shown


def panned_axes():
    shown = HyperparameterMap()
    shown.optimizer_name = "Adam"
    shown.param.update(across="beta2", up="lr")
    shown._range(0.3, 0.9, -3.25, 0.1)
    return shown


def followed_ring():
    shown = HyperparameterMap(objective="Himmelblau", across="start x", up="start y")
    shown._click(1.3, -2.2)
    shown.zoom_in = True
    return shown


def untouched_own():
    shown = HyperparameterMap()
    shown.up = "dampening"
    shown.up = "momentum"
    return shown


MADE = [*(lambda scene=scene: HyperparameterMap(scene=scene) for scene in VIEWS),
        zoomed_view, panned_axes, followed_ring, untouched_own]  # fmt: skip


@pytest.mark.parametrize("make", MADE)
def test_a_link_restores_what_is_on_view(make):
    shown = make()
    linked, refused = sharing.apply(HyperparameterMap, dict(parse_qsl(sharing.query(shown))))
    assert refused == [] and not linked.message
    for other in (linked, HyperparameterMap.from_json(shown.to_json())):
        for name in ("scene", "across", "up", "window", *ENDS, "start", "steps"):
            assert getattr(other, name) == getattr(shown, name), name
        for name, values in shown.results["map"].items():
            np.testing.assert_array_equal(other.results["map"][name], values)
        assert other.drawings["map"].limits == shown.drawings["map"].limits


def test_typed_ends_and_the_window_follow_each_other():
    shown = HyperparameterMap()
    assert ends(shown) == shown.window == VIEWS["Learning rate and momentum"]["window"]
    shown.across_from = -1.0
    assert shown.window == (-1.0, 0.5, 0.0, 0.995) and shown.results["map"]["xs"][0] > -1.0
    for change in ({"zoom_in": True}, {"whole": True}, {"across": "dampening"}, {"scene": list(VIEWS)[2]}):
        before = shown.window
        shown.param.update(**change)
        assert ends(shown) == shown.window != before
    shown._range(0.1, 0.2, 0.3, 0.4)
    assert ends(shown) == (0.1, 0.2, 0.3, 0.4)
    shown.param.update(scene=list(VIEWS)[1], across_to=-2.0, optimizer_name="RMSprop")  # what was set itself wins
    assert (shown.window, shown.scene) == ((-4.0, -2.0, -5.0, 5.0), OWN)
    assert HyperparameterMap(up_to=0.5).window == (-2.0, 0.5, 0.0, 0.5)
    assert (HyperparameterMap(across="momentum", up="lr").window) == (0.0, 0.995, -4.0, 1.0)


@pytest.mark.parametrize(("name", "value", "said"), [
    ("across_from", 0.5, "Across from below Across to, both from 0.0001 to 10, not [3.16228, 3.16228]."),
    ("up_to", -0.5, "Up from below Up to, both from 0 to 0.995, not [0.0, -0.5]."),
    ("up_to", 1.5, "Up from below Up to, both from 0 to 0.995, not [0.0, 1.5]."),
])  # fmt: skip
def test_ends_that_do_not_rise_are_refused_in_one_sentence(name, value, said):
    shown = HyperparameterMap()
    before, held = shown.results["map"], getattr(shown, name)
    setattr(shown, name, value)
    assert shown.message == f"HyperparameterMap needs {said}" and shown.results["map"] is before
    setattr(shown, name, held)
    assert not shown.message and ends(shown) == shown.window
    with pytest.raises(ValueError, match="needs (Across|Up) from below"):
        HyperparameterMap(**{name: value})


def fields(shown):
    return [getattr(shown, name) for name in FIELDS]


def test_the_fields_are_the_values_at_the_ends_rounded_and_what_is_typed_holds():
    shown = HyperparameterMap()
    assert fields(shown) == [0.01, 3.162, 0.0, 0.995]
    shown._range(-1.5089158227330695, -1.508827087674258, 0.40658253703500696, 0.590133089377062)
    assert fields(shown) == [0.030980197, 0.030986528, 0.4066, 0.5901]
    shown.param.update(across_low=0.003, across_high=0.2)
    assert shown.window[:2] == (math.log10(0.003), math.log10(0.2)) and fields(shown)[:2] == [0.003, 0.2]
    linked, refused = sharing.apply(HyperparameterMap, dict(parse_qsl(sharing.query(shown))))
    assert refused == [] and (linked.window, fields(linked)) == (shown.window, fields(shown))
    shown.across_low = 0  # which a log axis does not have
    assert shown.message.endswith("Across from below Across to, both from 0.0001 to 10, not [0.0, 0.2].")
    shown.whole = True
    assert fields(shown) == [0.0001, 10, 0, 0.995] and not shown.message
    assert HyperparameterMap(up_low=0.5, across_high=1).window == (-2.0, 0.0, 0.5, 0.995)
    assert HyperparameterMap(up="condition", objective="Rotated quadratic", up_high=100).window[2:] == (0, 2)


def test_a_link_of_before_with_log10_opens_as_it_did():
    link = {"optimizer": "adam", "scene": "your-own", "across": "beta2", "up": "lr", "across_from": "0.3",
            "across_to": "0.9", "up_from": "-3.25", "up_to": "0.1"}  # fmt: skip
    shown, refused = sharing.apply(HyperparameterMap, link)
    assert refused == [] and shown.window == (0.3, 0.9, -3.25, 0.1) and not shown.message
    assert fields(shown) == [0.3, 0.9, 0.0005623, 1.259]


def test_the_menus_offer_what_rule_and_surface_have():
    shown = HyperparameterMap()
    for optimizer, surface in (("SGD", "Booth"), ("Adam", "Rosenbrock"), ("Rprop", "Rotated quadratic")):
        shown.param.update(optimizer_name=optimizer, objective_name=surface)
        for menu in (shown.param.across, shown.param.up):
            names = axes_for(shown.optimizer, shown.objective)
            assert menu.objects == names and list(menu.names) == [labels()[name] for name in names]
        assert {shown.across, shown.up} <= set(names)
    with pytest.raises(ValueError, match=r"'HyperparameterMap.across' does not accept 'momentum'"):
        shown.across = "momentum"
    with pytest.raises(ValueError, match=r"HyperparameterMap.up must be one of lr, .*, not 'etaminus'"):
        HyperparameterMap(up="etaminus")
    taken, refused = sharing.apply(HyperparameterMap, {"optimizer": "adam", "up": "momentum"})
    has = "lr, beta1, beta2, weight_decay, eps, start-x, start-y, clip"
    assert refused == [f"HyperparameterMap.up must be one of {has}, not 'momentum'; leave it out."]
    assert taken.up == "beta1"
    taken.optimizer_name = "SGD"
    assert "SGD on Quadratic 0.1 x² + 2 y² has no β₁: up is momentum instead." in taken.status()
    assert all(label[0] == label[0].upper() or not label.isascii() or len(label) == 1 for label in labels().values())


@pytest.mark.parametrize("log", [False, True])
def test_ticks_say_the_values_of_their_places(log):
    for seed in range(60):
        pick = np.random.default_rng(seed)
        least, most = (-12.0, 3.0) if log else (-30.0, 50.0)
        middle, width = pick.uniform(-9, 0), 10.0 ** pick.uniform(-9, 0.9)
        low, high = middle - width / 2, middle + width / 2
        ticks = ticks_of(low, high, least, most, log)
        assert sum(low <= place <= high for place in ticks["places"]) in range(2, 9)
        for place, text in zip(ticks["places"], ticks["texts"], strict=True):
            mantissa, power = re.fullmatch(r"(?:(.*)·)?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|.*", text).groups()
            said = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) if power else "0"
            value = float((mantissa or "1") if power else text.replace("−", "-")) * 10.0 ** int(said)
            assert value == pytest.approx(10.0**place if log else place, rel=1e-9, abs=width * 1e-6), text
        assert len(set(ticks["texts"])) == len(ticks["texts"])


def test_the_words_of_a_map_name_no_logarithm():
    shown = HyperparameterMap()
    drawing = shown.drawings["map"]
    assert drawing.axes["x"]["label"] == "learning rate" and drawing.axes["y"]["label"] == "momentum"
    assert drawing.axes["x"]["texts"][1:4] == ["0.001", "0.01", "0.1"]
    assert drawing.hover == "learning rate $x{log}, momentum $y{plain}: $sx{loss}"
    words = drawing.title + drawing.hover + shown.status() + "".join(p.label for p in shown.param.objects().values())
    assert "log₁₀" not in words and nice(0.3) == 0.5


def test_prediction_and_map_agree_on_the_quadratic():
    shown = HyperparameterMap(steps=1000)
    line = shown.drawings["map"].layers["limit"]
    for lr, momentum in list(zip(line["x"], line["y"], strict=True))[:-8:8]:  # at 0.995 runs take longer to tell
        for factor, grows in ((0.97, False), (1.03, True)):
            shown.optimizer.param.update(lr=factor * 10**lr, momentum=momentum)
            run = shown.trajectory
            assert bool(run.diverged[0] or run.loss[-1, 0] > run.loss[0, 0]) == grows


@pytest.mark.parametrize("rule", [
    SGD(lr=0.1), SGD(lr=0.1, momentum=0.6, weight_decay=0.3), Momentum(momentum=0.7), Inertia(momentum=0.4),
], ids=str)  # fmt: skip
def test_cells_above_the_predicted_limit_end_above_their_start_and_no_others(rule):
    shown = HyperparameterMap(optimizer=rule, objective=surfaces.Quadratic(), steps=300, up="start y")
    found, line = shown.results["map"], shown.drawings["map"].layers["limit"]
    limit, lrs = line["x"][0], shown.axes[0].cells(found["loss"].shape[1])
    np.testing.assert_array_equal(line["x"], limit)
    apart = np.abs(lrs - limit) > 0.02
    grown = (found["diverged"] > 0) | ~(found["loss"] <= found["first"])
    assert (grown == (lrs > limit))[:, apart].all()
    assert "predicted limit" in caption(shown.figures()[0], shown.drawings["map"])


def test_a_nesterov_momentum_above_1_is_stable_between_two_lines():
    rule = SGD(lr=0.3, momentum=1.1, nesterov=True)
    shown = HyperparameterMap(optimizer=rule, objective=surfaces.Sphere(), steps=400, up="start y")
    found, line = shown.results["map"], shown.drawings["map"].layers["limit"]
    most, least = line["x"][0], line["x"][-1]
    assert np.isnan(line["x"][41]) and (least, most) == pytest.approx(np.log10([0.1 / 1.1 / 2, 4.2 / 3.2 / 2]))
    lrs = shown.axes[0].cells(found["loss"].shape[1])
    apart = (np.abs(lrs - most) > 0.02) & (np.abs(lrs - least) > 0.02)
    grown = (found["diverged"] > 0) | ~(found["loss"] <= found["first"])
    assert (grown == ((lrs > most) | (lrs < least)))[:, apart & (lrs > -2)].all()
    shown = HyperparameterMap(optimizer=SGD(momentum=1.2), objective=surfaces.Sphere(), steps=40, up="start y")
    assert np.isnan(shown.drawings["map"].layers["limit"]["x"]).all()
    assert "predicted limit" not in caption(shown.figures()[0], shown.drawings["map"])


@pytest.mark.parametrize("rule", [Adam(lr=0.1), Adagrad(lr=0.1), NAdam(lr=0.1), Adadelta(lr=0.1)], ids=str)
def test_no_limit_is_drawn_where_it_is_each_runs_own(rule):
    shown = HyperparameterMap(optimizer=rule, objective=surfaces.Quadratic(), steps=30, up="start y")
    assert shown.drawings["map"].layers["limit"]["x"].size == 0
    assert "predicted limit" not in caption(shown.figures()[0], shown.drawings["map"])
    said = f"No limit is drawn: it moves with what {type(rule).__name__} divides by, which is each run's own."
    assert said in shown.status()
    shown.across = "start x"
    assert said not in shown.status() and not shown.message


@pytest.mark.parametrize("colour", ["loss", "arrived", "rank"])
def test_cells_that_grow_have_a_colour_of_their_own(colour):
    shown = HyperparameterMap(colour=colour)
    found, layers = shown.results["map"], shown.drawings["map"].layers
    grown = (found["diverged"] > 0) | (found["loss"] > found["first"])
    assert grown.any() and not grown.all()
    np.testing.assert_array_equal(np.isfinite(layers["gone"]["image"][0]), grown)
    assert not np.isfinite(layers["image"]["image"][0][grown]).any()


def test_ranks_and_growth():
    loss, diverged = np.array([[3.0, 1.0], [math.nan, 2.0]]), np.array([[0, 0], [4, 0]])
    np.testing.assert_array_equal(ranks(loss, diverged), [[1.0, 0.0], [math.nan, 0.5]])
    found = growth(np.full((2, 2), 1.5), loss, diverged, 0.0, 10)
    assert np.isnan(found[0, 1])
    np.testing.assert_allclose(found[0, 0], math.log10(2) / 10)
    np.testing.assert_allclose(found[1, 0], (308 - math.log10(1.5)) / 4)


# axes


def part(axis, ends):
    """The same axis with other ends on view."""
    return axis_of(axis.name, SURFACE, axis.log, ends)


def somewhere(axis, seed, size=50):
    """Places on view, and at last the ends."""
    inner = np.random.default_rng(seed).uniform(axis.low, axis.high, size)
    return [*map(float, inner), axis.low, axis.high]


@pytest.mark.parametrize("axis", WHOLE, ids=lambda axis: axis.label)
def test_a_place_and_its_value_belong_together(axis):
    places = somewhere(axis, 0)
    for place in places:
        assert axis.place_of(axis.value_at(place)) == pytest.approx(place, rel=1e-15, abs=1e-15)
    np.testing.assert_allclose(axis.value_at(np.array(places)), [axis.value_at(p) for p in places], rtol=1e-15)
    assert axis.place_of(0.0) == (-math.inf if axis.log else 0.0)


@pytest.mark.parametrize("axis", WHOLE, ids=lambda axis: axis.label)
def test_zoom_and_pan_stay_on_the_axis(axis):
    for seed, here in enumerate(somewhere(axis, 1)[:-2]):
        deep = axis
        for depth in range(1, 9):
            deep = part(deep, deep.zoomed(0.25, here))
            assert deep.high - deep.low == pytest.approx(0.25**depth * (axis.high - axis.low), rel=1e-9)
            assert deep.low <= here <= deep.high
            deep.check("A map", "Across")
        for _ in range(8):
            deep = part(deep, deep.zoomed(4.0, here))
            deep.check("A map", "Across")
        assert (deep.low, deep.high) == pytest.approx((axis.low, axis.high), rel=1e-9, abs=1e-9)
        low, high = sorted(np.random.default_rng(seed).normal(here, axis.most - axis.least, 2))
        panned = part(axis, axis.panned(low, high))
        assert axis.least <= panned.low < panned.high <= axis.most


@pytest.mark.parametrize("axis", WHOLE, ids=lambda axis: axis.label)
def test_a_centre_lies_in_the_cell_of_its_place(axis):
    for count in (1, 7, 600):
        cells, half = axis.cells(count), (axis.high - axis.low) / count / 2
        assert len(cells) == count and cells[0] - half == pytest.approx(axis.low, abs=1e-12)
        for place in somewhere(axis, count):
            centre = axis.centre(place, count)
            assert centre in cells and abs(centre - place) <= half * (1 + 1e-9)
        assert (axis.centre(axis.low - 1, count), axis.centre(axis.high + 1, count)) == (cells[0], cells[-1])


@pytest.mark.parametrize("log", [axis for axis in WHOLE if axis.log], ids=lambda axis: axis.name)
def test_an_axis_takes_the_ends_of_its_other_scale(log):
    linear = axis_of(log.name, SURFACE, False)
    low, high = sorted(np.random.default_rng(2).uniform(log.low, log.high, 2))
    assert log.converted(linear.converted((low, high))) == pytest.approx((low, high), rel=1e-12)
    assert log.converted((-2.0, -1.0)) == (log.least, log.most)  # nothing of it is left


def test_a_users_surface_and_a_torch_optimizer_have_maps():
    import torch

    own = HyperparameterMap(objective=objective(lambda x, y: (x - 1) ** 2 + 5 * y**2, starts=[(2.0, 1.0)]))
    assert not own.message and own.results["map"]["loss"].shape == (80, 80)
    theirs = HyperparameterMap(optimizer=TorchOptimizer(torch.optim.SGD, lr=0.1), steps=5, across="start x",
                               up="start y", objective=surfaces.Sphere())  # fmt: skip
    assert (theirs.across, theirs.up) == ("start x", "start y") and not theirs.message and not theirs.rough()


def test_refusals_leave_the_map_as_it_was():
    shown = HyperparameterMap(optimizer=SGD(lr=0.1, momentum=0.5, nesterov=True))
    before = shown.results["map"]
    assert np.isnan(shown.drawings["map"].layers["limit"]["x"][0])  # momentum 0: refused
    shown.optimizer.dampening = 0.5
    assert "Nesterov" in shown.message and shown.results["map"] is before
