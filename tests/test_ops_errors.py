"""Wrong arguments: one error that names the argument, what was expected and what came; nothing changes."""

import datetime

import numpy as np
import pytest
from ops_cases import PURE, STEPS, bits

from lamina import ops

ALL = {**PURE, **STEPS}
WRONG_TYPES = {
    "int64": np.ones((6, 9), np.int64),
    "uint8": np.ones((6, 9), np.uint8),
    "bool": np.ones((6, 9), bool),
    "float16": np.ones((6, 9), np.float16),
    "longdouble": np.ones((6, 9), np.longdouble),
    "complex64": np.ones((6, 9), np.complex64),
    "object": np.full((6, 9), None),
    "<U1": np.full((6, 9), "1"),
    "datetime64": np.full((6, 9), np.datetime64("2024-02-29")),
    "a list of lists": [[1, 2], [3, 4]],
    "a ragged list": [[1.0], [2.0, 3.0]],
    "a masked array": np.ma.ones((6, 9), np.float32),
    "None": None,
    "a string": "softmax",
    "a date": datetime.date(2024, 2, 29),
    "a set": {1.0},
}


@pytest.mark.parametrize("kind", WRONG_TYPES)
@pytest.mark.parametrize("name", ALL)
def test_an_argument_of_another_type(name, kind):
    case = ALL[name]
    for argument in case.shapes:
        optional = argument in ("b", "vhat", "momentum_slot", "average_gradient", "velocity")
        if (kind == "None" and optional) or (case.labels and argument == "y_true"):
            continue
        arrays = case.arguments(np.float32)
        before = {other: bits(array) for other, array in arrays.items()}
        with pytest.raises(TypeError, match=rf"^{argument} must be .*got ") as error:
            case.call(**{**arrays, argument: WRONG_TYPES[kind]}, **case.others)
        assert "float32" in str(error.value) or "array" in str(error.value)
        assert {other: bits(array) for other, array in arrays.items()} == before


@pytest.mark.parametrize("name", ALL)
def test_float32_and_float64_do_not_mix(name):
    case = ALL[name]
    for argument, array in case.arguments(np.float32).items():
        if array.dtype != np.float32 or len(case.arguments(np.float32)) == 1:
            continue
        if case.labels:
            continue  # the only float array
        arrays = {**case.arguments(np.float32), argument: array.astype(np.float64)}
        with pytest.raises(TypeError, match=r"must be float(32|64) as \w+ is, got float(64|32)"):
            case.call(**arrays, **case.others)


@pytest.mark.parametrize(
    "name", [name for name in ALL if "dw" in ALL[name].shapes or "y" in ALL[name].shapes]
)
def test_shapes_that_differ(name):
    case = ALL[name]
    for argument in list(case.shapes)[1:]:
        arrays = case.arguments(np.float64)
        for shape in ((9, 6), (6, 9, 1), (5, 9), (54,), (1, 9), ()):
            wrong = np.full(shape, 0.5)
            before = {other: bits(array) for other, array in arrays.items()}
            with pytest.raises(ValueError, match=rf"{argument} must have the shape of \w, \(6, 9\), got \("):
                case.call(**{**arrays, argument: wrong}, **case.others)
            assert {other: bits(array) for other, array in arrays.items()} == before


@pytest.mark.parametrize("name", [name for name in PURE if "y_pred" in PURE[name].shapes])
def test_targets_of_another_shape(name):
    case = PURE[name]
    arrays = case.arguments(np.float64)
    for shape in ((9, 6), (5, 9), (54,), (1, 9), (6, 9, 2), (9,), ()):
        arrays["y_true"] = np.zeros(shape, int if case.labels else float)
        with pytest.raises(ValueError, match=r"y_true must (have the shape|hold one label).* got \("):
            case.call(**arrays, **case.others)


def raises(kind, message, call, *args, **others):
    with pytest.raises(kind, match=message):
        call(*args, **others)


def test_matrices_that_do_not_fit():
    a, b, v = np.ones((2, 3)), np.ones((4, 5)), np.ones(3)
    raises(ValueError, r"a and b must agree in the inner size, got \(2, 3\) and \(4, 5\)$", ops.matmul, a, b)
    raises(ValueError, r"got \(3, 2\) and \(4, 5\) after the transposes asked for", ops.matmul, a, b, True)
    raises(ValueError, r"a must be a matrix \(rank 2\), got shape \(3,\)", ops.matmul, v, b)
    raises(
        ValueError, r"b must be a matrix \(rank 2\), got shape \(1, 3, 5\)", ops.matmul, a, np.ones((1, 3, 5))
    )


