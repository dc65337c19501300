"""A learning rate that callbacks change during `fit` moves the weights as in Keras."""

from types import ModuleType
from typing import Any

import numpy as np
from networks import initial
from tolerances import assert_close, rounding


def _fit(keras: ModuleType, callbacks: list[Any]) -> tuple[dict[str, list[float]], list[Any]]:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(21, 5)).astype("float32"), rng.integers(0, 3, 21)
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(7, "tanh"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(keras.optimizers.SGD(0.5, momentum=0.5), "sparse_categorical_crossentropy")
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    history = model.fit(x[:14], y[:14], 4, 6, 0, callbacks, validation_data=(x[14:], y[14:]), shuffle=False)
    return history.history, model.get_weights()


def test_rates_that_change_between_epochs_and_batches(
    live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    found = []
    for keras in (lamina_keras, live_keras):

        class Halve(keras.callbacks.Callback):  # type: ignore[name-defined,misc]
            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
                if batch == 2:
                    self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) / 2

        kinds = keras.callbacks
        scheduler = kinds.LearningRateScheduler(lambda epoch, rate: 0.5 / (epoch + 1))
        reducer = kinds.ReduceLROnPlateau("loss", factor=0.25, patience=1, min_delta=0.1, cooldown=1)
        found.append([_fit(keras, callbacks) for callbacks in ([scheduler], [reducer], [scheduler, Halve()])])
    bound = rounding("float32", 14, 24)
    for (ours, our_weights), (theirs, their_weights) in zip(*found, strict=True):
        assert list(ours) == list(theirs)
        assert len(set(theirs["learning_rate"])) >= 2
        for name, values in theirs.items():
            assert_close(ours[name], values, bound, name)
        assert ours["learning_rate"] == theirs["learning_rate"]
        for our, their in zip(our_weights, their_weights, strict=True):
            assert_close(our, their, bound, "weight")
