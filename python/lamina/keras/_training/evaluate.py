"""The loops of `evaluate` and `predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lamina.keras._training.data import Data, core_source
from lamina.keras._training.feed import StreamFeed, checked
from lamina.keras._training.inputs import fitted_input, input_rows
from lamina.keras._training.progress import progress_for
from lamina.keras._training.sparse import SparseRows

if TYPE_CHECKING:
    from lamina.keras._training.compiled import Compiled
    from lamina.keras._training.compiled_model import CompiledModel


def evaluate_data(
    model: CompiledModel,
    compiled: Compiled,
    trainer: Any,
    data: Data,
    batch_size: int,
    callbacks: Any,
    shown: bool,
    dataset: Any = None,
) -> dict[str, float]:
    """Loss and metrics over the data; `shown` moves the progress bar, `dataset` is what the core has."""
    model.stop_evaluating = False
    callbacks.on_test_begin()
    if callbacks.wants_test_batches:
        logs = _batch_by_batch(model, compiled, trainer, data, batch_size, callbacks)
    else:
        progress = progress_for(compiled, callbacks) if shown else None
        dataset = data.dataset() if dataset is None else dataset
        logs = compiled.logs(trainer.evaluate(dataset, batch_size, progress), len(data.x))
    model.hold_results(logs)
    callbacks.on_test_end(logs)
    return logs


def _batch_by_batch(
    model: CompiledModel, compiled: Compiled, trainer: Any, data: Data, batch_size: int, callbacks: Any
) -> dict[str, float]:
    rows = len(data.x)
    logs: dict[str, float] = {}
    together = model.steps_per_execution
    for step, first in enumerate(range(0, rows, batch_size * together)):
        last = min(first + batch_size * together, rows)
        callbacks.on_test_batch_begin(step * together)
        dataset = data.rows(first, last).dataset()
        logs = compiled.logs(trainer.evaluate(dataset, batch_size, goes_on=first > 0), last)
        callbacks.on_test_batch_end((step + 1) * together - 1, logs)
        if model.stop_evaluating:
            break
    return logs


def evaluate_stream(
    model: CompiledModel, compiled: Compiled, trainer: Any, feed: StreamFeed, callbacks: Any, shown: bool
) -> dict[str, float]:
    """Loss and metrics over the batches of a source, a crossing per batch."""
    model.stop_evaluating = False
    feed.reset()
    callbacks.on_test_begin()
    stepwise = callbacks.wants_test_batches
    logs: dict[str, float] = {}
    rows = 0
    for step in feed.steps_of_epoch():
        if stepwise:
            callbacks.on_test_batch_begin(step)
        data = feed.take()
        if data is None:
            break
        dataset = checked(model, compiled, trainer, data)
        values = trainer.evaluate(dataset, len(data.x), goes_on=rows > 0)
        rows += len(data.x)
        logs = compiled.logs(values, rows)
        if stepwise:
            callbacks.on_test_batch_end(step, logs)
        elif shown and callbacks.wants_progress:
            callbacks.on_progress(step + 1, logs)
        if model.stop_evaluating:
            break
    model.hold_results(logs)
    callbacks.on_test_end(logs)
    return logs


def predict_data(
    model: CompiledModel, network: Any, x: npt.NDArray[Any] | SparseRows, batch_size: int, callbacks: Any
) -> npt.NDArray[Any]:
    """The network's outputs (n, outputs), rows in x's order."""
    model.stop_predicting = False
    callbacks.on_predict_begin()
    if callbacks.wants_predict_batches:
        parts = []
        together = model.steps_per_execution
        for step, first in enumerate(range(0, len(x), batch_size * together)):
            callbacks.on_predict_batch_begin(step * together)
            rows = core_source(x[first : first + batch_size * together])
            parts.append(model.shaped_output(network.predict(rows, batch_size)))
            callbacks.on_predict_batch_end((step + 1) * together - 1, {"outputs": parts[-1]})
            if model.stop_predicting:
                break
        out = np.concatenate(parts)
    else:
        out = model.shaped_output(network.predict(core_source(x), batch_size, progress_for(None, callbacks)))
    callbacks.on_predict_end()
    return out


def predict_stream(model: CompiledModel, feed: StreamFeed, callbacks: Any) -> npt.NDArray[Any]:
    """The outputs for the batches of a source, one after another."""
    model.stop_predicting = False
    callbacks.on_predict_begin()
    stepwise = callbacks.wants_predict_batches
    parts: list[npt.NDArray[Any]] = []
    for step in feed.steps_of_epoch():
        if stepwise:
            callbacks.on_predict_batch_begin(step)
        batch = feed.take_batch()
        if batch is None:
            break
        parts.append(predict_batch(model, batch[0], feed.names[0]))
        if stepwise:
            callbacks.on_predict_batch_end(step, {"outputs": parts[-1]})
        elif callbacks.wants_progress:
            callbacks.on_progress(step + 1)
        if model.stop_predicting:
            break
    callbacks.on_predict_end()
    return np.concatenate(parts)


def predict_batch(model: CompiledModel, x: Any, name: str) -> npt.NDArray[Any]:
    """The outputs for all rows as one batch.

    Raises:
        ValueError, TypeError: x is none that the model takes.
    """
    rows = input_rows(x, name)
    network = model.network_for((None, *rows.shape[1:]))
    rows = fitted_input(rows, model.input_shape, name)
    return model.shaped_output(network.predict(core_source(rows), len(rows)))
