"""An array of any layout gives the bits of its contiguous copy; only in-place steps change it, all alike."""

import numpy as np
import pytest
from ops_cases import LAYOUTS, PURE, STEPS, WITH_OUT, bits

from lamina import _core, ops

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
WRITABLE = [name for name in LAYOUTS if name not in ("read-only", "matrix of lists")]


@DTYPES
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", PURE)
def test_same_bits_from_every_layout(name, layout, dtype):
    case = PURE[name]
    contiguous = case.arguments(dtype)
    expected = case.call(**contiguous, **case.others)
    for argument in contiguous:  # each alone, so that one shows which is at fault
        arrays = {**contiguous, argument: LAYOUTS[layout](contiguous[argument])}
        assert bits(case.call(**arrays, **case.others)) == bits(expected), argument
    arrays = {argument: LAYOUTS[layout](array) for argument, array in contiguous.items()}
    got = case.call(**arrays, **case.others)
    assert bits(got) == bits(expected)
    for result in got if isinstance(got, tuple) else (got,):
        assert isinstance(result, float) or (result.dtype == dtype and result.dtype.isnative)


@pytest.fixture
def seen_by_kernels(monkeypatch):
    """Every array that goes down to the compiled core."""
    seen = []

    def watched(kernel):
        def call(*arguments):
            seen.extend(a for a in arguments if isinstance(a, np.ndarray))
            return kernel(*arguments)

        return call

    kernels = ("matmul", "dense", "dense_grad", "activation", "activation_grad", "loss", "loss_grad")
    for name in (*kernels, "sgd_step", "rmsprop_step", "adagrad_step", "adam_step"):
        monkeypatch.setattr(_core, name, watched(getattr(_core, name)))
    return seen


@pytest.mark.parametrize("layout", WRITABLE)
@pytest.mark.parametrize("name", [*PURE, *STEPS])
def test_kernels_see_one_layout_only(name, layout, seen_by_kernels):
    """Some machines stop at an unaligned number, others only take longer."""
    case = {**PURE, **STEPS}[name]
    arrays = {argument: LAYOUTS[layout](array) for argument, array in case.arguments(np.float32).items()}
    others = dict(case.others)
    if name in WITH_OUT:
        others["out"] = LAYOUTS[layout](case.call(**arrays, **case.others))
    case.call(**arrays, **others)
    assert seen_by_kernels
    for array in seen_by_kernels:
        assert array.flags.aligned
        assert array.dtype.isnative
        assert array.flags.c_contiguous or array.T.flags.c_contiguous


@DTYPES
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "matrix of lists"])
@pytest.mark.parametrize("name", PURE)
def test_inputs_are_not_changed(name, layout, dtype):
    case = PURE[name]
    arrays = {argument: LAYOUTS[layout](array) for argument, array in case.arguments(dtype).items()}
    before = {argument: array.tobytes() for argument, array in arrays.items()}
    case.call(**arrays, **case.others)
    assert {argument: array.tobytes() for argument, array in arrays.items()} == before


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (64, 33), (33, 257)])
@pytest.mark.parametrize("layout", ["Fortran", "strided", "reversed", "part of rows"])
def test_same_bits_at_sizes_where_products_take_other_paths(shape, layout):
    n, k = shape
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((n, k)).astype(np.float32), rng.standard_normal((k, 17)).astype(np.float32)
    expected = ops.matmul(a, b)
    assert bits(ops.matmul(LAYOUTS[layout](a), LAYOUTS[layout](b))) == bits(expected)
    assert bits(ops.matmul(a.T.copy().T, b)) == bits(expected)
    transposed = ops.matmul(a, b.T.copy(), transpose_b=True)
    assert bits(ops.matmul(LAYOUTS[layout](a), LAYOUTS[layout](b.T.copy()), transpose_b=True)) == bits(
        transposed
    )


