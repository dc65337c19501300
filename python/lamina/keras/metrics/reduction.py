"""Mean, and the metrics that are means of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import match_ranks
from lamina.keras.metrics.metric import Metric


class Mean(Metric):
    """The weighted mean: sum(w v) / sum(w), 0 before the first batch.

    Args:
        name, dtype: as in `Metric`.
    """

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype=dtype, name=name)
        self.total: Any = self._scalar(0)
        self.count: Any = self._scalar(0)

    def update_state(self, values: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> None:
        """Add a batch.

        Args:
            values: (n, ...); what a sample has of them is meaned first. A scalar counts as one sample.
            sample_weight: (n,), or any shape that `values` can be meaned to or that broadcasts to it.
        """
        batch: Any = np.asarray(values, dtype=self.dtype)
        count: Any = batch.shape[0] if batch.ndim else 1
        if sample_weight is not None:
            weight: Any = np.asarray(sample_weight, dtype=self.dtype)
            batch, weight = match_ranks(batch, weight)
            if batch.ndim > weight.ndim:
                batch = batch.mean(axis=tuple(range(weight.ndim, batch.ndim)))
            try:
                weight = np.broadcast_to(weight, batch.shape)
            except ValueError:
                raise ValueError(
                    f"sample_weight: expected a shape that broadcasts to {batch.shape}, got {weight.shape}"
                ) from None
            batch = batch * weight
            count = weight.mean(axis=tuple(range(1, weight.ndim))).sum()
        if batch.ndim > 1:
            batch = batch.mean(axis=tuple(range(1, batch.ndim)))
        self.total = self._scalar(self.total + batch.sum())
        self.count = self._scalar(self.count + self._scalar(count))

    def hold(self, mean: float, count: int) -> None:
        """Take over a mean of `count` samples that was computed elsewhere, instead of what was there."""
        with np.errstate(over="ignore"):
            self.total = self._scalar(mean * count)
        self.count = self._scalar(count)

    def result(self) -> Any:
        return self.total / self.count if self.count else self._scalar(0)

    def reset_state(self) -> None:
        self.total = self._scalar(0)
        self.count = self._scalar(0)


class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`, which gives one value per sample.

    Args:
        fn: the function.
        name, dtype: as in `Metric`.
        **kwargs: passed on to fn.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(  # type: ignore[override]  # as in Keras: a wrapped function takes two arrays
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Add a batch of targets (n, ...) and predictions (n, ...), with one weight per sample (n,)."""
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight=sample_weight)
