"""Rules that people write: terms of any name, squares of differences, numpy's functions, in every reading."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from engine import run_js
from oracles import rules
from test_export_laws import constants
from test_export_runs import COMPARE

from optviz import Hyperparameter, Rule, SurfaceDescent, basins, descend, objective, sweep, xp
from optviz.experiments import floors
from optviz.export.forms import forms_script
from optviz.export.kernels import objective_script, rule_script
from optviz.export.page import program
from optviz.objectives.surfaces import Himmelblau, Quadratic
from optviz.readings.equations import rule_mathml
from optviz.readings.linear import why_not
from optviz.runs.descent import keeper
from optviz.trace.tracing import FLOATS


class Believing(Rule):
    """Adam with the variance of gradients around their mean (arXiv 2010.07468)."""

    lr = Hyperparameter(0.1, bounds=(0, None))
    beta1 = Hyperparameter(0.9, bounds=(0, 1))
    beta2 = Hyperparameter(0.99, bounds=(0, 1))
    memory = {"m": 0.0, "s": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        m = let("m", h.beta1 * memory.m + (1 - h.beta1) * g)
        s = let("s", h.beta2 * memory.s + (1 - h.beta2) * (g - m) ** 2 + 1e-16)
        return let("step", -h.lr * m / (1 - h.beta1**t) / (xp.sqrt(s / (1 - h.beta2**t)) + 1e-8))


class Named(Rule):
    """Its names are no identifiers, reserved words, of other alphabets, and alike but for a digit."""

    lr = Hyperparameter(0.1, bounds=(0, None))
    η = Hyperparameter(0.3, bounds=(0, 1))
    memory = {"old g": 0.0, "μ": "η", 'quoted "h.lr"': 1.0, "class": 0.0, "s": 0.0, "s1": 0.0, "h": 0.0, "7": 0.5,
              "t1": 0.25, 'a b"c': "lr", "h0": 0.0}  # fmt: skip

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        old, quoted, kind, seven = (getattr(memory, n) for n in ("old g", 'quoted "h.lr"', "class", "7"))
        let("old g", g)
        let('quoted "h.lr"', old * 2)
        let("class", g * 0.5)
        let("7", 0.9 * seven)
        t1 = let("t1", memory.t1 / 3 + let('a b"c', getattr(memory, 'a b"c') * 0.7))
        let("h0", memory.h0 + t1)
        let("Δ g\u0301 ∇²\n`${t}` \\ </script>", g - memory.h0)
        s1 = let("s1", memory.s + let("s", g / 7) + let("h", memory.h / 2 + g / 9))
        mean = let("a mean (μ)", let("μ", memory.μ * 0.9 + 0.1 * quoted) * h.η**t)
        return let("Δx", -h.lr * (g + 0.1 * old + 0.01 * seven) - 0.01 * mean + 0.001 * kind + 0.001 * (s1 + memory.h0))


class Numeric(Rule):
    """Numpy's functions instead of those of xp, and some that xp has beside the common ones."""

    lr = Hyperparameter(0.1, bounds=(0, None))
    memory = {"v": 0.0}

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        v = let("v", np.fmax(0.9 * memory.v, np.hypot(g, xp.log1p(np.fabs(x)))))
        turned = np.logical_and(g > 0, ~(x > 1)) | (xp.rint(x) < -1)
        scale = xp.where(xp.where(turned, x > 0, x < 0), xp.cbrt(v), np.clip(v, 0.5, 2.0))
        return let("step", -h.lr * xp.arctan2(g, scale) * xp.clip(np.exp2(-x), 0.5, 1.0) + 0.01 * np.square(xp.erf(g)))


class Raising(Rule):
    """Of a negative gradient Python's power is a complex number."""

    lr = Hyperparameter(0.1, bounds=(0, None))

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        return let("step", -h.lr * xp.abs(g**1.5))


WRITTEN = [Believing, Named, Numeric, Raising]
START = (-1.5, 2.0)


@pytest.mark.parametrize("cls", WRITTEN)
@pytest.mark.parametrize("device", [None, "cpu"])
def test_lanes_and_kernels_walk_as_one_run_does(cls, device):
    rates = [0.05, 0.2]
    assert "<math" in rule_mathml(cls())
    runs = [descend(Quadratic(), cls(lr=lr), START, 12) for lr in rates]
    together = descend(Quadratic(), cls(lr=np.array(rates)), START, 12)
    swept = sweep(Quadratic(), cls(), START, 12, {"lr": rates}, measure=["loss", "diverged"], device=device)
    for k, run in enumerate(runs):
        np.testing.assert_allclose(together.x[:, k], run.x[:, 0], rtol=1e-12)
        np.testing.assert_allclose(swept["loss"][k], run.loss[-1, 0], rtol=1e-12)
        assert together.diverged[k] == run.diverged[0] == swept["diverged"][k] == (1 if cls is Raising else 0)


