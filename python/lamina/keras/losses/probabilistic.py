"""Losses between distributions: Kullback-Leibler, Poisson, and the cross-entropy generalized."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import Array, as_float, numbers
from lamina.keras.losses.regression import EPSILON, fitted
from lamina.keras.losses.wrapper import LossFunctionWrapper


def kl_divergence(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """sum t log(t / p) over the last axis, t and p the targets and predictions clipped to [1e-7, 1].

    Args:
        y_true, y_pred: distributions (n, ..., k) of one shape.

    Returns:
        Array (n, ...) of y_pred's dtype.
    """
    truth, prediction = (np.clip(values, EPSILON, 1) for values in fitted(y_true, y_pred))
    return (truth * np.log(truth / prediction)).sum(axis=-1)


def poisson(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """mean(y_pred - y_true log(y_pred + 1e-7)) over the last axis: minus the log-likelihood of counts y_true
    at rates y_pred, but for a term of y_true alone.

    Args:
        y_true, y_pred: arrays (n, ..., k) of one shape.

    Returns:
        Array (n, ...) of y_pred's dtype.
    """
    truth, prediction = fitted(y_true, y_pred)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (prediction - truth * np.log(prediction + truth.dtype.type(EPSILON))).mean(axis=-1)


def categorical_generalized_cross_entropy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, q: float) -> Any:
    """(1 - p^q) / q, p the probability of the right class: between the cross-entropy (q to 0) and the mean
    absolute error (q = 1), the less moved by wrong labels the larger q is.

    Args:
        y_true: class numbers (n, ...).
        y_pred: probabilities (n, ..., k).
        q: in (0, 1).

    Returns:
        Array (n, ...) of y_pred's dtype.
    """
    prediction = as_float(y_pred)
    labels = numbers("y_true", y_true).astype(np.int64)
    if labels.ndim == prediction.ndim and labels.shape[-1:] == (1,):
        labels = labels[..., 0]
    if labels.shape != prediction.shape[:-1]:
        raise ValueError(
            f"y_true: expected class numbers of shape {prediction.shape[:-1]} for y_pred "
            f"{prediction.shape}, got {labels.shape}"
        )
    hot = (np.arange(prediction.shape[-1]) == labels[..., None]).astype(prediction.dtype)
    with np.errstate(invalid="ignore"):
        p: Array = (prediction * hot).sum(axis=-1)
        return (1 - np.power(p, p.dtype.type(q))) / p.dtype.type(q)


class KLDivergence(LossFunctionWrapper):
    """The Kullback-Leibler divergence; see `kl_divergence`.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "kl_divergence"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: str | None = None,
    ) -> None:
        super().__init__(kl_divergence, reduction=reduction, name=name, dtype=dtype)


class Poisson(LossFunctionWrapper):
    """The Poisson loss; see `poisson`.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "poisson"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: str | None = None,
    ) -> None:
        super().__init__(poisson, reduction=reduction, name=name, dtype=dtype)


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """The generalized cross-entropy; see `categorical_generalized_cross_entropy`.

    Args:
        q: in (0, 1). Default 0.5.
        reduction, name, dtype: as in `Loss`.

    Raises:
        ValueError: q is not in (0, 1).
    """

    core_kind = "categorical_generalized_cross_entropy"

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: str | None = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError(f"q: expected a number in (0, 1), got {q!r}")
        super().__init__(
            categorical_generalized_cross_entropy, reduction=reduction, name=name, dtype=dtype, q=q
        )
        self.q = q

    def core_options(self) -> dict[str, Any]:
        return {"alpha": float(self.q)}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "q": self.q}
