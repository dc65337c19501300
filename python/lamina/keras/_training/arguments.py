"""The doors for numbers and switches: batch_size, epochs, verbose …"""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection
from typing import Any

import numpy as np

from lamina.keras import config as keras_config
from lamina.keras._training.tracebacks import callers_level


def integer(name: str, value: Any, least: int) -> int:
    """`value` as an int >= least.

    Raises:
        TypeError: not an int.
        ValueError: too small.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name}: expected an int >= {least}, got {value!r} (of type {type(value).__name__})")
    if value < least:
        raise ValueError(f"{name}: expected an int >= {least}, got {value!r}")
    return int(value)


def batch_size_or_default(
    value: Any, name: str = "batch_size", rows: int = 0, steps: int | None = None
) -> int:
    """The batch size; for None that which makes so many steps of the rows, or 32."""
    if value is not None:
        return integer(name, value, 1)
    return math.ceil(rows / steps) if steps else 32


def checked_verbose(value: Any) -> Any:
    """`value` if it is "auto", 0, 1 or 2.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is int:
        known = 0 <= value <= 2
    elif isinstance(value, str):
        known = value == "auto"
    else:
        known = isinstance(value, (bool, np.bool_, int, np.integer)) and value in (0, 1, 2)
    if not known:
        raise ValueError(f"verbose: expected 'auto', 0, 1 or 2, got {value!r}")
    return value


def checked_shuffle(value: Any) -> bool | str:
    """`value` as a bool, or "batch".

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, str) and value == "batch":
        return value
    if not isinstance(value, (bool, np.bool_, int, np.integer)) or value not in (0, 1):
        raise ValueError(f"shuffle: expected True, False or 'batch', got {value!r}")
    return bool(value)


def checked_steps(name: str, value: Any) -> int | None:
    """A number of steps; None (also for 0, as in Keras) is as many as there are.

    Raises:
        TypeError, ValueError: no int >= 0.
    """
    return None if value is None else integer(name, value, 0) or None


def capped_epochs(epochs: int) -> int:
    """`epochs`, or `keras.config.max_epochs()` with a warning where that is less."""
    most = keras_config.max_epochs()
    if not most or most >= epochs:
        return epochs
    warnings.warn(f"Limiting epochs to {most}", stacklevel=callers_level())
    return most


def capped_steps(steps: int | None) -> int | None:
    """`steps`, or `keras.config.max_steps_per_epoch()` with a warning where that is less."""
    most = keras_config.max_steps_per_epoch()
    if not most or (steps and steps <= most):
        return steps
    warnings.warn(f"Limiting steps_per_epoch to {most}", stacklevel=callers_level())
    return most


def checked_split(value: Any) -> float:
    """validation_split: a number in [0, 1), 0 for none.

    Raises:
        TypeError: not a number.
        ValueError: outside [0, 1).
    """
    if value is None:
        return 0.0
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"validation_split: expected a number in [0, 1), got {value!r}")
    if not 0 <= value < 1:
        raise ValueError(f"validation_split: expected a number in [0, 1), got {value!r}")
    return float(value)


def checked_frequency(value: Any) -> int | frozenset[int]:
    """validation_freq: an int >= 1 (every so many epochs) or a collection of epochs counted from 1.

    Raises:
        TypeError: neither.
        ValueError: a number below 1.
    """
    if isinstance(value, Collection) and not isinstance(value, (str, bytes)):
        return frozenset(integer("validation_freq", epoch, 1) for epoch in value)
    return integer("validation_freq", value, 1)


def is_due(epoch: int, frequency: int | frozenset[int]) -> bool:
    """Whether epoch (counted from 0) ends with a validation."""
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
