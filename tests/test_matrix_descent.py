"""Two factors that learn a matrix: the rules against their libraries, and what is known of the runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pytorch_optimizer import SOAP, Shampoo

from optviz import MatrixDescent
from optviz.rules import matrix_rules
from optviz.rules.matrices import product, transposed
from optviz.rules.matrix_rules import MATRIX_RULES, QUINTIC_BAND
from optviz.runs.factorization import BEGIN, arrival, factorized, target_of

TASK = ((4.0, 0.25), 0.7, -0.3)
ORACLES = {
    "gradient descent": (0.2, 1e-12, lambda p: torch.optim.SGD(p, lr=0.2)),
    "Adam": (0.01, 1e-12, lambda p: torch.optim.Adam(p, lr=0.01, foreach=False)),
    "Muon": (0.01, 1e-11, lambda p: torch.optim.Muon(p, lr=0.01, weight_decay=0.0)),
    "Shampoo": (0.1, 1e-8, lambda p: Shampoo(p, lr=0.1)),
    # the library's QR is in single precision
    "SOAP": (0.01, 1e-4, lambda p: SOAP(p, lr=0.01, weight_decay=0.0, precondition_frequency=1)),
}


def walked(rule: str, lr: float, steps: int, **more):
    spectrum, left, right = TASK
    knobs = {"lr": lr, "rounds": 5}
    return factorized(rule, knobs, target_of(spectrum, left, right), left, right, more.get("size", 1e-3), steps)


@pytest.mark.parametrize("rule", ORACLES)
def test_every_entry_is_the_library_s(rule, monkeypatch):
    """Both factors over 200 steps; torch's Muon without its rounding to bfloat16."""
    lr, tolerance, make = ORACLES[rule]
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    target = torch.tensor(target_of(*TASK), dtype=torch.float64)
    factors = [torch.tensor(f, dtype=torch.float64).mul_(0.1).requires_grad_() for f in BEGIN]
    optimizer, path = make(factors), []
    for _ in range(200):
        path.append(torch.cat([f.detach().ravel() for f in factors]).numpy())
        optimizer.zero_grad()
        (((factors[0].T @ factors[1] - target) ** 2).sum() / 2).backward()
        optimizer.step()
    ours, wanted = walked(rule, lr, 199, size=0.1)["entries"], np.array(path)
    assert np.abs(ours - wanted).max() <= tolerance * np.abs(wanted).max()


@pytest.mark.parametrize(("rule", "lr", "large", "small"), [
    ("gradient descent", 0.2, 14, 150), ("gradient descent", 0.02, 116, 1475), ("Adam", 0.01, 97, 791),
    ("Muon", 0.01, 273, 49), ("polar factor", 0.01, 190, 48),
])  # fmt: skip
def test_the_known_arrivals(rule, lr, large, small):
    """Steps at which each mode has 90 % of its size, measured beforehand with numpy."""
    modes = walked(rule, lr, max(large, small) + 5)["modes"]
    assert [arrival(modes[:, k], full) for k, full in enumerate(TASK[0])] == [large, small]


