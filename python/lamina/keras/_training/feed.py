"""Feeds: which batches an epoch of training takes, from arrays or from a source of batches."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

from lamina.keras._training.data import Data, Names, batches_of, converted, warn_of_end
from lamina.keras._training.progress import progress_for
from lamina.keras._training.source import Batch, Source

if TYPE_CHECKING:
    from lamina.keras._training.compiled import Compiled
    from lamina.keras._training.compiled_model import CompiledModel

_SHOW_EVERY = 0.1  # seconds between two looks of the progress bar


class ArrayFeed:
    """Arrays, gone through in passes. An epoch is a whole pass, or as many of its batches as `steps`; the
    next one goes on behind them.
    """

    def __init__(self, data: Data, batch_size: int, shuffle: bool | str, steps: int | None) -> None:
        self.data = data
        self.dataset = data.dataset()
        self._batch_size, self._shuffle = batch_size, shuffle
        self._batches = batches_of(len(data.x), batch_size)
        self.steps = steps or self._batches
        self._next = 0  # batch of the pass under way; 0: none is

    def reset(self) -> None:
        """Nothing to prepare."""

    def train_epoch(
        self, model: CompiledModel, compiled: Compiled, trainer: Any, callbacks: Any, stepwise: bool
    ) -> dict[str, float]:
        """One epoch; its logs."""
        rows = len(self.data.x)
        with model.in_epoch():
            if self._next == 0:
                # The absolute count, so that fit after fit goes through the rows in ever new orders.
                number = model.count_epoch()
                trainer.begin_epoch(
                    self.dataset, self._batch_size, self._shuffle, model.shuffle_seed(), number
                )
            else:
                trainer.clear_means()
            first, last = self._next, min(self._next + self.steps, self._batches)
            short = last - first < self.steps
            if model.stop_training:  # asked for before: Keras looks behind the first batches only
                last = min(first + model.steps_per_execution, last)
            self._next = last % self._batches
            seen = min(last * self._batch_size, rows) - first * self._batch_size
            logs: dict[str, float] = {}
            if not stepwise:
                logs = compiled.logs(trainer.train(first, last, progress_for(compiled, callbacks)), seen)
            else:
                together = model.steps_per_execution
                for batch in range(first, last, together):
                    end = min(batch + together, last)
                    callbacks.on_train_batch_begin(batch - first)
                    seen = min(end * self._batch_size, rows) - first * self._batch_size
                    logs = compiled.logs(trainer.train(batch, end), seen)
                    callbacks.on_train_batch_end(batch - first + together - 1, logs)
                    if model.stop_training:
                        return logs
            if short:
                warn_of_end("steps_per_epoch")
            return logs


class StreamFeed:
    """A source's batches, counted as Keras does: without `steps` an epoch ends with them; else the next epoch
    goes on where the last one stopped.

    Args:
        source: of the batches.
        steps: of an epoch; None for all.
        argument: the argument that the source came in, for messages.
    """

    def __init__(self, source: Source, steps: int | None, argument: str = "x") -> None:
        self.source = source
        self._asked = steps
        self._argument = argument
        self._known = source.batches
        self._current: Iterator[Batch] | None = None
        self._seen = 0  # batches of the pass under way
        self._over = False  # the source ended within the epoch
        self.number = 0  # of the last batch, in messages

    @property
    def steps(self) -> int | None:
        """Of an epoch; None until they are known."""
        return self._asked or self._known

    def reset(self) -> None:
        """Begin anew."""
        self._current, self._seen, self._known = None, 0, self.source.batches
        self.source.on_epoch_end()

    def steps_of_epoch(self) -> Iterator[int]:
        """The numbers of an epoch's batches; `take` gives each."""
        self.source.on_epoch_begin()
        self._over = False
        if self._current is None or self._asked is None:
            self._current, self._seen = iter(self.source), 0
        step = 0
        while self.steps is None or step < self.steps:
            if self._known and self._seen >= self._known:
                if self._asked:
                    warn_of_end(self._argument)
                break
            self._seen += 1
            yield step
            if self._over:
                return
            step += 1
        if self._known and self._seen >= self._known:
            self._current, self._seen = None, 0
        self.source.on_epoch_end()

    def take(self) -> Data | None:
        """The next batch as arrays; None, with a warning, if there is none any more.

        Raises:
            TypeError, ValueError: as `converted`.
        """
        batch = self.take_batch()
        if batch is None:
            return None
        x, y, weight = (*batch, None, None)[:3]
        return converted(x, y, weight, self.names)

    def take_batch(self) -> Batch | None:
        """The next batch as the source gives it; None, with a warning, if there is none any more."""
        assert self._current is not None
        batch = next(self._current, None)
        if batch is None:
            self._known = self._known or self._seen
            self._current, self._over = None, True
            warn_of_end(self._argument)
            self.source.on_epoch_end()
            return None
        self.number += 1
        return batch

    def first(self) -> Data:
        """A batch as arrays, to know the shapes by; none is taken."""
        x, y, weight = (*self.source.first(), None, None)[:3]
        return converted(x, y, weight, self.names)

    @property
    def names(self) -> Names:
        """What a batch's entries are called."""
        where = f"{self._argument}: batch {self.number} of the {self.source.kind}: "
        return f"{where}x", f"{where}y", f"{where}sample_weight"

    def train_epoch(
        self, model: CompiledModel, compiled: Compiled, trainer: Any, callbacks: Any, stepwise: bool
    ) -> dict[str, float]:
        """One epoch, a crossing per batch; its logs."""
        logs: dict[str, float] = {}
        rows, shown = 0, monotonic()
        values: list[float] = []
        with model.in_epoch():
            number = model.count_epoch()
            for step in self.steps_of_epoch():
                if stepwise:
                    callbacks.on_train_batch_begin(step)
                data = self.take()
                if data is None:
                    break
                dataset = checked(model, compiled, trainer, data)
                trainer.begin_epoch(dataset, len(data.x), False, 0, number, goes_on=rows > 0)
                rows += len(data.x)
                values = trainer.train(0, 1)
                if stepwise:
                    logs = compiled.logs(values, rows)
                    callbacks.on_train_batch_end(step, logs)
                elif callbacks.wants_progress and monotonic() - shown > _SHOW_EVERY:
                    shown = monotonic()
                    callbacks.on_progress(step + 1, compiled.logs(values))
                if model.stop_training:
                    break
        return compiled.logs(values, rows) if rows else logs


def checked(model: CompiledModel, compiled: Compiled, trainer: Any, data: Data) -> Any:
    """The core's data set of a batch, after every check.

    Raises:
        ValueError: a shape or a label that model and loss don't take.
    """
    dataset = data.shaped(model.input_shape, model.output_shape, compiled.loss.core_kind).dataset()
    trainer.check(dataset)
    return dataset
