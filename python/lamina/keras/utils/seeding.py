"""set_random_seed: one seed for everything that draws numbers."""

from __future__ import annotations

import random

import numpy as np


def set_random_seed(seed: int) -> None:
    """Seed Python's `random` and NumPy's global generator; everything Lamina draws follows from them.

    Initial weights, dropout and shuffles that were given no seed of their own take one from Python's
    `random`, so that the same call before the same program gives the same bits, for any number of threads.

    Args:
        seed: an int in [0, 2**32).

    Raises:
        ValueError: seed is not such an int.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"set_random_seed: seed: expected an int in [0, 2**32), got {seed!r}")
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002  programs that call this draw from numpy's global generator
