"""RMSNormalization: every sample with a mean square of 1."""

from __future__ import annotations

from typing import Any

from lamina.keras import initializers
from lamina.keras.layers.affine import checked_epsilon
from lamina.keras.layers.axes import checked_axes, sample_axes
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.layer_normalization import add_normalized_rows
from lamina.keras.layers.shape import Shape, known_sizes
from lamina.keras.layers.variable import Variable
from lamina.keras.layers.weight_spec import WeightSpec


class RMSNormalization(Layer):
    """Scales over some axes of each sample: `y = scale x / sqrt(mean(x²) + epsilon)`, in training and
    prediction alike.

    Args:
        axis: the last axis (-1, the default), or a list of the last axes in their order, over which the mean
            is taken; the weight `scale`, of ones at first, has their sizes. (Keras multiplies by it as it
            stands: with other axes it fails, or scales along another.)
        epsilon: added to the mean square. Default 1e-6.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        TypeError: axis is no int and no list of ints.
        ValueError: an argument is unknown or wrong.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019; Keras 3's constants.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = checked_axes(axis, "RMSNormalization")
        self.epsilon = checked_epsilon(epsilon)

    @property
    def scale(self) -> Variable | None:
        """The factor; None before the build."""
        return self._weight("scale")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        axes = sample_axes(self.axis, input_shape, f"layer {self.name!r}")
        given = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        rank = len(input_shape)
        if [axis % rank for axis in given] != list(range(rank - len(axes), rank)):
            raise ValueError(
                f"layer {self.name!r}: axis: expected the last one, or a list of the last ones, "
                f"got {self.axis} for input shape {tuple(input_shape)}"
            )
        return tuple(input_shape)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        # As Keras's reads after the build; past the door that is shut while the layer is in a model.
        self.__dict__["axis"] = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]

    def _parameter_shape(self, input_shape: Shape) -> tuple[int, ...]:
        known_sizes(input_shape, f"layer {self.name!r}: input shape")
        axes = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        return tuple(input_shape[axis] or 0 for axis in axes)

    def _weight_specs(self, input_shape: Shape) -> list[WeightSpec]:
        return [WeightSpec("scale", self._parameter_shape(input_shape), initializers.Ones())]

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        add_normalized_rows(self, network, input_shape, "root_mean_square", "scale", False)
        return True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
