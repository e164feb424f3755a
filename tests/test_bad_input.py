"""Bad input is refused in one clear sentence; what was there stays, numbers and pictures."""

import math
import random
from urllib.parse import parse_qsl

import numpy as np
import panel as pn
import pytest
import torch
from oracles import one_sentence

import optviz
from optviz import (
    SGD,
    Adam,
    EdgeOfStability,
    LossComparison,
    NoisyDescent,
    SingleParameter,
    StochasticLandscape,
    SurfaceDescent,
    TorchOptimizer,
)
from optviz.catalogue import experiments
from optviz.rules.rule import shut
from optviz.state import sharing
from optviz.theory import stability

NAN, INF = math.nan, math.inf
LINE = np.linspace(-1, 1, 10)


def fails(x, y):
    raise RuntimeError("no value today")


class Moody:
    """A torch function that works at first, then does what it is told to."""

    def __init__(self):
        self.mood = "good"

    def __call__(self, x, y):
        if self.mood == "raises":
            raise RuntimeError("no value any more")
        value = torch.sin(x) + y**2
        return torch.stack([value, value]) if self.mood == "grows" else value


# what is asked for; who refuses, the rule, what was got
REFUSED = [
    # out of bounds
    (lambda: SingleParameter(lr=2), ("SingleParameter.lr", "at most 1", "2")),
    (lambda: SingleParameter(lr=-0.1), ("SingleParameter.lr", "at least 0", "-0.1")),
    (lambda: SingleParameter(decay=0.006), ("SingleParameter.decay", "at most 0.005", "0.006")),
    (lambda: SingleParameter(momentum=1.0), ("SingleParameter.momentum", "at most 0.99", "1.0")),
    (lambda: SingleParameter(clip=0.1), ("SingleParameter.clip", "at least 0.5", "0.1")),
    (lambda: SingleParameter(epoch=41), ("SingleParameter.epoch", "at most 40", "41")),
    (lambda: SingleParameter(epoch=0), ("SingleParameter.epoch", "at least 1", "0")),
    (lambda: SingleParameter(seed=-1), ("SingleParameter.seed", "at least 0", "-1")),
    (lambda: LossComparison(lr=-1.0), ("LossComparison.lr", "at least 0", "-1")),
    (lambda: LossComparison(epochs=0), ("LossComparison.epochs", "at least 1", "0")),
    (lambda: LossComparison(epochs=10_000_000), ("LossComparison.epochs", "at most 10000", "10000000")),
    (lambda: LossComparison(dampening=1.5), ("LossComparison.dampening", "at most 1", "1.5")),
    (lambda: StochasticLandscape(sample=100), ("StochasticLandscape.sample", "at most 99", "100")),
    (lambda: StochasticLandscape(batch_size=0), ("StochasticLandscape.batch_size", "at least 1", "0")),
    (lambda: StochasticLandscape(data=(LINE, LINE), sample=10), ("StochasticLandscape.sample", "at most 9", "10")),
    (lambda: SurfaceDescent(steps=0), ("SurfaceDescent.steps", "at least 1", "0")),
    (lambda: SurfaceDescent(steps=10_000_000), ("SurfaceDescent.steps", "at most 10000", "10000000")),
    (lambda: SGD(lr=-1), ("SGD.lr", "at least 0", "-1")),
    # of the wrong type, or no number
    (lambda: SingleParameter(lr="a"), ("SingleParameter.lr", "numeric", "str")),
    (lambda: SingleParameter(epoch=1.5), ("SingleParameter.epoch", "integer", "float")),
    (lambda: SingleParameter(lr=NAN), ("SingleParameter.lr", "nan")),
    (lambda: LossComparison(nesterov="yes"), ("LossComparison.nesterov", "yes")),
    (lambda: LossComparison(lr=NAN), ("LossComparison.lr", "nan")),
    (lambda: LossComparison(lr=INF), ("SGD.lr", "finite", "inf")),
    (lambda: StochasticLandscape(shuffle=3), ("StochasticLandscape.shuffle", "3")),
    (lambda: SurfaceDescent(steps=3.5), ("SurfaceDescent.steps", "integer", "float")),
    (lambda: SurfaceDescent(optimizer=Adam), ("SurfaceDescent.optimizer", "rule or its name", "Adam")),
    (lambda: SurfaceDescent(optimizer=3), ("SurfaceDescent.optimizer", "rule or its name", "3")),
    (lambda: SurfaceDescent(objective=abs), ("SurfaceDescent.objective", "objective or its name", "abs")),
    (lambda: SurfaceDescent(objective=None), ("SurfaceDescent.objective", "objective or its name", "None")),
    # starts
    (lambda: SurfaceDescent(start=(1, 2, 3)), ("SurfaceDescent.start", "3 instead of 2")),
    (lambda: SurfaceDescent(start=1.0), ("SurfaceDescent.start", "tuple", "float")),
    (lambda: SurfaceDescent(start=("a", "b")), ("SurfaceDescent.start", "a")),
    (lambda: SurfaceDescent(start=(1.0, NAN)), ("start", "finite", "nan")),
    (lambda: SurfaceDescent(start=(1.0, INF)), ("start", "finite", "inf")),
    (lambda: SurfaceDescent(start=(1e200, 1.0)), ("SurfaceDescent", "start", "finite", "1e+200")),
    (lambda: StochasticLandscape(start=(1, 2, 3)), ("StochasticLandscape.start", "3 instead of 2")),
    (lambda: StochasticLandscape(start=(NAN, 0.0)), ("start", "finite", "nan")),
    # data
    (lambda: StochasticLandscape(data=([1.0], [2.0])), ("StochasticLandscape", "at least two samples", "1")),
    (lambda: StochasticLandscape(data=([], [])), ("StochasticLandscape", "at least two samples", "0")),
    (lambda: StochasticLandscape(data=([1.0, NAN], [2.0, 3.0])), ("StochasticLandscape", "finite data", "1 sample")),
    (lambda: StochasticLandscape(data=([1.0, 2.0], [INF, 3.0])), ("StochasticLandscape", "finite data", "1 sample")),
    (lambda: StochasticLandscape(data=(LINE, LINE[1:])), ("StochasticLandscape", "one length", "[10, 9]")),
    (lambda: StochasticLandscape(data=3), ("StochasticLandscape.data", "2 columns of numbers", "3")),
    (lambda: StochasticLandscape(data=("ab", "cd")), ("StochasticLandscape", "numbers", "ab")),
    (lambda: StochasticLandscape().landscape(100), ("StochasticLandscape.landscape", "from 0 to 99", "100")),
    (lambda: StochasticLandscape().landscape(-1), ("StochasticLandscape.landscape", "from 0 to 99", "-1")),
    (lambda: SingleParameter(gradients=[1, 2]), ("SingleParameter", "shape (23640,)", "(2,)")),
    (lambda: SingleParameter(gradients=np.zeros((40, 591))), ("SingleParameter", "shape (23640,)", "(40, 591)")),
    (lambda: SingleParameter(gradients="noise"), ("SingleParameter", "23,640 numbers", "noise")),
    (lambda: SingleParameter(gradients=np.full(23640, NAN)), ("SingleParameter", "finite gradients", "nan")),
    # unknown names
    (lambda: SurfaceDescent(optimizer="Adamm"), ("SurfaceDescent.optimizer", "'Adamm'", "choose one of SGD")),
    (lambda: SurfaceDescent(optimizer_name="Adamm"), ("SurfaceDescent.optimizer", "'Adamm'", "choose one of SGD")),
    (lambda: SurfaceDescent(objective="Rosen"), ("SurfaceDescent.objective", "'Rosen'", "Rosenbrock")),
    (lambda: LossComparison(preset="fast"), ("LossComparison.preset", "'fast'", "momentum 0.9")),
    (lambda: LossComparison(dissected="hinge"), ("LossComparison.dissected", "'hinge'", "huber")),
    # a user's function
    (lambda: optviz.objective(fails), ("objective 'fails'", "no value today")),
    (lambda: optviz.objective(lambda x, y: (x, y), label="pair"), ("objective 'pair'", "one number", "(x, y)")),
    (lambda: optviz.objective(lambda x, y: None, label="none"), ("objective 'none'", "one number", "None")),
    (lambda: optviz.objective(lambda x: x, label="one"), ("objective 'one'", "write p[0] and p[1] of a lambda p")),
    (lambda: optviz.objective(lambda x, y: torch.stack([x, y]), label="two"), ("objective 'two'", "(2,)")),
    (lambda: optviz.objective(lambda x, y: x, domain=((1, 0), (0, 1))), ("objective", "domain", "x0 < x1")),
    # combinations that PyTorch refuses
    (lambda: LossComparison(nesterov=True), ("SGD", "Nesterov", "momentum above 0", "momentum 0.0")),
    (lambda: LossComparison(nesterov=True, momentum=0.9, dampening=0.1), ("Nesterov", "zero dampening", "0.1")),
    (lambda: SGD(nesterov=True), ("SGD", "Nesterov", "momentum above 0")),
    (lambda: TorchOptimizer(torch.optim.SGD, lr=0.1, nesterov=True), ("TorchOptimizer", "SGD", "Nesterov")),
    (lambda: TorchOptimizer(torch.optim.SGD, rate=0.1), ("TorchOptimizer", "SGD", "rate")),
]  # fmt: skip


