"""Weights of samples, positions and classes, drawn with zeros among them, move the model as in Keras."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from networks import initial
from tolerances import assert_close, rounding

ROWS, TIMES, CLASSES = 13, 4, 3
RNG = np.random.default_rng(7)
X = {"flat": RNG.normal(size=(ROWS, 5)), "temporal": RNG.normal(size=(ROWS, TIMES, 5))}
Y = {"flat": RNG.integers(0, CLASSES, ROWS), "temporal": RNG.integers(0, CLASSES, (ROWS, TIMES))}
FACTORS = st.one_of(st.just(0.0), st.just(1.0), st.floats(0, 4, width=32))


@pytest.fixture(scope="module")
def models(live_keras: ModuleType, lamina_keras: ModuleType) -> dict[str, list[tuple[Any, list[Any]]]]:
    """Of each kind of data one model in each library and its weights: Keras traces its steps once."""
    found: dict[str, list[tuple[Any, list[Any]]]] = {}
    for kind, x in X.items():
        for keras in (lamina_keras, live_keras):
            model = keras.Sequential(
                [
                    keras.Input(x.shape[1:]),
                    keras.layers.Dense(6, "tanh"),
                    keras.layers.Dense(CLASSES, "softmax"),
                ]
            )
            model.compile(keras.optimizers.SGD(0.3), "sparse_categorical_crossentropy", metrics=["accuracy"])
            rng = np.random.default_rng(1)
            model.set_weights([initial(weight, rng) for weight in model.get_weights()])
            found.setdefault(kind, []).append((model, model.get_weights()))
    return found


def _assert_alike(models: list[tuple[Any, list[Any]]], kind: str, **arguments: Any) -> None:
    x, y = X[kind].astype("float32"), Y[kind]
    results = []
    for model, weights in models:
        model.set_weights(weights)
        history = model.fit(x, y, 5, 2, 0, shuffle=False, **arguments).history
        results.append((history, model.get_weights()))
    (ours, our_weights), (theirs, their_weights) = results
    bound = rounding("float32", ROWS * TIMES, 6)
    assert list(ours) == list(theirs)
    for name, values in theirs.items():
        assert_close(ours[name], values, bound, name)
    for our, their in zip(our_weights, their_weights, strict=True):
        assert_close(our, their, bound, "weight")


@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    factors=st.lists(FACTORS, min_size=ROWS, max_size=ROWS),
    validation=st.lists(FACTORS, min_size=ROWS, max_size=ROWS),
)
def test_weights_of_samples(
    models: dict[str, list[tuple[Any, list[Any]]]],
    factors: list[float],
    validation: list[float],
) -> None:
    weights = np.array(factors, dtype="float32")
    _assert_alike(
        models["flat"],
        "flat",
        sample_weight=weights,
        validation_data=(X["flat"], Y["flat"], np.array(validation)),
    )


@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(factors=st.lists(FACTORS, min_size=ROWS * TIMES, max_size=ROWS * TIMES))
def test_weights_of_positions(models: dict[str, list[tuple[Any, list[Any]]]], factors: list[float]) -> None:
    weights = np.array(factors, dtype="float32").reshape(ROWS, TIMES)
    _assert_alike(models["temporal"], "temporal", sample_weight=weights)


@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(classes=st.dictionaries(st.integers(0, CLASSES), FACTORS))
def test_weights_of_classes(
    models: dict[str, list[tuple[Any, list[Any]]]], classes: dict[int, float]
) -> None:
    _assert_alike(models["flat"], "flat", class_weight=classes)
