"""`lamina.train_many`: every model gets the bits of its own `fit`; what goes wrong is told by its number."""

from __future__ import annotations

import copy
import re
import signal
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fresh_process import run
from small_classifier import state

import lamina
from lamina import _core, config, keras
from lamina.keras._training.epochs import Epochs

ROWS, FEATURES, CLASSES = 61, 5, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, FEATURES)).astype("f4")
LABELS = RNG.integers(0, CLASSES, ROWS)
VALIDATION = (X[:23], LABELS[:23])


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = config.get_num_threads()
    yield
    config.set_num_threads(before)


def model(
    optimizer: str = "adam", width: int = 7, dtype: str = "float32", shape: bool = True, metrics: Any = None
) -> Any:
    layers = keras.layers
    network = keras.Sequential([keras.Input((FEATURES,), dtype=dtype)] if shape else [])
    network.add(layers.Dense(width, "tanh", dtype=dtype))
    network.add(layers.Dropout(0.2, dtype=dtype))
    network.add(layers.BatchNormalization(dtype=dtype))
    network.add(layers.Dense(CLASSES, "softmax", dtype=dtype))
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=metrics)
    return network


def mixed() -> list[Any]:
    """Models that differ in all that may differ; the last has no shape yet."""
    keras.utils.set_random_seed(3)
    models = [
        model("adam", 7),
        model("sgd", 300, metrics=["accuracy"]),
        model("rmsprop", 20, "float64"),
        model("adagrad", 1, metrics=["accuracy"]),
        model("adam", 12, "float64", metrics=["accuracy"]),
        model("sgd", 9, shape=False),
    ]
    for i, each in enumerate(models):
        each._seed = 50 + i
    return models


def trained_alone(models: list[Any], **arguments: Any) -> list[Any]:
    """The histories of `fit` on these models, one after the other."""
    return [each.fit(X, LABELS, verbose=0, **arguments) for each in models]


def told(models: list[Any], histories: list[Any]) -> list[Any]:
    return [
        (state(each), repr(history.history), history.epoch, history.params, each.epochs_trained)
        for each, history in zip(models, histories, strict=True)
    ]


CASES: dict[str, dict[str, Any]] = {
    "plain": {"epochs": 3},
    "validation": {"epochs": 3, "batch_size": 8, "validation_data": VALIDATION},
    "weights": {"epochs": 2, "sample_weight": RNG.random(ROWS), "shuffle": False},
    "class weights": {"epochs": 2, "class_weight": {0: 2.0}, "batch_size": 100},
    "no epochs": {"epochs": 0},
}


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("name", CASES)
def test_every_model_gets_the_bits_of_its_own_fit(name: str, threads: int) -> None:
    config.set_num_threads(threads)
    alone = mixed()
    expected = trained_alone(alone, **CASES[name])
    together = mixed()
    histories = lamina.train_many(together, X, LABELS, **CASES[name])
    assert told(together, histories) == told(alone, expected)
    assert all(each.history is history for each, history in zip(together, histories, strict=True))
    # And they go on alike: the orders of rows and the count of steps were taken along.
    again = trained_alone(alone, epochs=1)
    assert told(together, lamina.train_many(tuple(together), X, LABELS)) == told(alone, again)


@pytest.mark.parametrize("threads", [1, 2])
def test_one_model_is_a_fit(threads: int) -> None:
    config.set_num_threads(threads)
    keras.utils.set_random_seed(1)
    alone = model(width=400)
    twin = copy.deepcopy(alone)
    expected = alone.fit(X, LABELS, epochs=3, verbose=0)
    assert told([twin], lamina.train_many([twin], X, LABELS, epochs=3)) == told([alone], [expected])


def test_more_models_than_threads() -> None:
    config.set_num_threads(2)
    keras.utils.set_random_seed(1)
    alone = [model(("sgd", "adam")[i % 2], 1 + 3 * i) for i in range(11)]
    together = copy.deepcopy(alone)
    expected = trained_alone(alone, epochs=2)
    assert told(together, lamina.train_many(together, X, LABELS, epochs=2)) == told(alone, expected)


def test_seeds_are_drawn_in_the_order_of_the_list() -> None:
    found = []
    for train in (lamina.train_many, lambda models, x, y: [each.fit(x, y, verbose=0) for each in models]):
        keras.utils.set_random_seed(8)
        models = [model(), model("sgd")]
        found.append(told(models, train(models, X, LABELS)))
    assert found[0] == found[1]