def assert_clear(sentence: str, words) -> None:
    assert one_sentence(sentence) or sentence.endswith("]'"), sentence  # param's list of options ends so
    missing = [word for word in words if word not in sentence]
    assert not missing, f"{missing} not in: {sentence}"


@pytest.mark.parametrize(("ask", "words"), REFUSED, ids=lambda v: " ".join(v) if isinstance(v, tuple) else "")
def test_refused_in_one_sentence(ask, words):
    with pytest.raises(ValueError) as caught:
        ask()
    assert_clear(str(caught.value), words)


@pytest.mark.parametrize("cls", [SingleParameter, SurfaceDescent, LossComparison, StochasticLandscape])
def test_an_unknown_keyword_is_named(cls):
    with pytest.raises(TypeError, match=f"{cls.__name__}.*'rate'"):
        cls(rate=0.1)


def pictures(experiment, page) -> tuple:
    """Everything that is shown, by identity."""
    held = [v for live in page.figures.values() for s in live.sources.values() for v in s.data.values()]
    return (id(experiment.results), id(experiment.drawings), experiment.revision, [id(v) for v in held],
            page.status.object)  # fmt: skip


# refused by a parameter itself: it raises, nothing has changed and nothing is said on the page
RAISES = [
    (SingleParameter, {"lr": 2}), (SingleParameter, {"epoch": 41}), (SingleParameter, {"momentum": "a"}),
    (SurfaceDescent, {"start": (1.0, 2.0, 3.0)}), (SurfaceDescent, {"steps": 10_000_000}),
    (SurfaceDescent, {"steps": 0}), (SurfaceDescent, {"optimizer": "Adamm"}), (SurfaceDescent, {"objective": 3}),
    (SurfaceDescent, {"optimizer_name": "Adamm"}), (SurfaceDescent, {"start_x": None}),
    (LossComparison, {"lr": NAN}), (LossComparison, {"preset": "fast"}), (LossComparison, {"epochs": 0}),
    (StochasticLandscape, {"sample": 100}), (StochasticLandscape, {"lr": -1}), (StochasticLandscape, {"start": (1.0,)}),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "change"), RAISES, ids=str)
