"""Activation functions, and their gradients from the output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamina import _core
from lamina._ops.arrays import all_floats, deliver, floats, in_place_target, same_shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lamina._ops.arrays import Array


def sigmoid(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Logistic function, element by element: `1 / (1 + exp(-x))`.

    It is computed without overflow: it tends to exactly 0 and 1. NaN stays NaN.

    Args:
        x: float32 or float64, any shape.
        out: takes the result if given: shape and dtype of `x`, writable; it may be `x` itself.

    Returns:
        Array of the shape and dtype of `x`: `out`, or a new one.

    Raises:
        TypeError: `x` is neither float32 nor float64, or `out` has another dtype.
        ValueError: `out` has another shape or is read-only.

    Example:
        >>> round(float(ops.sigmoid(2.20)), 1)
        0.9
    """
    return _activation("sigmoid", x, out)


def tanh(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Hyperbolic tangent, element by element: `(exp(x) - exp(-x)) / (exp(x) + exp(-x))`. NaN stays NaN.

    Arguments, result and errors are those of `sigmoid`.
    """
    return _activation("tanh", x, out)


def relu(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Rectifier, element by element: `max(x, 0)`. NaN stays NaN.

    Arguments, result and errors are those of `sigmoid`.
    """
    return _activation("relu", x, out)


def softmax(x: ArrayLike, *, out: Array | None = None) -> Array:
    """Softmax over the last axis: `y_i = exp(x_i - max x) / sum_j exp(x_j - max x)`.

    The largest value is taken off first, so nothing overflows. -inf becomes 0; a row with NaN or +inf, or of
    -inf alone, becomes NaN.

    Args:
        x: float32 or float64, at least one axis.
        out: takes the result if given: shape and dtype of `x`, writable; it may be `x` itself.

    Returns:
        Array of the shape and dtype of `x`; along the last axis it sums to 1.

    Raises:
        TypeError: `x` is neither float32 nor float64, or `out` has another dtype.
        ValueError: `x` is a scalar, `out` has another shape or is read-only.

    Example:
        >>> ops.softmax(np.array([2.20, 1.39, 0.85])).round(2)
        array([0.59, 0.26, 0.15])
    """
    x = floats(x, "x")
    if not x.ndim:
        raise ValueError("x must have at least one axis for softmax to sum over, got a scalar")
    return _activation("softmax", x, out)


def sigmoid_grad(y: ArrayLike, dy: ArrayLike, *, out: Array | None = None) -> Array:
    """Gradient of `sigmoid` at its input, from its output: `dx = dy y (1 - y)`.

    Args:
        y: the output, `sigmoid(x)`: float32 or float64, any shape.
        dy: the gradient at the output, shape and dtype of `y`.
        out: takes the result if given: shape and dtype of `y`, writable; it may be `y` or `dy` itself.

    Returns:
        Array of the shape and dtype of `y`: `out`, or a new one.

    Raises:
        TypeError: an argument is neither float32 nor float64, or not of the dtype of `y`.
        ValueError: `dy` or `out` has another shape than `y`, or `out` is read-only.
    """
    return _activation_grad("sigmoid", y, dy, out)


def tanh_grad(y: ArrayLike, dy: ArrayLike, *, out: Array | None = None) -> Array:
    """Gradient of `tanh` at its input, from its output: `dx = dy (1 - y²)`.

    Arguments, result and errors are those of `sigmoid_grad`.
    """
    return _activation_grad("tanh", y, dy, out)


def relu_grad(y: ArrayLike, dy: ArrayLike, *, out: Array | None = None) -> Array:
    """Gradient of `relu` at its input, from its output: `dx = dy (y > 0)`. At the kink it is 0.

    Arguments, result and errors are those of `sigmoid_grad`.
    """
    return _activation_grad("relu", y, dy, out)


def softmax_grad(y: ArrayLike, dy: ArrayLike, *, out: Array | None = None) -> Array:
    """Gradient of `softmax` at its input, from its output: `dx_i = y_i (dy_i - sum_j dy_j y_j)`.

    The sum runs over the last axis, as in `softmax`.

    After `softmax` with cross-entropy take `categorical_crossentropy_grad(..., from_logits=True)` instead:
    both gradients at once, simpler and more exact.

    Arguments, result and errors are those of `sigmoid_grad`, but for a scalar, which is refused.
    """
    y = floats(y, "y")
    if not y.ndim:
        raise ValueError("y must have at least one axis for softmax to sum over, got a scalar")
    return _activation_grad("softmax", y, dy, out)


def _activation(name: str, x: ArrayLike, out: Array | None) -> Array:
    x = floats(x, "x")
    result = in_place_target(out, x)
    if x.size:
        _core.activation(name, _with_axis(x), _with_axis(result))
    return deliver(result, out)


def _activation_grad(name: str, y: ArrayLike, dy: ArrayLike, out: Array | None) -> Array:
    y, dy = all_floats(("y", "dy"), y, dy)
    same_shape(dy, "dy", y, "y")
    result = in_place_target(out, y, dy)
    if y.size:
        _core.activation_grad(name, _with_axis(y), _with_axis(dy), _with_axis(result))
    return deliver(result, out)


def _with_axis(array: Array) -> Array:
    return array if array.ndim else array.reshape(1)
