"""Cases that random networks avoid or do not reach: vanishing gradients, one row, many steps, images, first
steps of Adam.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from networks import initial
from tolerances import assert_close, rounding, unit_roundoff


def _pair(keras_modules: tuple[ModuleType, ModuleType], build: Any) -> list[Any]:
    """The same model in both libraries, with the same weights."""
    models = [build(keras) for keras in keras_modules]
    rng = np.random.default_rng(0)
    weights = [initial(weight, rng) for weight in models[1].get_weights()]
    for model in models:
        model.set_weights(weights)
    return models


def _bias_before_batch_norm(optimizer: str, **options: Any) -> Any:
    def build(keras: ModuleType) -> Any:
        layers = keras.layers
        model = keras.Sequential(
            [keras.Input((6,)), layers.Dense(8), layers.BatchNormalization(momentum=0.5)]
        )
        model.add(layers.Dense(3, activation="softmax"))
        model.compile(getattr(keras.optimizers, optimizer)(**options), "sparse_categorical_crossentropy")
        return model

    return build


def _classes(rows: int, features: tuple[int, ...], classes: int, seed: int = 1) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, *features)).astype("float32"), rng.integers(0, classes, rows)


def test_a_bias_that_batch_norm_cancels_stays_with_sgd(
    live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Its gradient is zero but for rounding: SGD moves it by nothing that counts, and all else agrees as
    ever.
    """
    ours, theirs = _pair(
        (lamina_keras, live_keras), _bias_before_batch_norm("SGD", learning_rate=0.1, momentum=0.9)
    )
    x, y = _classes(43, (6,), 3)
    for model in (ours, theirs):
        model.fit(x, y, batch_size=10, epochs=3, shuffle=False, verbose=0)
    for i, (our, their) in enumerate(zip(ours.get_weights(), theirs.get_weights(), strict=True)):
        assert_close(our, their, rounding("float32", len(x), 15), f"weight {i}", scale=0.1)