def test_layers_that_do_not_fit():
    x, w, b = np.ones((2, 3)), np.ones((3, 5)), np.ones(5)
    raises(
        ValueError,
        r"last axis of x must be the 4 inputs of w \(4, 5\), got x of shape \(2, 3\)",
        ops.dense,
        x,
        np.ones((4, 5)),
    )
    raises(ValueError, r"w must be a matrix \(inputs, units\), got shape \(3,\)", ops.dense, x, np.ones(3))
    raises(ValueError, r"last axis of x .* got x of shape \(\)", ops.dense, np.float64(1), w)
    for wrong in (np.ones(3), np.ones((1, 5)), np.ones((5, 1)), np.float64(1)):
        raises(
            ValueError,
            r"b must have shape \(5,\), one value for each of the 5 units.* got \(",
            ops.dense,
            x,
            w,
            wrong,
        )
    raises(
        ValueError,
        r"activation must be None or one of linear, relu, sigmoid, tanh, softmax, got 'gelu'",
        ops.dense,
        x,
        w,
        b,
        "gelu",
    )
    raises(ValueError, r"activation must be .* got 'exp'", ops.dense, x, w, b, "exp")
    raises(ValueError, r"dy must have shape \(2, 5\).* got \(2, 4\)", ops.dense_grad, x, w, np.ones((2, 4)))
    raises(ValueError, r"last axis of x", ops.dense_grad, np.ones((2, 4)), w, np.ones((2, 5)))


def test_softmax_of_a_scalar():
    raises(ValueError, "x must have at least one axis", ops.softmax, 1.0)
    raises(ValueError, "y must have at least one axis", ops.softmax_grad, 1.0, 1.0)


@pytest.mark.parametrize(
    "loss", [ops.sparse_categorical_crossentropy, ops.sparse_categorical_crossentropy_grad]
)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 3], r"y_true must hold integers in \[0, 3\), got 3 at index 2"),
        ([0, -1, 2], r"got -1 at index 1"),
        ([0, 2**31, 2], r"got 2147483648 at index 1"),
        (np.array([2**63, 0, 0], np.uint64), r"got 9223372036854775808 at index 0"),
        (np.array([2**64 - 1, 0, 0], np.uint64), r"got 18446744073709551615 at index 0"),
        (np.array([2**64 - 1, 0, 0], ">u8"), r"got 18446744073709551615 at index 0"),
        ([0.0, 1.5, 2.0], r"got 1.5 at index 1"),
        ([0.0, np.nan, 2.0], r"got nan at index 1"),
        ([np.inf, 1.0, 2.0], r"got inf at index 0"),
        ([-0.5, 1.0, 2.0], r"got -0.5 at index 0"),
    ],
)
def test_labels_that_are_no_classes(loss, labels, message):
    p = np.full((3, 3), 1 / 3)
    raises(ValueError, message, loss, labels, p)
    raises(ValueError, message, loss, np.asarray(labels)[:, None], p, True)
    raises(ValueError, message, loss, np.repeat(labels, 2)[::2], p)


def test_targets_that_are_no_labels():
    p, loss = np.full((3, 3), 1 / 3), ops.sparse_categorical_crossentropy
    raises(
        ValueError,
        r"y_true must hold one label for each row .*\(3,\) or \(3, 1\), got \(3, 3\)",
        loss,
        np.eye(3),
        p,
    )
    raises(ValueError, r"y_true must hold one label .* got \(2,\)", loss, [0, 1], p)
    raises(TypeError, r"y_true must hold integer labels, got <U1", loss, ["a", "b", "c"], p)
    raises(TypeError, r"y_true must hold integer labels, got complex128", loss, [0j, 1j, 2j], p)
    raises(TypeError, r"y_true must hold integer labels, got object", loss, [None, 1, 2], p)
    raises(
        ValueError, r"y_true must hold integers in \[0, 0\), got 0 at index 0", loss, [0, 0], np.empty((2, 0))
    )


def test_losses_of_nothing_or_of_a_scalar():
    for kind in ("mean_squared_error", "binary_crossentropy", "categorical_crossentropy"):
        raises(
            ValueError,
            "y_pred must hold at least one value",
            getattr(ops, kind),
            np.empty((3, 0)),
            np.empty((3, 0)),
        )
        raises(ValueError, "y_pred must have at least one axis, got a scalar", getattr(ops, kind), 1.0, 1.0)


def test_a_vector_is_not_broadcast_over_a_matrix():
    for kind in ("mean_squared_error", "binary_crossentropy"):
        raises(
            ValueError,
            r"y_true must have the shape of y_pred, \(3, 3\), got \(3,\)",
            getattr(ops, kind),
            np.ones(3),
            np.ones((3, 3)),
        )
    raises(ValueError, r"got \(3,\)", ops.categorical_crossentropy, np.ones(3), np.ones((3, 1)))


def test_a_squared_error_of_logits():
    for call in (ops.mean_squared_error, ops.mean_squared_error_grad):
        raises(
            ValueError,
            "from_logits must be False for mean_squared_error, got True",
            call,
            np.ones(3),
            np.ones(3),
            True,
        )


def slots(count):
    return [np.full((2, 3), value) for value in np.linspace(0.1, 0.9, count)]


