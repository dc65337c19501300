"""How many classes are among the k most likely ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.config import floatx
from lamina.keras.losses.loss import numbers
from lamina.keras.metrics.reduction import MeanMetricWrapper


def top_k_categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, k: int = 5) -> npt.NDArray[Any]:
    """1 where argmax y_true is among the k largest of y_pred, else 0; equals of the k-th largest count.

    Args:
        y_true: one-hot targets (n, ..., c).
        y_pred: probabilities or logits (n, ..., c).
        k: default 5.

    Returns:
        Array (n, ...) of dtype floatx; 0 where y_pred is not finite.
    """
    truth, prediction = numbers("y_true", y_true), numbers("y_pred", y_pred)
    if truth.ndim == 0 or truth.shape[:-1] != prediction.shape[:-1]:
        raise ValueError(f"y_true: expected the rows of y_pred, {prediction.shape}, got {truth.shape}")
    return _among_best(truth.argmax(axis=-1), prediction, k)


def sparse_top_k_categorical_accuracy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> npt.NDArray[Any]:
    """1 where y_true is among the k largest of y_pred, else 0; equals of the k-th largest count.

    Args:
        y_true: class numbers (n, ...).
        y_pred: probabilities or logits (n, ..., c); or, best first, class numbers.
        k: default 5.
        from_sorted_ids: whether y_pred are class numbers. Default False.

    Returns:
        Array of y_true's shape and dtype floatx; 0 where y_pred is not finite.
    """
    prediction, labels = numbers("y_pred", y_pred), numbers("y_true", y_true)
    if prediction.ndim == 0 or labels.size != prediction[..., 0].size:
        raise ValueError(
            f"y_true: expected a class number for each row of y_pred, {prediction.shape}, got {labels.shape}"
        )
    if from_sorted_ids:
        rows = prediction.reshape(-1, prediction.shape[-1])[:, :k]
        found = (labels.reshape(-1, 1) == rows).any(axis=1)
        return np.asarray(found, dtype=floatx()).reshape(labels.shape)
    return _among_best(labels.astype(np.int64), prediction, k)


def _among_best(labels: npt.NDArray[Any], prediction: npt.NDArray[Any], k: int) -> npt.NDArray[Any]:
    rows = prediction.reshape(-1, prediction.shape[-1])
    flat = labels.reshape(-1)
    inside = (flat >= 0) & (flat < rows.shape[1])
    own = np.take_along_axis(rows, np.where(inside, flat, 0)[:, None], axis=1)
    with np.errstate(invalid="ignore"):
        larger = (rows > own).sum(axis=1)
    # As TensorFlow, which looks no further after the k-th larger value.
    finite = np.isfinite(rows) | (np.cumsum(rows > own, axis=1) > k)
    found = inside & np.isfinite(own[:, 0]) & finite.all(axis=1) & (larger < k)
    return np.asarray(found, dtype=floatx()).reshape(labels.shape)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of samples whose class is among the k largest outputs; see `top_k_categorical_accuracy`.

    Args:
        k: default 5.
        name, dtype: as in `Metric`.
    """

    core_kind = "top_k_categorical_accuracy"
    _direction = "up"

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=k)
        self.k = k

    def core_form(self) -> dict[str, Any] | None:
        form = super().core_form()
        return None if form is None else {**form, "k": int(self.k)}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "k": self.k}


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The same for class numbers; see `sparse_top_k_categorical_accuracy`.

    Args:
        k: default 5.
        name, dtype: as in `Metric`.
        from_sorted_ids: as there. Default False.
    """

    core_kind = "sparse_top_k_categorical_accuracy"
    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name=name, dtype=dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids

    def core_form(self) -> dict[str, Any] | None:
        form = super().core_form()
        return None if form is None or self.from_sorted_ids else {**form, "k": int(self.k)}

    def get_config(self) -> dict[str, Any]:
        sorted_ids = {"from_sorted_ids": True} if self.from_sorted_ids else {}
        return {**super().get_config(), "k": self.k, **sorted_ids}
