"""Losses: value of each row, their mean, and the gradient, at widths around every vector's edge."""

import numpy as np
import pytest
from kernel_bounds import assert_within, loss_grad_bound, loss_rows_bound, unit
from numpy_oracle import LOSSES, activation, loss_grad, loss_rows, wide

from lamina import _core

pytestmark = pytest.mark.usefixtures("isa")

WIDTHS = (*range(1, 68), 127, 128, 129, 255, 256, 257, 1023, 1024, 1025)
FORMS = [("mean_squared_error", False), *((kind, logits) for kind in LOSSES[1:] for logits in (False, True))]


def batch(rng, kind, from_logits, n, k, dtype):
    """Targets and predictions of a classifier or regression; a quarter of the rows is sure of its answer."""
    z = rng.standard_normal((n, k)) * np.where(rng.random((n, 1)) < 0.25, 8, 1)
    if kind == "mean_squared_error":
        return rng.uniform(-1, 1, (n, k)).astype(dtype), z.astype(dtype)
    if kind == "binary_crossentropy":
        return rng.random((n, k)).round().astype(dtype), (
            z if from_logits else activation("sigmoid", z)
        ).astype(dtype)
    prediction = (z if from_logits else activation("softmax", z)).astype(dtype)
    if kind == "sparse_categorical_crossentropy":
        return rng.integers(0, k, n), prediction
    t = rng.random((n, k)) + 0.1
    return (t / t.sum(axis=1, keepdims=True)).astype(dtype), prediction


def check(kind, from_logits, y_true, y_pred):
    n, k = y_pred.shape
    dtype = y_pred.dtype
    rows, gradient = np.full(n, np.nan, dtype), np.full((n, k), np.nan, dtype)
    _core.loss_rows(kind, y_true, y_pred, from_logits, rows)
    _core.loss_grad(kind, y_true, y_pred, from_logits, gradient)
    mean = _core.loss(kind, y_true, y_pred, from_logits)
    exact, bound = loss_rows(kind, y_true, y_pred, from_logits), loss_rows_bound(kind, y_pred, from_logits)
    if (
        kind == "categorical_crossentropy"
    ):  # its targets sum to 1 only to rounding, which the largest term carries
        bound = bound * (1 + np.abs(wide(y_true)).sum(axis=1))
    assert_within(rows, exact, bound, dtype)
    assert isinstance(mean, float)
    assert abs(mean - exact.mean()) <= bound.mean() + n * unit(dtype) * np.abs(exact).mean()
    bound = loss_grad_bound(kind, y_true, y_pred, from_logits)
    assert_within(gradient, loss_grad(kind, y_true, y_pred, from_logits), bound, dtype)


@pytest.mark.parametrize(("kind", "from_logits"), FORMS)
def test_loss_at_every_width(kind, from_logits, dtype, rng):
    for k in WIDTHS:
        check(kind, from_logits, *batch(rng, kind, from_logits, 5, k, dtype))


@pytest.mark.parametrize(("kind", "from_logits"), FORMS)
def test_loss_at_every_number_of_rows(kind, from_logits, dtype, rng):
    for n in (1, 2, 3, 7, 8, 9, 31, 32, 33, 64, 65, 127, 128, 129, 1025):
        check(kind, from_logits, *batch(rng, kind, from_logits, n, 10, dtype))


@pytest.mark.parametrize("kind", LOSSES[1:])
def test_extreme_logits_give_finite_losses(kind, dtype):
    z = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 3], [1e4, 1e4, 1e4]], dtype)
    t = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]], dtype)
    check(kind, True, np.array([0, 0, 2]) if kind.startswith("sparse") else t, z)


def test_binary_crossentropy_near_zero_logits(dtype):
    """One value per row, so that no mean hides the logarithm's error, which is largest at log 2."""
    z = np.concatenate([np.linspace(-3, 3, 1001), [1e-30, -1e-30]]).astype(dtype)[:, None]
    for target in (0, 0.5, 1):
        check("binary_crossentropy", True, np.full_like(z, target), z)


@pytest.mark.parametrize("kind", LOSSES[1:])
def test_probabilities_of_zero_and_one_are_clipped(kind, dtype):
    p = np.array([[0, 1, 0], [1, 0, 0], [0.2, 0.3, 0.5]], dtype)
    t = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1]], dtype)
    y_true = np.array([0, 0, 2]) if kind.startswith("sparse") else t
    check(kind, False, y_true, p)
    gradient = np.empty_like(p)
    _core.loss_grad(kind, y_true, p, False, gradient)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("kind", "from_logits"), FORMS)
def test_gradient_over_the_prediction(kind, from_logits, dtype, rng):
    for k in (1, 3, 8, 16, 17, 65):
        y_true, y_pred = batch(rng, kind, from_logits, 6, k, dtype)
        apart = np.empty_like(y_pred)
        _core.loss_grad(kind, y_true, y_pred, from_logits, apart)
        _core.loss_grad(kind, y_true, y_pred, from_logits, y_pred)
        assert y_pred.tobytes() == apart.tobytes()


def test_many_rows_lose_no_accuracy(dtype):
    """A mean summed in float32 would be off by percents here."""
    n = 3_000_000
    p = np.full((n, 1), 0.1, dtype)
    got = _core.loss("mean_squared_error", np.zeros((n, 1), dtype), p, False)
    assert got == pytest.approx(float(p[0, 0]) ** 2, rel=8 * unit(dtype))


def test_unknown_kind_is_refused():
    x = np.zeros((2, 2), np.float32)
    for call in (
        _core.loss,
        lambda *args: _core.loss_grad(*args, x),
        lambda *args: _core.loss_rows(*args, x[0]),
    ):
        with pytest.raises(ValueError, match="hinge"):
            call("hinge", x, x, False)
