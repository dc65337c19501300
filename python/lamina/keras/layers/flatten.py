"""Flatten: one row of numbers per sample."""

from __future__ import annotations

import math
from typing import Any

from lamina import _core
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape


class Flatten(Layer):
    """Joins all axes but the first: (n, 28, 28) becomes (n, 784), and (n,) becomes (n, 1). Costs nothing at
    run time.

    Args:
        data_format: None or "channels_last" (default); "channels_first" is not supported.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.

    Source: Keras 3 `keras.layers.Flatten`.
    """

    only_reshapes = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        if data_format not in (None, "channels_last"):
            raise ValueError(f"Flatten: data_format: expected None or 'channels_last', got {data_format!r}")
        super().__init__(**kwargs)
        self.data_format = "channels_last"

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if not input_shape:
            raise ValueError(f"layer {self.name!r}: expected an input of rank 1 or more, got shape ()")
        sizes = input_shape[1:]
        known = [size for size in sizes if size is not None]
        return (input_shape[0], math.prod(known) if len(known) == len(sizes) else None)

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        return False

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
