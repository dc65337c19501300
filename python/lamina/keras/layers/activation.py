"""Activation: a function of each number, or of each row."""

from __future__ import annotations

from typing import Any

from lamina.keras import activations
from lamina.keras.activations.form import Form
from lamina.keras.layers.activation_layer import ActivationLayer, checked_activation


class Activation(ActivationLayer):
    """Applies an activation function.

    Args:
        activation: name or function of `keras.activations`, or an activation layer; softmax, log_softmax,
            sparsemax and glu run along the last axis.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.

    Source: Keras 3 `keras.layers.Activation`.
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = checked_activation(activations.get(activation), self)

    def activation_form(self) -> Form:
        return activations.form_of(self.activation)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
