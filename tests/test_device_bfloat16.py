"""mixed_bfloat16 on a GPU: it rounds where the CPU does. Where and how such tests run says test_device.py."""

import functools
from typing import Any

import mixed_networks
import numpy as np
import pytest
from bfloat16_oracle import ON_THE_WHOLE, many_roundings, rounded
from device_data import on_device
from mixed_networks import MOMENTUM, NETWORKS, ROUNDINGS, Mixed, dense, layer
from tolerances import rounding

import lamina
from lamina import _core, keras
from lamina.keras import dtype_policies

NOISE = Mixed(
    [
        layer("Dropout", 0.3, seed=1),
        dense(50, "relu"),
        layer("GaussianNoise", 0.4, seed=2),
        dense(40, "selu"),
        layer("AlphaDropout", 0.2, seed=3),
        dense(30, "tanh"),
        layer("GaussianDropout", 0.3, seed=4),
        layer("Dropout", 0.5, (None, 1), seed=5),
        dense(6, "softmax"),
    ],
    optimizer=MOMENTUM,
)
OPTIMIZERS = {
    f"{name} {options}": Mixed([dense(40, "relu"), dense(6, "softmax")], optimizer=(name, options))
    for name, options in (
        ("Adam", {"learning_rate": 1e-3, "weight_decay": 0.01, "clipnorm": 0.5}),
        ("RMSprop", {"learning_rate": 1e-3}),
        ("SGD", {"learning_rate": 0.05, "gradient_accumulation_steps": 2}),
    )
}
ALL = NETWORKS | {"noise": NOISE} | OPTIMIZERS


@functools.cache
def results(device: str, name: str) -> dict[str, Any]:
    try:
        with lamina.device(device):
            return mixed_networks.results(keras, ALL[name])
    finally:
        dtype_policies._global = None  # one that was set, "float32" too, would no longer follow floatx


def apart(name: str) -> dict[str, float]:
    """How far the two are apart on the whole, relative to the CPU's numbers, by what is compared."""
    got, expected = results("cuda", name), results("cpu", name)
    assert sorted(got) == sorted(expected)
    return {
        what: float(np.sqrt(np.mean((got[what] - numbers) ** 2) / np.mean(numbers**2)))
        for what, numbers in expected.items()
    }


# A float sum in another order decides a tie otherwise now and then: one number is a unit off, and a bias's
# gradient, which is rounded after every row, by more.
@on_device
@pytest.mark.parametrize("name", ALL)
def test_a_training_is_that_of_the_cpu(name: str) -> None:
    """Predictions, the epoch's loss and accuracy, and how far each weight moved in four steps."""
    got, expected = results("cuda", name), results("cpu", name)
    loose = many_roundings(ROUNDINGS * len(ALL[name].layers) * 4)
    for what, part in apart(name).items():
        scale = np.abs(expected[what]).max()
        worst = np.abs(got[what] - expected[what]).max()
        assert worst <= loose * scale, f"{what}: off by {worst:.3g} of {scale:.3g}"
        assert part <= 8 * ON_THE_WHOLE, f"{what}: on the whole off by {part:.3g}"


@on_device
def test_most_trainings_round_nothing_otherwise() -> None:
    """They are as near to the CPU's as float32 is."""
    parts = [max(apart(name).values()) for name in ALL]
    assert np.mean([part < rounding("float32", 100, 4) for part in parts]) > 0.7, parts


@on_device
@pytest.mark.parametrize("name", ["relu", "noise", "batch normalization"])
def test_a_training_has_the_same_bits_each_time(name: str) -> None:
    first = results("cuda", name)
    results.cache_clear()
    for what, numbers in results("cuda", name).items():
        np.testing.assert_array_equal(numbers, first[what])


# Multiples of 1/8, of whose products sums are exact.
def exact(*shape: int) -> np.ndarray:
    step = 7919 + 2 * len(shape) + shape[0]
    return ((np.arange(np.prod(shape)) * step % 33 - 16) / 8).reshape(shape).astype(np.float32)


@on_device
@pytest.mark.parametrize("rows", [1, 16, 33, 129])
@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (33, 17), (65, 64), (784, 10), (16, 130)])
def test_a_layers_products(rows: int, inputs: int, units: int) -> None:
    x, w, b = exact(rows, inputs), exact(units, inputs), exact(units)
    dz = rounded(np.random.default_rng(2).normal(size=(rows, units)))
    for bias, fused in ((b, True), (b, False), (None, True)):
        found = [_core.bfloat16_dense(on, x, w, bias, "relu", fused) for on in ("cuda", "cpu")]
        np.testing.assert_array_equal(*found)
    found = [_core.bfloat16_dense_gradient(on, x, w, exact(rows, units)) for on in ("cuda", "cpu")]
    for ours, expected in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, expected)
    bias_gradients = [_core.bfloat16_dense_gradient(on, x, w, dz)[1] for on in ("cuda", "cpu")]
    np.testing.assert_array_equal(*bias_gradients)


@on_device
@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "tanh", "exp", "softmax"])
def test_activation_gradients_round_after_each_operation(activation: str) -> None:
    rng = np.random.default_rng(3)
    y, dy = rounded(rng.uniform(0, 1, (64, 37))), rng.normal(size=(64, 37)).astype(np.float32)
    found = [_core.bfloat16_activation_gradient(on, activation, y, dy) for on in ("cuda", "reference")]
    np.testing.assert_array_equal(*found)


@on_device
def test_many_models_at_once_have_the_bits_of_each() -> None:
    x = np.random.default_rng(4).normal(size=(90, 12)).astype(np.float32)
    y = np.random.default_rng(5).integers(0, 3, 90)

    def models() -> list[keras.Sequential]:
        made = []
        for seed in range(3):
            keras.utils.set_random_seed(seed)
            with lamina.device("cuda"):
                hidden = keras.layers.Dense(20, "relu", dtype="mixed_bfloat16")
                made.append(keras.Sequential([keras.Input((12,)), hidden, keras.layers.Dense(3, "softmax")]))
            made[-1].compile("adam", "sparse_categorical_crossentropy")
            made[-1]._seed = seed
        return made

    together, alone = models(), models()
    lamina.train_many(together, x, y, batch_size=32, epochs=2)
    for model, other in zip(together, alone, strict=True):
        other.fit(x, y, batch_size=32, epochs=2, verbose=0)
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
