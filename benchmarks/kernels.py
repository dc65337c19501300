"""The inputs of the kernels that are timed alone, by the kernel's name and sizes."""

from collections.abc import Callable

import numpy as np
from cases import Case

from lamina._bench.network import Array

LEARNING_RATE = 0.001


def matmul(rng: np.random.Generator, m: int, k: int, n: int) -> dict[str, Array]:
    return {"a": _normal(rng, m, k), "b": _normal(rng, k, n)}


def pointwise(rng: np.random.Generator, rows: int, cols: int) -> dict[str, Array]:
    return {"x": _normal(rng, rows, cols)}


def softmax_grad(rng: np.random.Generator, rows: int, cols: int) -> dict[str, Array]:
    e = np.exp(_normal(rng, rows, cols))
    return {"y": e / e.sum(axis=1, keepdims=True), "dy": _normal(rng, rows, cols)}


def crossentropy(rng: np.random.Generator, rows: int, cols: int) -> dict[str, Array]:
    return {"labels": rng.integers(0, cols, rows), "logits": _normal(rng, rows, cols)}


def step(rng: np.random.Generator, rows: int, cols: int) -> dict[str, Array]:
    zeros = np.zeros((rows, cols), np.float32)
    return {"w": _normal(rng, rows, cols), "dw": _normal(rng, rows, cols), "m": zeros, "v": zeros.copy()}


KERNELS: dict[str, Callable[..., dict[str, Array]]] = {
    "matmul": matmul,
    "sigmoid": pointwise,
    "softmax": pointwise,
    "softmax_grad": softmax_grad,
    "crossentropy": crossentropy,
    "sgd": step,
    "adam": step,
}


# Arrays of the kernel's sizes that it reads or writes, counted twice where it does both; and all of them.
MOVED = {
    "sigmoid": (2, 2),
    "softmax": (2, 2),
    "softmax_grad": (3, 3),
    "crossentropy": (1, 1),
    "sgd": (3, 2),
    "adam": (7, 4),
}


def arrays(case: Case) -> dict[str, Array]:
    """The inputs of the case's kernel, float32, the same for every peer."""
    return KERNELS[case.kernel](np.random.default_rng(3), *case.shape)


def _normal(rng: np.random.Generator, rows: int, cols: int) -> Array:
    return rng.normal(size=(rows, cols)).astype(np.float32)
