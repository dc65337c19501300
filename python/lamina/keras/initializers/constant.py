"""Initializers that draw nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamina.keras.config import floatx
from lamina.keras.initializers.initializer import Array, Initializer, checked_number, checked_shape


class Zeros(Initializer):
    """All values 0."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        return np.zeros(checked_shape(shape), dtype or floatx())


class Ones(Initializer):
    """All values 1."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        return np.ones(checked_shape(shape), dtype or floatx())


class Constant(Initializer):
    """All values equal.

    Args:
        value: a number (default 0.0), or an array that broadcasts to the shape.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        sizes = checked_shape(shape)
        value = np.asarray(self.value)
        try:
            return np.broadcast_to(value, sizes).astype(dtype or floatx())
        except ValueError:
            raise ValueError(
                f"shape: expected one that value, of shape {value.shape}, broadcasts to, got {sizes}"
            ) from None

    def get_config(self) -> dict[str, Any]:
        """An array as Keras stores it: {"class_name": "__numpy__", "config": {"value", "dtype"}}."""
        if not isinstance(self.value, (np.ndarray, np.generic)):
            return {"value": self.value}
        stored = {"value": self.value.tolist(), "dtype": self.value.dtype.name}
        return {"value": {"class_name": "__numpy__", "config": stored}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        value = config.get("value", 0.0)
        if isinstance(value, Mapping):
            value = np.asarray(value["config"]["value"], value["config"]["dtype"])
        return cls(value)


class Values(Constant):
    """The values of an array that has the weight's shape: what `get(array)` makes of it.

    Args:
        value: the array.
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        if checked_shape(shape) != self.value.shape:
            raise ValueError(
                f"initializer: expected an array of shape {tuple(shape)}, got {self.value.shape}"
            )
        return super().__call__(shape, dtype or self.value.dtype)


class Identity(Initializer):
    """gain on the diagonal of a matrix, 0 elsewhere.

    Args:
        gain: default 1.0.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = checked_number("gain", gain)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        sizes = checked_shape(shape)
        if len(sizes) != 2:
            raise ValueError(f"shape: expected a matrix, two sizes, for Identity, got {sizes}")
        return np.asarray(self.gain * np.eye(*sizes), dtype=dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        """Keras's has no gain and forgets it; here only the default is left out."""
        return {} if self.gain == 1.0 else {"gain": self.gain}
