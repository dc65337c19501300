"""`keras.config.set_max_epochs` and `set_max_steps_per_epoch`: fit, evaluate and predict take so many, as in
live Keras.
"""

import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import fresh_process
import numpy as np
import pytest
from tolerances import assert_close, rounding

import lamina

ROWS = 23
X = np.random.default_rng(1).normal(size=(ROWS, 3)).astype("float32")
Y = np.random.default_rng(2).normal(size=(ROWS, 2)).astype("float32")


@pytest.fixture(autouse=True)
def no_limits(live_keras: ModuleType, lamina_keras: ModuleType) -> Iterator[None]:
    yield
    for keras in (live_keras, lamina_keras):
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)


def run(keras: ModuleType, epochs: Any, steps: Any, **fit: Any) -> tuple[list[Any], list[str]]:
    """What comes of fit, evaluate and predict under these limits; and the warnings."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.set_weights([np.full((3, 2), 0.1), np.zeros(2)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    keras.config.set_max_epochs(epochs)
    keras.config.set_max_steps_per_epoch(steps)
    assert (keras.config.max_epochs(), keras.config.max_steps_per_epoch()) == (epochs, steps)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(X, Y, epochs=3, shuffle=False, verbose=0, **fit).history
        evaluated = model.evaluate(X, Y, batch_size=4, verbose=0)
        predicted = model.predict(X, batch_size=4, verbose=0)
        alone = model.predict(X, verbose=0)
    texts = [str(each.message) for each in caught if "Limiting" in str(each.message)]
    numbers = [*history.values(), *model.get_weights(), evaluated, predicted, alone]
    return [np.asarray(each, np.float64) for each in numbers], sorted(texts)


@pytest.mark.parametrize(
    ("epochs", "steps", "fit"),
    [
        (2, None, {"batch_size": 4}),
        (7, 2, {"batch_size": 4}),
        (2, 3, {"batch_size": 4, "validation_data": (X[:10], Y[:10])}),
        (None, 2, {"batch_size": 4, "validation_split": 0.4}),
        (None, 2, {}),
        (None, 3, {"batch_size": 4, "steps_per_epoch": 2}),
        (0, 0, {"batch_size": 4}),
    ],
)
def test_limits(
    epochs: Any, steps: Any, fit: dict[str, Any], live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    ours, our_texts = run(lamina_keras, epochs, steps, **fit)
    theirs, their_texts = run(live_keras, epochs, steps, **fit)
    assert our_texts == their_texts
    assert len(ours) == len(theirs)
    for i, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        assert_close(one, other, rounding("float32", ROWS, 18), f"number {i}")


def test_batches_of_a_source(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    weights = []
    for keras in (lamina_keras, live_keras):

        class Batches(keras.utils.PyDataset):  # type: ignore[misc, name-defined]
            def __len__(self) -> int:
                return 5

            def __getitem__(self, i: int) -> Any:
                return X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]

        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.set_weights([np.full((3, 2), 0.1), np.zeros(2)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        keras.config.set_max_steps_per_epoch(2)
        with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 2"):
            model.fit(Batches(), shuffle=False, verbose=0)
        assert int(model.optimizer.iterations) == 2
        with pytest.warns(UserWarning, match="Limiting steps_per_epoch to 2"):
            assert len(model.predict(Batches(), verbose=0)) == 8
        weights.append(model.get_weights()[0])
    assert_close(weights[0], weights[1], rounding("float32", 4, 2), "kernel")


@pytest.mark.parametrize(
    ("epochs", "steps", "fit"),
    [
        (2, None, {"batch_size": 4}),
        (None, 2, {"batch_size": 4}),
        (None, 4, {"batch_size": 4, "validation_data": (X[:10], Y[:10])}),
        (2, 3, {"validation_data": (X[:10], Y[:10])}),
    ],
)
def test_many_models_heed_them_as_fit_does(
    epochs: Any, steps: Any, fit: dict[str, Any], lamina_keras: ModuleType
) -> None:
    """The very bits, the history and the warnings; those of the data's end included."""
    lamina_keras.config.set_max_epochs(epochs)
    lamina_keras.config.set_max_steps_per_epoch(steps)

    def made() -> Any:
        lamina_keras.utils.set_random_seed(3)
        model = lamina_keras.Sequential(
            [lamina_keras.Input((3,)), lamina_keras.layers.Dropout(0.5), lamina_keras.layers.Dense(2)]
        )
        model.compile("adam", "mse", metrics=["mae"])
        return model

    found = []
    for train in (
        lambda model: model.fit(X, Y, epochs=3, verbose=0, **fit),
        lambda model: lamina.train_many([model], X, Y, epochs=3, **fit)[0],
        # A callback with a hook of the epochs makes each of them a crossing.
        lambda model: model.fit(
            X, Y, epochs=3, verbose=0, callbacks=[lamina_keras.callbacks.TerminateOnNaN()], **fit
        ),
    ):
        model = made()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = train(model).history
            train(model)  # goes on with other orders of the rows
        texts = {str(each.message) for each in caught}
        found.append((history, texts, [weight.tolist() for weight in model.get_weights()]))
    assert found[0] == found[1] == found[2]
    assert len(found[0][0]["loss"]) == (epochs or 3)


def test_the_environment_sets_them() -> None:
    code = "print(json.dumps([keras.config.max_epochs(), keras.config.max_steps_per_epoch()]))"
    assert fresh_process.run(code, KERAS_MAX_EPOCHS="2", KERAS_MAX_STEPS_PER_EPOCH="5") == [2, 5]


@pytest.mark.parametrize("wrong", [-1, 1.5, "3", True])
def test_no_limits(wrong: Any, lamina_keras: ModuleType) -> None:
    for limit in (lamina_keras.config.set_max_epochs, lamina_keras.config.set_max_steps_per_epoch):
        with pytest.raises(ValueError, match="expected None or an int >= 0, got"):
            limit(wrong)
    assert lamina_keras.config.max_epochs() is None
