"""Activation functions, on numpy arrays; in a layer the core applies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lamina import _core
from lamina.keras._training.absent import refuse_absent
from lamina.keras.config import floatx

Array: TypeAlias = npt.NDArray[Any]

__all__ = ["deserialize", "get", "linear", "relu", "serialize", "sigmoid", "softmax", "tanh"]


def linear(x: npt.ArrayLike) -> Array:
    """x itself.

    Args:
        x: array of any shape. float32 and float64 stay; other dtypes become floatx.

    Returns:
        An array of x's shape.
    """
    return _floats(x)


def relu(
    x: npt.ArrayLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Array:
    """max(x, 0).

    In general: x where x > threshold, cut to [0, max_value], else negative_slope (x - threshold).

    Args:
        x: array of any shape, as in `linear`.
        negative_slope: slope below the threshold. Default 0.
        max_value: upper bound; None (default) for none.
        threshold: where the linear part begins. Default 0.

    Returns:
        An array of x's shape. NaN stays NaN.
    """
    values = _floats(x)
    if negative_slope == 0.0 and max_value is None and threshold == 0.0:
        return _apply("relu", values)
    above = np.where(values <= threshold, 0, values)  # NaN passes
    if max_value is not None:
        above = np.clip(above, 0, max_value)
    if negative_slope != 0.0:
        above = above + negative_slope * np.minimum(values - threshold, 0)
    return np.asarray(above, dtype=values.dtype)


def sigmoid(x: npt.ArrayLike) -> Array:
    """1 / (1 + exp(-x)), without overflow.

    Args:
        x: array of any shape, as in `linear`.
    """
    return _apply("sigmoid", _floats(x))


def tanh(x: npt.ArrayLike) -> Array:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)), without overflow.

    Args:
        x: array of any shape, as in `linear`.
    """
    return _apply("tanh", _floats(x))


def softmax(x: npt.ArrayLike, axis: int = -1) -> Array:
    """exp(x_i) / sum_j exp(x_j) along an axis; the largest is subtracted first, so that nothing overflows.

    Args:
        x: array of rank 1 or more, as in `linear`.
        axis: default the last.

    Raises:
        ValueError: x is a scalar, or has no such axis.
    """
    values = _floats(x)
    if not isinstance(axis, (int, np.integer)) or not -values.ndim <= axis < values.ndim:
        raise ValueError(f"softmax: axis: expected an axis of x, of shape {values.shape}, got {axis!r}")
    return np.moveaxis(_apply("softmax", np.moveaxis(values, axis, -1)), -1, axis)


_KNOWN: dict[str, Callable[..., Array]] = {f.__name__: f for f in (linear, relu, sigmoid, softmax, tanh)}


def get(identifier: Any) -> Callable[..., Array]:
    """The activation function of that name.

    Args:
        identifier: a name, one of these functions, or None for `linear`.

    Raises:
        ValueError: a name that isn't known.
        TypeError: a function of your own: it would need automatic differentiation, which Lamina does not
            have.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, str):
        if identifier not in _KNOWN:
            raise ValueError(
                f"activation: expected one of {', '.join(_KNOWN)}, got {identifier!r}; "
                "what else Keras has is not supported yet"
            )
        return _KNOWN[identifier]
    if any(identifier is function for function in _KNOWN.values()):
        return _KNOWN[identifier.__name__]
    if callable(identifier):
        raise TypeError(
            f"activation: expected one of {', '.join(_KNOWN)}, got {identifier!r}; an activation of your own "
            "would need automatic differentiation, which Lamina does not have"
        )
    raise ValueError(f"activation: expected a name or None, got {identifier!r}")


def serialize(activation: Any) -> str:
    """The name of an activation function."""
    return get(activation).__name__


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Callable[..., Array]:
    """The activation function of a name, or of a dict {"class_name": "function", "config": name}."""
    if isinstance(config, Mapping):
        return get(config.get("config") or config.get("class_name"))
    return get(config)


def _floats(x: npt.ArrayLike) -> Array:
    values = np.asarray(x)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"x: expected numbers, got an array of dtype {values.dtype}")
    if values.dtype.kind == "f" and values.dtype.itemsize in (4, 8):
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    return values.astype(floatx())


def _apply(name: str, x: Array) -> Array:
    source = np.require(np.atleast_1d(x), requirements=("C", "A"))  # the kernels' layout
    out = np.empty_like(source)
    _core.activation(name, source, out)
    return out.reshape(x.shape)


refuse_absent(__name__)
