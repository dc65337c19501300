"""Losses and metrics of one's own between the core and Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_MOST = 100_000  # results that are kept for a report


class OwnLossCall:
    """What the core calls for the loss of a batch.

    Args:
        loss: an `OwnLoss`.
        y_shape, output_shape: shapes of a sample's targets and output.
        factor: multiplies value and gradient.
    """

    def __init__(
        self, loss: Any, y_shape: tuple[int, ...], output_shape: tuple[int, ...], factor: float
    ) -> None:
        self._loss, self._y, self._p, self._factor = loss, y_shape, output_shape, factor

    def __call__(
        self, y: Any, p: Any, weights: Any, training: bool, first: bool
    ) -> tuple[float, npt.NDArray[Any]]:
        n = len(p)
        value, gradient = self._loss.batch(
            y.reshape(n, *self._y), p.reshape(n, *self._p), _weights(weights, self._p), self._factor
        )
        return value, gradient.reshape(n, -1)


class OwnMetricCall:
    """A metric that Python computes, as one that the core knows: the core calls it with every batch, and
    reports a number by which its results are found again.

    Args:
        metric: the `Metric`.
        y_shape, output_shape: shapes of a sample's targets and output.
    """

    def __init__(self, metric: Any, y_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> None:
        self.metric, self._y, self._p = metric, y_shape, output_shape
        self.shapes = (y_shape, output_shape)
        self._number = 0
        self._results: dict[int, Any] = {}

    @property
    def name(self) -> str:
        return str(self.metric.name)

    def __call__(self, y: Any, p: Any, weights: Any, training: bool, first: bool) -> float:
        if first:
            self.metric.reset_state()
            self._number += 1
            self._results.pop(self._number - _MOST, None)
        n = len(p)
        self.metric.update_state(
            y.reshape(n, *self._y), p.reshape(n, *self._p), sample_weight=_weights(weights, self._p)
        )
        result = self.metric.result()
        self._results[self._number] = result if isinstance(result, Mapping) else np.array(result)[()]
        return float(self._number)

    def hold(self, values: Sequence[float], rows: int) -> None:
        """Nothing: the metric itself saw every batch."""

    def core_result(self, values: Sequence[float]) -> Any:
        return self._results.get(int(values[0]), 0.0)


def _weights(weights: Any, output_shape: tuple[int, ...]) -> Any:
    """One per sample (n,); or one per position (n, t)."""
    if weights is None:
        return None
    return weights[:, 0] if len(output_shape) == 1 else weights.reshape(len(weights), *output_shape[:-1])
