"""Counts of true and false positives and negatives over thresholds, and how the metrics of them hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import match_ranks, numbers
from lamina.keras.losses.regression import EPSILON
from lamina.keras.metrics.metric import Metric
from lamina.keras.metrics.variable import Variable

NEVER = -1e10  # what lies below every threshold
COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def checked_thresholds(thresholds: Any, default: float) -> list[float]:
    """A list of thresholds in [0, 1] from one or several; the default alone for None.

    Raises:
        ValueError: one that is no number in [0, 1].
    """
    if thresholds is None:
        return [default]
    listed = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    wrong = [value for value in listed if value is None or value < 0 or value > 1]
    if wrong:
        raise ValueError(f"thresholds: expected numbers in [0, 1], got {wrong}")
    return listed


def evenly_spaced(thresholds: Sequence[float]) -> bool:
    """Whether they are 0, 1/(n-1), ..., 1, for n of at least 3."""
    n = len(thresholds)
    even = np.arange(n, dtype=np.float32) / (n - 1) if n > 2 else None
    return even is not None and np.allclose(thresholds, even, atol=EPSILON)


class ConfusionMetric(Metric):
    """Base class of the metrics that count over thresholds.

    Args:
        thresholds: above which a prediction is positive.
        counts: which of `COUNTS` it keeps, each a variable of one number per threshold.
        top_k, class_id, from_logits, label_weights, multi_label: see Precision and AUC.
        name, dtype: as in `Metric`.
    """

    core_kind: str | None = "thresholds"

    def __init__(
        self,
        thresholds: Sequence[float],
        counts: Sequence[str],
        name: str | None = None,
        dtype: str | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._levels = list(thresholds)
        self._evenly = evenly_spaced(self._levels)
        self._counts = tuple(counts)
        self.top_k = top_k
        self.class_id = class_id
        self._by_label = False
        self._from_logits = False
        self._label_weights: Any = None

    def _make(self, shape: tuple[int, ...]) -> None:
        for name in self._counts:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def update_state(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Add a batch.

        Args:
            y_true: targets, 0 or not, shape of y_pred.
            y_pred: predictions (n, ...) in [0, 1].
            sample_weight: one per sample (n,), or broadcasting to y_pred.
        """
        prediction = numbers("y_pred", y_pred, self.dtype)
        if self._from_logits:
            with np.errstate(over="ignore"):
                prediction = 1 / (1 + np.exp(-prediction))
        prediction, truth = match_ranks(prediction, numbers("y_true", y_true, self.dtype))
        if truth.shape != prediction.shape:
            raise ValueError(f"y_true: expected the shape of y_pred, {prediction.shape}, got {truth.shape}")
        weights = _spread(sample_weight, prediction)
        if self._label_weights is not None and not self._by_label:
            weights = weights * np.asarray(self._label_weights, dtype=self.dtype)
        if self.top_k is not None:
            prediction = np.where(_among_largest(prediction, self.top_k), prediction, NEVER)
        if self.class_id is not None:
            if prediction.ndim == 1:
                raise ValueError(
                    f"class_id: expected y_pred of shape (samples, classes), got {prediction.shape}"
                )
            only = slice(self.class_id, self.class_id + 1 or None)
            prediction, truth, weights = prediction[..., only], truth[..., only], weights[..., only]
        labels = prediction.shape[1] if self._by_label else 1
        flat = prediction.astype(self.dtype).reshape(-1, labels)
        weights = weights.reshape(-1, labels)
        positive = truth.reshape(-1, labels) != 0
        above = [self._above(flat, np.where(rows, weights, 0)) for rows in (positive, ~positive)]
        totals = [np.where(rows, weights, 0).sum(axis=0) for rows in (positive, ~positive)]
        self._add(above, totals)

    def _above(self, prediction: npt.NDArray[Any], weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(thresholds, labels): the weight of what lies above each threshold."""
        n, labels = len(self._levels), prediction.shape[1]
        if not self._evenly:
            levels = np.asarray(self._levels, dtype=self.dtype)
            with np.errstate(invalid="ignore"):
                return np.stack([np.where(prediction > level, weights, 0).sum(axis=0) for level in levels])
        with np.errstate(invalid="ignore"):
            place = np.ceil(np.clip(prediction, 0, 1) * prediction.dtype.type(n - 1)) - 1
        if self._first_takes_all:
            place = np.maximum(place, 0)
        held = np.zeros((n, labels), dtype=self.dtype)
        for label in range(labels):
            inside = place[:, label] >= 0
            np.add.at(held[:, label], place[inside, label].astype(np.int64), weights[inside, label])
        return held[::-1].cumsum(axis=0)[::-1]

    @property
    def _first_takes_all(self) -> bool:
        return bool(self._levels[0] < 0.0 or self._levels[-1] > 1.0)

    def _add(self, above: Sequence[npt.NDArray[Any]], totals: Sequence[npt.NDArray[Any]]) -> None:
        found = dict(
            zip(COUNTS, (above[0], above[1], totals[1] - above[1], totals[0] - above[0]), strict=True)
        )
        for name in self._counts:
            variable: Variable = getattr(self, name)
            variable.assign_add(found[name].reshape(variable.shape))

    # -- in the training loop --------------------------------------------------------------------------------
    def core_form(self) -> dict[str, Any] | None:
        if self.core_kind is None:
            return None
        form: dict[str, Any] = {"tally": "buckets", "buckets": len(self._levels)}
        if not self._evenly:
            form = {"tally": "thresholds", "thresholds": [float(level) for level in self._levels]}
        elif self._first_takes_all:
            form["first_takes_all"] = True
        if self._label_weights is not None and not self._by_label:
            form["label_weights"] = np.asarray(self._label_weights, dtype=float).tolist()
        given = {"top_k": self.top_k, "class_id": self.class_id}
        flags = {"by_label": self._by_label, "sigmoid": self._from_logits}
        return {**form, **{k: v for k, v in given.items() if v is not None}, **flags}

    def hold(self, values: Sequence[float], rows: int) -> None:
        """Take over the core's state: above each threshold true and false ones; then all of both."""
        n = len(self._levels)
        state = np.asarray(values, dtype=np.float64)
        labels = len(state) // (2 * n + 2)
        above = [part.reshape(n, labels) for part in (state[: n * labels], state[n * labels : -2 * labels])]
        if self._evenly:
            above = [part[::-1].cumsum(axis=0)[::-1] for part in above]
        if not self._variables:
            self._make((n, labels) if self._by_label else (n,))
        self.reset_state()
        self._add(above, (state[-2 * labels : -labels], state[-labels:]))


def _spread(sample_weight: npt.ArrayLike | None, prediction: npt.NDArray[Any]) -> Any:
    """A weight for each prediction."""
    if sample_weight is None:
        return np.ones(prediction.shape, dtype=prediction.dtype)
    weights = np.asarray(sample_weight, dtype=prediction.dtype)
    if weights.ndim == prediction.ndim - 1 and weights.ndim:
        weights = weights[..., None]
    try:
        return np.broadcast_to(weights, prediction.shape).copy()
    except ValueError:
        raise ValueError(
            f"sample_weight: expected one weight per sample, {prediction.shape[:1]}, got {weights.shape}"
        ) from None


def _among_largest(values: npt.NDArray[Any], k: int) -> npt.NDArray[np.bool_]:
    """Which of a row's values are the k largest; of equal ones the first."""
    order = np.argsort(-values, axis=-1, kind="stable")[..., :k]
    found = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(found, order, True, axis=-1)
    return found
