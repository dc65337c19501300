"""Losses, averaged over the batch, and their gradients at the prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lamina import _core
from lamina._ops.arrays import deliver, floats, in_place_target, overlap, same_dtype
from lamina._ops.labels import labels

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lamina._ops.arrays import Array


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False) -> float:
    """Mean of the squared differences: `mean((y_pred - y_true)²)`.

    Args:
        y_true: targets, the dtype and shape of `y_pred`. Shapes (n,) and (n, 1) stand for one another, never
            for (n, n).
        y_pred: predictions, float32 or float64, shape (n, ...).
        from_logits: False; a squared error knows no logits.

    Returns:
        The loss as a Python float.

    Raises:
        TypeError: an argument is neither float32 nor float64, or not of the dtype of `y_pred`.
        ValueError: shapes that differ, nothing to average over, or `from_logits`.
    """
    return _loss("mean_squared_error", y_true, y_pred, from_logits)


def binary_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False) -> float:
    """Cross-entropy of yes-or-no targets: `mean(-(t log p + (1 - t) log(1 - p)))`.

    Args:
        y_true: targets t in [0, 1], the dtype and shape of `y_pred`. Shapes (n,) and (n, 1) stand for one
            another.
        y_pred: probabilities p, clipped to [1e-7, 1 - 1e-7]; or, with `from_logits`, any numbers z with
            `p = sigmoid(z)`, not clipped: `mean(max(z, 0) - t z + log(1 + exp(-|z|)))`. float32 or float64,
            shape (n, ...).
        from_logits: whether `y_pred` holds logits.

    Returns:
        The loss as a Python float.

    Raises:
        TypeError: an argument is neither float32 nor float64, or not of the dtype of `y_pred`.
        ValueError: shapes that differ, or nothing to average over.

    Source: `keras.losses.binary_crossentropy` on TensorFlow, where clipping and logits are decided.
    """
    return _loss("binary_crossentropy", y_true, y_pred, from_logits)


def categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False) -> float:
    """Cross-entropy of one-hot (or other) distributions: the mean over the rows of `-sum_k t_k log p_k`.

    Args:
        y_true: distributions t, the dtype and shape of `y_pred`; each row sums to 1.
        y_pred: probabilities p, divided by the sum of their row and then clipped to [1e-7, 1 - 1e-7]; or,
            with `from_logits`, any numbers z with `p = softmax(z)`, not clipped. float32 or float64, shape
            (n, ..., classes).
        from_logits: whether `y_pred` holds logits.

    Returns:
        The loss as a Python float.

    Raises:
        TypeError: an argument is neither float32 nor float64, or not of the dtype of `y_pred`.
        ValueError: shapes that differ, or nothing to average over.

    Source: `keras.losses.categorical_crossentropy` on TensorFlow.
    """
    return _loss("categorical_crossentropy", y_true, y_pred, from_logits)


def sparse_categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False) -> float:
    """Cross-entropy of class numbers: the mean over the rows of `-log p[label]`.

    Args:
        y_true: labels in [0, classes), integers or floats that hold integers, of the shape of `y_pred`
            without its last axis, or with 1 in its place.
        y_pred: probabilities p, clipped to [1e-7, 1 - 1e-7] and then divided by the sum of their row; or,
            with `from_logits`, any numbers z with `p = softmax(z)`, not clipped. float32 or float64, shape
            (n, ..., classes).
        from_logits: whether `y_pred` holds logits.

    Returns:
        The loss as a Python float.

    Raises:
        TypeError: `y_pred` is neither float32 nor float64, or `y_true` holds no numbers.
        ValueError: shapes that do not fit, a label that is not one of the classes, or nothing to average
            over.

    Source: `keras.losses.sparse_categorical_crossentropy` on TensorFlow.
    """
    return _loss("sparse_categorical_crossentropy", y_true, y_pred, from_logits)


def mean_squared_error_grad(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, *, out: Array | None = None
) -> Array:
    """Gradient of `mean_squared_error` at `y_pred`: `2 (y_pred - y_true) / number of values`.

    Args:
        y_true: as for the loss.
        y_pred: as for the loss.
        from_logits: as for the loss.
        out: takes the result if given: shape and dtype of `y_pred`, writable; it may be `y_true` or `y_pred`
            itself.

    Returns:
        Array of the shape and dtype of `y_pred`: `out`, or a new one. Empty where there are no rows.

    Raises:
        TypeError: as the loss does, or `out` has another dtype.
        ValueError: shapes or labels that the loss refuses, or `out` has another shape or is read-only.
    """
    return _loss_grad("mean_squared_error", y_true, y_pred, from_logits, out)


def binary_crossentropy_grad(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, *, out: Array | None = None
) -> Array:
    """Gradient of `binary_crossentropy` at `y_pred`.

    `(p - t) / (p (1 - p)) / number of values`, and 0 where p lies outside the clip; with `from_logits`
    `(sigmoid(z) - t) / number of values`. Arguments, result and errors are those of
    `mean_squared_error_grad`.
    """
    return _loss_grad("binary_crossentropy", y_true, y_pred, from_logits, out)


def categorical_crossentropy_grad(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, *, out: Array | None = None
) -> Array:
    """Gradient of `categorical_crossentropy` at `y_pred`.

    With `from_logits` `(softmax(z) - t) / n` for n rows. Else, with `s = sum_j p_j` and u being t, but 0
    where `p / s` lies outside the clip, `(sum_j u_j / s - u_k / p_k) / n`. Arguments, result and errors are
    those of `mean_squared_error_grad`.
    """
    return _loss_grad("categorical_crossentropy", y_true, y_pred, from_logits, out)


def sparse_categorical_crossentropy_grad(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, *, out: Array | None = None
) -> Array:
    """Gradient of `sparse_categorical_crossentropy` at `y_pred`.

    With t being 1 at the label and 0 elsewhere: `(softmax(z) - t) / n` for n rows with `from_logits`; else,
    with c being p clipped, `(1 / sum_j c_j - t_k / c_k) / n`, and 0 where p lies outside the clip. Arguments,
    result and errors are those of `mean_squared_error_grad`.
    """
    return _loss_grad("sparse_categorical_crossentropy", y_true, y_pred, from_logits, out)


def _loss(kind: str, y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool) -> float:
    target, pred = _pair(kind, y_true, y_pred, from_logits)
    if not pred.size:
        raise ValueError(f"y_pred must hold at least one value to average over, got shape {pred.shape}")
    classes = pred.shape[-1]
    target = target.reshape(-1) if kind.startswith("sparse") else target.reshape(-1, classes)
    return _core.loss(kind, target, pred.reshape(-1, classes), bool(from_logits))


def _loss_grad(
    kind: str, y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool, out: Array | None
) -> Array:
    target, pred = _pair(kind, y_true, y_pred, from_logits)
    result = in_place_target(out, pred)
    if result is out and overlap(result, target):  # which the kernels read again after writing
        result = np.empty(pred.shape, pred.dtype)
    if pred.size:
        classes = pred.shape[-1]
        target = target.reshape(-1) if kind.startswith("sparse") else target.reshape(-1, classes)
        _core.loss_grad(
            kind, target, pred.reshape(-1, classes), bool(from_logits), result.reshape(-1, classes)
        )
    return deliver(result, out)


def _pair(kind: str, y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool) -> tuple[Array, Array]:
    """(target, prediction), checked: the target in the shape of the prediction, or one label for each row."""
    if from_logits and kind == "mean_squared_error":
        raise ValueError(
            "from_logits must be False for mean_squared_error, got True: a squared error knows no logits"
        )
    pred = floats(y_pred, "y_pred")
    if not pred.ndim:
        raise ValueError("y_pred must have at least one axis, got a scalar")
    if kind == "sparse_categorical_crossentropy":
        return labels(y_true, pred), pred
    target = floats(y_true, "y_true")
    same_dtype(target, "y_true", pred, "y_pred")
    if target.shape != pred.shape:
        column = (*target.shape, 1) == pred.shape or target.shape == (*pred.shape, 1)
        if not column or kind == "categorical_crossentropy":
            raise ValueError(f"y_true must have the shape of y_pred, {pred.shape}, got {target.shape}")
        target = target.reshape(pred.shape)
    return target, pred
