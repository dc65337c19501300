"""CallbackList: one object that passes every hook on to many callbacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamina.keras.callbacks.callback import (
    EPOCH_HOOKS,
    PREDICT_BATCH_HOOKS,
    TEST_BATCH_HOOKS,
    TEST_HOOKS,
    TRAIN_BATCH_HOOKS,
    Callback,
    Logs,
    overrides,
)
from lamina.keras.callbacks.history import History
from lamina.keras.callbacks.lambda_callback import LambdaCallback
from lamina.keras.callbacks.learning_rate_scheduler import LearningRateScheduler
from lamina.keras.callbacks.progbar_logger import ProgbarLogger

# Every hook within the loop over the epochs.
_EPOCH_LOOP = (*EPOCH_HOOKS, *TEST_HOOKS, *TRAIN_BATCH_HOOKS, *TEST_BATCH_HOOKS)


class CallbackList(Callback):
    """Calls the hooks of several callbacks, in their order, with one and the same `logs` dict.

    Args:
        callbacks: a callback, or a list of callbacks (lists in it are flattened); None for none.
        add_history: append a `History` if the list has none; the user's own is used otherwise.
        add_progbar: append a `ProgbarLogger` if the list has none.
        model: the model, given to every callback by `set_model`; its `history` attribute is set to the list's
            `History`.
        **params: `verbose`, `epochs`, `steps`, given to every callback by `set_params`.

    How a training loop uses it:

        callbacks = CallbackList(callbacks, add_history=True, add_progbar=verbose != 0, model=model,
                                 verbose=verbose, epochs=epochs, steps=batches_per_epoch)
        callbacks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            callbacks.on_epoch_begin(epoch)
            if callbacks.wants_train_batches:
                # batch by batch; on_progress is not needed then
                callbacks.on_train_batch_begin(b); ...; callbacks.on_train_batch_end(b, logs)
            else:
                # the whole epoch in the core, with progress=None unless callbacks.wants_progress
                progress = lambda done, means: callbacks.on_progress(done, dict(zip(names, means)))
            # validation: on_test_begin(), test batches or on_progress, on_test_end(val_logs)
            callbacks.on_epoch_end(epoch, logs)  # with the val_ values; prints the display's final line
            if model.stop_training:
                break
        callbacks.on_train_end(logs)  # of the last epoch
        return callbacks.history

    Raises:
        TypeError: an entry is not a callback.
        ValueError: an `on_..._end` hook of train, test or predict without its `on_..._begin`.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Callback] = []
        self._open_blocks = 0
        self._collect(callbacks)
        self.history: History | None = self._last(History)
        if self.history is None and add_history:
            self.history = History()
            self.callbacks.append(self.history)
        if add_progbar and self._last(ProgbarLogger) is None:
            self.callbacks.append(ProgbarLogger())
        self.set_model(model)
        self.set_params(params)

    def _collect(self, entry: Any) -> None:
        if entry is None:
            return
        if isinstance(entry, (list, tuple)):
            for item in entry:
                self._collect(item)
        elif isinstance(entry, dict):
            for name in sorted(entry):
                self._collect(entry[name])
        else:
            self.append(entry)

    def _last(self, kind: type[Any]) -> Any:
        return next((callback for callback in reversed(self.callbacks) if isinstance(callback, kind)), None)

    def append(self, callback: Callback) -> None:
        """Add one more callback at the end."""
        if isinstance(callback, type) or not isinstance(callback, Callback):
            what = f"the class {callback.__name__}" if isinstance(callback, type) else repr(callback)
            raise TypeError(f"callbacks: expected instances of lamina.keras.callbacks.Callback, got {what}")
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        if model is None:
            return
        super().set_model(model)
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    # -- what the training loop asks ------------------------------------------------------------
    @property
    def wants_train_batches(self) -> bool:
        """True when some callback has a hook around the batches of training."""
        return any(_wants(callback, TRAIN_BATCH_HOOKS, "wants_train_batches") for callback in self.callbacks)

    @property
    def wants_test_batches(self) -> bool:
        """True when some callback has a hook around the batches of evaluation."""
        return any(_wants(callback, TEST_BATCH_HOOKS, "wants_test_batches") for callback in self.callbacks)

    @property
    def wants_predict_batches(self) -> bool:
        """True when some callback has a hook around the batches of prediction."""
        return any(
            _wants(callback, PREDICT_BATCH_HOOKS, "wants_predict_batches") for callback in self.callbacks
        )

    @property
    def wants_epochs(self) -> bool:
        """True when some callback has a hook that runs between the first epoch's begin and the last one's
        end; a plain `History`, which `add_epochs` serves, has none.
        """
        return _wants_epochs(self)

    @property
    def runs_foreign_code(self) -> bool:
        """True when a hook is, or calls, code that is not Lamina's, which may change anything."""
        return _is_foreign(self)

    @property
    def wants_progress(self) -> bool:
        """True when a moving bar is shown, so that `on_progress` has something to do."""
        return any(_shows_progress(callback) for callback in self.callbacks)

    def on_progress(self, done: int, logs: Logs = None) -> None:
        """Tell the display that `done` batches (from 1) of the running epoch or pass are done."""
        logs = plain_logs(logs)
        for callback in self.callbacks:
            if isinstance(callback, (ProgbarLogger, CallbackList)):
                callback.on_progress(done, logs)

    def add_epochs(self, epochs: Sequence[int], series: Mapping[str, Sequence[float]]) -> None:
        """Tell every `History` of epochs that went by without their hooks; see `History.add_epochs`."""
        for callback in self.callbacks:
            if isinstance(callback, (History, CallbackList)):
                callback.add_epochs(epochs, series)

    # -- hooks ----------------------------------------------------------------------------------
    def _call(self, hook: str, logs: Logs, *index: int) -> None:
        logs = plain_logs(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(*index, logs)

    def _call_batch(self, hook: str, batch: int, logs: Logs) -> None:
        # Batch hooks get `logs` by keyword, the others by position, as in Keras: users' lambdas rely on it.
        logs = plain_logs(logs)
        for callback in self.callbacks:
            getattr(callback, hook)(batch, logs=logs)

    def _begin(self, hook: str, logs: Logs) -> None:
        self._open_blocks += 1
        self._call(hook, logs)

    def _end(self, hook: str, logs: Logs) -> None:
        if self._open_blocks == 0:
            raise ValueError(f"{hook} was called without {hook.replace('_end', '_begin')} before it")
        self._call(hook, logs)
        self._open_blocks -= 1

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call_batch("on_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call_batch("on_batch_end", batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._call("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._call("on_epoch_end", logs, epoch)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call_batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call_batch("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call_batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call_batch("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._call_batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._call_batch("on_predict_batch_end", batch, logs)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._begin("on_train_begin", logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._end("on_train_end", logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._begin("on_test_begin", logs)

    def on_test_end(self, logs: Logs = None) -> None:
        self._end("on_test_end", logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._begin("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._end("on_predict_end", logs)


def plain_logs(logs: Logs) -> dict[str, Any]:
    """A new dict, keys in alphabetical order (dicts in it flattened), whose scalars are Python floats."""
    plain: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            plain.update(plain_logs(value))
        elif getattr(value, "ndim", 0):  # the outputs of a predicted batch stay an array
            plain[name] = value
        else:
            try:
                plain[name] = float(value)
            except (TypeError, ValueError):
                plain[name] = value
    return plain


def _wants(callback: Callback, hooks: tuple[str, ...], question: str) -> bool:
    if isinstance(callback, CallbackList):
        return bool(getattr(callback, question))
    if type(callback) is ProgbarLogger:
        return False
    if isinstance(callback, ProgbarLogger):  # a subclass counts where it adds hooks of its own
        return any(getattr(type(callback), hook) is not getattr(ProgbarLogger, hook) for hook in hooks)
    return callback._calls_for(hooks)


def _wants_epochs(callback: Callback) -> bool:
    if isinstance(callback, CallbackList):  # one with hooks of its own is asked as any other
        return overrides(callback, _EPOCH_LOOP, CallbackList) or any(map(_wants_epochs, callback.callbacks))
    if isinstance(callback, ProgbarLogger):
        return True
    if isinstance(callback, History):
        return overrides(callback, _EPOCH_LOOP, History)
    return callback._calls_for(_EPOCH_LOOP)


def _is_foreign(callback: Callback) -> bool:
    if type(callback) is CallbackList:
        return any(map(_is_foreign, callback.callbacks))
    if isinstance(callback, (LambdaCallback, LearningRateScheduler)):
        return True
    return not type(callback).__module__.startswith("lamina.")


def _shows_progress(callback: Callback) -> bool:
    if isinstance(callback, CallbackList):
        return callback.wants_progress
    return isinstance(callback, ProgbarLogger) and callback.verbose == 1
