"""ReduceLROnPlateau: a smaller learning rate once a value no longer improves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from lamina.keras.callbacks.callback import Logs
from lamina.keras.callbacks.monitor_callback import MonitorCallback
from lamina.keras.utils.console import print_msg


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when a value of the logs has not improved for `patience`
    epochs; the next epoch's steps use it. Adds `learning_rate` to the logs, as it was in the epoch.

    Args:
        monitor: name in the logs. Default "val_loss".
        factor: of the new learning rate, below 1. Default 0.1.
        patience: epochs without improvement before the rate falls. Default 10.
        verbose: 1 prints the new rate. Default 0.
        mode: "auto" (default), "min" or "max".
        min_delta: gain below which an epoch does not count as better. Default 1e-4.
        cooldown: epochs after a reduction in which none are counted. Default 0.
        min_lr: the rate does not fall below it. Default 0.
        **kwargs: ignored, as by Keras.

    Raises:
        ValueError: factor is 1 or more, or min_delta is no number; or, at the first epoch's end, mode is
            "auto" and the direction of `monitor` is not known.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor: expected a number below 1, got {factor!r}")
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self._rising is None:
            self._set_direction()
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"ReduceLROnPlateau: monitor: expected one of {', '.join(logs)}, which the logs have, "
                f"got {self.monitor!r}; this epoch is not looked at",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether the last reduction is so recent that epochs don't count."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> bool:
        optimizer = self.model.optimizer
        before = float(optimizer.learning_rate)
        if not before > np.float32(self.min_lr):
            return False
        rate = max(before * self.factor, self.min_lr)
        optimizer.learning_rate = rate
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
        return True
