"""What pictures mark and say: runs that leave their frame, legends, status, formulas, the start that is dragged."""

import re

import holoviews as hv
import numpy as np
from test_views import Sent, assert_shows, by_class

import optviz
from optviz import SGD, Adam, LossComparison, Race, SingleParameter, StochasticLandscape, SurfaceDescent
from optviz.pictures.captions import caption

# runs that leave the frame


def test_a_run_that_leaves_the_frame_is_marked_where_and_when():
    experiment = SurfaceDescent(optimizer=SGD(lr=0.6))
    y = -2 * (1 - 0.6 * 4) ** np.arange(3.0)  # -2, 2.8, -3.92: beyond -3 at step 2
    x = -5 * (1 - 0.6 * 0.2) ** np.arange(3.0)
    share = (-3 - y[1]) / (y[2] - y[1])
    layers = experiment.drawings["surface"].layers
    np.testing.assert_allclose([layers["left"]["x"][0], layers["left"]["y"][0]], [x[1] + share * (x[2] - x[1]), -3],
                               rtol=1e-9)  # fmt: skip
    assert layers["left_text"]["text"].tolist() == ["left at step 2"]
    assert layers["left_text"]["x"] == layers["left"]["x"]
    assert "left the frame at step 2" in experiment.status()
    experiment.optimizer.lr = 0.1
    layers = experiment.drawings["surface"].layers
    assert len(layers["left"]["x"]) == len(layers["left_text"]["text"]) == 0
    assert "left the frame" not in experiment.status()


def test_a_start_outside_the_domain_widens_the_frame_instead():
    experiment = SurfaceDescent(start=(7.0, 0.5))
    drawing = experiment.drawings["surface"]
    assert drawing.xlim[1] > 7 and drawing.xlim[0] == -5.5 and drawing.ylim == (-3, 3)
    assert len(drawing.layers["left"]["x"]) == 0


def test_a_series_off_scale_is_marked_where_it_first_leaves():
    experiment = SurfaceDescent()
    assert all(len(experiment.drawings[name].layers["above"]["x"]) == 0 for name in ("loss", "values", "updates"))
    experiment.optimizer.lr = 0.6
    for name, series, first in (
        ("values", experiment.trajectory.x[:, 0], 0),
        ("updates", experiment.trajectory.updates[:, 0], 1),
        ("loss", experiment.trajectory.loss, 0),
    ):
        drawing = experiment.drawings[name]
        low, high = drawing.ylim
        for layer, beyond, edge in (("above", series > high, high), ("below", series < low, low)):
            steps = [int(np.flatnonzero(lane)[0]) + first for lane in beyond.T if lane.any()]
            assert drawing.layers[layer]["x"].tolist() == steps, (name, layer)
            assert drawing.layers[layer]["y"].tolist() == [edge] * len(steps)
    assert len(experiment.drawings["values"].layers["above"]["x"])


def test_a_diverged_run_says_at_which_step():
    experiment = SurfaceDescent(optimizer=SGD(lr=1.0), steps=1000)
    y, step = -2.0, 0
    while 2 * y * y < np.finfo(float).max:
        y, step = -3 * y, step + 1
    assert f"Diverged at step {step}</b>" in experiment.status()
    path = experiment.drawings["surface"].layers["path"]
    assert np.isfinite(path["y"]).sum() == 2  # where it starts, and the step that leaves for good
    losses = LossComparison(lr=10.0, epochs=1000)
    run = losses.trajectory
    assert run.diverged[0] > 0
    assert f"MSE <b>diverged at step {run.diverged[0]}</b>" in losses.status()
    wild = StochasticLandscape(lr=50.0)
    assert wild.trajectory.diverged[0] > 0
    assert f"diverged at step {wild.trajectory.diverged[0]}</b>" in wild.status()


def test_a_loss_of_exactly_the_minimum_is_told():
    experiment = SurfaceDescent(optimizer="Newton", objective="Quadratic", steps=3)
    assert "exactly the minimum at step 1" in experiment.status()
    assert np.isnan(experiment.drawings["loss"].layers["loss"]["y"][1:]).all()


def test_updates_outside_the_frame_are_counted():
    experiment = SingleParameter(lr=1.0, momentum=0.95, decay=0.0)
    beyond = int((np.abs(experiment.updates[:591]) > 1.5).sum())
    assert beyond and f"{beyond} of 591 updates are outside the frame" in experiment.status()
    assert "outside the frame" not in SingleParameter(lr=0.01).status()


# text in the pictures


def keys_in(text: str) -> list[str]:
    return re.findall(r'<span class="key"><i.*?</i>(.*?)</span>', text)


def legend_of(page, figure: str) -> list[str]:
    return keys_in(page.figures[figure].caption.object)


def test_legends_carry_the_rate_of_the_epoch_viewed():
    experiment = SingleParameter()
    page = experiment.page()
    for epoch in (1, 30, 2):
        experiment.epoch = epoch
        rate = 0.1 - 0.002 * (epoch - 1)
        for figure in ("steps", "epochs"):
            labels = legend_of(page, figure)
            assert len(labels) == 2 + (figure == "steps"), labels
            assert any(f"rate {rate:.4f}" in label for label in labels), labels
        assert f"<b>Epoch {epoch}</b>" in page.figures["steps"].caption.object
    plot = hv.renderer("bokeh").get_plot(experiment.views["steps"])
    assert len(plot.state.legend[0].items) == 3


