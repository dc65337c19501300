"""Metrics along other axes than the last: values in training and evaluation, as live Keras."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from tolerances import assert_close, rounding

ROWS, TIMES, CLASSES, BATCH = 14, 3, 4, 4  # 14 = 4 + 4 + 4 + 2: the last batch is short
BOUND = 1e5 * rounding("float64", ROWS * TIMES * CLASSES)
METRICS: list[tuple[str, dict[str, Any]]] = [
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}),
    ("CategoricalCrossentropy", {"from_logits": True}),
    ("CosineSimilarity", {}),
    ("PearsonCorrelation", {}),
    ("ConcordanceCorrelation", {}),
]
AXES: dict[int, list[Any]] = {
    2: [-1, 1, 0, None, (0, 1)],
    3: [2, 1, 0, -2, None, (1, 2), (0, 1), (0, 2), (2, 0)],
}
CASES = [(*metric, axis, rank) for metric in METRICS for rank in AXES for axis in AXES[rank]]


def measured(
    keras: ModuleType, metric: Any, rank: int, head: str, weighted: bool, **compiled: Any
) -> list[Any]:
    """The metric of an epoch, of an evaluation in other batches, and what the metric's object then holds."""
    rng = np.random.default_rng(11)
    shape = (ROWS, CLASSES) if rank == 2 else (ROWS, TIMES, CLASSES)
    x, y = rng.normal(size=shape), rng.integers(0, 2, shape).astype(float)
    model = keras.Sequential([keras.Input(shape[1:]), keras.layers.Dense(CLASSES, activation=head)])
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    options = {"weighted_metrics": [metric]} if weighted else {"metrics": [metric]}
    model.compile(keras.optimizers.SGD(0.125), "mse", **options, **compiled)
    weights = np.linspace(0.5, 2, ROWS) if weighted else None
    history = model.fit(
        x, y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0, sample_weight=weights
    ).history
    evaluated = model.evaluate(x, y, batch_size=5, verbose=0, sample_weight=weights)
    held = [np.asarray(variable) for variable in metric.variables]
    return [*history[metric.name], evaluated[1], *held, *model.get_weights()]


@pytest.mark.usefixtures("float64")
@pytest.mark.filterwarnings("ignore:.*from_logits")
@pytest.mark.parametrize(("name", "arguments", "axis", "rank"), CASES, ids=str)
def test_fit_and_evaluate(
    name: str,
    arguments: dict[str, Any],
    axis: Any,
    rank: int,
    live_keras: ModuleType,
    lamina_keras: ModuleType,
) -> None:
    """Behind a softmax, a sigmoid or a softplus, with weights where Keras takes them."""
    compared = 0
    heads = ("softmax", "sigmoid", "softplus")
    for k, weighted in enumerate((False, True)):
        head = heads[(CASES.index((name, arguments, axis, rank)) + k) % 3]
        theirs, ours = (
            getattr(keras.metrics, name)(**arguments, axis=axis, dtype="float64")
            for keras in (live_keras, lamina_keras)
        )
        try:
            expected = measured(live_keras, theirs, rank, head, weighted, run_eagerly=True)
        except Exception:  # Keras does not take these together
            continue
        found = measured(lamina_keras, ours, rank, head, weighted)
        for i, (our, their) in enumerate(zip(found, expected, strict=True)):
            assert_close(np.asarray(our), np.asarray(their), BOUND, f"{head} {weighted} {i}")
        compared += 1
    # TensorFlow takes logits along one axis only, not numbered from the end; weights are one a sample.
    logits = name == "CategoricalCrossentropy" and axis not in (-1, 0, 1, 2, None)
    assert compared >= (0 if logits else 1)


@pytest.mark.parametrize("axis", [1, 0, None])
def test_the_core_computes_them(axis: Any, lamina_keras: ModuleType, monkeypatch: Any) -> None:
    """No batch of them is Python's."""
    keras = lamina_keras
    for metric in (
        keras.metrics.CosineSimilarity(axis=axis),
        keras.metrics.ConcordanceCorrelation(axis=axis),
    ):
        monkeypatch.setattr(metric, "update_state", None)
        assert all(np.isfinite(value).all() for value in measured(keras, metric, 3, "tanh", False))


FUNCTIONS: list[tuple[str, dict[str, Any]]] = [
    ("binary_focal_crossentropy", {"axis": 1}),
    ("binary_crossentropy", {"axis": 0}),
    ("binary_focal_crossentropy", {"axis": (0, 2)}),
    ("binary_crossentropy", {"axis": None}),
    ("huber", {"delta": 0.25}),
    ("dice", {}),
    ("tversky", {"alpha": 0.25, "axis": (1, 2)}),
    ("binary_focal_crossentropy", {"gamma": 1.5, "apply_class_balancing": True}),
    ("categorical_focal_crossentropy", {"label_smoothing": 0.1, "axis": 1}),
    ("categorical_focal_crossentropy", {"alpha": [0.125, 0.5, 0.25, 0.375]}),
    ("cosine_similarity", {"axis": 0}),
    ("kl_divergence", {}),
]


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("head", ["sigmoid", "softmax"])
@pytest.mark.parametrize(("name", "arguments"), FUNCTIONS, ids=str)
def test_means_of_losses(
    name: str,
    arguments: dict[str, Any],
    head: str,
    live_keras: ModuleType,
    lamina_keras: ModuleType,
    monkeypatch: Any,
) -> None:
    """A loss's function as a metric is its mean, computed in the core (but with a factor for each class)."""
    found = []
    for keras in (live_keras, lamina_keras):
        metric = keras.metrics.MeanMetricWrapper(
            getattr(keras.losses, name), name=name, dtype="float64", **arguments
        )
        if keras is lamina_keras and not isinstance(arguments.get("alpha"), list):
            monkeypatch.setattr(metric, "update_state", None)
        found.append(measured(keras, metric, 3, head, False, run_eagerly=True))
    for i, (our, their) in enumerate(zip(*found, strict=True)):
        assert_close(np.asarray(our), np.asarray(their), BOUND, str(i))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "CosineSimilarity",
            {"axis": 3},
            "metrics: 'cosine_similarity': axis: expected axes of an",
        ),
        ("PearsonCorrelation", {"axis": "last"}, "axis: expected an int, several or None, got 'last'"),
        ("SparseCategoricalCrossentropy", {"axis": 1}, "axis: expected -1, the last axis, got 1"),
        (
            "CategoricalCrossentropy",
            {"axis": (1, 2), "from_logits": True},
            "expected an int beside from_logits",
        ),
    ],
)
def test_no_axis(name: str, arguments: dict[str, Any], message: str, lamina_keras: ModuleType) -> None:
    with pytest.raises(ValueError, match=message):
        measured(lamina_keras, getattr(lamina_keras.metrics, name)(**arguments), 3, "softmax", False)


