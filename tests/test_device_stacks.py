"""Stacks of dense layers that a GPU trains by one kernel: that it does, and as the CPU does. Where and how
such tests run says test_device.py.
"""

from typing import Any

import numpy as np
import pytest
from device_data import BYTES, WEIGHTS, X, Y, assert_alike, on_device

import lamina
from lamina import keras
from lamina.keras import layers, optimizers


def stack(dtype: str = "float32", extra: Any = None) -> keras.Sequential:
    """A network that a GPU trains by itself, unless there is a layer more in it."""
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.Input((29,), dtype=dtype),
            layers.Rescaling(0.01, dtype=dtype),
            layers.Dense(130, "relu", dtype=dtype),
            *([extra] if extra else []),
            layers.Dense(11, use_bias=False, dtype=dtype),
            layers.Activation("tanh", dtype=dtype),
            layers.Dense(5, "softmax", dtype=dtype),
        ]
    )


def way_of(model: Any) -> str:
    return str(model._compiled_now("fit")._trainer.verbs_because)


def fitted(device: str, optimizer: Any, dtype: str, x: np.ndarray, y: np.ndarray, loss: str) -> Any:
    with lamina.device(device):
        model = stack(dtype)
    model.compile(optimizer() if callable(optimizer) else optimizer, loss, metrics=["accuracy"])
    return model, model.fit(x, y, 32, 3, verbose=0, validation_data=(x[:99], y[:99])).history


@on_device
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy", "mse"])
@pytest.mark.parametrize("x", [X, BYTES, X[:, ::-1].astype(np.float16)], ids=["floats", "bytes", "halves"])
def test_a_gpu_trains_a_stack_by_itself(x: np.ndarray, loss: str, dtype: str) -> None:
    y = Y if loss.startswith("sparse") else np.eye(5, dtype=np.float32)[Y]

    def adam() -> Any:
        return optimizers.Adam(optimizers.schedules.ExponentialDecay(0.01, 5, 0.9))

    there, history = fitted("cuda", adam, dtype, x, y, loss)
    here, expected = fitted("cpu", adam, dtype, x, y, loss)
    assert way_of(there) == ""
    assert way_of(here) == "only a device trains a stack by itself"
    assert_alike(history.values(), expected.values(), dtype)
    assert_alike(there.get_weights(), here.get_weights(), dtype)


@on_device
@pytest.mark.parametrize(
    "optimizer", ["sgd", "rmsprop", "nadam", "adagrad", "adadelta", "adamax", "lion", "ftrl", "adamw"]
)
def test_a_stack_takes_the_cpus_steps(optimizer: str) -> None:
    arguments = ("float64", X, Y, "sparse_categorical_crossentropy")
    there, _ = fitted("cuda", optimizer, *arguments)
    here, _ = fitted("cpu", optimizer, *arguments)
    assert way_of(there) == ""
    assert_alike(there.get_weights(), here.get_weights(), "float64")


