"""F-scores: precision and recall in one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import numbers
from lamina.keras.losses.regression import EPSILON
from lamina.keras.metrics.metric import Metric

_SUMS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class FBetaScore(Metric):
    """(1 + beta^2) P R / (beta^2 P + R) of precision P and recall R, for every class.

    Args:
        average: None (default) gives one value per class, "macro" their mean, "weighted" their mean weighted
            by the classes' targets, "micro" the score of all classes counted together.
        beta: a float > 0, how much more recall counts than precision. Default 1.0.
        threshold: a float in (0, 1] above which a prediction is positive; default None: the largest of a row
            is.
        name, dtype: as in `Metric`.

    Raises:
        ValueError: an argument is wrong; the message names it.
    """

    core_kind: str | None = "classes"
    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"average: expected None, 'micro', 'macro' or 'weighted', got {average!r}")
        if not isinstance(beta, float) or not beta > 0.0:
            raise ValueError(f"beta: expected a float > 0, got {beta!r}")
        if threshold is not None and (not isinstance(threshold, float) or not 0.0 < threshold <= 1.0):
            raise ValueError(f"threshold: expected a float in (0, 1], got {threshold!r}")
        self.average = average
        self.beta = beta
        self.threshold = threshold

    def _make(self, classes: int) -> None:
        for name in _SUMS:
            shape = () if self.average == "micro" else (classes,)
            setattr(self, name, self.add_variable(shape, "zeros", dtype=self.dtype, name=name))

    def update_state(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Add a batch.

        Args:
            y_true: 0 or 1, (n, classes).
            y_pred: predictions (n, classes).
            sample_weight: (n,).
        """
        truth, prediction = numbers("y_true", y_true, self.dtype), numbers("y_pred", y_pred, self.dtype)
        if truth.ndim != 2 or truth.shape != prediction.shape:
            raise ValueError(
                f"y_true, y_pred: expected the shape (n, classes), got {truth.shape} and {prediction.shape}"
            )
        if not self._variables:
            self._make(prediction.shape[1])
        with np.errstate(invalid="ignore"):
            if self.threshold is None:
                largest = prediction.max(axis=-1, keepdims=True)
                hits = (prediction >= largest) & (np.abs(prediction) > 1e-9)
            else:
                hits = prediction > prediction.dtype.type(self.threshold)
        hits = hits.astype(self.dtype)
        weights: Any = 1 if sample_weight is None else np.asarray(sample_weight, dtype=self.dtype)[:, None]
        parts = (hits * truth, hits * (1 - truth), (1 - hits) * truth, truth)
        self._add([(part * weights).sum(axis=0) for part in parts])

    def _add(self, sums: Sequence[npt.NDArray[Any]]) -> None:
        for name, part in zip(_SUMS, sums, strict=True):
            getattr(self, name).assign_add(part.sum() if self.average == "micro" else part)

    def result(self) -> Any:
        if not self._variables:
            return self._scalar(0)
        hits, wrong, missed, weights = (getattr(self, name).value for name in _SUMS)
        kind = hits.dtype.type
        eps, square = kind(EPSILON), kind(self.beta**2)
        precision, recall = hits / (hits + wrong + eps), hits / (hits + missed + eps)
        score = precision * recall / (square * precision + recall + eps) * (1 + square)
        if self.average == "weighted":
            return (score * (weights / (weights.sum() + eps))).sum()
        return score if self.average is None else kind(score.mean())

    def core_form(self) -> dict[str, Any] | None:
        if self.core_kind is None:
            return None
        return {"tally": "classes", "thresholds": [] if self.threshold is None else [self.threshold]}

    def hold(self, values: Sequence[float], rows: int) -> None:
        sums = np.asarray(values, dtype=np.float64).reshape(4, -1)
        if not self._variables:
            self._make(sums.shape[1])
        self.reset_state()
        self._add(list(sums))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, 2 P R / (P + R): `FBetaScore` with beta 1.

    Args:
        average, threshold, name, dtype: as in `FBetaScore`.
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "beta"}
