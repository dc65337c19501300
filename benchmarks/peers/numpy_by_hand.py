"""The same networks by hand in NumPy, in float32: a page of code, as a course has it."""

import numpy as np
import numpy.typing as npt
from cases import Case

from peers import Array

TITLE = "NumPy by hand"
NEEDS = "numpy"
PACKAGES = ("numpy",)
IMPORT = None

BETA1, BETA2, EPS = 0.9, 0.999, 1e-7


def start(case: Case, weights: list[Array], threads: int) -> "NumpyProgram":
    return NumpyProgram(case, weights)  # its BLAS takes the number of threads from the environment


class NumpyProgram:
    """Dense layers with sigmoid or relu, cross-entropy, SGD or Adam."""

    def __init__(self, case: Case, weights: list[Array]) -> None:
        self.case = case
        self.initial = weights
        self.rng = np.random.default_rng(0)
        self.reset()

    def reset(self) -> None:
        self.weights = [w.copy() for w in self.initial]
        self.m = [np.zeros_like(w) for w in self.initial]
        self.v = [np.zeros_like(w) for w in self.initial]
        self.step = 0

    def train(self, x: Array, y: npt.NDArray[np.int32], epochs: int, shuffle: bool) -> float:
        n, size = len(x), self.case.batch_size
        for _ in range(epochs):
            order = self.rng.permutation(n) if shuffle else np.arange(n)
            total = 0.0
            for first in range(0, n, size):
                rows = order[first : first + size]
                total += self.train_step(x[rows], y[rows]) * len(rows)
        return total / n

    def predict(self, x: Array) -> Array:
        return self.forward(x)[-1]

    def forward(self, x: Array) -> list[Array]:
        """x, the outputs of each layer, the last one after softmax or sigmoid."""
        outputs = [x]
        last = len(self.weights) - 2
        for i in range(0, len(self.weights), 2):
            z = outputs[-1] @ self.weights[i] + self.weights[i + 1]
            if i == last and z.shape[1] > 1:
                e = np.exp(z - z.max(axis=1, keepdims=True))
                outputs.append(e / e.sum(axis=1, keepdims=True))
            elif i == last or self.case.activation == "sigmoid":
                outputs.append(1 / (1 + np.exp(-z)))
            else:
                outputs.append(np.maximum(z, 0))
        return outputs

    def train_step(self, x: Array, y: npt.NDArray[np.int32]) -> float:
        """One step; returns the mean loss before it."""
        outputs = self.forward(x)
        p, rows = outputs[-1], np.arange(len(x))
        dz = p.copy()
        if p.shape[1] > 1:
            loss = -np.log(p[rows, y]).mean()
            dz[rows, y] -= 1
        else:
            loss = -np.log(np.where(y == 1, p[:, 0], 1 - p[:, 0])).mean()
            dz[:, 0] -= y
        dz /= np.float32(len(x))

        grads: list[Array] = []
        for i in range(len(self.weights) - 2, -1, -2):
            h = outputs[i // 2]
            grads[:0] = [h.T @ dz, dz.sum(axis=0)]
            if i:
                dh = dz @ self.weights[i].T
                dz = dh * h * (1 - h) if self.case.activation == "sigmoid" else dh * (h > 0)
        self.update(grads)
        return float(loss)

    def update(self, grads: list[Array]) -> None:
        self.step += 1
        if self.case.optimizer == "sgd":
            for w, g in zip(self.weights, grads, strict=True):
                w -= np.float32(0.01) * g
            return
        rate = np.float32(0.001 * np.sqrt(1 - BETA2**self.step) / (1 - BETA1**self.step))
        for w, g, m, v in zip(self.weights, grads, self.m, self.v, strict=True):
            m += (g - m) * np.float32(1 - BETA1)
            v += (g * g - v) * np.float32(1 - BETA2)
            w -= rate * m / (np.sqrt(v) + np.float32(EPS))
