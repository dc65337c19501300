"""The base class: every hook, each doing nothing."""

from __future__ import annotations

from typing import Any, TypeAlias

Logs: TypeAlias = dict[str, Any] | None

TRAIN_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
TEST_BATCH_HOOKS = ("on_test_batch_begin", "on_test_batch_end")
PREDICT_BATCH_HOOKS = ("on_predict_batch_begin", "on_predict_batch_end")
EPOCH_HOOKS = ("on_epoch_begin", "on_epoch_end")
TEST_HOOKS = ("on_test_begin", "on_test_end")


class Callback:
    """Base class of all callbacks: override the hooks you need.

    In `fit` the hooks run in this order: `on_train_begin`; per epoch `on_epoch_begin`, per batch
    `on_train_batch_begin` and `on_train_batch_end`, then for validation `on_test_begin`, the test batches,
    `on_test_end`, then `on_epoch_end`; last `on_train_end`. `evaluate` and `predict` run the test and the
    predict hooks.

    All epochs run in the compiled core without returning to Python. Overriding a hook of the epochs or of the
    validation costs that: each epoch is then a call of its own. Overriding a batch hook costs more: the
    batches are then run one by one, with the hooks in between.

    Attributes:
        model: The model being trained; `self.model.stop_training = True` ends `fit` after the current batch.
        params: dict with `verbose`, `epochs` and `steps` (batches per epoch).

    `logs` is a dict of floats by metric name: running means over the epoch so far at a batch's end, the
    epoch's means (and `val_...`) at an epoch's end. Like Keras's, its keys are in alphabetical order.
    """

    params: dict[str, Any] | None
    _model: Any

    def __init__(self) -> None:
        self.params = None
        self._model = None

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self._model = model

    @property
    def model(self) -> Any:
        return self._model

    def _calls_for(self, hooks: tuple[str, ...]) -> bool:
        """Whether one of these hooks does something."""
        return overrides(self, hooks)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Older name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Before epoch `epoch` (counted from 0)."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """After epoch `epoch` and its validation; later callbacks see what is added to `logs`."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before batch `batch` (counted from 0 within the epoch) of `fit`."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `fit`; `logs` holds the running means of the epoch."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `evaluate`, or of the validation in `fit`."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `evaluate`, or of the validation in `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """After a batch of `predict`; `logs["outputs"]` is the batch's result."""

    def on_train_begin(self, logs: Logs = None) -> None:
        """At the start of `fit`."""

    def on_train_end(self, logs: Logs = None) -> None:
        """At the end of `fit`, with the logs of the last epoch."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """At the start of `evaluate`, or of the validation in `fit`."""

    def on_test_end(self, logs: Logs = None) -> None:
        """At the end of `evaluate`, or of the validation in `fit`, with its results."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """At the start of `predict`."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """At the end of `predict`."""


def overrides(callback: Callback, hooks: tuple[str, ...], base: type[Callback] = Callback) -> bool:
    """True when one of the hooks is not the one of `base`: overridden in a subclass, or by an attribute of
    the instance.
    """
    for hook in hooks:
        method = getattr(callback, hook)
        if getattr(method, "__func__", method) is not getattr(base, hook):
            return True
    return False
