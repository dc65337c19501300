"""A small trained classifier, its data and its whole state, for the tests of what input does to a model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Array = npt.NDArray[Any]
ROWS, FEATURES, CLASSES = 21, 4, 3


def good(rows: int = ROWS) -> tuple[Array, Array]:
    """x (rows, FEATURES) float32 and class numbers (rows,)."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(rows, FEATURES)).astype("float32"), rng.integers(0, CLASSES, rows)


def trained(keras: Any, loss: str = "sparse_categorical_crossentropy") -> Any:
    """A model that has already made some steps, so that it has weights, moving statistics and optimizer
    slots to lose.
    """
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Dense(5, "tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.25, seed=1),
            layers.Dense(CLASSES, "softmax"),
        ]
    )
    model.compile("adam", loss, metrics=["accuracy"])
    x, y = good()
    model.fit(x, y if loss.startswith("sparse") else np.eye(CLASSES)[y], batch_size=8, verbose=0)
    return model


def state(model: Any) -> list[bytes]:
    """Every bit that training changes."""
    iterations, slots = model.optimizer.core(str(model.get_weights()[0].dtype)).get_state()
    arrays = [*model.get_weights(), *slots]
    return [str(iterations).encode(), *(np.ascontiguousarray(array).tobytes() for array in arrays)]


def assert_refused(model: Any, wanted: list[str], act: Callable[[], Any]) -> None:
    """`act` raises ValueError or TypeError whose message holds all of `wanted`, and the model keeps every
    bit.
    """
    before = state(model)
    with pytest.raises((ValueError, TypeError)) as caught:
        act()
    message = str(caught.value)
    for part in wanted:
        assert part in message, f"{part!r} is missing in: {message}"
    assert state(model) == before
