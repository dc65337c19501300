"""`summary()`: the table of layers and the counts below it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.keras._training.cells import cropped, wrapped
from lamina.keras._training.table import ASCII, UNICODE, column_widths, table_lines
from lamina.keras.layers.layer import Layer
from lamina.keras.utils.console import print_msg

if TYPE_CHECKING:
    from lamina.keras._training.stack import LayerStack

POSITIONS = (0.45, 0.80, 1.0)
LINE_LENGTH = 88
NARROWEST_COLUMN = 4


def print_summary(
    model: LayerStack,
    line_length: int | None,
    positions: Sequence[float] | None,
    print_fn: Any,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Sequence[str] | None,
) -> None:
    """See `Sequential.summary`."""
    text = summary_text(model, line_length, positions, expand_nested, show_trainable, layer_range)
    if print_fn is None:
        print_msg(text, line_break=False)
    else:
        print_fn(text)


def summary_text(
    model: LayerStack,
    line_length: int | None,
    positions: Sequence[float] | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Sequence[str] | None,
) -> str:
    """The whole text, ending in a newline."""
    header = ["Layer (type)", "Output Shape", "Param #"]
    alignment = ["left", "left", "right"]
    ends = list(positions or POSITIONS)
    length = LINE_LENGTH
    if show_trainable:
        header.append("Trainable")
        alignment.append("center")
        ends = [end * 0.90 for end in ends] + [1.0]
        length += 12
    if not line_length:
        import shutil  # it brings every archive format along

        line_length = min(length, shutil.get_terminal_size().columns - 4)
    length = line_length
    if len(ends) < len(header):
        raise ValueError(f"positions: expected one for each of {len(POSITIONS)} columns, got {positions!r}")
    widths = column_widths(_wanted_widths(ends, length)[: len(header)], length)  # as Keras, which takes more
    layers = _in_range(model.layers, layer_range)
    rows = [row for layer in layers for row in _rows(model, layer, expand_nested, show_trainable)]
    rules = UNICODE if _encoding().startswith("utf") else ASCII
    console = _console_width()
    lines = wrapped(f'Model: "{model.name}"', console, fold=True)
    lines += [cropped(line, console) for line in table_lines(header, rows, alignment, widths, rules)]
    lines += _counts(model)
    return "".join(f"{line}\n" for line in lines)


def _wanted_widths(ends: Sequence[float], length: int) -> list[int]:
    widths = []
    current = 0
    for end in ends:
        width = int(end * length) - current
        if width < NARROWEST_COLUMN:
            raise ValueError(
                f"line_length: expected columns of at least {NARROWEST_COLUMN} characters, got {width} from "
                f"line_length={length} and positions={list(ends)}"
            )
        widths.append(width)
        current += width
    return widths


def _rows(
    model: LayerStack, layer: Any, expand_nested: bool, show_trainable: bool, level: int = 0
) -> list[list[str]]:
    """That of the layer, and below it those of its own layers."""
    rows = [_fields(model, layer, "   " * level + "└ " if level else "", show_trainable)]
    if expand_nested:
        for inner in getattr(layer, "layers", ()):
            rows += _rows(layer, inner, expand_nested, show_trainable, level + 1)
    return rows


def _fields(model: LayerStack, layer: Any, prefix: str, show_trainable: bool) -> list[str]:
    shape = model.shape_after(layer)
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    fields = [
        f"{prefix}{layer.name} ({type(layer).__name__})",
        "?" if shape is None else f"({', '.join(map(str, shape))})",
        count,
    ]
    if show_trainable:
        fields.append(("Y" if layer.trainable else "N") if layer.weights else "-")
    return fields


def _counts(model: LayerStack) -> list[str]:
    trainable, others = _size(model.trainable_weights), _size(model.non_trainable_weights)
    optimizer = _optimizer_counts(model)
    state = optimizer or (0, 0)
    counts = [
        ("Total", trainable[0] + others[0] + state[0], trainable[1] + others[1] + state[1]),
        ("Trainable", *trainable),
        ("Non-trainable", *others),
    ]
    if optimizer:
        counts.append(("Optimizer", *optimizer))
    return [f" {name} params: {count:,} ({_readable(size)})" for name, count, size in counts]


def _size(weights: Sequence[Any]) -> tuple[int, int]:
    """(numbers, bytes)"""
    return (
        sum(weight.size for weight in weights),
        sum(weight.size * np.dtype(weight.dtype).itemsize for weight in weights),
    )


def _optimizer_counts(model: LayerStack) -> tuple[int, int] | None:
    """(numbers, bytes) of the optimizer's variables once it has trained."""
    if not model.optimizer_has_state:
        return None
    optimizer = model.optimizer
    optimizer.core(model.dtype)
    # A copy that has not trained yet is not built.
    optimizer.build_for(model.learning_weights, model.core_weights)
    return _size(optimizer.variables)


def _readable(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"


def _in_range(layers: list[Layer], layer_range: Sequence[str] | None) -> list[Layer]:
    if layer_range is None:
        return layers
    if (
        isinstance(layer_range, str)
        or len(layer_range) != 2
        or not all(isinstance(name, str) for name in layer_range)
    ):
        raise ValueError(f"layer_range: expected two names or regular expressions, got {layer_range!r}")
    first, last = (
        [i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range
    )
    if not first or not last:
        raise ValueError(
            f"layer_range: expected names among {[layer.name for layer in layers]}, got {layer_range!r}"
        )
    if min(first) > max(last):  # given the other way round
        first, last = last, first
    return layers[min(first) : max(last) + 1]


def _encoding() -> str:
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower()


def _console_width() -> int:
    """Longer lines are cut, and a longer title is folded, as on Keras's console: at COLUMNS, the terminal's
    width, or 80.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns):
        return int(columns)
    for descriptor in (0, 1, 2):
        try:
            return os.get_terminal_size(descriptor).columns or 80
        except (OSError, ValueError):
            continue
    return 115 if "ipykernel" in sys.modules else 80  # what Keras's console takes in a notebook
