"""Sequential: building, weights, compile, fit, evaluate, predict, callbacks, copies — against live Keras
where it has a say.
"""

from __future__ import annotations

import copy
import pickle
import random
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import assert_close, rounding

from lamina import keras
from lamina.keras import Sequential, layers

RNG = np.random.default_rng(0)
X = RNG.random((50, 4)).astype(np.float32)
LABELS = RNG.integers(0, 3, 50)
ONE_HOT = np.eye(3)[LABELS]
SPARSE = "sparse_categorical_crossentropy"


def classifier(k: Any = keras, metrics: Any = ("accuracy",), **compiled: Any) -> Any:
    model = k.Sequential([k.Input((4,)), k.layers.Dense(5, "tanh"), k.layers.Dense(3, "softmax")])
    compiled = {"optimizer": "adam", "loss": SPARSE, **compiled}
    model.compile(metrics=None if metrics is None else list(metrics), **compiled)
    return model


def twins(live_keras: ModuleType, **arguments: Any) -> tuple[Any, Any]:
    live, model = classifier(live_keras, **arguments), classifier(**arguments)
    model.set_weights(live.get_weights())
    return live, model


def same_weights(one: Any, other: Any) -> bool:
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(first, second) for first, second in pairs)


# -- building -----------------------------------------------------------------------------------------------
def test_ways_to_build() -> None:
    listed = Sequential([keras.Input(shape=(4,)), layers.Dense(3)])
    added = Sequential()
    added.add(layers.InputLayer((4,)))
    added.add(layers.Dense(3))
    built = Sequential([layers.Dense(3)])
    assert not built.built
    built.build()
    assert not built.built
    built.build((None, 4))
    called = Sequential([layers.Dense(3)])
    called(np.zeros((2, 4)))
    for model in (listed, added, built, called):
        assert model.built
        assert model.output_shape[1:] == (3,)
        assert model.count_params() == 15
        assert [weight.shape for weight in model.weights] == [(4, 3), (3,)]
    assert called.input_shape == (2, 4)
    assert called.predict(np.zeros((7, 4)), verbose=0).shape == (7, 3)


def test_before_it_is_built() -> None:
    model = Sequential([layers.Dense(3)], name="m")
    assert (model.built, model.weights, model.get_weights(), model.dtype) == (False, [], [], "float32")
    for attribute in ("input_shape", "output_shape"):
        with pytest.raises(AttributeError, match="before it is built"):
            getattr(model, attribute)
    with pytest.raises(ValueError, match="count_params: model 'm' has no weights yet"):
        model.count_params()
    for call in (lambda m: m.fit(X, X), lambda m: m.evaluate(X, X), lambda m: m.train_on_batch(X, X)):
        with pytest.raises(ValueError, match="the model is not compiled"):
            call(model)
    assert (model.compiled, model.optimizer, model.loss, model.metrics_names) == (False, None, None, [])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sequential([3]), "layer: expected a layer, got 3"),
        (lambda: Sequential(layers.Dense(3)), "layers: expected a list of layers"),
        (
            lambda: Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")]),
            "name that is new to the model",
        ),
        (lambda: Sequential([keras.Input((3,)), keras.Input((4,))]), "can't have another Input"),
        (lambda: Sequential([layers.Dense(3), keras.Input((4,))]), "expected Input before the first layer"),
        (lambda: Sequential([Sequential()]), "layer: expected a layer"),
        (lambda: Sequential().build((None, 3)), "has no layers"),
        (lambda: Sequential().predict(X), "has no layers"),
        (lambda: Sequential().pop(), "has no layers"),
        (lambda: Sequential([layers.Dense(3)]).build((4,)), "rank 2 or more"),
        (lambda: Sequential([keras.Input((3,)), layers.Dense(3)]).build((None, 4)), r"expected \(None, 3\)"),
        (lambda: Sequential(name="a/b"), "name: expected a string"),
        (lambda: Sequential(trainable=False), "trainable: not supported yet"),
        (
            lambda: Sequential([keras.Input((3,)), layers.Dense(3), layers.Dense(3, dtype="float64")]),
            "dtype: expected one for all layers",
        ),
    ],
)
def test_models_that_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_refused_layer_leaves_the_model_as_it_was() -> None:
    model = Sequential([keras.Input((3,)), layers.Dense(2, name="a")])
    before = model.get_weights()
    for wrong in (
        layers.Dense(2, name="a"),
        layers.Dense(2, dtype="float64"),
        layers.BatchNormalization(axis=3),
    ):
        with pytest.raises(ValueError, match=r"name|dtype|axis"):
            model.add(wrong)
    assert len(model.layers) == 1
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    np.testing.assert_array_equal(model(np.eye(3)), before[0])


