"""bfloat16 in NumPy alone: rounding, and how far two programs that round to it may lie apart."""

from typing import Any

import numpy as np
import numpy.typing as npt
from tolerances import LAMBDA

Array = npt.NDArray[Any]

# 8 significant bits: half the distance from 1 to the next number, 1 + 2^-7.
UNIT = 2.0**-8
# Where two float sums that differ in their order lie on two sides of a tie between two bfloat16 numbers,
# these differ by a unit, and a little does what follows. That is rare: on the whole the difference is far
# below what one rounding at another place makes of it (0.3 to 1 UNIT).
ON_THE_WHOLE = UNIT / 16


def rounded(x: Any) -> npt.NDArray[np.float32]:
    """float32 numbers to the nearest bfloat16, ties to even: `x` scaled so that its 8 bits are an integer."""
    single = np.asarray(x, np.float32).astype(np.float64)
    _, exponent = np.frexp(single)
    unit = np.ldexp(1.0, np.maximum(exponent - 8, -133))  # subnormal ones are multiples of 2^-133
    with np.errstate(invalid="ignore"):
        nearest = np.where(np.isfinite(single), np.rint(single / unit) * unit, single)
    with np.errstate(over="ignore"):
        return nearest.astype(np.float32)


def half_a_unit(exact: Array) -> Array:
    """How far a correctly rounded result may lie from the exact one."""
    return UNIT * np.abs(exact) + 2.0**-134


def many_roundings(number: int) -> float:
    """Relative bound on the difference of two programs with `number` roundings to bfloat16 on the way to a
    result, by the rule of `tolerances.rounding`.
    """
    return LAMBDA * float(np.sqrt(2 * number)) * UNIT
