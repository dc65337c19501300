"""Run the benchmarks: `python benchmarks/run.py`. See README.md beside this file."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import data
import machine
import report
import result_file
import rounds
import summary
import verbs
from cases import DEVICES, Case, chosen
from peers import PEERS

HERE = Path(__file__).parent
QUICK = ("A", "C", "tiny", "predict1", "by_hand", "import")


def main() -> int:
    options = _options()
    if options.list:
        _print_cases(options.cases)
        return 0
    cases: list[Case] = options.cases
    settings = rounds.Settings(options.rounds, options.seconds, options.threads)
    if options.profile:
        with tempfile.TemporaryDirectory() as folder:
            print(verbs.tables(cases, Path(folder), settings))
        return 0
    wanted = {name for case in cases for name in case.peers}
    wanted &= {*(options.peers or PEERS)}
    present = [name for name in PEERS if name in wanted and PEERS[name].is_installed()]
    missing = [name for name in PEERS if name in wanted and name not in present]
    for name in missing:
        print(f"missing: {PEERS[name].title} (needs the modules {', '.join(PEERS[name].needs)})")
    gone = [PEERS[name].title for name in missing]
    found = rounds.devices(cases, present, settings) if options.device != "cpu" else {}
    for name, why in found.items():
        if "device" not in why:
            present.remove(name)
            reason = why.get("missing") or why["error"].splitlines()[-1]
            gone.append(f"{PEERS[name].title} ({reason})")
            print(f"missing: {gone[-1]}")
    if found and not present:
        print(f"nobody finds the device {options.device!r}: nothing is measured")
        return 1

    packages = tuple(dict.fromkeys(package for name in present for package in PEERS[name].packages))
    start = time.perf_counter()
    result: dict[str, Any] = {
        "schema": result_file.SCHEMA,
        "machine": machine.describe(settings.threads, packages),
        "peers": {name: PEERS[name].title for name in present},
        "missing": gone,
        "rounds": settings.rounds,
        "seconds": settings.seconds,
    }
    with tempfile.TemporaryDirectory() as folder:
        result["data"] = data.write(cases, Path(folder))
        if found:
            names = [found[name]["device"] for name in present]
            result["limits"], result["machine"]["device"] = _limits_of_device(cases, settings, names[0])
        else:
            result["limits"] = rounds.limits(cases, present, settings)
        runs = rounds.interleaved(cases, present, settings, Path(folder))
    result["cases"] = {
        case.name: summary.summarised(
            case, runs[case.name], summary.limit_of(case, result["limits"], settings.threads_of(case))
        )
        for case in cases
    }

    print("\n" + report.whole(result))
    print(f"took {(time.perf_counter() - start) / 60:.0f} minutes")
    faults = [fault for case in result["cases"].values() for fault in case["faults"]]
    for fault in faults:
        print(f"WRONG: {fault}")
    if not options.no_save:
        path = options.output or HERE / "results" / _file_name(result["machine"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"saved: {path}")
    return 1 if faults else 0


def _limits_of_device(cases: list[Case], settings: rounds.Settings, name: str) -> tuple[Any, Any]:
    """The GPU's limits, and what it is; {} and the name where its driver or cuBLAS cannot be asked."""
    limits = rounds.cuda_limits(cases, settings)
    if "device" not in limits:
        print(f"no limits of the device: {limits.get('missing', limits.get('error'))}")
        return {}, {"name": name}
    return limits, limits.pop("device")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cases", nargs="+", metavar="NAME", help="cases and groups (see --list); default: all"
    )
    parser.add_argument(
        "--peers", nargs="+", choices=PEERS, metavar="NAME", help="default: all that are installed"
    )
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="cuda: the cases that a GPU has")
    parser.add_argument("--rounds", type=int, help="fresh processes per case and peer (default 3)")
    parser.add_argument("--seconds", type=float, help="aimed at per timing (default 0.3; on a GPU 1)")
    parser.add_argument(
        "--threads", type=int, default=machine.cpus(), help="for every peer (default: all CPUs)"
    )
    parser.add_argument("--quick", action="store_true", help=f"{' '.join(QUICK)}, one round: a first look")
    parser.add_argument(
        "--profile", action="store_true", help="Lamina alone: where a step's time goes, verb by verb"
    )
    parser.add_argument("--output", type=Path, help="result file (default: named by date in results/)")
    parser.add_argument("--no-save", action="store_true", help="only print")
    parser.add_argument("--list", action="store_true", help="name the groups, cases and peers")
    options = parser.parse_args()
    if options.rounds is None:
        options.rounds = 1 if options.quick else 3
    if options.seconds is None:
        # A fit of Lamina's begins with copying its data to a GPU: so long that this is a small part.
        options.seconds = 0.3 if options.device == "cpu" else 1.0
    if options.rounds < 1 or options.seconds <= 0 or not 1 <= options.threads <= machine.cpus():
        parser.error(f"need rounds >= 1, seconds > 0 and 1 to {machine.cpus()} threads")
    if options.quick:
        there = {case.name for case in chosen([], options.device)}
        options.cases = options.cases or [name for name in QUICK if name in there]
    if options.profile and options.device != "cpu":
        parser.error("--profile: expected --device cpu, got another")
    try:
        options.cases = chosen(options.cases or [], options.device)
    except ValueError as error:
        parser.error(f"argument --cases: {error}")
    return options


def _print_cases(cases: list[Case]) -> None:
    named = {name for case in cases for name in case.peers}
    for group in dict.fromkeys(case.group.replace(" ", "_") for case in cases):
        print(group)
        for case in cases:
            if case.group.replace(" ", "_") == group:
                print(f"  {case.name:13} {case.title:45} {' '.join(case.peers)}")
    print("peers")
    for name, peer in PEERS.items():
        if name not in named:
            continue
        print(f"  {name:17} {peer.title:35} {'' if peer.is_installed() else 'not installed'}")


def _file_name(described: dict[str, Any]) -> str:
    name = described["device"]["name"] if "device" in described else described["cpu"]
    words = "".join(c if c.isalnum() else " " for c in name.lower()).split()
    last = "cuda" if "device" in described else f"{described['threads']}threads"
    parts = [described["date"][:10], "-".join(words), last]
    return "_".join(parts) + ".json"


if __name__ == "__main__":
    sys.exit(main())
