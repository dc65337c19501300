"""Metrics: what is measured.

Stand-alone they work on numpy arrays; inside `fit` and `evaluate` the core computes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina.keras._training.absent import refuse_absent
from lamina.keras._training.naming import snake_case
from lamina.keras.losses.axes import check_axis
from lamina.keras.losses.crossentropy import binary_crossentropy as binary_crossentropy
from lamina.keras.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from lamina.keras.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from lamina.keras.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
from lamina.keras.losses.focal import categorical_focal_crossentropy as categorical_focal_crossentropy
from lamina.keras.losses.hinge import categorical_hinge as categorical_hinge
from lamina.keras.losses.hinge import hinge as hinge
from lamina.keras.losses.hinge import squared_hinge as squared_hinge
from lamina.keras.losses.probabilistic import kl_divergence as kl_divergence
from lamina.keras.losses.probabilistic import poisson as poisson
from lamina.keras.losses.regression import huber as huber
from lamina.keras.losses.regression import log_cosh as log_cosh
from lamina.keras.losses.regression import mean_absolute_error as mean_absolute_error
from lamina.keras.losses.regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from lamina.keras.losses.regression import mean_squared_error as mean_squared_error
from lamina.keras.losses.regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from lamina.keras.metrics.accuracy import Accuracy as Accuracy
from lamina.keras.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
from lamina.keras.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
from lamina.keras.metrics.accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from lamina.keras.metrics.accuracy import binary_accuracy as binary_accuracy
from lamina.keras.metrics.accuracy import categorical_accuracy as categorical_accuracy
from lamina.keras.metrics.accuracy import sparse_categorical_accuracy as sparse_categorical_accuracy
from lamina.keras.metrics.auc import AUC as AUC
from lamina.keras.metrics.correlation import ConcordanceCorrelation as ConcordanceCorrelation
from lamina.keras.metrics.correlation import PearsonCorrelation as PearsonCorrelation
from lamina.keras.metrics.correlation import concordance_correlation as concordance_correlation
from lamina.keras.metrics.correlation import pearson_correlation as pearson_correlation
from lamina.keras.metrics.counts import FalseNegatives as FalseNegatives
from lamina.keras.metrics.counts import FalsePositives as FalsePositives
from lamina.keras.metrics.counts import Precision as Precision
from lamina.keras.metrics.counts import Recall as Recall
from lamina.keras.metrics.counts import TrueNegatives as TrueNegatives
from lamina.keras.metrics.counts import TruePositives as TruePositives
from lamina.keras.metrics.f_score import F1Score as F1Score
from lamina.keras.metrics.f_score import FBetaScore as FBetaScore
from lamina.keras.metrics.hinges import CategoricalHinge as CategoricalHinge
from lamina.keras.metrics.hinges import Hinge as Hinge
from lamina.keras.metrics.hinges import SquaredHinge as SquaredHinge
from lamina.keras.metrics.iou import BinaryIoU as BinaryIoU
from lamina.keras.metrics.iou import IoU as IoU
from lamina.keras.metrics.iou import MeanIoU as MeanIoU
from lamina.keras.metrics.iou import OneHotIoU as OneHotIoU
from lamina.keras.metrics.iou import OneHotMeanIoU as OneHotMeanIoU
from lamina.keras.metrics.metric import Metric as Metric
from lamina.keras.metrics.operating_points import PrecisionAtRecall as PrecisionAtRecall
from lamina.keras.metrics.operating_points import RecallAtPrecision as RecallAtPrecision
from lamina.keras.metrics.operating_points import SensitivityAtSpecificity as SensitivityAtSpecificity
from lamina.keras.metrics.operating_points import SpecificityAtSensitivity as SpecificityAtSensitivity
from lamina.keras.metrics.probabilistic import BinaryCrossentropy as BinaryCrossentropy
from lamina.keras.metrics.probabilistic import CategoricalCrossentropy as CategoricalCrossentropy
from lamina.keras.metrics.probabilistic import KLDivergence as KLDivergence
from lamina.keras.metrics.probabilistic import Poisson as Poisson
from lamina.keras.metrics.probabilistic import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from lamina.keras.metrics.r2_score import R2Score as R2Score
from lamina.keras.metrics.reduction import Mean as Mean
from lamina.keras.metrics.reduction import MeanMetricWrapper as MeanMetricWrapper
from lamina.keras.metrics.reduction import Sum as Sum
from lamina.keras.metrics.regression import CosineSimilarity as CosineSimilarity
from lamina.keras.metrics.regression import LogCoshError as LogCoshError
from lamina.keras.metrics.regression import MeanAbsoluteError as MeanAbsoluteError
from lamina.keras.metrics.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from lamina.keras.metrics.regression import MeanSquaredError as MeanSquaredError
from lamina.keras.metrics.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from lamina.keras.metrics.regression import RootMeanSquaredError as RootMeanSquaredError
from lamina.keras.metrics.top_k import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
from lamina.keras.metrics.top_k import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from lamina.keras.metrics.top_k import sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy
from lamina.keras.metrics.top_k import top_k_categorical_accuracy as top_k_categorical_accuracy
from lamina.keras.utils.serialization import deserialize_object, serialize_object, unknown_name

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "concordance_correlation",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "pearson_correlation",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

_CLASSES: tuple[type[Metric], ...] = (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    AUC,
    ConcordanceCorrelation,
    PearsonCorrelation,
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
    F1Score,
    FBetaScore,
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    BinaryIoU,
    IoU,
    MeanIoU,
    OneHotIoU,
    OneHotMeanIoU,
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    R2Score,
    Mean,
    MeanMetricWrapper,
    Sum,
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
_KNOWN: dict[str, Any] = {
    **{metric.__name__: metric for metric in _CLASSES},
    **{snake_case(metric.__name__): metric for metric in _CLASSES},
    **dict.fromkeys(("bce", "BCE"), BinaryCrossentropy),
    **dict.fromkeys(("mse", "MSE"), MeanSquaredError),
    **dict.fromkeys(("mae", "MAE"), MeanAbsoluteError),
    **dict.fromkeys(("mape", "MAPE"), MeanAbsolutePercentageError),
    **dict.fromkeys(("msle", "MSLE"), MeanSquaredLogarithmicError),
}
# Functions of rows: the training loop computes their means.
_CLASS_OF: dict[Callable[..., Any], Callable[..., Metric]] = {
    binary_accuracy: BinaryAccuracy,
    categorical_accuracy: CategoricalAccuracy,
    concordance_correlation: ConcordanceCorrelation,
    pearson_correlation: PearsonCorrelation,
    sparse_categorical_accuracy: SparseCategoricalAccuracy,
    sparse_top_k_categorical_accuracy: SparseTopKCategoricalAccuracy,
    top_k_categorical_accuracy: TopKCategoricalAccuracy,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_hinge: CategoricalHinge,
    hinge: Hinge,
    kl_divergence: KLDivergence,
    log_cosh: LogCoshError,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
}


def get(identifier: Any) -> Any:
    """A metric from its name, config or class.

    Args:
        identifier: a name ("mae", "MeanAbsoluteError"), a dict {"class_name", "config"}, a class, or a metric
            or function (returned as it is); None gives None. What was registered, or is in scope, is found by
            its config and not by a name alone, as in Keras.

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
    """The metric that `compile(metrics=[identifier])` measures, named as Keras names it. A function of one's
    own becomes the mean of what it gives.

    "accuracy" and "acc" (any case) become binary accuracy where the output's last axis is 1; else sparse
    categorical accuracy where y has fewer axes than the output or a last axis of 1; else categorical
    accuracy.

    Args:
        identifier: as in `get`. A string becomes the metric's name.
        y_shape: shape of the targets, with the batch axis.
        output_shape: shape of the model's output, with the batch axis (None).

    Raises:
        ValueError: a name that isn't known, or no metric at all.
    """
    accuracy = accuracy_class(identifier, y_shape=y_shape, output_shape=output_shape)
    if accuracy is not None:
        return accuracy(name=identifier)
    found: Any = get(identifier)
    if found is None:
        raise ValueError("metrics: expected a metric, got None")
    if not isinstance(found, Metric):
        made = next((kind for function, kind in _CLASS_OF.items() if function is found), None)
        name = getattr(found, "name", None) or getattr(found, "__name__", None)
        name = name or snake_case(type(found).__name__)
        found = MeanMetricWrapper(found, name=name) if made is None else made(name=name)
    if isinstance(identifier, str):
        found.name = identifier
    metric: Metric = found
    if metric.core_kind is not None:
        check_axis(metric, "metrics")
    return metric


def check(identifier: Any) -> None:
    """Raise ValueError for what is no metric, without making one: making one counts in its name."""
    if isinstance(identifier, str) and identifier.lower() not in ("accuracy", "acc"):
        if identifier not in _KNOWN:
            raise unknown_name("metric", identifier, _KNOWN)
    elif not isinstance(identifier, (str, Mapping)) and not callable(identifier):
        raise ValueError(f"metrics: expected a metric, its name or its config, got {identifier!r}")


def accuracy_class(
    identifier: Any, *, y_shape: Sequence[int], output_shape: Sequence[int | None]
) -> type[BinaryAccuracy | CategoricalAccuracy | SparseCategoricalAccuracy] | None:
    """What "accuracy" and "acc" stand for at such shapes; None for other identifiers. See `resolve`."""
    if not isinstance(identifier, str) or identifier.lower() not in ("accuracy", "acc"):
        return None
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
