"""Shapes and kinds of data that fit takes, and what it refuses."""

from __future__ import annotations

import copy
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from small_models import LABELS, ONE_HOT, RNG, SPARSE, X, classifier, same_weights, twins
from tolerances import assert_close, rounding

from lamina import keras
from lamina.keras import Sequential, layers


# -- shapes and kinds of data --------------------------------------------------------------------------------
def test_ranks_are_adjusted_as_keras_does(live_keras: ModuleType) -> None:
    def one_input(k: Any) -> Any:
        model = k.Sequential([k.Input((1,)), k.layers.Dense(1, kernel_initializer="ones")])
        model.compile("sgd", "mse")
        return model

    column = X[:, 0]
    for x, y in ((column, column), (column[:, None], column[:, None]), (column[:, None, None], column)):
        results = []
        for k in (live_keras, keras):
            model = one_input(k)
            model.fit(x, y, shuffle=False, verbose=0)
            results.append(model.predict(x, verbose=0))
        assert_close(results[1], results[0], rounding("float32", 32, steps=2), "predict")
        assert results[1].shape == (50, 1)
    flat = Sequential([layers.Flatten(), layers.Dense(1)])
    assert flat(column).shape == (50, 1)
    with pytest.raises(ValueError, match="rank 2 or more"):
        Sequential([layers.Dense(1)])(column)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X.tolist(), LABELS.tolist()),
        ([X], [LABELS]),
        (X, LABELS[:, None]),
        (X, LABELS.astype(np.float64)),
        (X.astype(np.float64), LABELS.astype(np.uint8)),
        (tuple(X), tuple(LABELS)),
        (memoryview(X), LABELS),
    ],
    ids=["lists", "in a list", "column", "float labels", "float64", "tuples", "buffer"],
)
def test_forms_of_the_same_data_give_the_same_bits(x: Any, y: Any) -> None:
    model = classifier()
    other = copy.deepcopy(model)
    model.fit(X, LABELS, verbose=0)
    other.fit(x, y, verbose=0)
    assert same_weights(model, other)


def test_what_numpy_can_convert_is_data() -> None:
    class Frame:
        """What data frames and tensors have in common."""

        def __init__(self, values: Any) -> None:
            self.values = values

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
            return np.array(self.values, dtype=dtype)

    model = classifier()
    other = copy.deepcopy(model)
    model.fit(X, LABELS, verbose=0, validation_split=0.2)
    other.fit(Frame(X), Frame(LABELS), verbose=0, validation_split=0.2)
    assert same_weights(model, other)


def test_inputs_are_never_modified() -> None:
    x, y, w = X.copy(), LABELS.copy(), np.ones(50)
    for array in (x, y, w):
        array.flags.writeable = False
    model = classifier()
    model.fit(x, y, sample_weight=w, verbose=0, validation_data=(x, y, w))
    model.evaluate(x, y, sample_weight=w, verbose=0)
    model.predict(x, verbose=0)
    model(x, training=True)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, LABELS)


