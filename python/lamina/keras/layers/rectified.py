"""ReLU, LeakyReLU and ELU: activation layers of each number."""

from __future__ import annotations

import warnings
from typing import Any

from lamina.keras.activations.form import Form, leaky_form, number, relu_form
from lamina.keras.layers.activation_layer import ActivationLayer, checked_activation


class ReLU(ActivationLayer):
    """x where x > threshold, cut to [0, max_value], else negative_slope (x - threshold).

    Args:
        max_value: upper bound, >= 0; None (default) for none.
        negative_slope: slope below the threshold, >= 0. Default 0.
        threshold: where the linear part begins, >= 0. Default 0.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, or no number >= 0.

    Source: Keras 3 `keras.layers.ReLU`.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None:
            _at_least_zero("max_value", max_value)
        self.max_value = max_value
        self.negative_slope = _at_least_zero("negative_slope", negative_slope)
        self.threshold = _at_least_zero("threshold", threshold)
        checked_activation(self, self)

    def activation_form(self) -> Form:
        return relu_form(self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(ActivationLayer):
    """x above 0, negative_slope x below.

    Args:
        negative_slope: a number >= 0. Default 0.3.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes; `alpha` is an old name of
            negative_slope, and warns.

    Raises:
        ValueError: an argument is unknown, or no number >= 0.

    Source: Keras 3 `keras.layers.LeakyReLU`.
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warnings.warn("LeakyReLU: alpha is the old name of negative_slope.", stacklevel=2)
        super().__init__(**kwargs)
        self.negative_slope = _at_least_zero("negative_slope", negative_slope)
        checked_activation(self, self)

    def activation_form(self) -> Form:
        return leaky_form(self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(ActivationLayer):
    """x above 0, alpha (exp(x) - 1) below.

    Args:
        alpha: a number. Default 1.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, or alpha no number.

    Source: Keras 3 `keras.layers.ELU`.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        number("alpha", alpha)
        self.alpha = alpha
        checked_activation(self, self)

    def activation_form(self) -> Form:
        return Form("elu", (float(self.alpha),))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha}


def _at_least_zero(argument: str, value: Any) -> Any:
    if not number(argument, value) >= 0:
        raise ValueError(f"{argument}: expected a number >= 0, got {value!r}")
    return value