def test_add_pop_and_recompile_keep_the_weights() -> None:
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    before = model.get_weights()
    kernel = model.layers[0].kernel
    model.add(layers.Dense(2))
    assert [weight.shape for weight in model.weights[-2:]] == [(3, 2), (2,)]
    assert kernel is model.layers[0].kernel
    model.pop()
    model.compile("sgd", SPARSE)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    model.fit(X, LABELS, verbose=0)
    assert (kernel != before[0]).any()  # a Variable that was held before shows the weights of now
    while model.layers:
        model.pop()
    assert not model.built
    model.add(layers.Dense(2))
    assert model.input_shape == (None, 4)


def test_an_optimizer_s_state_for_other_weights_is_refused() -> None:
    model = classifier()
    model.fit(X, LABELS, verbose=0)
    model.add(layers.Dense(3, "softmax"))
    with pytest.raises(ValueError, match="optimizer"):
        model.fit(X, LABELS, verbose=0)
    other = classifier()
    other.compile(model.optimizer, SPARSE)
    with pytest.raises(ValueError, match="optimizer: expected one that works for this model alone"):
        other.fit(X, LABELS, verbose=0)


def test_get_layer() -> None:
    model = Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="b")])
    assert model.get_layer("b") is model.get_layer(index=1) is model.get_layer(index=-1) is model.layers[1]
    for arguments in ({}, {"name": "a", "index": 0}, {"name": "c"}, {"index": 2}):
        with pytest.raises(ValueError, match="get_layer"):
            model.get_layer(**arguments)


def test_weights_have_keras_s_order_and_names(live_keras: ModuleType) -> None:
    def model(k: Any) -> Any:
        stack = [k.Input((4,)), k.layers.Dense(3), k.layers.BatchNormalization(), k.layers.Dropout(0.5)]
        return k.Sequential([*stack, k.layers.Dense(2, use_bias=False)])

    ours, live = model(keras), model(live_keras)
    for kind in ("weights", "trainable_weights", "non_trainable_weights"):
        names = [(weight.name, tuple(weight.shape), weight.dtype) for weight in getattr(ours, kind)]
        assert names == [(weight.name, tuple(weight.shape), weight.dtype) for weight in getattr(live, kind)]
    assert ours.weights[0].path == f"{ours.name}/{ours.layers[0].name}/kernel"
    assert ours.count_params() == live.count_params()
    live.set_weights(ours.get_weights())
    x = X[:10]
    assert_close(ours.predict(x, verbose=0), live.predict(x, verbose=0), rounding("float32", 4), "predict")


def test_wrong_weights_change_none() -> None:
    model = classifier()
    before = model.get_weights()
    wrong = [np.zeros_like(weight) for weight in before]
    wrong[-1] = np.zeros(7)
    with pytest.raises(ValueError, match=r"weights: expected shape \(3,\)"):
        model.set_weights(wrong)
    with pytest.raises(ValueError, match="weights: expected 4 arrays"):
        model.set_weights([])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


