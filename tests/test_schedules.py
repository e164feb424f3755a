"""Learning rates that change: against torch's schedulers, and whatever a user brings as one."""

import functools

import numpy as np
import pytest
import torch
from oracles import one_sentence, rules, torch_gradient, torch_settings
from torch.optim import lr_scheduler

import optviz
from optviz import SGD, Rprop, TorchOptimizer, TorchSchedule, descend, surfaces, sweep
from optviz.rules import optimizers, schedules

BOWL = optviz.objective(lambda x, y: x**2 + y**2)
STEPS = 25


def rates(schedule, lr=0.1, steps=STEPS):
    return descend(surfaces.Quadratic(), SGD(lr=lr), (-5, -2), steps, schedule=schedule).rates


def torch_rates(make, lr=0.1, steps=STEPS):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler, found = make(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def refused(make) -> str:
    with pytest.raises(ValueError) as caught:
        make()
    assert one_sentence(str(caught.value)), caught.value
    return str(caught.value)


# optviz's own schedules


ABOVE_ONE = [
    (schedules.ExponentialLR(gamma=1.3), functools.partial(lr_scheduler.ExponentialLR, gamma=1.3)),
    (schedules.StepLR(step_size=7, gamma=2.0), functools.partial(lr_scheduler.StepLR, step_size=7, gamma=2.0)),
]


@pytest.mark.parametrize(("own", "theirs"), ABOVE_ONE, ids=["Exponential", "Step"])
def test_a_rate_that_rises_equals_torchs(own, theirs):
    expected = np.array(torch_rates(theirs))[:, None]
    np.testing.assert_allclose(rates(own), expected, rtol=1e-12, atol=1e-17)
    np.testing.assert_array_equal(rates(theirs), expected)


@pytest.mark.parametrize(
    "cls", [c for c in rules() if c.__module__ == optimizers.__name__ and hasattr(torch.optim, c.__name__)]
)
def test_every_rule_under_a_warm_up_equals_torch(cls):
    """Also one whose memory begins with the rate, as Rprop's does: with the rate of the first step."""
    x = torch.tensor([-5.0, -2.0], dtype=torch.float64, requires_grad=True)
    settings = {n: v for n, v in torch_settings(cls, {"lr": 0.1}).items() if n != "momentum_decay"}
    optimizer = getattr(torch.optim, cls.__name__)([x], **settings)
    scheduler, path = lr_scheduler.LinearLR(optimizer, 0.1, total_iters=10), []
    for _ in range(STEPS):
        x.grad = torch_gradient(surfaces.Quadratic(), x)
        optimizer.step()
        scheduler.step()
        path.append(x.detach().numpy().copy())
    schedule, surface = schedules.LinearLR(total_iters=10, start_factor=0.1), surfaces.Quadratic()
    one = descend(surface, cls(lr=0.1), (-5, -2), STEPS, schedule=schedule)
    lanes = descend(surface, cls(lr=[0.1, 0.2]), (-5, -2), STEPS, schedule=schedule)
    for run in (one, lanes):
        np.testing.assert_allclose(run.x[1:, 0], path, rtol=1e-7 if cls is optviz.NAdam else 1e-9, atol=1e-12)


def test_a_memory_that_begins_with_the_rate_begins_with_that_of_the_first_step():
    schedule = schedules.LinearLR(total_iters=10, start_factor=0.1)
    for rule in (Rprop(lr=0.1), TorchOptimizer(torch.optim.Rprop, lr=0.1)):
        run = descend(BOWL, rule, (1, 1), 3, schedule=schedule)
        np.testing.assert_allclose(run.x[:, 0, 0], [1, 0.99, 0.978, 0.9636], rtol=1e-14)
    lanes = descend(BOWL, Rprop(lr=[0.1, 0.2]), (1, 1), 3, schedule=schedule)
    for axes in ({"lr": [0.1, 0.2]}, {"etaplus": [1.2, 1.4]}):
        for device in (None, "cpu"):
            found = sweep(BOWL, Rprop(lr=0.1), (1, 1), 3, axes, schedule=schedule, device=device).values
            alone = descend(BOWL, Rprop(**{"lr": 0.1, **axes}), (1, 1), 3, schedule=schedule)
            np.testing.assert_array_equal(found, alone.loss[-1])
    assert lanes.loss[-1, 0] != lanes.loss[-1, 1]


def test_a_rate_that_grows_without_end_is_divergence():
    run = descend(surfaces.Quadratic(), SGD(lr=0.1), (-5, -2), 3000, schedule=schedules.ExponentialLR(gamma=2.0))
    assert run.rates[-1, 0] == np.inf and 0 < run.diverged[0] < 100


# what a user brings


def test_a_list_of_rates():
    given = np.linspace(0.3, 0.0, STEPS)
    for schedule in (given, list(given), tuple(given), torch.tensor(given)):
        np.testing.assert_array_equal(rates(schedule)[:, 0], given)
    two = np.stack([given, given / 2], axis=1)
    np.testing.assert_array_equal(rates(two, [1.0, 2.0]), two)
    np.testing.assert_array_equal(rates(given, [1.0, 2.0]), np.stack([given, given], axis=1))


def test_a_function_of_the_step_or_of_the_rate_and_the_step():
    expected = 0.2 * 1.05 ** np.arange(STEPS)
    for schedule in (
        lambda t: 0.2 * 1.05 ** (t - 1),
        lambda lr, t: lr * 1.05 ** (t - 1),
        lambda t, base=0.2: np.float64(base) * 1.05 ** (t - 1),
    ):
        np.testing.assert_allclose(rates(schedule, 0.2)[:, 0], expected, rtol=1e-14)
    np.testing.assert_allclose(rates(lambda lr, t: lr / t, [0.1, 0.3])[4], [0.02, 0.06], rtol=1e-14)
    assert rates(lambda t: 10.0 ** (100 * t))[-1, 0] == np.inf


def test_a_schedule_s_class_is_the_schedule():
    np.testing.assert_array_equal(rates(schedules.CosineAnnealingLR), rates(schedules.CosineAnnealingLR()))


TORCHS = {
    "a class": lambda optimizer: lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=STEPS, cycle_momentum=False),
    "in a row": lambda optimizer: lr_scheduler.SequentialLR(
        optimizer, [lr_scheduler.LinearLR(optimizer, 0.1), lr_scheduler.ExponentialLR(optimizer, 0.8)], [5]),
    "a function": lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch)),
    "cyclic": lambda optimizer: lr_scheduler.CyclicLR(optimizer, 0.01, 0.1, step_size_up=4, cycle_momentum=False),
}  # fmt: skip


