"""Regularizers: penalties on weights or outputs that are added to the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.keras._training.absent import refuse_absent
from lamina.keras.regularizers.norms import L1 as L1
from lamina.keras.regularizers.norms import L1L2 as L1L2
from lamina.keras.regularizers.norms import L2 as L2
from lamina.keras.regularizers.orthogonal import OrthogonalRegularizer as OrthogonalRegularizer
from lamina.keras.regularizers.regularizer import Regularizer as Regularizer
from lamina.keras.utils.serialization import deserialize_object, serialize_object, unknown_name

# The names in lower case that Keras exports beside the classes.
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

# Those by which Keras knows a regularizer; "l1_l2" is not among them.
_KNOWN: dict[str, Any] = {
    "L1": L1,
    "L1L2": L1L2,
    "L2": L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "Regularizer": Regularizer,
    "l1": L1,
    "l1l2": L1L2,
    "l2": L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
    "regularizer": Regularizer,
}

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


def get(identifier: Any) -> Any:
    """A regularizer from its name, config or class.

    Args:
        identifier: a name ("l2", "L1L2"), a dict {"class_name", "config"}, a class, or a regularizer or
            function (returned as it is); None gives None. What was registered, or is in scope, is found by
            its config and not by a name alone, as in Keras.

    Raises:
        ValueError: a name that isn't known, or no regularizer at all.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, Mapping):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        if identifier not in _KNOWN:
            raise unknown_name("regularizer", identifier, _KNOWN)
        found = _KNOWN[identifier]
    if isinstance(found, type):
        found = found()
    if not callable(found):
        raise ValueError(f"regularizer: expected a regularizer, its name or its config, got {identifier!r}")
    return found


def checked(identifier: Any, argument: str) -> Any:
    """What `get` gives, if its gradient is known; the argument is named in the error.

    Raises:
        ValueError: as `get` does.
        TypeError: a regularizer of one's own without `gradient`.
    """
    found = _got(identifier, argument)
    if found is not None:
        kind_of(found, argument)
    return found


def checked_of_output(identifier: Any, argument: str) -> Any:
    """The same of a penalty on outputs, which is computed within the core only: L1, L2 or L1L2."""
    found = _got(identifier, argument)
    if found is not None and kind_of(found, argument) not in (L1, L2, L1L2):
        raise TypeError(f"{argument}: expected L1, L2 or L1L2, got {found!r}; others are not supported")
    return found


def kind_of(regularizer: Any, argument: str) -> type | None:
    """Which of Lamina's it computes; None for one's own that knows its gradient.

    Raises:
        TypeError: it computes something of its own, and its gradient is not known.
    """
    for kind in (L1, L2, L1L2, OrthogonalRegularizer):
        if isinstance(regularizer, kind) and type(regularizer).__call__ is kind.__call__:
            return kind
    if callable(getattr(regularizer, "gradient", None)):
        return None
    raise TypeError(
        f"{argument}: expected one of Lamina's regularizers, or one with a method gradient(x), got "
        f"{regularizer!r}: Lamina has no automatic differentiation"
    )


def _got(identifier: Any, argument: str) -> Any:
    try:
        return get(identifier)
    except ValueError as error:
        raise ValueError(f"{argument}: {error}") from None


def serialize(regularizer: Any) -> dict[str, Any] | None:
    """The config of a regularizer; None of None."""
    return None if regularizer is None else serialize_object(regularizer, "keras.regularizers")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer of a config that `serialize` made; None of None."""
    if config is None:
        return None
    return deserialize_object(config, _KNOWN, "regularizer", custom_objects)


refuse_absent(__name__)
