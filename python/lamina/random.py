"""`lamina.random`: the seed of what Lamina draws, under TensorFlow's name."""

from __future__ import annotations

import random

import numpy as np

__all__ = ["set_seed"]


def set_seed(seed: int) -> None:
    """Make everything that Lamina draws from now on repeatable, bit for bit.

    Weights, dropout and shuffles that were given no seed of their own take one from Python's `random`, which
    this call seeds. NumPy's generator is left as it is; `keras.utils.set_random_seed` seeds both.

    Args:
        seed: an int; two runs with the same one draw the same numbers.

    Raises:
        ValueError: seed is no int.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(f"set_seed: seed: expected an int, got {seed!r}")
    random.seed(int(seed))
