"""R2: how much of the targets' variance the predictions explain."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import match_ranks, numbers
from lamina.keras.metrics.metric import Metric

_SUMS = ("sum", "squared_sum", "total_mse", "count")


class R2Score(Metric):
    """1 - sum w (t - p)^2 / sum w (t - mean t)^2, for every output.

    Args:
        class_aggregation: "uniform_average" (default) gives the mean of the outputs' scores,
            "variance_weighted_average" that weighted by the targets' variances, None all of them.
        num_regressors: how many regressors there were, for the adjusted score
            1 - (1 - R2)(n - 1) / (n - num_regressors - 1); default 0, the plain one.
        name, dtype: as in `Metric`.

    Raises:
        ValueError: an argument is wrong; the message names it.
    """

    core_kind: str | None = "moments"
    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(f"class_aggregation: expected one of {known}, got {class_aggregation!r}")
        if num_regressors < 0:
            raise ValueError(f"num_regressors: expected an int >= 0, got {num_regressors!r}")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples: Any = self.add_variable((), "zeros", name="num_samples")

    def _make(self, outputs: int) -> None:
        names = {"total_mse": "residual"}
        for name in ("squared_sum", "sum", "total_mse", "count"):
            setattr(self, name, self.add_variable((outputs,), "zeros", name=names.get(name, name)))

    def update_state(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Add a batch of targets and predictions (n, outputs), with one weight per sample (n,)."""
        truth, prediction = match_ranks(
            numbers("y_true", y_true, self.dtype), numbers("y_pred", y_pred, self.dtype)
        )
        if truth.ndim != 2 or truth.shape != prediction.shape:
            raise ValueError(
                f"y_true, y_pred: expected the shape (n, outputs), got {truth.shape} and {prediction.shape}"
            )
        if len(self._variables) == 1:
            self._make(truth.shape[1])
        weights = np.asarray(1 if sample_weight is None else sample_weight, dtype=self.dtype)
        weights = np.broadcast_to(weights[:, None] if weights.ndim == 1 else weights, truth.shape)
        weighted = truth * weights
        parts = (weighted, truth * weighted, np.square(truth - prediction) * weights, weights)
        for name, part in zip(_SUMS, parts, strict=True):
            getattr(self, name).assign_add(part.sum(axis=0))
        self.num_samples.assign_add(truth.size)

    def result(self) -> Any:
        if len(self._variables) == 1:
            return self._scalar(0)
        total, squares, residual, count = (getattr(self, name).value for name in _SUMS)
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = squares - total * (total / count)
            scores = 1 - residual / variance
            scores = np.where(np.isinf(scores), scores.dtype.type(0), scores)
            score: Any = scores
            if self.class_aggregation == "uniform_average":
                score = scores.mean()
            elif self.class_aggregation == "variance_weighted_average":
                score = (variance * scores).sum() / variance.sum()
        return score if self.num_regressors == 0 else self._adjusted(score)

    def _adjusted(self, score: Any) -> Any:
        n, p = self.num_samples, self.num_regressors
        if p >= n - 1:
            warnings.warn(
                f"num_regressors: expected fewer than samples - 1, got {p} for {int(n)} samples; "
                "the score is the plain one",
                stacklevel=4,
            )
            return score
        kind = np.float32
        return kind(1) - (kind(1) - score) * (kind(n) - kind(1)) / (kind(n) - kind(p) - kind(1))

    def core_form(self) -> dict[str, Any] | None:
        return None if self.core_kind is None else {"tally": "moments"}

    def hold(self, values: Sequence[float], rows: int) -> None:
        state = np.asarray(values, dtype=np.float64)
        sums = state[:-1].reshape(4, -1)
        if len(self._variables) == 1:
            self._make(sums.shape[1])
        for name, part in zip(_SUMS, sums, strict=True):
            getattr(self, name).assign(part)
        self.num_samples.assign(state[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
