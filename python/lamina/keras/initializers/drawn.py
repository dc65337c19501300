"""Initializers that draw from a distribution of given width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.keras.initializers.initializer import Array, RandomInitializer, checked_number


class RandomUniform(RandomInitializer):
    """Uniform in [minval, maxval).

    Args:
        minval: default -0.05.
        maxval: default 0.05, at least minval.
        seed: as in `RandomInitializer`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval = checked_number("minval", minval)
        self.maxval = checked_number("maxval", maxval, low=self.minval)
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        return self._uniform(shape, dtype, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class RandomNormal(RandomInitializer):
    """Normal.

    Args:
        mean: default 0.0.
        stddev: >= 0, default 0.05.
        seed: as in `RandomInitializer`.
    """

    _truncated = False

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = checked_number("mean", mean)
        self.stddev = checked_number("stddev", stddev, low=0)
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        return self._normal(shape, dtype, self.mean, self.stddev, self._truncated)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Normal, what lies more than two standard deviations from the mean drawn again.

    Args:
        mean: default 0.0.
        stddev: that of the normal before the cut, >= 0, default 0.05; after it, it is 0.8796 times that.
        seed: as in `RandomInitializer`.
    """

    _truncated = True
