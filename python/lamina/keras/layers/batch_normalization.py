"""BatchNormalization: every feature with mean 0 and variance 1 over the batch."""

from __future__ import annotations

import math
import operator
from typing import Any

from lamina import _core
from lamina.keras import constraints, regularizers
from lamina.keras.layers.axes import add_in_order, moved_order, sample_axes
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.renorm import checked_clipping, clipping_bounds, deviation_of
from lamina.keras.layers.shape import Shape, known_sizes
from lamina.keras.layers.variable import Variable
from lamina.keras.layers.weight_spec import WeightSpec, checked_initializer
from lamina.keras.utils.serialization import serialize_object


class BatchNormalization(Layer):
    """Normalizes each feature: `y = gamma (x - mean) / sqrt(var + epsilon) + beta`.

    In training mean and variance (the biased one) are the batch's, over all axes but that of the features,
    and the moving ones follow:
    `moving = momentum · moving + (1 - momentum) · batch`. Elsewhere the moving ones are used.

    Args:
        axis: the axis of the features. Default -1, the last one.
        momentum: how slowly the moving mean and variance follow. Default 0.99.
        epsilon: added to the variance. Default 1e-3.
        center: whether there is a beta. Default True.
        scale: whether there is a gamma. Default True.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer:
            initializers of the four vectors (features,). Defaults "zeros", "ones", "zeros", "ones".
        beta_regularizer, gamma_regularizer: penalties on them that are added to the loss. Default None.
        beta_constraint, gamma_constraint: what they are brought back to after each step. Default None.
        renorm: True trains by `y = gamma ((x - mean) / s r + d) + beta` with the batch's mean and deviation
            `s = sqrt(var + epsilon)`, `r = s / s'` and `d = (mean - mean') / s'`, constants in the gradient:
            mean' and s' >= sqrt(epsilon) are the moving `renorm_mean` and `renorm_stddev`. The moving
            variance is then `max(moving_stddev² - epsilon, 0)`. Default False.
        renorm_clipping: dict with any of "rmin", "rmax", "dmax", numbers or None: r is cut to [rmin, rmax],
            d to [-dmax, dmax]. Default None: uncut.
        renorm_momentum: how slowly renorm_mean and renorm_stddev follow. Default 0.99.
        synchronized: accepted; there is one device.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.

    Source: Ioffe and Szegedy, "Batch Normalization", 2015; Ioffe, "Batch Renormalization", 2017; Keras 3's
    constants.
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = _integer("axis", axis)
        self.momentum = _number("momentum", momentum)
        self.epsilon = _number("epsilon", epsilon)
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = checked_initializer(beta_initializer, "beta_initializer")
        self.gamma_initializer = checked_initializer(gamma_initializer, "gamma_initializer")
        self.moving_mean_initializer = checked_initializer(moving_mean_initializer, "moving_mean_initializer")
        self.moving_variance_initializer = checked_initializer(
            moving_variance_initializer, "moving_variance_initializer"
        )
        self.beta_regularizer = regularizers.checked(beta_regularizer, "beta_regularizer")
        self.gamma_regularizer = regularizers.checked(gamma_regularizer, "gamma_regularizer")
        self.beta_constraint = constraints.checked(beta_constraint, "beta_constraint")
        self.gamma_constraint = constraints.checked(gamma_constraint, "gamma_constraint")
        self.synchronized = bool(synchronized)
        self.renorm = bool(renorm)
        self.renorm_clipping = checked_clipping(renorm_clipping) if self.renorm else renorm_clipping
        self.renorm_momentum = _number("renorm_momentum", renorm_momentum)

    @property
    def gamma(self) -> Variable | None:
        """The scale, shape (features,); None before the build and without one."""
        return self._weight("gamma")

    @property
    def beta(self) -> Variable | None:
        """The offset, shape (features,); None before the build and without one."""
        return self._weight("beta")

    @property
    def moving_mean(self) -> Variable | None:
        """The moving mean, shape (features,); None before the build."""
        return self._weight("moving_mean")

    @property
    def moving_variance(self) -> Variable | None:
        """The moving variance, shape (features,); None before the build."""
        return self._weight("moving_variance")

    @property
    def moving_stddev(self) -> Variable | None:
        """With renorm the moving deviation, shape (features,); None before the build and without it."""
        return self._weight("moving_stddev")

    @property
    def renorm_mean(self) -> Variable | None:
        """With renorm the moving mean of training, shape (features,); None before the build, and without."""
        return self._weight("renorm_mean")

    @property
    def renorm_stddev(self) -> Variable | None:
        """With renorm the moving deviation of training, shape (features,); None before the build and without
        it.
        """
        return self._weight("renorm_stddev")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        rank = len(input_shape)
        if rank < 2:
            raise ValueError(
                f"layer {self.name!r}: expected an input of rank 2 or more, got shape {tuple(input_shape)}"
            )
        sample_axes(self.axis, input_shape, f"layer {self.name!r}")
        return tuple(input_shape)

    def _weight_specs(self, input_shape: Shape) -> list[WeightSpec]:
        known_sizes(input_shape, f"layer {self.name!r}: input shape")
        features = int(input_shape[self.axis] or 0)
        specs = []
        if self.scale:
            gamma = WeightSpec("gamma", (features,), self.gamma_initializer)
            specs.append(gamma._replace(regularizer=self.gamma_regularizer, constraint=self.gamma_constraint))
        if self.center:
            beta = WeightSpec("beta", (features,), self.beta_initializer)
            specs.append(beta._replace(regularizer=self.beta_regularizer, constraint=self.beta_constraint))
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        statistics = [("moving_mean", mean), ("moving_variance", variance)]
        if self.renorm:
            deviation = deviation_of(variance)
            statistics += [("moving_stddev", deviation), ("renorm_mean", mean), ("renorm_stddev", deviation)]
        specs += [WeightSpec(name, (features,), start, trainable=False) for name, start in statistics]
        return specs

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        (axis,) = sample_axes(self.axis, input_shape, f"layer {self.name!r}")
        others = [other for other in range(len(sizes)) if other != axis]
        positions = math.prod(sizes[other] for other in others)
        add = self._adder(network, "batch_renormalization" if self.renorm else "batch_normalization")
        renorm = (self.renorm_momentum, *clipping_bounds(self.renorm_clipping)) if self.renorm else ()
        arguments = (positions, sizes[axis], self.momentum, self.epsilon, self.center, self.scale, *renorm)
        add_in_order(network, moved_order(sizes, [*others, axis]), lambda: add(*arguments))
        return True

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": serialize_object(self.beta_initializer, "keras.initializers"),
            "gamma_initializer": serialize_object(self.gamma_initializer, "keras.initializers"),
            "moving_mean_initializer": serialize_object(self.moving_mean_initializer, "keras.initializers"),
            "moving_variance_initializer": serialize_object(
                self.moving_variance_initializer, "keras.initializers"
            ),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            "synchronized": self.synchronized,
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }


def _integer(name: str, value: Any) -> int:
    if isinstance(value, (bool, str)) or not hasattr(value, "__index__"):
        raise ValueError(f"{name}: expected an int, got {value!r}")
    return operator.index(value)


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected a number, got {value!r}") from None
