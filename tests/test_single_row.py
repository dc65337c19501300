"""What a prediction of one row does not do, so that it takes microseconds."""

from __future__ import annotations

import threading
from typing import Any, NoReturn

import numpy as np
import pytest

from lamina import keras
from lamina.keras.callbacks import CallbackList

X = np.linspace(-1, 1, 12, dtype="f4").reshape(3, 4)


@pytest.fixture
def model() -> Any:
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, "tanh"), keras.layers.Dense(2)])


def refuse(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("called")


def test_no_callback_list_is_made_where_there_is_nothing_to_call(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = model.predict(X, verbose=0, callbacks=[keras.callbacks.Callback()])
    monkeypatch.setattr(CallbackList, "__init__", refuse)
    model.stop_predicting = True
    np.testing.assert_array_equal(model.predict(X, verbose=0), expected)
    assert model.stop_predicting is False
    for arguments in ({}, {"verbose": 1}, {"verbose": 0, "callbacks": []}):
        with pytest.raises(AssertionError, match="called"):
            model.predict(X, **arguments)


def test_which_thread_it_is_isn_t_asked_before_the_work_takes_long(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "main_thread", refuse)
    monkeypatch.setattr(threading, "get_ident", refuse)
    for result in (model.predict(X, verbose=0), model(X), model.predict_on_batch(X)):
        assert result.shape == (3, 2)


@pytest.mark.parametrize("dtype", [*"?bBhHiIlLqQefd", ">f4", ">i2"])
def test_every_dtype_that_the_core_reads_passes_the_door(model: Any, dtype: str) -> None:
    rows = (10 * X).astype(dtype)
    plain = rows.astype("f4")
    np.testing.assert_array_equal(model.predict(rows, verbose=0), model.predict(plain, verbose=0))


@pytest.mark.parametrize("dtype", ["g", "F", "D", "S3", "U3", "M8[s]", "m8[s]", "O", "V4", [("a", "f4")]])
def test_no_other_dtype_does(model: Any, dtype: Any) -> None:
    with pytest.raises(TypeError, match=r"^x: expected numbers \(bool, int, uint, float16, .* got dtype "):
        model.predict(np.zeros((3, 4), dtype), verbose=0)


def test_what_a_model_gives_is_a_plain_array_from_predict(model: Any) -> None:
    class Sub(np.ndarray):  # type: ignore[type-arg]
        pass

    rows = X.view(Sub)
    assert type(model.predict(rows, verbose=0)) is np.ndarray
    assert type(model.predict_on_batch(rows)) is np.ndarray
    assert type(model(rows).numpy()) is np.ndarray
