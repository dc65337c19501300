"""BatchCount: when a callback that acts every so many batches is due."""

from __future__ import annotations

from typing import Any

from lamina.keras.callbacks.callback import Callback, overrides


class BatchCount:
    """Counts the batches of training, from epoch to epoch, as Keras does.

    Args:
        frequency: "epoch": never due; else the number of batches from one time to the next.
    """

    def __init__(self, frequency: str | int) -> None:
        self._frequency = frequency
        self._since = 0
        self._last: int | None = None

    def is_due(self, batch: int) -> bool:
        """Whether the batch of this index (in its epoch) makes the number full."""
        if isinstance(self._frequency, str):
            return False
        new_epoch = self._last is None or batch <= self._last
        self._since += batch + 1 if new_epoch or self._last is None else batch - self._last
        self._last = batch
        if self._since < self._frequency:
            return False
        self._since = 0
        return True


def checked_frequency(where: str, value: Any) -> str | int:
    """save_freq: "epoch" or a number of batches.

    Raises:
        ValueError: neither.
    """
    if value != "epoch" and not isinstance(value, int):
        raise ValueError(f"{where}: save_freq: expected 'epoch' or a number of batches, got {value!r}")
    frequency: str | int = value
    return frequency


def calls_for(callback: Callback, hooks: tuple[str, ...], kind: type[Callback], counts: bool) -> bool:
    """Whether one of the hooks does something in a callback of this kind, whose `on_train_batch_end` only
    does where it counts batches.
    """
    counter = "on_train_batch_end"
    if counter in hooks and (counts or overrides(callback, (counter,), kind)):
        return True
    return overrides(callback, tuple(hook for hook in hooks if hook != counter))
