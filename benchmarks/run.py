"""Run the benchmarks: `python benchmarks/run.py`. See README.md beside this file."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import data
import machine
import peers
import report
from cases import CASES, Case

HERE = Path(__file__).parent

# One rounding error per term of the longest sum (784 pixels), in float32: so much a loss or a probability
# may differ by where the same is computed in another order.
CHECK_RTOL = 784 * 2.0**-24
# First epochs in shuffled order end at the same loss but for the order.
SHUFFLED_RTOL = 0.05


def main() -> int:
    options = _options()
    cases = [case for case in CASES if not options.cases or case.name in options.cases]
    wanted = [name for name in peers.NAMES if not options.peers or name in options.peers]
    modules = {name: import_module(peers.MODULES[name]) for name in wanted}
    present = [name for name in wanted if _is_installed(modules[name])]
    missing = [name for name in wanted if name not in present]
    for name in missing:
        print(f"missing: {modules[name].TITLE} (needs the module {modules[name].NEEDS})")

    packages = tuple(dict.fromkeys(package for name in present for package in modules[name].PACKAGES))
    result: dict[str, Any] = {
        "schema": 1,
        "machine": machine.describe(options.threads, packages),
        "peers": {name: modules[name].TITLE for name in present},
        "missing": missing,
        "rounds": options.rounds,
        "seconds": options.seconds,
    }
    with tempfile.TemporaryDirectory() as folder:
        result["data"] = data.write(cases, Path(folder))
        runs = _interleaved(cases, present, modules, options, Path(folder))
    result["cases"] = {case.name: _summary(case, runs[case.name]) for case in cases}

    print("\n" + report.table(result))
    faults = [fault for case in result["cases"].values() for fault in case["faults"]]
    for fault in faults:
        print(f"WRONG: {fault}")
    if not options.no_save:
        path = options.output or HERE / "results" / _file_name(result["machine"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"saved: {path}")
    return 1 if faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="+", choices=[case.name for case in CASES], help="default: all")
    parser.add_argument("--peers", nargs="+", choices=peers.NAMES, help="default: all that are installed")
    parser.add_argument("--rounds", type=int, default=5, help="fresh processes per case and peer (default 5)")
    parser.add_argument("--seconds", type=float, default=0.5, help="aimed at per timing (default 0.5)")
    parser.add_argument(
        "--threads", type=int, default=machine.cpus(), help="for every peer (default: all CPUs)"
    )
    parser.add_argument("--output", type=Path, help="result file (default: named by date in results/)")
    parser.add_argument("--no-save", action="store_true", help="only print")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0 or not 1 <= options.threads <= machine.cpus():
        parser.error(f"need rounds >= 1, seconds > 0 and 1 to {machine.cpus()} threads")
    return options


def _is_installed(module: Any) -> bool:
    return find_spec(module.NEEDS) is not None


def _interleaved(
    cases: list[Case], present: list[str], modules: dict[str, Any], options: argparse.Namespace, folder: Path
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Results by case and peer, one per round. Peers take turns, so that a slow minute hits them all."""
    runs: dict[str, dict[str, list[dict[str, Any]]]] = {case.name: {} for case in cases}
    for turn in range(options.rounds):
        for case in cases:
            shift = turn % len(present)
            for name in present[shift:] + present[:shift]:
                if case.kind == "import" and modules[name].IMPORT is None:
                    continue
                found = _fresh_process(case, name, modules[name], options, folder)
                runs[case.name].setdefault(name, []).append(found)
                shown = (
                    f"{statistics.median(found['times']):.4g} {case.unit}" if "times" in found else "failed"
                )
                print(f"round {turn + 1}/{options.rounds}  {case.name:9} {name:9} {shown}", flush=True)
    return runs


def _fresh_process(
    case: Case, name: str, module: Any, options: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    if case.kind == "import":
        code = (
            "import numpy, time; start = time.perf_counter()\n"
            f"{module.IMPORT}\n"
            "print('{\"times\": [%r]}' % ((time.perf_counter() - start) * 1e3))"
        )
        command = [sys.executable, "-c", code]
    else:
        command = [sys.executable, str(HERE / "worker.py"), name, case.name, str(folder)]
        command += ["--threads", str(options.threads), "--seconds", str(options.seconds)]
    done = subprocess.run(
        command, env=machine.environment(options.threads), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"error": "\n".join(done.stderr.splitlines()[-5:])}
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"error": f"expected times as the last line printed, got {done.stdout[-200:]!r}"}
    return found


def _summary(case: Case, runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Times and ratios of a case, and what was wrong in it. A peer that failed in a round has no numbers."""
    faults = [
        f"{case.name}, {name}: {run['error']}"
        for name, rounds in runs.items()
        for run in rounds
        if "error" in run
    ]
    summary: dict[str, Any] = {"title": case.title, "unit": case.unit, "peers": {}, "faults": faults}
    whole = [name for name in peers.NAMES if name in runs and all("times" in run for run in runs[name])]
    if not whole:
        return summary
    first = whole[0]
    base = [statistics.median(run["times"]) for run in runs[first]]
    for name in whole:
        times = [statistics.median(run["times"]) for run in runs[name]]
        ratios = [time / reference for time, reference in zip(times, base, strict=True)]
        answers = {key: value for key, value in runs[name][0].items() if key != "times"}
        summary["peers"][name] = {"time": _spread(times), "ratio": _spread(ratios), **answers}
    faults += _differences(case, summary["peers"], first)
    return summary


def _spread(values: list[float]) -> dict[str, Any]:
    """Median, quartiles and all the values."""
    lower, upper = values[0], values[0]
    if len(values) > 1:
        lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "q1": lower, "q3": upper, "rounds": values}


def _differences(case: Case, found: dict[str, Any], first: str) -> list[str]:
    """Peers whose losses and outputs are not the first one's; so written that NaN is a difference."""
    faults = []
    for name, values in found.items():
        for key, tolerance in (("check_loss", CHECK_RTOL), ("epoch_loss", SHUFFLED_RTOL)):
            if key in values:
                wanted, got = found[first][key], values[key]
                if not abs(got - wanted) <= tolerance * abs(wanted):
                    faults.append(f"{case.name}: {key} of {name} is {got:.7g}, that of {first} {wanted:.7g}")
        outputs = zip(values.get("check_output", ()), found[first].get("check_output", ()), strict=True)
        if not all(abs(got - wanted) <= CHECK_RTOL for got, wanted in outputs):
            faults.append(f"{case.name}: outputs of {name} after the check are not those of {first}")
    return faults


def _file_name(described: dict[str, Any]) -> str:
    cpu = "".join(c if c.isalnum() else "-" for c in described["cpu"].lower()).strip("-")
    parts = [described["date"][:10], "-".join(filter(None, cpu.split("-"))), f"{described['threads']}threads"]
    return "_".join(parts) + ".json"


if __name__ == "__main__":
    sys.exit(main())