def test_a_bias_that_batch_norm_cancels_moves_by_at_most_the_rate_with_adam(
    live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Adam divides the rounding noise by its own size: the bias wanders, in Keras as well, by at most about
    the rate per step.

    Batch normalisation takes the wandering out again, so that in training mode the other weights do not
    notice.
    """
    rate, steps = 1e-3, 15
    ours, theirs = _pair((lamina_keras, live_keras), _bias_before_batch_norm("Adam", learning_rate=rate))
    x, y = _classes(43, (6,), 3)
    for model in (ours, theirs):
        model.fit(x, y, batch_size=10, epochs=3, shuffle=False, verbose=0)
    names = ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "kernel 2", "bias 2"]
    for name, our, their in zip(names, ours.get_weights(), theirs.get_weights(), strict=True):
        if name in ("bias", "moving_mean"):  # the mean of what the bias is added to
            assert np.abs(our - their).max() <= 2 * rate * steps
        else:
            # What is left of the wandering is the rounding of x + bias: the bias stays below 1.
            assert_close(our, their, rounding("float32", len(x), steps), name, scale=1000 * rate)


def test_batch_norm_on_one_row(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """The variance of one row is 0: the output is beta, and the moving statistics still take that row."""

    def build(keras: ModuleType) -> Any:
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.BatchNormalization(momentum=0.75), keras.layers.Dense(2)]
        )
        model.compile(keras.optimizers.SGD(0.1), "mse")
        return model

    ours, theirs = _pair((lamina_keras, live_keras), build)
    x, y = _classes(9, (4,), 2)
    targets = np.stack([y, 1 - y], axis=1)
    losses = [
        model.fit(x, targets, batch_size=4, epochs=2, shuffle=False, verbose=0).history["loss"]
        for model in (ours, theirs)
    ]
    bound = rounding("float32", len(x), 6)
    assert_close(losses[0], losses[1], bound, "loss")
    for i, (our, their) in enumerate(zip(ours.get_weights(), theirs.get_weights(), strict=True)):
        assert_close(our, their, bound, f"weight {i}")
    assert_close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), bound, "predict")


@pytest.mark.parametrize("optimizer", ["SGD", "RMSprop", "Adagrad", "Adam"])
def test_the_first_step_from_zero(optimizer: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """From zero weights the step itself is seen, not its sum with a large weight: constants of the update to
    the last digits.

    In float32 Keras takes powers of the rounded beta_2, which makes Adam's first step shorter by 6e-6: 100
    times the bound.
    """

    def build(keras: ModuleType) -> Any:
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, use_bias=False)])
        model.compile(getattr(keras.optimizers, optimizer)(0.01), "mse")
        return model

    x = np.array([[1.0, -2.0, 0.5, 3.0, -0.25]], "float32")
    y = np.array([[1.0, -0.5, 2.0]], "float32")
    found = []
    for keras in (lamina_keras, live_keras):
        model = build(keras)
        model.set_weights([np.zeros((5, 3), "float32")])
        steps = []
        for _ in range(3):
            before = model.get_weights()[0].copy()
            model.train_on_batch(x, y)
            steps.append(model.get_weights()[0] - before)
        found.append(steps)
    for i, (our, their) in enumerate(zip(*found, strict=True)):
        assert_close(our, their, rounding("float32", 5, i + 1), f"step {i}")


def test_a_hundred_and_twenty_steps(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Errors do not pile up faster than roundings: the bound grows with the root of the number of steps."""

    def build(keras: ModuleType) -> Any:
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input((10,)),
                layers.Dense(16, "tanh"),
                layers.Dense(12, "sigmoid"),
                layers.Dense(4, "softmax"),
            ]
        )
        model.compile(
            keras.optimizers.SGD(0.1, momentum=0.5), "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        return model

    ours, theirs = _pair((lamina_keras, live_keras), build)
    x, y = _classes(191, (10,), 4)
    histories = [
        model.fit(x, y, batch_size=16, epochs=10, shuffle=False, verbose=0).history
        for model in (ours, theirs)
    ]
    bound = rounding("float32", 191, 120)
    for name in ("loss", "accuracy"):
        assert_close(histories[0][name], histories[1][name], bound, name)
    for i, (our, their) in enumerate(zip(ours.get_weights(), theirs.get_weights(), strict=True)):
        assert_close(our, their, bound, f"weight {i}")


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float64", "int64"])
def test_images_in_the_dtype_they_came_in(
    dtype: str, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """(n, 28, 28) arrays of bytes, halves, doubles or integers are cast as Keras casts them, never scaled."""

    def build(keras: ModuleType) -> Any:
        layers = keras.layers
        model = keras.Sequential(
            [keras.Input((28, 28)), layers.Flatten(), layers.Dense(9, "relu"), layers.Dense(5, "softmax")]
        )
        model.compile(keras.optimizers.SGD(1e-6), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    ours, theirs = _pair((lamina_keras, live_keras), build)
    rng = np.random.default_rng(9)
    x, y = rng.integers(0, 256, (37, 28, 28)).astype(dtype), rng.integers(0, 5, 37).astype("uint8")
    histories = [
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, validation_data=(x, y)).history
        for model in (ours, theirs)
    ]
    bound = rounding("float32", 784, 10)
    for name in histories[1]:
        # Logits are sums of 784 bytes and lie near 1000: the loss, near 100, carries their error.
        assert_close(histories[0][name], histories[1][name], bound, name, scale=1000)
    for i, (our, their) in enumerate(zip(ours.get_weights(), theirs.get_weights(), strict=True)):
        assert_close(our, their, bound, f"weight {i}")


def test_a_weight_for_each_position(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Outputs (n, t, k) take sample_weight (n, t), in fit, in validation data and in evaluate."""

    def build(keras: ModuleType) -> Any:
        model = keras.Sequential(
            [keras.Input((4, 3)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(3, "softmax")]
        )
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    ours, theirs = _pair((lamina_keras, live_keras), build)
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=(19, 4, 3)).astype("float32"), rng.integers(0, 3, (19, 4))
    weights = rng.uniform(0, 2, (19, 4))
    found = []
    for model in (ours, theirs):
        history = model.fit(
            x,
            y,
            batch_size=8,
            epochs=2,
            shuffle=False,
            verbose=0,
            sample_weight=weights,
            validation_data=(x, y, weights[::-1]),
        )
        evaluation = model.evaluate(x, y, sample_weight=weights, verbose=0)
        found.append([*history.history.values(), evaluation, *model.get_weights()])
    for i, (our, their) in enumerate(zip(*found, strict=True)):
        assert_close(our, their, rounding("float32", 76, 6), f"number {i}")


def test_batch_calls_side_by_side(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """train_on_batch, test_on_batch and predict_on_batch: what they return, in which form and type."""

    def build(keras: ModuleType) -> Any:
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, "softmax")])
        model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    ours, theirs = _pair((lamina_keras, live_keras), build)
    x, y = _classes(11, (6,), 4)
    weight = np.linspace(0, 2, 11)
    calls = [
        lambda model: model.train_on_batch(x, y),
        lambda model: model.train_on_batch(x, y, sample_weight=weight),
        lambda model: model.train_on_batch(x, y, class_weight={0: 3.0, 2: 0.25}),
        lambda model: model.test_on_batch(x, y, sample_weight=weight),
    ]
    bound = rounding("float32", 11, 4)
    for i, call in enumerate(calls):
        our, their = call(ours), call(theirs)
        assert type(our) is type(their)
        assert_close(our, their, bound, f"call {i}")
    our, their = (model.train_on_batch(x, y, return_dict=True) for model in (ours, theirs))
    assert list(our) == list(their)
    assert {type(value) for value in our.values()} == {float}
    assert_close(ours.predict_on_batch(x), theirs.predict_on_batch(x), bound, "predict_on_batch")


def test_dropout_statistics_as_defined(lamina_keras: ModuleType) -> None:
    """Each value is dropped with probability `rate`, else divided by 1 - rate; forward and backward use one
    mask.

    Of n values the dropped share lies within 5 standard deviations, sqrt(rate (1 - rate) / n), except once
    in 1.7 million runs.
    """
    rows, width = 400, 50
    x = np.ones((rows, width), "float32")
    for rate in (0.1, 0.5, 0.9):
        layer = lamina_keras.layers.Dropout(rate, seed=3)
        out = np.asarray(layer(x, training=True))
        kept = out != 0
        np.testing.assert_allclose(out[kept], 1 / (1 - rate), rtol=4 * unit_roundoff("float32"))
        deviation = np.sqrt(rate * (1 - rate) / kept.size)
        assert abs(1 - kept.mean() - rate) < 5 * deviation
        # Rows and columns are no worse than independent draws (8 deviations: the worst of 450).
        assert abs(1 - kept.mean(axis=0) - rate).max() < 8 * np.sqrt(rate * (1 - rate) / rows)
        assert abs(1 - kept.mean(axis=1) - rate).max() < 8 * np.sqrt(rate * (1 - rate) / width)
        assert (np.asarray(layer(x, training=False)) == x).all()


def test_dropout_uses_one_mask_forward_and_backward(lamina_keras: ModuleType) -> None:
    """y = sum of dropped x times w, one row: dw must be x where the forward pass kept, 0 where it dropped."""
    width = 64
    layers = lamina_keras.layers
    model = lamina_keras.Sequential(
        [lamina_keras.Input((width,)), layers.Dropout(0.5, seed=1), layers.Dense(1, use_bias=False)]
    )
    model.compile(lamina_keras.optimizers.SGD(1.0), "mse")
    x = np.ones((1, width), "float32")
    masks = set()
    for _ in range(5):
        weights = (2.0 ** -np.arange(width, dtype="float64")).astype("float32").reshape(width, 1)
        model.set_weights([weights])
        loss = model.train_on_batch(x, np.zeros((1, 1), "float32"))
        step = weights - model.get_weights()[0]  # 2 y x / (1 - rate) where kept
        kept = step[:, 0] != 0
        # The first 20 weights are powers of two: their sum tells exactly which of them took part in the
        # forward pass.
        y = np.sqrt(np.float64(loss))
        forward = 2.0 * (weights[:, 0] * kept).sum(dtype="float64")
        assert y == pytest.approx(forward, rel=8 * unit_roundoff("float32"))
        assert 0.2 < kept.mean() < 0.8
        masks.add(kept.tobytes())
    assert len(masks) == 5, "each step drops other values"
