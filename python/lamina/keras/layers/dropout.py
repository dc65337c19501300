"""Dropout: random zeros while training."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.keras.layers.layer import Layer
from lamina.keras.layers.shape import Shape, known_sizes


class Dropout(Layer):
    """Sets a random part of the numbers to zero in training and scales the rest by `1 / (1 - rate)`; else
    passes them on.

    Args:
        rate: the part that is dropped, in [0, 1]; 1 drops everything.
        noise_shape: which numbers are dropped together: the input's shape, batch axis included, with 1 for
            every axis along which all are; None stands for the input's size, and must for the batch's unless
            it is 1. Default None: each by itself.
        seed: an int that fixes the pattern; None (default) draws one from Python's `random` now. The pattern
            of a step follows from seed and step alone, whatever the number of threads.
        **kwargs: `name`, `dtype`, `input_shape` and what else `Layer` takes.

    Raises:
        ValueError: an argument is unknown or wrong, or an input doesn't fit the noise_shape.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014;
        Keras 3's scaling.
    """

    _built_at_start = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = checked_part("rate", rate)
        self.noise_shape = _checked_noise_shape(noise_shape)
        self.seed, self._seed = checked_seed(seed)

    @property
    def passes_on(self) -> bool:
        return True

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.noise_shape is not None and self.rate > 0:
            sizes = [*input_shape]
            fits = len(sizes) == len(self.noise_shape) and all(
                kept in (None, 1, size) or size is None
                for kept, size in zip(self.noise_shape, sizes, strict=True)
            )
            if not fits or self.noise_shape[0] not in (None, 1, input_shape[0]):
                raise ValueError(
                    f"layer {self.name!r}: noise_shape: expected 1 or None or the input's size for each axis "
                    f"of input shape {tuple(input_shape)}, got {self.noise_shape}"
                )
        return tuple(input_shape)

    def add_to(self, network: Any, input_shape: Shape) -> bool:
        sizes = known_sizes(input_shape, f"layer {self.name!r}: input shape")
        seed = self._seed % 2**63
        if self.noise_shape is None or self.rate == 0:
            self._adder(network, "dropout")(math.prod(sizes), float(self.rate), seed)
        else:
            add = self._adder(network, "dropout_of_shape")
            add(float(self.rate), seed, *shared_numbers(self.noise_shape, sizes), False)
        return True

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }


def shared_numbers(
    noise_shape: Shape | None, sizes: tuple[int, ...]
) -> tuple[npt.NDArray[np.int64], int, bool]:
    """For each number of a sample of these sizes the random number that it goes with, how many of these there
    are, and whether they are the same in all samples.
    """
    if noise_shape is None:
        return np.arange(math.prod(sizes), dtype=np.int64), math.prod(sizes), False
    kept = [size if one is None else one for one, size in zip(noise_shape[1:], sizes, strict=True)]
    numbers = np.arange(math.prod(kept), dtype=np.int64).reshape(kept)
    return np.broadcast_to(numbers, sizes).ravel(), math.prod(kept), noise_shape[0] == 1


def checked_part(name: str, value: Any) -> float:
    """A number in [0, 1].

    Raises:
        ValueError: another value.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.integer, np.floating))
        or not 0 <= value <= 1
    ):
        raise ValueError(f"{name}: expected a number in [0, 1], got {value!r}")
    return float(value) if isinstance(value, np.generic) else value


def checked_seed(seed: Any) -> tuple[int | None, int]:
    """The seed as it was given, and the one to use.

    Raises:
        ValueError: neither an int nor None.
    """
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
        raise ValueError(f"seed: expected an int or None, got {seed!r}")
    return (None, random.randint(1, 10**9)) if seed is None else (int(seed), int(seed))


def _checked_noise_shape(value: Any) -> Shape | None:
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError(f"noise_shape: expected a tuple of ints and Nones, got {value!r}")
    sizes = tuple(value)
    for size in sizes:
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise ValueError(f"noise_shape: expected ints >= 1 or None, got {size!r} in {sizes}")
    return sizes
