"""Many epochs in one crossing: what `fit` gives is, bit for bit, what it gives epoch by epoch."""

from __future__ import annotations

import gc
import signal
import threading
import weakref
from collections import Counter
from typing import Any

import numpy as np
import pytest
from small_classifier import state
from tolerances import assert_close, rounding

from lamina import _core, keras
from lamina.keras._training.compiled import Compiled
from lamina.keras.callbacks import (
    Callback,
    CallbackList,
    EarlyStopping,
    History,
    LambdaCallback,
    ProgbarLogger,
)

ROWS, FEATURES, CLASSES = 53, 6, 4
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, FEATURES)).astype("f4")
LABELS = RNG.integers(0, CLASSES, ROWS)
WEIGHTS = RNG.random(ROWS)


class EveryEpoch(Callback):
    """Makes every epoch a crossing of its own, and does nothing."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        return


def model(
    optimizer: str = "adam", dtype: str = "float32", metrics: Any = ("accuracy",), seed: int = 1
) -> Any:
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    network = keras.Sequential([keras.Input((FEATURES,), dtype=dtype)])
    network.add(layers.Dense(9, "tanh", dtype=dtype))
    network.add(layers.BatchNormalization(dtype=dtype))
    network.add(layers.Dropout(0.3, dtype=dtype))
    network.add(layers.Dense(CLASSES, "softmax", dtype=dtype))
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=list(metrics))
    network._seed = 7
    return network


def everything(network: Any, history: History) -> list[Any]:
    metrics = [(float(metric.total), float(metric.count)) for metric in network.metrics]
    return [
        state(network),
        repr(history.history),  # the order of its keys too
        [type(value) for values in history.history.values() for value in values],
        history.epoch,
        history.params,
        network.epochs_trained,
        network.history is history,
        network.stop_training,
        metrics,
    ]


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "no shuffle": {"shuffle": False},
    "one batch": {"batch_size": 1000},
    "weights": {"sample_weight": WEIGHTS},
    "class weights": {"class_weight": {0: 2.0, 3: 0.5}},
    "split": {"validation_split": 0.3},
    "validation": {"validation_data": (X[:31], LABELS[:31], WEIGHTS[:31]), "validation_batch_size": 7},
    "every second": {"validation_split": 0.3, "validation_freq": 2},
    "some": {"validation_split": 0.3, "validation_freq": [5, 1]},
    "none due": {"validation_split": 0.3, "validation_freq": 99},
    "later epochs": {"initial_epoch": 3, "epochs": 8, "validation_split": 0.2, "validation_freq": [1, 2, 5]},
    "no epochs": {"initial_epoch": 3, "epochs": 2},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_the_bits_are_those_of_epoch_by_epoch(name: str, dtype: str) -> None:
    arguments = {"epochs": 5, "batch_size": 8, "verbose": 0, **CASES[name]}
    together, one_by_one = model(dtype=dtype), model(dtype=dtype)
    for _ in range(2):  # the second fit goes on in new orders, and its History is a new one
        history = together.fit(X, LABELS, **arguments)
        expected = one_by_one.fit(X, LABELS, callbacks=[EveryEpoch()], **arguments)
        assert everything(together, history) == everything(one_by_one, expected)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adagrad"])
@pytest.mark.parametrize("metrics", [(), ("accuracy", "sparse_categorical_accuracy")])
def test_other_optimizers_and_metrics(optimizer: str, metrics: tuple[str, ...]) -> None:
    together, one_by_one = model(optimizer, metrics=metrics), model(optimizer, metrics=metrics)
    arguments = {"epochs": 4, "verbose": 0, "validation_split": 0.2}
    history = together.fit(X, LABELS, **arguments)
    expected = one_by_one.fit(X, LABELS, callbacks=[EveryEpoch()], **arguments)
    assert everything(together, history) == everything(one_by_one, expected)


# -- crossings -----------------------------------------------------------------------------------------------
@pytest.fixture
def crossings(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often `fit` called which method of the core's trainer and its runs."""
    counts: Counter[str] = Counter()

    class Watched:
        def __init__(self, core: Any) -> None:
            self._core = core

        def __getattr__(self, name: str) -> Any:
            method = getattr(self._core, name)
            if not callable(method):
                return method

            def call(*args: Any) -> Any:
                counts[name] += 1
                found = method(*args)
                return Watched(found) if isinstance(found, _core.Epochs) else found

            return call

    made = Compiled._made
    monkeypatch.setattr(Compiled, "_made", lambda self, dtype: Watched(made(self, dtype)))
    return counts


def test_all_epochs_and_their_validation_are_one_crossing(crossings: Counter[str]) -> None:
    model().fit(X, LABELS, epochs=50, verbose=0, validation_split=0.2)
    assert crossings == {"check": 2, "epochs": 1, "run": 1, "take": 1}


def test_a_hook_of_the_epochs_makes_each_a_crossing(crossings: Counter[str]) -> None:
    model().fit(X, LABELS, epochs=5, verbose=0, validation_split=0.2, callbacks=[EveryEpoch()])
    whole = {"check": 2, "keep_data": 1, "let_data_go": 1}
    assert crossings == {**whole, "begin_epoch": 5, "train": 5, "evaluate": 5}


