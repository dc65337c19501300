"""The doors for sample_weight and class_weight."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras import config as keras_config
from lamina.keras._training.inputs import real_array, written
from lamina.keras.layers.shape import Shape


def checked_sample_weight(value: Any, name: str) -> npt.NDArray[Any] | None:
    """The weights as an array, (n, 1) and (n, 1, ..., 1) as (n,); None for None.

    Raises:
        TypeError: not an array of real numbers.
        ValueError: empty, or a single value.
    """
    if value is None:
        return None
    weights = real_array(value, name)
    return weights.reshape(len(weights)) if weights.ndim > 1 and set(weights.shape[1:]) == {1} else weights


def check_weight_shape(weights: npt.NDArray[Any] | None, output_shape: Shape, name: str) -> None:
    """Weights are one per sample, or one per position where the output has several per sample.

    Raises:
        ValueError: another shape.
    """
    middle = tuple(output_shape[1:-1])
    if weights is not None and weights.ndim != 1 and weights.shape[1:] != middle:
        forms = f"(n,) or {written(output_shape[:-1])}" if middle else "(n,)"
        raise ValueError(f"{name}: expected one weight per sample, shape {forms}, got {weights.shape}")


def weights_of_classes(y: npt.NDArray[Any], class_weight: Any) -> npt.NDArray[Any]:
    """A weight per sample from one per class, as Keras: classes that are not named weigh 1.

    Args:
        y: class numbers (n,) or (n, 1), rounded; or rows (n, ..., k), of which the largest entry is the
            class.
        class_weight: dict from class number to weight.

    Returns:
        Array (n,) of dtype floatx.

    Raises:
        TypeError: class_weight is no dict of numbers.
        ValueError: y has more than one class per sample.
    """
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"class_weight: expected a dict from class number to weight, got {class_weight!r}")
    for label, weight in class_weight.items():
        _check_entry(label, weight)
    labels = y
    if y.ndim > 1:
        labels = y[..., 0] if y.shape[-1] == 1 else y.argmax(axis=-1)
    if labels.ndim != 1:
        raise ValueError(f"class_weight: expected one class per sample, got y of shape {y.shape}")
    weights = np.ones(len(labels), dtype=keras_config.floatx())
    rounded = np.round(labels.astype(np.float64))
    for label, weight in class_weight.items():
        weights[rounded == label] = weight
    return weights


def _check_entry(label: Any, weight: Any) -> None:
    # As Keras, whose dict is asked for ints: True and 1.0 are found as 1.
    if not isinstance(label, (numbers.Real, np.bool_)) or not float(label).is_integer():
        raise TypeError(f"class_weight: expected class numbers as keys, got {label!r}")
    numeric = isinstance(weight, (int, float, np.integer, np.floating)) and not isinstance(
        weight, (bool, np.bool_)
    )
    if not numeric or not math.isfinite(weight):
        raise TypeError(f"class_weight: expected a finite number for class {label}, got {weight!r}")