@on_device
def test_every_way_through_a_fit_of_a_stack_has_the_same_bits() -> None:
    class Batches(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            pass

    class Ends(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            pass

    found = []
    for watching in ([], [Ends()], [Batches()]):
        with lamina.device("cuda"):
            model = stack()
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(X, Y, 32, 2, verbose=0, callbacks=watching).history
        assert way_of(model) == ""
        found.append([*map(np.array, history.values()), *model.get_weights()])
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


LOSSES = {
    reduction: keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight", None)
}


@on_device
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", LOSSES)
@pytest.mark.parametrize("by_class", [False, True])
def test_weights_of_samples_and_classes(by_class: bool, reduction: str | None, dtype: str) -> None:
    found = []
    for device in ("cuda", "cpu"):
        with lamina.device(device):
            model = stack(dtype)
        model.compile("adam", LOSSES[reduction], metrics=["accuracy"], weighted_metrics=["accuracy"])
        weights: dict[str, Any] = {"sample_weight": WEIGHTS}
        if by_class:
            weights = {"class_weight": {0: 0.3, 2: 2.0, 4: 0.0}}
        history = model.fit(X, Y, 32, 3, verbose=0, **weights).history
        found.append([*history.values(), *model.get_weights()])
        assert bool(way_of(model)) == (device == "cpu")
    assert_alike(*found, dtype)


@on_device
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_draws_what_the_cpu_draws(dtype: str) -> None:
    """Other masks would part the two at once; also where a callback comes between, and in a second fit."""
    found = []
    for device in ("cuda", "cpu"):
        keras.utils.set_random_seed(3)
        with lamina.device(device):
            model = keras.Sequential(
                [
                    keras.Input((29,), dtype=dtype),
                    layers.Rescaling(0.1, dtype=dtype),
                    layers.Dropout(0.2, dtype=dtype),
                    layers.Dense(70, "relu", dtype=dtype),
                    layers.Dropout(0.5, dtype=dtype),
                    layers.Dense(30, dtype=dtype),
                    layers.Activation("tanh", dtype=dtype),
                    layers.Dropout(0.3, dtype=dtype),
                    layers.Dense(5, "softmax", dtype=dtype),
                ]
            )
        model.compile("sgd", "sparse_categorical_crossentropy")
        histories = [
            model.fit(X, Y, 32, 3, verbose=0, sample_weight=WEIGHTS, callbacks=callbacks).history
            for callbacks in ([], [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None)])
        ]
        found.append([*(h["loss"] for h in histories), *model.get_weights()])
        assert bool(way_of(model)) == (device == "cpu")
    assert_alike(*found, dtype)


@on_device
def test_a_dropped_output_goes_verb_by_verb() -> None:
    with lamina.device("cuda"):
        model = keras.Sequential([keras.Input((29,)), layers.Dense(5), layers.Dropout(0.5)])
    model.compile("sgd", "mse")
    model.fit(X, np.eye(5, dtype=np.float32)[Y], verbose=0)
    assert way_of(model) == "its output is dropped"


@on_device
@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("a layer is not dense", {"extra": layers.AlphaDropout(0.1)}),
        ("a layer is not dense", {"extra": layers.Dropout(0.1, noise_shape=(None, 1))}),
        ("the optimizer's step waits for all gradients", {"optimizer": "Lamb"}),
        ("its batches have 300 rows, more than 256", {"batch_size": 300}),
        ("the loss is not one of single rows", {"loss": "hinge"}),
        ("a metric is no mean of single rows", {"metrics": [keras.metrics.AUC()]}),
    ],
)
def test_what_goes_verb_by_verb_and_why(why: str, change: dict[str, Any]) -> None:
    with lamina.device("cuda"):
        model = stack(extra=change.get("extra"))
    model.compile(
        change.get("optimizer", "sgd"), change.get("loss", "mse"), metrics=change.get("metrics", ["mae"])
    )
    x, y = np.tile(X, (2, 1)), np.tile(np.eye(5, dtype=np.float32)[Y], (2, 1))
    model.fit(x, y, change.get("batch_size", 32), verbose=0)
    assert way_of(model) == why


@on_device
def test_many_stacks_side_by_side_have_the_bits_of_each() -> None:
    def models() -> list[keras.Sequential]:
        made = []
        for seed, optimizer in enumerate(("sgd", "adam", "Lamb", "rmsprop")):
            with lamina.device("cuda"):
                made.append(stack("float64" if optimizer == "rmsprop" else "float32"))
            made[-1].compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
            made[-1]._seed = seed
        return made

    together, alone = models(), models()
    histories = lamina.train_many(together, X, Y, batch_size=32, epochs=3, validation_data=(X, Y))
    for model, other, history in zip(together, alone, histories, strict=True):
        expected = other.fit(X, Y, batch_size=32, epochs=3, verbose=0, validation_data=(X, Y))
        assert history.history == expected.history
        assert way_of(model) == way_of(other)
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert [bool(way_of(model)) for model in together] == [False, False, True, False]
