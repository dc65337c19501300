"""Random numbers (Philox 4x32-10), independent of threads."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lamina._core.arrays import Array

# -- random numbers (Philox 4x32-10), independent of threads ---------------------------------------------
def random_uniform(out: Array, seed: int, stream: int, low: float, high: float) -> None:
    """Fill a C-contiguous float32/float64 array with U[low, high)."""

def random_normal(out: Array, seed: int, stream: int, mean: float, stddev: float, truncated: bool) -> None:
    """Fill with N(mean, stddev); truncated redraws what lies beyond two stddev (stddev is that of the
    untruncated normal).
    """

def philox(counter: Sequence[int], key: Sequence[int]) -> tuple[int, int, int, int]:
    """One raw block, for known-answer tests."""

def permutation(n: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """The order in which `fit` with shuffle=True visits n rows in this epoch."""
