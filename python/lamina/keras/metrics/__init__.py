"""Metrics: what is measured.

Stand-alone they work on numpy arrays; inside `fit` and `evaluate` the core computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina.keras._training.absent import refuse_absent
from lamina.keras.losses.crossentropy import binary_crossentropy as binary_crossentropy
from lamina.keras.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from lamina.keras.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from lamina.keras.losses.regression import mean_squared_error as mean_squared_error
from lamina.keras.metrics.accuracy import Accuracy as Accuracy
from lamina.keras.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
from lamina.keras.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
from lamina.keras.metrics.accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from lamina.keras.metrics.accuracy import binary_accuracy as binary_accuracy
from lamina.keras.metrics.accuracy import categorical_accuracy as categorical_accuracy
from lamina.keras.metrics.accuracy import sparse_categorical_accuracy as sparse_categorical_accuracy
from lamina.keras.metrics.metric import Metric as Metric
from lamina.keras.metrics.reduction import Mean as Mean
from lamina.keras.metrics.reduction import MeanMetricWrapper as MeanMetricWrapper
from lamina.keras.metrics.regression import MeanAbsoluteError as MeanAbsoluteError
from lamina.keras.metrics.regression import MeanSquaredError as MeanSquaredError
from lamina.keras.metrics.regression import mean_absolute_error as mean_absolute_error
from lamina.keras.utils.serialization import deserialize_object, serialize_object, unknown_name

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "SparseCategoricalAccuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
]

_CLASS_OF: dict[Callable[..., Any], Callable[..., Metric]] = {
    binary_accuracy: BinaryAccuracy,
    categorical_accuracy: CategoricalAccuracy,
    mean_absolute_error: MeanAbsoluteError,
    mean_squared_error: MeanSquaredError,
    sparse_categorical_accuracy: SparseCategoricalAccuracy,
}
_KNOWN: dict[str, Any] = {
    "Accuracy": Accuracy,
    "accuracy": Accuracy,
    "BinaryAccuracy": BinaryAccuracy,
    "binary_accuracy": BinaryAccuracy,
    "CategoricalAccuracy": CategoricalAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "Mean": Mean,
    "mean": Mean,
    "MeanAbsoluteError": MeanAbsoluteError,
    "mean_absolute_error": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mae": MeanAbsoluteError,
    "MeanSquaredError": MeanSquaredError,
    "mean_squared_error": MeanSquaredError,
    "MSE": MeanSquaredError,
    "mse": MeanSquaredError,
    "SparseCategoricalAccuracy": SparseCategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
}


def get(identifier: Any) -> Any:
    """A metric from its name, config or class.

    Args:
        identifier: a name ("mae", "MeanAbsoluteError"), a dict {"class_name", "config"}, a class, or a metric
            or function (returned as it is); None gives None.

    Raises:
        ValueError: a name that isn't known, or no metric at all.
    """
    if identifier is None:
        return None
    found = identifier
    if isinstance(identifier, Mapping):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = _KNOWN.get(identifier)
        if found is None:
            raise unknown_name("metric", identifier, _KNOWN)
    if isinstance(found, type):
        found = found()
    if not callable(found):
        raise ValueError(f"metric: expected a metric, its name or its config, got {identifier!r}")
    return found


def resolve(identifier: Any, *, y_shape: Sequence[int], output_shape: Sequence[int | None]) -> Metric:
    """The metric that `compile(metrics=[identifier])` measures, named as Keras names it.

    "accuracy" and "acc" (any case) become binary accuracy where the output's last axis is 1; else sparse
    categorical accuracy where y has fewer axes than the output or a last axis of 1; else categorical
    accuracy.

    Args:
        identifier: as in `get`. A string becomes the metric's name.
        y_shape: shape of the targets, with the batch axis.
        output_shape: shape of the model's output, with the batch axis (None).

    Raises:
        ValueError: a name that isn't known, or a metric that the training loop can't compute.
    """
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        return _accuracy_for(y_shape, output_shape)(name=identifier)
    found = get(identifier)
    for function, metric_class in _CLASS_OF.items():
        if found is function:
            found = metric_class(name=function.__name__)
    if not isinstance(found, Metric) or found.core_kind is None:
        names = "accuracy, binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, mae, mse"
        raise ValueError(
            f"metrics: expected names or classes among {names}, got {identifier!r}; others, and metrics of "
            "one's own, are not supported yet"
        )
    if isinstance(identifier, str):
        found.name = identifier
    return found


def _accuracy_for(y_shape: Sequence[int], output_shape: Sequence[int | None]) -> Callable[..., Metric]:
    if output_shape[-1] == 1:
        return BinaryAccuracy
    if len(y_shape) < len(output_shape) or y_shape[-1] == 1:
        return SparseCategoricalAccuracy
    return CategoricalAccuracy


def serialize(metric: Any) -> dict[str, Any]:
    """The config of a metric or of a metric function."""
    return serialize_object(metric, "keras.metrics")


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric of a config that `serialize` made."""
    return deserialize_object(config, _KNOWN, "metric", custom_objects)


refuse_absent(__name__)