@pytest.mark.parametrize("make", TORCHS.values(), ids=TORCHS)
def test_a_torch_scheduler(make):
    expected = torch_rates(make, 0.2)
    np.testing.assert_array_equal(rates(TorchSchedule(make), 0.2)[:, 0], expected)
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.2)
    standing = make(optimizer)
    for _ in range(2):  # it is only read
        np.testing.assert_array_equal(rates(standing, 7.0)[:, 0], expected)


def test_a_torch_scheduler_around_a_torch_optimizer_over_rates_and_in_a_sweep():
    step = functools.partial(lr_scheduler.StepLR, step_size=5, gamma=0.5)
    several = rates(step, [0.1, 0.2])
    np.testing.assert_array_equal(several, np.stack([torch_rates(step, lr) for lr in (0.1, 0.2)], axis=1))
    ours, theirs = (descend(surfaces.Quadratic(), rule, (-5, -2), STEPS, schedule=step)
                    for rule in (SGD(lr=0.2), TorchOptimizer(torch.optim.SGD, lr=0.2)))  # fmt: skip
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-12)
    np.testing.assert_array_equal(ours.rates, theirs.rates)
    found = sweep(surfaces.Quadratic(), SGD(), (-5, -2), STEPS, {"lr": [0.1, 0.2]}, schedule=step)
    assert found.values[1] == ours.loss[-1, 0]


STANDING = lr_scheduler.ExponentialLR(torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.2), 0.9)


@pytest.mark.parametrize(("schedule", "words"), [
    (0.5, "needs a schedule"), ("cosine", "needs a schedule"), ([], "one rate a step, 25"), ([0.1], "not 1"),
    ([0.1] * 24 + [-1.0], "0 or more"), ([0.1] * 24 + [float("nan")], "finite"), (["a"] * 25, "numbers"),
    (np.ones((25, 3)), "column"), (np.ones((25, 1, 1)), "shape"),
    (lambda t: "fast", "at step 1"), (lambda t: None, "at step 1"), (lambda t: 3 - t, "at step 4, not -1"),
    (lambda t: 1 / (3 - t), "failed at step 3"), (lambda lr, t, more: lr, "failed at step 1"),
    (lambda t, lr: lr, "f(lr, t)"),
    (lr_scheduler.ReduceLROnPlateau, "ReduceLROnPlateau"), (lr_scheduler.StepLR, "step_size"),
    (functools.partial(lr_scheduler.OneCycleLR, max_lr=0.3, total_steps=25), "cycle_momentum=False"),
    (TorchSchedule(lr_scheduler.OneCycleLR, max_lr=0.3, total_steps=9, cycle_momentum=False), "failed"),
    (TorchSchedule(lambda optimizer: optimizer), "returns a torch scheduler"),
    (TorchSchedule(lambda optimizer: STANDING), "for the optimizer it is given"),
])  # fmt: skip
def test_a_schedule_that_cannot_be_is_one_sentence(schedule, words):
    assert words in refused(lambda: rates(schedule, [0.1, 0.2]))


def test_a_torch_schedule_needs_a_scheduler_and_one_that_stands_one_rate():
    assert "class" in refused(lambda: TorchSchedule(3))
    assert "several rates" in refused(lambda: rates(STANDING, [0.1, 0.2]))
