"""Gradients of layers that normalise and rearrange samples, in float64 against central differences, and the
kernels of every instruction set against the reference.
"""

from typing import Any

import numpy as np
import pytest
from test_gradients import Loss, Net, batch
from tolerances import assert_close, rounding

from lamina import _core

KINDS = {
    "layer": ("normalisation", 1, 6, 1, 1, "standard", 1e-3, "gamma", True, [6]),
    "layer, two positions": ("normalisation", 2, 3, 2, 1, "standard", 1e-2, "gamma", True, [3]),
    "layer without parameters": ("normalisation", 2, 3, 2, 1, "standard", 1e-2, "", False, [3]),
    "groups": ("normalisation", 3, 2, 1, 1, "standard", 1e-1, "gamma", True, [6]),
    "groups of positions": ("normalisation", 2, 3, 1, 3, "standard", 1e-1, "gamma", True, [2]),
    "groups, beta alone": ("normalisation", 2, 3, 1, 3, "standard", 1e-1, "", True, [2]),
    "rms": ("normalisation", 1, 6, 1, 1, "root_mean_square", 1e-6, "scale", False, [6]),
    "rms, two positions": ("normalisation", 2, 3, 2, 1, "root_mean_square", 1e-2, "scale", False, [3]),
    "deviation": ("normalisation", 1, 6, 1, 1, "deviation", 1e-3, "gamma", False, [6]),
    "deviation, positions": ("normalisation", 2, 3, 2, 1, "deviation", 1e-1, "gamma", False, [3]),
    # With bounds that leave r no choice, and no d, nothing in it counts as a constant that isn't one.
    "renorm": ("batch_renormalization", 2, 3, 0.9, 1e-2, True, True, 0.9, 1.3, 1.3, 0.0),
    "renorm without parameters": ("batch_renormalization", 1, 6, 0.9, 1e-2, False, False, 0.9, 0.7, 0.7, 0.0),
    "unit": ("normalisation", 2, 3, 2, 1, "unit", 1e-12, "", False, [3]),
    "unit, capped": ("normalisation", 1, 6, 1, 1, "unit", 10.0, "", False, [6]),
    "rearrangement": ("rearrangement", [3, 0, 5, 1, 2, 4]),
    "standardisation": ("standardisation", 6),
}


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("first", [False, True])
def test_gradient(kind: str, first: bool, backend: str) -> None:
    x, y = batch(6, 3, "mean_squared_error")
    before = [] if first else [("dense", 1, 6, 6, "tanh", True)]
    stack = [*before, KINDS[kind], ("dense", 1, 6, 3, "linear", True)]
    Loss(Net(6, stack, backend), x, y, "mean_squared_error").check()


SHAPES = [  # groups, lanes, alike, repeat
    (1, 1, 1, 1),
    (1, 7, 1, 1),
    (1, 64, 1, 1),
    (1, 131, 1, 1),
    (5, 33, 5, 1),
    (4, 9, 2, 3),
    (3, 130, 1, 65),
    (70, 2, 1, 2),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["standard", "root_mean_square", "deviation", "unit"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cpu_and_reference_agree(shape: tuple[int, ...], kind: str, dtype: str) -> None:
    """One step of descent in either: outputs, parameters, and the gradient handed below."""
    groups, lanes, alike, repeat = shape
    size, parameters = groups * lanes, groups // alike * lanes // repeat
    gamma = "gamma" if kind != "unit" else ""
    suffix = "64" if dtype == "float64" else "32"
    results: dict[str, list[Any]] = {}
    for backend in ("cpu", "reference"):
        rng = np.random.default_rng(0)
        core = getattr(_core, "Network" + suffix)(5, backend)
        core.add_dense(1, 5, size, "tanh", True)
        core.add_normalisation(groups, lanes, alike, repeat, kind, 1e-3, gamma, bool(gamma), [parameters])
        core.build()
        for *_, view in core.parameters():
            view[...] = rng.uniform(0.3, 1.2, view.shape)
        x, y = rng.normal(size=(70, 5)).astype(dtype), rng.normal(size=(70, size)).astype(dtype)
        outputs = core.forward(x, False, 0)
        data = _core.Dataset(x, y, None)
        optimizer = getattr(_core, "Optimizer" + suffix)("sgd", 0.5)
        trainer = getattr(_core, "Trainer" + suffix)(
            core, optimizer, "mean_squared_error", False, 0.0, "sum", [], 1
        )
        trainer.begin_epoch(data, 70, False, 0, 0)
        trainer.train(0, 1)
        results[backend] = [outputs, *(np.array(view) for *_, view in core.parameters())]
    for ours, theirs in zip(results["cpu"], results["reference"], strict=True):
        assert_close(ours, theirs, 4 * rounding(dtype, max(size, 70)), f"{shape} {kind}", 1.0)


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf, np.inf), (0.9, 1.1, 0.05)], ids=["free", "cut"])
@pytest.mark.parametrize("parameters", [True, False], ids=["affine", "plain"])
def test_renorm_of_cpu_and_reference(bounds: tuple[float, float, float], parameters: bool) -> None:
    """One step of either: outputs, parameters and statistics."""
    results: dict[str, list[Any]] = {}
    for backend in ("cpu", "reference"):
        rng = np.random.default_rng(0)
        core = _core.Network64(5, backend)
        core.add_dense(1, 5, 6, "tanh", True)
        core.add_batch_renormalization(2, 3, 0.8, 1e-3, parameters, parameters, 0.7, *bounds)
        core.build()
        for *_, view in core.parameters():
            view[...] = rng.uniform(0.3, 1.2, view.shape)
        x, y = rng.normal(size=(70, 5)), rng.normal(size=(70, 6))
        trainer = _core.Trainer64(
            core, _core.Optimizer64("sgd", 0.05), "mean_squared_error", False, 0.0, "sum", [], 1
        )
        trainer.begin_epoch(_core.Dataset(x, y, None), 70, False, 0, 0)
        trainer.train(0, 1)
        outputs = core.forward(x, False, 0)
        results[backend] = [outputs, *(np.array(view) for *_, view in core.parameters())]
    for ours, theirs in zip(results["cpu"], results["reference"], strict=True):
        assert_close(ours, theirs, 4 * rounding("float64", 70), "renorm", 1.0)


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("add_normalisation", (2, 3, 2, 1, "other", 1e-3, "", False, [3]), "kind: expected standard"),
        ("add_normalisation", (2, 3, 1, 4, "unit", 1e-3, "", False, [1]), "repeat: expected a divisor"),
        ("add_normalisation", (3, 2, 2, 1, "unit", 1e-3, "", False, [3]), "alike: expected a divisor"),
        ("add_normalisation", (2, 3, 2, 1, "unit", 1e-3, "", False, [4]), "parameter_shape: expected 3"),
        ("add_rearrangement", ([0, 2, 6, 1, 3, 4],), "from: expected numbers from 0 to 5, got 6"),
        ("add_rearrangement", ([0, 2, 2, 1, 3, 4],), "from: expected each number once, got 2"),
        ("add_normal_noise", (6, -1.0, False, 1), "stddev: expected a number of 0 or more"),
        ("add_dropout_of_shape", (0.5, 1, [0, 4], 4, False, False), "from: expected numbers from 0 to 3"),
        ("add_dropout_of_shape", (0.5, 1, [], 4, False, False), "from: expected a number per element"),
    ],
)
def test_what_the_core_refuses(method: str, arguments: Any, message: str) -> None:
    core = _core.Network32(6)
    with pytest.raises(ValueError, match=message):
        getattr(core, method)(*arguments)
