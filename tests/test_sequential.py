"""Sequential: building and compiling it, against live Keras where it has a say."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from small_models import LABELS, ONE_HOT, SPARSE, X, classifier, same_weights
from tolerances import assert_close, rounding

from lamina import keras
from lamina.keras import Sequential, layers


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
        (lambda: Sequential([Sequential()]), "has no layers; add some first"),
        (lambda: Sequential().build((None, 3)), "has no layers"),
        (lambda: Sequential().predict(X), "has no layers"),
        (lambda: Sequential().pop(), "has no layers"),
        (lambda: Sequential([layers.Dense(3)]).build((4,)), "rank 2 or more"),
        (lambda: Sequential([keras.Input((3,)), layers.Dense(3)]).build((None, 4)), r"expected \(None, 3\)"),
        (lambda: Sequential(name="a/b"), "name: expected a string"),
        (lambda: Sequential(trainable=0), "trainable: expected True or False, got 0"),
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


def test_only_training_makes_an_optimizer_a_model_s_own() -> None:
    model, other = classifier(), classifier()
    other.compile(model.optimizer, SPARSE)
    other.evaluate(X, LABELS, verbose=0)
    other.test_on_batch(X, LABELS)
    optimizer = model.optimizer
    model.train_on_batch(X, LABELS)
    del model  # what it has learned stays in the optimizer
    with pytest.raises(ValueError, match="optimizer: expected one that works for this model alone"):
        other.fit(X, LABELS, verbose=0)
    other.evaluate(X, LABELS, verbose=0)
    assert optimizer.iterations == 1
    other.compile(copy.deepcopy(optimizer), SPARSE)
    other.fit(X, LABELS, verbose=0)
    assert other.optimizer.iterations > optimizer.iterations


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


def test_keras_s_methods_that_are_missing_are_named() -> None:
    model = classifier()
    for name in ("make_train_function", "compute_mask", "quantize"):
        with pytest.raises(AttributeError, match=f"keras.Sequential.{name}: Keras's, but not supported"):
            getattr(model, name)
        assert not hasattr(model, name)
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        _ = model.nope
    with pytest.raises(TypeError, match=r"^Sequential\.fit\(\) got an unexpected keyword argument 'foo'"):
        model.fit(X, LABELS, foo=1)


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
        ({"metrics": "accuracy"}, "metrics: expected a list, tuple or dict, got 'accuracy'"),
        ({"metrics": ["nope"]}, "nope"),
        ({"loss_weights": [2.0, 1.0]}, "loss_weights"),
        ({"weighted_metrics": "accuracy"}, "weighted_metrics: expected a list, tuple or dict"),
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


def test_a_second_compile_keeps_what_it_is_not_given(live_keras: ModuleType) -> None:
    for k in (live_keras, keras):
        model = classifier(k)
        model.compile("sgd")
        assert (model.loss, model.metrics_names) == (SPARSE, ["loss", "compile_metrics"])
        assert set(model.fit(X, LABELS, verbose=0).history) == {"loss", "accuracy"}
        model.compile("sgd", metrics=[])
        assert set(model.fit(X, LABELS, verbose=0).history) == {"loss"}
        model.compile(loss="mse")
        assert model.loss == "mse"
        assert type(model.optimizer).__name__ == "RMSprop"


def test_a_loss_is_needed() -> None:
    model = Sequential([layers.Dense(3)])
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
