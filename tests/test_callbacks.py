"""Callbacks: order and logs of the hooks, and each callback's decisions, against live Keras."""

import random
import warnings

import numpy as np
import pytest

from lamina.keras import callbacks, metrics

HOOKS = [
    f"on_{kind}{when}"
    for kind in (
        "train_",
        "test_",
        "predict_",
        "epoch_",
        "train_batch_",
        "test_batch_",
        "predict_batch_",
        "batch_",
    )
    for when in ("begin", "end")
]


@pytest.fixture
def keras(live_keras):
    return live_keras


class Model:
    """As much of a model as a callback touches."""

    def __init__(self, metrics=()):
        self.metrics = list(metrics)
        self.stop_training = False
        self.weights = 0

    def get_weights(self):
        return [np.array(self.weights)]

    def set_weights(self, weights):
        self.weights = int(weights[0])


def test_every_hook_of_keras_is_there(keras):
    theirs = {name for name in dir(keras.callbacks.Callback) if name.startswith("on_")}
    assert theirs == set(HOOKS) == {name for name in dir(callbacks.Callback) if name.startswith("on_")}


def recorder(base, record, name):
    """A callback that writes down every hook with its arguments."""

    def hook(hook_name):
        def call(self, *args, **kwargs):
            record.append((name, hook_name, args, kwargs))

        return call

    return type("Recorder", (base,), {h: hook(h) for h in HOOKS})()


def drive(callback_list):
    """Every hook, in the order of a short fit, evaluate and predict."""
    logs = {
        "loss": np.float32(0.5),
        "accuracy": np.float64(0.25),
        "nested": {"b": 1, "a": np.int64(2)},
        "text": "x",
    }
    callback_list.on_train_begin()
    callback_list.on_epoch_begin(0)
    callback_list.on_train_batch_begin(0)
    callback_list.on_train_batch_end(0, logs)
    callback_list.on_test_begin()
    callback_list.on_test_batch_begin(0)
    callback_list.on_test_batch_end(0, logs)
    callback_list.on_test_end(logs)
    callback_list.on_epoch_end(0, logs)
    callback_list.on_train_end(logs)
    callback_list.on_predict_begin()
    callback_list.on_predict_batch_begin(0)
    callback_list.on_predict_batch_end(0, {"outputs": [1.0, 2.0]})
    callback_list.on_predict_end()
    callback_list.on_batch_begin(0)
    callback_list.on_batch_end(0, logs)


def test_hooks_come_in_kerass_order_with_kerass_logs(keras):
    records = []
    for module in (callbacks, keras.callbacks):
        record = []
        drive(
            module.CallbackList(
                [recorder(module.Callback, record, "a"), recorder(module.Callback, record, "b")]
            )
        )
        records.append(record)
    assert records[0] == records[1]
    assert len(records[0]) == 2 * 16
    logs = records[0][7][3]["logs"]
    assert list(logs) == ["accuracy", "loss", "a", "b", "text"]
    assert type(logs["loss"]) is float


