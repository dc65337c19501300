"""Cross-entropies and other losses between distributions as metrics.

In training a cross-entropy of a model that ends in softmax or sigmoid is computed from its logits, as by
Keras on TensorFlow.
"""

from __future__ import annotations

from typing import Any

from lamina.keras.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from lamina.keras.losses.probabilistic import kl_divergence, poisson
from lamina.keras.metrics.reduction import MeanLoss


class KLDivergence(MeanLoss):
    """The mean Kullback-Leibler divergence; see `kl_divergence`.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "kl_divergence"
    _direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: str | None = None) -> None:
        super().__init__(kl_divergence, name=name, dtype=dtype)


class Poisson(MeanLoss):
    """The mean Poisson loss; see `poisson`.

    Args:
        name, dtype: as in `Metric`.
    """

    core_kind = "poisson"
    _direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: str | None = None) -> None:
        super().__init__(poisson, name=name, dtype=dtype)


class BinaryCrossentropy(MeanLoss):
    """The mean binary cross-entropy; see `binary_crossentropy`.

    Args:
        name, dtype: as in `Metric`.
        from_logits, label_smoothing: as in `binary_crossentropy`.
    """

    core_kind: str | None = "binary_crossentropy"
    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing

    def core_form(self) -> dict[str, Any] | None:
        return None if self.core_kind is None else {"loss": {"kind": self.core_kind, **_smoothed(self)}}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **_smoothed(self)}


class CategoricalCrossentropy(MeanLoss):
    """The mean cross-entropy with one-hot targets; see `categorical_crossentropy`.

    Args:
        name, dtype: as in `Metric`.
        from_logits, label_smoothing, axis: as in `categorical_crossentropy`.
    """

    core_kind: str | None = "categorical_crossentropy"
    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def core_form(self) -> dict[str, Any] | None:
        if self.core_kind is None:
            return None
        return {"loss": {"kind": self.core_kind, **_smoothed(self)}}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **_smoothed(self), "axis": self.axis}


class SparseCategoricalCrossentropy(MeanLoss):
    """The mean cross-entropy with class numbers as targets; see `sparse_categorical_crossentropy`.

    Args:
        name, dtype: as in `Metric`.
        from_logits, ignore_class, axis: as in `sparse_categorical_crossentropy`.
    """

    core_kind: str | None = "sparse_categorical_crossentropy"
    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def core_form(self) -> dict[str, Any] | None:
        if self.core_kind is None:
            return None
        ignored = {} if self.ignore_class is None else {"ignored": int(self.ignore_class)}
        return {"loss": {"kind": self.core_kind, "from_logits": bool(self.from_logits), **ignored}}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "axis": self.axis,
        }


def _smoothed(metric: BinaryCrossentropy | CategoricalCrossentropy) -> dict[str, Any]:
    return {"from_logits": metric.from_logits, "label_smoothing": metric.label_smoothing}
