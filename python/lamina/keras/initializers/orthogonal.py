"""Orthogonal: a matrix whose rows or columns are orthonormal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.keras.initializers.initializer import (
    Array,
    RandomInitializer,
    checked_number,
    checked_shape,
    float_dtype,
)


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal columns, or rows where it has fewer of them, times gain.

    It is the Q of the QR decomposition of a normal matrix, columns times the signs of R's diagonal, which
    makes it uniform among the orthogonal matrices. With more than two axes all but the last are taken as
    rows.

    Args:
        gain: default 1.0.
        seed: as in `RandomInitializer`.

    Raises:
        ValueError: on call, fewer than two axes.

    Source: Saxe, McClelland, Ganguli, ICLR 2014; Keras 3 `initializers/random_initializers.py`.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = checked_number("gain", gain)
        super().__init__(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        sizes = checked_shape(shape)
        if len(sizes) < 2:
            raise ValueError(f"shape: expected at least two sizes for Orthogonal, got {sizes}")
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        drawn = self._normal((max(rows, columns), min(rows, columns)), "float64", 0.0, 1.0, truncated=False)
        q, r = np.linalg.qr(drawn)
        q *= np.sign(np.diag(r))
        if rows < columns:
            q = q.T
        return np.ascontiguousarray(self.gain * q.reshape(sizes), dtype=float_dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gain": self.gain}
