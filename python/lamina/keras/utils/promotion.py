"""Type promotion: the dtype of what comes of numbers of several dtypes."""

from __future__ import annotations

from typing import Any

from lamina.keras.utils.dtypes import standardize_dtype

# The next wider types of each, JAX's lattice; "int" and "float" are Python's, which give way to any width.
_WIDER: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int": ("uint8", "int8", "complex64"),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}
# Keras keeps int64 and float64 on TensorFlow only, and narrows these everywhere.
_NARROWED = {"uint64": "uint32", "complex128": "complex64"}


def result_type(*dtypes: Any) -> str:
    """The dtype that numbers of these dtypes are promoted to, as on TensorFlow: the least of JAX's lattice
    that is not below any of them.

    Args:
        dtypes: names or types; Python's `int` and `float` take the width of the others, or floatx's; None is
            floatx.

    Returns:
        Its name; floatx where no dtype is given.

    Raises:
        ValueError: no dtype, one of 8-bit floats, or a string: there is no promotion of these.

    Example:
        keras.backend.result_type("int32", "float16")  # "float16"

    Source: Keras 3 `keras.backend.result_type`; JAX's type promotion semantics.
    """
    from lamina.keras.config import floatx

    if not dtypes:
        return floatx()
    given = [(standardize_dtype(each), each is int or each is float) for each in dtypes]
    names = {name for name, _ in given}
    for name in names:
        if name.startswith("float8"):
            raise ValueError(f"dtypes: expected none of 8-bit floats, which must be cast, got {name!r}")
    if all(weak for _, weak in given):
        least = _least(names)
        return ("float" if least.startswith("float") else "int") + floatx()[-2:]
    if len(names) > 1:
        names = {("float" if name.startswith("float") else "int") if weak else name for name, weak in given}
        least = _least(names)
    else:
        least = names.pop()
    least = least + floatx()[-2:] if least in ("int", "float") else least
    return _NARROWED.get(least, least)


def _least(names: set[str]) -> str:
    for name in names:
        if name not in _WIDER:
            raise ValueError(f"dtypes: expected dtypes of numbers, got {name!r}")
    common = set.intersection(*(_all_above(name) for name in names))
    least = [name for name in common if common <= _all_above(name)]
    if len(least) != 1:
        raise ValueError(f"dtypes: expected some that can be promoted to one, got {', '.join(sorted(names))}")
    return least[0]


def _all_above(name: str) -> set[str]:
    return {name}.union(*(_all_above(wider) for wider in _WIDER[name]))
