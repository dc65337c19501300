"""EarlyStopping: end the training once it no longer helps."""

from __future__ import annotations

import warnings
from typing import Any

from lamina.keras.callbacks.callback import Logs
from lamina.keras.callbacks.monitor_callback import MonitorCallback, checked_number
from lamina.keras.utils.console import print_msg


class EarlyStopping(MonitorCallback):
    """Stops `fit` when a value of the logs has not improved for `patience` epochs.

    Args:
        monitor: name in the logs. Default "val_loss".
        min_delta: gain below which an epoch does not count as better. Default 0.
        patience: epochs without improvement after which training stops; never after the very first epoch.
            Default 0.
        verbose: 1 prints when it stops and what it restores. Default 0.
        mode: "auto", "min" or "max". Default "auto".
        baseline: value to be beaten: an epoch that is better than the others, but not than this, does not
            reset the patience. Default None.
        restore_best_weights: at the end of training, stopped early or not, set the weights of the best epoch.
            Default False.
        start_from_epoch: epochs (from 0) before this one are not looked at. Default 0.

    Attributes:
        stopped_epoch: the epoch (from 0) after which training was stopped; 0 if it was not.
        best, best_epoch: the best value and its epoch (from 0).
        wait: epochs since the last improvement.

    Raises:
        ValueError: an argument is no number; or, at the first epoch's end, mode is "auto" and the direction
            of `monitor` is not known.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = checked_number("EarlyStopping", "patience", patience)
        self.verbose = verbose
        self.baseline = None if baseline is None else checked_number("EarlyStopping", "baseline", baseline)
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = checked_number("EarlyStopping", "start_from_epoch", start_from_epoch)
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        # One object may serve several calls of fit.
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self._rising is None:
            self._set_direction()
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep_weights(epoch)
        self.wait += 1
        if self._is_improvement(value, self.best):
            self.best = value
            self._keep_weights(epoch)
            if self.baseline is None or self._is_improvement(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print_msg(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs) -> float | None:
        """The watched value in `logs`; None, with a warning, when it isn't there."""
        value: float | None = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"EarlyStopping: monitor: expected one of {', '.join(logs or {})}, which the logs have, "
                f"got {self.monitor!r}; this epoch is not looked at",
                stacklevel=2,
            )
        return value

    def _keep_weights(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
