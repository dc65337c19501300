"""Plots of a result file: `python benchmarks/plots.py RESULT.json [--folder DIR] [--format svg|png]`.

Needs matplotlib (`pip install '.[plot]'`).
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from report import number
from result_file import (
    OWN,
    Case,
    Result,
    best_other,
    first_of,
    grid_of,
    groups,
    load,
    of_one_thread,
    share,
)

# One colour a library in every plot, told apart by those who see fewer colours too (after Okabe and Ito);
# Lamina's stands out. One thread: the same colour, dashed.
COLOURS = {
    "lamina": "#0072B2",
    "keras": "#E69F00",
    "torch": "#009E73",
    "numpy": "#999999",
    "other": "#8C564B",
}
LOST = "#C62828"
SWEEPS = {"width": "units of the hidden layer", "batch": "rows of a batch"}
_SETTINGS = {"svg.hashsalt": "lamina", "svg.fonttype": "path", "font.size": 10}


def draw(result: Result, folder: Path, kind: str = "svg") -> list[Path]:
    """Draw what the result holds the cases for; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    found = groups(result)
    drawn: dict[str, Callable[[], Figure]] = {}
    bars = {
        name: case
        for group in ("training", "calls", "by hand", "start", "many models", "threads")
        for name, case in found.get(group, {}).items()
        if best_other(case) is not None and first_of(case) in OWN
    }
    if bars:
        drawn["ratios"] = lambda: ratios(result, bars)
    if "kernels" in found:
        drawn["kernels"] = lambda: ratios(result, found["kernels"], baseline="numpy")
    shares = {name: case for name, case in found.get("training", {}).items() if share(case) is not None}
    if shares:
        drawn["limits"] = lambda: limits(shares)
    for group in SWEEPS:
        if group in found:
            drawn[group] = lambda group=group: sweep(result, group, found[group])
    if together := grid_of(found.get("grid", {})):
        drawn["grid"] = lambda: grid(result, together)
    paths = []
    with mpl.rc_context(_SETTINGS):
        for name, make in drawn.items():
            path = folder / f"{name}.{kind}"
            FigureCanvasAgg(figure := make())
            figure.savefig(path, dpi=100, metadata={"Date": None} if kind == "svg" else None)
            paths.append(path)
    return paths


def ratios(result: Result, cases: dict[str, Case], baseline: str = "keras") -> Figure:
    """Bars: how many times as long the others take. Shorter than 1, where Lamina is slower, is red."""
    figure, axis = _axes(height=1.3 + 0.5 * len(cases))
    for i, case in enumerate(cases.values()):
        best = best_other(case)
        drawn = [peer for peer in (baseline, best) if peer in case["peers"]]
        for peer, offset in zip(dict.fromkeys(drawn), (-0.2, 0.2), strict=False):
            ratio = case["peers"][peer]["ratio"]
            value, low, high = (float(ratio[key]) for key in ("median", "q1", "q3"))
            colour = LOST if value < 1 else _colour(peer)
            axis.barh(i + offset, math.log10(value), 0.38, color=colour, edgecolor="black", linewidth=0.4)
            axis.plot([math.log10(low), math.log10(high)], [i + offset] * 2, color="black", linewidth=1)
            axis.annotate(
                f"× {number(value)}  {result['peers'][peer]}",
                (max(math.log10(high), 0.0), i + offset),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=LOST if value < 1 else "black",
            )
    axis.set_yticks(range(len(cases)), list(cases))
    axis.invert_yaxis()
    low, high = axis.get_xlim()
    axis.set_xlim(min(low, -0.05), high + 0.28 * (high - low))  # room for the words
    ticks = range(math.floor(min(low, 0)), math.ceil(high) + 1)
    axis.set_xticks(list(ticks), [f"{10**tick:,}" if tick >= 0 else f"{10.0**tick:g}" for tick in ticks])
    axis.axvline(0, color="black", linewidth=1)
    axis.grid(axis="x", linewidth=0.4)
    axis.set_axisbelow(True)
    axis.set_xlabel("times as much as Lamina takes; less than 1, in red: Lamina takes more")
    against = (
        f"Against {result['peers'][baseline]}, and against" if baseline in result["peers"] else "Against"
    )
    axis.set_title(f"{against} the best of the others")
    return figure


def limits(cases: dict[str, Case]) -> Figure:
    """Bars: the share of the FMA peak that Lamina's steps reach, and that the best BLAS leaves room for."""
    figure, axis = _axes(height=1.3 + 0.45 * len(cases))
    for i, case in enumerate(cases.values()):
        part = share(case)
        assert part is not None
        axis.barh(
            i, 100 * part, 0.5, color=COLOURS["lamina"], label="Lamina, the whole step" if i == 0 else None
        )
        axis.annotate(f"{part:.0%}", (100 * part, i), xytext=(4, 0), textcoords="offset points", va="center")
        if "blas" in case["limit"]:
            blas = 100 * case["limit"]["fma"] / case["limit"]["blas"]
            label = "the best BLAS, the products alone" if i == 0 else None
            axis.plot([blas] * 2, [i - 0.35, i + 0.35], color=COLOURS["keras"], linewidth=3, label=label)
    axis.set_yticks(range(len(cases)), list(cases))
    axis.invert_yaxis()
    axis.set_xlim(0, max(100.0, axis.get_xlim()[1]))
    axis.grid(axis="x", linewidth=0.4)
    axis.set_axisbelow(True)
    axis.set_xlabel("% of the FMA peak in float32 that the machine was measured to have")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return figure


