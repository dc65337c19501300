"""MonitorCallback: what the callbacks that watch one value of the logs have in common."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.keras.callbacks.callback import Callback


class MonitorCallback(Callback):
    """Decides whether the watched value improved.

    Args:
        monitor: name in the logs, such as "val_loss".
        mode: "min" (smaller is better), "max", or "auto": from the metric's own direction; a loss is to fall.
        baseline: the first best value; None takes the first value that comes.
        min_delta: what the value must gain at least to count as better.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: mode: expected 'auto', 'min' or 'max', got {mode!r}; 'auto' is used",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(checked_number(type(self).__name__, "min_delta", min_delta))
        self._rising: bool | None = None  # known once the model's metrics are

    def _set_direction(self) -> None:
        if self.mode != "auto":
            self._rising = self.mode == "max"
            return
        name = self.monitor.removeprefix("val_")
        rising = False if name == "loss" else None
        for metric in _flat_metrics(getattr(self.model, "metrics", ())):
            direction = getattr(metric, "_direction", None)
            if metric.name == name and direction is not None:
                rising = direction == "up"
        if rising is None:
            raise ValueError(
                f"{type(self).__name__}: monitor: expected 'loss', 'val_loss' or a metric of the model whose "
                f"direction is known, got {self.monitor!r}; pass mode='max' if a higher value is better, "
                "mode='min' if a lower one is"
            )
        self._rising = rising

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        # Compared in float32 whatever the floatx, as Keras does: a gain below float32's resolution is none.
        if self._rising:
            return bool(np.float32(value - self.min_delta) > np.float32(reference))
        return bool(np.float32(value + self.min_delta) < np.float32(reference))


def checked_number(where: str, argument: str, value: Any) -> Any:
    """`value` if it is a number.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ValueError(f"{where}: {argument}: expected a number, got {value!r}")
    return value


def _flat_metrics(metrics: Any) -> Iterator[Any]:
    for metric in metrics:
        inner = getattr(metric, "metrics", None)
        if isinstance(inner, (list, tuple)):
            yield from _flat_metrics(inner)
        else:
            yield metric
