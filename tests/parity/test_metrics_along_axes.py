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
@pytest.mark.parametrize(("name", "arguments"), FUNCTIONS, ids=str)
def test_means_of_losses(
    name: str, arguments: dict[str, Any], live_keras: ModuleType, lamina_keras: ModuleType, monkeypatch: Any
) -> None:
    """A loss's function as a metric is its mean, computed in the core (but with a factor for each class)."""
    found = []
    for keras in (live_keras, lamina_keras):
        metric = keras.metrics.MeanMetricWrapper(
            getattr(keras.losses, name), name=name, dtype="float64", **arguments
        )
        if keras is lamina_keras and not isinstance(arguments.get("alpha"), list):
            monkeypatch.setattr(metric, "update_state", None)
        found.append(measured(keras, metric, 3, "sigmoid", False, run_eagerly=True))
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
