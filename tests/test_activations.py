"""Activation functions on numpy arrays."""

import numpy as np
import pytest
from tolerances import rounding

from lamina.keras import activations

NAMES = ["linear", "relu", "sigmoid", "tanh", "softmax"]


@pytest.fixture
def keras(live_keras):
    return live_keras


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_values_are_kerass(keras, name, dtype):
    x = np.random.default_rng(1).normal(scale=4, size=(5, 7)).astype(dtype)
    x[0, :3] = [0, 80, -80]
    ours = getattr(activations, name)(x)
    theirs = keras.ops.convert_to_numpy(getattr(keras.activations, name)(x))
    assert ours.dtype == theirs.dtype == dtype
    np.testing.assert_allclose(ours, theirs, rtol=rounding(dtype, 7), atol=np.finfo(dtype).tiny)


def test_formulas_in_float64():
    x = np.linspace(-5, 5, 23)
    bound = rounding(x.dtype, 1)
    np.testing.assert_allclose(activations.sigmoid(x), 1 / (1 + np.exp(-x)), rtol=bound)
    np.testing.assert_allclose(activations.tanh(x), np.tanh(x), rtol=bound)
    np.testing.assert_array_equal(activations.relu(x), np.maximum(x, 0))
    np.testing.assert_array_equal(activations.linear(x), x)


@pytest.mark.parametrize("axis", [-1, 0, 1, -2])
def test_softmax_along_any_axis(keras, axis):
    x = np.random.default_rng(2).normal(size=(3, 4, 5)).astype("float32")
    ours = activations.softmax(x, axis=axis)
    np.testing.assert_allclose(
        ours, keras.activations.softmax(x, axis=axis).numpy(), rtol=rounding(x.dtype, 5)
    )
    np.testing.assert_allclose(ours.sum(axis), 1, rtol=rounding(x.dtype, 5))


@pytest.mark.parametrize(
    "arguments",
    [
        {"negative_slope": 0.2},
        {"max_value": 1.5},
        {"threshold": 0.5},
        {"negative_slope": 0.1, "max_value": 1.0, "threshold": -1.0},
    ],
)
def test_relu_with_arguments(keras, arguments):
    x = np.concatenate([np.linspace(-3, 3, 25), [0.5, 1.5, -1.0, np.inf, -np.inf]]).astype("float32")
    ours = activations.relu(x, **arguments)
    np.testing.assert_allclose(
        ours, keras.activations.relu(x, **arguments).numpy(), rtol=rounding(x.dtype, 1)
    )
    assert ours.dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
def test_any_layout_gives_the_same_bits_and_is_left_alone(name):
    base = np.random.default_rng(3).normal(size=(6, 8)).astype("float32")
    function = getattr(activations, name)
    expected = function(base.copy())
    wide = np.zeros((6, 16), "float32")
    wide[:, ::2] = base
    packed = np.zeros(6 * 8 * 4 + 1, "uint8")
    packed[1:] = np.frombuffer(base.tobytes(), "uint8")
    layouts = {
        "strided": wide[:, ::2],
        "reversed": base[::-1, ::-1].copy()[::-1, ::-1],
        "fortran": np.asfortranarray(base),
        "big-endian": base.astype(">f4"),
        "unaligned": packed[1:].view("float32").reshape(6, 8),
    }
    for layout, x in layouts.items():
        x.flags.writeable = False
        got = function(x)
        assert got.dtype == np.dtype("=f4"), layout
        np.testing.assert_array_equal(got, expected, err_msg=layout)
        np.testing.assert_array_equal(x, base)


def test_other_dtypes_become_floatx():
    for x in ([1, 2], np.array([1, 2], "uint8"), np.array([1, 2], "float16"), True):
        assert activations.sigmoid(x).dtype == np.float32
    assert activations.sigmoid(0.0).shape == ()
    assert activations.sigmoid(0.0) == 0.5


def test_nan_stays_nan():
    x = np.array([[np.nan, 1.0, -1.0]], "float32")
    for name in NAMES:
        assert np.isnan(getattr(activations, name)(x)[0, 0]), name
    assert np.isnan(activations.relu(x, max_value=6.0)[0, 0])


def test_get_and_serialize(keras):
    assert activations.get(None) is activations.linear
    for name in NAMES:
        function = getattr(activations, name)
        assert activations.get(name) is activations.get(function) is activations.deserialize(name) is function
        assert (
            activations.serialize(function)
            == name
            == keras.activations.serialize(getattr(keras.activations, name))
        )


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ("relux", ValueError),
        ("ReLU", ValueError),
        (3, ValueError),
        ({}, ValueError),
        ({"class_name": "relux"}, ValueError),
        (np.tanh, TypeError),
    ],
)
def test_get_refuses(bad, kind):
    with pytest.raises(kind, match="activation: expected"):
        activations.get(bad)


@pytest.mark.parametrize("bad", [["a"], np.array([1j]), np.array([None])])
def test_only_numbers(bad):
    with pytest.raises(TypeError, match="x: expected numbers"):
        activations.relu(bad)


@pytest.mark.parametrize(("x", "axis"), [(1.0, -1), ([1.0], 1), ([1.0], "a")])
def test_softmax_names_a_bad_axis(x, axis):
    with pytest.raises(ValueError, match="axis: expected"):
        activations.softmax(x, axis)
