"""Random numbers: the generator's published vectors, and the distributions made of it."""

import math

import numpy as np
import pytest

from lamina import _core

N = 200_000
# Kolmogorov-Smirnov: sqrt(n) D exceeds this once in 10^4 (the seeds are fixed, so a test that passes goes on
# passing).
KS = math.sqrt(-math.log(1e-4 / 2) / 2)
SIGMAS = 4.0


def uniform(seed=1, stream=0, size=N, dtype=np.float64, low=0.0, high=1.0):
    out = np.empty(size, dtype)
    _core.random_uniform(out, seed, stream, low, high)
    return out


def normal(seed=1, stream=0, size=N, dtype=np.float64, mean=0.0, stddev=1.0, truncated=False):
    out = np.empty(size, dtype)
    _core.random_normal(out, seed, stream, mean, stddev, truncated)
    return out


FILLS = [uniform, normal, lambda **args: normal(truncated=True, **args)]
normal_cdf = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)))


def ks(sample, cdf):
    """sqrt(n) times the largest distance between the sample's distribution and the true one."""
    values = cdf(np.sort(sample.astype(np.float64)))
    n = len(values)
    steps = np.arange(n + 1) / n
    return math.sqrt(n) * max((steps[1:] - values).max(), (values - steps[:-1]).max())


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_known_answers(counter, key, expected):
    """The vectors `philox4x32 10` of the file kat_vectors in Random123 1.14."""
    assert tuple(_core.philox(counter, key)) == expected


def test_every_word_of_counter_and_key_counts():
    words = [0, 0, 0, 0, 0, 0]
    blocks = {tuple(_core.philox(words[:4], words[4:]))}
    for place in range(6):
        for bit in range(32):
            flipped = [1 << bit if i == place else 0 for i in range(6)]
            blocks.add(tuple(_core.philox(flipped[:4], flipped[4:])))
    assert len(blocks) == 1 + 6 * 32


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_are_addressed(fill, dtype):
    whole = fill(seed=5, stream=2, size=1001, dtype=dtype)
    assert fill(seed=5, stream=2, size=1001, dtype=dtype).tobytes() == whole.tobytes()
    for size in (1, 2, 3, 4, 5, 7, 500):
        assert fill(seed=5, stream=2, size=size, dtype=dtype).tobytes() == whole[:size].tobytes()
    assert not np.isin(whole, fill(seed=6, stream=2, size=1001)).any()
    assert not np.isin(whole, fill(seed=5, stream=3, size=1001)).any()


def test_all_64_bits_of_a_seed_count():
    seeds = [0, 1, 2**31, 2**32, 2**32 + 1, 2**63, 2**64 - 1]
    assert len({uniform(seed=seed, size=8).tobytes() for seed in seeds}) == len(seeds)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_uniform(dtype):
    x = uniform(dtype=dtype)
    assert x.min() >= 0
    assert x.max() < 1
    assert ks(x, lambda v: v) < KS
    assert abs(x.mean(dtype=float) - 0.5) < SIGMAS * math.sqrt(1 / 12 / N)
    assert abs(x.var(dtype=float) - 1 / 12) < SIGMAS * math.sqrt(1 / 180 / N)
    y = uniform(dtype=dtype, low=-0.05, high=0.05)
    assert y.min() >= dtype(-0.05)
    assert y.max() < dtype(0.05)
    assert ks(y, lambda v: (v + 0.05) / 0.1) < KS


def test_uniform_never_reaches_its_upper_end():
    """low + (high - low) u rounds up to high for some u, unless that is looked after."""
    x = uniform(dtype=np.float32, low=1.0, high=float(np.nextafter(np.float32(1), np.float32(2))), size=1000)
    np.testing.assert_array_equal(x, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normal(dtype):
    x = normal(dtype=dtype)
    assert np.isfinite(x).all()
    assert ks(x, normal_cdf) < KS
    assert abs(x.mean(dtype=float)) < SIGMAS / math.sqrt(N)
    assert abs(x.var(dtype=float) - 1) < SIGMAS * math.sqrt(2 / N)
    assert np.abs(x).max() > 4  # 6.3e-5 of the numbers lie there: 12 of these
    y = normal(dtype=dtype, mean=3.0, stddev=0.05)
    assert ks(y, lambda v: normal_cdf((v - 3) / 0.05)) < KS


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_truncated_normal(dtype):
    x = normal(dtype=dtype, mean=-1.0, stddev=0.5, truncated=True)
    z = (x.astype(np.float64) + 1) / 0.5
    assert np.abs(z).max() <= 2 + 4 * np.finfo(dtype).eps
    inside = math.erf(math.sqrt(2))
    assert ks(z, lambda v: (normal_cdf(v) - (1 - inside) / 2) / inside) < KS
    assert z.std() == pytest.approx(0.87962566103423978, abs=SIGMAS / math.sqrt(N))


@pytest.mark.parametrize("fill", FILLS)
def test_neighbours_streams_and_seeds_are_uncorrelated(fill):
    x = fill(seed=3, stream=0)
    others = [
        x[1:],
        x[2:],
        x[4:],
        fill(seed=3, stream=1),
        fill(seed=4, stream=0),
        fill(seed=3 + 2**32, stream=0),
    ]
    for other in others:
        assert abs(np.corrcoef(x[: len(other)], other)[0, 1]) < SIGMAS / math.sqrt(len(other))


def test_permutation_is_one():
    for n in (0, 1, 2, 3, 10, 255, 256, 257, 60_000):
        order = _core.permutation(n, 42, 0)
        assert order.dtype == np.int64
        np.testing.assert_array_equal(np.sort(order), np.arange(n))


def test_permutation_differs_by_seed_and_epoch_only():
    first = _core.permutation(1000, 42, 0)
    np.testing.assert_array_equal(_core.permutation(1000, 42, 0), first)
    for other in (_core.permutation(1000, 42, 1), _core.permutation(1000, 43, 0)):
        assert (other == first).sum() < 10  # one fixed point is expected


def test_every_order_is_equally_likely():
    """All 24 orders of 4 things over many epochs: chi-square with 23 degrees of freedom, p > 1e-4."""
    epochs = 24_000
    orders = np.array([_core.permutation(4, 7, epoch) for epoch in range(epochs)])
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 24
    assert ((counts - 1000.0) ** 2 / 1000).sum() < 57.3
