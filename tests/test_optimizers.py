"""Every rule against torch.optim or an oracle of its own, and what is known in closed form."""

import numpy as np
import pytest
import torch
from oracles import (
    LINE,
    flag_settings,
    one_sentence,
    reference,
    rules,
    torch_gradient,
    torch_path,
    torch_settings,
)

import optviz
from optviz import SGD, Adagrad, Adam, AdamW, Inertia, Lion, Momentum, Newton, RMSprop, descend
from optviz.listed import own_classes
from optviz.objectives.surfaces import Himmelblau, Quadratic, Rosenbrock
from optviz.rules import optimizers
from optviz.rules.rule import Rule
from optviz.runs.torch_optimizer import TorchOptimizer

STEPS = 200
SURFACES = {Quadratic: (-5.0, -2.0), Rosenbrock: (-1.2, 1.0), Himmelblau: (0.5, -0.5)}
# Rates at which every flag combination stays finite: steps along the gradient need small ones.
PLAIN = {Quadratic: 0.05, Rosenbrock: 1e-4, Himmelblau: 1e-3}
SCALED = {Quadratic: 0.1, Rosenbrock: 0.01, Himmelblau: 0.02}
FIRST = own_classes(optimizers.__name__, Rule)  # the others are held against libraries in tests of their own
TORCH_RULES = [c for c in FIRST if hasattr(torch.optim, c.__name__)]
OWN = [c for c in rules() if c not in TORCH_RULES]


@pytest.fixture(autouse=True)
def double_precision():
    """NAdam keeps its running product in torch's default precision."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def combinations(cls):
    return flag_settings(cls, **({"eps_inside": False} if "eps_inside" in cls.hyperparameters() else {}))


def _rate(cls, surface):
    """RAdam's first steps are plain gradient steps too."""
    return (PLAIN if cls in (SGD, optviz.RAdam) else SCALED)[surface]


def refused(make) -> str:
    with pytest.raises(ValueError) as caught:
        make()
    assert one_sentence(str(caught.value)), caught.value
    return str(caught.value)


def accepted(make) -> bool:
    try:
        make()
    except ValueError as trouble:
        assert one_sentence(str(trouble)) or "Nesterov" in str(trouble)
        return False
    return True


CASES = [
    pytest.param(cls, settings, id=f"{cls.__name__}-{'-'.join(k for k, v in settings.items() if v)}")
    for cls in TORCH_RULES
    for settings in combinations(cls)
]


def test_the_catalogue_is_covered():
    assert len(TORCH_RULES) >= 10
    assert {"Inertia", "Lion", "Momentum", "Newton"} == {c.__name__ for c in FIRST} - {c.__name__ for c in TORCH_RULES}


