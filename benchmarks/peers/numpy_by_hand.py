"""NumPy in float32: networks by hand, and the kernels as their formulas."""

from collections.abc import Callable
from typing import Any

import numpy as np
from cases import Case
from kernels import LEARNING_RATE

from lamina._bench.by_hand import NumpyProgram
from lamina._bench.network import BETA1, BETA2, EPSILON, Array


def start(case: Case, weights: list[Array], threads: int) -> NumpyProgram:
    return NumpyProgram(case, weights, draws=case.draws)  # its BLAS takes the threads from the environment


def kernel(case: Case, arrays: dict[str, Array], threads: int) -> Callable[[], Any]:
    return globals()[f"_{case.kernel}"](**arrays)


def _matmul(a: Array, b: Array) -> Callable[[], Array]:
    out = np.empty((len(a), b.shape[1]), a.dtype)
    return lambda: np.matmul(a, b, out=out)


def _sigmoid(x: Array) -> Callable[[], Array]:
    one, out = np.float32(1), np.empty_like(x)

    def run() -> Array:
        np.negative(x, out=out)
        np.exp(out, out=out)
        np.add(out, one, out=out)
        return np.divide(one, out, out=out)

    return run


def _softmax(x: Array) -> Callable[[], Array]:
    out = np.empty_like(x)

    def run() -> Array:
        np.subtract(x, x.max(axis=1, keepdims=True), out=out)
        np.exp(out, out=out)
        return np.divide(out, out.sum(axis=1, keepdims=True), out=out)

    return run


def _softmax_grad(y: Array, dy: Array) -> Callable[[], Array]:
    out = np.empty_like(y)

    def run() -> Array:
        np.multiply(y, dy, out=out)
        np.subtract(dy, out.sum(axis=1, keepdims=True), out=out)
        return np.multiply(y, out, out=out)

    return run


def _crossentropy(labels: Array, logits: Array) -> Callable[[], Any]:
    rows = np.arange(len(labels))

    def run() -> Any:
        z = logits - logits.max(axis=1, keepdims=True)
        return (np.log(np.exp(z).sum(axis=1)) - z[rows, labels]).mean()

    return run


def _sgd(w: Array, dw: Array, m: Array, v: Array) -> Callable[[], Array]:
    rate, change = np.float32(LEARNING_RATE), np.empty_like(w)

    def run() -> Array:
        np.multiply(dw, rate, out=change)
        return np.subtract(w, change, out=w)

    return run


def _adam(w: Array, dw: Array, m: Array, v: Array) -> Callable[[], Array]:
    step = 0
    change, root = np.empty_like(w), np.empty_like(w)

    def run() -> Array:
        nonlocal step
        step += 1
        rate = np.float32(LEARNING_RATE * np.sqrt(1 - BETA2**step) / (1 - BETA1**step))
        np.subtract(dw, m, out=change)
        np.multiply(change, np.float32(1 - BETA1), out=change)
        np.add(m, change, out=m)
        np.multiply(dw, dw, out=change)
        np.subtract(change, v, out=change)
        np.multiply(change, np.float32(1 - BETA2), out=change)
        np.add(v, change, out=v)
        np.sqrt(v, out=root)
        np.add(root, np.float32(EPSILON), out=root)
        np.divide(m, root, out=change)
        np.multiply(change, rate, out=change)
        return np.subtract(w, change, out=w)

    return run
