"""NaN, infinities, signed zeros, subnormals and saturation; and the state of the floating-point unit."""

import threading

import numpy as np
import pytest
from kernel_bounds import assert_within, ulp
from numpy_oracle import activation

from lamina import _core

pytestmark = pytest.mark.usefixtures("isa")
inf, nan = np.inf, np.nan


def apply(name, x, dtype):
    """The activation of these values, each at 40 neighbouring places: vectors and tails have other code."""
    x = np.repeat(np.asarray(x, dtype), 40)
    y = np.empty_like(x)
    _core.activation(name, x, y)
    first = y[::40]
    for place in range(40):
        assert y[place::40].tobytes() == first.tobytes(), place
    return first


@pytest.mark.parametrize("name", ["linear", "relu", "sigmoid", "tanh", "exp", "softmax"])
def test_nan_stays_nan(name, dtype):
    for size in (1, 3, 8, 16, 17, 33):
        for place in range(size):
            x = np.zeros((2, size), dtype)
            x[0, place] = nan
            y = np.empty_like(x)
            _core.activation(name, x, y)
            if name == "softmax":
                assert np.isnan(y[0]).all()
            else:
                assert np.isnan(y[0, place])
                assert np.isfinite(np.delete(y[0], place)).all()
            assert np.isfinite(y[1]).all()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softmax"])
@pytest.mark.parametrize("argument", ["y", "dy"])
def test_nan_goes_through_gradients(name, argument, dtype):
    arrays = {"y": np.full((2, 5), 0.2, dtype), "dy": np.ones((2, 5), dtype)}
    arrays[argument][0, 3] = nan
    out = np.empty((2, 5), dtype)
    _core.activation_grad(name, arrays["y"], arrays["dy"], out)
    assert np.isnan(out[0, 3])
    assert np.isfinite(out[1]).all()


def test_relu_gradient_is_zero_where_the_output_is(dtype):
    y = np.array([0.0, -0.0, 1.0, np.finfo(dtype).smallest_subnormal, inf], dtype)
    out = np.empty_like(y)
    _core.activation_grad("relu", y, np.full(5, 3, dtype), out)
    np.testing.assert_array_equal(out, [0, 0, 3, 3, 3])
    _core.activation_grad("relu", y, np.full(5, nan, dtype), out)  # a product, as in TensorFlow: NaN stays
    assert np.isnan(out).all()


def test_infinities(dtype):
    np.testing.assert_array_equal(apply("relu", [-inf, inf], dtype), [0, inf])
    np.testing.assert_array_equal(apply("sigmoid", [-inf, inf], dtype), [0, 1])
    np.testing.assert_array_equal(apply("tanh", [-inf, inf], dtype), [-1, 1])
    np.testing.assert_array_equal(apply("exp", [-inf, inf], dtype), [0, inf])


def test_softmax_of_infinities(dtype):
    x = np.array([[-inf, 0, 0], [-inf, -inf, 1], [inf, 0, 0], [-inf, -inf, -inf]], dtype)
    y = np.empty_like(x)
    _core.activation("softmax", x, y)
    np.testing.assert_array_equal(y[:2], [[0, 0.5, 0.5], [0, 0, 1]])
    assert np.isnan(y[2:]).all()


def test_signed_zeros(dtype):
    zeros = np.array([0.0, -0.0], dtype)
    assert apply("tanh", zeros, dtype).tobytes() == zeros.tobytes()
    assert apply("linear", zeros, dtype).tobytes() == zeros.tobytes()
    np.testing.assert_array_equal(apply("relu", zeros, dtype), 0)
    np.testing.assert_array_equal(apply("sigmoid", zeros, dtype), 0.5)
    np.testing.assert_array_equal(apply("exp", zeros, dtype), 1)


def test_saturation(dtype):
    """Exactly 1 where the nearest number is 1; above 0 as long as a subnormal number is nearest."""
    far = {np.float32: 20.0, np.float64: 45.0}[dtype]
    np.testing.assert_array_equal(apply("sigmoid", [far, 1e4, np.finfo(dtype).max], dtype), 1)
    np.testing.assert_array_equal(apply("tanh", [far, 1e4, np.finfo(dtype).max], dtype), 1)
    np.testing.assert_array_equal(apply("tanh", [-far, -1e4, np.finfo(dtype).min], dtype), -1)
    lowest = {np.float32: [-88.0, -100.0, -103.0], np.float64: [-709.0, -740.0, -745.0]}[dtype]
    for name in ("sigmoid", "exp"):
        y = apply(name, lowest, dtype)
        assert (y > 0).all()
        exact = activation(name, np.array(lowest, dtype))
        assert_within(y, exact, 2 * ulp(exact, dtype), dtype)
        np.testing.assert_array_equal(apply(name, [-1e4, np.finfo(dtype).min], dtype), 0)
    assert np.isfinite(apply("exp", [{np.float32: 88.72, np.float64: 709.78}[dtype]], dtype)).all()
    assert np.isinf(apply("exp", [{np.float32: 88.73, np.float64: 709.79}[dtype]], dtype)).all()


