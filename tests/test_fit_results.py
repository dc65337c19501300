"""What fit, evaluate and predict give back, how fits stop and go on, what callbacks may do."""

import json
import re
from typing import Any

import numpy as np
import pytest
from linear_unit import BOUND, FEATURES, ROWS, by_hand, data, linear
from tolerances import assert_close


@pytest.fixture
def keras(lamina_keras: Any) -> Any:
    return lamina_keras


# -- History, stopping, continuing ---------------------------------------------------------------------------
def test_history_object(keras: Any) -> None:
    x, y = data()
    model = linear(keras, 0.01, ["mae"])
    history = model.fit(x, y, epochs=3, batch_size=10, verbose=0)
    assert model.history is history
    assert history.epoch == [0, 1, 2]
    assert history.params == {"verbose": 0, "epochs": 3, "steps": 3}
    assert list(history.history) == ["loss", "mae"]
    assert all(type(value) is float for values in history.history.values() for value in values)
    assert json.dumps(history.history)


def test_initial_epoch(keras: Any) -> None:
    """`epochs` is the index to stop before: from 3 to 5 are two epochs."""
    x, y = data()
    model = linear(keras)
    seen: list[int] = []
    look = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    history = model.fit(
        x, y, batch_size=23, initial_epoch=3, epochs=5, shuffle=False, verbose=0, callbacks=[look]
    )
    assert history.epoch == seen == [3, 4]
    assert_close(model.get_weights()[0], by_hand(x, y, 2 * [slice(0, ROWS)])[0], BOUND, "weights")


@pytest.mark.parametrize(("epochs", "initial_epoch"), [(0, 0), (2, 2), (2, 5)])
def test_no_epochs(keras: Any, epochs: int, initial_epoch: int) -> None:
    x, y = data()
    model = linear(keras)
    history = model.fit(x, y, epochs=epochs, initial_epoch=initial_epoch, verbose=0)
    assert history.history == {}
    assert history.epoch == []
    assert (model.get_weights()[0] == 0.5).all()


def test_stop_training_after_an_epoch(keras: Any) -> None:
    x, y = data()

    class Stop(keras.callbacks.Callback):  # type: ignore[name-defined,misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    model = linear(keras, 0.01)
    assert model.fit(x, y, epochs=9, verbose=0, callbacks=[Stop()]).epoch == [0, 1]
    assert model.fit(x, y, epochs=3, verbose=0).epoch == [0, 1, 2], "the next fit starts unstopped"


def test_the_learning_rate_may_be_set_between_and_within_fits(keras: Any) -> None:
    x, y = data()
    model = linear(keras)
    half = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(model.optimizer, "learning_rate", 0.125 / 2**epoch)
    )
    model.fit(x, y, batch_size=23, epochs=3, shuffle=False, verbose=0, callbacks=[half])
    w = np.full((FEATURES, 1), 0.5)
    for epoch in range(3):
        w = w - 0.125 / 2**epoch * 2 * x.T.astype("float64") @ (x @ w - y) / ROWS
    assert_close(model.get_weights()[0], w, BOUND, "weights")
    assert float(model.optimizer.learning_rate) == 0.125 / 4


def test_weights_set_in_a_callback_are_trained_on(keras: Any) -> None:
    x, y = data()
    model = linear(keras)
    reset = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: model.set_weights([np.full((FEATURES, 1), 0.5, "float32")])
    )
    history = model.fit(x, y, batch_size=23, epochs=3, shuffle=False, verbose=0, callbacks=[reset]).history
    assert history["loss"][0] == history["loss"][1] == history["loss"][2]


@pytest.mark.parametrize(
    "hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_epoch_end", "on_test_end"]
)
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, StopIteration, GeneratorExit])
def test_exceptions_from_callbacks_come_through(keras: Any, hook: str, kind: type[BaseException]) -> None:
    """The same object is raised, the model is usable, and the next fit works."""
    raised = kind("from the callback")

    def fail(*args: Any, **kwargs: Any) -> None:
        raise raised

    bad = type("Bad", (keras.callbacks.Callback,), {hook: fail})()
    x, y = data()
    model = linear(keras, 0.01)
    with pytest.raises(kind) as caught:
        model.fit(x, y, batch_size=4, epochs=2, verbose=0, validation_data=(x, y), callbacks=[bad])
    assert caught.value is raised
    assert np.isfinite(model.get_weights()[0]).all()
    assert len(model.fit(x, y, epochs=2, verbose=0).epoch) == 2


