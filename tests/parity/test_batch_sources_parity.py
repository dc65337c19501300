"""Steps and sources of batches: `fit`, `evaluate` and `predict` take the batches that Keras takes, call its
hooks and reach its numbers.
"""

import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from networks import initial
from tolerances import assert_close, rounding

HOOKS = [f"on_{phase}_{edge}" for phase in ("train", "test", "predict") for edge in ("begin", "end")]
HOOKS += [f"on_{phase}_batch_{edge}" for phase in ("train", "test", "predict") for edge in ("begin", "end")]
HOOKS += ["on_epoch_begin", "on_epoch_end"]
RNG = np.random.default_rng(2)
X, Y = RNG.normal(size=(21, 5)).astype("float32"), RNG.integers(0, 3, 21)
WEIGHTS = RNG.random(21).astype("float32")
SIZES = (8, 3, 6, 4)


def batches(weighted: bool = False, rounds: int = 1) -> Any:
    for _ in range(rounds):
        first = 0
        for size in SIZES:
            rows = slice(first, first + size)
            yield (X[rows], Y[rows], WEIGHTS[rows]) if weighted else (X[rows], Y[rows])
            first += size


def py_dataset(keras: ModuleType, seen: list[Any], endless: bool = False, **arguments: Any) -> Any:
    class Batches(keras.utils.PyDataset):  # type: ignore[name-defined,misc]
        @property
        def num_batches(self) -> int | None:
            return None if endless else len(SIZES)

        def __getitem__(self, index: int) -> Any:
            return list(batches())[index % len(SIZES)]

        def on_epoch_begin(self) -> None:
            seen.append(("data begin", None, {}))

        def on_epoch_end(self) -> None:
            seen.append(("data end", None, {}))

    return Batches(**arguments)


def _recorder(keras: ModuleType, seen: list[Any]) -> Any:
    def hook(name: str) -> Any:
        if "epoch" in name or "batch" in name:
            return lambda self, index, logs=None: seen.append((name, index, dict(logs or {})))
        return lambda self, logs=None: seen.append((name, None, dict(logs or {})))

    return type("Recorder", (keras.callbacks.Callback,), {name: hook(name) for name in HOOKS})()


FITS: dict[str, Callable[[ModuleType, list[Any]], dict[str, Any]]] = {
    "arrays, less steps": lambda k, s: {"x": X, "y": Y, "batch_size": 4, "steps_per_epoch": 2, "epochs": 5},
    "arrays, more steps": lambda k, s: {"x": X, "y": Y, "batch_size": 8, "steps_per_epoch": 5, "epochs": 2},
    "arrays, steps alone": lambda k, s: {"x": X, "y": Y, "steps_per_epoch": 4, "epochs": 2},
    "arrays, batch": lambda k, s: {"x": X, "y": Y, "batch_size": 8, "shuffle": "batch", "epochs": 2},
    "validation steps": lambda k, s: {
        "x": X,
        "y": Y,
        "batch_size": 8,
        "validation_data": (X, Y, WEIGHTS),
        "validation_steps": 2,
        "epochs": 2,
    },
    "validation split and steps": lambda k, s: {
        "x": X,
        "y": Y,
        "sample_weight": WEIGHTS,
        "validation_split": 0.5,
        "validation_steps": 3,
        "validation_freq": 2,
        "epochs": 2,
    },
    "generator to its end": lambda k, s: {"x": batches(), "epochs": 3},
    "generator with weights": lambda k, s: {"x": batches(True), "epochs": 1},
    "generator with steps": lambda k, s: {"x": batches(rounds=2), "steps_per_epoch": 3, "epochs": 2},
    "generator too short": lambda k, s: {"x": batches(), "steps_per_epoch": 3, "epochs": 2},
    "generator as validation": lambda k, s: {
        "x": X,
        "y": Y,
        "validation_data": batches(rounds=20),
        "validation_steps": 2,
    },
    "data set": lambda k, s: {"x": py_dataset(k, s), "epochs": 2},
    "data set as validation": lambda k, s: {
        "x": X,
        "y": Y,
        "validation_data": py_dataset(k, []),
        "epochs": 2,
    },
    "data set, class weights": lambda k, s: {"x": py_dataset(k, s), "class_weight": {0: 2.0, 2: 0.5}},
    "data set, less steps": lambda k, s: {"x": py_dataset(k, s), "steps_per_epoch": 3, "epochs": 4},
    "endless data set": lambda k, s: {"x": py_dataset(k, s, endless=True), "steps_per_epoch": 5, "epochs": 2},
    "data set with workers": lambda k, s: {"x": py_dataset(k, [], workers=3), "epochs": 2},
}


