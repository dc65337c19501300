"""Callbacks see in Lamina what they see in Keras: which hooks, in which order, with which logs."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from networks import initial
from tolerances import assert_close, rounding

HOOKS = [f"on_{phase}_{edge}" for phase in ("train", "test", "predict") for edge in ("begin", "end")]
HOOKS += [f"on_{phase}_batch_{edge}" for phase in ("train", "test", "predict") for edge in ("begin", "end")]
HOOKS += ["on_epoch_begin", "on_epoch_end"]
BATCHES = [hook for hook in HOOKS if "batch" in hook]


def _data() -> tuple[Any, Any]:
    rng = np.random.default_rng(2)
    return rng.normal(size=(21, 5)).astype("float32"), rng.integers(0, 3, 21)


def _model(keras: ModuleType, metrics: list[str] | None = None) -> Any:
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(7, "tanh"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(
        keras.optimizers.SGD(0.2), "sparse_categorical_crossentropy", metrics=metrics or ["accuracy"]
    )
    rng = np.random.default_rng(1)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    return model


def _recorder(keras: ModuleType, hooks: list[str]) -> tuple[Any, list[tuple[Any, ...]]]:
    """A callback that overrides these hooks, and the list it fills with (hook, index, logs)."""
    seen: list[tuple[Any, ...]] = []

    def hook(name: str) -> Any:
        if "epoch" in name or "batch" in name:
            return lambda self, index, logs=None: seen.append((name, index, dict(logs or {})))
        return lambda self, logs=None: seen.append((name, None, dict(logs or {})))

    cls = type("Recorder", (keras.callbacks.Callback,), {name: hook(name) for name in hooks})
    return cls(), seen


def _run(keras: ModuleType, hooks: list[str]) -> tuple[list[tuple[Any, ...]], Any]:
    model = _model(keras)
    callback, seen = _recorder(keras, hooks)
    x, y = _data()
    common = {"verbose": 0, "callbacks": [callback]}
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, validation_data=(x[:5], y[:5]), **common)
    model.evaluate(x, y, batch_size=16, **common)
    model.predict(x, batch_size=16, **common)
    return seen, callback


def _assert_same_events(ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]]) -> None:
    assert [event[:2] for event in ours] == [event[:2] for event in theirs]
    bound = rounding("float32", 21, 6)
    for (name, index, our), (_, _, their) in zip(ours, theirs, strict=True):
        assert list(our) == list(their), f"{name} {index}"
        for key, value in their.items():
            assert_close(our[key], value, bound, f"{name} {index} {key}")
            if key != "outputs":
                assert type(our[key]) is type(value) is float


def test_every_hook(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """All hooks in fit with validation, evaluate and predict: order, indices, names and values in logs,
    params.
    """
    ours, our_callback = _run(lamina_keras, HOOKS)
    theirs, their_callback = _run(live_keras, HOOKS)
    assert {event[0] for event in theirs} == set(HOOKS)
    _assert_same_events(ours, theirs)
    assert our_callback.params == their_callback.params


def test_hooks_around_epochs_only(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Without batch hooks the epoch runs in one go, and the other hooks still see the same."""
    hooks = [hook for hook in HOOKS if hook not in BATCHES]
    _assert_same_events(_run(lamina_keras, hooks)[0], _run(live_keras, hooks)[0])


def test_batch_hooks_change_no_bits(lamina_keras: ModuleType) -> None:
    """Stepping batch by batch for a callback gives the weights of the epoch in one crossing."""
    x, y = _data()
    results = []
    for hooks in ([], ["on_train_batch_end"], HOOKS):
        model = _model(lamina_keras)
        lamina_keras.utils.set_random_seed(5)  # the first fit draws the seed of its shuffles
        model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=[_recorder(lamina_keras, hooks)[0]])
        results.append(b"".join(weight.tobytes() for weight in model.get_weights()))
    assert results[0] == results[1] == results[2]


