"""The backend "profile": the bits of "cpu", and a note of where the time went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lamina import config, keras

STEPS = 5


@pytest.fixture(autouse=True)
def _own_backend() -> Iterator[None]:
    before = config.get_backend()
    config.take_profile()
    yield
    config.set_backend(before)


def trained(backend: str, dtype: str = "float32") -> Any:
    """A model of several kinds of layers after a few steps."""
    config.set_backend(backend)
    keras.utils.set_random_seed(7)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(16, "relu", dtype=dtype),
            layers.BatchNormalization(dtype=dtype),
            layers.Dropout(0.2, dtype=dtype),
            layers.Dense(4, "softmax", dtype=dtype),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(32 * STEPS, 20)), rng.integers(0, 4, 32 * STEPS), epochs=1, verbose=0)
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_profiled_models_have_the_same_bits(dtype: str) -> None:
    pairs = zip(trained("cpu", dtype).get_weights(), trained("profile", dtype).get_weights(), strict=True)
    assert all(np.array_equal(plain, profiled) for plain, profiled in pairs)


def test_each_verb_has_its_calls_and_its_time() -> None:
    trained("cpu")
    assert config.take_profile() == []  # only models on "profile" are timed
    start = time.perf_counter()
    trained("profile")
    wall = time.perf_counter() - start
    verbs = config.take_profile()
    calls = {verb.name: verb.calls for verb in verbs}
    assert calls["loss"] == STEPS
    assert calls["dense_weight_gradient"] == 2 * STEPS
    # All parameters at once, or in a step that is known to be short those of batch normalization alone.
    assert STEPS <= calls["update"] <= 2 * STEPS
    assert all(verb.seconds > 0 for verb in verbs)
    assert sum(verb.seconds for verb in verbs) < wall
    assert verbs == sorted(verbs, key=lambda verb: -verb.seconds)
    assert config.take_profile() == []  # taken


def test_predictions_count_too() -> None:
    model = trained("profile")
    config.take_profile()
    model.predict(np.zeros((10, 20), np.float32), verbose=0)
    names = {verb.name for verb in config.take_profile()}
    assert "update" not in names
    assert names
