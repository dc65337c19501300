"""Rescaling: every number times one constant plus another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina import _core
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes


class Rescaling(Layer):
    """`y = x * scale + offset`, in training and prediction alike.

    As the first layer it costs nothing: the numbers are rescaled as they are read, and pictures of bytes stay
    bytes in memory.

    Args:
        scale: a number; `1 / 255` brings bytes to [0, 1].
        offset: a number. Default 0.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, or no finite number (an array of one number per feature is not
            supported).

    Example:
        keras.Sequential([keras.Input((784,)), keras.layers.Rescaling(1 / 255), keras.layers.Dense(10)])

    Source: Keras 3 `keras.layers.Rescaling`.
    """

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _number("scale", scale)
        self.offset = _number("offset", offset)

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        size = math.prod(known_sizes(input_shape, f"layer {self.name!r}: input shape"))
        self._adder(network, "rescaling")(size, _held(self.scale), _held(self.offset))
        return True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def _number(name: str, value: Any) -> float:
    numeric = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not numeric or not math.isfinite(value):
        raise ValueError(f"Rescaling: {name}: expected a finite number, got {value!r}")
    as_given = isinstance(value, (int, float))  # np.float64 is a float too
    return value if as_given else value.item()  # type: ignore[no-any-return]


def _held(number: float) -> float:
    """As TensorFlow holds it: a float of Python's in float32, in a float64 network too."""
    return float(np.float32(number)) if type(number) is float else float(number)