def test_legacy_batch_hooks(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """on_batch_begin and on_batch_end stand for the training hooks."""
    hooks = ["on_batch_begin", "on_batch_end"]
    _assert_same_events(_run(lamina_keras, hooks)[0], _run(live_keras, hooks)[0])


def test_stop_training_in_the_middle_of_an_epoch(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """The epoch ends after that batch, is validated and reported, and is the last."""
    histories, weights = [], []
    x, y = _data()
    for keras in (lamina_keras, live_keras):

        class Stop(keras.callbacks.Callback):  # type: ignore[name-defined,misc]
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                if batch == 1:
                    self.model.stop_training = True

        model = _model(keras)
        history = model.fit(
            x, y, batch_size=8, epochs=4, shuffle=False, verbose=0, callbacks=[Stop()], validation_data=(x, y)
        )
        histories.append(history.history)
        weights.append(model.get_weights())
    assert len(histories[0]["loss"]) == 1
    for name, values in histories[1].items():
        assert_close(histories[0][name], values, rounding("float32", 21, 2), name)
    for our, their in zip(*weights, strict=True):
        assert_close(our, their, rounding("float32", 21, 2), "weight")


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin"])
@pytest.mark.parametrize("at_once", [1, 2])
def test_stop_training_before_an_epoch(
    hook: str, at_once: int, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Its first batches are trained all the same, and the validation takes place."""
    x, y = _data()
    runs = []
    for keras in (lamina_keras, live_keras):

        def stop(self: Any, epoch: Any = 1, logs: Any = None) -> None:
            self.model.stop_training = epoch != 0

        model = _model(keras)
        model.compile(
            keras.optimizers.SGD(0.2), "sparse_categorical_crossentropy", steps_per_execution=at_once
        )
        stopper = type("Stopper", (keras.callbacks.Callback,), {hook: stop})()
        fitted = model.fit(
            x, y, 8, 5, verbose=0, shuffle=False, callbacks=[stopper], validation_data=(x[:5], y[:5])
        )
        runs.append([fitted.history["loss"], fitted.history["val_loss"], *model.get_weights()])
    for our, their in zip(*runs, strict=True):
        assert_close(np.asarray(our), np.asarray(their), 64 * rounding("float32", 21, 6), hook)


def test_history_names_and_order(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Names as compile got them, sorted; evaluate's list in compile's order."""
    x, y = _data()
    found = []
    for keras in (lamina_keras, live_keras):
        model = _model(keras, ["sparse_categorical_accuracy", "acc"])
        history = model.fit(x, y, epochs=2, initial_epoch=1, verbose=0, validation_split=0.25)
        logs = model.evaluate(x, y, verbose=0, return_dict=True)
        found.append((list(history.history), history.epoch, history.params, list(logs), model.metrics_names))
    assert found[0] == found[1]


def test_early_stopping_stops_at_the_same_epoch(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """A training whose validation loss turns: the same epoch stops it, the same epoch's weights are
    restored.
    """
    x, y = _data()
    found = []
    for keras in (lamina_keras, live_keras):
        model = keras.Sequential(
            [keras.Input((5,)), keras.layers.Dense(20, "tanh"), keras.layers.Dense(3, "softmax")]
        )
        model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
        rng = np.random.default_rng(6)
        model.set_weights([initial(weight, rng) for weight in model.get_weights()])
        stopping = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
        history = model.fit(
            x[:14],
            y[:14],
            batch_size=7,
            epochs=40,
            shuffle=False,
            verbose=0,
            callbacks=[stopping],
            validation_data=(x[14:], y[14:]),
        )
        found.append((history, stopping, model.get_weights()))
    (ours, our_stopping, our_weights), (theirs, their_stopping, their_weights) = found
    assert 2 < len(theirs.epoch) < 40, "the case must stop early to show anything"
    assert ours.epoch == theirs.epoch
    assert our_stopping.stopped_epoch == their_stopping.stopped_epoch > 0
    assert our_stopping.best_epoch == their_stopping.best_epoch
    bound = rounding("float32", 14, 2 * len(theirs.epoch))
    assert_close(ours.history["val_loss"], theirs.history["val_loss"], bound, "val_loss")
    for our, their in zip(our_weights, their_weights, strict=True):
        assert_close(our, their, bound, "restored weight")
