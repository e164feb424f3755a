"""What is shown: DynamicMaps that compose and follow, pages whose sources hold the drawings."""

import gc
import weakref

import holoviews as hv
import numpy as np
import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import SaveTool

from optviz import SGD, LossComparison, Race, SingleParameter, StochasticLandscape, SurfaceDescent
from optviz.objectives.surfaces import Booth
from optviz.page.layout import typeset

# changes of every kind, in turn on one live page
CHANGES = {
    SingleParameter: [
        {"lr": 0.3}, {"decay": 0.0}, {"momentum": 0.0}, {"clip": 0.5}, {"epoch": 40}, {"seed": 7},
        {"lr": 1.0, "momentum": 0.99, "epoch": 3},
    ],
    SurfaceDescent: [
        {"steps": 80}, {"start": (2.0, 2.5)}, {"start_x": -4.0}, {"start": (6.0, -4.0)}, {"optimizer_name": "Adam"},
        {"objective_name": "Rosenbrock"}, {"objective_name": "Monkey saddle", "optimizer_name": "SGD"},
        {"optimizer": SGD(lr=0.5), "steps": 300}, {"objective": Booth(), "steps": 1},
    ],
    LossComparison: [
        {"lr": 0.3}, {"preset": "momentum 0.9 + Nesterov"}, {"weight_decay": 2.0}, {"epochs": 7}, {"step": 50},
        {"dissected": "l1"}, {"lr": 3.0, "epochs": 300}, {"nesterov": False, "dampening": 0.5},
    ],
    StochasticLandscape: [
        {"sample": 1}, {"sample": 99}, {"lr": 0.5}, {"batch_size": 8}, {"shuffle": True}, {"seed": 3},
        {"replacement": True}, {"start": (-2.0, 1.0)}, {"start_w2": 2.9}, {"sample": 0, "batch_size": 100},
    ],
}  # fmt: skip
EXPERIMENTS = list(CHANGES)
by_class = pytest.mark.parametrize("cls", EXPERIMENTS)


def assert_same(got, wanted, where: str) -> None:
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape, where
    if wanted.dtype.kind in "OU":
        assert got.tolist() == wanted.tolist(), where
    else:
        np.testing.assert_array_equal(got.astype(float), wanted.astype(float), err_msg=where)


def assert_drawn(data, columns, where: str) -> None:
    """A Bokeh source holds exactly these columns, under its glyph's names."""
    if "image" in columns:
        assert_same(data["image"][0], columns["image"][0], where)
        x0, y0, x1, y1 = (columns[k][0] for k in ("x", "y", "x1", "y1"))
        assert_same([data[k][0] for k in ("x", "y", "dw", "dh")], [x0, y0, x1 - x0, y1 - y0], where)
        return
    names = {"left": "x0", "bottom": "y0", "right": "x1", "top": "y1"}
    seen = {names.get(name, name) for name in data}
    assert seen == set(columns), where
    for name, values in data.items():
        wanted = columns[names.get(name, name)]
        if name in ("xs", "ys"):
            assert len(values) == len(wanted), where
            for got, line in zip(values, wanted, strict=True):
                assert_same(got, line, where)
        else:
            assert_same(values, wanted, where)


def assert_shows(page, experiment) -> None:
    """The page's sources, limits, titles and text are the experiment's drawings."""
    assert page.figures.keys() == experiment.drawings.keys()
    for name, drawing in experiment.drawings.items():
        live = page.figures[name]
        left = {n for n, layer in live.figure.layers.items() if getattr(layer, "empty", None) is not None}
        assert live.sources.keys() == drawing.layers.keys() | left
        assert not any(len(values) for n in left for values in live.sources[n].data.values())
        for layer, columns in drawing.layers.items():
            source = live.sources[layer]
            assert source.name == f"{name}.{layer}"
            lengths = {len(v) for v in source.data.values()}
            assert len(lengths) == 1, f"{name}.{layer}"
            assert_drawn(source.data, columns, f"{name}.{layer}")
        ranges = [(r.start, r.end) for r in (live.model.x_range, live.model.y_range)]
        assert ranges == [tuple(drawing.xlim), tuple(drawing.ylim)], name
        assert f"<b>{drawing.title}</b>" in live.caption.object
        for layer, limits in drawing.limits.items():
            mappers = [m for m in live.model.references() if m.name == f"colour {layer}"]
            assert [(m.low, m.high) for m in mappers] == [tuple(limits)]
    assert typeset(experiment.status()) in page.status.object
    assert all(typeset(text) in page.blocks[name].object for name, text in experiment.side().items())