@pytest.mark.parametrize(
    "arguments", [{"class_weight": {0: 2.0, 2: 0.25}}, {"sample_weight": RNG.random((50, 1))}]
)
@pytest.mark.parametrize("loss", [SPARSE, "categorical_crossentropy"])
def test_weights_of_samples_are_keras_s(arguments: dict[str, Any], loss: str, live_keras: ModuleType) -> None:
    live, model = twins(live_keras, loss=loss)
    y = LABELS if loss == SPARSE else ONE_HOT
    histories = [
        each.fit(
            X, y, epochs=2, batch_size=16, shuffle=False, verbose=0, validation_split=0.2, **arguments
        ).history
        for each in (live, model)
    ]
    bound = rounding("float32", 40, steps=6)
    for key in histories[0]:
        assert_close(histories[1][key], histories[0][key], bound, key)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": X[:, :3]}, ValueError, r"^x: expected shape \(n, 4\), got \(50, 3\)"),
        ({"x": X[:10]}, ValueError, r"^y: expected 10 rows, as many as x has, got 50"),
        ({"x": None}, ValueError, r"^x: expected an array, got None"),
        ({"y": None}, ValueError, r"^y: expected the targets of x, got None"),
        ({"x": X.astype(complex)}, TypeError, r"^x: expected numbers .* got dtype complex"),
        ({"x": X.astype(object)}, TypeError, r"^x: expected numbers .* got dtype object"),
        ({"x": X.astype(str)}, TypeError, r"^x: expected numbers .* got dtype <U"),
        ({"x": np.ma.masked_less(X, 0.5)}, TypeError, r"^x: .*masked"),
        ({"x": {"a": X}}, TypeError, r"^x: expected an array, got dict"),
        ({"x": [[1.0, 2.0], [3.0]]}, ValueError, r"^x: expected an array, got a list that numpy can't"),
        ({"x": (row for row in X)}, ValueError, r"^y: expected None beside a generator"),
        ({"x": X[:0], "y": LABELS[:0]}, ValueError, r"^x: expected at least one row"),
        ({"y": ONE_HOT}, ValueError, r"^y: expected shape \(n,\) .*one-hot rows go with"),
        ({"y": LABELS + 1}, ValueError, r"^y: .*3"),
        ({"sample_weight": np.ones(49)}, ValueError, r"^sample_weight: expected 50 rows"),
        ({"sample_weight": np.ones((50, 2))}, ValueError, r"^sample_weight: expected one weight per sample"),
        ({"sample_weight": "abc"}, TypeError, r"^sample_weight: expected an array"),
        ({"class_weight": [1, 2]}, TypeError, r"^class_weight: expected a dict"),
        ({"class_weight": {0: "a"}}, TypeError, r"^class_weight: expected a finite number for class 0"),
        ({"class_weight": {"a": 1}}, TypeError, r"^class_weight: expected class numbers as keys"),
        (
            {"class_weight": {0: 1}, "sample_weight": np.ones(50)},
            ValueError,
            r"^class_weight: expected one of",
        ),
        ({"batch_size": 0}, ValueError, r"^batch_size: expected an int >= 1, got 0"),
        ({"batch_size": 2.5}, TypeError, r"^batch_size: expected an int >= 1, got 2.5"),
        ({"batch_size": True}, TypeError, r"^batch_size: "),
        ({"epochs": -1}, ValueError, r"^epochs: expected an int >= 0, got -1"),
        ({"initial_epoch": -1}, ValueError, r"^initial_epoch: "),
        ({"verbose": 3}, ValueError, r"^verbose: expected 'auto', 0, 1 or 2, got 3"),
        ({"shuffle": "rows"}, ValueError, r"^shuffle: expected True, False or 'batch', got 'rows'"),
        ({"validation_split": 1.0}, ValueError, r"^validation_split: expected a number in \[0, 1\), got 1.0"),
        ({"validation_split": -0.5}, ValueError, r"^validation_split: "),
        ({"validation_split": "a"}, TypeError, r"^validation_split: "),
        ({"validation_split": 0.999}, ValueError, r"^validation_split: expected a part that leaves rows"),
        ({"validation_data": X}, TypeError, r"^validation_data: expected a tuple"),
        ({"validation_data": (X,)}, ValueError, r"^validation_data: expected a tuple .* got 1 entries"),
        ({"validation_data": (X, LABELS[:9])}, ValueError, r"^validation_data\[1\]: expected 50 rows"),
        ({"validation_data": (X[:, :2], LABELS)}, ValueError, r"^validation_data\[0\]: expected shape"),
        ({"validation_data": (X, LABELS - 1)}, ValueError, r"^validation_data\[1\]: .*-1"),
        ({"validation_data": (X, LABELS, [1])}, ValueError, r"^validation_data\[2\]: expected 50 rows"),
        ({"validation_batch_size": 0}, ValueError, r"^validation_batch_size: "),
        ({"validation_freq": 0}, ValueError, r"^validation_freq: "),
        ({"validation_freq": "a"}, TypeError, r"^validation_freq: "),
        ({"steps_per_epoch": -3}, ValueError, r"^steps_per_epoch: expected an int >= 0"),
        ({"validation_steps": 0.5}, TypeError, r"^validation_steps: expected an int >= 0"),
        ({"callbacks": [3]}, TypeError, r"callbacks: expected"),
    ],
)
def test_wrong_fit_arguments_are_named_before_anything_changes(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = classifier()
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(**{"x": X, "y": LABELS, "verbose": 0, **arguments})
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))
    assert model.optimizer.iterations == 0
    model.fit(X, LABELS, verbose=0)
