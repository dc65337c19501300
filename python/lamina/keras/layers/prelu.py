"""PReLU: a rectifier that learns its slope below 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina import _core
from lamina.keras import constraints, regularizers
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes
from lamina.keras.layers.variable import Variable
from lamina.keras.layers.weight_spec import WeightSpec, checked_initializer
from lamina.keras.utils.serialization import serialize_object


class PReLU(Layer):
    """x above 0, alpha x below, with one learned alpha for each value of a sample, or shared ones.

    Args:
        alpha_initializer: initializer of the alphas. Default "Zeros".
        alpha_regularizer: penalty on the alphas that is added to the loss. Default None.
        alpha_constraint: what they are brought back to after each step. Default None.
        shared_axes: an axis or a list of them, numbered with the batch axis as 0, along which all values have
            one alpha. None (default): each has its own.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.

    Source: He et al., "Delving Deep into Rectifiers", ICCV 2015; Keras 3 `keras.layers.PReLU`.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = checked_initializer(alpha_initializer, "alpha_initializer")
        self.alpha_regularizer = regularizers.checked(alpha_regularizer, "alpha_regularizer")
        self.alpha_constraint = constraints.checked(alpha_constraint, "alpha_constraint")
        if shared_axes is not None and not isinstance(shared_axes, (list, tuple)):
            shared_axes = [shared_axes]
        self.shared_axes = None if shared_axes is None else list(shared_axes)
        for axis in self.shared_axes or ():
            if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or axis < 1:
                raise ValueError(f"shared_axes: expected ints >= 1, got {axis!r}")

    @property
    def alpha(self) -> Variable | None:
        """The slopes, in the shape of a sample, with 1 for each shared axis; None before the build."""
        return self._weight("alpha")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(
                f"layer {self.name!r}: expected an input of rank 2 or more, got shape {tuple(input_shape)}"
            )
        for axis in self.shared_axes or ():
            if axis >= len(input_shape):
                raise ValueError(
                    f"layer {self.name!r}: shared_axes: expected axes of an input of shape "
                    f"{tuple(input_shape)}, got {axis}"
                )
        return tuple(input_shape)

    def _alpha_shape(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        shared = self.shared_axes or ()
        return tuple(1 if axis in shared else size for axis, size in enumerate(sizes, 1))

    def _weight_specs(self, input_shape: Shape) -> list[WeightSpec]:
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        alpha = WeightSpec("alpha", self._alpha_shape(sizes), self.alpha_initializer)
        return [alpha._replace(regularizer=self.alpha_regularizer, constraint=self.alpha_constraint)]

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        shape = self._alpha_shape(sizes)
        count = math.prod(shape)
        places: list[int] = []
        if shape != sizes:
            places = np.broadcast_to(np.arange(count).reshape(shape), sizes).ravel().tolist()
        self._adder(network, "prelu")(math.prod(sizes), shape, places)
        return True

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "alpha_initializer": serialize_object(self.alpha_initializer, "keras.initializers"),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
