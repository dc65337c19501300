"""`lamina bench`: a few trainings against the machine's limit, NumPy, and Keras where it is installed."""

from __future__ import annotations

import logging
import os
import statistics
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from lamina import config, keras
from lamina._bench.by_hand import NumpyProgram
from lamina._bench.by_keras import KerasProgram
from lamina._bench.limits import fma_peak
from lamina._bench.network import Array, Network, Program, Rows
from lamina._bench.timing import call_times, training_times


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        title: what it shows.
        network: what is trained.
        rows: of made-up data.
        predicts: a call of `predict` with one row is timed, not a step.
    """

    title: str
    network: Network
    rows: int
    predicts: bool = False


_A = Network()
TABLE = (
    Row("784-100s-10, SGD, batch 32", _A, 9600),
    Row(
        "784-300-200-100-10 relu, batch 32", Network(units=(784, 300, 200, 100, 10), activation="relu"), 9600
    ),
    Row("784-50s-10, Adam, batch 32", Network(units=(784, 50, 10), optimizer="adam"), 9600),
    Row("30-10s-1, all 364 rows a step", Network(units=(30, 10, 1), batch_size=364), 364),
    Row("784-100s-10, predict of one row", _A, 9600, predicts=True),
)


def run(seconds: float) -> int:
    """Measure and print.

    Args:
        seconds: aimed at for each timing.

    Returns:
        0, or 1 where the programs' answers differ.
    """
    build = config.build_info()
    peak = fma_peak()
    print(
        f"Lamina {build['version']}, {build['isa']}, {config.get_num_threads()} threads; "
        f"FMA peak {peak / 1e9:.0f} GFLOP/s"
    )
    found: dict[str, list[tuple[float, Array]]] = {}
    for name, programs in (("Lamina", _lamina), ("NumPy by hand", _numpy), ("Keras", _keras)):
        if name == "Keras" and find_spec("tensorflow") is None:
            print("Keras: not installed (pip install tensorflow-cpu)")
            continue
        found[name] = [_measured(row, programs(row.network), seconds) for row in TABLE]
    return _print(found, peak)


def _print(found: dict[str, list[tuple[float, Array]]], peak: float) -> int:
    """The table, and what is wrong in it. Returns the exit status."""
    others = [name for name in found if name != "Lamina"]
    print("".join([f"{'':35}{'Lamina':>16}{'of FMA peak':>13}", *(f"{name:>25}" for name in others)]))
    faults = []
    for i, row in enumerate(TABLE):
        time, answer = found["Lamina"][i]
        part = "" if row.predicts else f"{row.network.flops / peak / time * 1e6:.0%}"
        line = f"{row.title:35}{_time(time, row):>16}{part:>13}"
        for name in others:
            other, its_answer = found[name][i]
            line += f"{_time(other, row) + f'  × {other / time:.3g}':>25}"
            if not np.allclose(its_answer, answer, rtol=row.network.tolerance, atol=row.network.tolerance):
                faults.append(f"WRONG: {row.title}: {name} computes something else than Lamina")
        print(line)
    print(
        "\n".join(
            ["× n: takes n times as long as Lamina. The whole suite is benchmarks/ in the sources.", *faults]
        )
    )
    return 1 if faults else 0


def _time(microseconds: float, row: Row) -> str:
    return (
        f"{microseconds:,.3g} µs/{'call' if row.predicts else 'step'}"
        if microseconds < 1000
        else (f"{microseconds / 1000:,.3g} ms/{'call' if row.predicts else 'step'}")
    )


def _measured(row: Row, program: Program, seconds: float) -> tuple[float, Array]:
    """Microseconds a step or call, and the loss and outputs after a few steps that are the same for all."""
    network = row.network
    x, y = _data(row)
    checked = min(row.rows, network.check_steps * network.batch_size)
    epochs = max(1, network.check_steps * network.batch_size // row.rows)
    loss = program.train(x[:checked], y[:checked], epochs, shuffle=False)["loss"]
    answer = np.array([loss, *program.predict(x[:1])[0]])
    if row.predicts:
        return call_times(lambda: program.predict(x[:1]), seconds)[1], answer
    steps = -(-row.rows // network.batch_size)
    epochs, taken = training_times(lambda n: program.train(x, y, n, shuffle=True), epochs=1, seconds=seconds)
    return statistics.median(taken) / (epochs * steps) * 1e6, answer


def _data(row: Row) -> Rows:
    """Rows about as far apart as pictures from 0 to 1, and their classes."""
    rng = np.random.default_rng(0)
    x = rng.random((row.rows, row.network.units[0]), np.float32)
    classes = max(2, row.network.units[-1])
    return x, rng.integers(0, classes, row.rows, dtype=np.int32)


def _lamina(network: Network) -> Program:
    return KerasProgram(keras, network, network.initial_weights())


def _numpy(network: Network) -> Program:
    return NumpyProgram(network, network.initial_weights())


def _keras(network: Network) -> Program:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    tensorflow: Any = import_module("tensorflow")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # advice that is not for this table
    return KerasProgram(tensorflow.keras, network, network.initial_weights())
