"""Tools around models and data, against live Keras: padding, division, dtypes, tensors, pictures, files."""

import hashlib
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

SEQUENCES = [[1], [2, 3], [], [4, 5, 6]]


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"maxlen": 2},
        {"maxlen": 5, "padding": "post", "value": -1},
        {"maxlen": 2, "truncating": "post", "dtype": "float32", "value": 0.5},
        {"dtype": object, "value": "x"},
    ],
)
def test_pad_sequences(kwargs: dict[str, Any], live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    for sequences in (SEQUENCES, [np.ones((2, 3)), np.zeros((1, 3))], [[]]):
        expected = live_keras.utils.pad_sequences(sequences, **kwargs)
        found = lamina_keras.utils.pad_sequences(sequences, **kwargs)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


def test_pad_sequences_refuses(lamina_keras: ModuleType) -> None:
    pad = lamina_keras.utils.pad_sequences
    for sequences, kwargs, name in (
        (3, {}, "sequences"),
        ([1, 2], {}, "sequences"),
        ([[[1, 2]], [[1]]], {}, "sequences"),
        (SEQUENCES, {"padding": "both"}, "padding"),
        (SEQUENCES, {"truncating": 1}, "truncating"),
        (SEQUENCES, {"value": "x"}, "value"),
    ):
        with pytest.raises(ValueError, match=f"^{name}: expected"):
            pad(sequences, **kwargs)


SPLITS: list[dict[str, Any]] = [
    {"left_size": 0.8},
    {"right_size": 0.25},
    {"left_size": 3},
    {"left_size": 2, "right_size": 3},
    {"left_size": 0.5, "right_size": 0.3},
    {"left_size": 0.6, "shuffle": True, "seed": 7},
]


@pytest.mark.parametrize("kwargs", SPLITS)
def test_split_dataset(kwargs: dict[str, Any], live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """The rows that Keras's data sets hold, in their order."""
    x, y = np.arange(22.0).reshape(11, 2), np.arange(11)
    expected = [[np.asarray(row) for row in side] for side in live_keras.utils.split_dataset(x, **kwargs)]
    for side, rows in zip(lamina_keras.utils.split_dataset(x, **kwargs), expected, strict=True):
        np.testing.assert_array_equal(side, rows)
    for (left, labels), rows in zip(
        lamina_keras.utils.split_dataset((x, y), **kwargs), expected, strict=True
    ):
        np.testing.assert_array_equal(left, rows)
        np.testing.assert_array_equal(labels, left[:, 0] / 2)


def test_split_dataset_refuses_what_keras_does(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    x = np.zeros((4, 2))
    for kwargs in (
        {},
        {"left_size": 0},
        {"left_size": 4},
        {"left_size": 1.0},
        {"right_size": -0.1},
        {"left_size": 0.7, "right_size": 0.7},
        {"left_size": 3, "right_size": 3},
        {"left_size": 0.01},
        {"left_size": "1"},
    ):
        for keras in (live_keras, lamina_keras):
            with pytest.raises((ValueError, TypeError), match="size"):
                keras.utils.split_dataset(x, **kwargs)
    for data in (3, [np.zeros(3), np.zeros(4)], [1, 2], []):
        with pytest.raises((ValueError, TypeError), match="dataset: expected"):
            lamina_keras.utils.split_dataset(data, left_size=0.5)


def test_tuples_of_data(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    for data in (1, (1,), [1, 2], (1, 2, 3)):
        assert lamina_keras.utils.unpack_x_y_sample_weight(data) == live_keras.utils.unpack_x_y_sample_weight(
            data
        )
    for parts in ((1,), ([1],), (1, 2), (1, 2, 3)):
        assert lamina_keras.utils.pack_x_y_sample_weight(*parts) == live_keras.utils.pack_x_y_sample_weight(
            *parts
        )
    with pytest.raises(ValueError, match="data: expected"):
        lamina_keras.utils.unpack_x_y_sample_weight((1, 2, 3, 4))


def test_dtypes(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    ours, theirs = lamina_keras.backend, live_keras.backend
    known = ["float16", "bfloat16", "int", "uint8", "bool", "string", "complex64", "float8_e5m2"]
    for dtype in (*known, None, bool, int, float, str, complex, np.float64, np.dtype("int32"), np.uint16):
        name = live_keras.utils.standardize_dtype(dtype)
        assert ours.standardize_dtype(dtype) == lamina_keras.utils.standardize_dtype(dtype) == name
        assert ours.is_float_dtype(dtype) == theirs.is_float_dtype(dtype)
        assert ours.is_int_dtype(dtype) == theirs.is_int_dtype(dtype)
    for wrong in ("float", "int7", 3, [], object):
        with pytest.raises(ValueError, match="dtype: expected one of"):
            ours.standardize_dtype(wrong)


def test_settings_that_have_one_value(lamina_keras: ModuleType) -> None:
    for keras in (lamina_keras.config, lamina_keras.backend):
        keras.set_epsilon(1e-7)
        keras.set_image_data_format("channels_last")
        with pytest.raises(ValueError, match="epsilon: expected 1e-07, got 1e-05"):
            keras.set_epsilon(1e-5)
        with pytest.raises(ValueError, match="data_format: expected 'channels_last'"):
            keras.set_image_data_format("channels_first")


def _model(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4, 3), batch_size=5, name="in"),
            layers.Dense(6, "relu", name="first"),
            layers.Flatten(name="flat"),
            layers.Dense(2, name="last", trainable=False),
        ],
        name="small",
    )


def test_tensors_of_a_model(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    ours, theirs = _model(lamina_keras), _model(live_keras)
    pairs = [(ours.inputs[0], theirs.inputs[0]), (ours.outputs[0], theirs.outputs[0])]
    for mine, live in zip(ours.layers, theirs.layers, strict=True):
        pairs += [(mine.input, live.input), (mine.output, live.output)]
    for one, other in pairs:
        assert (one.shape, one.dtype, one.ndim) == (other.shape, other.dtype, other.ndim)
    assert ours.inputs[0].name == theirs.inputs[0].name == "in"
    assert ours.outputs[0] is ours.layers[-1].output
    assert ours.layers[0].output is ours.layers[1].input
    assert lamina_keras.utils.is_keras_tensor(ours.inputs[0])
    assert not lamina_keras.backend.is_keras_tensor(np.zeros(3))
    free = lamina_keras.layers.Dense(3)
    with pytest.raises(AttributeError, match="before it is"):
        _ = free.output
    with pytest.raises(AttributeError, match="before it is"):
        _ = lamina_keras.Sequential([free]).outputs
    with pytest.raises(ValueError, match="has no values"):
        np.asarray(ours.inputs[0])
    with pytest.raises(ValueError, match="not supported"):
        lamina_keras.KerasTensor((3,), sparse=True)
    ours.pop()
    assert ours.outputs[0].shape == (5, 24)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_plot_model(kind: str, rankdir: str, lamina_keras: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"model.{kind}"
    words = ("shapes", "dtype", "layer_names", "layer_activations", "trainable")
    shown = {f"show_{word}": True for word in words}
    lamina_keras.utils.plot_model(_model(lamina_keras), path, rankdir=rankdir, dpi=50, **shown)
    start = path.read_bytes()[:100]
    assert start.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])
    with pytest.raises(ValueError, match="model: expected one that is built"):
        lamina_keras.utils.plot_model(lamina_keras.Sequential([lamina_keras.layers.Dense(2)]), path)
    with pytest.raises(ValueError, match="unknown arguments 'colour'"):
        lamina_keras.utils.plot_model(_model(lamina_keras), path, colour=1)


def test_what_a_box_says(lamina_keras: ModuleType) -> None:
    from lamina.keras.utils.visualization import _rows, _table

    model = _model(lamina_keras)
    rows = _rows(model.layers[2], True, True, True, True, True)
    assert rows == [
        ["last (Dense)"],
        ["Activation: linear"],
        ["Input shape: (5, 24)", "Output shape: (5, 2)", "Output dtype: float32", "Non-trainable"],
    ]
    assert _rows(model.layers[1], False, False, False, False, True) == [["Flatten"]]
    assert _table([["<a>"]]).count("&lt;a&gt;") == 1


def _archive(folder: Path, kind: str) -> Path:
    (folder / "inner.txt").write_text("words")
    path = folder / f"words.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.write(folder / "inner.txt", "inner.txt")
    else:
        with tarfile.open(path, "w:gz") as tar:
            tar.add(folder / "inner.txt", "inner.txt")
    return path


def test_get_file(lamina_keras: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    get: Callable[..., str] = lamina_keras.utils.get_file
    source = tmp_path / "source.bin"
    source.write_bytes(b"first")
    cache, origin = tmp_path / "cache", source.as_uri()
    path = Path(get(origin=origin, cache_dir=cache))
    assert path == cache / "datasets" / "source.bin"
    assert path.read_bytes() == b"first"
    source.write_bytes(b"second")
    assert Path(get(origin=origin, cache_dir=cache)).read_bytes() == b"first"  # it is there already
    for algorithm in ("sha256", "md5"):
        expected = hashlib.new(algorithm, b"first").hexdigest()
        with pytest.raises(OSError, match="expected the hash"):  # what is there is right no more than the new
            get(origin=origin, cache_dir=cache, file_hash="0" * len(expected))
        assert path.read_bytes() == b"first"
        assert Path(get(origin=origin, cache_dir=cache, file_hash=expected)).read_bytes() == b"first"
    new = hashlib.sha256(b"second").hexdigest()
    assert Path(get(origin=origin, cache_dir=cache, file_hash=new)).read_bytes() == b"second"
    source.write_bytes(b"third")
    assert Path(get("other", origin, cache_dir=cache, cache_subdir="x")) == cache / "x" / "other"
    assert Path(get(origin=origin, cache_dir=cache, force_download=True)).read_bytes() == b"third"
    assert not list(cache.rglob("*.part"))
    capsys.readouterr()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_get_file_unpacks(kind: str, lamina_keras: ModuleType, tmp_path: Path) -> None:
    get, cache = lamina_keras.utils.get_file, tmp_path / "cache"
    origin = _archive(tmp_path, kind).as_uri()
    if kind == "tar" and not hasattr(tarfile, "data_filter"):  # Python before 3.11.4
        with pytest.raises(OSError, match="a newer patch release does"):
            get("words", origin, extract=True, cache_dir=cache)
        return
    for name, folder in ((None, f"words.{kind}"), ("a.b", "a_extracted"), ("a", "a")):
        path = Path(get(name, origin, extract=True, cache_dir=cache))
        assert path == cache / "datasets" / folder
        assert (path / "inner.txt").read_text() == "words"
    with pytest.warns(UserWarning, match="no archive of format"):
        get("no", (tmp_path / "inner.txt").as_uri(), extract=True, cache_dir=cache)


def test_get_file_stays_in_its_folder(lamina_keras: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "bad.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(__file__, "../../outside.py")
    with pytest.raises((OSError, tarfile.TarError)):
        lamina_keras.utils.get_file("bad", path.as_uri(), extract=True, cache_dir=tmp_path / "cache")
    assert not list(tmp_path.rglob("outside.py"))


def test_get_file_refuses(lamina_keras: ModuleType, tmp_path: Path) -> None:
    get = lamina_keras.utils.get_file
    origin = "http://127.0.0.1:9/none"
    for kwargs, name in (
        ({}, "origin"),
        ({"origin": origin, "fname": "a/b"}, "fname"),
        ({"origin": "http://127.0.0.1:9/"}, "fname"),
        ({"origin": origin, "hash_algorithm": "crc"}, "hash_algorithm"),
        ({"origin": origin, "archive_format": "rar"}, "archive_format"),
    ):
        with pytest.raises(ValueError, match=f"^{name}: expected"):
            get(cache_dir=tmp_path, **kwargs)
    with pytest.raises(OSError):
        get(origin=origin, cache_dir=tmp_path)