def test_no_head_is_seen_behind_dropout_in_training(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """All axes of a cross-entropy are those of the batch where it takes probabilities, the last of logits."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(8, 4)).astype("float32"), np.eye(4, dtype="float32")[rng.integers(0, 4, 8)]
    weights = [rng.normal(size=(4, 4)).astype("float32"), np.zeros(4, "float32")]
    found = []
    for keras in (live_keras, lamina_keras):
        dense = keras.layers.Dense(4, activation="softmax")
        model = keras.Sequential([keras.Input((4,)), dense, keras.layers.Dropout(1e-9)])
        model.set_weights(weights)
        loss = keras.losses.CategoricalCrossentropy(axis=None)
        metric = keras.metrics.CategoricalCrossentropy(axis=None, name="all")
        model.compile(keras.optimizers.SGD(0.0), loss, metrics=[metric], run_eagerly=True)
        history = model.fit(x, y, batch_size=8, verbose=0, shuffle=False).history
        found.append([history["loss"][0], history["all"][0], *model.evaluate(x, y, verbose=0)])
    for our, their in zip(found[1], found[0], strict=True):
        assert_close(np.asarray(our), np.asarray(their), 1e3 * rounding("float32", 32), str(found))


def test_metrics_beside_a_loss_of_ones_own(lamina_keras: ModuleType) -> None:
    """Outputs of several positions: the metrics see the targets by position."""
    keras = lamina_keras
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(14, 3, 4)), rng.normal(size=(14, 3, 4)).astype("float32")

    def own(y_true: Any, y_pred: Any) -> Any:
        return np.mean((y_pred - y_true) ** 2), 2 * (y_pred - y_true) / y_pred.size

    model = keras.Sequential([keras.Input((3, 4)), keras.layers.Dense(4, activation="tanh")])
    huber = keras.metrics.MeanMetricWrapper(keras.losses.huber, name="huber")
    model.compile("sgd", own, metrics=["mse", huber, keras.metrics.CosineSimilarity(axis=1, name="turned")])
    found = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    prediction = model.predict(x, verbose=0)
    np.testing.assert_allclose(found["mse"], np.mean((prediction - y) ** 2), rtol=1e-5)
    np.testing.assert_allclose(found["huber"], np.mean(keras.losses.huber(y, prediction)), rtol=1e-5)
    cosine = keras.metrics.CosineSimilarity(axis=1)
    np.testing.assert_allclose(found["turned"], cosine(y, prediction), rtol=1e-5)


def test_shapes_that_broadcast(lamina_keras: ModuleType) -> None:
    """A wrapped function gets the targets as they are; NumPy brings the shapes together."""
    keras = lamina_keras
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(9, 4)), rng.normal(size=(9, 1)).astype("float32")

    def own(y_true: Any, y_pred: Any) -> Any:
        return np.mean((y_pred - y_true) ** 2), 2 * (y_pred - y_true) / y_pred.size

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    model.compile("sgd", own, metrics=[keras.metrics.MeanMetricWrapper(np_distance, name="distance")])
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    expected = np.mean(np.abs(model.predict(x, verbose=0) - y))
    np.testing.assert_allclose(found["distance"], expected, rtol=1e-5)


def np_distance(y_true: Any, y_pred: Any) -> Any:
    return np.abs(y_pred - y_true).mean(axis=-1)


def test_wrappers_come_back(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Their function is found by its name, as in Keras."""
    made = [
        keras.metrics.MeanMetricWrapper(keras.losses.huber, name="h", delta=0.25)
        for keras in (live_keras, lamina_keras)
    ]
    configs = [
        keras.metrics.serialize(metric)
        for keras, metric in zip((live_keras, lamina_keras), made, strict=True)
    ]
    assert configs[1]["config"]["fn"]["config"] == configs[0]["config"]["fn"]["config"] == "huber"
    rng = np.random.default_rng(1)
    y, p = rng.normal(size=(2, 6, 3))
    for config in configs:
        again = lamina_keras.metrics.deserialize(config)
        assert again(y, p) == made[1](y, p)
    wrapper = lamina_keras.losses.LossFunctionWrapper(lamina_keras.losses.huber, delta=0.25)
    again = type(wrapper).from_config(wrapper.get_config())
    assert again(y, p) == wrapper(y, p)
