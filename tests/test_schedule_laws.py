"""Every schedule of optviz's own is torch's, step by step: its rates, its momenta, and the runs that they make."""

import math

import numpy as np
import param
import pytest
import torch
from oracles import torch_gradient

from optviz import SGD, Adam, Schedule, descend, sweep
from optviz.objectives.surfaces import Quadratic
from optviz.rules import schedules

LR = torch.optim.lr_scheduler
STEPS = 200
DRAWS = np.random.default_rng(7)


def lambdas(make):
    """A scheduler of torch's from a function of the steps taken that gives a share of the rate."""
    return lambda optimizer, lr, **own: LR.LambdaLR(optimizer, lambda k: make(k, lr, **own))


def named(kind):
    return lambda optimizer, lr, **own: kind(optimizer, **own)


def one_cycle(optimizer, lr, **own):
    return LR.OneCycleLR(optimizer, max_lr=lr, **own)


def cyclic(optimizer, lr, base_lr, step_size_down=0, **own):
    return LR.CyclicLR(optimizer, base_lr, lr, step_size_down=step_size_down or None, **own)


def stable(k, lr, total_steps, decay_steps, end_factor):
    way = min(max((k - total_steps + decay_steps) / decay_steps, 0), 1)
    return 1 + (end_factor - 1) * way


def whole(low, high):
    return int(DRAWS.integers(low, high))


def between(low, high):
    return float(DRAWS.uniform(low, high))


