"""Wrong switches, numbers, names, weights: one clear error that names the argument, and nothing changed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_classifier import CLASSES, FEATURES, ROWS, Array, assert_refused, good, state, trained


@pytest.fixture
def keras(lamina_keras: Any) -> Any:
    return lamina_keras


# -- switches and numbers ------------------------------------------------------------------------------------
BAD_ARGUMENTS: list[tuple[str, Any]] = [
    ("batch_size", 0),
    ("batch_size", -8),
    ("batch_size", 2.5),
    ("batch_size", "8"),
    ("epochs", -1),
    ("epochs", 1.5),
    ("epochs", "2"),
    ("initial_epoch", -1),
    ("validation_split", 1.0),
    ("validation_split", -0.1),
    ("validation_split", "0.2"),
    ("validation_split", float("nan")),
    ("validation_batch_size", 0),
    ("validation_freq", 0),
    ("verbose", 3),
    ("verbose", "loud"),
    ("shuffle", "yes"),
    ("class_weight", [1.0, 2.0]),
    ("class_weight", {"cat": 1.0}),
    ("class_weight", {0: "heavy"}),
    ("validation_data", np.zeros((3, FEATURES))),
    ("validation_data", (np.zeros((3, FEATURES)),)),
    ("callbacks", [object()]),
    ("callbacks", ["EarlyStopping"]),
    ("steps_per_epoch", -3),
]


@pytest.mark.parametrize(("argument", "value"), BAD_ARGUMENTS, ids=lambda value: str(value)[:24])
def test_arguments_of_fit(keras: Any, argument: str, value: Any) -> None:
    model = trained(keras)
    x, y = good()
    kwargs = {"verbose": 0, argument: value}
    assert_refused(model, [argument], lambda: model.fit(x, y, **kwargs))


@pytest.mark.parametrize("value", [0, -1, 1.5, "all"])
@pytest.mark.parametrize("method", ["evaluate", "predict"])
def test_batch_size_of_evaluate_and_predict(keras: Any, method: str, value: Any) -> None:
    model = trained(keras)
    data = good() if method == "evaluate" else good()[:1]
    assert_refused(
        model, ["batch_size", repr(value)], lambda: getattr(model, method)(*data, batch_size=value, verbose=0)
    )


def test_class_weight_and_sample_weight_together(keras: Any) -> None:
    model = trained(keras)
    x, y = good()
    for method in (model.fit, model.train_on_batch):
        assert_refused(
            model,
            ["class_weight", "sample_weight"],
            lambda method=method: method(x, y, sample_weight=np.ones(ROWS), class_weight={0: 2.0}),  # type: ignore[misc]
        )


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_before_compile(keras: Any, method: str) -> None:
    model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES, "softmax")])
    weights = [weight.copy() for weight in model.get_weights()]
    with pytest.raises(ValueError, match="compile"):
        getattr(model, method)(*good())
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert model.predict(good()[0], verbose=0).shape == (ROWS, CLASSES)


@pytest.mark.parametrize(
    ("kwargs", "word"),
    [
        ({"optimizer": "adamm"}, "adamm"),
        ({"loss": "cross_entropy_loss"}, "cross_entropy_loss"),
        ({"metrics": ["accuracies"]}, "accuracies"),
        ({"metrics": "accuracy"}, "metrics"),
        ({"optimizer": 3}, "optimizer"),
    ],
)
def test_unknown_names_in_compile(keras: Any, kwargs: dict[str, Any], word: str) -> None:
    model = trained(keras)
    before = state(model)
    with pytest.raises((ValueError, TypeError), match=word):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **kwargs})
    assert state(model) == before


@pytest.mark.parametrize("activation", ["reluu", "gelu2", "", 3])
def test_unknown_activations(keras: Any, activation: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=str(activation) or "activation"):
        keras.layers.Dense(3, activation=activation)


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda layers: layers.Dense(0), "units"),
        (lambda layers: layers.Dense(-3), "units"),
        (lambda layers: layers.Dense(2.5), "units"),
        (lambda layers: layers.Dense("ten"), "units"),
        (lambda layers: layers.Dropout(-0.1), "rate"),
        (lambda layers: layers.Dropout(1.5), "rate"),
        (lambda layers: layers.Dropout("half"), "rate"),
        (lambda layers: layers.Dense(3, kernel_initializer="glorot"), "glorot"),
        (lambda layers: layers.Dense(3, dtype="float16"), "float16"),
        (lambda layers: layers.Dense(3, unitss=3), "unitss"),
    ],
)
def test_arguments_of_layers(keras: Any, build: Callable[[Any], Any], word: str) -> None:
    with pytest.raises((ValueError, TypeError), match=word):
        build(keras.layers)


@pytest.mark.parametrize(
    ("kind", "kwargs", "word"),
    [
        ("SGD", {"learning_rate": "fast"}, "learning_rate"),
        ("SGD", {"momentum": -0.5}, "momentum"),
        ("SGD", {"momentum": 1.5}, "momentum"),
        ("Adam", {"clipnorm": 1.0, "clipvalue": 1.0}, "clipnorm"),
        ("RMSprop", {"use_ema": True, "ema_momentum": 2.0}, "ema_momentum"),
        ("Adagrad", {"momentum": 0.5}, "momentum"),
    ],
)
def test_arguments_of_optimizers(keras: Any, kind: str, kwargs: dict[str, Any], word: str) -> None:
    with pytest.raises((ValueError, TypeError), match=word):
        getattr(keras.optimizers, kind)(**kwargs)


def _bad_weights(weights: list[Array]) -> list[tuple[str, Any]]:
    return [
        ("too few", weights[:-1]),
        ("too many", [*weights, weights[0]]),
        ("transposed", [weights[0].T, *weights[1:]]),
        ("last of another shape", [*weights[:-1], np.zeros(CLASSES + 1)]),
        ("a column for a bias", [weights[0], weights[1][:, None], *weights[2:]]),
        ("strings", [weights[0].astype(str), *weights[1:]]),
        ("complex", [*weights[:-1], weights[-1].astype(complex)]),
    ]


@pytest.mark.parametrize("index", range(7))
def test_weights_of_the_wrong_shape(keras: Any, index: int) -> None:
    """All weights are checked before the first is written: the wrong one may be the last."""
    model = trained(keras)
    changed = [weight + 1 for weight in model.get_weights()]
    bad = _bad_weights(changed)[index][1]
    assert_refused(model, ["weight"], lambda: model.set_weights(bad))
