"""One peer, one case, one fresh process: started by run.py, prints its result as one line of JSON."""

import argparse
import json
import os
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import data
from cases import CASES, Case
from peers import MODULES, Array, Program

CHECK_STEPS = 100
REPEATS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=MODULES)
    parser.add_argument("case", choices=[case.name for case in CASES])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])

    case = next(case for case in CASES if case.name == options.case)
    x, y = data.read(case, options.folder)
    peer: Any = import_module(MODULES[options.peer])
    program: Program = peer.start(case, data.initial_weights(case.units), options.threads)

    # Without shuffling every peer computes the same thing: this is the check, and the warm-up. Half a batch
    # more, so that the short last batch is checked and warm too.
    rows = min(case.rows, CHECK_STEPS * case.batch_size + case.batch_size // 2)
    epochs = max(1, CHECK_STEPS * case.batch_size // case.rows)
    loss = program.train(x[:rows], y[:rows], epochs, shuffle=False)
    result: dict[str, Any] = {"check_loss": loss, "check_output": program.predict(x[:1])[0].tolist()}
    program.reset()
    if case.kind == "train":
        result |= time_training(case, program, x, y, options.seconds)
    else:
        result["times"] = time_calls(program, x[:1], options.seconds)
    print(json.dumps(result))


def time_training(case: Case, program: Program, x: Array, y: Any, seconds: float) -> dict[str, Any]:
    """Microseconds a step of each repeat, and the loss of the first, shuffled epochs."""
    epochs = max(1, CHECK_STEPS // case.steps)
    start = time.perf_counter()
    epoch_loss = program.train(x, y, epochs, shuffle=True)
    epochs = max(1, round(epochs * seconds / (time.perf_counter() - start)))
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        program.train(x, y, epochs, shuffle=True)
        times.append((time.perf_counter() - start) / (epochs * case.steps) * 1e6)
    return {"epoch_loss": epoch_loss, "times": times}


def time_calls(program: Program, x: Array, seconds: float) -> list[float]:
    """Microseconds of each call of `predict`."""
    for _ in range(10):
        program.predict(x)
    times = []
    end = time.perf_counter() + REPEATS * seconds
    while (start := time.perf_counter()) < end:
        program.predict(x)
        times.append((time.perf_counter() - start) * 1e6)
    return times


if __name__ == "__main__":
    main()
