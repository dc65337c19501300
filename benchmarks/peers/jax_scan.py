"""JAX with whole epochs in one compiled call: a scan over the batches, within a loop over the epochs."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from cases import Case

from lamina._bench.network import BETA1, BETA2, EPSILON, Array, MissingError, Network, Rows


def require(device: str) -> str:
    jax.config.update("jax_platforms", device)
    try:
        return str(jax.devices()[0].device_kind)
    except (RuntimeError, AssertionError) as reason:  # the latter where it has no plugin for GPUs
        raise MissingError(f"JAX finds no such device {reason}".strip()) from reason


def start(case: Case, weights: list[Array], threads: int) -> "JaxProgram":
    require(case.device)  # on the CPU with as many threads as the process has CPUs
    if case.device != "cpu" and case.dtype == "float32":
        jax.config.update("jax_default_matmul_precision", "highest")  # else its products are of TF32
    return JaxProgram(case, weights)


class JaxProgram:
    """Parameters and optimizer as one tuple of arrays, given away to each call."""

    def __init__(self, network: Network, weights: list[Array]) -> None:
        self.network = network
        self.initial = weights
        self.mixed = network.dtype == "mixed_bfloat16"
        self.data: tuple[Any, ...] = ()
        self.predicted = jax.jit(lambda weights, x: self.outputs(self.logits(weights, x)))
        self.reset()

    def reset(self) -> None:
        self.key = jax.random.key(0)
        weights = [jnp.array(w) for w in self.initial]
        several = self.network.optimizer == "adam"
        moments = [jnp.zeros_like(w) for w in weights] if several else []
        self.state = (weights, moments, [jnp.zeros_like(w) for w in moments], jnp.zeros((), jnp.int32))

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        if not self.data or self.data[0] is not x or self.data[1] is not y:
            self.data = x, y, jnp.array(x), jnp.array(y), validation and [jnp.array(v) for v in validation]
        self.key, key = jax.random.split(self.key)
        self.state, losses = self.run(self.state, key, *self.data[2:], epochs, shuffle)
        jax.block_until_ready(self.state)
        return {name: float(loss) for name, loss in losses.items()}

    @functools.partial(jax.jit, static_argnums=(0, 7), donate_argnums=1)
    def run(
        self, state: Any, key: Any, x: Any, y: Any, validation: Any, epochs: Any, shuffle: bool
    ) -> tuple[Any, dict[str, Any]]:
        n, size = len(x), self.network.batch_size
        names = ("loss", "val_loss") if validation is not None else ("loss",)

        def step(state: Any, rows: Any) -> tuple[Any, Any]:
            loss, grads = jax.value_and_grad(self.loss)(state[0], x[rows], y[rows])
            return self.update(state, grads), loss * len(rows)

        def epoch(i: Any, carried: Any) -> tuple[Any, dict[str, Any]]:
            state, _ = carried
            order = jnp.arange(n)
            if shuffle and n > size:
                order = jax.random.permutation(jax.random.fold_in(key, i), n)
            whole = n // size * size
            state, losses = jax.lax.scan(step, state, order[:whole].reshape(-1, size))
            total = losses.sum()
            if whole < n:
                state, loss = step(state, order[whole:])
                total += loss
            logs = {"loss": total / n}
            if validation is not None:
                logs["val_loss"] = self.loss(state[0], *validation)
            return state, logs

        return jax.lax.fori_loop(0, epochs, epoch, (state, {name: jnp.zeros(()) for name in names}))

    def logits(self, weights: list[Any], x: Any) -> Any:
        for i in range(0, len(weights), 2):
            w, b = weights[i : i + 2]
            if self.mixed:
                x, w, b = (value.astype(jnp.bfloat16) for value in (x, w, b))
            x = x @ w + b
            if i < len(weights) - 2:
                x = jax.nn.sigmoid(x) if self.network.activation == "sigmoid" else jax.nn.relu(x)
        return x.astype(jnp.float32)

    def outputs(self, z: Any) -> Any:
        return jax.nn.softmax(z) if z.shape[1] > 1 else jax.nn.sigmoid(z)

    def loss(self, weights: list[Any], x: Any, y: Any) -> Any:
        z = self.logits(weights, x)
        if z.shape[1] > 1:
            return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()
        z = z[:, 0]
        return (jax.nn.softplus(z) - y * z).mean()

    def update(self, state: Any, grads: Any) -> Any:
        weights, ms, vs, step = state
        step, rate = step + 1, self.network.rate
        if not ms:
            return [w - rate * g for w, g in zip(weights, grads, strict=True)], ms, vs, step
        rate = rate * jnp.sqrt(1 - BETA2**step) / (1 - BETA1**step)
        ms = [m + (g - m) * (1 - BETA1) for m, g in zip(ms, grads, strict=True)]
        vs = [v + (g * g - v) * (1 - BETA2) for v, g in zip(vs, grads, strict=True)]
        steps = [rate * m / (jnp.sqrt(v) + EPSILON) for m, v in zip(ms, vs, strict=True)]
        return [w - change for w, change in zip(weights, steps, strict=True)], ms, vs, step

    def predict(self, x: Array) -> Array:
        return np.asarray(self.predicted(self.state[0], x))

    def caller(self, x: Array) -> Callable[[], Any]:
        on_device = jnp.array(x)
        return lambda: self.predicted(self.state[0], on_device).block_until_ready()