# what makes torch's, and what draws settings for both
ORACLES = {
    "Constant": (lambda o, lr: LR.ConstantLR(o, factor=1.0), dict),
    "LinearDecay": (
        lambdas(lambda k, lr, decay, every, floor: max(lr - decay * (k // every), floor) / lr),
        lambda: {"decay": between(0, 0.05), "every": whole(1, 60), "floor": between(0, 0.01)},
    ),
    "ConstantLR": (named(LR.ConstantLR), lambda: {"factor": between(0.1, 1), "total_iters": whole(1, 90)}),
    "StepLR": (named(LR.StepLR), lambda: {"step_size": whole(1, 90), "gamma": between(0.1, 1.2)}),
    "MultiStepLR": (
        named(LR.MultiStepLR),
        lambda: {"milestones": DRAWS.integers(1, 190, whole(0, 4)).tolist(), "gamma": between(0.1, 2)},
    ),
    "ExponentialLR": (named(LR.ExponentialLR), lambda: {"gamma": between(0.9, 1.1)}),
    "LinearLR": (
        named(LR.LinearLR),
        lambda: {"start_factor": between(0.1, 1), "end_factor": between(0, 1), "total_iters": whole(1, 190)},
    ),
    "PolynomialLR": (named(LR.PolynomialLR), lambda: {"total_iters": whole(2, 190), "power": between(0.5, 3)}),
    "CosineAnnealingLR": (
        named(LR.CosineAnnealingLR), lambda: {"T_max": whole(2, 90), "eta_min": between(0.001, 0.01)},
    ),
    "CosineAnnealingWarmRestarts": (
        named(LR.CosineAnnealingWarmRestarts),
        lambda: {"T_0": whole(1, 30), "T_mult": whole(1, 4), "eta_min": between(0, 0.01)},
    ),
    "OneCycleLR": (
        one_cycle,
        lambda: {"total_steps": STEPS, "pct_start": between(0.01, 0.49), "div_factor": between(1, 40),
                 "final_div_factor": between(1, 1e4), "base_momentum": between(0, 0.8), "max_momentum": 0.95,
                 "anneal_strategy": ["cos", "linear"][whole(0, 2)], "three_phase": bool(whole(0, 2)),
                 "cycle_momentum": bool(whole(0, 2))},
    ),
    "CyclicLR": (
        cyclic,
        lambda: {"base_lr": between(0.001, 0.05), "step_size_up": whole(1, 60), "step_size_down": whole(0, 60),
                 "mode": ["triangular", "triangular2", "exp_range"][whole(0, 3)], "gamma": between(0.97, 1),
                 "base_momentum": between(0, 0.5), "max_momentum": between(0.5, 0.95),
                 "cycle_momentum": bool(whole(0, 2))},
    ),
    "WarmupStableDecay": (
        lambdas(stable), lambda: {"total_steps": whole(90, 200), "decay_steps": whole(1, 90), "end_factor": 0.05},
    ),
    "InverseSquareRoot": (
        lambdas(lambda k, lr, timescale: math.sqrt(timescale / (timescale + k))), lambda: {"timescale": whole(1, 90)},
    ),
}  # fmt: skip
RESTARTED = ("OneCycleLR", "CyclicLR")  # which set the rate as they are made: SequentialLR cannot put one before them


def torch_walk(make, optimizer, steps=STEPS, step=lambda: None):
    """The rates and momenta of an optimizer under a scheduler, one a step."""
    scheduler, rates, momenta = make(optimizer), [], []
    for k in range(steps):
        group = optimizer.param_groups[0]
        rates.append(group["lr"])
        momenta.append(group["betas"][0] if "betas" in group else group["momentum"])
        step()
        optimizer.step()
        if k < steps - 1:
            scheduler.step()
    return np.array(rates), np.array(momenta)


def plain_sgd(lr=0.1):
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)


def test_every_schedule_has_its_oracle():
    found = [c for c in param.concrete_descendents(Schedule).values() if c.__module__ == schedules.__name__]
    assert {c.__name__ for c in found} == set(ORACLES)
    assert all(c.__doc__ for c in found)


@pytest.mark.parametrize("name", ORACLES)
def test_rates_and_momenta_are_torchs(name):
    make, draw = ORACLES[name]
    for lr in (0.1, 0.7, 0.003) if name not in ("LinearDecay",) else (0.1, 0.7):
        for _ in range(8):
            own = draw()
            if lr < 0.01 and {"eta_min", "base_lr"} & own.keys():
                own |= {n: 0.0005 for n in ("eta_min", "base_lr") if n in own}
            schedule = getattr(schedules, name)(**own)
            rates, momenta = torch_walk(lambda o, lr=lr, own=own: make(o, lr, **own), plain_sgd(lr))
            ours = schedule.rates(lr, STEPS)[:, 0]
            np.testing.assert_allclose(ours, rates, rtol=1e-12, atol=1e-12 * lr, err_msg=str(own))
            cycled = schedule.momenta(SGD(momentum=0.9), STEPS)
            assert (cycled is None) == (not own.get("cycle_momentum"))
            np.testing.assert_allclose(0.9 if cycled is None else cycled, momenta, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", [n for n in ORACLES if n not in RESTARTED])
def test_a_warm_up_before_a_schedule_is_torchs_sequential(name):
    make, draw = ORACLES[name]
    for warmup in (1, 17):
        own, start = draw(), between(0.05, 1)
        schedule = getattr(schedules, name)(**own, warmup=warmup, warmup_start=start)

        def sequential(o, own=own, warmup=warmup, start=start):
            first = LR.LinearLR(o, start_factor=start, total_iters=warmup)
            return LR.SequentialLR(o, [first, make(o, 0.1, **own)], milestones=[warmup])

        ours = schedule.rates(0.1, STEPS)[:, 0]
        rates, _ = torch_walk(sequential, plain_sgd())
        np.testing.assert_allclose(ours, rates, rtol=1e-12, atol=1e-13, err_msg=str(own))


def torch_path(rule, lr, make):
    x = torch.tensor([-5.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimizer, path = rule(x, lr), []

    def step():
        path.append(x.detach().numpy().copy())
        x.grad = torch_gradient(Quadratic(), x)

    torch_walk(make, optimizer, 60, step)
    return np.array(path)


@pytest.mark.parametrize("name", ORACLES)
def test_whole_runs_are_torchs(name):
    make, draw = ORACLES[name]
    rules = {
        SGD(lr=0.05, momentum=0.9): lambda x, lr: torch.optim.SGD([x], lr=lr, momentum=0.9),
        Adam(lr=0.05): lambda x, lr: torch.optim.Adam([x], lr=lr),
    }
    for ours, theirs in rules.items():
        own = draw()
        schedule = getattr(schedules, name)(**own)
        path = torch_path(theirs, 0.05, lambda o, own=own: make(o, 0.05, **own))
        one = descend(Quadratic(), ours, (-5, -2), 60, schedule=schedule)
        both = descend(Quadratic(), ours, [(-5, -2), (1, 1)], 60, schedule=schedule)
        for run in (one, both):
            np.testing.assert_allclose(run.x[:60, 0], path, rtol=1e-9, atol=1e-11, err_msg=str(own))


@pytest.mark.parametrize("name", ORACLES)
def test_a_sweep_under_a_schedule_is_its_runs(name):
    schedule = getattr(schedules, name)(**ORACLES[name][1](), warmup=4)
    for axes in ({"lr": [0.01, 0.05, 0.2]}, {"x": [-5.0, 1.0, 3.0]}):
        found = sweep(Quadratic(), SGD(lr=0.05, momentum=0.5), (-5, -2), 40, axes, schedule=schedule).values
        for k, value in enumerate(next(iter(axes.values()))):
            lr, x = (value, -5.0) if "lr" in axes else (0.05, value)
            alone = descend(Quadratic(), SGD(lr=lr, momentum=0.5), (x, -2), 40, schedule=schedule)
            np.testing.assert_allclose(found[k], alone.loss[-1, 0], rtol=1e-12)


def test_the_whole_run_is_what_a_length_of_0_means():
    for schedule, given in (
        (schedules.CosineAnnealingLR(T_max=0), schedules.CosineAnnealingLR(T_max=50)),
        (schedules.LinearLR(total_iters=0, warmup=10), schedules.LinearLR(total_iters=40, warmup=10)),
        (schedules.OneCycleLR(), schedules.OneCycleLR(total_steps=50)),
    ):
        np.testing.assert_array_equal(schedule.rates(0.1, 50), given.rates(0.1, 50))


def test_three_milestones_at_most():
    with pytest.raises(ValueError, match=r"up to three milestones above 0, not \[1, 2, 3, 4\]"):
        schedules.MultiStepLR(milestones=[1, 2, 3, 4])
