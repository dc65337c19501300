"""Unusual but right arrays: any dtype, stride, byte order and alignment give the bits of their contiguous
float32 copy.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_classifier import CLASSES, FEATURES, ROWS, Array, good, state, trained
from tolerances import assert_close, rounding

from lamina import _core, config


@pytest.fixture
def keras(lamina_keras: Any) -> Any:
    return lamina_keras


def _unaligned(array: Array) -> Array:
    raw = bytearray(array.nbytes + 1)
    shifted = np.frombuffer(raw, array.dtype, array.size, offset=1).reshape(array.shape)
    shifted[...] = array
    assert not shifted.flags.aligned or array.dtype.itemsize == 1
    return shifted


def _read_only(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


def _field(array: Array) -> Array:
    record = np.zeros(array.shape, [("tag", "u1"), ("value", array.dtype), ("rest", "S3")])
    record["value"] = array
    return record["value"]


def _strided(array: Array) -> Array:
    wide = np.full((2 * len(array), *(3 * size for size in array.shape[1:])), 77, array.dtype)
    view = wide[(slice(1, None, 2), *(slice(1, None, 3) for _ in array.shape[1:]))]
    view[...] = array
    return view


def _negative(array: Array) -> Array:
    flip = (slice(None, None, -1),) * array.ndim
    return np.ascontiguousarray(array[flip])[flip]


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "strided": _strided,
    "negative strides": _negative,
    "Fortran": np.asfortranarray,
    "read-only": _read_only,
    "unaligned": _unaligned,
    "unaligned and strided": lambda a: _unaligned(np.repeat(a, 2, axis=0))[::2],
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "big-endian, Fortran, read-only": lambda a: _read_only(
        np.asfortranarray(a.astype(a.dtype.newbyteorder(">")))
    ),
    "field of a record": _field,
    "transposed": lambda a: np.ascontiguousarray(np.moveaxis(a, 0, -1)).transpose(
        -1 % a.ndim, *range(a.ndim - 1)
    ),
}
DTYPES = [
    "float32",
    "float64",
    "float16",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "bool",
]


def _numbers(dtype: str, shape: tuple[int, ...], seed: int) -> Array:
    rng = np.random.default_rng(seed)
    if dtype.startswith("float"):
        return rng.normal(size=shape).astype(dtype)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    info = np.iinfo(dtype)
    values = rng.integers(-50 if info.min else 0, 100, shape).astype(dtype)
    values.flat[0] = info.max  # beyond 2^24 the conversion must round, to nearest
    return values


def _bits_of_training(keras: Any, x: Any, y: Any, sample_weight: Any) -> list[bytes]:
    keras.utils.set_random_seed(8)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(np.shape(x)[1:]),
            layers.Flatten(),
            layers.Dense(6, "sigmoid"),
            layers.Dense(CLASSES, "tanh"),
        ]
    )
    model.compile("sgd", "mse")
    history = model.fit(
        x,
        y,
        sample_weight=sample_weight,
        batch_size=8,
        epochs=2,
        verbose=0,
        validation_data=(x, y, sample_weight),
    )
    numbers = [*history.history["loss"], *history.history["val_loss"], model.evaluate(x, y, verbose=0)]
    arrays = [*model.get_weights(), model.predict(x, verbose=0), model.predict_on_batch(x)]
    return [struct.pack(f"{len(numbers)}d", *numbers), *(array.tobytes() for array in arrays)]


def _assert_same_bits(keras: Any, arrays: list[Any]) -> None:
    """Training on `arrays` (x, y, sample_weight) gives the bits of contiguous float32 copies, and leaves
    them as they were.
    """
    copies = [np.array(array, "float32", order="C") for array in arrays]
    before = [np.asarray(array).tobytes() for array in arrays]
    found = _bits_of_training(keras, *arrays)
    assert [np.asarray(array).tobytes() for array in arrays] == before
    assert found == _bits_of_training(keras, *copies)


def _three(dtype: str, shape: tuple[int, ...] = (ROWS, FEATURES)) -> list[Array]:
    return [_numbers(dtype, shape, 1), _numbers(dtype, (ROWS, CLASSES), 2), _numbers(dtype, (ROWS,), 3)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_gives_the_bits_of_its_float32_copy(keras: Any, dtype: str) -> None:
    _assert_same_bits(keras, _three(dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "int64"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_bits_of_its_contiguous_copy(keras: Any, layout: str, dtype: str) -> None:
    _assert_same_bits(keras, [LAYOUTS[layout](array) for array in _three(dtype)])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_of_every_layout(keras: Any, layout: str) -> None:
    x, y, sample_weight = _three("uint8", (ROWS, 7, 5))
    _assert_same_bits(keras, [LAYOUTS[layout](x), y, sample_weight])


def test_broadcast_rows(keras: Any) -> None:
    x, y, sample_weight = _three("float32")
    _assert_same_bits(
        keras, [np.broadcast_to(x[:1], x.shape), np.broadcast_to(y[:, :1], y.shape), sample_weight]
    )


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "u1"])
def test_memory_mapped_files(keras: Any, dtype: str, tmp_path: Path) -> None:
    arrays = []
    for i, array in enumerate(_three("uint8")):
        path = tmp_path / f"{i}.dat"
        array.astype(dtype).tofile(path)
        arrays.append(np.memmap(path, dtype, "r", shape=array.shape))
    files = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    _assert_same_bits(keras, arrays)
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == files


def test_lists_and_tuples(keras: Any) -> None:
    x, y, sample_weight = _three("float64")
    _assert_same_bits(keras, [x.tolist(), tuple(map(tuple, y)), sample_weight.tolist()])


def test_labels_of_every_dtype_and_layout(keras: Any) -> None:
    """Class numbers give the same bits, whatever the integer or float type they come in."""
    x, y = good()
    bits = []
    for labels in [
        y,
        y.astype("uint8"),
        y.astype(">i2"),
        y.astype("float32"),
        y[:, None],
        _unaligned(y),
        _strided(y),
        _negative(y),
    ]:
        model = trained(keras)
        model.fit(x, labels, batch_size=8, epochs=2, verbose=0)
        bits.append(state(model))
    assert all(found == bits[0] for found in bits)


def test_predictions_may_be_written(keras: Any) -> None:
    """What predict returns belongs to the caller: writing it changes neither the model nor the next
    prediction.
    """
    model = trained(keras)
    x = good()[0]
    first = model.predict(x, verbose=0)
    copy = first.copy()
    first[...] = -1
    np.testing.assert_array_equal(model.predict(x, verbose=0), copy)


@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 15, 16, 17])
@pytest.mark.parametrize("batch_size", [1, 8, 100])
def test_few_rows_and_odd_batches(keras: Any, rows: int, batch_size: int) -> None:
    """n = 1, batches of 1, batches larger than the data, last batches of 1 and of batch_size - 1."""
    model = trained(keras)
    x, y = good(rows)
    history = model.fit(x, y, batch_size=batch_size, epochs=2, verbose=0)
    assert history.params["steps"] == -(-rows // batch_size)
    assert np.isfinite(history.history["loss"]).all()
    assert model.optimizer.iterations == 3 + 2 * -(-rows // batch_size)
    whole = model.predict(x, batch_size=1000, verbose=0)
    assert_close(
        model.predict(x, batch_size=batch_size, verbose=0), whole, rounding("float32", FEATURES), "predict"
    )


@pytest.mark.parametrize("isa", _core.build_info()["isa_available"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("rescaled", [False, True])
@pytest.mark.parametrize(("units", "optimizer"), [(5, "sgd"), (45, "sgd"), (45, "adam")])
def test_rows_read_where_they_lie(
    keras: Any, isa: str, dtype: str, rescaled: bool, units: int, optimizer: str
) -> None:
    """A first layer's kernels read float32 and bytes in the user's array; others are gathered first. Batches
    of more than one chain of the sums, whole panels of columns and a part of one, one block of units and
    several.
    """
    rng = np.random.default_rng(4)
    # Few are large, so that no unit is saturated without the rescaling either.
    x = (rng.integers(0, 256, (1300, 75)) * (rng.random((1300, 75)) < 1 / 50)).astype(dtype)
    y = rng.integers(0, CLASSES, len(x))
    before = _core.build_info()["isa"]
    config.set_isa(isa)
    try:
        bits = []
        for rows in (x, x.astype("float64")):
            keras.utils.set_random_seed(3)
            model = keras.Sequential([keras.Input((x.shape[1],))])
            if rescaled:
                model.add(keras.layers.Rescaling(1 / 255, offset=-0.5))
            model.add(keras.layers.Dense(units, "tanh"))
            model.add(keras.layers.Dense(CLASSES, "softmax"))
            model.compile(optimizer, "sparse_categorical_crossentropy")
            model.optimizer.learning_rate = 1e-4
            model.fit(rows, y, batch_size=600, epochs=2, verbose=0)
            bits.append([weight.tobytes() for weight in model.get_weights()])
        assert bits[0] == bits[1]
    finally:
        config.set_isa(before)


def test_sample_weights_of_zero(keras: Any) -> None:
    """No weight at all: the loss is 0 and plain gradient descent does not move."""
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = [weight.copy() for weight in model.get_weights()]
    history = model.fit(*good(), sample_weight=np.zeros(ROWS), verbose=0).history
    assert history["loss"] == [0.0]
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