# notebooks: DynamicMaps


@by_class
def test_the_view_is_a_layout_of_dynamic_maps(cls):
    experiment = cls()
    view, views = experiment.view, experiment.views
    assert isinstance(view, hv.Layout) and len(view) == len(views) == len(experiment.drawings)
    assert all(isinstance(each, hv.DynamicMap) for each in view)
    assert list(views) == list(experiment.drawings)
    first = next(iter(views.values()))
    assert isinstance(first * hv.Curve([(0, 0), (1, 1)]), hv.DynamicMap)
    assert isinstance(first + hv.Curve([(0, 0), (1, 1)]), hv.Layout)
    assert isinstance(view + first, hv.Layout)


def test_a_saved_picture_has_a_name():
    for name, live in SurfaceDescent().page().figures.items():
        (tool,) = live.model.toolbar.select({"type": SaveTool})
        assert tool.filename == f"optviz-{name}"


def test_figures_side_by_side_keep_their_own_axes_unless_linked():
    single, losses = SingleParameter(), LossComparison()
    shown = [(single, "steps"), (losses, "data"), (losses, "mse"), (losses, "l1"), (single, "epochs")]
    layout = hv.Layout([experiment.views[name] for experiment, name in shown])
    plots = [cell.subplots["main"].state for _, cell in sorted(hv.renderer("bokeh").get_plot(layout).subplots.items())]
    for (experiment, name), plot in zip(shown, plots, strict=True):
        drawing, ranges = experiment.drawings[name], (plot.x_range, plot.y_range)
        assert [(r.start, r.end) for r in ranges] == [tuple(drawing.xlim), tuple(drawing.ylim)], name
    assert plots[2].x_range is plots[3].x_range and plots[2].y_range is plots[3].y_range


def sources_of(plot) -> list:
    return [r.data_source for r in plot.state.renderers if hasattr(r, "data_source")]


def held(sources) -> set:
    return {np.round(np.ravel(v).astype(float), 9).tobytes() for s in sources for v in s.data.values() if is_row(v)}


def is_row(values) -> bool:
    row = np.asarray(values) if not isinstance(values, list) or not any(map(np.ndim, values)) else np.empty(0)
    return row.ndim == 1 and row.size > 5 and row.dtype.kind in "fiu"


def wanted(drawing) -> set:
    """The long numeric columns of a drawing."""
    return held([type("Source", (), {"data": columns}) for columns in drawing.layers.values()])


@pytest.mark.parametrize(("cls", "figure", "change"), [
    (SingleParameter, "steps", {"epoch": 9, "lr": 0.4}), (SurfaceDescent, "values", {"steps": 20}),
    (SurfaceDescent, "surface", {"start": (2.0, 1.0)}), (LossComparison, "loss", {"lr": 0.02}),
    (StochasticLandscape, "losses", {"lr": 0.3}),
])  # fmt: skip
def test_a_rendered_dynamic_map_follows_a_change(cls, figure, change):
    experiment = cls()
    plot = hv.renderer("bokeh").get_plot(experiment.views[figure])
    before = wanted(experiment.drawings[figure])
    assert before and before <= held(sources_of(plot))
    experiment.param.update(**change)
    after = wanted(experiment.drawings[figure])
    assert after != before and after <= held(sources_of(plot))
    assert plot.state.title.text == experiment.drawings[figure].title


