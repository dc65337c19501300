"""Every loss on arrays, in Lamina and in live Keras: values, weights, reductions, edge values, configs."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import rounding

from lamina.keras import losses

ROWS, WIDTH = 6, 4
# Class, arguments, kind of target.
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("MeanSquaredError", {}, "values"),
    ("MeanAbsoluteError", {}, "values"),
    ("MeanAbsolutePercentageError", {}, "values"),
    ("MeanSquaredLogarithmicError", {}, "values"),
    ("CosineSimilarity", {}, "values"),
    ("CosineSimilarity", {"axis": 0}, "values"),
    ("Huber", {}, "values"),
    ("Huber", {"delta": 0.3}, "values"),
    ("LogCosh", {}, "values"),
    ("Hinge", {}, "bits"),
    ("Hinge", {}, "signs"),
    ("SquaredHinge", {}, "bits"),
    ("CategoricalHinge", {}, "one_hot"),
    ("KLDivergence", {}, "one_hot"),
    ("Poisson", {}, "values"),
    ("BinaryCrossentropy", {}, "bits"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "bits"),
    ("BinaryFocalCrossentropy", {}, "bits"),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5}, "bits"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "bits"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one_hot"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one_hot"),
    ("CategoricalFocalCrossentropy", {}, "one_hot"),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "alpha": 0.5, "gamma": 1.0}, "one_hot"),
    ("CategoricalFocalCrossentropy", {"label_smoothing": 0.1, "alpha": [0.125, 0.25, 0.5, 0.75]}, "one_hot"),
    ("SparseCategoricalCrossentropy", {}, "labels"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True}, "some_labels"),
    ("CategoricalGeneralizedCrossEntropy", {}, "labels"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.8}, "labels"),
    ("Dice", {}, "bits"),
    ("Dice", {"axis": -1}, "bits"),
    ("Dice", {"axis": (0,)}, "bits"),
    ("Tversky", {}, "bits"),
    ("Tversky", {"alpha": 0.3, "beta": 0.8, "axis": -1}, "bits"),
    ("Circle", {}, "labels"),
    ("Circle", {"gamma": 8.0, "margin": 0.2, "remove_diagonal": False}, "labels"),
]
IDS = [f"{name} {arguments} {target}" for name, arguments, target in CASES]


def targets(kind: str, rng: np.random.Generator, rows: int = ROWS) -> Any:
    labels = rng.integers(0, WIDTH, rows)
    if kind == "labels":
        return labels
    if kind == "some_labels":
        return np.where(np.arange(rows) % 3 == 1, -1, labels)
    if kind == "one_hot":
        return np.eye(WIDTH)[labels]
    if kind == "values":
        return rng.normal(size=(rows, WIDTH))
    bits = rng.integers(0, 2, (rows, WIDTH))
    return bits if kind == "bits" else 2 * bits - 1


def predictions(name: str, arguments: dict[str, Any], rng: np.random.Generator) -> Any:
    if name == "Circle":
        p = rng.normal(size=(ROWS, WIDTH))
        return p / np.linalg.norm(p, axis=1, keepdims=True)
    if arguments.get("from_logits") or name in ("MeanSquaredError", "Huber", "LogCosh", "Hinge"):
        return rng.normal(size=(ROWS, WIDTH))
    return rng.uniform(0.05, 0.95, (ROWS, WIDTH))


def close(ours: Any, theirs: Any, dtype: str, scale: float = 8.0) -> None:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    bound = scale * rounding(dtype, ROWS * WIDTH)
    np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound)


@pytest.mark.parametrize(("name", "arguments", "target"), CASES, ids=IDS)
def test_loss_weights_and_reductions(
    name: str, arguments: dict[str, Any], target: str, live_keras: ModuleType
) -> None:
    rng = np.random.default_rng(1)
    y = targets(target, rng)
    p = predictions(name, arguments, rng).astype("float32")
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight", "none"):
        for weights in (None, rng.uniform(0, 2, ROWS), np.zeros(ROWS)):
            if weights is not None and arguments.get("axis") in (0, (0,)):
                continue  # weights of rows do not fit values of columns
            ours = getattr(losses, name)(reduction=reduction, **arguments)
            theirs = getattr(live_keras.losses, name)(reduction=reduction, **arguments)
            close(ours(y, p, sample_weight=weights), theirs(y, p, sample_weight=weights), "float32")


@pytest.mark.parametrize(("name", "arguments", "target"), CASES, ids=IDS)
@pytest.mark.usefixtures("float64")
def test_loss_in_float64(name: str, arguments: dict[str, Any], target: str, live_keras: ModuleType) -> None:
    rng = np.random.default_rng(2)
    y, p = targets(target, rng), predictions(name, arguments, rng)
    ours = getattr(losses, name)(dtype="float64", **arguments)
    close(ours(y, p), getattr(live_keras.losses, name)(dtype="float64", **arguments)(y, p), "float64", 1e3)


EDGES = {
    "zeros": np.zeros((ROWS, WIDTH)),
    "ones": np.ones((ROWS, WIDTH)),
    "equal rows": np.full((ROWS, WIDTH), 0.25),
    "infinite": np.full((ROWS, WIDTH), np.inf),
    "minus infinite": np.full((ROWS, WIDTH), -np.inf),
    "nan": np.where(np.eye(ROWS, WIDTH) == 1, np.nan, 0.5),
    "large": np.full((ROWS, WIDTH), 1e30),
    "tiny": np.full((ROWS, WIDTH), 1e-30),
}


@pytest.mark.parametrize(("name", "arguments", "target"), CASES, ids=IDS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_edge_values(name: str, arguments: dict[str, Any], target: str, live_keras: ModuleType) -> None:
    y = targets(target, np.random.default_rng(3)).astype("float32" if "label" not in target else "int32")
    ours = getattr(losses, name)(reduction=None, **arguments)
    theirs = getattr(live_keras.losses, name)(reduction=None, **arguments)
    for edge, p in EDGES.items():
        found, expected = np.asarray(ours(y, p.astype("float32"))), np.asarray(theirs(y, p.astype("float32")))
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5, err_msg=f"{name} {edge}")


@pytest.mark.parametrize(("name", "arguments", "target"), CASES, ids=IDS)
def test_configs_go_both_ways(
    name: str, arguments: dict[str, Any], target: str, live_keras: ModuleType
) -> None:
    ours = getattr(losses, name)(**arguments)
    theirs = getattr(live_keras.losses, name)(**arguments)
    assert ours.get_config() == theirs.get_config()
    assert type(ours).from_config(theirs.get_config()).get_config() == ours.get_config()
    stored = losses.serialize(ours)
    assert stored == live_keras.losses.serialize(theirs)
    assert losses.deserialize(stored).get_config() == ours.get_config()


def test_every_string_of_keras_s(live_keras: ModuleType) -> None:
    known = set(live_keras.src.losses.ALL_OBJECTS_DICT) - {"CTC", "ctc", "Loss", "LossFunctionWrapper"}
    for name in known:
        ours, theirs = losses.get(name), live_keras.losses.get(name)
        assert getattr(ours, "__name__", type(ours).__name__) == getattr(
            theirs, "__name__", type(theirs).__name__
        )
    assert known == set(losses._KNOWN)


def test_functions_are_those_of_keras(live_keras: ModuleType) -> None:
    """Every function of losses gives Keras's values per sample."""
    rng = np.random.default_rng(5)
    by_function = {
        "mean_absolute_error": "values",
        "mean_absolute_percentage_error": "values",
        "mean_squared_logarithmic_error": "values",
        "cosine_similarity": "values",
        "huber": "values",
        "log_cosh": "values",
        "hinge": "bits",
        "squared_hinge": "signs",
        "categorical_hinge": "one_hot",
        "kl_divergence": "one_hot",
        "poisson": "values",
        "binary_focal_crossentropy": "bits",
        "categorical_focal_crossentropy": "one_hot",
        "dice": "bits",
        "tversky": "bits",
        "circle": "labels",
    }
    for name, target in by_function.items():
        y, p = targets(target, rng).astype("float32"), rng.uniform(0.1, 0.9, (ROWS, WIDTH)).astype("float32")
        close(getattr(losses, name)(y, p), getattr(live_keras.losses, name)(y, p).numpy(), "float32")


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"q: expected a number in \(0, 1\), got 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=1)
    with pytest.raises(ValueError, match=r"reduction: expected one of .*got 'average'"):
        losses.Huber(reduction="average")
