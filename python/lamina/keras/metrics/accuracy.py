"""How many predictions are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.config import floatx
from lamina.keras.losses.loss import numbers, same_shape
from lamina.keras.metrics.reduction import MeanMetricWrapper


def accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> npt.NDArray[Any]:
    """1 where y_true == y_pred, else 0; shapes equal, or (n,) with (n, 1)."""
    prediction = numbers("y_pred", y_pred)
    truth, prediction = same_shape(numbers("y_true", y_true).astype(prediction.dtype), prediction)
    return np.asarray(truth == prediction, dtype=floatx())


def binary_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, threshold: float = 0.5) -> npt.NDArray[Any]:
    """1 where y_true == (y_pred > threshold), else 0: a prediction equal to the threshold counts as class 0.

    Args:
        y_true: 0 or 1, shape of y_pred; (n,) goes with (n, 1).
        y_pred: probabilities (n, ...).
        threshold: default 0.5.

    Returns:
        Array of y_pred's shape, dtype floatx.
    """
    truth, prediction = same_shape(numbers("y_true", y_true), numbers("y_pred", y_pred))
    if prediction.dtype.kind != "f":
        prediction = prediction.astype(floatx())
    with np.errstate(invalid="ignore"):
        above = prediction > prediction.dtype.type(threshold)
    return np.asarray(truth == above, dtype=floatx())


def categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> npt.NDArray[Any]:
    """1 where argmax y_true == argmax y_pred over the last axis, else 0; of equal values the first counts.

    Args:
        y_true: one-hot targets (n, ..., k).
        y_pred: probabilities or logits (n, ..., k).

    Returns:
        Array (n, ...) of dtype floatx.
    """
    truth, prediction = numbers("y_true", y_true), numbers("y_pred", y_pred)
    if truth.ndim == 0 or truth.shape[:-1] != prediction.shape[:-1]:
        raise ValueError(
            f"y_true: expected one-hot targets of y_pred's shape {prediction.shape}, got {truth.shape}"
        )
    return np.asarray(_largest(truth) == _largest(prediction), dtype=floatx())


def sparse_categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> npt.NDArray[Any]:
    """1 where y_true == argmax y_pred over the last axis, else 0.

    Args:
        y_true: class numbers (n, ...) or (n, ..., 1).
        y_pred: probabilities or logits (n, ..., k).

    Returns:
        Array (n, ...) of dtype floatx.
    """
    truth, prediction = numbers("y_true", y_true), numbers("y_pred", y_pred)
    if truth.ndim == prediction.ndim and truth.shape[-1:] == (1,):
        truth = truth[..., 0]
    if truth.shape != prediction.shape[:-1]:
        raise ValueError(
            f"y_true: expected class numbers of shape {prediction.shape[:-1]} for y_pred {prediction.shape}, "
            f"got {truth.shape}"
        )
    return np.asarray(truth == _largest(prediction), dtype=floatx())


def _largest(values: npt.NDArray[Any]) -> Any:
    """Where the largest of the last axis stands, the first of equals; NaN is none, as in TensorFlow."""
    if values.dtype.kind == "f" and np.isnan(values).any():
        values = np.where(np.isnan(values), -np.inf, values)
    return values.argmax(axis=-1)


class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal their targets exactly. ("accuracy" in `compile` is one of the other
    three; an instance of this class is itself.)

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "accuracy"
    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: str | None = None) -> None:
        super().__init__(accuracy, name=name, dtype=dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """The share of probabilities on the right side of the threshold; see `binary_accuracy`.

    Args:
        name, dtype: as in `Metric`.
        threshold: in [0, 1], default 0.5.

    Raises:
        ValueError: a threshold that is no number in [0, 1].
    """

    core_kind: str | None = "binary_accuracy"
    _direction = "up"

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5
    ) -> None:
        if not isinstance(threshold, (int, float, np.number)) or not 0.0 <= threshold <= 1.0:
            raise ValueError(f"threshold: expected a number in [0, 1], got {threshold!r}")
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold

    def core_form(self) -> dict[str, Any] | None:
        form = super().core_form()
        return None if form is None else {**form, "threshold": float(self.threshold)}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose largest output is the class that is hot; see `categorical_accuracy`.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "categorical_accuracy"
    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(categorical_accuracy, name=name, dtype=dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose largest output is their class; see `sparse_categorical_accuracy`.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "sparse_categorical_accuracy"
    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)
