"""Global settings of the Keras face."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from lamina.keras import dtype_policies
from lamina.keras._training.absent import refuse_absent
from lamina.keras._training.tracebacks import disable_traceback_filtering as disable_traceback_filtering
from lamina.keras._training.tracebacks import enable_traceback_filtering as enable_traceback_filtering
from lamina.keras._training.tracebacks import (
    is_traceback_filtering_enabled as is_traceback_filtering_enabled,
)
from lamina.keras.utils.console import disable_interactive_logging as disable_interactive_logging
from lamina.keras.utils.console import enable_interactive_logging as enable_interactive_logging
from lamina.keras.utils.console import is_interactive_logging_enabled as is_interactive_logging_enabled

__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]

FLOATS = ("float32", "float64")
_floatx = "float32"


def _limit(name: str, value: Any) -> int | None:
    """`value` as a limit, None for none.

    Raises:
        ValueError: no int >= 0.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ValueError(f"{name}: expected None or an int >= 0, got {value!r}")
    return int(value)


def _limit_of_environment(variable: str) -> int | None:
    text = os.environ.get(variable)
    if text is None:
        return None
    return _limit(variable, int(text) if text.strip().isdecimal() else text)


_flash_attention: bool | None = None
_max_epochs = _limit_of_environment("KERAS_MAX_EPOCHS")
_max_steps_per_epoch = _limit_of_environment("KERAS_MAX_STEPS_PER_EPOCH")


def floatx() -> str:
    """The dtype of layers that are given none: "float32" (default) or "float64"."""
    return _floatx


def set_floatx(value: str) -> None:
    """Set the dtype of the layers made after this call, and of the numbers that `fit` and `evaluate` report.

    Args:
        value: "float32" or "float64".

    Raises:
        ValueError: another dtype; for bfloat16 see `set_dtype_policy`.
    """
    global _floatx
    if value not in FLOATS:
        raise ValueError(f"floatx: expected 'float32' or 'float64', got {value!r}")
    _floatx = value


def dtype_policy() -> dtype_policies.DTypePolicy:
    """The policy of layers that are given no dtype: that of `set_dtype_policy`, else of `floatx()`."""
    return dtype_policies.dtype_policy()


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of the layers made after this call.

    Args:
        policy: "float32", "float64" or "mixed_bfloat16", or a `keras.DTypePolicy`.

    Raises:
        ValueError: something else; other policies of Keras's are not supported.

    Example:
        keras.config.set_dtype_policy("mixed_bfloat16")
        model = keras.Sequential([
            keras.Input((784,)),
            keras.layers.Dense(2048, activation="relu"),
            keras.layers.Dense(10, activation="softmax", dtype="float32"),  # the last one exactly
        ])
    """
    dtype_policies.set_dtype_policy(policy)


def epsilon() -> float:
    """The small number that keeps the probabilities of a loss away from 0 and 1: 1e-7, as Keras's default."""
    return 1e-7


def set_epsilon(value: float) -> None:
    """Accepts what `epsilon()` is: the losses' kernels are compiled with it.

    Raises:
        ValueError: another number.
    """
    if value != epsilon():
        raise ValueError(f"epsilon: expected {epsilon()}, got {value!r}; other numbers are not supported")


def image_data_format() -> str:
    """Always "channels_last"."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Accepts "channels_last".

    Raises:
        ValueError: another word; "channels_first" is not supported.
    """
    if str(data_format).lower() != "channels_last":
        raise ValueError(f"data_format: expected 'channels_last', got {data_format!r}; no other is supported")


def backend() -> str:
    """The name of what computes: "lamina"."""
    return "lamina"


def max_epochs() -> int | None:
    """The most epochs that a `fit` trains for; None (default) or 0: as many as it is told."""
    return _max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Let every `fit` stop after so many epochs, to try a program out. The environment's KERAS_MAX_EPOCHS
    does so too.

    Args:
        max_epochs: an int >= 0; None or 0 for no limit.

    Raises:
        ValueError: something else.
    """
    global _max_epochs
    _max_epochs = _limit("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """The most batches of an epoch, an evaluation or a prediction; None (default) or 0: all."""
    return _max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Let every epoch of `fit`, its validations, `evaluate` and `predict` take so many batches at most, as if
    they were told so by their numbers of steps. The environment's KERAS_MAX_STEPS_PER_EPOCH does so too.

    Args:
        max_steps_per_epoch: an int >= 0; None or 0 for no limit.

    Raises:
        ValueError: something else.
    """
    global _max_steps_per_epoch
    _max_steps_per_epoch = _limit("max_steps_per_epoch", max_steps_per_epoch)


def enable_flash_attention() -> None:
    """Let layers of attention compute in blocks where they can, as they do by default in Keras. Lamina has no
    such layers: it is only remembered.
    """
    global _flash_attention
    _flash_attention = None


def disable_flash_attention() -> None:
    """The contrary of `enable_flash_attention`; likewise only remembered."""
    global _flash_attention
    _flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """False after `disable_flash_attention`, else None: yes, where it is possible."""
    return _flash_attention


def is_nnx_enabled() -> bool:
    """False: there is no JAX below."""
    return False


refuse_absent(__name__)
