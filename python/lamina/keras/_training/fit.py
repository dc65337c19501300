"""The loop of `fit`: one crossing into the core for all epochs; where a callback wants epochs, one per epoch,
and where one wants batches, or the batches come one by one, one per batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lamina.keras._training.arguments import is_due
from lamina.keras._training.data import Data
from lamina.keras._training.epochs import Epochs
from lamina.keras._training.evaluate import evaluate_data, evaluate_stream
from lamina.keras._training.feed import ArrayFeed, StreamFeed

if TYPE_CHECKING:
    from lamina.keras._training.compiled import Compiled
    from lamina.keras._training.compiled_model import CompiledModel


class Plan(NamedTuple):
    """What `fit` was told, checked."""

    batch_size: int
    epochs: int
    initial_epoch: int
    shuffle: bool | str
    validation_batch_size: int
    validation_freq: int | frozenset[int]
    steps: int | None = None  # batches of an epoch of arrays; None for a pass over all rows


def run_fit(
    model: CompiledModel,
    compiled: Compiled,
    trainer: Any,
    feed: ArrayFeed | StreamFeed,
    validation: Data | StreamFeed | None,
    plan: Plan,
    callbacks: Any,
) -> None:
    """Train; what is fed and `validation` have passed the doors, and `callbacks` is a CallbackList."""
    compiled.optimizer.averages_for(model.learning_weights)  # what the end would refuse is refused now
    model.stop_training = False
    feed.reset()
    callbacks.on_train_begin()
    # A backup that was restored says where to go on, and may have brought other seeds for the network.
    trainer = compiled.renewed(model, model.network_for(model.input_shape))
    plan = plan._replace(initial_epoch=model.take_initial_epoch() or plan.initial_epoch)
    # A callback that asks for the end before the first epoch gets what `train_epoch` makes of it.
    by_epochs = callbacks.wants_epochs or model.stop_training
    if by_epochs or isinstance(feed, StreamFeed) or isinstance(validation, StreamFeed):
        # A device holds its copy of the data for all epochs; what a callback changes in them is seen.
        keeps = trainer.keep_data(callbacks.runs_foreign_code)  # not within another fit of the model
        try:
            logs = _epoch_by_epoch(model, compiled, trainer, feed, validation, plan, callbacks)
        finally:
            if keeps:
                trainer.let_data_go()
    elif plan.initial_epoch < plan.epochs:
        assert isinstance(feed, ArrayFeed)
        validated = None if validation is None else validation.dataset()
        logs = Epochs(model, compiled, trainer, feed.dataset, validated, plan, callbacks).run()
    else:
        logs = None
    if plan.epochs > 0:
        compiled.optimizer.finalize_variable_values(model.learning_weights)
    if logs:
        model.hold_results(logs)
    callbacks.on_train_end(logs)


def _epoch_by_epoch(
    model: CompiledModel,
    compiled: Compiled,
    trainer: Any,
    feed: ArrayFeed | StreamFeed,
    validation: Data | StreamFeed | None,
    plan: Plan,
    callbacks: Any,
) -> dict[str, float] | None:
    """The logs of the last epoch; None if there was none."""
    stepwise = callbacks.wants_train_batches
    logs: dict[str, float] | None = None
    validated = validation.dataset() if isinstance(validation, Data) else None
    for epoch in range(plan.initial_epoch, plan.epochs):
        callbacks.on_epoch_begin(epoch)
        logs = feed.train_epoch(model, compiled, trainer, callbacks, stepwise)
        if validation is not None and is_due(epoch, plan.validation_freq):
            if isinstance(validation, StreamFeed):
                found = evaluate_stream(model, compiled, trainer, validation, callbacks, shown=False)
            else:
                size = plan.validation_batch_size
                found = evaluate_data(
                    model, compiled, trainer, validation, size, callbacks, shown=False, dataset=validated
                )
            logs.update({f"val_{name}": value for name, value in found.items()})
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    return logs
