"""Trainer: fit, evaluate, predict and their one-batch forms, for anything that owns a network of the core."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras._training.arguments import (
    batch_size_or_default,
    capped_epochs,
    capped_steps,
    checked_frequency,
    checked_shuffle,
    checked_split,
    checked_steps,
    checked_verbose,
    integer,
)
from lamina.keras._training.compiled import Compiled
from lamina.keras._training.compiled_model import CompiledModel
from lamina.keras._training.data import (
    Data,
    batches_of,
    converted,
    converted_validation,
    core_source,
    limited,
    split,
)
from lamina.keras._training.evaluate import (
    evaluate_data,
    evaluate_stream,
    predict_batch,
    predict_data,
    predict_stream,
)
from lamina.keras._training.feed import ArrayFeed, StreamFeed
from lamina.keras._training.fit import Plan, run_fit
from lamina.keras._training.inputs import fitted_input, input_rows
from lamina.keras._training.source import Source, source_of
from lamina.keras._training.tracebacks import filter_traceback
from lamina.keras.callbacks import History


class Trainer(CompiledModel):
    """The training face of a model."""

    # -- fit, evaluate, predict ------------------------------------------------------------------------------
    @filter_traceback
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train for a number of epochs; all arguments and data are checked before the first weight changes.

        The rows are permuted anew in every epoch, by a seed that the model draws once from Python's `random`:
        after `keras.utils.set_random_seed`, the same program gives the same bits, whatever the number of
        threads. The reported loss and metrics are means over the epoch's rows, taken while the weights move,
        as in Keras.

        Args:
            x: array (n, ...) of any real dtype, layout and byte order, read where it lies; a pandas frame, a
                tensor of torch, jax or TensorFlow, or what else numpy can convert; a scipy sparse matrix,
                whose rows are made dense batch by batch. Or batches (x, y) or (x, y, sample_weight): a
                generator, a `keras.utils.PyDataset`, a torch DataLoader, a tf.data.Dataset; each is then a
                call into the core.
            y: targets, in the shape that loss and output ask for; a last axis of length 1 may be there or
                not. None where x brings batches.
            batch_size: rows per step. Default 32, or what makes `steps_per_epoch` steps of the rows; the
                short last batch counts. Batches that come as such keep their sizes.
            epochs: index of the epoch to stop before. Default 1.
            verbose: 1 or "auto" (default) a progress bar, 2 one line per epoch, 0 nothing.
            callbacks: list of `keras.callbacks.Callback`. Without one that has hooks of epochs or validation,
                and with verbose 0, all epochs are one call into the core; with one they are a call each. One
                with batch hooks makes the batches run one by one from Python.
            validation_split: the last part of the rows, in [0, 1), is kept for validation. Default 0. Arrays
                only.
            validation_data: tuple (x, y) or (x, y, sample_weight), or batches as x, used instead.
            shuffle: True (default) permutes all rows, "batch" those within each batch, False none. Batches of
                a PyDataset are permuted as such; others come in their own order. An epoch of one batch is not
                permuted: that would change its sums' roundings and nothing else.
            class_weight: dict from class number to the weight of its samples; 1 for classes not named.
            sample_weight: (n,), the factor of each sample's loss; or (n, t) for an output (n, t, k). Not
                together with class_weight.
            initial_epoch: index of the first epoch. Default 0.
            steps_per_epoch: batches of an epoch. Default all. With less the next epoch goes on where the last
                one stopped; where the data end, the epoch ends with a warning.
            validation_steps: batches of a validation, which always begins anew. Default all.
            validation_batch_size: default batch_size, or what makes `validation_steps` steps.
            validation_freq: validate every so many epochs, or after the epochs listed (from 1). Default 1.

        Returns:
            `History`; its dict `history` holds a list per name, a value per epoch.

        Raises:
            ValueError, TypeError: `compile` wasn't called, or an argument is wrong; the message names it.
            RuntimeError: called by a callback's batch hook during `fit` of the same model.
        """
        compiled = self._compiled_now("fit")
        steps = checked_steps("steps_per_epoch", steps_per_epoch)
        way = checked_shuffle(shuffle)
        plan = Plan(
            batch_size=batch_size_or_default(batch_size),
            epochs=integer("epochs", epochs, 0),
            initial_epoch=integer("initial_epoch", initial_epoch, 0),
            shuffle=way,
            validation_batch_size=1,
            validation_freq=checked_frequency(validation_freq),
        )
        validation_steps = checked_steps("validation_steps", validation_steps)
        if validation_batch_size is None:
            validation_batch_size = batch_size
        else:
            integer("validation_batch_size", validation_batch_size, 1)
        checked_verbose(verbose)
        part = checked_split(validation_split)
        source = source_of(x, y, sample_weight, class_weight, way)
        given = None if validation_data is None else self._given_validation(validation_data)
        plan = plan._replace(epochs=capped_epochs(plan.epochs))
        steps = capped_steps(steps)
        if given is not None or part:
            validation_steps = capped_steps(validation_steps)
        feed: ArrayFeed | StreamFeed
        if source is not None:
            if part and given is None:
                raise ValueError(f"validation_split: expected 0 beside a {source.kind}, got {part}")
            feed = StreamFeed(source, steps)
            trainer = self._admit_stream(compiled, feed, trains=True)
        else:
            data = converted(x, y, sample_weight)
            if given is None and part:
                data, given = split(data, part)
            data = data.with_class_weight(class_weight)
            size = batch_size_or_default(batch_size, rows=len(data.x), steps=steps)
            trainer, data = self._admit(compiled, data, size, trains=True)
            plan = plan._replace(batch_size=size, steps=steps)
            feed = ArrayFeed(data, size, way, steps)
        validation: Data | StreamFeed | None = None
        if isinstance(given, Source):
            validation = StreamFeed(given, validation_steps, "validation_data")
            first = validation.first().shaped(self.input_shape, self.output_shape, compiled.loss.core_kind)
            trainer.check(first.dataset())
        elif given is not None:
            size = batch_size_or_default(
                validation_batch_size, "validation_batch_size", len(given.x), validation_steps
            )
            plan = plan._replace(validation_batch_size=size)
            given = limited(given, size, validation_steps, "validation_steps")
            validation = given.shaped(self.input_shape, self.output_shape, compiled.loss.core_kind)
            trainer.check(validation.dataset())
        callback_list = self._callbacks(callbacks, verbose, plan.epochs, feed.steps, add_history=True)
        compiled.has_trained = compiled.has_trained or plan.epochs > plan.initial_epoch
        run_fit(self, compiled, trainer, feed, validation, plan, callback_list)
        history = callback_list.history or self.history
        assert history is not None  # a CallbackList of fit has one
        return history

    @filter_traceback
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on data, without training: no dropout, moving statistics in batch normalization.

        Args:
            x, y, sample_weight: as in `fit`.
            batch_size: rows per step, default 32; changes nothing but rounding.
            verbose: as in `fit`.
            steps: batches to take. Default all.
            callbacks: list of callbacks; their test hooks are called.
            return_dict: True returns a dict by name.

        Returns:
            A list [loss, metrics…]; the loss alone, a float, where there are no metrics; or a dict.

        Raises:
            ValueError, TypeError: as in `fit`.
        """
        compiled = self._compiled_now("evaluate")
        if kwargs:
            raise ValueError(f"evaluate: unknown arguments {', '.join(map(repr, kwargs))}")
        steps = capped_steps(checked_steps("steps", steps))
        checked_verbose(verbose)
        source = source_of(x, y, sample_weight, None, False)
        if source is not None:
            feed = StreamFeed(source, steps)
            trainer = self._admit_stream(compiled, feed)
            callback_list = self._callbacks(callbacks, verbose, 1, feed.steps)
            logs = evaluate_stream(self, compiled, trainer, feed, callback_list, shown=True)
        else:
            data = converted(x, y, sample_weight)
            size = batch_size_or_default(batch_size, rows=len(data.x), steps=steps)
            trainer, data = self._admit(compiled, limited(data, size, steps, "steps"), size)
            callback_list = self._callbacks(callbacks, verbose, 1, steps or batches_of(len(data.x), size))
            logs = evaluate_data(self, compiled, trainer, data, size, callback_list, shown=True)
        return logs if return_dict else compiled.in_order(logs)

    @filter_traceback
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> npt.NDArray[Any]:
        """The model's outputs for data. Several threads may call it at once.

        Args:
            x, batch_size, verbose: as in `evaluate`.
            steps: batches to take. Default all.
            callbacks: list of callbacks; their predict hooks are called.

        Returns:
            Array (n, ..., outputs) of the model's dtype.

        Raises:
            ValueError, TypeError: an argument is wrong; the message names it.
        """
        checked_verbose(verbose)
        source = None if type(x) is np.ndarray else source_of(x, None, None, None, False)
        if source is not None:
            feed = StreamFeed(source, capped_steps(checked_steps("steps", steps)))
            return predict_stream(self, feed, self._callbacks(callbacks, verbose, 1, feed.steps))
        rows = input_rows(x, "x")
        wanted = capped_steps(None if steps is None else checked_steps("steps", steps))
        size = batch_size_or_default(batch_size, rows=len(rows), steps=wanted)
        if wanted is not None:
            rows = limited(rows, size, wanted, "steps")
        network = self._network or self.network_for((min(len(rows), size), *rows.shape[1:]))
        rows = fitted_input(rows, self.input_shape, "x")
        if callbacks is None and verbose == 0:  # a list without a callback has nothing to call
            self.stop_predicting = False
            return self.shaped_output(network.predict(core_source(rows), size))
        callback_list = self._callbacks(callbacks, verbose, 1, wanted or batches_of(len(rows), size))
        return predict_data(self, network, rows, size, callback_list)

    # -- one batch -------------------------------------------------------------------------------------------
    @filter_traceback
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on all rows given.

        Args:
            x, y, sample_weight, class_weight: as in `fit`.
            return_dict: as in `evaluate`.

        Returns:
            Loss and metrics of this batch before the step, in `evaluate`'s form.

        Raises:
            ValueError, TypeError: as in `fit`.
        """
        compiled = self._compiled_now("train_on_batch")
        data = converted(x, y, sample_weight).with_class_weight(class_weight)
        trainer, data = self._admit(compiled, data, len(data.x), trains=True)
        compiled.has_trained = True
        with self.in_epoch():
            trainer.begin_epoch(data.dataset(), len(data.x), False, self.shuffle_seed(), self.count_epoch())
            logs = compiled.logs(trainer.train(0, 1), len(data.x))
        self.hold_results(logs)
        return logs if return_dict else compiled.in_order(logs)

    @filter_traceback
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """`evaluate` on all rows as one batch, silently; arguments, result and errors as there."""
        compiled = self._compiled_now("test_on_batch")
        data = converted(x, y, sample_weight)
        trainer, data = self._admit(compiled, data, len(data.x))
        logs = compiled.logs(trainer.evaluate(data.dataset(), len(data.x)), len(data.x))
        self.hold_results(logs)
        return logs if return_dict else compiled.in_order(logs)

    @filter_traceback
    def predict_on_batch(self, x: Any) -> npt.NDArray[Any]:
        """`predict` on all rows as one batch, silently; result and errors as there."""
        return predict_batch(self, x, "x")

    # -- doors -----------------------------------------------------------------------------------------------
    def _admit_stream(self, compiled: Compiled, feed: StreamFeed, *, trains: bool = False) -> Any:
        """The trainer for batches that are still to come, by a first one."""
        first = feed.first()
        trainer, _ = self._admit(compiled, first, len(first.x) + 1, trains=trains)  # of no common size
        return trainer

    def _given_validation(self, validation_data: Any) -> Data | Source:
        alone = validation_data
        if isinstance(alone, (tuple, list)) and len(alone) == 1:
            alone = alone[0]
        source = source_of(alone, None, None, None, False)
        return converted_validation(validation_data) if source is None else source
