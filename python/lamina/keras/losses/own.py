"""Losses of one's own in training: functions that return (value, gradient), and `Loss` classes with a
`gradient`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.keras.losses.loss import Array, Loss, match_ranks

_NO_DIFFERENTIATION = (
    "Lamina has no automatic differentiation, so that a loss written with keras.ops or tf can't be trained: "
    "give a function that returns (value, gradient), or a Loss with a method gradient(y_true, y_pred)"
)


class OwnLoss(Loss):
    """A loss that the training loop asks Python for, batch by batch.

    Args:
        parts: (y_true, y_pred) -> (values, gradient): one value per sample (n, ...), or one for the batch;
            and the gradient of each value at its predictions, or of the one, in y_pred's shape.
        name, reduction: as in `Loss`.
    """

    core_kind = "own"

    def __init__(
        self, parts: Callable[[Array, Array], tuple[Any, Any]], name: str, reduction: str | None
    ) -> None:
        super().__init__(name=name, reduction=reduction)
        self.parts = parts

    def call(self, y_true: Array, y_pred: Array) -> Any:
        return self.parts(y_true, y_pred)[0]

    def batch(
        self, y_true: Array, y_pred: Array, weights: Array | None, factor: float
    ) -> tuple[float, Array]:
        """The loss of a batch and its gradient at y_pred, both times `factor`.

        Args:
            y_true, y_pred: (n, ...).
            weights: one per sample (n,) or per value, or None.

        Raises:
            TypeError: parts gave something else than (value, gradient).
            ValueError: the gradient has not y_pred's shape.
        """
        found = self.parts(y_true, y_pred)
        if not isinstance(found, tuple) or len(found) != 2:
            raise TypeError(
                f"loss {self.name!r}: expected (value, gradient), got {type(found).__name__}. "
                f"{_NO_DIFFERENTIATION}"
            )
        values, gradient = (np.asarray(part, dtype=y_pred.dtype) for part in found)
        if gradient.shape != y_pred.shape:
            raise ValueError(
                f"loss {self.name!r}: gradient: expected y_pred's shape {y_pred.shape}, got {gradient.shape}"
            )
        whole = values.ndim == 0
        if whole:
            if weights is None:
                return factor * float(values), np.ascontiguousarray(factor * gradient, dtype=y_pred.dtype)
            values = np.full(weights.shape, values)  # each weight multiplies the one value, as in Keras
        shares = self._shares(values, weights)
        total = float((shares * values).sum())
        if self.reduction in (None, "none"):
            total /= values.size
        spread = (
            shares.sum() if whole else shares.reshape(shares.shape + (1,) * (gradient.ndim - shares.ndim))
        )
        return factor * total, np.ascontiguousarray(factor * spread * gradient, dtype=y_pred.dtype)

    def _shares(self, values: Array, weights: Array | None) -> Any:
        """What each value counts in the loss of the batch."""
        shares = np.ones_like(values)
        if weights is not None:
            shaped, weights = match_ranks(values, np.asarray(weights, dtype=values.dtype))
            shares = np.broadcast_to(
                weights.reshape(weights.shape + (1,) * (shaped.ndim - weights.ndim)), shaped.shape
            ).reshape(values.shape)
        if self.reduction in ("sum_over_batch_size", "mean"):
            return shares / values.dtype.type(values.size)
        if self.reduction == "mean_with_sample_weight":
            total = shares.sum()
            return shares / total if total else np.zeros_like(shares)
        return shares


def own_loss(loss: Any) -> OwnLoss:
    """The `OwnLoss` of a function, or of a `Loss` with a `gradient`.

    Raises:
        ValueError: a Loss without one.
    """
    if isinstance(loss, OwnLoss):
        return loss
    if isinstance(loss, Loss):
        gradient = loss.gradient
        if gradient is None:
            raise ValueError(f"loss {loss.name!r}: expected a method gradient. {_NO_DIFFERENTIATION}")
        return OwnLoss(lambda y, p: (loss.call(y, p), gradient(y, p)), loss.name, loss.reduction)
    name = getattr(loss, "__name__", type(loss).__name__)
    return OwnLoss(loss, name, "sum_over_batch_size")
