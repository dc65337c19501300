"""NonNeg, MaxNorm, UnitNorm and MinMaxNorm."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras import config as keras_config
from lamina.keras._training.output import Output
from lamina.keras.constraints.constraint import Constraint, CoreConstraint, as_output, as_values, core_axes


def _norms(values: npt.NDArray[Any], axis: Any) -> npt.NDArray[Any]:
    axes = tuple(axis) if isinstance(axis, list) else axis
    return np.asarray(np.sqrt(np.sum(np.square(values), axis=axes, keepdims=True)))


def _clipped(norms: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[Any]:
    return np.asarray(np.maximum(np.minimum(norms, high), low))  # bounds in the wrong order: as in TensorFlow


class NonNeg(Constraint):
    """No negative weights: `max(w, 0)`."""

    def __call__(self, w: Any) -> Output:
        values = as_values(w)
        return as_output(np.maximum(values, 0), values)

    def core_form(self, shape: tuple[int, ...], what: str) -> CoreConstraint:
        return CoreConstraint("non_neg", "all")


class MaxNorm(Constraint):
    """Norms of at most max_value: `w · clip(norm, 0, max_value) / (epsilon + norm)`.

    The norm is `sqrt(Σ w²)` along the axes given; epsilon is `keras.config.epsilon()`.

    Args:
        max_value: the largest norm. Default 2.
        axis: int or list of ints: the axes that a norm is taken along. Default 0: of a `Dense` kernel
            (inputs, units) the weights of each unit.
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Output:
        values = as_values(w)
        norms = _norms(values, self.axis)
        wanted = _clipped(norms, 0, self.max_value)
        return as_output(values * (wanted / (keras_config.epsilon() + norms)), values)

    def core_form(self, shape: tuple[int, ...], what: str) -> CoreConstraint:
        return CoreConstraint("max_norm", core_axes(self.axis, shape, what), 0.0, float(self.max_value))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


class UnitNorm(Constraint):
    """Norms of 1: `w / (epsilon + norm)`.

    Args:
        axis: as in `MaxNorm`. Default 0.
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Output:
        values = as_values(w)
        return as_output(values / (keras_config.epsilon() + _norms(values, self.axis)), values)

    def core_form(self, shape: tuple[int, ...], what: str) -> CoreConstraint:
        return CoreConstraint("unit_norm", core_axes(self.axis, shape, what))

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Norms within bounds, or nearer to them:
    `w · (rate · clip(norm, min_value, max_value) + (1 - rate) · norm) / (epsilon + norm)`.

    Args:
        min_value, max_value: the bounds. Defaults 0.0 and 1.0.
        rate: how much of the way is gone at each step. Default 1.0, all of it.
        axis: as in `MaxNorm`. Default 0.
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Output:
        values = as_values(w)
        norms = _norms(values, self.axis)
        wanted = self.rate * _clipped(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return as_output(values * (wanted / (keras_config.epsilon() + norms)), values)

    def core_form(self, shape: tuple[int, ...], what: str) -> CoreConstraint:
        bounds = float(self.min_value), float(self.max_value), float(self.rate)
        return CoreConstraint("min_max_norm", core_axes(self.axis, shape, what), *bounds)

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }
