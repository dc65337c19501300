"""What every kernel should compute, in NumPy and a wider type: float64 for float32, long double for float64.

Formulas as in the textbooks, without regard to speed; none of it comes from the library under test.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

CLIP = 1e-7
LOSSES = (
    "mean_squared_error",
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
)


def wide(array: npt.ArrayLike) -> Array:
    """The array in the type that stands for the exact numbers."""
    array = np.asarray(array)
    with np.errstate(invalid="ignore"):  # a signalling NaN
        return array.astype(np.longdouble if array.dtype.itemsize == 8 else np.float64)


def activation(name: str, x: Array) -> Array:
    x = wide(x)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if name == "linear":
            return x
        if name == "relu":
            return np.where(x < 0, np.zeros_like(x), x)
        if name == "exp":
            return np.exp(x)
        if name == "tanh":
            return np.tanh(x)
        if name == "sigmoid":
            e = np.exp(-np.abs(x))
            return np.where(x < 0, e, 1) / (1 + e)
        assert name == "softmax"
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)


def activation_grad(name: str, y: Array, dy: Array) -> Array:
    y, dy = wide(y), wide(dy)
    if name == "softmax":
        return y * (dy - (y * dy).sum(axis=-1, keepdims=True))
    slope = {
        "linear": np.ones_like(y),
        "relu": (y > 0).astype(y.dtype),
        "exp": y,
        "sigmoid": y * (1 - y),
        "tanh": 1 - y * y,
    }
    return dy * slope[name]


def one_hot(labels: Array, classes: int) -> Array:
    return np.eye(classes)[labels]


def clipped(p: Array) -> Array:
    """Clipped in the type of `p`, where 1 - 1e-7 is another number than in the wider one; then widened."""
    kind = p.dtype.type
    return wide(np.clip(p, kind(CLIP), kind(1 - CLIP)))


def inside_clip(p: Array) -> Array:
    kind = p.dtype.type
    return (p >= kind(CLIP)) & (p <= kind(1 - CLIP))


def loss_rows(kind: str, y_true: Array, y_pred: Array, from_logits: bool) -> Array:
    """One value for each row of `y_pred` (n, k); `y_true` (n, k), or (n,) labels for the sparse kind."""
    t = one_hot(y_true, y_pred.shape[1]) if kind.startswith("sparse") else y_true
    t, p = t.astype(wide(y_pred).dtype), wide(y_pred)
    if kind == "mean_squared_error":
        return ((p - t) ** 2).mean(axis=1)
    if kind == "binary_crossentropy":
        if from_logits:
            return (np.maximum(p, 0) - t * p + np.log1p(np.exp(-np.abs(p)))).mean(axis=1)
        c = clipped(y_pred)
        return -(t * np.log(c) + (1 - t) * np.log(1 - c)).mean(axis=1)
    if from_logits:
        largest = p.max(axis=1, keepdims=True)
        return (t * (np.log(np.exp(p - largest).sum(axis=1, keepdims=True)) + largest - p)).sum(axis=1)
    if kind == "categorical_crossentropy":
        q = p / p.sum(axis=1, keepdims=True)
        return -(t * np.log(np.clip(q, CLIP, 1 - CLIP))).sum(axis=1)
    c = clipped(y_pred)
    return np.log(c.sum(axis=1)) - (t * np.log(c)).sum(axis=1)


def loss_grad(kind: str, y_true: Array, y_pred: Array, from_logits: bool) -> Array:
    """Gradient of the mean over the rows."""
    n, k = y_pred.shape
    t = one_hot(y_true, k) if kind.startswith("sparse") else y_true
    t, p = t.astype(wide(y_pred).dtype), wide(y_pred)
    if kind == "mean_squared_error":
        return 2 * (p - t) / (n * k)
    if kind == "binary_crossentropy":
        if from_logits:
            return (activation("sigmoid", y_pred) - t) / (n * k)
        c = clipped(y_pred)
        return inside_clip(y_pred) * ((1 - t) / (1 - c) - t / c) / (n * k)
    if from_logits:
        return (activation("softmax", y_pred) - t) / n
    if kind == "categorical_crossentropy":
        s = p.sum(axis=1, keepdims=True)
        q = p / s
        at_q = np.where((q >= CLIP) & (q <= 1 - CLIP), -t / np.maximum(q, CLIP), 0)
        return (at_q - (at_q * q).sum(axis=1, keepdims=True)) / s / n
    c = clipped(y_pred)
    return inside_clip(y_pred) * (1 / c.sum(axis=1, keepdims=True) - t / c) / n


def sgd(
    w: Array,
    dw: Array,
    lr: float,
    momentum: float = 0.0,
    velocity: Array | None = None,
    nesterov: bool = False,
):
    if not momentum:
        return {"w": w - lr * dw}
    v = momentum * velocity - lr * dw
    return {"w": w + momentum * v - lr * dw if nesterov else w + v, "velocity": v}


def rmsprop(
    w, dw, lr, velocity, rho=0.9, epsilon=1e-7, momentum=0.0, momentum_slot=None, average_gradient=None
):
    after = {"velocity": rho * velocity + (1 - rho) * dw * dw}
    square = after["velocity"] + epsilon
    if average_gradient is not None:
        after["average_gradient"] = rho * average_gradient + (1 - rho) * dw
        square = square - after["average_gradient"] ** 2
    step = lr * dw / np.sqrt(square)
    if momentum:
        step = after["momentum_slot"] = momentum * momentum_slot + step
    return {"w": w - step, **after}


def adagrad(w, dw, lr, accumulator, epsilon=1e-7):
    a = accumulator + dw * dw
    return {"w": w - lr * dw / np.sqrt(a + epsilon), "accumulator": a}


def adam(w, dw, lr, m, v, step, beta1=0.9, beta2=0.999, epsilon=1e-7, vhat=None, dtype=np.float64):
    """`dtype` is the one that Keras raises the betas in: in float32 1 - 0.999 is off by 1e-5 of itself."""
    m = m + (dw - m) * (1 - beta1)
    v = v + (dw * dw - v) * (1 - beta2)
    after = {"m": m, "v": v}
    if vhat is not None:
        v = after["vhat"] = np.maximum(vhat, v)
    rest1, rest2 = (float(1 - dtype(float(dtype(beta)) ** step)) for beta in (beta1, beta2))
    rate = lr * np.sqrt(rest2) / rest1
    return {"w": w - rate * m / (np.sqrt(v) + epsilon), **after}
