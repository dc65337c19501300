"""The layers: arguments, names, shapes, weights, configs; by themselves, outside of models."""

from __future__ import annotations

import copy
import gc
import pickle
import random
import re
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import assert_close, rounding

from lamina import keras
from lamina.keras import layers

MAKERS: dict[str, Callable[[Any], Any]] = {
    "Dense": lambda k: k.layers.Dense(3, "relu", name="d"),
    "Dense, no bias": lambda k: k.layers.Dense(
        3, use_bias=False, kernel_initializer="he_normal", dtype="float64"
    ),
    "Flatten": lambda k: k.layers.Flatten(),
    "Activation": lambda k: k.layers.Activation("tanh"),
    "Dropout": lambda k: k.layers.Dropout(0.25, seed=7),
    "BatchNormalization": lambda k: k.layers.BatchNormalization(momentum=0.9, scale=False),
    "InputLayer": lambda k: k.layers.InputLayer((3,), batch_size=2, name="i"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_config_is_keras_s_and_makes_the_layer_again(name: str, live_keras: ModuleType) -> None:
    keras.backend.clear_session()
    live_keras.backend.clear_session()
    layer, live = MAKERS[name](keras), MAKERS[name](live_keras)
    assert layer.get_config() == live.get_config()
    assert layer.built == live.built
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert type(live).from_config(layer.get_config()).get_config() == live.get_config()


def test_names_count_per_process_like_keras_s(live_keras: ModuleType) -> None:
    def names(k: Any) -> list[str]:
        k.backend.clear_session()
        made = [k.layers.Dense(1), k.layers.Dense(1), k.layers.Dense(1, name="dense"), k.layers.Dense(1)]
        made += [
            k.layers.BatchNormalization(),
            k.layers.Dropout(0.1),
            k.layers.Flatten(),
            k.layers.Activation("relu"),
        ]
        made += [k.Sequential(), k.Sequential(), k.Sequential(name="mine"), k.layers.InputLayer((2,))]
        return [thing.name for thing in made] + [
            str(k.backend.get_uid("dense")),
            str(k.backend.get_uid("new")),
        ]

    assert names(keras) == names(live_keras)
    keras.backend.clear_session()
    assert layers.Dense(1).name == "dense"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dense(0), "units: expected an int >= 1, got 0"),
        (lambda: layers.Dense(2.0), "units: expected an int >= 1, got 2.0"),
        (lambda: layers.Dense(True), "units: expected an int >= 1, got True"),
        (lambda: layers.Dense("3"), "units: expected an int >= 1, got '3'"),
        (lambda: layers.Dense(2, "nope"), "nope"),
        (lambda: layers.Dense(2, kernel_initializer="nope"), "nope"),
        (lambda: layers.Dense(2, kernel_initializer=None), "kernel_initializer: expected"),
        (lambda: layers.Dense(2, lora_rank=4), "lora_rank: not supported yet"),
        (lambda: layers.Dense(2, unknown=4), "Dense: unknown arguments 'unknown'"),
        (lambda: layers.Dense(2, name=3), "name: expected a string without '/', got 3"),
        (lambda: layers.Dense(2, name="a/b"), "name: expected a string without '/'"),
        (
            lambda: layers.Dense(2, dtype="float16"),
            "dtype: expected 'float32', 'float64' or 'mixed_bfloat16', got 'float16'",
        ),
        (lambda: layers.Dense(2, trainable=1), "trainable: expected True or False, got 1"),
        (lambda: layers.Dropout(1.5), "rate: expected a number in"),
        (lambda: layers.Dropout(-0.1), "rate: expected a number in"),
        (lambda: layers.Dropout("a"), "rate: expected a number in"),
        (lambda: layers.Dropout(0.5, noise_shape=(1, 2.5)), "noise_shape: expected ints"),
        (lambda: layers.Dropout(0.5, seed=0.5), "seed: expected an int or None"),
        (lambda: layers.Flatten(data_format="first"), "data_format: expected"),
        (lambda: layers.Activation("nope"), "nope"),
        (lambda: layers.BatchNormalization(axis="a"), "axis: expected an int"),
        (lambda: layers.BatchNormalization(momentum="a"), "momentum: expected a number"),
        (lambda: layers.BatchNormalization(axis=3).build((None, 3, 4)), "axis: 3 is out of bounds"),
        (lambda: layers.Dense(2).build((3,)), "expected an input of rank 2 or more"),
        (lambda: layers.Dense(2).build((None, None)), "expected every size after the batch axis to be known"),
        (lambda: layers.Dense(2).build(3), "input_shape: expected a tuple of sizes"),
        (lambda: keras.Input(), "expected either shape or batch_shape, got neither"),
        (lambda: keras.Input((3,), batch_shape=(None, 3)), "expected either shape or batch_shape, got both"),
        (lambda: keras.Input(3), "shape: expected a tuple of sizes"),
        (lambda: keras.Input((-1,)), "shape: expected sizes that are ints >= 0"),
        (lambda: keras.Input((None, 3)), "shape: expected every size after the batch axis to be known"),
        (lambda: keras.Input((3,), sparse=True), "sparse: not supported yet"),
        (lambda: keras.Input((3,), dtype="floot32"), "dtype: expected one of"),
    ],
)
def test_wrong_arguments_are_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_numpy_integers_are_units() -> None:
    assert layers.Dense(np.int64(3)).units == 3


