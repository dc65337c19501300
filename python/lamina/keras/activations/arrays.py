"""Activations on numpy arrays, by the core's kernels."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lamina import _core
from lamina.keras.activations.form import FORMS, FROM_OUTPUT, Form
from lamina.keras.config import floatx

Array: TypeAlias = npt.NDArray[Any]


def floats(x: npt.ArrayLike) -> Array:
    """x as float32 or float64 in the machine's byte order; other dtypes become floatx.

    Raises:
        TypeError: not real numbers.
    """
    values = np.asarray(x)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"x: expected numbers, got an array of dtype {values.dtype}")
    if values.dtype.kind == "f" and values.dtype.itemsize in (4, 8):
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    return values.astype(floatx())


def each(name: str, x: npt.ArrayLike, **arguments: Any) -> Array:
    """The activation of this name on every number of x."""
    return _applied(FORMS[name](**arguments), floats(x))


def along(name: str, x: npt.ArrayLike, axis: Any) -> Array:
    """The activation of this name along an axis of x.

    Raises:
        ValueError: x is a scalar, or has no such axis, or one that can't be halved.
    """
    values = floats(x)
    whole_int = isinstance(axis, (int, np.integer)) and not isinstance(axis, bool)
    if not whole_int or not -values.ndim <= axis < values.ndim:
        raise ValueError(f"{name}: axis: expected an axis of x, of shape {values.shape}, got {axis!r}")
    if name == "glu" and values.shape[axis] % 2:
        raise ValueError(f"glu: x: expected an even size along axis {axis}, got shape {values.shape}")
    return np.moveaxis(_applied(FORMS[name](), np.moveaxis(values, axis, -1)), -1, axis)


def _applied(form: Form, x: Array) -> Array:
    source = np.require(np.atleast_1d(x), requirements=("C", "A"))  # the kernels' layout
    width = source.shape[-1] // 2 if form.kind == "glu" else source.shape[-1]
    out = np.empty((*source.shape[:-1], width), source.dtype)
    if form.kind in FROM_OUTPUT and not (form.kind == "relu" and form.numbers):
        _core.activation(form.kind, source, out)
    else:
        _core.nonlinearity("cpu", form.kind, form.numbers, source, out)
    return out if out.shape[:-1] == x.shape[:-1] and x.ndim else out.reshape(x.shape)
