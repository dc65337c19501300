"""Trainer: fit, evaluate, predict and their one-batch forms, for anything that owns a network of the core."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from lamina.keras._training.arguments import (
    batch_size_or_default,
    checked_frequency,
    checked_shuffle,
    checked_split,
    checked_verbose,
    integer,
)
from lamina.keras._training.compiled_model import CompiledModel
from lamina.keras._training.data import converted, converted_validation, split
from lamina.keras._training.evaluate import evaluate_data, predict_data
from lamina.keras._training.fit import Plan, batches_of, run_fit
from lamina.keras._training.inputs import fitted_input, real_array, unwrapped
from lamina.keras._training.unsupported import refuse_unless_default
from lamina.keras.callbacks import History


class Trainer(CompiledModel):
    """The training face of a model."""

    # -- fit, evaluate, predict ------------------------------------------------------------------------------
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
        shuffle: bool = True,
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
            x: array (n, ...) of any real dtype, layout and byte order, read where it lies; or what numpy can
                convert.
            y: targets, in the shape that loss and output ask for; a last axis of length 1 may be there or
                not.
            batch_size: rows per step. Default 32; the short last batch counts.
            epochs: index of the epoch to stop before. Default 1.
            verbose: 1 or "auto" (default) a progress bar, 2 one line per epoch, 0 nothing.
            callbacks: list of `keras.callbacks.Callback`. One with batch hooks makes the batches run one by
                one from Python.
            validation_split: the last part of the rows, in [0, 1), is kept for validation. Default 0.
            validation_data: tuple (x, y) or (x, y, sample_weight), used instead.
            shuffle: whether the rows are permuted. Default True.
            class_weight: dict from class number to the weight of its samples; 1 for classes not named.
            sample_weight: (n,), the factor of each sample's loss; or (n, t) for an output (n, t, k). Not
                together with class_weight.
            initial_epoch: index of the first epoch. Default 0.
            steps_per_epoch, validation_steps: not supported yet, None only.
            validation_batch_size: default batch_size.
            validation_freq: validate every so many epochs, or after the epochs listed (from 1). Default 1.

        Returns:
            `History`; its dict `history` holds a list per name, a value per epoch.

        Raises:
            ValueError, TypeError: `compile` wasn't called, or an argument is wrong; the message names it.
            RuntimeError: called by a callback's batch hook during `fit` of the same model.
        """
        compiled = self._compiled_now("fit")
        refuse_unless_default(
            "fit", steps_per_epoch=(steps_per_epoch, None), validation_steps=(validation_steps, None)
        )
        size = batch_size_or_default(batch_size)
        plan = Plan(
            batch_size=size,
            epochs=integer("epochs", epochs, 0),
            initial_epoch=integer("initial_epoch", initial_epoch, 0),
            shuffle=checked_shuffle(shuffle),
            validation_batch_size=batch_size_or_default(validation_batch_size, "validation_batch_size")
            if validation_batch_size is not None
            else size,
            validation_freq=checked_frequency(validation_freq),
        )
        checked_verbose(verbose)
        part = checked_split(validation_split)
        data = converted(x, y, sample_weight)
        validation = None if validation_data is None else converted_validation(validation_data)
        if validation is None and part:
            data, validation = split(data, part)
        data = data.with_class_weight(class_weight)
        trainer, data = self._admit(compiled, data, size, trains=True)
        if validation is not None:
            validation = validation.shaped(self.input_shape, self.output_shape, compiled.loss.core_kind)
            trainer.check(validation.dataset())
        callback_list = self._callbacks(
            callbacks, verbose, plan.epochs, batches_of(len(data.x), size), add_history=True
        )
        compiled.has_trained = compiled.has_trained or plan.epochs > plan.initial_epoch
        run_fit(self, compiled, trainer, data, validation, plan, callback_list)
        history = callback_list.history or self.history
        assert history is not None  # a CallbackList of fit has one
        return history

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
            steps: not supported yet, None only.
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
        refuse_unless_default("evaluate", steps=(steps, None))
        size = batch_size_or_default(batch_size)
        checked_verbose(verbose)
        trainer, data = self._admit(compiled, converted(x, y, sample_weight), size)
        callback_list = self._callbacks(callbacks, verbose, 1, batches_of(len(data.x), size))
        logs = evaluate_data(self, compiled, trainer, data, size, callback_list, shown=True)
        return logs if return_dict else compiled.in_order(logs)

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
            steps: not supported yet, None only.
            callbacks: list of callbacks; their predict hooks are called.

        Returns:
            Array (n, ..., outputs) of the model's dtype.

        Raises:
            ValueError, TypeError: an argument is wrong; the message names it.
        """
        if steps is not None:
            refuse_unless_default("predict", steps=(steps, None))
        size = batch_size_or_default(batch_size)
        checked_verbose(verbose)
        rows = real_array(unwrapped(x, 2), "x")
        network = self._network or self.network_for((min(len(rows), size), *rows.shape[1:]))
        rows = fitted_input(rows, self.input_shape, "x")
        if callbacks is None and verbose == 0:  # a list without a callback has nothing to call
            self.stop_predicting = False
            return self.shaped_output(network.predict(rows, size))
        callback_list = self._callbacks(callbacks, verbose, 1, batches_of(len(rows), size))
        return predict_data(self, network, rows, size, callback_list)

    # -- one batch -------------------------------------------------------------------------------------------
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
        return logs if return_dict else compiled.in_order(logs)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """`evaluate` on all rows as one batch, silently; arguments, result and errors as there."""
        compiled = self._compiled_now("test_on_batch")
        data = converted(x, y, sample_weight)
        trainer, data = self._admit(compiled, data, len(data.x))
        logs = compiled.logs(trainer.evaluate(data.dataset(), len(data.x)), len(data.x))
        return logs if return_dict else compiled.in_order(logs)

    def predict_on_batch(self, x: Any) -> npt.NDArray[Any]:
        """`predict` on all rows as one batch, silently; result and errors as there."""
        rows = real_array(unwrapped(x, 2), "x")
        network = self._network or self.network_for(rows.shape)
        rows = fitted_input(rows, self.input_shape, "x")
        return self.shaped_output(network.predict(rows, len(rows)))
