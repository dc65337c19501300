"""Tables from result files: `python benchmarks/report.py results/FILE.json` prints Markdown."""

import statistics
import sys
from pathlib import Path
from typing import Any

from result_file import OWN, Case, Result, best_other, first_of, groups, load, not_won, share


def whole(result: Result) -> str:
    """All the tables: the summary, the machine's limits, where Lamina does not win, and each group."""
    parts = [summary(result), footnote(result), losses(result)]
    if result["limits"]:
        parts.append(limits(result))
    for group, cases in groups(result).items():
        parts.append(f"### {group.capitalize()}\n\n{table(result, cases)}")
    return "\n\n".join(parts)


def summary(result: Result, wanted: tuple[str, ...] = ()) -> str:
    """A row per case: the first peer's time, against Keras, against the best other, share of the limit.

    Args:
        result: of a run.
        wanted: the groups; default all but the sweeps, which plots show.
    """
    lines = ["| case | Lamina | Keras | best other | of FMA peak |", "|---|---:|---:|---:|---:|"]
    for name, case in result["cases"].items():
        if case["group"] not in wanted if wanted else case["group"] in ("width", "batch"):
            continue
        first, best, part = first_of(case), best_other(case), share(case)
        if first in OWN:
            cells = [_time(case, first), _ratio(case, "keras")]
            cells.append(f"{_ratio(case, best)} {result['peers'][best]}" if best else "–")
            cells.append(f"{part:.0%}" if part is not None else "–")
        else:
            own = next((name for name in OWN if name in case["missing"]), "lamina")
            cells = [_cell(case, own), "–", "–", "–"]
        lines.append(f"| **{name}** {case['title']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def table(result: Result, cases: dict[str, Case]) -> str:
    """The times of all the peers of some cases; in brackets the quartiles over the rounds."""
    names = [name for name in result["peers"] if any(name in case["peers"] for case in cases.values())]
    limited = any("limit" in case for case in cases.values())
    head = ["case", *(result["peers"][name] for name in names)]
    head += ["its products at FMA peak (share)", "by the best BLAS (share)"] if limited else []
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for name, case in cases.items():
        cells = [_cell(case, peer) for peer in names]
        if limited:
            cells += [_limit(case, "fma"), _limit(case, "blas")]
        lines.append(f"| **{name}** {case['title']} | " + " | ".join(cells) + " |")
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
    """The machine's peaks by number of threads."""
    found = result["limits"]
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


def footnote(result: Result) -> str:
    where: dict[str, Any] = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    lamina = where["lamina"]
    words = [
        f"{where['cpu']}, {where['threads']} of {where['cpus']} CPUs",
        f"Lamina {lamina['version']} ({lamina['isa']})",
        f"Python {where['python']}, {versions}",
        f"commit {where['commit'] or 'unknown'}, {where['date'][:10]}",
        f"medians (quartiles) of {result['rounds']} rounds",
    ]
    words += [f"{name}: {text}" for name, text in result["data"].items() if text.startswith("made up")]
    if result["missing"]:
        words.append(f"not installed: {', '.join(result['missing'])}")
    return "; ".join(words) + "."


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for path in sys.argv[1:]:
        print(whole(load(Path(path))) + "\n")
