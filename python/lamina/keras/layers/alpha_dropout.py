"""AlphaDropout: dropout that keeps mean and variance behind a selu."""

from __future__ import annotations

from typing import Any

from lamina.keras.layers.dropout import Dropout, shared_numbers
from lamina.keras.layers.shape import Shape, known_sizes


class AlphaDropout(Dropout):
    """Sets a random part of the numbers to the smallest value of selu in training, `low = -1.758…`, and then
    applies `a x + b` with `a = 1 / sqrt((1 - rate)(1 + rate low²))`, `b = -a low rate`, so that values with
    mean 0 and variance 1 keep them; else passes its input on.

    Args:
        rate: the part that is dropped, in [0, 1).
        noise_shape: which numbers are dropped together; see `Dropout`. Default None: each by itself.
        seed: as of `Dropout`.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown or wrong; with a rate of 1, where Keras divides by 0, when it is
            used.

    Source: Klambauer et al., "Self-Normalizing Neural Networks", 2017; Keras 3 `keras.layers.AlphaDropout`.
    """

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        if self.rate == 1:
            raise ValueError(f"layer {self.name!r}: rate: expected a number below 1, got {self.rate}")
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        add = self._adder(network, "dropout_of_shape")
        add(float(self.rate), self._seed % 2**63, *shared_numbers(self.noise_shape, sizes), True)
        return True
