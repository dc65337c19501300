"""The circle loss of embeddings (Sun et al., "Circle Loss", CVPR 2020)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.loss import Array, Masked, as_float, numbers
from lamina.keras.losses.wrapper import LossFunctionWrapper


def circle(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    ref_labels: npt.ArrayLike | None = None,
    ref_embeddings: npt.ArrayLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """softplus(logsumexp_pos(f(d)) + logsumexp_neg(g(d))) of every row.

    f(d) = -gamma max(d + m, 0) (m - d) and g(d) = gamma max(1 + m - d, 0) (1 - m - d), m the margin, over the
    row's distances d = max(1 - p_i . p_j, 0) to the rows of its class (pos) and of the others (neg).

    Args:
        y_true: class numbers (n,) or (n, 1).
        y_pred: embeddings (n, d), of length 1.
        ref_labels, ref_embeddings: what the rows are compared with; default y_true and y_pred.
        remove_diagonal: whether a row is no pair with itself. Default True.
        gamma: the scale. Default 80.
        margin: default 0.4.

    Returns:
        Array (n,) of y_pred's dtype; rows without a loss don't count in a mean over it.
    """
    p = as_float(y_pred)
    kind = p.dtype.type
    labels = numbers("y_true", y_true).astype(np.int32).reshape(-1, 1)
    if p.ndim != 2 or len(labels) != len(p):
        raise ValueError(
            f"y_true: expected class numbers of shape (n,) for y_pred (n, d), got {np.shape(y_true)} "
            f"for {p.shape}"
        )
    others = p if ref_embeddings is None else np.asarray(ref_embeddings, dtype=p.dtype)
    keys = labels if ref_labels is None else np.asarray(ref_labels).astype(np.int32).reshape(-1, 1)
    m, scale = kind(margin), kind(gamma)
    d = np.maximum(1 - p @ others.T, 0)
    positive: npt.NDArray[np.bool_] = np.equal(labels, keys.T)
    negative = np.logical_not(positive)
    if remove_diagonal:
        positive = np.logical_and(positive, np.arange(len(labels))[:, None] != np.arange(len(keys)))
    near = -scale * np.maximum(m + d, 0) * (m - d)
    far = scale * np.maximum(1 + m - d, 0) * (1 - m - d)
    total = _log_sum(near, positive) + _log_sum(far, negative)
    with np.errstate(under="ignore"):
        values: Array = np.maximum(total, 0) + np.log1p(np.exp(-np.abs(total)))
    return Masked.of(values, values > 0)


def _log_sum(values: Array, counted: npt.NDArray[np.bool_]) -> Array:
    values = np.where(counted, values, values.dtype.type(-np.inf))
    largest = values.max(axis=1, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore", under="ignore"):
        total: Array = np.log(np.exp(values - largest).sum(axis=1)) + largest[:, 0]
    return total


class Circle(LossFunctionWrapper):
    """The circle loss; see `circle`.

    Args:
        gamma, margin, remove_diagonal: as in `circle`.
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "circle"

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            circle,
            reduction=reduction,
            name=name,
            dtype=dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def core_options(self) -> dict[str, Any]:
        return {
            "gamma": float(self.gamma),
            "delta": float(self.margin),
            "flag": bool(self.remove_diagonal),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "margin": self.margin,
            "remove_diagonal": self.remove_diagonal,
        }
