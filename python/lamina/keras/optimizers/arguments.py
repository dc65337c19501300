"""What an optimizer is told: one check for each kind of argument."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

# Arguments that every optimizer takes, with their defaults, in the order of Keras's configs.
COMMON: dict[str, Any] = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


def check_range(
    argument: str, value: Any, low: float, high: float = math.inf, *, below: bool = False
) -> float:
    """`value` as float; ValueError unless it is a number in [low, high], or in [low, high) if `below`."""
    if not _is_number(value) or not low <= value <= high or (below and value == high):
        bounds = f">= {low:g}" if high == math.inf else f"in [{low:g}, {high:g}{')' if below else ']'}"
        raise ValueError(f"{argument}: expected a number {bounds}, got {value!r}")
    return float(value)


def check_number(argument: str, value: Any) -> float:
    """`value` as float; ValueError unless it is a finite number."""
    if not _is_number(value):
        raise ValueError(f"{argument}: expected a finite number, got {value!r}")
    return float(value)


def check_rate(value: Any) -> float:
    """A learning rate as float; ValueError unless it is a finite float."""
    if not isinstance(value, (float, np.floating)) or not math.isfinite(value):
        raise ValueError(
            "learning_rate: expected a finite float, a schedule or a function without arguments, "
            f"got {value!r}"
        )
    return float(value)


def check_common(given: dict[str, Any]) -> None:
    """The arguments of `COMMON`, checked alone and together.

    Raises:
        ValueError: one is no number, none in its range, or there is more than one way of clipping.
    """
    for name in ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "loss_scale_factor"):
        if given[name] is not None:
            check_number(name, given[name])
    steps = given["gradient_accumulation_steps"]
    if steps and (not isinstance(steps, (int, np.integer)) or isinstance(steps, bool) or steps < 2):
        raise ValueError(f"gradient_accumulation_steps: expected None or an integer >= 2, got {steps!r}")
    if given["use_ema"]:
        check_range("ema_momentum", given["ema_momentum"], 0, 1)
        frequency = given["ema_overwrite_frequency"]
        if frequency and (not isinstance(frequency, int) or frequency < 1):
            raise ValueError(f"ema_overwrite_frequency: expected None or an integer >= 1, got {frequency!r}")
    clips = [name for name in ("clipnorm", "clipvalue", "global_clipnorm") if given[name] is not None]
    if len(clips) > 1:
        raise ValueError(
            f"{clips[0]}: expected one of clipnorm, clipvalue and global_clipnorm at most, "
            f"got {', '.join(f'{name}={given[name]!r}' for name in clips)}"
        )


def core_options(optimizer: Any) -> dict[str, Any]:
    """What the core's optimizer is told of the common arguments: those that are not at their defaults."""
    options: dict[str, Any] = {}
    if optimizer.weight_decay is not None:
        options["weight_decay"] = float(optimizer.weight_decay)
    for name in ("clipnorm", "global_clipnorm", "clipvalue"):
        if (value := getattr(optimizer, name)) and value > 0:
            options[name] = float(value)
    if optimizer.use_ema:
        options["use_ema"] = True
        options["ema_momentum"] = float(optimizer.ema_momentum)
        options["ema_overwrite_frequency"] = int(optimizer.ema_overwrite_frequency or 0)
    if optimizer.gradient_accumulation_steps:
        options["gradient_accumulation_steps"] = int(optimizer.gradient_accumulation_steps)
    return options


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, numbers.Real) and math.isfinite(value)
