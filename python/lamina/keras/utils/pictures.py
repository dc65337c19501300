"""Boxes with lines between them, drawn by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_LETTER, _LINE, _GAP = 0.095, 0.42, 0.5  # inches: a letter's width, a row's height, from box to box
_COLOURS = {"Trainable": ("forestgreen", "white"), "Non-trainable": ("firebrick", "white")}


def draw(boxes: list[list[list[str]]], path: Path, kind: str, rankdir: str, dpi: int) -> None:
    """One box after the other.

    Args:
        boxes: of each its rows, the title first, each a list of cells.
        path, kind: file and format.
        rankdir: "LR" puts them side by side; else they stand one below the other.
        dpi: of the picture.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sizes = [(max(map(_width, rows)), _LINE * len(rows)) for rows in boxes]
    along = rankdir == "LR"
    widths, heights = [width for width, _ in sizes], [height for _, height in sizes]
    gaps = _GAP * (len(boxes) + 1)
    whole = (
        (sum(widths) + gaps, max(heights) + 2 * _GAP)
        if along
        else (max(widths) + 2 * _GAP, sum(heights) + gaps)
    )
    figure = Figure(figsize=whole, dpi=dpi)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, whole[0])
    axes.set_ylim(whole[1], 0)
    axes.axis("off")
    at, before = _GAP, None
    for rows, (width, height) in zip(boxes, sizes, strict=True):
        left, top = (at, (whole[1] - height) / 2) if along else ((whole[0] - width) / 2, at)
        _box(axes, rows, left, top, width)
        entry = (left, top + height / 2) if along else (left + width / 2, top)
        if before is not None:
            axes.annotate(
                "", xy=entry, xytext=before, arrowprops={"arrowstyle": "-|>", "lw": 2, "color": "black"}
            )
        before = (left + width, top + height / 2) if along else (left + width / 2, top + height)
        at += (width if along else height) + _GAP
    figure.savefig(path, format=kind)


def _width(cells: list[str]) -> float:
    return sum(_LETTER * len(cell) + 0.4 for cell in cells)


def _box(axes: Any, rows: list[list[str]], left: float, top: float, width: float) -> None:
    from matplotlib.patches import Rectangle

    for number, cells in enumerate(rows):
        x, y = left, top + number * _LINE
        for cell in cells:
            own = width * _width([cell]) / _width(cells)
            back, front = ("black", "white") if number == 0 else _COLOURS.get(cell, ("white", "black"))
            axes.add_patch(Rectangle((x, y), own, _LINE, facecolor=back, edgecolor="black"))
            axes.text(
                x + own / 2,
                y + _LINE / 2,
                cell,
                color=front,
                ha="center",
                va="center",
                fontsize=11,
                parse_math=False,
            )
            x += own
