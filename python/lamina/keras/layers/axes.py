"""Axes of a sample, and the order of its numbers once some of them have moved to the end."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.layers.shape import Shape


def checked_axes(axis: Any, where: str) -> int | list[int]:
    """`axis` as an int or a list of ints.

    Raises:
        TypeError: neither.
    """
    entries = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    if any(isinstance(entry, bool) or not hasattr(entry, "__index__") for entry in entries):
        raise TypeError(f"{where}: axis: expected an int or a list or tuple of ints, got {axis!r}")
    numbers = [operator.index(entry) for entry in entries]
    return numbers if isinstance(axis, (list, tuple)) else numbers[0]


def sample_axes(axis: int | Sequence[int], shape: Shape, where: str) -> list[int]:
    """The axes, ascending, counted from 0 after the batch axis.

    Raises:
        ValueError: an axis that the shape hasn't, the batch axis, or one given twice.
    """
    rank = len(shape)
    found = []
    for entry in [axis] if isinstance(axis, int) else axis:
        if not -rank <= entry < rank:
            raise ValueError(f"{where}: axis: {entry} is out of bounds for input shape {tuple(shape)}")
        found.append(entry % rank - 1)
    if -1 in found:
        raise ValueError(f"{where}: axis: the batch axis can't be among those normalized, got {axis!r}")
    if len(set(found)) < len(found):
        raise ValueError(f"{where}: axis: expected each axis once, got {axis!r} for input shape {shape}")
    return sorted(found)


def moved_order(sizes: Sequence[int], axes: Sequence[int]) -> npt.NDArray[np.int64]:
    """Where each number of a sample of these sizes comes from once its axes stand in this order."""
    places: npt.NDArray[np.int64] = np.arange(math.prod(sizes), dtype=np.int64).reshape(sizes)
    return np.ascontiguousarray(places.transpose(axes)).reshape(-1)


def add_in_order(network: Any, order: npt.NDArray[np.int64], add: Any) -> None:
    """Let `add` add layers to the core's network that see the numbers of a sample in this order."""
    moves = bool((np.diff(order) != 1).any())
    if moves:
        network.add_rearrangement(order)
    add()
    if moves:
        network.add_rearrangement(np.argsort(order))
