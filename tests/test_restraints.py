"""Penalties and constraints in training: the core's loop, a program's own, losses, frozen layers, copies."""

import copy
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import assert_close, rounding

from lamina import config, keras

RNG = np.random.default_rng(3)
X = RNG.normal(size=(50, 6)).astype(np.float32)
Y = RNG.integers(0, 3, 50)
FACTOR = 0.02


class OwnL2(keras.regularizers.Regularizer):
    """L2 in one's own words."""

    def __call__(self, x: Any) -> Any:
        return FACTOR * np.square(x).sum()

    def gradient(self, x: Any) -> Any:
        return 2 * FACTOR * x

    def get_config(self) -> dict[str, Any]:
        return {}


class OwnNonNeg(keras.constraints.Constraint):
    def __call__(self, w: Any) -> Any:
        return np.maximum(w, 0)


def restrained(own: bool = False, width: int = 5, **kwargs: Any) -> Any:
    l2 = OwnL2() if own else keras.regularizers.L2(FACTOR)
    positive = OwnNonNeg() if own else keras.constraints.NonNeg()
    layers = keras.layers
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(width, "tanh", kernel_regularizer=l2, bias_constraint=positive, **kwargs),
            layers.BatchNormalization(gamma_regularizer="l1", beta_constraint=positive),
            layers.Dense(3, "softmax", kernel_constraint="max_norm", activity_regularizer="l2"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def train(model: Any, epochs: int = 3) -> dict[str, list[float]]:
    keras.utils.set_random_seed(6)  # the shuffles'
    data = {"validation_data": (X[:20], Y[:20]), "batch_size": 16, "epochs": epochs, "verbose": 0}
    return dict(model.fit(X, Y, **data).history)


def test_one_s_own_compute_what_lamina_s_do() -> None:
    ours, own = restrained(), restrained(own=True)
    bound = 20 * rounding("float32", 50, 12)
    first, second = train(ours), train(own)
    for name in first:
        assert_close(second[name], first[name], bound, name)
    for one, other in zip(ours.get_weights(), own.get_weights(), strict=True):
        assert_close(other, one, bound, "weights", 1e-3)
    assert ours.layers[0].bias.numpy().min() == 0 <= own.layers[0].bias.numpy().min()


@pytest.mark.parametrize("part", ["penalty", "gradient", "shape", "constraint"])
def test_errors_of_one_s_own_end_the_training(part: str) -> None:
    """The error comes as it was raised, and no step was taken but the one a constraint belongs to."""
    model = restrained(own=True)
    regularizer, constraint = model.layers[0].kernel_regularizer, model.layers[0].bias_constraint

    def fail(*_: Any) -> Any:
        raise ZeroDivisionError(part)

    if part == "constraint":
        constraint.__class__ = type("Failing", (OwnNonNeg,), {"__call__": fail})
    else:
        method = {"penalty": "__call__"}.get(part, "gradient")
        fault = fail if part != "shape" else lambda self, x: np.zeros(3)
        regularizer.__class__ = type("Failing", (OwnL2,), {method: fault})
    before = model.get_weights()
    with pytest.raises((ZeroDivisionError, ValueError), match=part):
        train(model)
    moved = any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert moved == (part == "constraint")
    assert int(model.optimizer.iterations) == moved


def test_thread_counts_give_the_same_bits() -> None:
    """On weights that take more than one tile."""
    before, bits = config.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            config.set_num_threads(threads)
            model = restrained(width=4000, kernel_constraint=keras.constraints.MaxNorm(0.5, axis=1))
            history = train(model, 1)
            bits.append((history, [weight.tobytes() for weight in model.get_weights()]))
    finally:
        config.set_num_threads(before)
    assert bits[0] == bits[1] == bits[2]


def test_stepping_by_batches_gives_the_same_bits() -> None:
    whole, stepped = restrained(), restrained()
    histories = [train(whole)]
    callback = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: None)
    callback.on_train_batch_end = lambda batch, logs=None: None
    keras.utils.set_random_seed(6)
    data = {"validation_data": (X[:20], Y[:20]), "batch_size": 16, "epochs": 3, "verbose": 0}
    histories.append(stepped.fit(X, Y, callbacks=[callback], **data).history)
    assert histories[0] == histories[1]
    assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), stepped.get_weights(), strict=True))


def test_losses_are_keras_s(live_keras: ModuleType) -> None:
    models = []
    for k in (keras, live_keras):
        layers = k.layers
        model = k.Sequential(
            [
                k.Input((6,)),
                layers.ActivityRegularization(0.1, 0.2),
                layers.Dense(
                    5, "tanh", kernel_regularizer="l2", activity_regularizer=k.regularizers.L1L2(0.1, 1)
                ),
                layers.Flatten(),
                layers.Dense(3, bias_regularizer="l1", kernel_regularizer="orthogonal_regularizer"),
            ]
        )
        weights = np.random.default_rng(0)
        model.set_weights([weights.normal(size=w.shape) for w in model.get_weights()])
        models.append(model)
    ours, theirs = models
    bound = rounding("float32", 400)
    for frozen in (False, True):
        ours.layers[1].trainable = theirs.layers[1].trainable = not frozen
        ours(X)
        theirs(X)
        pairs = [(ours, theirs), *zip(ours.layers, theirs.layers, strict=True)]
        for mine, live in pairs:
            assert len(mine.losses) == len(live.losses)
            assert_close(mine.losses, [float(loss) for loss in live.losses], bound, f"losses of {mine.name}")
    layer = keras.layers.Dense(2, activity_regularizer="l1")
    assert layer.losses == []
    out = layer(X)
    assert_close(layer.losses, [0.01 * np.abs(out).sum() / len(X)], bound, "losses of a layer")
    for something in (ours, layer):
        with pytest.raises(NotImplementedError, match=r"add_loss.*automatic differentiation"):
            something.add_loss(1.0)


def test_frozen_weights_are_left_alone() -> None:
    """Neither penalised nor brought back; as in Keras."""
    model = restrained()
    model.layers[0].trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    kernel = model.layers[0].kernel
    kernel.assign(kernel.numpy() * 100)
    before = kernel.numpy()
    loss = train(model, 1)["loss"][0]
    np.testing.assert_array_equal(kernel.numpy(), before)
    assert loss < FACTOR * np.square(before).sum()


def test_copies_keep_them() -> None:
    model = restrained()
    train(model, 1)
    twins = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    histories = [train(each) for each in (model, *twins)]
    assert histories[0] == histories[1] == histories[2]
    again = keras.Sequential.from_config(model.get_config())
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