class Mine(History):
    pass


class Louder(History):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        super().on_epoch_end(epoch, logs)


class Replaced(CallbackList):
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        return


@pytest.mark.parametrize(
    ("callbacks", "wanted"),
    [
        ([], False),
        ([History(), Mine()], False),
        ([LambdaCallback(on_train_begin=print, on_predict_end=print)], False),
        (CallbackList([History(), CallbackList([Callback()])]), False),
        ([Louder()], True),
        ([ProgbarLogger()], True),
        ([EarlyStopping()], True),
        ([LambdaCallback(on_epoch_begin=print)], True),
        ([LambdaCallback(on_train_batch_end=print)], True),
        ([LambdaCallback(on_batch_end=print)], True),
        ([LambdaCallback(on_test_end=print)], True),
        ([LambdaCallback(on_test_batch_begin=print)], True),
        ([CallbackList([EarlyStopping()])], True),
        (Replaced(), True),
    ],
)
def test_who_wants_epochs(callbacks: Any, wanted: bool) -> None:
    callbacks = callbacks if isinstance(callbacks, CallbackList) else CallbackList(callbacks)
    assert callbacks.wants_epochs is wanted


def test_every_history_is_served_and_hooks_around_the_training_run() -> None:
    called: list[Any] = []
    histories = [History(), Mine()]
    around = LambdaCallback(
        on_train_begin=lambda logs: called.append(logs), on_train_end=lambda logs: called.append(logs)
    )
    found = model().fit(X, LABELS, epochs=3, verbose=0, validation_split=0.2, callbacks=[histories, around])
    assert found is histories[1]
    assert histories[0].history == histories[1].history
    assert histories[0].epoch == histories[1].epoch == [0, 1, 2]
    assert called == [{}, {name: values[-1] for name, values in found.history.items()}]
    assert list(called[1]) == ["accuracy", "loss", "val_accuracy", "val_loss"]


# -- what ends it --------------------------------------------------------------------------------------------
class Alarm:
    """Sends this process a signal after a while, and calls `act` when it comes."""

    def __init__(self, act: Any, seconds: float = 0.15) -> None:
        self.act, self.seconds = act, seconds

    def __enter__(self) -> None:
        self.before = signal.signal(signal.SIGALRM, lambda *_: self.act())
        signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("validation", [None, (X[:9], LABELS[:9])])
def test_an_interrupted_run_keeps_its_whole_epochs(validation: Any) -> None:
    """Each epoch is one step, so that as many epochs give the weights that the interrupted run has."""
    network, twin = model(), model()
    arguments = {"batch_size": ROWS, "verbose": 0, "validation_data": validation}
    with Alarm(interrupt), pytest.raises(KeyboardInterrupt):
        network.fit(X, LABELS, epochs=10**9, **arguments)
    whole, steps = len(network.history.epoch), int(network.optimizer.iterations)
    assert whole > 10
    assert network.history.epoch == list(range(whole))
    assert steps in (whole, whole + 1)
    assert network.epochs_trained in (whole, whole + 1)
    assert network.epochs_trained >= steps
    history = twin.fit(X, LABELS, epochs=whole, **arguments).history
    assert history == network.history.history
    if steps > whole:
        twin.fit(X, LABELS, **arguments)
    assert state(twin) == state(network)
    assert network.fit(X, LABELS, verbose=0).epoch == [0]


@pytest.mark.parametrize("who", ["signal", "thread"])
def test_stop_training_ends_it_after_a_whole_epoch(who: str) -> None:
    network, twin = model(), model()
    ended: list[Any] = []
    callback = LambdaCallback(on_train_end=ended.append)

    def stop() -> None:
        network.stop_training = True

    timer = threading.Timer(0.15, stop)
    with Alarm(stop if who == "signal" else lambda: None):
        if who == "thread":
            timer.start()
        history = network.fit(X, LABELS, epochs=10**9, verbose=0, validation_split=0.5, callbacks=[callback])
    whole = len(history.epoch)
    assert {len(values) for values in history.history.values()} == {whole}
    assert network.stop_training
    assert ended == [{name: values[-1] for name, values in history.history.items()}]
    twin.fit(X, LABELS, epochs=whole, verbose=0, validation_split=0.5)
    assert state(twin) == state(network)


@pytest.mark.parametrize("callbacks", [[], [EveryEpoch()]])
def test_stop_training_before_the_first_epoch_ends_it_after_that(callbacks: list[Callback]) -> None:
    network = model()

    def stop(logs: Any) -> None:
        network.stop_training = True

    callbacks = [*callbacks, LambdaCallback(on_train_begin=stop)]
    assert network.fit(X, LABELS, epochs=4, verbose=0, callbacks=callbacks).epoch == [0]


def test_the_data_are_let_go_after_an_interrupt() -> None:
    network = model()
    x = X.copy()
    alive = weakref.ref(x)
    with Alarm(interrupt), pytest.raises(KeyboardInterrupt):
        network.fit(x, LABELS, epochs=10**9, verbose=0, validation_data=(x, LABELS))
    del x
    gc.collect()
    assert alive() is None


