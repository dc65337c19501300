"""Constraints: what weights are brought back to after each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.keras._training.absent import refuse_absent
from lamina.keras.constraints.constraint import Constraint as Constraint
from lamina.keras.constraints.norms import MaxNorm as MaxNorm
from lamina.keras.constraints.norms import MinMaxNorm as MinMaxNorm
from lamina.keras.constraints.norms import NonNeg as NonNeg
from lamina.keras.constraints.norms import UnitNorm as UnitNorm
from lamina.keras.utils.serialization import deserialize_object, serialize_object, unknown_name

# The names in snake case that Keras exports beside the classes.
max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_KNOWN: dict[str, Any] = {
    "Constraint": Constraint,
    "MaxNorm": MaxNorm,
    "MinMaxNorm": MinMaxNorm,
    "NonNeg": NonNeg,
    "UnitNorm": UnitNorm,
    "constraint": Constraint,
    "max_norm": max_norm,
    "min_max_norm": min_max_norm,
    "non_neg": non_neg,
    "unit_norm": unit_norm,
}

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


def get(identifier: Any) -> Any:
    """A constraint from its name, config or class.

    Args:
        identifier: a name ("max_norm", "NonNeg"), a dict {"class_name", "config"}, a class, or a constraint
            or function (returned as it is); None gives None. What was registered, or is in scope, is found by
            its config and not by a name alone, as in Keras.

    Raises:
        ValueError: a name that isn't known, or no constraint at all.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, Mapping):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        if identifier not in _KNOWN:
            raise unknown_name("constraint", identifier, _KNOWN)
        found = _KNOWN[identifier]
    if isinstance(found, type):
        found = found()
    if not callable(found):
        raise ValueError(f"constraint: expected a constraint, its name or its config, got {identifier!r}")
    return found


def checked(identifier: Any, argument: str) -> Any:
    """What `get` gives; the argument is named in the error."""
    try:
        return get(identifier)
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from None


def kind_of(constraint: Any) -> type | None:
    """Which of Lamina's it computes; None for one's own."""
    for kind in (NonNeg, MaxNorm, UnitNorm, MinMaxNorm, Constraint):
        if isinstance(constraint, kind) and type(constraint).__call__ is kind.__call__:
            return kind
    return None


def serialize(constraint: Any) -> dict[str, Any] | None:
    """The config of a constraint; None of None."""
    return None if constraint is None else serialize_object(constraint, "keras.constraints")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint of a config that `serialize` made; None of None."""
    if config is None:
        return None
    return deserialize_object(config, _KNOWN, "constraint", custom_objects)


refuse_absent(__name__)
