"""The activation layers against live Keras: configs, results, trajectories, and which show their logits."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from networks import initial
from tolerances import assert_close, rounding

from lamina.keras import activations, layers

# name, positional and keyword arguments, and the shape of one sample
LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("ReLU", (), {}, (5,)),
    ("ReLU", (), {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.5}, (5,)),
    ("ReLU", (6,), {}, (3, 4)),
    ("LeakyReLU", (), {}, (5,)),
    ("LeakyReLU", (0.1,), {"name": "mine"}, (3, 4)),
    ("ELU", (), {}, (5,)),
    ("ELU", (0.5,), {}, (3, 4)),
    ("Softmax", (), {}, (5,)),
    ("Softmax", (1,), {}, (3, 4)),
    ("Softmax", (-2,), {}, (3, 4, 5)),
    ("Softmax", (2,), {}, (3, 4)),
    ("Softmax", ([1, 2],), {}, (3, 4)),
    ("Softmax", ([2],), {}, (3, 4)),
    ("PReLU", (), {}, (5,)),
    ("PReLU", (), {"alpha_initializer": "ones"}, (3, 4)),
    ("PReLU", (), {"shared_axes": [1]}, (3, 4)),
    ("PReLU", (), {"shared_axes": 2}, (3, 4)),
    ("PReLU", (), {"shared_axes": [1, 2]}, (3, 4, 2)),
    ("Activation", ("swish",), {}, (5,)),
    ("Activation", ("log_softmax",), {}, (3, 4)),
]


def _name(case: Any) -> str:
    kind, args, kwargs, shape = case
    return f"{kind}{[*args, *kwargs.items()]}-{shape}"


def _fit(keras: ModuleType, case: Any) -> list[Any]:
    """A dense layer before the one under test, so that its gradient at the input counts; one after it."""
    kind, args, kwargs, shape = case
    model = keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Dense(shape[-1]),
            getattr(keras.layers, kind)(*args, **kwargs),
            keras.layers.Dense(2),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=keras.__name__ == "keras")
    rng = np.random.default_rng(3)
    model.set_weights([initial(weight, rng) for weight in model.get_weights()])
    losses = []
    for rows in (9, 9, 4):
        x, y = rng.normal(size=(rows, *shape)), rng.normal(size=(rows, *shape[:-1], 2))
        losses.append(model.train_on_batch(x, y))
    return [losses, model.predict_on_batch(x), *model.get_weights()]


@pytest.mark.parametrize("case", LAYERS, ids=_name)
@pytest.mark.usefixtures("float64")
def test_training(case: Any, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    ours, theirs = _fit(lamina_keras, case), _fit(live_keras, case)
    bound = rounding("float64", 9 * int(np.prod(case[3])), steps=3)
    for i, (our, their) in enumerate(zip(ours, theirs, strict=True)):
        assert_close(our, their, bound, f"number {i}", scale=1.0)


@pytest.mark.parametrize("case", LAYERS, ids=_name)
def test_config(case: Any, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    kind, args, kwargs, shape = case
    kwargs = {"name": "same", **kwargs}
    ours, theirs = (getattr(k.layers, kind)(*args, **kwargs) for k in (lamina_keras, live_keras))
    config = ours.get_config()
    assert config == theirs.get_config()
    assert (
        type(ours).from_config(config).get_config() == type(theirs).from_config(config).get_config() == config
    )
    assert ours.built == theirs.built
    assert ours.compute_output_shape((None, *shape)) == theirs.compute_output_shape((None, *shape))
    again = lamina_keras.layers.deserialize(live_keras.layers.serialize(theirs))
    assert again.get_config() == config


def test_automatic_names_and_weights(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    found = []
    for keras in (lamina_keras, live_keras):
        keras.backend.clear_session()
        kinds = ("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax")
        model = keras.Sequential([keras.Input((2, 3)), *(getattr(keras.layers, kind)() for kind in kinds)])
        weights = [(weight.path, tuple(weight.shape)) for weight in model.weights]
        found.append([[layer.name for layer in model.layers], weights, model.count_params()])
    assert found[0] == found[1]


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "binary_crossentropy"])
@pytest.mark.parametrize(
    "end",
    [("Softmax", (), {}), ("Softmax", (1,), {}), ("Softmax", ([1, 2],), {}), ("Softmax", ([1],), {})]
    + [("Activation", (name,), {}) for name in ("softmax", "sigmoid", "log_softmax", "sparse_sigmoid")],
    ids=str,
)
@pytest.mark.usefixtures("float64")
def test_which_ends_show_their_logits(
    end: Any, loss: str, live_keras: ModuleType, lamina_keras: ModuleType
) -> None:
    """Saturated, so that logits and clipped probabilities give other losses and other steps."""
    rng = np.random.default_rng(8)
    x, kernel = rng.normal(size=(12, 2, 3)), rng.normal(size=(3, 4)) * 12
    y = np.eye(4)[rng.integers(0, 4, (12, 2))]
    kind, args, kwargs = end
    results = []
    for keras in (lamina_keras, live_keras):
        model = keras.Sequential(
            [keras.Input((2, 3)), keras.layers.Dense(4), getattr(keras.layers, kind)(*args, **kwargs)]
        )
        model.compile(
            keras.optimizers.SGD(0.125), loss, metrics=["mae"], run_eagerly=keras.__name__ == "keras"
        )
        model.set_weights([kernel, np.zeros(4)])
        results.append([model.test_on_batch(x, y), model.train_on_batch(x, y), *model.get_weights()])
    # As in test_paths.py: 1 / 1e-7 times a difference of numbers near 1; and logits of 50, whose rounding the
    # exponential makes one of its own, where Keras takes exp(x - log sum exp x).
    bound = rounding("float64", 24) * 1e5
    for ours, theirs in zip(*results, strict=True):
        assert_close(ours, theirs, bound, "loss, metric or weight", scale=1.0)


def test_layers_as_activations(live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    x = np.random.default_rng(2).normal(size=(7, 3)).astype("float32")
    results, configs = [], []
    for keras in (lamina_keras, live_keras):
        model = keras.Sequential([keras.Input((3,))])
        model.add(keras.layers.Dense(4, activation=keras.layers.LeakyReLU(0.1, name="inner"), name="first"))
        model.add(keras.layers.Dense(2, activation=keras.layers.Softmax(name="last"), name="second"))
        rng = np.random.default_rng(1)
        model.set_weights([initial(weight, rng) for weight in model.get_weights()])
        results.append(model.predict(x, verbose=0))
        configs.append([layer.get_config() for layer in model.layers])
    assert_close(results[0], results[1], rounding("float32", 4), "prediction")
    assert configs[0] == configs[1]
    for config in configs[1]:
        assert lamina_keras.layers.Dense.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.ReLU(max_value=-1.0), "max_value: expected a number >= 0, got -1.0"),
        (lambda: layers.ReLU(negative_slope=None), "negative_slope: expected a number, got None"),
        (lambda: layers.ReLU(threshold=-0.5), "threshold: expected a number >= 0, got -0.5"),
        (lambda: layers.LeakyReLU(negative_slope=-1), "negative_slope: expected a number >= 0, got -1"),
        (lambda: layers.ELU("a"), "alpha: expected a number, got 'a'"),
        (lambda: layers.Softmax(axis="last"), "axis: expected an int, got 'last'"),
        (lambda: layers.Softmax(axis=0).compute_output_shape((None, 3)), "expected neighbouring axes of one"),
        (lambda: layers.Softmax([1, 3]).compute_output_shape((None, 3, 4, 5)), "expected neighbouring axes"),
        (lambda: layers.PReLU(shared_axes=[0]), "shared_axes: expected ints >= 1, got 0"),
        (
            lambda: layers.PReLU(shared_axes=3).compute_output_shape((None, 2, 2)),
            "shared_axes: expected axes",
        ),
        (lambda: layers.Dense(3, "glu").compute_output_shape((None, 2)), "expected an even size"),
        (lambda: layers.Dense(3, "threshold"), "needs nothing but x, got threshold"),
    ],
)
def test_errors(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_functions_with_arguments_in_layers(lamina_keras: ModuleType) -> None:
    from functools import partial

    x = np.linspace(-2, 2, 12, dtype="float32").reshape(4, 3)
    for function, arguments in (
        (activations.threshold, {"threshold": 0.25, "default_value": -1.0}),
        (activations.relu, {"max_value": 1.0}),
        (activations.gelu, {"approximate": True}),
    ):
        layer = layers.Activation(partial(function, **arguments))
        np.testing.assert_array_equal(layer(x), function(x, **arguments))
    with pytest.raises(TypeError, match="automatic differentiation"):
        layers.Activation(partial(np.clip, a_min=0, a_max=1))


def test_the_old_name_of_the_slope_warns() -> None:
    with pytest.warns(UserWarning, match="alpha is the old name"):
        assert layers.LeakyReLU(alpha=0.25).negative_slope == 0.25
