"""Values of `lamina.ops` against NumPy in a wider type: every rank, worked numbers, empty arrays."""

import numpy as np
import pytest
from kernel_bounds import (
    activation_bound,
    activation_grad_bound,
    assert_within,
    dense_bound,
    loss_grad_bound,
    loss_rows_bound,
    matmul_bound,
    unit,
)
from numpy_oracle import LOSSES, activation, activation_grad, loss_grad, loss_rows, wide

from lamina import ops

pytestmark = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
SHAPES = [(), (1,), (7,), (3, 5), (2, 3, 4), (2, 1, 3, 2)]
FORMS = [("mean_squared_error", False), *((kind, logits) for kind in LOSSES[1:] for logits in (False, True))]


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        (name, shape)
        for name in ("sigmoid", "tanh", "relu", "softmax")
        for shape in SHAPES
        if shape or name != "softmax"
    ],
)
def test_activations(name, shape, dtype, rng):
    x = np.asarray(3 * rng.standard_normal(shape), dtype)
    y = getattr(ops, name)(x)
    assert_within(np.asarray(y), activation(name, x), activation_bound(name, x), dtype)
    dy = np.asarray(rng.standard_normal(shape), dtype)
    dx = getattr(ops, name + "_grad")(y, dy)
    y = np.asarray(y)
    assert_within(np.asarray(dx), activation_grad(name, y, dy), activation_grad_bound(name, y, dy), dtype)


def test_scalars_come_back_as_scalars(dtype):
    assert isinstance(ops.sigmoid(dtype(0)), dtype)
    assert ops.sigmoid(dtype(0)) == 0.5
    assert ops.relu_grad(dtype(2), dtype(3)) == 3


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_matmul(transpose_a, transpose_b, dtype, rng):
    for n, k, m in [(1, 1, 1), (2, 3, 4), (17, 33, 9), (64, 65, 66)]:
        a, b = rng.standard_normal((n, k)).astype(dtype), rng.standard_normal((k, m)).astype(dtype)
        got = ops.matmul(
            a.T.copy() if transpose_a else a, b.T.copy() if transpose_b else b, transpose_a, transpose_b
        )
        assert_within(got, wide(a) @ wide(b), matmul_bound(a, b), dtype)
        assert got.flags.c_contiguous


@pytest.mark.parametrize("name", [None, "linear", "relu", "sigmoid", "tanh", "softmax"])
@pytest.mark.parametrize("rows", [(), (4,), (2, 3), (2, 1, 3)])
def test_dense(name, rows, dtype, rng):
    x, w, b = (rng.standard_normal(shape).astype(dtype) for shape in ((*rows, 6), (6, 5), (5,)))
    flat = x.reshape(-1, 6)
    for bias in (b, None):
        exact = activation(name or "linear", wide(flat) @ wide(w) + (0 if bias is None else wide(bias)))
        got = ops.dense(x, w, bias, name)
        assert got.shape == (*rows, 5)
        assert_within(got.reshape(-1, 5), exact, dense_bound(flat, w, bias, name or "linear"), dtype)


