"""Matrix products and dense layers: shapes around every edge of a block, layouts that the contract allows."""

import itertools

import numpy as np
import pytest
from kernel_bounds import assert_within, dense_bound, matmul_bound, unit
from numpy_oracle import activation, wide

from lamina import _core

pytestmark = pytest.mark.usefixtures("isa")

EDGES = (1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 23, 31, 32, 33, 47, 48, 49, 63, 64, 65, 67)
FAR_EDGES = (127, 128, 129, 255, 256, 257)
SHAPES = (
    *itertools.product((1, 3, 8, 17), (1, 2, 16, 33), (1, 5, 16, 31)),
    *((n, 19, 11) for n in EDGES + FAR_EDGES),
    *((13, k, 9) for k in EDGES + FAR_EDGES + (1023, 1024, 1025)),
    *((12, 21, m) for m in EDGES + FAR_EDGES),
    *((s, s, s) for s in EDGES),
    *((1, k, 1) for k in FAR_EDGES),
    (1025, 3, 2),
    (2, 3, 1025),
    (100, 784, 50),  # a layer of a program that users run
)
# Large enough to be cut into tiles, by rows, by columns and by both, which do not divide evenly.
TILED = ((70, 500, 700), (1500, 300, 33), (33, 300, 1500), (513, 257, 641), (1030, 1031, 5))
ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "softmax")


def matrix(rng, rows, cols, dtype, layout):
    """A random matrix, in memory as the layout says; the contract asks for one contiguous axis."""
    values = rng.standard_normal((rows, cols)).astype(dtype)
    if layout == "C":
        return values
    if layout == "F":
        return np.asfortranarray(values)
    if layout == "wide rows":
        block = np.full((rows, cols + 5), np.nan, dtype)
        block[:, 2 : cols + 2] = values
        return block[:, 2 : cols + 2]
    assert layout == "wide columns"
    return matrix(rng, cols, rows, dtype, "wide rows").T


@pytest.mark.parametrize("layout_a", ["C", "F"])
@pytest.mark.parametrize("layout_b", ["C", "F"])
def test_matmul_at_every_edge(layout_a, layout_b, dtype, rng):
    for n, k, m in SHAPES:
        a, b = matrix(rng, n, k, dtype, layout_a), matrix(rng, k, m, dtype, layout_b)
        out = np.full((n, m), np.nan, dtype)
        _core.matmul(a, b, out)
        assert_within(out, wide(a) @ wide(b), matmul_bound(a, b), dtype)


@pytest.mark.parametrize("layout_a", ["wide rows", "wide columns"])
@pytest.mark.parametrize("layout_b", ["wide rows", "wide columns"])
def test_matmul_of_parts_of_larger_matrices(layout_a, layout_b, dtype, rng):
    for n, k, m in SHAPES[::3]:
        a, b = matrix(rng, n, k, dtype, layout_a), matrix(rng, k, m, dtype, layout_b)
        out = np.full((n, m), np.nan, dtype)
        _core.matmul(a, b, out)
        assert_within(out, wide(a) @ wide(b), matmul_bound(a, b), dtype)


def test_product_of_integers_is_exact(dtype, rng):
    for n, k, m in SHAPES:
        a, b = (rng.integers(-8, 9, shape).astype(dtype) for shape in ((n, k), (k, m)))
        exact = a.astype(np.int64) @ b.astype(np.int64)
        for left, right in itertools.product((a, np.asfortranarray(a)), (b, np.asfortranarray(b))):
            out = np.full((n, m), np.nan, dtype)
            _core.matmul(left, right, out)
            np.testing.assert_array_equal(out, exact)


@pytest.mark.parametrize(("n", "k", "m"), TILED)
def test_tiles_fit_together(n, k, m, dtype, rng):
    """Integers again, so that float64 is exact whatever its order of sums, and quick."""
    x, w, b, dy = (rng.integers(-4, 5, shape).astype(np.float64) for shape in ((n, k), (k, m), m, (n, m)))
    exact = x @ w
    x_, w_, b_, dy_ = (a.astype(dtype) for a in (x, w, b, dy))
    y, dx, dw, db = np.empty_like(dy_), np.empty_like(x_), np.empty_like(w_), np.empty_like(b_)
    for left, right in itertools.product((x_, np.asfortranarray(x_)), (w_, np.asfortranarray(w_))):
        _core.matmul(left, right, y)
        np.testing.assert_array_equal(y, exact)
        _core.dense(left, right, b_, "relu", y)
        np.testing.assert_array_equal(y, np.maximum(exact + b, 0))
        _core.dense_grad(left, right, dy_, dx, dw, db)
        np.testing.assert_array_equal(dx, dy @ w.T)
        np.testing.assert_array_equal(dw, x.T @ dy)
        np.testing.assert_array_equal(db, dy.sum(axis=0))