def test_a_run_takes_the_place_of_an_epoch_left_half_done() -> None:
    network = model()

    def fail(batch: int, logs: Any = None) -> None:
        raise ZeroDivisionError

    x = X.copy()
    alive = weakref.ref(x)
    with pytest.raises(ZeroDivisionError):
        network.fit(x, LABELS, verbose=0, batch_size=8, callbacks=[LambdaCallback(on_train_batch_end=fail)])
    network.fit(X, LABELS, verbose=0)
    del x
    gc.collect()
    assert alive() is None


# -- validation in larger batches ----------------------------------------------------------------------------
def test_small_batches_are_evaluated_several_at_once() -> None:
    """A mean over rows has no batches: those of 1, 2 and 256 rows are computed as one of 53."""
    network = model()
    results = [
        network.evaluate(X, LABELS, sample_weight=WEIGHTS, batch_size=size, verbose=0)
        for size in (1, 2, ROWS, 256, 1000)
    ]
    assert all(found == results[0] for found in results)


def test_the_mean_of_sums_depends_on_the_batches(live_keras: Any) -> None:
    """With reduction "sum" Keras means the batches' sums, weighted by their rows."""
    found = []
    for k in (live_keras, keras):
        network = k.Sequential([k.Input((FEATURES,)), k.layers.Dense(1, kernel_initializer="ones")])
        network.compile("sgd", k.losses.MeanSquaredError(reduction="sum"), metrics=["mae"])
        y = LABELS[:, None].astype("f4")
        found.append(
            [
                network.evaluate(X, y, sample_weight=WEIGHTS, batch_size=size, verbose=0)
                for size in (7, 20, 53)
            ]
        )
    assert_close(found[1], found[0], rounding("float32", ROWS * FEATURES), "evaluate")
    assert found[1][0][0] != pytest.approx(found[1][1][0], rel=0.1)


def test_progress_of_an_evaluation_counts_the_batches_asked_for() -> None:
    network = _core.Network32(FEATURES, "reference")  # the slow one
    network.add_dense(1, FEATURES, 300, "tanh", True)
    network.add_dense(1, 300, 1, "linear", True)
    network.build()
    optimizer = _core.Optimizer32("sgd", 0.1)
    trainer = _core.Trainer32(network, optimizer, "mean_squared_error", False, 0.0, "sum_over_batch_size", [])
    rows = 200_003
    data = _core.Dataset(np.broadcast_to(X[:1], (rows, FEATURES)), np.zeros((rows, 1), "f4"))
    seen: list[int] = []
    trainer.evaluate(data, 10, lambda done, means: seen.append(done))
    assert seen
    assert seen == sorted(seen)
    assert all(done % 25 == 0 or done == 20_001 for done in seen), "25 batches of 10 rows at once"
    assert seen[-1] > 2000, "in batches of 10 rows, not of 250"


# -- the core's runs -----------------------------------------------------------------------------------------
def core_trainer() -> _core.Trainer32:
    network = _core.Network32(FEATURES)
    network.add_dense(1, FEATURES, 1, "linear", True)
    network.build()
    optimizer = _core.Optimizer32("sgd", 0.1)
    return _core.Trainer32(network, optimizer, "mean_squared_error", False, 0.0, "sum_over_batch_size", [])


DATA = _core.Dataset(X, np.ones((ROWS, 1), "f4"))


def test_the_core_validates_where_it_is_due_only() -> None:
    run = core_trainer().epochs(DATA, 2, 8, 16, True, 1, 0, DATA, 16, 3)
    run.run(lambda: None)
    assert (run.passes, run.done) == (6, 6)
    rows = run.take()
    assert rows.shape == (6, 2)
    assert (rows[:, 0] > 0).all()
    assert (rows[:, 1] > 0).tolist() == [True, False, False, True, False, False]  # epochs 3 and 6, from 1
    assert run.take().shape == (0, 2)


def test_no_epoch_is_under_way_after_a_run() -> None:
    trainer = core_trainer()
    trainer.epochs(DATA, 0, 2, 16, True, 1, 0).run(lambda: None)
    with pytest.raises(ValueError, match="begin_epoch comes first"):
        trainer.train(0, 1)


def test_what_look_raises_ends_the_run_after_a_whole_step() -> None:
    run = core_trainer().epochs(DATA, 0, 10**9, ROWS, True, 1, 0)

    def look() -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match=r"^mine$"):
        run.run(look)
    assert len(run.take()) == run.done > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [({"batch_size": 0}, "batch_size"), ({"validation_batch_size": 0}, "validation_batch_size")],
)
def test_the_core_refuses_bad_sizes(change: dict[str, int], message: str) -> None:
    arguments: dict[str, Any] = {"first": 0, "last": 1, "batch_size": 4, "shuffle": True, "seed": 1}
    with pytest.raises(ValueError, match=f"^{message}: expected a positive number, got 0"):
        core_trainer().epochs(DATA, trained_before=0, **{**arguments, **change})
