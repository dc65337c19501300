"""Intersection over union: of what is or is said to be of a class, how much is both."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.config import epsilon
from lamina.keras.losses.loss import numbers
from lamina.keras.metrics.metric import Metric
from lamina.keras.metrics.variable import Variable
from lamina.keras.utils.dtypes import is_int_dtype, standardize_dtype


class IoU(Metric):
    """true positives / (true positives + false positives + false negatives) of some classes, and the mean of
    those of them that occur; counted in a matrix of classes (true, said).

    In training it is asked batch by batch.

    Args:
        num_classes: how many classes there are. Entries of other classes than 0 … num_classes - 1 count for
            nothing.
        target_class_ids: list of the classes that are measured.
        name: as in `Metric`.
        dtype: of the counts, into which labels and weights are cast: a dtype of integers, or "float32" or
            "float64". Default "int64": fractions of weights are cut off, as by Keras.
        ignore_class: true class whose entries count for nothing. Default None.
        sparse_y_true, sparse_y_pred: whether they are class numbers (default True); else the largest entry
            along `axis` is the class.
        axis: of the classes. Default -1.

    Raises:
        ValueError: an argument is wrong; the message names it.

    Example:
        iou = keras.metrics.IoU(num_classes=2, target_class_ids=[0])
        iou.update_state([0, 0, 1, 1], [0, 1, 0, 1])
        iou.result()  # 1 / 3

    Source: Keras 3 `metrics/iou_metrics.py`.
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name)
        self.dtype = standardize_dtype("int" if dtype is None else dtype)
        if not is_int_dtype(self.dtype) and self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype: expected one of integers, 'float32' or 'float64', got {dtype!r}")
        num_classes = _checked_number(num_classes)
        self.target_class_ids = list(target_class_ids)
        if not self.target_class_ids or not all(
            -num_classes <= target < num_classes for target in self.target_class_ids
        ):
            raise ValueError(
                f"target_class_ids: expected some of 0 … {num_classes - 1}, got {target_class_ids!r}"
            )
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        counts = np.zeros((self.num_classes, self.num_classes), self.dtype)
        self.total_cm = Variable.of(counts, "total_confusion_matrix")
        self._variables.append(self.total_cm)

    def update_state(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Count a batch.

        Args:
            y_true, y_pred: class numbers of any one shape, or what has a number for each class.
            sample_weight: one, or one for each class number. Default 1.

        Raises:
            ValueError: shapes that don't fit each other.
        """
        truth = self._classes("y_true", y_true, self.sparse_y_true)
        said = self._classes("y_pred", y_pred, self.sparse_y_pred)
        if truth.shape != said.shape:
            raise ValueError(
                f"y_true, y_pred: expected as many classes, got {truth.size} and {said.size} of arrays of "
                f"shape {np.shape(y_true)} and {np.shape(y_pred)}"
            )
        weights = self._weights(sample_weight, truth.shape)
        counts = (truth >= 0) & (truth < self.num_classes) & (said >= 0) & (said < self.num_classes)
        if self.ignore_class is not None:
            counts &= truth != self.ignore_class
        places = truth[counts].astype(np.int64), said[counts].astype(np.int64)
        np.add.at(self.total_cm.value, places, weights[counts])

    def _classes(self, argument: str, values: npt.ArrayLike, sparse: bool) -> npt.NDArray[Any]:
        array = numbers(argument, values)
        return (array if sparse else array.argmax(axis=self.axis)).astype(self.dtype).ravel()

    def _weights(self, sample_weight: npt.ArrayLike | None, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        if getattr(getattr(sample_weight, "dtype", None), "kind", "") == "f" and is_int_dtype(self.dtype):
            warnings.warn(
                f"sample_weight: {self.name!r} counts in {self.dtype}, which cuts fractions of weights off; "
                "give it dtype='float32'",
                stacklevel=3,
            )
        weights = np.asarray(1 if sample_weight is None else sample_weight).astype(self.dtype)
        weights = weights.ravel() if weights.ndim > 1 else weights
        if weights.shape not in ((), (1,), shape):
            raise ValueError(f"sample_weight: expected one, or {shape[0]}, got {weights.size}")
        return np.broadcast_to(weights, shape)

    def result(self) -> Any:
        """The mean over the classes that are measured and occur; 0 if none does."""
        matrix = self.total_cm.value
        hits = matrix.diagonal()[self.target_class_ids].astype(np.float32)
        # Both sums count the hits.
        either = (matrix.sum(axis=0) + matrix.sum(axis=1) - matrix.diagonal())[self.target_class_ids]
        either = either.astype(np.float32)
        occurs = either > 1e-9
        tiny = np.float32(epsilon())
        shares = np.where(occurs, hits / (either + tiny), np.float32(0))
        return shares.sum() / (np.float32(occurs.sum()) + tiny)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_without(self, *names: str) -> dict[str, Any]:
        return {name: value for name, value in IoU.get_config(self).items() if name not in names}


def _checked_number(num_classes: Any) -> int:
    if isinstance(num_classes, bool) or not isinstance(num_classes, (int, np.integer)) or num_classes < 1:
        raise ValueError(f"num_classes: expected an int >= 1, got {num_classes!r}")
    return int(num_classes)


class BinaryIoU(IoU):
    """`IoU` of the classes 0 and 1, the latter where a prediction is not below a threshold.

    Args:
        target_class_ids: [0], [1] or both, the default.
        threshold: default 0.5.
        name, dtype: as in `IoU`.

    Raises:
        ValueError: as `IoU`.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(2, target_class_ids, name=name, dtype=dtype)
        self.threshold = threshold

    def update_state(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Count a batch: class numbers, and predictions of the same shape; weights as in `IoU`."""
        super().update_state(y_true, numbers("y_pred", y_pred, np.float32) >= self.threshold, sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
            **Metric.get_config(self),
        }


class MeanIoU(IoU):
    """`IoU` of all classes; arguments and errors as there."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        targets = range(_checked_number(num_classes))
        super().__init__(num_classes, targets, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """`IoU` of targets that have a number for each class, and, unless sparse_y_pred is True, predictions that
    do; arguments and errors as there.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """`OneHotIoU` of all classes; arguments and errors as there."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return self._config_without("target_class_ids", "sparse_y_true")
