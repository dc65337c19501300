"""History: what `fit` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lamina.keras.callbacks.callback import Callback, Logs


class History(Callback):
    """Records the logs of every epoch; `fit` adds one by itself and returns it.

    Attributes:
        history: dict from the name of a metric to the list of its values, one per epoch.
        epoch: list of the epochs' indices (from 0), those of the last `fit` this object was used in.
        params: dict with `verbose`, `epochs`, `steps`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self

    def add_epochs(self, epochs: Sequence[int], series: Mapping[str, Sequence[float]]) -> None:
        """Record many epochs at once, as their `on_epoch_end` would.

        Args:
            epochs: their indices.
            series: the new values by name; of the validation's where it was due. Its order is that of names
                which `history` doesn't have yet.
        """
        self.epoch.extend(epochs)
        for name, values in series.items():
            self.history.setdefault(name, []).extend(values)
        if self.model is not None:
            self.model.history = self
