"""One linear unit under plain SGD on the squared error: every number of its training has a closed form."""

from typing import Any

import numpy as np
from tolerances import rounding

ROWS, FEATURES = 23, 4


def data(rows: int = ROWS) -> tuple[Any, Any]:
    """x (rows, FEATURES) and y (rows, 1)."""
    rng = np.random.default_rng(11)
    return rng.normal(size=(rows, FEATURES)).astype("float32"), rng.normal(size=(rows, 1)).astype("float32")


def linear(keras: Any, rate: float = 0.125, metrics: list[str] | None = None) -> Any:
    """The model, its weights all 0.5."""
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=metrics)
    model.set_weights([np.full((FEATURES, 1), 0.5, "float32")])
    return model


def by_hand(
    x: Any, y: Any, batches: list[slice], weights: Any = None, rate: float = 0.125
) -> tuple[Any, list[float]]:
    """The weight vector after these batches, and each batch's loss before its step."""
    w, losses = np.full((FEATURES, 1), 0.5), []
    x, y = x.astype("float64"), y.astype("float64")
    weights = np.ones(len(x)) if weights is None else np.asarray(weights, "float64")
    for batch in batches:
        error, factor = x[batch] @ w - y[batch], weights[batch][:, None]
        losses.append(float((factor * error**2).mean()))
        w = w - rate * 2 * x[batch].T @ (factor * error) / len(error)
    return w, losses


def slices(rows: int, size: int) -> list[slice]:
    """The batches of an epoch without shuffling."""
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]


BOUND = rounding("float32", ROWS, 12)  # a dozen steps on sums over the rows
