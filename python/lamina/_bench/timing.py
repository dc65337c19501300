"""How long a step of a training takes, and a call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

REPEATS = 3


def training_times(train: Callable[[int], Any], epochs: int, seconds: float) -> tuple[int, list[float]]:
    """Seconds of some calls of `train(epochs)`, and how many epochs each had.

    Args:
        train: trains so many epochs; it has been called before.
        epochs: the fewest that make sense.
        seconds: aimed at for a call; a slow program is called once.
    """

    def once() -> float:
        start = time.perf_counter()
        train(epochs)
        return time.perf_counter() - start

    taken = [once()]
    if taken[0] < seconds / 2:  # more epochs in a call, as those who train so small a network have
        epochs = max(1, round(epochs * seconds / taken[0]))
        taken = [once()]
    while len(taken) < REPEATS and sum(taken) < REPEATS * seconds:
        taken.append(once())
    return epochs, taken


def call_times(run: Callable[[], Any], seconds: float, pause: float = 0.0) -> list[float]:
    """Microseconds of a call: the lower quartile, median and upper quartile of all that fit into the time.

    Args:
        run: the call.
        seconds: for all of them.
        pause: seconds of sleep before each, not counted in its time.
    """
    end = time.perf_counter() + seconds / 2
    run()
    while time.perf_counter() < end:
        run()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        if pause > 0:
            time.sleep(pause)
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e6)
    return [float(quartile) for quartile in np.quantile(times, (0.25, 0.5, 0.75))]
