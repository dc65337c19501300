"""The axes that a loss or metric goes along, and how the core is told of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

# Of those that see an output's classes together, the ones that take any axes, also several, also all (None).
# (Keras's of class numbers take the last one only.)
ANY_AXES = (
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "concordance_correlation",
    "cosine_similarity",
    "dice",
    "pearson_correlation",
    "tversky",
)


def check_axis(measure: Any, argument: str = "loss") -> None:
    """Refuse what is no axis of a loss or metric, whatever the output.

    Raises:
        ValueError: as its text says, which names this argument of `compile`.
    """
    axis = getattr(measure, "axis", -1)
    where = f"{argument}: {measure.name!r}: axis"
    if measure.core_kind not in ANY_AXES:
        if not _is_int(axis):
            raise ValueError(f"{where}: expected -1, the last axis, got {axis!r}")
        return
    if axis is None or _is_int(axis):
        return
    if not isinstance(axis, (tuple, list)) or not axis or not all(map(_is_int, axis)):
        raise ValueError(f"{where}: expected an int, several or None, got {axis!r}")
    if measure.core_kind == "categorical_crossentropy" and measure.from_logits:
        raise ValueError(f"{where}: expected an int beside from_logits, got {axis!r}")


def core_axes(measure: Any, shape: Sequence[int], at_logits: bool, argument: str = "loss") -> dict[str, Any]:
    """What the core has to know of the axes of a loss or metric; {} where it goes along the last one.

    Args:
        measure: it has passed `check_axis`.
        shape: of a sample's output, as it sees it.
        at_logits: whether it may take what goes into the output's softmax or sigmoid.
        argument: of `compile`, for errors.

    Raises:
        ValueError: an axis that the output hasn't, or twice.
    """
    axis = getattr(measure, "axis", -1)
    rank = len(shape) + 1
    given: Any = range(rank) if axis is None else (axis,) if _is_int(axis) else axis
    axes = sorted(each + rank if each < 0 else each for each in given)
    where = f"{argument}: {measure.name!r}: axis"
    if len(set(axes)) < len(axes) or not 0 <= axes[0] <= axes[-1] < rank:
        raise ValueError(f"{where}: expected axes of an output of rank {rank}, got {axis!r}")
    if axes == [rank - 1]:
        return {}
    if measure.core_kind not in ANY_AXES:
        raise ValueError(f"{where}: expected -1, the last axis, got {axis!r}")
    classes = measure.core_kind == "categorical_crossentropy"
    if classes and at_logits and not _is_int(axis) and axis is not None:
        raise ValueError(
            f"{where}: expected an int where the model ends in softmax or sigmoid, got {axis!r}; "
            "TensorFlow takes what goes into it along one axis only"
        )
    if len(axes) == rank:
        return {"whole_batch": True}
    return _rows_along([each - 1 for each in axes if each > 0], axes[0] == 0, shape)


def takes_rows_of_logits(measure: Any, at_logits: bool) -> bool:
    """Whether all axes are the last one to it: TensorFlow's cross-entropy of logits knows no others."""
    return measure.core_kind == "categorical_crossentropy" and (at_logits or bool(measure.from_logits))


def _rows_along(axes: list[int], batch: bool, shape: Sequence[int]) -> dict[str, Any]:
    kept = [place for place in range(len(shape)) if place not in axes]
    places = np.arange(math.prod(shape)).reshape(shape).transpose(*kept, *axes)
    width = math.prod(itertools.compress(shape, [place in axes for place in range(len(shape))]))
    rows = {"axes_from": places.ravel().tolist(), "axes_width": width}
    return {**rows, "axes_batch": True, "axes_counts": shape[kept[0]]} if batch else rows


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
