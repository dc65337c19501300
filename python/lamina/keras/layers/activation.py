"""Activation: a function of each number, or of each row."""

from __future__ import annotations

from typing import Any

from lamina import _core
from lamina.keras import activations
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, positions_and_features


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: name or function of `keras.activations`; softmax runs along the last axis.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.

    Source: Keras 3 `keras.layers.Activation`.
    """

    _built_at_start = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(
                f"layer {self.name!r}: expected an input of rank 2 or more, got shape {tuple(input_shape)}"
            )
        return tuple(input_shape)

    @property
    def passes_on(self) -> bool:
        return bool(self.activation is activations.linear)

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        positions, features = positions_and_features(input_shape, f"layer {self.name!r}: input shape")
        self._adder(network, "activation")(positions, features, self.activation.__name__)
        return True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
