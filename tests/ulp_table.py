"""Errors of the elementary functions over the float32 numbers, on every instruction set of this machine.

    python tests/ulp_table.py    # takes some minutes, writes docs/accuracy.md

exp, sigmoid and tanh, of which the others are made, over all of them; the others over every STRIDE-th by its
bits. The oracle is NumPy in float64 (of erfc, the C library's), whose own error is below 1e-8 of a float32
unit. The unit (ulp) is the distance between the float32 numbers around the exact result, in the subnormal
range the smallest subnormal, or that of a larger number (`Function.scale`).
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from exact_functions import FUNCTIONS, value
from numpy_oracle import wide

from lamina import _core

EXHAUSTIVE = ("exp", "sigmoid", "tanh")
STRIDE = 67  # odd: every exponent, and other mantissas in each; 125,000 numbers between powers of two
ALL = 1 << 32
BLOCK = 1 << 18  # numbers at a time: what is computed from them stays in the cache
PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"


@dataclass
class Worst:
    """Of one function on one instruction set, over the results that are not the exact one rounded."""

    error: float = (
        0.5  # in ulp, from the exact result; one that is correctly rounded is off by half an ulp at most
    )
    at: float = 0.0
    steps: int = 0  # float32 numbers between the result and the exact one, rounded
    unrounded: int = 0  # how many results are not the exact one, rounded
    count: int = 0


def ordered(x):
    """Whole numbers that count the float32 numbers up to x."""
    bits = x.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(1 << 31) - bits, bits)


def take(worst, function, x, got, true, nearest):
    """Put the results of one block into `worst`. Only those that are not correctly rounded need a look."""
    worst.count += x.size
    other = np.flatnonzero(got.view(np.int32) != nearest.view(np.int32))
    other = other[~(np.isnan(got[other]) & np.isnan(true[other]))]  # NaN has many bit patterns
    if not other.size:
        return
    x, got, true, nearest = x[other], got[other], true[other], nearest[other]
    with np.errstate(invalid="ignore", over="ignore"):
        size = function.size(wide(x), wide(nearest), np.float32).astype(np.float32)
    power = (size.view(np.uint32) & np.uint32(0x7F800000)).view(np.float32).astype(np.float64)
    unit = np.maximum(power * 2.0**-23, 2.0**-149)
    regular = np.isfinite(got) & np.isfinite(
        nearest
    )  # infinite or NaN in one of them alone is wrong altogether
    with np.errstate(invalid="ignore"):
        error = np.where(regular, np.abs(got.astype(np.float64) - true) / unit, np.inf)
    steps = np.where(regular, np.abs(ordered(got) - ordered(nearest)), ALL)
    place = int(error.argmax())
    if error[place] > worst.error:
        worst.error, worst.at = float(error[place]), float(x[place])
    worst.steps = max(worst.steps, int(steps.max()))
    worst.unrounded += other.size


def measure(name, isas, every=1):
    """{instruction set: Worst}, from every `every`-th float32 number by its bits."""
    before, function = _core.build_info()["isa"], FUNCTIONS[name]
    worst = {isa: Worst() for isa in isas}
    try:
        for first in range(0, ALL, BLOCK * every):
            last = min(first + BLOCK * every, ALL)
            x = np.arange(first, last, every, dtype=np.uint64).astype(np.uint32).view(np.float32)
            if function.below < np.inf:
                x = x[~(np.abs(x) >= function.below)]
            if not x.size:
                continue
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                true = function.exact(wide(x))
                nearest = true.astype(np.float32)
            for isa in isas:
                _core.set_isa(isa)
                take(worst[isa], function, x, value(name, x), true, nearest)
    finally:
        _core.set_isa(before)
    return worst


def table(found):
    """found: {function: {instruction set: Worst}}. Sets that give the same numbers share a line."""
    columns = (
        "function",
        "bound",
        "instruction set",
        "largest error (ulp)",
        "at x",
        "steps",
        "correctly rounded",
    )
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for name, by_isa in found.items():
        function, rows = FUNCTIONS[name], {}
        for isa, w in by_isa.items():
            share = 100 * (1 - w.unrounded / w.count)
            steps = w.steps if function.scale == "y" else "-"
            rows.setdefault(f"{w.error:.3f} | {w.at:.9g} | {steps} | {share:.2f} %", []).append(isa)
        for numbers, isas in rows.items():
            lines.append(f"| {name} | {function.ulps:g} | {', '.join(isas)} | {numbers} |")
    return "\n".join(lines)


def page(found):
    of_x = ", ".join(name for name, function in FUNCTIONS.items() if function.scale == "x")
    of_factor = " and ".join(name for name, function in FUNCTIONS.items() if function.scale == "factor")
    return f"""# Accuracy of the elementary functions

Measured on each instruction set by `python tests/ulp_table.py`: exp, sigmoid and tanh over all 2³² float32
numbers, the others over every {STRIDE}th. The others are made of these three and of log(1 + x), met in
softplus, eˣ - 1, in elu, erfc, in gelu, and the square root, in squareplus.

{table(found)}

- *Bound*: what the tests assert, in the same unit (`tests/kernels/test_kernels_ulp.py`: a sample always, the
  whole measurement with `pytest -m slow`).
- *Largest error*: |result − exact| in units in the last place (ulp) of the exact result, which is NumPy's in
  float64 (of erfc the C library's): its own error is below 10⁻⁸ of such a unit. Below 2⁻¹²⁶ the unit is the
  smallest subnormal, 2⁻¹⁴⁹.
- Of {of_x} it is the unit of x where x is the larger number:
  these formulas take the difference of numbers of the size of x, as Keras's do, and a result far smaller than
  x has few correct digits.
- Of {of_factor} it is at least the unit of 2⁻¹²⁶ x: they multiply x by a factor that is subnormal where
  x < -88.
- *Steps*: how many float32 numbers the result is from the exact one rounded to float32, at most. 0 is
  correctly rounded.
- NaN gives NaN, and a result is infinite exactly where the rounded exact one is; either counts as an infinite
  error where it is not so. (squareplus for x below 2⁶³ in size: beyond it x² overflows, in Keras too.)
- *Why a sample is enough*: every {STRIDE}th number is one of every exponent, with 125,000 mantissas each, and
  within a power of two these errors spread as if drawn at random. Of exp, sigmoid and tanh the same sample
  finds 1.012, 1.912 and 1.305, at most 0.06 below the largest there are. The bounds leave more than that,
  except where one rounding is all there is.
- Instruction sets differ in the last bit here and there: AVX2 and AVX-512 multiply and add in one rounding.
  On one instruction set the result depends on the argument alone, not on its place in the array.

The losses take the logarithm from the C library; glibc states an error below 1 ulp. In float64 the tests
compare a million numbers of exp, sigmoid and tanh with long double, with the same bound of 2 ulp, and 40,000
of each other function, with bounds larger by 1. Softmax over n values divides by their sum, and is right to
about n/2 + 2 ulp at worst.
"""


def main():
    isas = _core.build_info()["isa_available"]
    found = {}
    for name in FUNCTIONS:
        found[name] = measure(name, isas, 1 if name in EXHAUSTIVE else STRIDE)
        print(table({name: found[name]}), file=sys.stderr)
    PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
