"""Errors of exp, sigmoid and tanh over all float32 numbers, on every instruction set of this machine.

    python tests/ulp_table.py    # takes some minutes, writes docs/accuracy.md

The oracle is NumPy in float64, whose own error is below 1e-8 of a float32 unit. The unit (ulp) is the
distance between the float32 numbers around the exact result: in the subnormal range the smallest subnormal.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lamina import _core

FUNCTIONS = ("exp", "sigmoid", "tanh")
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


def exact(name, x):
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        x = x.astype(np.float64)
        if name == "sigmoid":
            return 1 / (1 + np.exp(-x))
        return np.exp(x) if name == "exp" else np.tanh(x)


def ordered(x):
    """Whole numbers that count the float32 numbers up to x."""
    bits = x.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(1 << 31) - bits, bits)


def take(worst, x, got, true, nearest):
    """Put the results of one block into `worst`. Only those that are not correctly rounded need a look."""
    worst.count += x.size
    other = np.flatnonzero(got.view(np.int32) != nearest.view(np.int32))
    other = other[~(np.isnan(got[other]) & np.isnan(true[other]))]  # NaN has many bit patterns
    if not other.size:
        return
    x, got, true, nearest = x[other], got[other], true[other], nearest[other]
    power = (nearest.view(np.uint32) & np.uint32(0x7F800000)).view(np.float32).astype(np.float64)
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
    before = _core.build_info()["isa"]
    worst = {isa: Worst() for isa in isas}
    try:
        for first in range(0, ALL, BLOCK * every):
            last = min(first + BLOCK * every, ALL)
            x = np.arange(first, last, every, dtype=np.uint64).astype(np.uint32).view(np.float32)
            true = exact(name, x)
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                nearest = true.astype(np.float32)
            got = np.empty_like(x)
            for isa in isas:
                _core.set_isa(isa)
                _core.activation(name, x, got)
                take(worst[isa], x, got, true, nearest)
    finally:
        _core.set_isa(before)
    return worst


def table(rows):
    columns = ("function", "instruction set", "largest error (ulp)", "at x", "steps", "correctly rounded")
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for name, isa, w in rows:
        share = 100 * (1 - w.unrounded / w.count)
        lines.append(f"| {name} | {isa} | {w.error:.3f} | {w.at:.9g} | {w.steps} | {share:.2f} % |")
    return "\n".join(lines)


def page(rows):
    return f"""# Accuracy of exp, sigmoid and tanh

Measured over all 2³² float32 numbers, on each instruction set, by `python tests/ulp_table.py`. The slow test
`tests/kernels/test_kernels_ulp.py` (`pytest -m slow`) asserts that no error exceeds 2 ulp.

{table(rows)}

- *Largest error*: |result − exact| in units in the last place (ulp) of the exact result, which is NumPy's in
  float64: its own error is below 10⁻⁸ of such a unit. Below 2⁻¹²⁶ the unit is the smallest subnormal, 2⁻¹⁴⁹.
- *Steps*: how many float32 numbers the result is from the exact one rounded to float32, at most. 0 is
  correctly rounded.
- NaN gives NaN, and a result is infinite exactly where the rounded exact one is; either counts as an infinite
  error where it is not so.
- Instruction sets differ in the last bit here and there: AVX2 and AVX-512 multiply and add in one rounding.
  On one instruction set the result depends on the argument alone, not on its place in the array.

In float64 the same test compares a million numbers with long double, with the same bound of 2 ulp.
Softmax over n values divides by their sum, and is right to about n/2 + 2 ulp at worst.
"""


def main():
    isas = _core.build_info()["isa_available"]
    rows = []
    for name in FUNCTIONS:
        rows += [(name, isa, worst) for isa, worst in measure(name, isas).items()]
        print(table(rows[-len(isas) :]), file=sys.stderr)
    PAGE.write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
