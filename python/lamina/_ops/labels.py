"""Class numbers, in the form in which the core takes and checks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lamina._ops.arrays import as_array

if TYPE_CHECKING:
    from lamina._ops.arrays import Array

INT64 = np.dtype(np.int64)


def labels(y_true: object, y_pred: Array) -> Array:
    """`y_true` as contiguous int64, one label for each row of `y_pred`; the core refuses what is no class.

    Raises:
        TypeError: no array of numbers.
        ValueError: another number of labels, or one that is no integer, or no class and no int64.
    """
    array = y_true if type(y_true) is np.ndarray else as_array(y_true, "y_true")
    *rows, classes = y_pred.shape
    if array.shape not in (tuple(rows), (*rows, 1)):
        raise ValueError(
            f"y_true must hold one label for each row of y_pred {y_pred.shape}, in shape {tuple(rows)} or "
            f"{(*rows, 1)}, got {array.shape}"
        )
    if array.dtype.kind not in "biuf":
        raise TypeError(f"y_true must hold integer labels, got {array.dtype}")
    # Of other numbers the core sees a stray one itself; these it would see changed, or not at all.
    if array.dtype.kind == "f" or array.dtype.newbyteorder("=") == np.uint64 or not classes:
        good = (array >= 0) & (array < classes) & (np.floor(array) == array)
        if not good.all():
            _refuse(array, good, classes)
    flags = array.flags
    ready = array.dtype is INT64 and flags.c_contiguous and flags.aligned
    return array.reshape(-1) if ready else np.array(array, dtype=np.int64, order="C").reshape(-1)


def _refuse(array: Array, good: Array, classes: int) -> None:
    index = int(np.argmin(good))  # in C order, as the rows are
    got = array.reshape(-1)[index]
    raise ValueError(f"y_true must hold integers in [0, {classes}), got {got} at index {index}")
