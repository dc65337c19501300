"""Shapes: tuples of sizes, the batch axis first; None where a size isn't known."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

Shape: TypeAlias = tuple[int | None, ...]


def checked_shape(shape: Any, name: str) -> Shape:
    """`shape` as a tuple of ints and Nones.

    Raises:
        ValueError: not an iterable of such, or a negative size.
    """
    if isinstance(shape, (str, bytes)) or not isinstance(shape, Iterable):
        raise ValueError(f"{name}: expected a tuple of sizes such as (784,), got {shape!r}")
    sizes = tuple(shape)
    for size in sizes:
        if size is None:
            continue
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 0:
            raise ValueError(f"{name}: expected sizes that are ints >= 0 or None, got {size!r} in {sizes}")
    return tuple(None if size is None else int(size) for size in sizes)


def known_sizes(shape: Shape, name: str) -> tuple[int, ...]:
    """The sizes after the batch axis, all of which must be known and positive.

    Raises:
        ValueError: one is None or 0.
    """
    sizes = []
    for size in shape[1:]:
        if size is None or size < 1:
            raise ValueError(
                f"{name}: expected every size after the batch axis to be known and at least 1, got {shape}"
            )
        sizes.append(size)
    return tuple(sizes)


def positions_and_features(shape: Shape, name: str) -> tuple[int, int]:
    """(product of the axes between the batch and the last one, size of the last axis)."""
    sizes = known_sizes(shape, name)
    return math.prod(sizes[:-1]), sizes[-1]


def input_shape_argument(kwargs: dict[str, Any]) -> Shape | None:
    """The shape of `input_shape` or `input_dim`, taken out of a layer's arguments, with a warning."""
    dim = kwargs.pop("input_dim", None)
    shape = kwargs.pop("input_shape", None)
    if dim is None and shape is None:
        return None
    warnings.warn(
        "`input_shape` and `input_dim` belong to an older style: in a Sequential model, put "
        "`keras.Input(shape)` first.",
        stacklevel=4,  # the line that made the layer
    )
    return checked_shape((dim,), "input_dim") if dim is not None else checked_shape(shape, "input_shape")
