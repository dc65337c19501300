"""Regularizers, constraints, activity regularizers: trainings in Lamina and in live Keras, of networks that
hypothesis draws.
"""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from restraint_draws import DENSE, FACTORS, NORM, REGULARIZERS, constraints, spoken
from tolerances import adaptive_movement, assert_close, rounding

INPUTS, ROWS = 6, 10
STEPS = 3

ACTIVATIONS = st.sampled_from(["linear", "tanh", "relu", "softmax"])
BETWEEN = st.one_of(
    st.none(),
    st.builds(lambda kwargs: ("BatchNormalization", kwargs), NORM),
    st.builds(lambda kwargs: ("LayerNormalization", kwargs), NORM),
    st.builds(
        lambda regularizer, constraint: (
            "PReLU",
            {"alpha_regularizer": regularizer, "alpha_constraint": constraint, "shared_axes": [1]},
        ),
        REGULARIZERS,
        constraints(None),
    ),
    st.builds(lambda a, b: ("ActivityRegularization", {"l1": a, "l2": b}), FACTORS, FACTORS),
    st.builds(lambda reg: ("Dropout", {"rate": 0.0, "activity_regularizer": reg}), REGULARIZERS),
    st.builds(lambda reg: ("Flatten", {"activity_regularizer": reg}), REGULARIZERS),
)
HEADS = st.sampled_from(
    [
        ("softmax", "sparse_categorical_crossentropy"),
        ("softmax", "mse"),
        ("sigmoid", "binary_crossentropy"),
        (None, "mse"),
    ]
)
OPTIMIZERS = st.sampled_from([("SGD", {"learning_rate": 0.1}), ("Adam", {"learning_rate": 0.01})])


@st.composite
def networks(draw: Any) -> dict[str, Any]:
    """Layers in words, (class, arguments) with regularizers and constraints as such pairs too."""
    activation, loss = draw(HEADS)
    layers = [
        draw(BETWEEN),
        ("Dense", {"units": 5, "activation": draw(ACTIVATIONS), **draw(DENSE)}),
        draw(BETWEEN),
        ("Dense", {"units": 3, "activation": activation, **draw(DENSE)}),
        draw(st.one_of(st.none(), st.just(("ActivityRegularization", {"l1": 0.1, "l2": 0.2})))),
    ]
    return {
        "layers": [layer for layer in layers if layer is not None],
        "loss": loss,
        "optimizer": draw(OPTIMIZERS),
        "positions": draw(st.sampled_from([1, 1, 2])),
        "seed": draw(st.integers(0, 99)),
    }


def built(keras: ModuleType, network: dict[str, Any], **options: Any) -> Any:
    positions = network["positions"]
    flat = any(kind == "Flatten" for kind, _ in network["layers"])
    shape = (INPUTS,) if positions == 1 or flat else (positions, INPUTS)
    model = keras.Sequential([keras.Input(shape)])
    for kind, kwargs in network["layers"]:
        model.add(
            getattr(keras.layers, kind)(
                **{name: spoken(keras, name, value) for name, value in kwargs.items()}
            )
        )
    kind, kwargs = network["optimizer"]
    model.compile(
        getattr(keras.optimizers, kind)(**kwargs),
        network["loss"],
        metrics=["mse"] if network["loss"] == "mse" else ["accuracy"],
        **options,
    )
    rng = np.random.default_rng([network["seed"], 1])
    model.set_weights(
        [
            rng.normal(0.1, 0.6, weight.shape)
            if "variance" not in weight.path
            else rng.uniform(0.5, 1.5, weight.shape)
            for weight in model.weights
        ]
    )
    return model


def data(model: Any, network: dict[str, Any], rows: int, stream: int) -> tuple[Any, Any]:
    rng = np.random.default_rng([network["seed"], stream])
    x = rng.normal(size=(rows, *model.input_shape[1:]))
    sizes = model.output_shape[1:]
    if network["loss"].startswith("sparse"):
        return x, rng.integers(0, sizes[-1], (rows, *sizes[:-1]))
    return x, rng.integers(0, 2, (rows, *sizes))


@given(network=networks())
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),  # a failure is as clear without minutes of shrinking
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.usefixtures("float64")
def test_steps_in_float64(network: dict[str, Any], live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """Reported losses, evaluation and every weight after steps on three batches, the last of one row less."""
    ours, theirs = built(lamina_keras, network), built(live_keras, network, run_eagerly=True)
    bound = 100 * rounding(np.float64, 2 * ROWS, STEPS)
    kind, kwargs = network["optimizer"]
    movement = 0.0 if kind == "SGD" else adaptive_movement(kwargs["learning_rate"])
    for step in range(STEPS):
        x, y = data(ours, network, ROWS - (step == STEPS - 1), 10 + step)
        expected = theirs.train_on_batch(x, y)
        assert_close(ours.train_on_batch(x, y), expected, bound, f"loss of step {step}")
    for weight, (mine, live) in enumerate(zip(ours.get_weights(), theirs.get_weights(), strict=True)):
        assert_close(mine, live, bound, f"weight {weight}", movement)
    x, y = data(ours, network, ROWS, 3)
    assert_close(ours.test_on_batch(x, y), theirs.test_on_batch(x, y), bound, "test")


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonality(mode: str, live_keras: ModuleType, lamina_keras: ModuleType) -> None:
    """In float32: Keras's own factor is, and it can't multiply float64 with it."""
    regularizer = ("OrthogonalRegularizer", {"factor": 0.5, "mode": mode})
    dense = {"kernel_regularizer": regularizer, "units": 5, "activation": "tanh"}
    network = {
        "layers": [("Dense", dense), ("Dense", {**dense, "units": 3})],
        "loss": "mse",
        "optimizer": ("SGD", {"learning_rate": 0.1}),
        "positions": 1,
        "seed": 3,
    }
    ours, theirs = built(lamina_keras, network), built(live_keras, network, run_eagerly=True)
    bound = rounding(np.float32, 2 * ROWS, STEPS)
    for step in range(STEPS):
        x, y = data(ours, network, ROWS, step)
        assert_close(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), bound, f"loss of step {step}")
    for weight, (mine, live) in enumerate(zip(ours.get_weights(), theirs.get_weights(), strict=True)):
        assert_close(mine, live, bound, f"weight {weight}")