@pytest.mark.parametrize("argument", [{"input_shape": (4,)}, {"input_dim": 4}, {"input_shape": [4]}])
def test_input_shape_works_and_warns_where_the_layer_was_made(argument: dict[str, Any]) -> None:
    with pytest.warns(UserWarning, match=r"keras\.Input") as caught:
        layer = layers.Dense(3, **argument)
    assert caught[0].filename == __file__
    assert keras.Sequential([layer]).input_shape == (None, 4)


def test_weights_of_a_layer_by_itself() -> None:
    layer = layers.Dense(3, dtype="float64")
    assert layer.weights == []
    with pytest.raises(AttributeError, match="no kernel before it is built"):
        _ = layer.kernel
    with pytest.raises(ValueError, match="count_params: layer 'dense"):
        layer.count_params()
    layer.build((None, 2))
    assert (layer.built, layer.count_params()) == (True, 9)
    assert [(weight.name, weight.shape, weight.dtype) for weight in layer.weights] == [
        ("kernel", (2, 3), "float64"),
        ("bias", (3,), "float64"),
    ]
    kernel = np.arange(6.0).reshape(2, 3)
    layer.set_weights([kernel, [1, 2, 3]])
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    np.testing.assert_array_equal(layer.kernel, kernel)
    np.testing.assert_array_equal(layer.kernel + layer.bias, np.add(kernel, [1, 2, 3]))
    assert layer.bias is not None
    layer.bias.assign([0, 0, 1])
    np.testing.assert_array_equal(layer(np.eye(2)), np.add(kernel, [0, 0, 1]))
    layer.build((None, 2))  # keeps what is there
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    with pytest.raises(ValueError, match=r"expected an input that fits its kernel of shape \(2, 3\)"):
        layer.build((None, 5))


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([np.ones((2, 3))], ValueError, "weights: expected 2 arrays for layer 'd', got 1"),
        (
            [np.ones((3, 2)), np.ones(3)],
            ValueError,
            r"weights: expected shape \(2, 3\) for 'd/kernel', got \(3, 2\)",
        ),
        (
            [np.ones((2, 3)), np.ones(4)],
            ValueError,
            r"weights: expected shape \(3,\) for 'd/bias', got \(4,\)",
        ),
        ([np.ones((2, 3)), ["a", "b", "c"]], TypeError, "weights: expected real numbers for 'd/bias'"),
        ([np.ones((2, 3), complex), np.ones(3)], TypeError, "weights: expected real numbers for 'd/kernel'"),
    ],
)
def test_wrong_weights_change_none(weights: list[Any], error: type[Exception], message: str) -> None:
    layer = layers.Dense(3, name="d")
    layer.build((None, 2))
    before = layer.get_weights()
    with pytest.raises(error, match=message):
        layer.set_weights(weights)
    for weight, old in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_weights_can_be_set_from_views_of_themselves() -> None:
    layer = layers.Dense(2, use_bias=False)
    layer.build((None, 2))
    layer.set_weights([[[1, 2], [3, 4]]])
    layer.set_weights([layer.kernel.value.T])
    np.testing.assert_array_equal(layer.kernel, [[1, 3], [2, 4]])


def test_seeds_come_from_python_s_random() -> None:
    def kernel() -> Any:
        random.seed(5)
        layer = layers.Dense(3)
        layer.build((None, 4))
        return layer.get_weights()[0]

    np.testing.assert_array_equal(kernel(), kernel())
    another = layers.Dense(3)
    another.build((None, 4))
    assert (another.get_weights()[0] != kernel()).any()


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in ("InputLayer", "Dropout")])
@pytest.mark.parametrize("shape", [(5, 4), (5, 2, 4), (5, 2, 3, 4)])
def test_a_layer_called_alone_computes_what_keras_s_does(
    name: str, shape: tuple[int, ...], live_keras: ModuleType
) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    layer, live = MAKERS[name](keras), MAKERS[name](live_keras)
    live(x)
    layer.build((None, *shape[1:]))
    layer.set_weights(live.get_weights())
    for training in (False, True):
        want = np.asarray(live(x, training=training) if layer.weights else live(x))
        got = layer(x, training=training)
        assert got.dtype == layer.dtype
        assert_close(got, want, rounding("float32", x[..., 0].size), name)  # statistics sum over all rows
        live.set_weights(layer.get_weights())  # Keras's moving statistics moved, Lamina's not


