"""What batch renormalization has beside batch normalization: bounds, and where its deviations start."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lamina.keras import initializers

KEYS = ("rmin", "rmax", "dmax")


def checked_clipping(clipping: Any) -> dict[str, Any]:
    """The bounds that are given; {} for None.

    Raises:
        ValueError: no such dict, or bounds that nothing lies between.
    """
    if not clipping:
        return {}
    if not isinstance(clipping, Mapping) or set(clipping) - set(KEYS):
        raise ValueError(f"renorm_clipping: expected a dict with keys of {', '.join(KEYS)}, got {clipping!r}")
    for key, value in clipping.items():
        if value is not None and (isinstance(value, (bool, str)) or not hasattr(value, "__float__")):
            raise ValueError(f"renorm_clipping: {key}: expected a number or None, got {value!r}")
    low, high, most = clipping_bounds(clipping)
    if high < low:
        raise ValueError(f"renorm_clipping: rmax: expected rmin, {low}, or more, got {high}")
    if most < 0:
        raise ValueError(f"renorm_clipping: dmax: expected 0 or more, got {most}")
    return dict(clipping)


def clipping_bounds(clipping: Mapping[str, Any]) -> tuple[float, float, float]:
    """The smallest r, the largest, and the largest |d|; infinite where none is given."""
    given = [clipping.get(key) for key in KEYS]
    free = (-math.inf, math.inf, math.inf)
    low, high, most = (
        bound if value is None else float(value) for value, bound in zip(given, free, strict=True)
    )
    return low, high, most


def deviation_of(variance: Any) -> Callable[..., Any]:
    """An initializer of the root of what this one gives; it draws anew, as one of the same config would."""

    def initializer(shape: tuple[int, ...], dtype: Any = None) -> Any:
        again = variance
        if isinstance(variance, initializers.Initializer):
            again = type(variance).from_config(variance.get_config())
        return np.sqrt(np.asarray(again(shape, dtype=dtype)))

    return initializer
