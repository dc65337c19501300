"""Frozen layers in Lamina and in live Keras: whole trajectories, and what the models say of themselves."""

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import OPTIMIZERS, initial
from tolerances import adaptive_movement, assert_close, rounding

ROWS = 7
LEARNERS = ("dense", "no bias", "batch norm")
FILLERS = ("tanh", "dropout 0")
ORDERS = st.lists(st.sampled_from(LEARNERS + FILLERS), min_size=1, max_size=4)


def made(keras: ModuleType, order: list[str], frozen: list[bool], **model_options: Any) -> Any:
    layers = keras.layers
    kinds = {
        "dense": lambda frozen: layers.Dense(5, activation="tanh", trainable=not frozen),
        "no bias": lambda frozen: layers.Dense(4, use_bias=False, trainable=not frozen),
        "batch norm": lambda frozen: layers.BatchNormalization(momentum=0.7, trainable=not frozen),
        "tanh": lambda frozen: layers.Activation("tanh", trainable=not frozen),
        "dropout 0": lambda frozen: layers.Dropout(0.0, trainable=not frozen),
    }
    stack = [kinds[kind](flag) for kind, flag in zip(order, frozen, strict=False)]
    last = layers.Dense(3, activation="softmax", trainable=not frozen[-1])
    model = keras.Sequential([keras.Input((4,)), *stack, last], **model_options)
    rng = np.random.default_rng(3)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    return model


def compiled(keras: ModuleType, model: Any, optimizer: str) -> None:
    kind, kwargs = OPTIMIZERS[optimizer]
    eager = {} if "lamina" in keras.__name__ else {"run_eagerly": True}
    model.compile(getattr(keras.optimizers, kind)(**kwargs), "sparse_categorical_crossentropy", **eager)


def steps(model: Any, number: int) -> list[float]:
    rng = np.random.default_rng(4)
    batches = [(rng.normal(size=(ROWS, 4)), rng.integers(0, 3, ROWS)) for _ in range(number)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(no|any) trainable weights.*")
        return [float(model.train_on_batch(x, y)) for x, y in batches]


def names(weights: list[Any]) -> list[str]:
    return [weight.path.split("/")[-1] for weight in weights]


def assert_alike(ours: Any, theirs: Any, optimizer: str, steps: int) -> None:
    kind, kwargs = OPTIMIZERS[optimizer]
    movement = adaptive_movement(kwargs.get("learning_rate", 1e-3)) if kind != "SGD" else 0.0
    for kind in ("weights", "trainable_weights", "non_trainable_weights"):
        assert names(getattr(ours, kind)) == names(getattr(theirs, kind))
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations)
    bound = 4 * rounding("float64", ROWS, steps)
    for i, (one, other) in enumerate(zip(ours.get_weights(), theirs.get_weights(), strict=True)):
        assert_close(one, other, bound, f"weight {i}", movement)


@given(
    order=ORDERS,
    frozen=st.lists(st.booleans(), min_size=5, max_size=5),
    optimizer=st.sampled_from(["sgd", "sgd nesterov", "rmsprop centered", "adagrad", "adam options"]),
)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.usefixtures("float64")
def test_frozen_layers_stay_as_they_are(
    order: list[str], frozen: list[bool], optimizer: str, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Any order of layers, any of them frozen, frozen statistics included."""
    ours, theirs = (made(keras, order, frozen) for keras in (lamina_keras, live_keras))
    for keras, model in ((lamina_keras, ours), (live_keras, theirs)):
        compiled(keras, model, optimizer)
    assert_close(steps(ours, 3), steps(theirs, 3), 4 * rounding("float64", ROWS, 3), "losses")
    # A bias before a batch normalization has a gradient of rounding noise, which adaptive optimizers turn
    # into steps.
    if optimizer.startswith("sgd"):
        assert_alike(ours, theirs, optimizer, 3)
    x = np.random.default_rng(5).normal(size=(ROWS, 4))
    for training in (False, True):
        assert_close(np.asarray(ours(x, training=training)), theirs(x, training=training), 1e-6, "call")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_thawing_needs_a_compile(optimizer: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """What is frozen after the first training stays so until the next `compile`; then it takes effect, in
    fit with a short last batch too.
    """
    models = []
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(23, 4)), rng.integers(0, 3, 23)
    order, frozen = ["no bias", "batch norm", "dense"], [True, True, False, False]
    for keras in (lamina_keras, live_keras):
        model = made(keras, order, frozen)
        kind, kwargs = OPTIMIZERS[optimizer]
        model.compile(getattr(keras.optimizers, kind)(**kwargs), "sparse_categorical_crossentropy")
        fit = {"batch_size": 8, "shuffle": False, "verbose": 0}
        model.fit(x, y, epochs=2, **fit)
        kept = model.layers[0].get_weights()[0]
        model.trainable = True  # as it was: changes no layer
        for layer, trainable in zip(model.layers, [True, False, False], strict=False):
            layer.trainable = trainable
        model.fit(x, y, epochs=1, **fit)
        np.testing.assert_array_equal(model.layers[0].get_weights()[0], kept)
        model.compile(getattr(keras.optimizers, kind)(**kwargs), "sparse_categorical_crossentropy")
        model.fit(x, y, epochs=2, **fit)
        assert (model.layers[0].get_weights()[0] != kept).any()
        models.append(model)
    movement = adaptive_movement(1e-3) if optimizer == "adam" else 0.0
    bound = rounding("float64", 23, 15)
    for i, (ours, theirs) in enumerate(zip(*(model.get_weights() for model in models), strict=True)):
        assert_close(ours, theirs, bound, f"weight {i}", movement)


@pytest.mark.usefixtures("float64")
def test_model_made_frozen(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """`Sequential(trainable=False)` takes no steps, but its layers do not know: statistics go on."""
    order, frozen = ["dense", "batch norm"], [False] * 3
    ours, theirs = (made(keras, order, frozen, trainable=False) for keras in (lamina_keras, live_keras))
    for keras, model in ((lamina_keras, ours), (live_keras, theirs)):
        before = model.get_weights()
        compiled(keras, model, "sgd")
        steps(model, 2)
        assert int(model.optimizer.iterations) == 0
        changed = [bool((one != other).any()) for one, other in zip(before, model.get_weights(), strict=True)]
        assert changed == [False, False, False, False, True, True, False, False]
    assert_alike(ours, theirs, "sgd", 2)


def test_what_is_said_of_freezing_between(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Nothing where a layer was frozen after `compile`, in any of the calls: Keras 3.15 has a text for it,
    but behind a `raise`.
    """
    said = []
    for keras in (lamina_keras, live_keras):
        model = made(keras, ["dense", "batch norm"], [False, True, False])
        compiled(keras, model, "sgd")
        x, y = np.ones((ROWS, 4)), np.zeros(ROWS, int)
        model.train_on_batch(x, y)
        model.layers[0].trainable = False
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(x, y, verbose=0)
            model.evaluate(x, y, verbose=0)
            model.train_on_batch(x, y)
            model.summary(print_fn=lambda text: None)
        said.append([str(each.message) for each in caught if "trainable" in str(each.message)])
    assert said == [[], []]
