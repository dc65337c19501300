"""Softmax: an activation layer along one axis or several."""

from __future__ import annotations

from typing import Any

from lamina.keras.activations.form import Form, axis_of
from lamina.keras.layers.activation_layer import ActivationLayer, checked_activation


class Softmax(ActivationLayer):
    """exp(x_i) / sum_j exp(x_j), the sum along an axis, or along several together.

    Behind one axis a cross-entropy takes what goes into the layer, as behind the activation; behind several
    it takes the probabilities.

    Args:
        axis: an axis of a sample, or a list of neighbouring ones, numbered with the batch axis as 0. Default
            the last. (The batch axis itself is not supported.)
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, or axis is no axis.

    Source: Keras 3 `keras.layers.Softmax`.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for one in axis if isinstance(axis, (list, tuple)) else [axis]:
            axis_of(one)
        if axis in ([], ()):
            raise ValueError(f"axis: expected at least one axis, got {axis!r}")
        self.axis = axis
        checked_activation(self, self)

    def activation_form(self) -> Form:
        axes = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else (self.axis,)
        return Form("softmax", axes=axes, shows_logits=len(axes) == 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
