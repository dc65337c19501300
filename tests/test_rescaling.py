"""Rescaling, and data that are read where they lie: bytes, floats and their copies train to the same bits."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tolerances import assert_close, rounding, unit_roundoff

ROWS = 150


def pictures(seed: int = 0) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (ROWS, 7, 9), dtype=np.uint8), rng.integers(0, 4, ROWS)


def model(keras: Any, *first: Any, dtype: str = "float32") -> Any:
    keras.utils.set_random_seed(3)
    layers = keras.layers
    network = keras.Sequential(
        [
            keras.Input((7, 9), dtype=dtype),
            *first,
            layers.Flatten(dtype=dtype),
            layers.Dense(40, "relu", dtype=dtype),
            layers.Dense(4, "softmax", dtype=dtype),
        ]
    )
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def trained(keras: Any, x: npt.NDArray[Any], y: npt.NDArray[Any], batch_size: int, dtype: str) -> Any:
    network = model(keras, keras.layers.Rescaling(1 / 255, -0.5, dtype=dtype), dtype=dtype)
    network.fit(x, y, batch_size=batch_size, epochs=2, verbose=0)
    return network


def byte_rows_apart(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    wide = np.zeros((len(x), 11, 9), x.dtype)
    wide[:, :7] = x
    return wide[:, :7]


@pytest.mark.parametrize("batch_size", [5, 32, 100])
@pytest.mark.parametrize(
    "form",
    [
        lambda x: x.astype(np.float32),
        lambda x: x.astype(np.float64),
        lambda x: x.astype(">i4"),
        lambda x: x[:, ::-1][:, ::-1],
        np.asfortranarray,
        byte_rows_apart,
        lambda x: byte_rows_apart(x.astype(np.float32)),
        lambda x: np.repeat(x, 2, axis=0)[::2],
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_data_of_any_form_give_the_same_bits(
    form: Any, batch_size: int, dtype: str, lamina_keras: Any
) -> None:
    x, y = pictures()
    of_bytes = trained(lamina_keras, x, y, batch_size, dtype)
    other = trained(lamina_keras, form(x), y, batch_size, dtype)
    for a, b in zip(of_bytes.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(of_bytes.predict(x, verbose=0), other.predict(form(x), verbose=0))
    assert of_bytes.evaluate(x, y, verbose=0) == other.evaluate(form(x), y, verbose=0)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_no_bit(threads: int, lamina_keras: Any) -> None:
    from lamina import config

    before = config.get_num_threads()
    rng = np.random.default_rng(5)
    x, y = rng.integers(0, 256, (200, 784), dtype=np.uint8), rng.integers(0, 10, 200)

    def weights() -> list[Any]:
        lamina_keras.utils.set_random_seed(4)
        layers = lamina_keras.layers
        network = lamina_keras.Sequential(
            [
                lamina_keras.Input((784,)),
                layers.Rescaling(1 / 255),
                layers.Dense(300, "relu"),
                layers.Dense(10),
            ]
        )
        network.compile("sgd", lamina_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        network.fit(x, y, epochs=2, verbose=0)
        return list(network.get_weights())

    try:
        config.set_num_threads(1)
        alone = weights()
        config.set_num_threads(threads)
        shared = weights()
    finally:
        config.set_num_threads(before)
    for a, b in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("place", ["first", "in the middle", "behind dense"])
def test_as_keras(place: str, live_keras: Any, lamina_keras: Any) -> None:
    x, y = pictures(1)
    found = []
    for keras in (live_keras, lamina_keras):
        layers = keras.layers
        stack = [keras.Input((7, 9))]
        if place == "first":
            stack += [layers.Rescaling(1 / 127.5, offset=-1), layers.Flatten()]
        elif place == "in the middle":
            stack += [layers.Activation("relu"), layers.Rescaling(1 / 255), layers.Flatten()]
        else:
            stack += [
                layers.Rescaling(1 / 255),
                layers.Flatten(),
                layers.Dense(20, "tanh"),
                layers.Rescaling(3, 1),
            ]
        network = keras.Sequential([*stack, layers.Dense(6, "relu"), layers.Dense(4, "softmax")])
        network.compile("sgd", "sparse_categorical_crossentropy")
        found.append(network)
    theirs, ours = found
    ours.set_weights(theirs.get_weights())
    for network in found:
        network.fit(x, y, batch_size=50, epochs=1, shuffle=False, verbose=0)
    bound = rounding(np.float32, 150, steps=3)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert_close(a, b, bound, place, scale=1.0)
    assert_close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), bound, place, scale=1.0)


def test_bfloat16_as_keras(live_keras: Any, lamina_keras: Any) -> None:
    x = pictures(2)[0].astype(np.float32)
    theirs, ours = (
        np.asarray(keras.layers.Rescaling(1 / 255, 0.3, dtype="mixed_bfloat16")(x)).astype(np.float32)
        for keras in (live_keras, lamina_keras)
    )
    np.testing.assert_array_equal(ours, theirs)


def test_config_and_copies(lamina_keras: Any) -> None:
    layer = lamina_keras.layers.Rescaling(np.float64(0.5), offset=2)
    config = layer.get_config()
    assert (config["scale"], config["offset"]) == (0.5, 2)
    np.testing.assert_array_equal(layer(np.array([[2.0, 4.0]])), [[3.0, 4.0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, float("inf")],), "Rescaling: scale: expected finite numbers"),
        ((float("nan"),), "Rescaling: scale: expected a finite number"),
        ((1.0, "a"), "Rescaling: offset: expected a finite number"),
        ((True,), "Rescaling: scale: expected a finite number"),
    ],
)
def test_wrong_numbers(arguments: tuple[Any, ...], message: str, lamina_keras: Any) -> None:
    with pytest.raises(ValueError, match=message):
        lamina_keras.layers.Rescaling(*arguments)


@pytest.mark.parametrize("scale", [0.7, np.float64(0.7), np.float32(0.7), 3, 2**24 + 1], ids=repr)
@pytest.mark.usefixtures("float64")
def test_constants_are_held_as_tensorflow_holds_them(scale: Any, live_keras: Any, lamina_keras: Any) -> None:
    """In float64 a float of Python's is one of float32, 1e-8 off; NumPy's and whole numbers stay."""
    x = np.random.default_rng(2).normal(size=(3, 4))
    ours, theirs = (np.asarray(keras.layers.Rescaling(scale, 0.1)(x)) for keras in (lamina_keras, live_keras))
    assert_close(ours, theirs, 2 * unit_roundoff("float64"), "call")
