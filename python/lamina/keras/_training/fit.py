"""The loop of `fit`: one crossing into the core for all epochs; where a callback wants epochs, one per epoch,
and where one wants batches, one per batch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from lamina.keras._training.arguments import is_due
from lamina.keras._training.data import Data
from lamina.keras._training.epochs import Epochs
from lamina.keras._training.evaluate import evaluate_data
from lamina.keras._training.progress import progress_for

if TYPE_CHECKING:
    from lamina.keras._training.compiled import Compiled
    from lamina.keras._training.compiled_model import CompiledModel


class Plan(NamedTuple):
    """What `fit` was told, checked."""

    batch_size: int
    epochs: int
    initial_epoch: int
    shuffle: bool
    validation_batch_size: int
    validation_freq: int | frozenset[int]


def batches_of(rows: int, batch_size: int) -> int:
    """How many batches these rows make, the short last one included."""
    return math.ceil(rows / batch_size)


def run_fit(
    model: CompiledModel,
    compiled: Compiled,
    trainer: Any,
    data: Data,
    validation: Data | None,
    plan: Plan,
    callbacks: Any,
) -> None:
    """Train; `data` and `validation` have passed the doors, and `callbacks` is a CallbackList."""
    model.stop_training = False
    callbacks.on_train_begin()
    # A backup that was restored says where to go on, and may have brought other seeds for the network.
    trainer = compiled.renewed(model.network_for(model.input_shape), model.dtype)
    plan = plan._replace(initial_epoch=model.take_initial_epoch() or plan.initial_epoch)
    if callbacks.wants_epochs:
        logs = _epoch_by_epoch(model, compiled, trainer, data, validation, plan, callbacks)
    elif plan.initial_epoch < plan.epochs:
        validated = None if validation is None else validation.dataset()
        logs = Epochs(model, compiled, trainer, data.dataset(), validated, plan, callbacks).run()
    else:
        logs = None
    callbacks.on_train_end(logs)


def _epoch_by_epoch(
    model: CompiledModel,
    compiled: Compiled,
    trainer: Any,
    data: Data,
    validation: Data | None,
    plan: Plan,
    callbacks: Any,
) -> dict[str, float] | None:
    """The logs of the last epoch; None if there was none."""
    dataset = data.dataset()
    stepwise = callbacks.wants_train_batches
    logs: dict[str, float] | None = None
    for epoch in range(plan.initial_epoch, plan.epochs):
        callbacks.on_epoch_begin(epoch)
        logs = _train_epoch(model, compiled, trainer, data, dataset, plan, callbacks, stepwise)
        if validation is not None and is_due(epoch, plan.validation_freq):
            found = evaluate_data(
                model, compiled, trainer, validation, plan.validation_batch_size, callbacks, shown=False
            )
            logs.update({f"val_{name}": value for name, value in found.items()})
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    return logs


def _train_epoch(
    model: CompiledModel,
    compiled: Compiled,
    trainer: Any,
    data: Data,
    dataset: Any,
    plan: Plan,
    callbacks: Any,
    stepwise: bool,
) -> dict[str, float]:
    rows = len(data.x)
    with model.in_epoch():
        # The absolute count of epochs, so that fit after fit goes through the rows in ever new orders.
        batches = trainer.begin_epoch(
            dataset, plan.batch_size, plan.shuffle, model.shuffle_seed(), model.count_epoch()
        )
        if not stepwise:
            return compiled.logs(trainer.train(0, batches, progress_for(compiled, callbacks)), rows)
        logs: dict[str, float] = {}
        for batch in range(batches):
            callbacks.on_train_batch_begin(batch)
            seen = min((batch + 1) * plan.batch_size, rows)
            logs = compiled.logs(trainer.train(batch, batch + 1), seen)
            callbacks.on_train_batch_end(batch, logs)
            if model.stop_training:
                break
        return logs