def _model(keras: ModuleType) -> Any:
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(7, "tanh"), keras.layers.Dense(3, "softmax")]
    )
    model.compile(keras.optimizers.SGD(0.2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(1)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def models(live_keras: ModuleType, lamina_keras: ModuleType) -> list[tuple[ModuleType, Any, list[Any]]]:
    """Both libraries, each with a model that all cases use, and its weights: Keras traces its steps once."""
    return [(keras, model := _model(keras), model.get_weights()) for keras in (lamina_keras, live_keras)]


def _assert_same(ours: list[Any], theirs: list[Any]) -> None:
    assert [event[:2] for event in ours] == [event[:2] for event in theirs]
    bound = rounding("float32", 21, 12)
    for (name, index, our), (_, _, their) in zip(ours, theirs, strict=True):
        assert list(our) == list(their), f"{name} {index}"
        for key, value in their.items():
            assert_close(our[key], np.asarray(value), bound, f"{name} {index} {key}")


@pytest.mark.parametrize("case", FITS)
def test_fit_takes_keras_s_batches(models: list[tuple[ModuleType, Any, list[Any]]], case: str) -> None:
    found = []
    for keras, model, weights in models:
        model.set_weights(weights)
        seen: list[Any] = []
        arguments = {"shuffle": False, "verbose": 0, **FITS[case](keras, seen)}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = model.fit(callbacks=[_recorder(keras, seen)], **arguments)
        ends = sum(
            "ran out of data" in str(warning.message) or "the data ended" in str(warning.message)
            for warning in caught
        )
        found.append((seen, history, model.get_weights(), ends))
    (ours, history, our_weights, our_ends), (theirs, their_history, their_weights, their_ends) = found
    _assert_same(ours, theirs)
    assert our_ends == their_ends
    assert history.params == their_history.params
    assert list(history.history) == list(their_history.history)
    assert history.epoch == their_history.epoch
    for our, their in zip(our_weights, their_weights, strict=True):
        assert_close(our, their, rounding("float32", 21, 12), "weight")


CALLS: dict[str, tuple[str, Callable[[ModuleType, list[Any]], dict[str, Any]]]] = {
    "evaluate, steps": ("evaluate", lambda k, s: {"x": X, "y": Y, "batch_size": 8, "steps": 2}),
    "evaluate, too many": ("evaluate", lambda k, s: {"x": X, "y": Y, "batch_size": 8, "steps": 5}),
    "evaluate, steps alone": (
        "evaluate",
        lambda k, s: {"x": X, "y": Y, "sample_weight": WEIGHTS, "steps": 4},
    ),
    "evaluate, generator": ("evaluate", lambda k, s: {"x": batches(True)}),
    "evaluate, data set": ("evaluate", lambda k, s: {"x": py_dataset(k, s)}),
    "predict, steps": ("predict", lambda k, s: {"x": X, "batch_size": 8, "steps": 2}),
    "predict, generator": ("predict", lambda k, s: {"x": batches()}),
    "predict, data set": ("predict", lambda k, s: {"x": py_dataset(k, s), "steps": 3}),
}


@pytest.mark.parametrize("case", CALLS)
def test_evaluate_and_predict_take_keras_s_batches(
    models: list[tuple[ModuleType, Any, list[Any]]], case: str
) -> None:
    method, make = CALLS[case]
    found = []
    for keras, model, weights in models:
        model.set_weights(weights)
        seen: list[Any] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = getattr(model, method)(
                callbacks=[_recorder(keras, seen)], verbose=0, **make(keras, seen)
            )
        found.append((seen, result))
    _assert_same(found[0][0], found[1][0])
    assert_close(found[0][1], np.asarray(found[1][1]), rounding("float32", 21), case)


def test_a_data_set_s_batches_are_shuffled_as_by_keras(
    models: list[tuple[ModuleType, Any, list[Any]]],
) -> None:
    """By Python's random numbers, so that one seed gives both the same order."""
    found = []
    for keras, model, weights in models:
        model.set_weights(weights)
        keras.utils.set_random_seed(4)
        history = model.fit(py_dataset(keras, []), epochs=3, shuffle=True, verbose=0)
        found.append((history.history["loss"], model.get_weights()))
    bound = rounding("float32", 21, 12)
    assert_close(found[0][0], found[1][0], bound, "loss")
    for our, their in zip(found[0][1], found[1][1], strict=True):
        assert_close(our, their, bound, "weight")


def test_hooks_of_several_steps_at_once(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """steps_per_execution calls the batch hooks every so many batches; results stay the same."""
    found = []
    for keras in (lamina_keras, live_keras):
        model = _model(keras)
        model.compile(
            keras.optimizers.SGD(0.2),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            steps_per_execution=2,
        )
        seen: list[Any] = []
        common = {"verbose": 0, "callbacks": [_recorder(keras, seen)]}
        model.fit(X, Y, 5, 2, shuffle=False, validation_data=(X, Y), **common)
        results = {name: float(value) for name, value in model.get_metrics_result().items()}
        model.evaluate(X, Y, batch_size=4, **common)
        model.predict(X, batch_size=4, **common)
        found.append((seen, results, model.steps_per_execution, model.run_eagerly))
    _assert_same(found[0][0], found[1][0])
    assert list(found[0][1]) == list(found[1][1])
    for name, value in found[1][1].items():
        assert_close(found[0][1][name], value, rounding("float32", 21, 12), name)
    assert found[0][2:] == found[1][2:]
