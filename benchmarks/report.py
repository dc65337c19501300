"""Tables from result files: `python benchmarks/report.py results/FILE.json` prints Markdown."""

import statistics
import sys
from pathlib import Path
from typing import Any

from result_file import (
    OWN,
    Case,
    Result,
    best_other,
    first_of,
    grid_of,
    groups,
    load,
    not_won,
    of_one_thread,
    share,
)

LIMITS = {
    "fma": "its products at FMA peak (share)",
    "blas": "by the best BLAS (share)",
    "memory": "what it reads and writes, copied (share)",
}


def whole(result: Result) -> str:
    """All the tables: the summary, the machine's limits, where Lamina does not win, and each group."""
    parts = [summary(result), footnote(result), losses(result)]
    if result["limits"]:
        parts.append(limits(result))
    for group, cases in groups(result).items():
        shown = grid(cases) if group == "grid" else table(result, cases)
        parts.append(f"### {group.capitalize()}\n\n{shown}")
    return "\n\n".join(parts)


def summary(result: Result, wanted: tuple[str, ...] = ()) -> str:
    """A row per case: the first peer's time, against Keras, against the best other, share of the limit.

    Args:
        result: of a run.
        wanted: the groups; default all but the sweeps, which plots show, and the grid.
    """
    keras = "device" not in result["machine"]  # where there is one, copies are a limit instead
    last = ["Keras", "best other", "of FMA peak"] if keras else ["best other", "of FMA peak", "of copies"]
    lines = [f"| case | Lamina | {' | '.join(last)} |", "|---|---:|---:|---:|---:|"]
    for name, case in result["cases"].items():
        if case["group"] not in wanted if wanted else case["group"] in ("width", "batch", "grid"):
            continue
        first, best = first_of(case), best_other(case)
        if first in OWN:
            cells = [_time(case, first), *([_ratio(case, "keras")] if keras else [])]
            cells.append(f"{_ratio(case, best)} {result['peers'][best]}" if best else "–")
            parts = [share(case), *([] if keras else [share(case, "memory")])]
            cells += [f"{part:.0%}" if part is not None else "–" for part in parts]
        else:
            own = next((name for name in OWN if name in case["missing"]), "lamina")
            cells = [_cell(case, own), "–", "–", "–"]
        lines.append(f"| **{name}** {case['title']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def table(result: Result, cases: dict[str, Case]) -> str:
    """The times of all the peers of some cases; in brackets the quartiles over the rounds."""
    names = [name for name in result["peers"] if any(name in case["peers"] for case in cases.values())]
    known = {limit for case in cases.values() for limit in case.get("limit", {})}
    limited = [limit for limit in LIMITS if limit in known]
    head = ["case", *(result["peers"][name] for name in names)]
    head += [LIMITS[limit] for limit in limited]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for name, case in cases.items():
        cells = [_cell(case, peer) for peer in names] + [_limit(case, limit) for limit in limited]
        lines.append(f"| **{name}** {case['title']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def grid(cases: dict[str, Case]) -> str:
    """Widths by batch sizes: a step's time, how many times as long one thread takes, the share of the FMA
    peak; and where one thread takes less.
    """
    found = grid_of(cases)
    sizes = sorted({size for _, size in found})
    lines = [
        "A step's time in µs, how many times as long one thread takes, and the share of the FMA peak, "
        "by units of the hidden layer (down) and rows of a batch (across).\n",
        "| | " + " | ".join(map(str, sizes)) + " |",
        "|---|" + "---:|" * len(sizes),
    ]
    for width in sorted({width for width, _ in found}):
        cells = []
        for size in sizes:
            case = found.get((width, size))
            if case is None:
                cells.append("–")
                continue
            words = [number(case["peers"]["lamina"]["time"]["median"])]
            if (ratio := of_one_thread(case)) is not None:
                words.append(f"× {number(ratio['median'])}")
            if (part := share(case)) is not None:
                words.append(f"{part:.0%}")
            cells.append("<br>".join(words))
        lines.append(f"| **{width}** | " + " | ".join(cells) + " |")
    ratios = {place: ratio for place, case in found.items() if (ratio := of_one_thread(case)) is not None}
    slower = [
        f"{width} units, batch {size}: × {number(ratio['median'])} "
        f"({number(ratio['q1'])}–{number(ratio['q3'])})"
        for (width, size), ratio in ratios.items()
        if ratio["q3"] < 1
    ]
    if ratios:
        less = "; ".join(slower) or "nowhere in this run"
        lines.append(f"\nWhere one thread takes less, by the upper quartile too: {less}.")
    return "\n".join(lines)


def losses(result: Result) -> str:
    """Where somebody takes less than Lamina, in words; and what is missing or went wrong."""
    lost = [
        f"**{name}** {result['peers'][peer]} × {number(ratio['median'])}"
        f" ({number(ratio['q1'])}–{number(ratio['q3'])})"
        for name, peer, ratio in not_won(result)
    ]
    lines = ["Where Lamina does not win: " + ("; ".join(lost) if lost else "nowhere in this run") + "."]
    for name, case in result["cases"].items():
        lines += [
            f"Missing in {name}: {what} ({result['peers'][peer]})." for peer, what in case["missing"].items()
        ]
        lines += [f"Wrong: {fault}." for fault in case["faults"]]
    return "\n\n".join(lines)


def limits(result: Result) -> str:
    """The machine's peaks by number of threads, or the GPU's."""
    found = result["limits"]
    if "device" in result["machine"]:
        peaks = [f"{number(fma / 1e12)} TFLOP/s in {dtype}" for dtype, fma in found["fma"].items()]
        copied = f"copies in memory {number(found['copy']['cuda']['memory'] / 1e9)} GB/s"
        return f"Of the device: {', '.join(peaks)} (a large product by cuBLAS, without TF32); {copied}."
    levels = list(next(iter(found["copy"].values())))
    lines = [
        "| threads | FMA peak, float32 | " + " | ".join(f"copied in {level}" for level in levels) + " |",
        "|---|" + "---:|" * (1 + len(levels)),
    ]
    for threads, fma in sorted(found["fma"].items(), key=lambda item: int(item[0])):
        copied = [f"{number(found['copy'][threads][level] / 1e9)} GB/s" for level in levels]
        lines.append(f"| {threads} | {number(fma / 1e9)} GFLOP/s | " + " | ".join(copied) + " |")
    handovers = [
        time for case in result["cases"].values() for time in case.get("handover", {}).get("rounds", [])
    ]
    if handovers:
        least, middle, most = min(handovers), statistics.median(handovers), max(handovers)
        lines.append(
            f"\nWhat one thread writes came to another, after each case in each round, in "
            f"{number(least * 1e9)} to {number(most * 1e9)} ns, median {number(middle * 1e9)} ns."
        )
    return "\n".join(lines)


def _cell(case: Case, peer: str) -> str:
    if peer in case["missing"]:
        return "missing"
    if peer not in case["peers"]:
        return "failed" if any(f", {peer}:" in fault for fault in case["faults"]) else "–"
    first = first_of(case)
    return _time(case, peer) + (f", {_ratio(case, peer)}" if first in OWN and peer != first else "")


def _time(case: Case, peer: str) -> str:
    time, unit = case["peers"][peer]["time"], case["unit"]
    return f"{number(time['median'])} {unit} ({number(time['q1'])}–{number(time['q3'])})"


def _ratio(case: Case, peer: str) -> str:
    """How many times as long a peer takes as the first one; bold only where it takes longer."""
    if peer not in case["peers"] or first_of(case) not in OWN:
        return "–"
    ratio = case["peers"][peer]["ratio"]
    text = f"× {number(ratio['median'])}"
    spread = f" ({number(ratio['q1'])}–{number(ratio['q3'])})"
    return (f"**{text}**" if ratio["median"] >= 1 else f"{text} (Lamina takes more)") + spread


def _limit(case: Case, limit: str) -> str:
    part = share(case, limit)
    if part is None:
        return "–"
    return f"{number(case['limit'][limit])} {case['unit']} ({part:.0%})"


def number(value: float) -> str:
    """Three digits that count: 1234.5 -> 1,230; 0.01234 -> 0.0123."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def title(result: Result) -> str:
    """The machine, its instruction set, threads, and when it was."""
    where = result["machine"]
    date = where["date"][:16].replace("T", " ")
    return f"{where['cpu']}, {where['lamina']['isa']}, {where['threads']} threads, {date}"


def footnote(result: Result) -> str:
    where: dict[str, Any] = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    lamina = where["lamina"]
    words = [
        *([f"on {_device(where['device'])}"] if "device" in where else []),
        f"{where['cpu']}, {where['threads']} of {where['cpus']} CPUs",
        f"Lamina {lamina['version']} ({lamina['isa']})",
        f"Python {where['python']}, {versions}",
        f"commit {where['commit'] or 'unknown'}, {where['date'][:10]}",
        f"medians (quartiles) of {result['rounds']} rounds",
    ]
    words += [f"{name}: {text}" for name, text in result["data"].items() if text.startswith("made up")]
    others = [title for name, title in result["peers"].items() if name not in OWN]
    words.append(f"the others are {' · '.join(others) or 'none'}")
    if result["missing"]:
        words.append(f"{'missing' if 'device' in where else 'not installed'}: {', '.join(result['missing'])}")
    return "; ".join(words) + "."


def _device(found: dict[str, Any]) -> str:
    known = [
        f"{what} {found[key]}" for what, key in (("driver", "driver"), ("CUDA", "cuda")) if found.get(key)
    ]
    return found["name"] + (f" ({', '.join(known)})" if known else "")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for path in sys.argv[1:]:
        print(whole(load(Path(path))) + "\n")