# -- compile ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "nope"}, "nope"),
        ({"optimizer": None}, "optimizer: expected the name of an optimizer"),
        ({"loss": "nope"}, "nope"),
        ({"loss": lambda y, p: 0}, "automatic differentiation"),
        ({"metrics": "accuracy"}, "metrics: expected a list, tuple or dict, got 'accuracy'"),
        ({"metrics": ["nope"]}, "nope"),
        ({"loss_weights": [2.0]}, "loss_weights: not supported yet"),
        ({"weighted_metrics": ["accuracy"]}, "weighted_metrics: not supported yet"),
    ],
)
def test_wrong_compile_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    model = classifier()
    before = model.optimizer
    with pytest.raises(ValueError, match=message):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    assert model.optimizer is before


def test_arguments_about_execution_change_nothing() -> None:
    plain, told = (
        classifier(),
        classifier(run_eagerly=True, steps_per_execution=4, jit_compile=False, auto_scale_loss=False),
    )
    told.set_weights(plain.get_weights())
    plain.fit(X, LABELS, verbose=0, shuffle=False)
    told.fit(X, LABELS, verbose=0, shuffle=False)
    assert same_weights(plain, told)


def test_a_loss_is_needed() -> None:
    model = classifier()
    model.compile("sgd")
    with pytest.raises(ValueError, match="loss: expected a loss to compute, got none"):
        model.fit(X, LABELS, verbose=0)


@pytest.mark.parametrize(
    ("loss", "y", "metric"),
    [
        (SPARSE, LABELS, "mse"),
        (SPARSE, LABELS, "categorical_accuracy"),
        ("mse", ONE_HOT, "sparse_categorical_accuracy"),
    ],
)
def test_a_metric_that_does_not_fit_the_targets_is_refused(loss: str, y: Any, metric: str) -> None:
    with pytest.raises(ValueError, match=f"metrics: expected some that fit .* got '{metric}'"):
        classifier(loss=loss, metrics=[metric]).fit(X, y, verbose=0)


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


# -- shapes and kinds of data --------------------------------------------------------------------------------
def test_ranks_are_adjusted_as_keras_does(live_keras: ModuleType) -> None:
    def one_input(k: Any) -> Any:
        model = k.Sequential([k.Input((1,)), k.layers.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse")
        return model

    column = X[:, 0]
    for x, y in ((column, column), (column[:, None], column[:, None]), (column[:, None, None], column)):
        results = []
        for k in (live_keras, keras):
            model = one_input(k)
            model.fit(x, y, shuffle=False, verbose=0)
            results.append(model.predict(x, verbose=0))
        assert_close(results[1], results[0], rounding("float32", 32, steps=2), "predict")
        assert results[1].shape == (50, 1)
    flat = Sequential([layers.Flatten(), layers.Dense(1)])
    assert flat(column).shape == (50, 1)
    with pytest.raises(ValueError, match="rank 2 or more"):
        Sequential([layers.Dense(1)])(column)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X.tolist(), LABELS.tolist()),
        ([X], [LABELS]),
        (X, LABELS[:, None]),
        (X, LABELS.astype(np.float64)),
        (X.astype(np.float64), LABELS.astype(np.uint8)),
        (tuple(X), tuple(LABELS)),
        (memoryview(X), LABELS),
    ],
    ids=["lists", "in a list", "column", "float labels", "float64", "tuples", "buffer"],
)
def test_forms_of_the_same_data_give_the_same_bits(x: Any, y: Any) -> None:
    model = classifier()
    other = copy.deepcopy(model)
    model.fit(X, LABELS, verbose=0)
    other.fit(x, y, verbose=0)
    assert same_weights(model, other)


def test_what_numpy_can_convert_is_data() -> None:
    class Frame:
        """What data frames and tensors have in common."""

        def __init__(self, values: Any) -> None:
            self.values = values

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
            return np.array(self.values, dtype=dtype)

    model = classifier()
    other = copy.deepcopy(model)
    model.fit(X, LABELS, verbose=0, validation_split=0.2)
    other.fit(Frame(X), Frame(LABELS), verbose=0, validation_split=0.2)
    assert same_weights(model, other)


