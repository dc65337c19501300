"""Every metric on arrays, in Lamina and in live Keras: values, weights, edge values, configs, names."""

import copy
import pickle
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import rounding

from lamina.keras import metrics

ROWS, WIDTH = 9, 4
# Class, arguments, kind of target.
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("Accuracy", {}, "bits"),
    ("BinaryAccuracy", {"threshold": 0.3}, "bits"),
    ("CategoricalAccuracy", {}, "one_hot"),
    ("SparseCategoricalAccuracy", {}, "labels"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one_hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "labels"),
    ("MeanSquaredError", {}, "values"),
    ("RootMeanSquaredError", {}, "values"),
    ("MeanAbsoluteError", {}, "values"),
    ("MeanAbsolutePercentageError", {}, "values"),
    ("MeanSquaredLogarithmicError", {}, "values"),
    ("CosineSimilarity", {}, "values"),
    ("LogCoshError", {}, "values"),
    ("R2Score", {}, "values"),
    ("R2Score", {"class_aggregation": None}, "values"),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, "values"),
    ("PearsonCorrelation", {}, "values"),
    ("ConcordanceCorrelation", {}, "values"),
    ("Hinge", {}, "bits"),
    ("SquaredHinge", {}, "bits"),
    ("CategoricalHinge", {}, "one_hot"),
    ("KLDivergence", {}, "one_hot"),
    ("Poisson", {}, "values"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "bits"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one_hot"),
    ("SparseCategoricalCrossentropy", {}, "labels"),
    ("TruePositives", {}, "bits"),
    ("FalsePositives", {"thresholds": [0.2, 0.6]}, "bits"),
    ("TrueNegatives", {"thresholds": [0.0, 0.5, 1.0]}, "bits"),
    ("FalseNegatives", {"thresholds": 0.4}, "bits"),
    ("Precision", {}, "bits"),
    ("Precision", {"top_k": 2}, "bits"),
    ("Precision", {"thresholds": [0.3, 0.7], "class_id": 2}, "bits"),
    ("Recall", {}, "bits"),
    ("Recall", {"top_k": 1, "class_id": 1}, "one_hot"),
    ("SensitivityAtSpecificity", {"specificity": 0.5}, "bits"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.4, "num_thresholds": 5}, "bits"),
    ("PrecisionAtRecall", {"recall": 0.6, "num_thresholds": 1}, "bits"),
    ("RecallAtPrecision", {"precision": 0.5, "class_id": 1}, "bits"),
    ("AUC", {}, "bits"),
    ("AUC", {"curve": "PR", "num_thresholds": 20}, "bits"),
    ("AUC", {"curve": "PR", "summation_method": "majoring"}, "bits"),
    ("AUC", {"curve": "PRGAIN", "summation_method": "minoring"}, "bits"),
    ("AUC", {"multi_label": True, "label_weights": [0.5, 1.0, 2.0, 0.0]}, "bits"),
    ("AUC", {"multi_label": True, "curve": "PR", "num_thresholds": 7}, "bits"),
    ("AUC", {"thresholds": [0.1, 0.7, 0.4], "label_weights": [0.5, 1.0, 2.0, 0.25]}, "bits"),
    ("AUC", {"from_logits": True}, "bits"),
    ("F1Score", {}, "one_hot"),
    ("F1Score", {"average": "macro", "threshold": 0.4}, "bits"),
    ("FBetaScore", {"average": "micro", "beta": 2.0}, "one_hot"),
    ("FBetaScore", {"average": "weighted", "beta": 0.5}, "one_hot"),
]
IDS = [f"{name} {arguments}" for name, arguments, _ in CASES]


def batch(target: str, rng: np.random.Generator, rows: int = ROWS) -> tuple[Any, Any]:
    p = np.round(rng.uniform(0.02, 0.98, (rows, WIDTH)), 2).astype("float32")  # ties and thresholds met
    labels = rng.integers(0, WIDTH, rows)
    y = {
        "labels": labels,
        "one_hot": np.eye(WIDTH, dtype="float32")[labels],
        "bits": rng.integers(0, 2, (rows, WIDTH)).astype("float32"),
        "values": rng.normal(size=(rows, WIDTH)).astype("float32"),
    }[target]
    return y, p


def same(ours: Any, theirs: Any) -> None:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    bound = 8 * rounding("float32", 4 * ROWS * WIDTH)
    np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound)


@pytest.mark.parametrize(("name", "arguments", "target"), CASES, ids=IDS)
@pytest.mark.filterwarnings("ignore:.*predictors:UserWarning")
def test_running_value_weights_and_variables(
    name: str, arguments: dict[str, Any], target: str, live_keras: ModuleType
) -> None:
    rng = np.random.default_rng(1)
    for weighted in (False, True):
        ours = getattr(metrics, name)(**arguments)
        theirs = getattr(live_keras.metrics, name)(**arguments)
        for rows in (ROWS, 3):
            y, p = batch(target, rng, rows)
            weights = rng.uniform(0, 2, rows).astype("float32") if weighted else None
            ours.update_state(y, p, sample_weight=weights)
            theirs.update_state(y, p, sample_weight=weights)
            same(ours.result(), theirs.result())
        assert [variable.name for variable in ours.variables] == [v.name for v in theirs.variables]
        for our_variable, their_variable in zip(ours.variables, theirs.variables, strict=True):
            same(our_variable, their_variable)
        for copied in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
            same(copied.result(), theirs.result())
            copied.reset_state()  # the original keeps its own variables
        same(ours.result(), theirs.result())
        ours.reset_state()
        assert all(not np.any(variable) for variable in ours.variables)


