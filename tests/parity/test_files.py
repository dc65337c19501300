"""Files are Keras's: what either library writes the other reads, the optimizer's state included."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import assert_close, rounding

from lamina import keras

h5py = pytest.importorskip("h5py")

RNG = np.random.default_rng(4)
X = RNG.random((32, 5)).astype(np.float32)
LABELS = RNG.integers(0, 3, 32)


def network(k: Any, optimizer: Any) -> Any:
    """Trained for two epochs, compiled with instances and with names."""
    model = k.Sequential(
        [
            k.Input((5,), name="rows"),
            k.layers.Dense(6, "relu", use_bias=False, name="first"),
            k.layers.BatchNormalization(name="norm"),
            k.layers.Dropout(0.0, name="drop"),
            k.layers.Dense(3, "softmax", name="last"),
        ],
        name="net",
    )
    loss = k.losses.SparseCategoricalCrossentropy(name="it")
    model.compile(optimizer(k), loss, metrics=["accuracy"])
    model.fit(X, LABELS, epochs=2, batch_size=8, shuffle=False, verbose=0)
    return model


def contents(path: Path) -> dict[str, Any]:
    """Every group and array of a weights file."""
    found: dict[str, Any] = {}
    data = path.read_bytes()
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            data = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(
            lambda name, item: found.__setitem__(
                name, dict(item.attrs) if isinstance(item, h5py.Group) else np.array(item)
            )
        )
    return found


@pytest.mark.usefixtures("float64")
def test_what_keras_writes_is_read(live_keras: ModuleType, tmp_path: Path) -> None:
    for name, optimizer in OPTIMIZERS.items():
        live = network(live_keras, optimizer)
        live.save(tmp_path / "live.keras")
        ours = keras.models.load_model(tmp_path / "live.keras")
        same_state(ours, live, name)
        assert json.loads(ours.to_json()) == json.loads(live.to_json()), name
        assert_close(ours.predict(X, verbose=0), live.predict(X, verbose=0), rounding("float64", 6, 8), name)
        go_on(live, ours, name)


@pytest.mark.usefixtures("float64")
def test_arrays_and_moving_deviations(live_keras: ModuleType, tmp_path: Path) -> None:
    """A layer whose config holds arrays, and the statistics of batch renormalization, both ways."""
    kinds = {"live": live_keras, "ours": keras}
    for writer, reader in (("live", "ours"), ("ours", "live")):
        k = kinds[writer]
        layers = [
            k.layers.Rescaling(np.linspace(0.5, 2.0, 5), [0.0, 1.0, 2.0, 3.0, 4.0]),
            k.layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 1.5}),
            k.layers.Dense(3),
        ]
        model = k.Sequential([k.Input((5,)), *layers])
        model.compile("sgd", "mse")
        model.fit(X, X[:, :3], epochs=2, batch_size=8, verbose=0)
        model.save(tmp_path / "model.keras")
        again = kinds[reader].models.load_model(tmp_path / "model.keras")
        for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
        want, got = model.predict(X, verbose=0), again.predict(X, verbose=0)
        assert_close(got, want, rounding("float64", 5, 8), f"{reader} of {writer}")


@pytest.mark.usefixtures("float64")
def test_what_is_written_keras_reads(live_keras: ModuleType, tmp_path: Path) -> None:
    for name, optimizer in OPTIMIZERS.items():
        ours = network(keras, optimizer)
        ours.save(tmp_path / "ours.keras")
        live = live_keras.models.load_model(tmp_path / "ours.keras")
        same_state(ours, live, name)
        assert json.loads(live.to_json()) == json.loads(ours.to_json()), name
        live.save(tmp_path / "live.keras")
        one, other = contents(tmp_path / "ours.keras"), contents(tmp_path / "live.keras")
        assert one.keys() == other.keys(), name
        for path, value in one.items():
            assert np.array_equal(value, other[path]), (name, path)
            assert getattr(value, "dtype", None) == getattr(other[path], "dtype", None), (name, path)
        go_on(live, ours, name)


def test_weights_files_go_both_ways(live_keras: ModuleType, tmp_path: Path) -> None:
    path, sgd = tmp_path / "a.weights.h5", OPTIMIZERS["momentum"]
    live, ours = network(live_keras, sgd), network(keras, sgd)
    live.save_weights(path)
    theirs = contents(path)
    ours.load_weights(path)
    same_state(ours, live, "read")
    ours.save_weights(path)
    mine = contents(path)
    assert mine.keys() == theirs.keys()
    for key, value in mine.items():  # the groups tell names, which are numbered
        assert isinstance(value, dict) or np.array_equal(value, theirs[key]), key
    other = network(live_keras, sgd)
    other.load_weights(path)
    same_state(ours, other, "written")


def test_both_refuse_the_same_files(live_keras: ModuleType, tmp_path: Path) -> None:
    for k in (live_keras, keras):
        model = k.Sequential([k.Input((2,)), k.layers.Dense(2)])
        for name in ("model.txt", "model"):
            with pytest.raises(ValueError):
                model.save(tmp_path / name)
            with pytest.raises(ValueError):
                model.save_weights(tmp_path / name)
            with pytest.raises(ValueError):
                k.models.load_model(tmp_path / name)
        with pytest.raises(ValueError):
            k.models.load_model(tmp_path / "none.keras")
        with pytest.raises(FileNotFoundError):
            model.load_weights(tmp_path / "none.weights.h5")
        model.save_weights(tmp_path / "a.weights.h5")
        other = k.Sequential([k.Input((2,)), k.layers.Dense(3)])
        with pytest.raises(ValueError):
            other.load_weights(tmp_path / "a.weights.h5")
        with pytest.raises(ValueError):
            k.Sequential([k.layers.Dense(2)]).load_weights(tmp_path / "a.weights.h5")


OPTIMIZERS = {
    "momentum": lambda k: k.optimizers.SGD(0.125, momentum=0.5, nesterov=True),
    "adam": lambda k: k.optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "schedule": lambda k: k.optimizers.AdamW(
        k.optimizers.schedules.ExponentialDecay(0.01, 10, 0.5), use_ema=True, ema_momentum=0.5
    ),
    "accumulating": lambda k: k.optimizers.Nadam(0.01, gradient_accumulation_steps=2),
}


def same_state(ours: Any, live: Any, what: str) -> None:
    """Weights and optimizer variables are equal, bit for bit."""
    for one, other in zip(ours.get_weights(), live.get_weights(), strict=True):
        assert np.array_equal(one, other), what
    for one, other in zip(ours.optimizer.variables, live.optimizer.variables, strict=True):
        assert np.array_equal(one.numpy(), other.numpy()), (what, one.path)


def go_on(live: Any, ours: Any, what: str) -> None:
    """Two more steps are the same."""
    for model in (live, ours):
        model.fit(X, LABELS, batch_size=16, shuffle=False, verbose=0)
    # Keras makes float32 of some constants; in float64 nothing else rounds as much.
    bound = rounding("float32", 32, steps=2)
    for index, (one, other) in enumerate(zip(ours.get_weights(), live.get_weights(), strict=True)):
        assert_close(one, other, bound, f"{what}: weight {index}", scale=1.0)
