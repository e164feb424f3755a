"""Small nets at the edge of stability: against torch's own loop and Hessian; trainings in parts; the pages."""

import re

import holoviews as hv
import numpy as np
import pytest
import torch
from browser import drag_slider, open_folds, slider, slider_value, source_data, wait_idle, wait_until
from pages import assert_shows
from test_export_pages import opened, plain, status

from optviz import EdgeOfStability
from optviz.experiments import edge_of_stability
from optviz.experiments.training import (
    Net,
    Training,
    data_set,
    largest_eigenvalue,
    outputs,
    sharpness,
    stability_limit,
    trained,
)

CASES = [  # data, activation, width, seed, lr, momentum, steps
    ("XOR", "ReLU", 16, 0, 0.3, 0.0, 300), ("XOR", "Tanh", 32, 1, 0.1, 0.9, 60), ("Moons", "Tanh", 8, 2, 0.3, 0.5, 60),
    ("XOR", "Tanh", 16, 0, 3.0, 0.9, 120), ("Moons", "ReLU", 1, 3, 0.2, 0.0, 30),
]  # fmt: skip
by_case = pytest.mark.parametrize(("data", "activation", "width", "seed", "lr", "momentum", "steps"), CASES)


def plain_loop(data, activation, width, seed, lr, momentum, steps):
    """Losses and weights of a loop as PyTorch's tutorials write it."""
    x, y = (torch.tensor(values) for values in data_set(data, seed))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first, last = (torch.nn.Linear(*shape, dtype=torch.float64) for shape in ((2, width), (width, 1)))
    act = {"ReLU": torch.relu, "Tanh": torch.tanh}[activation]
    parameters = [*first.parameters(), *last.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=lr, momentum=momentum)
    losses, weights = [], []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        loss = ((last(act(first(x))) - y[:, None]) ** 2).mean()
        losses.append(float(loss.detach()))
        weights.append(torch.cat([p.detach().ravel() for p in parameters]).numpy())
        loss.backward()
        optimizer.step()
    return np.array(losses), np.array(weights)


