"""The axes that a loss goes along, and how the core is told of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

# Of those that see an output's classes together, the ones that take any axes, also several, also all (None).
# (Keras's metrics and losses of class numbers take the last one only.)
ANY_AXES = (
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "cosine_similarity",
    "dice",
    "tversky",
)


def check_axis(loss: Any) -> None:
    """Refuse what is no axis, whatever the output.

    Raises:
        ValueError: as its text says.
    """
    axis = getattr(loss, "axis", -1)
    if loss.core_kind not in ANY_AXES:
        if not _is_int(axis):
            raise ValueError(f"loss: {loss.name!r}: axis: expected -1, the last axis, got {axis!r}")
        return
    if axis is None or _is_int(axis):
        return
    if not isinstance(axis, (tuple, list)) or not axis or not all(map(_is_int, axis)):
        raise ValueError(f"loss: {loss.name!r}: axis: expected an int, several or None, got {axis!r}")
    if loss.core_kind == "categorical_crossentropy" and loss.from_logits:
        raise ValueError(f"loss: {loss.name!r}: axis: expected an int beside from_logits, got {axis!r}")


def core_axes(loss: Any, shape: Sequence[int], at_logits: bool) -> dict[str, Any]:
    """What the core's loss has to know of the axes; {} where it goes along the last one.

    Args:
        loss: it has passed `check_axis`.
        shape: of a sample's output, as the loss sees it.
        at_logits: whether it may take what goes into the output's softmax or sigmoid.

    Raises:
        ValueError: an axis that the output hasn't, or twice.
    """
    axis = getattr(loss, "axis", -1)
    rank = len(shape) + 1
    given: Any = range(rank) if axis is None else (axis,) if _is_int(axis) else axis
    axes = sorted(each + rank if each < 0 else each for each in given)
    where = f"loss: {loss.name!r}: axis"
    if len(set(axes)) < len(axes) or not 0 <= axes[0] <= axes[-1] < rank:
        raise ValueError(f"{where}: expected axes of an output of rank {rank}, got {axis!r}")
    if axes == [rank - 1]:
        return {}
    if loss.core_kind not in ANY_AXES:
        raise ValueError(f"{where}: expected -1, the last axis, got {axis!r}")
    classes = loss.core_kind == "categorical_crossentropy"
    if classes and at_logits and not _is_int(axis) and axis is not None:
        raise ValueError(
            f"{where}: expected an int where the model ends in softmax or sigmoid, got {axis!r}; "
            "TensorFlow takes what goes into it along one axis only"
        )
    if len(axes) == rank:
        return {"whole_batch": True, "rows_at_logits": classes}  # None is the last axis to TensorFlow there
    return _rows_along([each - 1 for each in axes if each > 0], axes[0] == 0, shape)


def _rows_along(axes: list[int], batch: bool, shape: Sequence[int]) -> dict[str, Any]:
    kept = [place for place in range(len(shape)) if place not in axes]
    places = np.arange(math.prod(shape)).reshape(shape).transpose(*kept, *axes)
    width = math.prod(itertools.compress(shape, [place in axes for place in range(len(shape))]))
    return {"axes_from": places.ravel().tolist(), "axes_width": width, "axes_batch": batch}


def _is_int(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
