"""How far predictions are from their targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import numbers, same_shape
from lamina.keras.losses.regression import (
    fitted,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    normalized,
)
from lamina.keras.metrics.reduction import Mean, MeanLoss, MeanMetricWrapper


def cosine_similarity(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, axis: int = -1) -> Any:
    """sum(a b) over `axis`, a and b the arrays divided by their lengths along it: minus the loss."""
    truth, prediction = fitted(y_true, y_pred)
    return (normalized(truth, axis) * normalized(prediction, axis)).sum(axis=axis)


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


class MeanAbsolutePercentageError(MeanLoss):
    """The mean of 100 |y_true - y_pred| / |y_true|.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "mean_absolute_percentage_error"
    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: str | None = None) -> None:
        super().__init__(mean_absolute_percentage_error, name=name, dtype=dtype)


class MeanSquaredLogarithmicError(MeanLoss):
    """The mean of (log(1 + y_true) - log(1 + y_pred))^2.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "mean_squared_logarithmic_error"
    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: str | None = None) -> None:
        super().__init__(mean_squared_logarithmic_error, name=name, dtype=dtype)


class LogCoshError(MeanLoss):
    """The mean of log(cosh(y_pred - y_true)).

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "log_cosh"
    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: str | None = None) -> None:
        super().__init__(log_cosh, name=name, dtype=dtype)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions.

    Args:
        name, dtype: as in `Metric`.
        axis: along which their lengths are taken; default the last.
    """

    core_kind = "cosine_similarity"
    _direction = "up"

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: str | None = None, axis: int = -1
    ) -> None:
        super().__init__(cosine_similarity, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    def core_form(self) -> dict[str, Any] | None:
        return {"loss": {"kind": "cosine_similarity"}} if self.core_kind else None

    def hold(self, values: Sequence[float], rows: int) -> None:
        super().hold([-values[0], *values[1:]], rows)  # the core has the loss

    def core_result(self, values: Sequence[float]) -> Any:
        return -values[0]


class RootMeanSquaredError(Mean):
    """The square root of the mean of (y_true - y_pred)^2 over all samples.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "mean_squared_error"
    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(  # type: ignore[override]  # as in Keras
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Add a batch of targets and predictions of one shape, with one weight per sample (n,)."""
        truth, prediction = same_shape(
            numbers("y_true", y_true, self.dtype), numbers("y_pred", y_pred, self.dtype)
        )
        with np.errstate(invalid="ignore", over="ignore"):
            squares = np.square(prediction - truth)
        super().update_state(squares, sample_weight=sample_weight)

    def core_result(self, values: Sequence[float]) -> Any:
        with np.errstate(invalid="ignore"):
            return float(np.sqrt(values[0]))

    def result(self) -> Any:
        with np.errstate(invalid="ignore"):
            return np.sqrt(super().result())