def test_dropout_called_alone() -> None:
    x = np.ones((50, 40), np.float32)
    layer = layers.Dropout(0.25, seed=3)
    np.testing.assert_array_equal(layer(x), x)
    first, second = layer(x, training=True), layer(x, training=True)
    assert set(np.unique(first)) == {0.0, np.float32(1 / 0.75)}
    assert (first != second).any()
    # 2000 draws: the share kept is within five standard deviations of 0.75.
    assert abs((first > 0).mean() - 0.75) < 5 * (0.25 * 0.75 / 2000) ** 0.5
    np.testing.assert_array_equal(layers.Dropout(1.0)(x, training=True), np.zeros_like(x))


def test_a_graph_of_layers_is_refused() -> None:
    with pytest.raises(TypeError, match="functional API"):
        layers.Dense(3)(keras.Input((4,)))  # type: ignore[arg-type]


def test_a_layer_of_one_s_own_is_refused() -> None:
    class Mine(layers.Layer):
        pass

    with pytest.raises(TypeError, match="expected one of Lamina's layers, got Mine"):
        keras.Sequential([keras.Input((4,)), Mine()])


def test_a_layer_is_in_one_model_only() -> None:
    layer = layers.Dense(3, name="shared")
    first = keras.Sequential([keras.Input((4,)), layer], name="first")
    with pytest.raises(ValueError, match="'shared' is in model 'first' already"):
        keras.Sequential([keras.Input((4,)), layer])
    kernel = layer.get_weights()[0]
    assert first.pop() is layer
    second = keras.Sequential([keras.Input((4,)), layer])
    np.testing.assert_array_equal(second.get_weights()[0], kernel)
    with pytest.raises(ValueError, match="in this model already"):
        second.add(layer)


def test_a_layer_of_a_dropped_model_is_free() -> None:
    layer = layers.Dense(1)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 4)), np.ones(4), verbose=0)  # History and model hold each other
    gc.disable()
    try:
        del model, history
        keras.Sequential([keras.Input((4,)), layer])
    finally:
        gc.enable()


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_layers_are_copied_with_their_weights(clone: Callable[[Any], Any]) -> None:
    layer = layers.Dense(3, "sigmoid")
    model = keras.Sequential([keras.Input((4,)), layer])
    twin = clone(layer)
    twin.set_weights([np.zeros((4, 3)), np.zeros(3)])
    assert layer.get_weights()[0].any()
    assert keras.Sequential([keras.Input((4,)), twin]).predict(np.ones((2, 4)), verbose=0)[0, 0] == 0.5
    assert model.layers == [layer]


def test_no_warning_without_input_shape() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keras.Sequential([keras.Input((4,)), layers.Dense(3)])


def test_settings_are_fixed_in_a_built_model() -> None:
    dense, dropout = layers.Dense(2), layers.Dropout(0.5)
    dropout.rate = 0.0  # nothing has been built from it
    model = keras.Sequential([keras.Input((4,)), dense, dropout])
    x = np.ones((3, 4))
    np.testing.assert_array_equal(model(x, training=True), model(x))
    for layer, name, value in ((dropout, "rate", 0.1), (dense, "activation", "relu"), (dense, "units", 3)):
        with pytest.raises(AttributeError, match=f"{name}: can't change while the layer is in a model"):
            setattr(layer, name, value)
    model.pop().rate = 0.1
    assert dropout.rate == 0.1


def test_regularizers_and_constraints_are_none_unless_given() -> None:
    names = {
        layers.Dense(2): ("kernel_regularizer", "bias_constraint", "activity_regularizer"),
        layers.BatchNormalization(): ("gamma_regularizer", "beta_constraint"),
    }
    for layer, attributes in names.items():
        for name in attributes:
            assert getattr(layer, name) is None
    dense = layers.Dense(2)
    dense.kernel_regularizer = keras.regularizers.L2()  # nothing has been built from it
    model = keras.Sequential([keras.Input((3,)), dense])
    assert dense.kernel.regularizer is dense.kernel_regularizer
    for name in ("kernel_regularizer", "activity_regularizer"):
        with pytest.raises(AttributeError, match=f"{name}: can't change while the layer is in a model"):
            setattr(dense, name, None)
    assert model.built
    with pytest.raises(AttributeError, match=r"keras.Layer.add_weight: Keras's, but not supported"):
        _ = layers.Dense(2).add_weight
