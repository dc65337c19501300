"""Layers that draw numbers, under mixed_bfloat16: what Lamina and live Keras make of them, though they draw
others.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from bfloat16_oracle import UNIT, rounded
from mixed_networks import EXACT, MIXED, Mixed, dense, layer

from lamina import keras
from lamina.keras import dtype_policies

Array = Any


def multiples(factor: float, values: Array) -> Array:
    """Whether each value is the rounded product of this bfloat16 number and some other."""
    near = rounded(values / factor)
    steps = near.view(np.int32)[..., None] + np.array([-1, 0, 1], np.int32) * 0x10000
    return (rounded(steps.view(np.float32) * np.float32(factor)) == values[..., None]).any(-1)


@pytest.mark.parametrize("library", ["live", "ours"])
def test_normal_noise_is_rounded(library: str, live_keras: ModuleType) -> None:
    """x + stddev z and x (1 + stddev z): z and stddev are rounded before they meet, the factor is too."""
    layers = (live_keras if library == "live" else keras).layers
    number = float(rounded(0.3))  # one in six bfloat16 numbers is no multiple of it
    x = np.zeros((100, 60), np.float32)
    noise = np.asarray(layers.GaussianNoise(0.3, dtype=MIXED)(x, training=True)).astype(np.float32)
    assert abs(noise.std() - 0.3) < 0.02
    assert multiples(number, noise).all()
    y = np.asarray(layers.GaussianDropout(0.3, dtype=MIXED)(x + number, training=True)).astype(np.float32)
    assert abs((y / number).std() - np.sqrt(0.3 / 0.7)) < 0.04
    assert multiples(number, y).all()
    np.testing.assert_array_equal(y, rounded(y))


@pytest.mark.parametrize("library", ["live", "ours"])
def test_alpha_dropout_is_rounded(library: str, live_keras: ModuleType) -> None:
    """a (x kept + low (1 - kept)) + b with a, b and low rounded, and after each operation."""
    layers = (live_keras if library == "live" else keras).layers
    low, rate = -1.6732632423543772 * 1.0507009873554805, 0.3
    a = ((1 - rate) * (1 + rate * low**2)) ** -0.5
    b = -a * low * rate
    x = np.random.default_rng(4).normal(size=(50, 60)).astype(np.float32)
    out = np.asarray(layers.AlphaDropout(rate, dtype=MIXED)(x, training=True)).astype(np.float32)

    def scaled(values: Array) -> Array:
        return rounded(rounded(rounded(a) * rounded(values)) + rounded(b))

    dropped = out == scaled(low)
    assert 0.25 < np.mean(dropped) < 0.35
    np.testing.assert_array_equal(out[~dropped], scaled(x)[~dropped])


NOISE = {
    "normal": layer("GaussianNoise", 0.4, seed=5),
    "normal factor": layer("GaussianDropout", 0.3, seed=5),
    "alpha": layer("AlphaDropout", 0.3, seed=5),
    "alpha by sample": layer("AlphaDropout", 0.3, noise_shape=(None, 1), seed=5),
    "shape": layer("Dropout", 0.3, noise_shape=(1, None), seed=5),
}


@pytest.mark.parametrize("name", NOISE)
def test_training_is_that_in_float32_rounded(name: str) -> None:
    """The same numbers are drawn in both dtypes; what the weights move by differs by roundings, as many
    independent ones on the whole as there are: four in each layer and step.
    """
    moved = []
    for policy in (MIXED, "float32"):
        network = Mixed([dense(30, "tanh"), NOISE[name], dense(6, "softmax", **EXACT)], policy=policy)
        model = network.model(keras)
        before = model.get_weights()
        model.fit(*network.data(), batch_size=32, shuffle=False, verbose=0)
        moved.append([after - start for after, start in zip(model.get_weights(), before, strict=True)])
    dtype_policies._global = None
    for ours, exact in zip(*moved, strict=True):
        part = np.sqrt(np.mean((ours - exact) ** 2) / np.mean(exact**2))
        assert part <= np.sqrt(4 * 3 * 4) * UNIT
