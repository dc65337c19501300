"""Activations of each number by itself.

Of every function here x is an array of any shape; float32 and float64 stay, other dtypes become floatx. The
result has x's shape. Source: Keras 3 `keras.activations`.
"""

from __future__ import annotations

import numpy.typing as npt

from lamina.keras.activations.arrays import Array, each, floats


def linear(x: npt.ArrayLike) -> Array:
    """x itself."""
    return floats(x)


def relu(
    x: npt.ArrayLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Array:
    """max(x, 0).

    In general: x where x > threshold, cut to [0, max_value], else negative_slope (x - threshold).

    Args:
        x: array of any shape.
        negative_slope: slope below the threshold. Default 0.
        max_value: upper bound; None (default) for none.
        threshold: where the linear part begins. Default 0.

    Returns:
        An array of x's shape. NaN stays NaN, but is 0 behind a threshold, as in Keras.
    """
    return each("relu", x, negative_slope=negative_slope, max_value=max_value, threshold=threshold)


def leaky_relu(x: npt.ArrayLike, negative_slope: float = 0.2) -> Array:
    """x above 0, negative_slope x below. (The layer `LeakyReLU` has the default 0.3.)"""
    return each("leaky_relu", x, negative_slope=negative_slope)


def relu6(x: npt.ArrayLike) -> Array:
    """min(max(x, 0), 6)."""
    return each("relu6", x)


def celu(x: npt.ArrayLike, alpha: float = 1.0) -> Array:
    """max(x, 0) + alpha (exp(min(x, 0) / alpha) - 1). Barron, 2017."""
    return each("celu", x, alpha=alpha)


def elu(x: npt.ArrayLike, alpha: float = 1.0) -> Array:
    """x above 0, alpha (exp(x) - 1) below. Clevert et al., ICLR 2016."""
    return each("elu", x, alpha=alpha)


def selu(x: npt.ArrayLike) -> Array:
    """1.05070098 elu(x, 1.67326324). Klambauer et al., NIPS 2017."""
    return each("selu", x)


def softplus(x: npt.ArrayLike) -> Array:
    """log(1 + exp(x))."""
    return each("softplus", x)


def softsign(x: npt.ArrayLike) -> Array:
    """x / (1 + |x|)."""
    return each("softsign", x)


def squareplus(x: npt.ArrayLike, b: float = 4) -> Array:
    """(x + sqrt(x² + b)) / 2. Barron, 2021."""
    return each("squareplus", x, b=b)


def soft_shrink(x: npt.ArrayLike, threshold: float = 0.5) -> Array:
    """x - threshold above it, x + threshold below -threshold, 0 between."""
    return each("soft_shrink", x, threshold=threshold)


def hard_shrink(x: npt.ArrayLike, threshold: float = 0.5) -> Array:
    """x where |x| > threshold, else 0."""
    return each("hard_shrink", x, threshold=threshold)


def tanh_shrink(x: npt.ArrayLike) -> Array:
    """x - tanh(x)."""
    return each("tanh_shrink", x)


def sparse_plus(x: npt.ArrayLike) -> Array:
    """(x + 1)² / 4 between -1 and 1, 0 below, x above."""
    return each("sparse_plus", x)


def sparse_sigmoid(x: npt.ArrayLike) -> Array:
    """(x + 1) / 2 between -1 and 1, 0 below, 1 above."""
    return each("sparse_sigmoid", x)


def silu(x: npt.ArrayLike) -> Array:
    """x sigmoid(x), also called swish. Ramachandran et al., 2017."""
    return each("silu", x)


def gelu(x: npt.ArrayLike, approximate: bool = False) -> Array:
    """x Φ(x) = x (1 + erf(x / √2)) / 2. Hendrycks and Gimpel, 2016.

    Args:
        x: array of any shape.
        approximate: True takes x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 instead.
    """
    return each("gelu", x, approximate=approximate)


def tanh(x: npt.ArrayLike) -> Array:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)), without overflow."""
    return each("tanh", x)


def threshold(x: npt.ArrayLike, threshold: float, default_value: float) -> Array:
    """x above the threshold, default_value elsewhere."""
    return each("threshold", x, threshold=threshold, default_value=default_value)


def sigmoid(x: npt.ArrayLike) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    return each("sigmoid", x)


def log_sigmoid(x: npt.ArrayLike) -> Array:
    """log(sigmoid(x)) = -softplus(-x)."""
    return each("log_sigmoid", x)


def exponential(x: npt.ArrayLike) -> Array:
    """exp(x)."""
    return each("exponential", x)


def hard_sigmoid(x: npt.ArrayLike) -> Array:
    """relu6(x + 3) / 6."""
    return each("hard_sigmoid", x)


def hard_silu(x: npt.ArrayLike) -> Array:
    """x hard_sigmoid(x), also called hard swish. Howard et al., 2019."""
    return each("hard_silu", x)


def hard_tanh(x: npt.ArrayLike) -> Array:
    """x cut to [-1, 1]."""
    return each("hard_tanh", x)


def mish(x: npt.ArrayLike) -> Array:
    """x tanh(softplus(x)). Misra, 2019."""
    return each("mish", x)
