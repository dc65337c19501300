"""Losses: what training makes small.

Stand-alone they work on numpy arrays; inside `fit` the core computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina.keras._training.absent import refuse_absent
from lamina.keras.losses.axes import check_axis
from lamina.keras.losses.axes import core_axes as core_axes
from lamina.keras.losses.axes import takes_rows_of_logits as takes_rows_of_logits
from lamina.keras.losses.circle import Circle as Circle
from lamina.keras.losses.circle import circle as circle
from lamina.keras.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
from lamina.keras.losses.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from lamina.keras.losses.crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from lamina.keras.losses.crossentropy import binary_crossentropy as binary_crossentropy
from lamina.keras.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from lamina.keras.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from lamina.keras.losses.focal import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from lamina.keras.losses.focal import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
from lamina.keras.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
from lamina.keras.losses.focal import categorical_focal_crossentropy as categorical_focal_crossentropy
from lamina.keras.losses.hinge import CategoricalHinge as CategoricalHinge
from lamina.keras.losses.hinge import Hinge as Hinge
from lamina.keras.losses.hinge import SquaredHinge as SquaredHinge
from lamina.keras.losses.hinge import categorical_hinge as categorical_hinge
from lamina.keras.losses.hinge import hinge as hinge
from lamina.keras.losses.hinge import squared_hinge as squared_hinge
from lamina.keras.losses.loss import Loss as Loss
from lamina.keras.losses.overlap import Dice as Dice
from lamina.keras.losses.overlap import Tversky as Tversky
from lamina.keras.losses.overlap import dice as dice
from lamina.keras.losses.overlap import tversky as tversky
from lamina.keras.losses.own import own_loss
from lamina.keras.losses.probabilistic import (
    CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy,
)
from lamina.keras.losses.probabilistic import KLDivergence as KLDivergence
from lamina.keras.losses.probabilistic import Poisson as Poisson
from lamina.keras.losses.probabilistic import (
    categorical_generalized_cross_entropy as categorical_generalized_cross_entropy,
)
from lamina.keras.losses.probabilistic import kl_divergence as kl_divergence
from lamina.keras.losses.probabilistic import poisson as poisson
from lamina.keras.losses.regression import CosineSimilarity as CosineSimilarity
from lamina.keras.losses.regression import Huber as Huber
from lamina.keras.losses.regression import LogCosh as LogCosh
from lamina.keras.losses.regression import MeanAbsoluteError as MeanAbsoluteError
from lamina.keras.losses.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from lamina.keras.losses.regression import MeanSquaredError as MeanSquaredError
from lamina.keras.losses.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from lamina.keras.losses.regression import cosine_similarity as cosine_similarity
from lamina.keras.losses.regression import huber as huber
from lamina.keras.losses.regression import log_cosh as log_cosh
from lamina.keras.losses.regression import mean_absolute_error as mean_absolute_error
from lamina.keras.losses.regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from lamina.keras.losses.regression import mean_squared_error as mean_squared_error
from lamina.keras.losses.regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from lamina.keras.losses.wrapper import LossFunctionWrapper
from lamina.keras.utils.serialization import deserialize_object, serialize_object, unknown_name

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]

_CLASS_OF: dict[Callable[..., Any], Callable[..., Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_hinge: CategoricalHinge,
    circle: Circle,
    cosine_similarity: CosineSimilarity,
    dice: Dice,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
    tversky: Tversky,
}
_KNOWN: dict[str, Any] = {
    **{function.__name__: function for function in _CLASS_OF},
    **{loss.__name__: loss for loss in _CLASS_OF.values()},
    **dict.fromkeys(("bce", "BCE"), binary_crossentropy),
    **dict.fromkeys(("kld", "KLD"), kl_divergence),
    **dict.fromkeys(("mae", "MAE"), mean_absolute_error),
    **dict.fromkeys(("mse", "MSE"), mean_squared_error),
    **dict.fromkeys(("mape", "MAPE"), mean_absolute_percentage_error),
    **dict.fromkeys(("msle", "MSLE"), mean_squared_logarithmic_error),
}
# Keras knows these by their configs, not by a string.
_OF_CONFIGS: dict[str, Any] = {
    **_KNOWN,
    "CategoricalGeneralizedCrossEntropy": CategoricalGeneralizedCrossEntropy,
    "categorical_generalized_cross_entropy": categorical_generalized_cross_entropy,
}


def get(identifier: Any) -> Any:
    """A loss from its name, config or class.

    Args:
        identifier: a function's or class's name ("mse", "MeanSquaredError"), a dict {"class_name", "config"},
            a class, or a loss (returned as it is); None gives None. What was registered, or is in scope, is
            found by its config and not by a name alone, as in Keras.

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


def class_of(function: Any) -> Callable[..., Loss] | None:
    """The class whose values are this function's; None where it is not one of this module."""
    return next((made for known, made in _CLASS_OF.items() if function is known), None)


def resolve(
    identifier: Any, *, y_shape: Sequence[int] | None = None, output_shape: Sequence[int | None] | None = None
) -> Loss:
    """The `Loss` that `compile(loss=identifier)` trains with.

    Args:
        identifier: as in `get`; "crossentropy" and "ce" choose among the three by the shapes.
        y_shape: shape of the targets, with the batch axis; only needed for "crossentropy" and "ce".
        output_shape: shape of the model's output, with the batch axis; likewise.

    Returns:
        A `Loss` whose `core_kind` the training loop knows, or an `OwnLoss`: a function of one's own that
        returns (value, gradient), or a `Loss` with a `gradient`.

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
        if (loss_class := class_of(found)) is not None:
            found = loss_class(name=identifier if isinstance(identifier, str) else found.__name__)
        elif type(found) is LossFunctionWrapper and (loss_class := class_of(found.fn)) is not None:
            found = loss_class(name=found.name, reduction=found.reduction, **found._fn_kwargs)
    if not isinstance(found, Loss) or found.core_kind is None:
        return own_loss(found)
    check_axis(found)
    found.core_options()  # says what the training loop can't do
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
    return deserialize_object(name, _OF_CONFIGS, "loss", custom_objects)


refuse_absent(__name__)
