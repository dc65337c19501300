"""Bad input gets one clear error that names the argument, what was expected and what came, before anything
changes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_classifier import CLASSES, FEATURES, ROWS, Array, assert_refused, good, state, trained

METHODS = ["fit", "fit, validation", "evaluate", "train_on_batch", "test_on_batch"]


@pytest.fixture
def keras(lamina_keras: Any) -> Any:
    return lamina_keras


def call(model: Any, method: str, x: Any, y: Any, **kwargs: Any) -> Any:
    """`method` with these data as its own, or, for "fit, validation", as the validation data of good
    training data.
    """
    if method == "fit, validation":
        validation = (x, y, kwargs.pop("sample_weight")) if "sample_weight" in kwargs else (x, y)
        inputs, labels = good()
        targets = labels if model.loss == "sparse_categorical_crossentropy" else np.eye(CLASSES)[labels]
        return model.fit(inputs, targets, batch_size=8, verbose=0, validation_data=validation, **kwargs)
    if method in ("fit", "evaluate"):
        return getattr(model, method)(x, y, batch_size=8, verbose=0, **kwargs)
    return getattr(model, method)(x, y, **kwargs)


def names(method: str) -> tuple[str, str, str]:
    """What the message calls x, y and sample_weight."""
    return (
        tuple(f"validation_data[{i}]" for i in range(3))
        if "validation" in method
        else ("x", "y", "sample_weight")
    )  # type: ignore[return-value]


# -- shapes --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "shape", [(ROWS, FEATURES + 1), (ROWS, FEATURES - 1), (ROWS,), (ROWS, 2, 2), (ROWS, 0)]
)
def test_x_of_another_shape(keras: Any, method: str, shape: tuple[int, ...]) -> None:
    model = trained(keras)
    x, y = np.zeros(shape, "float32"), good()[1]
    assert_refused(
        model, [names(method)[0], f"(n, {FEATURES})", str(shape)], lambda: call(model, method, x, y)
    )


@pytest.mark.parametrize("method", ["predict", "predict_on_batch", "__call__"])
def test_x_of_another_shape_in_prediction(keras: Any, method: str) -> None:
    model = trained(keras)
    x = np.zeros((ROWS, FEATURES + 1), "float32")
    assert_refused(model, [f"(n, {FEATURES})", str(x.shape)], lambda: getattr(model, method)(x))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows", [ROWS - 1, ROWS + 1, 1])
def test_lengths_that_differ(keras: Any, method: str, rows: int) -> None:
    model = trained(keras)
    x, y = good()
    y = np.resize(y, rows)
    assert_refused(model, [names(method)[1], str(ROWS), str(rows)], lambda: call(model, method, x, y))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(ROWS - 1,), (ROWS, 2), (1,)])
def test_sample_weight_of_another_shape(keras: Any, method: str, shape: tuple[int, ...]) -> None:
    model = trained(keras)
    x, y = good()
    wanted = [names(method)[2], str(shape[0] if len(shape) == 1 else shape)]
    assert_refused(model, wanted, lambda: call(model, method, x, y, sample_weight=np.ones(shape)))


@pytest.mark.parametrize("method", METHODS)
def test_one_hot_rows_for_the_sparse_loss(keras: Any, method: str) -> None:
    model = trained(keras)
    x, y = good()
    one_hot = np.eye(CLASSES)[y]
    assert_refused(
        model, [names(method)[1], "(n,)", str(one_hot.shape)], lambda: call(model, method, x, one_hot)
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", ["categorical_crossentropy", "mse", "binary_crossentropy"])
@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 1), (ROWS, CLASSES + 1), (ROWS, CLASSES, 1, 1)])
def test_targets_that_do_not_fit_the_output(
    keras: Any, method: str, loss: str, shape: tuple[int, ...]
) -> None:
    """Never broadcast: Keras would compare a column with every output."""
    model = trained(keras, loss)
    x, y = good()[0], np.zeros(shape)
    assert_refused(
        model, [names(method)[1], f"(n, {CLASSES})", str(shape)], lambda: call(model, method, x, y)
    )


@pytest.mark.parametrize("method", METHODS)
def test_no_rows(keras: Any, method: str) -> None:
    model = trained(keras)
    x, y = good()
    assert_refused(model, [names(method)[0], f"(0, {FEATURES})"], lambda: call(model, method, x[:0], y[:0]))


def test_no_rows_in_prediction(keras: Any) -> None:
    model = trained(keras)
    assert_refused(model, ["x", f"(0, {FEATURES})"], lambda: model.predict(good()[0][:0], verbose=0))


@pytest.mark.parametrize("method", METHODS)
def test_single_values(keras: Any, method: str) -> None:
    model = trained(keras)
    assert_refused(model, [names(method)[0]], lambda: call(model, method, np.float32(1.0), good()[1]))


# -- dtypes --------------------------------------------------------------------------------------------------
BAD_ARRAYS: dict[str, Callable[[Array], Any]] = {
    "object": lambda a: a.astype(object),
    "complex": lambda a: a.astype("complex64"),
    "string": lambda a: a.astype(str),
    "bytes": lambda a: a.astype("S8"),
    "datetime": lambda a: a.astype("int64").astype("datetime64[s]"),
    "timedelta": lambda a: a.astype("int64").astype("timedelta64[s]"),
    "structured": lambda a: np.zeros(a.shape, [("value", "f4")]),
    "long double": lambda a: a.astype(np.longdouble),
    "masked": lambda a: np.ma.masked_array(a, mask=np.zeros(a.shape, bool)),
    "ragged": lambda a: [[1.0, 2.0], [3.0]],
    "a string": lambda a: "data",
    "a dict": lambda a: {"x": a},
    "a set": lambda a: {1.0, 2.0},
    "None inside": lambda a: [[None] * FEATURES] * len(a),
    "a generator": lambda a: (row for row in a),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", BAD_ARRAYS)
def test_x_that_is_no_array_of_numbers(keras: Any, method: str, kind: str) -> None:
    if kind == "long double" and np.dtype(np.longdouble).itemsize == 8:
        pytest.skip("long double is double here")
    model = trained(keras)
    x, y = good()
    bad = BAD_ARRAYS[kind](x)
    wanted = [names(method)[0], "expected"] + (
        [str(bad.dtype)] if isinstance(bad, np.ndarray) and kind != "masked" else []
    )
    assert_refused(model, wanted, lambda: call(model, method, bad, y))


@pytest.mark.parametrize("argument", ["y", "sample_weight"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["object", "complex", "string", "structured", "masked"])
def test_targets_and_weights_that_are_no_numbers(keras: Any, method: str, kind: str, argument: str) -> None:
    model = trained(keras)
    x, y = good()
    arguments = {"y": y, "sample_weight": np.ones(ROWS)}
    arguments[argument] = BAD_ARRAYS[kind](arguments[argument])
    wanted = [names(method)[1 if argument == "y" else 2], "expected"]
    assert_refused(model, wanted, lambda: call(model, method, x, **arguments))


@pytest.mark.parametrize("kind", BAD_ARRAYS)
@pytest.mark.parametrize("method", ["predict", "predict_on_batch"])
def test_prediction_of_no_array_of_numbers(keras: Any, method: str, kind: str) -> None:
    if kind == "long double" and np.dtype(np.longdouble).itemsize == 8:
        pytest.skip("long double is double here")
    model = trained(keras)
    assert_refused(model, ["x", "expected"], lambda: getattr(model, method)(BAD_ARRAYS[kind](good()[0])))


@pytest.mark.parametrize("method", METHODS)
def test_missing_data(keras: Any, method: str) -> None:
    model = trained(keras)
    x, y = good()
    assert_refused(model, [names(method)[1], "None"], lambda: call(model, method, x, None))
    assert_refused(model, [names(method)[0], "None"], lambda: call(model, method, None, y))


# -- labels --------------------------------------------------------------------------------------------------
BAD_LABELS = [-1, CLASSES, 255, 2**31 - 1, -(2**63), 1.5, np.nan, np.inf, -0.25]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", [0, 7, ROWS - 1], ids=["first", "end of a batch", "short last batch"])
@pytest.mark.parametrize("label", BAD_LABELS)
def test_labels_out_of_range(keras: Any, method: str, place: int, label: float) -> None:
    """Label and index are told, wherever it stands; Keras trains on what comes before it, or on all of it."""
    model = trained(keras)
    x, y = good()
    y = y.astype("float64") if isinstance(label, float) else y
    y[place] = label
    shown = "nan" if np.isnan(label) else str(label)  # an integer in all its digits
    assert_refused(model, [names(method)[1], str(place), shown], lambda: call(model, method, x, y))


@pytest.mark.parametrize(
    "dtype",
    ["int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64", "float16", "float32", ">i4", ">f8"],
)
def test_labels_out_of_range_in_every_dtype(keras: Any, dtype: str) -> None:
    model = trained(keras)
    x, y = good()
    y = y.astype(dtype)
    y[-2] = CLASSES
    assert_refused(model, ["y", str(ROWS - 2), str(CLASSES)], lambda: model.fit(x, y, verbose=0))
    y[-2] = 0
    model.fit(x, y, verbose=0)


def test_labels_out_of_range_in_what_validation_split_keeps(keras: Any) -> None:
    model = trained(keras)
    x, y = good()
    y[-1] = CLASSES
    assert_refused(model, ["y", str(CLASSES)], lambda: model.fit(x, y, validation_split=0.2, verbose=0))


def test_labels_of_every_position(keras: Any) -> None:
    """With a rank-3 output there is one label per position, and each is checked."""
    model = keras.Sequential([keras.Input((5, FEATURES)), keras.layers.Dense(CLASSES, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.ones((6, 5, FEATURES)), np.zeros((6, 5), int)
    model.fit(x, y, verbose=0)
    y[4, 3] = CLASSES
    assert_refused(model, ["y", str(CLASSES)], lambda: model.fit(x, y, verbose=0))


# -- what bad input leaves behind ----------------------------------------------------------------------------
def test_training_goes_on_after_errors_as_if_nothing_had_happened(keras: Any) -> None:
    x, y = good()
    wrong = y.copy()
    wrong[-1] = CLASSES
    untouched, scarred = trained(keras), trained(keras)
    for act in (
        lambda: scarred.fit(x, wrong, verbose=0),
        lambda: scarred.fit(x[:, :2], y, verbose=0),
        lambda: scarred.fit(x, y, validation_data=(x, wrong), verbose=0),
        lambda: scarred.train_on_batch(x, wrong),
        lambda: scarred.predict(x[:, :2], verbose=0),
    ):
        with pytest.raises(ValueError):
            act()
    for model in (untouched, scarred):
        model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    assert state(untouched) == state(scarred)
