"""Every activation of Keras, with the arguments that make another function of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

NAN, INF = float("nan"), float("inf")


class Case(NamedTuple):
    """`keras.activations.<name>(x, **arguments)`.

    scale: what the error of a value is relative to: "y", its own size; "x", the size of x, where the formula
    takes the difference of numbers of that size; "one", 1, where TensorFlow subtracts that; "row", the
    largest of the row.
    """

    name: str
    arguments: Mapping[str, Any] = MappingProxyType({})
    scale: str = "y"

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.arguments.items())])


EACH_NUMBER = [
    Case("linear"),
    Case("relu"),
    Case("relu", {"max_value": 3.0}),
    Case("relu", {"max_value": 6.0}),
    Case("relu", {"max_value": 6.0, "negative_slope": 0.1}),
    Case("relu", {"max_value": 3.2, "negative_slope": 0.1, "threshold": 0.7}),
    Case("relu", {"negative_slope": 0.3}),
    Case("relu", {"threshold": 0.5}),
    Case("relu", {"threshold": -2.0}),
    Case("relu", {"threshold": -2.0, "max_value": 3.0}),
    Case("relu6"),
    Case("leaky_relu"),
    Case("leaky_relu", {"negative_slope": 2.0}),
    Case("celu"),
    Case("celu", {"alpha": 0.3}),
    Case("elu", scale="one"),
    Case("elu", {"alpha": 2.1}, scale="one"),
    Case("selu", scale="one"),
    Case("softplus"),
    Case("softsign"),
    Case("squareplus", scale="x"),
    Case("squareplus", {"b": 1.3}, scale="x"),
    Case("soft_shrink"),
    Case("soft_shrink", {"threshold": 1.3}),
    Case("hard_shrink"),
    Case("hard_shrink", {"threshold": 1.5}),
    Case("tanh_shrink", scale="x"),
    Case("threshold", {"threshold": 0.7, "default_value": 2.1}),
    Case("silu"),
    Case("swish"),
    Case("gelu", scale="x"),
    Case("gelu", {"approximate": True}, scale="x"),
    Case("mish"),
    Case("tanh"),
    Case("sigmoid"),
    Case("log_sigmoid"),
    Case("exponential"),
    Case("hard_sigmoid"),
    Case("hard_silu"),
    Case("hard_swish"),
    Case("hard_tanh"),
    Case("sparse_plus"),
    Case("sparse_sigmoid"),
]
ALONG_AXIS = [
    Case("softmax", scale="row"),
    Case("log_softmax", scale="row"),
    Case("sparsemax", scale="row"),
    Case("glu", scale="row"),
]
CASES = EACH_NUMBER + ALONG_AXIS


def edges(dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Where the functions bend, saturate, overflow or have no value, and their neighbours.

    No subnormal numbers: TensorFlow takes them for 0. None whose exp(x) - 1 is 0 there.
    """
    info = np.finfo(np.dtype(dtype))
    bends = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 6.0]
    x = np.array([*bends, 8.0, 14.0, 20.0, 40.0, 88.0, 100.0, 700.0, 1e4, 1e8, 1e18, INF], dtype)
    x = np.concatenate([x, np.nextafter(x[1:7], INF, dtype=dtype), np.nextafter(x[1:7], -INF, dtype=dtype)])
    x = np.concatenate([x, np.array([info.eps, 1e-3], dtype)])
    return np.concatenate([x, -x, np.array([NAN], dtype)])


def numbers(dtype: npt.DTypeLike, size: int) -> npt.NDArray[Any]:
    """Numbers of many sizes, mostly where the functions bend."""
    rng = np.random.default_rng(5)
    near, wide = (
        rng.normal(size=size // 2) * 2,
        rng.normal(size=size - size // 2) * 10.0 ** rng.uniform(-6, 2),
    )
    return np.concatenate([near, wide]).astype(dtype)
