"""Activations whose slope needs the input: accuracy, equal bits at every place, slopes by differences."""

import numpy as np
import pytest
from activation_cases import edges, numbers
from exact_functions import FUNCTIONS, value
from kernel_bounds import ulp
from numpy_oracle import wide

from lamina import _core

KINDS = [name for name in FUNCTIONS if name not in ("exp", "sigmoid", "tanh")]
# Numbers that a slope is taken at, away from the bends; and the step of the difference.
SLOPES = {
    **{kind: FUNCTIONS[kind].numbers for kind in KINDS},
    "relu": (0.125, 1.625, 0.375, 0.375),
    "relu6": (),
    "soft_shrink": (0.5,),
    "hard_shrink": (0.5,),
    "threshold": (0.5, 2.0),
    "hard_silu": (),
    "hard_tanh": (),
    "sparse_plus": (),
    "sparse_sigmoid": (),
}


def apply(kind, numbers, x, inner=1, backend="cpu"):
    halves = kind == "glu"
    y = np.empty((*x.shape[:-1], x.shape[-1] // 2) if halves else x.shape, x.dtype)
    _core.nonlinearity(backend, kind, numbers, x, y, inner)
    return y


def bits(x):
    """The bytes of an array; NaN, which has many bit patterns, as one of them."""
    return np.where(np.isnan(x), np.asarray(np.nan, x.dtype), x).tobytes()


def gradient(kind, numbers, x, dy, inner=1, backend="cpu"):
    out = np.empty_like(x)
    _core.nonlinearity_grad(backend, kind, numbers, x, apply(kind, numbers, x, inner), dy, out, inner)
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_accuracy(kind, isa, dtype):
    function = FUNCTIONS[kind]
    x = numbers(dtype, 40_000)
    with np.errstate(over="ignore", under="ignore"):
        true = function.exact(wide(x))
        error = np.abs(wide(value(kind, x)) - true) / ulp(function.size(wide(x), true, dtype), dtype)
    # The oracle's own erf is a double's, and np.tanh of a long double's small numbers is no better.
    allowed = function.ulps + (1 if dtype == np.float64 else 0)
    assert error.max() <= allowed, (float(error.max()), x[error.argmax()])


@pytest.mark.parametrize("kind", SLOPES)
def test_the_same_bits_at_every_place(kind, isa, dtype):
    x = np.repeat(edges(dtype), 40)
    dy = np.full_like(x, 1.5)
    for y in (apply(kind, SLOPES[kind], x), gradient(kind, SLOPES[kind], x, dy)):
        for place in range(40):
            assert bits(y[place::40]) == bits(y[::40])
    short = apply(kind, SLOPES[kind], np.ascontiguousarray(x[::40]))
    assert bits(short) == bits(apply(kind, SLOPES[kind], x)[::40])


@pytest.mark.parametrize("kind", SLOPES)
def test_gradient_is_the_slope_of_the_value(kind, isa):
    """By central differences in float64: rounding 1e-16 / 1e-5, and the rest h^2 f''' / 6."""
    x = np.random.default_rng(1).uniform(-7, 7, 3000)
    bends = np.array([-3, -1, -0.5, 0, 0.375, 0.5, 1, 1.625, 3, 6])
    x = x[np.abs(x[:, None] - bends).min(axis=1) > 1e-3]
    h = 1e-5
    slope = (apply(kind, SLOPES[kind], x + h) - apply(kind, SLOPES[kind], x - h)) / (2 * h)
    got = gradient(kind, SLOPES[kind], x, np.full_like(x, 2.0))
    np.testing.assert_allclose(got, 2 * slope, atol=1e-9, rtol=0)


@pytest.mark.parametrize(("kind", "inner"), [("softmax", 1), ("softmax", 3), ("softmax", 20), ("glu", 1)])
@pytest.mark.parametrize("width", [2, 6, 14])
def test_rows(kind, inner, width, isa, dtype, rng):
    """Against the reference backend, whose values are checked in the parity tests."""
    x = rng.normal(size=(5, width * inner)).astype(dtype)
    dy = rng.normal(size=(5, width * inner // 2 if kind == "glu" else width * inner)).astype(dtype)
    u = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(
        apply(kind, (), x, inner), apply(kind, (), x, inner, "reference"), rtol=8 * u, atol=8 * u
    )
    ours, reference = (gradient(kind, (), x, dy, inner, backend) for backend in ("cpu", "reference"))
    np.testing.assert_allclose(ours, reference, atol=40 * u * np.abs(dy).max() * width, rtol=0)
    if kind == "softmax":
        sums = apply(kind, (), x, inner).reshape(5, width, inner).sum(axis=1)
        np.testing.assert_allclose(sums, 1, rtol=width * u)


@pytest.mark.parametrize("kind", ["log_softmax", "sparsemax"])
@pytest.mark.parametrize("width", [1, 2, 7, 40])
def test_rows_by_differences(kind, width, isa, rng):
    x = rng.normal(size=(3, width))
    dy = rng.normal(size=(3, width))
    got, h = gradient(kind, (), x, dy), 1e-6
    for j in range(width):
        step = np.zeros(width)
        step[j] = h
        slope = (dy * (apply(kind, (), x + step) - apply(kind, (), x - step))).sum(axis=1) / (2 * h)
        np.testing.assert_allclose(got[:, j], slope, atol=1e-8 * width)


def test_what_does_not_fit_is_refused():
    x, y = np.zeros((2, 3)), np.zeros((2, 3))
    for arguments, words in (
        (("nope", (), x, y), "nonlinearity: expected one of celu, "),
        (("glu", (), x, y), "glu: expected an even number of values"),
        (("softmax", (), x, y, 2), "inner: expected a divisor of 3"),
        (("gelu", (), x, y, 3), "inner: expected 1 for gelu"),
        (("gelu", (), x, y[:1]), "out: expected 6 elements, got 3"),
        (("prelu", (), x, y), "without parameters"),
        (("elu", (1.0,) * 5, x, y), "numbers: expected up to 4"),
    ):
        with pytest.raises(ValueError, match=words):
            _core.nonlinearity("cpu", *arguments)
