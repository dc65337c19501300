"""Initializer: the base class, and the checks of shape, dtype and seed."""

from __future__ import annotations

import operator
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina import _core
from lamina.keras.config import floatx

Array = npt.NDArray[Any]


class Initializer:
    """Base class of the initializers: a subclass implements `__call__(shape, dtype=None)`."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        """An array of this shape and dtype (default floatx)."""
        raise NotImplementedError(f"{type(self).__name__} must implement __call__(shape, dtype)")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def clone(self) -> Any:
        """A new initializer with the same arguments (and a seed of its own, if it was given none)."""
        return type(self).from_config(self.get_config())


class RandomInitializer(Initializer):
    """Base class of those that draw.

    Args:
        seed: int >= 0; the same seed gives the same values at every call. None (default) draws one, once,
            from Python's `random`, so that `utils.set_random_seed` governs it.

    Raises:
        ValueError: no such seed.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._given_seed = seed
        if seed is None:
            self.seed = random.randint(1, 10**9)
        elif isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64:
            raise ValueError(f"seed: expected None or an int in [0, 2**64), got {seed!r}")
        else:
            self.seed = self._given_seed = int(seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._given_seed}

    def _normal(self, shape: Sequence[int], dtype: Any, mean: float, stddev: float, truncated: bool) -> Array:
        kind = float_dtype(dtype)
        out = np.empty(checked_shape(shape), _drawn_in(kind))
        _core.random_normal(out, self.seed, 0, mean, stddev, truncated)
        return out.astype(kind, copy=False)

    def _uniform(self, shape: Sequence[int], dtype: Any, low: float, high: float) -> Array:
        kind = float_dtype(dtype)
        out = np.empty(checked_shape(shape), _drawn_in(kind))
        _core.random_uniform(out, self.seed, 0, low, high)
        return out.astype(kind, copy=False)


def checked_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape as a tuple of ints >= 0; ValueError for anything else."""
    try:
        sizes = tuple(operator.index(size) for size in shape)
    except TypeError:
        raise ValueError(f"shape: expected a tuple of ints, got {shape!r}") from None
    if any(size < 0 for size in sizes):
        raise ValueError(f"shape: expected sizes >= 0, got {shape!r}")
    return sizes


def float_dtype(dtype: Any) -> Any:
    """float16, float32 or float64; floatx for None; ValueError for anything else."""
    try:
        kind = np.dtype(floatx() if dtype is None else dtype)
    except TypeError:
        kind = None
    if kind not in (np.float16, np.float32, np.float64):
        raise ValueError(f"dtype: expected 'float16', 'float32' or 'float64', got {dtype!r}")
    return kind


def _drawn_in(kind: Any) -> Any:
    return np.dtype(np.float32) if kind == np.float16 else kind


def checked_number(argument: str, value: Any, low: float = -np.inf) -> float:
    """The value as a finite float >= low; ValueError for anything else."""
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ValueError(f"{argument}: expected a number, got {value!r}")
    if not np.isfinite(value) or value < low:
        raise ValueError(
            f"{argument}: expected a finite number{'' if low == -np.inf else f' >= {low:g}'}, got {value!r}"
        )
    return float(value)
