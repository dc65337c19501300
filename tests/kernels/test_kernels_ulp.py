"""The elementary functions are within the bounds that docs/accuracy.md states: a sample always, with -m slow
all float32 numbers or a large sample of them.
"""

import numpy as np
import pytest
import ulp_table
from exact_functions import FUNCTIONS
from kernel_bounds import ULPS, ulp
from numpy_oracle import activation, wide
from ulp_table import ALL, EXHAUSTIVE, PAGE, STRIDE, measure

from lamina import _core

ISAS = _core.build_info()["isa_available"]


def check(name, every):
    function = FUNCTIONS[name]
    for isa, worst in measure(name, ISAS, every).items():
        if function.below == np.inf:
            assert worst.count == -(-ALL // every)
        assert worst.error <= function.ulps, f"{name} on {isa}: {worst.error:.3f} ulp at {worst.at!r}"
        if function.scale == "y":
            assert worst.steps <= function.ulps, f"{name} on {isa}: {worst.steps} steps off"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_sample_of_float32(name):
    """An odd stride through the bits: every exponent, and other mantissas in each."""
    check(name, 4099)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_of_float32_or_a_large_sample(name):
    check(name, 1 if name in EXHAUSTIVE else STRIDE)


def test_the_page_states_these_bounds():
    """Of every function, once."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    stated = [line.split(" | ")[:2] for line in lines if line.startswith("| ") and "instruction" not in line]
    assert {(name.strip("| "), float(bound)) for name, bound in stated} == {
        (name, function.ulps) for name, function in FUNCTIONS.items()
    }


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double here")
@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_float64(name, isa):
    """Random bits reach every exponent; as many numbers lie where the functions bend."""
    rng = np.random.default_rng(8)
    everywhere = rng.integers(0, 2**64, 200_000, dtype=np.uint64).view(np.float64)
    x = np.concatenate([everywhere, rng.uniform(-40, 40, 200_000), rng.uniform(-750, 720, 200_000)])
    x = np.concatenate([x, rng.uniform(-1, 1, 200_000), rng.uniform(-0.7, 0.7, 200_000)])
    got = np.empty_like(x)
    _core.activation(name, x, got)
    exact = activation(name, x)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        nearest = exact.astype(np.float64)
        error = np.abs(wide(got) - exact) / ulp(exact, np.float64)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(x))
    np.testing.assert_array_equal(np.isinf(got), np.isinf(nearest))
    numbers = np.isfinite(nearest)
    assert error[numbers].max() <= ULPS, x[numbers][error[numbers].argmax()]


@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_a_kernel_that_is_off_is_noticed(name, monkeypatch):
    """The measurement itself: a kernel that is 3 ulp off at one number must not pass."""
    honest = ulp_table.value

    def off(name, x):
        out = honest(name, x)
        out.view(np.int32)[np.isin(x, np.float32(0.5))] += 3
        return out

    monkeypatch.setattr(ulp_table, "value", off)
    worst = measure(name, ISAS[:1], 4096)[ISAS[0]]  # 0.5 is among every 4096th
    assert worst.at == 0.5
    assert worst.error > ULPS
    assert worst.steps > ULPS
