"""exp, sigmoid and tanh are within 2 ulp: a sample always, all 2^32 float32 numbers with -m slow."""

import numpy as np
import pytest
from kernel_bounds import ULPS, ulp
from numpy_oracle import activation, wide
from ulp_table import ALL, FUNCTIONS, measure

from lamina import _core

ISAS = _core.build_info()["isa_available"]


def check(name, every):
    for isa, worst in measure(name, ISAS, every).items():
        assert worst.count == -(-ALL // every)
        assert worst.error <= ULPS, f"{name} on {isa}: {worst.error:.3f} ulp at {worst.at!r}"
        assert worst.steps <= ULPS, f"{name} on {isa}: {worst.steps} steps from the rounded result"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_sample_of_float32(name):
    """An odd stride through the bits: every exponent, and other mantissas in each."""
    check(name, 4099)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_of_float32(name):
    check(name, 1)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double here")
@pytest.mark.parametrize("name", FUNCTIONS)
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


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_oracle_that_is_wrong_is_noticed(name, monkeypatch):
    """The measurement itself: a kernel that is 3 ulp off at one number must not pass."""
    honest = _core.activation

    def off(name, x, out):
        honest(name, x, out)
        out.view(np.int32)[np.isin(x, np.float32(0.5))] += 3

    monkeypatch.setattr(_core, "activation", off)
    worst = measure(name, ISAS[:1], 4096)[ISAS[0]]  # 0.5 is among every 4096th
    assert worst.at == 0.5
    assert worst.error > ULPS
    assert worst.steps > ULPS
