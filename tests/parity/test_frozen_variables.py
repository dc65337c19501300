"""Single variables that are frozen, and an optimizer that goes on where other ones are: as in live Keras."""

import copy
import pickle
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from networks import initial
from tolerances import adaptive_movement, assert_close, rounding

ROWS = 12
STEPS = 3
# By name: class, arguments, and the learning rate where gradients are divided by their own size.
OPTIMIZERS: dict[str, tuple[str, dict[str, Any], float]] = {
    "sgd": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}, 0.0),
    "clipnorm": ("SGD", {"learning_rate": 0.1, "clipnorm": 0.01}, 0.0),
    "global_clipnorm": ("SGD", {"learning_rate": 0.1, "global_clipnorm": 0.01, "weight_decay": 0.1}, 0.0),
    "accumulated": ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 2}, 0.0),
    "overwritten": ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_overwrite_frequency": 2}, 0.0),
    "adam": ("Adam", {"learning_rate": 1e-3, "epsilon": 1e-2}, 1e-3),
    "adamw": ("AdamW", {"learning_rate": 1e-3, "epsilon": 1e-2, "weight_decay": 0.1}, 1e-3),
    "nadam": ("Nadam", {"learning_rate": 1e-3, "epsilon": 1e-2}, 1e-3),
    "lamb": ("Lamb", {"learning_rate": 1e-3, "epsilon": 1e-2}, 1e-3),
    "adafactor": ("Adafactor", {"learning_rate": 1e-3}, 1e-3),
}
# Numbers of the weights that are frozen, phase by phase; the optimizer is built in the first.
PHASES = {
    "a kernel, then its bias": [{0}, {0, 1}, {0}],
    "a bias, then more": [{1}, {1, 2, 8}, {1, 2, 3, 6}, {1}],
    "a layer": [set(), {0, 1}, {8, 9}, set()],
    "half of the normalizations": [{2, 7}, {2, 3, 7}, {2, 6, 7, 9}],
}
WEIGHTS = 10


def made(keras: ModuleType) -> Any:
    layers, l2 = keras.layers, keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5, activation="tanh", kernel_regularizer=l2, bias_constraint="non_neg", name="d"),
            layers.BatchNormalization(name="b"),
            layers.LayerNormalization(name="l", gamma_regularizer=l2),
            layers.Dense(3, activation="softmax", name="e"),
        ],
        name="model",
    )
    rng = np.random.default_rng(3)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    assert len(model.weights) == WEIGHTS
    return model


def optimizer_of(keras: ModuleType, name: str) -> Any:
    kind, arguments, _ = OPTIMIZERS[name]
    return getattr(keras.optimizers, kind)(**arguments, name="o")


def freeze(model: Any, frozen: set[int]) -> None:
    """All learning variables but these, each by itself."""
    for number, weight in enumerate(model.weights):
        if "moving" not in weight.name:
            weight.trainable = number not in frozen


def trained(keras: ModuleType, model: Any, optimizer: Any, frozen: set[int], seed: int = 4) -> list[float]:
    freeze(model, frozen)
    eager = {} if "lamina" in keras.__name__ else {"run_eagerly": True}
    model.compile(optimizer, "sparse_categorical_crossentropy", **eager)
    rng = np.random.default_rng(seed)
    batches = [(rng.normal(size=(ROWS, 4)), rng.integers(0, 3, ROWS)) for _ in range(STEPS)]
    return [float(model.train_on_batch(x, y)) for x, y in batches]


