"""Laws that hold for any rule, any surface and any hyperparameters in bounds."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles import rules, surfaces

from optviz import SGD, Adagrad, Momentum, descend
from optviz.objectives.surfaces import Quadratic

modest = settings(
    deadline=None, max_examples=12, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
CATALOGUE = rules()
# Rules and surfaces that use + - * / and square roots alone, in which every rounding is prescribed.
EXACT_RULES = {"SGD", "Momentum", "Inertia", "Adagrad", "RMSprop", "Adadelta", "Lion", "Rprop", "Newton"}
EXACT_SURFACES = [c for c in surfaces() if c.__name__ not in (
    "Rastrigin", "Ackley", "McCormick", "Branin", "RotatedQuadratic", "TanhNet")]  # fmt: skip


def in_bounds(parameter, wide=True):
    """Finite values of a hyperparameter: anything in its bounds, or within its slider."""
    if isinstance(parameter.default, bool):
        return st.booleans()
    low, high = parameter.bounds
    soft_low, soft_high = parameter.softbounds
    low = low if low is not None else -1e300
    high = high if high is not None else 1e300
    slider = st.floats(soft_low, soft_high)
    if not wide:
        return slider
    inclusive = parameter.inclusive_bounds
    anything = st.floats(low, high, exclude_min=not inclusive[0], exclude_max=not inclusive[1])
    return st.one_of(slider, anything)


@st.composite
def hyperparameters(draw, cls, wide=True):
    """Settings that the rule accepts."""
    chosen = {name: draw(in_bounds(cls.param[name], wide)) for name in cls.hyperparameters()}
    try:
        cls(**chosen)
    except ValueError:
        chosen["nesterov"] = False
    return chosen


def inside(surface):
    """Points of a surface's domain."""
    return st.tuples(*(st.floats(low, high) for low, high in surface.domain))


@pytest.mark.parametrize("cls", CATALOGUE)
@modest
@given(data=st.data())
def test_any_hyperparameters_in_bounds_give_a_trajectory(cls, data):
    surface = data.draw(st.sampled_from(surfaces()))()
    chosen = [data.draw(hyperparameters(cls)) for _ in range(2)]
    start = data.draw(inside(surface))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rule, lanes in ((cls(**chosen[0]), 1), (_stacked(cls, chosen), 2)):
            run = descend(surface, rule, start, 15)
            assert run.x.shape == (16, lanes, 2) and run.loss.shape == (16, lanes)
            for lane, step in enumerate(run.diverged):
                steps = slice(0, step or None)
                assert np.isfinite(run.x[steps, lane]).all()
                assert np.isnan(run.x[step + 1 :, lane]).all() or not step


def _stacked(cls, chosen):
    """One rule whose lanes have these settings; flags are the first's."""
    numbers = {n for n, v in chosen[0].items() if not isinstance(v, bool)}
    merged = {n: [c[n] for c in chosen] if n in numbers else chosen[0][n] for n in chosen[0]}
    try:
        return cls(**merged)
    except ValueError:
        return cls(**{**merged, "nesterov": False})


@pytest.mark.parametrize("cls", CATALOGUE)
@modest
@given(data=st.data())
def test_one_lane_of_a_batch_equals_the_same_run_alone(cls, data):
    exact = cls.__name__ in EXACT_RULES
    surface = data.draw(st.sampled_from(EXACT_SURFACES if exact else surfaces()))()
    chosen = [data.draw(hyperparameters(cls, wide=False)) for _ in range(3)]
    if not exact:  # without eps a step may be rounding over rounding
        chosen = [{n: max(v, 1e-4) if n == "eps" else v for n, v in c.items()} for c in chosen]
    starts = [data.draw(inside(surface)) for _ in range(3)]
    rule = _stacked(cls, chosen)
    together = descend(surface, rule, starts, 20)
    for lane in range(3):
        own = {n: v[lane] if isinstance(v, list) else v for n, v in _settings_of(rule).items()}
        alone = descend(surface, cls(**own), starts[lane], 20)
        _compare(together, lane, alone, exact)


def _settings_of(rule):
    values = {n: getattr(rule, n) for n in rule.hyperparameters()}
    return {n: list(v) if isinstance(v, list | np.ndarray) else v for n, v in values.items()}


def _compare(together, lane, alone, exact):
    if exact:
        for name in ("x", "loss", "updates", "gradients"):
            np.testing.assert_array_equal(getattr(together, name)[:, lane], getattr(alone, name)[:, 0])
        assert together.diverged[lane] == alone.diverged[0]
        return
    # exp, sin and pow may round differently for arrays: the first steps, before that can grow
    if 0 < alone.diverged[0] <= 4:
        return
    for name in ("x", "updates"):
        mine, theirs = getattr(together, name)[:4, lane], getattr(alone, name)[:4, 0]
        scale = np.abs(theirs).max(initial=1.0)
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12 * scale)


@pytest.mark.parametrize("cls", CATALOGUE)
@modest
@given(data=st.data())
def test_lanes_never_influence_each_other(cls, data):
    surface = data.draw(st.sampled_from(surfaces()))()
    first, second, other = (data.draw(hyperparameters(cls)) for _ in range(3))
    for name, value in first.items():
        if isinstance(value, bool):
            second[name] = other[name] = value
    points = [data.draw(inside(surface)) for _ in range(3)]
    runs = []
    for companion, place in ((second, points[1]), (other, points[2])):
        rule = _stacked(cls, [first, companion])
        if _settings_of(rule).get("nesterov") != first.get("nesterov"):
            return
        runs.append(descend(surface, rule, [points[0], place], 15))
    for name in ("x", "loss", "updates", "gradients", "diverged"):
        mine, theirs = (getattr(run, name)[..., 0, :] if name in ("x", "updates", "gradients")
                        else getattr(run, name)[..., 0] for run in runs)  # fmt: skip
        np.testing.assert_array_equal(mine, theirs)


@modest
@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(1e-6, 1.0), st.floats(0, 0.99), st.floats(0.1, 100))
def test_scaling_the_objective_is_scaling_the_rate(x, y, lr, momentum, factor):
    import optviz

    scaled = optviz.objective(lambda x, y: factor * (0.1 * x**2 + 2 * y**2))
    first = descend(scaled, SGD(lr=lr, momentum=momentum), (x, y), 10)
    second = descend(Quadratic(), SGD(lr=lr * factor, momentum=momentum), (x, y), 10)
    scale = np.abs(second.x).max() + 1e-300
    np.testing.assert_allclose(first.x, second.x, rtol=1e-9, atol=1e-9 * scale)


@modest
@given(st.integers(1, 60), st.integers(0, 2**31), st.floats(0.1, 3))
def test_a_run_is_the_start_of_a_longer_run(steps, seed, clip):
    for rule in (SGD(lr=0.1, momentum=0.5), Momentum(lr=0.1), Adagrad(lr=0.5)):
        short = descend(Quadratic(), rule, (-5, -2), steps, clip=clip)
        long = descend(Quadratic(), rule, (-5, -2), steps + 20, clip=clip)
        np.testing.assert_array_equal(short.x, long.x[: steps + 1])
    noisy = [descend(Quadratic(), SGD(lr=0.1), (-5, -2), n, noise=1.0, seed=seed) for n in (steps, steps + 20)]
    np.testing.assert_array_equal(noisy[0].x, noisy[1].x[: steps + 1])
