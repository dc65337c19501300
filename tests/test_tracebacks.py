"""What a program sees of Lamina's own frames: in tracebacks as Keras's settings say, in warnings never."""

import os
import traceback
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import keras

HERE, INSIDE = os.path.abspath(__file__), os.path.dirname(lamina.__file__) + os.sep
X, Y = np.zeros((6, 3), "float32"), np.zeros((6, 1), "float32")


@pytest.fixture(autouse=True)
def filtering() -> Iterator[None]:
    yield
    keras.config.enable_traceback_filtering()


def model_of(module: ModuleType) -> Any:
    model = module.Sequential([module.Input((3,)), module.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def failing(module: ModuleType) -> Any:
    class Fails(module.callbacks.Callback):  # type: ignore[name-defined, misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            raise RuntimeError("of one's own")

    return Fails()


def files(call: Any) -> list[str]:
    """The files of the frames of what a call raises, the caller's first."""
    try:
        call()
    except Exception as error:
        return [os.path.abspath(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    raise AssertionError("nothing was raised")


def test_the_program_s_frames_remain(live_keras: ModuleType) -> None:
    """Those of a callback's error: the program's, and one of the library's in between."""
    found = []
    for module in (keras, live_keras):
        model, callback = model_of(module), failing(module)
        assert module.config.is_traceback_filtering_enabled()
        seen = files(lambda model=model, callback=callback: model.fit(X, Y, callbacks=[callback], verbose=0))
        found.append([name == HERE for name in seen])
    assert found[0] == found[1] == [True, True, False, True]
    keras.config.disable_traceback_filtering()
    assert not keras.config.is_traceback_filtering_enabled()
    model = model_of(keras)
    assert len(files(lambda: model.fit(X, Y, callbacks=[failing(keras)], verbose=0))) > 5


def test_an_error_of_lamina_s_own_shows_one_frame_of_it() -> None:
    model = model_of(keras)
    for call in (
        lambda: model.compile("nothing"),
        lambda: model.fit(X[:, :2], Y),
        lambda: model.evaluate(X, None),
        lambda: model.predict("text"),
        lambda: model.train_on_batch(X, Y[:2]),
        lambda: model(X[:, :1]),
        lambda: model.layers[0](X[0]),
        lambda: model.get_layer("none"),
        lambda: model.load_weights("none.weights.h5"),
        lambda: lamina.train_many([model, model], X, Y),
    ):
        seen = [name for name in files(call) if name.startswith(INSIDE)]
        assert len(seen) == 1, seen
        keras.config.disable_traceback_filtering()
        assert len([name for name in files(call) if name.startswith(INSIDE)]) > 1
        keras.config.enable_traceback_filtering()


def test_a_cause_stays() -> None:
    class Fails(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            raise RuntimeError("outer") from KeyError("inner")

    with pytest.raises(RuntimeError, match="outer") as caught:
        model_of(keras).fit(X, Y, callbacks=[Fails()], verbose=0)
    assert isinstance(caught.value.__cause__, KeyError)


def test_warnings_point_to_the_program() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, trainable=False)])
    model.compile("sgd", "mse")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, Y, verbose=0)
        model.evaluate(X, Y, steps=9, verbose=0)
        keras.config.set_max_steps_per_epoch(1)
        model.predict(X, batch_size=2, verbose=0)
        lamina.train_many([model], X, Y, batch_size=2)
        keras.config.set_max_steps_per_epoch(None)
        model.fit(((X, Y) for _ in range(3)), steps_per_epoch=2, verbose=0)
    assert len(caught) >= 4
    assert {os.path.abspath(each.filename) for each in caught} == {HERE}


def test_flash_attention_is_remembered(live_keras: ModuleType) -> None:
    found = []
    for config in (keras.config, live_keras.config):
        states = [config.is_flash_attention_enabled()]
        for switch in (config.disable_flash_attention, config.enable_flash_attention):
            switch()
            states.append(config.is_flash_attention_enabled())
        found.append(states)
    assert found[0] == found[1] == [None, False, None]


def test_names_of_the_config(live_keras: ModuleType) -> None:
    """Each is there, but the two that Lamina has a reason against."""
    public = {name for name in dir(live_keras.config) if not name.startswith("_")}
    assert {name for name in public if not hasattr(keras.config, name)} == {
        "enable_unsafe_deserialization",
        "set_backend",
    }
    with pytest.raises(
        AttributeError, match=r"set_backend: Keras's, but not supported by Lamina: there is one"
    ):
        _ = keras.config.set_backend
