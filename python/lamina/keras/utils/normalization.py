"""normalize: vectors of unit length."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def normalize(x: npt.ArrayLike, axis: int = -1, order: float = 2) -> npt.NDArray[Any]:
    """x divided by its norm along an axis: `x / ||x||_order`; a zero vector stays zero.

    Args:
        x: array of any shape; integers become float64.
        axis: the axis along which the norm is taken. Default the last.
        order: order of the norm, as in `numpy.linalg.norm`. Default 2.

    Returns:
        A new array of x's shape; a vector (n,) becomes one row (1, n), as in Keras.

    Source: Keras 3 `keras.utils.normalize` on numpy arrays.
    """
    values = np.atleast_2d(np.asarray(x))
    norm = np.linalg.norm(values, order, axis, keepdims=True)
    return values / np.where(norm == 0, 1, norm)
