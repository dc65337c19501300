"""OrthogonalRegularizer: a penalty on the angles between vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.keras import config as keras_config
from lamina.keras.regularizers.regularizer import Regularizer, as_float32, checked_factor


class OrthogonalRegularizer(Regularizer):
    """The mean over all pairs of a matrix's rows, or columns, of the size of their angle's cosine:
    `factor · Σ |v̂i · v̂j| / (n (n - 1) / 2)` over i < j, with `v̂ = v · min(1 / norm, 1 / epsilon)`.

    Args:
        factor: float >= 0, held in float32 as by Keras. Default 0.01.
        mode: "rows" (default) or "columns": which vectors of the matrix. The columns of a `Dense` kernel
            (inputs, units) are the units' weights.

    Raises:
        ValueError: no such number or mode; when called, no matrix.

    Source: Keras 3 `keras.regularizers.OrthogonalRegularizer`, whose gradient of a vector of zeros is NaN.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = as_float32(checked_factor("factor", factor))
        if mode not in ("rows", "columns"):
            raise ValueError(f"mode: expected 'rows' or 'columns', got {mode!r}")
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        values = np.asarray(x)
        if values.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer: expected a matrix, got shape {values.shape}")
        kind = values.dtype.type
        vectors = values if self.mode == "rows" else values.T
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = 1 / np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
            vectors = vectors * np.minimum(inverse, 1 / keras_config.epsilon())
            products = np.abs(vectors @ vectors.T)
            np.fill_diagonal(products, 0)
            count = len(vectors)
            return kind(self.factor * 0.5 * products.sum() / np.float64(count * (count - 1) / 2))

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}