@by_case
def test_losses_and_weights_are_those_of_a_torch_loop_bit_for_bit(data, activation, width, seed, lr, momentum, steps):
    losses, weights = plain_loop(data, activation, width, seed, lr, momentum, steps)
    training = Training(Net(data, activation, width, seed), lr, momentum)
    training.advance(steps)
    run = training.run(steps)
    until = run.diverged or steps + 1
    assert np.array_equal(run.loss[:until], losses[:until]) and np.isfinite(losses[:until]).all()
    assert np.array_equal(training.all_weights()[:until], weights[:until])
    assert np.array_equal(run.weights[: -(-until // 10)], weights[:until:10])
    if run.diverged:
        assert not np.isfinite([losses[until], *weights[until]]).all()
        assert np.isnan(run.loss[until:]).all() and np.isnan(run.sharpness[until:]).all()
    assert len(run.loss) == len(run.sharpness) == steps + 1 and run.done == steps


@by_case
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # torch's own, in hessian
def test_the_sharpness_is_the_largest_eigenvalue_of_torchs_hessian(data, activation, width, seed, lr, momentum, steps):
    x, y = (torch.tensor(values) for values in data_set(data, seed))
    act = {"ReLU": torch.relu, "Tanh": torch.tanh}[activation]

    def loss(w):
        hidden = act(x @ w[: 2 * width].reshape(width, 2).T + w[2 * width : 3 * width])
        return ((hidden @ w[3 * width : 4 * width] + w[-1] - y) ** 2).mean()

    run = trained(Net(data, activation, width, seed), lr, momentum, steps)
    at = [k for k in (0, 10, 20, steps // 20 * 10) if np.isfinite(run.weights[k // 10]).all()]
    for k in at:
        wanted = torch.linalg.eigvalsh(torch.func.hessian(loss)(torch.tensor(run.weights[k // 10])))[-1]
        assert run.sharpness[k] == pytest.approx(float(wanted), rel=1e-9)


def test_sharpness_of_many_weights_at_once():
    net, random = Net("Moons", "Tanh", 4), np.random.default_rng(0)
    weights = random.normal(size=(40, 17)) * np.geomspace(1e-3, 30, 40)[:, None]
    weights[3], weights[4, 0], weights[5] = np.nan, np.inf, 0.0
    found = sharpness(net, weights)
    assert np.isnan(found[[3, 4]]).all()
    for k in set(range(40)) - {3, 4}:
        assert found[k] == pytest.approx(largest_eigenvalue(net, weights[k]), rel=1e-9)
    with pytest.raises(ValueError, match=re.escape("sharpness needs weights of shape (k, 17), not (17,).")):
        sharpness(net, weights[0])


def test_the_largest_eigenvalue_may_be_negative():
    """Lanczos on matrices whose whole space is soon exhausted: no zero sneaks in."""
    from optviz.experiments.training import _lanczos

    matrices = torch.diag_embed(torch.tensor([[-3.0, -3, -2], [-1, -1, -1], [-5, 4, 1]], dtype=torch.float64))
    found, sure = _lanczos(lambda v: (matrices @ v[..., None])[..., 0], 3, 3, 1e-10)
    assert sure.all() and found == pytest.approx([-2, -1, 4])


def test_a_learning_rate_of_03_settles_at_sharpness_666():
    run = EdgeOfStability().run  # 2-16-1, ReLU, XOR on the corners 0 and 1, seed 0 drawn in float64, 300 steps
    assert run.sharpness[0] < 4.3 and run.sharpness.max() > 7.5  # it sharpens, and overshoots
    assert f"{run.sharpness[-1]:.2f}" == "6.66" and abs(run.sharpness[-50:] * 0.3 / 2 - 1).max() < 0.01
    assert run.loss[-1] < 1e-16
    longer = trained(Net(), 0.3, 0.0, 600)
    assert f"{longer.sharpness[-1]:.2f}" == "6.66" and np.array_equal(longer.sharpness[:301], run.sharpness)


@pytest.mark.parametrize("lr", [0.25, 0.3, 0.35])
def test_what_is_never_learnt_in_full_stays_at_the_edge(lr):
    run = trained(Net("Moons", "ReLU", 8, 1), lr, 0.0, 400)
    assert np.median(run.sharpness[-150:]) == pytest.approx(2 / lr, rel=0.12) and run.loss[-1] > 0.05


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_the_limit_is_where_pytorchs_heavy_ball_turns_unstable(momentum):
    ends = []
    for share in (0.97, 1.03):
        x = torch.ones(1, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([x], lr=0.3, momentum=momentum)
        for _ in range(400):
            x.grad = share * stability_limit(0.3, momentum) * x.detach()
            optimizer.step()
        ends.append(abs(float(x.detach())))
    assert ends[0] < 0.01 and ends[1] > 100


def test_a_training_in_parts_is_the_same_training():
    whole, parts = Training(Net(), 0.3, 0.5), Training(Net(), 0.3, 0.5)
    state = torch.get_rng_state()
    whole.advance(70)
    for steps in (3, 3, 40, 70):
        parts.advance(steps)
    assert not parts.advance(500, seconds=0.0) and 70 < parts.done < 500
    assert torch.equal(torch.get_rng_state(), state)
    one, two = whole.run(70), parts.run(70)
    assert all(np.array_equal(getattr(one, n), getattr(two, n)) for n in ("loss", "sharpness", "weights", "done"))


def test_the_map_is_the_nets_output():
    for activation in ("ReLU", "Tanh"):
        net = Net(activation=activation, width=4)
        (weights,) = Training(net, 0.1).all_weights()
        x, y = np.random.default_rng(0).normal(size=(2, 30))
        wanted = net.module()(torch.tensor(np.stack([x, y], axis=1)))[:, 0].detach().numpy()
        np.testing.assert_allclose(outputs(weights, activation, x, y), wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Net("Rings"), "data_set needs one of XOR, Moons, not 'Rings'."),
        (lambda: Net(activation="GELU"), "Net needs an activation among ReLU, Tanh, not 'GELU'."),
        (lambda: Net(width=0), "Net needs a width that is a positive whole number, not 0."),
        (lambda: Training(Net(), -1.0),
         "Training: torch.optim.SGD refuses its arguments: Invalid learning rate: -1.0."),
        (lambda: EdgeOfStability(steps=1).html(knobs={"width": [2, 4]}),
         "save needs knobs among the numbers of EdgeOfStability, not 'width'."),
        (lambda: EdgeOfStability(lr=0), "EdgeOfStability.lr"),
        (lambda: EdgeOfStability(steps=1).html(knobs={"lr": [0, 0.1]}), "EdgeOfStability.lr"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


def test_a_divergence_is_told_and_marked():
    experiment = EdgeOfStability(activation="Tanh", lr=3.0, momentum=0.9, steps=200)
    run = experiment.run
    assert run.diverged and f"Diverged at step {run.diverged}" in experiment.status()
    assert len(experiment.drawings["loss"].layers["above"]["x"]) == 1
    assert experiment.drawings["map"].title.startswith("The net's output after step ")


def test_in_python_the_result_is_whole_and_the_axes_stay():
    experiment = EdgeOfStability(steps=60, width=4)
    limits = [drawing.ylim for drawing in experiment.drawings.values()]
    experiment.param.update(lr=0.1, momentum=0.5)
    assert experiment.run.done == 60 and not experiment.unfinished()
    assert [drawing.ylim for drawing in experiment.drawings.values()] == limits
    assert "30 is above" in experiment.drawings["sharpness"].layers["beyond"]["text"][0]
    experiment.param.trigger("fit_axes")
    assert experiment.drawings["sharpness"].ylim[1] > 30
    assert all(isinstance(each, hv.DynamicMap) for each in experiment.view)


# a visitor's session, where a change takes at most 0.2 s at once


class Session:
    def __init__(self):
        self.waiting = []

    def add_timeout_callback(self, callback, delay):
        self.waiting.append(callback)

    def go_on(self):
        self.waiting.pop()()


@pytest.fixture
def session(monkeypatch):
    made = Session()
    monkeypatch.setattr(edge_of_stability, "_session", lambda: made)
    monkeypatch.setattr(edge_of_stability, "PATIENCE", 0.0)  # a part is one block
    monkeypatch.setattr(edge_of_stability, "SLICE", 0.0)
    monkeypatch.setattr(type(edge_of_stability.pn.state), "loaded", True)
    return made


def test_a_long_training_goes_on_in_parts_and_loses_nothing(session):
    experiment = EdgeOfStability(steps=100)
    assert experiment.run.done == 25 and "Step 25 of 100" in experiment.status()
    session.go_on()
    assert experiment.run.done == 50 and len(session.waiting) == 1
    experiment.cancel()
    session.go_on()  # what was on its way
    assert experiment.run.done == 50 and not session.waiting
    experiment.lr = 0.2  # a newer change
    assert experiment.run.done == 25
    session.go_on()
    experiment.lr = 0.3  # the older one goes on where it was
    assert experiment.run.done == 75 and len(session.waiting) == 1
    experiment.cancel()
    experiment.cancel()
    assert experiment.run.done == 100 and not experiment.unfinished()
    experiment.steps = 40
    assert experiment.run.done == 40 and len(experiment.run.loss) == 41
    assert np.array_equal(experiment.run.sharpness, trained(Net(), 0.3, 0.0, 300).sharpness[:41])


# the player


def assert_walks(page, experiment):
    """The player's marks stand on the curves, and the inspector has the numbers of each step."""
    run, last = experiment.run, experiment.run.diverged or experiment.run.done
    if not page.evaluate("optviz.player.inspector.open"):
        page.get_by_role("button", name="Inspect").click()
    for k in (0, last // 2, last):
        page.evaluate(f"optviz.player.seek({k})")
        for figure, columns in experiment.playhead(k).items():
            for layer, wanted in columns.items():
                shown = source_data(page, f"{figure}.{layer}")
                assert [*shown["x"], *shown["y"]] == pytest.approx([*wanted["x"], *wanted["y"]], rel=1e-12)
        at = min(k, last - 1)
        told = page.evaluate("optviz.player.inspector.rows.map(({ label, cells }) => [label, cells[0].value])")
        wanted = {"loss": run.loss[at], "sharpness": run.sharpness[at],
                  "sharpness / limit": run.sharpness[at] / experiment.results["limit"],
                  "gradient norm": run.gradient_norms[at], "learning rate": experiment.lr,
                  "step length": run.step_lengths[at]}  # fmt: skip
        assert dict(told) == pytest.approx(wanted, rel=1e-6)
    assert page.locator(".sheet h2").inner_text() == f"Step {last}"
    assert page.locator(".formulas math").count() and not page.locator(".formulas .side").count()


@by_case
def test_a_step_is_as_long_as_its_learning_rate_says(data, activation, width, seed, lr, momentum, steps):
    """What torch's heavy ball adds, from the gradients' own lengths; without momentum each is the other times lr."""
    training = Training(Net(data, activation, width, seed), lr, momentum)
    training.advance(steps)
    run, weights = training.run(steps), training.all_weights()
    made = run.diverged or steps
    assert len(run.gradient_norms) == len(run.step_lengths) == steps
    assert run.step_lengths[:made] == pytest.approx(np.linalg.norm(np.diff(weights[: made + 1], axis=0), axis=1))
    assert np.isnan(run.step_lengths[made:]).all() and np.isnan(run.gradient_norms[made:]).all()
    if momentum == 0:
        assert run.step_lengths[:made] == pytest.approx(lr * run.gradient_norms[:made], rel=1e-9)
    else:
        assert run.step_lengths[0] == pytest.approx(lr * run.gradient_norms[0], rel=1e-9)


@pytest.mark.browser
def test_a_served_training_shows_how_far_it_is_and_can_be_cancelled(page, served):
    page.goto(f"{served}/edge_of_stability?steps=3000&data=moons&width=32")
    cancel, go_on = (page.locator("button:visible", has_text=text) for text in ("Cancel", "Continue"))
    wait_until(lambda: re.match(r"Step \d+ of 3000", status(page)), 30, "the training to show how far it is")
    cancel.click()
    go_on.wait_for()
    wait_idle(page)
    done = int(status(page).split()[1])
    assert 0 < done < 3000 and len(source_data(page, "sharpness.sharpness")["y"]) == done + 1
    drag_slider(page, "Steps", 0.02)  # fewer steps than are made
    wait_until(lambda: status(page).startswith("After"), 30, "the whole run")
    wait_idle(page)
    steps = round(slider_value(page, "Steps"))
    assert_shows(page, EdgeOfStability(steps=steps, data="Moons", width=32))
    assert cancel.count() == go_on.count() == 0
    page.evaluate("optviz.experiment.want()")
    page.wait_for_function("() => optviz.experiment.walk")
    assert_walks(page, EdgeOfStability(steps=steps, data="Moons", width=32))


@pytest.mark.browser
def test_an_exported_page_looks_through_stored_runs(page, tmp_path):
    experiment = EdgeOfStability(steps=60, activation="Tanh", lr=0.4)
    experiment.save(tmp_path / "page.html", knobs={"lr": [0.2, 0.4, 3.0], "momentum": [0.0, 0.9]})
    opened(page, tmp_path / "page.html")
    assert_shows(page, experiment)
    assert_walks(page, experiment)
    assert page.locator("#frozen").inner_text() == (
        "Trained by torch, which runs in Python alone: this page carries 6 runs, over lr from 0.2 to 3 and momentum "
        "from 0 to 0.9, of 60 steps each; the nearest is shown. Frozen here: Data, Activation, "
        "Hidden units, Seed, Mean loss of the central flow."
    )
    open_folds(page)
    units = page.locator(".bk-input-group:visible", has=page.locator("label", has_text="Hidden units")).locator(
        "select"
    )
    assert units.is_disabled() and units.input_value() == "16"
    assert not slider(page, "Momentum").locator("[disabled]").count()
    drag_slider(page, "Learning rate", 0.9)
    drag_slider(page, "Momentum", 1.0)
    drag_slider(page, "Steps", 0.6)
    wait_idle(page)
    steps = round(slider_value(page, "Steps"))
    assert (slider_value(page, "Learning rate"), slider_value(page, "Momentum")) == (3.0, 0.9) and 1 < steps < 60
    experiment.param.update(lr=3.0, momentum=0.9, steps=steps)
    assert_shows(page, experiment)
    assert_walks(page, experiment)
    assert status(page) == plain(experiment.status())