def test_axes_of_one_element_may_have_any_stride():
    """NumPy calls such arrays contiguous whatever the stride: here it is negative, wide, or zero."""
    x = np.arange(40, dtype=np.float32).reshape(8, 5)
    one_row, one_column = x[::-2][1:2], np.ascontiguousarray(x[:, :1])[::-1][3:4]
    one_value = np.broadcast_to(x[:1, ::3][:, 1:], (1, 1))
    assert one_row.strides[0] < 0
    w = np.arange(10, dtype=np.float32).reshape(5, 2)
    np.testing.assert_array_equal(ops.matmul(one_row, w), one_row @ w)
    np.testing.assert_array_equal(ops.dense(one_row, w), one_row @ w)
    np.testing.assert_array_equal(ops.matmul(one_row, x, transpose_b=True), one_row @ x.T)
    np.testing.assert_array_equal(
        ops.matmul(one_row, np.ones((1, 3), np.float32), True), one_row.T @ np.ones((1, 3))
    )
    np.testing.assert_array_equal(ops.matmul(one_column, one_row), one_column @ one_row)
    np.testing.assert_array_equal(ops.matmul(one_value, one_row), one_value @ one_row)
    np.testing.assert_array_equal(ops.matmul(one_value, one_value), one_value @ one_value)
    dx, dw, db = ops.dense_grad(one_row, w, np.ones((2, 2), np.float32)[::-1][:1])
    np.testing.assert_array_equal(dx, w.sum(axis=1)[None])
    np.testing.assert_array_equal(dw, np.repeat(one_row.T, 2, axis=1))
    np.testing.assert_array_equal(db, [1, 1])
    np.testing.assert_array_equal(ops.relu(one_row), one_row)


def test_memory_mapped_and_frozen_arrays(tmp_path):
    x = np.random.default_rng(1).random((20, 30)).astype(np.float32)
    w = np.random.default_rng(2).random((30, 4)).astype(np.float32)
    path = tmp_path / "x.npy"
    np.save(path, x)
    mapped = np.load(path, mmap_mode="r")
    got = ops.dense(mapped, w, activation="relu")
    assert type(got) is np.ndarray
    assert bits(got) == bits(ops.dense(x, w, activation="relu"))
    # a file that is written to is an array like any other
    weights = np.load(path, mmap_mode="r+")
    ops.sgd_step(weights, np.ones_like(x), 0.5)
    weights.flush()
    np.testing.assert_array_equal(np.load(path), x - np.float32(0.5))


def test_broadcast_views_are_read_right():
    row = np.arange(5, dtype=np.float32)
    view = np.broadcast_to(row, (4, 5))
    np.testing.assert_array_equal(ops.relu(view), view)
    np.testing.assert_array_equal(ops.matmul(view, np.eye(5, dtype=np.float32)), view)
    np.testing.assert_array_equal(ops.matmul(view, view, transpose_b=True), np.full((4, 4), 30, np.float32))


@DTYPES
@pytest.mark.parametrize("layout", WRITABLE)
@pytest.mark.parametrize("name", STEPS)
def test_steps_on_every_layout(name, layout, dtype):
    case = STEPS[name]
    contiguous = case.arguments(dtype)
    laid_out = {argument: LAYOUTS[layout](array.copy()) for argument, array in contiguous.items()}
    gradient = laid_out["dw"].tobytes()
    start = contiguous["w"].copy()
    assert case.call(**contiguous, **case.others) is None
    case.call(**laid_out, **case.others)
    assert not np.array_equal(contiguous["w"], start)
    for argument, array in contiguous.items():
        assert array.dtype == dtype
        np.testing.assert_array_equal(laid_out[argument], array, err_msg=argument)
    assert laid_out["dw"].tobytes() == gradient


def test_slots_that_are_not_needed_stay_as_they_are():
    w, dw, velocity, slot = np.full((4, 3, 2), 0.5)
    ops.sgd_step(w, dw, 0.1, 0.0, velocity)
    np.testing.assert_array_equal(velocity, 0.5)
    ops.rmsprop_step(w, dw, 0.1, velocity, momentum_slot=slot)
    np.testing.assert_array_equal(slot, 0.5)


@pytest.mark.parametrize("name", STEPS)
def test_steps_leave_the_rest_of_a_larger_array_alone(name):
    case = STEPS[name]
    arrays = case.arguments(np.float32)
    blocks = {argument: np.full((13, 19), 99, np.float32) for argument in arrays}
    for argument, array in arrays.items():
        blocks[argument][1::2, 1::2] = array
    case.call(**{argument: block[1::2, 1::2] for argument, block in blocks.items()}, **case.others)
    for block in blocks.values():
        assert (block[::2] == 99).all()
        assert (block[:, ::2] == 99).all()
    assert not np.array_equal(blocks["w"][1::2, 1::2], arrays["w"])
