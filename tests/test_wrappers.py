"""What goes around a rule, against pytorch-optimizer and against itself written out."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import pytorch_optimizer
import torch
from engine import run_js
from oracles import torch_gradient

from optviz import SGD, Adam, HyperparameterMap, Lion, SurfaceDescent, descend, sweep
from optviz.export.kernels import literal, objective_script, rule_script
from optviz.objectives.surfaces import Himmelblau, Quadratic
from optviz.readings.equations import rule_mathml
from optviz.rules.averaging import ScheduleFreeSGD
from optviz.rules.catalogue import own_rules
from optviz.rules.coupled import Muon, SophiaH
from optviz.rules.wrappers import cautious, lookahead, sam
from optviz.theory import stability

WRAPPERS = [cautious, lookahead, sam]
STEPS = 100
START = (0.5, -0.5)


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def path_of(make, twice=False) -> np.ndarray:
    """The path of an optimizer that goes around one of torch's."""
    surface, x = Himmelblau(), torch.tensor(START, requires_grad=True)
    optimizer, path = make([x]), [np.array(START)]
    for _ in range(STEPS):
        x.grad = torch_gradient(surface, x)
        if twice:
            optimizer.first_step()
            x.grad = torch_gradient(surface, x)
            optimizer.second_step()
        else:
            optimizer.step()
        path.append(x.detach().numpy().copy())
    return np.array(path)


def assert_walks(rule, expected, tolerance=1e-11):
    run = descend(Himmelblau(), rule, START, STEPS)
    np.testing.assert_allclose(run.x[:, 0], expected, rtol=0, atol=tolerance * np.abs(expected).max())


def test_lookahead():
    def around(parameters):
        return pytorch_optimizer.Lookahead(torch.optim.Adam(parameters, lr=0.05, foreach=False), k=3, alpha=0.3)

    assert_walks(lookahead(Adam(lr=0.05), period=3, share=0.3), path_of(around))


@pytest.mark.parametrize(("kind", "rule", "given"), [
    (torch.optim.SGD, SGD, {"lr": 0.002, "momentum": 0.5}), (torch.optim.Adam, Adam, {"lr": 0.05}),
])  # fmt: skip
def test_sam(kind, rule, given):
    def around(parameters):
        return pytorch_optimizer.SAM(parameters, kind, rho=0.05, **given)

    assert_walks(
        sam(rule(**given), reach=0.05), path_of(around, twice=True), 1e-7
    )  # theirs measures in single precision


def test_cautious_lion_is_the_paper_s():
    surface, x, m, path = Himmelblau(), np.array(START), np.zeros(2), [np.array(START)]
    for _ in range(STEPS):
        g = surface.gradient(*x)
        u = np.sign(0.9 * m + 0.1 * g)
        mask = (u * g > 0).astype(float)
        x, m = x - 0.02 * u * mask / max(mask.mean(), 1e-3), 0.99 * m + 0.01 * g
        path.append(x)
    assert_walks(cautious(Lion(lr=0.02)), np.array(path))


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_around_every_rule(wrapper):
    for cls in own_rules():
        rule = wrapper(cls(**cls.preset))
        run = descend(Quadratic(), rule, (-5.0, -2.0), 30)
        lanes = descend(Quadratic(), rule, [(-5.0, -2.0), (3.0, 1.0)], 30)
        np.testing.assert_allclose(lanes.x[:, 0], run.x[:, 0], rtol=1e-9, atol=1e-12, err_msg=str(rule))
        swept = sweep(Quadratic(), rule, (-5.0, -2.0), 30, {"lr": [rule.lr, rule.lr / 2]}, measure="loss")
        np.testing.assert_allclose(swept.values[0], run.loss[-1, 0], rtol=1e-9, atol=1e-12, err_msg=str(rule))
        assert stability.why_not(rule).count(".") == 1 and rule_mathml(rule).startswith("<math")


def test_a_wrapper_that_does_nothing_changes_nothing():
    for rule in (Adam(lr=0.1), ScheduleFreeSGD(lr=0.01), Muon(lr=0.05), SophiaH(lr=0.1)):
        plain = descend(Himmelblau(), rule, START, 40).x
        np.testing.assert_allclose(descend(Himmelblau(), lookahead(rule, share=1), START, 40).x, plain, rtol=1e-9)
        np.testing.assert_allclose(descend(Himmelblau(), sam(rule, reach=0), START, 40).x, plain, rtol=1e-9)


def test_the_javascript_of_wrapped_rules():
    rules = [w(r) for w in WRAPPERS for r in (Adam(lr=0.05), ScheduleFreeSGD(lr=0.01), Muon(lr=0.05), SophiaH(lr=0.1))]
    rules += [sam(lookahead(cautious(SGD(lr=0.01, momentum=0.5))))]
    made = [f"new Rule({rule_script(type(r))}, {literal(r.values())})" for r in rules]
    found = run_js(f"""const surface = new Surface({objective_script(Himmelblau)});
        return [{", ".join(made)}].map((rule) => {{
            const run = descend(surface, rule, {list(START)}, 30), fast = new Runs(surface, rule, 30, 0);
            fast.values.set({list(START)});
            fast.run();
            return [[...run.x.data], [...run.applied?.data ?? []], [...fast.end]];
        }});""")
    for rule, (x, applied, end) in zip(rules, found, strict=True):
        run = descend(Himmelblau(), rule, START, 30)
        np.testing.assert_allclose(np.reshape(x, (31, 2)), run.x[:, 0], rtol=1e-9, err_msg=str(rule))
        np.testing.assert_allclose(end, run.final[0], rtol=1e-9, err_msg=str(rule))
        if run.applied is not None:
            np.testing.assert_allclose(np.reshape(applied, (30, 2)), run.applied[:, 0], rtol=1e-8, atol=1e-9)


def test_on_a_page_and_through_pickle():
    made = SurfaceDescent(optimizer=lookahead(Adam(lr=0.1)))
    assert made.optimizer_name == "Lookahead Adam" and made.message == ""
    made.optimizer.lookahead_share = 0.2
    assert made.trajectory.x.shape[0] == made.steps + 1
    drawn = HyperparameterMap(optimizer=sam(Adam(lr=0.1), reach=0.3), across="lr", up="sam_reach", steps=20)
    assert drawn.message == "" and drawn.optimizer_name == "SAM Adam"
    rule = sam(cautious(Adam(lr=0.1)), reach=0.2)
    again = pickle.loads(pickle.dumps(rule))
    assert type(again) is type(rule) and again.settings() == rule.settings()


def test_what_is_refused():
    with pytest.raises(ValueError, match="sam needs a rule such as SGD"):
        sam(torch.optim.SGD)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="lookahead goes around a rule once"):
        lookahead(sam(lookahead(SGD())))
