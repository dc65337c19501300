"""The progress display prints the bytes that Keras prints, for a terminal, a pipe and every verbosity."""

import contextlib
import io
import os
import random
import sys
import time

import pytest

from lamina.keras.callbacks import CallbackList
from lamina.keras.utils import Progbar, disable_interactive_logging, enable_interactive_logging


class Clock:
    """A clock that moves only when told to."""

    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def keras(live_keras):
    return live_keras


def printed(monkeypatch, show, stream=None, posix=True):
    """What `show(tick)` prints under a clock that stands still but for tick(seconds)."""
    stream = io.StringIO() if stream is None else stream
    clock = Clock()

    def tick(seconds):
        clock.now += seconds

    with monkeypatch.context() as patch:
        patch.setattr(time, "time", clock)
        patch.setattr(sys, "stdout", stream)
        if not posix:
            patch.delitem(sys.modules, "posix")
        show(tick)
    return stream.getvalue()


def random_run(seed):
    """Arguments of a Progbar and a list of (seconds passed, arguments of update)."""
    draw = random.Random(seed)
    target = draw.choice([None, 0, 1, 2, 7, 10, 99, 100, 1000, 1875, 123456])
    options = {
        "verbose": draw.choice([0, 1, 1, 1, 2, 3]),
        "width": draw.choice([20, 20, 1, 33]),
        "interval": draw.choice([0.05, 0.0, 1.0]),
        "unit_name": draw.choice(["step", "sample"]),
    }
    options.update(
        draw.choice(
            [{}, {"stateless_metrics": ()}, {"stateful_metrics": ["loss"]}, {"stateless_metrics": ["loss"]}]
        )
    )
    names = draw.sample(["loss", "accuracy", "val_loss", "정확도", "mae"], draw.randint(0, 3))
    current, updates = 0, []
    for _ in range(draw.randint(1, 12)):
        current += draw.choice([0, 1, 1, 1, 5, 300])
        seconds = draw.choice([0.0, 0.00002, 0.01, 0.06, 0.5, 3.0, 70.0, 4000.0])
        values = [
            (
                n,
                draw.choice(
                    [draw.uniform(-2, 2), 1e-3, 5e-5, -3.0, 0.0, float("nan"), float("inf"), 1234.5, 3]
                ),
            )
            for n in names
        ]
        updates.append((seconds, current, values, draw.choice([None, None, False, True])))
    updates.append((draw.choice([0.0, 0.2]), target or current, values, True))
    return target, options, updates


def play(progbar_class, run):
    target, options, updates = run

    def show(tick):
        bar = progbar_class(target, **options)
        for seconds, current, values, finalize in updates:
            tick(seconds)
            bar.update(current, values, finalize=finalize)

    return show


@pytest.mark.parametrize("posix", [True, False])
@pytest.mark.parametrize("tty", [True, False])
def test_random_updates_print_what_keras_prints(monkeypatch, keras, tty, posix):
    stream = Terminal if tty else io.StringIO
    lengths = 0
    for seed in range(400):
        run = random_run(seed)
        ours = printed(monkeypatch, play(Progbar, run), stream(), posix)
        theirs = printed(monkeypatch, play(keras.utils.Progbar, run), stream(), posix)
        assert ours == theirs, (seed, run)
        lengths += len(ours)
    assert lengths > 100_000  # the runs do print


def test_known_lines(monkeypatch):
    """Without Keras at hand: the display of an epoch of 3 steps, written out."""

    def show(tick):
        bar = Progbar(3, stateless_metrics=())
        for step, loss in enumerate([0.5, 0.25, 0.125]):
            tick(0.06)
            bar.update(step + 1, [("loss", loss)], finalize=False)
        bar.update(3, [("loss", 0.125), ("val_loss", 0.0001)], finalize=True)

    bar = "\x1b[32m━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━\x1b[0m"
    lines = printed(monkeypatch, show).split("\r")
    assert lines[1].startswith(f"\x1b[1m1/3\x1b[0m {bar} \x1b[1m0s\x1b[0m 60ms/step - loss: 0.5000\b")
    assert (
        lines[-1].rstrip(" ").endswith("\x1b[1m0s\x1b[0m 60ms/step - loss: 0.1250 - val_loss: 1.0000e-04\n")
    )
    assert lines[2].count("\b") == len(f"2/3 {20 * '━'} 0s 60ms/step - loss: 0.2500")


def test_line_of_verbose_2(monkeypatch):
    def show(tick):
        bar = Progbar(20, verbose=2)
        bar.update(7, [("loss", 2.0)])
        tick(1.0)
        bar.update(20, [("loss", -2.0)])

    # Keras prints negative values in scientific notation here, in the bar in fixed point.
    assert printed(monkeypatch, show) == "20/20 - 1s - 50ms/step - loss: -2.0000e+00\n"


def epoch_logs(names, step):
    return {name: 1.0 / (step + 2 + i) for i, name in enumerate(names)}


