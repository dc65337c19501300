"""The best of one rate where another reaches a value: sensitivity at specificity and its kin."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.metrics.confusion import COUNTS, ConfusionMetric
from lamina.keras.metrics.metric import divided


class _BestUnderConstraint(ConfusionMetric):
    """Base class: over the thresholds at which `_constrained` reaches `value`, the largest `_dependent`."""

    core_kind = "thresholds"
    _direction = "up"
    _constrained: str
    _dependent: str

    def __init__(
        self,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: str | None,
    ) -> None:
        if num_thresholds <= 0:
            raise ValueError(f"num_thresholds: expected an int > 0, got {num_thresholds!r}")
        if value < 0 or value > 1:
            raise ValueError(f"{self._constrained}: expected a number in [0, 1], got {value!r}")
        self.value = value
        self.num_thresholds = num_thresholds
        inner = [(i + 1) * 1.0 / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self.thresholds = [0.5] if num_thresholds == 1 else [0.0, *inner, 1.0]
        super().__init__(self.thresholds, COUNTS, name=name, dtype=dtype, class_id=class_id)
        self._evenly = num_thresholds > 1  # two of them as well
        self._make((len(self.thresholds),))

    def _rate(self, name: str) -> npt.NDArray[Any]:
        above, missing = {
            "sensitivity": ("true_positives", "false_negatives"),
            "recall": ("true_positives", "false_negatives"),
            "specificity": ("true_negatives", "false_positives"),
            "precision": ("true_positives", "false_positives"),
        }[name]
        hits = getattr(self, above).value
        rate: npt.NDArray[Any] = divided(hits, hits + getattr(self, missing).value)
        return rate

    def result(self) -> Any:
        dependent = self._rate(self._dependent)
        feasible = self._rate(self._constrained) >= dependent.dtype.type(self.value)
        return np.where(feasible, dependent, 0).astype(dependent.dtype).max(initial=0)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            self._constrained: self.value,
            "class_id": self.class_id,
        }


class SensitivityAtSpecificity(_BestUnderConstraint):
    """The best sensitivity at a threshold whose specificity is at least the given one.

    Args:
        specificity: in [0, 1].
        num_thresholds: how many thresholds are tried, evenly from 0 to 1. Default 200.
        class_id: only this column of targets and predictions counts.
        name, dtype: as in `Metric`.
    """

    _constrained, _dependent = "specificity", "sensitivity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity


class SpecificityAtSensitivity(_BestUnderConstraint):
    """The best specificity at a threshold whose sensitivity is at least the given one.

    Args:
        sensitivity: in [0, 1].
        num_thresholds: how many thresholds are tried, evenly from 0 to 1. Default 200.
        class_id: only this column of targets and predictions counts.
        name, dtype: as in `Metric`.
    """

    _constrained, _dependent = "sensitivity", "specificity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity


class PrecisionAtRecall(_BestUnderConstraint):
    """The best precision at a threshold whose recall is at least the given one.

    Args:
        recall: in [0, 1].
        num_thresholds: how many thresholds are tried, evenly from 0 to 1. Default 200.
        class_id: only this column of targets and predictions counts.
        name, dtype: as in `Metric`.
    """

    _constrained, _dependent = "recall", "precision"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall


class RecallAtPrecision(_BestUnderConstraint):
    """The best recall at a threshold whose precision is at least the given one.

    Args:
        precision: in [0, 1].
        num_thresholds: how many thresholds are tried, evenly from 0 to 1. Default 200.
        class_id: only this column of targets and predictions counts.
        name, dtype: as in `Metric`.
    """

    _constrained, _dependent = "precision", "recall"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision
