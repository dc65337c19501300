"""Metrics of `compile` in fit, evaluate and batch calls: values, names and order as Keras's; metrics of the
user's own.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import test_metrics_alone as alone
from networks import initial
from tolerances import rounding

ROWS, FEATURES, WIDTH = 45, 5, alone.WIDTH
BOUND = 16 * rounding("float32", ROWS * WIDTH, 12)


def build(keras: ModuleType, loss: str, activation: str | None, metrics: Any, weighted: Any = None) -> Any:
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(WIDTH, activation=activation)])
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=metrics, weighted_metrics=weighted)
    rng = np.random.default_rng(7)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    return model


def made(keras: ModuleType, target: str) -> list[Any]:
    """An instance of each metric of such targets, numbered names for those that come twice.

    Without the adjusted R2, which Keras can't compute in a graph.
    """
    return [
        getattr(keras.metrics, name)(name=f"{name}_{i}", **arguments)
        for i, (name, arguments, kind) in enumerate(alone.CASES)
        if kind == target and "num_regressors" not in arguments
    ]


def same_logs(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert list(ours) == list(theirs)
    for name, expected in theirs.items():
        arrays = np.ndim(expected) > isinstance(expected, list)
        if arrays and ("Positives" in name or "Negatives" in name):
            continue  # Keras's log is the variable itself, which the next batches change
        np.testing.assert_allclose(ours[name], np.asarray(expected), rtol=BOUND, atol=BOUND, err_msg=name)


@pytest.mark.parametrize(
    ("target", "loss", "activation"),
    [
        ("bits", "binary_crossentropy", "sigmoid"),
        ("one_hot", "categorical_crossentropy", "softmax"),
        ("labels", "sparse_categorical_crossentropy", "softmax"),
        ("values", "mse", None),
    ],
)
def test_every_metric_in_fit(
    target: str, loss: str, activation: str | None, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """All metrics of a kind of targets at once, plain and weighted: two epochs with validation, evaluate, one
    batch. In Lamina all epochs are one crossing; the second time a callback makes them a crossing each.
    """
    rng = np.random.default_rng(1)
    x = rng.normal(size=(ROWS, FEATURES)).astype("float32")
    y, _ = alone.batch(target, rng, ROWS)
    weights = rng.uniform(0, 2, ROWS).astype("float32")
    found = []
    for keras, callbacks in ((lamina_keras, False), (lamina_keras, True), (live_keras, False)):
        model = build(keras, loss, activation, made(keras, target), made(keras, target)[::2])
        history = model.fit(
            x,
            y,
            batch_size=8,
            epochs=2,
            shuffle=False,
            verbose=0,
            sample_weight=weights,
            validation_data=(x[:20], y[:20], weights[:20]),
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: None)] if callbacks else [],
        )
        evaluated = model.evaluate(x, y, batch_size=7, verbose=0, return_dict=True, sample_weight=weights)
        batch = model.test_on_batch(x[:9], y[:9], return_dict=True)
        found.append((history.history, evaluated, batch, model))
    for ours in found[:2]:
        for our, their in zip(ours[:3], found[2][:3], strict=True):
            same_logs(our, their)
    for ours, theirs in zip(found[0][3].metrics, found[2][3].metrics[1].metrics, strict=True):
        for our, their in zip(ours.variables, theirs.variables, strict=True):  # as of the last batch
            np.testing.assert_allclose(our, their.numpy(), rtol=BOUND, atol=BOUND, err_msg=ours.name)


def test_names_and_order(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Strings, classes, functions and instances; twice the same; weighted ones whose name is taken."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(20, FEATURES)).astype("float32")
    y = rng.integers(0, 2, (20, WIDTH)).astype("float32")

    def run(keras: ModuleType, nest: Any) -> tuple[list[str], Any]:
        m, losses = keras.metrics, keras.losses
        plain = ["auc", m.Precision(name="p"), m.Precision(name="p"), m.Recall, "mae", "MAE", losses.huber]
        weighted = ["mae", m.AUC(name="auc"), m.Poisson(), losses.mean_squared_error, "mae"]
        model = build(keras, "binary_crossentropy", "sigmoid", nest([*plain, "acc", "mae"]), nest(weighted))
        logs = model.fit(x, y, verbose=0, shuffle=False).history
        assert any(name.startswith("recall") for name in logs)  # numbered by how many there were before
        return [name for name in logs if "recall" not in name], np.array(model.evaluate(x, y, verbose=0))

    names, values = run(live_keras, list)
    for nest in (list, lambda entries: [entries], lambda entries: {"out": entries}):
        our_names, our_values = run(lamina_keras, nest)
        assert our_names == names
        np.testing.assert_allclose(our_values, values, rtol=BOUND, atol=BOUND)


def test_crossentropy_metrics_see_the_logits(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Behind a softmax or sigmoid that is saturated, also with a loss that sees the output."""
    rng = np.random.default_rng(3)
    x = 30 * rng.normal(size=(16, FEATURES)).astype("float32")
    y = np.eye(WIDTH, dtype="float32")[rng.integers(0, WIDTH, 16)]
    for activation in ("softmax", "sigmoid"):
        found = []
        for keras in (lamina_keras, live_keras):
            entries = ["categorical_crossentropy", "binary_crossentropy"]
            model = build(keras, "mse", activation, entries)
            logs = model.fit(x, y, verbose=0, shuffle=False, epochs=2).history
            found.append({**logs, "weights": model.get_weights()[0]})
        same_logs(*found)


# -- of one's own --------------------------------------------------------------------------------------------
def test_own_metrics(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """A function, and a class with variables, in all ways of running; both libraries take the same class."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(30, FEATURES)).astype("float32")
    y = rng.random((30, WIDTH)).astype("float32")
    weights = rng.uniform(0, 2, 30).astype("float32")

    def furthest(y_true: Any, y_pred: Any) -> Any:
        d = abs(y_true - y_pred)
        return d.max(-1) if isinstance(d, np.ndarray) else live_keras.ops.max(d, -1)

    def largest_class(keras: ModuleType) -> Any:
        class Largest(keras.metrics.Metric):  # type: ignore[name-defined, misc]
            def __init__(self) -> None:
                super().__init__(name="largest")
                self.seen = self.add_weight(name="seen", initializer="zeros")

            def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
                found = y_pred.max() if isinstance(y_pred, np.ndarray) else live_keras.ops.max(y_pred)
                self.seen.assign(
                    np.maximum(self.seen, found)
                    if keras is lamina_keras
                    else live_keras.ops.maximum(self.seen, found)
                )

            def result(self) -> Any:
                return self.seen + 0

        return Largest()

    found = []
    for keras, verbose in ((lamina_keras, 0), (lamina_keras, 2), (live_keras, 0)):
        model = build(keras, "mse", None, [furthest, largest_class(keras), "mae"], [furthest])
        history = model.fit(
            x,
            y,
            batch_size=8,
            epochs=3,
            shuffle=False,
            verbose=verbose,
            sample_weight=weights,
            validation_data=(x[:9], y[:9]),
        ).history
        found.append((history, model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)))
    for ours in found[:2]:
        same_logs(ours[0], found[2][0])
        same_logs(ours[1], found[2][1])


def test_an_error_in_an_own_metric_ends_the_fit(lamina_keras: ModuleType) -> None:
    def broken(y_true: Any, y_pred: Any) -> Any:
        raise LookupError("mine")

    model = build(lamina_keras, "mse", None, [broken])
    with pytest.raises(LookupError, match="mine"):
        model.fit(np.zeros((4, FEATURES)), np.zeros((4, WIDTH)), verbose=0)


def test_unknown_metrics_are_refused_at_once(lamina_keras: ModuleType) -> None:
    for metrics, message in (
        (["nope"], "metric: expected one of .*got 'nope'"),
        ([3], "metrics: expected a metric"),
        ("mae", "metrics: expected a list, tuple or dict"),
    ):
        with pytest.raises(ValueError, match=message):
            build(lamina_keras, "mse", None, metrics)
    with pytest.raises(ValueError, match="weighted_metrics: expected a list"):
        build(lamina_keras, "mse", None, None, "mae")
