"""Batches as tuples: (x,), (x, y) or (x, y, sample_weight)."""

from __future__ import annotations

from typing import Any


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch, None for what it lacks; what is no tuple or list is x.

    Raises:
        ValueError: it has no or more than three entries.
    """
    entries = tuple(data) if isinstance(data, (list, tuple)) else (data,)
    if not 1 <= len(entries) <= 3:
        raise ValueError(
            f"data: expected x, (x,), (x, y) or (x, y, sample_weight), got {len(entries)} entries"
        )
    x, y, sample_weight = (*entries, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch for `unpack_x_y_sample_weight`; x itself where it is alone and no tuple or list."""
    if y is not None:
        return (x, y) if sample_weight is None else (x, y, sample_weight)
    return (x,) if isinstance(x, (list, tuple)) else x
