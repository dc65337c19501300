"""The area under a curve of rates over all thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.regression import EPSILON
from lamina.keras.metrics.confusion import COUNTS, ConfusionMetric, evenly_spaced
from lamina.keras.metrics.metric import divided

_CURVES = {"roc": "ROC", "ROC": "ROC", "pr": "PR", "PR": "PR", "prgain": "PRGAIN", "PRGAIN": "PRGAIN"}
_SUMMATIONS = {
    name: name.lower() for key in ("interpolation", "majoring", "minoring") for name in (key, key.title())
}


class AUC(ConfusionMetric):
    """The area under the receiver operating characteristic (recall over false positive rate), the
    precision-recall curve, or that of their gains.

    Args:
        num_thresholds: how many points the curve has, thresholds from 0 to 1. Default 200.
        curve: "ROC" (default), "PR" or "PRGAIN".
        summation_method: "interpolation" (default: the trapezoidal rule, for PR that of Davis and Goadrich),
            "minoring" or "majoring", a bound from below or above.
        name, dtype: as in `Metric`.
        thresholds: instead of num_thresholds, those between 0 and 1.
        multi_label: whether every column is a problem of its own, whose areas are meaned. Default False: all
            predictions are one.
        num_labels: the number of columns, with multi_label; default that of the first batch.
        label_weights: the weight of each column.
        from_logits: whether predictions are logits; their sigmoid is taken then.

    Raises:
        ValueError: an argument is wrong; the message names it.
    """

    core_kind = "thresholds"
    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        if curve not in _CURVES:
            raise ValueError(f"curve: expected 'ROC', 'PR' or 'PRGAIN', got {curve!r}")
        if summation_method not in _SUMMATIONS:
            raise ValueError(
                "summation_method: expected 'interpolation', 'majoring' or 'minoring', "
                f"got {summation_method!r}"
            )
        if num_labels and not multi_label:
            raise ValueError(f"num_labels: expected None without multi_label, got {num_labels!r}")
        self._given = thresholds is not None
        if thresholds is not None:
            inner = sorted(thresholds)
            even = evenly_spaced([0.0, *inner, 1.0])
        else:
            if num_thresholds <= 1:
                raise ValueError(f"num_thresholds: expected an int > 1, got {num_thresholds!r}")
            inner = [(i + 1) * 1.0 / (num_thresholds - 1) for i in range(num_thresholds - 2)]
            even = True
        # One below 0 and one above 1, so that 0 lies above one and 1 below another.
        levels = [0.0 - EPSILON, *inner, 1.0 + EPSILON]
        super().__init__(levels, COUNTS, name=name, dtype=dtype)
        self._evenly = even
        self.num_thresholds = len(levels)
        self.curve = _CURVES[curve]
        self.summation_method = _SUMMATIONS[summation_method]
        self.multi_label = self._by_label = multi_label
        self.num_labels = num_labels
        self.label_weights = self._label_weights = (
            None if label_weights is None else np.asarray(label_weights, dtype=self.dtype)
        )
        self._from_logits = from_logits
        if not multi_label:
            self._make((self.num_thresholds,))
        elif num_labels:
            self._make((self.num_thresholds, num_labels))

    @property
    def thresholds(self) -> list[float]:
        """All of them, the one below 0 and the one above 1 included."""
        return list(self._levels)

    def update_state(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Add a batch; see `ConfusionMetric.update_state`. With multi_label y_pred is (n, labels)."""
        if self.multi_label:
            shape = np.shape(y_pred)
            if len(shape) != 2:
                raise ValueError(f"y_pred: expected the shape (n, labels) with multi_label, got {shape}")
            if not self._variables:
                self._make((self.num_thresholds, shape[1]))
        super().update_state(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        if not self._variables:
            return self._scalar(0)
        tp, fp, tn, fn = (getattr(self, name).value for name in COUNTS)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated(tp, fp, fn)
        else:
            x, y = self._curve(tp, fp, tn, fn)
            left, right = y[:-1], y[1:]
            heights = {
                "interpolation": (left + right) / 2,
                "minoring": np.minimum(left, right),
                "majoring": np.maximum(left, right),
            }[self.summation_method]
            areas = ((x[:-1] - x[1:]) * heights).sum(axis=0)
        if not self.multi_label:
            return self._scalar(areas)
        if self.label_weights is None:
            return self._scalar(areas.mean())
        return self._scalar(divided((areas * self.label_weights).sum(), self.label_weights.sum()))

    def _curve(
        self, tp: npt.NDArray[Any], fp: npt.NDArray[Any], tn: npt.NDArray[Any], fn: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        if self.curve == "ROC":
            return divided(fp, fp + tn), divided(tp, tp + fn)
        if self.curve == "PR":
            return divided(tp, tp + fn), divided(tp, tp + fp)
        scale = divided(tp + fn, tn + fp)
        recall = np.where(tp == 0, 0, 1 - scale * divided(fn, tp))
        precision = np.where(tp == 0, 1, 1 - scale * divided(fp, tp))
        return np.maximum(recall, 0), precision

    def get_config(self) -> dict[str, Any]:
        given = {"thresholds": self.thresholds[1:-1]} if self._given else {}
        return {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self._from_logits,
            **given,
        }


def _interpolated(tp: npt.NDArray[Any], fp: npt.NDArray[Any], fn: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The area under the precision-recall curve whose counts are interpolated, not its rates (Davis and
    Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006).
    """
    p = tp + fp
    dtp, dp = tp[:-1] - tp[1:], p[:-1] - p[1:]
    slope = divided(dtp, np.maximum(dp, 0))
    intercept = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    ratio = np.where(both, divided(p[:-1], np.maximum(p[1:], 0)), 1).astype(p.dtype)
    parts = divided(slope * (dtp + intercept * np.log(ratio)), np.maximum(tp[1:] + fn[1:], 0))
    total: npt.NDArray[Any] = parts.sum(axis=0)
    return total
