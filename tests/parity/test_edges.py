"""Numbers at edges that random data never hit: ties, a probability of exactly a half, the bounds of the
clip, huge logits.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import assert_close, rounding

LOWEST = float(np.float32(1e-7))
HIGHEST = float(np.float32(1 - 1e-7))


def _zero_model(keras: ModuleType, units: int, activation: str, loss: str, metrics: list[str]) -> Any:
    """All weights 0: every output of a row is the same number."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units, activation)])
    model.compile("sgd", loss, metrics=metrics)
    model.set_weights([np.zeros((2, units)), np.zeros(units)])
    return model


def _values(result: Any) -> list[float]:
    return [float(value) for value in np.atleast_1d(result)]


@pytest.mark.parametrize(
    ("units", "activation", "loss", "y"),
    [
        (1, "sigmoid", "binary_crossentropy", [0, 1, 0, 1, 1]),
        (3, "sigmoid", "binary_crossentropy", [[0, 0, 1], [1, 1, 1], [0, 0, 0], [0, 1, 0], [1, 0, 0]]),
        (3, "softmax", "categorical_crossentropy", [[0, 0, 1], [1, 1, 0], [0, 0, 0], [0, 1, 1], [1, 0, 0]]),
        (3, "softmax", "sparse_categorical_crossentropy", [0, 1, 2, 0, 0]),
    ],
)
def test_ties(
    units: int, activation: str, loss: str, y: list[Any], live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """A probability of exactly 0.5 counts as class 0, and of equal outputs or targets the first is the
    largest.
    """
    metrics = ["accuracy"] if loss.startswith("sparse") else ["accuracy", "binary_accuracy"]
    x = np.ones((5, 2), "float32")
    ours, theirs = (
        _values(
            _zero_model(keras, units, activation, loss, metrics).evaluate(
                x, np.array(y, "float32"), verbose=0
            )
        )
        for keras in (lamina_keras, live_keras)
    )
    assert_close(ours, theirs, rounding("float32", 5), "loss and metrics")


def test_targets_between_the_classes_never_count(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Binary accuracy compares with the target as it is: 0.7 equals neither 0 nor 1."""
    x = np.ones((4, 2), "float32")
    y = np.array([0.7, 0.0, 1e-9, 1.0], "float32")
    ours, theirs = (
        _values(_zero_model(keras, 1, "sigmoid", "mse", ["binary_accuracy"]).evaluate(x, y, verbose=0))
        for keras in (lamina_keras, live_keras)
    )
    assert ours[1] == theirs[1] == 0.25


def _step_of_identity(keras: ModuleType, loss: str, p: list[float], y: Any) -> tuple[float, Any]:
    """Loss and gradient at a linear head that hands x on: the loss sees exactly these numbers, as
    probabilities.
    """
    model = keras.Sequential([keras.Input((len(p),)), keras.layers.Dense(len(p))])
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
    model.set_weights([np.eye(len(p)), np.zeros(len(p))])
    value = model.train_on_batch(np.array([p], "float32"), y)
    return float(value), model.get_weights()[1]  # the bias moves by the gradient alone


BELOW_LOWEST = float(np.nextafter(np.float32(LOWEST), np.float32(0)))
BELOW_ONE = float(np.nextafter(np.float32(1), np.float32(0)))
PROBABILITIES = [-3.0, 0.0, LOWEST / 2, BELOW_LOWEST, LOWEST, 2e-7, 0.5]
PROBABILITIES += [1 - 2e-7, HIGHEST, BELOW_ONE, 1.0, 1.5, 1e30, np.nan]


@pytest.mark.parametrize("t", [0.0, 1.0, 0.25])
@pytest.mark.parametrize("p", PROBABILITIES)
def test_binary_clip(p: float, t: float, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """The gradient passes at the bounds of the clip and between them; beyond them it is zero, and the loss
    is capped.
    """
    y = np.array([[t]], "float32")
    ours, theirs = (
        _step_of_identity(keras, "binary_crossentropy", [p], y) for keras in (lamina_keras, live_keras)
    )
    assert_close(ours[0], theirs[0], rounding("float32", 2), "loss")
    assert_close(ours[1], theirs[1], rounding("float32", 2), "gradient")


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
@pytest.mark.parametrize(
    "p",
    [
        [0.2, 0.3, 0.5],
        [0.0, 0.0, 1.0],
        [LOWEST, 0.5, 0.5],
        [LOWEST / 4, 0.25, 0.75],
        [1.0, 1.0, 2.0],
        [3.0, 0.25, 0.25],
        [-0.5, 0.5, 1.0],
        [np.nan, 0.5, 0.5],
        [0.0, 0.0, 0.0],
    ],
)
@pytest.mark.parametrize("label", [0, 1, 2])
def test_categorical_clip(
    p: list[float], label: int, loss: str, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Categorical divides by the sum before it clips, sparse does not; each has its own gradient."""
    y = np.array([label]) if loss.startswith("sparse") else np.eye(3)[[label]]
    ours, theirs = (_step_of_identity(keras, loss, p, y) for keras in (lamina_keras, live_keras))
    assert_close(ours[0], theirs[0], rounding("float32", 6), "loss")
    assert_close(ours[1], theirs[1], rounding("float32", 6), "gradient")


@pytest.mark.parametrize("size", [90.0, 1e4, 1e30])
@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("softmax", "categorical_crossentropy"),
        ("softmax", "sparse_categorical_crossentropy"),
        ("sigmoid", "binary_crossentropy"),
        ("softmax", "mse"),
        ("sigmoid", "mse"),
        ("tanh", "mse"),
    ],
)
def test_huge_logits(
    activation: str, loss: str, size: float, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """e^90 overflows float32: losses stay what they are, outputs saturate, gradients stay finite."""
    x = np.array([[1.0, 0.5, -1.0], [0.0, -1.0, 1.0], [-1.0, -1.0, 0.0], [0.25, 0.25, 0.25]], "float32")
    labels = np.array([2, 2, 0, 1])
    y = labels if loss.startswith("sparse") else np.eye(3)[labels]
    found = []
    for keras in (lamina_keras, live_keras):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation)])
        model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)
        model.set_weights([np.eye(3) * size, np.zeros(3)])
        value = model.train_on_batch(x, y)
        found.append([value, model.get_weights()[1], model.predict_on_batch(x)])
    for ours, theirs, what in zip(*found, ("loss", "gradient", "outputs"), strict=True):
        assert_close(ours, theirs, rounding("float32", 6), what)
