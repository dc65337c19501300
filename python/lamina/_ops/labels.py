"""Class numbers, checked: a kernel that trusted a bad one would read past the end of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lamina._ops.arrays import as_array

if TYPE_CHECKING:
    from lamina._ops.arrays import Array


def labels(y_true: object, y_pred: Array) -> Array:
    """`y_true` as contiguous int64, one label in [0, classes) for each row of `y_pred`.

    Raises:
        TypeError: no array of numbers.
        ValueError: another number of labels, or one that is not an integer in [0, classes).
    """
    array = as_array(y_true, "y_true")
    *rows, classes = y_pred.shape
    if array.shape not in (tuple(rows), (*rows, 1)):
        raise ValueError(
            f"y_true must hold one label for each row of y_pred {y_pred.shape}, in shape {tuple(rows)} or "
            f"{(*rows, 1)}, got {array.shape}"
        )
    if array.dtype.kind not in "biuf":
        raise TypeError(f"y_true must hold integer labels, got {array.dtype}")
    if array.dtype.kind == "f":
        good = (array >= 0) & (array < classes) & (np.floor(array) == array)
        if not good.all():
            _refuse(array, good, classes)
    ready = array.dtype == np.int64 and array.flags.c_contiguous and array.flags.aligned
    result = (array if ready else np.array(array, dtype=np.int64, order="C")).reshape(-1)
    # Read as unsigned, a negative label is a huge one: a single maximum finds both kinds of stray.
    if result.size and int(result.view(np.uint64).max()) >= classes:
        _refuse(array, (array >= 0) & (array < classes), classes)
    return result


def _refuse(array: Array, good: Array, classes: int) -> None:
    index = int(np.argmin(good))  # in C order, as the rows are
    got = array.reshape(-1)[index]
    raise ValueError(f"y_true must hold integers in [0, {classes}), got {got} at index {index}")
