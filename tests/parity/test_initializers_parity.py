"""Initializers against live Keras: names, arguments, configs both ways, and ones of the program's own."""

import inspect
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from lamina.keras import initializers, layers

STFT = {"STFT", "STFTInitializer", "stft"}  # for audio; refused by name
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "Constant": [{"value": 2.5}, {"value": np.array([1.0, 2.0], "float32")}],
    "RandomNormal": [{"mean": 1.0, "stddev": 0.5, "seed": 3}],
    "RandomUniform": [{"minval": -1.0, "maxval": 2.0, "seed": 3}],
    "TruncatedNormal": [{"stddev": 2.0}],
    "VarianceScaling": [
        {"scale": 2.0, "mode": mode, "distribution": distribution, "seed": 1}
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("truncated_normal", "untruncated_normal", "uniform", "NORMAL")
    ],
    "Orthogonal": [{"gain": 2.0, "seed": 1}],
    "GlorotUniform": [{"seed": 4, "input_axes": [0], "output_axes": [1]}],
}


@pytest.fixture
def classes(live_keras: ModuleType) -> list[str]:
    from keras.src.initializers import ALL_OBJECTS_DICT

    return sorted({kind.__name__ for kind in ALL_OBJECTS_DICT.values()} - STFT - {"Initializer"})


def test_arguments_and_configs(classes: list[str], live_keras: ModuleType) -> None:
    for name in classes:
        ours, live = getattr(initializers, name), getattr(live_keras.initializers, name)
        signatures = [
            [(p.name, p.default) for p in inspect.signature(kind).parameters.values()]
            for kind in (ours, live)
        ]
        assert signatures[0] == signatures[1], name
        for arguments in [{}, *ARGUMENTS.get(name, [])]:
            mine, theirs = ours(**arguments), live(**arguments)
            config = initializers.serialize(mine)
            assert config == live_keras.initializers.serialize(theirs)
            assert mine.get_config() == theirs.get_config()
            assert list(mine.get_config()) == list(theirs.get_config())
            back = initializers.deserialize(live_keras.initializers.serialize(theirs))
            assert initializers.serialize(back) == config
            assert live_keras.initializers.serialize(live_keras.initializers.deserialize(config)) == config
            if "seed" in config["config"] and config["config"]["seed"] is not None:
                np.testing.assert_array_equal(mine((4, 3)), back((4, 3)))


def test_shapes_dtypes_and_spread(classes: list[str], live_keras: ModuleType) -> None:
    for name in classes:
        arguments = {"seed": 5} if "seed" in inspect.signature(getattr(initializers, name)).parameters else {}
        for shape in ((60, 70),) if name in ("Identity", "Orthogonal") else ((60, 70), (4000,), (3, 30, 40)):
            for dtype in (None, "float16", "float32", "float64"):
                ours = getattr(initializers, name)(**arguments)(shape, dtype=dtype)
                theirs = np.asarray(getattr(live_keras.initializers, name)(**arguments)(shape, dtype=dtype))
                assert ours.dtype == theirs.dtype
                assert ours.shape == theirs.shape
                # Of 3600 values a deviation is off by 4 / sqrt(2 n) of itself, 5 %, at most.
                spread = float(theirs.std(dtype="float64"))
                assert abs(float(ours.std(dtype="float64")) - spread) <= 0.1 * spread


def test_a_constant_array_comes_back() -> None:
    again = initializers.deserialize(initializers.serialize(initializers.Constant(np.array([1.0, 2.0]))))
    np.testing.assert_array_equal(again((3, 2)), [[1, 2]] * 3)
    assert initializers.deserialize(initializers.serialize(initializers.Identity(3.0))).gain == 3.0


class Ramp(initializers.Initializer):
    """One of the program's own, as a class."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def ramp(shape: Any, dtype: Any = None) -> Any:
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def test_initializers_of_ones_own(live_keras: ModuleType) -> None:
    expected = np.arange(6, dtype="float32").reshape(2, 3)
    for own in (Ramp, Ramp(), ramp, lambda shape, dtype: ramp(shape, dtype)):
        layer = layers.Dense(3, kernel_initializer=own)
        layer.build((None, 2))
        np.testing.assert_array_equal(layer.kernel, expected)
    live = live_keras.layers.Dense(3, kernel_initializer=ramp)
    live.build((None, 2))
    np.testing.assert_array_equal(live.kernel, expected)
