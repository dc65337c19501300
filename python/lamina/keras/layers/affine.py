"""Affine: what layers share that scale by a gamma and add a beta."""

from __future__ import annotations

from typing import Any

from lamina.keras._training.unsupported import refuse_unless_default
from lamina.keras.layers.layer import Layer, WeightSpec, checked_initializer
from lamina.keras.layers.variable import Variable
from lamina.keras.utils.serialization import serialize_object


class Affine(Layer):
    """Base class of normalizations of each sample by itself: `y = gamma xhat + beta`.

    Args:
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer, gamma_initializer: their initializers.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: not supported yet, None only.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.
    """

    _none_only = (
        *Layer._none_only,
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )
    beta_regularizer = gamma_regularizer = beta_constraint = gamma_constraint = None

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
        refuse_unless_default(
            type(self).__name__,
            beta_regularizer=(beta_regularizer, None),
            gamma_regularizer=(gamma_regularizer, None),
            beta_constraint=(beta_constraint, None),
            gamma_constraint=(gamma_constraint, None),
        )
        self.center = center
        self.scale = scale
        self.beta_initializer = checked_initializer(beta_initializer, "beta_initializer")
        self.gamma_initializer = checked_initializer(gamma_initializer, "gamma_initializer")

    @property
    def gamma(self) -> Variable | None:
        """The scale; None before the build and without one."""
        return self._weight("gamma")

    @property
    def beta(self) -> Variable | None:
        """The offset; None before the build and without one."""
        return self._weight("beta")

    def _specs_of_shape(self, shape: tuple[int, ...]) -> list[WeightSpec]:
        specs = [WeightSpec("gamma", shape, self.gamma_initializer)] if self.scale else []
        return [*specs, WeightSpec("beta", shape, self.beta_initializer)] if self.center else specs

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": serialize_object(self.beta_initializer, "keras.initializers"),
            "gamma_initializer": serialize_object(self.gamma_initializer, "keras.initializers"),
            "beta_regularizer": None,
            "gamma_regularizer": None,
            "beta_constraint": None,
            "gamma_constraint": None,
        }


def checked_epsilon(value: Any) -> float:
    """A number to be added to a variance.

    Raises:
        ValueError: not a number.
    """
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise ValueError(f"epsilon: expected a number, got {value!r}")
    return value  # type: ignore[no-any-return]