def assert_alike(ours: Any, theirs: Any, name: str, steps: int) -> None:
    movement = adaptive_movement(OPTIMIZERS[name][2])
    bound = 4 * rounding("float64", ROWS, steps)
    assert [w.path for w in ours.trainable_weights] == [w.path for w in theirs.trainable_weights]
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        assert_close(one.numpy(), other.numpy(), bound, one.path, movement)
    slots = [optimizer.variables for optimizer in (ours.optimizer, theirs.optimizer)]
    assert [v.path for v in slots[0] if v.ndim] == [v.path for v in slots[1] if v.ndim]
    for one, other in zip(*slots, strict=True):
        assert_close(np.asarray(one.numpy()), np.asarray(other.numpy()), bound, one.path, movement)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("phases", PHASES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_optimizer_through_several_frozen_sets(
    optimizer: str, phases: str, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    ours, theirs = made(lamina_keras), made(live_keras)
    one, other = optimizer_of(lamina_keras, optimizer), optimizer_of(live_keras, optimizer)
    for phase, frozen in enumerate(PHASES[phases], 1):
        before = ours.get_weights()
        losses = trained(lamina_keras, ours, one, frozen), trained(live_keras, theirs, other, frozen)
        assert_close(*losses, 4 * rounding("float64", ROWS, phase * STEPS), "losses")
        for number in frozen if "overwritten" not in optimizer else ():
            np.testing.assert_array_equal(ours.get_weights()[number], before[number])
        assert_alike(ours, theirs, optimizer, phase * STEPS)


@pytest.mark.usefixtures("float64")
def test_a_weight_thawed_in_a_frozen_layer(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """The layer then lists none, and the model trains it."""
    models = []
    for keras in (lamina_keras, live_keras):
        model = made(keras)
        model.layers[0].trainable = False
        model.layers[0].bias.trainable = True
        assert model.layers[0].trainable_weights == []
        assert len(model.layers[0].non_trainable_weights) == 2
        eager = {} if keras is lamina_keras else {"run_eagerly": True}
        model.compile(optimizer_of(keras, "adam"), "sparse_categorical_crossentropy", **eager)
        rng = np.random.default_rng(1)
        model.train_on_batch(rng.normal(size=(ROWS, 4)), rng.integers(0, 3, ROWS))
        models.append(model)
    assert_alike(*models, "adam", 1)


def test_a_weight_that_the_optimizer_does_not_know(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    for keras in (lamina_keras, live_keras):
        model, optimizer = made(keras), optimizer_of(keras, "adam")
        trained(keras, model, optimizer, {0})
        before = model.get_weights()
        with pytest.raises(ValueError, match=r"Unknown variable|was built for all weights that learn"):
            trained(keras, model, optimizer, set())
        for same, weight in zip(before[:1], model.get_weights()[:1], strict=True):
            np.testing.assert_array_equal(same, weight)


def test_averages_need_all_variables_at_the_end(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """With `use_ema` `fit` refuses a second frozen set: the averages no longer fit the weights."""
    for keras in (lamina_keras, live_keras):
        model, optimizer = made(keras), keras.optimizers.SGD(use_ema=True)
        x, y = np.ones((4, 4)), np.zeros(4)
        for frozen in ((), {0}):
            freeze(model, set(frozen))
            model.compile(optimizer, "sparse_categorical_crossentropy")
            if not frozen:
                model.fit(x, y, verbose=0)
                continue
            with pytest.raises(ValueError, match=r"model/d/bias|expected the 8 .*got 7"):
                model.fit(x, y, verbose=0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("optimizer", ["adam", "accumulated"])
def test_copies_go_on_with_the_same_bits(
    optimizer: str, copied: Callable[[Any], Any], lamina_keras: ModuleType
) -> None:
    """Slots of weights that are frozen now go along, and are there when these learn again."""
    model = made(lamina_keras)
    trained(lamina_keras, model, optimizer_of(lamina_keras, optimizer), {1})
    trained(lamina_keras, model, model.optimizer, {0, 1, 6})
    twin = copied(model)
    for seed, frozen in ((7, {0, 1, 6}), (8, {1, 6})):
        results = [trained(lamina_keras, each, each.optimizer, frozen, seed) for each in (model, twin)]
        assert results[0] == results[1]
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_frozen_weights_of_a_bfloat16_layer(lamina_keras: ModuleType) -> None:
    """The others take the step that they would have taken."""
    weights = []
    for frozen in (set(), {0}, {1}):
        keras = lamina_keras
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype="mixed_bfloat16")])
        for number in frozen:
            model.weights[number].trainable = False
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.compile("adam", "mse")
            before = model.get_weights()
            model.train_on_batch(np.ones((8, 4)), np.ones((8, 3)))
        weights.append(model.get_weights())
        same = [np.array_equal(*pair) for pair in zip(before, weights[-1], strict=True)]
        assert same == [number in frozen for number in (0, 1)]
    np.testing.assert_array_equal(weights[1][1], weights[0][1])
    np.testing.assert_array_equal(weights[2][0], weights[0][0])
