"""What fit, evaluate and the batch methods report, to the caller and to callbacks."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from small_models import LABELS, X, classifier, same_weights, twins
from tolerances import assert_close, rounding

from lamina import keras


# -- what fit, evaluate and the batch methods report ---------------------------------------------------------
@pytest.mark.parametrize(
    "metrics",
    [None, [], ["accuracy"], ["acc", "accuracy", "sparse_categorical_accuracy"], ["accuracy", "accuracy"]],
)
def test_logs_have_keras_s_keys_order_types_and_values(metrics: Any, live_keras: ModuleType) -> None:
    live, model = twins(live_keras, metrics=metrics)
    bound = rounding("float32", 50, steps=8)
    results = []
    for each in (live, model):
        history = each.fit(
            X,
            LABELS,
            epochs=2,
            batch_size=16,
            shuffle=False,
            verbose=0,
            validation_split=0.3,
            validation_freq=2,
        )
        values = [
            each.evaluate(X, LABELS, verbose=0),
            each.evaluate(X, LABELS, verbose=0, return_dict=True),
            each.test_on_batch(X[:7], LABELS[:7]),
            each.train_on_batch(X[:7], LABELS[:7]),
            each.train_on_batch(X[:7], LABELS[:7], return_dict=True),
        ]
        results.append((history, values, each.metrics_names))
    (live_history, live_values, live_names), (history, values, names) = results
    assert names == live_names
    assert list(history.history) == list(live_history.history)
    assert (history.epoch, history.params) == (live_history.epoch, live_history.params)
    for key, series in history.history.items():
        assert all(type(value) is float and value == float(np.float32(value)) for value in series)
        assert_close(series, live_history.history[key], bound, key)
    for value, live_value in zip(values, live_values, strict=True):
        assert type(value) is type(live_value)
        if isinstance(value, dict):
            assert list(value) == list(live_value)
            value, live_value = list(value.values()), list(live_value.values())
        assert_close(value, live_value, bound, "evaluate")
    for weight, live_weight in zip(model.get_weights(), live.get_weights(), strict=True):
        assert_close(weight, live_weight, bound, "weights", scale=1.0)


def test_fit_without_epochs() -> None:
    model = classifier()
    before = model.get_weights()
    for arguments in ({"epochs": 0}, {"epochs": 2, "initial_epoch": 3}):
        history = model.fit(X, LABELS, verbose=0, **arguments)
        assert (history.history, history.epoch) == ({}, [])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    assert model.fit(X, LABELS, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]


def test_logs_are_doubles_where_floatx_is() -> None:
    keras.config.set_floatx("float64")
    try:
        model = classifier()
        loss = model.fit(X, LABELS, verbose=0).history["loss"][0]
        assert model.dtype == "float64"
        assert loss != float(np.float32(loss))
    finally:
        keras.config.set_floatx("float32")


# -- callbacks ----------------------------------------------------------------------------------------------
def recorder(k: Any, batches: bool) -> tuple[Any, list[Any]]:
    events: list[Any] = []

    def note(hook: str) -> Callable[..., None]:
        def call(self: Any, *args: Any, logs: Any = None) -> None:
            index, given = (
                ([], args) if "epoch" not in hook and "batch" not in hook else ([args[0]], args[1:])
            )
            found = given[0] if given else logs
            events.append((hook, *index, {} if found is None else dict(found), dict(self.params)))

        return call

    kinds = ("train", "test", "predict")
    hooks = [f"on_{kind}_{end}" for kind in kinds for end in ("begin", "end")] + [
        "on_epoch_begin",
        "on_epoch_end",
    ]
    if batches:
        hooks += [f"on_{kind}_batch_{end}" for kind in kinds for end in ("begin", "end")]
    return type("Recorder", (k.callbacks.Callback,), {hook: note(hook) for hook in hooks})(), events


@pytest.mark.parametrize("batches", [False, True])
def test_hooks_are_keras_s(batches: bool, live_keras: ModuleType) -> None:
    recorded = []
    for each, k in zip(twins(live_keras), (live_keras, keras), strict=True):
        callback, events = recorder(k, batches)
        x, y = X[:40], LABELS[:40]
        arguments: dict[str, Any] = {"batch_size": 16, "verbose": 0, "callbacks": [callback]}
        each.fit(x, y, epochs=2, shuffle=False, validation_data=(X[40:], LABELS[40:]), **arguments)
        each.evaluate(x, y, **arguments)
        each.predict(x, **arguments)
        recorded.append(events)
    live_events, events = recorded
    assert [event[:-2] for event in events] == [event[:-2] for event in live_events]
    bound = rounding("float32", 50, steps=6)
    for event, live_event in zip(events, live_events, strict=True):
        assert event[-1] == live_event[-1]
        assert list(event[-2]) == list(live_event[-2])
        for name, value in event[-2].items():
            assert_close(value, live_event[-2][name], bound, f"{event[0]} {name}")


def test_batch_hooks_do_not_change_the_bits() -> None:
    plain, stepped = classifier(), classifier()
    stepped.set_weights(plain.get_weights())
    stepped._seed = plain.shuffle_seed()
    callback, _ = recorder(keras, True)
    history = plain.fit(X, LABELS, epochs=2, batch_size=8, verbose=0, validation_split=0.5)
    with_hooks = stepped.fit(
        X, LABELS, epochs=2, batch_size=8, verbose=0, validation_split=0.5, callbacks=[callback]
    )
    assert same_weights(plain, stepped)
    assert history.history["loss"] == with_hooks.history["loss"]
    assert_close(
        with_hooks.history["val_loss"], history.history["val_loss"], rounding("float32", 4), "val_loss"
    )


def test_stop_training_ends_after_the_batch_and_the_epoch() -> None:
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = batch == 1

    model = classifier()
    history = model.fit(
        X, LABELS, epochs=3, batch_size=10, verbose=0, callbacks=[Stop()], validation_split=0.2
    )
    assert (history.epoch, model.optimizer.iterations) == ([0], 2)
    assert len(history.history["val_loss"]) == 1


@pytest.mark.parametrize(
    "hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_test_end", "on_epoch_end"]
)
def test_an_exception_of_a_callback_comes_out_unchanged(hook: str) -> None:
    def fail(self: Any, *args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("mine")

    failing = type("Failing", (keras.callbacks.Callback,), {hook: fail})()
    model = classifier()
    with pytest.raises(ZeroDivisionError, match=r"^mine$"):
        model.fit(X, LABELS, verbose=0, validation_split=0.2, callbacks=[failing])
    loss = model.fit(X, LABELS, verbose=0, epochs=20).history["loss"]
    assert loss[-1] < loss[0]


def test_training_from_a_batch_hook_is_refused() -> None:
    class Nested(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.train_on_batch(X, LABELS)

    model = classifier()
    with pytest.raises(RuntimeError, match="in the middle of an epoch"):
        model.fit(X, LABELS, verbose=0, callbacks=[Nested()])
    model.fit(X, LABELS, verbose=0)


def test_a_learning_rate_set_between_epochs_counts(live_keras: ModuleType) -> None:
    def halving(k: Any) -> Any:
        def on_epoch_end(self: Any, epoch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) / 2

        return type("Halving", (k.callbacks.Callback,), {"on_epoch_end": on_epoch_end})()

    live, model = twins(live_keras, optimizer="sgd")
    for each, k in ((live, live_keras), (model, keras)):
        each.fit(X, LABELS, epochs=3, batch_size=16, shuffle=False, verbose=0, callbacks=[halving(k)])
    for weight, live_weight in zip(model.get_weights(), live.get_weights(), strict=True):
        assert_close(weight, live_weight, rounding("float32", 16, steps=12), "weights", scale=1.0)


def test_metric_objects_hold_what_was_measured_last(live_keras: ModuleType) -> None:
    def measured(k: Any) -> list[tuple[float, float]]:
        found = []
        metric = k.metrics.SparseCategoricalAccuracy()

        def note(*_: Any, **logs: Any) -> None:
            found.append((float(metric.count), round(float(metric.total))))

        model = classifier(k, metrics=[metric])
        model.set_weights(weights)
        note()
        model.fit(X, LABELS, batch_size=32, shuffle=False, verbose=0)
        note()
        model.fit(X, LABELS, validation_data=(X[:7], LABELS[:7]), shuffle=False, verbose=0)
        note()
        model.evaluate(X[:11], LABELS[:11], verbose=0)
        note()
        model.test_on_batch(X[:5], LABELS[:5])
        note()
        assert float(metric.result()) == pytest.approx(found[-1][1] / found[-1][0])
        each = k.callbacks.LambdaCallback(on_train_batch_end=note)
        model.fit(X, LABELS, shuffle=False, verbose=0, callbacks=[each])
        return found

    weights = classifier().get_weights()
    assert measured(keras) == measured(live_keras)
