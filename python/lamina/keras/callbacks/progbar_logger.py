"""ProgbarLogger: the progress display of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from typing import Any

from lamina.keras.callbacks.callback import Callback, Logs
from lamina.keras.utils.console import print_msg
from lamina.keras.utils.progbar import Progbar


class ProgbarLogger(Callback):
    """Prints what Keras prints for `verbose` 1 (a bar that moves) and 2 (one line per epoch).

    It is added by `CallbackList(add_progbar=True)`. Where the batches run in the core, `on_progress(done,
    logs)` moves the bar; where Python runs them one by one, the batch hooks do. The validation inside `fit`
    prints nothing of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._in_fit = False
        self._validating = False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params["verbose"]
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params["epochs"]
        self.target = params["steps"]

    def on_progress(self, done: int, logs: Logs = None) -> None:
        """Move the bar to `done` batches (counted from 1) of the running epoch, evaluation or prediction."""
        if not self._validating:
            self._move(done, logs)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: Logs = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._start()
        if self.verbose and self.epochs > 1:
            print_msg(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._move(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._validating = self._in_fit
        if not self._validating:
            self._start()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.on_progress(batch + 1, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._validating:
            self._finish(logs)
        self._validating = False

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._start()

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._move(batch + 1, None)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._finish(logs)

    def _start(self) -> Progbar:
        self.seen = 0
        # Every value is a running mean already: none is to be averaged again.
        self.progbar = Progbar(self.target, verbose=self.verbose, unit_name="step", stateless_metrics=())
        return self.progbar

    def _move(self, done: int, logs: Logs) -> None:
        progbar = self.progbar or self._start()
        self.seen = done
        if self.verbose == 1:
            progbar.update(done, list((logs or {}).items()), finalize=False)

    def _finish(self, logs: Logs) -> None:
        progbar = self.progbar or self._start()
        if self.target is None:
            self.target = progbar.target = self.seen
        progbar.update(self.target, list((logs or {}).items()), finalize=True)
