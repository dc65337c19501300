"""Regularizer: the base class of penalties, and what the core is told of them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np


class CorePenalty(NamedTuple):
    """`l1 · Σ|x| + l2 · Σx²`, as the core adds it to the loss."""

    l1: float
    l2: float


class Regularizer:
    """Base class of penalties that are added to the loss.

    A subclass of one's own implements `__call__(x)`, which gives the penalty of an array x, a number, and
    `gradient(x)`, its gradient, an array of x's shape: Lamina has no automatic differentiation.
    """

    def __call__(self, x: Any) -> Any:
        """The penalty of an array: a number of its dtype."""
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this regularizer again, under Keras's keys."""
        raise NotImplementedError(f"{type(self).__name__} must implement get_config()")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A regularizer from what `get_config` gave."""
        return cls(**config)


def checked_factor(argument: str, value: Any) -> float:
    """The value as a float; ValueError for anything but a finite int or float >= 0."""
    if not isinstance(value, (float, int)) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{argument}: expected a finite float >= 0, got {value!r}")
    return float(value)


def as_float32(value: float) -> float:
    """The value rounded to float32, which Keras on TensorFlow makes of a factor, for float64 weights too."""
    return float(np.float32(value))
