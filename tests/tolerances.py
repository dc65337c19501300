"""How far two correct programs may lie apart, from the dtype and the number of roundings on the way to a
number.

A sum of n products, rounded after each operation, is wrong by at most about n u times the sum of the
absolute values, with u the unit roundoff (2^-24 in float32, 2^-53 in float64). That worst case never
happens: roundings act as independent errors, and the error stays below LAMBDA sqrt(n) u except with a
probability of 2 exp(-LAMBDA^2 / 2) per number (Higham and Mary, "A new approach to probabilistic rounding
error analysis", SIAM J. Sci. Comput. 41(5), 2019, theorem 2.4). LAMBDA = 5 leaves 7e-6 per number, and
roundings are smaller than u more often than not.

Both programs round, each in its own order: their difference has twice the variance. As long as a network is
not chaotic (few steps, moderate learning rate) an error made in one step is carried along and neither grows
nor shrinks much, so each step adds one more rounding to a weight. Live Keras in float32 lies within 16 u of
itself in float64 on the networks of `tests/parity`, where these bounds are near 60 u.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

LAMBDA = 5.0
ELEMENTARY = 4.0  # errors of exp, log and tanh in units of u, in either program
# Among some thousand gradient entries the worst cancels to about a thousandth of the terms it is summed from.
CANCELLATION = 1000.0


def unit_roundoff(dtype: npt.DTypeLike) -> float:
    """u: half the distance from 1 to the next number."""
    return float(np.finfo(np.dtype(dtype)).eps) / 2


def rounding(dtype: npt.DTypeLike, length: int, steps: int = 1) -> float:
    """Relative bound on the difference of two programs that sum `length` numbers in their own order, `steps`
    times in a row.

    length: the longest reduction (features, units or rows of a batch). steps: how many updates follow one
    another.
    """
    return (LAMBDA * np.sqrt(2 * (length + steps)) + ELEMENTARY) * unit_roundoff(dtype)


def adaptive_movement(learning_rate: float) -> float:
    """What to add to the size of a weight, before the bound is taken, when the optimizer divides gradients
    by their own size.

    Adam, RMSprop and Adagrad move every entry by about the learning rate, however small its gradient. An
    entry whose gradient cancels to 1 / CANCELLATION of its terms carries CANCELLATION times the rounding of
    the others, and so does its movement. Only the first steps count in full: later the averages hold other
    gradients too.
    """
    return CANCELLATION * learning_rate


def assert_close(actual: Any, expected: Any, bound: float, what: str, scale: float = 0.0) -> None:
    """|actual - expected| <= bound * (max |expected| + scale), the maximum over the whole array: errors are
    relative to sums.

    NaN and infinities must stand at the same places.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite], err_msg=what)
    assert np.isfinite(actual[finite]).all(), f"{what}: not finite where {expected} was expected"
    if not finite.any():
        return
    size = float(np.abs(expected[finite]).max()) + scale
    worst = float(np.abs(actual[finite].astype(np.float64) - expected[finite].astype(np.float64)).max())
    assert worst <= bound * size, (
        f"{what}: off by {worst:.3g}, allowed {bound * size:.3g} ({bound:.2g} of {size:.3g})"
    )
