"""Two result files side by side: `python benchmarks/compare.py BEFORE.json AFTER.json`.

For each case and peer that both hold: the time before and after, and their ratio. "slower" and "faster"
where the quartiles over the rounds lie apart; else, and after one round, the difference may be chance. Each
file was measured on its own: on a noisy machine see whether the other peers, which did not change, moved too.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from report import number
from result_file import OWN, Result, load


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--all", action="store_true", help="other libraries too, not only Lamina")
    parser.add_argument("--fail", action="store_true", help="exit status 1 if Lamina got slower in some case")
    options = parser.parse_args()
    try:
        before, after = load(options.before), load(options.after)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    rows = changes(before, after, None if options.all else OWN)
    print(table(before, after, rows))
    slower = [row for row in rows if row["verdict"] == "slower" and row["peer"] in OWN]
    for row in slower:
        print(f"SLOWER: {row['case']}, {after['peers'][row['peer']]}, × {number(row['ratio'])}")
    return 1 if slower and options.fail else 0


def changes(before: Result, after: Result, peers: tuple[str, ...] | None) -> list[dict[str, Any]]:
    """A row per case and peer that both hold: times before and after, their ratio and the verdict."""
    rows = []
    for name, case in after["cases"].items():
        old = before["cases"].get(name, {"peers": {}, "unit": case["unit"]})
        if old["unit"] != case["unit"]:
            continue
        for peer, found in case["peers"].items():
            if peer not in old["peers"] or (peers is not None and peer not in peers):
                continue
            was, now = old["peers"][peer]["time"], found["time"]
            verdict = "slower" if now["q1"] > was["q3"] else "faster" if now["q3"] < was["q1"] else ""
            if min(len(time["rounds"]) for time in (was, now)) == 1:  # no spread: nothing can be told
                verdict = ""
            rows.append(
                {
                    "case": name,
                    "peer": peer,
                    "unit": case["unit"],
                    "before": was,
                    "after": now,
                    "ratio": now["median"] / was["median"],
                    "verdict": verdict,
                }
            )
    return rows


def table(before: Result, after: Result, rows: list[dict[str, Any]]) -> str:
    lines = []
    for word, result in (("before", before), ("after", after)):
        where = result["machine"]
        lines.append(
            f"{word}: commit {where['commit']}, {where['date'][:16]}, {where['cpu']}, "
            f"{where['threads']} threads"
        )
    if _machine(before) != _machine(after):
        lines.append("different machines, devices or threads: the times are not comparable")
    lines += ["", "| case | peer | before | after | after / before | |", "|---|---|---:|---:|---:|---|"]
    for row in rows:
        cells = [row["case"], after["peers"][row["peer"]], *(_time(row, key) for key in ("before", "after"))]
        lines.append("| " + " | ".join([*cells, f"× {number(row['ratio'])}", row["verdict"]]) + " |")
    return "\n".join(lines)


def _machine(result: Result) -> tuple[Any, ...]:
    where = result["machine"]
    return where["cpu"], where["threads"], where.get("device", {}).get("name")


def _time(row: dict[str, Any], key: str) -> str:
    time = row[key]
    return f"{number(time['median'])} {row['unit']} ({number(time['q1'])}–{number(time['q3'])})"


if __name__ == "__main__":
    sys.exit(main())
