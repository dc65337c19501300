"""Losses of how much of a region is found: Dice and Tversky."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.regression import EPSILON, fitted
from lamina.keras.losses.wrapper import LossFunctionWrapper


def dice(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, axis: Any = None) -> Any:
    """1 - 2 sum(t p) / (sum t + sum p + 1e-7), sums over `axis`.

    Args:
        y_true, y_pred: arrays of one shape, targets t and predictions p.
        axis: an axis or a tuple of them; default all, the batch's included: one value.

    Returns:
        Array of y_pred's dtype, without those axes.
    """
    truth, prediction = fitted(y_true, y_pred)
    kind = prediction.dtype.type
    both = (truth * prediction).sum(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - kind(2) * both / (truth.sum(axis=axis) + prediction.sum(axis=axis) + kind(EPSILON))


def tversky(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """1 - I / (I + alpha sum t (1 - p) + beta sum p (1 - t) + 1e-7) with I = sum(t p), sums over `axis`.

    Args:
        y_true, y_pred, axis: as in `dice`.
        alpha: weight of what is missed. Default 0.5.
        beta: weight of what is found where nothing is. Default 0.5; both 0.5 is `dice` but for 1e-7.

    Returns:
        As `dice`.
    """
    truth, prediction = fitted(y_true, y_pred)
    kind = prediction.dtype.type
    both = (truth * prediction).sum(axis=axis)
    missed = ((1 - prediction) * truth).sum(axis=axis)
    added = (prediction * (1 - truth)).sum(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - both / (both + missed * kind(alpha) + added * kind(beta) + kind(EPSILON))


class Dice(LossFunctionWrapper):
    """The Dice loss; see `dice`.

    Args:
        reduction, name, dtype: as in `Loss`; one value for the batch is not reduced further.
        axis: as in `dice`.
    """

    core_kind = "dice"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(dice, reduction=reduction, name=name, dtype=dtype, axis=axis)
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class Tversky(LossFunctionWrapper):
    """The Tversky loss; see `tversky`.

    Args:
        alpha, beta: as in `tversky`.
        reduction, name, axis, dtype: as in `Dice`.
    """

    core_kind = "tversky"

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            tversky, reduction=reduction, name=name, dtype=dtype, alpha=alpha, beta=beta, axis=axis
        )
        self.alpha = alpha
        self.beta = beta
        self.axis = axis

    def core_options(self) -> dict[str, Any]:
        return {"alpha": float(self.alpha), "beta": float(self.beta)}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta, "axis": self.axis}
