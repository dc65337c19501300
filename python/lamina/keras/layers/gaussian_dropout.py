"""GaussianDropout: multiplied by normal numbers while training."""

from __future__ import annotations

import math
from typing import Any

from lamina.keras.layers.dropout import checked_part, checked_seed
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes


class GaussianDropout(Layer):
    """Multiplies by normal numbers with mean 1 and standard deviation `sqrt(rate / (1 - rate))` in training;
    else passes its input on.

    Args:
        rate: a number in [0, 1), as of a `Dropout` with the same variance.
        seed: an int that fixes the numbers; None (default) draws one from Python's `random` now. The numbers
            of a step follow from seed and step alone, whatever the number of threads.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown or wrong; with a rate of 1, where Keras divides by 0, when it is
            used.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014,
        section 10; Keras 3 `keras.layers.GaussianDropout`.
    """

    _built_at_start = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = checked_part("rate", rate)
        self.seed, self._seed = checked_seed(seed)

    @property
    def passes_on(self) -> bool:
        return True

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        if self.rate == 1:
            raise ValueError(f"layer {self.name!r}: rate: expected a number below 1, got {self.rate}")
        size = math.prod(known_sizes(input_shape, f"layer {self.name!r}: input shape"))
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        self._adder(network, "normal_noise")(size, stddev, True, self._seed % 2**63)
        return True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
