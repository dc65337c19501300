"""Calling a model, training it in turns and threads, copying and pickling it."""

from __future__ import annotations

import copy
import pickle
import random
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from small_models import LABELS, RNG, SPARSE, X, classifier, same_weights
from tolerances import assert_close, rounding

from lamina import keras
from lamina.keras import Sequential, layers


# -- calling, threads, copies --------------------------------------------------------------------------------
def test_calling_the_model() -> None:
    model = Sequential([keras.Input((4,)), layers.Dropout(0.5, seed=1), layers.Dense(2, use_bias=False)])
    np.testing.assert_array_equal(model(X), model.predict(X, verbose=0))
    np.testing.assert_array_equal(model(X), model.predict_on_batch(X))
    for out in (model(X), model.layers[-1](X)):
        assert isinstance(out, np.ndarray)
        assert type(out.numpy()) is np.ndarray
        assert np.shares_memory(out.numpy(), out)
    assert type(model.predict(X, verbose=0)) is np.ndarray
    assert (model(X, training=True) != model(X, training=True)).any()
    with pytest.raises(TypeError, match="functional API"):
        model(keras.Input((4,)))
    with pytest.raises(ValueError, match=r"inputs: expected shape \(n, 4\), got \(4,\)"):
        model(X[0])


def test_higher_ranks(live_keras: ModuleType) -> None:
    x = RNG.random((20, 3, 4)).astype(np.float32)
    labels = RNG.integers(0, 5, (20, 3))

    def tagger(k: Any) -> Any:
        model = k.Sequential([k.Input((3, 4)), k.layers.Dense(6, "tanh"), k.layers.BatchNormalization()])
        model.add(k.layers.Dense(5, "softmax"))
        model.compile("sgd", SPARSE, metrics=["accuracy"])
        return model

    live, model = tagger(live_keras), tagger(keras)
    model.set_weights(live.get_weights())
    histories = [
        each.fit(x, labels, epochs=2, batch_size=8, shuffle=False, verbose=0).history
        for each in (live, model)
    ]
    bound = rounding("float32", 60, steps=6)
    for key in histories[0]:
        assert_close(histories[1][key], histories[0][key], bound, key)
    out = model.predict(x, verbose=0)
    assert out.shape == (20, 3, 5)
    assert_close(out, live.predict(x, verbose=0), bound, "predict")


def test_equal_seeds_give_equal_bits() -> None:
    def run() -> Any:
        keras.utils.set_random_seed(42)
        model = Sequential([layers.Dense(8, "relu"), layers.Dropout(0.3), layers.Dense(3, "softmax")])
        model.compile("rmsprop", SPARSE)
        return model, model.fit(X, LABELS, epochs=3, batch_size=8, verbose=0).history

    (one, first), (other, second) = run(), run()
    assert first == second
    assert same_weights(one, other)


def test_every_epoch_has_its_own_order() -> None:
    x = np.arange(8.0)[:, None]
    model = Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    seeds = {model._epochs_trained}
    for _ in range(3):
        model.fit(x, x, verbose=0)
        seeds.add(model._epochs_trained)
    assert seeds == {0, 1, 2, 3}


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adagrad"])
@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
@pytest.mark.parametrize("when", ["unbuilt", "built", "trained"])
def test_a_copy_goes_on_with_the_same_bits(optimizer: str, clone: Callable[[Any], Any], when: str) -> None:
    model = Sequential([layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.3)], name="m")
    model.add(layers.Dense(3, "softmax"))
    model.compile(optimizer, SPARSE, metrics=["accuracy"])
    if when != "unbuilt":
        model.build((None, 4))
    if when == "trained":
        model.fit(X, LABELS, epochs=2, batch_size=8, verbose=0)
    twin = clone(model)
    assert (twin.name, twin.built, twin.optimizer is model.optimizer) == ("m", model.built, False)
    random.seed(1)  # a copy draws nothing any more
    for each in (model, twin):
        each.fit(X, LABELS, epochs=2, batch_size=8, verbose=0)
    assert same_weights(model, twin)
    assert model.evaluate(X, LABELS, verbose=0) == twin.evaluate(X, LABELS, verbose=0)
    assert model.optimizer.iterations == twin.optimizer.iterations
    twin.set_weights([np.zeros_like(weight) for weight in twin.get_weights()])
    assert model.get_weights()[0].any()


def test_two_fits_are_one_long_fit() -> None:
    model = classifier()
    twin = copy.deepcopy(model)
    model.fit(X, LABELS, epochs=4, batch_size=8, verbose=0)
    for _ in range(4):
        twin = pickle.loads(pickle.dumps(twin))
        twin.fit(X, LABELS, batch_size=8, verbose=0)
    assert same_weights(model, twin)


def test_history_and_model_can_be_pickled_together() -> None:
    model = classifier()
    history = model.fit(X, LABELS, verbose=0)
    again = pickle.loads(pickle.dumps(history))
    assert again.history == history.history
    assert same_weights(again.model, model)


def test_threads_predict_at_once() -> None:
    model = classifier()
    want = model.predict(X, verbose=0)
    got: list[Any] = [None] * 4

    def run(index: int) -> None:
        got[index] = [model.predict(X, verbose=0) for _ in range(20)]

    threads = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(out, want) for outs in got for out in outs)


def test_progress_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    model = classifier()
    model.fit(X, LABELS, epochs=2, verbose=2)
    model.evaluate(X, LABELS, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/2", "2/2", "Epoch 2/2", "2/2", "2/2"]
    assert "accuracy: " in lines[1]
    model.fit(X, LABELS)
    model.predict(X)
    shown = capsys.readouterr().out
    assert "2/2" in shown
    assert shown.count("\n") == 2
    model.fit(X, LABELS, verbose=0)
    assert capsys.readouterr().out == ""
