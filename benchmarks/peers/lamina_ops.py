"""The loop by hand on `lamina.ops`, and its kernels alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
from cases import Case
from kernels import LEARNING_RATE

from lamina._bench.by_hand import NumpyProgram
from lamina._bench.network import Array


def start(case: Case, weights: list[Array], threads: int) -> "OpsProgram":
    import lamina

    lamina.config.set_num_threads(threads)
    return OpsProgram(case, weights, draws=case.draws)


class OpsProgram(NumpyProgram):
    """The same loop, its arithmetic by `lamina.ops`: sigmoid and softmax, cross-entropy, SGD."""

    def forward(self, x: Array) -> list[Array]:
        from lamina import ops

        w1, b1, w2, b2 = self.weights
        h = ops.dense(x, w1, b1, "sigmoid")
        return [x, h, ops.dense(h, w2, b2, "softmax")]

    def train_step(self, x: Array, y: Array) -> float:
        from lamina import ops

        w1, b1, w2, b2 = self.weights
        h = ops.dense(x, w1, b1, "sigmoid")
        z = ops.dense(h, w2, b2)
        loss = ops.sparse_categorical_crossentropy(y, z, from_logits=True)
        dz = ops.sparse_categorical_crossentropy_grad(y, z, from_logits=True)
        dh, dw2, db2 = ops.dense_grad(h, w2, dz)
        dz1 = ops.sigmoid_grad(h, dh, out=dh)
        _, dw1, db1 = ops.dense_grad(x, w1, dz1, input_gradient=False)
        for w, dw in zip(self.weights, (dw1, db1, dw2, db2), strict=True):
            ops.sgd_step(w, dw, self.network.rate)
        return float(loss) * len(x) / self.network.batch_size


def kernel(case: Case, arrays: dict[str, Array], threads: int) -> Callable[[], Any]:
    import lamina
    from lamina import ops

    lamina.config.set_num_threads(threads)
    given = arrays
    if case.kernel == "matmul":
        out = np.empty((case.shape[0], case.shape[2]), np.float32)
        return lambda: ops.matmul(given["a"], given["b"], out=out)
    if case.kernel in ("sigmoid", "softmax"):
        function, out = getattr(ops, case.kernel), np.empty_like(given["x"])
        return lambda: function(given["x"], out=out)
    if case.kernel == "softmax_grad":
        out = np.empty_like(given["y"])
        return lambda: ops.softmax_grad(given["y"], given["dy"], out=out)
    if case.kernel == "crossentropy":
        labels, logits = given["labels"], given["logits"]
        return lambda: ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    w, dw = given["w"], given["dw"]
    if case.kernel == "sgd":
        return lambda: (ops.sgd_step(w, dw, LEARNING_RATE), w)[1]
    step = 0

    def adam() -> Array:
        nonlocal step
        step += 1
        ops.adam_step(w, dw, LEARNING_RATE, given["m"], given["v"], step)
        return w

    return adam
