"""Constraint: the base class of what weights are brought back to after a step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lamina.keras._training.output import Output


class CoreConstraint(NamedTuple):
    """A constraint as the core takes it; axes: "first", "last" or "all" of the array that shares a norm."""

    kind: str
    axes: str
    min_value: float = 0.0
    max_value: float = 0.0
    rate: float = 1.0


class Constraint:
    """Base class of constraints: called with a weight after each step, they give what it becomes.

    A subclass implements `__call__(w)`; the base class changes nothing.
    """

    def __call__(self, w: Any) -> Any:
        """The array as the constraint wants it."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this constraint again, under Keras's keys."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A constraint from what `get_config` gave."""
        return cls(**config)


def as_values(w: Any) -> npt.NDArray[Any]:
    """The weight, a `Variable` or what numpy can convert, as a plain array."""
    return np.asarray(w).view(np.ndarray)


def as_output(values: npt.NDArray[Any], w: npt.NDArray[Any]) -> Output:
    """The values in w's dtype."""
    return np.asarray(values, w.dtype).view(Output)


def core_axes(axis: Any, shape: tuple[int, ...], what: str) -> str:
    """Which axes of an array of this shape share a norm, in the core's word.

    Raises:
        ValueError: no axis of such an array, or some but not all axes of one of rank 3 or more.
    """
    rank = len(shape)
    axes = range(rank) if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
    chosen = set()
    for entry in axes:
        if isinstance(entry, bool) or not isinstance(entry, (int, np.integer)) or not -rank <= entry < rank:
            raise ValueError(
                f"{what}: axis: expected some from {-rank} to {rank - 1}, for an array of rank {rank}, "
                f"got {axis!r}"
            )
        chosen.add(int(entry) % rank)
    if len(chosen) == rank:
        return "all"
    if rank == 2 and len(chosen) == 1:
        return "last" if chosen == {1} else "first"
    raise ValueError(
        f"{what}: axis: expected all axes of an array of rank {rank}, or one of a matrix's, got {axis!r}; "
        "others are not supported"
    )
