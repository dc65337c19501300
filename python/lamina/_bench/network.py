"""`Network`: what a benchmark trains, for every program that can train it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Rows = tuple[Array, Array]

RATES = {"sgd": 0.01, "adam": 0.001}
_CHECK_FLOPS = 5e10
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-7


class Product(NamedTuple):
    """(m, k) times (k, n). In a "dw" the first factor is held transposed, in a "dx" the second."""

    which: str
    m: int
    k: int
    n: int

    @property
    def flops(self) -> int:
        return 2 * self.m * self.k * self.n


@dataclass(frozen=True, kw_only=True)
class Network:
    """Dense layers on rows of numbers, and how they are trained.

    Attributes:
        units: features, units of the hidden layers, outputs.
        activation: of the hidden layers. The output layer has softmax, or sigmoid where there is one output.
        optimizer: "sgd" or "adam".
        learning_rate: None for the one in `RATES`.
        batch_size: rows of a step.
        dtype: "float32", or "mixed_bfloat16": weights in float32, products of bfloat16.
        from_bytes: x is uint8, which the network itself divides by 255.
        regularised: with what courses put around dense layers: an L2 penalty on the kernels, batch
            normalization and dropout behind hidden layers, gradients clipped by norm, a decaying learning
            rate.
        dropout: the rate of that dropout.
    """

    units: tuple[int, ...] = (784, 100, 10)
    activation: str = "sigmoid"
    optimizer: str = "sgd"
    learning_rate: float | None = None
    batch_size: int = 32
    dtype: str = "float32"
    from_bytes: bool = False
    regularised: bool = False
    dropout: float = 0.3

    @property
    def rate(self) -> float:
        return RATES[self.optimizer] if self.learning_rate is None else self.learning_rate

    @property
    def products(self) -> list[Product]:
        """The matrix products of a step: forward and dw of each layer, dx of all but the first."""
        sizes = []
        for i, (inputs, outputs) in enumerate(itertools.pairwise(self.units)):
            sizes.append(Product("forward", self.batch_size, inputs, outputs))
            sizes.append(Product("dw", inputs, self.batch_size, outputs))
            if i:
                sizes.append(Product("dx", self.batch_size, outputs, inputs))
        return sizes

    @property
    def flops(self) -> int:
        """Multiplications and additions of these products: all that a step cannot do without, nearly."""
        return sum(product.flops for product in self.products)

    @property
    def check_steps(self) -> int:
        """Steps after which answers are compared: a hundred, or a handful where they take long, or where
        batch normalization divides by deviations that the batch's own roundings are part of.
        """
        if self.regularised:
            return 10
        return max(4, min(100, int(_CHECK_FLOPS / self.flops)))

    @property
    def tolerance(self) -> float:
        """How far losses and probabilities may be apart that are computed in another order, relatively.

        One rounding error per term of the longest sum; in mixed precision one of bfloat16 for each rounding
        of a layer: its input, its weights and its output.
        """
        if self.dtype == "mixed_bfloat16":
            return 3 * (len(self.units) - 1) * 2.0**-8
        return float(max(*self.units[:-1], self.batch_size) * 2.0**-24)

    def initial_weights(self) -> list[Array]:
        """Kernel (inputs, outputs), Glorot-uniform, and zero bias of each layer in turn.

        Behind those of a hidden layer gamma, beta, mean and variance of its batch normalization, if any.
        """
        rng = np.random.default_rng(2)
        weights: list[Array] = []
        for inputs, outputs in itertools.pairwise(self.units):
            limit = np.sqrt(6 / (inputs + outputs))
            weights.append(rng.uniform(-limit, limit, (inputs, outputs)).astype(np.float32))
            weights.append(np.zeros(outputs, np.float32))
            if self.regularised and len(weights) < 6 * (len(self.units) - 2) + 2:
                weights += [np.full(outputs, value, np.float32) for value in (1, 0, 0, 1)]
        return weights


class Program(Protocol):
    """A network in some library, with its initial weights."""

    def reset(self) -> None:
        """Initial weights, optimizer at its start."""

    def train(
        self, x: Array, y: Array, epochs: int, shuffle: bool, validation: Rows | None = None
    ) -> dict[str, float]:
        """Train. Returns the mean "loss" over the last epoch, as it ran, and "val_loss" where asked for."""

    def predict(self, x: Array) -> Array:
        """Outputs for x, from array to array."""


class MissingError(Exception):
    """This installation lacks something that a benchmark wants; the text names it."""
