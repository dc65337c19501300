"""Models within models, in Lamina and in live Keras: weights, summaries, configs, training, freezing."""

import copy
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from networks import initial
from tolerances import assert_close, rounding

X = np.random.default_rng(0).normal(size=(12, 5))
Y = np.random.default_rng(1).integers(0, 3, 12)


def nested(keras: ModuleType) -> Any:
    """A base of two layers, a model within a model, and a head."""
    layers = keras.layers
    base = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(6, activation="tanh", name="first"),
            layers.BatchNormalization(name="norm"),
        ],
        name="base",
    )
    inmost = keras.Sequential([layers.Dense(4, name="first"), layers.Activation("relu", name="a")], name="in")
    middle = keras.Sequential([inmost, layers.Dense(4, use_bias=False, name="last")], name="middle")
    head = layers.Dense(3, activation="softmax", name="head")
    model = keras.Sequential([keras.Input((5,)), base, middle, head], name="whole")
    rng = np.random.default_rng(3)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    return model


def compiled(keras: ModuleType, model: Any) -> None:
    eager = {} if "lamina" in keras.__name__ else {"run_eagerly": True}
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", **eager)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("frozen", ["nothing", "base", "inmost", "all but the head"])
def test_training(frozen: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    models = []
    for keras in (lamina_keras, live_keras):
        model = nested(keras)
        if frozen == "base":
            model.layers[0].trainable = False
        elif frozen == "inmost":
            model.get_layer("middle").layers[0].trainable = False
        elif frozen == "all but the head":
            for layer in model.layers[:-1]:
                layer.trainable = False
        compiled(keras, model)
        losses = [float(model.train_on_batch(X, Y)) for _ in range(3)]
        models.append((model, losses))
    (ours, our_losses), (theirs, their_losses) = models
    bound = 4 * rounding("float64", 12, 3)
    assert_close(our_losses, their_losses, bound, "losses")
    for kind in ("weights", "trainable_weights", "non_trainable_weights"):
        pairs = zip(getattr(ours, kind), getattr(theirs, kind), strict=True)
        for one, other in pairs:
            assert one.path.split("/")[-2:] == other.path.split("/")[-2:]
            assert_close(one.numpy(), other.numpy(), bound, one.path)
    for inner in (0, 1):  # a part by itself
        x = X if inner == 0 else np.random.default_rng(5).normal(size=(7, 6))
        one, other = ours.layers[inner], theirs.layers[inner]
        assert one.name == other.name
        assert one.count_params() == other.count_params()
        assert tuple(one.output_shape) == tuple(other.output_shape)
        assert_close(np.asarray(one(x)), np.asarray(other(x)), bound, "call")
        assert_close(one.predict(x, verbose=0), np.asarray(other(x)), bound, "predict")
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            assert_close(a, b, bound, "weights of a part")


@pytest.mark.parametrize("options", [{}, {"expand_nested": True}, {"show_trainable": True}], ids=str)
def test_summary(options: dict[str, Any], live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    texts: list[str] = []
    for keras in (lamina_keras, live_keras):
        model = nested(keras)
        model.layers[0].trainable = False
        model.summary(line_length=90, print_fn=lambda text, **_: texts.append(text), **options)
    assert texts[0].splitlines() == texts[1].splitlines()


def test_configs(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    ours, theirs = nested(lamina_keras), nested(live_keras)
    back = lamina_keras.Sequential.from_config(theirs.get_config())
    there = live_keras.Sequential.from_config(ours.get_config())
    for model in (back, there):
        assert [layer.name for layer in model.layers] == ["base", "middle", "head"]
        assert [layer.name for layer in model.layers[1].layers] == ["in", "last"]
        assert [weight.shape for weight in model.weights] == [weight.shape for weight in ours.weights]
    clone = lamina_keras.models.clone_model(ours)
    assert [weight.shape for weight in clone.weights] == [weight.shape for weight in ours.weights]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies(copied: Any, lamina_keras: ModuleType) -> None:
    model = nested(lamina_keras)
    model.layers[0].trainable = False
    compiled(lamina_keras, model)
    model.train_on_batch(X, Y)
    twin = copied(model)
    for each in (model, twin):
        each.train_on_batch(X, Y)
    for one, other in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    part = copied(model.layers[1])
    x = np.ones((2, 6), "float32")
    np.testing.assert_array_equal(np.asarray(part(x)), np.asarray(model.layers[1](x)))


def test_a_part_that_was_trained_keeps_its_weights(lamina_keras: ModuleType) -> None:
    keras = lamina_keras
    base = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, activation="softmax")])
    compiled(keras, base)
    base.train_on_batch(X, Y)
    before = base.predict(X, verbose=0)
    model = keras.Sequential([base, keras.layers.Dense(3, activation="softmax")])
    np.testing.assert_array_equal(base.predict(X, verbose=0), before)
    compiled(keras, model)
    model.train_on_batch(X, Y)
    assert (base.predict(X, verbose=0) != before).any()  # one set of weights
    with pytest.raises(ValueError, match=r"fit: model 'sequential.*' is part of model"):
        base.train_on_batch(X, Y)
    with pytest.raises(ValueError, match="add: model"):
        base.add(keras.layers.Dense(2))
    with pytest.raises(ValueError, match=r"is part of model 'sequential.*' already"):
        keras.Sequential([base])
    trained = base.predict(X, verbose=0)
    model.pop()
    assert model.pop() is base
    np.testing.assert_array_equal(base.predict(X, verbose=0), trained)
    base.train_on_batch(X, Y)
    with pytest.raises(ValueError, match="has no layers"):
        keras.Sequential([keras.Sequential()])
    with pytest.raises(ValueError, match="can't be part of itself"):
        base.add(base)
