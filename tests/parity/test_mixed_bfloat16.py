"""mixed_bfloat16 in Lamina and in live Keras: the same roundings at the same places."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import mixed_networks
import numpy as np
import pytest
from bfloat16_oracle import ON_THE_WHOLE, UNIT, half_a_unit, many_roundings, rounded
from mixed_networks import NETWORKS, ROUNDINGS, dense, layer

from lamina import _core
from lamina.keras import dtype_policies

Array = mixed_networks.Array


@pytest.fixture(scope="module")
def keras_results(live_keras: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Array]:
    """All networks trained by Keras as its users have it: with the oneDNN kernels."""
    if "avx512" not in _core.build_info()["isa_available"]:
        pytest.skip("TensorFlow's bfloat16 products add in float only where there is AVX-512")
    path = tmp_path_factory.mktemp("keras") / "results.npz"
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1", "KERAS_BACKEND": "tensorflow"}
    program = Path(mixed_networks.__file__)
    run = subprocess.run(
        [sys.executable, str(program), str(path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return dict(np.load(path))


def of(results: dict[str, Array], name: str) -> dict[str, Array]:
    prefix = f"{name}/"
    return {key.removeprefix(prefix): value for key, value in results.items() if key.startswith(prefix)}


@pytest.mark.parametrize("name", NETWORKS)
def test_training(name: str, keras_results: dict[str, Array], lamina_keras: ModuleType) -> None:
    """Predictions, the epoch's loss and accuracy, and how far each weight moved in four steps."""
    network = NETWORKS[name]
    ours = mixed_networks.results(lamina_keras, network)
    theirs = of(keras_results, name)
    assert sorted(ours) == sorted(theirs)
    loose = many_roundings(ROUNDINGS * len(network.layers) * 4)
    for what, expected in theirs.items():
        got = ours[what]
        assert got.shape == expected.shape
        worst, scale = np.abs(got - expected).max(), np.abs(expected).max()
        assert worst <= loose * scale, f"{what}: off by {worst:.3g} of {scale:.3g}"
        if network.sharp:
            part = np.sqrt(np.mean((got - expected) ** 2) / np.mean(expected**2))
            assert part <= ON_THE_WHOLE, f"{what}: on the whole off by {part:.3g}"


@pytest.fixture
def mixed(live_keras: ModuleType, lamina_keras: ModuleType) -> Any:
    """The policy in both libraries for one test."""
    for keras in (live_keras, lamina_keras):
        keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    live_keras.config.set_dtype_policy("float32")
    dtype_policies._global = None  # one that was set, "float32" too, would no longer follow floatx


LAYERS = {
    **{
        f"dense {a}": dense(33, a, bias_initializer="random_normal")
        for a in ("linear", "relu", "sigmoid", "tanh", "softmax")
    },
    **{f"activation {a}": layer("Activation", a) for a in ("linear", "relu", "sigmoid", "tanh", "softmax")},
    **{f"activation {a}": layer("Activation", a) for a in ("glu", "log_softmax", "sparsemax")},
    "prelu": layer("PReLU", alpha_initializer="random_uniform"),
    "unit normalization": layer("UnitNormalization"),
    "softmax along an axis": layer("Softmax", axis=1),
    "dense without bias": dense(33, "tanh", use_bias=False),
    "batch normalization": layer("BatchNormalization"),
    "dropout": layer("Dropout", 0.3),
    "batch renormalization": layer("BatchNormalization", renorm=True),
    "layer normalization": layer("LayerNormalization"),
    "layer normalization by the deviation": layer("LayerNormalization", rms_scaling=True),
    "root mean square normalization": layer("RMSNormalization"),
    "group normalization": layer("GroupNormalization", 4),
    "rescaling": layer("Rescaling", 0.3, 0.7),
    "rescaling by arrays": layer("Rescaling", np.linspace(-1, 3, 40), np.linspace(-2, 2, 40)),
    "normalization": layer("Normalization", mean=np.linspace(-1, 1, 40), variance=np.linspace(0, 3, 40)),
    "normalization inverted": layer("Normalization", mean=0.3, variance=0.7, invert=True),
    "flatten": layer("Flatten"),
}


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("training", [False, True])
def test_a_layer_alone(name: str, training: bool, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Called eagerly, without the oneDNN kernels: each operation rounds by itself, and products also within
    their sums, so that each of four operations may be one rounding off.
    """
    live_keras.utils.set_random_seed(5)  # the weights: a logit on a tie would be a unit of 2^-6 off
    kind, args, kwargs = LAYERS[name]
    if name == "dropout" and training:
        pytest.skip("its pattern is drawn; see test_dropout_scales_in_bfloat16")
    x = np.random.default_rng(3).normal(size=(20, 40)).astype(np.float32)
    theirs, ours = (getattr(keras.layers, kind)(*args, **kwargs) for keras in (live_keras, lamina_keras))
    theirs.build((None, 40))
    ours.build((None, 40))
    ours.set_weights(theirs.get_weights())
    expected = np.asarray(theirs(x, training=training)).astype(np.float32)
    got = np.asarray(ours(x, training=training))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, rounded(got))
    scale = np.abs(expected).max()
    assert np.abs(got - expected).max() <= 4 * UNIT * scale


@pytest.mark.usefixtures("mixed")
def test_dropout_scales_in_bfloat16(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    x = np.random.default_rng(4).normal(size=(50, 60)).astype(np.float32)
    factor = rounded(1 / 0.7)
    for keras in (live_keras, lamina_keras):
        out = np.asarray(keras.layers.Dropout(0.3)(x, training=True)).astype(np.float32)
        assert 0.2 < np.mean(out == 0) < 0.4
        np.testing.assert_array_equal(out[out != 0], rounded(rounded(x) * factor)[out != 0])


@pytest.mark.usefixtures("mixed")
def test_rounding_is_tensorflows(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    bits = np.random.default_rng(5).integers(0, 2**32, 100_000, np.uint32)
    x = bits.view(np.float32)
    x = x[np.isfinite(x)].reshape(1, -1)
    theirs = np.asarray(live_keras.layers.Flatten()(x)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(lamina_keras.layers.Flatten()(x)), theirs)
    finite = np.isfinite(theirs)
    exact = x[finite].astype(np.float64)
    assert (np.abs(theirs[finite] - exact) <= half_a_unit(exact)).all()


def test_fashion_mnist(lamina_keras: ModuleType) -> None:
    """784-256-10, float32 head, Adam, 2 epochs of 20,000 images: as accurate as in float32."""
    try:
        (images, labels), _ = lamina_keras.datasets.fashion_mnist.load_data()
    except (OSError, RuntimeError, ValueError) as error:
        pytest.skip(f"Fashion-MNIST is not here: {error}")
    accuracies = {}
    for policy in ("float32", "mixed_bfloat16"):
        lamina_keras.utils.set_random_seed(42)
        layers = lamina_keras.layers
        model = lamina_keras.Sequential(
            [
                lamina_keras.Input((28, 28)),
                layers.Flatten(dtype=policy),
                layers.Dense(256, activation="relu", dtype=policy),
                layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(images[:20000] / 255.0, labels[:20000], batch_size=64, epochs=2, verbose=0)
        _, accuracies[policy] = model.evaluate(images[50000:] / 255.0, labels[50000:], verbose=0)
    # 10,000 images: the standard error of an accuracy of 0.85 is 0.0036; two trainings differ by a few.
    assert accuracies["mixed_bfloat16"] > 0.83
    assert abs(accuracies["mixed_bfloat16"] - accuracies["float32"]) < 0.015