def test_a_composed_dynamic_map_follows_a_change():
    experiment = SurfaceDescent()
    plot = hv.renderer("bokeh").get_plot(experiment.views["surface"] * hv.Points([(1.0, 1.0)]))
    experiment.optimizer.lr = 0.3
    assert wanted(experiment.drawings["surface"]) <= held(sources_of(plot))


@pytest.mark.parametrize("make", [
    lambda: StochasticLandscape(start_w1=1e300), lambda: LossComparison(lr=1e300),
    lambda: SurfaceDescent(optimizer=SGD(lr=1.0), steps=1000), lambda: SurfaceDescent(optimizer=SGD(lr=1e300)),
])  # fmt: skip
def test_a_run_that_overflows_is_drawn_without_a_warning(make):
    for view in make().views.values():
        assert hv.render(view, backend="bokeh").renderers


def test_a_dynamic_map_evaluated_again_is_up_to_date():
    experiment = SingleParameter()
    view = experiment.views["steps"]
    labels = [e.label for e in view[()].values() if isinstance(e, hv.Curve) and e.label]
    assert labels == ["plain SGD", "momentum", "predicted ±2 spreads"]
    experiment.epoch = 5
    curve = view[()].Curve.Momentum
    np.testing.assert_array_equal(curve.dimension_values("y"), experiment.updates[4 * 591 : 5 * 591])


# pages


@by_class
def test_a_page_shows_the_drawings_after_every_kind_of_change(cls):
    experiment = cls()
    page = experiment.page()
    assert_shows(page, experiment)
    for change in CHANGES[cls]:
        experiment.param.update(**change)
        assert experiment.message == "", change
        assert_shows(page, experiment)
    assert_shows(experiment.page(), experiment)  # one opened later shows the same


def test_a_hyperparameter_of_the_rule_is_shown():
    experiment = SurfaceDescent(optimizer="Adam")
    page = experiment.page()
    for name, value in {"lr": 0.4, "beta1": 0.5, "amsgrad": True}.items():
        setattr(experiment.optimizer, name, value)
        assert_shows(page, experiment)


@by_class
def test_two_pages_of_one_experiment_both_follow(cls):
    experiment = cls()
    pages = experiment.page(), experiment.page()
    experiment.param.update(**CHANGES[cls][0])
    for page in pages:
        assert_shows(page, experiment)
    models = [{m for live in page.figures.values() for m in live.model.references()} for page in pages]
    assert not models[0] & models[1]


@by_class
def test_pages_of_two_experiments_are_apart(cls):
    moved, still = cls(), cls()
    pages = moved.page(), still.page()
    moved.param.update(**CHANGES[cls][0])
    assert_shows(pages[0], moved)
    assert_shows(pages[1], still)


class Sent:
    """Which sources of a page got new data since the last look."""

    def __init__(self, page):
        self.names: list[str] = []
        for live in page.figures.values():
            for source in live.sources.values():
                source.on_change("data", self._listener(source.name))

    def _listener(self, name: str):
        return lambda attr, old, new: self.names.append(name)

    def look(self) -> set[str]:
        seen, self.names[:] = list(self.names), []
        assert len(seen) == len(set(seen)), "sent twice"
        return set(seen)


def test_only_what_changed_is_sent():
    experiment = SingleParameter()
    sent = Sent(experiment.page())
    experiment.momentum = 0.5
    follow = {f"{figure}.{layer}" for figure in ("spread", "value") for layer in ("updates", "expected")}
    assert sent.look() == {"steps.updates", "steps.expected", "epochs.updates", *follow}
    experiment.epoch = 8
    viewed = {f"{figure}.viewed" for figure in ("epochs", "spread", "value")}
    assert sent.look() == {"steps.updates", "steps.baseline", "steps.expected", *viewed}
    experiment.param.trigger("lr")
    assert sent.look() == set()


