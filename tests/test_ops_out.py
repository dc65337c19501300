"""`out=`: where the result goes, what is refused, and what happens when it overlaps the inputs."""

import numpy as np
import pytest
from ops_cases import LAYOUTS, WITH_OUT, bits

from lamina import ops

ELEMENTWISE = [name for name in WITH_OUT if not name.startswith(("matmul", "dense"))]
WRITABLE = [name for name in LAYOUTS if name not in ("read-only", "matrix of lists")]
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


@DTYPES
@pytest.mark.parametrize("name", WITH_OUT)
def test_the_result_is_out_itself(name, dtype):
    case = WITH_OUT[name]
    arrays = case.arguments(dtype)
    expected = case.call(**arrays, **case.others)
    out = np.full_like(expected, np.nan)
    assert case.call(**arrays, **case.others, out=out) is out
    assert bits(out) == bits(expected)


@DTYPES
@pytest.mark.parametrize("layout", WRITABLE)
@pytest.mark.parametrize("name", WITH_OUT)
def test_out_of_any_layout(name, layout, dtype):
    case = WITH_OUT[name]
    arrays = case.arguments(dtype)
    expected = case.call(**arrays, **case.others)
    out = LAYOUTS[layout](np.full_like(expected, np.nan))
    kind = out.dtype
    assert case.call(**arrays, **case.others, out=out) is out
    assert out.dtype == kind
    np.testing.assert_array_equal(out, expected)


@DTYPES
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_out_may_be_any_of_the_inputs(name, dtype):
    case = WITH_OUT[name]
    expected = case.call(**case.arguments(dtype), **case.others)
    for argument in case.shapes:
        arrays = case.arguments(dtype)
        if arrays[argument].dtype != dtype:
            continue  # labels
        assert case.call(**arrays, **case.others, out=arrays[argument]) is arrays[argument]
        assert bits(arrays[argument]) == bits(expected), argument
        arrays = case.arguments(dtype)  # a view of the same values is another object in the same place
        case.call(**arrays, **case.others, out=arrays[argument][:])
        assert bits(arrays[argument]) == bits(expected), argument


@pytest.mark.parametrize("name", WITH_OUT)
def test_out_may_overlap_the_inputs_in_part(name):
    case = WITH_OUT[name]
    arrays = case.arguments(np.float64)
    expected = case.call(**arrays, **case.others)
    for argument, array in case.arguments(np.float64).items():
        if array.dtype != np.float64:
            continue
        for shift in (1, 2, 5):  # both lie in one block, a few values apart
            size = max(array.size, expected.size)
            for at, out_at in ((0, shift), (shift, 0)):
                block = np.zeros(size + shift)
                moved = block[at : at + array.size].reshape(array.shape)
                moved[...] = array
                out = block[out_at : out_at + expected.size].reshape(expected.shape)
                case.call(**{**arrays, argument: moved}, **case.others, out=out)
                assert bits(out) == bits(expected), (argument, shift)


def test_a_reversed_view_of_the_input_as_out():
    x = np.linspace(-2, 2, 11, dtype=np.float32)
    expected = ops.tanh(x)
    ops.tanh(x, out=x[::-1])
    np.testing.assert_array_equal(x[::-1], expected)


def test_square_product_over_its_operand():
    a, b = np.random.default_rng(0).standard_normal((2, 40, 40))
    expected = ops.matmul(a, b)
    assert ops.matmul(a, b, out=a) is a
    assert bits(a) == bits(expected)
    expected = ops.dense(expected, b, b[0], "relu")
    ops.dense(a, b, b[0], "relu", out=b)
    assert bits(b) == bits(expected)


@pytest.mark.parametrize("name", WITH_OUT)
def test_unfit_out_is_refused_and_left_alone(name):
    case = WITH_OUT[name]
    arrays = case.arguments(np.float32)
    shape = case.call(**arrays, **case.others).shape
    read_only = np.zeros(shape, np.float32)
    read_only.flags.writeable = False
    for out, error, message in [
        (np.zeros(shape, np.float64), TypeError, "out must be float32 as the result is, got float64"),
        (np.zeros(shape, np.int32), TypeError, "out must be float32 .* got int32"),
        (np.zeros((*shape, 1), np.float32), ValueError, r"out must have the shape of the result, .* got \("),
        (np.zeros((*shape[:-1], shape[-1] + 1), np.float32), ValueError, "out must have the shape"),
        (read_only, ValueError, "out must be writable, got a read-only array"),
        ([[0.0]], TypeError, "out must be a float32 array of shape .* got list"),
        (np.ma.zeros(shape, np.float32), TypeError, "out must be a float32 array .* got MaskedArray"),
    ]:
        with pytest.raises(error, match=message):
            case.call(**arrays, **case.others, out=out)
        assert not np.any(out)


def test_out_of_an_empty_result():
    out = np.empty((0, 3), np.float32)
    assert ops.dense(np.empty((0, 4), np.float32), np.ones((4, 3), np.float32), out=out) is out
    out = np.full((2, 3), np.nan)
    assert ops.matmul(np.empty((2, 0)), np.empty((0, 3)), out=out) is out
    np.testing.assert_array_equal(out, 0)
