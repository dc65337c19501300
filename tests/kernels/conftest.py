"""Fixtures of the kernel tests: each instruction set that this machine has, each dtype."""

from collections.abc import Iterator

import numpy as np
import pytest

from lamina import _core

DTYPES = (np.float32, np.float64)


@pytest.fixture(params=_core.build_info()["isa_available"])
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """The instruction set in force during the test."""
    before = _core.build_info()["isa"]
    _core.set_isa(request.param)
    yield request.param
    _core.set_isa(before)


@pytest.fixture(params=DTYPES, ids=lambda dtype: dtype.__name__)
def dtype(request: pytest.FixtureRequest) -> type:
    return request.param


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240229)