def test_a_page_walks_as_python_does():
    kinds = constants(
        rules=[rule_script(cls) for cls in WRITTEN],
        surface=objective_script(Quadratic),
        forms=[forms_script(cls) for cls in WRITTEN],
    )
    script = f"""const surface_ = Object.assign(new Surface(surface, {{}}), {{ starts: [{json.dumps(START)}] }});
      const nans = (value) => Array.isArray(value) ? value.map(nans) : Number.isNaN(value) ? "nan" : value;
      return nans(rules.map((kind) => {{
        const rule = new Rule(kind, {{}}), run = descend(surface_, rule, {json.dumps(START)}, 12, {{}});
        return [differs(surface_, rule, 0), [...run.loss.data], run.diverged.data[0]];
      }}));"""
    found = run_js("\n".join([kinds, COMPARE, script]))
    for cls, (alike, losses, lost) in zip(WRITTEN, found, strict=True):
        run = descend(Quadratic(), cls(), START, 12)
        assert alike == [True, True, True], cls
        assert lost == run.diverged[0]
        np.testing.assert_allclose([float(v) for v in losses], run.loss[:, 0], rtol=1e-12)


def test_a_page_walks_a_surface_whose_variables_have_any_names():
    surface = objective(lambda var, t1: (var - 1) ** 2 * xp.cosh(t1) + xp.sqrt(1 + t1**2) / (1 + var**2))
    kinds = constants(rule=rule_script(Named), surface=objective_script(surface))
    script = f"""const surface_ = Object.assign(new Surface(surface, {{}}), {{ starts: [{json.dumps(START)}] }});
      return differs(surface_, new Rule(rule, {{}}), 0);"""
    assert run_js("\n".join([kinds, COMPARE, script])) == [True, True, True]


class Zeros(Rule):
    """Zeros with signs, which a sweep's lanes may lose and a page may not."""

    lr = Hyperparameter(0.1, bounds=(0, None))

    @staticmethod
    def update(h, memory, x, g, t, let, xp):
        none = let("none", x * 0)
        kept, lost = let("kept", none * 1), let("lost", none + 0)
        two = let("two", 0.0 * h.lr), let("other two", -0.0 * h.lr)
        return let("step", xp.where(x > 0, kept, lost) + two[0] - two[1] - -none)


def test_a_page_keeps_the_signs_of_zeros():
    named = {}
    step = Zeros.update(SimpleNamespace(lr=0.1), None, -1.5, 2.0, 1, keeper(named), FLOATS)
    script = """const rule = new Rule(zeros), s = rule.memories(rule.at(0), [0])[0];
      rule.update(rule.at(0), s, -1.5, 2.0, 1);
      return Object.entries(s).map(([name, value]) => [name, Object.is(value, -0)]);"""
    found = dict(run_js("\n".join([constants(zeros=rule_script(Zeros)), script])))
    assert step == 0.0 and found == {name: math.copysign(1.0, value) < 0 for name, value in named.items()}


@pytest.mark.parametrize("cls", WRITTEN)
def test_a_written_rule_is_saved_and_theory_says_something_or_why_not(cls):
    experiment = SurfaceDescent(optimizer=cls(), objective=Quadratic(), start=START, steps=12)
    found, said = experiment.results["outlook"], experiment.side()["outlook"]
    assert experiment.message == "" and "nan" not in said and "None" not in said and found["sentence"] in said
    assert cls.__name__ in program(experiment)
    theory = floors.expected(cls(), Quadratic(), (0.0, 0.0), 0.5)
    assert (theory["predicted_floor"] is None) == (cls is not Named)  # what Named counts never fades: without end
    assert cls is Named or cls.__name__ in theory["sentence"]
    assert (found["limit"] is None) == bool(why_not(cls())) == (cls in (Numeric, Raising))


def test_basins_of_rules_with_such_names():
    for cls in (Believing, Named):
        reached = basins(Himmelblau(), cls(lr=0.01), size=5, steps=40)
        assert reached["minimum"].shape == (5, 5) and not reached["diverged"].any()


@pytest.mark.parametrize("cls", rules())
@pytest.mark.parametrize("axis", ["x", "lr"])
def test_every_rule_of_the_catalogue_walks_alike_on_torch(cls, axis):
    axes = {axis: [-1.0, 1.0] if axis == "x" else [0.01, 0.1]}
    if axis == "lr" and "lr" not in cls.hyperparameters():
        pytest.skip("a rule without a rate")
    ours, torchs = (
        sweep(Quadratic(), cls(), (-5, -2), 10, axes, device=device).values for device in (None, "cpu")
    )  # fmt: skip
    np.testing.assert_allclose(torchs, ours, rtol=1e-12)


def test_an_unknown_function_is_named():
    class Bessel(Rule):
        lr = Hyperparameter(0.1)

        @staticmethod
        def update(h, memory, x, g, t, let, xp):
            return let("step", -h.lr * np.spacing(g))

    assert math.isfinite(descend(Quadratic(), Bessel(), START, 3).loss[-1, 0])
    with pytest.raises(TypeError, match="numpy.spacing of a variable cannot be followed"):
        rule_script(Bessel)
