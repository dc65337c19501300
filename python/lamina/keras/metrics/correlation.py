"""How targets and predictions vary together, along an axis of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.regression import EPSILON, fitted
from lamina.keras.metrics.reduction import MeanMetricWrapper


def pearson_correlation(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, axis: int = -1) -> Any:
    """cov(t, p) / (std t std p) along `axis`.

    Args:
        y_true, y_pred: arrays (n, ..., k) of one shape.
        axis: default the last.

    Returns:
        Array of y_pred's dtype, without that axis; NaN where one of the two is constant.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = []
        for values in fitted(y_true, y_pred):
            centred = values - values.mean(axis=axis, keepdims=True)
            scaled.append(centred / centred.std(axis=axis, keepdims=True))
        return (scaled[0] * scaled[1]).mean(axis=axis)


def concordance_correlation(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, axis: int = -1) -> Any:
    """mean 2 (t - mean p)(p - mean p) / (var t + var p + (mean t - mean p)^2 + 1e-7) along `axis`: Lin's
    concordance correlation.

    Args:
        y_true, y_pred, axis: as in `pearson_correlation`.

    Returns:
        Array of y_pred's dtype, without that axis.
    """
    truth, prediction = fitted(y_true, y_pred)
    mean_t, mean_p = (values.mean(axis=axis, keepdims=True) for values in (truth, prediction))
    var_t = (truth - mean_t).var(axis=axis, keepdims=True)
    var_p = (prediction - mean_p).var(axis=axis, keepdims=True)
    norm = var_t + var_p + np.square(mean_t - mean_p) + prediction.dtype.type(EPSILON)
    return (2 * ((truth - mean_p) * (prediction - mean_p)) / norm).mean(axis=axis)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of the samples' Pearson correlations; see `pearson_correlation`.

    Args:
        name, dtype: as in `Metric`.
        axis: default the last.
    """

    core_kind = "pearson_correlation"
    _direction = "up"

    def __init__(
        self, name: str | None = "pearson_correlation", dtype: str | None = None, axis: int = -1
    ) -> None:
        super().__init__(pearson_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of the samples' concordance correlations; see `concordance_correlation`.

    Args:
        name, dtype: as in `Metric`.
        axis: default the last.
    """

    core_kind = "concordance_correlation"
    _direction = "up"

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: str | None = None, axis: int = -1
    ) -> None:
        super().__init__(concordance_correlation, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}
