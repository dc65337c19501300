"""Global settings of the Keras face."""

from __future__ import annotations

from typing import Any

from lamina.keras import dtype_policies
from lamina.keras._training.absent import refuse_absent
from lamina.keras.utils.console import disable_interactive_logging as disable_interactive_logging
from lamina.keras.utils.console import enable_interactive_logging as enable_interactive_logging
from lamina.keras.utils.console import is_interactive_logging_enabled as is_interactive_logging_enabled

__all__ = [
    "backend",
    "disable_interactive_logging",
    "dtype_policy",
    "enable_interactive_logging",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_interactive_logging_enabled",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]

FLOATS = ("float32", "float64")
_floatx = "float32"


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


refuse_absent(__name__)