def test_all_callbacks_share_one_logs_dict():
    class Adds(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["learning_rate"] = 0.5

    history = callbacks.History()
    both = callbacks.CallbackList([Adds(), history], model=Model())
    both.on_train_begin()
    both.on_epoch_end(0, {"loss": 1.0})
    assert history.history == {"loss": [1.0], "learning_rate": [0.5]}


def test_batch_hooks_reach_the_older_names():
    seen = []

    class Old(callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", batch, logs["loss"]))

    both = callbacks.CallbackList(Old())
    both.on_train_batch_begin(3)
    both.on_train_batch_end(3, {"loss": 2})
    assert seen == [("begin", 3), ("end", 3, 2.0)]


def test_ends_need_their_begins(keras):
    for module in (callbacks, keras.callbacks):
        with pytest.raises(ValueError, match="on_"):
            module.CallbackList([]).on_train_end()
    with pytest.raises(ValueError, match="on_test_end was called without on_test_begin"):
        callbacks.CallbackList().on_test_end()


def test_entries_are_flattened_and_checked():
    a, b, c = callbacks.Callback(), callbacks.Callback(), callbacks.Callback()
    assert callbacks.CallbackList([a, (b, [c])]).callbacks == [a, b, c]
    assert callbacks.CallbackList(a).callbacks == [a]
    assert callbacks.CallbackList({"b": b, "a": a}).callbacks == [a, b]
    for bad, got in [
        (object(), "object"),
        (callbacks.EarlyStopping, "the class EarlyStopping"),
        (print, "print"),
    ]:
        with pytest.raises(TypeError, match=f"callbacks: expected instances .* got .*{got}"):
            callbacks.CallbackList([bad])


def test_history_and_progbar_are_added_once_at_the_end(keras):
    for module in (callbacks, keras.callbacks):
        own = [module.Callback()]
        kinds = [
            type(c).__name__ for c in module.CallbackList(own, add_history=True, add_progbar=True).callbacks
        ]
        assert kinds == ["Callback", "History", "ProgbarLogger"]
        history, logger = module.History(), module.ProgbarLogger()
        given = module.CallbackList([logger, history], add_history=True, add_progbar=True)
        assert given.callbacks == [logger, history]
    model = Model()
    both = callbacks.CallbackList([], add_history=True, model=model, verbose=1, epochs=2, steps=3)
    assert model.history is both.history is both.callbacks[0]
    assert both.history.params == {"verbose": 1, "epochs": 2, "steps": 3}
    assert both.history.model is model


def with_hooks(*hooks):
    return type("Some", (callbacks.Callback,), {h: lambda self, *args, **kwargs: None for h in hooks})()


@pytest.mark.parametrize(
    ("make", "train", "test", "predict"),
    [
        (list, False, False, False),
        (lambda: [callbacks.History(), callbacks.EarlyStopping()], False, False, False),
        (lambda: [with_hooks("on_epoch_end", "on_train_begin", "on_test_end")], False, False, False),
        (lambda: [with_hooks("on_train_batch_end")], True, False, False),
        (lambda: [with_hooks("on_batch_begin")], True, False, False),
        (lambda: [with_hooks("on_test_batch_begin")], False, True, False),
        (lambda: [with_hooks("on_predict_batch_end")], False, False, True),
        (lambda: [callbacks.TerminateOnNaN()], True, False, False),
        (lambda: [callbacks.LambdaCallback(on_epoch_end=print)], False, False, False),
        (lambda: [callbacks.LambdaCallback(on_train_batch_end=print)], True, False, False),
        (lambda: [callbacks.LambdaCallback(on_test_batch_end=print)], False, True, False),
        (lambda: [callbacks.ProgbarLogger()], False, False, False),
        (lambda: [callbacks.CallbackList([with_hooks("on_predict_batch_end")])], False, False, True),
        (
            lambda: [type("Own", (callbacks.ProgbarLogger,), {"on_test_batch_end": print})()],
            False,
            True,
            False,
        ),
    ],
)
def test_who_wants_batches(make, train, test, predict):
    both = callbacks.CallbackList(make(), add_history=True, add_progbar=True, verbose=1, epochs=1, steps=1)
    assert (both.wants_train_batches, both.wants_test_batches, both.wants_predict_batches) == (
        train,
        test,
        predict,
    )


@pytest.mark.parametrize(("verbose", "wanted"), [(0, False), (1, True), ("auto", True), (2, False)])
def test_who_wants_progress(verbose, wanted):
    both = callbacks.CallbackList(add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=1)
    assert both.wants_progress == wanted


def test_history_collects_every_epoch():
    history = callbacks.History()
    model = Model()
    both = callbacks.CallbackList(history, model=model)
    for first in (
        0,
        5,
    ):  # two calls of fit with the same object, as in Keras: values go on, epochs start anew
        both.on_train_begin()
        for epoch in range(first, first + 2):
            both.on_epoch_end(epoch, {"loss": epoch, "accuracy": 0.5})
        both.on_train_end()
    assert history.history == {"accuracy": [0.5] * 4, "loss": [0, 1, 5, 6]}
    assert history.epoch == [5, 6]
    assert model.history is history


# -- EarlyStopping --------------------------------------------------------------------------------
def run_early_stopping(module, arguments, values, model, name="val_loss"):
    """Outcome of a training whose monitored values are given; the weights are the number of the epoch."""
    stopper = module.EarlyStopping(**arguments)
    stopper.set_model(model)
    outcome = []
    for _ in range(2):  # the object is used for two calls of fit
        model.stop_training, model.weights = False, -1
        stopper.on_train_begin()
        epoch = -1
        for epoch, value in enumerate(values):
            model.weights = epoch
            stopper.on_epoch_end(epoch, {} if value is None else {name: value})
            if model.stop_training:
                break
        stopper.on_train_end()
        best = None if stopper.best is None else float(stopper.best)
        outcome.append(
            (epoch, stopper.stopped_epoch, stopper.wait, repr(best), stopper.best_epoch, model.weights)
        )
    return outcome


def test_early_stopping_decides_as_keras_does(keras, capsys):
    draw = random.Random(0)
    stopped = restored = 0
    for _ in range(400):
        arguments = {
            "monitor": "val_loss",
            "patience": draw.choice([0, 0, 1, 2, 3]),
            "min_delta": draw.choice([0, 0, 0.05, 0.1, -0.1, 1e-9]),
            "mode": draw.choice(["auto", "min", "max"]),
            "baseline": draw.choice([None, None, 0.5, 0.2]),
            "restore_best_weights": draw.choice([True, False]),
            "start_from_epoch": draw.choice([0, 0, 1, 3]),
            "verbose": draw.choice([0, 1]),
        }
        grid = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
        special = [float("nan"), float("inf"), -float("inf"), None, 0.5 + 1e-9]
        values = [draw.choice(grid + special * (draw.random() < 0.3)) for _ in range(draw.randint(1, 9))]
        values = [v if v is None else float(np.float32(v)) for v in values]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = run_early_stopping(callbacks, arguments, values, Model())
            printed = capsys.readouterr().out
            theirs = run_early_stopping(keras.callbacks, arguments, values, Model())
        assert ours == theirs, (arguments, values)
        assert printed == capsys.readouterr().out
        stopped += ours[0][1] > 0
        restored += ours[0][5] != ours[0][0]
    assert stopped > 50
    assert restored > 50


def test_early_stopping_on_a_known_course():
    course = [0.9, 0.5, 0.6, 0.55, 0.7, 0.1]
    arguments = {"patience": 2, "restore_best_weights": True}
    assert run_early_stopping(callbacks, arguments, course, Model())[0] == (3, 3, 2, "0.5", 1, 1)
    # Without an early stop the best weights are restored as well.
    assert run_early_stopping(callbacks, {**arguments, "patience": 9}, course[:4], Model())[0][5] == 1
    # Never after the first epoch.
    assert run_early_stopping(callbacks, {"patience": 0}, [float("nan")], Model())[0][:2] == (0, 0)


@pytest.mark.parametrize(
    ("name", "rising"), [("accuracy", True), ("acc", True), ("mae", False), ("mse", False)]
)
def test_direction_follows_the_metric(keras, name, rising):
    compile_utils = pytest.importorskip("keras.src.trainers.compile_utils")
    y = np.zeros((4, 1))
    metric = metrics.resolve(name, y_shape=(4, 1), output_shape=(None, 1))
    compiled = compile_utils.CompileMetrics([name], None)
    compiled.build(y, y)
    course = [0.5, 0.6, 0.4, 0.3, 0.7]
    for monitor in (name, f"val_{name}"):
        arguments = {"monitor": monitor, "patience": 2, "restore_best_weights": True}
        flat = run_early_stopping(callbacks, arguments, course, Model([metric]), monitor)
        container = type("Compiled", (), {"name": "compile_metrics", "metrics": [metric]})()
        nested = run_early_stopping(callbacks, arguments, course, Model([container]), monitor)
        theirs = run_early_stopping(keras.callbacks, arguments, course, Model([compiled]), monitor)
        assert flat == nested == theirs
        assert flat[0][5] == (1 if rising else 3)


def test_unknown_direction_is_an_error(keras):
    for module in (callbacks, keras.callbacks):
        stopper = module.EarlyStopping("val_foo")
        stopper.set_model(Model())
        with pytest.raises(ValueError, match="mode='max'"):
            stopper.on_epoch_end(0, {"val_foo": 1.0})


def test_missing_value_and_unknown_mode_warn():
    with pytest.warns(UserWarning, match="mode: expected 'auto', 'min' or 'max', got 'minimum'"):
        stopper = callbacks.EarlyStopping(mode="minimum")
    assert stopper.mode == "auto"
    stopper.set_model(Model())
    with pytest.warns(UserWarning, match=r"expected one of loss, .* got 'val_loss'"):
        stopper.on_epoch_end(0, {"loss": 1.0})
    assert stopper.best is None
    assert stopper.wait == 0


# -- TerminateOnNaN, LambdaCallback --------------------------------------------------------------
@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf"), np.float32("nan")])
def test_terminate_on_nan(keras, capsys, loss):
    outputs = []
    for module in (callbacks, keras.callbacks):
        model = Model()
        both = module.CallbackList([module.TerminateOnNaN()], model=model)
        both.on_train_batch_end(0, {"loss": 1.0})
        both.on_train_batch_end(1, {"accuracy": loss})
        assert not model.stop_training
        both.on_train_batch_end(2, {"loss": loss})
        assert model.stop_training
        outputs.append(capsys.readouterr().out)
        both = module.CallbackList([module.TerminateOnNaN(raise_error=True)], model=Model())
        both.on_train_batch_end(0, {"loss": 1.0})
        with pytest.raises(RuntimeError, match="batch 3"):
            both.on_train_batch_end(3, {"loss": loss})
    assert outputs[0] == outputs[1] == "Batch 2: Invalid loss, terminating training\n"


def test_lambda_callback_calls_as_keras_does(keras):
    records = []
    for module in (callbacks, keras.callbacks):
        record = []

        def note(hook, record=record):
            return lambda *args, **kwargs: record.append((hook, args, kwargs))

        drive(module.CallbackList([module.LambdaCallback(**{hook: note(hook) for hook in HOOKS})]))
        records.append(record)
    assert records[0] == records[1]
    assert [hook for hook, _, _ in records[0]].count("on_train_batch_end") == 1
    assert callbacks.LambdaCallback(on_epoch_end=print, colour="red").colour == "red"


def test_lambda_callback_refuses_what_would_never_be_called():
    with pytest.raises(TypeError, match=r"expected one of the hooks .*, got 'on_epoch_ends'"):
        callbacks.LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match="on_epoch_end: expected a function, got 3"):
        callbacks.LambdaCallback(on_epoch_end=3)


@pytest.mark.parametrize("argument", ["patience", "min_delta", "baseline", "start_from_epoch"])
def test_early_stopping_takes_numbers(argument):
    callbacks.EarlyStopping(**{argument: np.int64(3)})
    with pytest.raises(ValueError, match=f"EarlyStopping: {argument}: expected a number, got '3'"):
        callbacks.EarlyStopping(**{argument: "3"})