def test_a_knob_of_the_surface_sends_the_run_alone():
    experiment = SurfaceDescent()
    sent = Sent(experiment.page())
    experiment.optimizer.lr = 0.1
    run = {"surface.path", "surface.end", "loss.loss", "loss.expected", "values.first",
           "values.second", "updates.first", "updates.second"}  # fmt: skip
    assert {name for name in sent.look() if not name.endswith(("above", "below"))} == run
    experiment.start = (-4.0, 1.0)
    assert not {f"surface.{layer}" for layer in ("image", "kinds", "arrivals", "levels", "minima")} & sent.look()
    experiment.objective_name = "Booth"
    assert {"surface.image", "surface.levels", "surface.minima"} <= sent.look()


def test_knobs_of_the_losses_leave_maps_and_data_alone():
    experiment = LossComparison()
    sent = Sent(experiment.page())
    experiment.lr = 0.2
    names = sent.look()
    assert "mse.path" in names and "data.l1" in names
    still = ("image", "levels", "begin", "samples")
    assert not [name for name in names if name.endswith(still)]
    experiment.dissected = "huber"
    assert sent.look() <= {f"vectors.{part}" for part in ("gradient", "carried", "momentum", "nesterov")}


def test_playing_samples_leaves_the_mean_map_alone():
    experiment = StochasticLandscape()
    sent = Sent(experiment.page())
    experiment.sample = 1
    names = sent.look()
    assert "sample.image" in names and "losses.now" in names
    assert not names & {"risk.image", "risk.levels", "losses.mean", "losses.sample"}


def limits(experiment) -> dict:
    return {name: (d.xlim, d.ylim, d.limits) for name, d in experiment.drawings.items()}


def test_axes_stay_while_a_hyperparameter_moves():
    surface, losses, single, stochastic = SurfaceDescent(), LossComparison(), SingleParameter(), StochasticLandscape()
    moves = [
        (surface, surface.optimizer, "lr", (0.0, 0.2, 0.6, 1.0)), (losses, losses, "lr", (0.0, 0.01, 0.5, 1.0)),
        (losses, losses, "weight_decay", (0.5, 4.0)), (single, single, "lr", (0.0, 0.5, 1.0)),
        (stochastic, stochastic, "lr", (0.0, 0.2, 0.5)),
    ]  # fmt: skip
    for experiment, owner, name, values in moves:
        before = {k: v for k, v in limits(experiment).items() if k != "vectors"}
        for value in values:
            setattr(owner, name, value)
            assert {k: v for k, v in limits(experiment).items() if k != "vectors"} == before, (name, value)


def test_fit_axes_fits_them_to_the_run():
    experiment = SurfaceDescent()
    experiment.optimizer.lr = 0.3
    before = limits(experiment)
    experiment.param.trigger("fit_axes")
    after = limits(experiment)
    assert after["updates"] != before["updates"] and after["surface"] == before["surface"]
    largest = np.abs(experiment.trajectory.updates).max()
    assert after["updates"][1][1] >= min(largest, 8.5)


# memory


@pytest.mark.parametrize("cls", [*EXPERIMENTS, Race])
def test_a_dropped_experiment_and_its_page_are_collected(cls):
    experiment = cls()
    page = experiment.page()
    assert next(iter(experiment.views.values()))[()]
    experiment.param.update(**CHANGES.get(cls, [{"steps": 20}])[0])
    gone = [weakref.ref(each) for each in (experiment, page, next(iter(page.figures.values())).model)]
    del experiment, page
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3


def test_a_session_that_ends_leaves_nothing():
    experiment = SurfaceDescent()
    page, document = experiment.page(), Document()
    root = page.layout.get_root(document)
    document.add_root(root)
    experiment.optimizer.lr = 0.2
    page.layout._cleanup(root)
    document.clear()
    gone = [weakref.ref(each) for each in (experiment, page, document)]
    pn.state._views.pop(root.ref["id"], None)
    del experiment, page, document, root
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3
