"""LayerNormalization: every sample with mean 0 and variance 1."""

from __future__ import annotations

import math
import warnings
from typing import Any

from lamina.keras.layers.affine import Affine, checked_epsilon
from lamina.keras.layers.axes import add_in_order, checked_axes, moved_order, sample_axes
from lamina.keras.layers.shape import Shape, known_sizes
from lamina.keras.layers.weight_spec import WeightSpec


class LayerNormalization(Affine):
    """Normalizes over some axes of each sample: `y = gamma (x - mean) / sqrt(var + epsilon) + beta`, var the
    biased variance; in training and prediction alike.

    Args:
        axis: the axis, or a list of the axes, over which mean and variance are taken; gamma and beta have
            their sizes. Default -1, the last one.
        epsilon: added to the variance. Default 1e-3.
        center: whether there is a beta. Default True.
        scale: whether there is a gamma. Default True.
        beta_initializer, gamma_initializer: initializers. Defaults "zeros" and "ones".
        beta_regularizer, gamma_regularizer: penalties on them that are added to the loss. Default None.
        beta_constraint, gamma_constraint: what they are brought back to after each step. Default None.
        rms_scaling: True computes `y = gamma x / sqrt(var + epsilon)` instead, always with a gamma and never
            with a beta; Keras advises `RMSNormalization`. Default False.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        TypeError: axis is no int and no list of ints.
        ValueError: an argument is unknown, wrong or not supported.

    Source: Ba, Kiros, Hinton, "Layer Normalization", 2016; Keras 3's constants.
    """

    casts_input = False  # as in Keras: it computes in float32, and an input of that comes as it is

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        rms_scaling: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        if rms_scaling:
            warnings.warn(
                "LayerNormalization: rms_scaling: divides by the deviation, not by the root mean square; "
                "RMSNormalization does that",
                stacklevel=2,
            )
        self.rms_scaling = rms_scaling
        self.axis = checked_axes(axis, "LayerNormalization")
        self.epsilon = checked_epsilon(epsilon)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sample_axes(self.axis, input_shape, f"layer {self.name!r}")
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
        return self._specs_of_shape(self._parameter_shape(input_shape))

    def _has_gamma(self) -> bool:
        return bool(self.scale or self.rms_scaling)

    def _has_beta(self) -> bool:
        return bool(self.center and not self.rms_scaling)

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        kind, gamma = "deviation" if self.rms_scaling else "standard", "gamma" if self._has_gamma() else ""
        add_normalized_rows(self, network, input_shape, kind, gamma, self._has_beta())
        return True

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "rms_scaling": self.rms_scaling,
        }


def add_normalized_rows(
    layer: Any, network: Any, input_shape: Shape, kind: str, gamma: str, center: bool
) -> None:
    """Add to the core's network what normalizes over `layer.axis`."""
    sizes = known_sizes(input_shape, f"layer {layer.name!r}: input shape")
    inner = sample_axes(layer.axis, input_shape, f"layer {layer.name!r}")
    outer = [axis for axis in range(len(sizes)) if axis not in inner]
    groups = math.prod(sizes[axis] for axis in outer)
    lanes = math.prod(sizes[axis] for axis in inner)
    shape = layer._parameter_shape(input_shape)
    add = layer._adder(network, "normalisation")
    add_in_order(
        network,
        moved_order(sizes, [*outer, *inner]),
        lambda: add(groups, lanes, groups, 1, kind, float(layer.epsilon), gamma, center, shape),
    )
