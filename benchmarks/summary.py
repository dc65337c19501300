"""What the rounds of a case come to: times, ratios, the share of the machine's limit, and what was wrong."""

import itertools
import math
import statistics
from dataclasses import replace
from typing import Any

from cases import Case
from kernels import MOVED
from peers import PEERS
from rounds import Run

# First epochs in shuffled order end at the same loss but for the order.
SHUFFLED_RTOL = 0.05
# Where dropout is drawn, the validation after a first epoch varies with a standard deviation of 5.5 % (over
# ten seeds of the case "regularised"; its training loss by 0.4 %): four times that of the difference of two.
DROPPED_RTOL = 4 * 2**0.5 * 0.055


def summarised(case: Case, runs: dict[str, list[Run]], limit: dict[str, float]) -> dict[str, Any]:
    """A case of the result file. A peer that failed in a round has no numbers."""
    faults = [
        f"{case.name}, {name}: {run['error']}"
        for name, rounds in runs.items()
        for run in rounds
        if "error" in run
    ]
    missing = {name: run["missing"] for name, rounds in runs.items() for run in rounds if "missing" in run}
    summary: dict[str, Any] = {
        "title": case.title,
        "group": case.group,
        "unit": case.unit,
        "peers": {},
        "faults": faults,
        "missing": missing,
    }
    if limit:
        summary["limit"] = limit
    whole = [name for name in PEERS if name in runs and all("times" in run for run in runs[name])]
    whole.sort(key=case.peers.index)
    if not whole:
        return summary
    first = whole[0]
    base = [statistics.median(run["times"]) for run in runs[first]]
    for name in whole:
        times = [statistics.median(run["times"]) for run in runs[name]]
        ratios = [time / reference for time, reference in zip(times, base, strict=True)]
        answers = {key: value for key, value in runs[name][0].items() if key not in ("times", "handover")}
        summary["peers"][name] = {"time": spread(times), "ratio": spread(ratios), **answers}
    if all("handover" in run for run in runs[first]):
        summary["handover"] = spread([run["handover"] for run in runs[first]])
    faults += differences(case, summary["peers"], first)
    return summary


def limit_of(case: Case, found: dict[str, Any], threads: int) -> dict[str, float]:
    """The least time of a step or call, in microseconds: "fma", of its products at the FMA peak; "blas", of a
    step's by the best BLAS; "memory", of what it reads and writes at the speed of a copy, where that is all
    it does, or on a GPU. {} where nothing is computed.
    """
    if case.device != "cpu":
        return _limit_on_device(case, found)
    if case.kernel in MOVED:
        values = 4 * math.prod(case.shape)
        moved, held = (arrays * values for arrays in MOVED[case.kernel])
        return {"bytes": float(moved), "memory": moved / _copied(held, found, threads) * 1e6}
    if case.kind not in ("train", "many", "predict", "call", "kernel"):
        return {}
    flops = 2 * math.prod(case.shape) if case.kernel else _flops(case)
    limit = {"flops": float(flops), "fma": flops / found["fma"][str(threads)] * 1e6}
    blas = found["blas"].get(str(threads), {}).get(case.name)
    return limit | ({"blas": blas} if blas is not None else {})


def _copied(size: int, found: dict[str, Any], threads: int) -> float:
    """Bytes copied a second in the first level that holds so many: L1 and L2 are each thread's own."""
    copied: dict[str, float] = found["copy"][str(threads)]
    for level, holds in found["caches"].items():
        if size <= holds * (1 if level == "L3" else threads):
            return copied[level]
    return copied["memory"]


def _trains(case: Case) -> bool:
    return case.kind in ("train", "many")


def _at_once(case: Case) -> Case:
    """A step, or a prediction of all the rows as if they were one batch."""
    return case if _trains(case) else replace(case, batch_size=case.rows)


def _flops(case: Case) -> int:
    return sum(
        product.flops for product in _at_once(case).products if _trains(case) or product.which == "forward"
    )


def _limit_on_device(case: Case, found: dict[str, Any]) -> dict[str, float]:
    if not found:
        return {}
    flops, moved = _flops(case), _moved(case)
    limit = {
        "flops": float(flops),
        "fma": flops / found["fma"][case.product_type] * 1e6,
        "bytes": float(moved),
        "memory": moved / found["copy"]["cuda"]["memory"] * 1e6,
    }
    blas = found["blas"].get(case.name)
    return limit | ({"blas": blas} if blas is not None else {})


def _moved(case: Case) -> int:
    """Bytes that a step reads and writes where nothing stays on the chip from step to step: the batch's rows,
    parameters and slots, which are written too; for a prediction rows, parameters and outputs.
    """
    parameters = sum((inputs + 1) * outputs for inputs, outputs in itertools.pairwise(case.units))
    batch = _at_once(case).batch_size
    if not _trains(case):
        return 4 * (batch * (case.units[0] + case.units[-1]) + parameters)
    slots = 2 if case.optimizer == "adam" else 0
    return 4 * (batch * case.units[0] + 2 * parameters * (1 + slots))


def spread(values: list[float]) -> dict[str, Any]:
    """Median, quartiles and all the values."""
    lower, upper = values[0], values[0]
    if len(values) > 1:
        lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "q1": lower, "q3": upper, "rounds": values}


def differences(case: Case, found: dict[str, Any], first: str) -> list[str]:
    """Peers whose losses and outputs are not the first one's; so written that NaN is a difference."""
    faults = []
    exact = case.tolerance
    shuffled = SHUFFLED_RTOL
    validated = DROPPED_RTOL if case.regularised else SHUFFLED_RTOL
    for name, values in found.items():
        for key, rtol in (
            ("check_loss", exact),
            ("epoch_loss", shuffled),
            ("epoch_val_loss", validated),
        ):
            if key in values and key in found[first]:
                wanted, got = found[first][key], values[key]
                if not abs(got - wanted) <= rtol * abs(wanted):
                    faults.append(f"{case.name}: {key} of {name} is {got:.7g}, that of {first} {wanted:.7g}")
        outputs, references = values.get("check_output", []), found[first].get("check_output", [])
        size = max([1.0, *map(abs, references)])
        if len(outputs) != len(references) or not all(
            abs(got - wanted) <= exact * size for got, wanted in zip(outputs, references, strict=True)
        ):
            apart = max((abs(a - b) for a, b in zip(outputs, references, strict=False)), default=math.nan)
            faults.append(
                f"{case.name}: outputs of {name} after the check are not those of {first}, "
                f"but {apart:.2g} apart, where {exact * size:.2g} is the most"
            )
    return faults
