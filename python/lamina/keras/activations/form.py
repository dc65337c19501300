"""Form: an activation as the core knows it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# Those whose slope follows from the output: a dense layer applies them itself.
FROM_OUTPUT = ("linear", "relu", "sigmoid", "tanh", "softmax", "exp")
# Those over rows of which softmax is not one.
BY_ROWS = ("glu", "log_softmax", "sparsemax")


class Form(NamedTuple):
    """An activation: its kind in the core, its numbers, the axes it runs along, if it does so along any.

    `shows_logits` says of a softmax whether a loss sees through it to what goes in, as Keras's does.
    """

    kind: str
    numbers: tuple[float, ...] = ()
    axes: tuple[int, ...] = ()
    shows_logits: bool = False


def number(argument: str, value: Any) -> float:
    """The value as a float; ValueError for anything else."""
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ValueError(f"{argument}: expected a number, got {value!r}")
    return float(value)


def axis_of(axis: Any) -> tuple[int, ...]:
    """One axis as the axes of a `Form`."""
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise ValueError(f"axis: expected an int, got {axis!r}")
    return (int(axis),)


def relu_form(negative_slope: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Form:
    """The form of `relu` with these arguments."""
    slope, bend = number("negative_slope", negative_slope), number("threshold", threshold)
    largest = math.nan if max_value is None else number("max_value", max_value)
    if math.isnan(largest) and bend == 0:
        return leaky_form(slope) if slope != 0 else Form("relu")
    return Form("relu", (slope, float(np.float32(largest)), float(np.float32(bend)), bend))


def leaky_form(negative_slope: Any) -> Form:
    """The form of `leaky_relu`. TensorFlow keeps the slope in float32, also for float64; so do Keras's casts
    of a bound or a threshold.
    """
    return Form("leaky_relu", (float(np.float32(number("negative_slope", negative_slope))),))


# By the name of the function, from its arguments after x.
FORMS: dict[str, Callable[..., Form]] = {
    "relu": relu_form,
    "leaky_relu": lambda negative_slope=0.2: leaky_form(negative_slope),
    "relu6": lambda: Form("relu6"),
    "softmax": lambda axis=-1: Form("softmax", axes=axis_of(axis), shows_logits=True),
    "celu": lambda alpha=1.0: Form("celu", (number("alpha", alpha),)),
    "elu": lambda alpha=1.0: Form("elu", (number("alpha", alpha),)),
    "selu": lambda: Form("selu"),
    "softplus": lambda: Form("softplus"),
    "softsign": lambda: Form("softsign"),
    "squareplus": lambda b=4: Form("squareplus", (number("b", b),)),
    "soft_shrink": lambda threshold=0.5: Form("soft_shrink", (number("threshold", threshold),)),
    "sparse_plus": lambda: Form("sparse_plus"),
    "silu": lambda: Form("silu"),
    "gelu": lambda approximate=False: Form("gelu_tanh" if approximate else "gelu"),
    "glu": lambda axis=-1: Form("glu", axes=axis_of(axis)),
    "tanh": lambda: Form("tanh"),
    "tanh_shrink": lambda: Form("tanh_shrink"),
    "threshold": lambda threshold, default_value: Form(
        "threshold", (number("threshold", threshold), number("default_value", default_value))
    ),
    "sigmoid": lambda: Form("sigmoid"),
    "sparse_sigmoid": lambda: Form("sparse_sigmoid"),
    "exponential": lambda: Form("exp"),
    "hard_sigmoid": lambda: Form("hard_sigmoid"),
    "hard_silu": lambda: Form("hard_silu"),
    "hard_tanh": lambda: Form("hard_tanh"),
    "hard_shrink": lambda threshold=0.5: Form("hard_shrink", (number("threshold", threshold),)),
    "linear": lambda: Form("linear"),
    "mish": lambda: Form("mish"),
    "log_softmax": lambda axis=-1: Form("log_softmax", axes=axis_of(axis)),
    "log_sigmoid": lambda: Form("log_sigmoid"),
    "sparsemax": lambda axis=-1: Form("sparsemax", axes=axis_of(axis)),
}
