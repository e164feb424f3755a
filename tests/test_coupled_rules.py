"""Rules in which variables work together, or that see the curvature, against the libraries that have them."""

from __future__ import annotations

import numpy as np
import prodigyopt
import pytest
import pytorch_optimizer
import torch
from oracles import torch_gradient, torch_path

from optviz import descend
from optviz.objectives.surfaces import Himmelblau, Quadratic, Rosenbrock
from optviz.rules import coupled, matrices
from optviz.trace.tracing import FLOATS

STEPS = 200
STARTS = {Quadratic: (-5.0, -2.0), Rosenbrock: (-1.2, 1.0), Himmelblau: (0.5, -0.5)}
RANGES = {
    "lr": (1e-3, 2e-2), "beta1": (0.5, 0.95), "beta2": (0.8, 0.999), "decay_power": (0.3, 1.2), "eps": (1e-8, 1e-6),
    "eps1": (1e-12, 1e-6), "eps2": (1e-4, 1e-1), "d": (1.0, 2.0), "momentum": (0.5, 0.97), "gamma": (0.0, 0.3),
    "shampoo_beta": (0.7, 0.99), "every": (1.0, 12.0), "d0": (1e-5, 1e-2), "d_coef": (0.5, 2.0),
    "growth_rate": (1.02, 3.0), "rho": (0.05, 1.5), "weight_decay": (0.0, 0.2),
}  # fmt: skip
# SOAP's library turns its axes in single precision; Shampoo's first matrix is all but singular; MARS adds to the root
TOLERANCE = {"SOAP": 1e-4, "Shampoo": 1e-7, "MARS": 1e-7}


@pytest.fixture(autouse=True)
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def drawn(cls, seed: int) -> dict:
    random = np.random.default_rng([seed, len(cls.__name__), ord(cls.__name__[0])])
    found = {}
    for name in cls.hyperparameters():
        if isinstance(cls.param[name].default, bool):
            found[name] = bool(random.integers(2))
        else:
            value = float(random.uniform(*RANGES[name]))
            found[name] = float(int(value)) if name == "every" else value
    if cls is coupled.Adafactor:
        found["lr"] /= 20  # else it leaps to and fro over a valley's floor
    return found


def theirs_of(cls, own: dict, surface, start) -> np.ndarray:
    """The path that a library takes with the same settings."""
    h = dict(own)
    betas = {"betas": (h.pop("beta1"), h.pop("beta2"))} if "beta1" in h else {}
    if cls is coupled.Adafactor:
        h["eps"] = h.pop("eps1"), h.pop("eps2")
        h["beta2_decay"] = -h.pop("decay_power")
        return torch_path(surface, torch.optim.Adafactor, {**h, "foreach": False}, start, STEPS)
    if cls is coupled.Muon:
        return muon_path(surface, h, start)
    if cls is coupled.MARS:
        given = {**h, **betas, "optimize_1d": True, "foreach": False}
        return torch_path(surface, pytorch_optimizer.MARS, given, start, STEPS)
    if cls is coupled.Shampoo:
        given = {"lr": h["lr"], "matrix_eps": h["eps"]}
        return torch_path(surface, pytorch_optimizer.Shampoo, given, start, STEPS)
    if cls is coupled.SOAP:
        h["precondition_frequency"] = int(h.pop("every"))
        return torch_path(surface, pytorch_optimizer.SOAP, {**h, **betas, "precondition_1d": True}, start, STEPS)
    if cls is coupled.Prodigy:
        return torch_path(surface, prodigyopt.Prodigy, {**h, **betas}, start, STEPS)
    return sophia_path(surface, {**h, **betas}, start)


def muon_path(surface, h: dict, start) -> np.ndarray:
    x = torch.tensor([start], requires_grad=True)
    adjust = "match_rms_adamw" if h.pop("match_rms") else "original"
    optimizer = torch.optim.Muon([x], **h, adjust_lr_fn=adjust)
    path = [x.detach().numpy()[0].copy()]
    for _ in range(STEPS):
        x.grad = torch_gradient(surface, x[0])[None]
        optimizer.step()
        path.append(x.detach().numpy()[0].copy())
    return np.array(path)


