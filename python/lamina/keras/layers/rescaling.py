"""Rescaling: every number times one constant plus another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina import _core
from lamina.keras._saving.objects import deserialize_keras_object, serialize_keras_object
from lamina.keras.layers.shape import Shape, known_sizes
from lamina.keras.layers.standardised import Standardised
from lamina.keras.utils.dtypes import in_dtype


class Rescaling(Standardised):
    """`y = x * scale + offset`, in training and prediction alike.

    As the first layer with two numbers it costs nothing: the numbers are rescaled as they are read, and
    pictures of bytes stay bytes in memory.

    Args:
        scale: a number; `1 / 255` brings bytes to [0, 1]. Or an array of them that NumPy's rules of
            broadcasting bring to the shape of a sample, such as one for each feature.
        offset: a number or such an array. Default 0.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, holds what is no finite number, or (when the layer is built) has
            a shape that doesn't fit a sample's.

    Example:
        keras.Sequential([keras.Input((784,)), keras.layers.Rescaling(1 / 255), keras.layers.Dense(10)])

    Source: Keras 3 `keras.layers.Rescaling`.
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _numbers("scale", scale)
        self.offset = _numbers("offset", offset)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        for name, value in (("scale", self.scale), ("offset", self.offset)):
            given = np.shape(value)
            sizes = (1, *input_shape[1:])[-len(given) :] if given else ()
            fits = len(given) <= len(input_shape) and all(
                size in (1, expected) for size, expected in zip(given, sizes, strict=True)
            )
            if not fits:
                raise ValueError(
                    f"layer {self.name!r}: {name}: expected a number, or an array that fits samples of shape "
                    f"{tuple(input_shape[1:])}, got shape {given}"
                )
        return tuple(input_shape)

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        if np.ndim(self.scale) == 0 and np.ndim(self.offset) == 0:
            self._adder(network, "rescaling")(math.prod(sizes), _held(self.scale), _held(self.offset))
            return True
        scale, offset = (in_dtype(value, self.compute_dtype) for value in (self.scale, self.offset))
        self._add_standardisation(network, (np.zeros(1, self.dtype), scale, offset), sizes)
        return True

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "scale": serialize_keras_object(self.scale),
            "offset": serialize_keras_object(self.offset),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Rescaling:
        numbers = {name: deserialize_keras_object(config[name]) for name in ("scale", "offset")}
        return cls(**{**config, **numbers})


def _numbers(name: str, value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        what = "a finite number" if array.ndim == 0 else "finite numbers"
        raise ValueError(f"Rescaling: {name}: expected {what}, got {value!r}")
    as_given = isinstance(value, (int, float))  # np.float64 is a float too
    return value.item() if isinstance(value, np.generic) and not as_given else value


def _held(number: float) -> float:
    """As TensorFlow holds it: a float of Python's in float32, in a float64 network too."""
    return float(np.float32(number)) if type(number) is float else float(number)