def test_subnormal_arguments(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([tiny, -tiny, 3 * tiny, np.finfo(dtype).smallest_normal / 2], dtype)
    for name in ("linear", "tanh"):
        assert apply(name, x, dtype).tobytes() == x.tobytes()
    np.testing.assert_array_equal(apply("relu", x, dtype), np.maximum(x, 0))
    np.testing.assert_array_equal(apply("sigmoid", x, dtype), 0.5)
    np.testing.assert_array_equal(apply("exp", x, dtype), 1)


def test_subnormal_products_are_not_flushed(dtype):
    small = np.full((3, 3), np.sqrt(np.finfo(dtype).smallest_normal) / 8, dtype)
    out = np.empty_like(small)
    _core.matmul(small, small, out)
    np.testing.assert_array_equal(out, 3 * small * small)
    w, dw = np.zeros(37, dtype), np.full(37, np.finfo(dtype).smallest_normal, dtype)
    _core.sgd_step(w, dw, 0.25, 0.0, None, False)
    np.testing.assert_array_equal(w, -dw / 4)


def test_floating_point_unit_is_left_as_it_was(dtype):
    """Flush-to-zero set by one careless library holds for the whole thread (see llvm issue 57589)."""
    x = np.full((64, 64), 0.01, dtype)
    out = np.empty_like(x)

    def subnormals_live():
        return np.float32(1e-40) * np.float32(1) != 0 and np.float64(1e-310) * np.float64(1) != 0

    assert subnormals_live()
    for name in ("sigmoid", "tanh", "softmax", "exp"):
        _core.activation(name, x, out)
    _core.matmul(x, x, out)
    _core.dense(x, x, None, "relu", out)
    assert subnormals_live()
    seen = []
    thread = threading.Thread(target=lambda: (_core.matmul(x, x, out), seen.append(subnormals_live())))
    thread.start()
    thread.join()
    assert seen == [True]


@pytest.mark.parametrize("special", [nan, inf, -inf])
def test_special_values_in_a_product(special, dtype):
    a, b = np.ones((5, 37), dtype), np.ones((37, 6), dtype)
    a[2, 30] = special
    out = np.full((5, 6), nan, dtype)  # what was in out must not come back
    _core.matmul(a, b, out)
    np.testing.assert_array_equal(out[2], np.full(6, special, dtype))
    np.testing.assert_array_equal(np.delete(out, 2, axis=0), 37)
    b[30, 1] = 0  # 0 * inf is NaN: no kernel may skip zeros
    _core.matmul(a, b, out)
    assert np.isnan(out[2, 1])
    np.testing.assert_array_equal(np.delete(out, 2, axis=0)[:, 1], 36)


@pytest.mark.parametrize("name", ["linear", "relu", "sigmoid", "tanh", "softmax"])
def test_nan_goes_through_a_dense_layer(name, dtype):
    x, w, b = np.ones((3, 9), dtype), np.full((9, 20), 0.1, dtype), np.zeros(20, dtype)
    x[1, 4] = nan
    out = np.empty((3, 20), dtype)
    _core.dense(x, w, b, name, out)
    assert np.isnan(out[1]).all()
    assert np.isfinite(out[[0, 2]]).all()
    b[7] = nan
    _core.dense(np.ones((3, 9), dtype), w, b, name, out)
    assert np.isnan(out[:, 7]).all()


@pytest.mark.parametrize(
    ("kind", "from_logits"),
    [
        ("mean_squared_error", False),
        ("binary_crossentropy", False),
        ("binary_crossentropy", True),
        ("categorical_crossentropy", False),
        ("categorical_crossentropy", True),
    ],
)
@pytest.mark.parametrize("argument", [0, 1])
def test_nan_goes_through_losses(kind, from_logits, argument, dtype):
    for size in (1, 4, 19):
        pair = [np.full((3, size), 0.3, dtype), np.full((3, size), 0.4, dtype)]
        pair[argument][1, size // 2] = nan
        assert np.isnan(_core.loss(kind, *pair, from_logits))
        rows, grad = np.empty(3, dtype), np.empty((3, size), dtype)
        _core.loss_rows(kind, *pair, from_logits, rows)
        np.testing.assert_array_equal(np.isnan(rows), [False, True, False])
        _core.loss_grad(kind, *pair, from_logits, grad)
        if from_logits or kind == "mean_squared_error":  # else the clip stops a NaN's gradient
            assert np.isnan(grad[1, size // 2])
        assert np.isfinite(grad[[0, 2]]).all()


@pytest.mark.parametrize("from_logits", [False, True])
def test_nan_goes_through_the_sparse_loss(from_logits, dtype):
    p, labels = np.full((3, 4), 0.25, dtype), np.array([0, 1, 2])
    p[1, 1] = nan
    rows, grad = np.empty(3, dtype), np.empty((3, 4), dtype)
    _core.loss_rows("sparse_categorical_crossentropy", labels, p, from_logits, rows)
    np.testing.assert_array_equal(np.isnan(rows), [False, True, False])
    _core.loss_grad("sparse_categorical_crossentropy", labels, p, from_logits, grad)
    if from_logits:
        assert np.isnan(grad[1, 1])
    assert np.isfinite(grad[[0, 2]]).all()
