"""The door for x: an array of real numbers that fits the model's input, never copied when it is an
ndarray.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras import config as keras_config
from lamina.keras._training.sparse import SparseRows, is_sparse, sparse_rows
from lamina.keras.layers.shape import Shape

_READ = frozenset("?bBhHiIlLqQefd")  # the dtypes' characters that the core reads


def input_rows(value: Any, name: str) -> npt.NDArray[Any] | SparseRows:
    """`value`, or the one array in a list, as rows for a model: an array as `real_array` has it, or a scipy
    sparse matrix's.

    Raises:
        TypeError, ValueError: as `real_array`.
    """
    value = unwrapped(value, 2)
    return sparse_rows(value, name) if is_sparse(value) else real_array(value, name)


def real_array(value: Any, name: str) -> npt.NDArray[Any]:
    """`value` as an ndarray of a dtype that the core reads: bool, (u)int8…64, float16/32/64, of any layout
    and byte order.

    An ndarray comes back as it is. Lists, data frames, tensors and whatever numpy can convert are converted.

    Raises:
        TypeError: not an array of real numbers.
        ValueError: rank 0, no rows, or rows of unequal length.
    """
    array = value if type(value) is np.ndarray else _plain_array(value, name)
    dtype = array.dtype
    if dtype.char not in _READ:
        raise TypeError(
            f"{name}: expected numbers (bool, int, uint, float16, float32 or float64), got dtype {dtype}"
        )
    if array.ndim == 0:
        raise ValueError(f"{name}: expected an array with a batch axis, got the single value {array}")
    if len(array) == 0:
        raise ValueError(f"{name}: expected at least one row, got shape {array.shape}")
    return array


def _plain_array(value: Any, name: str) -> npt.NDArray[Any]:
    if value is None:
        raise ValueError(f"{name}: expected an array, got None")
    if not isinstance(value, np.ndarray):
        value = _converted(value, name)
    elif isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name}: expected an array without a mask, got a masked array; fill it first, with x.filled(0)"
        )
    return np.asarray(value)


def _converted(value: Any, name: str) -> npt.NDArray[Any]:
    kind = type(value).__name__
    if isinstance(value, (str, bytes, dict, set, frozenset)):
        raise TypeError(f"{name}: expected an array, got {kind}")
    if hasattr(value, "toarray"):
        raise TypeError(f"{name}: expected a dense array, got the sparse {kind}; pass its .toarray()")
    if _is_frame(value):
        return _frame_values(value)
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        return np.from_dlpack(value)
    array_like = isinstance(value, (list, tuple, int, float, complex)) or any(
        hasattr(value, attribute) for attribute in ("__array__", "__array_interface__", "__buffer__")
    )
    if not array_like and not isinstance(value, (memoryview, bytearray)):
        raise TypeError(
            f"{name}: expected an array or what numpy can make one of, a generator or a data set of batches, "
            f"got {kind}"
        )
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{name}: expected an array, got a {kind} that numpy can't make one of: {error}"
        ) from None


def _is_frame(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "dtypes")


def _frame_values(value: Any) -> npt.NDArray[Any]:
    """A pandas DataFrame's or Series's numbers; columns of several kinds in the floatx, as Keras has them."""
    array = np.asarray(value)
    if array.dtype == object:
        dtypes = list(value.dtypes) if value.ndim > 1 else [value.dtype]
        if all(getattr(dtype, "kind", "O") in "biuf" for dtype in dtypes):
            return np.asarray(value.to_numpy(dtype=keras_config.floatx(), na_value=np.nan))
    return array


def unwrapped(value: Any, rank: int) -> Any:
    """The array in a list of one array: Keras's form of a model's only input. `rank` is the least the array
    must have.
    """
    if (
        isinstance(value, (list, tuple))
        and len(value) == 1
        and getattr(value[0], "ndim", 0) >= rank  # of numpy, pandas, torch …
    ):
        return value[0]
    return value


def fitted_input(x: Any, input_shape: Shape, name: str) -> Any:
    """`x` in the rank of the model's input: a last axis of length 1 is added or dropped, as in Keras; nothing
    else.

    Raises:
        ValueError: x has not this shape.
    """
    if x.shape[1:] == input_shape[1:]:
        return x
    fitted = x
    if isinstance(x, SparseRows):
        pass
    elif x.ndim == len(input_shape) + 1 and x.shape[-1] == 1:
        fitted = x[..., 0]
    elif x.ndim == len(input_shape) - 1 and input_shape[-1] == 1:
        fitted = x[..., np.newaxis]
    if fitted.shape[1:] != input_shape[1:]:
        raise ValueError(f"{name}: expected shape {written(input_shape)}, got {x.shape}")
    return fitted


def written(shape: Shape) -> str:
    """A shape for messages, the batch axis as n: (n, 784)."""
    sizes = ", ".join(str(size) for size in shape[1:])
    return f"(n, {sizes})" if sizes else "(n,)"
