"""Reshape: the same numbers per sample in another shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape


class Reshape(Layer):
    """Gives each sample another shape, its numbers in the same order. Costs nothing at run time.

    Args:
        target_shape: the shape of a sample, without the batch axis; one size may be -1, for what is left.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown or wrong, or an input has another number of values.

    Source: Keras 3 `keras.layers.Reshape`.
    """

    _built_at_start = True
    only_reshapes = True

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = tuple(target_shape)
        for size in sizes:
            if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < -1:
                raise ValueError(f"target_shape: expected ints >= 0, or -1 once, got {size!r} in {sizes}")
        if sizes.count(-1) > 1:
            raise ValueError(f"target_shape: expected -1 at most once, got {sizes}")
        self.target_shape = tuple(int(size) for size in sizes)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, *sizes = input_shape
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            return (batch, *(None if size == -1 else size for size in self.target_shape))
        total, rest = math.prod(known), math.prod(size for size in self.target_shape if size != -1)
        if -1 in self.target_shape:
            if rest == 0 or total % rest:
                raise ValueError(self._misfit(input_shape))
            return (batch, *(total // rest if size == -1 else size for size in self.target_shape))
        if total != rest:
            raise ValueError(self._misfit(input_shape))
        return (batch, *self.target_shape)

    def _misfit(self, input_shape: Shape) -> str:
        return (
            f"layer {self.name!r}: target_shape: expected one with as many values as input shape "
            f"{tuple(input_shape)}, got {self.target_shape}"
        )

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        return False

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}
