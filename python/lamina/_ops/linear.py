"""Matrix products and the dense layer, forward and backward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from lamina import _core
from lamina._ops.arrays import all_floats, deliver, target

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lamina._ops.arrays import Array

ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "softmax")


def matmul(
    a: ArrayLike,
    b: ArrayLike,
    transpose_a: bool = False,
    transpose_b: bool = False,
    *,
    out: Array | None = None,
) -> Array:
    """Matrix product of two matrices.

    `out[i, j] = sum_k a[i, k] b[k, j]`, with `a` or `b` read as its transpose where asked. The flag costs
    nothing, whereas the view `a.T` is copied first.

    Args:
        a: float32 or float64, shape (n, k), or (k, n) with `transpose_a`.
        b: the dtype of `a`, shape (k, m), or (m, k) with `transpose_b`.
        transpose_a: use the transpose of `a`.
        transpose_b: use the transpose of `b`.
        out: takes the result if given: shape (n, m), the dtype of `a`, writable. It may overlap `a` and `b`.

    Returns:
        Array of shape (n, m): `out`, or a new one. All zeros where k is 0.

    Raises:
        TypeError: an argument that is neither float32 nor float64, or not of the dtype of `a`.
        ValueError: an argument that is no matrix, inner sizes that differ, an `out` that does not fit.

    Example:
        >>> ops.matmul(np.ones((2, 3)), np.ones((4, 3)), transpose_b=True).shape
        (2, 4)
    """
    left, right = all_floats(("a", "b"), a, b)
    for name, matrix in (("a", left), ("b", right)):
        if matrix.ndim != 2:
            raise ValueError(f"{name} must be a matrix (rank 2), got shape {matrix.shape}")
    if transpose_a:
        left = left.T
    if transpose_b:
        right = right.T
    if left.shape[1] != right.shape[0]:
        raise ValueError(
            f"a and b must agree in the inner size, got {left.shape} and {right.shape}"
            f"{' after the transposes asked for' if transpose_a or transpose_b else ''}"
        )
    result = target(out, (left.shape[0], right.shape[1]), left.dtype, left, right)
    if left.size and right.size:
        _core.matmul(left, right, result)
    else:
        result.fill(0)
    return deliver(result, out)


def dense(
    x: ArrayLike,
    w: ArrayLike,
    b: ArrayLike | None = None,
    activation: str | None = None,
    *,
    out: Array | None = None,
) -> Array:
    """Forward pass of a dense layer.

    `y = activation(x w + b)` on the last axis of `x`. `w` is (inputs, units), as NumPy's product and the
    weights of Keras have it (some other frameworks keep its transpose).

    Args:
        x: float32 or float64, shape (..., inputs).
        w: the dtype of `x`, shape (inputs, units).
        b: the dtype of `x`, shape (units,); None for no bias.
        activation: "linear", "relu", "sigmoid", "tanh" or "softmax" (over the units); None is "linear".
        out: takes the result if given: shape (..., units), the dtype of `x`, writable. It may overlap the
            inputs.

    Returns:
        Array of shape (..., units): `out`, or a new one.

    Raises:
        TypeError: an argument that is neither float32 nor float64, or not of the dtype of `x`.
        ValueError: shapes that do not fit, an unknown activation, an `out` that does not fit.

    Source: the layer `Dense` of Keras.
    """
    inputs = all_floats(("x", "w"), x, w) if b is None else all_floats(("x", "w", "b"), x, w, b)
    x, w = inputs[:2]
    units = _check_weights(x, w)
    if b is not None:
        b = inputs[2]
        if b.shape != (units,):
            raise ValueError(
                f"b must have shape {(units,)}, one value for each of the {units} units of w, got {b.shape}"
            )
    if activation is None:
        activation = "linear"
    elif activation not in ACTIVATIONS:
        raise ValueError(f"activation must be None or one of {', '.join(ACTIVATIONS)}, got {activation!r}")
    result = target(out, (*x.shape[:-1], units), x.dtype, *inputs)
    if x.size and units:
        rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
        _core.dense(rows, w, b, activation, result if x.ndim == 2 else result.reshape(-1, units))
    elif result.size:  # no inputs: the sum over them is zero
        result[...] = 0 if b is None else b
        _core.activation(activation, result, result)
    return deliver(result, out)


@overload
def dense_grad(
    x: ArrayLike, w: ArrayLike, dy: ArrayLike, *, input_gradient: Literal[True] = True
) -> tuple[Array, Array, Array]: ...


@overload
def dense_grad(
    x: ArrayLike, w: ArrayLike, dy: ArrayLike, *, input_gradient: Literal[False]
) -> tuple[None, Array, Array]: ...


def dense_grad(
    x: ArrayLike, w: ArrayLike, dy: ArrayLike, *, input_gradient: bool = True
) -> tuple[Array | None, Array, Array]:
    """Backward pass of a linear dense layer `y = x w + b`.

    `dx = dy wᵀ`, `dw = xᵀ dy`, `db = sum of dy over all axes but the last`. For a layer with an activation,
    first take `dy` through it, as in `dense_grad(x, w, sigmoid_grad(y, dy))`. Nothing is divided by the
    number of rows: the gradient of a mean loss (`mean_squared_error_grad` and the others) holds that factor
    already.

    Args:
        x: float32 or float64, the input of the layer, shape (..., inputs).
        w: the dtype of `x`, shape (inputs, units).
        dy: the dtype of `x`, the gradient at the output, shape (..., units).
        input_gradient: False where nobody needs dx, as in a network's first layer: about half of the work.

    Returns:
        (dx, dw, db) of shapes (..., inputs), (inputs, units) and (units,); dx is None with
        `input_gradient=False`.

    Raises:
        TypeError: an argument that is neither float32 nor float64, or not of the dtype of `x`.
        ValueError: shapes that do not fit.
    """
    x, w, dy = all_floats(("x", "w", "dy"), x, w, dy)
    units = _check_weights(x, w)
    shape = (*x.shape[:-1], units)
    if dy.shape != shape:
        raise ValueError(
            f"dy must have shape {shape}, that of the output for x {x.shape} and w {w.shape}, got {dy.shape}"
        )
    dx = np.empty(x.shape, x.dtype) if input_gradient else None
    dw, db = np.empty(w.shape, x.dtype), np.empty(units, x.dtype)
    if x.size and units:
        inputs = w.shape[0]
        _core.dense_grad(
            x.reshape(-1, inputs),
            w,
            dy.reshape(-1, units),
            None if dx is None else dx.reshape(-1, inputs),
            dw,
            db,
        )
    else:
        if dx is not None:
            dx.fill(0)
        dw.fill(0)
        np.sum(dy.reshape(-1, units) if units else dy.reshape(0, 0), axis=0, out=db)
    return dx, dw, db


def _check_weights(x: Array, w: Array) -> int:
    if w.ndim != 2:
        raise ValueError(f"w must be a matrix (inputs, units), got shape {w.shape}")
    if not x.ndim or x.shape[-1] != w.shape[0]:
        raise ValueError(
            f"the last axis of x must be the {w.shape[0]} inputs of w {w.shape}, got x of shape {x.shape}"
        )
    units: int = w.shape[1]
    return units
