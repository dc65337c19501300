"""Where a step's time goes, verb by verb: `python benchmarks/run.py --profile --cases A B`."""

import time
from pathlib import Path
from typing import Any

import data
from cases import Case
from report import number

from lamina import config, keras
from lamina._bench.by_keras import KerasProgram


def table(case: Case, folder: Path, threads: int, seconds: float) -> str:
    """A case's verbs, in Markdown: calls and microseconds a step, share of the step.

    The clock is read twice a verb, which the tiny case shows. The last row is what happens between the verbs:
    the way through layers and trainer, and through `fit`; in mixed precision the verbs of bfloat16 too, which
    have no clock.
    """
    config.set_num_threads(threads)
    before = config.get_backend()
    config.set_backend("profile")
    try:
        program = KerasProgram(keras, case, case.initial_weights())
    finally:
        config.set_backend(before)
    rows, validation = data.read(case, folder)
    epochs = max(1, case.check_steps // case.steps)
    program.train(*rows, epochs, shuffle=True, validation=validation)  # warms up
    config.take_profile()
    wall, done = 0.0, 0
    while wall < seconds:
        start = time.perf_counter()
        program.train(*rows, epochs, shuffle=True, validation=validation)
        wall += time.perf_counter() - start
        done += epochs
        epochs *= 2
    steps = done * case.steps
    verbs = config.take_profile()
    lines = [
        f"**{case.name}** {case.title}: {number(wall / steps * 1e6)} µs a step, {threads} threads",
        "",
        "| verb | calls a step | µs a step | share |",
        "|---|---:|---:|---:|",
        *(_row(verb.name, number(verb.calls / steps), verb.seconds, steps, wall) for verb in verbs),
        _row("between the verbs", "", wall - sum(verb.seconds for verb in verbs), steps, wall),
    ]
    return "\n".join(lines)


def _row(name: str, calls: str, seconds: float, steps: int, wall: float) -> str:
    return f"| {name} | {calls} | {number(seconds / steps * 1e6)} | {seconds / wall:.0%} |"


def tables(cases: list[Case], folder: Path, settings: Any) -> str:
    """Those of the cases that train with Lamina."""
    kinds = [case for case in cases if case.kind == "train" and "lamina" in case.peers]
    if not kinds:
        return "no case that trains with Lamina"
    data.write(kinds, folder)
    return "\n\n".join(table(case, folder, settings.threads_of(case), settings.seconds) for case in kinds)
