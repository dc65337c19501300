"""The measuring itself: fresh processes, one after the other, in turns."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
from cases import Case
from peers import PEERS

HERE = Path(__file__).parent
_PATIENCE = 900  # seconds after which a process is given up

Run = dict[str, Any]
Runs = dict[str, dict[str, list[Run]]]  # by case and peer, one a round


@dataclass(frozen=True)
class Settings:
    """Attributes:
    rounds: fresh processes for every case and peer.
    seconds: aimed at in each timing.
    threads: of every peer that is not named after another number.
    """

    rounds: int
    seconds: float
    threads: int

    def threads_of(self, case: Case, peer: str | None = None) -> int:
        own = None if peer is None else PEERS[peer].threads
        return min(self.threads, own or case.threads or self.threads)


def interleaved(cases: list[Case], present: list[str], settings: Settings, folder: Path) -> Runs:
    """Every case by each of its peers that are present, in turns: a slow minute hits them all."""
    runs: Runs = {case.name: {} for case in cases}
    for turn in range(settings.rounds):
        for case in cases:
            names = [name for name in case.peers if name in present]
            shift = turn % max(1, len(names))
            for name in names[shift:] + names[:shift]:
                if settings.threads_of(case, name) == settings.threads_of(case) and PEERS[name].threads:
                    continue  # it would be the same as the peer without a number
                found = fresh_process(case, name, settings, folder)
                runs[case.name].setdefault(name, []).append(found)
                shown = "missing" if "missing" in found else "failed"
                if "times" in found:
                    shown = f"{statistics.median(found['times']):.4g} {case.unit}"
                print(f"round {turn + 1}/{settings.rounds}  {case.name:13} {name:17} {shown}", flush=True)
    return runs


def devices(cases: list[Case], present: list[str], settings: Settings) -> dict[str, Run]:
    """What each peer calls the device of the cases: {"device": name}, or why it finds none."""
    found = {}
    for name in present:
        case = next(case for case in cases if name in case.peers)
        found[name] = fresh_process(case, name, settings, Path(), find=True)
    return found


def fresh_process(case: Case, name: str, settings: Settings, folder: Path, find: bool = False) -> Run:
    """{"times": [...], ...}, {"missing": what} or {"error": why}; with `find` {"device": its name}."""
    threads = settings.threads_of(case, name)
    if case.kind == "import":
        code = (
            "import numpy, time; start = time.perf_counter()\n"
            f"{PEERS[name].imports}\n"
            "print('{\"times\": [%r]}' % ((time.perf_counter() - start) * 1e3))"
        )
        return _json_of([sys.executable, "-c", code], threads)
    command = [sys.executable, str(HERE / "worker.py"), name, case.name, str(folder)]
    command += ["--threads", str(threads), "--seconds", str(settings.seconds), "--device", case.device]
    if find:
        command.append("--find")
    with busy_processes(case.busy):
        return _json_of(command, threads, case.device)


def cuda_limits(cases: list[Case], settings: Settings) -> Run:
    """As `limits.py cuda` prints them, or {"missing": why}."""
    trained = [case.name for case in cases if case.kind in ("train", "many")]
    command = [sys.executable, str(HERE / "limits.py"), "cuda", "--threads", str(settings.threads)]
    return _json_of([*command, "--cases", *trained], settings.threads, "cuda")


def limits(cases: list[Case], present: list[str], settings: Settings) -> dict[str, Any]:
    """The best of all rounds, by number of threads: "fma", "copy" by level, "blas" by case; and "caches"."""
    # Not of the grid, which shows Lamina alone.
    trained = [case.name for case in cases if case.kind in ("train", "many") and case.group != "grid"]
    libraries = [name for name in ("numpy", "torch") if name in present and trained]
    found: dict[str, Any] = {"fma": {}, "copy": {}, "blas": {}}
    for _ in range(settings.rounds):
        for threads in {1, settings.threads}:
            command = [sys.executable, str(HERE / "limits.py"), "--threads", str(threads)]
            run = _json_of([*command, "machine"], threads)
            if "error" in run:
                raise RuntimeError(f"the machine's limits: {run['error']}")
            found["caches"] = run["caches"]
            key = str(threads)
            for more in {threads, settings.threads}:  # who may use more threads may use fewer
                found["fma"][str(more)] = max(run["fma"], found["fma"].get(str(more), 0))
            copied = found["copy"].setdefault(key, {})
            for level, bandwidth in run["copy"].items():
                copied[level] = max(bandwidth, copied.get(level, 0))
            for library in libraries:
                times = _json_of([*command, library, "--cases", *trained], threads)
                if "error" in times:
                    raise RuntimeError(f"the products by {library}: {times['error']}")
                for name, time in times.items():
                    for more in {threads, settings.threads}:
                        best = found["blas"].setdefault(str(more), {})
                        best[name] = min(time, best.get(name, time))
    return found


@contextmanager
def busy_processes(count: int) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """So many processes compute something else meanwhile."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _json_of(command: list[str], threads: int, device: str = "cpu") -> Run:
    """What the process prints as its last line."""
    try:
        with tempfile.TemporaryFile("w+") as errors:  # not a pipe: a library may print more than one holds
            done = subprocess.run(
                command,
                env=machine.environment(threads, device),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
            errors.seek(0)
            if done.returncode:
                return {"error": "\n".join(errors.read().splitlines()[-5:])}
    except subprocess.TimeoutExpired:
        return {"error": f"took more than {_PATIENCE} s"}
    try:
        found: Run = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"error": f"expected JSON as the last line printed, got {done.stdout[-200:]!r}"}
    return found
