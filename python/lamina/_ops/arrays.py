"""The door of `lamina.ops`: what comes in is checked and laid out, what goes out is allocated and checked.

The kernels of `lamina._core` take C-contiguous, aligned arrays in the machine's byte order, float32 or
float64, and trust their caller. An array that is so already passes untouched. Any other layout is copied to
that one, never handed on as a stride or a transpose: so every layout gives the same bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina import _core

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)


def floats(value: object, name: str) -> Array:
    """`value` as a C-contiguous, aligned float32 or float64 array in native byte order.

    Itself, where it is one.

    Raises:
        TypeError: another dtype, a masked array, or something that is no array at all.
    """
    array: Array = value if type(value) is np.ndarray else as_array(value, name)
    dtype = array.dtype
    if dtype is FLOAT32 or dtype is FLOAT64:
        flags = array.flags
        if flags.c_contiguous and flags.aligned:
            return array
    elif dtype != FLOAT32 and dtype != FLOAT64 and dtype.newbyteorder("=") not in (FLOAT32, FLOAT64):
        raise TypeError(f"{name} must be a float32 or float64 array, got {dtype}")
    return np.array(array, dtype=FLOAT32 if dtype.itemsize == 4 else FLOAT64, order="C")


def all_floats(names: tuple[str, ...], *values: Any) -> tuple[Array, ...]:
    """`floats` of each value; TypeError unless all have the dtype of the first."""
    if _core.are_plain(values):  # the common case, told quickly
        return values
    arrays = tuple(floats(value, name) for name, value in zip(names, values, strict=True))
    for name, array in zip(names, arrays, strict=True):
        same_dtype(array, name, arrays[0], names[0])
    return arrays


def as_array(value: object, name: str) -> Array:
    """`np.asarray`, with errors that name the argument, and without losing a mask."""
    if is_masked(value):
        raise TypeError(f"{name} must be a plain array, got a masked array: fill it, as in {name}.filled(0)")
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array, got {type(value).__name__}: {error}") from error


def is_masked(value: object) -> bool:
    # By name: importing numpy.ma only to ask would cost every user of lamina its load time.
    return any(kind.__name__ == "MaskedArray" for kind in type(value).__mro__)


def same_dtype(array: Array, name: str, like: Array, like_name: str) -> None:
    """TypeError unless both are float32 or both float64: which to take is the caller's decision."""
    if array.dtype is not like.dtype and array.dtype != like.dtype:
        raise TypeError(f"{name} must be {like.dtype} as {like_name} is, got {array.dtype}")


def same_shape(array: Array, name: str, like: Array, like_name: str) -> None:
    if array.shape != like.shape:
        raise ValueError(f"{name} must have the shape of {like_name}, {like.shape}, got {array.shape}")


def overlap(a: Array, b: Array) -> bool:
    """True if some byte belongs to both; for two arrays that own their memory that is known at once."""
    return a is b or ((a.base is not None or b.base is not None) and np.shares_memory(a, b))


def check_out(out: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """TypeError or ValueError unless `out` can take a result of this shape and dtype."""
    if type(out) is not np.ndarray and (not isinstance(out, np.ndarray) or is_masked(out)):
        raise TypeError(f"out must be a {dtype} array of shape {shape}, got {type(out).__name__}")
    if out.dtype != dtype and out.dtype.newbyteorder("=") != dtype:
        raise TypeError(f"out must be {dtype} as the result is, got {out.dtype}")
    if out.shape != shape:
        raise ValueError(f"out must have the shape of the result, {shape}, got {out.shape}")
    if not out.flags.writeable:
        raise ValueError("out must be writable, got a read-only array")
    return out


def target(out: Array | None, shape: tuple[int, ...], dtype: np.dtype[Any], *inputs: Array) -> Array:
    """Where a kernel may write: `out`, or a new array if that overlaps `inputs` or has another layout."""
    if out is None:
        return np.empty(shape, dtype)
    check_out(out, shape, dtype)
    return out if _usable(out, dtype) and not any(overlap(out, a) for a in inputs) else np.empty(shape, dtype)


def in_place_target(out: Array | None, *inputs: Array) -> Array:
    """`target` for elementwise kernels, which may write over an input that lies exactly where `out` does."""
    like = inputs[0]
    if out is None:
        return np.empty(like.shape, like.dtype)
    check_out(out, like.shape, like.dtype)
    if not _usable(out, like.dtype) or any(_in_the_way(a, out) for a in inputs):
        return np.empty(like.shape, like.dtype)
    return out


def _usable(out: Array, dtype: np.dtype[Any]) -> bool:
    flags = out.flags
    return flags.c_contiguous and flags.aligned and out.dtype == dtype


def _in_the_way(a: Array, out: Array) -> bool:
    """Whether two C-contiguous arrays overlap without being the same values in the same place."""
    if a is out or not overlap(a, out):
        return False
    start, other = a.__array_interface__["data"][0], out.__array_interface__["data"][0]
    return bool(start != other or a.dtype != out.dtype or a.size != out.size)


def deliver(result: Array, out: Array | None) -> Array:
    """What the function returns: `out` with the result in it, or the result (rank 0: a scalar)."""
    if out is None:
        return result if result.ndim else result[()]
    if result is not out:
        np.copyto(out, result)
    return out
