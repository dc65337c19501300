"""ModelCheckpoint: save the model, or its weights, while it trains."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from lamina.keras.callbacks.batch_count import BatchCount, calls_for, checked_frequency
from lamina.keras.callbacks.callback import Logs
from lamina.keras.callbacks.monitor_callback import MonitorCallback
from lamina.keras.utils.console import print_msg


class ModelCheckpoint(MonitorCallback):
    """Saves the model after every epoch, after so many batches, or only when a watched value improved.

    Args:
        filepath: string or path; may hold `{epoch}` (from 1), `{batch}` (from 1, where `save_freq` counts
            batches) and every name of the logs, with formats: "{epoch:02d}-{val_loss:.2f}.keras". It ends in
            ".keras" or ".h5", with save_weights_only in ".weights.h5". Folders that are missing are made.
        monitor: name in the logs that `save_best_only` watches. Default "val_loss".
        verbose: 1 says what is saved where. Default 0.
        save_best_only: save only when `monitor` improved. Default False.
        save_weights_only: `model.save_weights(path)` instead of `model.save(path)`. Default False.
        mode: "auto" (default), "min" or "max".
        save_freq: "epoch" (default), or a number of batches, counted on from epoch to epoch; that makes the
            batches run one by one.
        initial_value_threshold: the value that the first one has to beat. Default None.

    Raises:
        ValueError: save_freq is neither, or filepath ends otherwise.
        KeyError: in `fit`, filepath holds a name that the logs lack.
        OSError: in `fit`, filepath is a folder.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.verbose = verbose
        self.filepath: str = os.fspath(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = checked_frequency("ModelCheckpoint", save_freq)
        self._count = BatchCount(self.save_freq)
        self._epoch = 0
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            what = "of weights alone (save_weights_only=True)" if save_weights_only else "of a whole model"
            raise ValueError(
                f"ModelCheckpoint: filepath: expected the name of a file {what}, which ends in "
                f"{' or '.join(endings)}, got {self.filepath!r}"
            )

    def _calls_for(self, hooks: tuple[str, ...]) -> bool:
        return calls_for(self, hooks, ModelCheckpoint, self.save_freq != "epoch")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._count.is_due(batch):
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self._rising is None:
            self._set_direction()
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        if not self._is_due(epoch, logs, path):
            return
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if os.path.isdir(path):
            raise IsADirectoryError(f"ModelCheckpoint: filepath: expected a file, got the folder {path!r}")
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        names = {**logs, "epoch": epoch + 1}
        if batch is not None:
            names.setdefault("batch", batch + 1)
        try:
            return self.filepath.format(**names)
        except KeyError as missing:
            raise KeyError(
                f"ModelCheckpoint: filepath: expected names of {', '.join(names)} in braces, "
                f"got {missing} in {self.filepath!r}"
            ) from None

    def _is_due(self, epoch: int, logs: dict[str, Any], path: str) -> bool:
        if not self.save_best_only:
            if self.verbose > 0:
                print_msg(f"\nEpoch {epoch + 1}: saving model to {path}")
            return True
        value = logs.get(self.monitor)
        if value is None or np.ndim(value) > 0:
            warnings.warn(
                f"ModelCheckpoint: monitor: expected the name of a number in the logs, which have "
                f"{', '.join(logs)}, got {self.monitor!r}; the model is saved without comparing",
                stacklevel=2,
            )
            return True
        if self._rising is None:
            self._set_direction()
        best = "None" if self.best is None else f"{self.best:.5f}"
        improved = self._is_improvement(value, self.best)
        if self.verbose > 0 and improved:
            print_msg(
                f"\nEpoch {epoch + 1}: {self.monitor} improved from {best} to {value:.5f}, "
                f"saving model to {path}"
            )
        elif self.verbose > 0:
            print_msg(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {best}")
        if improved:
            self.best = value
        return improved