def sophia_path(surface, h: dict, start) -> np.ndarray:
    """Given the Hessian's diagonal where ours looks at it; between these times theirs has none."""
    period, h["p"] = int(h.pop("every")), h.pop("rho")
    x = torch.tensor(start, requires_grad=True)
    optimizer = pytorch_optimizer.SophiaH([x], **h, update_period=10**6, foreach=False)
    path = [x.detach().numpy().copy()]
    for t in range(STEPS):
        x.grad = torch_gradient(surface, x)
        look = t % period == 0
        bend = [torch.tensor(np.diag(surface.hessian(*path[-1])).copy())] if look else None
        if not look:
            optimizer.state[x].pop("hessian", None)
        optimizer.step(hessian=bend)
        path.append(x.detach().numpy().copy())
    return np.array(path)


RULES = [coupled.Adafactor, coupled.Muon, coupled.MARS, coupled.Shampoo, coupled.SOAP, coupled.Prodigy, coupled.SophiaH]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cls", RULES)
def test_equals_the_library(cls, seed, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # Muon's polynomial, exactly
    own = drawn(cls, seed)
    if cls is coupled.MARS:
        own["eps"] = 1e-14  # theirs stands elsewhere
    for surface, start in STARTS.items():
        expected = theirs_of(cls, own, surface(), start)
        run = descend(surface(), cls(**own), start, STEPS)
        tolerance = TOLERANCE.get(cls.__name__, 1e-11) * np.abs(expected).max()
        assert np.isfinite(expected).all() and np.ptp(expected, axis=0).max() > 1e-3
        np.testing.assert_allclose(run.x[:, 0], expected, rtol=0, atol=tolerance, err_msg=str(own))


def test_muon_steps_by_one_length():
    run = descend(Quadratic(), coupled.Muon(lr=0.1, weight_decay=0), (-5, -2), 20)
    np.testing.assert_allclose(np.hypot(*run.updates[:, 0].T), 0.1 * 0.6964364, rtol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_small_matrices(seed):
    random = np.random.default_rng(seed)
    M = random.standard_normal((2, 2))
    L = M @ M.T + 0.01 * np.eye(2)
    R = np.linalg.cholesky(L)[[0, 1, 1], [0, 0, 1]].tolist()
    half, quarter = (np.array(matrices.inverse_root(A, FLOATS)) for A in (R, matrices.root(R, FLOATS)))
    more = matrices.added(R, M[0].tolist(), FLOATS)
    np.testing.assert_allclose(np.array(matrices.symmetric(more)), (L + np.outer(M[0], M[0]))[[0, 0, 1], [0, 1, 1]])
    np.testing.assert_allclose(half @ half @ L, np.eye(2), atol=1e-9)
    np.testing.assert_allclose(quarter @ quarter @ quarter @ quarter @ L, np.eye(2), atol=1e-9)
    U, s, V = np.linalg.svd(M)
    a, b, c = matrices.QUINTIC
    np.testing.assert_allclose(matrices.quintic(M.tolist()), U @ np.diag(a * s + b * s**3 + c * s**5) @ V, atol=1e-9)
    row, (angle,) = [[3.0, -1.0]], random.uniform(0, 6, 1)
    np.testing.assert_allclose(np.array(matrices.quintic(matrices.transposed(row))).T, matrices.quintic(row))
    q = [float(np.cos(angle)), float(np.sin(angle))]
    turn = np.column_stack([matrices.turned(q, [1, 0]), matrices.turned(q, [0, 1])])
    order = np.argsort(-np.diag(turn.T @ L @ turn), kind="stable")
    expected = np.linalg.qr((L @ turn)[:, order])[0][:, 0]
    found, swap = matrices.power_step(L.tolist(), q, FLOATS)
    assert abs(abs(np.dot(found, expected)) - 1) < 1e-12 and swap == (order[0] == 1)
    np.testing.assert_allclose(matrices.turned_back(q, matrices.turned(q, [0.3, -2.0])), [0.3, -2.0])