def test_a_views_legend_says_what_the_pages_does():
    race = Race()
    plot = hv.renderer("bokeh").get_plot(race.views["surface"])
    for change in ({}, {"lion": True, "rmsprop": False}, {"lion": False}):
        race.param.update(**change)
        shown = [item.label.value for item in plot.state.legend[0].items if item.visible]
        assert sorted(shown) == sorted(keys_in(caption(race.figures()[0], race.drawings["surface"]))), change


def test_the_single_parameters_frame_is_the_seeds():
    experiment = SingleParameter()
    drawing = experiment.drawings["steps"]
    assert drawing.ylim == (-1.5, 1.5)
    assert [len(drawing.layers[name]["x"]) for name in ("baseline", "updates")] == [591, 591]
    guides = [s for s in experiment.page().figures["steps"].model.references() if type(s).__name__ == "Span"]
    assert sorted(s.location for s in guides) == [-1, -0.3, 0.3, 1]
    ends = experiment.drawings["epochs"].layers
    np.testing.assert_array_equal(ends["updates"]["y"], experiment.updates[590::591])
    np.testing.assert_array_equal(ends["baseline"]["y"], experiment.baseline[590::591])
    assert (ends["viewed"]["x0"], ends["viewed"]["x1"]) == ([0.5], [1.5])
    experiment._view_epoch(12.4, 0.0)
    assert experiment.epoch == 12
    for beyond, epoch in ((-3.0, 1), (99.0, 40)):
        experiment._view_epoch(beyond, 0.0)
        assert experiment.epoch == epoch


def test_the_rules_formula_and_numbers_follow():
    experiment = SurfaceDescent()
    page = experiment.page()
    assert "<math" in page.blocks["formula"].object and "0.05" in page.blocks["numbers"].object
    formula = page.blocks["formula"].object
    experiment.optimizer.lr = 0.125
    assert "0.125" in page.blocks["numbers"].object
    experiment.optimizer = Adam(lr=0.3)
    assert page.blocks["formula"].object != formula and "Adam" in experiment.drawings["surface"].title


@by_class
def test_the_lessons_text_is_there(cls):
    words = re.sub(r"<[^>]+>", " ", cls.notes)
    assert cls.title and cls.sentence.endswith(".") and len(words.split()) > 60
    if cls is SingleParameter:
        assert all(word in words for word in ("591", "Decay", "Clip 5 is no clip", "±0.3"))


def test_the_arrow_of_a_sample_is_minus_its_gradient():
    experiment = StochasticLandscape(data=(np.linspace(-1, 1, 20), np.linspace(-2, 2, 20)), sample=3)
    arrow = experiment.drawings["sample"].layers["arrow"]
    tip = np.array([arrow["x1"][0] - arrow["x0"][0], arrow["y1"][0] - arrow["y0"][0]])
    g = experiment.gradients[3]
    (scale,) = re.findall(r"gradient × ([\d.]+)", experiment.drawings["sample"].layers["scale"]["text"][0])
    assert np.hypot(*g) > 0
    np.testing.assert_allclose(tip, -float(scale) * g[::-1], rtol=1e-9)
    at = experiment.trajectory.x[3, 0]
    assert (arrow["x0"][0], arrow["y0"][0]) == (at[1], at[0])
    np.testing.assert_array_equal(experiment.drawings["risk"].layers["path"]["y"], experiment.trajectory.x[:4, 0, 0])


def test_maps_have_the_first_weight_upwards():
    experiment = StochasticLandscape()
    image = experiment.drawings["risk"].layers["image"]
    shown = np.asarray(image["image"][0], dtype=float)
    risk = experiment.risk - min(0.0, experiment.risk.min())
    low, high = experiment.drawings["risk"].limits["image"]
    np.testing.assert_allclose(shown, np.log10(np.maximum(risk, 10**low)), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(image["x"][0], -3 - 6 / 99 / 2)
    # what HoloViews draws has the same row below as the pushed image
    element = next(e for e in experiment.views["risk"][()].values() if isinstance(e, hv.Image))
    below = element.sample(x=0.0).sort().dimension_values(1)
    np.testing.assert_allclose(below, shown[:, 50], rtol=1e-6)


def test_a_dragged_start_moves_the_ring_and_the_path():
    experiment = SurfaceDescent()
    page = experiment.page()
    sent = Sent(page)
    page.figures["surface"].model.tags = [1.0, 0.5]
    assert experiment.start == (1.0, 0.5)
    names = sent.look()
    assert {"surface.path", "surface.begin"} <= set(names)
    experiment.start = (2.0, 0.5)
    assert_shows(page, experiment)


def test_objectives_of_other_names_label_their_axes():
    x = np.linspace(-1, 1, 10)
    SurfaceDescent().page()
    page = SurfaceDescent(objective=optviz.LinearRegression(x, 2 * x)).page()
    model = page.figures["surface"].model
    assert (model.xaxis[0].axis_label, model.yaxis[0].axis_label) == ("weight", "bias")
