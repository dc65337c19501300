"""Flatten: one row of numbers per sample."""

from __future__ import annotations

import math
from typing import Any

from lamina.keras.config import image_data_format
from lamina.keras.layers.axes import moved_order
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes


class Flatten(Layer):
    """Joins all axes but the first: (n, 28, 28) becomes (n, 784), and (n,) becomes (n, 1). Costs nothing at
    run time.

    Args:
        data_format: "channels_last", or "channels_first", which puts the first axis of a sample last before
            it joins them; None (default) takes `keras.config.image_data_format()`.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.

    Source: Keras 3 `keras.layers.Flatten`.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if data_format is None:
            data_format = image_data_format()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                f"data_format: expected None, 'channels_last' or 'channels_first', got {data_format!r}"
            )
        self.data_format = data_format

    @property
    def only_reshapes(self) -> bool:  # type: ignore[override]
        return self.data_format == "channels_last"

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if not input_shape:
            raise ValueError(f"layer {self.name!r}: expected an input of rank 1 or more, got shape ()")
        sizes = input_shape[1:]
        known = [size for size in sizes if size is not None]
        return (input_shape[0], math.prod(known) if len(known) == len(sizes) else None)

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        if self.only_reshapes or len(input_shape) < 3:
            return False
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        network.add_rearrangement(moved_order(sizes, [*range(1, len(sizes)), 0]))
        return True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
