"""Activations along an axis.

Of every function here x is an array of rank 1 or more, of dtypes as in `linear`, and axis one of its axes, by
default the last; ValueError where it has no such axis. Source: Keras 3 `keras.activations`.
"""

from __future__ import annotations

import numpy.typing as npt

from lamina.keras.activations.arrays import Array, along, floats


def softmax(x: npt.ArrayLike, axis: int | None = -1) -> Array:
    """exp(x_i) / sum_j exp(x_j) along an axis; the largest is subtracted first, so that nothing overflows.

    Args:
        x: array of rank 1 or more.
        axis: default the last; None for all numbers of x together.

    Raises:
        ValueError: x is a scalar, or has no such axis.
    """
    return _maybe_flat("softmax", x, axis)


def log_softmax(x: npt.ArrayLike, axis: int | None = -1) -> Array:
    """log(softmax(x)): x_i - max x - log(sum_j exp(x_j - max x)).

    Args:
        x: array of rank 1 or more.
        axis: default the last; None for all numbers of x together.

    Raises:
        ValueError: x is a scalar, or has no such axis.
    """
    return _maybe_flat("log_softmax", x, axis)


def sparsemax(x: npt.ArrayLike, axis: int = -1) -> Array:
    """max(x_i - t, 0), with t = (the sum of s_k over the support - 1) / its size.

    s_k is the sum of the k largest, and those k are the support whose k-th largest lies above (s_k - 1) / k.
    So Keras computes it. (Martins and Astudillo, ICML 2016, have s_k of the largest k alone there, for which
    the results sum to 1.)
    """
    return along("sparsemax", x, axis)


def glu(x: npt.ArrayLike, axis: int = -1) -> Array:
    """a sigmoid(b), a and b the halves of x along an axis. Dauphin et al., 2017.

    Returns:
        An array with half of x's size along the axis.

    Raises:
        ValueError: also for an odd size.
    """
    return along("glu", x, axis)


def _maybe_flat(name: str, x: npt.ArrayLike, axis: int | None) -> Array:
    if axis is not None:
        return along(name, x, axis)
    values = floats(x)
    return along(name, values.ravel(), -1).reshape(values.shape)
