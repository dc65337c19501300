"""A dense layer's three products as a network takes them, with the step of the weights: at every edge of the
blocks and panels, on every instruction set, against NumPy in float64.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tolerances import LAMBDA, unit_roundoff

from lamina import _core

LEARNING_RATE = 0.5
# On both sides of a vector, a panel, a block of rows, a chain of sums (512), and of rows pages apart (1024).
SIZES = [
    1,
    2,
    5,
    6,
    7,
    8,
    9,
    12,
    13,
    14,
    15,
    16,
    17,
    26,
    27,
    31,
    32,
    33,
    40,
    63,
    64,
    65,
    130,
    511,
    513,
    1024,
    1100,
]
# Rows, inputs, units of the first layer and of the second.
SHAPES = [
    *((rows, 37, 21, 3) for rows in SIZES),
    *((19, inputs, 21, 3) for inputs in SIZES),
    *((70, 37, units, 3) for units in SIZES),
    *((70, 37, 45, units) for units in SIZES),
]


def networks(dtype: npt.DTypeLike) -> tuple[Any, Any]:
    if np.dtype(dtype) == np.float64:
        return _core.Network64, (_core.Trainer64, _core.Optimizer64)
    return _core.Network32, (_core.Trainer32, _core.Optimizer32)


def expected_step(
    x: npt.NDArray[Any], y: npt.NDArray[Any], w: list[npt.NDArray[Any]]
) -> tuple[list[npt.NDArray[Any]], list[npt.NDArray[Any]]]:
    """Weights after a step of SGD on the mean squared error, and for each the sum of the absolute values of
    the terms that its change is made of.
    """
    w1, b1, w2, b2 = w
    h = x @ w1 + b1
    error = 2 * (h @ w2 + b2 - y) / y.size
    below = error @ w2.T
    gradients = [x.T @ below, below.sum(0), h.T @ error, error.sum(0)]
    sizes_h = np.abs(x) @ np.abs(w1) + np.abs(b1)
    sizes_error = 2 * (sizes_h @ np.abs(w2) + np.abs(b2) + np.abs(y)) / y.size
    sizes_below = sizes_error @ np.abs(w2).T
    sizes = [
        np.abs(x).T @ sizes_below,
        sizes_below.sum(0),
        sizes_h.T @ sizes_error,
        sizes_error.sum(0),
    ]
    return [a - LEARNING_RATE * g for a, g in zip(w, gradients, strict=True)], sizes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_at_every_edge(isa: str, dtype: npt.DTypeLike) -> None:
    rng = np.random.default_rng(0)
    kind, (trainer_kind, optimizer_kind) = networks(dtype)
    for rows, inputs, units, outputs in SHAPES:
        network = kind(inputs)
        network.add_dense(1, inputs, units, "linear", True)
        network.add_dense(1, units, outputs, "linear", True)
        network.build()
        views = [view for *_, view in network.parameters()]
        for view in views:
            view[...] = rng.normal(size=view.shape) / np.sqrt(view.shape[0])
        start = [np.array(view, dtype=np.float64) for view in views]
        x, y = (rng.normal(size=(rows, width)).astype(dtype) for width in (inputs, outputs))
        trainer = trainer_kind(
            network,
            optimizer_kind("sgd", LEARNING_RATE),
            "mean_squared_error",
            False,
            0.0,
            "sum_over_batch_size",
            [],
        )
        trainer.begin_epoch(_core.Dataset(x, y), rows, False, 0, 0)
        trainer.train(0, 1)
        expected, sizes = expected_step(x.astype(np.float64), y.astype(np.float64), start)
        # Four products, one into the other: their roundings add up.
        bound = LAMBDA * np.sqrt(rows + inputs + 2 * units + 2 * outputs) * unit_roundoff(dtype)
        for view, wanted, size in zip(views, expected, sizes, strict=True):
            difference = np.abs(view - wanted)
            assert (difference <= bound * (LEARNING_RATE * size + np.abs(wanted))).all(), (
                rows,
                inputs,
                units,
            )


# Ten and six units fill more than half a vector and no more than one: in large batches they are in its lanes.
@pytest.mark.parametrize("units", [(45,), (10,), (6,), (45, 10, 6)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_prediction_does_not_depend_on_the_rows_beside_it(
    isa: str, dtype: npt.DTypeLike, units: tuple[int, ...]
) -> None:
    """From a vector of rows on: how a batch is cut into panels, and what is in the lanes, changes no bit."""
    rng = np.random.default_rng(1)
    kind, _ = networks(dtype)
    network = kind(600)
    for inputs, outputs in pairwise((600, *units)):
        network.add_dense(1, inputs, outputs, "tanh", True)
    network.build()
    for *_, view in network.parameters():
        view[...] = rng.normal(size=view.shape) / 25
    x = rng.normal(size=(1500, 600)).astype(dtype)
    whole = network.predict(x, 1500)
    for rows in (32, 33, 512, 700):
        np.testing.assert_array_equal(network.predict(np.ascontiguousarray(x[:rows]), rows), whole[:rows])
        np.testing.assert_array_equal(network.predict(x[:96], rows), whole[:96])
