"""TensorBoard: what stands in the event files, read record by record."""

import importlib
import json
import struct

import numpy as np
import pytest

from lamina import keras

RNG = np.random.default_rng(0)
X, Y = RNG.random((20, 4)).astype("float32"), RNG.integers(0, 3, 20)


def fit(folder, **arguments):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax", name="out")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    board = keras.callbacks.TensorBoard(folder, **arguments)
    history = model.fit(X, Y, 8, epochs=3, verbose=0, callbacks=[board], validation_data=(X, Y))
    return model, history


def events(folder):
    """(tag, step, value) of all records: a length, its checksum, an Event and its checksum each."""
    proto = importlib.import_module("tensorboardX.proto.event_pb2")
    found = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = proto.Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            found += [(value.tag, event.step, value) for value in event.summary.value]
    return found


def scalars(folder, prefix):
    return {(tag, step): value.simple_value for tag, step, value in events(folder) if tag.startswith(prefix)}


def test_epochs_and_the_model(tmp_path):
    pytest.importorskip("tensorboardX")
    model, history = fit(tmp_path, histogram_freq=2, write_images=True, write_steps_per_second=True)
    train, validation = scalars(tmp_path / "train", "epoch_"), scalars(tmp_path / "validation", "")
    for name, values in history.history.items():
        where, tag = (validation, name[4:]) if name.startswith("val_") else (train, name)
        for epoch, value in enumerate(values):
            assert where[f"epoch_{tag}", epoch] == np.float32(value)
    assert train["epoch_learning_rate", 2] == np.float32(0.01)
    assert train["epoch_steps_per_second", 0] > 0
    assert validation["evaluation_loss_vs_iterations", 9] == np.float32(history.history["val_loss"][2])
    others = {(tag, step): value for tag, step, value in events(tmp_path / "train") if "epoch" not in tag}
    graph = others.pop(("keras", 0))
    assert graph.metadata.plugin_data.plugin_name == "graph_keras_model"
    assert json.loads(graph.tensor.string_val[0]) == json.loads(model.to_json())
    paths = [weight.path for weight in model.weights]
    assert set(others) == {
        (f"{path}/{kind}", epoch) for path in paths for kind in ("histogram", "image") for epoch in (0, 2)
    }
    assert others[f"{paths[0]}/histogram", 2].histo.num == 12


def test_batches(tmp_path):
    pytest.importorskip("tensorboardX")
    _, history = fit(tmp_path, update_freq=2, write_graph=False)
    found = scalars(tmp_path / "train", "batch_")
    names = ("batch_accuracy", "batch_loss")
    assert sorted(found) == [(name, step) for name in names for step in (2, 4, 6, 8)]
    assert found["batch_loss", 6] == np.float32(history.history["loss"][1])


@pytest.mark.parametrize(("update_freq", "wanted"), [("epoch", False), ("batch", True), (5, True)])
def test_who_wants_batches(update_freq, wanted):
    board = keras.callbacks.TensorBoard(update_freq=update_freq)
    assert keras.callbacks.CallbackList(board).wants_train_batches == wanted


def test_what_is_refused(tmp_path, monkeypatch):
    for arguments in ({"profile_batch": 2}, {"embeddings_freq": 1}, {"embeddings_metadata": "a"}):
        with pytest.raises(ValueError, match=f"TensorBoard: .*{next(iter(arguments))}"):
            keras.callbacks.TensorBoard(**arguments)
    real = importlib.import_module

    def missing(name, *args):
        if name.startswith("tensorboardX"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"tensorboardX, which is not installed: pip install 'lamina\[tens"):
        fit(tmp_path)
    assert not list(tmp_path.iterdir())