def test_slots_that_are_missing():
    w, dw, v = slots(3)
    raises(ValueError, "velocity must be an array with momentum 0.9, got None", ops.sgd_step, w, dw, 0.1, 0.9)
    raises(
        ValueError,
        "momentum_slot must be an array with momentum 0.5, got None",
        ops.rmsprop_step,
        w,
        dw,
        0.1,
        v,
        momentum=0.5,
    )
    raises(TypeError, "velocity must be .* got NoneType", ops.rmsprop_step, w, dw, 0.1, None)
    raises(TypeError, "accumulator must be .* got NoneType", ops.adagrad_step, w, dw, 0.1, None)
    raises(TypeError, "v must be .* got NoneType", ops.adam_step, w, dw, 0.1, v, None, 1)


def test_numbers_that_are_none():
    w, dw, m, v = slots(4)
    for wrong in ("0.1", None, [0.1], 0.1j, np.ones(2)):
        got = type(wrong).__name__
        raises(TypeError, f"lr must be a number, got {got}", ops.sgd_step, w, dw, wrong)
        raises(TypeError, f"momentum must be a number, got {got}", ops.sgd_step, w, dw, 0.1, wrong)
        raises(TypeError, f"rho must be a number, got {got}", ops.rmsprop_step, w, dw, 0.1, v, rho=wrong)
        raises(TypeError, f"epsilon must be a number, got {got}", ops.adagrad_step, w, dw, 0.1, v, wrong)
        raises(TypeError, f"beta1 must be a number, got {got}", ops.adam_step, w, dw, 0.1, m, v, 1, wrong)
        raises(
            TypeError, f"beta2 must be a number, got {got}", ops.adam_step, w, dw, 0.1, m, v, 1, beta2=wrong
        )
        raises(TypeError, f"step must be an integer, got {got}", ops.adam_step, w, dw, 0.1, m, v, wrong)
    raises(TypeError, "step must be an integer, got float", ops.adam_step, w, dw, 0.1, m, v, 1.0)
    raises(ValueError, "step must be at least 1, the first step, got 0", ops.adam_step, w, dw, 0.1, m, v, 0)
    for wrong in (-0.1, 1.1, np.nan):
        raises(ValueError, r"momentum must be in \[0, 1\], got ", ops.sgd_step, w, dw, 0.1, wrong, v)
    np.testing.assert_array_equal(w, slots(4)[0])


def test_numbers_of_every_kind_are_taken():
    for lr in (1, np.float32(1), np.float64(1), np.int64(1)):
        w = np.ones(3)
        ops.sgd_step(w, np.ones(3), lr)
        np.testing.assert_array_equal(w, 0)
    ops.adam_step(np.ones(3), np.ones(3), 0.1, np.zeros(3), np.zeros(3), np.int32(2))


@pytest.mark.parametrize("name", STEPS)
def test_read_only_arrays_are_not_written(name):
    case = STEPS[name]
    for argument in case.shapes:
        arrays = case.arguments(np.float32)
        before = {other: bits(array) for other, array in arrays.items()}
        arrays[argument].flags.writeable = False
        if argument == "dw":
            case.call(**arrays, **case.others)
            continue
        raises(
            ValueError,
            f"{argument} must be writable, got a read-only array",
            case.call,
            **arrays,
            **case.others,
        )
        assert {other: bits(array) for other, array in arrays.items()} == before


@pytest.mark.parametrize("name", STEPS)
def test_arrays_that_share_memory_are_refused(name):
    case = STEPS[name]
    names = list(case.shapes)
    for first in names:
        for second in names[names.index(first) + 1 :]:
            for overlapping in ("the same array", "a view", "a part"):
                arrays = case.arguments(np.float32)
                if overlapping == "the same array":
                    arrays[second] = arrays[first]
                elif overlapping == "a view":
                    arrays[second] = arrays[first][:]
                else:
                    block = np.ones((7, 9), np.float32)
                    arrays[first], arrays[second] = block[:6], block[1:]
                before = {other: bits(array) for other, array in arrays.items()}
                message = f"{second} must not share memory with {first}"
                raises(ValueError, message, case.call, **arrays, **case.others)
                assert {other: bits(array) for other, array in arrays.items()} == before


def test_parts_of_one_block_that_do_not_overlap_are_fine():
    """Weights and slots are often ranges of one array, or interleaved in it."""
    block = np.arange(30, dtype=np.float64).reshape(10, 3)
    w, dw, velocity = block[:, 0], block[:, 1], block[:, 2]
    expected = [w.copy(), dw.copy(), velocity.copy()]
    ops.sgd_step(expected[0], expected[1], 0.1, 0.9, expected[2])
    ops.sgd_step(w, dw, 0.1, 0.9, velocity)
    np.testing.assert_array_equal(block, np.stack(expected, axis=1))


def test_lists_are_not_weights():
    raises(
        TypeError,
        "w must be a float32 or float64 array to change in place, got list",
        ops.sgd_step,
        [1.0],
        [1.0],
        0.1,
    )
