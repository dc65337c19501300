"""Many models trained at once, one a thread: for sweeps and ensembles."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from lamina import _core
from lamina.keras._training.arguments import (
    batch_size_or_default,
    capped_epochs,
    capped_steps,
    checked_shuffle,
    checked_verbose,
    integer,
)
from lamina.keras._training.data import Data, batches_of, converted, converted_validation, limited
from lamina.keras._training.epochs import Epochs
from lamina.keras._training.fit import Plan
from lamina.keras._training.tracebacks import filter_traceback
from lamina.keras._training.trainer import Trainer
from lamina.keras.callbacks import CallbackList, History
from lamina.keras.utils.console import print_msg


@filter_traceback
def train_many(
    models: Sequence[Any],
    x: Any,
    y: Any,
    batch_size: int | None = None,
    epochs: int = 1,
    shuffle: bool = True,
    validation_data: Any = None,
    sample_weight: Any = None,
    class_weight: dict[int, float] | None = None,
    verbose: Any = 0,
) -> list[History]:
    """Train compiled models on the same data at once, one model a thread, without Python's lock.

    Each model ends with the very bits, and its `History` with the values, that `model.fit` with these
    arguments gives it: layers, optimizers, losses and dtypes may differ from model to model. The threads are
    those of `lamina.config.set_num_threads`; with more models than threads the ones with the most weights
    begin; models on one GPU are trained side by side by one thread. A model without a shape is built from
    the data, as in `fit`. The data are shared, not copied.

    Ctrl-C leaves every model after a whole step. `model.stop_training = True`, set by a signal handler or
    another thread, ends the training of that model after the epoch under way, or one that ends within
    20 ms of it (0.1 s where `train_many` was not called by the main thread).

    Args:
        models: list of compiled models, all different, each with an optimizer of its own.
        x, y: as in `fit`, in the shapes that every model asks for.
        batch_size: rows per step. Default 32.
        epochs: how many epochs each model is trained. Default 1. The limits of `keras.config.set_max_epochs`
            and `set_max_steps_per_epoch` hold as in `fit`.
        shuffle: whether the rows are permuted anew in every epoch, for each model by its own seed. Default
            True.
        validation_data: tuple (x, y) or (x, y, sample_weight), evaluated after every epoch. Default none.
        sample_weight, class_weight: as in `fit`.
        verbose: 0 (default) prints nothing, 1 or "auto" one line that tells how many models and epochs are
            done, 2 that line at the end only.

    Returns:
        The `History` of each model, in the order of `models`; also `model.history`.

    Raises:
        ValueError, TypeError: as in `fit`, and for a model that is listed twice, not compiled, or shares its
            optimizer; the message names the model as models[i]. Nothing was trained then.
        RuntimeError: another call trains one of the models.
        MemoryError and others: met by one of the models. The others are trained to their ends first; each
            `model.history` holds what was done.

    Example:
        models = [make_model(units) for units in (10, 30, 100, 300)]  # compiled
        histories = lamina.train_many(models, x, y, epochs=20, validation_data=(x_val, y_val))
        best = min(range(len(models)), key=lambda i: histories[i].history["val_loss"][-1])
    """
    _check_models(models)
    batch_size_or_default(batch_size)
    epochs = integer("epochs", epochs, 0)
    way = checked_shuffle(shuffle)
    checked_verbose(verbose)
    data = converted(x, y, sample_weight).with_class_weight(class_weight)
    validation = None if validation_data is None else converted_validation(validation_data)
    epochs, steps = capped_epochs(epochs), capped_steps(None)
    size = batch_size_or_default(batch_size, rows=len(data.x), steps=steps)
    validation_size = size
    if validation is not None:
        most = capped_steps(None)
        validation_size = batch_size_or_default(batch_size, rows=len(validation.x), steps=most)
        validation = limited(validation, validation_size, most, "validation_steps")
    plan = Plan(
        batch_size=size,
        epochs=epochs,
        initial_epoch=0,
        shuffle=way,
        validation_batch_size=validation_size,
        validation_freq=1,
        steps=steps,
    )
    datasets = _Datasets()
    admitted: list[tuple[Any, Any, Any, Any, Any]] = []
    for i, model in enumerate(models):
        try:
            compiled = model._compiled_now("train_many")
            trainer, shaped = model._admit(compiled, data, size, trains=True)
            validated = None
            if validation is not None:
                loss = compiled.loss.core_kind
                validated = datasets.of(validation.shaped(model.input_shape, model.output_shape, loss))
                trainer.check(validated)
        except (ValueError, TypeError) as error:
            raise type(error)(f"models[{i}]: {error}") from None
        admitted.append((model, compiled, trainer, datasets.of(shaped), validated))
    shown = steps or batches_of(len(data.x), size)
    histories: list[History] = []
    runs: list[Epochs] = []
    with ExitStack() as held:
        for model, *_ in admitted:
            held.enter_context(model.in_epoch())
        for model, compiled, trainer, dataset, validated in admitted:
            callbacks = CallbackList(
                add_history=True, model=model, verbose=verbose, epochs=plan.epochs, steps=shown
            )
            model.stop_training = False
            compiled.has_trained = compiled.has_trained or plan.epochs > 0
            histories.append(model.history)
            if plan.epochs:
                runs.append(Epochs(model, compiled, trainer, dataset, validated, plan, callbacks))
        _run(runs, _Line(len(runs), plan.epochs, verbose))
        for model, *_ in admitted:
            if plan.epochs > 0:
                model.optimizer.finalize_variable_values(model.learning_weights)
    return histories


def _run(runs: list[Epochs], line: _Line) -> None:
    def look() -> None:
        for run in runs:
            run.look()
        line.draw(runs)

    try:
        _core.run_together([run.core for run in runs], look)
    finally:
        for run in runs:
            run.take()
        line.draw(runs, last=True)


def _check_models(models: Any) -> None:
    if not isinstance(models, (list, tuple)):
        raise TypeError(f"models: expected a list of compiled models, got {type(models).__name__}")
    if not models:
        raise ValueError("models: expected at least one model, got none")
    for i, model in enumerate(models):
        if not isinstance(model, Trainer):
            raise TypeError(f"models[{i}]: expected a compiled model, got {type(model).__name__}")
    optimizers: dict[int, int] = {}
    places: dict[int, int] = {}
    for i, model in enumerate(models):
        first = places.setdefault(id(model), i)
        if first != i:
            raise ValueError(f"models[{i}]: expected each model once, got that of models[{first}] again")
        if not model.compiled:
            raise ValueError(
                f"models[{i}]: expected a compiled model, got {model.name!r}; call its compile first"
            )
        first = optimizers.setdefault(id(model.optimizer), i)
        if first != i:
            raise ValueError(
                f"models[{i}]: optimizer: expected one that works for this model alone, "
                f"got that of models[{first}]; make another"
            )


class _Datasets:
    """One data set of the core for all models that ask for the data in the same shapes."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], Any] = {}

    def of(self, data: Data) -> Any:
        key = (data.names, data.x.shape, data.y.shape)
        if key not in self._made:
            self._made[key] = data.dataset()
        return self._made[key]


class _Line:
    """The line that tells how far a training of many models is, redrawn in place."""

    def __init__(self, models: int, epochs: int, verbose: Any) -> None:
        self._models, self._epochs, self._verbose = models, epochs, verbose
        self._start = self._next = time.monotonic()

    def draw(self, runs: Sequence[Epochs], last: bool = False) -> None:
        now = time.monotonic()
        if not self._verbose or not runs or (not last and (self._verbose == 2 or now < self._next)):
            return
        self._next = now + 0.1
        done = [run.core.done for run in runs]
        finished = sum(epochs == self._epochs for epochs in done)
        total = self._models * self._epochs
        text = f"{finished}/{self._models} models - {sum(done)}/{total} epochs - {now - self._start:.1f}s"
        print_msg(f"\r{text}" + ("\n" if last else ""), line_break=False)
