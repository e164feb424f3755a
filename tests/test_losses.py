"""Losses over data: PyTorch's conventions, the seed's runs, batches, lanes, bad data."""

import numpy as np
import pytest
import torch
from oracles import one_sentence, reference

from optviz import SGD, Adam, DataLoss, Lanes, LinearRegression, ReLUNet, batch_indices, descend
from optviz.objectives.criteria import CRITERIA
from optviz.objectives.surfaces import Quadratic
from optviz.objectives.torch_objectives import TorchLoss

TAU = 0.9
SEED_LOSSES = ("mse", "l1", "huber", "smooth_l1")
TORCH_LOSS = {
    "mse": lambda r, d, b: torch.nn.functional.mse_loss(r, torch.zeros_like(r)),
    "l1": lambda r, d, b: torch.nn.functional.l1_loss(r, torch.zeros_like(r)),
    "huber": lambda r, d, b: torch.nn.functional.huber_loss(r, torch.zeros_like(r), delta=d),
    "smooth_l1": lambda r, d, b: torch.nn.functional.smooth_l1_loss(r, torch.zeros_like(r), beta=b),
    "log_cosh": lambda r, d, b: torch.log(torch.cosh(r)).mean(),
    "quantile": lambda r, d, b: torch.maximum(-TAU * r, (1 - TAU) * r).mean(),
}


def seed_data():
    """The regression seed's data, float32 as there."""
    rng = np.random.RandomState(20240215)
    x = rng.randn(50)
    y = 0.75 * x**2 + x + 2 + 0.3 * rng.randn(50)
    return x.astype(np.float32), y.astype(np.float32)


def relu_data():
    data = reference("stochastic_relu")
    return np.array(data["x"]), np.array(data["y"])


def torch_derivatives(function, point):
    point = torch.tensor(point, dtype=torch.float64)
    leaf = point.clone().requires_grad_()
    value = function(leaf)
    (slope,) = torch.autograd.grad(value, leaf)
    return value.item(), slope.numpy(), torch.autograd.functional.hessian(function, point).numpy()


def test_every_criterion_has_its_oracle():
    assert set(CRITERIA) == set(TORCH_LOSS) == set(LinearRegression.param.loss.objects)


