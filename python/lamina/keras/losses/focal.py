"""Focal cross-entropies: what is easy to tell weighs less (Lin et al., "Focal Loss for Dense Object
Detection", ICCV 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.losses.crossentropy import (
    EPSILON,
    checked_smoothing,
    warn_of_one_class,
)
from lamina.keras.losses.loss import as_float, numbers
from lamina.keras.losses.regression import fitted
from lamina.keras.losses.wrapper import LossFunctionWrapper


def binary_focal_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """The binary cross-entropy times (1 - p_t)^gamma, p_t = t p + (1 - t)(1 - p), meaned over `axis`.

    Args:
        y_true, y_pred, from_logits, label_smoothing, axis: as in `binary_crossentropy`.
        apply_class_balancing: whether class 1 weighs alpha and class 0 1 - alpha. Default False.
        alpha: default 0.25.
        gamma: default 2.

    Returns:
        Array (n, ...) of y_pred's dtype.
    """
    truth, given = fitted(y_true, y_pred)
    if label_smoothing:
        truth = truth * (1.0 - label_smoothing) + 0.5 * label_smoothing
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        if from_logits:
            p = 1 / (1 + np.exp(-given))
            entropy = np.maximum(given, 0) - given * truth + np.log1p(np.exp(-np.abs(given)))
        else:
            p, c = given, np.clip(given, EPSILON, 1.0 - EPSILON)
            entropy = -(truth * np.log(c) + (1 - truth) * np.log(1 - c))
        miss = 1 - (truth * p + (1 - truth) * (1 - p))
        values = np.power(miss, miss.dtype.type(gamma)) * entropy
        if apply_class_balancing:
            values = (truth * alpha + (1 - truth) * (1 - alpha)) * values
        return values.mean(axis=axis)


def categorical_focal_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """-sum_k alpha (1 - p_k)^gamma t_k log p_k over `axis`, p divided by its sum and clipped first.

    Args:
        y_true, y_pred, label_smoothing, axis: as in `categorical_crossentropy`.
        alpha: a number, default 0.25, or one for each class.
        gamma: default 2.
        from_logits: whether y_pred are logits; their softmax is taken then.

    Returns:
        Array (n, ...) of y_pred's dtype.
    """
    given = as_float(y_pred)
    truth = numbers("y_true", y_true, given.dtype)
    if truth.shape != given.shape:
        raise ValueError(f"y_true: expected the shape of y_pred, {given.shape}, got {truth.shape}")
    warn_of_one_class(given, "categorical_focal_crossentropy")
    if label_smoothing:
        truth = truth * (1.0 - label_smoothing) + label_smoothing / truth.shape[-1]
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        if from_logits:
            given = np.exp(given - given.max(axis=axis, keepdims=True))
        p = np.clip(given / given.sum(axis=axis, keepdims=True), EPSILON, 1.0 - EPSILON)
        factor = np.power(1 - p, p.dtype.type(gamma)) * np.asarray(alpha, dtype=p.dtype)
        return (factor * (-truth * np.log(p))).sum(axis=axis)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """The binary focal cross-entropy; see `binary_focal_crossentropy`.

    Args:
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing: as there.
        axis: the axes of the mean, as in `BinaryCrossentropy`.
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "binary_focal_crossentropy"

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=checked_smoothing(label_smoothing),
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma

    def core_options(self) -> dict[str, Any]:
        return {
            "alpha": float(self.alpha),
            "gamma": float(self.gamma),
            "flag": bool(self.apply_class_balancing),
        }

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
            "apply_class_balancing": self.apply_class_balancing,
            "alpha": self.alpha,
            "gamma": self.gamma,
        }


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """The categorical focal cross-entropy; see `categorical_focal_crossentropy`.

    Args:
        alpha, gamma, from_logits, label_smoothing: as there.
        axis: of the classes: one, several or None for all, as in `BinaryCrossentropy`.
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "categorical_focal_crossentropy"

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=checked_smoothing(label_smoothing),
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        self.alpha = alpha
        self.gamma = gamma

    def core_options(self) -> dict[str, Any]:
        if np.ndim(self.alpha) > 1:
            raise ValueError(f"loss: alpha: expected a number, or one for each class, got {self.alpha!r}")
        if np.size(self.alpha) == 1:
            return {"alpha": float(np.reshape(self.alpha, ())), "gamma": float(self.gamma)}
        return {"alphas": [float(alpha) for alpha in self.alpha], "gamma": float(self.gamma)}

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
            "alpha": self.alpha,
            "gamma": self.gamma,
        }