def test_a_live_experiment_refuses_a_bad_value_and_keeps_the_good_one(cls, change):
    experiment = cls()
    page = experiment.page()
    before, values = pictures(experiment, page), {name: getattr(experiment, name) for name in change}
    with pytest.raises(ValueError) as caught:
        experiment.param.update(**change)
    assert f"{cls.__name__}.{next(iter(change))}" in str(caught.value)
    assert pictures(experiment, page) == before
    assert {name: getattr(experiment, name) for name in change} == values
    assert experiment.message == "" and not page.message.visible
    good = {"steps": 20} if cls is SurfaceDescent else {"lr": 0.02}
    experiment.param.update(**good)  # and goes on
    assert pictures(experiment, page) != before and experiment.revision == 1


# refused when computing: the message says it, and goes when it is mended
REFUSED_LIVE = [
    (SurfaceDescent, {"start": (NAN, 1.0)}, ("start", "finite", "nan"), {"start": (1.0, 1.0)}),
    (SurfaceDescent, {"start_x": INF}, ("start", "finite", "inf"), {"start_x": 1.0}),
    (SurfaceDescent, {"start": (1e200, 1.0)}, ("SurfaceDescent", "finite", "1e+200"), {"start": (2.0, 1.0)}),
    (LossComparison, {"nesterov": True}, ("Nesterov", "momentum above 0", "0.0"), {"momentum": 0.9}),
    (LossComparison, {"nesterov": True, "momentum": 0.9, "dampening": 0.5}, ("zero dampening", "0.5"),
     {"preset": "momentum 0.9"}),
    (LossComparison, {"weight_decay": INF}, ("weight_decay", "finite", "inf"), {"weight_decay": 1.0}),
    (StochasticLandscape, {"start": (NAN, 1.0)}, ("start", "finite", "nan"), {"start_w1": 1.0}),
    (StochasticLandscape, {"lr": INF}, ("lr", "finite", "inf"), {"lr": 0.1}),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "change", "words", "mend"), REFUSED_LIVE, ids=str)