def test_small_matrices_are_numpy_s():
    random = np.random.default_rng(3)
    for _ in range(50):
        A = random.standard_normal((2, 2))
        U, S, Vt = np.linalg.svd(A)
        np.testing.assert_allclose(matrix_rules.singular_values(A.tolist()), S, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(matrix_rules.polar_factor(A.tolist()), U @ Vt, atol=1e-12)
        L = A @ A.T + 1e-3 * np.eye(2)
        root = np.linalg.inv(matrix_rules.fourth(L.tolist()))
        np.testing.assert_allclose(root @ root @ root @ root, L, rtol=1e-9, atol=1e-9)
        Q = np.array(matrix_rules.axes(L.tolist()))
        inside = Q.T @ L @ Q
        assert abs(inside[0, 1]) < 1e-12 * inside[0, 0] and inside[0, 0] >= inside[1, 1]
        for rounds in (1, 5):
            made = np.linalg.svd(np.array(matrix_rules.orthogonalized((A / np.linalg.norm(A)).tolist(), rounds)))[1]
            through = matrix_rules.rounds_on(S / np.linalg.norm(A), rounds)
            np.testing.assert_allclose(np.sort(made), np.sort(np.abs(through)), rtol=1e-9)


def test_muon_s_band():
    """Five rounds take singular values from 0.0052 on into the band, and not all below."""
    low, high = QUINTIC_BAND
    after = matrix_rules.rounds_on(np.linspace(0.0052, 1, 100_001), 5)
    assert low <= after.min() and after.max() <= high
    assert matrix_rules.rounds_on(np.linspace(0.0015, 0.005, 1001), 5).max() > high


def test_the_gradient_is_autograd_s_and_the_modes_are_those_of_the_product():
    run = walked("gradient descent", 0.05, 40, size=0.3)
    for t in (0, 13, 39):
        P, Q = run["entries"][t].reshape(2, 2, 2)
        p, q = (torch.tensor(each, requires_grad=True) for each in (P, Q))
        loss = ((p.T @ q - torch.tensor(target_of(*TASK), dtype=torch.float64)) ** 2).sum() / 2
        loss.backward()
        assert run["loss"][t] == pytest.approx(loss.item(), rel=1e-12)
        moved = np.concatenate([P.ravel(), Q.ravel()]) - 0.05 * np.concatenate([p.grad.ravel(), q.grad.ravel()])
        np.testing.assert_allclose(run["entries"][t + 1], moved, rtol=1e-12)
        U, _, Vt = np.linalg.svd(target_of(*TASK))
        made = P.T @ Q
        np.testing.assert_allclose(run["modes"][t], np.diag(U.T @ made @ Vt.T), atol=1e-12)
        np.testing.assert_allclose(run["singular"][t], np.linalg.svd(made)[1], atol=1e-12)
        steps = [np.linalg.svd(0.05 * each.grad.numpy())[1] for each in (p, q)]
        np.testing.assert_allclose(run["updates"][t], np.concatenate(steps), atol=1e-12)


def test_the_shaded_rates_are_those_that_do_not_hold():
    """Gradient descent settles below one over the largest singular value, and not above."""
    for large in (2.0, 4.0):
        limit = MatrixDescent(large=large).shade()["gd_lr"]
        assert limit == 1 / large
        last = {share: MatrixDescent(large=large, gd_lr=share * limit, steps=1500).runs["gradient descent"]["loss"][-1]
                for share in (0.97, 1.05)}  # fmt: skip
        assert last[0.97] < 1e-12
        assert not last[1.05] < 1e-3


def test_what_diverges_is_said_and_leaves_the_others():
    made = MatrixDescent(gd_lr=2.0, steps=100)
    gone = made.runs["gradient descent"]["diverged"]
    assert 0 < gone <= 100 and f"at step {gone}" in made.status() and "diverges" in made.status()
    assert np.isnan(made.runs["gradient descent"]["loss"][gone:]).all()
    assert np.isfinite(made.runs["gradient descent"]["loss"][:gone]).all()
    assert all(made.runs[name]["diverged"] == 0 for name in MATRIX_RULES if name != "gradient descent")
    assert "diverges" in made.side()["table"]


def test_turning_the_matrix_matters_to_adam_alone():
    """In the factors' own frame every other rule walks the same way."""
    target, (left, right) = target_of((4.0, 0.25), 0.0, 0.0), (0.0, 0.0)
    for rule in MATRIX_RULES:
        losses = []
        for angle in (0.0, 0.6):
            c, s = np.cos(angle), np.sin(angle)
            turn = [[c, -s], [s, c]]
            turned = product(transposed(turn), target)  # M R with P R: the same task seen from turned axes
            losses.append(_loss_from(rule, turned, turn, left, right))
        same = np.allclose(losses[0], losses[1], rtol=1e-4)
        assert same == (rule != "Adam"), rule


def _loss_from(rule, target, turn, left, right):
    import optviz.runs.factorization as walk

    P, Q = BEGIN
    begin = (product(P, turn), Q)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(walk, "BEGIN", begin)
        return factorized(rule, {"lr": 0.02, "rounds": 5}, target, left, right, 0.1, 60)["loss"]
