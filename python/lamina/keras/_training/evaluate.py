"""The loops of `evaluate` and `predict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lamina.keras._training.data import Data
from lamina.keras._training.progress import progress_for

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
) -> dict[str, float]:
    """Loss and metrics over the data; `shown` moves the progress bar."""
    model.stop_evaluating = False
    callbacks.on_test_begin()
    if callbacks.wants_test_batches:
        logs = _batch_by_batch(model, compiled, trainer, data, batch_size, callbacks)
    else:
        progress = progress_for(compiled, callbacks) if shown else None
        logs = compiled.logs(trainer.evaluate(data.dataset(), batch_size, progress), len(data.x))
    callbacks.on_test_end(logs)
    return logs


def _batch_by_batch(
    model: CompiledModel, compiled: Compiled, trainer: Any, data: Data, batch_size: int, callbacks: Any
) -> dict[str, float]:
    rows = len(data.x)
    totals: Any = 0.0
    logs: dict[str, float] = {}
    for batch, first in enumerate(range(0, rows, batch_size)):
        last = min(first + batch_size, rows)
        callbacks.on_test_batch_begin(batch)
        values = trainer.evaluate(data.rows(first, last).dataset(), last - first)
        # Batches weigh as many rows as they have.
        totals = totals + np.asarray(values, dtype=np.float64) * (last - first)
        logs = compiled.logs((totals / last).tolist(), last)
        callbacks.on_test_batch_end(batch, logs)
        if model.stop_evaluating:
            break
    return logs


def predict_data(
    model: CompiledModel, network: Any, x: npt.NDArray[Any], batch_size: int, callbacks: Any
) -> npt.NDArray[Any]:
    """The network's outputs (n, outputs), rows in x's order."""
    model.stop_predicting = False
    callbacks.on_predict_begin()
    if callbacks.wants_predict_batches:
        parts = []
        for batch, first in enumerate(range(0, len(x), batch_size)):
            callbacks.on_predict_batch_begin(batch)
            parts.append(model.shaped_output(network.predict(x[first : first + batch_size], batch_size)))
            callbacks.on_predict_batch_end(batch, {"outputs": parts[-1]})
            if model.stop_predicting:
                break
        out = np.concatenate(parts)
    else:
        out = model.shaped_output(network.predict(x, batch_size, progress_for(None, callbacks)))
    callbacks.on_predict_end()
    return out