EDGES = {
    "zeros": np.zeros((ROWS, WIDTH)),
    "ones": np.ones((ROWS, WIDTH)),
    "equal": np.full((ROWS, WIDTH), 0.5),
    "infinite": np.where(np.eye(ROWS, WIDTH) == 1, np.inf, 0.5),
    "nan": np.where(np.eye(ROWS, WIDTH) == 1, np.nan, 0.5),
}


@pytest.mark.parametrize(("name", "arguments", "target"), CASES, ids=IDS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:.*predictors:UserWarning")
def test_edge_values(name: str, arguments: dict[str, Any], target: str, live_keras: ModuleType) -> None:
    """Predictions of one value, infinite and NaN; targets of one class; weights of 0."""
    y, _ = batch(target, np.random.default_rng(2))
    one_class = np.zeros_like(y)
    for edge, p in EDGES.items():
        if edge == "nan" and "top_k" in arguments:
            continue  # where TensorFlow's top_k ranks a NaN is not said
        given = [(y, None)]
        if edge == "equal":
            given += [(one_class, None), (y, np.zeros(ROWS, "float32"))]
        for truth, weights in given:
            ours = getattr(metrics, name)(**arguments)(truth, p.astype("float32"), sample_weight=weights)
            theirs = getattr(live_keras.metrics, name)(**arguments)(
                truth, p.astype("float32"), sample_weight=weights
            )
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5, err_msg=f"{name} {edge}")


@pytest.mark.parametrize(("name", "arguments", "target"), CASES, ids=IDS)
def test_configs_go_both_ways(
    name: str, arguments: dict[str, Any], target: str, live_keras: ModuleType
) -> None:
    ours = getattr(metrics, name)(name="m", **arguments)
    theirs = getattr(live_keras.metrics, name)(name="m", **arguments)
    config, their_config = ours.get_config(), theirs.get_config()
    assert set(config) == set(their_config)
    for key, value in config.items():
        np.testing.assert_equal(np.asarray(value), np.asarray(their_config[key]))
    again = type(ours).from_config(config)
    assert type(again) is type(ours)
    assert set(again.get_config()) == set(config)
    assert metrics.deserialize(metrics.serialize(ours)).name == "m"


def test_every_string_and_name_of_keras_s(live_keras: ModuleType) -> None:
    theirs = live_keras.src.metrics.ALL_OBJECTS_DICT
    known = {key: kind for key, kind in theirs.items() if kind.__name__ != "Metric"}
    assert set(known) == set(metrics._KNOWN)
    assert {key: kind.__name__ for key, kind in known.items()} == {
        key: kind.__name__ for key, kind in metrics._KNOWN.items()
    }
    for name, arguments, _ in CASES:
        ours = getattr(metrics, name)(**arguments)
        assert ours._direction == getattr(getattr(live_keras.metrics, name)(**arguments), "_direction", None)


def test_mean_sum_and_wrapper(live_keras: ModuleType) -> None:
    rng = np.random.default_rng(4)
    for shape in ((), (5,), (5, 3), (5, 3, 2)):
        values = rng.normal(size=shape).astype("float32")
        for weights in (None, np.float32(0.5), *([rng.random(5).astype("float32")] if shape else [])):
            for name in ("Mean", "Sum"):
                ours, theirs = getattr(metrics, name)(), getattr(live_keras.metrics, name)()
                same(ours(values, weights), theirs(values, weights))
    y, p = batch("bits", rng)
    ours = metrics.MeanMetricWrapper(lambda a, b, k: k * abs(a - b).mean(-1), name="own", k=3.0)
    theirs = live_keras.metrics.MeanMetricWrapper(
        lambda a, b, k: k * live_keras.ops.mean(abs(a - b), -1), name="own", k=3.0
    )
    same(ours(y, p), theirs(y, p))


def test_wrong_arguments_are_named() -> None:
    for make, message in (
        (lambda: metrics.AUC(curve="x"), "curve: expected 'ROC'"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds: expected an int > 1"),
        (lambda: metrics.Precision(thresholds=1.5), r"thresholds: expected numbers in \[0, 1\]"),
        (lambda: metrics.FBetaScore(beta=1), "beta: expected a float > 0"),
        (lambda: metrics.F1Score(average="x"), "average: expected None"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors: expected"),
        (lambda: metrics.SensitivityAtSpecificity(2), r"specificity: expected a number in \[0, 1\]"),
        (lambda: metrics.AUC()(np.zeros(3), np.zeros(4)), "y_true: expected the shape of y_pred"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