def test_a_refused_change_says_why_and_keeps_the_picture(cls, change, words, mend):
    experiment = cls()
    page = experiment.page()
    before = pictures(experiment, page)
    experiment.param.update(**change)
    assert_clear(experiment.message, words)
    assert pictures(experiment, page) == before
    assert page.message.visible and page.message.object == experiment.message
    late = experiment.page()  # one opened now says so as well
    assert late.message.visible and late.message.object == experiment.message
    experiment.param.update(**mend)
    assert experiment.message == "" and not page.message.visible and not late.message.visible
    assert pictures(experiment, page) != before and experiment.revision == 1


def test_a_hyperparameter_combination_that_torch_refuses():
    experiment = SurfaceDescent()
    page = experiment.page()
    before = pictures(experiment, page)
    experiment.optimizer.nesterov = True
    assert_clear(experiment.message, ("SGD", "Nesterov", "momentum above 0"))
    assert pictures(experiment, page) == before and page.message.visible
    assert experiment.page().message.visible  # a page made only now
    experiment.optimizer.momentum = 0.5
    assert experiment.message == "" and not page.message.visible
    expected = SurfaceDescent(optimizer=SGD(lr=0.05, momentum=0.5, nesterov=True))
    np.testing.assert_array_equal(experiment.trajectory.x, expected.trajectory.x)


@pytest.mark.parametrize(("mood", "words"), [
    ("raises", ("objective 'moody'", "no value any more")), ("grows", ("objective 'moody'", "(2,)")),
])  # fmt: skip
def test_a_users_function_that_fails_later(mood, words):
    function = Moody()
    experiment = SurfaceDescent(objective=optviz.objective(function, label="moody"), steps=5)
    page = experiment.page()
    before = pictures(experiment, page)
    function.mood = mood
    experiment.start = (1.0, 2.0)
    assert_clear(experiment.message, words)
    assert pictures(experiment, page) == before and page.message.visible
    function.mood = "good"
    experiment.start = (0.5, 2.0)
    assert experiment.message == "" and experiment.trajectory.x[0, 0].tolist() == [0.5, 2.0]


def test_a_torch_optimizer_that_fails_keeps_the_picture():
    class Stubborn(torch.optim.SGD):
        def step(self, closure=None):
            raise RuntimeError("not today")

    experiment = SurfaceDescent()
    results = experiment.results
    experiment.optimizer = TorchOptimizer(Stubborn, lr=0.1)
    assert_clear(experiment.message, ("Stubborn", "not today"))
    assert experiment.results is results
    experiment.optimizer = "Adam"
    assert experiment.message == ""


# extreme but legal: results, not warnings (the test settings make warnings errors)
EXTREME = [
    (SingleParameter, {"lr": 0.0, "decay": 0.005, "momentum": 0.0}), (SurfaceDescent, {"start": (1e20, -1e20)}),
    (SurfaceDescent, {"start": (0.0, 0.0)}), (SurfaceDescent, {"optimizer": SGD(lr=1e300)}),
    (SurfaceDescent, {"optimizer": SGD(lr=0.0)}), (SurfaceDescent, {"steps": 10_000}), (SurfaceDescent, {"steps": 1}),
    (LossComparison, {"lr": 1e300}), (LossComparison, {"weight_decay": 1e308}), (LossComparison, {"epochs": 1}),
    (LossComparison, {"lr": 0.0}), (LossComparison, {"step": 10_000, "epochs": 3}),
    (StochasticLandscape, {"lr": 1e200}), (StochasticLandscape, {"start_w1": 1e300}),
    (StochasticLandscape, {"start": (0.0, 0.0)}), (StochasticLandscape, {"lr": 0.0}),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "change"), EXTREME, ids=str)
def test_extreme_but_legal_values_are_drawn(cls, change):
    fresh, moved = cls(**change), cls()
    page = moved.page()
    moved.param.update(**change)
    assert moved.message == "" and moved.revision == 1 and moved.status()
    assert page.status.object != "" and fresh.status() == moved.status()
    for drawing in moved.drawings.values():
        assert np.isfinite([*drawing.xlim, *drawing.ylim]).all()
        assert drawing.xlim[0] < drawing.xlim[1] and drawing.ylim[0] < drawing.ylim[1]
        assert np.isfinite(list(drawing.limits.values())).all()


