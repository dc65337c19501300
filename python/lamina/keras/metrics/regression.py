"""How far predictions are from their targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import as_float, same_shape
from lamina.keras.losses.regression import mean_squared_error
from lamina.keras.metrics.reduction import MeanMetricWrapper


def mean_absolute_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """mean |y_true - y_pred| over the last axis.

    Args:
        y_true, y_pred: arrays (n, ..., k) of one shape; (n,) goes with (n, 1).

    Returns:
        Array (n, ...) of y_pred's dtype (floatx for integers).
    """
    prediction = as_float(y_pred)
    truth, prediction = same_shape(np.asarray(y_true, dtype=prediction.dtype), prediction)
    return np.abs(truth - prediction).mean(axis=-1)


class MeanSquaredError(MeanMetricWrapper):
    """The mean of (y_true - y_pred)^2.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "mean_squared_error"
    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(mean_squared_error, name=name, dtype=dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of |y_true - y_pred|.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "mean_absolute_error"
    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(mean_absolute_error, name=name, dtype=dtype)
