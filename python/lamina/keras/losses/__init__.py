"""Losses: what training makes small.

Stand-alone they work on numpy arrays; inside `fit` the core computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina.keras._training.absent import refuse_absent
from lamina.keras.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
from lamina.keras.losses.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from lamina.keras.losses.crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from lamina.keras.losses.crossentropy import binary_crossentropy as binary_crossentropy
from lamina.keras.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from lamina.keras.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from lamina.keras.losses.loss import Loss as Loss
from lamina.keras.losses.regression import MeanSquaredError as MeanSquaredError
from lamina.keras.losses.regression import mean_squared_error as mean_squared_error
from lamina.keras.utils.serialization import deserialize_object, serialize_object, unknown_name

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_squared_error",
    "resolve",
    "serialize",
    "sparse_categorical_crossentropy",
]

_CLASS_OF: dict[Callable[..., Any], Callable[..., Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    mean_squared_error: MeanSquaredError,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}
_KNOWN: dict[str, Any] = {
    **{function.__name__: function for function in _CLASS_OF},
    **{loss.__name__: loss for loss in _CLASS_OF.values()},
    "bce": binary_crossentropy,
    "BCE": binary_crossentropy,
    "mse": mean_squared_error,
    "MSE": mean_squared_error,
}


def get(identifier: Any) -> Any:
    """A loss from its name, config or class.

    Args:
        identifier: a function's or class's name ("mse", "MeanSquaredError"), a dict {"class_name", "config"},
            a class, or a loss (returned as it is); None gives None.

    Returns:
        A `Loss`, or for a function's name the function, which gives one value per sample.

    Raises:
        ValueError: a name that isn't known, or no loss at all.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, Mapping):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = _KNOWN.get(identifier)
        if found is None:
            raise unknown_name("loss", identifier, _KNOWN)
    if isinstance(found, type):
        found = found()
    if not callable(found):
        raise ValueError(f"loss: expected a loss, its name or its config, got {identifier!r}")
    return found


def resolve(
    identifier: Any, *, y_shape: Sequence[int] | None = None, output_shape: Sequence[int | None] | None = None
) -> Loss:
    """The `Loss` that `compile(loss=identifier)` trains with.

    Args:
        identifier: as in `get`; "crossentropy" and "ce" choose among the three by the shapes.
        y_shape: shape of the targets, with the batch axis; only needed for "crossentropy" and "ce".
        output_shape: shape of the model's output, with the batch axis; likewise.

    Returns:
        A `Loss` whose `core_kind` the training loop knows.

    Raises:
        ValueError: a name that isn't known, or a loss that the training loop can't compute.
    """
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        if y_shape is None or output_shape is None:
            raise ValueError(
                f"loss: expected the shapes of targets and output to choose one, got {identifier!r} alone"
            )
        found: Any = _crossentropy_for(y_shape, output_shape)()
    else:
        found = get(identifier)
        for function, loss_class in _CLASS_OF.items():
            if found is function:
                found = loss_class(name=identifier if isinstance(identifier, str) else function.__name__)
    if not isinstance(found, Loss) or found.core_kind is None:
        raise ValueError(
            f"loss: expected one of {', '.join(sorted(_KNOWN))}, got {identifier!r}; a loss of your own "
            "would need automatic differentiation, which Lamina does not have"
        )
    return found


def _crossentropy_for(y_shape: Sequence[int], output_shape: Sequence[int | None]) -> type[Loss]:
    if output_shape[-1] == 1:
        return BinaryCrossentropy
    if len(y_shape) < len(output_shape) or y_shape[-1] == 1:
        return SparseCategoricalCrossentropy
    return CategoricalCrossentropy


def serialize(loss: Any) -> dict[str, Any]:
    """The config of a loss or of a loss function."""
    return serialize_object(loss, "keras.losses")


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss of a config that `serialize` made."""
    return deserialize_object(name, _KNOWN, "loss", custom_objects)


refuse_absent(__name__)
