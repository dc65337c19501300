"""The cross-entropies, as Keras computes them on TensorFlow.

From probabilities they are clipped to [eps, 1 - eps], eps = 1e-7; from logits nothing is clipped. (Inside
`fit` a model that ends in softmax or sigmoid is trained from its logits, whatever `from_logits` says; see the
core.)
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.config import epsilon
from lamina.keras.losses.loss import Array, Masked, as_float, numbers, same_shape
from lamina.keras.losses.wrapper import LossFunctionWrapper

EPSILON = epsilon()


def binary_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """-(t log p + (1 - t) log(1 - p)), meaned over `axis`.

    From logits z: max(z, 0) - z t + log(1 + exp(-|z|)), the same without overflow.

    Args:
        y_true: targets in [0, 1], shape of y_pred; (n,) goes with (n, 1).
        y_pred: probabilities, or logits, (n, ..., k).
        from_logits: whether y_pred are logits.
        label_smoothing: s in [0, 1]: t becomes t (1 - s) + s / 2.
        axis: the axis of the mean. Default the last.

    Returns:
        Array (n, ...) of y_pred's dtype.
    """
    prediction = as_float(y_pred)
    truth, prediction = same_shape(numbers("y_true", y_true, prediction.dtype), prediction)
    if label_smoothing:
        truth = truth * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            tail = np.log1p(np.exp(-np.abs(prediction)))
            return (np.maximum(prediction, 0) - prediction * truth + tail).mean(axis=axis)
    p = np.clip(prediction, EPSILON, 1.0 - EPSILON)
    return -(truth * np.log(p) + (1 - truth) * np.log(1 - p)).mean(axis=axis)


def categorical_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """-sum_k t_k log p_k, with p divided by its sum first. From logits z: log p = z - log sum exp z.

    Args:
        y_true: targets, each row a distribution (one-hot), shape of y_pred.
        y_pred: probabilities, or logits, (n, ..., k).
        from_logits: whether y_pred are logits.
        label_smoothing: s in [0, 1]: t becomes t (1 - s) + s / k.
        axis: the axis of the classes. Default the last.

    Returns:
        Array (n, ...) of y_pred's dtype.
    """
    prediction = as_float(y_pred)
    truth = numbers("y_true", y_true, prediction.dtype)
    if truth.shape != prediction.shape:
        raise ValueError(f"y_true: expected the shape of y_pred, {prediction.shape}, got {truth.shape}")
    warn_of_one_class(prediction, "categorical_crossentropy")
    if label_smoothing:
        truth = truth * (1.0 - label_smoothing) + label_smoothing / truth.shape[-1]
    if from_logits:
        log_p = _log_softmax(prediction, axis)
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            p = prediction / prediction.sum(axis=axis, keepdims=True)
        log_p = np.log(np.clip(p, EPSILON, 1.0 - EPSILON))
    with np.errstate(invalid="ignore"):  # 0 * inf is NaN, as in Keras
        return -(truth * log_p).sum(axis=axis)


def sparse_categorical_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """-log p_y for class numbers y. From logits z: log sum exp z - z_y.

    Probabilities are clipped and their logarithms then treated as logits, so that they need not sum to 1.

    Args:
        y_true: class numbers in [0, k), shape (n, ...) or (n, ..., 1).
        y_pred: probabilities, or logits, (n, ..., k).
        from_logits: whether y_pred are logits.
        ignore_class: a class number, in range or not, whose samples have no loss; default none.
        axis: the axis of the classes: only the last is supported.

    Returns:
        Array (n, ...) of y_pred's dtype; samples that are ignored don't count in a mean over it.

    Raises:
        ValueError: a class number out of range (it and its index are named), shapes that don't fit, another
            axis.
    """
    prediction = as_float(y_pred)
    _last_axis(axis, prediction.ndim)
    labels, valid = numbers("y_true", y_true), None
    if ignore_class is not None:
        valid = labels != ignore_class
        labels = np.where(valid, labels, 0)
    labels = _labels(labels, prediction.shape)
    logits = prediction if from_logits else np.log(np.clip(prediction, EPSILON, 1.0 - EPSILON))
    log_p = _log_softmax(logits, -1)
    values: Array = -np.take_along_axis(log_p, labels[..., None], axis=-1)[..., 0]
    if valid is None:
        return values
    valid = valid.reshape(values.shape)
    return Masked.of(np.where(valid, values, values.dtype.type(0)), valid)


class BinaryCrossentropy(LossFunctionWrapper):
    """The binary cross-entropy; the formula is at `binary_crossentropy`.

    Args:
        from_logits, label_smoothing: as in `binary_crossentropy`.
        axis: the axis of the mean, several, or None for all, numbered with the batch's as 0. Default the
            last. Along the batch's axis there are no sample weights.
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "binary_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None:
        self.from_logits = bool(from_logits)
        self.label_smoothing = checked_smoothing(label_smoothing)
        self.axis = axis
        super().__init__(binary_crossentropy, reduction=reduction, name=name, dtype=dtype, **_arguments(self))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **_arguments(self)}


class CategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy with one-hot targets; the formula is at `categorical_crossentropy`.

    Args:
        from_logits, label_smoothing: as in `categorical_crossentropy`.
        axis: the axis of the classes, as in `BinaryCrossentropy`; from logits one only, and None is the last.
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "categorical_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        self.from_logits = bool(from_logits)
        self.label_smoothing = checked_smoothing(label_smoothing)
        self.axis = _an_int(axis)
        super().__init__(
            categorical_crossentropy, reduction=reduction, name=name, dtype=dtype, **_arguments(self)
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **_arguments(self)}


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy with class numbers as targets; the formula is at `sparse_categorical_crossentropy`.

    Args:
        from_logits: whether predictions are logits.
        ignore_class: a class number whose samples have neither loss nor gradient, and don't count in the
            mean; default none.
        axis: the axis of the classes; only the last (-1) is supported.
        reduction, name, dtype: as in `Loss`.
    """

    core_kind = "sparse_categorical_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=bool(from_logits),
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = bool(from_logits)
        self.ignore_class = ignore_class
        self.axis = axis

    def core_options(self) -> dict[str, Any]:
        return {} if self.ignore_class is None else {"ignored": int(self.ignore_class)}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "from_logits": self.from_logits, "ignore_class": self.ignore_class}


def _log_softmax(logits: Array, axis: int) -> Array:
    with np.errstate(invalid="ignore", divide="ignore", under="ignore"):
        shifted = logits - logits.max(axis=axis, keepdims=True)
        log_p: Array = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return log_p


def _labels(y_true: Array, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Class numbers (n, ...) as int64, checked against predictions of `shape` (n, ..., k)."""
    if y_true.ndim == len(shape) and y_true.shape[-1:] == (1,):
        y_true = y_true[..., 0]
    if y_true.shape != shape[:-1]:
        raise ValueError(
            f"y_true: expected class numbers of shape {shape[:-1]} for y_pred {shape}, got {y_true.shape}"
        )
    with np.errstate(invalid="ignore"):
        labels = y_true.astype(np.int64)
    wrong = np.argwhere((labels != y_true) | (labels < 0) | (labels >= shape[-1]))
    if wrong.size:
        index = tuple(wrong[0].tolist())
        where = ", ".join(map(str, index))
        raise ValueError(
            f"y_true: expected class numbers in [0, {shape[-1]}), got {y_true[index]} at index {where}"
        )
    return labels


def warn_of_one_class(y_pred: Array, name: str) -> None:
    """Warn where there is only one class to choose, as Keras."""
    if y_pred.ndim and y_pred.shape[-1] == 1:
        warnings.warn(
            f"{name}: y_pred: expected more than one class, got the shape {y_pred.shape}, "
            "whose loss is always 0; one output goes with binary_crossentropy",
            SyntaxWarning,
            stacklevel=3,
        )


def checked_smoothing(value: float) -> float:
    """label_smoothing as a float; ValueError unless it is in [0, 1]."""
    if not isinstance(value, (int, float, np.number)) or not 0.0 <= value <= 1.0:
        raise ValueError(f"label_smoothing: expected a number in [0, 1], got {value!r}")
    return float(value)


def _an_int(axis: int) -> int:
    if isinstance(axis, bool):
        raise ValueError(f"axis: expected an int, got {axis!r}")
    return axis


def _last_axis(axis: int, ndim: int) -> None:
    if axis not in (-1, ndim - 1):
        raise ValueError(f"axis: expected -1, the last axis, got {axis!r}")


def _arguments(loss: BinaryCrossentropy | CategoricalCrossentropy) -> dict[str, Any]:
    return {"from_logits": loss.from_logits, "label_smoothing": loss.label_smoothing, "axis": loss.axis}
