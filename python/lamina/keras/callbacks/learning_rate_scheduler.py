"""LearningRateScheduler: the learning rate of each epoch by a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.keras.callbacks.callback import Callback, Logs
from lamina.keras.utils.console import print_msg


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch, and adds it to the logs as `learning_rate`.

    Args:
        schedule: called as `schedule(epoch, learning_rate)`, with the epoch from 0 and the rate as it is;
            where that raises a TypeError, as the older `schedule(epoch)`. Returns a float.
        verbose: 1 prints the rate. Default 0.

    Raises:
        ValueError: in `fit`, schedule returns no float.
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        try:
            rate = self.schedule(epoch, float(optimizer.learning_rate))
        except TypeError:
            rate = self.schedule(epoch)
        if not isinstance(rate, (float, np.float32)):
            raise ValueError(
                f"LearningRateScheduler: schedule: expected a function that returns a float, got {rate!r}"
            )
        optimizer.learning_rate = rate
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
