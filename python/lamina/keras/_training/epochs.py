"""Epochs: all epochs of a `fit` in one crossing into the core, where no callback wants to come between."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from lamina.keras._training.arguments import is_due
from lamina.keras._training.data import batches_of, warn_of_end

if TYPE_CHECKING:
    from lamina.keras._training.compiled import Compiled
    from lamina.keras._training.compiled_model import CompiledModel
    from lamina.keras._training.fit import Plan


class Epochs:
    """One model's run over its epochs, and what it reports.

    Args:
        model: it has passed the doors, as have the data; its shuffles' seed is drawn now if it wasn't.
        compiled, trainer: the model's.
        dataset, validation: the core's data sets; validation may be None.
        plan: what `fit` was told.
        callbacks: the CallbackList; its `History` gets the epochs.

    Attributes:
        core: the core's run, for `run` or, with others, for `_core.run_together`.
        logs: of the last epoch; None before `take`.
    """

    def __init__(
        self,
        model: CompiledModel,
        compiled: Compiled,
        trainer: Any,
        dataset: Any,
        validation: Any,
        plan: Plan,
        callbacks: Any,
    ) -> None:
        self._model, self._compiled, self._callbacks, self._plan = model, compiled, callbacks, plan
        self._rows = len(dataset)
        self._validation_rows = 0 if validation is None else len(validation)
        self.logs: dict[str, float] | None = None
        frequency = plan.validation_freq
        if validation is not None:
            model.stop_evaluating = False
        self.core = trainer.epochs(
            dataset,
            plan.initial_epoch,
            plan.epochs,
            plan.batch_size,
            plan.shuffle,
            model.shuffle_seed(),
            # The absolute count of epochs, so that fit after fit goes through the rows in ever new orders.
            model.epochs_trained,
            validation,
            plan.validation_batch_size,
            frequency if isinstance(frequency, int) else 0,
            [] if isinstance(frequency, int) else list(frequency),
            plan.steps or 0,
        )

    def run(self) -> dict[str, float] | None:
        """Run them all; the logs of the last one. What ends it before leaves the whole epochs recorded."""
        with self._model.in_epoch():
            self.begin()
            try:
                self.core.run(self.look)
            finally:
                self.take()
        return self.logs

    def begin(self) -> None:
        """Heed what was asked for before the first epoch: the run ends after it, not before."""
        if self._model.stop_training:
            self.core.stop()

    def look(self) -> None:
        """What the core calls now and then while it runs. A signal's handler may raise anywhere in it, so it
        changes nothing.
        """
        if self._model.stop_training:
            self.core.stop()

    def take(self) -> None:
        """Record the epochs, once the run has ended however it did."""
        self._model.count_epochs(self.core.passes)
        if self.core.done:
            self._record(self.core.take())

    def _record(self, values: npt.NDArray[Any]) -> None:
        first = self._plan.initial_epoch
        seen, short = self._last_of(len(values))
        epochs = range(first, first + len(values))
        compiled, width = self._compiled, values.shape[1]
        due: list[bool] = []
        if self._validation_rows:
            width //= 2
            due = [is_due(epoch, self._plan.validation_freq) for epoch in epochs]
        series = compiled.series(values[:, :width])
        self.logs = compiled.logs(values[-1, :width].tolist(), seen)
        if any(due):
            found = _validation(compiled.series(values[due, width:]))
            # In the order in which epoch after epoch would have brought the names.
            series = dict(sorted({**series, **found}.items())) if due[0] else {**series, **found}
        if due and due[-1]:
            self.logs.update(_validation(compiled.logs(values[-1, width:].tolist(), self._validation_rows)))
        self._callbacks.add_epochs(epochs, series)
        if short:
            warn_of_end("steps_per_epoch")

    def _last_of(self, epochs: int) -> tuple[int, bool]:
        """The rows of the last of so many epochs, and whether the data ended within some of them."""
        batches = batches_of(self._rows, self._plan.batch_size)
        steps = self._plan.steps or batches
        per_pass = math.ceil(batches / steps)
        first = (epochs - 1) % per_pass * steps
        last = min(first + steps, batches)
        rows = min(last * self._plan.batch_size, self._rows) - first * self._plan.batch_size
        return rows, batches % steps != 0 and epochs >= per_pass


def _validation(logs: dict[str, Any]) -> dict[str, Any]:
    return {f"val_{name}": value for name, value in logs.items()}
