"""Counts of positives and negatives, precision and recall."""

from __future__ import annotations

from typing import Any

from lamina.keras.metrics.confusion import NEVER, ConfusionMetric, checked_thresholds
from lamina.keras.metrics.metric import divided


class _Count(ConfusionMetric):
    """One of the four counts; see `TruePositives`."""

    core_kind = "thresholds"
    _what: str

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: str | None = None) -> None:
        self.init_thresholds = thresholds
        self.thresholds = checked_thresholds(thresholds, 0.5)
        super().__init__(self.thresholds, [self._what], name=name, dtype=dtype)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")
        setattr(self, self._what, self.accumulator)

    def result(self) -> Any:
        count = self.accumulator
        return self._scalar(count[0]) if len(self.thresholds) == 1 else count.numpy()

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """The weight of the predictions above a threshold whose target is not 0.

    Args:
        thresholds: a number in [0, 1] or a list of them; default 0.5. With a list there is a count for each.
        name, dtype: as in `Metric`.
    """

    _what = "true_positives"


class FalsePositives(_Count):
    """The weight of the predictions above a threshold whose target is 0.

    Args:
        thresholds: a number in [0, 1] or a list of them; default 0.5. With a list there is a count for each.
        name, dtype: as in `Metric`.
    """

    _what = "false_positives"


class TrueNegatives(_Count):
    """The weight of the predictions at or below a threshold whose target is 0.

    Args:
        thresholds: a number in [0, 1] or a list of them; default 0.5. With a list there is a count for each.
        name, dtype: as in `Metric`.
    """

    _what = "true_negatives"


class FalseNegatives(_Count):
    """The weight of the predictions at or below a threshold whose target is not 0.

    Args:
        thresholds: a number in [0, 1] or a list of them; default 0.5. With a list there is a count for each.
        name, dtype: as in `Metric`.
    """

    _what = "false_negatives"


class _ShareOfHits(ConfusionMetric):
    """Hits as a share of themselves and one other count; see `Precision` and `Recall`."""

    core_kind = "thresholds"
    _direction = "up"
    _others: str  # the counts that hits are a share of, together with themselves

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        self.init_thresholds = thresholds
        self.thresholds = checked_thresholds(thresholds, 0.5 if top_k is None else NEVER)
        counts = ["true_positives", self._others]
        super().__init__(self.thresholds, counts, name=name, dtype=dtype, top_k=top_k, class_id=class_id)
        self._make((len(self.thresholds),))

    def result(self) -> Any:
        hits = self.true_positives.value  # type: ignore[attr-defined]
        found = divided(hits, hits + getattr(self, self._others).value)
        return found[0] if len(self.thresholds) == 1 else found

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_ShareOfHits):
    """Of the predictions above a threshold, the share whose target is not 0: TP / (TP + FP), 0 where
    there is none.

    Args:
        thresholds: a number in [0, 1] or a list of them, which gives a value for each; default 0.5, or with
            top_k none.
        top_k: only the k largest predictions of a sample can be positive.
        class_id: only this column of targets and predictions counts.
        name, dtype: as in `Metric`.
    """

    _others = "false_positives"


class Recall(_ShareOfHits):
    """Of the targets that are not 0, the share whose prediction is above a threshold: TP / (TP + FN), 0 where
    there is none.

    Args:
        thresholds: a number in [0, 1] or a list of them, which gives a value for each; default 0.5, or with
            top_k none.
        top_k: only the k largest predictions of a sample can be positive.
        class_id: only this column of targets and predictions counts.
        name, dtype: as in `Metric`.
    """

    _others = "false_negatives"
