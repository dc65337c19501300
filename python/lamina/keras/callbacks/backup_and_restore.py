"""BackupAndRestore: a training that was interrupted goes on where it stopped."""

from __future__ import annotations

import os
from typing import Any

from lamina.keras._training.training_state import read_state, restore_state, write_state
from lamina.keras.callbacks.batch_count import BatchCount, calls_for, checked_frequency
from lamina.keras.callbacks.callback import Callback, Logs


class BackupAndRestore(Callback):
    """Keeps the state of the training in a folder, epoch by epoch, and begins `fit` with the state it finds
    there.

    Give the interrupted program's model and `fit` the same arguments and the same folder again: weights,
    moving statistics, the optimizer's slots, steps and learning rate, the seeds of shuffles and dropout and
    the number of the epoch are restored, and the epochs that are left give the bits of the run that was never
    interrupted. What other callbacks remember is not kept, as in Keras.

    Args:
        backup_dir: folder of this run alone; made if missing.
        save_freq: "epoch" (default), or a number of batches, which makes the batches run one by one. What was
            saved within an epoch begins that epoch anew, as in Keras, and so with other bits.
        double_checkpoint: keep the state before the last one too, and take it where the last can't be read.
            Default False.
        delete_checkpoint: remove the backup when `fit` comes to its end. Default True.

    Raises:
        ValueError: backup_dir is empty, or save_freq is neither; in `fit`, the backup is another model's.
        OSError: in `fit`, the backup can't be read or written.

    A backup is a file `latest.npz`, which is written under another name first: at any time there is one that
    is whole. Keras's file formats are not used.
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError(
                f"BackupAndRestore: backup_dir: expected the name of a folder, got {backup_dir!r}"
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = checked_frequency("BackupAndRestore", save_freq)
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._file = os.path.join(self.backup_dir, "latest.npz")
        self._count = BatchCount(self.save_freq)
        self._epoch = 0

    def _calls_for(self, hooks: tuple[str, ...]) -> bool:
        counts = self.save_freq not in ("epoch", False)
        return calls_for(self, hooks, BackupAndRestore, counts)

    def on_train_begin(self, logs: Logs = None) -> None:
        found = [name for name in (self._file, f"{self._file}.bkp") if os.path.exists(name)]
        for name in found:
            try:
                state = read_state(name)
            except OSError:
                if name == found[-1]:
                    raise
                continue
            restore_state(self.model, state)
            self._epoch = state.epoch
            return

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq and self._count.is_due(batch):
            self._save(within_epoch=True)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch + 1
        if self.save_freq == "epoch":
            self._save(within_epoch=False)

    def on_train_end(self, logs: Logs = None) -> None:
        if not self.delete_checkpoint:
            return
        for name in (self._file, f"{self._file}.bkp"):
            if os.path.exists(name):
                os.remove(name)
        # Whatever else somebody keeps there is not this callback's to remove.
        if os.path.isdir(self.backup_dir) and not os.listdir(self.backup_dir):
            os.rmdir(self.backup_dir)

    def _save(self, within_epoch: bool) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._file):
            os.replace(self._file, f"{self._file}.bkp")
        write_state(self._file, self.model, self._epoch, within_epoch)