@pytest.mark.parametrize("threshold", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("loss", CRITERIA)
def test_regression_values_and_derivatives_are_torchs(loss, threshold):
    x, y = (values.astype(float) for values in seed_data())
    ours = LinearRegression(x, y, loss=loss, delta=threshold, beta=2 * threshold)
    tx, ty = torch.tensor(x), torch.tensor(y)

    def function(p):
        return TORCH_LOSS[loss](p[0] * tx + p[1] - ty, threshold, 2 * threshold)

    for point in np.random.default_rng(5).uniform(-5, 8, (40, 2)):
        value, slope, bend = torch_derivatives(function, point)
        np.testing.assert_allclose(ours.value(*point), value, rtol=1e-12)
        np.testing.assert_allclose(ours.gradient(*point), slope, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(ours.float_gradient()(*point), slope, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(ours.hessian(*point), bend, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("loss", CRITERIA)
def test_gradients_at_the_kinks(loss):
    """Residuals 0 and exactly at the thresholds: subgradient 0 at 0, as PyTorch has it."""
    for residual in (0.0, 1.0, -1.0):
        x, y = np.array([0.0, 0.0]), np.array([-residual, -residual])
        ours = LinearRegression(x, y, loss=loss)
        leaf = torch.tensor([0.0, 0.0], dtype=torch.float64, requires_grad=True)
        r = leaf[0] * torch.tensor(x) + leaf[1] - torch.tensor(y)
        (slope,) = torch.autograd.grad(TORCH_LOSS[loss](r, 1.0, 1.0), leaf)
        rounding = {"rtol": 0 if loss in SEED_LOSSES else 1e-15}  # others are written otherwise
        np.testing.assert_allclose(ours.gradient(0.0, 0.0), slope.numpy(), **rounding)
        np.testing.assert_allclose(ours.float_gradient()(0.0, 0.0), slope.numpy(), **rounding)


def test_relu_net_values_and_derivatives_are_torchs():
    x, y = relu_data()
    ours, tx, ty = ReLUNet(x, y), torch.tensor(x), torch.tensor(y)

    def function(w):
        return ((w[0] * torch.relu(w[1] * tx) - ty) ** 2).mean()

    for point in [(0.5, 0.0), (0.0, 0.0), *np.random.default_rng(5).uniform(-3, 3, (40, 2))]:
        value, slope, bend = torch_derivatives(function, point)
        np.testing.assert_allclose(ours.value(*point), value, rtol=1e-12)
        np.testing.assert_allclose(ours.gradient(*point), slope, rtol=1e-9, atol=1e-13)
        np.testing.assert_allclose(ours.hessian(*point), bend, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("case", reference("regression_paths"),
                         ids=lambda c: "-".join(str(v) for k, v in c.items() if not isinstance(v, list)))  # fmt: skip
def test_the_regression_seeds_hundred_epochs(case):
    x, y = seed_data()
    settings = {k: v for k, v in case.items() if k not in ("loss", "weight_bias_path", "losses")}
    run = descend(LinearRegression(x, y, loss=case["loss"]), SGD(**settings), (6, -3), 100)
    path, losses = np.array(case["weight_bias_path"]), np.array(case["losses"])
    assert len(path) == 101 and len(losses) == 100
    assert np.abs(run.x[:, 0] - path).max() <= 1e-5 * np.abs(path).max()
    np.testing.assert_allclose(run.loss[:-1, 0], losses, rtol=1e-5)


def test_the_regression_seeds_maps():
    x, y = seed_data()
    axis = -5 + 13 * np.arange(101) / 100
    for loss, figures in reference("regression_maps").items():
        got = LinearRegression(x, y, loss=loss).landscape(axis, axis)
        assert got.shape == (101, 101)
        corners = [got[0, 0], got[0, -1], got[-1, 0], got[-1, -1]]
        np.testing.assert_allclose(corners, figures["corners"], rtol=1e-5)
        np.testing.assert_allclose(got.min(), figures["minimum"], rtol=1e-5)
        np.testing.assert_allclose(got.mean(), figures["mean"], rtol=1e-5)
        np.testing.assert_allclose(got[50, 50], figures["centre"], rtol=1e-5)
        assert list(np.unravel_index(got.argmin(), got.shape)) == figures["argmin"]


def test_the_stochastic_seed():
    data = reference("stochastic_relu")
    net = ReLUNet(*relu_data())
    order = [np.array([k]) for k in range(100)]
    run = descend(net, SGD(lr=data["lr"]), data["init"], 100, batches=order)
    np.testing.assert_allclose(run.x[:-1, 0], data["iterates"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(run.gradients[:, 0], data["gradients"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(run.batch_loss[:, 0], data["sample_losses"], rtol=1e-9, atol=1e-12)
    axis = np.linspace(-3, 3, 100)
    risk, maps = net.landscape(axis, axis), net.landscape(axis, axis, samples=range(100))
    figures = data["empirical_risk"]
    got = [risk.min(), risk.mean(), risk[10, 80]]
    np.testing.assert_allclose(got, [figures[k] for k in ("min", "mean", "at_10_80")], rtol=1e-9)
    assert maps.shape == (100, 100, 100)
    for k, expected in data["sample_maps"].items():
        got = [maps[int(k)].mean(), maps[int(k), 10, 80]]
        np.testing.assert_allclose(got, [expected["mean"], expected["at_10_80"]], rtol=1e-9)
    np.testing.assert_allclose(maps.mean(axis=0), risk, rtol=1e-12)


def test_one_sample_map_alone():
    net, axis = ReLUNet(*relu_data()), np.linspace(-3, 3, 20)
    both = net.landscape(axis, axis, samples=[3, 42])
    np.testing.assert_array_equal(net.landscape(axis, axis, samples=42), both[1:])
    np.testing.assert_allclose(both[1, 2, 5], (axis[2] * max(axis[5] * net.x[42], 0) - net.y[42]) ** 2)


def test_full_batches_are_no_batches():
    net = ReLUNet(*relu_data())
    plain = descend(net, Adam(lr=0.05), (1.2, -2.3), 30)
    batched = descend(net, Adam(lr=0.05), (1.2, -2.3), 30, batches=[np.arange(100)] * 30)
    np.testing.assert_array_equal(plain.x, batched.x)
    np.testing.assert_allclose(batched.batch_loss, plain.loss[:-1], rtol=1e-12)
    assert plain.batch_loss is None


def test_the_gradient_of_a_batch_is_that_of_its_samples():
    x, y = relu_data()
    batch = np.array([5, 17, 60])
    part = ReLUNet(x[batch], y[batch])
    for point in ((1.2, -2.3), (0.3, 0.8)):
        np.testing.assert_array_equal(ReLUNet(x, y).float_gradient(batch)(*point), part.float_gradient()(*point))
        np.testing.assert_array_equal(ReLUNet(x, y).value_of(batch, *point), part.value(*point))


def four():
    x, y = seed_data()
    return [LinearRegression(x, y, loss=loss) for loss in CRITERIA]


@pytest.mark.parametrize("settings", [
    {}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "dampening": 0.8},
    {"momentum": 0.9, "nesterov": True, "weight_decay": 2.0},
])  # fmt: skip
def test_lanes_equal_single_runs_bit_for_bit(settings):
    together = descend(Lanes(four()), SGD(lr=0.1, **settings), (6, -3), 100)
    for k, each in enumerate(four()):
        alone = descend(each, SGD(lr=0.1, **settings), (6, -3), 100)
        for name in ("x", "loss", "updates", "gradients"):
            np.testing.assert_array_equal(getattr(together, name)[:, k], getattr(alone, name)[:, 0])


def test_lanes_with_batches_equal_single_runs():
    batches = [*batch_indices(50, 7, seed=1)] * 3
    together = descend(Lanes(four()), SGD(lr=0.05), (6, -3), len(batches), batches=batches)
    for k, each in enumerate(four()):
        alone = descend(each, SGD(lr=0.05), (6, -3), len(batches), batches=batches)
        np.testing.assert_array_equal(together.x[:, k], alone.x[:, 0])
        np.testing.assert_array_equal(together.batch_loss[:, k], alone.batch_loss[:, 0])


def test_lanes_refusals():
    x, y = seed_data()
    with pytest.raises(ValueError, match="same variables"):
        Lanes([LinearRegression(x, y), ReLUNet(x, y)])
    with pytest.raises(ValueError, match="at least one") as caught:
        Lanes([])
    assert one_sentence(str(caught.value))
    with pytest.raises(ValueError, match="one length"):
        descend(Lanes([ReLUNet(x, y), ReLUNet(x[:9], y[:9])]), SGD(lr=0.1), (1, 1), 3)
    with pytest.raises(ValueError, match="one length"):
        descend(Lanes(four()), SGD(lr=0.1), np.ones((3, 2)), 3)
    with pytest.raises(ValueError, match="data") as caught:
        Lanes([Quadratic(), Quadratic()])
    assert one_sentence(str(caught.value))


def test_batch_indices():
    order = batch_indices(10, 4)
    assert [list(b) for b in order] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    shuffled = np.concatenate(batch_indices(10, 4, seed=3))
    assert sorted(shuffled) == list(range(10)) and list(shuffled) != list(range(10))
    np.testing.assert_array_equal(shuffled, np.concatenate(batch_indices(10, 4, seed=3)))
    for size in (0, 11, -1, 2.5):
        with pytest.raises(ValueError, match="batch size"):
            batch_indices(10, size)
    with pytest.raises(ValueError, match="a seed to draw with replacement"):
        batch_indices(10, 4, replacement=True)


@pytest.mark.parametrize("size", [1, 6, 30])
def test_sampling_with_replacement_is_noisier_by_the_finite_population_correction(size):
    n, seeds = 30, range(1500)
    loss, point = ReLUNet(*np.random.default_rng(0).uniform(-1, 1, (2, n))), (0.7, -0.4)
    slopes = np.array([loss.array_gradient([k])(*point) for k in range(n)])
    spread = ((slopes - slopes.mean(axis=0)) ** 2).mean(axis=0)
    for replacement, factor in ((True, 1.0), (False, 1 - (size - 1) / (n - 1))):
        epochs = [batch_indices(n, size, seed, replacement) for seed in seeds]
        for seed, epoch in zip(seeds, epochs, strict=True):
            drawn = np.concatenate(epoch)
            numpys = np.random.default_rng(seed)
            expected = numpys.integers(0, n, n) if replacement else numpys.permutation(n)
            np.testing.assert_array_equal(drawn, expected)
            assert replacement or sorted(drawn) == list(range(n))
        means = np.array([slopes[batch].mean(axis=0) for epoch in epochs for batch in epoch])
        np.testing.assert_allclose(means.mean(axis=0), slopes.mean(axis=0), atol=5 * np.sqrt(spread.max() / len(means)))
        np.testing.assert_allclose(means.var(axis=0), factor * spread / size, rtol=0.12, atol=1e-25)


def test_landscapes_put_the_first_parameter_in_the_rows():
    loss, rows, columns = four()[0], np.linspace(-5, 8, 7), np.linspace(-2, 2, 4)
    got = loss.landscape(rows, columns)
    assert got.shape == (7, 4)
    np.testing.assert_allclose(got[2, 3], loss.value(rows[2], columns[3]), rtol=1e-14)


def test_a_users_loss_is_one_method():
    class Cubic(DataLoss):
        names = ("a", "b")

        @classmethod
        def shape_names(cls):
            return []

        @staticmethod
        def sample(h, a, b, x, y, xp):
            return xp.log(1 + (a * x**3 + b - y) ** 2)

    x, y = np.linspace(-1, 1, 9), np.linspace(0, 1, 9)
    loss = Cubic(x, y)
    np.testing.assert_allclose(loss.value(0.5, 0.1), np.log(1 + (0.5 * x**3 + 0.1 - y) ** 2).mean())
    run = descend(loss, Adam(lr=0.05), (1, 1), 200)
    assert run.loss[-1, 0] < run.loss[0, 0]


def test_torch_loss_of_a_module():
    x, y = (values.astype(float) for values in seed_data())
    module = torch.nn.Linear(1, 1)
    with torch.no_grad():
        module.weight.fill_(6.0)
        module.bias.fill_(-3.0)
    loss = TorchLoss(module, torch.nn.MSELoss(), x[:, None], y[:, None])
    assert loss.names == ("p0", "p1") and loss.starts == ((6.0, -3.0),)
    ours = descend(LinearRegression(x, y), SGD(lr=0.1, momentum=0.9), (6, -3), 60)
    theirs = descend(loss, SGD(lr=0.1, momentum=0.9), loss.starts[0], 60)
    for name in ("x", "loss", "gradients"):
        np.testing.assert_allclose(getattr(theirs, name), getattr(ours, name), rtol=1e-9, atol=1e-12)
    hessian = LinearRegression(x, y).hessian(1.0, 2.0)
    np.testing.assert_allclose(loss.hessian(1.0, 2.0), hessian, rtol=1e-9)
    assert module.weight.item() == 6.0 and module.weight.dtype == torch.float32


def test_torch_loss_in_batches_and_lanes():
    x, y = (values.astype(float) for values in seed_data())
    loss = TorchLoss(torch.nn.Linear(1, 1), torch.nn.MSELoss(), x[:, None], y[:, None])
    batches, starts = batch_indices(50, 10, seed=2), [(6, -3), (1, 1)]
    theirs = descend(loss, SGD(lr=0.05), starts, 5, batches=batches)
    ours = descend(LinearRegression(x, y), SGD(lr=0.05), starts, 5, batches=batches)
    np.testing.assert_allclose(theirs.x, ours.x, rtol=1e-9)
    np.testing.assert_allclose(theirs.batch_loss, ours.batch_loss, rtol=1e-9)


def test_more_than_two_parameters():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    inputs, targets = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([[0.0], [1], [1], [0]])
    loss = TorchLoss(net, torch.nn.MSELoss(), inputs, targets)
    run = descend(loss, Adam(lr=0.05), loss.starts[0], 100)
    assert run.x.shape == (101, 1, 17) and run.loss[-1, 0] < 0.05 < run.loss[0, 0]


def test_torch_loss_needs_a_scalar_criterion():
    loss = TorchLoss(torch.nn.Linear(1, 1), torch.nn.MSELoss(reduction="none"), np.ones((4, 1)), np.ones((4, 1)))
    with pytest.raises(ValueError, match="one number") as caught:
        descend(loss, SGD(lr=0.1), (1, 1), 3)
    assert one_sentence(str(caught.value))


@pytest.mark.parametrize(("x", "y", "word"), [
    ([1.0], [1.0], "at least two"), ([], [], "at least two"), ([1, 2], [1, 2, 3], "one length"),
    ([1, float("nan")], [1, 2], "finite"), ([1, 2], [1, float("inf")], "finite"),
    ([[1, 2]], [[1, 2]], "one-dimensional"), (["a", "b"], [1, 2], "numbers"), (None, None, "one"), (3.0, 3.0, "one"),
])  # fmt: skip
@pytest.mark.parametrize("cls", [LinearRegression, ReLUNet])
def test_bad_data_is_refused_in_a_sentence(cls, x, y, word):
    with pytest.raises(ValueError, match=word) as caught:
        cls(x, y)
    assert one_sentence(str(caught.value)) and cls.__name__ in str(caught.value)


def test_bad_loss_settings_are_refused():
    for settings in ({"loss": "l7"}, {"delta": 0}, {"beta": -1}, {"delta": "wide"}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            LinearRegression([1, 2], [3, 4], **settings)


def test_data_is_copied():
    x, y = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    loss = LinearRegression(x, y)
    before = loss.value(3.0, 1.0)
    x[0] = 100
    assert loss.value(3.0, 1.0) == before


@pytest.mark.parametrize("make", [lambda x, y: LinearRegression(x, y), lambda x, y: ReLUNet(x, y)])
def test_a_run_over_data_diverges_without_a_warning(make):
    loss = make(*relu_data())
    alone = descend(loss, SGD(lr=1e6), (1.2, 2.3), 200)
    together = descend(loss, SGD(lr=[1e6, 0.01]), (1.2, 2.3), 200)
    assert alone.diverged[0] > 0 and list(together.diverged) == [alone.diverged[0], 0]
    batched = descend(loss, SGD(lr=1e6), (1.2, 2.3), 200, batches=[np.arange(3)] * 200)
    assert batched.diverged[0] > 0 and np.isnan(batched.x[batched.diverged[0] + 1 :]).all()
