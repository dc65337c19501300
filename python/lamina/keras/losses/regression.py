"""How far predictions are from their targets: errors, their logarithms and angles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.config import epsilon
from lamina.keras.losses.loss import Array, as_float, numbers, same_shape
from lamina.keras.losses.wrapper import LossFunctionWrapper

EPSILON = epsilon()


def fitted(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> tuple[Array, Array]:
    """Both as floats of y_pred's dtype and of one shape; (n,) goes with (n, 1)."""
    prediction = as_float(y_pred)
    return same_shape(numbers("y_true", y_true, prediction.dtype), prediction)


def mean_squared_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """mean((y_true - y_pred)^2) over the last axis.

    Args:
        y_true, y_pred: arrays (n, ..., k) of one shape; (n,) goes with (n, 1).

    Returns:
        Array (n, ...) of y_pred's dtype (floatx for integers).
    """
    truth, prediction = fitted(y_true, y_pred)
    return np.square(truth - prediction).mean(axis=-1)


def mean_absolute_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """mean |y_true - y_pred| over the last axis; arguments and result as in `mean_squared_error`."""
    truth, prediction = fitted(y_true, y_pred)
    return np.abs(truth - prediction).mean(axis=-1)


def mean_absolute_percentage_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """100 mean |(y_true - y_pred) / max(|y_true|, 1e-7)| over the last axis; arguments and result as in
    `mean_squared_error`.
    """
    truth, prediction = fitted(y_true, y_pred)
    with np.errstate(invalid="ignore", over="ignore"):
        share = np.abs((truth - prediction) / np.maximum(np.abs(truth), truth.dtype.type(EPSILON)))
    return truth.dtype.type(100) * share.mean(axis=-1)


def mean_squared_logarithmic_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """mean (log(1 + y_true) - log(1 + y_pred))^2 over the last axis, both at least 1e-7; arguments and result
    as in `mean_squared_error`.
    """
    truth, prediction = fitted(y_true, y_pred)
    low, one = truth.dtype.type(EPSILON), truth.dtype.type(1)
    logs = [np.log(np.maximum(values, low) + one) for values in (prediction, truth)]
    with np.errstate(invalid="ignore"):
        return np.square(logs[0] - logs[1]).mean(axis=-1)


def cosine_similarity(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, axis: int = -1) -> Any:
    """-sum(a b) over `axis`, a and b the arrays divided by their lengths along it (by 1e-7 where shorter):
    from -1, one direction, to 1, opposite ones.

    Args:
        y_true, y_pred: arrays of one shape.
        axis: default the last.

    Returns:
        Array of y_pred's dtype, without that axis.
    """
    truth, prediction = fitted(y_true, y_pred)
    return -(normalized(truth, axis) * normalized(prediction, axis)).sum(axis=axis)


def normalized(values: Array, axis: int) -> Array:
    """Divided by their length along the axis; by 1e-7 where that is less."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inverse = values.dtype.type(1) / np.sqrt(np.square(values).sum(axis=axis, keepdims=True))
        unit: Array = values * np.minimum(inverse, values.dtype.type(1.0 / EPSILON))
    return unit


def huber(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, delta: float = 1.0) -> Any:
    """With d = y_pred - y_true, the mean over the last axis of d^2 / 2 where |d| <= delta, else of
    delta |d| - delta^2 / 2.

    Args:
        y_true, y_pred: as in `mean_squared_error`.
        delta: where the parabola becomes a line. Default 1.

    Returns:
        As `mean_squared_error`.
    """
    truth, prediction = fitted(y_true, y_pred)
    kind = prediction.dtype.type
    d = prediction - truth
    size, half, bend = np.abs(d), kind(0.5), kind(delta)
    with np.errstate(over="ignore"):
        return np.where(size <= bend, half * np.square(d), bend * size - half * np.square(bend)).mean(axis=-1)


def log_cosh(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """mean log(cosh(y_pred - y_true)) over the last axis, as d + softplus(-2 d) - log 2; arguments and result
    as in `mean_squared_error`.
    """
    truth, prediction = fitted(y_true, y_pred)
    d = prediction - truth
    # Keras has log 2 as a float32 also among float64.
    with np.errstate(under="ignore", invalid="ignore"):
        tail = np.log1p(np.exp(-2 * np.abs(d)))
        return (d + (np.maximum(-2 * d, 0) + tail) - d.dtype.type(np.float32(np.log(2.0)))).mean(axis=-1)


class MeanSquaredError(LossFunctionWrapper):
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
        super().__init__(mean_squared_error, reduction=reduction, name=name, dtype=dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """The mean absolute error; see `mean_absolute_error`.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "mean_absolute_error"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction=reduction, name=name, dtype=dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean absolute error in percent of the target; see `mean_absolute_percentage_error`.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "mean_absolute_percentage_error"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction=reduction, name=name, dtype=dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean squared difference of logarithms; see `mean_squared_logarithmic_error`.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "mean_squared_logarithmic_error"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction=reduction, name=name, dtype=dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between targets and predictions; see `cosine_similarity`.

    Args:
        axis: an axis of the output, several, or None for all, numbered with the batch's as 0. Default the
            last. Along the batch's there are no sample weights.
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "cosine_similarity"

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: str | None = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction=reduction, name=name, dtype=dtype, axis=axis)
        self.axis = axis


class Huber(LossFunctionWrapper):
    """A parabola near 0, a line beyond delta; see `huber`.

    Args:
        delta: default 1.
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "huber"

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(huber, reduction=reduction, name=name, dtype=dtype, delta=delta)

    def core_options(self) -> dict[str, Any]:
        return {"delta": float(self._fn_kwargs["delta"])}


class LogCosh(LossFunctionWrapper):
    """The logarithm of the error's hyperbolic cosine; see `log_cosh`.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "log_cosh"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: str | None = None,
    ) -> None:
        super().__init__(log_cosh, reduction=reduction, name=name, dtype=dtype)
