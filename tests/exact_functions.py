"""The activations that are functions of one number: their exact values, and how far a kernel may be off."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy_oracle import Array, activation

from lamina import _core

INVERSE_ROOT2, CUBIC = (
    float(np.float32(math.sqrt(0.5))),
    float(np.float32(0.044715)),
)  # as TensorFlow has them
erfc = np.vectorize(math.erfc, otypes=[np.float64])


def sigmoid(x: Array) -> Array:
    return activation("sigmoid", x)


def softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


class Function(NamedTuple):
    """exact: of numbers in a wider type. ulps: how far the kernel may be off, in units of a number's last
    place: of the result ("y"); of the larger of x and the result ("x"), where the formula takes the
    difference of numbers of that size; of the result, but not below that of x times the smallest normal
    number ("factor"), where x is multiplied by what may be subnormal. below: what |x| must be, so that no
    square overflows.
    """

    exact: Callable[[Array], Array]
    ulps: float
    scale: str = "y"
    numbers: tuple[float, ...] = ()
    below: float = math.inf

    def size(self, x: Array, y: Array, dtype: npt.DTypeLike) -> Array:
        """The number whose last place is the unit."""
        if self.scale == "y":
            return np.abs(y)
        least = 1.0 if self.scale == "x" else float(np.finfo(dtype).tiny)
        return np.maximum(np.abs(y), np.abs(x) * least)


# e^x - 1, and log(1 + x), erfc and the square root, are met in elu, softplus, gelu and squareplus.
FUNCTIONS = {
    "exp": Function(lambda x: activation("exp", x), 2),
    "sigmoid": Function(sigmoid, 2),
    "tanh": Function(lambda x: activation("tanh", x), 2),
    "elu": Function(lambda x: np.where(x < 0, np.expm1(x), x), 2, numbers=(1.0,)),
    "selu": Function(
        lambda x: np.where(x < 0, 1.7580993408473768599 * np.expm1(x), 1.0507009873554804935 * x), 3
    ),
    "celu": Function(lambda x: np.where(x < 0, np.expm1(x), x), 2, numbers=(1.0,)),
    "softplus": Function(softplus, 3),
    "log_sigmoid": Function(lambda x: -softplus(-x), 3),
    "silu": Function(lambda x: x * sigmoid(x), 4, "factor"),
    "mish": Function(lambda x: x * np.tanh(softplus(x)), 5, "factor"),
    "softsign": Function(lambda x: x / (1 + np.abs(x)), 2),
    "hard_sigmoid": Function(lambda x: np.clip(x + 3, 0, 6) / 6, 2),
    "leaky_relu": Function(lambda x: np.where(x > 0, x, 0.25 * x), 0.5, numbers=(0.25,)),
    "gelu": Function(lambda x: 0.5 * x * erfc(-x * INVERSE_ROOT2), 2, "x"),
    "gelu_tanh": Function(
        lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + CUBIC * x**3))), 2, "x"
    ),
    "tanh_shrink": Function(lambda x: x - np.tanh(x), 2, "x"),
    "squareplus": Function(lambda x: (x + np.sqrt(x * x + 4)) / 2, 3, "x", (4.0,), below=2.0**63),
}


def value(name: str, x: Array) -> Any:
    """The kernel's."""
    out = np.empty_like(x)
    if name in ("exp", "sigmoid", "tanh"):
        _core.activation(name, x, out)
    else:
        _core.nonlinearity("cpu", name, FUNCTIONS[name].numbers, x, out)
    return out