# addresses at the ends of float64, each of which ended in a warning, an exception or an axis without end
HARSH = [
    (EdgeOfStability, "lr=5e-324&steps=9"), (EdgeOfStability, "lr=1e-308&steps=9"),
    (LossComparison, "momentum=1e59"), (LossComparison, "momentum=1e154"), (LossComparison, "momentum=1e200"),
    (LossComparison, "weight_decay=1e200"), (LossComparison, "weight_decay=1.7e308&preset=momentum-0.9-nesterov"),
    (LossComparison, "dissected=l1&dampening=1&momentum=0.5&lr=5e-324"),
    (NoisyDescent, "noise=1e-160"), (NoisyDescent, "noise=1.7e308"), (NoisyDescent, "start_x=1e154"),
    (NoisyDescent, "surface=ackley&second=radam&noise=1e154"),
    (SurfaceDescent, "optimizer=lion&lr=1.7e308"), (SurfaceDescent, "optimizer=sgd&lr=5e-324"),
    (SurfaceDescent, "optimizer=newton&steps=1&damping=1e300&basins=the-minimum-reached"),
    (SurfaceDescent, "optimizer=nadam&weight_decay=1.7e308&momentum_decay=1.7e308&basins=the-minimum-reached"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "query"), HARSH, ids=str)
def test_an_address_at_the_ends_of_float64_is_drawn_or_refused(kind, query):
    assert_drawn(kind, dict(parse_qsl(query)))


@pytest.mark.parametrize("kind", experiments().values())
def test_random_addresses_at_the_ends_of_float64_are_drawn_or_refused(kind):
    draw = random.Random(3)
    for _ in range(3):
        numbers = [name for name, spec in sharing.specs(kind()).items() if spec["kind"] == "number"]
        assert_drawn(kind, {name: draw.choice(ENDS) for name in draw.sample(numbers, min(len(numbers), 2))})


ENDS = ("5e-324", "1e-160", "0", "1e59", "1e154", "1e300", "1.7e308", "-1e154", "-1.7e308", "0.9999999999999999")


def assert_drawn(kind, values) -> None:
    """Without a warning, on axes with ends, and with a sentence on what there is."""
    experiment, refused = sharing.apply(kind, values)
    assert all(map(one_sentence, [*refused, experiment.message or "None."])), refused
    if experiment.message:
        return
    assert experiment.status() and all(isinstance(text, str) for text in experiment.side().values())
    for drawing in experiment.draw().values():
        assert np.isfinite([*drawing.xlim, *drawing.ylim, *np.ravel(list(drawing.limits.values()))]).all(), values
        assert drawing.xlim[0] < drawing.xlim[1] and drawing.ylim[0] < drawing.ylim[1], values


def test_the_limit_of_a_rate_next_to_0_is_that_of_any_other():
    assert stability.limit(SGD(lr=5e-324)) == pytest.approx(2) and stability.max_curvature(SGD(lr=5e-324)) == INF


def test_vectors_that_overflow_are_said_not_to_be_drawn():
    experiment, _ = sharing.apply(LossComparison, {"momentum": "1e200"})
    title = experiment.drawings["vectors"].title
    assert title.endswith("; too large to draw: gradient, carried, momentum, nesterov")
    assert "more than float64 holds" in sharing.apply(EdgeOfStability, {"lr": "5e-324", "steps": 9})[0].status()


@pytest.mark.parametrize(("settings", "names"), [
    ({}, ["nesterov"]), ({"momentum": 0.9}, []), ({"momentum": 0.9, "dampening": 0.1}, ["nesterov"]),
    ({"momentum": 0.9, "nesterov": True}, ["dampening"]), ({"lr": [0.1, 0.2]}, ["nesterov"]),
])  # fmt: skip
def test_a_control_is_shut_where_any_other_value_would_be_refused(settings, names):
    assert shut(SGD(**settings)) == names and shut(Adam()) == []
    experiment = SurfaceDescent(optimizer=SGD(**{**settings, "lr": 0.1}))
    knobs = [k for k in experiment.page().layout.select(pn.Param) if k.object is experiment.optimizer][0]
    assert [name for name, widget in knobs._widgets.items() if widget.disabled] == names
    experiment.optimizer.param.update(momentum=0.0, nesterov=True)  # refused: all may mend it
    assert experiment.message and not any(widget.disabled for widget in knobs._widgets.values())
