"""The door of the optimizer steps: arrays that are changed in place, and the numbers that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina import _core
from lamina._ops.arrays import floats, is_masked, overlap, same_dtype, same_shape

if TYPE_CHECKING:
    from lamina._ops.arrays import Array

    Copied = list[tuple[Array, Array]]

NONE: Mapping[str, Any] = {}


def lay_out(
    w: Array, dw: object, needed: Mapping[str, Array] = NONE, optional: Mapping[str, Array | None] = NONE
) -> tuple[list[Any], Copied]:
    """Check the arrays of a step and give what the kernel takes for each: [w, dw, *needed, *optional].

    An optional slot that is left out is None. An array to be changed that has not the kernels' layout is
    copied; the pairs (array, copy) come second, for `write_back`.
    """
    as_they_are = [w, dw, *needed.values(), *optional.values()]
    if _core.are_apart(as_they_are, 2 + len(needed)):  # nothing to check or to copy: the common case
        return as_they_are, []
    copied: Copied = []
    arrays: list[Any] = [_changed(w, "w", copied), floats(dw, "dw")]
    given: list[tuple[str, Any]] = [("w", w), ("dw", dw)]
    for name, slot in needed.items():
        arrays.append(_changed(slot, name, copied))
        given.append((name, slot))
    for name, optional_slot in optional.items():
        arrays.append(None if optional_slot is None else _changed(optional_slot, name, copied))
        given.append((name, optional_slot))
    weights = arrays[0]
    for (name, _), array in zip(given, arrays, strict=True):
        if array is not None:
            same_dtype(array, name, weights, "w")
            same_shape(array, name, weights, "w")
    _check_apart([(name, array) for name, array in given if isinstance(array, np.ndarray)])
    return arrays, copied


def _check_apart(given: list[tuple[str, Array]]) -> None:
    """ValueError if two arrays share memory."""
    for (name, array), (other_name, other) in combinations(given, 2):
        if overlap(array, other):
            raise ValueError(
                f"{other_name} must not share memory with {name}: one of them is changed in place"
            )


def write_back(copied: Copied) -> None:
    for array, copy in copied:
        np.copyto(array, copy)


def _changed(array: object, name: str, copied: Copied) -> Array:
    if not isinstance(array, np.ndarray) or is_masked(array):
        raise TypeError(
            f"{name} must be a float32 or float64 array to change in place, got {type(array).__name__}"
        )
    laid_out = floats(array, name)
    if not array.flags.writeable:
        raise ValueError(f"{name} must be writable, got a read-only array")
    if laid_out is not array:
        copied.append((array, laid_out))
    return laid_out


def number(value: object, name: str) -> float:
    """A hyper-parameter as a float; TypeError if it is no real number."""
    if type(value) is float:
        return value
    if isinstance(value, Real):
        return float(value)
    raise TypeError(f"{name} must be a number, got {type(value).__name__}")


def step_number(value: object) -> int:
    """The number of a step, from 1 on."""
    if not isinstance(value, Integral):
        raise TypeError(f"step must be an integer, got {type(value).__name__}")
    if value < 1:
        raise ValueError(f"step must be at least 1, the first step, got {value}")
    return int(value)
