"""The names of dtypes, and arrays of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_KNOWN = (
    *("float16", "float32", "float64", "bfloat16", "float8_e4m3fn", "float8_e5m2"),
    *("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("bool", "string", "complex64", "complex128"),
)
_PYTHON = {
    bool: "bool",
    int: "int64",
    float: "float32",
    str: "string",
    "int": "int64",
    complex: "complex128",
}


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype: of Python's, numpy's, torch's or TensorFlow's; floatx for None.

    Raises:
        ValueError: no dtype of Keras's.
    """
    if dtype is None:
        from lamina.keras.config import floatx

        return floatx()
    try:
        found = _PYTHON.get(dtype, dtype)
    except TypeError:  # not hashable, so none of these
        found = dtype
    name = getattr(found, "name", None) or getattr(found, "__name__", None)
    if name is None:
        name = str(found).split(".")[-1] if "torch" in str(found) else found
    if name not in _KNOWN:
        raise ValueError(f"dtype: expected one of {', '.join(_KNOWN)}, got {dtype!r}")
    return str(name)


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of floats, bfloat16 included."""
    return standardize_dtype(dtype).startswith(("float", "bfloat"))


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype is one of whole numbers, signed or not."""
    return standardize_dtype(dtype).startswith(("int", "uint"))


def in_dtype(values: Any, dtype: str) -> npt.NDArray[Any]:
    """The values in this dtype; for "bfloat16", which NumPy hasn't, its numbers in an array of float32."""
    if dtype != "bfloat16":
        return np.asarray(values).astype(dtype)
    single = np.asarray(values).astype(np.float32)
    bits = single.view(np.uint32)  # the upper half is a bfloat16; to nearest, ties to even
    upper = bits + np.uint32(0x7FFF) + (bits >> 16 & 1) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(single), single, upper.view(np.float32))
