"""Activations under mixed_bfloat16: on every bfloat16 number as live Keras's graphs compute them, and the
kernels as the reference does. Slopes are compared with Keras's in `mixed_networks.py`.
"""

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from activation_cases import EACH_NUMBER, Case
from bfloat16_oracle import half_a_unit, rounded
from mixed_networks import MIXED

from lamina import _core, keras
from lamina.keras import activations
from lamina.keras.activations.form import BY_ROWS, FROM_OUTPUT

CASES = [
    case
    for case in EACH_NUMBER
    if not case.arguments
    and activations.form_of(getattr(keras.activations, case.name)).kind not in (*FROM_OUTPUT, *BY_ROWS)
]
KINDS: list[tuple[str, list[float]]] = [
    *((kind, []) for kind in ("gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "log_sigmoid", "mish")),
    ("gelu_tanh", []),
    *((kind, []) for kind in ("relu6", "selu", "silu", "softplus", "softsign", "sparse_plus")),
    *((kind, []) for kind in ("sparse_sigmoid", "tanh_shrink")),
    *((kind, [0.3]) for kind in ("celu", "elu", "hard_shrink", "leaky_relu", "soft_shrink", "squareplus")),
    *(("elu", [1.0]), ("celu", [1.0]), ("threshold", [0.7, 2.1])),
    *(("relu", numbers) for numbers in ([0.0, 3.2, 0.0, 0.0], [0.1, 3.2, 0.7, 0.7], [0.1, 6.0, 0.0, 0.0])),
]
# silu rounds once with the oneDNN kernels, which are not in use here; and a graph without gradients
# multiplies hard_silu's x by the 1/6 first.
LOOSE = ("silu", "swish", "hard_silu", "hard_swish")


def numbers() -> Any:
    """Every bfloat16 number up to 10,000 but those near the subnormal ones, which TensorFlow takes for 0."""
    x = (np.arange(2**16, dtype=np.uint32) << 16).view(np.float32)
    with np.errstate(invalid="ignore"):
        return x[(np.abs(x) < 1e4) & ((np.abs(x) > 1e-30) | (x == 0))]


@pytest.mark.parametrize("kind", ["gelu", "gelu_tanh"])
def test_the_slope_of_gelu(kind: str) -> None:
    """That of the formula, within four roundings of numbers up to 1."""
    x = rounded(np.linspace(-4, 4, 4096)).astype(np.float32)[None]
    core = _core.Network32(1, "cpu")
    core.add_bfloat16_dense(1, 1, x.size, "linear", False, fused=True)
    core.add_bfloat16_nonlinearity(x.size, kind, [])
    core.build()
    ((_, _, _, kernel),) = core.parameters()
    kernel[...] = x
    # Far below all results: the gradient at each is 1 / 4096.
    one, target = np.ones((1, 1), np.float32), np.full(x.shape, -100, np.float32)
    trainer = _core.Trainer32(
        core, _core.Optimizer32("sgd", 1.0), "mean_absolute_error", False, 0.0, "sum", [], 1
    )
    trainer.begin_epoch(_core.Dataset(one, target, None), 1, False, 0, 0)
    trainer.train(0, 1)
    slope = (x - np.array(kernel)).astype(np.float64) * x.size
    wide = x.astype(np.float64)
    if kind == "gelu":
        cdf = 0.5 * (1 + np.vectorize(math.erf)(wide / np.sqrt(2)))
        expected = cdf + wide * np.exp(-wide * wide / 2) / np.sqrt(2 * np.pi)
    else:
        scale = np.sqrt(2 / np.pi)
        t = np.tanh(scale * (wide + 0.044715 * wide**3))
        expected = 0.5 * (1 + t) + 0.5 * wide * (1 - t * t) * scale * (1 + 3 * 0.044715 * wide * wide)
    assert np.abs(slope - expected).max() <= 4 * half_a_unit(1.0)


@pytest.mark.parametrize("kind", BY_ROWS)
def test_rows_are_the_reference_s(kind: str) -> None:
    """Value and slope of rows, by both backends: a kernel that stands for the numbers takes a step."""
    rows, features = 7, 34
    x = np.random.default_rng(2).normal(size=(1, rows * features)).astype(np.float32)
    x *= 0.004 if kind == "sparsemax" else 1  # Keras's gives zeros where the values lie far apart
    outputs = rows * features // (2 if kind == "glu" else 1)
    results = []
    for backend in ("cpu", "reference"):
        core = _core.Network32(1, backend)
        core.add_bfloat16_dense(1, 1, x.size, "linear", False, fused=True)
        core.add_bfloat16_row_nonlinearity(rows, features, kind)
        core.build()
        ((_, _, _, kernel),) = core.parameters()
        kernel[...] = x
        one, target = np.ones((1, 1), np.float32), np.linspace(-1, 1, outputs, dtype=np.float32)[None]
        value = core.forward(one, False, 0)
        trainer = _core.Trainer32(
            core, _core.Optimizer32("sgd", 1.0), "mean_squared_error", False, 0.0, "sum", [], 1
        )
        trainer.begin_epoch(_core.Dataset(one, target, None), 1, False, 0, 0)
        trainer.train(0, 1)
        results.append((value.ravel(), (np.array(kernel) - x).ravel()))
    for ours, theirs in zip(*results, strict=True):
        assert np.abs(theirs).max() > 0
        assert np.mean(ours == theirs) > 0.98
        assert (np.abs(ours - theirs) <= 2.01 * half_a_unit(np.abs(theirs).max())).all()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_number(case: Case, live_keras: ModuleType) -> None:
    x = numbers()[:, None]
    results = []
    for library in (keras, live_keras):
        layer = library.layers.Activation(case.name, dtype=MIXED)
        model = library.Sequential([library.Input((1,)), layer])
        results.append(np.asarray(model.predict(x, batch_size=len(x), verbose=0)).astype(np.float32))
    ours, theirs = results
    normal = np.abs(theirs) > 1e-36  # e^x underflows there before it does here
    if case.name in LOOSE:
        assert (np.abs(ours - theirs) <= 4 * half_a_unit(theirs))[normal].all()
    else:
        np.testing.assert_array_equal(ours[normal], theirs[normal])
    assert (np.abs(ours[~normal]) <= 1e-36).all()


@pytest.mark.parametrize(("kind", "arguments"), KINDS, ids=str)
def test_value_and_slope_are_the_reference_s(kind: str, arguments: list[float]) -> None:
    """A kernel that stands for the numbers takes one step of descent from them."""
    x = numbers()[::7]
    results = []
    for backend in ("cpu", "reference"):
        core = _core.Network32(1, backend)
        core.add_bfloat16_dense(1, 1, len(x), "linear", False, fused=True)
        core.add_bfloat16_nonlinearity(len(x), kind, arguments)
        core.build()
        ((_, _, _, kernel),) = core.parameters()
        kernel[...] = x
        one, target = np.ones((1, 1), np.float32), np.full((1, len(x)), 0.3, np.float32)
        value = core.forward(one, False, 0)
        trainer = _core.Trainer32(
            core, _core.Optimizer32("sgd", 1.0), "mean_absolute_error", False, 0.0, "sum", [], 1
        )
        trainer.begin_epoch(_core.Dataset(one, target, None), 1, False, 0, 0)
        trainer.train(0, 1)
        results.append((value.ravel(), (np.array(kernel) - x).ravel()))
    (ours, our_slope), (theirs, their_slope) = results
    assert np.mean(ours == theirs) > 0.99
    assert (np.abs(ours - theirs) <= 2.01 * half_a_unit(theirs) + 1e-36).all()
    assert np.abs(their_slope).max() > 0
    assert np.mean(our_slope == their_slope) > 0.99