def fit_like(callback_list, verbose, steps, epochs, validate, tell_steps=True):
    """The hooks that `fit`, then `evaluate`, then `predict` call; the display is fed by the batch hooks."""

    def show(tick):
        known = steps if tell_steps else None
        callbacks = callback_list(
            add_history=True, add_progbar=verbose != 0, verbose=verbose, epochs=epochs, steps=known
        )
        callbacks.set_model(type("Model", (), {})())
        callbacks.on_train_begin()
        for epoch in range(epochs):
            callbacks.on_epoch_begin(epoch)
            for step in range(steps):
                callbacks.on_train_batch_begin(step)
                tick(0.04)
                callbacks.on_train_batch_end(step, epoch_logs(["loss", "accuracy"], step))
            logs = epoch_logs(["loss", "accuracy"], steps)
            if validate:
                callbacks.on_test_begin()
                for step in range(3):
                    callbacks.on_test_batch_begin(step)
                    tick(0.07)
                    callbacks.on_test_batch_end(step, epoch_logs(["loss", "accuracy"], step))
                callbacks.on_test_end(epoch_logs(["loss", "accuracy"], 3))
                logs.update({f"val_{k}": v for k, v in epoch_logs(["loss", "accuracy"], 3).items()})
            callbacks.on_epoch_end(epoch, logs)
        callbacks.on_train_end(logs)

        evaluation = callback_list(add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=known)
        evaluation.on_test_begin()
        for step in range(steps):
            tick(0.06)
            evaluation.on_test_batch_end(step, epoch_logs(["loss"], step))
        evaluation.on_test_end(epoch_logs(["loss"], steps))

        prediction = callback_list(add_progbar=verbose != 0, verbose=verbose, epochs=1, steps=known)
        prediction.on_predict_begin()
        for step in range(steps):
            tick(0.06)
            prediction.on_predict_batch_end(step, {"outputs": [[1.0]]})
        prediction.on_predict_end()

    return show


@pytest.mark.parametrize("tell_steps", [True, False])
@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("verbose", ["auto", 0, 1, 2])
def test_logger_prints_what_keras_prints(monkeypatch, keras, verbose, epochs, validate, tell_steps):
    # Keras hands batches to a thread of its own where no callback forbids it: a faked clock can't follow.
    monkeypatch.setattr(
        keras.callbacks.CallbackList, "_configure_async_dispatch", lambda self, callbacks: None
    )
    ours = printed(monkeypatch, fit_like(CallbackList, verbose, 11, epochs, validate, tell_steps))
    theirs = printed(
        monkeypatch, fit_like(keras.callbacks.CallbackList, verbose, 11, epochs, validate, tell_steps)
    )
    assert ours == theirs
    assert bool(ours) == (verbose != 0)


def test_progress_from_the_core_prints_what_batch_hooks_print(monkeypatch):
    def show(by_progress):
        def run(tick):
            callbacks = CallbackList(add_progbar=True, verbose=1, epochs=2, steps=5)
            callbacks.on_train_begin()
            for epoch in range(2):
                callbacks.on_epoch_begin(epoch)
                for step in range(5):
                    tick(0.2)
                    if by_progress:
                        callbacks.on_progress(step + 1, {"loss": 0.5, "accuracy": 0.1})
                    else:
                        callbacks.on_train_batch_end(step, {"loss": 0.5, "accuracy": 0.1})
                callbacks.on_test_begin()
                if by_progress:
                    callbacks.on_progress(1, {"loss": 3.0})  # validation is silent
                callbacks.on_test_end({"loss": 3.0})
                callbacks.on_epoch_end(epoch, {"loss": 0.5, "accuracy": 0.1, "val_loss": 3.0})
            callbacks.on_train_end({})

        return run

    by_progress = printed(monkeypatch, show(True))
    assert by_progress == printed(monkeypatch, show(False))
    assert by_progress.count("accuracy: 0.1000 - loss: 0.5000") == 12


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo terminal")
def test_bytes_on_a_pseudo_terminal(monkeypatch, keras):
    def through_pty(show):
        parent, child = os.openpty()
        with os.fdopen(child, "w", encoding="utf-8") as terminal:
            assert terminal.isatty()
            clock = Clock()
            with monkeypatch.context() as patch:
                patch.setattr(time, "time", clock)
                patch.setattr(sys, "stdout", terminal)
                patch.delitem(sys.modules, "posix")  # so that the terminal alone decides
                show(lambda seconds: setattr(clock, "now", clock.now + seconds))
        received = b""
        with contextlib.suppress(OSError):  # what Linux answers at the end of a closed terminal
            while part := os.read(parent, 1 << 16):
                received += part
        os.close(parent)
        return received

    run = (4, {"verbose": 1}, [(0.1, step, [("loss", 1.0 / step)], None) for step in (1, 2, 3, 4)])
    ours = through_pty(play(Progbar, run))
    assert ours == through_pty(play(keras.utils.Progbar, run))
    assert b"\b\r\x1b[1m4/4\x1b[0m" in ours


def test_stream_without_the_bar_character(monkeypatch):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    stream.getvalue = lambda: raw.getvalue().decode("ascii")
    text = printed(monkeypatch, lambda tick: Progbar(2).update(2), stream)
    assert "2/2" in text
    assert "====================" in text


def test_interactive_logging_off(monkeypatch, caplog):
    disable_interactive_logging()
    try:
        with caplog.at_level("INFO", logger="lamina"):
            assert printed(monkeypatch, lambda tick: Progbar(2).update(2)) == ""
    finally:
        enable_interactive_logging()
    assert "2/2" in caplog.text


def test_both_kinds_of_metric_are_refused():
    with pytest.raises(ValueError, match="stateful_metrics, stateless_metrics"):
        Progbar(3, stateful_metrics=["a"], stateless_metrics=["b"])
