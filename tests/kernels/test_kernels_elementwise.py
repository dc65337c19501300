"""Activations and their gradients, at sizes around every edge of a vector or block."""

import numpy as np
import pytest
from kernel_bounds import activation_bound, activation_grad_bound, assert_within
from numpy_oracle import activation, activation_grad

from lamina import _core

SIZES = (*range(1, 68), 127, 128, 129, 255, 256, 257, 1023, 1024, 1025)
ELEMENTWISE = ("linear", "relu", "sigmoid", "tanh", "exp")
GUARD = 64  # elements on either side of the output that no kernel may touch

pytestmark = pytest.mark.usefixtures("isa")


def guarded(shape, dtype):
    """An array of NaN inside a larger one of sevens, and a function that says if these are still there."""
    size = int(np.prod(shape))
    block = np.full(size + 2 * GUARD, 7, dtype)
    block[GUARD : GUARD + size] = np.nan

    def untouched():
        return bool((block[:GUARD] == 7).all() and (block[GUARD + size :] == 7).all())

    return block[GUARD : GUARD + size].reshape(shape), untouched


def values(rng, shape, dtype):
    """Small, middling and large numbers of both signs."""
    return (rng.standard_normal(shape) * rng.choice([1e-3, 1, 10], shape)).astype(dtype)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_activation_at_every_size(name, dtype, rng):
    for size in SIZES:
        x = values(rng, size, dtype)
        out, untouched = guarded(size, dtype)
        _core.activation(name, x, out)
        assert_within(out, activation(name, x), activation_bound(name, x), dtype)
        assert untouched(), size


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_softmax_at_every_size(rows, dtype, rng):
    for size in SIZES:
        x = values(rng, (rows, size), dtype)
        out, untouched = guarded((rows, size), dtype)
        _core.activation("softmax", x, out)
        assert_within(out, activation("softmax", x), activation_bound("softmax", x), dtype)
        assert untouched(), size


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_activation_grad_at_every_size(name, dtype, rng):
    for size in SIZES:
        y, dy = activation(name, values(rng, size, dtype)).astype(dtype), values(rng, size, dtype)
        out, untouched = guarded(size, dtype)
        _core.activation_grad(name, y, dy, out)
        assert_within(out, activation_grad(name, y, dy), activation_grad_bound(name, y, dy), dtype)
        assert untouched(), size


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_softmax_grad_at_every_size(rows, dtype, rng):
    for size in SIZES:
        y = activation("softmax", values(rng, (rows, size), dtype)).astype(dtype)
        dy = values(rng, (rows, size), dtype)
        out, untouched = guarded((rows, size), dtype)
        _core.activation_grad("softmax", y, dy, out)
        assert_within(out, activation_grad("softmax", y, dy), activation_grad_bound("softmax", y, dy), dtype)
        assert untouched(), size


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_element_does_not_depend_on_where_it_stands(name, dtype, rng):
    x = values(rng, 131, dtype)
    whole = np.empty_like(x)
    _core.activation(name, x, whole)
    for first in range(40):
        for last in (first + 1, first + 7, first + 16, first + 33, 131):
            part = np.empty(last - first, dtype)
            _core.activation(name, x[first:last], part)
            assert part.tobytes() == whole[first:last].tobytes(), (first, last)


@pytest.mark.parametrize("name", [*ELEMENTWISE, "softmax"])
def test_in_place(name, dtype, rng):
    for size in SIZES:
        x = values(rng, (2, size), dtype)
        apart = np.empty_like(x)
        _core.activation(name, x, apart)
        _core.activation(name, x, x)
        assert x.tobytes() == apart.tobytes(), size


@pytest.mark.parametrize("name", [*ELEMENTWISE, "softmax"])
@pytest.mark.parametrize("over", ["y", "dy"])
def test_grad_in_place(name, over, dtype, rng):
    for size in SIZES:
        y, dy = activation(name, values(rng, (2, size), dtype)).astype(dtype), values(rng, (2, size), dtype)
        apart = np.empty_like(y)
        _core.activation_grad(name, y, dy, apart)
        out = {"y": y, "dy": dy}[over]
        _core.activation_grad(name, y, dy, out)
        assert out.tobytes() == apart.tobytes(), size


def test_softmax_rows_sum_to_one_for_many_classes(dtype, rng):
    x = values(rng, (2, 100_000), dtype)
    y = np.empty_like(x)
    _core.activation("softmax", x, y)
    total = y.astype(np.longdouble).sum(axis=1)
    assert (np.abs(total - 1) <= x.shape[1] * np.finfo(dtype).eps).all()


def test_softmax_takes_a_shift_and_huge_values_without_overflow(dtype):
    x = np.array([[-1e4, 0, 1e4], [1e4, 1e4, 1e4], [-3e38, -3e38, 3e38]], dtype)
    y = np.empty_like(x)
    _core.activation("softmax", x, y)
    third = dtype(1) / dtype(3)
    np.testing.assert_array_equal(y, np.array([[0, 0, 1], [third, third, third], [0, 0, 1]], dtype))


def test_worked_numbers(dtype):
    """The numbers that the textbook of program P4 prints."""
    x = np.array([[2.20, 1.39, 0.85], [0.0, -1.39, -2.20]], dtype)
    y = np.empty_like(x)
    _core.activation("softmax", x, y)
    np.testing.assert_array_equal(y.round(2), np.array([[0.59, 0.26, 0.15], [0.74, 0.18, 0.08]], dtype))
    z = np.array([2.20], dtype)
    _core.activation("sigmoid", z, z)
    assert z.round(1)[0] == dtype(0.9)


def test_unknown_name_is_refused():
    x = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match="softsign"):
        _core.activation("softsign", x, x)
    with pytest.raises(ValueError, match="softsign"):
        _core.activation_grad("softsign", x, x, x)
