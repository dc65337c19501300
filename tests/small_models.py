"""Small data and models that several test files share."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from lamina import keras

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