def test_the_models_run_in_one_crossing_on_the_same_data_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    crossings: list[int] = []
    datasets: list[tuple[Any, Any]] = []
    together = _core.run_together

    def run_together(runs: Any, look: Any) -> None:
        crossings.append(len(runs))
        together(runs, look)

    class Watched(Epochs):
        def __init__(self, *args: Any) -> None:
            datasets.append(args[3:5])
            super().__init__(*args)

    monkeypatch.setattr(_core, "run_together", run_together)
    monkeypatch.setattr("lamina.many.Epochs", Watched)
    lamina.train_many(mixed(), X, LABELS, epochs=5, validation_data=VALIDATION)
    assert crossings == [6]
    assert len(datasets) == 6
    assert all(train is datasets[0][0] and held is datasets[0][1] for train, held in datasets)


def test_a_team_that_is_taken_makes_no_difference() -> None:
    """Another thread trains with the team meanwhile; then everything runs on the caller alone."""
    config.set_num_threads(2)
    alone, together, busy = mixed(), mixed(), model(width=200)
    expected = trained_alone(alone, epochs=2)
    x, labels = np.repeat(X, 50, axis=0), np.repeat(LABELS, 50)
    other = threading.Thread(target=lambda: busy.fit(x, labels, epochs=10**6, verbose=0))
    other.start()
    try:
        assert told(together, lamina.train_many(together, X, LABELS, epochs=2)) == told(alone, expected)
    finally:
        while other.is_alive():
            busy.stop_training = True
            other.join(0.01)


# -- bad input -----------------------------------------------------------------------------------------------
def bad_models() -> dict[str, tuple[Any, type[Exception], str]]:
    good, other = model(), model()
    uncompiled = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES, "softmax")])
    shared = model()
    shared.compile(good.optimizer, "sparse_categorical_crossentropy")
    wide = keras.Sequential([keras.Input((FEATURES + 1,)), keras.layers.Dense(CLASSES, "softmax")])
    wide.compile("sgd", "sparse_categorical_crossentropy")
    lossless = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES, "softmax")])
    lossless.compile("sgd")
    few = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(2, "softmax")])
    few.compile("sgd", "sparse_categorical_crossentropy")
    return {
        "no list": (good, TypeError, r"^models: expected a list of compiled models, got Sequential"),
        "none": ([], ValueError, r"^models: expected at least one model, got none"),
        "no model": ([good, "model"], TypeError, r"^models\[1\]: expected a compiled model, got str"),
        "twice": ([good, other, good], ValueError, r"^models\[2\]: expected each model once.*models\[0\]"),
        "uncompiled": ([good, uncompiled], ValueError, r"^models\[1\]: expected a compiled model.*compile"),
        "optimizer": ([good, shared], ValueError, r"^models\[1\]: optimizer: .*models\[0\]"),
        "shape": ([good, wide], ValueError, r"^models\[1\]: x: expected shape \(n, 6\), got \(61, 5\)"),
        "loss": ([good, lossless], ValueError, r"^models\[1\]: loss: expected a loss"),
        "labels": ([good, few], ValueError, r"^models\[1\]: y: expected integer class labels in \[0, 2\)"),
    }


@pytest.mark.parametrize("name", bad_models())
def test_bad_models_are_refused_before_anything_changes(name: str) -> None:
    models, error, message = bad_models()[name]
    everyone = models if isinstance(models, list) else [models]
    built = [each for each in everyone if isinstance(each, keras.Sequential)]
    before = [[weight.tobytes() for weight in each.get_weights()] for each in built]
    with pytest.raises(error, match=message):
        lamina.train_many(models, X, LABELS)
    assert [[weight.tobytes() for weight in each.get_weights()] for each in built] == before
    assert all(each.history is None and each.epochs_trained == 0 for each in built)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"epochs": -1}, ValueError, "^epochs"),
        ({"epochs": 1.5}, TypeError, "^epochs"),
        ({"batch_size": 0}, ValueError, "^batch_size"),
        ({"shuffle": "rows"}, ValueError, "^shuffle"),
        ({"verbose": 3}, ValueError, "^verbose"),
        ({"sample_weight": np.ones(3)}, ValueError, "^sample_weight"),
        ({"sample_weight": np.ones(ROWS), "class_weight": {}}, ValueError, "^class_weight"),
        ({"validation_data": X}, TypeError, "^validation_data"),
        (
            {"validation_data": (X, LABELS + 1)},
            ValueError,
            r"^models\[0\]: validation_data\[1\]: expected int",
        ),
    ],
)
def test_bad_arguments_are_refused(arguments: Any, error: Any, message: str) -> None:
    networks = [model(), model()]
    before = [[weight.tobytes() for weight in each.get_weights()] for each in networks]
    with pytest.raises(error, match=message):
        lamina.train_many(networks, X, LABELS, **arguments)
    assert [[weight.tobytes() for weight in each.get_weights()] for each in networks] == before


