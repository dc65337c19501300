"""LambdaCallback: a callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.keras.callbacks.callback import Callback

Hook = Callable[..., Any]


class LambdaCallback(Callback):
    """Calls a function at each hook it was given one for.

    Args:
        on_epoch_begin, on_epoch_end: called as `f(epoch, logs)`.
        on_train_begin, on_train_end: called as `f(logs)`.
        on_train_batch_begin, on_train_batch_end: called as `f(batch, logs=logs)`; these make the batches run
            one by one.
        **kwargs: functions for the other hooks by name, called with the arguments `Callback` documents; other
            names become attributes.

    Raises:
        TypeError: a name that begins with "on_" is no hook, or its value can't be called.
    """

    def __init__(
        self,
        on_epoch_begin: Hook | None = None,
        on_epoch_end: Hook | None = None,
        on_train_begin: Hook | None = None,
        on_train_end: Hook | None = None,
        on_train_batch_begin: Hook | None = None,
        on_train_batch_end: Hook | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, value in hooks.items():
            if not name.startswith("on_"):
                setattr(self, name, value)
                continue
            if not hasattr(Callback, name):
                known = ", ".join(hook for hook in vars(Callback) if hook.startswith("on_"))
                raise TypeError(f"LambdaCallback: expected one of the hooks {known}, got {name!r}")
            if value is None:
                continue
            if not callable(value):
                raise TypeError(f"LambdaCallback: {name}: expected a function, got {value!r}")
            setattr(self, name, value)
