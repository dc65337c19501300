"""GroupNormalization: every group of a sample's channels with mean 0 and variance 1."""

from __future__ import annotations

import math
import operator
from typing import Any

from lamina.keras.layers.affine import Affine, checked_epsilon
from lamina.keras.layers.axes import add_in_order, moved_order, sample_axes
from lamina.keras.layers.shape import Shape, known_sizes
from lamina.keras.layers.weight_spec import WeightSpec


class GroupNormalization(Affine):
    """Normalizes each sample over groups of channels and all other axes:
    `y = gamma (x - mean) / sqrt(var + epsilon) + beta`, gamma and beta one value per channel.

    Args:
        groups: into how many groups of neighbours the channels fall; -1: one for each channel. Default 32.
        axis: the axis of the channels. Default -1, the last one.
        epsilon: added to the variance. Default 1e-3.
        center: whether there is a beta. Default True.
        scale: whether there is a gamma. Default True.
        beta_initializer, gamma_initializer: initializers. Defaults "zeros" and "ones".
        beta_regularizer, gamma_regularizer: penalties on them that are added to the loss. Default None.
        beta_constraint, gamma_constraint: what they are brought back to after each step. Default None.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported, or the channels don't fall into so many
            groups.

    Source: Wu and He, "Group Normalization", 2018; Keras 3's constants.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ValueError(f"groups: expected an int >= 1, or -1, got {groups!r}")
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
        if isinstance(axis, bool) or not hasattr(axis, "__index__"):
            raise ValueError(f"axis: expected an int, got {axis!r}")
        self.groups = groups
        self.axis = operator.index(axis)
        self.epsilon = checked_epsilon(epsilon)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sample_axes(self.axis, input_shape, f"layer {self.name!r}")
        return tuple(input_shape)

    def _channels(self, input_shape: Shape) -> int:
        known_sizes(input_shape, f"layer {self.name!r}: input shape")
        channels = int(input_shape[self.axis] or 0)
        groups = channels if self.groups == -1 else self.groups
        if channels % groups or channels < groups:
            raise ValueError(
                f"layer {self.name!r}: groups: expected a divisor of the {channels} channels, got {groups}"
            )
        return channels

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        if self.groups == -1:  # past the door that is shut while the layer is in a model
            self.__dict__["groups"] = int(input_shape[self.axis])

    def _weight_specs(self, input_shape: Shape) -> list[WeightSpec]:
        return self._specs_of_shape((self._channels(input_shape),))

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        (channel_axis,) = sample_axes(self.axis, input_shape, f"layer {self.name!r}")
        others = [axis for axis in range(len(sizes)) if axis != channel_axis]
        channels, positions = self._channels(input_shape), math.prod(sizes[axis] for axis in others)
        add = self._adder(network, "normalisation")
        lanes = channels // self.groups * positions
        gamma = "gamma" if self._has_gamma() else ""
        add_in_order(
            network,
            moved_order(sizes, [channel_axis, *others]),
            lambda: add(
                self.groups,
                lanes,
                1,
                positions,
                "standard",
                float(self.epsilon),
                gamma,
                self._has_beta(),
                (channels,),
            ),
        )
        return True

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
        }
