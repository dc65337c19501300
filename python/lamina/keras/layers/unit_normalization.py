"""UnitNormalization: every sample with length 1."""

from __future__ import annotations

import math
from typing import Any

from lamina.keras.layers.axes import checked_axes, sample_axes
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.layer_normalization import add_normalized_rows
from lamina.keras.layers.shape import Shape, known_sizes


class UnitNormalization(Layer):
    """Divides by the Euclidean norm over some axes of each sample: `y = x min(1 / sqrt(sum(x²)), 1e12)`; a
    sample of zeros stays one, and has a gradient of NaN, as in Keras.

    Args:
        axis: the axis, or a list of the axes, over which the norm is taken. Default -1, the last one.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        TypeError: axis is no int and no list of ints.
        ValueError: an argument is unknown or wrong.

    Source: Keras 3 `keras.layers.UnitNormalization`.
    """

    _built_at_start = True
    epsilon = 1e-12

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = checked_axes(axis, "UnitNormalization")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sample_axes(self.axis, input_shape, f"layer {self.name!r}")
        return tuple(input_shape)

    def _parameter_shape(self, input_shape: Shape) -> tuple[int, ...]:
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        axes = sample_axes(self.axis, input_shape, f"layer {self.name!r}")
        return (math.prod(sizes[axis] for axis in axes),)

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        add_normalized_rows(self, network, input_shape, "unit", "", False)
        return True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
