"""A ruled table in plain text, laid out as Keras's summary lays out its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from lamina.keras._training.cells import cell_width, shortened, wrapped


class Rules(NamedTuple):
    """The characters of the lines: left, filling, divider and right of rules; left, divider and right of
    rows.
    """

    top: str
    header: str
    below_header: str
    row: str
    between_rows: str
    bottom: str


UNICODE = Rules(top="┏━┳┓", header="┃┃┃", below_header="┡━╇┩", row="│││", between_rows="├─┼┤", bottom="└─┴┘")
# For terminals whose encoding has no such characters.
ASCII = Rules(top="+--+", header="|||", below_header="|-+|", row="|||", between_rows="|-+|", bottom="+--+")


def table_lines(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    alignment: Sequence[str],
    widths: Sequence[int],
    rules: Rules,
) -> list[str]:
    """The table's lines.

    Args:
        header: title per column.
        rows: cells per row; text too long for its column is wrapped at spaces, then shortened.
        alignment: "left", "right" or "center" per column.
        widths: cells per column, one blank on each side included.
        rules: the characters of the lines.
    """
    # A title of several lines stands at the bottom of its row, any other cell at the top.
    lines = [_rule(widths, rules.top), *_row(header, alignment, widths, rules.header, at_bottom=True)]
    lines.append(_rule(widths, rules.below_header))
    for index, row in enumerate(rows):
        if index:
            lines.append(_rule(widths, rules.between_rows))
        lines.extend(_row(row, alignment, widths, rules.row, at_bottom=False))
    lines.append(_rule(widths, rules.bottom))
    return lines


def column_widths(wanted: Sequence[int], line_length: int) -> list[int]:
    """Widths with one blank on each side, so that the ruled table is line_length wide.

    What is too much is taken from the columns evenly, what is missing is added in proportion, both from left
    to right with what rounding leaves passed on.
    """
    widths = [width + 2 for width in wanted]
    room = line_length - (len(widths) + 1)  # the vertical lines
    excess = sum(widths) - room
    missing, total = -excess, sum(widths)
    for index, width in enumerate(widths):
        if excess > 0:
            part = min(width, round(excess / (len(widths) - index)))
            widths[index] -= part
            excess -= part
        elif missing > 0:
            part = math.ceil(width * missing / total)
            widths[index] += part
            missing -= part
            total -= width
    return widths


def _rule(widths: Sequence[int], characters: str) -> str:
    left, filling, divider, right = tuple(characters)
    return left + divider.join(filling * width for width in widths) + right


def _row(
    cells: Sequence[str], alignment: Sequence[str], widths: Sequence[int], edges: str, at_bottom: bool
) -> list[str]:
    left, divider, right = tuple(edges)
    columns = [
        [_aligned(line, side, width - 2) for line in wrapped(cell, width - 2, fold=False)]
        for cell, side, width in zip(cells, alignment, widths, strict=True)
    ]
    height = max(map(len, columns))
    for column, width in zip(columns, widths, strict=True):
        blanks = [" " * (width - 2)] * (height - len(column))
        column[:] = blanks + column if at_bottom else column + blanks
    return [left + divider.join(f" {column[line]} " for column in columns) + right for line in range(height)]


def _aligned(text: str, side: str, width: int) -> str:
    text = shortened(text if side == "left" else text.rstrip(), width)
    blanks = width - cell_width(text)
    if side == "right":
        return " " * blanks + text
    before = blanks // 2 if side == "center" else 0
    return " " * before + text + " " * (blanks - before)
