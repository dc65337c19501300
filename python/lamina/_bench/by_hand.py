"""A network by hand in NumPy: a page of code, as a course has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina._bench.network import BETA1, BETA2, EPSILON, Array, Network, Rows


class NumpyProgram:
    """Dense layers with sigmoid or relu, cross-entropy, SGD or Adam.

    Args:
        network: what to build.
        weights: the initial ones.
        dtype: in which it is computed.
        draws: batches of rows drawn with replacement, as courses do it, instead of a shuffled order.
    """

    def __init__(
        self, network: Network, weights: list[Array], dtype: Any = np.float32, draws: bool = False
    ) -> None:
        self.network = network
        self.dtype = np.dtype(dtype).type
        self.initial = [w.astype(dtype) for w in weights]
        self.draws = draws
        self.reset()

    def reset(self) -> None:
        self.rng = np.random.default_rng(0)
        self.weights = [w.copy() for w in self.initial]
        self.m = [np.zeros_like(w) for w in self.initial]
        self.v = [np.zeros_like(w) for w in self.initial]
        self.step = 0

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        for _ in range(epochs):
            total = 0.0
            for rows in self.batches(len(x), shuffle):
                total += self.train_step(self.read(x[rows]), y[rows]) * self.network.batch_size
            logs = {"loss": total / len(x)}
            if validation is not None:
                logs["val_loss"] = self.evaluate(*validation)
        return logs

    def batches(self, n: int, shuffle: bool) -> Iterator[Any]:
        """The rows of each batch of an epoch."""
        size = self.network.batch_size
        order = self.rng.permutation(n) if shuffle and not self.draws else np.arange(n)
        for first in range(0, n, size):
            rows = order[first : first + size]
            yield self.rng.integers(0, n, len(rows)) if shuffle and self.draws else rows

    def read(self, x: Array) -> Array:
        """x as the layers take it."""
        return x / self.dtype(255) if self.network.from_bytes else x

    def predict(self, x: Array) -> Array:
        return self.forward(self.read(x))[-1]

    def caller(self, x: Array) -> Callable[[], Any]:
        return lambda: self.forward(x)[-1]

    def evaluate(self, x: Array, y: Array) -> float:
        """The mean loss."""
        return float(self.losses(self.predict(x), y).mean())

    def forward(self, x: Array) -> list[Array]:
        """x, the outputs of each layer, the last one after softmax or sigmoid."""
        outputs = [x]
        last = len(self.weights) - 2
        for i in range(0, len(self.weights), 2):
            z = outputs[-1] @ self.weights[i] + self.weights[i + 1]
            if i == last and z.shape[1] > 1:
                e = np.exp(z - z.max(axis=1, keepdims=True))
                outputs.append(e / e.sum(axis=1, keepdims=True))
            elif i == last or self.network.activation == "sigmoid":
                outputs.append(1 / (1 + np.exp(-z)))
            else:
                outputs.append(np.maximum(z, 0))
        return outputs

    def losses(self, p: Array, y: Array) -> Array:
        """The cross-entropy of each row."""
        losses: Array
        if p.shape[1] > 1:
            losses = -np.log(p[np.arange(len(p)), y])
        else:
            losses = -np.log(np.where(y == 1, p[:, 0], 1 - p[:, 0]))
        return losses

    def train_step(self, x: Array, y: Array) -> float:
        """One step; returns the sum of the losses before it over the batch size."""
        outputs = self.forward(x)
        p = outputs[-1]
        dz = p.copy()
        if p.shape[1] > 1:
            dz[np.arange(len(x)), y] -= 1
        else:
            dz[:, 0] -= y
        dz /= self.dtype(len(x))

        grads: list[Array] = []
        for i in range(len(self.weights) - 2, -1, -2):
            h = outputs[i // 2]
            grads[:0] = [h.T @ dz, dz.sum(axis=0)]
            if i:
                dh = dz @ self.weights[i].T
                dz = dh * h * (1 - h) if self.network.activation == "sigmoid" else dh * (h > 0)
        self.update(grads)
        return float(self.losses(p, y).sum()) / self.network.batch_size

    def update(self, grads: list[Array]) -> None:
        self.step += 1
        rate = self.dtype(self.network.rate)
        if self.network.optimizer == "sgd":
            for w, g in zip(self.weights, grads, strict=True):
                w -= rate * g
            return
        rate *= self.dtype(np.sqrt(1 - BETA2**self.step) / (1 - BETA1**self.step))
        for w, g, m, v in zip(self.weights, grads, self.m, self.v, strict=True):
            m += (g - m) * self.dtype(1 - BETA1)
            v += (g * g - v) * self.dtype(1 - BETA2)
            w -= rate * m / (np.sqrt(v) + self.dtype(EPSILON))
