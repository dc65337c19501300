"""TerminateOnNaN: end the training when the loss is no number any more."""

from __future__ import annotations

import math

from lamina.keras.callbacks.callback import Callback, Logs
from lamina.keras.utils.console import print_msg


class TerminateOnNaN(Callback):
    """Stops `fit` after the batch at which the loss became NaN or infinite.

    Args:
        raise_error: False (default) stops as `model.stop_training = True` does, so that every `on_train_end`
            still runs; True raises at once.

    Raises:
        RuntimeError: in `fit`, when `raise_error` is True and the loss is NaN or infinite.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"TerminateOnNaN: loss: expected a finite number, got {loss} at batch {batch}")
        print_msg(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
