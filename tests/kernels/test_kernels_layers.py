"""Batch normalization, dropout and metrics at sizes around every edge, through networks of one layer."""

import numpy as np
import pytest
from kernel_bounds import assert_within, unit
from numpy_oracle import wide

from lamina import _core

pytestmark = pytest.mark.usefixtures("isa")

WIDTHS = (*range(1, 68), 127, 128, 129, 255, 256, 257, 1023, 1024, 1025)
EPSILON = 1e-3


def core(name, dtype):
    return getattr(_core, name + ("32" if dtype == np.float32 else "64"))


def built(dtype, inputs, *layers):
    network = core("Network", dtype)(inputs)
    for kind, *arguments in layers:
        getattr(network, "add_" + kind)(*arguments)
    network.build()
    return network


def train_once(network, dtype, x, y, kind="mean_squared_error"):
    """[w before - w after] of one step of descent with lr = 1: the gradients of the trainable parameters."""
    optimizer = core("Optimizer", dtype)("sgd", 1.0)
    trainer = core("Trainer", dtype)(network, optimizer, kind, False, 0.0, "sum_over_batch_size", [])
    views = [view for _, _, trainable, view in network.parameters() if trainable]
    before = [view.copy() for view in views]
    data = _core.Dataset(x, y)
    trainer.begin_epoch(data, len(x), False, 0, 0)
    trainer.train(0, 1)
    return [wide(b) - wide(v) for b, v in zip(before, views, strict=True)]


def normalized(x, epsilon=EPSILON):
    """(xhat, 1 / sqrt(variance + epsilon)) with the biased variance of each column."""
    x = wide(x)
    inverse = 1 / np.sqrt(x.var(axis=0) + epsilon)
    return (x - x.mean(axis=0)) * inverse, inverse


def with_values(network, rng, names=("gamma", "beta", "moving_mean", "moving_variance")):
    values = {name: view for _, name, _, view in network.parameters()}
    for name in names:
        values[name][...] = rng.uniform(0.5, 1.5, values[name].shape)
    return values


def output_bound(x, xhat, inverse, gamma, beta):
    """Means are off by some 70 u of the largest value (sums of 64), which 1 / sqrt(variance) enlarges."""
    return (
        80 * unit(x.dtype) * (np.abs(gamma) * (np.abs(x).max(axis=0) * inverse + np.abs(xhat)) + np.abs(beta))
    )


@pytest.mark.parametrize("rows", [1, 2, 63, 64, 65, 130])
def test_batch_normalization_forward(rows, dtype, rng):
    for channels in WIDTHS if rows in (2, 65) else WIDTHS[::7]:
        network = built(dtype, channels, ("batch_normalization", 1, channels, 0.99, EPSILON, True, True))
        values = with_values(network, rng)
        gamma, beta = wide(values["gamma"]), wide(values["beta"])
        x = rng.normal(0.3, 1, (rows, channels)).astype(dtype)
        xhat, inverse = normalized(x)
        bound = output_bound(x, xhat, inverse, gamma, beta)
        assert_within(network.forward(x, True, 0), gamma * xhat + beta, bound, dtype)
        inverse = 1 / np.sqrt(wide(values["moving_variance"]) + EPSILON)
        xhat = (wide(x) - wide(values["moving_mean"])) * inverse
        bound = output_bound(x, xhat, inverse, gamma, beta)
        assert_within(network.forward(x, False, 0), gamma * xhat + beta, bound, dtype)


def test_batch_normalization_of_a_constant_column(dtype):
    network = built(dtype, 3, ("batch_normalization", 1, 3, 0.99, EPSILON, True, True))
    values = {name: view for _, name, _, view in network.parameters()}
    values["gamma"][...], values["beta"][...] = 2, 0.5
    np.testing.assert_array_equal(network.forward(np.full((37, 3), 4, dtype), True, 0), 0.5)


@pytest.mark.parametrize("rows", [2, 63, 64, 65, 130])
def test_batch_normalization_backward(rows, dtype, rng):
    """A dense layer of one input below: its gradient is the sum of x dx for each channel."""
    for channels in WIDTHS if rows == 65 else WIDTHS[::7]:
        layers = [
            ("dense", 1, 1, channels, "linear", False),
            ("batch_normalization", 1, channels, 0.99, EPSILON, True, True),
        ]
        network = built(dtype, 1, *layers)
        values = with_values(network, rng, ["gamma", "beta"])
        values["kernel"][...] = rng.uniform(0.5, 1.5, (1, channels))
        gamma, beta, w = (wide(values[name].copy()) for name in ("gamma", "beta", "kernel"))
        x, t = rng.normal(0, 1, (rows, 1)).astype(dtype), rng.normal(0, 1, (rows, channels)).astype(dtype)
        z = wide(x) @ w
        xhat, inverse = normalized(z)
        dy = 2 * (gamma * xhat + beta - wide(t)) / (rows * channels)
        exact = [
            (wide(x) * gamma * inverse * (dy - dy.mean(0) - xhat * (dy * xhat).mean(0))).sum(0, keepdims=True)
        ]
        exact += [(dy * xhat).sum(0), dy.sum(0)]
        # every factor of every term is off by at most about 100 u of its size, as the output is
        size = np.abs(z).max(0) * inverse + np.abs(xhat).max(0) + 1
        terms = np.abs(dy).max(0) * rows * size**2
        bounds = [np.abs(x).max() * gamma * inverse * terms, terms, terms]
        for got, want, bound in zip(train_once(network, dtype, x, t), exact, bounds, strict=True):
            error = np.abs(got - want)
            # w - (w - g) also rounds, by u of w, which is below 2
            assert (error <= 200 * unit(dtype) * bound + 4 * unit(dtype)).all()


def masks(dtype, size, rate, rows, seed=1, step=0):
    network = built(dtype, size, ("dropout", size, rate, seed))
    return network.forward(np.ones((rows, size), dtype), True, step)


def test_dropout_scales_what_it_keeps(dtype, rng):
    for size in WIDTHS:
        for rate in (0.25, 0.5):
            x = rng.normal(0, 1, (3, size)).astype(dtype)
            network = built(dtype, size, ("dropout", size, rate, 9))
            mask = masks(dtype, size, rate, 3, seed=9)
            assert np.isin(mask, np.array([0, 1 / (1 - rate)], dtype)).all()
            np.testing.assert_array_equal(network.forward(x, True, 0), x * mask)
            np.testing.assert_array_equal(network.forward(x, False, 0), x)


def test_dropout_of_nothing_and_of_everything(dtype):
    np.testing.assert_array_equal(masks(dtype, 37, 0.0, 5), 1)
    np.testing.assert_array_equal(masks(dtype, 37, 1.0, 5), 0)


@pytest.mark.parametrize("rate", [0.01, 0.3, 0.5, 0.9])
def test_dropout_rate(rate, dtype):
    """The number of zeros is binomial: within 4 standard deviations (the seed is fixed)."""
    mask = masks(dtype, 1000, rate, 300)
    n = mask.size
    assert abs((mask == 0).sum() - n * rate) < 4 * np.sqrt(n * rate * (1 - rate))
    assert mask.mean(dtype=float) == pytest.approx(1, abs=4 * np.sqrt(rate / (1 - rate) / n))


def test_dropout_masks_are_independent(dtype):
    """Between rows, columns, steps and seeds: no correlation beyond 4 standard deviations."""
    first = masks(dtype, 500, 0.5, 200) - 1
    others = [np.roll(first, 1, axis=0), np.roll(first, 1, axis=1), np.roll(first, 4, axis=1)]
    others += [masks(dtype, 500, 0.5, 200, step=step) - 1 for step in (1, 2, 2**32)]
    others += [masks(dtype, 500, 0.5, 200, seed=seed) - 1 for seed in (0, 2, 1 + 2**32)]
    for other in others:
        assert abs((first * other).mean(dtype=float)) < 4 / np.sqrt(first.size)


def test_every_set_has_the_same_dropout(isa, dtype):
    """The reference backend's, which knows no instruction sets."""
    reference = core("Network", dtype)(67, "reference")
    reference.add_dropout(67, 0.3, 5)
    reference.build()
    ones = np.ones((5, 67), dtype)
    np.testing.assert_array_equal(masks(dtype, 67, 0.3, 5, seed=5, step=3), reference.forward(ones, True, 3))


def metrics_of(dtype, loss, names, prediction, y):
    width = prediction.shape[1]
    network = built(dtype, width, ("activation", 1, width, "linear"))
    optimizer = core("Optimizer", dtype)("sgd", 0.0)
    trainer = core("Trainer", dtype)(network, optimizer, loss, True, 0.0, "sum_over_batch_size", names)
    return trainer.evaluate(_core.Dataset(prediction, y), 4)[1:]


def test_accuracies(dtype, rng):
    for classes in WIDTHS:
        p = rng.normal(0, 1, (11, classes)).astype(dtype)
        p[0] = 0  # of equal values the first counts
        labels = rng.integers(0, classes, 11)
        expected = (p.argmax(axis=1) == labels).mean()
        sparse = ("sparse_categorical_crossentropy", ["sparse_categorical_accuracy"])
        assert metrics_of(dtype, *sparse, p, labels) == [pytest.approx(expected, rel=1e-14)]
        one_hot = np.eye(classes, dtype=dtype)[labels]
        categorical = ("categorical_crossentropy", ["categorical_accuracy"])
        assert metrics_of(dtype, *categorical, p, one_hot) == [pytest.approx(expected, rel=1e-14)]
        y = (rng.random((11, classes)) < 0.5).astype(dtype)
        p[1] = 0.5  # is not above one half
        expected = ((p > 0.5) == (y == 1)).mean()
        binary = ("binary_crossentropy", ["binary_accuracy"])
        rel = (classes + 2) * unit(dtype)
        assert metrics_of(dtype, *binary, p, y) == [pytest.approx(expected, rel=rel)]


def test_errors(dtype, rng):
    for width in WIDTHS:
        p, y = rng.normal(0, 1, (2, 11, width)).astype(dtype)
        names = ["mean_absolute_error", "mean_squared_error"]
        difference = wide(p) - wide(y)
        expected = [float(np.abs(difference).mean()), float((difference**2).mean())]
        got = metrics_of(dtype, "mean_squared_error", names, p, y)
        assert got == pytest.approx(expected, rel=(width + 5) * unit(dtype))
