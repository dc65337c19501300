"""to_categorical: class numbers to one-hot rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def to_categorical(x: npt.ArrayLike, num_classes: int | None = None) -> npt.NDArray[np.float64]:
    """One-hot rows of class numbers: `out[..., c] = 1 if x[...] == c else 0`.

    Args:
        x: class numbers from 0, of any shape (...); a last axis of length 1 is dropped. Fractions are cut
            off, as in Keras; a negative number counts from the last class.
        num_classes: length of the new last axis. Default: the largest class + 1.

    Returns:
        float64 array (..., num_classes).

    Raises:
        ValueError: x is empty and `num_classes` isn't given; a class is outside [-num_classes, num_classes).

    Source: Keras 3 `keras.utils.to_categorical`.
    """
    with np.errstate(invalid="ignore"):  # NaN becomes a number far out of range
        labels = np.asarray(x).astype(np.int64)
    shape = labels.shape[:-1] if labels.ndim > 1 and labels.shape[-1] == 1 else labels.shape
    flat = labels.reshape(-1)
    if not num_classes:
        if not flat.size:
            raise ValueError(
                "to_categorical: num_classes: expected a number of classes where x is empty, got none"
            )
        num_classes = int(flat.max()) + 1
    outside: Any = np.flatnonzero((flat < -num_classes) | (flat >= num_classes))
    if outside.size:
        first = outside[0]
        raise ValueError(
            f"to_categorical: x: expected numbers in [0, {num_classes}), got {flat[first]} at index {first}"
        )
    rows = np.zeros((flat.size, num_classes))
    rows[np.arange(flat.size), flat] = 1
    return rows.reshape(*shape, num_classes)
