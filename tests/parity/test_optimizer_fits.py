"""`fit` with every option of an optimizer takes the steps of live Keras's `apply` on the same gradients."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from networks import initial
from optimizer_draws import drawn_optimizers, made
from tolerances import adaptive_movement, assert_close, rounding

ROWS, INPUTS, HIDDEN, OUTPUTS, BATCH, EPOCHS = 22, 5, 4, 3, 6, 2


def data(dtype: str) -> tuple[Any, Any]:
    rng = np.random.default_rng(6)
    return rng.normal(size=(ROWS, INPUTS)).astype(dtype), rng.normal(size=(ROWS, OUTPUTS)).astype(dtype)


def start() -> list[Any]:
    rng = np.random.default_rng(7)
    shapes = [(INPUTS, HIDDEN), (HIDDEN,), (HIDDEN, OUTPUTS), (OUTPUTS,)]
    return [rng.normal(size=shape, scale=0.7) for shape in shapes]


def gradients(weights: list[Any], x: Any, y: Any) -> list[Any]:
    """Of the mean squared error of two linear layers, in float64."""
    w1, b1, w2, b2 = (np.asarray(weight, np.float64) for weight in weights)
    hidden = x @ w1 + b1
    error = 2 * (hidden @ w2 + b2 - y) / y.size
    below = error @ w2.T
    return [x.T @ below, below.sum(0), hidden.T @ error, error.sum(0)]


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=drawn_optimizers())
@example(drawn=("adamw", 0.02, {"weight_decay": 0.3}))
@example(drawn=("sgd", 0.05, {"weight_decay": 0.3, "global_clipnorm": 0.5}))
@example(drawn=("adam", 0.02, {"use_ema": True, "gradient_accumulation_steps": 2}))
def test_fit(live_keras: ModuleType, lamina_keras: ModuleType, drawn: Any) -> None:
    dtype = "float64"  # rounding apart, so that nothing hides behind a tolerance
    x, y = data(dtype)
    layers = lamina_keras.layers
    model = lamina_keras.Sequential(
        [
            lamina_keras.Input((INPUTS,), dtype=dtype),
            layers.Dense(HIDDEN, dtype=dtype),
            layers.Dense(OUTPUTS, dtype=dtype),
        ]
    )
    model.set_weights(start())
    model.compile(made(lamina_keras, *drawn), "mse")
    theirs = made(live_keras, *drawn)
    live = [live_keras.Variable(weight, dtype=dtype) for weight in start()]
    # In one call and in two: state goes from one to the next.
    model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
    for _ in range(EPOCHS):
        for first in range(0, ROWS, BATCH):
            rows = slice(first, first + BATCH)
            grads = gradients([variable.numpy() for variable in live], x[rows], y[rows])
            theirs.apply([live_keras.ops.convert_to_tensor(g, dtype=dtype) for g in grads], live)
        theirs.finalize_variable_values(live)  # as at the end of each fit
    model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)
    steps = EPOCHS * -(-ROWS // BATCH)
    bound = 1e3 * rounding(dtype, ROWS + HIDDEN, steps)  # float64 to spare: a wrong step is off by 1e-3
    for a, b in zip(model.get_weights(), live, strict=True):
        assert_close(a, b.numpy(), bound, str(drawn), 1.0)
    for a, b in zip(model.optimizer.variables, theirs.variables, strict=True):
        assert a.shape == tuple(b.shape)
        assert_close(a.numpy(), b.numpy(), 4 * bound, a.path, 1.0)


LIVE: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "adamw": ("adamw", ("CosineDecay", (0.01, 20, 0.1, "CosineDecay", 0.03, 5)), {"clipnorm": 0.2}),
    "sgd": (
        "sgd momentum",
        0.05,
        {"global_clipnorm": 0.3, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 4},
    ),
    "nadam": ("nadam", 0.01, {"gradient_accumulation_steps": 3, "weight_decay": 0.1, "clipvalue": 0.02}),
}


@pytest.mark.parametrize("name", LIVE)
def test_live_fit(live_keras: ModuleType, lamina_keras: ModuleType, name: str) -> None:
    """Whole trainings in both libraries, validated with the weights that EMA has put in place."""
    found = []
    for keras in (lamina_keras, live_keras):
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input((INPUTS,)),
                layers.Dense(8, "tanh"),
                layers.Dense(6, "relu"),
                layers.Dense(OUTPUTS, "softmax"),
            ]
        )
        rng = np.random.default_rng(8)
        model.set_weights([initial(weight, rng) for weight in model.get_weights()])
        model.compile(made(keras, *LIVE[name]), "sparse_categorical_crossentropy")
        x, _ = data("float32")
        y = rng.integers(0, OUTPUTS, ROWS)
        fitted = {"batch_size": BATCH, "epochs": 3, "shuffle": False, "verbose": 0}
        history = model.fit(x, y, validation_data=(x[:9], y[:9]), **fitted).history
        found.append(
            (history, model.evaluate(x, y, verbose=0), model.get_weights(), model.optimizer.variables)
        )
    (ours, loss, weights, variables), (theirs, live_loss, live_weights, live_variables) = found
    bound = rounding("float32", ROWS + 8, 12)
    for key in theirs:
        assert_close(ours[key], theirs[key], bound, key)
    assert_close(loss, live_loss, bound, "evaluate")
    movement = adaptive_movement(0.03) if name != "sgd" else 0.0
    for a, b in zip(weights, live_weights, strict=True):
        assert_close(a, b, bound, "weights", movement)
    for a, b in zip(variables, live_variables, strict=True):
        assert_close(a.numpy(), b.numpy(), 4 * bound, a.path, movement)
