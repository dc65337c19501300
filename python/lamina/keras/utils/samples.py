"""split_dataset: data divided in two."""

from __future__ import annotations

import random
from typing import Any

import numpy as np


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: Any = None,
) -> tuple[Any, Any]:
    """Divide data in two, as for training and testing.

    Keras gives data sets of its backend; here each side is arrays again: `fit(*left)` trains with it.

    Args:
        dataset: an array, or a list or tuple of arrays of as many rows.
        left_size, right_size: how many rows, an int, or which part of them, a float between 0 and 1,
            rounded. One may be left to the other: what remains.
        shuffle: whether the rows are put in another order first. Default False.
        seed: int for that order; None (default) draws one from Python's `random`.
        preferred_backend: None only.

    Returns:
        (left, right), each an array or a tuple of arrays.

    Raises:
        ValueError, TypeError: no arrays, or sizes that leave a side empty or are more than there is.
    """
    if preferred_backend is not None:
        raise ValueError(f"preferred_backend: expected None, for arrays, got {preferred_backend!r}")
    one = isinstance(dataset, np.ndarray)
    if not one and not (
        isinstance(dataset, (list, tuple)) and all(hasattr(part, "__array__") for part in dataset)
    ):
        raise TypeError(
            f"dataset: expected an array, or a list or tuple of arrays, got {type(dataset).__name__}"
        )
    arrays = [np.asarray(part) for part in ([dataset] if one else dataset)]
    if not arrays or any(part.ndim == 0 or len(part) != len(arrays[0]) for part in arrays):
        raise ValueError(
            f"dataset: expected arrays of as many rows, got shapes {[part.shape for part in arrays]}"
        )
    rows = len(arrays[0])
    left, right = _sizes(left_size, right_size, rows)
    order = list(range(rows))
    if shuffle:
        random.Random(random.randint(0, 10**6) if seed is None else seed).shuffle(order)
    sides = tuple(tuple(part[chosen] for part in arrays) for chosen in (order[:left], order[rows - right :]))
    return (sides[0][0], sides[1][0]) if one else (sides[0], sides[1])


def _sizes(left_size: Any, right_size: Any, rows: int) -> tuple[int, int]:
    if left_size is None and right_size is None:
        raise ValueError("left_size, right_size: expected at least one of them, got None for both")
    counts: list[int | None] = []
    for name, size in (("left_size", left_size), ("right_size", right_size)):
        if size is None:
            counts.append(None)
            continue
        if type(size) not in (int, float):
            raise TypeError(f"{name}: expected an int, a float or None, got {size!r}")
        if not 0 < size < (1 if isinstance(size, float) else rows):
            raise ValueError(
                f"{name}: expected an int below {rows} or a float below 1, above 0, got {size!r}"
            )
        counts.append(round(size * rows) if isinstance(size, float) else size)
    left, right = counts
    left = rows - (right or 0) if left is None else left
    right = rows - left if right is None else right
    if left + right > rows:
        raise ValueError(
            f"left_size, right_size: expected no more than {rows} rows in all, got {left} + {right}"
        )
    if left == 0 or right == 0:
        raise ValueError(
            f"left_size, right_size: expected rows on both sides, got {left} and {right} of {rows}"
        )
    return left, right
