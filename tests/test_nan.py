"""NaN in the data is reported as a NaN loss; no kernel hides it, and it stays in its row until a weight has
taken it up.
"""

from typing import Any

import numpy as np
import pytest
from small_classifier import CLASSES, FEATURES, ROWS, good, trained


@pytest.fixture
def keras(lamina_keras: Any) -> Any:
    return lamina_keras


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "tanh", "softmax"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_in_x_is_reported(keras: Any, activation: str, bad: float) -> None:
    """A maximum or a comparison in a kernel must not swallow NaN; infinities make one (inf - inf) in a
    softmax of linear maps.
    """
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((FEATURES,)), layers.Dense(9, activation), layers.Dense(CLASSES, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = good()
    clean = model.predict(x, verbose=0)
    x[5, 2] = bad
    predictions = model.predict(x, verbose=0)
    others = np.arange(ROWS) != 5
    np.testing.assert_array_equal(predictions[others], clean[others])
    if np.isinf(bad) and activation in ("sigmoid", "tanh"):
        assert np.isfinite(predictions).all()
        return
    assert np.isnan(predictions[5]).all()
    assert np.isnan(model.evaluate(x, y, verbose=0))
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    assert np.isnan(history["loss"]).all()
    assert np.isnan(model.get_weights()[0]).any()


@pytest.mark.parametrize("loss", ["mse", "binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("head", ["softmax", "sigmoid", "linear"])
def test_nan_in_y_is_reported(keras: Any, loss: str, head: str) -> None:
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES, head)])
    model.compile("sgd", loss)
    x, y = good()[0], np.eye(CLASSES)[good()[1]]
    y[-1, 1] = np.nan
    assert np.isnan(model.evaluate(x, y, verbose=0))
    assert np.isnan(model.fit(x, y, verbose=0).history["loss"][0])


def test_nan_in_sample_weight_is_reported(keras: Any) -> None:
    model = trained(keras)
    x, y = good()
    weights = np.ones(ROWS)
    weights[3] = np.nan
    assert np.isnan(model.evaluate(x, y, sample_weight=weights, verbose=0)[0])


def test_terminate_on_nan_ends_the_training(keras: Any) -> None:
    model = trained(keras)
    x, y = good()
    x[0] = np.nan
    history = model.fit(
        x, y, epochs=5, verbose=0, shuffle=False, batch_size=4, callbacks=[keras.callbacks.TerminateOnNaN()]
    )
    assert len(history.epoch) == 1


def test_early_stopping_with_nan(keras: Any) -> None:
    """NaN is never an improvement: patience runs out."""
    model = trained(keras)
    x, y = good()
    x[0] = np.nan
    stopping = keras.callbacks.EarlyStopping("loss", patience=2)
    assert len(model.fit(x, y, epochs=9, verbose=0, callbacks=[stopping]).epoch) <= 4
