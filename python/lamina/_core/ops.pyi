"""Kernels for `lamina.ops`."""

from collections.abc import Sequence
from typing import Any

from lamina._core.arrays import Array

def are_plain(arrays: tuple[Any, ...]) -> bool:
    """Whether each is an ndarray itself, C-contiguous and aligned, all of float32 or all of float64."""

def are_apart(arrays: list[Any], needed: int) -> bool:
    """And of one shape, writable, each with its own memory; those from `needed` on may be None."""

# Arrays are float32 or float64, all of one dtype, and aligned; `out` is written; nothing else changes.
# Matrices may have any strides where one of the two axes is contiguous (item stride 1); vectors and the
# arrays of elementwise functions must be C-contiguous. The caller (ops.py) copies what is not so, and checks.
def matmul(a: Array, b: Array, out: Array) -> None: ...
def dense(x: Array, w: Array, b: Array | None, activation: str, out: Array) -> None:
    """out = activation(x w + b); x (n, inputs), w (inputs, units), b (units,), out (n, units)
    C-contiguous.
    """

def dense_grad(x: Array, w: Array, dy: Array, dx: Array | None, dw: Array | None, db: Array | None) -> None:
    """dx = dy wT, dw = xT dy (inputs, units), db = sum of dy over rows; for db dy must be C-contiguous."""

def activation(name: str, x: Array, out: Array) -> None:
    """name: linear relu sigmoid tanh softmax exp; softmax over the last axis of a C-contiguous array."""

def activation_grad(name: str, y: Array, dy: Array, out: Array) -> None:
    """Gradient at the input from the OUTPUT y."""

# cpp/bindings/nonlinearity.cpp: x, out, inner; x, y, dy, out, inner
def nonlinearity(backend: str, kind: str, numbers: Sequence[float], *arguments: Any) -> None: ...
def nonlinearity_grad(backend: str, kind: str, numbers: Sequence[float], *arguments: Any) -> None: ...
def loss(kind: str, y_true: Array, y_pred: Array, from_logits: bool) -> float:
    """Mean over the rows. y_pred (n, k) C-contiguous; y_true (n, k) of the same dtype, or int64 (n,)
    for the sparse kind.
    """

def loss_rows(kind: str, y_true: Array, y_pred: Array, from_logits: bool, out: Array) -> None:
    """out (n,): one value per row."""

def loss_grad(kind: str, y_true: Array, y_pred: Array, from_logits: bool, out: Array) -> None:
    """out (n, k): d mean loss / d y_pred."""

def sgd_step(
    w: Array, dw: Array, lr: float, momentum: float, velocity: Array | None, nesterov: bool
) -> None: ...
def rmsprop_step(
    w: Array, dw: Array, lr: float, velocity: Array, rho: float, epsilon: float, momentum: float,
    momentum_slot: Array | None, average_gradient: Array | None,
) -> None: ...  # fmt: skip
def adagrad_step(w: Array, dw: Array, lr: float, accumulator: Array, epsilon: float) -> None: ...
def adam_step(
    w: Array, dw: Array, lr: float, m: Array, v: Array, step: int, beta1: float, beta2: float,
    epsilon: float, vhat: Array | None,
) -> None: ...  # fmt: skip
