"""Every optimizer with every option in the loop of the core: the same bits for any number of threads, and the
reference backend's numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lamina import config, keras

RULES = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.1},
    "RMSprop": {"momentum": 0.5, "centered": True, "epsilon": 1e-2, "clipvalue": 0.01},
    "Adagrad": {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
    "Adam": {"amsgrad": True, "global_clipnorm": 0.5},
    "AdamW": {"gradient_accumulation_steps": 2, "clipnorm": 0.1},
    "Adadelta": {"epsilon": 1e-2},
    "Adamax": {"weight_decay": 0.1},
    "Nadam": {"gradient_accumulation_steps": 3},
    "Ftrl": {"beta": 0.5},
    "Lion": {},
    "Lamb": {"epsilon": 1e-3},
    "Adafactor": {},
    "Muon": {},
    "ScheduleFreeAdamW": {"epsilon": 1e-3, "use_ema": True},
}


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    threads, backend = config.get_num_threads(), config.get_backend()
    yield
    config.set_num_threads(threads)
    config.set_backend(backend)


def trained(rule: str, width: int, dtype: str = "float32") -> list[Any]:
    keras.utils.set_random_seed(5)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((70,), dtype=dtype),
            layers.Dense(width, "tanh", dtype=dtype),
            layers.BatchNormalization(dtype=dtype),
            layers.Dense(3, "softmax", dtype=dtype),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(0.01, 8)
    model.compile(getattr(keras.optimizers, rule)(rate, **RULES[rule]), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(50, 70)), rng.integers(0, 3, 50), batch_size=16, epochs=2, verbose=0)
    return [*model.get_weights(), *(variable.numpy() for variable in model.optimizer.variables)]


@pytest.mark.parametrize("rule", RULES)
def test_thread_counts(rule: str) -> None:
    """500 units: the kernel is more than two tiles of elementwise work."""
    results = []
    for threads in (1, 2, 5):
        config.set_num_threads(threads)
        results.append(b"".join(array.tobytes() for array in trained(rule, 500)))
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "Lion"])  # whose signs are a knife's edge
def test_the_reference_says_the_same(rule: str) -> None:
    found = []
    for backend in ("cpu", "reference"):
        config.set_backend(backend)
        found.append(trained(rule, 20, "float64"))
    for ours, exact in zip(*found, strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-8, atol=1e-11)
