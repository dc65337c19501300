"""SwapEMAWeights: evaluate and save with the averages of the weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.keras.callbacks.callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Puts the optimizer's exponential moving averages in the place of the weights for every evaluation and
    prediction, and the weights back after it. For optimizers with `use_ema=True`.

    Args:
        swap_on_epoch: the averages also stand in the model from an epoch's end, for the callbacks behind this
            one, to the next one's begin. Default False.

    Raises:
        ValueError: in `fit`, `evaluate` or `predict`, the optimizer keeps no averages.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._averages_in_model = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if not self.swap_on_epoch or self._averages_in_model:
            return
        self._swap(True)
        if epoch == (self.params or {})["epochs"] - 1:
            # `fit` ends by writing the averages into the weights: there they are already.
            for weight, average in self._pairs():
                average[...] = weight.value.reshape(average.shape)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Logs = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._swap(False)

    def _swap(self, averages: bool) -> None:
        if self._averages_in_model == averages:
            return
        for weight, average in self._pairs():
            before = np.array(weight.value)
            weight.assign(average.reshape(weight.shape))
            average[...] = before.reshape(average.shape)
        self._averages_in_model = averages

    def _pairs(self) -> list[tuple[Any, Any]]:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        weights = self.model.trainable_weights
        averages = [view for slot, _, view in optimizer.core(self.model.dtype).slots() if slot == "average"]
        if not optimizer.use_ema or len(averages) != len(weights):
            raise ValueError(
                "SwapEMAWeights: optimizer: expected one that has trained with use_ema=True, "
                f"got use_ema={optimizer.use_ema}"
            )
        return list(zip(weights, averages, strict=True))
