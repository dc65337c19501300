"""Dropout: random zeros while training."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from lamina import _core
from lamina.keras._training.unsupported import refuse_unless_default
from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes


class Dropout(Layer):
    """Sets a random part of the numbers to zero in training and scales the rest by `1 / (1 - rate)`; else
    passes them on.

    Args:
        rate: the part that is dropped, in [0, 1]; 1 drops everything.
        noise_shape: not supported yet, None only.
        seed: an int that fixes the pattern; None (default) draws one from Python's `random` now. The pattern
            of a step follows from seed and step alone, whatever the number of threads.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown, wrong or not supported.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014;
        Keras 3's scaling.
    """

    _built_at_start = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if (
            isinstance(rate, bool)
            or not isinstance(rate, (int, float, np.integer, np.floating))
            or not 0 <= rate <= 1
        ):
            raise ValueError(f"rate: expected a number in [0, 1], got {rate!r}")
        refuse_unless_default("Dropout", noise_shape=(noise_shape, None))
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
            raise ValueError(f"seed: expected an int or None, got {seed!r}")
        self.rate = float(rate) if isinstance(rate, np.generic) else rate
        self.noise_shape = None
        self.seed = None if seed is None else int(seed)
        self._seed = random.randint(1, 10**9) if self.seed is None else self.seed

    @property
    def passes_on(self) -> bool:
        return True

    def add_to(self, network: _core.Network32 | _core.Network64, input_shape: Shape) -> bool:
        size = math.prod(known_sizes(input_shape, f"layer {self.name!r}: input shape"))
        self._adder(network, "dropout")(size, float(self.rate), self._seed % 2**63)
        return True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": None}
