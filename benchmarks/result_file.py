"""Result files, and what several programs want to know of them."""

import json
from pathlib import Path
from typing import Any

Result = dict[str, Any]
Case = dict[str, Any]

SCHEMA = 2
OWN = ("lamina", "lamina_1", "lamina_many", "ops")  # peers that are Lamina


def load(path: Path) -> Result:
    """A result file of this schema or of the first, which knew no groups and no limits.

    Raises:
        ValueError: it is none.
    """
    result: Result = json.loads(path.read_text(encoding="utf-8"))
    schema = result.get("schema") if isinstance(result, dict) else None
    if schema not in (1, SCHEMA):
        raise ValueError(f"{path}: expected a result file of schema 1 or {SCHEMA}, got {schema!r}")
    for case in result["cases"].values():
        case.setdefault("group", "training")
        case.setdefault("missing", {})
    result.setdefault("limits", {})
    return result


def groups(result: Result) -> dict[str, dict[str, Case]]:
    """The cases by name, by group."""
    found: dict[str, dict[str, Case]] = {}
    for name, case in result["cases"].items():
        found.setdefault(case["group"], {})[name] = case
    return found


def first_of(case: Case) -> str | None:
    """The peer that the ratios are to; None where nobody finished."""
    return next(iter(case["peers"]), None)


def best_other(case: Case) -> str | None:
    """The quickest peer that is not Lamina."""
    others = [name for name in case["peers"] if name not in OWN]
    return min(others, key=lambda name: float(case["peers"][name]["ratio"]["median"]), default=None)


def share(case: Case, limit: str = "fma") -> float | None:
    """Lamina's share of a limit of the machine: 1 where it takes the least time that is possible."""
    first = first_of(case)
    if first not in OWN or limit not in case.get("limit", {}):
        return None
    return float(case["limit"][limit] / case["peers"][first]["time"]["median"])


def grid_of(cases: dict[str, Case]) -> dict[tuple[int, int], Case]:
    """The cases of the group "grid" that Lamina finished, by width and batch size."""
    return {
        (int(width), int(size)): case
        for name, case in cases.items()
        if first_of(case) == "lamina"
        for width, size in [name.removeprefix("grid").split("x")]
    }


def of_one_thread(case: Case) -> dict[str, Any] | None:
    """How many times as long Lamina takes with one thread, where both were measured."""
    found = case["peers"].get("lamina_1")
    return found["ratio"] if found is not None else None


def not_won(result: Result) -> list[tuple[str, str, dict[str, Any]]]:
    """(case, peer, ratio) wherever somebody takes less than Lamina."""
    return [
        (name, peer, found["ratio"])
        for name, case in result["cases"].items()
        for peer, found in case["peers"].items()
        if first_of(case) in OWN and peer not in OWN and found["ratio"]["median"] < 1
    ]
