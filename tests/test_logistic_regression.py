"""A line between two classes: losses, derivatives and runs as PyTorch has them, points, a bias fitted or kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import minimize

from optviz import BiasedClassifier, LinearClassifier, LogisticRegression
from optviz.experiments.logistic_regression import NAMES, SEED_POINTS
from optviz.objectives.criteria import MARGINS

X, Y, CLASSES = SEED_POINTS
TORCH = {
    "logistic": lambda z, c: torch.nn.BCEWithLogitsLoss()(z, c),
    "hinge": lambda z, c: torch.relu(1 - (2 * c - 1) * z).mean(),
}


def torch_loss(name: str, bias: float | None):
    x, y, c = map(torch.tensor, SEED_POINTS)
    return lambda p: TORCH[name](p[0] * x + p[1] * y + (p[2] if bias is None else bias), c)


def test_every_margin_loss_has_its_oracle():
    assert set(TORCH) == set(MARGINS)


@pytest.mark.parametrize("bias", [None, 0.0, -0.7])
@pytest.mark.parametrize("name", MARGINS)
def test_values_gradients_and_hessians_are_torchs(name, bias):
    fitted = bias is None
    ours = BiasedClassifier(*SEED_POINTS, loss=name) if fitted else LinearClassifier(*SEED_POINTS, loss=name, bias=bias)
    theirs, dim = torch_loss(name, bias), 3 if fitted else 2
    for point in [np.zeros(dim), *np.random.default_rng(2).uniform(-8, 8, (40, dim)), np.full(dim, 900.0)]:
        leaf = torch.tensor(point, requires_grad=True)
        value = theirs(leaf)
        (slope,) = torch.autograd.grad(value, leaf)
        bend = torch.autograd.functional.hessian(theirs, torch.tensor(point))
        np.testing.assert_allclose(ours.value(*point), value.item(), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(ours.gradient(*point), slope, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(ours.float_gradient()(*point), slope, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(ours.hessian(*point), bend, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("fit_bias", [True, False])
@pytest.mark.parametrize("lane", range(2))
def test_runs_are_torchs(lane, fit_bias):
    made = LogisticRegression(fit_bias=fit_bias, bias=0.4, momentum=0.5, weight_decay=0.01, epochs=50)
    point = torch.tensor(made.start(), requires_grad=True, dtype=torch.float64)
    loss = torch_loss(NAMES[lane], None if fit_bias else 0.4)
    optimizer = torch.optim.SGD([point], lr=made.lr, momentum=0.5, weight_decay=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        loss(point).backward()
        optimizer.step()
    np.testing.assert_allclose(made.trajectory.final[lane], point.detach().numpy(), rtol=1e-9)


def test_a_long_run_ends_at_scipys_minimum_and_the_map_says_so():
    made = LogisticRegression(epochs=3000, lr=1.0)
    best = minimize(lambda p: float(made.results["objectives"][0].value(*p)), np.zeros(3), tol=1e-12)
    np.testing.assert_allclose(made.trajectory.final[0], best.x, atol=1e-4)
    row, column = np.unravel_index(made.landscapes[0].argmin(), (101, 101))
    at = np.linspace(-8, 8, 102)[:-1] + 8 / 101
    assert abs(at[column] - best.x[0]) < 0.16 and abs(at[row] - best.x[1]) < 0.16


def test_the_line_is_where_both_classes_are_as_likely():
    for made in (LogisticRegression(), LogisticRegression(data=(1e3 + 40 * X, -5 + 0.01 * Y, CLASSES))):
        (left, wide), (low, high) = made.units()[:2]
        for k, name in enumerate(NAMES):
            line, (w1, w2, bias) = made.drawings["data"].layers[name], made.trajectory.final[k]
            score = w1 * (line["x"] - left) / wide + w2 * (line["y"] - low) / high + bias
            np.testing.assert_allclose(score, 0, atol=1e-9)


def test_parted_classes_let_weights_grow_until_decay_holds_them():
    parted = (X + 9 * CLASSES, Y, CLASSES)
    sizes = [np.hypot(*LogisticRegression(data=parted, epochs=n).trajectory.final[0, :2]) for n in (200, 2000)]
    assert sizes[1] > 1.2 * sizes[0]
    held = [np.hypot(*LogisticRegression(data=parted, epochs=n, weight_decay=0.05).trajectory.final[0, :2])
            for n in (1000, 2000)]  # fmt: skip
    assert held[1] == pytest.approx(held[0], rel=1e-6)


def test_points_are_added_with_the_class_that_is_chosen_and_keep_it():
    made = LogisticRegression()
    made.edit_point("add", -1, 0.5, 0.25)
    made.new_class = "class 0"
    made.edit_point("add", -1, 0.75, 0.5)
    made.edit_point("move", 60, -1.0, 2.0)
    x, y, classes = made.points()
    assert classes[60:].tolist() == [1, 0] and (x[60], y[60]) == (-1.0, 2.0) and made.lr == 0.5
    assert LogisticRegression.from_json(made.to_json()).data == made.data


@pytest.mark.parametrize("labels", [CLASSES, CLASSES > 0, 2 * CLASSES - 1, np.where(CLASSES > 0, "setosa", "iris")])
def test_classes_of_every_kind_are_0_and_1(labels):
    made = LogisticRegression(data=pd.DataFrame({"a": X, "b": Y, "kind": labels}))
    np.testing.assert_array_equal(made.points(), SEED_POINTS)
    assert made.labels()[:2] == ["a", "b"] and made.drawings["data"].axes["y"]["label"] == "b"
    both = LogisticRegression(data=(np.column_stack([X, Y]), labels))
    np.testing.assert_array_equal(both.points(), SEED_POINTS)


def test_other_classes_are_refused_in_a_sentence():
    for data, sentence in [((X, Y, 3 * X), "needs two classes, one for each sample, not "),
                           ("1_2_3_4_5_6", "must be seed, or numbers parted by _, 3 for each of ")]:  # fmt: skip
        with pytest.raises(ValueError) as caught:
            LogisticRegression(data=data)
        assert str(caught.value).startswith(f"LogisticRegression.data {sentence}") and "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_first_pictures_are_sensible_at_any_scale(seed):
    random = np.random.default_rng(seed)
    scale, offset = 10.0 ** random.integers(-6, 7, 2), random.choice([0.0, 300.0], 2)
    made = LogisticRegression(data=(scale[0] * (offset[0] + X), scale[1] * (offset[1] - Y), CLASSES))
    assert made.message == "" and made.trajectory.diverged.tolist() == [0, 0]
    assert (made.trajectory.loss[-1] < 0.45).all()
    x0, y0, x1, y1 = made.box()
    walk = made.trajectory.x[..., :2]
    assert (walk >= (x0, y0)).all() and (walk <= (x1, y1)).all()
