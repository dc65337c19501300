"""A step runs no Python: a `fit` of ten times as many steps executes as many opcodes, to the last one."""

import gc
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from surface_cases import CASES, data, regularised

from lamina import keras

BATCH, FEW, MANY = 16, 12, 120


def executed(call: Callable[[], Any]) -> Counter[str]:
    """How many functions of Python a call enters, and how many opcodes it executes in them.

    Not what comes with the time and not with the steps: every 20 ms the calling thread looks up for signals
    and for `stop_training` (`look`), and at first asks `threading` whether it is the main one.
    """
    counts: Counter[str] = Counter()

    def trace(frame: Any, event: str, _: Any) -> Any:
        if frame.f_code.co_name == "look" or frame.f_code.co_filename == threading.__file__:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counts[event] += 1
        return trace

    before = sys.gettrace()
    gc.disable()  # a finalizer may come at any time
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
        gc.enable()
    return counts


def fitted(model: Any, steps: int, **options: Any) -> Counter[str]:
    """Of three epochs of so many steps, the last of fewer rows, each validated."""
    x, y = data(steps * BATCH - 3)
    arguments = {"epochs": 3, "batch_size": BATCH, "validation_data": (x, y), "verbose": 0, **options}
    model.fit(x, y, **arguments)  # what the first call makes is there after it
    return executed(lambda: model.fit(x, y, **arguments))


@pytest.mark.parametrize("name", CASES)
def test_no_python_runs_in_a_step(name: str) -> None:
    model = CASES[name]()
    few, many = fitted(model, FEW), fitted(model, MANY)
    assert few["opcode"] > few["call"] > 0, "nothing was counted"
    assert few == many


class Own(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step: Any) -> float:
        return 0.01

    def get_config(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("rate", "callback"),
    [
        (None, keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)),
        (Own(), keras.callbacks.Callback()),
    ],
    ids=["a hook of the batches", "one's own schedule"],
)
def test_python_that_runs_in_steps_is_counted(rate: Any, callback: Any) -> None:
    """The measurement itself: what calls Python at every step shows."""
    model = regularised(rate)
    few, many = (fitted(model, steps, callbacks=[callback]) for steps in (FEW, MANY))
    assert many["call"] - few["call"] >= 3 * (MANY - FEW)
