"""The mean squared error."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import Array, Loss, as_float, same_shape


def mean_squared_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """mean((y_true - y_pred)^2) over the last axis.

    Args:
        y_true, y_pred: arrays (n, ..., k) of one shape; (n,) goes with (n, 1).

    Returns:
        Array (n, ...) of y_pred's dtype (floatx for integers).
    """
    prediction = as_float(y_pred)
    truth, prediction = same_shape(np.asarray(y_true, dtype=prediction.dtype), prediction)
    return np.square(truth - prediction).mean(axis=-1)


class MeanSquaredError(Loss):
    """The mean squared error, mean((y_true - y_pred)^2) over the last axis, then reduced over the batch.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "mean_squared_error"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Array, y_pred: Array) -> Any:
        return mean_squared_error(y_true, y_pred)