def test_matmul_changes_nothing_but_its_output(dtype, rng):
    block = np.full((2 * 9 + 1) * 7, 7, dtype)
    out = block[7 * 5 : 7 * 5 + 9 * 7].reshape(9, 7)
    a, b = matrix(rng, 9, 33, dtype, "C"), matrix(rng, 33, 7, dtype, "C")
    before = a.copy(), b.copy()
    _core.matmul(a, b, out)
    assert (block[: 7 * 5] == 7).all()
    assert (block[7 * 5 + 9 * 7 :] == 7).all()
    assert a.tobytes() == before[0].tobytes()
    assert b.tobytes() == before[1].tobytes()


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("with_bias", [True, False])
def test_dense_at_every_edge(name, with_bias, dtype, rng):
    for n, k, m in SHAPES if name == "linear" else SHAPES[::4]:
        x, w = matrix(rng, n, k, dtype, "C"), matrix(rng, k, m, dtype, "C")
        b = matrix(rng, 1, m, dtype, "C")[0] if with_bias else None
        out = np.full((n, m), np.nan, dtype)
        _core.dense(x, w, b, name, out)
        exact = activation(name, wide(x) @ wide(w) + (0 if b is None else wide(b)))
        assert_within(out, exact, dense_bound(x, w, b, name), dtype)


@pytest.mark.parametrize("layout", ["F", "wide rows", "wide columns"])
def test_dense_of_other_layouts(layout, dtype, rng):
    for n, k, m in SHAPES[::3]:
        x, w, b = matrix(rng, n, k, dtype, layout), matrix(rng, k, m, dtype, layout), np.ones(m, dtype)
        out = np.full((n, m), np.nan, dtype)
        _core.dense(x, w, b, "linear", out)
        assert_within(out, wide(x) @ wide(w) + 1, dense_bound(x, w, b, "linear"), dtype)


@pytest.mark.parametrize("layout", ["C", "F", "wide rows", "wide columns"])
def test_dense_grad_at_every_edge(layout, dtype, rng):
    for n, k, m in SHAPES if layout == "C" else SHAPES[::3]:
        x, w, dy = (matrix(rng, *shape, dtype, layout) for shape in ((n, k), (k, m), (n, m)))
        dx, dw, db = (np.full(shape, np.nan, dtype) for shape in ((n, k), (k, m), m))
        if dy.flags.c_contiguous or layout == "wide rows":
            _core.dense_grad(x, w, dy, dx, dw, db)
        else:  # the sum of columns takes rows only
            _core.dense_grad(x, w, dy, dx, dw, None)
            _core.dense_grad(x, w, dy.copy(), None, None, db)
        assert_within(dx, wide(dy) @ wide(w).T, matmul_bound(dy, w.T), dtype)
        assert_within(dw, wide(x).T @ wide(dy), matmul_bound(x.T, dy), dtype)
        assert_within(db, wide(dy).sum(axis=0), (n + 1) * unit(dtype) * np.abs(wide(dy)).sum(axis=0), dtype)


def test_parts_of_the_gradient_may_be_left_out(dtype, rng):
    x, w, dy = matrix(rng, 9, 20, dtype, "C"), matrix(rng, 20, 5, dtype, "C"), matrix(rng, 9, 5, dtype, "C")
    whole = [np.empty((9, 20), dtype), np.empty((20, 5), dtype), np.empty(5, dtype)]
    _core.dense_grad(x, w, dy, *whole)
    for wanted in itertools.product((True, False), repeat=3):
        part = [np.full_like(g, np.nan) if want else None for g, want in zip(whole, wanted, strict=True)]
        _core.dense_grad(x, w, dy, *part)
        for got, expected in zip(part, whole, strict=True):
            assert got is None or got.tobytes() == expected.tobytes()


def test_the_number_of_threads_changes_no_bit(dtype, rng):
    x, w, b = matrix(rng, 300, 257, dtype, "C"), matrix(rng, 257, 129, dtype, "C"), np.ones(129, dtype)
    dy = matrix(rng, 300, 129, dtype, "C")
    before = _core.get_num_threads()
    seen = set()
    try:
        for threads in (1, 2, 3, 8):
            _core.set_num_threads(threads)
            y, dx, dw, db = np.empty_like(dy), np.empty_like(x), np.empty_like(w), np.empty_like(b)
            _core.dense(x, w, b, "tanh", y)
            _core.dense_grad(x, w, dy, dx, dw, db)
            seen.add(b"".join(g.tobytes() for g in (y, dx, dw, db)))
    finally:
        _core.set_num_threads(before)
    assert len(seen) == 1