def test_a_model_that_trains_elsewhere_is_refused() -> None:
    networks = [model(), model()]
    with networks[1].in_epoch(), pytest.raises(RuntimeError, match="in the middle of an epoch"):
        lamina.train_many(networks, X, LABELS)
    assert networks[0].epochs_trained == 0
    assert len(lamina.train_many(networks, X, LABELS)) == 2, "nothing is held after the refusal"


# -- what ends it --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_an_error_of_one_model_leaves_the_others_going(threads: int) -> None:
    """An array reshaped since it was checked is met in the core, where its rows are read."""
    config.set_num_threads(threads)
    alone, together = mixed()[:4], mixed()[:4]
    trained_alone(alone, epochs=3)
    wrong = _core.Dataset(np.ones((ROWS, FEATURES + 2), "f4"), LABELS)
    good = _core.run_together

    def swapped(runs: Any, look: Any) -> None:
        compiled = together[1]._compiled
        runs = list(runs)
        runs[1] = compiled._trainer.epochs(wrong, 0, 3, 32, True, 1, 0)
        good(runs, look)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_core, "run_together", swapped)
        with pytest.raises(ValueError, match=r"^models\[1\]: x: expected 5 values per row, got 7"):
            lamina.train_many(together, X, LABELS, epochs=3)
    for i in (0, 2, 3):
        assert state(together[i]) == state(alone[i])
        assert together[i].history.epoch == [0, 1, 2]
    assert together[1].history.epoch == []


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_an_interrupt_leaves_every_model_at_a_whole_step(threads: int) -> None:
    """Each epoch is one step."""
    config.set_num_threads(threads)
    keras.utils.set_random_seed(5)
    networks = [model(width=5), model("sgd", 200), model(width=30)]
    twins = copy.deepcopy(networks)
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            lamina.train_many(networks, X, LABELS, epochs=10**9, batch_size=ROWS)
    finally:
        signal.signal(signal.SIGALRM, before)
    began = 0
    for network, twin in zip(networks, twins, strict=True):
        whole, steps = len(network.history.epoch), int(network.optimizer.iterations)
        began += network.epochs_trained > 0
        assert steps in (whole, whole + 1)
        assert network.epochs_trained in (steps, steps + 1)
        twin.fit(X, LABELS, epochs=whole, batch_size=ROWS, verbose=0)
        if whole:
            assert twin.history.history == network.history.history
        if steps > whole:
            twin.fit(X, LABELS, batch_size=ROWS, verbose=0)
        if steps:
            assert state(twin) == state(network)
    assert 1 <= began <= threads
    assert len(lamina.train_many(networks, X, LABELS)) == 3


def test_a_caller_without_work_looks_up() -> None:
    """One model ends before the signal comes, another goes on: in one of the two turns in another thread."""
    found = run(
        """
        config.set_num_threads(2)
        x, y = data(2000)
        found = []
        for first in (0, 1):
            models = [model(), model()]
            threading.Timer(0.2, setattr, (models[first], "stop_training", True)).start()
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                lamina.train_many(models, x, y, epochs=10**9)
            except KeyboardInterrupt:
                lengths = [len(each.history.epoch) for each in models]
                found.append(0 < lengths[first] and 0 < lengths[1 - first])
        print(json.dumps(found))
        """,
        timeout=30,
    )
    assert found == [True, True]


def test_the_interpreter_may_end_meanwhile() -> None:
    found = run(
        """
        config.set_num_threads(2)
        x, y = data(2000)
        models = [model(), model(), model()]
        work = lambda: lamina.train_many(models, x, y, epochs=10**9)
        threading.Thread(target=work, daemon=True).start()
        time.sleep(0.4)
        print(json.dumps("leaving"), flush=True)
        """,
        timeout=30,
    )
    assert found == "leaving"


# -- what is shown -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_the_line(verbose: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lamina.train_many([model(), model()], X, LABELS, epochs=3, verbose=verbose)
    shown = capsys.readouterr().out
    assert re.fullmatch(
        r"(\r[01]/2 models - [0-5]/6 epochs - \d+\.\ds)*\r2/2 models - 6/6 epochs - \d+\.\ds\n", shown
    )


def test_nothing_is_shown_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    lamina.train_many([model(), model()], X, LABELS)
    assert capsys.readouterr().out == ""
