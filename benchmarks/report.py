"""Tables from result files: `python benchmarks/report.py results/FILE.json` prints Markdown."""

import json
import sys
from pathlib import Path
from typing import Any


def table(result: dict[str, Any]) -> str:
    """A Markdown table: a row per case, the first peer's time, and how many times as long the others take.

    In brackets the quartiles over the rounds.
    """
    first, *others = result["peers"]
    titles = result["peers"]
    lines = [
        f"| case | {titles[first]} | " + " | ".join(titles[name] for name in others) + " |",
        "|---|" + "---:|" * len(titles),
    ]
    for name, case in result["cases"].items():
        cells = [_cell(case, peer, first) for peer in titles]
        lines.append(f"| **{name}** {case['title']} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", _footnote(result)])


def _cell(case: dict[str, Any], peer: str, first: str) -> str:
    if peer not in case["peers"]:
        return "failed" if case["faults"] else "–"
    found = case["peers"][peer]
    time, unit = found["time"], case["unit"]
    if peer == first or first not in case["peers"]:
        return f"{_number(time['median'])} {unit} ({_number(time['q1'])}–{_number(time['q3'])})"
    ratio = found["ratio"]
    spread = f"{_number(ratio['q1'])}–{_number(ratio['q3'])}"
    return f"{_number(time['median'])} {unit}, **× {_number(ratio['median'])}** ({spread})"


def _number(value: float) -> str:
    """Three digits that count: 1234.5 -> 1,230; 0.01234 -> 0.0123."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def _footnote(result: dict[str, Any]) -> str:
    where = result["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in where["versions"].items())
    lamina = where["lamina"]
    words = [
        f"{where['cpu']}, {where['threads']} of {where['cpus']} CPUs",
        f"Lamina {lamina['version']} ({lamina['isa']}, {lamina['blas']})",
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
        print(table(json.loads(Path(path).read_text(encoding="utf-8"))) + "\n")
