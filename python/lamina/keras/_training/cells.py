"""Text measured in terminal cells: wide characters (한, 漢) take two, combining ones none."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\s*\S+\s*")


def cell_width(text: str) -> int:
    """How many cells of a terminal the text takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc") else 1


def cropped(text: str, width: int) -> str:
    """The beginning that fits; half of a wide character becomes a space."""
    used = 0
    for index, character in enumerate(text):
        size = _character_width(character)
        if used + size > width:
            return text[:index] + " " * (width - used)
        used += size
    return text


def wrapped(text: str, width: int, fold: bool) -> list[str]:
    """Lines of at most `width` cells, broken between words; a longer word is folded, or left whole."""
    breaks: list[int] = []
    used = 0
    for match in _WORD.finditer(text):
        word, start = match.group(), match.start()
        length = cell_width(word.rstrip())
        if length <= width - used:
            used += cell_width(word)
        elif length > width and fold:
            for piece in _pieces(word, width):
                if start:
                    breaks.append(start)
                start += len(piece)
                used = cell_width(piece)
        elif (length > width or used) and start:
            breaks.append(start)
            used = cell_width(word)
        elif length > width:
            used = cell_width(word)
    ends = [*breaks, len(text)]
    lines = [text[first:last] for first, last in zip([0, *breaks], ends, strict=True)]
    return [_without_blanks_beyond(line, width) for line in lines]


def shortened(text: str, width: int) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if cell_width(text) <= width else cropped(text, width - 1) + "…"


def _pieces(word: str, width: int) -> list[str]:
    pieces, first, used = [], 0, 0
    for index, character in enumerate(word):
        size = _character_width(character)
        if used + size > width:
            pieces.append(word[first:index])
            first, used = index, 0
        used += size
    if used:
        pieces.append(word[first:])
    return pieces


def _without_blanks_beyond(line: str, width: int) -> str:
    excess = len(line) - width
    if excess <= 0:
        return line
    blanks = len(line) - len(line.rstrip())
    return line[: len(line) - min(blanks, excess)]
