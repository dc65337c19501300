"""GaussianNoise: normal numbers added while training."""

from __future__ import annotations

import math
from typing import Any

from lamina.keras.layers.dropout import checked_part, checked_seed
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes


class GaussianNoise(Layer):
    """Adds normal numbers with mean 0 in training; else passes its input on.

    Args:
        stddev: their standard deviation, in [0, 1].
        seed: an int that fixes them; None (default) draws one from Python's `random` now. The numbers of a
            step follow from seed and step alone, whatever the number of threads.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown or wrong.

    Source: Keras 3 `keras.layers.GaussianNoise`.
    """

    _built_at_start = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = checked_part("stddev", stddev)
        self.seed, self._seed = checked_seed(seed)

    @property
    def passes_on(self) -> bool:
        return True

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        size = math.prod(known_sizes(input_shape, f"layer {self.name!r}: input shape"))
        self._adder(network, "normal_noise")(size, float(self.stddev), False, self._seed % 2**63)
        return True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