@pytest.mark.parametrize("rows", [(), (4,), (2, 3), (2, 1, 3)])
def test_dense_grad(rows, dtype, rng):
    x, w, dy = (rng.standard_normal(shape).astype(dtype) for shape in ((*rows, 6), (6, 5), (*rows, 5)))
    dx, dw, db = ops.dense_grad(x, w, dy)
    assert (dx.shape, dw.shape, db.shape) == (x.shape, w.shape, (5,))
    flat, dflat = x.reshape(-1, 6), dy.reshape(-1, 5)
    assert_within(dx.reshape(-1, 6), wide(dflat) @ wide(w).T, matmul_bound(dflat, w.T), dtype)
    assert_within(dw, wide(flat).T @ wide(dflat), matmul_bound(flat.T, dflat), dtype)
    assert_within(db, wide(dflat).sum(axis=0), 8 * unit(dtype) * np.abs(wide(dflat)).sum(axis=0), dtype)
    nothing, *same = ops.dense_grad(x, w, dy, input_gradient=False)
    assert nothing is None
    for got, expected in zip(same, (dw, db), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("rows", [(), (4,), (2, 3)])
@pytest.mark.parametrize(("kind", "from_logits"), FORMS)
def test_losses(kind, from_logits, rows, dtype, rng):
    z = rng.standard_normal((*rows, 5))
    sparse, binary = kind.startswith("sparse"), kind == "binary_crossentropy"
    y_pred = np.asarray(z if from_logits else activation("sigmoid" if binary else "softmax", z), dtype)
    y_true = rng.integers(0, 5, rows) if sparse else np.eye(5, dtype=dtype)[rng.integers(0, 5, rows)]
    t, p = np.reshape(y_true, -1) if sparse else y_true.reshape(-1, 5), y_pred.reshape(-1, 5)
    exact, bound = loss_rows(kind, t, p, from_logits), loss_rows_bound(kind, p, from_logits)
    got = getattr(ops, kind)(y_true, y_pred, from_logits)
    assert type(got) is float
    assert abs(got - exact.mean()) <= bound.mean()
    gradient = getattr(ops, kind + "_grad")(y_true, y_pred, from_logits)
    assert gradient.shape == y_pred.shape
    exact, bound = loss_grad(kind, t, p, from_logits), loss_grad_bound(kind, t, p, from_logits)
    assert_within(gradient.reshape(-1, 5), exact, bound, dtype)


@pytest.mark.parametrize("kind", ["mean_squared_error", "binary_crossentropy"])
@pytest.mark.parametrize(("shape_true", "shape_pred"), [((4,), (4, 1)), ((4, 1), (4,))])
def test_a_column_and_a_vector_stand_for_one_another(kind, shape_true, shape_pred, dtype):
    t, p = np.array([0, 1, 1, 0], dtype), np.array([0.1, 0.9, 0.4, 0.5], dtype)
    got = getattr(ops, kind)(t.reshape(shape_true), p.reshape(shape_pred))
    assert got == pytest.approx(
        float(loss_rows(kind, t[:, None], p[:, None], False).mean()), rel=20 * unit(dtype)
    )
    gradient = getattr(ops, kind + "_grad")(t.reshape(shape_true), p.reshape(shape_pred))
    assert gradient.shape == shape_pred
    expected = getattr(ops, kind + "_grad")(t[:, None], p[:, None])
    np.testing.assert_allclose(gradient.ravel(), expected.ravel(), rtol=8 * unit(dtype))


@pytest.mark.parametrize(
    "kind", [np.int8, np.uint8, np.int32, np.int64, np.uint64, np.float32, np.float64, bool]
)
def test_labels_of_every_type(kind, dtype):
    p = np.array([[0.2, 0.8], [0.7, 0.3], [0.5, 0.5]], dtype)
    labels = np.array([1, 0, 1])
    expected = ops.sparse_categorical_crossentropy(labels, p)
    assert expected == pytest.approx(-np.log([0.8, 0.7, 0.5]).mean(), rel=20 * unit(dtype))
    assert ops.sparse_categorical_crossentropy(labels.astype(kind), p) == expected
    assert ops.sparse_categorical_crossentropy(labels.astype(kind)[:, None], p) == expected
    assert ops.sparse_categorical_crossentropy(labels.tolist(), p) == expected


def test_sparse_and_one_hot_agree(dtype, rng):
    z, labels = rng.standard_normal((8, 5)).astype(dtype), rng.integers(0, 5, 8)
    one_hot = np.eye(5, dtype=dtype)[labels]
    sparse, dense = ops.sparse_categorical_crossentropy, ops.categorical_crossentropy
    assert sparse(labels, z, True) == pytest.approx(dense(one_hot, z, True), rel=20 * unit(dtype))


def test_worked_numbers(dtype):
    """What the textbook of program P4 prints."""
    np.testing.assert_array_equal(
        ops.softmax(np.array([2.20, 1.39, 0.85], dtype)).round(2), np.array([0.59, 0.26, 0.15], dtype)
    )
    np.testing.assert_array_equal(
        ops.softmax(np.array([0.0, -1.39, -2.20], dtype)).round(2), np.array([0.74, 0.18, 0.08], dtype)
    )
    assert round(float(ops.sigmoid(dtype(2.20))), 1) == 0.9


def test_gradient_of_softmax_with_cross_entropy_is_a_minus_y(dtype, rng):
    """The identity the same book derives; here the two ways to the same gradient."""
    z, y = rng.standard_normal((6, 4)).astype(dtype), np.eye(4, dtype=dtype)[rng.integers(0, 4, 6)]
    a = ops.softmax(z)
    together = ops.categorical_crossentropy_grad(y, z, from_logits=True)
    np.testing.assert_allclose(6 * together, a - y, atol=8 * unit(dtype))
    chained = ops.softmax_grad(a, ops.categorical_crossentropy_grad(y, a))
    np.testing.assert_allclose(chained, together, atol=100 * unit(dtype))


def test_empty_batches(dtype):
    nothing, w, b = np.empty((0, 4), dtype), np.ones((4, 3), dtype), np.ones(3, dtype)
    for name in ("sigmoid", "tanh", "relu", "softmax"):
        assert getattr(ops, name)(nothing).shape == (0, 4)
        assert getattr(ops, name)(np.empty((3, 0), dtype)).shape == (3, 0)
        assert getattr(ops, name + "_grad")(nothing, nothing).shape == (0, 4)
    assert ops.matmul(nothing, w).shape == (0, 3)
    np.testing.assert_array_equal(ops.matmul(nothing, nothing, transpose_a=True), np.zeros((4, 4)))
    assert ops.dense(nothing, w, b, "softmax").shape == (0, 3)
    assert ops.dense(np.empty((2, 0, 4), dtype), w, b).shape == (2, 0, 3)
    dx, dw, db = ops.dense_grad(nothing, w, np.empty((0, 3), dtype))
    assert dx.shape == (0, 4)
    np.testing.assert_array_equal(dw, np.zeros((4, 3)))
    np.testing.assert_array_equal(db, np.zeros(3))
    for kind in LOSSES:
        target = np.empty(0, np.int64) if kind.startswith("sparse") else nothing
        gradient = getattr(ops, kind + "_grad")(target, nothing)
        assert (gradient.shape, gradient.dtype) == ((0, 4), dtype)
        with pytest.raises(ValueError, match=r"y_pred must hold at least one value.*\(0, 4\)"):
            getattr(ops, kind)(target, nothing)


def test_layers_without_inputs_or_units(dtype):
    b = np.array([1, -2], dtype)
    no_inputs = np.empty((3, 0), dtype), np.empty((0, 2), dtype)
    np.testing.assert_array_equal(ops.dense(*no_inputs, b, "relu"), [[1, 0]] * 3)
    np.testing.assert_array_equal(ops.dense(*no_inputs), np.zeros((3, 2)))
    dx, dw, db = ops.dense_grad(*no_inputs, np.ones((3, 2), dtype))
    assert (dx.shape, dw.shape) == ((3, 0), (0, 2))
    np.testing.assert_array_equal(db, [3, 3])
    no_units = np.ones((3, 4), dtype), np.empty((4, 0), dtype)
    assert ops.dense(*no_units).shape == (3, 0)
    dx, dw, db = ops.dense_grad(*no_units, np.empty((3, 0), dtype))
    np.testing.assert_array_equal(dx, np.zeros((3, 4)))
    assert (dw.shape, db.shape) == ((4, 0), (0,))
