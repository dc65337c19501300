"""Hinge losses: a margin of 1 between right and wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import Array
from lamina.keras.losses.regression import fitted
from lamina.keras.losses.wrapper import LossFunctionWrapper


def hinge(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """mean max(1 - y_true y_pred, 0) over the last axis.

    Args:
        y_true: -1 or 1, shape of y_pred; where all are 0 or 1, a 0 stands for -1.
        y_pred: (n, ..., k).

    Returns:
        Array (n, ...) of y_pred's dtype.
    """
    return _margin(y_true, y_pred).mean(axis=-1)


def squared_hinge(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """mean max(1 - y_true y_pred, 0)^2 over the last axis; arguments and result as in `hinge`."""
    return np.square(_margin(y_true, y_pred)).mean(axis=-1)


def _margin(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
    truth, prediction = fitted(y_true, y_pred)
    if np.all((truth == 0) | (truth == 1)):
        truth = 2 * truth - 1
    with np.errstate(invalid="ignore", over="ignore"):
        margin: Array = np.maximum(1 - truth * prediction, 0)
    return margin


def categorical_hinge(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Any:
    """max(neg - pos + 1, 0) with pos = sum(y_true y_pred) and neg = max((1 - y_true) y_pred) over the last
    axis.

    Args:
        y_true: one-hot targets, shape of y_pred.
        y_pred: (n, ..., k).

    Returns:
        Array (n, ...) of y_pred's dtype.
    """
    truth, prediction = fitted(y_true, y_pred)
    with np.errstate(invalid="ignore"):
        right = (truth * prediction).sum(axis=-1)
        wrong = ((1 - truth) * prediction).max(axis=-1)
        return np.maximum(wrong - right + 1, 0).astype(prediction.dtype)


class Hinge(LossFunctionWrapper):
    """The hinge loss; see `hinge`.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "hinge"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: str | None = None,
    ) -> None:
        super().__init__(hinge, reduction=reduction, name=name, dtype=dtype)


class SquaredHinge(LossFunctionWrapper):
    """The squared hinge loss; see `squared_hinge`.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "squared_hinge"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: str | None = None,
    ) -> None:
        super().__init__(squared_hinge, reduction=reduction, name=name, dtype=dtype)


class CategoricalHinge(LossFunctionWrapper):
    """The hinge loss between the right class and the best of the wrong ones; see `categorical_hinge`.

    Args:
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "categorical_hinge"

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: str | None = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction=reduction, name=name, dtype=dtype)