@pytest.mark.parametrize(("cls", "settings"), CASES)
def test_equals_torch(cls, settings):
    other = getattr(torch.optim, cls.__name__)
    zero = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    named = torch_settings(cls, settings)
    valid = accepted(lambda: other([zero], **named))
    assert accepted(lambda: cls(**settings)) == valid
    if not valid:
        return
    for surface, start in SURFACES.items():
        lr = _rate(cls, surface)
        expected = torch_path(surface(), other, {**named, "lr": lr}, start, STEPS)
        run = descend(surface(), cls(**settings, lr=lr), start, STEPS)
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(run.x[:, 0], expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(run.updates[:, 0], np.diff(expected, axis=0), rtol=1e-9, atol=1e-11)


OTHER = {
    "beta1": 0.8, "beta2": 0.98, "alpha": 0.95, "rho": 0.95, "eps": 1e-4, "momentum_decay": 0.02,
    "etaminus": 0.4, "etaplus": 1.3, "step_size_min": 1e-3, "step_size_max": 0.2,
}  # fmt: skip


@pytest.mark.parametrize("cls", TORCH_RULES)
def test_other_hyperparameters_equal_torch(cls):
    """Betas, eps and the like away from their defaults."""
    settings = {n: OTHER[n] for n in cls.hyperparameters() if n in OTHER}
    assert settings or cls is SGD
    other = getattr(torch.optim, cls.__name__)
    for surface, start in SURFACES.items():
        lr = _rate(cls, surface)
        expected = torch_path(surface(), other, {**torch_settings(cls, settings), "lr": lr}, start, STEPS)
        run = descend(surface(), cls(**settings, lr=lr), start, STEPS)
        np.testing.assert_allclose(run.x[:, 0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cls", TORCH_RULES)
def test_torch_optimizer_equals_the_traced_rule(cls):
    ours = descend(Himmelblau(), cls(lr=0.01), (0.5, -0.5), 60, clip=20, noise=0.1, seed=3)
    theirs = descend(
        Himmelblau(), TorchOptimizer(getattr(torch.optim, cls.__name__), lr=0.01), (0.5, -0.5), 60,
        clip=20, noise=0.1, seed=3,
    )  # fmt: skip
    for name in ("x", "loss", "updates", "gradients", "rates"):
        expected = getattr(theirs, name)
        np.testing.assert_allclose(getattr(ours, name), expected, rtol=1e-9, atol=1e-10, err_msg=name)
    assert (ours.clipped == theirs.clipped).all()


@pytest.mark.parametrize("weight_decay", [0.0, 0.2])
@pytest.mark.parametrize("surface", SURFACES)
def test_lion_is_the_papers(surface, weight_decay):
    """Chen et al. 2023, algorithm 2, line by line."""
    objective, start, lr = surface(), SURFACES[surface], 0.003
    x, m = torch.tensor(start, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    path = [x.numpy().copy()]
    for _ in range(STEPS):
        g = torch_gradient(objective, x)
        update = torch.sign(0.8 * m + (1 - 0.8) * g)
        x = x - lr * (update + weight_decay * x)
        m = 0.95 * m + (1 - 0.95) * g
        path.append(x.numpy().copy())
    rule = Lion(lr=lr, beta1=0.8, beta2=0.95, weight_decay=weight_decay)
    run = descend(objective, rule, start, STEPS)
    np.testing.assert_allclose(run.x[:, 0], path, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("damping", [0.0, 3.0])
@pytest.mark.parametrize("surface", SURFACES)
def test_newton_solves_the_linear_system(surface, damping):
    objective = surface()
    x = np.array(SURFACES[surface])
    run = descend(objective, Newton(lr=0.7, damping=damping), x, 20)
    for step in range(20):
        point = torch.tensor(x)
        h = torch.autograd.functional.hessian(lambda p: _torch_value(objective, p), point).numpy()
        x = x + np.linalg.solve(h + damping * np.eye(2), -0.7 * torch_gradient(objective, point).numpy())
        np.testing.assert_allclose(run.x[step + 1, 0], x, rtol=1e-9, atol=1e-12)


def _torch_value(objective, point):
    from oracles import TORCH

    return objective.formula(objective, *point, TORCH)


def test_newton_meets_a_quadratics_minimum_in_one_step():
    assert np.abs(descend(Quadratic(), Newton(), (-5, -2), 1).final).max() < 1e-12


SEED_RULES = {
    "sgd": SGD, "momentum": Momentum, "inertia": Inertia, "adagrad": Adagrad, "rmsprop": RMSprop, "adam": Adam,
}  # fmt: skip


@pytest.mark.parametrize("case", reference("quadratic_paths"), ids=lambda case: case["rule"])
def test_seed_paths(case):
    cls = SEED_RULES[case["rule"]]
    named = {"gamma": "alpha" if cls is RMSprop else "momentum"}
    settings = {named.get(k, k): v for k, v in case.items() if k not in ("rule", "steps", "path")}
    settings |= {k: v for k, v in cls.preset.items() if k.startswith("eps")}
    run = descend(Quadratic(), cls(**settings), case["path"][0], case["steps"])
    np.testing.assert_allclose(run.x[:, 0], case["path"], rtol=1e-9, atol=1e-12)


def _loop(rule_step, start, steps=60):
    """A seed recurrence in plain floats on 0.1 x^2 + 2 y^2."""
    x, state, path = list(start), [0.0, 0.0], [list(start)]
    for _ in range(steps):
        g = (0.2 * x[0], 4.0 * x[1])
        for i in range(2):
            x[i], state[i] = rule_step(x[i], g[i], state[i])
        path.append(list(x))
    return path


def _momentum(x, g, v):
    v = 0.6 * v + 0.1 * g
    return x - v, v


def _inertia(x, g, v):
    v = 0.6 * v + 0.4 * g
    return x - 0.1 * v, v


def _adagrad(x, g, s):
    s = s + g * g
    return x - 0.4 * g / (s + 1e-6) ** 0.5, s


def _rmsprop(x, g, s):
    s = 0.9 * s + 0.1 * g * g
    return x - 0.1 * g / (s + 1e-6) ** 0.5, s


@pytest.mark.parametrize(("step", "rule"), [
    (_momentum, Momentum(lr=0.1, momentum=0.6)),
    (_inertia, Inertia(lr=0.1, momentum=0.6)),
    (_adagrad, Adagrad(lr=0.4, eps=1e-6, eps_inside=True)),
    (_rmsprop, RMSprop(lr=0.1, alpha=0.9, eps=1e-6, eps_inside=True)),
])  # fmt: skip
def test_seed_recurrences(step, rule):
    run = descend(Quadratic(), rule, (-5, -2), 60)
    np.testing.assert_allclose(run.x[:, 0], _loop(step, (-5.0, -2.0)), rtol=1e-9, atol=1e-12)


def test_momentum_walks_sgds_path_at_a_constant_rate():
    ours = descend(Rosenbrock(), Momentum(lr=1e-4, momentum=0.9), (-1.2, 1), STEPS)
    theirs = descend(Rosenbrock(), SGD(lr=1e-4, momentum=0.9), (-1.2, 1), STEPS)
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-9)


def test_a_lower_rate_shrinks_pytorchs_step_at_once_and_sutskevers_slowly():
    drop = optviz.schedules.StepLR(step_size=30, gamma=0.1)
    for cls, shrinkage in ((SGD, (9.0, 11.0)), (Momentum, (1.05, 1.15))):
        updates = descend(LINE, cls(lr=0.1, momentum=0.9), (0, 0), 31, schedule=drop).updates[:, 0, 0]
        assert shrinkage[0] < updates[29] / updates[30] < shrinkage[1]


def test_nesterov_iterates_are_sutskevers_look_ahead_points():
    lr, m = 0.05, 0.8
    run = descend(Quadratic(), SGD(lr=lr, momentum=m, nesterov=True), (-5, -2), 40)
    theta, v = np.array([-5.0, -2.0]), np.zeros(2)
    for step in range(40):
        ahead = theta + m * v
        np.testing.assert_allclose(run.x[step, 0], ahead, rtol=1e-9, atol=1e-12)
        v = m * v - lr * np.array([0.2, 4.0]) * ahead
        theta = theta + v


def test_constant_gradient():
    def steps(rule, n=3000):
        return -descend(LINE, rule, (0, 0), n).updates[:, 0, 0]

    np.testing.assert_allclose(steps(Adam(lr=0.1, eps=0.0)), 0.1, rtol=1e-9)
    rms = steps(RMSprop(lr=0.1, alpha=0.99, eps=0.0))
    np.testing.assert_allclose(rms[0], 1.0, rtol=1e-9)
    np.testing.assert_allclose(rms[-1], 0.1, rtol=1e-9)
    assert (np.diff(rms[:1000]) < 0).all()
    expected = 0.1 / np.sqrt(np.arange(1, 3001))
    np.testing.assert_allclose(steps(Adagrad(lr=0.1, eps=0.0)), expected, rtol=1e-9)


def test_mean_update_under_a_constant_gradient():
    updates = descend(LINE, SGD(lr=0.1, momentum=0.9), (0, 0), 500).updates[-1, 0]
    np.testing.assert_allclose(updates, [-0.1 * 3 / 0.1, 0.1 * 2 / 0.1], rtol=1e-9)


def test_weight_decay_moves_the_fixed_point():
    curve, target, w = 2.0, 3.0, 0.5
    bowl = optviz.objective(lambda x, y: curve / 2 * (x - target) ** 2 + y**2)
    end = descend(bowl, SGD(lr=0.1, weight_decay=w), (0, 1), 500).final[0]
    np.testing.assert_allclose(end, [curve * target / (curve + w), 0], rtol=1e-9, atol=1e-12)
    far = optviz.objective(lambda x, y: (x - 1000) ** 2 / 2 + y**2)
    stop = descend(far, AdamW(lr=0.01, weight_decay=0.1), (0, 0), 20000).final[0, 0]
    assert abs(stop - 1 / 0.1) < 0.1


def test_dampening_is_skipped_at_the_first_step():
    updates = descend(LINE, SGD(lr=0.1, momentum=0.5, dampening=0.8), (0, 0), 2).updates[:, 0, 0]
    np.testing.assert_allclose(updates, [-0.1 * 3, -0.1 * (0.5 * 3 + 0.2 * 3)], rtol=1e-12)


def test_inertia_averages_from_the_first_step():
    updates = descend(LINE, Inertia(lr=0.1, momentum=0.5), (0, 0), 2).updates[:, 0, 0]
    np.testing.assert_allclose(updates, [-0.1 * 1.5, -0.1 * 2.25], rtol=1e-12)


@pytest.mark.parametrize("settings", [
    {"nesterov": True}, {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
    {"nesterov": True, "momentum": np.array([0.9, 0.0])},
])  # fmt: skip
def test_nesterov_refusals(settings):
    assert "Nesterov" in refused(lambda: SGD(lr=0.1, **settings))


def test_a_refused_combination_set_later_is_refused_when_run():
    rule = SGD(lr=0.1, momentum=0.9, nesterov=True)
    rule.dampening = 0.5
    assert "Nesterov" in refused(lambda: descend(Quadratic(), rule, (1, 1), 3))


@pytest.mark.parametrize(("settings", "word"), [
    ({"lr": -0.1}, "SGD.lr"), ({"lr": float("nan")}, "SGD.lr"),
    ({"lr": float("inf")}, "finite"), ({"lr": "fast"}, "SGD.lr"),
    ({"momentum": -1}, "SGD.momentum"), ({"lr": [0.1, -0.2]}, "SGD.lr"),
    ({"lr": [[0.1]]}, "one-dimensional"), ({"lr": [0.1, float("inf")]}, "finite"),
    ({"lr": []}, "one-dimensional"), ({"lr": [[1], [2, 3]]}, "one-dimensional"), ({"lr": None}, "SGD.lr"),
])  # fmt: skip
def test_bad_hyperparameters(settings, word):
    sentence = refused(lambda: SGD(**settings))
    assert word in sentence and sentence.startswith("Hyperparameter 'SGD.")


@pytest.mark.parametrize("cls", rules())
def test_every_hyperparameter_declares_itself(cls):
    """Bounds refuse what torch refuses, a slider has a range, a reader has a sentence."""
    for name in cls.hyperparameters():
        parameter = cls.param[name]
        assert parameter.doc, name
        if not isinstance(parameter.default, bool):
            low, high = parameter.softbounds
            assert low < high and parameter.step > 0
            if name == "lr":
                refused(lambda: cls(lr=-1.0))
    assert (cls.__doc__ or "").strip()
    cls(**cls.preset)


def test_presets_are_within_the_sliders():
    for cls in rules():
        for name, value in cls.preset.items():
            if not isinstance(value, bool):
                low, high = cls.param[name].softbounds
                assert low <= value <= high, (cls, name)


class HalfStep(torch.optim.Optimizer):
    """A user's own optimizer: half of the gradient step, with a buffer that counts."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["seen"] = state.get("seen", torch.zeros_like(p)) + 1
                p -= 0.5 * group["lr"] * p.grad


def test_a_users_optimizer_class():
    run = descend(Quadratic(), TorchOptimizer(HalfStep, lr=0.2), [(-5, -2), (1, 1)], 25)
    expected = descend(Quadratic(), SGD(lr=0.1), [(-5, -2), (1, 1)], 25)
    np.testing.assert_allclose(run.x, expected.x, rtol=1e-9)
    np.testing.assert_allclose(run.terms["seen"][:, 1, 0], np.arange(1, 26))


def test_lbfgs_with_closures():
    run = descend(Rosenbrock(), TorchOptimizer(torch.optim.LBFGS, lr=0.5, max_iter=5), (-1.2, 1), 15)
    x = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([x], lr=0.5, max_iter=5)

    def closure():
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        loss.backward()
        return loss

    for step in range(15):
        optimizer.step(closure)
        np.testing.assert_allclose(run.x[step + 1, 0], x.detach().numpy(), rtol=1e-9)
    assert run.loss[-1, 0] < 1e-6


@pytest.mark.parametrize(("make", "word"), [
    (lambda: TorchOptimizer(torch.optim.SGD, lr=-1.0), "SGD"),
    (lambda: TorchOptimizer(torch.optim.SGD, speed=1), "speed"),
    (lambda: TorchOptimizer(torch.optim.SGD, lr=0.1, nesterov=True), "Nesterov"),
])  # fmt: skip
def test_torch_optimizer_refusals(make, word):
    assert word in refused(make)


def test_torch_optimizer_needs_a_class():
    with pytest.raises(TypeError, match="needs a torch.optim.Optimizer class"):
        TorchOptimizer(torch.nn.Linear)
