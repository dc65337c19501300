"""Affine: what layers share that scale by a gamma and add a beta."""

from __future__ import annotations

from typing import Any

from lamina.keras import constraints, regularizers
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.variable import Variable
from lamina.keras.layers.weight_spec import WeightSpec, checked_initializer
from lamina.keras.utils.serialization import serialize_object


class Affine(Layer):
    """Base class of normalizations of each sample by itself: `y = gamma xhat + beta`.

    Args:
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer, gamma_initializer: their initializers.
        beta_regularizer, gamma_regularizer: penalties on them that are added to the loss. Default None.
        beta_constraint, gamma_constraint: what they are brought back to after each step. Default None.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.
    """

    def __init__(
        self,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.center = center
        self.scale = scale
        self.beta_initializer = checked_initializer(beta_initializer, "beta_initializer")
        self.gamma_initializer = checked_initializer(gamma_initializer, "gamma_initializer")
        self.beta_regularizer = regularizers.checked(beta_regularizer, "beta_regularizer")
        self.gamma_regularizer = regularizers.checked(gamma_regularizer, "gamma_regularizer")
        self.beta_constraint = constraints.checked(beta_constraint, "beta_constraint")
        self.gamma_constraint = constraints.checked(gamma_constraint, "gamma_constraint")

    @property
    def gamma(self) -> Variable | None:
        """The scale; None before the build and without one."""
        return self._weight("gamma")

    @property
    def beta(self) -> Variable | None:
        """The offset; None before the build and without one."""
        return self._weight("beta")

    def _specs_of_shape(self, shape: tuple[int, ...]) -> list[WeightSpec]:
        gamma = WeightSpec("gamma", shape, self.gamma_initializer)
        beta = WeightSpec("beta", shape, self.beta_initializer)
        specs = [
            gamma._replace(regularizer=self.gamma_regularizer, constraint=self.gamma_constraint),
            beta._replace(regularizer=self.beta_regularizer, constraint=self.beta_constraint),
        ]
        there = (self._has_gamma(), self._has_beta())
        return [spec for spec, wanted in zip(specs, there, strict=True) if wanted]

    def _has_gamma(self) -> bool:
        return bool(self.scale)

    def _has_beta(self) -> bool:
        return bool(self.center)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": serialize_object(self.beta_initializer, "keras.initializers"),
            "gamma_initializer": serialize_object(self.gamma_initializer, "keras.initializers"),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


def checked_epsilon(value: Any) -> float:
    """A number to be added to a variance.

    Raises:
        ValueError: not a number.
    """
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise ValueError(f"epsilon: expected a number, got {value!r}")
    return value  # type: ignore[no-any-return]