def test_inputs_are_never_modified() -> None:
    x, y, w = X.copy(), LABELS.copy(), np.ones(50)
    for array in (x, y, w):
        array.flags.writeable = False
    model = classifier()
    model.fit(x, y, sample_weight=w, verbose=0, validation_data=(x, y, w))
    model.evaluate(x, y, sample_weight=w, verbose=0)
    model.predict(x, verbose=0)
    model(x, training=True)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, LABELS)


@pytest.mark.parametrize(
    "arguments", [{"class_weight": {0: 2.0, 2: 0.25}}, {"sample_weight": RNG.random((50, 1))}]
)
@pytest.mark.parametrize("loss", [SPARSE, "categorical_crossentropy"])
def test_weights_of_samples_are_keras_s(arguments: dict[str, Any], loss: str, live_keras: ModuleType) -> None:
    live, model = twins(live_keras, loss=loss)
    y = LABELS if loss == SPARSE else ONE_HOT
    histories = [
        each.fit(
            X, y, epochs=2, batch_size=16, shuffle=False, verbose=0, validation_split=0.2, **arguments
        ).history
        for each in (live, model)
    ]
    bound = rounding("float32", 40, steps=6)
    for key in histories[0]:
        assert_close(histories[1][key], histories[0][key], bound, key)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": X[:, :3]}, ValueError, r"^x: expected shape \(n, 4\), got \(50, 3\)"),
        ({"x": X[:10]}, ValueError, r"^y: expected 10 rows, as many as x has, got 50"),
        ({"x": None}, ValueError, r"^x: expected an array, got None"),
        ({"y": None}, ValueError, r"^y: expected the targets of x, got None"),
        ({"x": X.astype(complex)}, TypeError, r"^x: expected numbers .* got dtype complex"),
        ({"x": X.astype(object)}, TypeError, r"^x: expected numbers .* got dtype object"),
        ({"x": X.astype(str)}, TypeError, r"^x: expected numbers .* got dtype <U"),
        ({"x": np.ma.masked_less(X, 0.5)}, TypeError, r"^x: .*masked"),
        ({"x": {"a": X}}, TypeError, r"^x: expected an array, got dict"),
        ({"x": [[1.0, 2.0], [3.0]]}, ValueError, r"^x: expected an array, got a list that numpy can't"),
        ({"x": (row for row in X)}, TypeError, r"^x: .*generators and data set objects are not supported"),
        ({"x": X[:0], "y": LABELS[:0]}, ValueError, r"^x: expected at least one row"),
        ({"y": ONE_HOT}, ValueError, r"^y: expected shape \(n,\) .*one-hot rows go with"),
        ({"y": LABELS + 1}, ValueError, r"^y: .*3"),
        ({"sample_weight": np.ones(49)}, ValueError, r"^sample_weight: expected 50 rows"),
        ({"sample_weight": np.ones((50, 2))}, ValueError, r"^sample_weight: expected one weight per sample"),
        ({"sample_weight": "abc"}, TypeError, r"^sample_weight: expected an array"),
        ({"class_weight": [1, 2]}, TypeError, r"^class_weight: expected a dict"),
        ({"class_weight": {0: "a"}}, TypeError, r"^class_weight: expected a finite number for class 0"),
        ({"class_weight": {"a": 1}}, TypeError, r"^class_weight: expected class numbers as keys"),
        (
            {"class_weight": {0: 1}, "sample_weight": np.ones(50)},
            ValueError,
            r"^class_weight: expected one of",
        ),
        ({"batch_size": 0}, ValueError, r"^batch_size: expected an int >= 1, got 0"),
        ({"batch_size": 2.5}, TypeError, r"^batch_size: expected an int >= 1, got 2.5"),
        ({"batch_size": True}, TypeError, r"^batch_size: "),
        ({"epochs": -1}, ValueError, r"^epochs: expected an int >= 0, got -1"),
        ({"initial_epoch": -1}, ValueError, r"^initial_epoch: "),
        ({"verbose": 3}, ValueError, r"^verbose: expected 'auto', 0, 1 or 2, got 3"),
        ({"shuffle": "batch"}, ValueError, r"^shuffle: expected True or False, got 'batch'"),
        ({"validation_split": 1.0}, ValueError, r"^validation_split: expected a number in \[0, 1\), got 1.0"),
        ({"validation_split": -0.5}, ValueError, r"^validation_split: "),
        ({"validation_split": "a"}, TypeError, r"^validation_split: "),
        ({"validation_split": 0.999}, ValueError, r"^validation_split: expected a part that leaves rows"),
        ({"validation_data": X}, TypeError, r"^validation_data: expected a tuple"),
        ({"validation_data": (X,)}, ValueError, r"^validation_data: expected a tuple .* got 1 entries"),
        ({"validation_data": (X, LABELS[:9])}, ValueError, r"^validation_data\[1\]: expected 50 rows"),
        ({"validation_data": (X[:, :2], LABELS)}, ValueError, r"^validation_data\[0\]: expected shape"),
        ({"validation_data": (X, LABELS - 1)}, ValueError, r"^validation_data\[1\]: .*-1"),
        ({"validation_data": (X, LABELS, [1])}, ValueError, r"^validation_data\[2\]: expected 50 rows"),
        ({"validation_batch_size": 0}, ValueError, r"^validation_batch_size: "),
        ({"validation_freq": 0}, ValueError, r"^validation_freq: "),
        ({"validation_freq": "a"}, TypeError, r"^validation_freq: "),
        ({"steps_per_epoch": 3}, ValueError, r"steps_per_epoch: not supported yet"),
        ({"validation_steps": 3}, ValueError, r"validation_steps: not supported yet"),
        ({"callbacks": [3]}, TypeError, r"callbacks: expected"),
    ],
)
def test_wrong_fit_arguments_are_named_before_anything_changes(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = classifier()
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(**{"x": X, "y": LABELS, "verbose": 0, **arguments})
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    assert model.optimizer.iterations == 0
    model.fit(X, LABELS, verbose=0)


# -- calling, threads, copies --------------------------------------------------------------------------------
def test_calling_the_model() -> None:
    model = Sequential([keras.Input((4,)), layers.Dropout(0.5, seed=1), layers.Dense(2, use_bias=False)])
    np.testing.assert_array_equal(model(X), model.predict(X, verbose=0))
    np.testing.assert_array_equal(model(X), model.predict_on_batch(X))
    assert isinstance(model(X), np.ndarray)
    assert (model(X, training=True) != model(X, training=True)).any()
    with pytest.raises(TypeError, match="functional API"):
        model(keras.Input((4,)))
    with pytest.raises(ValueError, match=r"inputs: expected shape \(n, 4\), got \(4,\)"):
        model(X[0])


def test_higher_ranks(live_keras: ModuleType) -> None:
    x = RNG.random((20, 3, 4)).astype(np.float32)
    labels = RNG.integers(0, 5, (20, 3))

    def tagger(k: Any) -> Any:
        model = k.Sequential([k.Input((3, 4)), k.layers.Dense(6, "tanh"), k.layers.BatchNormalization()])
        model.add(k.layers.Dense(5, "softmax"))
        model.compile("sgd", SPARSE, metrics=["accuracy"])
        return model

    live, model = tagger(live_keras), tagger(keras)
    model.set_weights(live.get_weights())
    histories = [
        each.fit(x, labels, epochs=2, batch_size=8, shuffle=False, verbose=0).history
        for each in (live, model)
    ]
    bound = rounding("float32", 60, steps=6)
    for key in histories[0]:
        assert_close(histories[1][key], histories[0][key], bound, key)
    out = model.predict(x, verbose=0)
    assert out.shape == (20, 3, 5)
    assert_close(out, live.predict(x, verbose=0), bound, "predict")


def test_equal_seeds_give_equal_bits() -> None:
    def run() -> Any:
        keras.utils.set_random_seed(42)
        model = Sequential([layers.Dense(8, "relu"), layers.Dropout(0.3), layers.Dense(3, "softmax")])
        model.compile("rmsprop", SPARSE)
        return model, model.fit(X, LABELS, epochs=3, batch_size=8, verbose=0).history

    (one, first), (other, second) = run(), run()
    assert first == second
    assert same_weights(one, other)


def test_every_epoch_has_its_own_order() -> None:
    x = np.arange(8.0)[:, None]
    model = Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    seeds = {model._epochs_trained}
    for _ in range(3):
        model.fit(x, x, verbose=0)
        seeds.add(model._epochs_trained)
    assert seeds == {0, 1, 2, 3}


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adagrad"])
@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
@pytest.mark.parametrize("when", ["unbuilt", "built", "trained"])
def test_a_copy_goes_on_with_the_same_bits(optimizer: str, clone: Callable[[Any], Any], when: str) -> None:
    model = Sequential([layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.3)], name="m")
    model.add(layers.Dense(3, "softmax"))
    model.compile(optimizer, SPARSE, metrics=["accuracy"])
    if when != "unbuilt":
        model.build((None, 4))
    if when == "trained":
        model.fit(X, LABELS, epochs=2, batch_size=8, verbose=0)
    twin = clone(model)
    assert (twin.name, twin.built, twin.optimizer is model.optimizer) == ("m", model.built, False)
    random.seed(1)  # a copy draws nothing any more
    for each in (model, twin):
        each.fit(X, LABELS, epochs=2, batch_size=8, verbose=0)
    assert same_weights(model, twin)
    assert model.evaluate(X, LABELS, verbose=0) == twin.evaluate(X, LABELS, verbose=0)
    assert model.optimizer.iterations == twin.optimizer.iterations
    twin.set_weights([np.zeros_like(weight) for weight in twin.get_weights()])
    assert model.get_weights()[0].any()


