"""What the tests of GPUs share: whether there is one, data, and how near its numbers are to the CPU's."""

from typing import Any

import numpy as np
import pytest

from lamina import _core

NAMES, WHY = _core.device_names()
on_device = pytest.mark.skipif(not NAMES, reason=f"no GPU, nor LAMINA_TEST_DEVICE_MODULE: {WHY}")

rng = np.random.default_rng(0)
X = rng.normal(size=(203, 29)).astype(np.float32)
BYTES = rng.integers(0, 256, size=(203, 29), dtype=np.uint8)
Y = rng.integers(0, 5, 203)
WEIGHTS = rng.random(203).astype(np.float32)

TOLERANCE = {"float32": 2e-3, "float64": 1e-10}


def assert_alike(got: Any, expected: Any, dtype: str) -> None:
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
