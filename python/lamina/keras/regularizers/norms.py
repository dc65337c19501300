"""L1, L2 and L1L2: penalties on the sizes of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.keras.regularizers.regularizer import CorePenalty, Regularizer, as_float32, checked_factor


def _penalty(x: Any, l1: float, l2: float) -> Any:
    values = np.asarray(x)
    kind = values.dtype.type
    l1, l2 = as_float32(l1), as_float32(l2)
    total = kind(0)
    if l1 != 0:
        total += kind(kind(l1) * np.abs(values).sum(dtype=kind))
    if l2 != 0:
        total += kind(kind(l2) * np.square(values).sum(dtype=kind))
    return total


class L1L2(Regularizer):
    """Both penalties: `l1 · Σ|x| + l2 · Σx²`.

    Args:
        l1, l2: floats >= 0. Default 0.0; None counts as 0.0.

    Raises:
        ValueError: no such number.
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = checked_factor("l1", 0.0 if l1 is None else l1)
        self.l2 = checked_factor("l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return _penalty(x, self.l1, self.l2)

    def core_form(self) -> CorePenalty:
        return CorePenalty(as_float32(self.l1), as_float32(self.l2))

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """The sum of the absolute values: `l1 · Σ|x|`, its gradient `l1 · sign(x)` with sign(0) = 0.

    Args:
        l1: float >= 0, held in float32 as by Keras. Default 0.01, for None too.

    Raises:
        ValueError: no such number.
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = as_float32(checked_factor("l1", 0.01 if l1 is None else l1))

    def __call__(self, x: Any) -> Any:
        return _penalty(x, self.l1, 0.0)

    def core_form(self) -> CorePenalty:
        return CorePenalty(self.l1, 0.0)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


class L2(Regularizer):
    """The sum of the squares: `l2 · Σx²`, without a half; its gradient `2 · l2 · x`.

    Args:
        l2: float >= 0. Default 0.01, for None too.

    Raises:
        ValueError: no such number.
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = checked_factor("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return _penalty(x, 0.0, self.l2)

    def core_form(self) -> CorePenalty:
        return CorePenalty(0.0, as_float32(self.l2))

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}