def test_two_fits_are_one_long_fit() -> None:
    model = classifier()
    twin = copy.deepcopy(model)
    model.fit(X, LABELS, epochs=4, batch_size=8, verbose=0)
    for _ in range(4):
        twin = pickle.loads(pickle.dumps(twin))
        twin.fit(X, LABELS, batch_size=8, verbose=0)
    assert same_weights(model, twin)


def test_history_and_model_can_be_pickled_together() -> None:
    model = classifier()
    history = model.fit(X, LABELS, verbose=0)
    again = pickle.loads(pickle.dumps(history))
    assert again.history == history.history
    assert same_weights(again.model, model)


def test_threads_predict_at_once() -> None:
    model = classifier()
    want = model.predict(X, verbose=0)
    got: list[Any] = [None] * 4

    def run(index: int) -> None:
        got[index] = [model.predict(X, verbose=0) for _ in range(20)]

    threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(out, want) for outs in got for out in outs)


@pytest.mark.parametrize("method", ["save", "save_weights", "load_weights"])
def test_files_are_refused_with_the_way_of_today(method: str) -> None:
    with pytest.raises(NotImplementedError, match=rf"{method}: not supported yet.*pickle"):
        getattr(classifier(), method)("model.keras")
    with pytest.raises(NotImplementedError, match=r"load_model: not supported yet.*pickle"):
        keras.models.load_model("model.keras")


def test_progress_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    model = classifier()
    model.fit(X, LABELS, epochs=2, verbose=2)
    model.evaluate(X, LABELS, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/2", "2/2", "Epoch 2/2", "2/2", "2/2"]
    assert "accuracy: " in lines[1]
    model.fit(X, LABELS)
    model.predict(X)
    shown = capsys.readouterr().out
    assert "2/2" in shown
    assert shown.count("\n") == 2
    model.fit(X, LABELS, verbose=0)
    assert capsys.readouterr().out == ""
