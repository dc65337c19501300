"""One peer, one case, one fresh process: started by rounds.py, prints its result as one line of JSON."""

import argparse
import json
import os
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import data
import kernels
import numpy as np
from cases import CASES, DEVICES, Case
from footprint import installed_megabytes, peak_megabytes
from peers import PEERS

from lamina._bench.limits import handover
from lamina._bench.network import Array, MissingError, Program, Rows
from lamina._bench.timing import call_times, training_times

_SHOWN = 16  # values of an output that are compared


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("case", choices=[case.name for case in CASES])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--find", action="store_true", help="only say what the peer calls that device")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    case = next(replace(case, device=options.device) for case in CASES if case.name == options.case)
    try:
        if options.find:
            result = {"device": import_module(PEERS[options.peer].module).require(options.device)}
        else:
            result = measured(case, options)
        if (
            case.device == "cpu"
            and options.threads > 1
            and PEERS[options.peer].module == "peers.lamina_keras"
        ):
            result["handover"] = handover()
    except MissingError as reason:
        result = {"missing": str(reason)}
    print(json.dumps(result))


def measured(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    peer = PEERS[options.peer]
    if case.kind == "size":
        return {"times": [installed_megabytes(peer.packages)]}
    if case.kind == "kernel":
        run = import_module(peer.module).kernel(case, kernels.arrays(case), options.threads)
        return {"check_output": shown(run()), "times": call_times(run, options.seconds)}

    rows, validation = data.read(case, options.folder)
    start = time.perf_counter()
    program = started(case, options.peer, options.threads)
    if case.kind in ("start", "memory"):
        logs = program.train(*rows, 1, shuffle=True)
        taken = (time.perf_counter() - start) * 1e3 if case.kind == "start" else peak_megabytes()
        return {"epoch_loss": logs["loss"], "times": [taken]}

    x, y = rows
    if case.kind in ("predict", "call"):
        call = getattr(program, "caller", None) if case.kind == "call" else None
        run = call(x) if call else lambda: program.predict(x)
        times = call_times(run, options.seconds, case.pause)
        return {"check_output": shown(program.predict(x)), "times": times}
    answering = program
    if case.regularised:  # which values are dropped differs from library to library
        answering = started(replace(case, dropout=0.0), options.peer, options.threads)
    return checked(case, answering, x, y) | time_training(case, program, rows, validation, options.seconds)


def started(case: Case, name: str, threads: int) -> Program:
    """The peer's program; where several models are wanted, several."""
    module = import_module(PEERS[name].module)
    weights = case.initial_weights()
    if name == "lamina_many":
        together: Program = module.start_together(case, weights, threads)
        return together
    programs: list[Program] = [module.start(case, weights, threads) for _ in range(case.models)]
    if len(programs) == 1:
        return programs[0]
    from peers.one_after_another import OneAfterAnother

    return OneAfterAnother(programs)


def checked(case: Case, program: Program, x: Array, y: Array) -> dict[str, Any]:
    """Loss and outputs after some steps without shuffling, which every peer must agree upon.

    It is the warm-up too; half a batch more, so that the short last batch is checked and warm.
    """
    rows = min(case.rows, case.check_steps * case.batch_size + case.batch_size // 2)
    epochs = max(1, case.check_steps * case.batch_size // case.rows)
    logs = program.train(x[:rows], y[:rows], epochs, shuffle=False)
    found = {"check_loss": logs["loss"], "check_output": shown(program.predict(x[:1]))}
    program.reset()
    return found


def shown(output: Any) -> list[float]:
    """The first values of an output, and the mean of all."""
    values = np.asarray(output, np.float64).ravel()
    return [*values[:_SHOWN].tolist(), float(values.mean())]


def time_training(
    case: Case, program: Program, rows: Rows, validation: Rows | None, seconds: float
) -> dict[str, Any]:
    """Microseconds a step of each repeat, and the losses of the first, shuffled epochs."""
    epochs = max(1, case.check_steps // case.steps)
    logs = program.train(*rows, epochs, shuffle=True, validation=validation)
    found: dict[str, Any] = {"epoch_loss": logs["loss"]}
    if "val_loss" in logs:
        found["epoch_val_loss"] = logs["val_loss"]

    def train(epochs: int) -> None:
        program.train(*rows, epochs, shuffle=True, validation=validation)

    epochs, taken = training_times(train, epochs, seconds)
    found["times"] = [t / (epochs * case.steps * case.models) * 1e6 for t in taken]
    return found


if __name__ == "__main__":
    main()