def test_callbacks_may_evaluate_and_predict(keras: Any) -> None:
    """In the middle of an epoch too: running means and order of the epoch stay as they were."""
    x, y = data()

    class Look(keras.callbacks.Callback):  # type: ignore[name-defined,misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.evaluate(x, y, verbose=0)
            self.model.predict(x, verbose=0)

    found = []
    for callbacks in ([], [Look()]):
        model = linear(keras)
        found.append(
            (
                model.fit(x, y, batch_size=5, shuffle=False, verbose=0, callbacks=callbacks).history,
                model.get_weights()[0],
            )
        )
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


# -- what is returned and printed ----------------------------------------------------------------------------
def test_evaluate_returns(keras: Any) -> None:
    x, y = data()
    alone = linear(keras).evaluate(x, y, verbose=0)
    assert type(alone) is float
    model = linear(keras, metrics=["mse", "mae"])
    values = model.evaluate(x, y, verbose=0)
    assert type(values) is list
    assert [type(value) for value in values] == [float] * 3
    named = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(named) == ["loss", "mae", "mse"]
    assert values == [named["loss"], named["mse"], named["mae"]]
    assert values[0] == alone


def test_evaluate_and_predict_change_nothing(keras: Any) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((FEATURES,)), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    x, y = data()
    model.fit(x, y, verbose=0)
    before = [weight.tobytes() for weight in model.get_weights()]
    first = (model.evaluate(x, y, verbose=0), model.predict(x, verbose=0).tobytes())
    assert (model.evaluate(x, y, verbose=0), model.predict(x, verbose=0).tobytes()) == first
    assert [weight.tobytes() for weight in model.get_weights()] == before
    assert model.optimizer.iterations == 1


def test_predict_shape_and_dtype(keras: Any) -> None:
    x = data()[0]
    found = linear(keras).predict(x, verbose=0)
    assert found.shape == (ROWS, 1)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert found.flags.writeable


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_verbose_prints_epochs_and_numbers(
    keras: Any, verbose: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = data()
    model = linear(keras, 0.01, ["mae"])
    history = model.fit(x, y, epochs=2, batch_size=8, verbose=verbose, validation_data=(x, y)).history
    text = capsys.readouterr().out
    assert text.index("Epoch 1/2") < text.index("Epoch 2/2")
    assert "3/3" in text
    for name in ("loss", "mae", "val_loss", "val_mae"):
        # Keras prints four digits after the point.
        assert re.search(rf"(?<!_)\b{name}: {re.escape(f'{history[name][-1]:.4f}')}", text), name


def test_verbose_0_prints_nothing(keras: Any, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = data()
    model = linear(keras)
    model.fit(x, y, verbose=0, validation_data=(x, y))
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


# -- gradients in words --------------------------------------------------------------------------------------
def test_train_on_batch_is_one_step_of_fit(keras: Any) -> None:
    x, y = data()
    one, two = linear(keras), linear(keras)
    loss = one.train_on_batch(x, y)
    history = two.fit(x, y, batch_size=ROWS, shuffle=False, verbose=0).history
    assert loss == history["loss"][0]
    np.testing.assert_array_equal(one.get_weights()[0], two.get_weights()[0])


def test_recompile_keeps_weights_and_forgets_slots(keras: Any) -> None:
    x, y = data()
    model = linear(keras)
    model.compile("adam", "mse")
    model.fit(x, y, epochs=2, verbose=0)
    weights = model.get_weights()[0]
    model.compile("adam", "mse", metrics=["mae"])
    np.testing.assert_array_equal(model.get_weights()[0], weights)
    assert model.optimizer.iterations == 0
    fresh = linear(keras)
    fresh.compile("adam", "mse")
    fresh.set_weights([weights])
    for each in (model, fresh):
        each.fit(x, y, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], fresh.get_weights()[0])
