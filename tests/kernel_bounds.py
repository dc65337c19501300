"""How far a kernel may be from the exact result: worst cases of rounding, derived for each formula.

`u` is the unit roundoff (2^-24, 2^-53): one operation is off by at most u times its result. A sum of k terms
is off by at most k u times the sum of their magnitudes, in whatever order they are added (Higham, Accuracy
and Stability, ch. 3-4).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy_oracle import activation, clipped, wide
from tolerances import unit_roundoff as unit

Array = npt.NDArray[Any]

ULPS = 2  # exp, sigmoid, tanh: what the library promises (docs/accuracy.md)


def ulp(exact: Array, dtype: npt.DTypeLike) -> Array:
    """The distance between neighbours of `dtype` at each number, at least the smallest subnormal."""
    limit = np.finfo(dtype).max
    return wide(np.spacing(np.minimum(np.abs(exact), limit).astype(dtype)))


def assert_within(got: Array, exact: Array, bound: npt.ArrayLike, dtype: npt.DTypeLike) -> None:
    """Every element of `got` is of `dtype` and within `bound` of `exact`; NaN only where `exact` is NaN."""
    assert got.dtype == np.dtype(dtype)
    assert got.shape == exact.shape
    same = (wide(got) == exact) | (np.isnan(got) & np.isnan(exact))  # infinities too
    with np.errstate(invalid="ignore"):
        error = np.where(same, 0, np.abs(wide(got) - exact))
    bound = np.broadcast_to(bound, error.shape)
    bad = ~(error <= bound)  # a NaN that should not be is bad
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        raise AssertionError(
            f"{bad.sum()} of {bad.size} elements are out of bounds, the first at {at}: got {got[at]!r}, "
            f"exact {exact[at]!r}, error {error[at]:.3e}, allowed {bound[at]:.3e}"
        )


def activation_bound(name: str, x: Array) -> Array:
    exact = activation(name, x)
    if name in ("linear", "relu"):
        return np.zeros_like(exact)
    if name != "softmax":
        return ULPS * ulp(exact, x.dtype)
    # x - max is off by u |x - max|, which exp turns into as much relative error, and adds 2 ulp (at most 4 u)
    # of its own. The sum has the errors of its terms, each |x - max| e^(x - max) <= 0.37, and n u of its own;
    # the division adds u.
    n, u = x.shape[-1], unit(x.dtype)
    distance = np.abs(wide(x) - wide(x).max(axis=-1, keepdims=True))
    return exact * u * (2 * n + 10 + distance) + 2 * ulp(np.zeros_like(exact), x.dtype)


def activation_grad_bound(name: str, y: Array, dy: Array) -> Array:
    u, tiny = unit(y.dtype), ulp(np.zeros(()), y.dtype)
    y, dy = wide(y), wide(dy)
    if name in ("linear", "relu"):
        return np.zeros_like(y)
    if name == "softmax":  # a dot product of k terms, a difference, a product
        dot = (np.abs(y) * np.abs(dy)).sum(axis=-1, keepdims=True)
        return np.abs(y) * u * (2 * np.abs(dy) + (y.shape[-1] + 3) * dot) + 2 * tiny
    return (
        4 * u * np.abs(dy) * {"sigmoid": np.abs(y), "tanh": np.ones_like(y), "exp": np.abs(y)}[name]
        + 2 * tiny
    )


def matmul_bound(a: Array, b: Array) -> Array:
    k = a.shape[1]
    return (k + 1) * unit(a.dtype) * (np.abs(wide(a)) @ np.abs(wide(b)))


# How much an error in its argument grows in the function: the largest slope. For softmax: sum_j |dy_i / dx_j|
# <= 1/2.
SLOPE = {"linear": 1.0, "relu": 1.0, "sigmoid": 0.25, "tanh": 1.0, "softmax": 0.5}


def dense_bound(x: Array, w: Array, b: Array | None, name: str) -> Array:
    u = unit(x.dtype)
    magnitude = np.abs(wide(x)) @ np.abs(wide(w)) + (0 if b is None else np.abs(wide(b)))
    before = (x.shape[1] + 2) * u * magnitude
    if name == "softmax":  # of the largest error in the row
        before = before.max(axis=1, keepdims=True)
        return SLOPE[name] * before + u * (2 * w.shape[1] + 10 + 2 * magnitude.max(axis=1, keepdims=True))
    return SLOPE[name] * before + (4 * u if name in ("sigmoid", "tanh") else 0)


def loss_rows_bound(kind: str, y_pred: Array, from_logits: bool) -> Array:
    """k terms, each of a few operations or the logarithm of something off by k u, which adds another k u."""
    k = y_pred.shape[1]
    u, p = unit(y_pred.dtype), np.abs(wide(y_pred))
    if kind == "mean_squared_error":  # |t| <= 1 in these tests
        return (k + 5) * u * ((p + 1) ** 2).mean(axis=1)
    if from_logits:
        terms = 2 * p + 1
    else:
        with np.errstate(divide="ignore"):
            terms = 1 - np.log(clipped(y_pred)) - np.log(1 - clipped(y_pred))
    magnitude = terms.mean(axis=1) if kind == "binary_crossentropy" else terms.max(axis=1) + np.log(k)
    return (2 * k + 12) * u * magnitude


def loss_grad_bound(kind: str, y_true: Array, y_pred: Array, from_logits: bool) -> Array:
    n, k = y_pred.shape
    u, p = unit(y_pred.dtype), wide(y_pred)
    if kind == "mean_squared_error":
        return 6 * u * 2 * (np.abs(p) + 1) / (n * k)
    if kind == "binary_crossentropy":
        if from_logits:
            return 8 * u * np.ones_like(p) / (n * k)
        c = clipped(y_pred)
        return 8 * u * (1 / c + 1 / (1 - c)) / (n * k)
    if from_logits:
        return u * (activation_bound("softmax", y_pred) / u + 4) / n
    if kind == "categorical_crossentropy":
        s = p.sum(axis=1, keepdims=True)
        return (2 * k + 10) * u * (1 / np.maximum(p / s, 1e-7) + k) / s / n
    c = clipped(y_pred)
    return (k + 10) * u * (1 / c + 1 / c.sum(axis=1, keepdims=True)) / n