def sweep(result: Result, group: str, cases: dict[str, Case]) -> Figure:
    """Lines: the time of a step by width or batch size, with the machine's limit."""
    figure, axis = _axes(height=5)
    sizes = {name: int(name.removeprefix(group)) for name in cases}
    for peer in result["peers"]:
        points = [
            (sizes[n], case["peers"][peer]["time"]) for n, case in cases.items() if peer in case["peers"]
        ]
        if not points:
            continue
        x = [size for size, _ in points]
        style = {"color": _colour(peer), "linestyle": "--" if peer.endswith("_1") else "-"}
        axis.plot(
            x,
            [time["median"] for _, time in points],
            marker="o",
            markersize=4,
            label=result["peers"][peer],
            **style,
        )
        axis.fill_between(
            x,
            [time["q1"] for _, time in points],
            [time["q3"] for _, time in points],
            alpha=0.15,
            color=style["color"],
        )
    for limit, word, style in (
        ("fma", "products at the FMA peak", ":"),
        ("blas", "products by the best BLAS", "-."),
    ):
        points = [
            (sizes[name], case["limit"][limit])
            for name, case in cases.items()
            if limit in case.get("limit", {})
        ]
        if points:
            axis.plot(*zip(*points, strict=True), color="black", linewidth=1, linestyle=style, label=word)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(list(sizes.values()), [str(size) for size in sizes.values()])
    axis.grid(linewidth=0.4)
    axis.set_xlabel(SWEEPS[group])
    axis.set_ylabel("µs a step")
    title = next(iter(cases.values()))["title"]
    axis.set_title(_without_size(title, group))
    axis.legend(frameon=False, fontsize=9)
    return figure


def grid(result: Result, found: dict[tuple[int, int], Case]) -> Figure:
    """Two maps by width and batch size: what more threads are worth, and the share of the FMA peak."""
    widths = sorted({width for width, _ in found})
    sizes = sorted({size for _, size in found})

    def one_thread(case: Case) -> float:
        ratio = of_one_thread(case)
        return math.nan if ratio is None else float(ratio["median"])

    def of_peak(case: Case) -> float:
        part = share(case)
        return math.nan if part is None else 100 * part

    figure = Figure(figsize=(11, 1.6 + 0.42 * len(widths)), layout="constrained")
    most = max(2, result["machine"]["threads"])
    for axis, title, value, words, colours, span in (
        (
            figure.add_subplot(1, 2, 1),
            "how many times as long one thread takes; red: less",
            one_thread,
            "{:.2f}",
            "RdBu",
            (2 - most, most),  # white, in the middle, is 1
        ),
        (figure.add_subplot(1, 2, 2), "% of the FMA peak", of_peak, "{:.0f}", "Blues", (0, 100)),
    ):
        values = [
            [value(found[width, size]) if (width, size) in found else math.nan for size in sizes]
            for width in widths
        ]
        axis.imshow(values, cmap=colours, vmin=span[0], vmax=span[1], aspect="auto", alpha=0.75)
        for row, numbers in enumerate(values):
            for column, shown in enumerate(numbers):
                if not math.isnan(shown):
                    axis.text(column, row, words.format(shown), ha="center", va="center", fontsize=8)
        axis.set_xticks(range(len(sizes)), list(map(str, sizes)))
        axis.set_yticks(range(len(widths)), list(map(str, widths)))
        axis.set_xlabel(SWEEPS["batch"])
        axis.set_ylabel(SWEEPS["width"])
        axis.set_title(title)
    return figure


def _without_size(title: str, group: str) -> str:
    """A sweep's title: that of its first case with the swept number as n."""
    if group == "width":
        features, _, rest = title.split("-", 2)
        return f"{features}-n-{rest}"
    return title.rsplit(" ", 1)[0] + " n"


def _axes(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(9, height), layout="constrained")
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(False)
    return figure, axis


def _colour(peer: str) -> str:
    if peer in OWN:
        return COLOURS["lamina"]
    return next((colour for name, colour in COLOURS.items() if peer.startswith(name)), COLOURS["other"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("result", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(), help="default: the current one")
    parser.add_argument("--format", choices=("svg", "png"), default="svg")
    options = parser.parse_args()
    for path in draw(load(options.result), options.folder, options.format):
        print(path)


if __name__ == "__main__":
    sys.exit(main())
